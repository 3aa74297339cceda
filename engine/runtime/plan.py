"""The plan: a book compiled once into an immutable value that ``step`` reads.

What can be decided from the text alone is decided here: how an event finds the atoms that it fits,
which patterns and registers each atom moves, and in what order rules are admitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from engine.language import syntax
from engine.language.quiet import Breathe, onward, undisturbed
from engine.runtime.aggregates import Register
from engine.runtime.conditions import Conditions
from engine.runtime.fields import Fields
from engine.runtime.index import Entry, Index
from engine.runtime.kept import Reads
from engine.runtime.parts import Part, is_shared, parts_of_book, shared
from engine.runtime.planned import PlannedGuarantee, PlannedRule
from engine.runtime.road import road_of
from engine.runtime.scene import Scene
from engine.runtime.visitor import VISIT_EXPIRY
from engine.runtime.watchers import Automaton, Watch, Watchers
from engine.vocabulary.events import (
    DISPOSITIONS,
    INVITATION_SHOWN,
    SIGN_IN,
    SIGN_OUT,
    SYSTEM_EVENTS,
    USER_INFO,
)

if TYPE_CHECKING:
    from engine.runtime._road import Road

SPECIAL: Final = DISPOSITIONS | {INVITATION_SHOWN, SIGN_IN, SIGN_OUT, USER_INFO}
"""Events that mean something beside what the rules make of them; so do the sources of facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A compiled book. ``rules`` are in order of rank; the rest says who waits for what.

    ``version`` names all that a decision depends on: the book, and ``visit_expiry`` (ms) where it
    is not the usual one.
    """

    version: str
    visit_expiry: int
    conditions: Conditions
    fields: Fields
    fact_sources: Mapping[str, tuple[syntax.Fact, ...]]
    parts: Mapping[str, Part]
    """By strategy, in order of rank: for the plan of a book that is edited from this one."""
    rules: tuple[PlannedRule, ...]
    watches: tuple[Watch, ...]
    named: Mapping[str, Index]
    others: Index
    sends: Mapping[str, Index]
    rules_of: Mapping[int, tuple[PlannedRule, ...]]
    cancelling: frozenset[int]
    """Watches that may end a silence of rules that do not wait for them otherwise.

    Only rules with a timer need to hear of them; ``rules_of`` leaves the others out.
    """
    guarantees: tuple[PlannedGuarantee, ...]
    guarantees_of: Mapping[int, tuple[int, ...]]
    enforces: bool
    registers: tuple[Register, ...]
    special: frozenset[str]
    recorders_of: Mapping[int, tuple[Callable[[Scene], None], ...]]
    automata: Mapping[str, PlannedRule | PlannedGuarantee]
    memory_keys: frozenset[str]
    road: Road | None = None
    """The short road of most events, natively; None where it was not built or not wanted."""

    def fitting(self, scene: Scene) -> list[int]:
        """The atoms that the scene's event fits, each once."""
        return self.named.get(scene.event.name, self.others).find(scene)


def plan(
    book: syntax.Book,
    *,
    visit_expiry: int = VISIT_EXPIRY,
    native: bool = True,
    before: Plan | None = None,
    breathe: Breathe = onward,
) -> Plan:
    """Compile a checked book. Pure; the same book gives an equal plan.

    ``visit_expiry`` (ms): a visit ends when so long nothing was heard of it. Without ``native``
    everything is decided in Python; the decisions are the same. ``before`` is the plan of a book
    that this one was edited from, or any other: what did not change is taken from it. ``breathe``
    is called again and again meanwhile.
    """
    with undisturbed():
        planned = _planned(book, visit_expiry, before, breathe)
        breathe()
        return replace(planned, road=road_of(planned)) if native else planned


def _planned(book: syntax.Book, visit_expiry: int, before: Plan | None, breathe: Breathe) -> Plan:
    if before is not None and not is_shared(before.conditions.book, book):
        before = None
    fields = before.fields if before else _fields(book)
    conditions = before.conditions if before else Conditions(shared(book), fields, breathe)
    watchers = Watchers(conditions)
    known = before.parts if before else {}
    parts = {
        part.strategy.name: part
        for part in parts_of_book(book, conditions, watchers, known, breathe)
    }
    rules = tuple(rule for part in parts.values() for rule in part.rules)
    guarantees = _guarantees(book, watchers, len(rules))
    moved: tuple[PlannedRule | PlannedGuarantee, ...] = (*rules, *guarantees)
    watches, registers = watchers.watches, watchers.registers
    rules_of, cancelling = _waiting_rules(rules, breathe)
    indexes = _Indexes(conditions, watches, before, breathe)
    return Plan(
        version=version_of(book, visit_expiry),
        visit_expiry=visit_expiry,
        conditions=conditions,
        fields=fields,
        fact_sources=_fact_sources(book),
        parts=parts,
        rules=rules,
        watches=watches,
        named=indexes.named(),
        others=indexes.others(),
        sends=indexes.sends(),
        rules_of=rules_of,
        cancelling=cancelling,
        guarantees=guarantees,
        guarantees_of=_waiting([guarantee.automaton for guarantee in guarantees]),
        enforces=any(guarantee.enforced for guarantee in guarantees),
        registers=registers,
        special=SPECIAL.union(_fact_sources(book)),
        recorders_of=_recorders(registers),
        automata={entry.automaton.key: entry for entry in moved},
        memory_keys=_memory_keys(registers, [entry.automaton for entry in moved]),
    )


def version_of(book: syntax.Book, visit_expiry: int) -> str:
    """The version of the plan of a book."""
    # It is stamped on each input: so who decides a journal again knows how long visits lasted.
    return book.version if visit_expiry == VISIT_EXPIRY else f"{book.version}-{visit_expiry}"


class _Indexes:
    """The indexes over the watches of a plan; of those of the plan before, the same are kept."""

    def __init__(
        self,
        conditions: Conditions,
        watches: tuple[Watch, ...],
        before: Plan | None,
        breathe: Breathe,
    ) -> None:
        self._conditions = conditions
        self._before = before
        self._breathe = breathe
        self._by_name: dict[str, dict[str, list[Entry]]] = {"event": {}, "sent": {}, "any": {}}
        for watch in watches:
            atom = watch.atom
            entry = Entry(number=watch.index, categories=atom.categories, condition=atom.where)
            self._by_name[atom.what].setdefault(atom.name, []).append(entry)
        self._for_any = [entry for own in self._by_name["any"].values() for entry in own]

    def named(self) -> dict[str, Index]:
        """For each event name that anything waits for: over the atoms that it could fit."""
        known = self._before.named if self._before else {}
        return {
            name: self._index([*own, *self._for_any], known.get(name), event=name)
            for name, own in self._by_name["event"].items()
        }

    def others(self) -> Index:
        """For events of all other names."""
        return self._index(self._for_any, self._before.others if self._before else None)

    def sends(self) -> dict[str, Index]:
        """For each name in ``sent NAME``: over its atoms."""
        known = self._before.sends if self._before else {}
        return {
            name: self._index(own, known.get(name)) for name, own in self._by_name["sent"].items()
        }

    def _index(self, entries: list[Entry], known: Index | None, event: str | None = None) -> Index:
        if known is not None and known.entries == entries:
            return known
        return Index(self._conditions, entries, event=event, breathe=self._breathe)


def _memory_keys(registers: tuple[Register, ...], automata: list[Automaton]) -> frozenset[str]:
    keys = [register.key for register in registers]
    for automaton in automata:
        keys += automaton.keys
    return frozenset(keys)


def _guarantees(book: syntax.Book, watchers: Watchers, rank: int) -> tuple[PlannedGuarantee, ...]:
    return tuple(
        PlannedGuarantee(
            name=guarantee.name,
            rank=rank + n,
            enforced=guarantee.enforced,
            automaton=watchers.automaton(
                guarantee.pattern, f"guarantee {guarantee.name}", Reads(book, [guarantee])
            ),
        )
        for n, guarantee in enumerate(book.guarantees.values())
    )


def _fields(book: syntax.Book) -> Fields:
    fields: dict[str, dict[tuple[str, ...], Any]] = {
        name: {(field,): kind for field, kind in event.fields.items()}
        for name, event in SYSTEM_EVENTS.items()
    }
    for event in book.events.values():
        declared = {field.path: field.kind for field in event.fields}
        fields[event.name] = fields.get(event.name, {}) | declared
    return fields


def _fact_sources(book: syntax.Book) -> dict[str, tuple[syntax.Fact, ...]]:
    found: dict[str, tuple[syntax.Fact, ...]] = {}
    for fact in book.facts.values():
        for source in fact.sources:
            found[source] = (*found.get(source, ()), fact)
    return found


def _waiting(automata: list[Automaton]) -> dict[int, tuple[int, ...]]:
    """Who waits for a watch: the places of the automata in the list."""
    found: dict[int, list[int]] = {}
    for place, automaton in enumerate(automata):
        watches = [watch for position in automaton.positions for watch in position.watches]
        for watch in dict.fromkeys(watches):
            found.setdefault(watch, []).append(place)
    return {watch: tuple(places) for watch, places in found.items()}


def _waiting_rules(
    rules: tuple[PlannedRule, ...], breathe: Breathe
) -> tuple[dict[int, tuple[PlannedRule, ...]], frozenset[int]]:
    """The rules that a watch moves even when no timer runs, by rank, and what only cancels."""
    found: dict[int, list[PlannedRule]] = {}
    cancelling = set()
    for rule in rules:
        breathe()
        for watch in rule.automaton.reached_by:
            if rule.automaton.only_cancels(watch):
                cancelling.add(watch)
            else:
                found.setdefault(watch, []).append(rule)
    return {watch: tuple(waiting) for watch, waiting in found.items()}, frozenset(cancelling)


def _recorders(
    registers: tuple[Register, ...],
) -> dict[int, tuple[Callable[[Scene], None], ...]]:
    found: dict[int, tuple[Callable[[Scene], None], ...]] = {}
    for register in registers:
        found[register.watch] = (*found.get(register.watch, ()), register.recorder())
    return found
