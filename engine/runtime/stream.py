"""A stream: lines of JSON in, decisions out, for one owner of many visitors.

This is ``advance`` for bulk: recordings, benchmarks, whoever holds the visitors in memory. A line
is a browser event with the names of the wire; it is decoded straight into typed fields, and its
visitor is moved in place.
"""

from __future__ import annotations

import msgspec

from engine.runtime.outcome import Outcome
from engine.runtime.plan import Plan
from engine.runtime.step import advance
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import NOTHING, Event
from engine.vocabulary.line import Line


class Stream:
    """Decides lines in the order in which they come; remembers every visitor of them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._visitors: dict[str, Visitor] = {}
        self._decode = msgspec.json.Decoder(Line).decode

    def feed(self, line: bytes) -> Outcome | None:
        """Decide one line; None when nothing came of it.

        Raises ``ValueError`` for a line that is no event; then nothing has changed.
        """
        read = self._decode(line)
        # In the order of its fields: this is made for every line.
        return self.take(
            Event(
                name=read.eventName,
                time=read.timestamp,
                visitor=read.globalVisitID or read.visitID,
                visit=read.visitID,
                page=read.pageID,
                id=read.eventID,
                url=read.url,
                title=read.title,
                language=read.languageCode,
                category=read.category,
                data=NOTHING if read.data is None else read.data,
            )
        )

    def take(self, event: Event) -> Outcome | None:
        """Decide an event that is there already; None when nothing came of it."""
        visitor = self._visitors.get(event.visitor)
        if visitor is None:
            visitor = self._visitors[event.visitor] = Visitor.new(event.visitor)
        outcome = advance(self._plan, visitor, event)
        return outcome if outcome.decisions or outcome.batches or outcome.breaches else None
