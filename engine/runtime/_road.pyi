"""The native module of the short road; ``native/README.md`` says what it is."""

from collections.abc import Callable

from engine.runtime.outcome import Outcome
from engine.runtime.plan import Plan
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event, Moment
from engine.vocabulary.line import Line

class Road:
    """The short road of one plan."""

    def __init__(self, plan: Plan) -> None: ...
    def walk(self, plan: Plan, visitor: Visitor, moment: Moment, /) -> Outcome | None:
        """What ``advance`` gives, in place; None when the road is too short: nothing changed."""

class Feeder:
    """The short road of one plan, for a stream of lines."""

    def __init__(
        self,
        road: Road,
        plan: Plan,
        visitors: dict[str, Visitor],
        decode: Callable[[bytes], Line],
    ) -> None: ...
    def feed(self, line: bytes, /) -> Outcome | None:
        """The outcome of a line; None when nothing came of it. Raises ``ValueError``."""

    def take(self, event: Event, /) -> Outcome | None:
        """The outcome of an event; None when nothing came of it."""
