"""What a condition can come out as when a visitor has done nothing for long, and messages went out.

Rolling windows have lost what the visitor did, times since have grown, what was sent again and
again has been counted, and facts are what the sender itself set them to. All else is not known:
it can be anything, so what comes out as never true never is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from engine.language import syntax
from engine.vocabulary.kinds import TIME
from engine.vocabulary.operators import COMPARISONS, Truth, conjunction, disjunction

LONG: Final = 12 * 3_600_000
"""Milliseconds of silence after which it is said to be long: half of what ends a visit."""
COUNTED: Final = 1_000
"""A window of sends may count no further."""
_ANYTHING: Final = frozenset((True, False, None))
_NO_VALUE: Final = frozenset((None,))
_MISSING: Final = ("latest", "min", "max", "average")

Values = frozenset[Any] | None
"""All values that there may be; None for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What is known: facts by scope and name, what was counted (``sent`` names), fields of a send.

    ``visit_counts``: what is sent goes to the visit that asks.
    """

    facts: Mapping[tuple[str, str], Values] = field(default_factory=dict)
    sent: frozenset[str | None] = frozenset()
    fields: Mapping[str, Values] = field(default_factory=dict)
    visit_counts: bool = True

    def truths(self, node: syntax.Expr) -> frozenset[Truth]:
        """Every truth that a condition may come out as."""
        match node:
            case syntax.And(items=items):
                return _joined(map(self.truths, items), conjunction)
            case syntax.Or(items=items):
                return _joined(map(self.truths, items), disjunction)
            case syntax.Not(item=item):
                return frozenset(None if t is None else not t for t in self.truths(item))
            case syntax.Compare(operator=operator, left=left, right=right):
                return self._compared(operator, left, right)
            case syntax.Among(item=item, values=values):
                equals = (self._compared("=", item, each) for each in values)
                return _joined(equals, disjunction)
            case syntax.Known(item=item, known=known):
                found = self._values(item)
                if found is None:
                    return frozenset((True, False))
                return frozenset((value is not None) is known for value in found)
            case _:
                found = self._values(node)
                if found is None:
                    return _ANYTHING
                return frozenset(value if isinstance(value, bool) else None for value in found)

    def _compared(self, operator: str, left: syntax.Expr, right: syntax.Expr) -> frozenset[Truth]:
        one, other = self._values(left), self._values(right)
        if _NO_VALUE in (one, other):
            return _NO_VALUE
        if one is None or other is None:
            return _ANYTHING
        return frozenset(COMPARISONS[operator].evaluate(a, b) for a, b in product(one, other))

    def _values(self, node: syntax.Expr) -> Values:
        match node:
            case syntax.Constant(value=value, kind=kind):
                return None if kind == TIME else frozenset((value,))
            case syntax.Path(parts=("visit", "duration")):
                return frozenset((LONG, math.inf, None))
            case syntax.Path(parts=("visit" | "visitor" as scope, name)):
                return self.facts.get((scope, name))
            case syntax.Path(parts=("event", name)):
                return self.fields.get(name)
            case syntax.Aggregate(atom=syntax.Atom(what="sent")):
                return self._of_sends(node)
            case syntax.Aggregate():
                return _of_events(node)
            case _:
                return None

    def _of_sends(self, call: syntax.Aggregate) -> Values:
        """What was sent again and again; a window that loses it in time says nothing."""
        window, atom = call.window, call.atom
        if window is None or atom.where is not None or atom.name not in self.sent:
            return None
        kept = window.reach == "ever" or (window.reach == "visit" and self.visit_counts)
        if not kept and (window.reach != "last" or window.duration < 2 * LONG):
            return None
        match call.function:
            case "seen":
                return frozenset((True,))
            case "count":
                return frozenset((COUNTED, math.inf))
            case _:
                return None


def _of_events(call: syntax.Aggregate) -> Values:
    if call.function == "since":
        return frozenset((LONG, math.inf))
    window = call.window
    if window is None or window.reach != "last" or window.duration > LONG:
        return None
    if call.function in _MISSING:
        return _NO_VALUE
    return frozenset((False if call.function == "seen" else 0,))


def _joined(
    parts: Iterable[frozenset[Truth]], join: Callable[[list[Truth]], Truth]
) -> frozenset[Truth]:
    """Joined two by two: in three values that is the same as all at once."""
    found: frozenset[Truth] | None = None
    for part in parts:
        found = part if found is None else frozenset(join([a, b]) for a in found for b in part)
    return _ANYTHING if found is None else found
