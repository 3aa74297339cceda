"""An index over many conditions: which of them hold for an event, at the cost of those that could.

A condition is filed under the tightest thing that it demands for certain, among its parts joined by
``and``: a field that *equals* a constant (a hash), a *category*, a *glob* over the address (one
automaton for all). What else it demands by size (``event.price >= 100``) is a threshold in the
sorted list of its drawer, so one search finds all that hold; only what is left over is evaluated.
Of several candidates the one with the fewest companions is taken. Alternatives joined by ``or`` are
filed one by one. So a condition that cannot hold costs nothing, however many there are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engine.language import syntax
from engine.runtime.fields import envelope, kinds_of, query_of
from engine.runtime.globs import Globs
from engine.runtime.scene import Scene
from engine.vocabulary.events import ENVELOPE

if TYPE_CHECKING:
    from engine.runtime.conditions import Conditions

Getter = Callable[[Scene], Any]
Test = Callable[[Scene], bool]

_NUMBERS: Final = (int, float)
_SIZES: Final = ("<", "<=", ">", ">=")


class Entry(NamedTuple):
    """One condition to file: its number, categories of which one must hold, and the rest."""

    number: int
    categories: tuple[str, ...]
    condition: syntax.Expr | None


class Key(NamedTuple):
    """What a condition is filed under: ``equal`` a field and constant, ``category`` or ``glob``."""

    what: str
    name: str
    value: Any


class _Drawer:
    """All that demands the same thing: what holds at once, by size, and after a test."""

    __slots__ = ("free", "steps", "tested")

    def __init__(self) -> None:
        self.free: list[int] = []
        self.tested: list[tuple[int, Test]] = []
        self.steps: list[_Steps] = []

    def collect(self, scene: Scene, found: list[int]) -> None:
        found += self.free
        for steps in self.steps:
            steps.collect(scene, found)
        for number, test in self.tested:
            if test(scene):
                found.append(number)


class _Steps:
    """Thresholds on one field with one operator, sorted, and what lies behind each."""

    __slots__ = ("_from", "_limits", "_read", "_rows", "_search", "_tests", "_upward")

    def __init__(
        self, read: Getter, operator: str, rows: list[tuple[float, int, Test | None]]
    ) -> None:
        rows.sort(key=lambda row: row[0])
        self._read = read
        self._limits = [limit for limit, _, _ in rows]
        self._rows = [number for _, number, _ in rows]
        tests = [test for _, _, test in rows]
        self._tests = tests if any(tests) else None
        self._upward = operator in (">", ">=")
        self._search = bisect_right if operator in (">=", "<") else bisect_left

    def collect(self, scene: Scene, found: list[int]) -> None:
        value = self._read(scene)
        if type(value) not in _NUMBERS:
            return
        place = self._search(self._limits, value)
        here = slice(place) if self._upward else slice(place, None)
        if self._tests is None:
            found += self._rows[here]
            return
        for number, test in zip(self._rows[here], self._tests[here], strict=True):
            if test is None or test(scene):
                found.append(number)


@dataclass(slots=True)
class _Equals:
    """The drawers of one field, by the constant that it must equal."""

    read: Getter
    texts: dict[str, _Drawer] = field(default_factory=dict)
    numbers: dict[float, _Drawer] = field(default_factory=dict)
    flags: dict[bool, _Drawer] = field(default_factory=dict)

    def table(self, kind: type) -> dict[Any, _Drawer]:
        """The drawers for values of one type; true and 1 are not the same."""
        if kind is str:
            return self.texts
        return self.flags if kind is bool else self.numbers


class Index:
    """Finds the conditions that hold: of categories, or of atoms that wait for ``event``."""

    def __init__(
        self,
        conditions: Conditions,
        entries: Iterable[Entry],
        *,
        event: str | None = None,
        of_categories: bool = False,
    ) -> None:
        self._conditions = conditions
        self._event = event
        self._of_categories = of_categories
        self._always = _Drawer()
        self._equals: dict[str, _Equals] = {}
        self._categories: dict[str, _Drawer] = {}
        self._globs: dict[str, tuple[int, _Drawer]] = {}
        self._filed: set[int] = set()
        self._twice = False
        self._file([split for entry in entries for split in self._split(entry)])
        self._glob_drawers = [drawer for _, drawer in self._globs.values()]
        self._automaton = Globs([(number, glob) for glob, (number, _) in self._globs.items()])
        self._tables = tuple(self._equals.values())

    def find(self, scene: Scene) -> list[int]:
        """The numbers of all conditions that hold, each once."""
        found: list[int] = []
        self._always.collect(scene, found)
        for equals in self._tables:
            value = equals.read(scene)
            kind = type(value)
            if kind is str or kind is bool or kind in _NUMBERS:
                drawer = equals.table(kind).get(value)
                if drawer is not None:
                    drawer.collect(scene, found)
        if self._categories:
            for name in scene.categories:
                drawer = self._categories.get(name)
                if drawer is not None:
                    drawer.collect(scene, found)
        if self._glob_drawers and scene.event.url is not None:
            for number in self._automaton.fitting(scene.event.url):
                self._glob_drawers[number].collect(scene, found)
        return list(dict.fromkeys(found)) if self._twice else found

    # ------------------------------------------------------------ filing

    def _split(self, entry: Entry) -> Iterator[tuple[Entry, tuple[syntax.Expr, ...]]]:
        """The alternatives of a condition, each as its parts joined by ``and``."""
        if isinstance(entry.condition, syntax.Or) and not entry.categories:
            for item in entry.condition.items:
                yield entry, _parts(item)
        else:
            yield entry, _parts(entry.condition)

    def _file(self, split: Sequence[tuple[Entry, tuple[syntax.Expr, ...]]]) -> None:
        candidates = [list(self._keys(entry, parts)) for entry, parts in split]
        crowd = Counter(key for keys in candidates for _, own in keys for key in own)
        sized: dict[tuple[int, str, str], tuple[_Drawer, Getter, list[Any]]] = {}
        for (entry, parts), keys in zip(split, candidates, strict=True):
            part, own = min(
                keys, key=lambda one: sum(crowd[key] for key in one[1]), default=(None, ())
            )
            left = [one for one in parts if one is not part]
            wanted = () if own and own[0].what == "category" and part is None else entry.categories
            for drawer in [self._drawer(key) for key in own] or [self._always]:
                self._put(drawer, entry.number, left, wanted, sized)
        for drawer, read, rows in sized.values():
            operator = rows[0][3]
            drawer.steps.append(_Steps(read, operator, [row[:3] for row in rows]))

    def _put(
        self,
        drawer: _Drawer,
        number: int,
        parts: list[syntax.Expr],
        categories: tuple[str, ...],
        sized: dict[tuple[int, str, str], tuple[_Drawer, Getter, list[Any]]],
    ) -> None:
        self._twice |= number in self._filed
        self._filed.add(number)
        step = next(((one, found) for one in parts if (found := self._size(one))), None)
        left = parts if step is None else [one for one in parts if one is not step[0]]
        test = self._test(left, categories)
        if step is not None:
            name, read, operator, limit = step[1]
            entry = sized.setdefault((id(drawer), name, operator), (drawer, read, []))
            entry[2].append((limit, number, test, operator))
        elif test is None:
            drawer.free.append(number)
        else:
            drawer.tested.append((number, test))

    def _test(self, parts: list[syntax.Expr], categories: tuple[str, ...]) -> Test | None:
        whole = [*parts]
        if categories:
            whole.insert(0, syntax.InCategories(categories=categories))
        if not whole:
            return None
        node = whole[0] if len(whole) == 1 else syntax.And(items=tuple(whole))
        if self._of_categories:
            return self._conditions.category(node)
        return self._conditions.truth(node, self._event)

    def _drawer(self, key: Key) -> _Drawer:
        if key.what == "category":
            return self._categories.setdefault(key.name, _Drawer())
        if key.what == "glob":
            return self._globs.setdefault(key.name, (len(self._globs), _Drawer()))[1]
        equals = self._equals.get(key.name)
        if equals is None:
            read = self._reader(key.name, None)
            assert read is not None, "only what can be read is a key"
            equals = self._equals[key.name] = _Equals(read)
        return equals.table(type(key.value)).setdefault(key.value, _Drawer())

    # ------------------------------------------------------------ what a condition demands

    def _keys(
        self, entry: Entry, parts: tuple[syntax.Expr, ...]
    ) -> Iterator[tuple[syntax.Expr | None, tuple[Key, ...]]]:
        """Each way to file it: the part that it stands for, and the drawers it would lie in."""
        if entry.categories:
            yield None, tuple(Key("category", name, None) for name in entry.categories)
        for part in parts:
            match part:
                case syntax.Glob(pattern=pattern):
                    yield part, (Key("glob", pattern, None),)
                case syntax.Compare(operator="=", left=syntax.Path() as path, right=right):
                    if isinstance(right, syntax.Constant) and self._readable(path, right):
                        yield part, (Key("equal", self._dotted(path), self._value(right)),)
                case syntax.Among(item=syntax.Path() as path, values=values):
                    if all(
                        isinstance(v, syntax.Constant) and self._readable(path, v) for v in values
                    ):
                        keys = {self._value(v): None for v in values}
                        yield part, tuple(Key("equal", self._dotted(path), value) for value in keys)

    def _size(self, part: syntax.Expr) -> tuple[str, Getter, str, float] | None:
        """``event.price >= 100`` as the field, how to read it, the operator and the limit."""
        match part:
            case syntax.Compare(left=syntax.Path() as path, right=syntax.Constant() as right):
                value = self._value(right)
                if part.operator in _SIZES and type(value) in _NUMBERS:
                    read = self._reader(self._dotted(path), right)
                    if read is not None:
                        return self._dotted(path), read, part.operator, value
        return None

    def _value(self, constant: syntax.Expr) -> Any:
        assert isinstance(constant, syntax.Constant), "asked of constants alone"
        return self._conditions.constant(constant)

    def _readable(self, path: syntax.Path, constant: syntax.Constant) -> bool:
        value = self._value(constant)
        known = isinstance(value, str | bool | int | float)
        return known and self._reader(self._dotted(path), constant) is not None

    def _dotted(self, path: syntax.Path) -> str:
        """The name of a field below ``event``, ``query.x`` included; nothing for other paths."""
        if path.parts[0] == "event":
            return ".".join(path.parts[1:])
        return ".".join(path.parts) if self._of_categories else ""

    def _reader(self, name: str, constant: syntax.Constant | None) -> Getter | None:
        """How to read a field, if its kind needs no test beside that of the constant."""
        if name in ENVELOPE:
            own = () if self._of_categories else self._conditions.book.categories
            return envelope(name, tuple(sorted(own)))
        if name.startswith("query."):
            return query_of(name.removeprefix("query."))
        if not name or "." in name:
            return None
        kinds = kinds_of(self._conditions.fields, (name,), self._event)
        if constant is not None and not kinds <= {_family(self._value(constant))}:
            return None
        return lambda scene: scene.event.data.get(name)


def _family(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    return "boolean" if isinstance(value, bool) else "number"


def _parts(condition: syntax.Expr | None) -> tuple[syntax.Expr, ...]:
    if condition is None:
        return ()
    if isinstance(condition, syntax.And):
        return tuple(part for item in condition.items for part in _parts(item))
    return (condition,)
