"""Why a condition did not hold: its first part that failed, the value seen, the smallest change.

This is the obvious evaluator: it walks over the tree and asks for the value of each piece.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from engine.language import syntax
from engine.language.render import atom_written, duration, window_written, written
from engine.runtime.aggregates import NEVER
from engine.runtime.calendar import clock as moment_of
from engine.runtime.calendar import local, opening
from engine.runtime.scene import Scene

_DAY: Final = 24 * 60
_DAYS_AHEAD: Final = 8

_OPPOSITE: Final = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "=": "!=", "!=": "="}
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}

Times = Mapping[syntax.Atom, Sequence[int]]
"""When each atom of an aggregate was seen so far (ms), oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The smallest change: ``what`` (as written) would have to be ``needed``; ms for times."""

    what: str
    needed: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """The first condition that failed, in the author's words, with the value seen.

    ``sentence`` says it for a person, without a full stop; ``change`` is None when more than one
    value would do and none is the nearest.
    """

    condition: str
    seen: Any
    sentence: str
    change: Change | None = None


class Explainer:
    """Explains conditions of one book; ``times`` grows with the visit that is explained."""

    def __init__(self, book: syntax.Book, times: Times) -> None:
        self._book = book
        self._times = times

    def lack(self, node: syntax.Expr, scene: Scene, *, wanted: bool = True) -> Lack:
        """Why ``node`` was not ``wanted``: true, or (for False) anything but true."""
        match node:
            case syntax.And(items=items) if wanted:
                return self._first(items, scene)
            case syntax.Or(items=items) if wanted:
                return _either([self.lack(item, scene) for item in items])
            case syntax.And(items=items):
                return _either([self.lack(item, scene, wanted=False) for item in items])
            case syntax.Or(items=items):
                held = next(item for item in items if self._truth(item, scene) is True)
                return self.lack(held, scene, wanted=False)
            case syntax.Not(item=item):
                return self._negated(node, item, scene, wanted=wanted)
            case _:
                return self._leaf(node, scene, wanted=wanted)

    def _first(self, items: Sequence[syntax.Expr], scene: Scene) -> Lack:
        failed = next(item for item in items if self._truth(item, scene) is not True)
        return self.lack(failed, scene)

    def _negated(self, node: syntax.Not, item: syntax.Expr, scene: Scene, *, wanted: bool) -> Lack:
        if wanted and self._truth(item, scene) is None:
            said = f"`{written(item)}` is not known"
            return Lack(condition=written(node), seen=None, sentence=said)
        return self.lack(item, scene, wanted=not wanted)

    def _truth(self, node: syntax.Expr, scene: Scene) -> bool | None:
        found = scene.plan.look(node)(scene)
        return found if isinstance(found, bool) else None

    def _value(self, node: syntax.Expr, scene: Scene) -> Any:
        return scene.plan.look(node)(scene)

    # ------------------------------------------------------------ single conditions

    def _leaf(self, node: syntax.Expr, scene: Scene, *, wanted: bool) -> Lack:
        match node:
            case syntax.Compare():
                return self._compare(node, scene, wanted=wanted)
            case syntax.Among(item=item):
                seen = self._value(item, scene)
                values = [spoken(self._value(value, scene)) for value in node.values]
                need = f"needed {_choice(values)}" if wanted else "which is one of those listed"
                return _lack(node, seen, f"{_name(item)} was {spoken(seen)}, {need}")
            case syntax.InCategories(categories=names):
                return self._categories(node, names, scene, wanted=wanted)
            case syntax.Known(item=item, known=known):
                word = "missing" if known == wanted else "known"
                return _lack(node, self._value(item, scene), f"{_name(item)} was {word}")
            case syntax.Glob(pattern=pattern):
                not_ = "did not fit" if wanted else "fitted"
                said = f'the address {spoken(scene.event.url)} {not_} "{pattern}"'
                return _lack(node, scene.event.url, said)
            case syntax.InHours(hours=hours):
                return _lack(node, not wanted, self.closed(hours, scene.now, wanted=wanted))
            case syntax.Aggregate(function="seen", atom=atom, window=window):
                said = f"{atom_written(atom)} was {'not ' if wanted else ''}seen {_over(window)}"
                return _lack(node, not wanted, said, Change(what=written(node), needed=wanted))
            case _:
                return self._plain(node, scene, wanted=wanted)

    def _plain(self, node: syntax.Expr, scene: Scene, *, wanted: bool) -> Lack:
        seen = self._value(node, scene)
        change = Change(what=written(node), needed=True) if wanted else None
        if isinstance(node, syntax.Outside):
            outcome = "was not known" if seen is None else f"was {spoken(seen)}"
            return _lack(node, seen, f"`{written(node)}` {outcome}", change)
        need = ", needed true" if wanted else ""
        return _lack(node, seen, f"{_name(node)} was {spoken(seen)}{need}", change)

    def _categories(
        self, node: syntax.Expr, names: tuple[str, ...], scene: Scene, *, wanted: bool
    ) -> Lack:
        own = [name for name in sorted(self._book.categories) if scene.in_category(name)]
        said = f"the event was in {_choice(own, 'and') or 'no category'}"
        need = f", needed {_choice(names)}" if wanted else ""
        return _lack(node, own, said + need)

    def closed(self, hours: str, now: int, *, wanted: bool = True) -> str:
        """``Office was closed; it opens at ..``."""
        if not wanted:
            return f"{hours} was open"
        plan = self._book.hours[hours]
        zone = plan.zone or self._book.zone
        is_open = opening(plan, self._book.zone)
        today = local(now, ZoneInfo(zone)).date()
        days = [(today + timedelta(days=later)).isoformat() for later in range(_DAYS_AHEAD + 1)]
        # It opens where a span begins, or at midnight after a day on which it was closed.
        starts = sorted({0, *(span.start % _DAY for span in plan.open)})
        moments = [
            moment_of(day, f"{start // 60:02}:{start % 60:02}", zone)
            for day in days
            for start in starts
        ]
        for moment in sorted(moments):
            if moment > now and is_open(moment):
                return f"{hours} was closed; it opens next at {clock(moment)}"
        return f"{hours} was closed, and stays so for {_DAYS_AHEAD} days"

    # ------------------------------------------------------------ comparisons

    def _compare(self, node: syntax.Compare, scene: Scene, *, wanted: bool) -> Lack:
        left, right, operator = node.left, node.right, node.operator
        if isinstance(left, syntax.Constant) and operator in _MIRRORED:
            left, right, operator = right, left, _MIRRORED[operator]
        seen, limit = self._value(left, scene), self._value(right, scene)
        if not wanted and operator in _OPPOSITE:
            operator, wanted = _OPPOSITE[operator], True
        lasting = _lasting(left) or _lasting(right)
        needed = _needed(operator, limit, lasting=lasting, wanted=wanted)
        if not isinstance(right, syntax.Constant):
            needed += f" (`{written(right)}`)"
        change = _nearest(operator, limit, wanted=wanted)
        return Lack(
            condition=written(node),
            seen=None if seen == NEVER else seen,
            sentence=self._sentence(left, seen, operator, limit, needed, scene, lasting=lasting),
            change=None if change is None else Change(what=written(left), needed=change),
        )

    def _sentence(
        self,
        left: syntax.Expr,
        seen: Any,
        operator: str,
        limit: Any,
        needed: str,
        scene: Scene,
        *,
        lasting: bool,
    ) -> str:
        match left:
            case syntax.Outside(name="agents.ready", argument=medium):
                if seen is None:
                    return f"free agents of {medium} were not known, {needed}"
                if seen == 0 and operator in (">", ">="):
                    return f"nobody was free for {medium}, {needed}"
            case syntax.Aggregate(function="count", atom=atom, window=window):
                late = self._too_late(left, operator, limit, scene)
                return f"{needed} {atom_written(atom)} {_over(window)}, saw {seen}{late}"
            case syntax.Aggregate(function="since", atom=atom):
                if seen == NEVER:
                    return f"{atom_written(atom)} has never happened, {needed}"
                return f"{atom_written(atom)} was {duration(int(seen))} ago, {needed}"
        return f"{_name(left)} was {spoken(seen, lasting=lasting)}, {needed}"

    def _too_late(self, node: syntax.Aggregate, operator: str, limit: Any, scene: Scene) -> str:
        """By how much the event that was one too few missed a rolling window."""
        window = node.window
        if window is None or window.reach != "last" or operator not in (">", ">=", "="):
            return ""
        count = _nearest(operator, limit, wanted=True)
        times = self._times.get(node.atom, ())
        if not isinstance(count, int) or not 0 < count <= len(times):
            return ""
        late = scene.now - times[-count] - window.duration
        if late < 0:
            return ""
        return f"; the {ordinal(count)} came {too_late(late)} too late"


def _lack(node: syntax.Expr, seen: Any, sentence: str, change: Change | None = None) -> Lack:
    return Lack(condition=written(node), seen=seen, sentence=sentence, change=change)


def _either(lacks: Sequence[Lack]) -> Lack:
    """Any of several changes would do: the first one stands for them, the sentence names all."""
    said = ", or: ".join(dict.fromkeys(lack.sentence for lack in lacks))
    first = lacks[0]
    return Lack(condition=first.condition, seen=first.seen, sentence=said, change=first.change)


# ---------------------------------------------------------------- words


def _name(node: syntax.Expr) -> str:
    """A value as it is spoken of: ``cartTotal``, or as it is written."""
    match node:
        case syntax.Path(parts=("event", *path)) if path:
            return ".".join(path)
        case syntax.Aggregate(function="latest", field=field):
            return ".".join(field)
    return written(node)


def spoken(value: Any, *, lasting: bool = False) -> str:
    """A value as it is written; ``lasting`` when the number is a length of time in ms."""
    match value:
        case None:
            return "missing"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case int() | float() if lasting and math.isfinite(value) and value == int(value):
            return duration(int(value))
        case float() if math.isfinite(value) and value.is_integer():
            return str(int(value))
        case list() | tuple():
            return "[" + ", ".join(spoken(item) for item in value) + "]"
    return str(value)


def _needed(operator: str, limit: Any, *, lasting: bool, wanted: bool) -> str:
    said = spoken(limit, lasting=lasting)
    match operator:
        case ">=" | "<=":
            return f"needed {said} or {'more' if operator == '>=' else 'less'}"
        case ">" | "<":
            return f"needed {'more' if operator == '>' else 'less'} than {said}"
        case "=":
            return f"needed {said}"
        case "!=":
            return f"needed anything but {said}"
    return f"needed {'' if wanted else 'not '}one that {operator} {said}"


def _nearest(operator: str, limit: Any, *, wanted: bool) -> Any:
    """The value that comes first in the direction that is asked for; whole for whole limits."""
    if limit is None or not wanted:
        return None
    if operator in (">=", "<=", "="):
        return limit
    if operator not in ("<", ">") or isinstance(limit, str | bool) or not math.isfinite(limit):
        return None
    if limit == int(limit) and abs(limit) < 2**53:
        return int(limit) + (1 if operator == ">" else -1)
    return math.nextafter(limit, math.inf if operator == ">" else -math.inf)


def _lasting(node: syntax.Expr) -> bool:
    """Is it a length of time?"""
    match node:
        case syntax.Constant(kind=kind):
            return kind.word == "duration"
        case syntax.Path(parts=("visit", "duration")) | syntax.Aggregate(function="since"):
            return True
    return False


def _over(window: syntax.Window | None) -> str:
    if window is None or window.reach == "ever":
        return "ever"
    if window.reach == "last":
        return f"within {duration(window.duration)}"
    return f"{'on' if window.reach == 'page' else 'in'} {window_written(window)}"


def _choice(words: Sequence[str], link: str = "or") -> str:
    return f" {link} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def too_late(milliseconds: int) -> str:
    """By how much; what is exactly as old as a window is outside it by the least there is."""
    return roughly(milliseconds or 1)


def roughly(milliseconds: int) -> str:
    """A time in at most two units: ``4 min 10 s``, ``1 s 250 ms``."""
    parts = []
    for unit, size in (
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("min", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ):
        number, milliseconds = divmod(milliseconds, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 ms"


_ORDINALS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip


def ordinal(number: int) -> str:
    """``third``, ``21st``."""
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    last = number % 10 if number % 100 not in (11, 12, 13) else 0
    return f"{number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(last, 'th')}"


def clock(moment: int) -> str:
    """A moment for a person: ``2026-11-23 10:00:00 UTC``, with ms where there are some."""
    try:
        shown = datetime.fromtimestamp(moment // 1_000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{moment} ms"
    rest = f".{moment % 1_000:03}" if moment % 1_000 else ""
    return f"{shown:%Y-%m-%d %H:%M:%S}{rest} UTC"
