"""The boundaries of a book: where its answer turns, and which story line would try each side.

A boundary is a number that an analyst has written and may have meant one larger or smaller: the
constant of a comparison by size, a window, a silence, a count, a limit. It is tried when stories
have been *near* it on both sides. Near is within half of it (or within one, for whole numbers;
whatever is beyond zero is near zero): close enough for a wrong unit to show, and far enough for a
story of round numbers.

Of a comparison one side is the constant itself, the other a value on the other side; a story has
tried it when nothing else decided: were this comparison answered the other way, the whole condition
would be, and with it whether the rule acts. All windows are half-open: what is exactly D old is
outside. So a story tries the outside of a window by writing the duration itself, and the inside
with anything shorter, from half of it on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from engine.language import syntax
from engine.language.amounts import UNITS
from engine.language.render import duration, part_written, written
from engine.runtime.aggregates import aggregates_in
from engine.trials.lacks import spoken
from engine.trials.progress import atoms_of

Side = Literal["in", "out"]
"""``in``: the constant itself, or still inside; ``out``: beyond it, or no longer inside."""

Kind = Literal["threshold", "within", "silence", "window", "times", "limit", "rate"]
"""A ``rate`` is the duration of ``limit N in D``; its N is a ``limit``."""

Key = tuple[Kind, syntax.Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """One boundary: ``missing`` says of each side that it was not tried, and what would try it."""

    kind: Kind
    span: syntax.Span
    missing: Mapping[Side, str]
    cell: syntax.Span | None = None

    @property
    def place(self) -> syntax.Span:
        """Where to look for it: in a table the condition begins in the head, far from its row."""
        return self.cell or self.span

    @property
    def key(self) -> Key:
        """What it is known by: what is written once is one boundary, whoever uses it."""
        return self.kind, self.span


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A comparison by size: ``value`` stands left of ``operator``, ``limit`` right of it."""

    node: syntax.Compare
    value: syntax.Expr
    operator: str
    limit: float
    lasting: bool
    constant: syntax.Span

    @property
    def beyond(self) -> int:
        """In which direction the answer turns: the constant itself is on the other side."""
        return -1 if self.operator in (">=", "<") else 1

    def side(self, value: object) -> Side | None:
        """On which side a value is; None when it is not near, or no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if value == self.limit:
            return "in"
        return "out" if (value - self.limit) * self.beyond > 0 and near(value, self.limit) else None


def near(value: float, limit: float) -> bool:
    """Is a value so close to a boundary that it shows where the boundary is?"""
    if limit == 0:
        return math.isfinite(value)
    margin = abs(limit) / 2
    if limit == int(limit):
        margin = max(margin, 1)
    return abs(value - limit) <= margin


def side_of(age: int, window: int) -> Side | None:
    """On which side of a window something is that is so old; None when it is not near."""
    if not near(age, window):
        return None
    return "in" if age < window else "out"


# ---------------------------------------------------------------- where they are


def boundaries(book: syntax.Book) -> tuple[Boundary, ...]:
    """All boundaries of the rules and categories of a book, each once.

    Guarantees have none: no story may show what they forbid.
    """
    found: dict[Key, Boundary] = {}
    for boundary in _all(book):
        found.setdefault(boundary.key, boundary)
    return tuple(found.values())


def _all(book: syntax.Book) -> Iterator[Boundary]:
    for strategy in book.strategies.values():
        group = book.groups.get(strategy.group or "")
        for limit in (*strategy.limits, *(group.limits if group else ())):
            yield from _limit(limit)
        for rule in strategy.rules:
            yield from _pattern(rule.pattern)
            for node in windows_of(rule, book):
                yield _window(node)
            yield from _of_rule(rule)
    for category in book.categories.values():
        for threshold in thresholds(category.condition):
            about = _declaring(threshold.value, book)
            yield _threshold(threshold, about, alone=threshold.node is category.condition)


def windows_of(rule: syntax.Rule, book: syntax.Book) -> list[syntax.Aggregate]:
    """The aggregates over a rolling window that a rule asks for, in its messages as well."""
    messages = tuple(book.messages[send.message] for send in rule.sends if send.message)
    found = aggregates_in((rule.when, rule.unless, rule.sends, rule.attach, rule.sets, messages))
    return [node for node in found if node.window is not None and node.window.reach == "last"]


def _of_rule(rule: syntax.Rule) -> Iterator[Boundary]:
    """Each comparison by size, with the atom that its ``event`` fits when there is only one."""
    completing = atoms_of([p for p in rule.pattern.parts if not isinstance(p, syntax.Absent)][-1])
    about = completing[0] if len(completing) == 1 else None
    for guard, other in ((rule.when, rule.unless), (rule.unless, rule.when)):
        for threshold in thresholds(guard):
            alone = threshold.node is guard and other is None
            yield _threshold(threshold, about, alone=alone)
    for atom in (*awaited(rule.pattern), *asked(rule)):
        for threshold in thresholds(atom.where):
            yield _threshold(threshold, atom, alone=threshold.node is atom.where)


def _declaring(value: syntax.Expr, book: syntax.Book) -> syntax.Atom | None:
    """An event of the book that has the field which a category looks at."""
    if isinstance(value, syntax.Path) and value.parts[0] == "event":
        for event in book.events.values():
            if any(field.path == value.parts[1:] for field in event.fields):
                return syntax.Atom(what="event", name=event.name)
    return None


def awaited(pattern: syntax.Pattern) -> Iterator[syntax.Atom]:
    """The atoms of a pattern."""
    for part in pattern.parts:
        yield from atoms_of(part)


def asked(rule: syntax.Rule) -> list[syntax.Atom]:
    """The atoms of the aggregates in the guards of a rule."""
    return [node.atom for node in aggregates_in((rule.when, rule.unless))]


def leaves(node: syntax.Expr | None) -> Iterator[syntax.Expr]:
    """The single conditions of a condition."""
    match node:
        case None:
            return
        case syntax.And(items=items) | syntax.Or(items=items):
            for item in items:
                yield from leaves(item)
        case syntax.Not(item=item):
            yield from leaves(item)
        case _:
            yield node


_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def thresholds(node: syntax.Expr | None) -> Iterator[Threshold]:
    """The comparisons by size with a number or a length of time in a condition."""
    for leaf in leaves(node):
        if isinstance(leaf, syntax.Compare) and leaf.operator in _MIRRORED:
            limit, value, operator = leaf.right, leaf.left, leaf.operator
            if isinstance(leaf.left, syntax.Constant):
                limit, value, operator = leaf.left, leaf.right, _MIRRORED[operator]
            if isinstance(limit, syntax.Constant) and not isinstance(limit.value, str | bool):
                yield Threshold(
                    node=leaf,
                    value=value,
                    operator=operator,
                    limit=limit.value,
                    lasting=limit.kind.word == "duration",
                    constant=limit.span,
                )


# ---------------------------------------------------------------- which line would try them


def _threshold(threshold: Threshold, about: syntax.Atom | None, *, alone: bool) -> Boundary:
    limit, beyond = threshold.limit, threshold.beyond
    other = float(f"{limit + beyond * _step(limit, lasting=threshold.lasting):.12g}")
    at, past = (spoken(value, lasting=threshold.lasting) for value in (limit, other))
    side = "below" if beyond < 0 else "above"
    said = f"`{written(threshold.node)}`"
    rest = "" if alone else ", where nothing else decides"
    return Boundary(
        kind="threshold",
        span=threshold.node.span,
        cell=threshold.constant,
        missing={
            "in": f"no story turns on exactly {at} at {said}: "
            f"{_line(threshold.value, at, about)}{rest}",
            "out": f"no story turns on a little {side} {at} at {said}: "
            f"{_line(threshold.value, past, about)}{rest}",
        },
    )


def _step(limit: float, *, lasting: bool) -> float:
    """How far the example beyond a constant is from it."""
    if lasting:
        return limit - _shorter(int(limit))
    return 1 if limit == int(limit) else abs(limit) / 10


def _line(value: syntax.Expr, said: str, about: syntax.Atom | None) -> str:
    """What a story would say to give a value."""
    match value:
        case syntax.Path(parts=("event", *path)) if path and about is not None and about.name:
            return f"`{about.name} {_data(path, said)}`"
        case syntax.Aggregate(function="latest", atom=atom, field=field) if atom.name:
            return f"`{atom.name} {_data(field, said)}`"
        case syntax.Aggregate(function="count"):
            return f"let there be {said}"
        case syntax.Aggregate(function="since") | syntax.Path(parts=("visit", "duration")):
            return f"let it be `after {said}`"
        case syntax.Outside(name="agents.ready", argument=medium):
            return f'`given {said} agents ready for "{medium}"`'
        case syntax.Outside(argument=medium):
            return f'`given pacing {said} for "{medium}"`'
        case syntax.Path(parts=("visit", "pages")):
            return f"let it be page {said} of the visit"
        case syntax.Path(parts=("visit" | "visitor", _)):
            return f"`given {written(value)} = {said}`"
    return f"let it be {said}"


def _data(path: tuple[str, ...] | list[str], said: str) -> str:
    for name in reversed(path):
        said = f"{{ {name}: {said} }}"
    return said


def _pattern(pattern: syntax.Pattern) -> Iterator[Boundary]:
    within = pattern.within
    if within is not None and has_within(pattern):
        said = f"`within {duration(within)}`"
        yield Boundary(
            kind="within",
            span=pattern.span,
            missing={
                "in": f"no story just keeps {said}: let its last event come "
                f"{duration(_shorter(within))} after its first",
                "out": f"no story just misses {said}: let its last event come "
                f"{duration(within)} after its first",
            },
        )
    for part in pattern.parts:
        if isinstance(part, syntax.Absent):
            yield _silence(part)
        elif isinstance(part, syntax.Times) and part.count > 1:
            said = f"`{part_written(part)}`"
            missing = f"no story comes to the last of {said}: let there be {part.count}"
            yield Boundary(kind="times", span=part.span, missing={"in": missing})


def has_within(pattern: syntax.Pattern) -> bool:
    """Is the window of a pattern ever tested? (Not when one event alone begins and ends it.)"""
    parts = [part for part in pattern.parts if not isinstance(part, syntax.Absent)]
    return len(parts) > 1 or isinstance(parts[0], syntax.AllOf | syntax.Times)


def _silence(part: syntax.Absent) -> Boundary:
    length, shorter = duration(part.duration), duration(_shorter(part.duration))
    said = f"`stays {length}`" if part.same_page else f"`{part_written(part)}`"
    return Boundary(
        kind="silence",
        span=part.span,
        missing={
            "in": f"no story looks while {said} still waits: `after {shorter}`, then what ends it "
            "or an `expect`",
            "out": f"no story waits for all of {said}: `after {length}`",
        },
    )


def _window(node: syntax.Aggregate) -> Boundary:
    assert node.window is not None, "only rolling windows are asked for"
    length = node.window.duration
    said = f"`{written(node)}`"
    return Boundary(
        kind="window",
        span=node.window.span,
        missing={
            "in": f"no story asks for {said} when one is just inside: "
            f"`after {duration(_shorter(length))}`",
            "out": f"no story asks for {said} when one is just outside: `after {duration(length)}`",
        },
    )


def _limit(limit: syntax.Limit) -> Iterator[Boundary]:
    said = f"`{limit_written(limit)}`"
    nth = limit.count
    yield Boundary(
        kind="limit",
        span=limit.span,
        missing={
            "in": f"no story sends all that {said} lets through: let {nth} be sent",
            "out": f"no story is refused by {said} alone: let one more be asked for after {nth}",
        },
    )
    if limit.duration is not None:
        shorter, length = duration(_shorter(limit.duration)), duration(limit.duration)
        yield Boundary(
            kind="rate",
            span=limit.span,
            missing={
                "in": f"no story is still refused by {said} after {shorter}: "
                f"ask once more `after {shorter}`",
                "out": f"no story sends again when {said} is just over: "
                f"ask once more `after {length}`",
            },
        )


def limit_written(limit: syntax.Limit) -> str:
    """A limit as it is written."""
    if limit.duration is None:
        return f"limit {limit.count} per {limit.scope}"
    per = "" if limit.scope == "visitor" else f" per {limit.scope}"
    return f"limit {limit.count} in {duration(limit.duration)}{per}"


def _shorter(length: int) -> int:
    """A little less than a duration, as a person would write it: 9 min, 59 s."""
    units = sorted(UNITS.values(), reverse=True)
    size = next((unit for unit in units if length % unit == 0), 1)
    if length < 2 * size:
        size = next((unit for unit in units if unit < size), 1)
    return max(0, length - size)
