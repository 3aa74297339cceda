"""Checks a whole book: every name means something, every value is of a fitting kind.

Runs over trees that parsed; it reads names.py's tables and notes what does not fit. One mistake is
noted once: what depends on something broken is taken to be right.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, Final

from engine.language import syntax
from engine.language.diagnostics import Findings, did_you_mean, listed
from engine.language.expressions import Expressions, Place
from engine.language.names import Names
from engine.language.pageside import check_page_side
from engine.language.render import duration
from engine.language.spelling import Words, nearest
from engine.vocabulary.channels import CHANNELS, RESERVED_PREFIX
from engine.vocabulary.kinds import BOOLEAN, Kind

LONGEST: Final = 1_000
"""Events in a row that one pattern may wait for: each is a place in a visitor's memory."""

REASONS = (
    "when", "unless", "inactive", "hours", "audience", "page-gone", "one-at-a-time", "limit",
    "lower-priority", "guarantee", "expired",
)  # fmt: skip

PERSONS = ("user", "customer", "client", "shopper", "guest", "person")
"""What others call a visitor."""


class Checker:
    """Checks the declarations of ``names``; ``mended`` are spans of blocks that lost clauses."""

    def __init__(self, names: Names, mended: set[syntax.Span], findings: Findings) -> None:
        self._names = names
        self._mended = mended
        self._findings = findings
        self._values = Expressions(names, findings)
        self._fields: dict[str, Mapping[str, Kind]] = {}

    def check(self, settled: Container[int] = ()) -> Iterator[syntax.Declaration]:
        """Note every mistake of the book; gives the declarations that have none of their own.

        ``settled`` are ids of declarations that are known to have none.
        """
        looks: tuple[tuple[dict[Any, Any], Callable[[Any], None]], ...] = (
            (self._names.events, self._event),
            (self._names.facts, self._fact),
            (self._names.categories, self._category),
            (self._names.messages, self._message),
            (self._names.channels, self._own_channel),
            (self._names.strategies, self._strategy),
            (self._names.guarantees, self._guarantee),
            (self._names.scenarios, self._scenario),
        )
        for table, look in looks:
            for declaration in table.values():
                if id(declaration) not in settled:
                    before = len(self._findings) + self._values.spared
                    look(declaration)
                    if len(self._findings) + self._values.spared > before:
                        continue
                yield declaration

    def _event(self, event: syntax.EventDeclaration) -> None:
        check_page_side(event, self._findings)

    def _category(self, category: syntax.Category) -> None:
        self._values.truth(category.condition, Place(what="category"))

    def _message(self, message: syntax.Message) -> None:
        place = Place(what="message", parameters=message.parameters)
        self._notification(message.channel, message.data, message.span, place)

    def _own_channel(self, channel: syntax.OwnChannel) -> None:
        if channel.name.startswith(RESERVED_PREFIX):
            self._findings.add("N116", channel.span, word=channel.name)

    def _guarantee(self, guarantee: syntax.Guarantee) -> None:
        self._pattern(guarantee.pattern, guarantee=True)

    def _scenario(self, scenario: syntax.Scenario) -> None:
        for step in scenario.steps:
            self._step(step)

    def _fact(self, fact: syntax.Fact) -> None:
        for source in fact.sources:
            self._values.event_name(source, fact.span)
        if (fact.scope, fact.name) in Expressions.BUILT_IN:
            self._findings.add("N116", fact.span, word=f"{fact.scope}.{fact.name}")

    # ------------------------------------------------- strategies

    def _strategy(self, strategy: syntax.Strategy) -> None:
        groups = (self._names.groups, self._names.lost)
        if strategy.group is not None and not any(strategy.group in known for known in groups):
            near = self._near(strategy.group, "group", self._names.groups)
            self._findings.add(
                "N103", strategy.span, word=strategy.group, nearest=near, after="group"
            )
        if not strategy.rules and strategy.span not in self._mended:
            self._findings.add("P309", strategy.span)
        if strategy.hours is not None:
            self._values.hours(strategy.hours, strategy.span)
        active = strategy.active
        if active and active.since and active.until and active.since > active.until:
            self._findings.add("P315", active.span, since=active.since, until=active.until)
        for rule in strategy.rules:
            self._rule(rule, mended=strategy.span in self._mended)

    def _rule(self, rule: syntax.Rule, *, mended: bool) -> None:
        if not (rule.sends or rule.sets) and not mended:
            self._findings.add("P305", rule.span)
        if rule.attach is not None and not rule.sends and not mended:
            self._findings.add("P308", rule.attach.span)
        self._pattern(rule.pattern)
        place = Place(
            what="rule", event=self._completing(rule.pattern), names=_aliases(rule.pattern)
        )
        for condition in (rule.when, rule.unless):
            if condition is not None:
                self._values.truth(condition, place)
        for send in rule.sends:
            self._send(send, place)
        if rule.attach is not None:
            self._values.record(rule.attach, place)
        for action in rule.sets:
            self._set(action, place)

    def _pattern(self, pattern: syntax.Pattern, *, guarantee: bool = False) -> None:
        silence = 0
        bound: dict[str, syntax.Atom] = {}
        for k, part in enumerate(pattern.parts):
            for atom in _atoms(part):
                several = isinstance(part, syntax.AllOf | syntax.AnyOf)
                self._values.atom(atom, {} if several else bound)
                self._alias(atom, part, bound)
            if isinstance(part, syntax.Absent):
                silence = max(silence, part.duration)
                if k == 0:
                    self._findings.add("P301", part.span)
        if not pattern.parts:
            return
        found = sum(part.count if isinstance(part, syntax.Times) else 1 for part in pattern.parts)
        if found > LONGEST:
            self._findings.add("P317", pattern.span, found=found, most=LONGEST)
        last = pattern.parts[-1]
        if not guarantee and not isinstance(last, syntax.Absent):
            for atom in _atoms(last):
                if atom.what == "sent":
                    self._findings.add("P303", last.span)
        if pattern.within is not None and silence >= pattern.within:
            self._findings.add(
                "P302",
                pattern.span,
                within=duration(pattern.within),
                silence=duration(silence),
            )

    def _alias(self, atom: syntax.Atom, part: syntax.Part, bound: dict[str, syntax.Atom]) -> None:
        if atom.alias is None:
            return
        if not isinstance(part, syntax.Atom):
            what = {syntax.Times: "`times`", syntax.Absent: "`no`", syntax.AllOf: "`all of`"}
            place = what.get(type(part), "`any of`")
            self._findings.add("P314", atom.span, word=atom.alias, place=place)
        elif atom.alias in bound or atom.alias in ("event", "visit", "visitor"):
            self._findings.add("P313", atom.span, word=atom.alias)
        else:
            bound[atom.alias] = atom

    def _completing(self, pattern: syntax.Pattern) -> syntax.Atom | None:
        """The atom whose event is ``event`` in the guards; None when anything may be."""
        for part in reversed(pattern.parts):
            if isinstance(part, syntax.Absent):
                continue
            atoms = _atoms(part)
            return atoms[0] if len(atoms) == 1 else None
        return None

    def _send(self, send: syntax.SendAction, place: Place) -> None:
        kinds = [self._values.kind_of(argument, place) for argument in send.arguments]
        message = self._names.messages.get(send.message or "")
        if message is not None and len(kinds) != len(message.parameters):
            self._findings.add(
                "N119",
                send.span,
                message=message.name,
                wanted=_counted(len(message.parameters), "value"),
                found="1 is" if len(kinds) == 1 else f"{len(kinds)} are",
                known=functools.partial(_wanted, message),
            )
        if send.message is None:
            if send.data is not None:
                self._notification(send.channel, send.data, send.span, place)
        elif send.message not in self._names.messages and send.message not in self._names.lost:
            near = self._near(send.message, "message", self._names.messages)
            self._findings.add("N104", send.span, word=send.message, nearest=near)

    def _notification(
        self, name: str, data: syntax.Record, span: syntax.Span, place: Place
    ) -> None:
        kinds = self._values.record(data, place)
        fields, required = self._channel(name)
        if fields is None:
            channels = (*CHANNELS, *self._names.channels)
            if name not in self._names.lost:
                near = self._near(name, "channel", channels)
                self._findings.add(
                    "N107",
                    span,
                    word=name,
                    nearest=near,
                    known=functools.partial(_listed, channels),
                )
            return
        known = functools.partial(_listed, fields)
        for key, (kind, where) in kinds.items():
            wanted = fields.get(key)
            if wanted is None:
                near = self._near(key, f"of {name}", fields)
                self._findings.add("N108", where, channel=name, word=key, nearest=near, known=known)
            elif kind is not None and not _same(kind, wanted):
                self._findings.add(
                    "T207", where, word=key, kind=f"a {wanted}", left_kind=f"a {kind}"
                )
        written = Words(lambda: kinds)
        for key in sorted(required - set(kinds)):
            if not written.nearest(key):
                self._findings.add("N109", data.span, channel=name, word=key)

    def _near(self, word: str, what: str, known: Iterable[str]) -> Callable[[], str]:
        return self._names.near(word, what, lambda: known)

    def _channel(self, name: str) -> tuple[Mapping[str, Kind] | None, frozenset[str]]:
        if name in CHANNELS:
            return CHANNELS[name].fields, CHANNELS[name].required
        if name not in self._fields and name in self._names.channels:
            self._fields[name] = dict(self._names.channels[name].fields)
        return self._fields.get(name), frozenset()

    def _set(self, action: syntax.SetAction, place: Place) -> None:
        kind = self._values.kind_of(action.value, place)
        self._fact_takes(action.scope, action.fact, kind, action.span)

    def _fact_takes(self, scope: str, name: str, kind: Kind | None, span: syntax.Span) -> None:
        fact = self._names.facts.get((scope, name))
        word = f"{scope}.{name}"
        if scope not in ("visit", "visitor"):
            return
        if fact is None:
            self._values.unknown_fact(scope, name, span)
        elif kind is not None and not _same(kind, fact.kind):
            self._findings.add(
                "T205", span, word=word, kind=f"a {fact.kind}", left_kind=f"a {kind}"
            )

    # ------------------------------------------------- scenarios

    def _step(self, step: syntax.Step) -> None:
        match step:
            case syntax.GivenFact(scope=scope, fact=name, value=value, span=span):
                self._fact_takes(scope, name, value.kind, span)
            case (
                syntax.GivenAgents(medium=medium, span=span)
                | syntax.GivenPacing(medium=medium, span=span)
            ):
                self._values.medium(medium, span)
            case syntax.Happens(event=event, data=data, span=span):
                near = "Did you mean `visitor`?" if event.lower() in PERSONS else ""
                self._values.event_name(event, span, near)
                self._event_data(event, data)
            case syntax.Enters(data=data):
                self._event_data("PageEntered", data)
            case syntax.ExpectSent(name=name, span=span):
                self._values.sendable(name, span)
            case syntax.ExpectFact(path=path, value=value):
                kind = self._values.kind_of(path, Place(what="rule"))
                if kind is not None and kind != value.kind:
                    word, wanted = ".".join(path.parts), f"a {kind}"
                    self._findings.add(
                        "T205", value.span, word=word, kind=wanted, left_kind=f"a {value.kind}"
                    )
            case syntax.ExpectRefused():
                self._refused(step)
            case _:
                pass

    def _refused(self, step: syntax.ExpectRefused) -> None:
        if step.strategy not in self._names.strategies and step.strategy not in self._names.lost:
            near = self._near(step.strategy, "strategy", self._names.strategies)
            self._findings.add("N112", step.span, word=step.strategy, nearest=near)
        if step.reason not in REASONS:
            meant, known = did_you_mean(nearest(step.reason, REASONS)), ", ".join(REASONS)
            self._findings.add("N115", step.span, word=step.reason, nearest=meant, known=known)

    def _event_data(self, event: str, data: syntax.Record | None) -> None:
        if data is None:
            return
        kinds = self._values.record(data, Place(what="message"))
        if not self._names.fields_known(event):
            return
        fields = self._names.fields_of(event)
        for key, (kind, span) in kinds.items():
            path = tuple(key.split("."))
            if path not in fields and not self._names.reaches_field(event, path):
                self._values.unknown_field(event, path, span)
            elif kind is not None and path in fields and not _fits(kind, fields[path]):
                self._findings.add(
                    "T205", span, word=key, kind=f"a {fields[path]}", left_kind=f"a {kind}"
                )


def _atoms(part: syntax.Part) -> tuple[syntax.Atom, ...]:
    match part:
        case syntax.Atom():
            return (part,)
        case syntax.AllOf(atoms=atoms) | syntax.AnyOf(atoms=atoms):
            return atoms
        case _:
            return (part.atom,)


def _aliases(pattern: syntax.Pattern) -> dict[str, syntax.Atom]:
    atoms = [part for part in pattern.parts if isinstance(part, syntax.Atom)]
    return {atom.alias: atom for atom in atoms if atom.alias is not None}


def _listed(names: Iterable[str]) -> str:
    return listed(f"`{name}`" for name in names)


def _wanted(message: syntax.Message) -> str:
    if not message.parameters:
        return f"Write `send {message.name}` alone."
    return f"Write one value for each of: {listed(message.parameters)}."


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _same(kind: Kind, wanted: Kind) -> bool:
    """Are the kinds the same, as far as the items of a list are known?"""
    if kind.word == wanted.word == "list" and None in (kind.item, wanted.item):
        return True
    return kind == wanted


def _fits(kind: Kind, wanted: Kind) -> bool:
    return kind == wanted or wanted.word == "list" or (wanted.word == "time" and kind != BOOLEAN)
