"""A stream: lines of JSON in, decisions out, for one owner of many visitors.

This is ``advance`` for bulk: recordings, benchmarks, whoever holds the visitors in memory. A line
is a browser event with the names of the wire. Where the road was built, a plain line is decided
from its bytes (``native/plain.h``); any other is decoded straight into typed fields. The visitors
are moved in place, and belong to the stream.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from engine.runtime.outcome import Batch, Breach, Decision
from engine.runtime.plan import Plan
from engine.runtime.road import feeder_of
from engine.runtime.step import advance
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event
from engine.vocabulary.line import decode, settled


class Answer(Protocol):
    """What came of one event; it stays as it is when the stream goes on."""

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The messages, as one array for each visit."""

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What became of each rule that was complete."""

    @property
    def breaches(self) -> tuple[Breach, ...]:
        """The guarantees that did not hold."""


class Stream:
    """Decides lines in the order in which they come; remembers every visitor of them."""

    feed: Callable[[bytes], Answer | None]
    """Decide one line; None when nothing came of it.

    Raises ``ValueError`` for a line that is no event; then nothing has changed.
    """
    take: Callable[[Event], Answer | None]
    """Decide an event that is there already; None when nothing came of it."""
    visitor: Callable[[str], Visitor | None]
    """What is remembered of a visitor now; None of one who was never heard of.

    The stream goes on with the same record: who keeps it sees what comes after, and who wants it
    as it was copies it.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._visitors: dict[str, Visitor] = {}
        native = feeder_of(plan, self._visitors)
        # Attributes, because a method around the native one would cost as much as a decision.
        self.feed = self._feed if native is None else native.feed
        self.take = self._take if native is None else native.take
        self.visitor = self._visitors.get if native is None else native.visitor

    def _feed(self, line: bytes) -> Answer | None:
        return self._take(settled(decode(line)))

    def _take(self, event: Event) -> Answer | None:
        visitor = self._visitors.get(event.visitor)
        if visitor is None:
            visitor = self._visitors[event.visitor] = Visitor.new(event.visitor)
        outcome = advance(self._plan, visitor, event)
        return outcome if outcome.decisions or outcome.batches or outcome.breaches else None
