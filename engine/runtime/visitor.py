"""What is remembered of one visitor: a value that a step replaces and never changes.

The records are plain slots for speed. They are never written to after the step that made them has
returned: a step works on copies (``Visitor.draft``), and shares what it did not touch. Everything
in ``memory`` is a number, a text, or a tuple of such; JSON values of the wire (an event kept by a
chain, a latest value) are wrapped in a dict, which keeps them apart from tuples in JSON too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Memory = dict[str, Any]
Place = tuple[str, ...]
"""Where memory lives: ``()`` the visitor, ``(visit,)`` or ``(visit, page)``; a page may be null."""

VISIT_EXPIRY: Final = 86_400_000
"""A visit ends when this many milliseconds pass without an event (24 h, as in Genesys)."""

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

    ``opened`` is the order of its first event.
    """

    started: int
    last: int
    opened: int = 0
    state: str = "anonymous"
    entered: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    pages: dict[str | None, Page] = field(default_factory=dict)
    memory: Memory = field(default_factory=dict)

    def latest_page(self) -> tuple[int, int, str | None] | None:
        """The latest open page as (order of PageEntered, order of opening, pageID)."""
        best: tuple[int, int, str | None] | None = None
        for name, page in self.pages.items():
            if best is None or (page.entered, page.opened) > best[:2]:
                best = (page.entered, page.opened, name)
        return best


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
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
    agents: Mapping[str, int] = field(default_factory=dict)
    pacing: Mapping[str, float] = field(default_factory=dict)
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
    """Everything that is remembered of one visitor; see the module for how it is shared."""

    id: str
    now: int = 0
    events: int = 0
    version: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    visits: dict[str, Visit] = field(default_factory=dict)
    sends: tuple[Sent, ...] = ()
    memory: Memory = field(default_factory=dict)
    timers: dict[TimerKey, Timer] = field(default_factory=dict)

    @staticmethod
    def new(visitor: str) -> Visitor:
        """A visitor of whom nothing is known."""
        return Visitor(id=visitor)

    def draft(self) -> Visitor:
        """A copy to work on: own top level, shared visits until they are touched."""
        return Visitor(
            id=self.id,
            now=self.now,
            events=self.events,
            version=self.version,
            facts=self.facts,
            visits=dict(self.visits),
            sends=self.sends,
            memory=dict(self.memory),
            timers=dict(self.timers) if self.timers else {},
        )

    def fact(self, scope: str, name: str, visit: str | None = None) -> Any:
        """The value that was set for a fact, or None when it has only its default."""
        if scope == "visitor":
            return self.facts.get(name)
        record = self.visits.get(visit) if visit is not None else None
        return record.facts.get(name) if record else None

    def invitation(self, visit: str, page: str | None) -> dict[str, Any] | None:
        """The youngest answerable send to that page, else of that visit, or None.

        Keys: ``id strategy group message attach``; ``attach`` is what travels with a medium.
        """
        offers = [s for s in self.sends if s.visit == visit and s.attach is not None]
        here = [s for s in offers if s.page == page] or offers
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
            sends=tuple(Sent(**sent) for sent in raw["sends"]),
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
    return {key: _tuples(value) for key, value in raw.items()}


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
    )


def _sent_to_json(sent: Sent) -> dict[str, Any]:
    raw = {name: getattr(sent, name) for name in Sent.__slots__}
    return raw | {"agents": dict(sent.agents), "pacing": dict(sent.pacing)}
