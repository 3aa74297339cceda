"""Runs: events of one visit and moment, as a host brings them, until something comes of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.runtime.outcome import Outcome
from engine.runtime.plan import Plan
from engine.runtime.road import event_of
from engine.runtime.step import advance
from engine.runtime.visitor import Visitor


def follow(
    plan: Plan, visitor: Visitor, bodies: list[Mapping[str, Any]], visit: str, time: int
) -> tuple[int, Outcome | None]:
    """Advance a visitor in place by events in their stored bodies, in order.

    Ends after the first of which something was decided or seen: gives the number of events that
    were taken, and the outcome of that one; all of them, and None, when there was none. Raises
    KeyError for a body without a name.
    """
    if plan.road is not None:
        return plan.road.follow(plan, visitor, bodies, visit, time)
    for taken, body in enumerate(bodies, 1):
        outcome = advance(plan, visitor, event_of(body, visitor.id, visit, time))
        if outcome.decisions or outcome.batches or outcome.breaches:
            return taken, outcome
    return len(bodies), None
