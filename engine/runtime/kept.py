"""What a chain keeps of an event: what its rule reads of it later, and no more.

A silence keeps the event before it until it is over, and ``as`` keeps an event until the pattern is
complete. Which of their fields anybody asks for then stands in the book.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from engine.language import syntax
from engine.runtime.aggregates import branches
from engine.vocabulary.events import ENVELOPE, Event

Path = tuple[str, ...]

_ALWAYS: Final = frozenset({"eventName", "pageID", "visitID", "visitorID"})
_ATTRIBUTES: Final[Mapping[str, str]] = {
    "url": "url", "path": "url", "host": "url", "query": "url",
    "title": "title", "language": "language", "category": "category",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Beside name, time, visit and page: these ``attributes`` and these ``fields`` of the data.

    No field is a part of another one. ``whole`` keeps everything.
    """

    attributes: tuple[str, ...] = ()
    fields: tuple[Path, ...] = ()
    whole: bool = False


WHERE: Final = Kept()
"""Name, time, visit and page alone: for who is asked only where the event was."""
WHOLE: Final = Kept(whole=True)


class Reads:
    """What some rules that share a pattern read: of their event, and of events bound by ``as``."""

    def __init__(self, book: syntax.Book, rules: Sequence[syntax.Rule | syntax.Guarantee]) -> None:
        self._book = book
        self._rules = rules

    @cached_property
    def _patterns(self) -> tuple[syntax.Pattern, ...]:
        return tuple({rule.pattern for rule in self._rules})

    @cached_property
    def _later(self) -> tuple[Path, ...]:
        """What is read once the pattern is complete."""
        found: list[Path] = []
        for rule in self._rules:
            if isinstance(rule, syntax.Rule):
                names = [send.message for send in rule.sends if send.message is not None]
                messages = tuple(self._book.messages[name] for name in names)
                read = (rule.when, rule.unless, rule.sends, rule.attach, rule.sets, messages)
                found += _paths(read)
        return tuple(found)

    def event(self) -> Kept:
        """What is read of the event of a rule that a silence completes."""
        if len(self._patterns) > 1:
            return WHOLE  # rows that must know whether it was the same event that they met
        return self._kept([path[1:] for path in self._later if path[0] == "event"])

    def bound(self, alias: str) -> Kept:
        """What is read of the event that ``as`` has bound."""
        read = (*self._later, *_paths(self._patterns))
        return self._kept([path[1:] for path in read if path[0] == alias])

    def _kept(self, paths: Sequence[Path]) -> Kept:
        """``paths`` without their first word."""
        attributes: set[str] = set()
        fields: set[Path] = set()
        if any(not path for path in paths):
            return WHOLE
        for path in paths:
            self._note(path, attributes, fields)
        if "category" in attributes:
            # Of an event that came without one, its categories are found again.
            conditions = tuple(each.condition for each in self._book.categories.values())
            for path in _paths(conditions):
                self._note(path[1:] if path[0] == "event" else path, attributes, fields)
        shortest = {p for p in fields if not any(p[:n] in fields for n in range(1, len(p)))}
        return Kept(attributes=tuple(sorted(attributes)), fields=tuple(sorted(shortest)))

    def _note(self, path: Path, attributes: set[str], fields: set[Path]) -> None:
        if (path[0] == "query" and len(path) == 2) or (len(path) == 1 and path[0] in ENVELOPE):
            attributes.update({_ATTRIBUTES[path[0]]} if path[0] not in _ALWAYS else ())
        else:
            fields.add(path)


def reads_of(book: syntax.Book, strategy: syntax.Strategy) -> Iterator[Reads]:
    """What each rule reads; the rows of a table, of which one event moves several, as one."""
    tables: dict[str, list[syntax.Rule]] = {}
    for rule in strategy.rules:
        if rule.table is not None:
            tables.setdefault(rule.table, []).append(rule)
    rows = {name: Reads(book, rules) for name, rules in tables.items()}
    for rule in strategy.rules:
        yield Reads(book, [rule]) if rule.table is None else rows[rule.table]


_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


def _paths(node: Any) -> list[Path]:
    """Every path in a piece of the tree, but for those of aggregates, which see other events."""
    found: list[Path] = []
    _gather(node, found)
    return found


def _gather(node: Any, found: list[Path]) -> None:
    kind: type = type(node)
    if kind is syntax.Path:
        found.append(node.parts)
    elif kind is syntax.Glob:
        found.append(("event", "url"))
    elif kind is syntax.InCategories:
        found.append(("event", "category"))
    elif kind is not syntax.Aggregate:
        for item in node if kind is tuple else [getattr(node, name) for name in branches(kind)]:
            if type(item) not in _PLAIN:
                _gather(item, found)


def keeper(
    kept: Kept, reader: Callable[[Path], Callable[[Event], Any]]
) -> Callable[[Event], dict[str, Any]]:
    """How to write down an event for a chain; ``reader`` gives the reader of a field."""
    if kept.whole:
        return event_to_json
    attributes = kept.attributes
    fields = [(path, reader(path)) for path in kept.fields]

    def keep(event: Event) -> dict[str, Any]:
        raw: dict[str, Any] = {
            "name": event.name,
            "time": event.time,
            "visit": event.visit,
            "page": event.page,
        }
        for name in attributes:
            if (value := getattr(event, name)) is not None:
                raw[name] = value
        data: dict[str, Any] = {}
        for path, read in fields:
            if (value := read(event)) is not None:
                _put(data, path, value)
        return raw | {"data": data} if data else raw

    return keep


def _put(data: dict[str, Any], path: Path, value: Any) -> None:
    for name in path[:-1]:
        data = data.setdefault(name, {})
    data[path[-1]] = value


def event_to_json(event: Event) -> dict[str, Any]:
    """A whole event as a chain keeps it."""
    return {
        "name": event.name,
        "time": event.time,
        "visit": event.visit,
        "page": event.page,
        "id": event.id,
        "url": event.url,
        "title": event.title,
        "language": event.language,
        "category": event.category,
        "data": dict(event.data),
        "agents": dict(event.agents),
        "pacing": dict(event.pacing),
        "draw": event.draw,
    }


def event_from_json(raw: Mapping[str, Any], visitor: str) -> Event:
    """The event again, as far as it was kept."""
    return Event(visitor=visitor, **raw)
