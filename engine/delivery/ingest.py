"""Browser events become inputs: checked as a whole, stamped once, answered when durable."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from engine.delivery.wire import Body, BrowserEvent, Refusal
from engine.hosts.contract import Host, Input, Overloaded

Vocabulary = Mapping[str, frozenset[str]]
"""The names of events that the live book knows, each with the fields of its data."""

_REMEMBERED_VISITS: Final = 50_000
_REMEMBERED_NAMES: Final = 1_000
_OTHERS: Final = "(others)"

log = logging.getLogger("overture.delivery")


def new_id() -> str:
    """Make an id as browsers do: 32 upper-case hex digits, 128 random bits."""
    return secrets.token_hex(16).upper()


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Turn what a host raises into a Refusal 503: the same request may succeed later."""
    try:
        yield
    except (Overloaded, OSError) as problem:
        raise _refusal(problem) from problem


def _refusal(problem: Overloaded | OSError) -> Refusal:
    if isinstance(problem, Overloaded):
        wait = {"Retry-After": str(problem.retry_after)}
        sentence = f"Nothing was stored; try again in {problem.retry_after} s: {problem}"
        return Refusal(503, "busy", sentence, wait)
    log.error("The store failed: %s", problem)
    sentence = "The store of the server failed; try again, its log says why."
    return Refusal(503, "store", sentence, {"Retry-After": "5"})


class Tally:
    """Counts by name, for a bounded number of names; what comes after is counted together."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """Count one more of ``name``."""
        known = name in self._counts or len(self._counts) < _REMEMBERED_NAMES
        self._counts[name if known else _OTHERS] += 1

    def counts(self) -> dict[str, int]:
        """Give the counts, most frequent first."""
        return dict(self._counts.most_common())


class Ingest:
    """The way in for events, from pages, from systems and from our own media.

    ``on_known(visit, visitor)`` is called whenever events of a visit were stored.

    ``clock`` gives milliseconds since 1970, ``version`` the version of the live book, ``agents``
    the free agents by medium, ``vocabulary`` what the live book knows. All four are read once per
    request, at acceptance.
    """

    def __init__(
        self,
        host: Host,
        *,
        clock: Callable[[], int],
        version: Callable[[], str],
        agents: Callable[[], Mapping[str, int]],
        vocabulary: Callable[[], Vocabulary],
    ) -> None:
        self._host = host
        self._clock = clock
        self._version = version
        self._agents = agents
        self._vocabulary = vocabulary
        self._visitors: dict[str, str] = {}
        self.on_known: Callable[[str, str], None] = lambda _visit, _visitor: None
        self.accepted = 0
        self.unknown_events = Tally()
        self.unknown_fields = Tally()

    def stamped(
        self, kind: str, visit: str, body: Mapping[str, Any], name: str | None = None
    ) -> Input:
        """Make an input of now, under the live book, with the agents who are free now.

        Every kind of input may find a timer due, so every kind carries the agents.
        """
        return Input(
            kind=kind,
            visit=visit,
            time=self._clock(),
            version=self._version(),
            id=name,
            body={**body, "agents": dict(self._agents())},
        )

    async def accept(self, events: Sequence[Body], visitor: str | None = None) -> int:
        """Store events in order and give the number of new ones. Raises Refusal 503.

        Events of one visitor are stored together or not at all. ``visitor`` is whose visit it is
        according to its token; the bodies become what is stored.
        """
        outside = (self._clock(), self._version(), dict(self._agents()))
        visitors: dict[str, str] = {}
        groups: dict[str, list[Input]] = {}
        for event in events:
            visit = event["visitID"]
            owner = visitors.get(visit)
            if owner is None:
                owner = self._visitors.get(visit)
                if owner is None:
                    given = visitor or event.get("globalVisitID") or visit
                    owner = await self._owner(visit, given)
                visitors[visit] = owner
                groups.setdefault(owner, [])
            groups[owner].append(_input(event, owner, *outside))
        new = await self._submit_together(groups)
        for visit, owner in visitors.items():
            self.on_known(visit, owner)
        self._count(events, new)
        return new

    async def _submit_together(self, groups: Mapping[str, Sequence[Input]]) -> int:
        """Store inputs of some visitors, which then wait for one commit and not for one each."""
        if len(groups) == 1:
            [(visitor, inputs)] = groups.items()
            return await self.submit(visitor, inputs)
        submits = (self.submit(visitor, inputs) for visitor, inputs in groups.items())
        answers = await asyncio.gather(*submits, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return sum(answer for answer in answers if isinstance(answer, int))

    async def submit(self, visitor: str, inputs: Sequence[Input]) -> int:
        """Store inputs of one visitor; gives the number of new ones. Raises Refusal 503."""
        try:
            return await self._host.submit(visitor, inputs)
        except (Overloaded, OSError) as problem:
            raise _refusal(problem) from problem

    async def _owner(self, visit: str, given: str) -> str:
        """Say whose visit it is: as stored, else as given.

        Two requests that open a visit at the same time get the same answer.
        """
        known = self._visitors.get(visit)
        if known is None:
            known = await self.visitor_of(visit)
        if known is None:
            known = self._visitors.get(visit)  # another request may have been faster
        if known is None:
            known = given
            self._remember(visit, known)
        return known

    async def visitor_of(self, visit: str) -> str | None:
        """Give the visitor of a visit that is stored, or None. Raises Refusal 503."""
        with refusing():
            stored = await self._host.visitor_of(visit)
        if stored is not None:
            self._remember(visit, stored)
        return stored

    def _remember(self, visit: str, visitor: str) -> None:
        if len(self._visitors) >= _REMEMBERED_VISITS:
            del self._visitors[next(iter(self._visitors))]
        self._visitors[visit] = visitor

    def _count(self, events: Sequence[Body], new: int) -> None:
        self.accepted += new
        vocabulary = self._vocabulary()
        for event in events:
            name = event["eventName"]
            fields = vocabulary.get(name)
            if fields is None:
                self.unknown_events.add(name)
                continue
            if _KNOWN.issuperset(event) and fields.issuperset(event["data"]):
                continue
            for field in (*(event.keys() - _KNOWN), *(event["data"].keys() - fields)):
                self.unknown_fields.add(f"{name}.{field[:64]}")


_KNOWN: Final = frozenset({*BrowserEvent.model_fields, "agents"})


def _input(body: Body, visitor: str, now: int, version: str, agents: dict[str, int]) -> Input:
    """The input that stores an event; its body is completed in place."""
    name = body.get("eventID")
    body["globalVisitID"] = visitor
    if name is None:
        body["eventID"] = new_id()
    if "data" not in body:
        body["data"] = {}
    body["agents"] = agents
    return Input(kind="event", visit=body["visitID"], time=now, version=version, id=name, body=body)
