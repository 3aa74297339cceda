"""Patterns of the reference: "Patterns" in engine/runtime/README.md, as lists of chains.

A chain is the tuple of entries that have filled positions so far. One `Memory` is what one rule
remembers in one scope (a page, a visit, or the visitor).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reference_conditions import Entry, fits

from engine.language.syntax import Absent, Atom, Book, Pattern, Times

Chain = tuple[Entry, ...]


@dataclass(kw_only=True)
class Pending:
    """A `no A for D` that has begun: the chain before it, and the time at which it is held."""

    chain: Chain
    deadline: int


@dataclass(kw_only=True)
class Memory:
    """Per position the latest chain that reached it; per `no` a pending start and a held chain."""

    pattern: Pattern
    positions: list[Atom | Absent] = field(default_factory=list)
    stands: dict[int, Chain] = field(default_factory=dict)
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
        self.pending.clear()

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
            if chain is None:
                continue
            if position == self.last:
                self.clear()
                return chain
            self.reach(position, chain, entry.time)
        return None

    def _extended(self, position: int, entry: Entry, book: Book) -> Chain | None:
        atom = self.positions[position]
        if isinstance(atom, Absent) or not fits(atom, entry, book):
            return None
        if position == 0:
            return (entry,)
        if position - 1 not in self.stands:
            return None
        chain = (*self.stands[position - 1], entry)
        within = self.pattern.within
        # Half-open: what is exactly `within` old is outside.
        if within is not None and entry.time - chain[0].time >= within:
            return None
        return chain

    def _cancels(self, position: int, chain: Chain, entry: Entry, book: Book) -> bool:
        absent = self.positions[position]
        assert isinstance(absent, Absent)
        own_page = (entry.visit, entry.page) == (chain[-1].visit, chain[-1].page)
        return fits(absent.atom, entry, book) and (own_page or not absent.same_page)

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
