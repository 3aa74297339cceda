"""Aggregates: what is kept of the events that fit an atom, and how a condition reads it.

Each aggregate reads one register, kept under a hash of what its atom means, so that an edit of
anything else loses nothing. Windows of a visit or page keep one value there; rolling windows keep
the youngest ``KEPT`` entries that any window of the book still reaches.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any, Final

from engine.language import syntax
from engine.runtime.scene import NOTHING_REPLACED, Scene
from engine.runtime.visitor import Memory

Evaluate = Callable[[Scene], Any]

_LEAVES: Final = (syntax.Path, syntax.Constant, syntax.Span)
_PLAIN: Final = frozenset({str, int, float, bool, type(None), *_LEAVES})

NEVER: Final = math.inf
"""``since`` of what never happened."""

BEFORE_ALL: Final = -NEVER
"""When the last event was of which there was none."""

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
    found: list[syntax.Aggregate] = []
    _gather(node, found)
    return found


def _gather(node: Any, found: list[syntax.Aggregate]) -> None:
    if type(node) is syntax.Aggregate:
        found.append(node)
        return
    kind: type = type(node)
    for item in node if kind is tuple else [getattr(node, name) for name in branches(kind)]:
        if type(item) not in _PLAIN:
            _gather(item, found)


@cache
def branches(kind: type) -> tuple[str, ...]:
    """The fields of a kind of node below which there may be more of a condition than a leaf."""
    if issubclass(kind, _LEAVES):
        return ()
    return tuple(name for name in getattr(kind, "__dataclass_fields__", ()) if name != "span")


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What one kind of aggregate over one watch keeps, and where.

    ``keeps``: ``count``, ``last`` (a time), ``times``, ``latest`` (time and value), ``values``
    (times and values), or a running ``sum``, ``min``, ``max``, ``average`` (sum and count).
    ``horizon`` is the longest rolling window that reads it (ms). ``field`` is what ``value`` reads
    and its declared kind ("" for any), when that is one field of the data.
    """

    watch: int
    keeps: str
    place: str
    key: str
    value: Evaluate | None = None
    horizon: int = 0
    field: tuple[str, str] | None = None

    def recorder(self) -> Callable[[Scene], None]:
        """How it takes in an event that fits the watch, in constant time."""
        if self.keeps == "last":
            return _last(self.key)
        put = _event_put(self) if self.value is None else _value_put(self)
        return _recorder(self.place, put)


def _last(key: str) -> Callable[[Scene], None]:
    def record(scene: Scene) -> None:
        memory = scene.visitor.memory
        if scene.before is NOTHING_REPLACED:
            scene.before = {}
        scene.before[key] = memory.get(key, BEFORE_ALL)
        memory[key] = scene.now

    return record


def _recorder(place: str, put: Callable[[Memory, Scene], None]) -> Callable[[Scene], None]:
    def of_visitor(scene: Scene) -> None:
        put(scene.visitor.memory, scene)

    def of_visit(scene: Scene) -> None:
        put(scene.visit.memory if scene.visit else scene.visitor.memory, scene)

    def of_page(scene: Scene) -> None:
        if scene.visit is not None:
            put(scene.visit.pages[scene.event.page].memory, scene)

    return {"visitor": of_visitor, "visit": of_visit}.get(place, of_page)


def _event_put(register: Register) -> Callable[[Memory, Scene], None]:
    key, horizon = register.key, register.horizon

    def count(memory: Memory, _: Scene) -> None:
        memory[key] = memory.get(key, 0) + 1

    def times(memory: Memory, scene: Scene) -> None:
        kept = memory.get(key)
        if kept is None:
            memory[key] = [scene.now]
            return
        _forget(kept, scene.now - horizon)
        kept.append(scene.now)

    return count if register.keeps == "count" else times


def _value_put(register: Register) -> Callable[[Memory, Scene], None]:
    key, keeps, horizon, value_of = (
        register.key, register.keeps, register.horizon, register.value,
    )  # fmt: skip
    assert value_of is not None, "a register of values reads one"

    def put(memory: Memory, scene: Scene) -> None:
        value = value_of(scene)
        if value is None:
            return
        if keeps == "latest":
            memory[key] = [scene.now, {"value": value}]
        elif not isinstance(value, bool) and isinstance(value, int | float) and _finite(value):
            if keeps == "values":
                kept = memory.setdefault(key, [])
                _forget(kept, scene.now - horizon, _time_of)
                kept.append((scene.now, value))
            else:
                memory[key] = _RUNNING[keeps](memory.get(key), value)

    return put


def _time_of(entry: tuple[int, Any]) -> int:
    return entry[0]


def _forget(kept: list[Any], oldest: int, time_of: Callable[[Any], int] | None = None) -> None:
    """Drop what no window reaches, and make room for one more: each entry goes only once."""
    gone = 0
    while gone < len(kept) and (time_of(kept[gone]) if time_of else kept[gone]) <= oldest:
        gone += 1
    gone = max(gone, len(kept) - KEPT + 1)
    if gone > 0:
        del kept[:gone]


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
        [value, 1] if found is None else [_plus(found[0], value), found[1] + 1]
    ),
}


def register_of(
    node: syntax.Aggregate,
    key: str,
    watch: int,
    value: Evaluate | None,
    field: tuple[str, str] | None,
) -> Register:
    """The register that an aggregate over a browser event reads."""
    keeps, name, place = _where(node, key)
    horizon = node.window.duration if node.window else 0
    return Register(
        watch=watch, keeps=keeps, place=place, key=name, value=value, horizon=horizon, field=field
    )


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
        return _since(name)
    if node.function == "latest":
        return _latest(name, reach, duration)
    match keeps:
        case "count" if node.function == "seen":
            return lambda scene: _memory(scene, reach).get(name, 0) > 0
        case "count":
            return lambda scene: _memory(scene, reach).get(name, 0)
        case "last":
            return lambda scene: scene.now - scene.visitor.memory.get(name, BEFORE_ALL) < duration
        case "times":
            return _counted(name, duration)
        case "values":
            return _rolling(node.function, name, duration)
        case _:
            return _settled(node.function, name, reach)


def _since(name: str) -> Evaluate:
    def evaluate(scene: Scene) -> Any:
        last = scene.before.get(name)
        return scene.now - (scene.visitor.memory.get(name, BEFORE_ALL) if last is None else last)

    return evaluate


def _counted(name: str, duration: int) -> Evaluate:
    def evaluate(scene: Scene) -> int:
        kept = scene.visitor.memory.get(name, ())
        return len(kept) - bisect_right(kept, scene.now - duration)

    return evaluate


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
