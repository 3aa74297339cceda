"""Names of a book: every declaration by what it declares, each name once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine.language import syntax
from engine.language.diagnostics import Findings, did_you_mean
from engine.language.source import Source
from engine.language.spelling import Words
from engine.vocabulary.events import SYSTEM_EVENTS
from engine.vocabulary.kinds import DURATION, NUMBER, TEXT, Kind

BUILT_IN: Final = {
    ("visit", "pages"): NUMBER,
    ("visit", "duration"): DURATION,
    ("visitor", "state"): TEXT,
}
"""Facts that count by themselves."""

Fields = Mapping[tuple[str, ...], Kind]

_WHAT = {
    syntax.EventDeclaration: "an event",
    syntax.Fact: "a fact",
    syntax.Category: "a category",
    syntax.Group: "a group",
    syntax.Message: "a message",
    syntax.Strategy: "a strategy",
    syntax.Scenario: "a scenario",
    syntax.Hours: "hours",
    syntax.OwnChannel: "a channel",
    syntax.Medium: "a medium",
    syntax.Guarantee: "a guarantee",
    syntax.Table: "a table",
}


@dataclass(slots=True, kw_only=True)
class Names:
    """All declarations of a book by name.

    ``broken`` are events whose fields are not all known; ``lost`` are the names of declarations
    that could not be read, so that their users are not blamed for it.
    """

    events: dict[str, syntax.EventDeclaration] = field(default_factory=dict)
    facts: dict[tuple[str, str], syntax.Fact] = field(default_factory=dict)
    categories: dict[str, syntax.Category] = field(default_factory=dict)
    groups: dict[str, syntax.Group] = field(default_factory=dict)
    messages: dict[str, syntax.Message] = field(default_factory=dict)
    strategies: dict[str, syntax.Strategy] = field(default_factory=dict)
    scenarios: dict[str, syntax.Scenario] = field(default_factory=dict)
    hours: dict[str, syntax.Hours] = field(default_factory=dict)
    channels: dict[str, syntax.OwnChannel] = field(default_factory=dict)
    media: dict[str, syntax.Medium] = field(default_factory=dict)
    guarantees: dict[str, syntax.Guarantee] = field(default_factory=dict)
    tables: dict[str, syntax.Table] = field(default_factory=dict)
    zones: list[syntax.Zone] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    _fields: dict[str, Fields] = field(default_factory=dict)
    _fed: dict[str, list[syntax.Fact]] | None = None
    _reached: dict[str, frozenset[tuple[str, ...]]] = field(default_factory=dict)
    _kinds: dict[tuple[str, ...], set[Kind]] = field(default_factory=dict)
    _words: dict[str, Words] = field(default_factory=dict)

    def has_event(self, name: str) -> bool:
        """May a pattern name this event?"""
        return name in self.events or name in SYSTEM_EVENTS or name in self.lost

    def fields_known(self, name: str) -> bool:
        """Is this an event all of whose fields are known?"""
        return (name in self.events or name in SYSTEM_EVENTS) and name not in self.broken

    def fields_of(self, event: str) -> Fields:
        """The fields of an event: built in, declared, and of facts that come from it."""
        if event not in self._fields:
            self._fields[event] = self._read_fields(event)
        return self._fields[event]

    def _read_fields(self, event: str) -> Fields:
        if self._fed is None:
            self._fed = defaultdict(list)
            for fact in self.facts.values():
                for source in fact.sources:
                    self._fed[source].append(fact)
        found: dict[tuple[str, ...], Kind] = {}
        found |= {(fact.name,): fact.kind for fact in self._fed.get(event, ())}
        if event in SYSTEM_EVENTS:
            found |= {(name,): kind for name, kind in SYSTEM_EVENTS[event].fields.items()}
        if event in self.events:
            found |= {entry.path: entry.kind for entry in self.events[event].fields}
        return found

    def reaches_field(self, event: str, path: tuple[str, ...]) -> bool:
        """Has the event a field at this path, or below it?"""
        if event not in self._reached:
            paths = self.fields_of(event)
            reached = (path[:length] for path in paths for length in range(1, len(path) + 1))
            self._reached[event] = frozenset(reached)
        return path in self._reached[event]

    def kinds_of_any(self, path: tuple[str, ...]) -> set[Kind]:
        """The kinds that fields of this path have in any event."""
        self.all_fields()
        return self._kinds.get(path, set())

    def all_fields(self) -> Iterable[tuple[str, ...]]:
        """The fields of any event."""
        if not self._kinds:
            for event in sorted({*self.events, *SYSTEM_EVENTS}):
                for path, kind in self.fields_of(event).items():
                    self._kinds.setdefault(path, set()).add(kind)
        return self._kinds

    def is_sendable(self, name: str) -> bool:
        """May ``sent NAME`` name this?"""
        return any(name in known for known in (self.strategies, self.groups, self.messages))

    def near(self, word: str, what: str, known: Callable[[], Iterable[str]]) -> Callable[[], str]:
        """A half sentence with the nearest of the names that are known of a kind; or nothing.

        It is made when it is shown, and the names are gathered once for each kind (``what``).
        """
        return lambda: did_you_mean(self.nearest(word, what, known))

    def nearest(self, word: str, what: str, known: Callable[[], Iterable[str]]) -> str | None:
        """The nearest of those names, or the one that begins with the word."""
        words = self._words.get(what)
        if words is None:
            words = self._words[what] = Words(known)
        return words.nearest(word) or words.begun(word)

    @property
    def of_tables(self) -> Iterable[str]:
        """The strategies that tables are for; they may have no rule of their own."""
        return (table.strategy for table in self.tables.values())


def collect(
    declarations: Iterable[tuple[syntax.Declaration, bool]],
    lost: Iterable[str],
    sources: Mapping[str, Source],
    findings: Findings,
) -> Names:
    """Order declarations by name; the second of a name is a mistake and is left out."""
    names = Names(lost=set(lost))
    tables: dict[type, dict[Any, Any]] = {
        syntax.EventDeclaration: names.events,
        syntax.Fact: names.facts,
        syntax.Category: names.categories,
        syntax.Group: names.groups,
        syntax.Message: names.messages,
        syntax.Strategy: names.strategies,
        syntax.Scenario: names.scenarios,
        syntax.Hours: names.hours,
        syntax.OwnChannel: names.channels,
        syntax.Medium: names.media,
        syntax.Guarantee: names.guarantees,
        syntax.Table: names.tables,
    }
    for declaration, mended in declarations:
        if isinstance(declaration, syntax.Zone):
            _another_zone(names.zones, declaration, sources, findings)
            continue
        table = tables[type(declaration)]
        is_fact = isinstance(declaration, syntax.Fact)
        key = (declaration.scope, declaration.name) if is_fact else declaration.name  # type: ignore[union-attr]
        if mended and isinstance(declaration, syntax.EventDeclaration):
            names.broken.add(declaration.name)
        if key in table:
            _twice(declaration, table[key], sources, findings)
        else:
            table[key] = declaration
    _one_namespace(names, sources, findings)
    _tables(names, findings)
    return names


def _another_zone(
    zones: list[syntax.Zone],
    zone: syntax.Zone,
    sources: Mapping[str, Source],
    findings: Findings,
) -> None:
    if zones:
        first = zones[0].span
        line, _ = sources[first.source].place(first.start)
        findings.add("N120", zone.span, where=f"{first.source} line {line}")
    zones.append(zone)


def _tables(names: Names, findings: Findings) -> None:
    """The rows of a table are rules of its strategy, after its own."""
    for table in names.tables.values():
        strategy = names.strategies.get(table.strategy)
        if strategy is None:
            if table.strategy not in names.lost:
                near = names.near(table.strategy, "strategy", lambda: names.strategies)
                findings.add("N112", table.span, word=table.strategy, nearest=near)
            continue
        rules = (*strategy.rules, *table.rules)
        names.strategies[strategy.name] = replace(strategy, rules=rules)


def _twice(
    declaration: syntax.Declaration,
    first: syntax.Declaration,
    sources: Mapping[str, Source],
    findings: Findings,
) -> None:
    line, _ = sources[first.span.source].place(first.span.start)
    scope = declaration.scope if isinstance(declaration, syntax.Fact) else ""
    findings.add(
        "N110",
        declaration.span,
        what=_WHAT[type(first)],
        word=f"{scope}.{declaration.name}" if scope else declaration.name,
        where=f"{first.span.source} line {line}",
    )


def _one_namespace(names: Names, sources: Mapping[str, Source], findings: Findings) -> None:
    """``sent NAME`` must know whether a name is a group, a message or a strategy."""
    known: dict[str, syntax.Declaration] = {}
    for table in (names.groups, names.messages, names.strategies):
        for declaration in table.values():
            if declaration.name in known:
                _twice(declaration, known[declaration.name], sources, findings)
            known.setdefault(declaration.name, declaration)
