"""Checks a whole book: every name means something, every value is of a fitting kind.

Runs over trees that parsed; it reads names.py's tables and notes what does not fit. One mistake is
noted once: what depends on something broken is taken to be right.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from engine.language import syntax
from engine.language.diagnostics import Findings, did_you_mean, listed
from engine.language.expressions import Expressions, Place
from engine.language.fitting import given
from engine.language.meant import Meant
from engine.language.names import Names
from engine.language.pageside import check_page_side
from engine.language.render import duration
from engine.language.spelling import nearest
from engine.vocabulary.channels import CHANNELS, RESERVED_PREFIX
from engine.vocabulary.kinds import BOOLEAN, Kind

LONGEST: Final = 1_000
"""Events in a row that one pattern may wait for: each is a place in a visitor's memory."""

REASONS = (
    "when", "unless", "inactive", "hours", "audience", "page-gone", "one-at-a-time", "limit",
    "lower-priority", "guarantee", "expired",
)  # fmt: skip


class Checker:
    """Checks the declarations of ``names``; ``mended`` are spans of blocks that lost clauses."""

    def __init__(self, names: Names, mended: set[syntax.Span], findings: Findings) -> None:
        self._names = names
        self._mended = mended
        self._findings = findings
        self._values = Expressions(names, findings)
        self._fields: dict[str, Mapping[str, Kind]] = {}
        self._meant = Meant(names)
        self._experiments: set[str] | None = None

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
            self._no_rule(strategy)
        if strategy.hours is not None:
            self._values.hours(strategy.hours, strategy.span, after="hours")
        active = strategy.active
        if active and active.since and active.until and active.since > active.until:
            self._findings.add("P315", active.span, since=active.since, until=active.until)
        for rule in strategy.rules:
            self._rule(rule, mended=strategy.span in self._mended)

    def _no_rule(self, strategy: syntax.Strategy) -> None:
        """A strategy without rules, unless a table was to bring them that has its own mistake."""
        if strategy.name in self._tables or self._lost_a_table:
            self._values.spared += 1
        else:
            self._findings.add("P309", strategy.span)

    @cached_property
    def _tables(self) -> set[str]:
        return set(self._names.of_tables)

    @cached_property
    def _lost_a_table(self) -> bool:
        """Is there a table whose strategy is not known?"""
        lost = any(name.startswith("table ") for name in self._names.lost)
        return lost or not self._tables <= self._names.strategies.keys()

    def _rule(self, rule: syntax.Rule, *, mended: bool) -> None:
        if rule.attach is not None and not rule.sends and not mended:
            self._findings.add("P308", rule.attach.span)
        elif not (rule.sends or rule.sets) and not mended:
            self._findings.add("P305", rule.span)
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
        elif message is not None:
            self._arguments(send, message, kinds)
        if send.message is None:
            if send.data is not None:
                self._notification(send.channel, send.data, send.span, place)
        elif send.message not in self._names.messages and send.message not in self._names.lost:
            near = self._near(send.message, "message", self._names.messages)
            hint = functools.partial(_first, self._meant.message, send.message, near)
            self._findings.add("N104", send.span, word=send.message, nearest=hint)

    def _arguments(
        self, send: syntax.SendAction, message: syntax.Message, kinds: list[Kind | None]
    ) -> None:
        """Do the values fit the fields of the channel that they fill?"""
        fields, _ = self._channel(message.channel)
        wanted = {
            value.parts[0]: (fields or {}).get(key)
            for key, value in message.data.entries
            if isinstance(value, syntax.Path) and len(value.parts) == 1
        }
        for word, argument, kind in zip(message.parameters, send.arguments, kinds, strict=True):
            field = wanted.get(word)
            if field is not None and kind is not None and not _same(kind, field):
                self._findings.add(
                    "T209",
                    argument.span,
                    message=message.name,
                    word=word,
                    kind=f"a {field}",
                    left_kind=f"a {kind}",
                    hint=functools.partial(given, argument, field),
                )

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
        values, missing = dict(data.entries), sorted(required - set(kinds))
        self._fields_of_channel(name, data, missing)
        for key, (kind, where) in kinds.items():
            wanted = fields.get(key)
            if wanted is not None and kind is not None and not _same(kind, wanted):
                hint = functools.partial(given, values[key], wanted)
                self._findings.add(
                    "T207", where, word=key, kind=f"a {wanted}", left_kind=f"a {kind}", hint=hint
                )
        for key in missing if set(kinds) <= set(fields) else ():
            self._findings.add("N109", data.span, channel=name, word=key)

    def _fields_of_channel(
        self, name: str, data: syntax.Record, missing: Sequence[str] = ()
    ) -> None:
        """Note keys that the channel does not have; the one that is missing was meant."""
        fields, _ = self._channel(name)
        if fields is None:
            return
        known = functools.partial(_listed, fields)
        for key, where in self._values.keys(data).items():
            if key not in fields:
                near = self._near(key, f"of {name}", fields)
                if len(missing) == 1:
                    near = functools.partial(did_you_mean, missing[0])
                self._findings.add("N108", where, channel=name, word=key, nearest=near, known=known)

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
        self._fact_takes((action.scope, action.fact), action.value, kind, action.span)

    def _fact_takes(
        self, key: tuple[str, str], value: syntax.Expr, kind: Kind | None, span: syntax.Span
    ) -> None:
        scope, name = key
        fact = self._names.facts.get(key)
        if scope not in ("visit", "visitor"):
            return
        if key in Expressions.BUILT_IN:
            shown = name[:1].upper() + name[1:]
            self._findings.add("N121", span, word=f"{scope}.{name}", scope=scope, name=shown)
        elif fact is None:
            self._values.unknown_fact(scope, name, span)
        elif kind is not None and not _same(kind, fact.kind):
            self._wrong_kind(f"{scope}.{name}", value, kind, fact.kind)

    def _wrong_kind(self, word: str, value: Any, kind: Kind, wanted: Kind) -> None:
        hint = functools.partial(given, value, wanted)
        self._findings.add(
            "T205", value.span, word=word, kind=f"a {wanted}", left_kind=f"a {kind}", hint=hint
        )

    # ------------------------------------------------- scenarios

    def _step(self, step: syntax.Step) -> None:
        match step:
            case syntax.GivenFact(scope=scope, fact=name, value=value, span=span):
                self._fact_takes((scope, name), value, value.kind, span)
            case (
                syntax.GivenAgents(medium=medium, span=span)
                | syntax.GivenPacing(medium=medium, span=span)
            ):
                self._values.medium(medium, span)
            case syntax.Happens(event=event, data=data, span=span):
                self._values.event_name(event, span, told=True)
                self._event_data(event, data)
            case syntax.Enters(data=data):
                self._event_data("PageEntered", data)
            case syntax.GivenAudience(experiment=experiment, span=span):
                self._audience(experiment, span)
            case syntax.ExpectSent(name=name, data=data, span=span):
                self._values.sendable(name, span)
                message = self._names.messages.get(name)
                if message is not None and data is not None:
                    self._fields_of_channel(message.channel, data)
            case syntax.ExpectFact(path=path, value=value):
                kind = self._values.kind_of(path, Place(what="rule"))
                if kind is not None and kind != value.kind:
                    self._wrong_kind(".".join(path.parts), value, value.kind, kind)
            case syntax.ExpectRefused():
                self._refused(step)
            case _:
                pass

    def _audience(self, experiment: str, span: syntax.Span) -> None:
        if self._experiments is None:
            strategies = self._names.strategies.values()
            self._experiments = {s.audience.experiment for s in strategies if s.audience}
        if experiment in self._experiments:
            return
        if self._names.lost or self._mended:
            self._values.spared += 1
        else:
            near = self._near(experiment, "experiment", self._experiments)
            self._findings.add("N122", span, word=experiment, nearest=near)

    def _refused(self, step: syntax.ExpectRefused) -> None:
        if step.strategy not in self._names.strategies and step.strategy not in self._names.lost:
            near = self._near(step.strategy, "strategy", self._names.strategies)
            hint = functools.partial(_first, self._meant.strategy, step.strategy, near)
            self._findings.add("N112", step.span, word=step.strategy, nearest=hint)
        if step.reason not in REASONS:
            meant, known = did_you_mean(nearest(step.reason, REASONS)), ", ".join(REASONS)
            self._findings.add("N115", step.span, word=step.reason, nearest=meant, known=known)

    def _event_data(self, event: str, data: syntax.Record | None) -> None:
        if data is None:
            return
        kinds = self._values.record(data, Place(what="message"))
        if not self._names.fields_known(event):
            return
        fields, values = self._names.fields_of(event), dict(data.entries)
        keys = self._values.keys(data)
        for key, (kind, _) in kinds.items():
            path = tuple(key.split("."))
            if path not in fields and not self._names.reaches_field(event, path):
                self._values.unknown_field(event, path, keys[key])
            elif kind is not None and path in fields and not _fits(kind, fields[path]):
                self._wrong_kind(key, values[key], kind, fields[path])


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


def _first(guess: Callable[[str], str], word: str, near: Callable[[], str]) -> str:
    return guess(word) or near()


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _same(kind: Kind, wanted: Kind) -> bool:
    """Are the kinds the same, as far as the items of a list are known?"""
    if kind.word == wanted.word == "list" and None in (kind.item, wanted.item):
        return True
    return kind == wanted


def _fits(kind: Kind, wanted: Kind) -> bool:
    return _same(kind, wanted) or (wanted.word == "time" and kind != BOOLEAN)
