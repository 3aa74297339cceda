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
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from engine.language import syntax
from engine.language.quiet import Breathe, onward
from engine.runtime.fields import envelope, kinds_of, query_of
from engine.runtime.globs import Globs
from engine.runtime.scene import Scene
from engine.vocabulary.events import ENVELOPE

if TYPE_CHECKING:
    from engine.runtime.conditions import Conditions

Test = Callable[[Scene], bool]

_NUMBERS: Final = (int, float)
_SIZES: Final = ("<", "<=", ">", ">=")
_AFFIXES: Final = ("starts with", "ends with")
_EXACT: Final = 2**53
"""Below this a double holds every whole number; what is larger is no threshold of a search."""


_GIVEN: Final = "category, given"
"""What a category of the book knows as the category: only what came with the event."""


class Read(NamedTuple):
    """How a field is read: ``call`` does, and the rest says what it does.

    ``what`` is ``data`` (of the event, by name), ``envelope`` (as it came, by name) or ``other``.
    """

    what: Literal["data", "envelope", "other"]
    name: str
    call: Callable[[Scene], Any]


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


_Affix = tuple[Read, bool, str]
"""How to read a field, and the text that it must end with (or else begin with): who finds natively
looks at that first, for to ask a test is a call of Python."""


class _Drawer:
    """All that demands the same thing: what holds at once, by size, and after a test."""

    __slots__ = ("free", "steps", "tested")

    def __init__(self) -> None:
        self.free: list[int] = []
        self.tested: list[tuple[int, Test, _Affix | None]] = []
        self.steps: list[_Steps] = []

    def laid_out(self) -> tuple[Any, ...]:
        """What it holds, as plain values."""
        return self.free, [steps.laid_out() for steps in self.steps], self.tested

    def collect(self, scene: Scene, found: list[int]) -> None:
        found += self.free
        for steps in self.steps:
            steps.collect(scene, found)
        for number, test, _ in self.tested:
            if test(scene):
                found.append(number)


class _Steps:
    """Thresholds on one field with one operator, sorted, and what lies behind each."""

    __slots__ = ("_limits", "_read", "_right", "_rows", "_search", "_tests", "_upward")

    def __init__(
        self, read: Read, operator: str, rows: list[tuple[float, int, Test | None]]
    ) -> None:
        rows.sort(key=lambda row: row[0])
        self._read = read
        self._limits = [limit for limit, _, _ in rows]
        self._rows = [number for _, number, _ in rows]
        tests = [test for _, _, test in rows]
        self._tests = tests if any(tests) else None
        self._upward = operator in (">", ">=")
        self._right = operator in (">=", "<")
        self._search = bisect_right if self._right else bisect_left

    def laid_out(self) -> tuple[Any, ...]:
        """What it holds, as plain values."""
        return self._read, self._upward, self._right, self._limits, self._rows, self._tests

    def collect(self, scene: Scene, found: list[int]) -> None:
        value = self._read.call(scene)
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

    read: Read
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
        breathe: Breathe = onward,
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
        self.entries = list(entries)
        self._file([split for entry in self.entries for split in self._split(entry)], breathe)
        self._glob_drawers = [drawer for _, drawer in self._globs.values()]
        self._automaton = Globs([(number, glob) for glob, (number, _) in self._globs.items()])
        self._tables = tuple(self._equals.values())
        # All is filed. The conditions hold the index of their categories: it must not hold them.
        del self._conditions

    def find(self, scene: Scene) -> list[int]:
        """The numbers of all conditions that hold, each once, in order."""
        found: list[int] = []
        self._always.collect(scene, found)
        for equals in self._tables:
            value = equals.read.call(scene)
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
        # In order of number, whatever the drawers: what is recorded first is the same everywhere.
        if self._twice:
            return sorted(set(found))
        found.sort()
        return found

    def laid_out(self) -> tuple[Any, ...]:
        """All drawers as plain values, for who finds natively what ``find`` does."""
        tables = [
            (
                equals.read,
                *(
                    {value: drawer.laid_out() for value, drawer in drawers.items()}
                    for drawers in (equals.texts, equals.numbers, equals.flags)
                ),
            )
            for equals in self._tables
        ]
        categories = {name: drawer.laid_out() for name, drawer in self._categories.items()}
        globs = {n: drawer.laid_out() for n, drawer in enumerate(self._glob_drawers)}
        known, fitting = self._automaton.known, self._automaton.fitting
        always = self._always.laid_out()
        return always, tables, categories, globs, known, fitting

    # ------------------------------------------------------------ filing

    def _split(self, entry: Entry) -> Iterator[tuple[Entry, tuple[syntax.Expr, ...]]]:
        """The alternatives of a condition, each as its parts joined by ``and``."""
        if isinstance(entry.condition, syntax.Or) and not entry.categories:
            for item in entry.condition.items:
                yield entry, parts_of(item)
        else:
            yield entry, parts_of(entry.condition)

    def _file(
        self,
        split: Sequence[tuple[Entry, tuple[syntax.Expr, ...]]],
        breathe: Breathe,
    ) -> None:
        candidates = []
        for entry, parts in split:
            breathe()
            candidates.append(list(self._keys(entry, parts)))
        crowd = Counter(key for keys in candidates for _, own in keys for key in own)
        sized: dict[tuple[int, str, str], tuple[_Drawer, Read, list[Any]]] = {}
        for (entry, parts), keys in zip(split, candidates, strict=True):
            breathe()
            part, own = min(
                keys, key=lambda one: sum(crowd[key] for key in one[1]), default=(None, ())
            )
            left = [one for one in parts if one is not part]
            wanted = () if own and part is None else entry.categories
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
        sized: dict[tuple[int, str, str], tuple[_Drawer, Read, list[Any]]],
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
            affixes = filter(None, map(self._affix, left))
            drawer.tested.append((number, test, next(affixes, None)))

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
            read = self._reader(key.name, None, None)
            assert read is not None, "only what can be read is a key"
            equals = self._equals[key.name] = _Equals(read)
        return equals.table(type(key.value)).setdefault(key.value, _Drawer())

    # ------------------------------------------------------------ what a condition demands

    def _keys(
        self, entry: Entry, parts: tuple[syntax.Expr, ...]
    ) -> Iterator[tuple[syntax.Expr | None, tuple[Key, ...]]]:
        """Each way to file it: the part that it stands for, and the drawers it would lie in."""
        if entry.categories:
            keys = [key for name in entry.categories for key in self._keys_of_category(name)]
            yield None, tuple(dict.fromkeys(keys))
        for part in parts:
            own = self._keys_of(part, in_category=self._of_categories)
            if own:
                yield part, own

    def _keys_of_category(self, name: str) -> tuple[Key, ...]:
        """What events in the category have and no others; it is asked itself if that is no key."""
        found: list[Key] = []
        for condition in alternatives(self._conditions.book.categories[name].condition):
            own = self._keys_of(condition, in_category=True)
            if not own:
                return (Key("category", name, None),)
            found += own
        return tuple(found)

    def _keys_of(self, part: syntax.Expr, *, in_category: bool) -> tuple[Key, ...]:
        """The keys of which one must fit for the part to hold, and then it does; or none."""
        match part:
            case syntax.Glob(pattern=pattern):
                return (Key("glob", pattern, None),)
            case syntax.Compare(operator="=", left=syntax.Path() as path, right=right):
                return self._equal(path, (right,), in_category=in_category)
            case syntax.Among(item=syntax.Path() as path, values=values):
                return self._equal(path, values, in_category=in_category)
        return ()

    def _equal(
        self, path: syntax.Path, values: Sequence[syntax.Expr], *, in_category: bool
    ) -> tuple[Key, ...]:
        """The keys of a field that is one of some constants; none if it is to be tested."""
        # A category knows nothing of the event: every declaration of the field counts.
        name, event = _dotted(path, in_category=in_category), None if in_category else self._event
        found: dict[Key, None] = {}
        for constant in values:
            if not isinstance(constant, syntax.Constant):
                return ()
            value = self._value(constant)
            known = isinstance(value, str | bool | int | float)
            if not known or self._reader(name, constant, event) is None:
                return ()
            found[Key("equal", name, value)] = None
        return tuple(found)

    def _size(self, part: syntax.Expr) -> tuple[str, Read, str, float] | None:
        """``event.price >= 100`` as the field, how to read it, the operator and the limit."""
        match part:
            case syntax.Compare(left=syntax.Path() as path, right=syntax.Constant() as right):
                value = self._value(right)
                if part.operator in _SIZES and type(value) in _NUMBERS and abs(value) < _EXACT:
                    name = _dotted(path, in_category=self._of_categories)
                    read = self._reader(name, right, self._event)
                    if read is not None:
                        return name, read, part.operator, value
        return None

    def _affix(self, part: syntax.Expr) -> _Affix | None:
        """``title ends with "- Help"`` as how to read the field, at which end, and the text."""
        match part:
            case syntax.Compare(left=syntax.Path() as path, right=syntax.Constant() as right):
                if part.operator in _AFFIXES:
                    name = _dotted(path, in_category=self._of_categories)
                    read = self._reader(name, right, self._event)
                    if read is not None:
                        return read, part.operator == "ends with", self._value(right)
        return None

    def _value(self, constant: syntax.Expr) -> Any:
        assert isinstance(constant, syntax.Constant), "asked of constants alone"
        return self._conditions.constant(constant)

    def _reader(
        self, name: str, constant: syntax.Constant | None, event: str | None
    ) -> Read | None:
        """How to read a field, if its kind needs no test beside that of the constant."""
        if name in ENVELOPE:
            own = self._conditions.category_names
            came = name not in ("path", "host") and not (name == "category" and own)
            return Read("envelope" if came else "other", name, envelope(name, own))
        if name == _GIVEN:
            return Read("envelope", "category", envelope("category", ()))
        if name.startswith("query."):
            return Read("other", name, query_of(name.removeprefix("query.")))
        if not name or "." in name:
            return None
        kinds = kinds_of(self._conditions.fields, (name,), event)
        if constant is not None and not kinds <= {_family(self._value(constant))}:
            return None
        return Read("data", name, lambda scene: scene.event.data.get(name))


def _dotted(path: syntax.Path, *, in_category: bool) -> str:
    """The name of a field below ``event``, ``query.x`` included; nothing for other paths."""
    name = ".".join(path.parts[1:] if path.parts[0] == "event" else path.parts)
    if in_category:
        return _GIVEN if name == "category" else name
    return name if path.parts[0] == "event" else ""


def alternatives(condition: syntax.Expr) -> Iterator[syntax.Expr]:
    """What is joined by ``or``, one by one."""
    if isinstance(condition, syntax.Or):
        for item in condition.items:
            yield from alternatives(item)
    else:
        yield condition


def _family(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    return "boolean" if isinstance(value, bool) else "number"


def parts_of(condition: syntax.Expr | None) -> tuple[syntax.Expr, ...]:
    """What is joined by ``and``, one by one; nothing of no condition."""
    if condition is None:
        return ()
    if isinstance(condition, syntax.And):
        return tuple(part for item in condition.items for part in parts_of(item))
    return (condition,)
