"""What the page is told: how it notices events by itself, as one JSON document without code.

The tracker fetches this document (see the interface of the delivery room for its shape) and
needs no ``eval``: selectors, keys, times and names of variables are data.
"""

from __future__ import annotations

from typing import Any, Final

from engine.language import syntax
from engine.vocabulary.kinds import Kind

SHAPE: Final = 1
"""The version of the document's shape; it grows when an older tracker could not read it."""


def captures(book: syntax.Book) -> dict[str, Any]:
    """The document for pages: every event that a page captures, or whose fields it fills.

    Gives ``{"shape": 1, "version": <of the book>, "events": [..]}`` of plain JSON values, in order
    of name. Times are ``ms``, shares ``percent``; what does not apply is left out.
    """
    events = [_event(event) for event in book.events.values()]
    return {
        "shape": SHAPE,
        "version": book.version,
        "events": [event for event in events if event["captures"] or event["fields"]],
    }


def _event(event: syntax.EventDeclaration) -> dict[str, Any]:
    return {
        "name": event.name,
        "captures": [_capture(capture) for capture in event.captures],
        "fields": [
            _field(field.path, field.kind, field.source) for field in event.fields if field.source
        ],
    }


def _capture(capture: syntax.Capture) -> dict[str, Any]:
    found: dict[str, Any] = {"on": capture.what}
    if capture.selector:
        found["selector"] = capture.selector
    match capture.what:
        case "key":
            found["key"] = capture.key
        case "timer":
            found["ms"] = int(capture.amount)
        case "scroll":
            found["percent"] = capture.amount
    return found


def _field(path: tuple[str, ...], kind: Kind, source: syntax.FieldSource) -> dict[str, Any]:
    found = {"path": ".".join(path), "kind": str(kind), "from": source.what}
    if source.name:
        found["name"] = source.name
    if source.selector:
        found["selector"] = source.selector
    return found
