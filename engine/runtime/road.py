"""The road: where it was built, most events are decided natively; where not, in Python alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from engine.runtime.visitor import Visitor
from engine.vocabulary.events import NOTHING, Event
from engine.vocabulary.line import decode

if TYPE_CHECKING:
    from engine.runtime._road import Feeder, Road
    from engine.runtime.plan import Plan

try:
    from engine.runtime import _road as native
except ImportError:
    IS_NATIVE = False
else:
    IS_NATIVE = True
"""Was the road built? The decisions are the same without it."""


def road_of(plan: Plan) -> Road | None:
    """The short road of a plan; None where it was not built."""
    return native.Road(plan) if IS_NATIVE else None


def feeder_of(plan: Plan, visitors: dict[str, Visitor]) -> Feeder | None:
    """What walks the plan's road for a stream over these visitors; None where there is no road."""
    return None if plan.road is None else native.Feeder(plan.road, plan, visitors, decode)


def event_in(body: Mapping[str, Any], visitor: str, visit: str, time: int) -> Event:
    """The event in a stored body, at that time. Raises KeyError for a body without a name."""
    get = body.get
    return Event(
        name=body["eventName"],
        time=time,
        visitor=visitor,
        visit=visit,
        page=get("pageID"),
        id=get("eventID"),
        url=get("url"),
        title=get("title"),
        language=get("languageCode"),
        category=get("category"),
        data=get("data") or NOTHING,
        agents=get("agents") or NOTHING,
    )


event_of: Final[Callable[[Mapping[str, Any], str, str, int], Event]] = (
    native.event_of if IS_NATIVE else event_in
)
"""The event in a stored body, as ``event_in`` gives it."""

copy_of: Final[Callable[[Visitor], Visitor]] = native.copy_of if IS_NATIVE else Visitor.copy
"""The same memory again, as ``Visitor.copy`` gives it."""
