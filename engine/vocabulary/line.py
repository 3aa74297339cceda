"""A line: one browser event as the wire names it, decoded from JSON straight into an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import force_setattr

from engine.vocabulary.events import NOTHING, Event

_WIRE: Final = {
    "name": "eventName",
    "time": "timestamp",
    "visitor": "globalVisitID",
    "visit": "visitID",
    "page": "pageID",
    "id": "eventID",
    "language": "languageCode",
}


class Line(Event, frozen=True, kw_only=True, rename=_WIRE):
    """An event by the names of the wire. Only name, time and visit must be there.

    What came from outside (``agents``, ``pacing``, ``draw``) may stand in a recording.
    """

    # Declared again, because a field has its name on the wire from the class that declares it.
    name: str
    time: int
    visit: str
    page: str | None = None
    id: str | None = None
    language: str | None = None
    visitor: str | None = None  # type: ignore[assignment]
    data: Mapping[str, Any] | None = None  # type: ignore[assignment]


decode: Final[Callable[[bytes], Line]] = msgspec.json.Decoder(Line).decode
"""The line in a text of JSON, which ``settled`` makes an event of; raises ``ValueError``."""


def settled(line: Line) -> Event:
    """The same event, with its visitor and data, whether the line had them or not."""
    if not line.visitor:
        force_setattr(line, "visitor", line.visit)
    if line.data is None:
        force_setattr(line, "data", NOTHING)
    return line
