"""Conditions of the tree become functions of a scene, compiled once when the plan is made.

A scene is what a condition may look at: the tested event, the memory of its visitor, and the time.
Values are raw JSON values or ``None`` for missing; truth is ``True``, ``False`` or ``None``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

import re2

from engine.language import syntax
from engine.runtime import calendar
from engine.runtime.aggregates import NEVER, Evaluate, atom_key, reader
from engine.runtime.visitor import Memory, Sent, Visit, Visitor
from engine.vocabulary import address
from engine.vocabulary.events import ENVELOPE, Event
from engine.vocabulary.kinds import TIME, Kind
from engine.vocabulary.operators import COMPARISONS, arithmetic, conjunction, disjunction

Fields = Mapping[str, Mapping[tuple[str, ...], Kind]]
"""The declared kind of every field, by event name and path."""


class Scene:
    """What a condition looks at. Categories are found on first use."""

    __slots__ = ("_categories", "before", "event", "names", "now", "plan", "visit", "visitor")

    def __init__(
        self,
        plan: Conditions,
        event: Event,
        now: int,
        visitor: Visitor,
        visit: Visit | None,
        before: Memory,
        names: Mapping[str, Event] | None = None,
    ) -> None:
        self.plan = plan
        self.event = event
        self.now = now
        self.visitor = visitor
        self.visit = visit
        self.before = before
        self.names = names or {}
        self._categories: dict[str, bool] = {}

    def about(self, event: Event) -> Scene:
        """The same moment, looking at another event."""
        return Scene(self.plan, event, self.now, self.visitor, self.visit, self.before, self.names)

    def knowing(self, names: Mapping[str, Event]) -> Scene:
        """The same scene, with the events that ``as`` has bound."""
        if not names:
            return self
        return Scene(self.plan, self.event, self.now, self.visitor, self.visit, self.before, names)

    def in_category(self, name: str) -> bool:
        """Is the event in this category of the book?"""
        known = self._categories.get(name)
        if known is None:
            known = self.plan.categories[name](self) is True
            self._categories[name] = known
        return known


class Conditions:
    """The compiler of one book: its categories, the kinds of its fields, its facts."""

    def __init__(self, book: syntax.Book, fields: Fields) -> None:
        self._book = book
        self._fields = fields
        self._in_category = False
        self.categories: dict[str, Evaluate] = {}
        for name, category in book.categories.items():
            self._in_category = True
            self.categories[name] = self._boolean(category.condition)
            self._in_category = False
        self._names = tuple(sorted(book.categories))

    def truth(self, condition: syntax.Expr | None) -> Evaluate | None:
        """Compile a condition that decides something; None stays None."""
        return None if condition is None else self._boolean(condition)

    def compile(self, node: syntax.Expr) -> Evaluate:  # noqa: C901 - a line for each node
        """Compile any condition or value."""
        match node:
            case syntax.Constant():
                value = self._constant(node)
                return lambda _: value
            case syntax.Path():
                return self._path(node.parts)
            case syntax.Aggregate():
                return self._aggregate(node)
            case syntax.Outside():
                return _outside(node)
            case syntax.Clock(what="now"):
                return lambda scene: scene.now
            case syntax.Clock():
                day = calendar.weekday(self._book.zone)
                return lambda scene: day(scene.now)
            case syntax.InHours(hours=hours):
                is_open = calendar.opening(self._book.hours[hours], self._book.zone)
                return lambda scene: is_open(scene.now)
            case syntax.Compare():
                return self._compare(node)
            case syntax.Among():
                return self._among(node)
            case syntax.InCategories(categories=names):
                return lambda scene: any(scene.in_category(name) for name in names)
            case syntax.Known(item=item, known=known):
                value_of = self.compile(item)
                return lambda scene: (value_of(scene) is not None) is known
            case syntax.Glob(pattern=pattern):
                fits = address.glob(pattern)
                return lambda scene: None if scene.event.url is None else fits(scene.event.url)
            case syntax.Arithmetic():
                return self._arithmetic(node)
            case syntax.Not(item=item):
                inner = self._boolean(item)
                return lambda scene: None if (v := inner(scene)) is None else not v
            case syntax.And(items=items):
                return _all([self._boolean(item) for item in items])
            case syntax.Or(items=items):
                return _any([self._boolean(item) for item in items])
            case _:
                assert_never(node)

    def _constant(self, node: syntax.Constant) -> Any:
        """The value of a constant; a date is the moment at which it begins in the book's zone."""
        if node.kind == TIME and isinstance(node.value, str):
            return calendar.midnight(node.value, self._book.zone)
        return node.value

    def record(self, record: syntax.Record) -> Callable[[Scene], dict[str, Any]]:
        """Compile a record: what is missing leaves its key out."""
        entries = [(key, self._nested(value)) for key, value in record.entries]

        def build(scene: Scene) -> dict[str, Any]:
            values = ((key, value_of(scene)) for key, value_of in entries)
            return {key: value for key, value in values if value is not None}

        return build

    def _nested(self, value: syntax.Expr | syntax.Record | syntax.List) -> Evaluate:
        if isinstance(value, syntax.Record):
            return self.record(value)
        if isinstance(value, syntax.List):
            items = [self._nested(item) for item in value.items]
            return lambda scene: [v for item in items if (v := item(scene)) is not None]
        return _finite(self.compile(value))

    def _boolean(self, node: syntax.Expr) -> Evaluate:
        value_of = self.compile(node)
        if isinstance(node, syntax.Path | syntax.Aggregate | syntax.Constant | syntax.Outside):
            return lambda scene: v if isinstance(v := value_of(scene), bool) else None
        return value_of

    def _compare(self, node: syntax.Compare) -> Evaluate:
        left, right = self.compile(node.left), self.compile(node.right)
        if node.operator == "matches" and isinstance(node.right, syntax.Constant):
            expression = re2.compile(str(node.right.value))
            return lambda scene: (
                expression.search(text) is not None
                if isinstance(text := left(scene), str)
                else None
            )
        evaluate = COMPARISONS[node.operator].evaluate
        if isinstance(node.right, syntax.Constant):
            constant = self._constant(node.right)
            return lambda scene: evaluate(left(scene), constant)
        return lambda scene: evaluate(left(scene), right(scene))

    def _among(self, node: syntax.Among) -> Evaluate:
        item = self.compile(node.item)
        values = [self.compile(value) for value in node.values]
        equal = COMPARISONS["="].evaluate

        def evaluate(scene: Scene) -> bool | None:
            found = item(scene)
            return disjunction([equal(found, value(scene)) for value in values])

        return evaluate

    def _arithmetic(self, node: syntax.Arithmetic) -> Evaluate:
        left, right, operator = self.compile(node.left), self.compile(node.right), node.operator
        return lambda scene: arithmetic(operator, left(scene), right(scene))

    # ------------------------------------------------------------ paths

    def _path(self, parts: tuple[str, ...]) -> Evaluate:
        match parts:
            case ("event", "query", name):
                return lambda scene: _query(scene.event, name)
            case ("event", name) if name in ENVELOPE:
                return self._envelope(name)
            case ("event", *path):
                return self._field(tuple(path))
            case ("query", name) if self._in_category:
                return lambda scene: _query(scene.event, name)
            case (name,) if self._in_category:
                return self._envelope(name)
            case ("visit", "pages"):
                return lambda scene: scene.visit.entered if scene.visit else 0
            case ("visit", "duration"):
                return lambda scene: scene.now - scene.visit.started if scene.visit else None
            case ("visitor", "state"):
                return lambda scene: scene.visit.state if scene.visit else "anonymous"
            case ("visitor" | "visit" as scope, name):
                return self._fact(scope, name)
            case (alias, *path):
                inner = self._path(("event", *path))
                return lambda scene: (
                    inner(scene.about(scene.names[alias])) if alias in scene.names else None
                )
            case _:
                raise AssertionError("a path has a part")

    def _fact(self, scope: str, name: str) -> Evaluate:
        fact = self._book.facts[(scope, name)]
        default: Any = fact.default
        if fact.kind == TIME and isinstance(default, str):
            default = calendar.midnight(default, self._book.zone)
        if scope == "visitor":
            return lambda scene: scene.visitor.facts.get(name, default)
        return lambda scene: scene.visit.facts.get(name, default) if scene.visit else default

    def _field(self, path: tuple[str, ...]) -> Evaluate:
        fields = self._fields

        def evaluate(scene: Scene) -> Any:
            event = scene.event
            value = field_of(event, path)
            kinds = fields.get(event.name)
            kind = kinds.get(path) if kinds else None
            return None if kind is not None and not kind.admits(value) else value

        return evaluate

    def _envelope(self, name: str) -> Evaluate:
        if name == "category":
            names = self._names if not self._in_category else ()
            return lambda scene: _category(scene, names)
        return _ENVELOPE[name]

    # ------------------------------------------------------------ aggregates

    def _aggregate(self, node: syntax.Aggregate) -> Evaluate:
        if node.atom.what == "sent":
            return self._sent_aggregate(node)
        return reader(node, atom_key(self._book, node.atom))

    def _sent_aggregate(self, node: syntax.Aggregate) -> Evaluate:
        name, where = node.atom.name, self.truth(node.atom.where)
        window = node.window or syntax.Window(reach="ever")

        def fits(scene: Scene, sent: Sent) -> bool:
            if not sent.counts or not sent.named(name) or not _in_window(window, scene, sent):
                return False
            return where is None or where(_as_event(scene, sent)) is True

        def times(scene: Scene) -> list[int]:
            return [sent.time for sent in scene.visitor.sends if fits(scene, sent)]

        match node.function:
            case "count":
                return lambda scene: len(times(scene))
            case "seen":
                return lambda scene: bool(times(scene))
            case _:
                return lambda scene: scene.now - max(times(scene), default=-NEVER)


def _finite(value_of: Evaluate) -> Evaluate:
    """``since`` of what never happened has no JSON; as a value it is missing."""
    return lambda scene: None if (v := value_of(scene)) == NEVER else v


def _outside(node: syntax.Outside) -> Evaluate:
    medium = node.argument
    if node.name == "agents.ready":
        return lambda scene: scene.event.agents.get(medium)
    if node.name == "pacing":
        return lambda scene: scene.event.pacing.get(medium)

    def admits(scene: Scene) -> bool | None:
        probability, draw = scene.event.pacing.get(medium), scene.event.draw
        return None if probability is None or draw is None else draw < probability

    return admits


def _all(items: list[Evaluate]) -> Evaluate:
    def evaluate(scene: Scene) -> bool | None:
        found = []
        for item in items:
            value = item(scene)
            if value is False:
                return False
            found.append(value)
        return conjunction(found)

    return evaluate


def _any(items: list[Evaluate]) -> Evaluate:
    def evaluate(scene: Scene) -> bool | None:
        found = []
        for item in items:
            value = item(scene)
            if value is True:
                return True
            found.append(value)
        return disjunction(found)

    return evaluate


def field_of(event: Event, path: tuple[str, ...]) -> Any:
    """A field of the event's data, by nested names; None when it is not there."""
    value: Any = event.data
    for part in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _query(event: Event, name: str) -> str | None:
    return None if event.url is None else address.split(event.url).parameter(name)


def _category(scene: Scene, names: tuple[str, ...]) -> str | None:
    if scene.event.category is not None or not names:
        return scene.event.category
    return ";".join(name for name in names if scene.in_category(name))


_ENVELOPE: Mapping[str, Evaluate] = {
    "eventName": lambda scene: scene.event.name,
    "pageID": lambda scene: scene.event.page,
    "visitID": lambda scene: scene.event.visit,
    "visitorID": lambda scene: scene.event.visitor,
    "url": lambda scene: scene.event.url,
    "path": lambda scene: None if scene.event.url is None else address.split(scene.event.url).path,
    "host": lambda scene: None if scene.event.url is None else address.split(scene.event.url).host,
    "title": lambda scene: scene.event.title,
    "language": lambda scene: scene.event.language,
}


def _in_window(window: syntax.Window, scene: Scene, sent: Sent) -> bool:
    match window.reach:
        case "ever":
            return True
        case "last":
            return scene.now - sent.time < window.duration
        case _:
            visit = scene.visit
            if visit is None or sent.visit != scene.event.visit or not sent.during(visit):
                return False
            if window.reach == "visit":
                return True
            page = visit.pages.get(scene.event.page)
            if page is None or sent.order < page.opened:
                return False
            return sent.every_page or sent.page == scene.event.page


def _as_event(scene: Scene, sent: Sent) -> Scene:
    """A send as the event that ``where`` of ``sent NAME`` tests."""
    event = send_event(sent, scene.visitor.id)
    return Scene(scene.plan, event, sent.time, scene.visitor, scene.visit, scene.before)


def send_event(sent: Sent, visitor: str) -> Event:
    """The event that patterns see when a message is sent."""
    message = sent.message or None
    data = {"strategy": sent.strategy, "group": sent.group, "message": message}
    return Event(
        name="sent",
        time=sent.time,
        visitor=visitor,
        visit=sent.visit,
        page=sent.page,
        data=data,
        agents=sent.agents,
        pacing=sent.pacing,
        draw=sent.draw,
    )
