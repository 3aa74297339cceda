"""What a condition can come out as: every case that it can tell apart, tried.

A condition compares a few things (a path, an aggregate, what comes from outside) with constants.
Each thing falls into a few cells that its comparisons cannot look into: below 50, exactly 50, more
than 50, missing. One value of each cell stands for all of it, so trying all of them tries
everything. Where the values of a thing are not known, more cells are tried than there are, never
fewer: what comes out as never true is never true, and what comes out as never false is never false.

Things that no part shares do not influence each other, so they are tried apart; where too many
would have to be tried together, their parts are taken to be independent, which only allows more.
``Patience`` bounds what is tried in one book: when it is at its end, everything is possible.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import pairwise, product
from typing import Any, Final

from engine.language import syntax
from engine.language.lints_globs import disjoint
from engine.vocabulary import address
from engine.vocabulary.kinds import BOOLEAN, TIME
from engine.vocabulary.operators import COMPARISONS, Truth, arithmetic, conjunction, disjunction

MOST: Final = 4_096
"""So many cases are tried together; beyond that, parts are taken to be independent."""
AT_ONCE: Final = 50_000
"""So many tries are made for one condition."""
IN_A_BOOK: Final = 100_000
"""So many tries are made in any book, however small,"""
FOR_EACH: Final = 15
"""and so many more for each part of its tree; an ordinary book needs five."""
LISTED: Final = 50
"""A longer list after `in` may hold anything."""
ANYTHING: Final = frozenset((True, False, None))
KEPT: Final = 1_000
"""A rolling window counts no further."""
STATES: Final = ("anonymous", "recognized", "authenticated")
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ORDER: Final = ("<", "<=", ">", ">=")
_TEXTS: Final = ("has", "starts with", "ends with", "matches")
_URL: Final = syntax.Path(parts=("event", "url"))
_DAY: Final = 86_400_000

Outcomes = frozenset[Truth]
Row = tuple[Truth, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Untrue:
    """Holds when its condition is false or unknown: how ``unless`` lets a rule fire."""

    item: syntax.Expr


Term = syntax.Expr | Untrue
Subject = Hashable


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is certain where a condition stands.

    ``atom`` is what the tested event has just fitted, in this same instant; ``facts`` are the
    facts that are never missing; ``in_category`` allows the short names of a category.
    """

    atom: syntax.Atom | None = None
    facts: frozenset[tuple[str, str]] = frozenset()
    in_category: bool = False


class _TooManyCases(Exception):
    """More cases than are worth trying."""


class Patience:
    """How much may still be tried in one book, whose tree has ``parts``; deterministic."""

    def __init__(self, parts: int = 0) -> None:
        self._left = IN_A_BOOK + FOR_EACH * parts

    @property
    def ended(self) -> bool:
        """Is nothing tried any more?"""
        return self._left < 0

    def spend(self, tries: int) -> None:
        """Go on only if so many tries are worth it."""
        if tries > AT_ONCE or self.ended:
            raise _TooManyCases
        self._left -= tries


class Cases:
    """Tries the conditions that stand in one place."""

    def __init__(self, knowledge: Knowledge, patience: Patience | None = None) -> None:
        self._knows = knowledge
        self._patience = patience or Patience()
        self._possible: dict[int, tuple[Term, Outcomes]] = {}
        """By identity: hashing a large condition costs as much as trying it."""

    @property
    def patience(self) -> Patience:
        """What is left for others."""
        return self._patience

    def never(self, *terms: Term) -> bool:
        """Can these never be true together?"""
        try:
            return True not in self._fold(terms, conjunction)
        except _TooManyCases:
            return False

    def near(self, term: Term, others: Iterable[Term]) -> list[Term]:
        """Those that speak of something that this one speaks of as well."""
        subjects = self._subjects(term)
        return [other for other in others if subjects & self._subjects(other)]

    def possible(self, term: Term) -> Outcomes:
        """Every truth that a condition may come out as (perhaps more, never fewer)."""
        known = self._possible.get(id(term))
        if known is None:
            try:
                known = (term, self._tried(term))
            except _TooManyCases:
                known = (term, ANYTHING)
            self._possible[id(term)] = known
        return known[1]

    def _tried(self, term: Term) -> Outcomes:
        match plain(term):
            case Untrue(item=item):
                return frozenset(truth is not True for truth in self.possible(item))
            case syntax.Not(item=item):
                return frozenset(_negated(truth) for truth in self.possible(item))
            case syntax.And(items=items):
                return self._fold(items, conjunction)
            case syntax.Or(items=items):
                return self._fold(items, disjunction)
            case leaf:
                return frozenset(row[0] for row in self._rows(self._subject(leaf), [leaf]))

    def _fold(self, terms: Iterable[Term], join: Callable[[list[Truth]], Truth]) -> Outcomes:
        """Join parts; those that speak of the same things are tried together."""
        found = []
        for cluster in self._clusters(terms):
            if len(cluster) > 1:
                try:
                    found.append(frozenset(join(list(row)) for row in self._joint(cluster)))
                    continue
                except _TooManyCases:
                    pass
            found.extend(self.possible(term) for term in cluster)

        def both(left: Outcomes, right: Outcomes) -> Outcomes:
            return frozenset(join([a, b]) for a in left for b in right)

        return reduce(both, found)

    def _clusters(self, terms: Iterable[Term]) -> list[list[Term]]:
        """Terms that speak of the same things, directly or through others, stand together."""
        clusters: dict[Subject, tuple[list[Term], set[Subject]]] = {}
        for term in terms:
            leaves = list(_leaves(term))
            self._patience.spend(4 * len(leaves))
            subjects = set(map(self._subject, leaves))
            near = {id(c): c for subject in subjects if (c := clusters.get(subject))}
            largest = max(near.values(), key=lambda cluster: len(cluster[0]), default=([], set()))
            for members, of_members in near.values():
                if members is not largest[0]:
                    largest[0].extend(members)
                    subjects |= of_members
            largest[0].append(term)
            largest[1].update(subjects)
            clusters |= dict.fromkeys(subjects, largest)
        return [members for members, _ in {id(c): c for c in clusters.values()}.values()]

    def _subjects(self, term: Term) -> frozenset[Subject]:
        return frozenset(self._subject(leaf) for leaf in _leaves(term))

    def _joint(self, terms: Sequence[Term]) -> Iterator[Row]:
        by_subject: dict[Subject, dict[Term, None]] = {}
        asked = 0
        for term in terms:
            for leaf in _leaves(term):
                by_subject.setdefault(self._subject(leaf), {})[leaf] = None
                asked += 1
        leaves = [leaf for group in by_subject.values() for leaf in group]
        rows = [self._rows(subject, list(group)) for subject, group in by_subject.items()]
        if math.prod(map(len, rows)) > MOST:
            raise _TooManyCases
        self._patience.spend(math.prod(map(len, rows)) * 2 * asked)
        places = {leaf: place for place, leaf in enumerate(leaves)}
        shapes = [_shape(term, places) for term in terms]
        for rows_of_case in product(*rows):
            case = [truth for row in rows_of_case for truth in row]
            yield tuple(_truth(shape, case) for shape in shapes)

    # ------------------------------------------------- what a comparison is about

    def _subject(self, leaf: Term) -> Subject:
        match leaf:
            case syntax.Compare(operator=operator, left=left, right=right):
                left, right = self._named(left), self._named(right)
                if _is_constant(left):
                    return right
                if _is_constant(right):
                    return left
                if operator in _TEXTS:
                    return leaf
                return tuple(sorted((left, right), key=repr))
            case syntax.Known(item=item):
                return self._named(item)
            case syntax.Glob():
                return _URL
            case syntax.Path():
                return self._named(leaf)
            case _:
                return leaf

    def _named(self, node: syntax.Expr) -> syntax.Expr:
        """A short name of a category under its whole name; calculations with constants done."""
        match node:
            case syntax.Path(parts=(("url" | "title" | "language" | "path" | "host"),) as short):
                return syntax.Path(parts=("event", *short)) if self._knows.in_category else node
            case syntax.Path(parts=("query", name)) if self._knows.in_category:
                return syntax.Path(parts=("event", "query", name))
            case syntax.Arithmetic():
                value = _value(node)
                return node if value is None else syntax.Constant(value=value, kind=BOOLEAN)
            case _:
                return node

    # ------------------------------------------------- its cells

    def _rows(self, subject: Subject, leaves: list[Term]) -> frozenset[Row]:
        """The rows of truths that the comparisons of one thing can have at once."""
        match subject:
            case syntax.Constant():
                return frozenset({tuple(_on(leaf, None) for leaf in leaves)})
            case tuple():
                return frozenset(self._pair_rows(subject, leaves))
            case syntax.Compare():
                return frozenset(product((True, False, None), repeat=len(leaves)))
            case syntax.InCategories(categories=names):
                sure = self._knows.atom is not None and self._knows.atom.categories == names
                return frozenset({(True,)} if sure else {(True,), (False,)})
            case syntax.InHours():
                return frozenset({(True,), (False,)})
            case _:
                return frozenset(self._value_rows(subject, leaves))

    def _pair_rows(self, subject: Subject, leaves: list[Term]) -> Iterator[Row]:
        assert isinstance(subject, tuple)
        same = subject[0] == subject[1]
        for relation in ("=", None) if same else ("<", "=", ">", "!=", None):
            yield tuple(self._related(leaf, subject[0], relation) for leaf in leaves)

    def _related(self, leaf: Term, first: object, relation: str | None) -> Truth:
        assert isinstance(leaf, syntax.Compare)
        if relation is None:
            return None
        if self._named(leaf.left) != first:
            relation = {"<": ">", ">": "<"}.get(relation, relation)
        if leaf.operator in _ORDER:
            return None if relation == "!=" else relation in leaf.operator
        return (relation == "=") == (leaf.operator == "=")

    def _value_rows(self, subject: Subject, leaves: list[Term]) -> Iterator[Row]:
        closed, missing = self._closed(subject)
        if closed is not None:
            self._patience.spend(len(closed) * len(leaves))
            for value in closed:
                yield tuple(_on(leaf, value) for leaf in leaves)
        else:
            yield from self._open_rows(subject, leaves)
        if missing:
            yield tuple(_on(leaf, None) for leaf in leaves)

    def _closed(self, subject: Subject) -> tuple[tuple[Any, ...] | None, bool]:
        """All values of a thing that has few, and whether it may be missing."""
        match subject:
            case syntax.Path(parts=("visitor", "state")):
                return STATES, False
            case syntax.Clock(what="weekday"):
                return WEEKDAYS, False
            case syntax.Aggregate(function="seen"):
                return ((True,) if self._contains(subject) else (True, False)), False
            case syntax.Outside(name="pacing admits"):
                return (True, False), True
            case (
                syntax.Aggregate(function="count" | "since")
                | syntax.Path(parts=("visit", "pages"))
                | syntax.Clock()
            ):
                return None, False
            case syntax.Path(parts=("visit" | "visitor" as scope, name)):
                return None, (scope, name) not in self._knows.facts
            case _:
                return None, True

    def _open_rows(self, subject: Subject, leaves: list[Term]) -> Iterator[Row]:
        constants = [value for leaf in leaves for value in _constants(leaf)]
        numbers = {value for value in constants if _is_number(value)}
        texts = {value for value in constants if isinstance(value, str)}
        free = [leaf for leaf in leaves if _is_free(leaf)]
        values: list[Any] = [*texts]
        if numbers:
            least, largest, whole = self._range(subject)
            values += _numbers(numbers, least, largest, whole=whole)
        if any(isinstance(value, bool) for value in constants) or any(map(_is_bare, leaves)):
            values += [True, False]
        if not values or any(isinstance(leaf, syntax.Known) for leaf in leaves) or free:
            values += [[], {}]  # a list, and what none of the comparisons takes
        self._patience.spend(len(values) * len(leaves))
        for value in values:
            # A list may have any item, and no cell of ours says which.
            loose = [leaf for leaf in free if value == [] and _operator(leaf) == "has"]
            yield from _with_free(leaves, value, loose, [])
        if texts or free:
            ordered = any(_operator(leaf) in _ORDER for leaf in leaves)
            others = _other_texts(texts, ordered=ordered)
            # Each way to answer what is free, and each pair of what is free that may not agree.
            self._patience.spend(len(others) * 2 ** min(len(free), 16) * (1 + len(free)))
            for value in others:
                yield from _with_free(leaves, value, free, free)

    def _range(self, subject: Subject) -> tuple[float, float, bool]:
        """The least and the largest number that a thing can be, and whether it is whole."""
        match subject:
            case syntax.Aggregate(function="count", atom=atom, window=window):
                rolling = window is not None and window.reach == "last" and atom.what != "sent"
                return int(self._contains(subject)), KEPT if rolling else math.inf, True
            case syntax.Path(parts=("visit", "pages")):
                return int(self._page_entered()), math.inf, True
            case (
                syntax.Path(parts=("visit", "duration"))
                | syntax.Aggregate(function="since")
                | syntax.Outside(name="agents.ready")
            ):
                return 0, math.inf, True
            case syntax.Outside(name="pacing"):
                return 0, 1, False
            case _:
                return -math.inf, math.inf, False

    def _page_entered(self) -> bool:
        atom = self._knows.atom
        return atom is not None and atom.what == "event" and atom.name == "PageEntered"

    def _contains(self, call: syntax.Aggregate) -> bool:
        """Aggregates contain the completing event: is it certainly one that this one counts?"""
        atom, counted = self._knows.atom, call.atom
        if atom is None or atom.what != "event" or call.window is None:
            return False
        return (
            (counted.what == "any" or (counted.what == "event" and counted.name == atom.name))
            and (not counted.categories or counted.categories == atom.categories)
            and counted.where is None
            and call.window.reach != "page"
        )


# ---------------------------------------------------------------- the shape of conditions


def plain(term: Term) -> Term:
    """``in (..)`` as the comparisons that it stands for, joined by ``or``."""
    match term:
        case syntax.Among(item=item, values=values) if len(values) <= LISTED:
            equals = (syntax.Compare(operator="=", left=item, right=value) for value in values)
            return syntax.Or(items=tuple(equals))
        case syntax.InCategories(categories=names) if len(names) > 1:
            return syntax.Or(items=tuple(syntax.InCategories(categories=(n,)) for n in names))
        case syntax.Aggregate(function="seen", atom=atom, window=window):
            count = syntax.Aggregate(function="count", atom=atom, window=window)
            one = syntax.Constant(value=1, kind=BOOLEAN)
            return syntax.Compare(operator=">=", left=count, right=one)
        case _:
            return term


def _leaves(term: Term) -> Iterator[Term]:
    waiting = [term]
    while waiting:
        match plain(waiting.pop()):
            case Untrue(item=item) | syntax.Not(item=item):
                waiting.append(item)
            case syntax.And(items=items) | syntax.Or(items=items):
                waiting += reversed(items)
            case leaf:
                yield leaf


_Shape = int | tuple[Callable[[list[Truth]], Truth], list["_Shape"]]
"""A condition for trying many cases: the place of a leaf in the case, or how parts are joined."""


def _shape(term: Term, places: Mapping[Term, int]) -> _Shape:
    match plain(term):
        case Untrue(item=item):
            return _untrue, [_shape(item, places)]
        case syntax.Not(item=item):
            return _not, [_shape(item, places)]
        case syntax.And(items=items):
            return conjunction, [_shape(item, places) for item in items]
        case syntax.Or(items=items):
            return disjunction, [_shape(item, places) for item in items]
        case leaf:
            return places[leaf]


def _truth(shape: _Shape, case: Sequence[Truth]) -> Truth:
    if isinstance(shape, int):
        return case[shape]
    join, parts = shape
    return join([_truth(part, case) for part in parts])


def _untrue(truths: list[Truth]) -> Truth:
    return truths[0] is not True


def _not(truths: list[Truth]) -> Truth:
    return _negated(truths[0])


def _negated(truth: Truth) -> Truth:
    return None if truth is None else not truth


# ---------------------------------------------------------------- one comparison, one value


def _is_constant(node: syntax.Expr) -> bool:
    return _value(node) is not None


def _value(node: syntax.Expr) -> Any:
    """The value of a constant or a calculation with constants; None for everything else."""
    match node:
        case syntax.Constant(value=str(text), kind=kind) if kind == TIME:
            try:
                return date.fromisoformat(text).toordinal() * _DAY
            except ValueError:
                return None
        case syntax.Constant(value=value):
            return value
        case syntax.Arithmetic(operator=operator, left=left, right=right):
            return arithmetic(operator, _value(left), _value(right))
        case _:
            return None


def _on(leaf: Term, value: Any) -> Truth:
    """What a comparison says when the thing that it is about has this value."""
    match leaf:
        case syntax.Compare(operator=operator, left=left, right=right):
            one, other = _value(left), _value(right)
            return COMPARISONS[operator].evaluate(
                value if one is None else one, value if other is None else other
            )
        case syntax.Known(known=known):
            return (value is not None) is known
        case syntax.Glob(pattern=pattern):
            return address.glob(pattern)(value) if isinstance(value, str) else None
        case syntax.Constant(value=constant):
            return constant if isinstance(constant, bool) else None
        case _:
            return value if isinstance(value, bool) else None


def _constants(leaf: Term) -> Iterator[Any]:
    if isinstance(leaf, syntax.Compare) and leaf.operator != "matches":
        for side in (leaf.left, leaf.right):
            value = _value(side)
            if value is not None:
                yield value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _operator(leaf: Term) -> str:
    if isinstance(leaf, syntax.Glob):
        return "glob"
    return leaf.operator if isinstance(leaf, syntax.Compare) else ""


def _is_bare(leaf: Term) -> bool:
    return not isinstance(leaf, syntax.Compare | syntax.Known | syntax.Glob)


def _is_free(leaf: Term) -> bool:
    """Does it look into a text in a way of which no cell is made?"""
    return _operator(leaf) in (*_TEXTS, "glob")


def _numbers(constants: set[float], least: float, largest: float, *, whole: bool) -> list[float]:
    points = sorted({*constants, *(edge for edge in (least, largest) if math.isfinite(edge))})
    found = {*points, math.floor(points[0]) - 1, math.ceil(points[-1]) + 1, math.inf}
    for low, high in pairwise(points):
        found.add(math.floor(low) + 1 if whole else low + (high - low) / 2)
    fits = (n for n in found if least <= n <= largest)
    return [n for n in fits if not whole or math.isinf(n) or n == math.floor(n)]


def _other_texts(constants: set[str], *, ordered: bool) -> list[str]:
    """Texts that are none of the constants: one for each place between them in the alphabet."""
    above = max(constants, default="") + "\uffff"
    if not ordered:
        return [above]
    between = [text + "\x00" for text in constants]
    return [above, *({"", *between} - constants)]


def _with_free(
    leaves: list[Term], value: Any, free: list[Term], checked: list[Term]
) -> Iterator[Row]:
    """The truths for one value, with every choice for what it leaves free that makes sense."""
    if 2 ** len(free) > MOST:
        raise _TooManyCases
    for choice in product((True, False), repeat=len(free)):
        chosen = dict(zip(free, choice, strict=True))
        if not checked or _makes_sense(chosen):
            yield tuple(chosen[leaf] if leaf in chosen else _on(leaf, value) for leaf in leaves)


def _makes_sense(chosen: Mapping[Term, bool]) -> bool:
    """Can one text do all of this? Only what is certainly impossible is left out."""
    held = [leaf for leaf, holds in chosen.items() if holds]
    failed = [leaf for leaf, holds in chosen.items() if not holds]
    if any(_exclude(one, other) for n, one in enumerate(held) for other in held[:n]):
        return False
    return not any(_implies(one, other) for one in held for other in failed)


def _part(leaf: Term) -> str | None:
    """The text that a comparison looks for, if it is written out."""
    if isinstance(leaf, syntax.Compare) and leaf.operator != "matches":
        value = _value(leaf.right)
        return value if isinstance(value, str) else None
    return None


def _exclude(one: Term, other: Term) -> bool:
    if isinstance(one, syntax.Glob) and isinstance(other, syntax.Glob):
        return disjoint(one.pattern, other.pattern)
    left, right = _part(one), _part(other)
    if left is None or right is None or _operator(one) != _operator(other):
        return False
    if _operator(one) == "starts with":
        return not (left.startswith(right) or right.startswith(left))
    return _operator(one) == "ends with" and not (left.endswith(right) or right.endswith(left))


def _implies(one: Term, other: Term) -> bool:
    left, right = _part(one), _part(other)
    if left is None or right is None:
        return False
    if _operator(other) == "has":
        return right in left
    if _operator(one) != _operator(other):
        return False
    return left.startswith(right) if _operator(one) == "starts with" else left.endswith(right)
