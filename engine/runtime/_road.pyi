"""The native module of the short road; ``native/README.md`` says what it is."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.runtime.outcome import Batch, Breach, Decision, Outcome
from engine.runtime.plan import Plan
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event, Moment
from engine.vocabulary.line import Line

def copy_of(visitor: Visitor, /) -> Visitor:
    """``Visitor.copy``: the same memory again, which shares nothing that is changed in place."""

def event_of(body: Mapping[str, Any], visitor: str, visit: str, time: int, /) -> Event:
    """``road.event_in``: the event of a stored body. Raises KeyError for one without a name."""

class Road:
    """The short road of one plan."""

    def __init__(self, plan: Plan) -> None: ...
    def walk(self, plan: Plan, visitor: Visitor, moment: Moment, /) -> Outcome | None:
        """What ``advance`` gives, in place; None when the road is too short: nothing changed."""

    def follow(
        self,
        plan: Plan,
        visitor: Visitor,
        bodies: list[Mapping[str, Any]],
        visit: str,
        time: int,
        /,
    ) -> tuple[int, Outcome | None]:
        """``runs.follow``."""

class Answer:
    """What came of a plain line; its tuples are made when they are read."""

    @property
    def batches(self) -> tuple[Batch, ...]: ...
    @property
    def decisions(self) -> tuple[Decision, ...]: ...
    @property
    def breaches(self) -> tuple[Breach, ...]: ...

class Feeder:
    """The short road of one plan, for a stream of lines."""

    def __init__(
        self,
        road: Road,
        plan: Plan,
        visitors: dict[str, Visitor],
        decode: Callable[[bytes], Line],
    ) -> None: ...
    def feed(self, line: bytes, /) -> Answer | Outcome | None:
        """What came of a line; None when nothing did. Raises ``ValueError``."""

    def take(self, event: Event, /) -> Answer | Outcome | None:
        """What came of an event; None when nothing did."""

    def visitor(self, visitor: str, /) -> Visitor | None:
        """The record of a visitor; None of one who was never heard of."""
