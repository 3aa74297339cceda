"""The grammar's raw tree becomes the frozen values of syntax.py, numbers and times read.

Each method is named after the rule of grammar.lark that it builds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lark import Token, Transformer, v_args

from engine.language import syntax
from engine.language.diagnostics import Findings
from engine.language.lexer import UNITS
from engine.language.source import Source
from engine.vocabulary.kinds import BOOLEAN, BY_WORD, DURATION, NUMBER, TEXT, TIME, Kind

EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
LARGEST: Final = 10**15
"""Up to here every whole number is exact, whatever is done with it."""
LONGEST: Final = 36_500 * 86_400_000
"""A hundred years in ms."""
_ESCAPE: Final = re.compile(r"\\u[0-9a-fA-F]{4}|\\.")
_PLAIN_ESCAPES: Final = {'\\"': '"', "\\\\": "\\", "\\n": "\n", "\\t": "\t"}


@v_args(meta=True)
class TreeBuilder(Transformer[Token, Any]):
    """Builds one declaration. What is wrong with a single value is noted, not raised."""

    def __init__(self, source: Source, findings: Findings) -> None:
        super().__init__()
        self._source = source
        self._findings = findings
        self.mended = False

    # ------------------------------------------------- places and values

    def _span(self, meta: Any) -> syntax.Span:
        if meta.empty:
            return self._source.span(0, 0)
        return self._source.span(meta.start_pos, meta.end_pos)

    def _at(self, token: Token) -> syntax.Span:
        return self._source.span(token.start_pos or 0, token.end_pos or 0)

    def _wrong(self, code: str, span: syntax.Span, **words: Any) -> None:
        self.mended = True
        self._findings.add(code, span, **words)

    def _text(self, token: Token | None) -> str:
        if token is None:
            return ""
        written = str(token)
        if written.startswith('"""'):
            return written[3:-3]
        return _ESCAPE.sub(lambda match: self._escape(token, match.group()), written[1:-1])

    def _escape(self, token: Token, written: str) -> str:
        if written in _PLAIN_ESCAPES:
            return _PLAIN_ESCAPES[written]
        if written.startswith("\\u") and len(written) == 6:
            sign = chr(int(written[2:], 16))
            if "\ud800" <= sign <= "\udfff":  # half of a pair: no text on its own
                hint = "Write the sign itself; texts are UTF-8."
                self._wrong("S012", self._at(token), word=written, what="whole sign", hint=hint)
                return ""
            return sign
        self._wrong(
            "S012",
            self._at(token),
            word=written,
            what="sign in a text",
            hint='Write `\\\\` for a backslash, `\\"` for a quote.',
        )
        return written

    def _number(self, token: Token, least: float | None = None, what: str = "") -> float | int:
        value = float(token)
        if value > LARGEST:
            self._wrong("P312", self._at(token), what="A number", most=f"{LARGEST:,}")
            return LARGEST
        if re.fullmatch(r"0|[1-9]\d*(\.\d+)?", token):
            value = json.loads(token)
        if least is not None and (value < least or value != int(value)):
            self._wrong("P306", self._at(token), what=what, least=f"{least:g}, and whole")
            return int(max(value, least))
        return cast("float | int", value)

    def _duration(self, token: Token) -> int:
        number, unit = str(token).split()
        milliseconds = float(number) * UNITS[unit]
        if milliseconds > LONGEST:
            self._wrong("P312", self._at(token), what="A time", most="36,500 d")
            return LONGEST
        if milliseconds < 1 or milliseconds != int(milliseconds):
            self._wrong("P306", self._at(token), what="A time", least="1 ms, and whole")
        return int(milliseconds) or 1

    # ------------------------------------------------- conditions

    def constant(self, meta: Any, items: list[Token]) -> syntax.Constant:
        token, span = items[0], self._span(meta)
        match token.type:
            case "TEXT":
                return syntax.Constant(value=self._text(token), kind=TEXT, span=span)
            case "NUMBER":
                return syntax.Constant(value=self._number(token), kind=NUMBER, span=span)
            case "DURATION":
                return syntax.Constant(value=self._duration(token), kind=DURATION, span=span)
            case "TRUE" | "FALSE":
                return syntax.Constant(value=token.type == "TRUE", kind=BOOLEAN, span=span)
            case _:
                self._wrong("S011", span, word=str(token))
                return syntax.Constant(value=str(token), kind=TIME, span=span)

    def negative(self, meta: Any, items: list[Any]) -> syntax.Expr:
        inner = items[-1]
        if isinstance(inner, syntax.Constant) and inner.kind == NUMBER:
            return replace(inner, value=-cast("float", inner.value), span=self._span(meta))
        zero = syntax.Constant(value=0, kind=NUMBER)
        return syntax.Arithmetic(operator="-", left=zero, right=inner, span=self._span(meta))

    def path(self, meta: Any, items: list[Token]) -> syntax.Path:
        return syntax.Path(parts=tuple(items[0].split(".")), span=self._span(meta))

    def short_path(self, meta: Any, items: list[Token]) -> syntax.Path:
        return syntax.Path(parts=(str(items[0]),), span=self._span(meta))

    def outside(self, meta: Any, items: list[Token]) -> syntax.Outside:
        name, argument = items
        if name != "agents.ready":
            near = "" if not name.startswith("agents.") else "Did you mean `agents.ready`? "
            self._wrong("N114", self._at(name), word=str(name), nearest=near)
        return syntax.Outside(
            name="agents.ready", argument=self._text(argument), span=self._span(meta)
        )

    def aggregate(self, meta: Any, items: list[Any]) -> syntax.Aggregate:
        function, atom, window = items
        return syntax.Aggregate(
            function=cast("Any", str(function)), atom=atom, window=window, span=self._span(meta)
        )

    def since(self, meta: Any, items: list[Any]) -> syntax.Aggregate:
        return syntax.Aggregate(function="since", atom=items[0], span=self._span(meta))

    def latest(self, meta: Any, items: list[Any]) -> syntax.Aggregate:
        (atom, field), window = items
        return syntax.Aggregate(
            function="latest", atom=atom, field=field, window=window, span=self._span(meta)
        )

    def latest_atom(self, meta: Any, items: list[Any]) -> tuple[syntax.Atom, tuple[str, ...]]:
        name, *field = items[0].split(".")
        categories, where = self._atom_tail(items[1:])
        atom = syntax.Atom(
            what="event", name=name, categories=categories, where=where, span=self._span(meta)
        )
        return atom, tuple(field)

    def last_window(self, meta: Any, items: list[Token]) -> syntax.Window:
        return syntax.Window(reach="last", duration=self._duration(items[0]), span=self._span(meta))

    def page_window(self, meta: Any, _: Any) -> syntax.Window:
        return syntax.Window(reach="page", span=self._span(meta))

    def visit_window(self, meta: Any, _: Any) -> syntax.Window:
        return syntax.Window(reach="visit", span=self._span(meta))

    def ever_window(self, meta: Any, _: Any) -> syntax.Window:
        return syntax.Window(reach="ever", span=self._span(meta))

    def comparator(self, _: Any, items: list[Token]) -> Token:
        return items[0].update(value=" ".join(items[0].split()))

    def compare(self, meta: Any, items: list[Any]) -> syntax.Compare:
        left, operator, right = items
        return syntax.Compare(operator=str(operator), left=left, right=right, span=self._span(meta))

    def among(self, meta: Any, items: list[Any]) -> syntax.Among:
        return syntax.Among(item=items[0], values=tuple(items[1:]), span=self._span(meta))

    def in_categories(self, meta: Any, items: list[Token]) -> syntax.InCategories:
        return syntax.InCategories(
            categories=tuple(str(item) for item in items), span=self._span(meta)
        )

    def known(self, meta: Any, items: list[Any]) -> syntax.Known:
        return syntax.Known(item=items[0], known=True, span=self._span(meta))

    def missing(self, meta: Any, items: list[Any]) -> syntax.Known:
        return syntax.Known(item=items[0], known=False, span=self._span(meta))

    def glob(self, meta: Any, items: list[Token]) -> syntax.Glob:
        if items[0] != "url":
            self._wrong("P310", self._at(items[0]))
        return syntax.Glob(pattern=self._text(items[1]), span=self._span(meta))

    def arithmetic(self, meta: Any, items: list[Any]) -> syntax.Arithmetic:
        left, operator, right = items
        return syntax.Arithmetic(
            operator=cast("Any", str(operator)), left=left, right=right, span=self._span(meta)
        )

    def negate(self, meta: Any, items: list[Any]) -> syntax.Not:
        return syntax.Not(item=items[0], span=self._span(meta))

    def conjoin(self, meta: Any, items: list[Any]) -> syntax.And:
        return syntax.And(items=tuple(items), span=self._span(meta))

    def disjoin(self, meta: Any, items: list[Any]) -> syntax.Or:
        return syntax.Or(items=tuple(items), span=self._span(meta))

    def bracket(self, _: Any, items: list[Any]) -> Any:
        return items[0]

    # ------------------------------------------------- records

    def entry(self, _: Any, items: list[Any]) -> tuple[Token, Any]:
        return items[0], items[1]

    def record(self, meta: Any, items: list[Any]) -> syntax.Record:
        entries: dict[str, Any] = {}
        for key, value in (item for item in items if item is not None):
            name = self._text(key) if key.startswith('"') else str(key)
            if name in entries:
                self._wrong("S013", self._at(key), word=name)
            entries[name] = value
        return syntax.Record(entries=tuple(entries.items()), span=self._span(meta))

    def sequence(self, meta: Any, items: list[Any]) -> syntax.List:
        kept = tuple(item for item in items if item is not None)
        return syntax.List(items=kept, span=self._span(meta))

    # ------------------------------------------------- behaviour

    def named(self, _: Any, items: list[Token]) -> tuple[str, Token]:
        return "event", items[0]

    def any_event(self, _: Any, __: list[Token]) -> tuple[str, None]:
        return "any", None

    def sent_name(self, _: Any, items: list[Token]) -> tuple[str, Token]:
        return "sent", items[0]

    def sent_text(self, _: Any, items: list[Token]) -> tuple[str, Token]:
        return "sent", items[0].update(value=self._text(items[0]))

    def atom(self, meta: Any, items: list[Any]) -> syntax.Atom:
        (what, name), *tail = items
        categories, where = self._atom_tail(tail)
        return syntax.Atom(
            what=cast("Any", what),
            name=str(name or ""),
            categories=categories,
            where=where,
            span=self._span(meta),
        )

    def _atom_tail(self, items: Sequence[Any]) -> tuple[tuple[str, ...], Any]:
        categories = tuple(str(item) for item in items if isinstance(item, Token))
        where = next((i for i in items if i is not None and not isinstance(i, Token)), None)
        return categories, where

    def times(self, meta: Any, items: list[Any]) -> syntax.Times:
        count = int(self._number(items[0], 1, "The number before `times`"))
        if count > 1_000:
            self._wrong(
                "P306",
                self._at(items[0]),
                what="The number before `times`",
                least="1 and at most 1000",
            )
        return syntax.Times(count=min(count, 1_000), atom=items[1], span=self._span(meta))

    def absent(self, meta: Any, items: list[Any]) -> syntax.Absent:
        return syntax.Absent(
            atom=items[0], duration=self._duration(items[1]), span=self._span(meta)
        )

    def then(self, meta: Any, items: list[Any]) -> tuple[str, Any, Any]:
        return "then", items[0], meta

    def stays(self, meta: Any, items: list[Any]) -> tuple[str, Any, Any]:
        return "stays", self._duration(items[0]), meta

    def within(self, meta: Any, items: list[Any]) -> tuple[str, Any, Any]:
        return "within", self._duration(items[0]), meta

    def per(self, meta: Any, items: list[Any]) -> tuple[str, Any, Any]:
        return "per", items[0], meta

    def scope(self, _: Any, items: list[Token]) -> str:
        return str(items[0])

    def pattern(self, meta: Any, items: list[Any]) -> syntax.Pattern:
        parts: list[syntax.Part] = [items[0]]
        said: dict[str, Any] = {}
        for word, value, place in items[1:]:
            if word == "then" and said:
                self._wrong("P304", self._span(place))
            elif word in said:
                self._wrong("S013", self._span(place), word=word)
            if word == "then":
                parts.append(value)
            else:
                said[word] = value
        if "stays" in said:
            exit_ = syntax.Atom(what="event", name="PageExited", span=self._span(meta))
            stay = syntax.Absent(
                atom=exit_, duration=said["stays"], same_page=True, span=self._span(meta)
            )
            parts.append(stay)
        return syntax.Pattern(
            parts=tuple(parts),
            within=said.get("within"),
            per=said.get("per", "visit"),
            span=self._span(meta),
        )

    def broken_pattern(self, meta: Any, _: Any) -> syntax.Pattern:
        self.mended = True
        return syntax.Pattern(parts=(), span=self._span(meta))

    def when(self, _: Any, items: list[Any]) -> Any:
        return items[0]

    def unless(self, _: Any, items: list[Any]) -> Any:
        return items[0]

    def send_named(self, _: Any, items: list[Token]) -> syntax.SendAction:
        return syntax.SendAction(message=str(items[0]), span=self._at(items[0]))

    def send_here(self, meta: Any, items: list[Any]) -> syntax.SendAction:
        return syntax.SendAction(
            message=None, channel=str(items[0]), data=items[1], span=self._span(meta)
        )

    def attach(self, _: Any, items: list[Any]) -> syntax.Record:
        return cast("syntax.Record", items[0])

    def assign(self, _: Any, items: list[Any]) -> syntax.SetAction:
        scope, name = self._fact_name(items[0])
        return syntax.SetAction(scope=scope, fact=name, value=items[1], span=self._at(items[0]))

    def _fact_name(self, token: Token) -> tuple[Any, str]:
        scope, _, name = token.partition(".")
        if scope not in ("visit", "visitor"):
            known = "A fact begins with `visit.` or `visitor.`."
            self._wrong("N113", self._at(token), word=str(token), nearest="", known=known)
        return scope, name

    def action(self, _: Any, items: list[Any]) -> Any:
        return items[0]

    def rule(self, meta: Any, items: list[Any]) -> syntax.Rule:
        pattern, when, unless, *actions = items
        attached = [action for action in actions if isinstance(action, syntax.Record)]
        for second in attached[1:]:
            self._wrong("S013", second.span, word="attach")
        return syntax.Rule(
            pattern=pattern,
            when=when,
            unless=unless,
            sends=tuple(a for a in actions if isinstance(a, syntax.SendAction)),
            attach=attached[0] if attached else None,
            sets=tuple(a for a in actions if isinstance(a, syntax.SetAction)),
            span=self._span(meta),
        )

    # ------------------------------------------------- declarations

    def start(self, _: Any, items: list[Any]) -> syntax.Declaration:
        return cast("syntax.Declaration", items[0])

    def kind(self, _: Any, items: list[Token]) -> Kind:
        return BY_WORD[str(items[0])]

    def list_kind(self, _: Any, items: list[Token]) -> Kind:
        return Kind("list", BY_WORD[str(items[-1])])

    def field(self, meta: Any, items: list[Any]) -> syntax.FieldDeclaration:
        return syntax.FieldDeclaration(
            path=tuple(items[0].split(".")), kind=items[1], span=self._span(meta)
        )

    def event(self, meta: Any, items: list[Any]) -> syntax.EventDeclaration:
        name, description, *fields = items
        return syntax.EventDeclaration(
            name=str(name),
            description=self._text(description),
            fields=tuple(fields),
            span=self._span(meta),
        )

    def fact(self, meta: Any, items: list[Any]) -> syntax.Fact:
        path, kind, default, *sources = items
        scope, name = self._fact_name(path)
        if default is not None and not kind.admits(default.value):
            self._wrong(
                "T205",
                default.span,
                word=str(path),
                kind=f"a {kind}",
                left_kind=f"a {default.kind}",
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
        name, channel, data = items
        return syntax.Message(
            name=str(name), channel=str(channel), data=data, span=self._span(meta)
        )

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
            name=self._text(name),
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

    def start_at(self, meta: Any, items: list[Any]) -> syntax.StartAt:
        _, day, clock, zone = items
        return syntax.StartAt(time=self._moment(day, clock, zone), span=self._span(meta))

    def _moment(self, day: Token, clock: Token, zone: Token | None) -> int:
        try:
            hours, minutes = str(clock).split(":")
            when = datetime.combine(
                date.fromisoformat(day), datetime.min.time().replace(int(hours), int(minutes))
            )
        except ValueError:
            what = "date or time of day"
            hint = "Write it like `2026-11-23 10:00`."
            self._wrong("S012", self._at(day), word=f"{day} {clock}", what=what, hint=hint)
            return 0
        name = self._text(zone) if zone is not None else "UTC"
        try:
            when = when.replace(tzinfo=ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            assert zone is not None, "UTC is always known"
            self._wrong("T208", self._at(zone), word=name)
            return 0
        return (when - EPOCH) // timedelta(milliseconds=1)

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
        return syntax.Scenario(name=self._text(name), steps=tuple(steps), span=self._span(meta))
