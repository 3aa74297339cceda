"""Patterns and aggregates: what each remembers, and how one event moves it.

A pattern's memory is a tuple with one chain (or None) for each position; ``N times A`` is N
positions. A chain is ``(time of its first event, last event as a dict or None)``; the event is kept
only where something later asks for it. The pending start of a ``no A for D`` is a timer of the
visitor; its place in the tuple is for the *held* chain. See README.md, "Patterns".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.language import syntax
from engine.runtime.conditions import (
    Conditions,
    Evaluate,
    Scene,
    atom_key,
    digest,
    latest_key,
)
from engine.runtime.visitor import Memory, Place, Visitor
from engine.vocabulary.events import Event

Chain = tuple[int, dict[str, Any] | None]
State = tuple[Chain | None, ...]

TIMES_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One atom, shared by everything that waits for it."""

    index: int
    atom: syntax.Atom
    where: Evaluate | None

    def fits(self, scene: Scene) -> bool:
        """Does the scene's event fit (its name was already looked up)?"""
        categories = self.atom.categories
        if categories and not any(scene.in_category(name) for name in categories):
            return False
        return self.where is None or self.where(scene) is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One position of a pattern: an event to come, or a silence of ``absent`` ms."""

    watch: int
    absent: int | None = None
    same_page: bool = False
    keeps_event: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Automaton:
    """A compiled pattern; ``key`` names its memory."""

    key: str
    positions: tuple[Position, ...]
    within: int | None
    per: syntax.Scope

    def place(self, event: Event) -> Place:
        """Where the memory for this event lives."""
        if self.per == "visitor":
            return ()
        if self.per == "visit":
            return (event.visit,)
        return (event.visit, event.page)  # type: ignore[return-value]

    def advance(self, visitor: Visitor, memory: Memory, event: Event, fits: set[int]) -> bool:
        """Move by one event that fits some watches; True when it completes the pattern.

        ``visitor`` is a draft; ``memory`` is the own copy of the memory at ``place(event)``.
        """
        last = len(self.positions) - 1
        if last == 0:
            return True
        now, place = visitor.now, self.place(event)
        before: State = memory.get(self.key) or (None,) * (last + 1)
        after = list(before)
        for k in range(last, -1, -1):
            position = self.positions[k]
            if position.watch not in fits:
                continue
            if position.absent is not None:
                self._cancel(visitor, place, k, event)
                continue
            chain = self._extend(before, k, now, event)
            if chain is None:
                continue
            if k == last:
                self.clear(visitor, memory, place)
                return True
            after[k] = chain
            self._begin_silence(visitor, place, k + 1, now, chain)
        if after != list(before):
            memory[self.key] = tuple(after)
        return False

    def elapse(self, visitor: Visitor, memory: Memory, place: Place, k: int) -> Chain | None:
        """The silence at position k has held; the chain when that completes the pattern."""
        due, chain = visitor.timers.pop((place, self.key, k))
        if k == len(self.positions) - 1:
            self.clear(visitor, memory, place)
            return chain  # type: ignore[no-any-return]
        state = list(memory.get(self.key) or (None,) * len(self.positions))
        state[k] = chain
        memory[self.key] = tuple(state)
        self._begin_silence(visitor, place, k + 1, due, chain)
        return None

    def clear(self, visitor: Visitor, memory: Memory, place: Place) -> None:
        """Forget everything in this scope."""
        memory.pop(self.key, None)
        for k, position in enumerate(self.positions):
            if position.absent is not None:
                visitor.timers.pop((place, self.key, k), None)

    def _extend(self, before: State, k: int, now: int, event: Event) -> Chain | None:
        first = now
        if k > 0:
            previous = before[k - 1]
            if previous is None:
                return None
            first = previous[0]
            if self.within is not None and now - first >= self.within:
                return None
        return (first, event_to_json(event) if self.positions[k].keeps_event else None)

    def _begin_silence(
        self, visitor: Visitor, place: Place, k: int, start: int, chain: Chain
    ) -> None:
        if k < len(self.positions):
            silence = self.positions[k].absent
            if silence is not None:
                # Taken out first, so that timers stand in the order in which they began.
                visitor.timers.pop((place, self.key, k), None)
                visitor.timers[(place, self.key, k)] = (start + silence, chain)

    def _cancel(self, visitor: Visitor, place: Place, k: int, event: Event) -> None:
        timer = visitor.timers.get((place, self.key, k))
        if timer is None:
            return
        if self.positions[k].same_page:
            started = timer[1][1]
            if (started["visit"], started["page"]) != (event.visit, event.page):
                return
        del visitor.timers[(place, self.key, k)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What one kind of aggregate over one watch keeps."""

    watch: int
    keeps: str
    reach: str
    key: str
    value: Evaluate | None = None
    horizon: int = 0

    def record(self, scene: Scene) -> None:
        """Take in an event that fits the watch. The scene's memories are own copies."""
        memory = self._memory(scene)
        now = scene.now
        match self.keeps:
            case "count":
                memory[self.key] = memory.get(self.key, 0) + 1
            case "last":
                memory[self.key] = now
            case "times":
                oldest = now - self.horizon
                times = [time for time in memory.get(self.key, ()) if time > oldest]
                memory[self.key] = (*times[-(TIMES_KEPT - 1) :], now)
            case "latest":
                assert self.value is not None, "a register of values has a field to read"
                value = self.value(scene)
                if value is not None:
                    memory[self.key] = (now, {"value": value})

    def _memory(self, scene: Scene) -> Memory:
        visit = scene.visit
        if self.reach == "visitor" or visit is None:
            return scene.visitor.memory
        return visit.memory if self.reach == "visit" else visit.pages[scene.event.page].memory


class Watchers:
    """Collects the atoms of a book, each once, while its rules are compiled."""

    def __init__(self, book: syntax.Book, conditions: Conditions) -> None:
        self._book = book
        self._conditions = conditions
        self._by_key: dict[str, Watch] = {}
        self._registers: dict[str, Register] = {}

    @property
    def watches(self) -> tuple[Watch, ...]:
        """All atoms, in the order in which they were met."""
        return tuple(self._by_key.values())

    @property
    def registers(self) -> tuple[Register, ...]:
        """All registers, in the order in which they were met."""
        return tuple(self._registers.values())

    def watch(self, atom: syntax.Atom) -> Watch:
        """The one watch of an atom."""
        key = atom_key(self._book, atom)
        if key not in self._by_key:
            where = self._conditions.truth(atom.where)
            self._by_key[key] = Watch(index=len(self._by_key), atom=atom, where=where)
        return self._by_key[key]

    def automaton(self, pattern: syntax.Pattern, name: str) -> Automaton:
        """Compile a pattern; ``name`` is the strategy it belongs to."""
        parts = _unrolled(pattern)
        positions = []
        for k, (atom, absent, same_page) in enumerate(parts):
            silence_next = k + 1 < len(parts) and parts[k + 1][1] is not None
            positions.append(
                Position(
                    watch=self.watch(atom).index,
                    absent=absent,
                    same_page=same_page,
                    keeps_event=silence_next,
                )
            )
        meaning = " then ".join(
            f"{atom_key(self._book, atom)} for {absent} {same_page}"
            for atom, absent, same_page in parts
        )
        return Automaton(
            key=digest(f"{name}: {meaning} within {pattern.within} per {pattern.per}"),
            positions=tuple(positions),
            within=pattern.within,
            per=pattern.per,
        )

    def aggregates(self, node: Any) -> None:
        """Make the registers that the aggregates anywhere in ``node`` need."""
        for aggregate in _aggregates_in(node):
            if aggregate.atom.what != "sent":
                self._register(aggregate)

    def _register(self, node: syntax.Aggregate) -> None:
        key = atom_key(self._book, node.atom)
        reach = node.window.reach if node.window else "ever"
        horizon = node.window.duration if node.window else 0
        keeps, name = _keeps(node, key, reach)
        place = reach if reach in ("visit", "page") else "visitor"
        field = syntax.Path(parts=("event", *node.field)) if node.field else None
        known = self._registers.get(f"{place} {name}")
        self._registers[f"{place} {name}"] = Register(
            watch=self.watch(node.atom).index,
            keeps=keeps,
            reach=place,
            key=name,
            value=self._conditions.compile(field) if field else None,
            horizon=max(horizon, known.horizon if known else 0),
        )


def _keeps(node: syntax.Aggregate, key: str, reach: str) -> tuple[str, str]:
    if node.function == "latest":
        return "latest", latest_key(key, node.field)
    if node.function == "since" or (node.function == "seen" and reach == "last"):
        return "last", "last " + key
    if reach == "last":
        return "times", "times " + key
    return "count", "count " + key


def _unrolled(pattern: syntax.Pattern) -> list[tuple[syntax.Atom, int | None, bool]]:
    parts: list[tuple[syntax.Atom, int | None, bool]] = []
    for part in pattern.parts:
        if isinstance(part, syntax.Times):
            parts.extend([(part.atom, None, False)] * part.count)
        elif isinstance(part, syntax.Absent):
            parts.append((part.atom, part.duration, part.same_page))
        else:
            parts.append((part, None, False))
    return parts


def _aggregates_in(node: Any) -> list[syntax.Aggregate]:
    if isinstance(node, syntax.Aggregate):
        return [node]
    if isinstance(node, tuple):
        return [found for item in node for found in _aggregates_in(item)]
    if hasattr(node, "__dataclass_fields__"):
        return [
            f for name in node.__dataclass_fields__ for f in _aggregates_in(getattr(node, name))
        ]
    return []


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as a chain keeps it."""
    return {
        "name": event.name,
        "time": event.time,
        "visit": event.visit,
        "page": event.page,
        "id": event.id,
        "url": event.url,
        "title": event.title,
        "language": event.language,
        "category": event.category,
        "data": dict(event.data),
        "agents": dict(event.agents),
    }


def event_from_json(raw: Mapping[str, Any], visitor: str) -> Event:
    """The event again."""
    return Event(visitor=visitor, **raw)
