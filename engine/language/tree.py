"""Conditions and behaviour: the grammar's raw tree becomes the frozen values of syntax.py.

Each method is named after the rule of grammar.lark that it builds. Declarations and scenarios
are built on top of this, in declarations.py.
"""

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final, cast

from lark import Token

from engine.language import syntax
from engine.language.amounts import UNITS
from engine.language.diagnostics import Findings, did_you_mean
from engine.language.driver import Node
from engine.language.source import Source
from engine.language.spelling import nearest
from engine.vocabulary.kinds import BOOLEAN, DURATION, NUMBER, TEXT, TIME

LARGEST: Final = 10**15
"""Up to here every whole number is exact, whatever is done with it."""
LONGEST: Final = 36_500 * 86_400_000
"""A hundred years in ms."""
_ESCAPE: Final = re.compile(r"\\u[0-9a-fA-F]{4}|\\.")
_PLAIN_ESCAPES: Final = {'\\"': '"', "\\\\": "\\", "\\n": "\n", "\\t": "\t"}


SCOPES: Final = dict.fromkeys(
    ("user", "customer", "client", "shopper", "guest", "person", "he", "she", "they"), "visitor"
) | {"session": "visit"}
"""What others call a visitor or a visit."""

_METHODS: Final = {
    "includes": "has", "contains": "has", "has": "has", "startswith": "starts with",
    "endswith": "ends with", "match": "matches", "matches": "matches", "test": "matches",
    "equals": "=",
}  # fmt: skip
"""What programs call on a text."""

_ADDRESSES: Final = ("path", "page", "pages", "address", "site", "link", "uri", "urls")


def _last_day(token: Token) -> str:
    """What to write instead of a day that its month does not have."""
    year, month, _ = map(int, token.split("-"))
    if not (1 <= month <= 12 and year > 0):
        return "Write it like `2026-11-23`: year, month, day."
    return f"The last day of that month is `{year:04}-{month:02}-{monthrange(year, month)[1]}`."


class TermBuilder:
    """Builds conditions and rules. What is wrong with a single value is noted, not raised."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self.mended = False

    def build(self, node: Node) -> Any:
        """What a raw tree means: its parts first, then the method named after its rule."""
        parts = [self.build(child) if type(child) is Node else child for child in node.children]
        return getattr(self, node.name)(node, parts)

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
        return _ESCAPE.sub(lambda match: self._escape(token, match), written[1:-1])

    def _escape(self, token: Token, match: re.Match[str]) -> str:
        written = match.group()
        start = (token.start_pos or 0) + 1 + match.start()
        span = self._source.span(start, start + len(written))
        if written in _PLAIN_ESCAPES:
            return _PLAIN_ESCAPES[written]
        if written.startswith("\\u") and len(written) == 6:
            sign = chr(int(written[2:], 16))
            if "\ud800" <= sign <= "\udfff":  # half of a pair: no text on its own
                hint = "Write the sign itself; texts are UTF-8."
                self._wrong("S012", span, word=written, what="whole sign", hint=hint)
                return ""
            return sign
        self._wrong(
            "S012",
            span,
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

    def _date(self, token: Token) -> str:
        try:
            return date.fromisoformat(token).isoformat()
        except ValueError:
            hint = _last_day(token)
            self._wrong("S012", self._at(token), word=str(token), what="date", hint=hint)
            return "1970-01-01"

    def _percent(self, token: Token) -> float:
        value = float(token.rstrip("% \t\n"))
        if not 0 <= value <= 100:
            hint = "Write a share from 0% to 100%."
            self._wrong("S012", self._at(token), word=str(token), what="share", hint=hint)
        return min(max(value, 0.0), 100.0)

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
            case "DATE":
                return syntax.Constant(value=self._date(token), kind=TIME, span=span)
            case _:
                hint = "Declare `hours`, and write `now in` their name."
                self._wrong("P307", span, left=f"`{token}`", place="here", hint=hint)
                return syntax.Constant(value="1970-01-01", kind=TIME, span=span)

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

    def outside(self, meta: Any, items: list[Token]) -> syntax.Expr:
        name, argument = items
        method = name.rpartition(".")[2].lower()
        if method in _METHODS and not name.startswith("agents."):
            return self._method(meta, name, _METHODS[method], argument)
        if name != "agents.ready":
            is_near = name.startswith("agent") or name.endswith("ready")
            known = "Write `agents.ready`." if is_near else 'There is `agents.ready("chat")`.'
            self._wrong("N114", self._at(name), word=str(name), known=known)
        return syntax.Outside(
            name="agents.ready", argument=self._text(argument), span=self._span(meta)
        )

    def _method(self, meta: Any, name: Token, operator: str, argument: Token) -> syntax.Compare:
        """``event.title.includes("x")``, as programs ask."""
        asked = name.rpartition(".")[0]
        fixed = f"{asked} {operator} {argument}"
        span = self._span(meta)
        self._wrong("S007", span, word=f"{name}({argument})", fixed=fixed)
        left = syntax.Path(parts=tuple(asked.split(".")), span=self._at(name))
        right = syntax.Constant(value=self._text(argument), kind=TEXT, span=self._at(argument))
        return syntax.Compare(operator=operator, left=left, right=right, span=span)

    def aggregate(self, meta: Any, items: list[Any]) -> syntax.Aggregate:
        function, atom, window = items
        return syntax.Aggregate(
            function=cast("Any", str(function)), atom=atom, window=window, span=self._span(meta)
        )

    def since(self, meta: Any, items: list[Any]) -> syntax.Aggregate:
        return syntax.Aggregate(function="since", atom=items[0], span=self._span(meta))

    def pacing(self, meta: Any, items: list[Token]) -> syntax.Outside:
        return syntax.Outside(name="pacing", argument=self._text(items[0]), span=self._span(meta))

    def admits(self, meta: Any, items: list[Token]) -> syntax.Outside:
        return syntax.Outside(
            name="pacing admits", argument=self._text(items[0]), span=self._span(meta)
        )

    def now(self, meta: Any, _: Any) -> syntax.Clock:
        return syntax.Clock(what="now", span=self._span(meta))

    def weekday(self, meta: Any, _: Any) -> syntax.Clock:
        return syntax.Clock(what="weekday", span=self._span(meta))

    def in_hours_now(self, meta: Any, items: list[Token]) -> syntax.InHours:
        return syntax.InHours(hours=str(items[-1]), span=self._span(meta))

    def latest(self, meta: Any, items: list[Any]) -> syntax.Aggregate:
        function, (atom, field), window = items
        return syntax.Aggregate(
            function=cast("Any", str(function)),
            atom=atom,
            field=field,
            window=window,
            span=self._span(meta),
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
            word = items[0].lower()
            near = nearest(word, ["url"])
            is_address = word in _ADDRESSES or near is not None
            self._wrong(
                "P310",
                self._span(meta) if is_address else self._at(items[0]),
                word="" if is_address else str(items[0]),
                what=str(items[0]),
                text=str(items[1]),
                nearest=f"Write `url {items[1]}`." if is_address else "",
            )
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

    def alias(self, _: Any, items: list[Token]) -> tuple[str, Token]:
        return "as", items[0]

    def atom(self, meta: Any, items: list[Any]) -> syntax.Atom:
        (what, name), *tail = items
        alias = tail.pop()
        categories, where = self._atom_tail(tail)
        return syntax.Atom(
            what=cast("Any", what),
            name=str(name or ""),
            categories=categories,
            where=where,
            alias=str(alias[1]) if alias else None,
            span=self._span(meta),
        )

    def _atom_tail(self, items: Sequence[Any]) -> tuple[tuple[str, ...], Any]:
        categories = tuple(str(item) for item in items if isinstance(item, Token))
        where = next((i for i in items if i is not None and not isinstance(i, Token)), None)
        return categories, where

    def times(self, meta: Any, items: list[Any]) -> syntax.Times:
        count = int(self._number(items[0], 1, "The number before `times`"))
        if count > 1_000:
            self._wrong("P312", self._at(items[0]), what="The number before `times`", most="1,000")
        return syntax.Times(count=min(count, 1_000), atom=items[1], span=self._span(meta))

    def absent(self, meta: Any, items: list[Any]) -> syntax.Absent:
        return syntax.Absent(
            atom=items[0], duration=self._duration(items[1]), span=self._span(meta)
        )

    def all_of(self, meta: Any, items: list[Any]) -> syntax.AllOf:
        return syntax.AllOf(atoms=tuple(items[1:]), span=self._span(meta))

    def any_of(self, meta: Any, items: list[Any]) -> syntax.AnyOf:
        return syntax.AnyOf(atoms=tuple(items[1:]), span=self._span(meta))

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

    def audience_of(self, _: Any, items: list[Token]) -> bool:
        return items[0].type == "TO_EVERY_PAGE"

    def send_named(self, _: Any, items: list[Any]) -> syntax.SendAction:
        name, *arguments, every_page = items
        return syntax.SendAction(
            message=str(name),
            arguments=tuple(argument for argument in arguments if argument is not None),
            every_page=bool(every_page),
            span=self._at(name),
        )

    def send_here(self, meta: Any, items: list[Any]) -> syntax.SendAction:
        channel, data, every_page = items
        return syntax.SendAction(
            message=None,
            channel=str(channel),
            data=data,
            every_page=bool(every_page),
            span=self._span(meta),
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
            meant = SCOPES.get(scope.lower()) or nearest(scope, ("visit", "visitor"))
            near = did_you_mean(f"{meant}.{name}" if meant else None)
            self._wrong("N113", self._at(token), word=str(token), nearest=near, known=known)
            return meant or scope, name
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
