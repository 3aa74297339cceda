"""The plan: a book compiled once into an immutable value that ``step`` reads.

What can be decided from the text alone is decided here: how an event finds the atoms that it fits,
which patterns and registers each atom moves, and in what order rules are admitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from engine.language import syntax
from engine.runtime import calendar
from engine.runtime.aggregates import Evaluate, Register, digest
from engine.runtime.conditions import Conditions
from engine.runtime.fields import Fields
from engine.runtime.index import Entry, Index
from engine.runtime.road import road_of
from engine.runtime.scene import Scene
from engine.runtime.visitor import VISIT_EXPIRY
from engine.runtime.watchers import Automaton, Watch, Watchers
from engine.vocabulary.channels import CHANNELS
from engine.vocabulary.events import (
    DISPOSITIONS,
    INVITATION_SHOWN,
    SIGN_IN,
    SIGN_OUT,
    SYSTEM_EVENTS,
    USER_INFO,
)
from engine.vocabulary.kinds import Kind

if TYPE_CHECKING:
    from engine.runtime._road import Road

SPECIAL: Final = DISPOSITIONS | {INVITATION_SHOWN, SIGN_IN, SIGN_OUT, USER_INFO}
"""Events that mean something beside what the rules make of them; so do the sources of facts."""

Build = Callable[[Scene], dict[str, Any]]
Test = Callable[[Scene], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSend:
    """One ``send`` of a rule."""

    message: str
    channel: str
    answerable: bool
    every_page: bool
    data: Build
    settled: Mapping[str, Any] | None
    """The data of every such message, when nothing in them is of the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSet:
    """One ``set`` of a rule; a value of another kind than the fact's is not taken."""

    scope: str
    fact: str
    admits: Callable[[object], bool]
    value: Evaluate


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStrategy:
    """What the rules of a strategy share: its group, limits, and when and to whom it sends."""

    name: str
    group: str | None
    limits: tuple[syntax.Limit, ...]
    group_limits: tuple[syntax.Limit, ...]
    one_at_a_time: bool
    valid_for: int
    active: Callable[[int], bool] | None
    hours: Callable[[int], bool] | None
    audience: syntax.Audience | None
    is_free: bool
    """Nothing of the strategy itself or its group ever refuses a send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGuarantee:
    """A forbidden behaviour; its rank is after all rules."""

    name: str
    rank: int
    enforced: bool
    automaton: Automaton


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRule:
    """One rule; rules compare by ``rank``: priority, name of strategy, place."""

    rank: int
    strategy: PlannedStrategy
    place: int
    table: str | None
    automaton: Automaton
    when: Test | None
    unless: Test | None
    sends: tuple[PlannedSend, ...]
    attach: Build | None
    sets: tuple[PlannedSet, ...]


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


def plan(book: syntax.Book, *, visit_expiry: int = VISIT_EXPIRY, native: bool = True) -> Plan:
    """Compile a checked book. Pure; the same book gives an equal plan.

    ``visit_expiry`` (ms): a visit ends when so long nothing was heard of it. Without ``native``
    everything is decided in Python; the decisions are the same.
    """
    fields = _fields(book)
    conditions = Conditions(book, fields)
    watchers = Watchers(book, conditions)
    rules = _rules(book, conditions, watchers)
    guarantees = _guarantees(book, watchers, len(rules))
    moved: tuple[PlannedRule | PlannedGuarantee, ...] = (*rules, *guarantees)
    watches, registers = watchers.watches, watchers.registers
    planned = Plan(
        version=_version(book, visit_expiry),
        visit_expiry=visit_expiry,
        conditions=conditions,
        fields=fields,
        fact_sources=_fact_sources(book),
        rules=rules,
        watches=watches,
        named=_named(conditions, watches),
        others=Index(conditions, [_entry(watch) for watch in watches if watch.atom.what == "any"]),
        sends=_sends(conditions, watches),
        rules_of=_rules_of(rules),
        cancelling=_cancelling(rules),
        guarantees=guarantees,
        guarantees_of=_waiting([guarantee.automaton for guarantee in guarantees]),
        enforces=any(guarantee.enforced for guarantee in guarantees),
        registers=registers,
        special=SPECIAL.union(_fact_sources(book)),
        recorders_of=_recorders(registers),
        automata={entry.automaton.key: entry for entry in moved},
        memory_keys=_memory_keys(registers, [entry.automaton for entry in moved]),
    )
    return replace(planned, road=road_of(planned)) if native else planned


def _version(book: syntax.Book, visit_expiry: int) -> str:
    # It is stamped on each input: so who decides a journal again knows how long visits lasted.
    return book.version if visit_expiry == VISIT_EXPIRY else f"{book.version}-{visit_expiry}"


def _entry(watch: Watch) -> Entry:
    return Entry(number=watch.index, categories=watch.atom.categories, condition=watch.atom.where)


def _named(conditions: Conditions, watches: tuple[Watch, ...]) -> dict[str, Index]:
    """For each event name that anything waits for: an index over the atoms that it could fit."""
    entries: dict[str, list[Entry]] = {}
    for watch in watches:
        if watch.atom.what == "event":
            entries.setdefault(watch.atom.name, []).append(_entry(watch))
    for_any = [_entry(watch) for watch in watches if watch.atom.what == "any"]
    return {name: Index(conditions, [*own, *for_any], event=name) for name, own in entries.items()}


def _sends(conditions: Conditions, watches: tuple[Watch, ...]) -> dict[str, Index]:
    """For each name in ``sent NAME``: an index over its atoms."""
    entries: dict[str, list[Entry]] = {}
    for watch in watches:
        if watch.atom.what == "sent":
            entries.setdefault(watch.atom.name, []).append(_entry(watch))
    return {name: Index(conditions, own) for name, own in entries.items()}


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
            automaton=watchers.automaton(guarantee.pattern, f"guarantee {guarantee.name}"),
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


def _rules(
    book: syntax.Book, conditions: Conditions, watchers: Watchers
) -> tuple[PlannedRule, ...]:
    ordered = sorted(book.strategies.values(), key=lambda s: (-s.priority, s.name))
    rules: list[PlannedRule] = []
    keys: dict[str, int] = {}
    for strategy in ordered:
        planned = _strategy(book, strategy)
        for place, rule in enumerate(strategy.rules):
            automaton = _distinct(watchers.automaton(rule.pattern, strategy.name), keys)
            rules.append(
                PlannedRule(
                    rank=len(rules),
                    strategy=planned,
                    place=place,
                    table=rule.table,
                    automaton=automaton,
                    when=conditions.truth(rule.when),
                    unless=conditions.truth(rule.unless),
                    sends=tuple(_send(book, conditions, send) for send in rule.sends),
                    attach=conditions.record(rule.attach) if rule.attach else None,
                    sets=tuple(_set(book, conditions, action) for action in rule.sets),
                )
            )
            watchers.aggregates((rule.when, rule.unless, rule.sends, rule.attach, rule.sets))
            for send in rule.sends:
                if send.message is not None:
                    watchers.message(send.message)
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
        remembers=automaton.remembers,
        reached_by=automaton.reached_by,
    )


def _strategy(book: syntax.Book, strategy: syntax.Strategy) -> PlannedStrategy:
    group = book.groups[strategy.group] if strategy.group else None
    hours = book.hours[strategy.hours] if strategy.hours else None
    bounded = strategy.limits or (group and (group.limits or group.one_at_a_time))
    return PlannedStrategy(
        name=strategy.name,
        group=strategy.group,
        limits=strategy.limits,
        group_limits=group.limits if group else (),
        one_at_a_time=group.one_at_a_time if group else False,
        valid_for=strategy.valid_for,
        active=calendar.activity(strategy.active, book.zone) if strategy.active else None,
        hours=calendar.opening(hours, book.zone) if hours else None,
        audience=strategy.audience,
        is_free=not (bounded or strategy.active or hours or strategy.audience),
    )


def _send(book: syntax.Book, conditions: Conditions, send: syntax.SendAction) -> PlannedSend:
    if send.message is not None:
        message = book.messages[send.message]
        given = dict(zip(message.parameters, send.arguments, strict=True))
        channel, data = message.channel, _filled(message.data, given)
    else:
        assert send.data is not None, "a message in place has data"
        channel, data = send.channel, send.data
    return PlannedSend(
        message=send.message or "",
        channel=channel,
        answerable=channel in CHANNELS and CHANNELS[channel].answerable,
        every_page=send.every_page,
        data=conditions.record(data),
        settled=conditions.settled(data),
    )


def _filled(node: Any, given: Mapping[str, syntax.Expr]) -> Any:
    """A message's data with the arguments in the place of its parameters."""
    if isinstance(node, syntax.Path) and len(node.parts) == 1:
        return given[node.parts[0]]
    if isinstance(node, tuple):
        return tuple(_filled(item, given) for item in node)
    if given and hasattr(node, "__dataclass_fields__") and not isinstance(node, Kind | syntax.Span):
        names = [name for name in node.__dataclass_fields__ if name != "span"]
        return replace(node, **{name: _filled(getattr(node, name), given) for name in names})
    return node


def _set(book: syntax.Book, conditions: Conditions, action: syntax.SetAction) -> PlannedSet:
    return PlannedSet(
        scope=action.scope,
        fact=action.fact,
        admits=book.facts[(action.scope, action.fact)].kind.admits,
        value=conditions.compile(action.value),
    )


def _waiting(automata: list[Automaton]) -> dict[int, tuple[int, ...]]:
    """Who waits for a watch: the places of the automata in the list."""
    found: dict[int, list[int]] = {}
    for place, automaton in enumerate(automata):
        watches = [watch for position in automaton.positions for watch in position.watches]
        for watch in dict.fromkeys(watches):
            found.setdefault(watch, []).append(place)
    return {watch: tuple(places) for watch, places in found.items()}


def _rules_of(rules: tuple[PlannedRule, ...]) -> dict[int, tuple[PlannedRule, ...]]:
    """The rules that a watch moves even when no timer runs, in order of rank."""
    found: dict[int, list[PlannedRule]] = {}
    for rule in rules:
        for watch in rule.automaton.reached_by:
            if not rule.automaton.only_cancels(watch):
                found.setdefault(watch, []).append(rule)
    return {watch: tuple(waiting) for watch, waiting in found.items()}


def _cancelling(rules: tuple[PlannedRule, ...]) -> frozenset[int]:
    automata = [rule.automaton for rule in rules]
    return frozenset(
        watch
        for automaton in automata
        for watch in automaton.reached_by
        if automaton.only_cancels(watch)
    )


def _recorders(
    registers: tuple[Register, ...],
) -> dict[int, tuple[Callable[[Scene], None], ...]]:
    found: dict[int, tuple[Callable[[Scene], None], ...]] = {}
    for register in registers:
        found[register.watch] = (*found.get(register.watch, ()), register.recorder())
    return found
