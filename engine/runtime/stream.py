"""A stream: lines of JSON in, decisions out, for one owner of many visitors.

This is ``advance`` for bulk: recordings, benchmarks, whoever holds the visitors in memory. A line
is a browser event with the names of the wire; it is decoded straight into typed fields, and its
visitor is moved in place.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.runtime.outcome import Outcome
from engine.runtime.plan import Plan
from engine.runtime.road import feeder_of
from engine.runtime.step import advance
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event
from engine.vocabulary.line import decode, settled


class Stream:
    """Decides lines in the order in which they come; remembers every visitor of them."""

    feed: Callable[[bytes], Outcome | None]
    """Decide one line; None when nothing came of it.

    Raises ``ValueError`` for a line that is no event; then nothing has changed.
    """
    take: Callable[[Event], Outcome | None]
    """Decide an event that is there already; None when nothing came of it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._visitors: dict[str, Visitor] = {}
        native = feeder_of(plan, self._visitors)
        # Attributes, because a method around the native one would cost as much as a decision.
        self.feed = self._feed if native is None else native.feed
        self.take = self._take if native is None else native.take

    def _feed(self, line: bytes) -> Outcome | None:
        return self._take(settled(decode(line)))

    def _take(self, event: Event) -> Outcome | None:
        visitor = self._visitors.get(event.visitor)
        if visitor is None:
            visitor = self._visitors[event.visitor] = Visitor.new(event.visitor)
        outcome = advance(self._plan, visitor, event)
        return outcome if outcome.decisions or outcome.batches or outcome.breaches else None
