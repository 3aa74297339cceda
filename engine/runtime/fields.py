"""Fields: how a condition reads the data of an event and its envelope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.runtime.scene import Scene
from engine.vocabulary import address
from engine.vocabulary.events import Event
from engine.vocabulary.kinds import Kind

Fields = Mapping[str, Mapping[tuple[str, ...], Kind]]
"""The declared kind of every field, by event name and path."""

_FAMILIES = {"time": "number", "duration": "number"}


def kinds_of(fields: Fields, path: tuple[str, ...], event: str | None) -> set[str]:
    """What a field is declared to be, over all events or one: ``number``, ``text``, .. .

    Numbers, times and durations are one, as for comparison. Empty when nobody declares it.
    """
    tables = fields.values() if event is None else (fields.get(event, {}),)
    words = (table[path].word for table in tables if path in table)
    return {_FAMILIES.get(word, word) for word in words}


def field_reader(fields: Fields, path: tuple[str, ...]) -> Callable[[Event], Any]:
    """The value of a field, missing when it is not of the kind that the event declares."""

    def read(event: Event) -> Any:
        value = field_of(event, path)
        kinds = fields.get(event.name)
        kind = kinds.get(path) if kinds else None
        return None if kind is not None and not kind.admits(value) else value

    return read


def field_of(event: Event, path: tuple[str, ...]) -> Any:
    """A field of the event's data, by nested names; None when it is not there."""
    value: Any = event.data
    for part in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def query_of(name: str) -> Callable[[Scene], str | None]:
    """The first value of a query parameter of the event's address."""

    def read(scene: Scene) -> str | None:
        url = scene.event.url
        return None if url is None else address.split(url).parameter(name)

    return read


def envelope(name: str, categories: tuple[str, ...]) -> Callable[[Scene], Any]:
    """A field of the envelope. ``categories`` are those of the book, in order of name."""
    if name != "category":
        return _ENVELOPE[name]

    def category(scene: Scene) -> str | None:
        given = scene.event.category
        if given is not None or not categories:
            return given
        return ";".join(sorted(scene.categories))

    return category


_ENVELOPE: Mapping[str, Callable[[Scene], Any]] = {
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
