"""Conditions and values: what each path and name means where it stands, and of what kind it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import chain, islice
from typing import Final, Literal, assert_never

import re2

from engine.language import syntax
from engine.language.diagnostics import Findings, did_you_mean, one_of
from engine.language.fitting import compared, other_comparison, same_kind
from engine.language.meant import Meant
from engine.language.names import BUILT_IN, Names
from engine.language.render import written
from engine.language.spelling import nearest
from engine.vocabulary.channels import MEDIA
from engine.vocabulary.events import ENVELOPE, SYSTEM_EVENTS
from engine.vocabulary.kinds import BOOLEAN, DURATION, NUMBER, TEXT, TIME, Kind
from engine.vocabulary.operators import COMPARISONS

_SENT_FIELDS: Final = {"strategy": TEXT, "group": TEXT, "message": TEXT}
_NOTHING: Final = ("null", "none", "nil", "undefined", "empty", "nan")
_NO_WHY: Final = "it cannot be read"
_WHY: Final = {
    "missing )": "a bracket is not closed",
    "unexpected )": "a bracket is closed that was not opened",
    "missing ]": "a `[` is not closed",
    "no argument for repetition": "there is nothing to repeat before `*`, `+` or `?`",
    "bad repetition operator": "two signs of repetition stand side by side",
    "invalid perl operator": "it looks ahead or behind, or names a group, which is not possible",
    "invalid escape sequence": "a letter after `\\\\` means nothing",
    "trailing \\": "it ends with a backslash",
    "invalid character class": "a range such as `[z-a]` is the wrong way round",
    "invalid repetition size": "it repeats more than 1,000 times",
    "pattern too large": "it is too long",
}
_SHORT: Final = ("url", "title", "language", "path", "host")
_DAY_HINT: Final = 'Write a day, such as `"Mon"`.'
_MOST_NAMES: Final = 100
"""So many parameters of a message, or names after ``as``, are compared with a misspelt one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a condition stands, whose event ``event`` is (None: any event's), and other names."""

    what: Literal["category", "where", "rule", "message"]
    event: syntax.Atom | None = None
    names: Mapping[str, syntax.Atom] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()


class Expressions:
    """Finds the kind of every expression of a book, and notes what cannot be."""

    BUILT_IN: Final = BUILT_IN

    def __init__(self, names: Names, findings: Findings) -> None:
        self._names = names
        self._findings = findings
        self._meant = Meant(names)
        self.spared = 0
        """How often a mistake went unsaid because another declaration could not be read."""

    # ------------------------------------------------- names

    @staticmethod
    def _first(*hints: Callable[[], str]) -> Callable[[], str]:
        """The first of these sentences that says something, when it is shown."""
        return lambda: next((said for hint in hints if (said := hint())), "")

    def event_name(self, name: str, span: syntax.Span, *, told: bool = False) -> None:
        """Note an event that nobody declares; ``told``: as a step of a story."""
        if not self._names.has_event(name):
            known = (self._names.events, SYSTEM_EVENTS)
            event = self._names.near(name, "event", lambda: chain(*known))
            hint = self._first(lambda: self._meant.event(name, told=told), event)
            self._findings.add("N101", span, word=name, nearest=hint)

    def sendable(self, name: str, span: syntax.Span) -> None:
        """Note what ``sent NAME`` cannot mean."""
        known = (self._names.strategies, self._names.groups, self._names.messages)
        if not any(name in table for table in (*known, self._names.lost)):
            near = self._names.near(name, "sendable", lambda: chain(*known))
            self._findings.add("N111", span, word=name, nearest=near)

    def categories(self, names: tuple[str, ...], span: syntax.Span) -> None:
        """Note categories that nobody declares."""
        for name in names:
            if name not in self._names.categories and name not in self._names.lost:
                self._unknown_category(name, span)

    @cached_property
    def _nameless_category(self) -> bool:
        """Has a category lost its name?"""
        return any(known.startswith("?") for known in self._names.categories)

    def _unknown_category(self, name: str, span: syntax.Span) -> None:
        if self._nameless_category:
            self.spared += 1
            return
        near = self._names.near(name, "category", lambda: self._names.categories)
        hint = self._first(lambda: self._meant.category(name), near)
        self._findings.add("N102", span, word=name, nearest=hint)

    def hours(self, name: str, span: syntax.Span, after: str = "") -> None:
        """Note hours that nobody declares (that stand behind a word in the span)."""
        if name not in self._names.hours and name not in self._names.lost:
            near = self._names.near(name, "hours", lambda: self._names.hours)
            hint = self._first(lambda: self._meant.hours(name), near)
            self._findings.add("N118", span, word=name, nearest=hint, after=after)

    def medium(self, name: str, span: syntax.Span) -> None:
        """Note a medium that is neither built in nor declared."""
        known = (MEDIA, self._names.media)
        if not any(name in table for table in (*known, self._names.lost)):
            near = self._names.near(name, "medium", lambda: chain(*known))
            self._findings.add("N117", span, word=name, nearest=near)

    def unknown_fact(self, scope: str, name: str, span: syntax.Span) -> None:
        """Note a fact that nobody declares."""
        word = f"{scope}.{name}"
        if not {word, name} & self._names.lost:
            near = lambda: self._meant.fact(scope, name, self.BUILT_IN)  # noqa: E731 - when shown
            self._findings.add("N105", span, word=word, nearest=near)

    def _facts(self) -> Iterable[str]:
        return map(".".join, (*self._names.facts, *self.BUILT_IN))

    def unknown_field(self, event: str, path: tuple[str, ...], span: syntax.Span) -> None:
        """Note a field that an event does not have."""
        word = ".".join(path)
        near = self._near_field(word, event)
        if path[0] == "event" and path[1:] in self._names.fields_of(event):
            near = partial(did_you_mean, ".".join(path[1:]))
        if path[-1] in ("length", "size") and path[:-1] in self._names.fields_of(event):
            near = lambda: "Leave the comparison out; nothing asks how long a text is."  # noqa: E731
        self._findings.add(
            "N106",
            span,
            event=f"The event `{event}`",
            word=word,
            nearest=near,
            declaration=f"`event {event}`",
        )

    def _near_field(self, word: str, event: str = "") -> Callable[[], str]:
        """The nearest field of an event, or of any."""

        def known() -> Iterable[str]:
            paths = self._names.fields_of(event) if event else self._names.all_fields()
            return (*map(".".join, paths), *ENVELOPE)

        return self._names.near(word, f"field of {event}", known)

    def atom(self, atom: syntax.Atom, names: Mapping[str, syntax.Atom] | None = None) -> None:
        """Check an atom: its event, categories and ``where`` (``names`` are bound before it)."""
        if atom.what == "event":
            self.event_name(atom.name, atom.span)
        elif atom.what == "sent":
            self.sendable(atom.name, atom.span)
            if atom.categories:
                self._findings.add("P311", atom.span)
        self.categories(atom.categories, atom.span)
        if atom.where is not None:
            self.truth(atom.where, Place(what="where", event=atom, names=dict(names or {})))

    # ------------------------------------------------- kinds

    def truth(self, node: syntax.Expr, place: Place, before: syntax.Expr | None = None) -> None:
        """Check a condition: it must be true or false. ``before`` is joined to it."""
        kind = self.kind_of(node, place)
        if kind is not None and kind != BOOLEAN:
            hint = partial(compared, node, kind, before, in_category=place.what == "category")
            self._findings.add(
                "T203", node.span, left=_said(node), left_kind=f"a {kind}", hint=hint
            )

    def record(
        self, record: syntax.Record, place: Place
    ) -> dict[str, tuple[Kind | None, syntax.Span]]:
        """Check a record's values; gives each key's kind (None: not known) and place."""
        found: dict[str, tuple[Kind | None, syntax.Span]] = {}
        for key, value in record.entries:
            found[key] = (self._item(value, place), value.span)
        return found

    @staticmethod
    def keys(record: syntax.Record) -> dict[str, syntax.Span]:
        """Where each key of a record stands: between the value before it and its own."""
        found, start = {}, record.span.start
        for key, value in record.entries:
            found[key] = replace(record.span, start=start, end=value.span.start)
            start = value.span.end
        return found

    def _item(self, value: syntax.Expr | syntax.Record | syntax.List, place: Place) -> Kind | None:
        if isinstance(value, syntax.Record):
            self.record(value, place)
            return Kind("record")
        if isinstance(value, syntax.List):
            kinds = [self._item(item, place) for item in value.items]
            return Kind("list", kinds[0] if kinds else None)
        return self.kind_of(value, place)

    def kind_of(self, node: syntax.Expr, place: Place) -> Kind | None:  # noqa: C901 - a line a node
        """The kind of an expression, or None when it cannot be told; notes what is wrong."""
        match node:
            case syntax.Constant(kind=kind):
                return kind
            case syntax.Path():
                return self._path(node, place)
            case syntax.Aggregate():
                return self._aggregate(node, place)
            case syntax.Outside(name=name, argument=medium, span=span):
                if place.what == "category":
                    self._not_here(node, "of a category", "Ask it in `when`.")
                self.medium(medium, span)
                return BOOLEAN if name == "pacing admits" else NUMBER
            case syntax.Clock(what=what):
                self._not_in_a_category(node, place)
                return TIME if what == "now" else TEXT
            case syntax.InHours(hours=hours, span=span):
                self._not_in_a_category(node, place)
                self.hours(hours, span)
                return BOOLEAN
            case syntax.Compare():
                self._compare(node, place)
                return BOOLEAN
            case syntax.Among(item=item, values=values):
                own = self.kind_of(item, place)
                for value in values:
                    self._same_kind(item, value, own, self.kind_of(value, place))
                return BOOLEAN
            case syntax.InCategories(categories=names, span=span):
                self.categories(names, span)
                if place.what == "category":
                    self._not_here(node, "in a category", "Repeat the other's condition.")
                return BOOLEAN
            case syntax.Known(item=item):
                self.kind_of(item, place)
                return BOOLEAN
            case syntax.Glob():
                if place.what != "category":
                    hint = "Declare a category with this glob, and write `in` its name."
                    self._not_here(node, "outside a category", hint)
                return BOOLEAN
            case syntax.Arithmetic():
                return self._arithmetic(node, place)
            case syntax.Not(item=item):
                self.truth(item, place)
                return BOOLEAN
            case syntax.And(items=items) | syntax.Or(items=items):
                for before, item in zip((None, *items), items, strict=False):
                    self.truth(item, place, before)
                return BOOLEAN
            case _:
                assert_never(node)

    def _not_in_a_category(self, node: syntax.Expr, place: Place) -> None:
        if place.what == "category":
            self._not_here(node, "of a category", "Ask it in `when`.")

    def _not_here(self, node: syntax.Expr, where: str, hint: str) -> None:
        self._findings.add("P307", node.span, left=_said(node), place=where, hint=hint)

    def _compare(self, node: syntax.Compare, place: Place) -> None:
        takes = COMPARISONS[node.operator].takes
        if takes == "any":
            self._comparable(node.left, node.right, place)
            return
        left, right = self.kind_of(node.left, place), self.kind_of(node.right, place)
        if takes == "text or list" and left is not None and left.word == "list":
            return
        for side, kind in ((node.left, left), (node.right, right)):
            ordered = (
                takes == "ordered" and kind is not None and kind.word not in ("boolean", "list")
            )
            if kind is not None and kind != TEXT and not ordered:
                is_seen = isinstance(side, syntax.Aggregate) and side.function == "seen"
                self._findings.add(
                    "T202",
                    node.span if is_seen else side.span,
                    operator=node.operator,
                    takes="numbers, times or texts" if takes == "ordered" else "texts",
                    left=_said(side),
                    left_kind=f"a {kind}",
                    hint=partial(other_comparison, node),
                )
                return
        if takes == "ordered":
            self._same_kind(node.left, node.right, left, right)
        if node.operator == "matches" and isinstance(node.right, syntax.Constant):
            self._expression(node.right)

    def _expression(self, pattern: syntax.Constant) -> None:
        options = re2.Options()
        options.log_errors = False
        try:
            re2.compile(str(pattern.value), options)
        except re2.error as error:
            said = error.args[0] if error.args else ""
            said = said.decode() if isinstance(said, bytes) else str(said)
            why = next((why for start, why in _WHY.items() if said.startswith(start)), _NO_WHY)
            self._findings.add("T206", pattern.span, word=str(pattern.value), why=why)

    def _comparable(self, left: syntax.Expr, right: syntax.Expr, place: Place) -> None:
        self._same_kind(left, right, self.kind_of(left, place), self.kind_of(right, place))

    def _same_kind(
        self, left: syntax.Expr, right: syntax.Expr, one: Kind | None, other: Kind | None
    ) -> None:
        if one is None or other is None or one == other:
            return
        self._findings.add(
            "T201",
            right.span,
            left=_said(left),
            right=_said(right),
            left_kind=f"a {one}",
            right_kind=f"a {other}",
            hint=_DAY_HINT
            if isinstance(left, syntax.Clock) and left.what == "weekday"
            else partial(same_kind, left, right, one),
        )

    def _arithmetic(self, node: syntax.Arithmetic, place: Place) -> Kind | None:
        if self._dashed(node, place):
            return None
        kinds = [self.kind_of(side, place) for side in (node.left, node.right)]
        if kinds[0] is None and isinstance(node.left, syntax.Arithmetic):
            return None  # it is part of a longer one that has a mistake
        for side, kind in zip((node.left, node.right), kinds, strict=True):
            if kind is not None and kind not in (NUMBER, DURATION):
                self._findings.add(
                    "T204",
                    side.span,
                    operator=node.operator,
                    left=_said(side),
                    left_kind=f"a {kind}",
                    hint="Texts cannot be joined; send each as a field of its own."
                    if kind == TEXT and node.operator == "+"
                    else "Use a number.",
                )
                return None
        if None in kinds:  # it has a mistake of its own, or may be anything
            return None
        if DURATION in kinds:
            return NUMBER if node.operator == "/" and kinds[1] == DURATION else DURATION
        return NUMBER

    def _aggregate(self, node: syntax.Aggregate, place: Place) -> Kind | None:
        if place.what != "rule" and place.what != "message":
            where = "of a category" if place.what == "category" else "in `where`"
            self._not_here(node, where, "Ask it in `when`.")
            return {"seen": BOOLEAN, "since": DURATION, "count": NUMBER}.get(node.function)
        self.atom(node.atom)
        if not node.field:
            return {"seen": BOOLEAN, "since": DURATION}.get(node.function, NUMBER)
        kind = self._field_kind(node.atom, node.field, node.span)
        if node.function != "latest" and kind is not None and kind not in (NUMBER, DURATION):
            self._findings.add(
                "T204",
                node.span,
                operator=node.function,
                left=f"`{'.'.join(node.field)}`",
                left_kind=f"a {kind}",
                hint="Name a field that is a number, or count the events with `count(..)`.",
            )
            return NUMBER
        return kind

    # ------------------------------------------------- paths

    def _path(self, node: syntax.Path, place: Place) -> Kind | None:
        match node.parts:
            case ("event", "query", _):
                return TEXT
            case ("event", name) if name in ENVELOPE:
                return ENVELOPE[name]
            case ("event", *path):
                return self._event_field(node, tuple(path), place)
            case ("query", _) if place.what == "category":
                return TEXT
            case (name,) if place.what == "category" and name in _SHORT:
                return TEXT
            case ("visit" | "visitor" as scope, name):
                return self._fact(node, scope, name, place)
            case (parameter,) if parameter in place.parameters:
                return None
            case (alias, *path) if alias in place.names and path:
                return self._bound_field(node, place.names[alias], tuple(path))
            case _:
                self._nothing(node, place)
                return None

    def _nothing(self, node: syntax.Path, place: Place) -> None:
        word = ".".join(node.parts)
        if word in self._names.lost:
            self.spared += 1
            return
        if word.lower() in _NOTHING:
            hint = "Ask for it with `is missing` or `is known`."
        elif word in ("agents.ready", "pacing"):
            hint = f'Write `{word}("chat")`.'
        elif len(node.parts) == 1:
            hint = f'For a text write `"{word}"`; for a field write `event.{word}`.'
        else:
            roots = ["`event.`", "`visit.`", "`visitor.`"]
            hint = f"Begin with {one_of(roots)}."
        self._findings.add(
            "N113", node.span, word=word, nearest=self._near_path(node, place), known=hint
        )

    def _near_path(self, node: syntax.Path, place: Place) -> Callable[[], str]:
        """The nearest of all that may be asked for at a place."""
        word = ".".join(node.parts)

        def here() -> Iterable[str]:
            yield from _SHORT if place.what == "category" else ()
            yield from islice(place.parameters, _MOST_NAMES)
            for name in islice(place.names, _MOST_NAMES):
                yield ".".join((name, *node.parts[1:]))

        def anywhere() -> Iterable[str]:
            return (*self._facts(), *(f"event.{name}" for name in ENVELOPE))

        near = self._names.near(word, "path", anywhere)
        return self._first(
            lambda: did_you_mean(nearest(word, here())),
            lambda: self._guess(node, place),
            near,
        )

    def _guess(self, node: syntax.Path, place: Place) -> str:
        if len(node.parts) > 1:
            return self._meant.path(node.parts, place.event)
        in_category = place.what == "category"
        return self._meant.word(node.parts[0], place.event, in_category=in_category)

    def _dashed(self, node: syntax.Arithmetic, place: Place) -> bool:
        """A name with a dash in it, such as `visitor.gold-card`, read as a difference?"""
        left, right = node.left, node.right
        if node.operator != "-" or not isinstance(left, syntax.Path):
            return False
        if not isinstance(right, syntax.Path) or len(right.parts) > 1:
            return False
        if right.span.start - left.span.end != 1 or right.parts[0] in place.parameters:
            return False
        name = ".".join(left.parts) + right.parts[0][:1].upper() + right.parts[0][1:]
        way = f"A name is one word: `{name}`."
        if {left.parts[0], right.parts[0]} <= {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}:
            way = f'Write each day in quotes: `"{left.parts[0]}", .., "{right.parts[0]}"`.'
        self._findings.add(
            "N113",
            node.span,
            word=f"{'.'.join(left.parts)}-{right.parts[0]}",
            nearest=way,
            known="",
        )
        return True

    def _fact(self, node: syntax.Path, scope: str, name: str, place: Place) -> Kind | None:
        if place.what in ("category", "where"):
            where = "of a category" if place.what == "category" else "in `where`"
            self._not_here(node, where, "Ask it in `when`.")
            return None
        built_in = self.BUILT_IN.get((scope, name))
        if built_in is not None:
            return built_in
        fact = self._names.facts.get((scope, name))
        if fact is None:
            self.unknown_fact(scope, name, node.span)
            return None
        return fact.kind

    def _bound_field(
        self, node: syntax.Path, atom: syntax.Atom, path: tuple[str, ...]
    ) -> Kind | None:
        if len(path) == 1 and path[0] in ENVELOPE:
            return ENVELOPE[path[0]]
        if path[0] == "query" and len(path) == 2:
            return TEXT
        return self._event_field(node, path, Place(what="where", event=atom))

    def _event_field(self, node: syntax.Path, path: tuple[str, ...], place: Place) -> Kind | None:
        atom = place.event
        if atom is not None and atom.what == "sent":
            if len(path) == 1 and path[0] in _SENT_FIELDS:
                return _SENT_FIELDS[path[0]]
            near = did_you_mean(nearest(".".join(path), _SENT_FIELDS))
            hint = f"A send has {one_of(f'`event.{name}`' for name in _SENT_FIELDS)}."
            word = ".".join(node.parts)
            self._findings.add("N113", node.span, word=word, nearest=near, known=hint)
            return None
        if atom is not None and atom.what == "event":
            return self._field_kind(atom, path, node.span)
        return self._any_field(node, path)

    def _field_kind(
        self, atom: syntax.Atom, path: tuple[str, ...], span: syntax.Span
    ) -> Kind | None:
        fields = self._names.fields_of(atom.name)
        if path in fields:
            return fields[path]
        if len(path) == 1 and path[0] in ENVELOPE and not fields.get(path):
            return ENVELOPE[path[0]]
        known = self._names.fields_known(atom.name)
        if known and not self._names.reaches_field(atom.name, path):
            self.unknown_field(atom.name, path, span)
        return None

    def _any_field(self, node: syntax.Path, path: tuple[str, ...]) -> Kind | None:
        kinds = self._names.kinds_of_any(path)
        if not kinds and (self._names.broken or self._names.lost):
            self.spared += 1
        elif not kinds:
            word = ".".join(path)
            self._findings.add(
                "N106",
                node.span,
                event="No event",
                word=word,
                nearest=self._near_field(word),
                declaration="an event",
            )
        return next(iter(kinds)) if len(kinds) == 1 else None


def _said(node: syntax.Expr) -> Callable[[], str]:
    """An expression in the author's words, for when they are shown."""
    return lambda: f"`{written(node)}`"
