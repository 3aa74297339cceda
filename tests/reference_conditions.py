"""Conditions of the reference: paths, three values, aggregates and addresses, read aloud.

`holds(expression, sight)` gives True, False or None (unknown); `value(expression, sight)` gives a
raw value or None (missing). A `Sight` is what a condition may look at. Nothing here is shared with
the runtime: it is the other hand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import re2
from reference_calendar import is_open, midnight, weekday

from engine.language.syntax import (
    Aggregate,
    Among,
    And,
    Arithmetic,
    Atom,
    Book,
    Category,
    Clock,
    Compare,
    Constant,
    Expr,
    Glob,
    InCategories,
    InHours,
    Known,
    List,
    Not,
    Or,
    Outside,
    Path,
    Record,
)
from engine.vocabulary.events import SYSTEM_EVENTS, Event, Tick
from engine.vocabulary.kinds import TIME

NEVER = math.inf
"""`since` of what never happened: longer than every duration."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the past that patterns and aggregates can see: an event, or a send.

    `place` numbers the lines in order of arrival. `names` are the names by which `sent NAME` knows
    a send; an event has none. What went to `every_page` has the page `null`. `life` and `view`
    number the lives of a visit id and the openings of a page, since a visit can begin again after
    24 hours and a page can be opened again.
    """

    place: int
    time: int
    event: Event
    names: frozenset[str] = frozenset()
    send: str = ""
    every_page: bool = False
    life: int = 0
    view: int = 0

    @property
    def visit(self) -> str:
        return self.event.visit

    @property
    def page(self) -> str | None:
        return self.event.page

    @property
    def is_send(self) -> bool:
        return self.send != ""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What one condition may look at, for one tested or completing event at one time."""

    book: Book
    entry: Entry
    time: int
    outside: Event | Tick
    """The event or tick whose agents, pacing and draw are asked."""
    names: Mapping[str, Entry] = field(default_factory=dict)
    """What `as` has given a name."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What was given to a message for its parameters."""
    past: Sequence[Entry] = ()
    """Everything up to and including this step (sends that were taken back are not in it)."""
    life: int | None = None
    view: int | None = None
    """Which life of the visit and which opening of the page `this visit`, `this page` are."""
    before: int | None = None
    """`since` looks only at places before this one (None: at all)."""
    fact: Callable[[str, str], Any] = lambda _scope, _name: None


# ------------------------------------------------ "Three values"


def holds(expression: Expr, sight: Sight) -> bool | None:
    """Kleene's three values; a path or call alone is unknown unless it is boolean."""
    match expression:
        case Not(item=item):
            truth = holds(item, sight)
            return None if truth is None else not truth
        case And(items=items):
            truths = [holds(item, sight) for item in items]
            return False if False in truths else (None if None in truths else True)
        case Or(items=items):
            truths = [holds(item, sight) for item in items]
            return True if True in truths else (None if None in truths else False)
        case Among(item=item, values=values):
            return holds(Or(items=tuple(_equals(item, v) for v in values)), sight)
        case Compare(operator=operator, left=left, right=right):
            return compare(operator, value(left, sight), value(right, sight))
        case Known(item=item, known=known):
            return (value(item, sight) is not None) == known
        case InCategories(categories=names):
            return in_categories(names, sight.entry, sight.book)
        case Glob(pattern=pattern):
            return glob(pattern, sight.entry.event.url)
        case InHours(hours=name):
            return is_open(sight.book.hours[name], sight.time, sight.book)
        case Outside(name="pacing admits", argument=medium):
            draw, chance = sight.outside.draw, sight.outside.pacing.get(medium)
            return None if draw is None or chance is None else draw < chance
        case _:
            found = value(expression, sight)
            return found if isinstance(found, bool) else None


def _equals(item: Expr, other: Expr) -> Compare:
    return Compare(operator="=", left=item, right=other)


def kind_of(raw: object) -> str:
    for word, types in (("boolean", bool), ("number", (int, float)), ("text", str), ("list", list)):
        if isinstance(raw, types):
            return word
    return "missing"


def compare(operator: str, left: Any, right: Any) -> bool | None:
    """Unknown with a missing value and between different kinds."""
    if operator == "has" and isinstance(left, list):
        return None if right is None else any(compare("=", item, right) for item in left)
    if "missing" in (kind_of(left), kind_of(right)) or kind_of(left) != kind_of(right):
        return None
    if operator in ("=", "!="):
        return (left == right) == (operator == "=")
    if operator in ("<", "<=", ">", ">="):
        if kind_of(left) not in ("number", "text"):
            return None
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[
            operator
        ]
    if kind_of(left) != "text":
        return None
    match operator:
        case "has":
            return right in left
        case "starts with":
            return bool(left.startswith(right))
        case "ends with":
            return bool(left.endswith(right))
        case "matches":
            return re2.search(right, left) is not None
    raise ValueError(operator)


# ------------------------------------------------ "Paths", and arithmetic


def value(expression: Expr, sight: Sight) -> Any:
    """A raw value, or None when it is missing."""
    match expression:
        case Constant(value=str(day), kind=kind) if kind == TIME:
            return midnight(day, sight.book.zone)
        case Constant(value=raw):
            return raw
        case Clock(what=what):
            return sight.time if what == "now" else weekday(sight.time, sight.book.zone)
        case Path(parts=parts):
            return path(parts, sight)
        case Aggregate():
            return aggregate(expression, sight)
        case Outside(name="agents.ready", argument=medium):
            return sight.outside.agents.get(medium)
        case Outside(name="pacing", argument=medium):
            return sight.outside.pacing.get(medium)
        case Arithmetic(operator=operator, left=left, right=right):
            return arithmetic(operator, value(left, sight), value(right, sight))
        case _:
            return holds(expression, sight)


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """Missing over anything but numbers, for a division by zero, and when not finite."""
    if kind_of(left) != "number" or kind_of(right) != "number":
        return None
    if operator == "/" and right == 0:
        return None
    try:
        result = {
            "+": lambda: left + right,
            "-": lambda: left - right,
            "*": lambda: left * right,
            "/": lambda: left / right,
        }[operator]()
    except OverflowError:
        return None
    return result if is_double(result) else None


def is_double(number: float) -> bool:
    """A number is a double; a whole number in JSON may be longer than one holds."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def path(parts: tuple[str, ...], sight: Sight) -> Any:
    """`event.x`; `visit.x`, `visitor.x`; `name.x` bound by `as`; a parameter of a message.

    In a category also `title`, `url`, `query.x`, `language`: short for the event's.
    """
    if parts[0] in ("visit", "visitor"):
        return sight.fact(parts[0], parts[1])
    if len(parts) == 1 and parts[0] in sight.parameters:
        return sight.parameters[parts[0]]
    if parts[0] in sight.names:
        return field_of(parts[1:], sight.names[parts[0]], sight.book)
    return field_of(parts[1:] if parts[0] == "event" else parts, sight.entry, sight.book)


def field_of(names: tuple[str, ...], entry: Entry, book: Book) -> Any:
    """`event.X`: the envelope for its names and `query.NAME`, else the data, nested by dots.

    A value that is not of the kind that the event declares is missing.
    """
    event = entry.event
    if names[0] == "query":
        pairs = parse_qsl(urlsplit(event.url or "").query, keep_blank_values=True)
        return next((text for name, text in pairs if (name,) == names[1:]), None)
    envelope = {
        "eventName": event.name,
        "pageID": event.page,
        "visitID": event.visit,
        "visitorID": event.visitor,
        "url": event.url,
        "path": address(event.url)[1],
        "host": address(event.url)[0],
        "title": event.title,
        "language": event.language,
    }
    if names in [(name,) for name in envelope]:
        return envelope[names[0]]
    if names == ("category",):
        if event.category is not None:
            return event.category
        return ";".join(n for n in sorted(book.categories) if in_categories((n,), entry, book))
    raw: Any = event.data
    for name in names:
        raw = raw.get(name) if hasattr(raw, "get") else None
    kind = declared(event.name, names, book)
    return None if kind is not None and not kind.admits(raw) else raw


def declared(event: str, names: tuple[str, ...], book: Book) -> Any:
    """The kind that the event declares for a field; None when it does not mention it."""
    if event in SYSTEM_EVENTS:
        return SYSTEM_EVENTS[event].fields.get(".".join(names))
    if event in book.events:
        return next((f.kind for f in book.events[event].fields if f.path == names), None)
    return None


def record(tree: Record | List | Expr, sight: Sight) -> Any:
    """A message's data: a value that is missing leaves its key out."""
    if isinstance(tree, Record):
        known = {key: record(inner, sight) for key, inner in tree.entries}
        return {key: inner for key, inner in known.items() if inner is not None}
    if isinstance(tree, List):
        items = [record(item, sight) for item in tree.items]
        return [item for item in items if item is not None]
    return value(tree, sight)


# ------------------------------------------------ "Aggregates"


def fits(atom: Atom, entry: Entry, book: Book, names: Mapping[str, Entry] | None = None) -> bool:
    """Whether one line of the past is what the atom waits for; `names` were bound before it."""
    if atom.what == "sent":
        named = atom.name in entry.names
    elif atom.what == "any":
        named = not entry.is_send
    else:
        named = not entry.is_send and entry.event.name == atom.name
    if not named:
        return False
    if atom.categories and not in_categories(atom.categories, entry, book):
        return False
    if atom.where is None:
        return True
    # `event` is the tested event; `now` is its time, and agents and pacing are those recorded
    # with it.
    sight = Sight(book=book, entry=entry, time=entry.time, outside=entry.event, names=names or {})
    return holds(atom.where, sight) is True


def aggregate(call: Aggregate, sight: Sight) -> Any:
    """A loop over the whole past."""

    def matches(entry: Entry) -> bool:
        return fits(call.atom, entry, sight.book)

    if call.function == "since":
        times = [
            entry.time
            for entry in sight.past
            if (sight.before is None or entry.place < sight.before) and matches(entry)
        ]
        return sight.time - times[-1] if times else NEVER
    found = [entry for entry in sight.past if in_window(call, entry, sight) and matches(entry)]
    if call.function == "seen":
        return bool(found)
    rolling = call.window is not None and call.window.reach == "last"
    if call.function == "count":
        return min(len(found), 1000) if rolling else len(found)
    known = [field_of(call.field, entry, sight.book) for entry in found]
    known = [raw for raw in known if raw is not None]
    if call.function == "latest":
        return known[-1] if known else None
    numbers = [raw for raw in known if kind_of(raw) == "number" and is_double(raw)]
    return of_numbers(call.function, numbers[-1000:] if rolling else numbers)


def of_numbers(function: str, numbers: list[Any]) -> Any:
    """`sum` of nothing is 0; `min`, `max`, `average` of nothing are missing."""
    if not numbers and function != "sum":
        return None
    total: Any = 0
    # Added one by one, oldest first: with doubles the order can matter.
    for number in numbers:
        total = None if total is None else arithmetic("+", total, number)
    match function:
        case "sum":
            return total
        case "average":
            return None if total is None else total / len(numbers)
        case "min":
            return min(numbers)
        case _:
            return max(numbers)


def in_window(call: Aggregate, entry: Entry, sight: Sight) -> bool:
    """All windows are half-open: what is exactly D old is outside."""
    assert call.window is not None
    match call.window.reach:
        case "last":
            return sight.time - entry.time < call.window.duration
        case "visit":
            return entry.visit == sight.entry.visit and entry.life == sight.life
        case "page":
            if (entry.visit, entry.life) != (sight.entry.visit, sight.life):
                return False
            if entry.every_page:
                return since_page_opened(entry, sight)
            return (entry.page, entry.view) == (sight.entry.page, sight.view)
        case "ever":
            return True


def since_page_opened(sent: Entry, sight: Sight) -> bool:
    """A send to every page counts on each page of its visit, from the page's first event on."""
    page = (sight.entry.visit, sight.life, sight.entry.page, sight.view)
    events = [entry for entry in sight.past if not entry.is_send]
    seen = [e.place for e in events if (e.visit, e.life, e.page, e.view) == page]
    return bool(seen) and seen[0] < sent.place


# ------------------------------------------------ "URLs", and categories


def in_categories(names: tuple[str, ...], entry: Entry, book: Book) -> bool:
    """Whether the event is in any of the categories; a send is in none."""
    if entry.is_send:
        return False
    sight = Sight(book=book, entry=entry, time=entry.time, outside=entry.event)
    conditions: list[Category] = [book.categories[name] for name in names]
    return any(holds(category.condition, sight) is True for category in conditions)


def address(url: str | None) -> tuple[str | None, str | None]:
    """Host (without user and port, lower case) and path; a path without a scheme is a path."""
    if url is None:
        return None, None
    parts = urlsplit(url)
    return parts.hostname, parts.path or "/"


def glob(pattern: str, url: str | None) -> bool | None:
    """`*` within a segment, `**` across; `/**` at the end also matches nothing."""
    if url is None:
        return None
    host, way = address(url)
    subject = way or "/"
    if not pattern.startswith("/"):
        subject = (host or "") + subject
    pattern, subject = pattern.rstrip("/"), subject.rstrip("/")
    tail = ""
    if pattern.endswith("/**"):
        pattern, tail = pattern[: -len("/**")], "(/.*)?"
    pieces = re.split(r"(\*\*|\*)", pattern)
    spelt = [{"**": ".*", "*": "[^/]*"}.get(piece, re.escape(piece)) for piece in pieces]
    return re.fullmatch("".join(spelt) + tail, subject, re.DOTALL) is not None
