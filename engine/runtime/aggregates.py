"""Aggregates: what is kept of the events that fit an atom, and how a condition reads it.

Each aggregate reads one register, kept under a hash of what its atom means, so that an edit of
anything else loses nothing. Windows of a visit or page keep one value there; rolling windows keep
the youngest ``KEPT`` entries that any window of the book still reaches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from engine.language import syntax
from engine.runtime.visitor import Memory

if TYPE_CHECKING:
    from engine.runtime.conditions import Scene

Evaluate = Callable[["Scene"], Any]

NEVER: Final = math.inf
"""``since`` of what never happened."""

KEPT: Final = 1_000


def atom_key(book: syntax.Book, atom: syntax.Atom) -> str:
    """What an atom means, as a text: memory is kept under it, so an edit elsewhere loses nothing.

    The meaning of its categories is part of it: a changed category starts afresh.
    """
    categories = [repr(book.categories[name].condition) for name in sorted(atom.categories)]
    return digest(f"{atom.what} {atom.name} in {categories} where {atom.where!r}")


def digest(meaning: str) -> str:
    """A short name for a meaning; equal meanings have equal names on every machine."""
    return blake2b(meaning.encode(), digest_size=9).hexdigest()


def aggregates_in(node: Any) -> list[syntax.Aggregate]:
    """Every aggregate anywhere in a piece of the tree."""
    if isinstance(node, syntax.Aggregate):
        return [node]
    if isinstance(node, tuple):
        return [found for item in node for found in aggregates_in(item)]
    if hasattr(node, "__dataclass_fields__"):
        names = node.__dataclass_fields__
        return [found for name in names for found in aggregates_in(getattr(node, name))]
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What one kind of aggregate over one watch keeps, and where.

    ``keeps``: ``count``, ``last`` (a time), ``times``, ``latest`` (time and value), ``values``
    (times and values), or a running ``sum``, ``min``, ``max``, ``average`` (sum and count).
    """

    watch: int
    keeps: str
    place: str
    key: str
    value: Evaluate | None = None
    horizon: int = 0

    def record(self, scene: Scene) -> None:
        """Take in an event that fits the watch. The scene's memories are own copies."""
        memory = self._memory(scene)
        found = memory.get(self.key)
        if self.value is None:
            memory[self.key] = self._event(found, scene.now)
            return
        value = self.value(scene)
        if value is not None:
            kept = self._value(found, scene.now, value)
            if kept is not None:
                memory[self.key] = kept

    def _event(self, found: Any, now: int) -> Any:
        match self.keeps:
            case "count":
                return (found or 0) + 1
            case "last":
                return now
            case _:
                times = [time for time in found or () if time > now - self.horizon]
                return (*times[-(KEPT - 1) :], now)

    def _value(self, found: Any, now: int, value: Any) -> Any:
        if self.keeps == "latest":
            return (now, {"value": value})
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            return None
        if self.keeps == "values":
            entries = [entry for entry in found or () if entry[0] > now - self.horizon]
            return (*entries[-(KEPT - 1) :], (now, value))
        return _RUNNING[self.keeps](found, value)

    def _memory(self, scene: Scene) -> Memory:
        visit = scene.visit
        if self.place == "visitor" or visit is None:
            return scene.visitor.memory
        return visit.memory if self.place == "visit" else visit.pages[scene.event.page].memory


TOO_LARGE: Final = "too large"
"""Kept in the place of a sum that no double holds: it stays missing, and memory stays JSON."""


def _finite(value: float) -> bool:
    """Does a double hold the number? (A whole number of JSON may be of any length.)"""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _plus(found: Any, value: Any) -> Any:
    if found == TOO_LARGE:
        return found
    try:
        total = found + value
    except OverflowError:
        return TOO_LARGE
    return total if _finite(total) else TOO_LARGE


_RUNNING: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "sum": lambda found, value: value if found is None else _plus(found, value),
    "min": lambda found, value: value if found is None else min(found, value),
    "max": lambda found, value: value if found is None else max(found, value),
    "average": lambda found, value: (
        (value, 1) if found is None else (_plus(found[0], value), found[1] + 1)
    ),
}


def register_of(node: syntax.Aggregate, key: str, watch: int, value: Evaluate | None) -> Register:
    """The register that an aggregate over a browser event reads."""
    keeps, name, place = _where(node, key)
    horizon = node.window.duration if node.window else 0
    return Register(watch=watch, keeps=keeps, place=place, key=name, value=value, horizon=horizon)


def _where(node: syntax.Aggregate, key: str) -> tuple[str, str, str]:
    """What is kept, under which name, and in whose memory."""
    reach = node.window.reach if node.window else "ever"
    place = reach if reach in ("visit", "page") else "visitor"
    field = ".".join(node.field)
    if node.function == "latest":
        return "latest", f"latest {field} of {key}", place
    if node.field:
        keeps = "values" if reach == "last" else node.function
        return keeps, f"{keeps} {field} of {key}", place
    if node.function == "since" or (node.function == "seen" and reach == "last"):
        return "last", f"last {key}", place
    if reach == "last":
        return "times", f"times {key}", place
    return "count", f"count {key}", place


def reader(node: syntax.Aggregate, key: str) -> Evaluate:
    """How a condition reads the register of an aggregate over a browser event."""
    keeps, name, _ = _where(node, key)
    reach = node.window.reach if node.window else "ever"
    duration = node.window.duration if node.window else 0
    if node.function == "since":
        return lambda scene: scene.now - scene.before.get(name, -NEVER)
    if node.function == "latest":
        return _latest(name, reach, duration)
    match keeps:
        case "count" if node.function == "seen":
            return lambda scene: _memory(scene, reach).get(name, 0) > 0
        case "count":
            return lambda scene: _memory(scene, reach).get(name, 0)
        case "last":
            return lambda scene: scene.now - scene.visitor.memory.get(name, -NEVER) < duration
        case "times":
            return lambda scene: sum(
                1 for time in scene.visitor.memory.get(name, ()) if time > scene.now - duration
            )
        case "values":
            return _rolling(node.function, name, duration)
        case _:
            return _settled(node.function, name, reach)


def _latest(name: str, reach: str, duration: int) -> Evaluate:
    def evaluate(scene: Scene) -> Any:
        found = _memory(scene, reach).get(name)
        if found is None or (reach == "last" and scene.now - found[0] >= duration):
            return None
        return found[1]["value"]

    return evaluate


def _rolling(function: str, name: str, duration: int) -> Evaluate:
    def evaluate(scene: Scene) -> Any:
        oldest = scene.now - duration
        entries = scene.visitor.memory.get(name, ())
        found = None
        for time, value in entries:
            if time > oldest:
                found = _RUNNING[function](found, value)
        return _result(function, found)

    return evaluate


def _settled(function: str, name: str, reach: str) -> Evaluate:
    return lambda scene: _result(function, _memory(scene, reach).get(name))


def _result(function: str, found: Any) -> Any:
    """The value of a running aggregate: the sum of nothing is 0, the rest is missing."""
    if found is None:
        return 0 if function == "sum" else None
    total = found[0] if function == "average" else found
    if total == TOO_LARGE:
        return None
    return total / found[1] if function == "average" else total


def _memory(scene: Scene, reach: str) -> Memory:
    """The memory that a window looks at."""
    if reach in ("last", "ever"):
        return scene.visitor.memory
    if scene.visit is None:
        return {}
    if reach == "visit":
        return scene.visit.memory
    page = scene.visit.pages.get(scene.event.page)
    return page.memory if page else {}
