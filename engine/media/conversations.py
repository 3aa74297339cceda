"""What visitors and agents do in a conversation, whatever protocol carries them.

The doors (GMS for visitors, the desk for agents) translate; the rules stand here: attached data,
places of agents, who may take a chat over, chats that a visitor left silently, and the events
that the visit hears of.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.media.agents import Agents
from engine.media.interactions import (
    LINES_AT_ONCE,
    REPORT_ATTEMPTS,
    Draft,
    Interaction,
    InteractionStore,
    Line,
    Party,
    Refused,
    Report,
    Unknown,
)
from engine.media.places import Places

Happened = Callable[[str, str | None, str, Mapping[str, Any]], Awaitable[None]]
"""Put an event into a visit: (visitID, pageID, event name, data)."""

InvitationOf = Callable[[str, str | None, str | None], Awaitable[Mapping[str, Any] | None]]
"""The invitation behind (visitID, pageID, id): ``id strategy group message attach``, or None.

The id is what the widget handed on. Where it names no invitation of that visit, or nothing, it is
the youngest of the page, else of the visit.
"""

NameOf = Callable[[str], Awaitable[str | None]]
"""What a visit (visitID) has said that its person is called, or None. Nothing proves it."""

WithStart = Callable[[sqlite3.Connection, str], None]
"""What a medium writes of its own when an interaction (its id) starts, in the same transaction."""

WithEnd = Callable[[sqlite3.Connection], None]
"""The same for its end."""

VISITOR_SILENCE: Final = 180_000
"""A chat ends when its widget was not heard of for this many milliseconds. Browsers let a
hidden window speak once a minute only, so that this must be some minutes."""

TYPING: Final = 6_000
"""Somebody types for this many milliseconds after they last said so, unless they send it."""

PATIENCE: Final = 5.0
"""Seconds that a visitor waits at most for the rest of the engine when a chat starts."""

TIDY_EVERY: Final = 1_000

VISITOR: Final = "Visitor"
"""What whoever gives no name is called. The sample widgets of GMS call themselves so, too."""

CALLBACK: Final = "callback"
GMS: Final = "gms"
GMS_CALLBACK: Final = "gms_callback"
ELSEWHERE: Final = frozenset({GMS, GMS_CALLBACK})
"""Media whose agents sit elsewhere: our desk shows what they carry, and can not answer it."""

_PATIENT: Final = frozenset({CALLBACK, GMS_CALLBACK})
"""Media whose visitor has no window that could fall silent: they wait as long as they must."""

RESERVED: Final = frozenset({"visitID", "pageID", "webengagement"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a visitor's widget asks for. ``webengagement`` None is: it said nothing of it.

    ``nickname`` is the name that it gave, else ``VISITOR``.
    ``invitation`` is the id that the invitation widget handed on; it proves nothing. ``key`` is the
    visitor's secret where the widget chose it: what is started again with it was started once.
    ``address`` is where the request came from.
    """

    medium: str
    visit: str | None
    page: str | None
    nickname: str
    webengagement: str | None
    invitation: str | None
    customer: Mapping[str, str]
    key: str | None = None
    address: str = ""


async def nobody_named(_visit: str) -> str | None:
    """No visit has said what its person is called."""
    return None


class Conversations:
    """All conversations of this server, over a store, the agents and two calls to the engine.

    Raises what the store raises: Unknown, Refused, Unavailable.
    """

    def __init__(
        self,
        store: InteractionStore,
        *,
        agents: Agents,
        happened: Happened,
        invitation: InvitationOf,
        name: NameOf = nobody_named,
        places: Places | None = None,
    ) -> None:
        self.store = store
        self._places = places or Places()
        self.agents = agents
        self._happened = happened
        self._invitation = invitation
        self._name = name
        self._heard: dict[str, int] = {}
        self._typing: dict[tuple[str, Party], int] = {}
        self._tidied = 0
        for found in store.resumed:
            self._hear(found)
            if found.agent is not None:
                agents.restore(found.agent, found.id)

    async def start(self, wish: Wish, also: WithStart | None = None) -> tuple[Interaction, str]:
        """A waiting interaction and the visitor's key; the visit hears ``InteractionStarted``.

        ``also`` writes what the medium keeps of its own, in the same transaction.
        """
        return await self.begin(await self.draft(wish), also=also, key=wish.key)

    async def draft(self, wish: Wish) -> Draft:
        """What a wish carries: attached data, and what is known of the invitation behind it.

        Raises Refused (``too-many``) before anybody elsewhere is asked to start something.
        """
        if wish.key is None:  # with a key it may have been started already: see ``begin``
            self._places.check(await self._places.holder(wish.visit, wish.address))
        invitation = await self._known_invitation(wish)
        return Draft(
            medium=wish.medium,
            visit=wish.visit,
            page=wish.page,
            nickname=wish.nickname,
            attached=_attached(wish, invitation),
            customer=wish.customer,
            invitation={key: invitation[key] for key in _NAMES if invitation.get(key)},
            address=wish.address,
        )

    async def begin(
        self, draft: Draft, *, also: WithStart | None = None, key: str | None = None
    ) -> tuple[Interaction, str]:
        """The interaction of a draft. ``key`` is the visitor's, where somebody else gave it."""
        if key is not None and await self._is_started(key, draft.medium):
            interaction, key = await self.store.create(draft, also, key)
        else:
            holder = await self._places.holder(draft.visit, draft.address)
            with self._places.entering(holder) as keep:
                draft = replace(draft, known_as=await self._known_name(draft))
                interaction, key = await self.store.create(draft, also, key)
                keep(interaction.id)
        self._hear(interaction)
        await self._tell()
        return interaction, key

    async def _is_started(self, key: str, medium: str) -> bool:
        try:
            return (await self.store.of_visitor(key)).medium == medium
        except Unknown:
            return False

    async def visitor(self, key: str) -> Interaction:
        """The interaction of a visitor's key, who is there now. Raises Unknown."""
        found = await self.store.of_visitor(key)
        self._hear(found)
        await self.tidy()
        return found

    def _hear(self, found: Interaction) -> None:
        if found.state != "ended" and found.medium not in _PATIENT:
            self._heard[found.id] = self.store.clock()

    async def lines(self, interaction: Interaction, after: int) -> list[Line]:
        """The next lines after a position, a page of them at most."""
        return await self.store.transcript(interaction.id, after=after, limit=LINES_AT_ONCE)

    async def accept(self, identity: str, agent: str) -> Interaction:
        """Give a chat to an agent; one that an absent agent holds may be taken over."""
        await self._check_ours(identity)
        before = self.agents.holder(identity)
        # The place is taken before the disk is asked, so that two chats never get the last one.
        place = identity if before == agent else f"{identity} for {agent}"
        if not self.agents.hold(agent, place):
            raise Refused("no-place", f"{agent} has no free place: end something else first.")
        absent = before is not None and not self.agents.present(before)
        try:
            found = await self.store.accept(identity, agent, take_over=absent)
        finally:
            if place != identity:
                self.agents.release(place)
        self.agents.restore(agent, identity)
        return found

    async def transfer(self, identity: str, agent: str, to: str) -> Interaction:
        """An agent hands a chat of theirs to another who is ready and has a free place.

        Raises Refused (``absent``, ``no-place``, ``ended``, ``waiting``, ``taken``).
        """
        if not any(one.name == to and one.ready for one in self.agents.everyone()):
            raise Refused("absent", f"{to} is not ready: choose another agent.")
        # As in ``accept``: the place first.
        place = f"{identity} for {to}"
        if not self.agents.hold(to, place):
            raise Refused("no-place", f"{to} has no free place: choose another agent.")
        try:
            found = await self.store.transfer(identity, agent, to)
        finally:
            self.agents.release(place)
        self.agents.restore(to, identity)
        self._typing.pop((identity, "agent"), None)
        return found

    async def say(self, identity: str, party: Party, nickname: str, text: str) -> Interaction:
        """One message; who sent it types no more."""
        found = await self.store.say(identity, party, nickname, text)
        self._typing.pop((identity, party), None)
        return found

    def note_typing(self, found: Interaction, party: Party, *, typing: bool) -> None:
        """Somebody types, or stopped. Kept in memory alone: it is over before a restart is."""
        if typing and found.state != "ended":
            self._typing[found.id, party] = self.store.clock()
        else:
            self._typing.pop((found.id, party), None)

    def is_typing(self, found: Interaction, party: Party) -> bool:
        """Whether a party of a chat types now."""
        since = self._typing.get((found.id, party))
        return since is not None and self.store.clock() - since < TYPING

    async def end_by_agent(
        self,
        identity: str,
        agent: str,
        outcome: str | None = None,
        also: WithEnd | None = None,
    ) -> Interaction:
        """An agent ends their chat, a waiting one, or one whose agent is absent."""
        found = await self._check_ours(identity)
        if found.agent not in (None, agent) and self.agents.present(found.agent or ""):
            raise Refused("taken", f"{found.agent} has this {found.called}.")
        known = outcome or _outcome(found, "agent")
        return await self._end(await self.store.end(identity, "agent", agent, known, also))

    async def _check_ours(self, identity: str) -> Interaction:
        found = await self.store.get(identity)
        if found.medium in ELSEWHERE:
            raise Refused("elsewhere", "This is answered in GMS, not here.")
        return found

    async def answered_elsewhere(self, found: Interaction, agent: str) -> None:
        """An agent who is not ours has taken what is carried elsewhere."""
        await self.store.accept(found.id, agent, take_over=True)

    async def end_elsewhere(self, found: Interaction, outcome: str | None = None) -> Interaction:
        """The system that carries it has ended it."""
        return await self._end(await self.store.end(found.id, "agent", found.nickname, outcome))

    async def end_by_visitor(self, found: Interaction, outcome: str | None = None) -> Interaction:
        """The visitor leaves."""
        known = outcome or _outcome(found, "visitor")
        return await self._end(await self.store.end(found.id, "visitor", found.nickname, known))

    async def tidy(self) -> None:
        """End chats whose visitor fell silent and repeat late reports; at most once a second.

        Whoever polls drives it, so that it needs no clockwork of its own.
        """
        now = self.store.clock()
        if now - self._tidied < TIDY_EVERY:
            return
        self._tidied = now
        silent = [one for one, heard in self._heard.items() if now - heard >= VISITOR_SILENCE]
        for identity in silent:
            found = await self.store.get(identity)
            await self._end(await self.store.end(identity, "system", found.nickname))
        await self._tell()

    async def _end(self, interaction: Interaction) -> Interaction:
        self.agents.release(interaction.id)
        self._places.release(interaction.id)
        self._heard.pop(interaction.id, None)
        for party in _PARTIES:
            self._typing.pop((interaction.id, party), None)
        await self._tell()
        return interaction

    async def _known_invitation(self, wish: Wish) -> Mapping[str, Any]:
        if wish.visit is None:
            return {}
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._invitation(wish.visit, wish.page, wish.invitation) or {}
        except Exception:
            # A visitor who wants to talk is worth more than knowing why they were invited.
            log.exception("The invitation behind a chat could not be found out.")
            return {}

    async def _known_name(self, draft: Draft) -> str | None:
        """What the visit calls its person, where the widget does not."""
        if draft.visit is None or draft.nickname != VISITOR:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._name(draft.visit)
        except Exception:
            log.exception("What the visitor is called could not be found out.")
            return None

    async def _tell(self) -> None:
        reports = await self.store.claim_reports()
        if not reports:
            return
        arrived = await asyncio.gather(*(self._report(report) for report in reports))
        await self.store.reported(
            [one.id for one, there in zip(reports, arrived, strict=True) if there]
        )

    async def _report(self, report: Report) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._happened(report.visit, report.page, report.event, report.data)
        except Exception as error:
            more = "is repeated" if report.attempts + 1 < REPORT_ATTEMPTS else "is given up"
            log.warning("%s did not reach its visit and %s: %s", report.event, more, error)
            return False
        return True


_PARTIES: Final[tuple[Party, ...]] = ("visitor", "agent")
_NAMES: Final = ("id", "strategy", "group", "message")


def _outcome(found: Interaction, by: Party) -> str | None:
    """How a callback ended that was ended like a chat: they have called, or nobody will."""
    if found.medium != CALLBACK:
        return None
    return "done" if by == "agent" and found.agent else "cancelled"


def _attached(wish: Wish, invitation: Mapping[str, Any]) -> dict[str, Any]:
    """Attached data: the three documented keys, then what the strategy's ``attach`` gave."""
    attached: dict[str, Any] = {}
    if wish.visit is not None:
        attached["visitID"] = wish.visit
    if wish.page is not None:
        attached["pageID"] = wish.page
    for value in (wish.webengagement, invitation.get("strategy"), wish.invitation):
        if value is not None:
            attached["webengagement"] = value
            break
    given: Mapping[str, Any] = invitation.get("attach") or {}
    return attached | {key: value for key, value in given.items() if key not in RESERVED}


def pages_of(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The pages of a visit from its events (oldest first), in order of their first event."""
    pages: dict[str, dict[str, Any]] = {}
    for event in events:
        identity = event.get("browserPageID") or event.get("pageID")
        if not identity:
            continue
        moment = event.get("serverTimestamp") or event.get("timestamp")
        blank = {"pageID": identity, "url": None, "title": None, "entered": moment, "exited": None}
        page = pages.setdefault(str(identity), blank)
        page["url"] = page["url"] or event.get("url")
        page["title"] = page["title"] or event.get("title")
        # An event on a page that was left opens it again.
        page["exited"] = moment if event.get("eventName") == "PageExited" else None
    return list(pages.values())
