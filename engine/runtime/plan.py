"""The plan: a book compiled once into an immutable value that ``step`` reads.

What can be decided from the text alone is decided here: which atoms an event name can fit, which
patterns and registers an atom moves, and in what order rules are admitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.language import syntax
from engine.runtime.conditions import Conditions, Evaluate, Fields, Scene, digest
from engine.runtime.watchers import Automaton, Register, Watch, Watchers
from engine.vocabulary.channels import CHANNELS
from engine.vocabulary.events import SYSTEM_EVENTS

Build = Callable[[Scene], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSend:
    """One ``send`` of a rule."""

    message: str
    channel: str
    answerable: bool
    data: Build


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSet:
    """One ``set`` of a rule; a value of another kind than the fact's is not taken."""

    scope: str
    fact: str
    admits: Callable[[object], bool]
    value: Evaluate


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRule:
    """One rule; rules compare by ``rank``: priority, name of strategy, place."""

    rank: int
    strategy: str
    place: int
    group: str | None
    limits: tuple[syntax.Limit, ...]
    group_limits: tuple[syntax.Limit, ...]
    one_at_a_time: bool
    automaton: Automaton
    when: Evaluate | None
    unless: Evaluate | None
    sends: tuple[PlannedSend, ...]
    attach: Build | None
    sets: tuple[PlannedSet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A compiled book. ``rules`` are in order of rank; the rest says who waits for what."""

    version: str
    conditions: Conditions
    fields: Fields
    fact_sources: Mapping[str, tuple[syntax.Fact, ...]]
    rules: tuple[PlannedRule, ...]
    watches: Mapping[str, tuple[Watch, ...]]
    any_watches: tuple[Watch, ...]
    sent_watches: tuple[Watch, ...]
    rules_of: Mapping[int, tuple[int, ...]]
    registers_of: Mapping[int, tuple[Register, ...]]
    automata: Mapping[str, PlannedRule]
    memory_keys: frozenset[str]

    def watches_for(self, name: str) -> tuple[Watch, ...]:
        """The atoms that an event of this name could fit."""
        return self.watches.get(name, self.any_watches)


def plan(book: syntax.Book) -> Plan:
    """Compile a checked book. Pure; the same book gives an equal plan."""
    fields = _fields(book)
    conditions = Conditions(book, fields)
    watchers = Watchers(book, conditions)
    rules = _rules(book, conditions, watchers)
    watches, registers = watchers.watches, watchers.registers
    any_watches = tuple(watch for watch in watches if watch.atom.what == "any")
    names = {watch.atom.name for watch in watches if watch.atom.what == "event"}
    return Plan(
        version=book.version,
        conditions=conditions,
        fields=fields,
        fact_sources=_fact_sources(book),
        rules=rules,
        watches={
            name: tuple(w for w in watches if w.atom.what == "any" or w.atom.name == name)
            for name in names
        },
        any_watches=any_watches,
        sent_watches=tuple(watch for watch in watches if watch.atom.what == "sent"),
        rules_of=_rules_of(rules),
        registers_of=_by_watch(registers),
        automata={rule.automaton.key: rule for rule in rules},
        memory_keys=frozenset(
            [register.key for register in registers] + [rule.automaton.key for rule in rules]
        ),
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


def _rules(
    book: syntax.Book, conditions: Conditions, watchers: Watchers
) -> tuple[PlannedRule, ...]:
    ordered = sorted(book.strategies.values(), key=lambda s: (-s.priority, s.name))
    rules: list[PlannedRule] = []
    keys: dict[str, int] = {}
    for strategy in ordered:
        for place, rule in enumerate(strategy.rules):
            automaton = _distinct(watchers.automaton(rule.pattern, strategy.name), keys)
            rules.append(_rule(book, conditions, strategy, place, len(rules), automaton))
            watchers.aggregates((rule.when, rule.unless, rule.sends, rule.attach, rule.sets))
            watchers.aggregates(tuple(book.messages[s.message] for s in rule.sends if s.message))
    return tuple(rules)


def _distinct(automaton: Automaton, keys: dict[str, int]) -> Automaton:
    """Equal patterns of one strategy keep apart by their place among equals."""
    nth = keys[automaton.key] = keys.get(automaton.key, -1) + 1
    if nth == 0:
        return automaton
    return Automaton(
        key=digest(f"{automaton.key} {nth}"),
        positions=automaton.positions,
        within=automaton.within,
        per=automaton.per,
    )


def _rule(
    book: syntax.Book,
    conditions: Conditions,
    strategy: syntax.Strategy,
    place: int,
    rank: int,
    automaton: Automaton,
) -> PlannedRule:
    rule = strategy.rules[place]
    group = book.groups[strategy.group] if strategy.group else None
    return PlannedRule(
        rank=rank,
        strategy=strategy.name,
        place=place,
        group=strategy.group,
        limits=strategy.limits,
        group_limits=group.limits if group else (),
        one_at_a_time=group.one_at_a_time if group else False,
        automaton=automaton,
        when=conditions.truth(rule.when),
        unless=conditions.truth(rule.unless),
        sends=tuple(_send(book, conditions, send) for send in rule.sends),
        attach=conditions.record(rule.attach) if rule.attach else None,
        sets=tuple(_set(book, conditions, action) for action in rule.sets),
    )


def _send(book: syntax.Book, conditions: Conditions, send: syntax.SendAction) -> PlannedSend:
    if send.message is not None:
        message = book.messages[send.message]
        channel, data = message.channel, message.data
    else:
        assert send.data is not None, "a message in place has data"
        channel, data = send.channel, send.data
    return PlannedSend(
        message=send.message or "",
        channel=channel,
        answerable=channel in CHANNELS and CHANNELS[channel].answerable,
        data=conditions.record(data),
    )


def _set(book: syntax.Book, conditions: Conditions, action: syntax.SetAction) -> PlannedSet:
    return PlannedSet(
        scope=action.scope,
        fact=action.fact,
        admits=book.facts[(action.scope, action.fact)].kind.admits,
        value=conditions.compile(action.value),
    )


def _rules_of(rules: tuple[PlannedRule, ...]) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {}
    for rule in rules:
        for watch in dict.fromkeys(position.watch for position in rule.automaton.positions):
            found.setdefault(watch, []).append(rule.rank)
    return {watch: tuple(ranks) for watch, ranks in found.items()}


def _by_watch(registers: tuple[Register, ...]) -> dict[int, tuple[Register, ...]]:
    found: dict[int, tuple[Register, ...]] = {}
    for register in registers:
        found[register.watch] = (*found.get(register.watch, ()), register)
    return found
