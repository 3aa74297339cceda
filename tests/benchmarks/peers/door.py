"""The public door of the engine for a stream: a line or an event goes in, an outcome comes out.

The only file here that knows how the runtime is called.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.runtime.outcome import Outcome
from engine.runtime.plan import Plan
from engine.runtime.step import advance
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import NOTHING, Event


class Door:
    """Owns the visitors of a stream. A line without a visitor of its own is of its visit's."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._visitors: dict[str, Visitor] = {}

    def feed(self, line: bytes) -> Outcome | None:
        """Take a line of JSON; None when nothing came out."""
        return self.take(event_of(json.loads(line)))

    def take(self, event: Event) -> Outcome | None:
        """Take a ready event; None when nothing came out."""
        visitor = self._visitors.get(event.visitor)
        if visitor is None:
            visitor = self._visitors[event.visitor] = Visitor.new(event.visitor)
        outcome = advance(self._plan, visitor, event)
        return outcome if outcome.decisions or outcome.batches or outcome.breaches else None


def event_of(raw: Mapping[str, Any]) -> Event:
    """The event of a line, by the names of the wire."""
    return Event(
        name=raw["eventName"],
        time=raw["timestamp"],
        visitor=raw.get("globalVisitID") or raw["visitID"],
        visit=raw["visitID"],
        page=raw.get("pageID"),
        url=raw.get("url"),
        title=raw.get("title"),
        language=raw.get("languageCode"),
        category=raw.get("category"),
        data=raw.get("data") or NOTHING,
    )
