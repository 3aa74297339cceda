"""The way out where kinds of value do not fit: what to write to make them fit."""

from __future__ import annotations

import re

from engine.language import syntax
from engine.language.render import text, written
from engine.vocabulary.kinds import BOOLEAN, DURATION, NUMBER, TEXT, TIME, Kind

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TRUE: dict[str, str] = {"true": "true", "yes": "true", "false": "false", "no": "false"}


def as_kind(node: syntax.Expr, wanted: Kind) -> str:
    """A constant of another kind, as it would be one of the wanted kind; or nothing."""
    if not isinstance(node, syntax.Constant):
        return ""
    value = str(node.value)
    if node.kind == TEXT and wanted == NUMBER and value.replace(".", "", 1).isdecimal():
        return f"Write `{value}` without quotes."
    if node.kind == TEXT and wanted == BOOLEAN and value.lower() in _TRUE:
        return f"Write `{_TRUE[value.lower()]}` without quotes."
    if wanted == BOOLEAN and node.kind == NUMBER and node.value in (0, 1):
        return f"Write `{'true' if node.value else 'false'}`."
    if wanted.word == "list" and node.kind == wanted.item:
        return f"Write `[{written(node)}]`."
    if wanted == TEXT and node.kind in (NUMBER, BOOLEAN):
        return f"Put it in quotes: `{text(written(node))}`."
    if wanted == TIME and node.kind == TEXT and _DATE.fullmatch(value):
        return f"Write `{value}` without quotes."
    if wanted == DURATION and node.kind == NUMBER:
        return f"Write a unit too, such as `{written(node)} s` or `{written(node)} min`."
    return ""


def same_kind(left: syntax.Expr, right: syntax.Expr, wanted: Kind) -> str:
    """How two sides become of one kind."""
    if wanted.word == "list":
        return f"Write `{written(left)} has {written(right)}`."
    return as_kind(right, wanted) or "Compare two values of one kind."


def given(node: object, wanted: Kind) -> str:
    """What to give where a value of a kind is wanted."""
    fixed = as_kind(node, wanted) if isinstance(node, syntax.Constant) else ""
    return fixed or f"Give it a {wanted}."


def compared(
    node: syntax.Expr, kind: Kind, before: syntax.Expr | None, *, in_category: bool
) -> str:
    """How something that is neither true nor false becomes a condition."""
    if isinstance(node, syntax.Constant) and kind == TEXT:
        if in_category and str(node.value).startswith("/"):
            return f"Write `url {written(node)}`."
        if isinstance(before, syntax.Compare):
            return f"Compare it too: `{written(before.left)} {before.operator} {written(node)}`."
        if isinstance(before, syntax.Among):
            return f"Put it in the brackets: `in (.., {written(node)})`."
        return "Compare it with a value."
    values = {NUMBER: "> 0", DURATION: "> 5 min", TEXT: '= ".."', TIME: "> 2026-11-23"}
    if isinstance(node, syntax.Constant) or kind not in values:
        return "Compare it with a value."
    return f"Compare it with a value, such as `{written(node)} {values[kind]}`."


def other_comparison(node: syntax.Compare) -> str:
    """What to write instead of a comparison that does not fit its sides."""
    asked = node.left
    if isinstance(asked, syntax.Aggregate) and asked.function == "seen":
        count = written(asked).replace("seen", "count", 1)
        return f"Write `{count} {node.operator} {written(node.right)}`."
    return "Use another comparison, such as `=`."
