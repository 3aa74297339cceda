"""Why a strategy invited, in words for an agent: what the visitor did, and what else held."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from engine.language import syntax
from engine.language.render import (
    atom_written,
    duration,
    part_written,
    window_written,
    written,
)

_OPERATORS: Final = {
    "=": "is",
    "!=": "is not",
    ">": "is more than",
    ">=": "is at least",
    "<": "is less than",
    "<=": "is at most",
}
_AGGREGATES: Final = {
    "count": "the number of {}",
    "sum": "the sum of {}",
    "min": "the smallest {}",
    "max": "the largest {}",
    "average": "the average {}",
    "latest": "the latest {}",
    "since": "the time since {}",
}
_WITHIN: Final = {"last": "in the", "visit": "in", "page": "on"}


def reason(book: syntax.Book, strategy: str, rule: int) -> dict[str, Any] | None:
    """What had to hold for the rule at this place, as the book says it now; None if it is gone.

    ``description`` is the analyst's own sentence (or empty), ``steps`` what happened, in order,
    ``conditions`` what else held, ``exceptions`` what did not.
    """
    found = book.strategies.get(strategy)
    if found is None or not 0 <= rule < len(found.rules):
        return None
    meant = found.rules[rule]
    return {
        "description": found.description,
        "steps": list(_steps(meant.pattern)),
        "conditions": [_said(one) for one in _all(meant.when)],
        "exceptions": [_said(one) for one in _any(meant.unless)],
    }


def _steps(pattern: syntax.Pattern) -> Iterator[str]:
    for part in pattern.parts:
        if isinstance(part, syntax.Absent) and part.same_page:
            yield f"stayed there for {duration(part.duration)}"
        else:
            yield part_written(part)
    if pattern.within is not None:
        yield f"all within {duration(pattern.within)}"


def _all(node: syntax.Expr | None) -> tuple[syntax.Expr, ...]:
    if node is None:
        return ()
    return node.items if isinstance(node, syntax.And) else (node,)


def _any(node: syntax.Expr | None) -> tuple[syntax.Expr, ...]:
    if node is None:
        return ()
    return node.items if isinstance(node, syntax.Or) else (node,)


def _said(node: syntax.Expr) -> str:
    match node:
        case syntax.Compare(operator=operator, left=left, right=right) if operator in _OPERATORS:
            return f"{_named(left)} {_OPERATORS[operator]} {_named(right)}"
        case syntax.And(items=items):
            return " and ".join(map(_said, items))
        case syntax.Or(items=items):
            return " or ".join(map(_said, items))
        case syntax.Not(item=item):
            return f"not: {_said(item)}"
        case syntax.Aggregate(function="seen", atom=atom, window=window):
            return f"{atom_written(atom)} was seen{_during(window)}"
        case syntax.InHours(hours=hours):
            return f"it is within {hours}"
        case syntax.Path(parts=("visitor" | "visit" as owner, *names)) if names:
            return f"the {owner} is marked “{_spaced(names)}”"
        case syntax.Path():
            return _named(node)
        case _:
            return written(node)


def _named(node: syntax.Expr) -> str:
    match node:
        case syntax.Aggregate(function=function, atom=atom, field=field, window=window) if (
            function in _AGGREGATES
        ):
            return _AGGREGATES[function].format(atom_written(atom, field)) + _during(window)
        case syntax.Outside(name="agents.ready", argument=medium):
            return f"the number of agents ready for {medium}"
        case syntax.Path(parts=("visitor" | "visit" | "event" as owner, *names)) if names:
            return f"the {owner}'s {_spaced(names)}"
        case _:
            return written(node)


def _spaced(names: Sequence[str]) -> str:
    """Names as words: ``dislikesChat`` is "dislikes chat"."""
    return " ".join(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower() for name in names)


def _during(window: syntax.Window | None) -> str:
    if window is None or window.reach == "ever":
        return ""
    return f" {_WITHIN[window.reach]} {window_written(window)}"
