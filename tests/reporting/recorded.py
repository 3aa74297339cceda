"""A small recorded week, stored by the real host and the real store of conversations, whose
figures a person can count: each line of ``STORY`` says what it adds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hosts.booked import written_book
from hosts.house import running

from engine.hosts.clock import Clock
from engine.hosts.contract import Input
from engine.hosts.document import EngagementCore
from engine.hosts.sqlite import SqliteHost
from engine.language.syntax import Book
from engine.media.interactions import Draft, InteractionStore
from engine.runtime.library import Library
from engine.runtime.plan import plan

BOOK = """
zone "Europe/Madrid"

event AddToCart "A product was put in the cart"
event Ask "The visitor asked for help"

group Invitations
  one at a time

message Hello is gpe.appendContent { url: "/frontend/resources/invite.html" }
message Help is gpe.appendContent { url: "/help.html" }

strategy "Cart"
  group Invitations
  limit 2 per visit
  on AddToCart
    when agents.ready("chat") > 0
    send Hello

strategy "Half of them"
  audience 50% of "help"
  on Ask
    send Help
"""

IN_AUDIENCE, IN_CONTROL = "G3", "G4"
"""Two visitors of the two arms of ``help``; a test makes sure of it."""


def at(text: str) -> int:
    """The time of a clock in Madrid, in ms."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Madrid"))
    return int(moment.timestamp() * 1000)


class Recording:
    """Writes visits and conversations, each visitor in one submit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.book: Book = written_book(BOOK)
        self.library = Library(plan(self.book))
        self._visits: list[tuple[str, list[Input]]] = []
        self._talks: list[tuple[int, Draft, bool]] = []

    def visit(self, visitor: str, *steps: tuple[str, str, dict[str, Any]]) -> None:
        """The steps of a visit ``V-..``: (time, event or kind of input, data)."""
        visit = f"V-{visitor}"
        self._visits.append((visitor, [self._input(visit, *step) for step in steps]))

    def talk(self, time: str, invitation: str | None, *, answered: bool, proactive: bool) -> None:
        """A conversation; ``invitation`` is the id behind it, if there is one."""
        attached = {"webengagement": "Cart"} if proactive else {}
        known = {"id": invitation} if invitation else {}
        draft = Draft(
            medium="chat",
            visit=None,
            page=None,
            nickname="Ana",
            attached=attached,
            customer={},
            invitation=known,
        )
        self._talks.append((at(time), draft, answered))

    def store(self, now: str) -> None:
        """Write all of it, as if it were ``now``."""
        asyncio.run(self._store(at(now)))

    async def _store(self, now: int) -> None:
        clock = Clock(wall=lambda: now * 1_000_000, steady=lambda: 0)
        host = SqliteHost(self.folder / "visits.sqlite3", clock=clock)
        core = EngagementCore(self.library, lambda: {"chat": 1})
        async with running(host, core):
            # In order of time, as they would have come.
            for visitor, inputs in sorted(self._visits, key=lambda one: one[1][0].time):
                await host.submit(visitor, inputs)
        await self._converse()

    async def _converse(self) -> None:
        moment = [0]
        path = self.folder / "interactions.sqlite3"
        store = InteractionStore(path, clock=lambda: moment[0])
        for time, draft, answered in self._talks:
            moment[0] = time
            found, _ = await store.create(draft)
            if answered:
                await store.accept(found.id, "Ben", take_over=False)
        await store.close()

    def _input(self, visit: str, time: str, what: str, data: dict[str, Any]) -> Input:
        kind, body = "event", {"eventName": what, "pageID": "P", "data": data}
        if what == "connected":
            kind, body = what, {"connection": "c", "page": "P"}
        agents = data.pop("agents", {"chat": 1})
        return Input(
            kind=kind,
            visit=visit,
            time=at(time),
            version=self.library.live.version,
            body={**body, "agents": agents},
        )


def step(time: str, what: str, **data: Any) -> tuple[str, str, dict[str, Any]]:
    return time, what, data


def here(time: str) -> Sequence[tuple[str, str, dict[str, Any]]]:
    """A page that is open and connected."""
    return (step(time, "PageEntered"), step(time, "connected"))


def recorded(folder: Path) -> Recording:
    """The week. Days are those of Madrid, where it is an hour later than in UTC."""
    made = Recording(folder)
    # Cart, 24 November: offered, shown, accepted, started, answered.
    made.visit(
        "A",
        *here("2026-11-24 10:00"),
        step("2026-11-24 10:01", "AddToCart"),
        step("2026-11-24 10:01:02", "InvitationShown", id="V-A/Cart/1"),
        step("2026-11-24 10:01:09", "InvitationAccepted", id="V-A/Cart/1", medium="chat"),
    )
    made.talk("2026-11-24 10:01:08", "V-A/Cart/1", answered=True, proactive=True)
    # Cart, 24 November (in UTC too): shown and declined; a chat later is the visitor's own idea,
    # though it counts as proactive by its attached data. Then refused once by `when`.
    made.visit(
        "B",
        *here("2026-11-24 11:00"),
        step("2026-11-24 11:01", "AddToCart"),
        step("2026-11-24 11:01:05", "InvitationShown", id="V-B/Cart/1"),
        step("2026-11-24 11:01:20", "InvitationRejected", id="V-B/Cart/1"),
        step("2026-11-24 11:01:21", "InvitationAccepted", id="V-B/Cart/1"),
        step("2026-11-24 11:02", "AddToCart", agents={"chat": 0}),
    )
    made.talk("2026-11-24 12:00", "V-B/Cart/1", answered=True, proactive=True)
    # Cart, 25 November in Madrid, 24 in UTC: offered; the second refused, one is at a time; what
    # was shown was not reported, but that it timed out. A third is never answered.
    made.visit(
        "C",
        *here("2026-11-25 00:10"),
        step("2026-11-25 00:11", "AddToCart"),
        step("2026-11-25 00:11:20", "AddToCart"),
        step("2026-11-25 00:12", "InvitationTimedOut", strategy="Cart"),
        step("2026-11-25 00:13", "AddToCart"),
        step("2026-11-25 00:13:02", "InvitationShown", id="V-C/Cart/2"),
        step("2026-11-25 00:13:03", "InvitationShown", id="V-A/Cart/1"),
    )
    # Cart, 25 November: no page took it within 30 s, so it expired.
    made.visit(
        "D",
        step("2026-11-25 09:00", "AddToCart"),
        step("2026-11-25 09:00:31", "PageExited"),
    )
    # Cart, 25 November: accepted, started before that was told, and nobody answered.
    made.visit("E", *here("2026-11-25 10:00"), step("2026-11-25 10:01", "AddToCart"))
    made.talk("2026-11-25 10:02", "V-E/Cart/1", answered=False, proactive=True)
    # Half of them, 25 November: one in the audience, one not.
    made.visit(IN_AUDIENCE, *here("2026-11-25 11:00"), step("2026-11-25 11:01", "Ask"))
    made.visit(IN_CONTROL, *here("2026-11-25 12:00"), step("2026-11-25 12:01", "Ask"))
    # Nobody invited these; one comes a day and a bit after an invitation.
    made.talk("2026-11-25 13:00", None, answered=True, proactive=False)
    made.talk("2026-11-25 14:00", None, answered=False, proactive=False)
    made.talk("2026-11-26 10:01", "V-A/Cart/1", answered=True, proactive=True)
    made.store("2026-11-26 12:00")
    return made
