"""Patterns of the reference: "Patterns" in engine/runtime/README.md, as lists of chains.

A chain is what has filled positions so far. One `Memory` is what one rule (or guarantee) remembers
in one scope (a page, a visit, or the visitor).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reference_conditions import Entry, fits

from engine.language.syntax import Absent, AllOf, AnyOf, Atom, Book, Pattern, Times


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The entries that filled positions, in order, and those that `as` gave a name."""

    entries: tuple[Entry, ...] = ()
    names: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def first(self) -> Entry:
        return self.entries[0]

    @property
    def last(self) -> Entry:
        return self.entries[-1]

    def then(self, *entries: Entry, alias: str | None = None) -> Chain:
        names = {**self.names, alias: entries[-1]} if alias is not None else self.names
        return Chain(entries=(*self.entries, *entries), names=names)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The latest entry that filled one atom of an `all of`, and the chain that stood before it."""

    entry: Entry
    before: Chain


@dataclass(kw_only=True)
class Pending:
    """A `no A for D` that has begun: the chain before it, and the time at which it is held."""

    chain: Chain
    deadline: int


Position = Atom | Absent | AllOf | AnyOf


@dataclass(kw_only=True)
class Memory:
    """Per position the latest chain that reached it; per `no` a pending start and a held chain.

    `gathered` is, per `all of`, what has filled each of its atoms.
    """

    pattern: Pattern
    positions: list[Position] = field(default_factory=list)
    stands: dict[int, Chain] = field(default_factory=dict)
    gathered: dict[int, dict[int, Seen]] = field(default_factory=dict)
    pending: dict[int, Pending] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # `N times A` is N positions of A in a row.
        for part in self.pattern.parts:
            if isinstance(part, Times):
                self.positions += [part.atom] * part.count
            else:
                self.positions.append(part)

    @property
    def last(self) -> int:
        return len(self.positions) - 1

    def clear(self) -> None:
        """A match clears the rule's whole memory in its scope."""
        self.stands.clear()
        self.gathered.clear()
        self.pending.clear()

    def copy(self) -> Memory:
        """For a try that leaves no trace."""
        return replace(
            self,
            positions=[],
            stands=dict(self.stands),
            gathered={position: dict(seen) for position, seen in self.gathered.items()},
            pending=dict(self.pending),
        )

    def reach(self, position: int, chain: Chain, time: int) -> None:
        """A chain now stands at `position`; a `no` behind it begins, or begins again."""
        self.stands[position] = chain
        if position < self.last:
            behind = self.positions[position + 1]
            if isinstance(behind, Absent):
                deadline = time + behind.duration
                self.pending[position + 1] = Pending(chain=chain, deadline=deadline)

    def see(self, entry: Entry, book: Book) -> Chain | None:
        """An event or a send happens; the complete chain when it completes the pattern."""
        # An event that is both B and the start cancels first and then starts anew.
        for position, waiting in list(self.pending.items()):
            if self._cancels(position, waiting.chain, entry, book):
                del self.pending[position]
        # Positions are tried from the last position to the first.
        for position in reversed(range(len(self.positions))):
            chain = self._extended(position, entry, book)
            if chain is None or self._too_old(chain):
                continue
            if position == self.last:
                self.clear()
                return chain
            self.reach(position, chain, entry.time)
        return None

    def _extended(self, position: int, entry: Entry, book: Book) -> Chain | None:
        """The chain that stands before `position`, and this entry, if it fits."""
        before = Chain() if position == 0 else self.stands.get(position - 1)
        if before is None:
            return None

        def fit(atom: Atom) -> bool:
            # `where` tests the chain at hand, with the names that it has bound.
            return fits(atom, entry, book, before.names)

        match self.positions[position]:
            case Atom(alias=alias) as atom if fit(atom):
                return before.then(entry, alias=alias)
            case AnyOf(atoms=atoms) if any(fit(atom) for atom in atoms):
                return before.then(entry)
            case AllOf(atoms=atoms):
                found = [k for k, atom in enumerate(atoms) if fit(atom)]
                return self._gather(position, len(atoms), found, Seen(entry=entry, before=before))
        return None

    def _gather(self, position: int, size: int, found: list[int], seen: Seen) -> Chain | None:
        """The latest entry of each atom counts; one entry may fill several of them."""
        gathered = self.gathered.setdefault(position, {})
        gathered.update(dict.fromkeys(found, seen))
        if not found or len(gathered) < size:
            return None
        each = sorted(gathered.values(), key=lambda one: one.entry.place)
        # All of them came after the chain that stood before the oldest of them.
        return each[0].before.then(*(one.entry for one in each))

    def _too_old(self, chain: Chain) -> bool:
        """Half-open: what is exactly `within` old is outside."""
        within = self.pattern.within
        return within is not None and chain.last.time - chain.first.time >= within

    def _cancels(self, position: int, chain: Chain, entry: Entry, book: Book) -> bool:
        absent: Any = self.positions[position]
        own_page = (entry.visit, entry.page) == (chain.last.visit, chain.last.page)
        cancels = fits(absent.atom, entry, book, chain.names)
        return cancels and (own_page or not absent.same_page)

    def due(self, time: int) -> Chain | None:
        """The deadlines at or before `time` are reached: a `no` is held, or completes the rule."""
        # Timers of one rule and scope at the same instant go from the last position to the first.
        for position in sorted(self.pending, reverse=True):
            waiting = self.pending[position]
            if waiting.deadline > time:
                continue
            if position == self.last:
                self.clear()
                return waiting.chain
            del self.pending[position]
            self.reach(position, waiting.chain, waiting.deadline)
        return None
