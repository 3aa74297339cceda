"""What is remembered of one visitor: one record, moved in place by whoever owns it.

The records are plain slots for speed. Who wants to keep the old one copies it first
(``Visitor.copy``), as ``step`` does. In ``memory`` stands a number, or one list of numbers and
tuples of such; JSON values of the wire (an event kept by a chain, a latest value) are wrapped in a
dict, which keeps them apart from tuples in JSON too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.vocabulary.events import NOTHING, PAGE_ENTERED, Event

if TYPE_CHECKING:
    from engine.runtime.ledger import Ledger

Memory = dict[str, Any]
Place = tuple[str, ...]
"""Where memory lives: ``()`` the visitor, ``(visit,)`` or ``(visit, page)``; a page may be null."""

VISIT_EXPIRY: Final = 86_400_000
"""A visit ends when this many milliseconds pass without an event (24 h, as in Genesys), unless the
operator chose another time: then that is part of the plan."""

ANSWER_WAIT: Final = 30_000
"""An invitation that was never shown stops waiting for its answer after this (30 s, as there),
unless its strategy says how long it is valid."""

SENDS_KEPT: Final = 1_000
VISITS_OPEN: Final = 50
"""Visits of one visitor at the same time; beyond, the one that was silent longest ends."""
PAGES_OPEN: Final = 100
"""Open pages of one visit; beyond, the one that was opened first ends."""


@dataclass(slots=True, kw_only=True)
class Page:
    """One open page: the order of its first event, and of its PageEntered (0: it had none)."""

    opened: int
    entered: int
    memory: Memory = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Visit:
    """One visit: when it began and was last heard of, its state, facts, pages and memory.

    ``opened`` is the order of its first event; ``sent`` counts the messages of each strategy that
    went to it, for their ids.
    """

    started: int
    last: int
    opened: int = 0
    state: str = "anonymous"
    entered: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    pages: dict[str | None, Page] = field(default_factory=dict)
    memory: Memory = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)

    def latest_page(self) -> tuple[int, int, str | None] | None:
        """The latest open page as (order of PageEntered, order of opening, pageID)."""
        best: tuple[int, int, str | None] | None = None
        for name, page in self.pages.items():
            if best is None or (page.entered, page.opened) > best[:2]:
                best = (page.entered, page.opened, name)
        return best


class Sent(NamedTuple):
    """A message that was sent. ``counts`` falls when it expired unseen.

    ``order`` is that of the visitor's last event before it, which tells a page that was opened
    again from its earlier view; ``agents``, ``pacing`` and ``draw`` came from outside with it.
    """

    id: str
    time: int
    order: int
    visit: str
    page: str | None
    strategy: str
    group: str | None
    message: str
    waiting: bool
    shown: bool = False
    counts: bool = True
    attach: Mapping[str, Any] | None = None
    valid_for: int = ANSWER_WAIT
    every_page: bool = False
    agents: Mapping[str, int] = NOTHING
    pacing: Mapping[str, float] = NOTHING
    draw: float | None = None

    def waits(self, now: int) -> bool:
        """Does it still wait for the visitor's answer?"""
        return self.waiting and self.counts and (self.shown or now - self.time < self.valid_for)

    def named(self, name: str) -> bool:
        """Is ``name`` its strategy, group or message?"""
        return name in (self.strategy, self.group, self.message) and name != ""

    def during(self, visit: Visit | None) -> bool:
        """Was it sent in this life of its visit? (A visit can begin again under its name.)"""
        return visit is not None and self.order >= visit.opened


Timer = tuple[int, Any]
"""When a ``no .. for`` is held, and the chain that began it."""

TimerKey = tuple[Place, str, int]
"""Where the pattern is remembered, its key, and the position of the ``no``."""


@dataclass(slots=True, kw_only=True)
class Visitor:
    """Everything that is remembered of one visitor; see the module for how it is shared.

    What stands last only makes the next event quicker, and is no memory: before ``quiet`` (ms) no
    timer falls due and no visit is over; ``heard`` is the visit of the last event, ``heard_of`` its
    name; ``ledger`` is the log of sends in another order, for admission.
    """

    id: str
    now: int = 0
    events: int = 0
    version: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    visits: dict[str, Visit] = field(default_factory=dict)
    sends: list[Sent] = field(default_factory=list)
    memory: Memory = field(default_factory=dict)
    timers: dict[TimerKey, Timer] = field(default_factory=dict)
    quiet: int = field(default=0, compare=False, repr=False)
    heard_of: str | None = field(default=None, init=False, compare=False, repr=False)
    heard: Visit | None = field(default=None, init=False, compare=False, repr=False)
    ledger: Ledger | None = field(default=None, init=False, compare=False, repr=False)

    @staticmethod
    def new(visitor: str) -> Visitor:
        """A visitor of whom nothing is known."""
        return Visitor(id=visitor)

    def copy(self) -> Visitor:
        """The same memory again, which shares nothing that is ever changed in place."""
        return Visitor(
            id=self.id,
            now=self.now,
            events=self.events,
            version=self.version,
            facts=self.facts,
            visits={name: _visit_copy(visit) for name, visit in self.visits.items()},
            sends=self.sends.copy(),
            memory=memory_copy(self.memory),
            timers=self.timers.copy(),
            quiet=self.quiet,
        )

    def open(self, event: Event) -> Visit:
        """Open the visit and page of an event that is happening now, or hear of them again.

        What a stranger opens and never closes must not make each later event slower: before one
        too many is opened, the oldest ends.
        """
        order, visit = self.events, self.visits.get(event.visit)
        if visit is None:
            if len(self.visits) >= VISITS_OPEN:
                self._end_the_quietest()
            visit = self.visits[event.visit] = Visit(started=self.now, last=self.now, opened=order)
            # A visit that begins again under its name goes on with its numbers.
            for sent in self.sends:
                if sent.visit == event.visit:
                    visit.sent[sent.strategy] = visit.sent.get(sent.strategy, 0) + 1
        self.heard_of, self.heard = event.visit, visit
        visit.last = self.now
        page = visit.pages.get(event.page)
        if page is None:
            if len(visit.pages) >= PAGES_OPEN and event.page is not None:
                self._close_the_first(event.visit, visit)
            page = visit.pages[event.page] = Page(opened=order, entered=0)
        if event.name == PAGE_ENTERED:
            visit.entered += 1
            page.entered = order
        return visit

    def _end_the_quietest(self) -> None:
        visits = self.visits
        self.end_visit(min(visits, key=lambda name: (visits[name].last, visits[name].opened)))

    def _close_the_first(self, visit_name: str, visit: Visit) -> None:
        opened = [(page.opened, name) for name, page in visit.pages.items() if name is not None]
        if len(opened) >= PAGES_OPEN:
            self.close_page(visit_name, min(opened)[1])

    def close_page(self, visit_name: str, name: str) -> None:
        """Forget an open page; what waits for an answer on it waits no longer."""
        pages = self.visits[visit_name].pages
        del pages[name]
        self._forget((visit_name, name))
        last = not pages
        for place, sent in enumerate(self.sends):
            ends = last if sent.every_page else sent.page == name
            if ends and sent.waiting and sent.visit == visit_name:
                self.sends[place] = sent._replace(waiting=False)
                self.ledger = None

    def end_visit(self, name: str) -> None:
        """Forget a visit; what belongs to the visitor stays."""
        del self.visits[name]
        self.heard_of = self.heard = self.ledger = None
        self._forget((name,))
        for place, sent in enumerate(self.sends):
            if sent.visit == name:
                self.sends[place] = sent._replace(waiting=False, attach=None)

    def _forget(self, place: Place) -> None:
        if self.timers:
            for key in [key for key in self.timers if key[0][: len(place)] == place]:
                del self.timers[key]

    def fact(self, scope: str, name: str, visit: str | None = None) -> Any:
        """The value that was set for a fact, or None when it has only its default."""
        if scope == "visitor":
            return self.facts.get(name)
        record = self.visits.get(visit) if visit is not None else None
        return record.facts.get(name) if record else None

    def invitation(
        self, visit: str, page: str | None, wanted: str | None = None
    ) -> dict[str, Any] | None:
        """The send with the id ``wanted`` where that visit was sent one, or None.

        Otherwise the youngest answerable send to that page, else of that visit.

        Keys: ``id strategy group message attach``; ``attach`` is what travels with a medium.
        """
        offers = [s for s in self.sends if s.visit == visit and s.attach is not None]
        here = [s for s in offers if s.id == wanted] or [s for s in offers if s.page == page]
        here = here or offers
        if not here:
            return None
        chosen = here[-1]
        return {
            "id": chosen.id,
            "strategy": chosen.strategy,
            "group": chosen.group,
            "message": chosen.message,
            "attach": dict(chosen.attach or {}),
        }

    def to_json(self) -> dict[str, Any]:
        """The memory as JSON values."""
        return {
            "id": self.id,
            "now": self.now,
            "events": self.events,
            "version": self.version,
            "facts": self.facts,
            "visits": {name: _visit_to_json(visit) for name, visit in self.visits.items()},
            "sends": [_sent_to_json(sent) for sent in self.sends],
            "memory": self.memory,
            "timers": [[list(k[0]), k[1], k[2], *v] for k, v in self.timers.items()],
        }

    @staticmethod
    def from_json(raw: Mapping[str, Any]) -> Visitor:
        """The memory again; exactly what ``to_json`` was asked of."""
        return Visitor(
            id=raw["id"],
            now=raw["now"],
            events=raw["events"],
            version=raw["version"],
            facts=dict(raw["facts"]),
            visits={name: _visit_from_json(visit) for name, visit in raw["visits"].items()},
            sends=[Sent(**sent) for sent in raw["sends"]],
            memory=_memory_from_json(raw["memory"]),
            timers={
                (tuple(place), key, position): (due, _tuples(chain))
                for place, key, position, due, chain in raw["timers"]
            },
        )


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return value


def _memory_from_json(raw: Mapping[str, Any]) -> Memory:
    return {
        key: [_tuples(item) for item in value] if isinstance(value, list) else value
        for key, value in raw.items()
    }


def memory_copy(memory: Memory) -> Memory:
    """A copy that shares no list."""
    return {
        key: value.copy() if isinstance(value, list) else value for key, value in memory.items()
    }


def _visit_copy(visit: Visit) -> Visit:
    return Visit(
        started=visit.started,
        last=visit.last,
        opened=visit.opened,
        state=visit.state,
        entered=visit.entered,
        facts=visit.facts,
        pages={
            name: Page(opened=page.opened, entered=page.entered, memory=memory_copy(page.memory))
            for name, page in visit.pages.items()
        },
        memory=memory_copy(visit.memory),
        sent=visit.sent.copy(),
    )


def _visit_to_json(visit: Visit) -> dict[str, Any]:
    return {
        "started": visit.started,
        "last": visit.last,
        "opened": visit.opened,
        "state": visit.state,
        "entered": visit.entered,
        "facts": visit.facts,
        "pages": [
            [name, page.opened, page.entered, page.memory] for name, page in visit.pages.items()
        ],
        "memory": visit.memory,
        "sent": visit.sent,
    }


def _visit_from_json(raw: Mapping[str, Any]) -> Visit:
    return Visit(
        started=raw["started"],
        last=raw["last"],
        opened=raw["opened"],
        state=raw["state"],
        entered=raw["entered"],
        facts=dict(raw["facts"]),
        pages={
            name: Page(opened=opened, entered=entered, memory=_memory_from_json(memory))
            for name, opened, entered, memory in raw["pages"]
        },
        memory=_memory_from_json(raw["memory"]),
        sent=dict(raw["sent"]),
    )


def _sent_to_json(sent: Sent) -> dict[str, Any]:
    attach = None if sent.attach is None else dict(sent.attach)
    given = {"agents": dict(sent.agents), "pacing": dict(sent.pacing), "attach": attach}
    return sent._asdict() | given
