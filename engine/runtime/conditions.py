"""Conditions of the tree become Python functions, built as syntax trees and never as text.

A condition has three values, and almost all who ask only want to know one thing: is it *true* (a
guard, a ``where``), or is it *false* (behind ``not``). So each condition is compiled in one of two
polarities: ``true(x)`` is an expression that holds exactly when x is true, ``false(x)`` exactly
when x is false. ``not`` swaps the two, ``and`` and ``or`` become Python's own, and the unknown
costs nothing, for it is what neither of them holds for. Only where a truth is *used* as a value
(``set``, an argument) are the three values computed.

What the analyst wrote enters as constants alone, and those stand beside the code (``nodes.py``), so
conditions of one shape share it. A function is made when it is first needed: a book of 10,000 rules
is loaded long before each of them has been asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, assert_never
from weakref import ref

import re2

from engine.language import syntax
from engine.language.quiet import Breathe
from engine.runtime import calendar, nodes
from engine.runtime.aggregates import NEVER, Evaluate, atom_key, reader
from engine.runtime.categories import Categories
from engine.runtime.fields import Fields, envelope, field_reader, kinds_of, query_of
from engine.runtime.nodes import Node
from engine.runtime.sends import sent_reader
from engine.vocabulary import address
from engine.vocabulary.events import ENVELOPE
from engine.vocabulary.kinds import TIME
from engine.vocabulary.operators import COMPARISONS, arithmetic, conjunction, disjunction

_OPPOSITE: Final[Mapping[str, str]] = {
    "<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "=",
}  # fmt: skip
_REMEMBERED: Final = 10_000


class Conditions:
    """The compiler of one book: its categories, the kinds of its fields, its facts."""

    def __init__(self, book: syntax.Book, fields: Fields, breathe: Breathe) -> None:
        self.book = book
        self.fields = fields
        self.category_names = tuple(sorted(book.categories))
        self._known: dict[tuple[int, bool], tuple[syntax.Expr, Evaluate]] = {}
        self.categories = Categories(book, self, breathe)

    def truth(
        self, condition: syntax.Expr | None, event: str | None = None
    ) -> Callable[[Any], bool] | None:
        """A test of a scene: does the condition hold (is it true)? None stays None.

        ``event`` is the name of the tested event, where it is certain.
        """
        if condition is None:
            return None
        return nodes.lazily(self._truth, condition, event)

    def category(self, condition: syntax.Expr) -> Callable[[Any], bool]:
        """A test of a scene: does the condition of a category hold?"""
        # Weakly: the conditions hold their categories, and die with the last plan of their book.
        return nodes.lazily(_category, ref(self), condition)

    def compile(self, node: syntax.Expr) -> Evaluate:
        """The value of any condition or value: a raw JSON value, or None for missing."""
        if isinstance(node, syntax.Constant):
            value = self.constant(node)
            return lambda _: value
        return nodes.lazily(self._value, node)

    def look(self, node: syntax.Expr) -> Evaluate:
        """The value of a node, for who asks about the same ones again and again."""
        evaluate: Evaluate = self._remembered(node, self.compile, truth=False)
        return evaluate

    def holds(self, node: syntax.Expr) -> Callable[[Any], bool]:
        """Whether a condition is true, for who asks about the same ones again and again."""
        holds: Callable[[Any], bool] = self._remembered(node, self.truth, truth=True)
        return holds

    def _remembered(self, node: syntax.Expr, make: Callable[..., Any], *, truth: bool) -> Any:
        known = self._known.get((id(node), truth))
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            # The node is kept with it, so that no other can take its identity.
            known = self._known[id(node), truth] = (node, make(node))
        return known[1]

    def record(self, record: syntax.Record) -> Callable[[Any], dict[str, Any]]:
        """Compile a record: what is missing leaves its key out. Its reader must not change it."""
        settled = self.settled(record)
        if settled is not None:
            return lambda _: settled
        entries = [(key, self._nested(value)) for key, value in record.entries]

        def build(scene: Any) -> dict[str, Any]:
            values = ((key, value_of(scene)) for key, value_of in entries)
            return {key: value for key, value in values if value is not None}

        return build

    def settled(self, record: syntax.Record) -> dict[str, Any] | None:
        """What a record of constants always is; None when there is anything else in it."""
        constants = [(k, v) for k, v in record.entries if isinstance(v, syntax.Constant)]
        if len(constants) < len(record.entries):
            return None
        return {key: self.constant(value) for key, value in constants}

    def _nested(self, value: syntax.Expr | syntax.Record | syntax.List) -> Evaluate:
        if isinstance(value, syntax.Record):
            return self.record(value)
        if isinstance(value, syntax.List):
            items = [self._nested(item) for item in value.items]
            return lambda scene: [v for item in items if (v := item(scene)) is not None]
        return _finite(self.compile(value))

    def constant(self, node: syntax.Constant) -> Any:
        """The value of a constant; a date is the moment at which it begins in the book's zone."""
        if node.kind == TIME and isinstance(node.value, str):
            return calendar.midnight(node.value, self.book.zone)
        return node.value

    def fact_default(self, scope: Any, name: str) -> Any:
        """What a fact is before anything was set."""
        fact = self.book.facts[(scope, name)]
        if fact.kind == TIME and isinstance(fact.default, str):
            return calendar.midnight(fact.default, self.book.zone)
        return fact.default

    def _truth(self, condition: syntax.Expr, event: str | None) -> Evaluate:
        return _Emitter(self, event=event).function(condition, as_truth=True)

    def _value(self, node: syntax.Expr) -> Evaluate:
        return _Emitter(self).function(node, as_truth=False)


def _category(of: ref[Conditions], condition: syntax.Expr) -> Evaluate:
    conditions = of()
    assert conditions is not None, "who asks for a category has them"
    return _Emitter(conditions, in_category=True).function(condition, as_truth=True)


def _finite(value_of: Evaluate) -> Evaluate:
    """``since`` of what never happened has no JSON; as a value it is missing."""
    return lambda scene: None if (v := value_of(scene)) == NEVER else v


class _Emitter:
    """Builds the expression of one condition over a scene ``s``."""

    def __init__(
        self, conditions: Conditions, *, event: str | None = None, in_category: bool = False
    ) -> None:
        self._conditions = conditions
        self._book = conditions.book
        self._event = event
        self._in_category = in_category
        self._bound: list[Any] = []
        self._scratch = 0

    def function(self, node: syntax.Expr, *, as_truth: bool) -> Evaluate:
        """The compiled function of a scene."""
        body = self.true(node) if as_truth else self.value(node)
        return nodes.function(body, self._bound)

    def _bind(self, thing: Any) -> Node:
        self._bound.append(thing)
        return nodes.bound(len(self._bound) - 1)

    def _keep(self, item: Node) -> tuple[Node, Node]:
        """An expression that also stores its value, and the name to read it again."""
        self._scratch += 1
        name = f"t{self._scratch}"
        return nodes.stored(name, item), nodes.name(name)

    def _typed(self, item: Node, kind: str) -> tuple[Node, Node]:
        """A test that a value is a ``number`` or a ``text``, and the name to read it again."""
        stored, again = self._keep(item)
        operator, wanted = ("in", "NUMBERS") if kind == "number" else ("is", "str")
        return nodes.compare(
            nodes.call(nodes.name("type"), stored), operator, nodes.name(wanted)
        ), again

    # ------------------------------------------------------------ the two polarities

    def true(self, node: syntax.Expr) -> Node:
        """Holds exactly when the condition is true."""
        match node:
            case syntax.And(items=items):
                return nodes.all_([self.true(item) for item in items])
            case syntax.Or(items=items):
                return nodes.any_([self.true(item) for item in items])
            case syntax.Not(item=item):
                return self.false(item)
            case _:
                return self._decided(node, wanted=True)

    def false(self, node: syntax.Expr) -> Node:
        """Holds exactly when the condition is false (and not when it is unknown)."""
        match node:
            case syntax.And(items=items):
                return nodes.any_([self.false(item) for item in items])
            case syntax.Or(items=items):
                return nodes.all_([self.false(item) for item in items])
            case syntax.Not(item=item):
                return self.true(item)
            case _:
                return self._decided(node, wanted=False)

    def _decided(self, node: syntax.Expr, *, wanted: bool) -> Node:
        match node:
            case syntax.Compare(right=syntax.Constant() as right):
                return self._with_constant(node, right, wanted=wanted)
            case syntax.Among(item=item, values=values) if _all_texts(values):
                test, again = self._typed(self._raw(item, "text"), "text")
                texts = frozenset(v.value for v in values if isinstance(v, syntax.Constant))
                operator = "in" if wanted else "not in"
                return nodes.all_([test, nodes.compare(again, operator, self._bind(texts))])
            case syntax.Glob(pattern=pattern):
                stored, again = self._keep(nodes.get(nodes.SCENE, "event", "url"))
                fits = nodes.call(self._bind(address.glob(pattern)), again)
                known = nodes.compare(stored, "is not", nodes.NOT_KNOWN)
                return nodes.all_([known, fits if wanted else nodes.not_(fits)])
            case _:
                return nodes.is_(self.value(node), value=wanted)

    def _with_constant(self, node: syntax.Compare, right: syntax.Constant, *, wanted: bool) -> Node:
        """A comparison with a constant: its kind is tested in place, without a call."""
        value, operator = self._conditions.constant(right), node.operator
        if isinstance(value, bool):
            if operator in ("=", "!="):
                left = self._raw(node.left, "boolean")
                return nodes.is_(left, value=value if (operator == "=") is wanted else not value)
        elif isinstance(value, int | float) and operator in _OPPOSITE:
            symbol = operator if wanted else _OPPOSITE[operator]
            test, again = self._typed(self._raw(node.left, "number"), "number")
            return nodes.all_([test, nodes.compare(again, symbol, self._bind(value))])
        elif isinstance(value, str) and operator != "has":
            test, again = self._typed(self._raw(node.left, "text"), "text")
            held = self._text_test(again, operator, value, wanted=wanted)
            return nodes.all_([test, held])
        return nodes.is_(self._compared(node), value=wanted)

    def _text_test(self, text: Node, operator: str, value: str, *, wanted: bool) -> Node:
        if operator in _OPPOSITE:
            symbol = operator if wanted else _OPPOSITE[operator]
            return nodes.compare(text, symbol, self._bind(value))
        if operator == "matches":
            found = nodes.call(self._bind(re2.compile(value).search), text)
            return nodes.compare(found, "is not" if wanted else "is", nodes.NOT_KNOWN)
        method = "startswith" if operator == "starts with" else "endswith"
        fits = nodes.call(nodes.get(text, method), self._bind(value))
        return fits if wanted else nodes.not_(fits)

    # ------------------------------------------------------------ values

    def value(self, node: syntax.Expr) -> Node:  # noqa: C901 - a line for each node
        """The value: raw JSON, or None for missing and unknown."""
        scene = nodes.SCENE
        match node:
            case syntax.Constant():
                return self._bind(self._conditions.constant(node))
            case syntax.Path(parts=parts):
                return self._path(parts)
            case syntax.Aggregate():
                return self._aggregate(node)
            case syntax.Outside():
                return self._outside(node)
            case syntax.Clock(what="now"):
                return nodes.get(scene, "now")
            case syntax.Clock():
                return nodes.call(
                    self._bind(calendar.weekday(self._book.zone)), nodes.get(scene, "now")
                )
            case syntax.InHours(hours=hours):
                is_open = calendar.opening(self._book.hours[hours], self._book.zone)
                return nodes.call(self._bind(is_open), nodes.get(scene, "now"))
            case syntax.Compare():
                return self._compared(node)
            case syntax.Among(item=item, values=values):
                given = [self.value(item), *map(self.value, values)]
                return nodes.call(self._bind(_among), *given)
            case syntax.InCategories(categories=names):
                own = self._bind(frozenset(names))
                away = nodes.call(nodes.get(own, "isdisjoint"), nodes.get(scene, "categories"))
                return nodes.not_(away)
            case syntax.Known(item=item, known=known):
                operator = "is not" if known else "is"
                return nodes.compare(self.value(item), operator, nodes.NOT_KNOWN)
            case syntax.Arithmetic(left=left, right=right, operator=operator):
                sides = (self.value(left), self.value(right))
                return nodes.call(self._bind(arithmetic), self._bind(operator), *sides)
            case syntax.Not(item=item):
                return nodes.call(self._bind(_negation), self._truth_value(item))
            case syntax.And(items=items):
                return self._joined(conjunction, items)
            case syntax.Or(items=items):
                return self._joined(disjunction, items)
            case syntax.Glob():
                unknown = nodes.either(
                    self.false(node), nodes.settled(value=False), nodes.NOT_KNOWN
                )
                return nodes.either(self.true(node), nodes.settled(value=True), unknown)
            case _:
                assert_never(node)

    def _joined(self, join: Callable[[list[Any]], Any], items: tuple[syntax.Expr, ...]) -> Node:
        values = nodes.list_([self._truth_value(item) for item in items])
        return nodes.call(self._bind(join), values)

    def _truth_value(self, node: syntax.Expr) -> Node:
        """The value of a condition: what is not boolean is unknown."""
        return nodes.call(self._bind(_as_truth), self.value(node))

    def _compared(self, node: syntax.Compare) -> Node:
        if node.operator == "matches" and isinstance(node.right, syntax.Constant):
            search = re2.compile(str(node.right.value)).search
            return nodes.call(self._bind(lambda text: _found(search, text)), self.value(node.left))
        evaluate = self._bind(COMPARISONS[node.operator].evaluate)
        return nodes.call(evaluate, self.value(node.left), self.value(node.right))

    def _outside(self, node: syntax.Outside) -> Node:
        event, medium = nodes.get(nodes.SCENE, "event"), self._bind(node.argument)
        if node.name == "agents.ready":
            return nodes.call(nodes.get(event, "agents", "get"), medium)
        probability = nodes.call(nodes.get(event, "pacing", "get"), medium)
        if node.name == "pacing":
            return probability
        return nodes.call(self._bind(_admits), probability, nodes.get(event, "draw"))

    def _aggregate(self, node: syntax.Aggregate) -> Node:
        if node.atom.what == "sent":
            read = sent_reader(node, self._conditions.truth(node.atom.where))
        else:
            read = reader(node, atom_key(self._book, node.atom))
        return nodes.call(self._bind(read), nodes.SCENE)

    # ------------------------------------------------------------ paths

    def _raw(self, node: syntax.Expr, family: str) -> Node:
        """The value of a node for a reader who tests its kind: then nobody else has to."""
        if isinstance(node, syntax.Path) and node.parts[0] == "event" and len(node.parts) == 2:
            name = node.parts[1]
            kinds = kinds_of(self._conditions.fields, (name,), self._event)
            if name not in ENVELOPE and kinds <= {family}:
                return nodes.call(nodes.get(nodes.SCENE, "event", "data", "get"), self._bind(name))
        return self.value(node)

    def _path(self, parts: tuple[str, ...]) -> Node:
        scene = nodes.SCENE
        match parts:
            case ("event", "query", name):
                return nodes.call(self._bind(query_of(name)), scene)
            case ("event", name) if name in ENVELOPE:
                return self._envelope(name)
            case ("event", *path):
                read = field_reader(self._conditions.fields, tuple(path))
                return nodes.call(self._bind(read), nodes.get(scene, "event"))
            case ("query", name) if self._in_category:
                return nodes.call(self._bind(query_of(name)), scene)
            case (name,) if self._in_category:
                return self._envelope(name)
            case ("visit", "pages"):
                return self._of_visit("entered", self._bind(0))
            case ("visit", "duration"):
                lasted = nodes.minus(nodes.get(scene, "now"), nodes.get(scene, "visit", "started"))
                there = nodes.compare(nodes.get(scene, "visit"), "is", nodes.NOT_KNOWN)
                return nodes.either(there, nodes.NOT_KNOWN, lasted)
            case ("visitor", "state"):
                return self._of_visit("state", self._bind("anonymous"))
            case ("visitor" | "visit" as scope, name):
                return self._fact(scope, name)
            case (alias, *path):
                inner = self._conditions.compile(syntax.Path(parts=("event", *path)))
                return nodes.call(self._bind(_of_bound(alias, inner)), scene)
            case _:
                raise AssertionError("a path has a part")

    def _of_visit(self, attribute: str, otherwise: Node) -> Node:
        visit = nodes.get(nodes.SCENE, "visit")
        gone = nodes.compare(visit, "is", nodes.NOT_KNOWN)
        return nodes.either(gone, otherwise, nodes.get(visit, attribute))

    def _fact(self, scope: str, name: str) -> Node:
        default = self._bind(self._conditions.fact_default(scope, name))
        found = nodes.call(nodes.get(nodes.SCENE, scope, "facts", "get"), self._bind(name), default)
        if scope == "visitor":
            return found
        gone = nodes.compare(nodes.get(nodes.SCENE, "visit"), "is", nodes.NOT_KNOWN)
        return nodes.either(gone, default, found)

    def _envelope(self, name: str) -> Node:
        own = () if self._in_category else self._conditions.category_names
        return nodes.call(self._bind(envelope(name, own)), nodes.SCENE)


def _all_texts(values: tuple[syntax.Expr, ...]) -> bool:
    return all(isinstance(v, syntax.Constant) and isinstance(v.value, str) and v.kind != TIME
               for v in values)  # fmt: skip


def _as_truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _negation(value: bool | None) -> bool | None:  # noqa: FBT001 - a truth value, not a switch
    return None if value is None else not value


def _among(found: Any, *values: Any) -> bool | None:
    equal = COMPARISONS["="].evaluate
    return disjunction([equal(found, value) for value in values])


def _found(search: Callable[[str], object], text: Any) -> bool | None:
    return search(text) is not None if isinstance(text, str) else None


def _admits(probability: float | None, draw: float | None) -> bool | None:
    return None if probability is None or draw is None else draw < probability


def _of_bound(alias: str, inner: Evaluate) -> Evaluate:
    def evaluate(scene: Any) -> Any:
        bound = scene.names.get(alias)
        return None if bound is None else inner(scene.about(bound))

    return evaluate
