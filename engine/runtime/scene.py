"""A scene: what a condition may look at: one event, the memory of its visitor, and the time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from engine.runtime.visitor import Memory, Sent, Visit, Visitor
from engine.vocabulary.events import Event

if TYPE_CHECKING:
    from engine.runtime.conditions import Conditions

NO_NAMES: Final[Mapping[str, Event]] = {}
NOTHING_REPLACED: Final[Memory] = {}


class Scene:
    """What a condition looks at. Categories are found on first use.

    ``before`` holds what this very event has replaced in the visitor's memory, for ``since``, which
    looks before the event. ``names`` are the events that ``as`` has bound.
    """

    __slots__ = ("_categories", "before", "event", "names", "now", "plan", "visit", "visitor")

    def __init__(
        self,
        plan: Conditions,
        event: Event,
        now: int,
        visitor: Visitor,
        visit: Visit | None,
        before: Memory = NOTHING_REPLACED,
        names: Mapping[str, Event] = NO_NAMES,
    ) -> None:
        self.plan = plan
        self.event = event
        self.now = now
        self.visitor = visitor
        self.visit = visit
        self.before = before
        self.names = names
        self._categories: frozenset[str] | None = None

    def about(self, event: Event) -> Scene:
        """The same moment, looking at another event."""
        return Scene(self.plan, event, self.now, self.visitor, self.visit, self.before, self.names)

    def knowing(self, names: Mapping[str, Event]) -> Scene:
        """The same scene, with the events that ``as`` has bound."""
        if not names:
            return self
        return Scene(self.plan, self.event, self.now, self.visitor, self.visit, self.before, names)

    @property
    def categories(self) -> frozenset[str]:
        """The categories of the book that the event is in."""
        found = self._categories
        if found is None:
            found = self._categories = self.plan.categories.of(self)
        return found

    def in_category(self, name: str) -> bool:
        """Is the event in this category of the book?"""
        return name in self.categories


def send_event(sent: Sent, visitor: str) -> Event:
    """The event that patterns see when a message is sent."""
    message = sent.message or None
    data = {"strategy": sent.strategy, "group": sent.group, "message": message}
    return Event(
        name="sent",
        time=sent.time,
        visitor=visitor,
        visit=sent.visit,
        page=sent.page,
        data=data,
        agents=sent.agents,
        pacing=sent.pacing,
        draw=sent.draw,
    )
