"""Declarations and scenarios: the grammar's raw tree becomes the frozen values of syntax.py.

Each method is named after the rule of grammar.lark that it builds.
"""

from __future__ import annotations

import functools
from datetime import date
from typing import Any, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from lark import Token

from engine.language import syntax
from engine.language.diagnostics import did_you_mean
from engine.language.fitting import given
from engine.language.spelling import Words
from engine.language.tree import TermBuilder
from engine.vocabulary.kinds import BY_WORD, NUMBER, Kind

LONGEST_NAME: Final = 200
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _near_zone(name: str) -> str:
    """A zone of that place, or one whose name is near."""
    place = name.removesuffix(" time").strip().replace(" ", "_").lower()
    whole = [zone for zone in _zones() if zone.lower().rpartition("/")[2] == place]
    return did_you_mean(whole[0] if whole else _ZONES.nearest(name))


@functools.cache
def _zones() -> tuple[str, ...]:
    found = (zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return tuple(sorted(found))


_ZONES: Final = Words(_zones)


class TreeBuilder(TermBuilder):
    """Builds one declaration. What is wrong with a single value is noted, not raised."""

    # ------------------------------------------------- declarations

    def _title(self, token: Token) -> str:
        """A name in quotes: it stands in ids, lists and reports, so it is one short line."""
        name = self._text(token)
        why, hint = "", "Give it a short name."
        if not name.strip():
            why = "empty"
        elif len(name) > LONGEST_NAME:
            why = f"longer than {LONGEST_NAME} letters"
        elif len(name.splitlines()) > 1:
            why = "not one line"
        elif not name.isprintable():
            why, hint = "written with a sign that cannot be seen", "Write the name again."
        if why:
            self._wrong("S022", self._at(token), why=why, hint=hint)
        return name

    def start(self, _: Any, items: list[Any]) -> syntax.Declaration:
        return cast("syntax.Declaration", items[0])

    def kind(self, _: Any, items: list[Token]) -> Kind:
        return BY_WORD[str(items[0])]

    def list_kind(self, _: Any, items: list[Token]) -> Kind:
        return Kind("list", BY_WORD[str(items[-1])])

    def from_text(self, meta: Any, items: list[Token]) -> syntax.FieldSource:
        selector = self._text(items[-1])
        return syntax.FieldSource(what="text", selector=selector, span=self._span(meta))

    def from_value(self, meta: Any, items: list[Token]) -> syntax.FieldSource:
        selector = self._text(items[-1])
        return syntax.FieldSource(what="value", selector=selector, span=self._span(meta))

    def from_attribute(self, meta: Any, items: list[Token]) -> syntax.FieldSource:
        _, name, selector = items
        return syntax.FieldSource(
            what="attribute",
            name=self._text(name),
            selector=self._text(selector),
            span=self._span(meta),
        )

    def from_variable(self, meta: Any, items: list[Token]) -> syntax.FieldSource:
        name = self._text(items[-1])
        return syntax.FieldSource(what="variable", name=name, span=self._span(meta))

    def field(self, meta: Any, items: list[Any]) -> syntax.FieldDeclaration:
        path, kind, source = items
        return syntax.FieldDeclaration(
            path=tuple(path.split(".")), kind=kind, source=source, span=self._span(meta)
        )

    def on_click(self, meta: Any, items: list[Token]) -> syntax.Capture:
        return self._capture(meta, "click", selector=self._text(items[-1]))

    def on_submit(self, meta: Any, items: list[Token]) -> syntax.Capture:
        return self._capture(meta, "submit", selector=self._text(items[-1]))

    def on_key(self, meta: Any, items: list[Token]) -> syntax.Capture:
        _, key, selector = items
        return self._capture(meta, "key", key=self._text(key), selector=self._text(selector))

    def on_timer(self, meta: Any, items: list[Token]) -> syntax.Capture:
        return self._capture(meta, "timer", amount=self._duration(items[1]))

    def on_scroll(self, meta: Any, items: list[Token]) -> syntax.Capture:
        return self._capture(meta, "scroll", amount=self._percent(items[-1]))

    def on_exit(self, meta: Any, _: Any) -> syntax.Capture:
        return self._capture(meta, "exit")

    def on_visible(self, meta: Any, items: list[Token]) -> syntax.Capture:
        return self._capture(meta, "visible", selector=self._text(items[-1]))

    def _capture(self, meta: Any, what: str, **more: Any) -> syntax.Capture:
        return syntax.Capture(what=cast("Any", what), **more, span=self._span(meta))

    def event(self, meta: Any, items: list[Any]) -> syntax.EventDeclaration:
        name, description, *rest = items
        self._fields_once([i for i in rest if isinstance(i, syntax.FieldDeclaration)])
        return syntax.EventDeclaration(
            name=str(name),
            description=self._text(description),
            fields=tuple(i for i in rest if isinstance(i, syntax.FieldDeclaration)),
            captures=tuple(i for i in rest if isinstance(i, syntax.Capture)),
            span=self._span(meta),
        )

    def _fields_once(self, fields: list[syntax.FieldDeclaration]) -> None:
        seen: set[tuple[str, ...]] = set()
        for field in fields:
            if field.path in seen:
                self._wrong("S013", field.span, word=".".join(field.path))
            seen.add(field.path)

    def fact(self, meta: Any, items: list[Any]) -> syntax.Fact:
        path, kind, default, *sources = items
        scope, name = self._fact_name(path)
        if default is not None and default.kind != kind:
            self._wrong(
                "T205",
                default.span,
                word=str(path),
                kind=f"a {kind}",
                left_kind=f"a {default.kind}",
                hint=functools.partial(given, default, kind),
            )
        return syntax.Fact(
            scope=scope,
            name=name,
            kind=kind,
            default=default.value if default else None,
            sources=tuple(str(source) for source in sources if source is not None),
            span=self._span(meta),
        )

    def category(self, meta: Any, items: list[Any]) -> syntax.Category:
        return syntax.Category(name=str(items[0]), condition=items[1], span=self._span(meta))

    def limit_per(self, meta: Any, items: list[Any]) -> syntax.Limit:
        count = int(self._number(items[0], 1, "A limit"))
        return syntax.Limit(count=count, scope=items[1], span=self._span(meta))

    def limit_in(self, meta: Any, items: list[Any]) -> syntax.Limit:
        count, duration, scope = items
        return syntax.Limit(
            count=int(self._number(count, 1, "A limit")),
            scope=scope or "visitor",
            duration=self._duration(duration),
            span=self._span(meta),
        )

    def limit(self, _: Any, items: list[Any]) -> syntax.Limit:
        return cast("syntax.Limit", items[0])

    def group(self, meta: Any, items: list[Any]) -> syntax.Group:
        name, description, *clauses = items
        return syntax.Group(
            name=str(name),
            description=self._text(description),
            one_at_a_time=any(isinstance(clause, Token) for clause in clauses),
            limits=tuple(c for c in clauses if isinstance(c, syntax.Limit)),
            span=self._span(meta),
        )

    def message(self, meta: Any, items: list[Any]) -> syntax.Message:
        name, *parameters, channel, data = items
        return syntax.Message(
            name=str(name),
            parameters=tuple(str(p) for p in parameters if p is not None),
            channel=str(channel),
            data=data,
            span=self._span(meta),
        )

    def own_field(self, _: Any, items: list[Any]) -> tuple[str, Kind]:
        key, kind = items
        return self._text(key) if key.startswith('"') else str(key), kind

    def channel(self, meta: Any, items: list[Any]) -> syntax.OwnChannel:
        name, *fields = items
        return syntax.OwnChannel(
            name=str(name),
            fields=tuple(field for field in fields if field is not None),
            span=self._span(meta),
        )

    def medium(self, meta: Any, items: list[Token]) -> syntax.Medium:
        name, description = items
        return syntax.Medium(
            name=self._text(name) if name.type == "TEXT" else str(name),
            description=self._text(description),
            span=self._span(meta),
        )

    def zone(self, meta: Any, items: list[Token]) -> syntax.Zone:
        return syntax.Zone(name=self._zone(items[0]), span=self._span(meta))

    def _zone(self, token: Token) -> str:
        name = self._text(token)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            near = functools.partial(_near_zone, name)
            self._wrong("T208", self._at(token), word=name, nearest=near)
            return "UTC"
        return name

    def open(self, meta: Any, items: list[Token]) -> list[syntax.OpenHours]:
        days, *clocks = items
        return [self._open(meta, self._days(days), clock) for clock in clocks]

    def _days(self, token: Token) -> tuple[int, ...]:
        first, _, last = token.partition("-")
        start, end = DAYS.index(first), DAYS.index(last or first)
        return tuple((start + n) % 7 for n in range((end - start) % 7 + 1))

    def _open(self, meta: Any, days: tuple[int, ...], clock: Token) -> syntax.OpenHours:
        start, end = (self._minutes(clock, part.strip()) for part in clock.split("-"))
        return syntax.OpenHours(days=days, start=start, end=end, span=self._span(meta))

    def _minutes(self, token: Token, written: str) -> int:
        hours, minutes = map(int, written.split(":"))
        if hours * 60 + minutes > 24 * 60 or minutes > 59:
            what, hint = "time of day", "Write a time from 00:00 to 24:00."
            self._wrong("S012", self._at(token), word=written, what=what, hint=hint)
            return 0
        return hours * 60 + minutes

    def hours(self, meta: Any, items: list[Any]) -> syntax.Hours:
        name, *rest = items
        spans = [span for item in rest if isinstance(item, list) for span in item]
        zones = [t for t in rest if isinstance(t, Token) and t.type == "TEXT"]
        dates = [t for t in rest if isinstance(t, Token) and t.type == "DATE"]
        return syntax.Hours(
            name=str(name),
            open=tuple(spans),
            zone=self._zone(zones[0]) if zones else None,
            closed=tuple(self._date(token) for token in dates),
            span=self._span(meta),
        )

    def guarantee(self, meta: Any, items: list[Any]) -> syntax.Guarantee:
        name, *_, pattern = items
        return syntax.Guarantee(
            name=self._title(name),
            enforced=len(items) > 2 and items[1] is not None,
            pattern=pattern,
            span=self._span(meta),
        )

    def in_hours(self, meta: Any, items: list[Token]) -> tuple[str, Any, Any]:
        return "hours", str(items[-1]), meta

    def days(self, meta: Any, items: list[Token | None]) -> syntax.Active:
        said = [token for token in items if token is not None]
        found = {
            str(word): self._date(day) for word, day in zip(said[::2], said[1::2], strict=True)
        }
        return syntax.Active(
            since=found.get("from"), until=found.get("until"), span=self._span(meta)
        )

    def active(self, meta: Any, items: list[Any]) -> tuple[str, Any, Any]:
        return "active", items[0], meta

    def audience(self, meta: Any, items: list[Token]) -> tuple[str, Any, Any]:
        percent, experiment = items
        return (
            "audience",
            syntax.Audience(
                percent=self._percent(percent),
                experiment=self._text(experiment),
                span=self._span(meta),
            ),
            meta,
        )

    def valid_for(self, meta: Any, items: list[Token]) -> tuple[str, Any, Any]:
        return "valid_for", self._duration(items[-1]), meta

    def description(self, meta: Any, items: list[Token]) -> tuple[str, Any, Any]:
        return "description", self._text(items[0]), meta

    def owner(self, meta: Any, items: list[Token]) -> tuple[str, Any, Any]:
        return "owner", self._text(items[0]), meta

    def in_group(self, meta: Any, items: list[Token]) -> tuple[str, Any, Any]:
        return "group", str(items[0]), meta

    def signed(self, _: Any, items: list[Token]) -> float:
        return -self._number(items[-1]) if len(items) == 2 else self._number(items[0])

    def priority(self, meta: Any, items: list[Any]) -> tuple[str, Any, Any]:
        return "priority", items[0], meta

    def header(self, _: Any, items: list[Any]) -> Any:
        return items[0]

    def strategy(self, meta: Any, items: list[Any]) -> syntax.Strategy:
        name, *rest = items
        said: dict[str, Any] = {}
        for word, value, place in (item for item in rest if isinstance(item, tuple)):
            if word in said:
                self._wrong("S013", self._span(place), word=word)
            said[word] = value
        return syntax.Strategy(
            name=self._title(name),
            **said,
            limits=tuple(item for item in rest if isinstance(item, syntax.Limit)),
            rules=tuple(item for item in rest if isinstance(item, syntax.Rule)),
            span=self._span(meta),
        )

    # ------------------------------------------------- scenarios

    def given_agents(self, meta: Any, items: list[Token]) -> syntax.GivenAgents:
        count, _, medium = items
        return syntax.GivenAgents(
            count=int(self._number(count, 0, "The number of agents")),
            medium=self._text(medium),
            span=self._span(meta),
        )

    def literal(self, _: Any, items: list[Any]) -> syntax.Constant:
        return cast("syntax.Constant", items[0])

    def negative_literal(self, meta: Any, items: list[Token]) -> syntax.Constant:
        value = -self._number(items[-1])
        return syntax.Constant(value=value, kind=NUMBER, span=self._span(meta))

    def given_fact(self, _: Any, items: list[Any]) -> syntax.GivenFact:
        scope, name = self._fact_name(items[0])
        return syntax.GivenFact(scope=scope, fact=name, value=items[1], span=self._at(items[0]))

    def given_audience(self, meta: Any, items: list[Token]) -> syntax.GivenAudience:
        return syntax.GivenAudience(experiment=self._text(items[0]), span=self._span(meta))

    def given_control(self, meta: Any, items: list[Token]) -> syntax.GivenAudience:
        experiment = self._text(items[0])
        return syntax.GivenAudience(experiment=experiment, control=True, span=self._span(meta))

    def given_pacing(self, meta: Any, items: list[Token]) -> syntax.GivenPacing:
        probability, medium = float(items[0]), self._text(items[1])
        if not 0 <= probability <= 1:
            what, hint = "probability", "Write a number from 0 to 1."
            self._wrong("S012", self._at(items[0]), word=str(items[0]), what=what, hint=hint)
        return syntax.GivenPacing(probability=probability, medium=medium, span=self._span(meta))

    def start_at(self, meta: Any, items: list[Token]) -> syntax.StartAt:
        _, day, clock, zone = items
        hours, minutes = map(int, clock.split(":"))
        when = f"{day} {clock}"
        try:
            date.fromisoformat(day)
            good = hours < 24 and minutes < 60
        except ValueError:
            good = False
        if not good:
            what, hint = "date or time of day", "Write it like `2026-11-23 10:00`."
            self._wrong("S012", self._at(day), word=when, what=what, hint=hint)
            return syntax.StartAt(date="1970-01-01", time="00:00", span=self._span(meta))
        return syntax.StartAt(
            date=str(day),
            time=f"{hours:02d}:{minutes:02d}",
            zone=self._zone(zone) if zone is not None else None,
            span=self._span(meta),
        )

    def after(self, meta: Any, items: list[Token]) -> syntax.After:
        return syntax.After(duration=self._duration(items[0]), span=self._span(meta))

    def arrival(self, _: Any, items: list[Any]) -> tuple[str | None, syntax.Record | None]:
        title, data = items
        return (self._text(title) if title is not None else None), data

    def enters(self, meta: Any, items: list[Any]) -> syntax.Enters:
        url, (title, data) = items
        return syntax.Enters(url=self._text(url), title=title, data=data, span=self._span(meta))

    def opens(self, meta: Any, items: list[Any]) -> syntax.Enters:
        url, _, (title, data) = items
        return syntax.Enters(
            url=self._text(url), title=title, data=data, new_tab=True, span=self._span(meta)
        )

    def leaves(self, meta: Any, _: Any) -> syntax.Leaves:
        return syntax.Leaves(span=self._span(meta))

    def returns(self, meta: Any, items: list[Token]) -> syntax.Returns:
        return syntax.Returns(duration=self._duration(items[0]), span=self._span(meta))

    def happens(self, meta: Any, items: list[Any]) -> syntax.Happens:
        return syntax.Happens(event=str(items[0]), data=items[1], span=self._span(meta))

    def sent_what(self, _: Any, items: list[Token]) -> str:
        return self._text(items[0]) if items[0].type == "TEXT" else str(items[0])

    def expect_sent(self, meta: Any, items: list[Any]) -> syntax.ExpectSent:
        count, name, _, url, data = items
        return syntax.ExpectSent(
            name=name,
            count=int(self._number(count, 1, "The number of messages")) if count else None,
            url=self._text(url) if url is not None else None,
            data=data,
            span=self._span(meta),
        )

    def expect_nothing(self, meta: Any, items: list[Any]) -> syntax.ExpectNothing:
        return syntax.ExpectNothing(otherwise=bool(items and items[0]), span=self._span(meta))

    def expect_fact(self, meta: Any, items: list[Any]) -> syntax.ExpectFact:
        path = syntax.Path(parts=tuple(items[0].split(".")), span=self._at(items[0]))
        return syntax.ExpectFact(path=path, value=items[1], span=self._span(meta))

    def reason(self, _: Any, items: list[Token]) -> Token:
        return items[0]

    def expect_refused(self, meta: Any, items: list[Any]) -> syntax.ExpectRefused:
        return syntax.ExpectRefused(
            strategy=self._text(items[0]), reason=str(items[1]), span=self._span(meta)
        )

    def scenario(self, meta: Any, items: list[Any]) -> syntax.Scenario:
        name, *steps = items
        return syntax.Scenario(name=self._title(name), steps=tuple(steps), span=self._span(meta))
