"""Operators: the phrase an analyst writes, the kinds it takes, what it means, and its evaluation.

Every evaluation is in three values: ``True``, ``False`` and ``None`` for unknown, which is what any
comparison with a missing value (``None``) or between different kinds gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import re2

Truth = bool | None


def shape(value: Any) -> str:
    """The kind of a raw value as comparison sees it: numbers, times and durations are one."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "nothing"


def equal(left: Any, right: Any) -> Truth:
    """``left = right``; unknown between different kinds."""
    kind = shape(left)
    if kind == "nothing" or kind != shape(right):
        return None
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Truth]:
    def evaluate(left: Any, right: Any) -> Truth:
        kind = shape(left)
        if kind not in ("number", "text") or kind != shape(right):
            return None
        return compare(left, right)

    return evaluate


def _texts(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], Truth]:
    def evaluate(left: Any, right: Any) -> Truth:
        if not isinstance(left, str) or not isinstance(right, str):
            return None
        return compare(left, right)

    return evaluate


def _different(left: Any, right: Any) -> Truth:
    same = equal(left, right)
    return None if same is None else not same


def _has(left: Any, right: Any) -> Truth:
    if isinstance(left, list):
        if right is None:
            return None
        return any(equal(item, right) is True for item in left)
    return _texts(lambda text, part: part in text)(left, right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One comparison: phrase, kinds of its sides, one sentence, an example, and its meaning."""

    phrase: str
    takes: str
    meaning: str
    example: str
    evaluate: Callable[[Any, Any], Truth]


COMPARISONS: Final = MappingProxyType(
    {
        operator.phrase: operator
        for operator in (
            Operator(
                phrase="=",
                takes="any",
                meaning="Both sides are the same value.",
                example='visit.stage = "hot"',
                evaluate=equal,
            ),
            Operator(
                phrase="!=",
                takes="any",
                meaning="The sides are different values of one kind.",
                example='visit.stage != "hot"',
                evaluate=_different,
            ),
            Operator(
                phrase="<",
                takes="ordered",
                meaning="The left side is smaller.",
                example="event.price < 100",
                evaluate=_ordered(lambda a, b: bool(a < b)),
            ),
            Operator(
                phrase="<=",
                takes="ordered",
                meaning="The left side is smaller or the same.",
                example="event.price <= 100",
                evaluate=_ordered(lambda a, b: bool(a <= b)),
            ),
            Operator(
                phrase=">",
                takes="ordered",
                meaning="The left side is larger.",
                example="event.price > 100",
                evaluate=_ordered(lambda a, b: bool(a > b)),
            ),
            Operator(
                phrase=">=",
                takes="ordered",
                meaning="The left side is larger or the same.",
                example="event.price >= 100",
                evaluate=_ordered(lambda a, b: bool(a >= b)),
            ),
            Operator(
                phrase="has",
                takes="text or list",
                meaning="The text contains the other text, or the list contains the item.",
                example='event.title has "Phone"',
                evaluate=_has,
            ),
            Operator(
                phrase="starts with",
                takes="text",
                meaning="The text begins with the other text.",
                example='event.path starts with "/products/"',
                evaluate=_texts(lambda a, b: a.startswith(b)),
            ),
            Operator(
                phrase="ends with",
                takes="text",
                meaning="The text ends with the other text.",
                example='event.path ends with ".pdf"',
                evaluate=_texts(lambda a, b: a.endswith(b)),
            ),
            Operator(
                phrase="matches",
                takes="text",
                meaning="The regular expression is found somewhere in the text (linear time).",
                example='event.path matches "^/p/[0-9]+$"',
                evaluate=_texts(lambda a, b: re2.search(b, a) is not None),
            ),
        )
    }
)
"""Every comparison by its phrase. ``in (..)``, ``is known`` and ``is missing`` have own forms."""


def arithmetic(operator: str, left: Any, right: Any) -> float | int | None:
    """``left + right`` and its like over numbers; missing when a side is, or not finite."""
    if shape(left) != "number" or shape(right) != "number":
        return None
    try:
        result = _ARITHMETIC[operator](left, right)
        # A whole number may be larger than any that has a fraction: asking that overflows too.
        return result if math.isfinite(result) else None
    except (ZeroDivisionError, OverflowError):
        return None


_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def conjunction(values: list[Truth]) -> Truth:
    """Kleene's and: false wins, then unknown."""
    if False in values:
        return False
    return None if None in values else True


def disjunction(values: list[Truth]) -> Truth:
    """Kleene's or: true wins, then unknown."""
    if True in values:
        return True
    return None if None in values else False
