"""Patterns: what each remembers, and how one event moves it.

A chain is ``(time of its first event, last event, events bound by as)``, events as dicts and only
where, and as far as, something later asks for them (``kept.py``). Three kinds of pattern remember
three things, each the least:

* *times* (``N times A``): the times of the youngest N - 1, so one more decides;
* *lean* (parts in a row that nobody asks about later): for each position the time at which its
  chain began, or None;
* any other: for each position its chain, or None. The pending start of a ``no A for D`` is a timer
  of the visitor; its place in the list is for the *held* chain.

See README.md, "Patterns".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from engine.language import syntax
from engine.runtime.aggregates import (
    Evaluate,
    Register,
    aggregates_in,
    atom_key,
    digest,
    register_of,
)
from engine.runtime.conditions import Conditions
from engine.runtime.fields import field_reader
from engine.runtime.index import parts_of
from engine.runtime.kept import WHERE, Kept, Reads, event_from_json, keeper
from engine.runtime.scene import NO_NAMES, Scene
from engine.runtime.visitor import Memory, Place, Timer, TimerKey
from engine.vocabulary.events import ENVELOPE, Event

Chain = tuple[int, dict[str, Any] | None, dict[str, Any] | None]
Names = Mapping[str, Event]
Keep = Callable[[Event], dict[str, Any]]
Fits = Set[int]
"""The watches that an event fits."""


class Moving(Protocol):
    """What an automaton moves beside memory: the visitor's time and timers."""

    id: str
    now: int
    timers: dict[TimerKey, Timer]
    quiet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One atom, shared by everything that waits for it."""

    index: int
    key: str
    atom: syntax.Atom


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """The watches and, by place and key, the registers that something needs, as they were met."""

    watches: tuple[Watch, ...]
    registers: tuple[tuple[str, Register], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One position of a pattern: an event to come, all of several, or a silence of ``absent`` ms.

    ``watches`` are the atoms; any of them fits, unless ``all_of``. ``where`` is a condition that
    names events bound before (the atom itself is then watched without it). ``keep`` writes down
    the event for a silence behind it, ``keep_named`` under the name ``alias``.
    """

    watches: tuple[int, ...]
    absent: int | None = None
    same_page: bool = False
    all_of: bool = False
    where: Evaluate | None = None
    alias: str | None = None
    keep: Keep | None = None
    keep_named: Keep | None = None

    @property
    def is_lean(self) -> bool:
        """Does nothing but the time of the first event matter here?"""
        special = self.absent is not None or self.all_of or self.keep is not None
        return not special and self.where is None and self.alias is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Automaton:
    """A compiled pattern; ``key`` names its memory, ``remembers`` what is kept in it."""

    key: str
    positions: tuple[Position, ...]
    within: int | None
    per: syntax.Scope
    remembers: Literal["nothing", "times", "lean", "chains"]
    reached_by: Mapping[int, tuple[int, ...]] = field(repr=False)

    def renumbered(self, numbers: Mapping[int, int]) -> Automaton:
        """The same over watches of other numbers."""
        positions = [
            replace(one, watches=tuple([numbers[watch] for watch in one.watches]))
            for one in self.positions
        ]
        return replace(self, positions=tuple(positions), reached_by=_reached_by(positions))

    def place(self, event: Event) -> Place:
        """Where the memory for this event lives."""
        if self.per == "visitor":
            return ()
        if self.per == "visit":
            return (event.visit,)
        return (event.visit, event.page)  # type: ignore[return-value]

    def advance(self, visitor: Moving, memory: Memory, scene: Scene, fits: Fits) -> Names | None:
        """Move by one event that fits some watches.

        Returns the events bound by ``as`` (often none) when that completes the pattern, else None.
        ``visitor`` and ``memory``, the one at the event's place, are changed.
        """
        match self.remembers:
            case "nothing":
                return NO_NAMES
            case "times":
                return NO_NAMES if self._count(memory, visitor.now) else None
            case "lean":
                return NO_NAMES if self._follow(memory, visitor.now, fits) else None
            case _:
                return self._chain(visitor, memory, scene, fits)

    def _count(self, memory: Memory, now: int) -> bool:
        """One more of ``N times A``: is it the last that was wanted?"""
        times = memory.get(self.key)
        if times is None:
            memory[self.key] = [now]
            return False
        if self.within is not None:
            oldest = now - self.within
            while times and times[0] <= oldest:
                del times[0]
        wanted = len(self.positions) - 1
        if len(times) == wanted:
            del memory[self.key]
            return True
        times.append(now)
        return False

    def _follow(self, memory: Memory, now: int, fits: Fits) -> bool:
        """One event of parts in a row, from the last position to the first."""
        begun = memory.get(self.key)
        last = len(self.positions) - 1
        for k in self._reached(fits):
            first = now
            if k > 0:
                if begun is None or begun[k - 1] is None:
                    continue
                first = begun[k - 1]
                if self.within is not None and now - first >= self.within:
                    continue
            if k == last:
                memory.pop(self.key, None)
                return True
            if begun is None:
                begun = memory[self.key] = [None] * last
            # The positions still to come are lower: they read what stands below this one.
            begun[k] = first
        return False

    def _reached(self, fits: Fits) -> tuple[int, ...]:
        """The positions that any of the watches fits, last first."""
        if len(fits) == 1:
            return self.reached_by.get(next(iter(fits)), ())
        found = {k for watch in fits for k in self.reached_by.get(watch, ())}
        return tuple(sorted(found, reverse=True))

    def _chain(self, visitor: Moving, memory: Memory, scene: Scene, fits: Fits) -> Names | None:
        event, last = scene.event, len(self.positions) - 1
        place = self.place(event)
        before: list[Chain | None] = memory.get(self.key) or [None] * (last + 1)
        after = before.copy()
        for k in self._reached(fits):
            position = self.positions[k]
            if position.absent is not None:
                self._cancel(visitor, place, k, scene)
                continue
            chain = self._extend(memory, before, k, scene, fits)
            if chain is None:
                continue
            if k == last:
                self.clear(visitor, memory, place)
                return names_of(chain, visitor.id)
            after[k] = chain
            self._begin_silence(visitor, place, k + 1, visitor.now, chain)
        if after != before:
            memory[self.key] = after
        return None

    def elapse(self, visitor: Moving, memory: Memory, place: Place, k: int) -> Chain | None:
        """The silence at position k has held; the chain when that completes the pattern."""
        due, chain = visitor.timers.pop((place, self.key, k))
        if k == len(self.positions) - 1:
            self.clear(visitor, memory, place)
            return chain  # type: ignore[no-any-return]
        state = memory.setdefault(self.key, [None] * len(self.positions))
        state[k] = chain
        self._begin_silence(visitor, place, k + 1, due, chain)
        return None

    def clear(self, visitor: Moving, memory: Memory, place: Place) -> None:
        """Forget everything in this scope."""
        memory.pop(self.key, None)
        for k, position in enumerate(self.positions):
            if position.absent is not None:
                visitor.timers.pop((place, self.key, k), None)
            elif position.all_of:
                memory.pop(self.part_key(k), None)

    def part_key(self, k: int) -> str:
        """Where an ``all of`` keeps the latest of each of its atoms, oldest first."""
        return f"{self.key}/{k}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Under which names it remembers anything."""
        parts = [self.part_key(k) for k, position in enumerate(self.positions) if position.all_of]
        return (self.key, *parts)

    def only_cancels(self, watch: int) -> bool:
        """Does an event of the watch end silences, and nothing else?"""
        return all(self.positions[k].absent is not None for k in self.reached_by[watch])

    def chains(self, memory: Memory) -> tuple[Chain | None, ...]:
        """What stands at each position, for who explains it."""
        count = len(self.positions)
        kept = list(memory.get(self.key) or ())
        if self.remembers == "chains":
            return tuple(kept) or (None,) * count
        if self.remembers == "times":
            kept.reverse()
        chains = [None if first is None else (first, None, None) for first in kept]
        return (*chains, *(None,) * (count - len(chains)))

    def _extend(
        self, memory: Memory, before: list[Chain | None], k: int, scene: Scene, fits: Fits
    ) -> Chain | None:
        position, now = self.positions[k], scene.now
        first, names = now, None
        if k > 0:
            previous = before[k - 1]
            if previous is None:
                return None
            first, _, names = previous
        if position.where is not None:
            known = scene.knowing(_events(names, scene.visitor.id))
            if not position.where(known):
                return None
        if position.all_of:
            oldest = self._gather(memory, k, (first, None, names), fits)
            if oldest is None:
                return None
            first, _, names = oldest
        if self.within is not None and now - first >= self.within:
            return None
        if position.alias is not None and position.keep_named is not None:
            names = (names or {}) | {position.alias: position.keep_named(scene.event)}
        return (first, None if position.keep is None else position.keep(scene.event), names)

    def _gather(self, memory: Memory, k: int, before: Chain, fits: Fits) -> Chain | None:
        """Note the atoms of an ``all of`` that fit, each with the chain that stood before it.

        Once all are there, gives the chain of the oldest of them: all came after that one.
        """
        watches = self.positions[k].watches
        key = self.part_key(k)
        found = [n for n, watch in enumerate(watches) if watch in fits]
        older = [entry for entry in memory.get(key) or () if entry[0] not in found]
        entries = memory[key] = [*older, *((n, before) for n in found)]
        return None if len(entries) < len(watches) else entries[0][1]

    def _begin_silence(
        self, visitor: Moving, place: Place, k: int, start: int, chain: Chain
    ) -> None:
        if k < len(self.positions):
            silence = self.positions[k].absent
            if silence is not None:
                # Taken out first, so that timers stand in the order in which they began.
                visitor.timers.pop((place, self.key, k), None)
                due = start + silence
                visitor.timers[(place, self.key, k)] = (due, chain)
                if due < visitor.quiet:
                    visitor.quiet = due

    def _cancel(self, visitor: Moving, place: Place, k: int, scene: Scene) -> None:
        timer = visitor.timers.get((place, self.key, k))
        if timer is None:
            return
        position, event, (_, started, names) = self.positions[k], scene.event, timer[1]
        if position.same_page and (started["visit"], started["page"]) != (event.visit, event.page):
            return
        if position.where is not None:
            known = scene.knowing(_events(names, scene.visitor.id))
            if not position.where(known):
                return
        del visitor.timers[(place, self.key, k)]


class Watchers:
    """Collects the atoms of a book, each once, while its rules are compiled."""

    def __init__(self, conditions: Conditions) -> None:
        self._book = conditions.book
        self._conditions = conditions
        self._by_key: dict[str, Watch] = {}
        self._registers: dict[str, Register] = {}
        self._met: dict[str, Watch] = {}
        self._met_registers: dict[str, Register] = {}
        self._in_messages: dict[str, list[syntax.Aggregate]] = {}
        self._keys: dict[int, tuple[syntax.Atom, str]] = {}
        self._plain: dict[tuple[Any, ...], str] = {}

    def begin(self) -> None:
        """What is met from now on is met by something else."""
        self._met, self._met_registers = {}, {}

    def met(self) -> Met:
        """What was met since ``begin``."""
        return Met(watches=tuple(self._met.values()), registers=tuple(self._met_registers.items()))

    def meet(self, met: Met) -> Met:
        """Meet again what was met for another plan: the very same when its numbers still hold."""
        watches = [self._numbered(watch) for watch in met.watches]
        if any(new.index != old.index for new, old in zip(watches, met.watches, strict=True)):
            numbers = {o.index: n.index for o, n in zip(met.watches, watches, strict=True)}
            registers = [(name, replace(r, watch=numbers[r.watch])) for name, r in met.registers]
            met = Met(watches=tuple(watches), registers=tuple(registers))
        for name, register in met.registers:
            _widen(self._registers, name, register)
        return met

    def _numbered(self, watch: Watch) -> Watch:
        """The watch of this plan for one of another."""
        number = len(self._by_key)
        known = self._by_key.get(watch.key)
        if known is None:
            known = watch if watch.index == number else replace(watch, index=number)
            self._by_key[watch.key] = known
        return known

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
        key = self._key(atom)
        known = self._by_key.get(key)
        if known is None:
            known = self._by_key[key] = Watch(index=len(self._by_key), key=key, atom=atom)
        self._met[key] = known
        return known

    def _key(self, atom: syntax.Atom) -> str:
        """The key of an atom; it is asked for again and again, and writing it out is dear."""
        if atom.where is None:
            plain = (atom.what, atom.name, atom.categories)
            if plain not in self._plain:
                self._plain[plain] = atom_key(self._book, atom)
            return self._plain[plain]
        known = self._keys.get(id(atom))
        if known is None:
            # The atom is kept with it, so that no other can take its identity.
            known = self._keys[id(atom)] = (atom, atom_key(self._book, atom))
        return known[1]

    def automaton(self, pattern: syntax.Pattern, name: str, reads: Reads) -> Automaton:
        """Compile a pattern; ``name`` is the strategy or guarantee it belongs to.

        ``reads`` says what of its events anybody asks for later.
        """
        names: set[str] = set()
        positions: list[Position] = []
        meanings: list[str] = []
        parts = _unrolled(pattern)
        for k, part in enumerate(parts):
            following = parts[k + 1] if k + 1 < len(parts) else None
            if k and part is parts[k - 1] and isinstance(part, syntax.Atom) and not part.alias:
                # One more of ``N times``.
                positions.append(positions[-1])
                meanings.append(meanings[-1])
            else:
                positions.append(self._position(part, names, reads))
                meanings.append(self._meaning(part))
            if isinstance(following, syntax.Absent):
                kept = reads.event() if ends_in_silence(parts, k) else WHERE
                positions[-1] = replace(positions[-1], keep=self._keeper(kept))
            if isinstance(part, syntax.Atom) and part.alias:
                names.add(part.alias)
        meaning = " then ".join(meanings)
        return Automaton(
            key=digest(f"{name}: {meaning} within {pattern.within} per {pattern.per}"),
            positions=tuple(positions),
            within=pattern.within,
            per=pattern.per,
            remembers=_remembers(positions),
            reached_by=_reached_by(positions),
        )

    def _keeper(self, kept: Kept) -> Keep:
        return keeper(kept, lambda path: field_reader(self._conditions.fields, path))

    def _position(self, part: syntax.Part, names: set[str], reads: Reads) -> Position:
        match part:
            case syntax.AllOf(atoms=atoms) | syntax.AnyOf(atoms=atoms):
                watches = tuple(self.watch(atom).index for atom in atoms)
                return Position(watches=watches, all_of=isinstance(part, syntax.AllOf))
            case syntax.Absent(atom=atom, duration=duration, same_page=same_page):
                watches, where = self._bound(atom, names)
                return Position(watches=watches, where=where, absent=duration, same_page=same_page)
            case syntax.Times(atom=atom) | (syntax.Atom() as atom):
                watches, where = self._bound(atom, names)
                keep = self._keeper(reads.bound(atom.alias)) if atom.alias else None
                return Position(watches=watches, where=where, alias=atom.alias, keep_named=keep)

    def _bound(self, atom: syntax.Atom, names: set[str]) -> tuple[tuple[int, ...], Evaluate | None]:
        """The watch of an atom; what it says of bound names is tested by the position instead."""
        own = parts_of(atom.where)
        bound = [part for part in own if names & _roots_in(part)]
        if not bound:
            return (self.watch(atom).index,), None
        left = [part for part in own if part not in bound]
        free = replace(atom, where=_joined(left), alias=None)
        return (self.watch(free).index,), self._conditions.truth(_joined(bound))

    def _meaning(self, part: syntax.Part) -> str:
        match part:
            case syntax.AllOf(atoms=atoms) | syntax.AnyOf(atoms=atoms):
                keys = [self._key(atom) for atom in atoms]
                return f"{type(part).__name__} {keys}"
            case syntax.Absent(atom=atom, duration=duration, same_page=same_page):
                return f"{self._key(atom)} for {duration} {same_page}"
            case syntax.Times(atom=atom) | (syntax.Atom() as atom):
                return f"{self._key(atom)} as {atom.alias}"

    def message(self, name: str) -> None:
        """Make the registers that a message of the book needs."""
        found = self._in_messages.get(name)
        if found is None:
            found = self._in_messages[name] = aggregates_in(self._book.messages[name])
        self._need(found)

    def aggregates(self, node: Any) -> None:
        """Make the registers that the aggregates anywhere in ``node`` need."""
        self._need(aggregates_in(node))

    def _need(self, aggregates: list[syntax.Aggregate]) -> None:
        for aggregate in aggregates:
            if aggregate.atom.what != "sent":
                self._register(aggregate)

    def _register(self, node: syntax.Aggregate) -> None:
        field = syntax.Path(parts=("event", *node.field)) if node.field else None
        value = self._conditions.compile(field) if field else None
        watch = self.watch(node.atom).index
        register = register_of(node, self._key(node.atom), watch, value, self._one_field(node))
        name = f"{register.place} {register.key}"
        _widen(self._met_registers, name, register)
        _widen(self._registers, name, register)

    def _one_field(self, node: syntax.Aggregate) -> tuple[str, str] | None:
        """The one field of the data that an aggregate reads, and its declared kind."""
        atom, path = node.atom, node.field
        if atom.what != "event" or len(path) != 1 or path[0] in ENVELOPE:
            return None
        kind = self._conditions.fields.get(atom.name, {}).get(path)
        return path[0], kind.word if kind else ""


def _widen(registers: dict[str, Register], name: str, register: Register) -> None:
    """Keep a register, unless there is one already that reaches as far."""
    known = registers.get(name)
    if known is None or known.horizon < register.horizon:
        registers[name] = register


def _remembers(positions: list[Position]) -> Literal["nothing", "times", "lean", "chains"]:
    if not all(position.is_lean for position in positions):
        return "chains"
    if len(positions) == 1:
        return "nothing"
    return "times" if len({position.watches for position in positions}) == 1 else "lean"


def _reached_by(positions: list[Position]) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    for k in range(len(positions) - 1, -1, -1):
        for watch in dict.fromkeys(positions[k].watches):
            found.setdefault(watch, []).append(k)
    return {watch: tuple(places) for watch, places in found.items()}


def _unrolled(pattern: syntax.Pattern) -> list[syntax.Part]:
    parts: list[syntax.Part] = []
    for part in pattern.parts:
        parts.extend([part.atom] * part.count if isinstance(part, syntax.Times) else [part])
    return parts


def ends_in_silence(parts: Sequence[syntax.Part], k: int) -> bool:
    """Is there nothing but silence behind part k? Then its event is the one of the rule."""
    return all(isinstance(part, syntax.Absent) for part in parts[k + 1 :])


def _joined(parts: list[syntax.Expr]) -> syntax.Expr | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return syntax.And(items=tuple(parts))


def _roots_in(node: Any) -> set[str]:
    """The first words of all paths in a condition."""
    if isinstance(node, syntax.Path):
        return {node.parts[0]}
    if isinstance(node, tuple):
        return {root for item in node for root in _roots_in(item)}
    if hasattr(node, "__dataclass_fields__"):
        fields = node.__dataclass_fields__
        return {root for name in fields for root in _roots_in(getattr(node, name))}
    return set()


def names_of(chain: Chain, visitor: str) -> Names:
    """The events that ``as`` has bound in a chain."""
    return _events(chain[2], visitor)


def _events(names: dict[str, Any] | None, visitor: str) -> Names:
    if not names:
        return NO_NAMES
    return {name: event_from_json(raw, visitor) for name, raw in names.items()}
