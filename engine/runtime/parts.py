"""Parts: what each strategy of a book becomes, used again as long as nothing about it changes.

Of a thousand strategies an author edits one. What the others became depends on their own text, on
the declarations that all share, and on two numbers that change whenever a strategy before them
does: the rank of their first rule and the numbers of their watches. So the plan of an edited book
takes their parts from the plan before it, and gives them other numbers where it must. It is the
plan that would have been made from nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from engine.language import syntax
from engine.language.quiet import Breathe
from engine.runtime import calendar
from engine.runtime.aggregates import digest
from engine.runtime.conditions import Conditions
from engine.runtime.kept import reads_of
from engine.runtime.planned import PlannedRule, PlannedSend, PlannedSet, PlannedStrategy
from engine.runtime.watchers import Automaton, Met, Watchers
from engine.vocabulary.channels import CHANNELS
from engine.vocabulary.kinds import Kind

_OWN: Final = frozenset({"version", "strategies", "guarantees", "scenarios"})
"""What of a book no strategy but the one itself depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one strategy became: its rules, and the watches and registers that they need."""

    strategy: syntax.Strategy
    rules: tuple[PlannedRule, ...]
    met: Met


def shared(book: syntax.Book) -> syntax.Book:
    """What all strategies of a book share."""
    return replace(book, version="", strategies={}, guarantees={}, scenarios={})


def is_shared(one: syntax.Book, other: syntax.Book) -> bool:
    """Do two books say the same, their strategies, guarantees and scenarios aside?"""
    names = [field.name for field in fields(syntax.Book) if field.name not in _OWN]
    return all(_alike(getattr(one, name), getattr(other, name)) for name in names)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(is_same, one.values(), other.values()))
    return is_same(one, other)


def is_same(one: object, other: object) -> bool:
    """Do two declarations mean the same? Equal ones need not: 1 is equal to 1.0."""
    return one is other or (one == other and repr(one) == repr(other))


def parts_of_book(
    book: syntax.Book,
    conditions: Conditions,
    watchers: Watchers,
    before: Mapping[str, Part],
    breathe: Breathe,
) -> Iterator[Part]:
    """The parts in order of rank; ``before`` are those of another book that shares the rest."""
    rank = 0
    for strategy in sorted(book.strategies.values(), key=lambda s: (-s.priority, s.name)):
        known = before.get(strategy.name)
        if known is not None and is_same(known.strategy, strategy):
            part = _again(known, rank, watchers)
        else:
            part = _made(book, conditions, watchers, strategy, rank)
        rank += len(part.rules)
        yield part
        breathe()


def _again(part: Part, rank: int, watchers: Watchers) -> Part:
    """A part as it was, with other numbers where it must."""
    met, rules = watchers.meet(part.met), part.rules
    if met is not part.met:
        numbers = {
            old.index: new.index for old, new in zip(part.met.watches, met.watches, strict=True)
        }
        rules = tuple(replace(rule, automaton=rule.automaton.renumbered(numbers)) for rule in rules)
    if rules and rules[0].rank != rank:
        rules = tuple(replace(rule, rank=rank + place) for place, rule in enumerate(rules))
    return part if rules is part.rules else Part(strategy=part.strategy, rules=rules, met=met)


def _made(
    book: syntax.Book,
    conditions: Conditions,
    watchers: Watchers,
    strategy: syntax.Strategy,
    rank: int,
) -> Part:
    watchers.begin()
    planned = _strategy(book, strategy)
    keys: dict[str, int] = {}
    rules: list[PlannedRule] = []
    reads = reads_of(book, strategy)
    for place, (rule, read) in enumerate(zip(strategy.rules, reads, strict=True)):
        automaton = _distinct(watchers.automaton(rule.pattern, strategy.name, read), keys)
        rules.append(
            PlannedRule(
                rank=rank + place,
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
    return Part(strategy=strategy, rules=tuple(rules), met=watchers.met())


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
