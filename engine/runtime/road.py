"""The road: where it was built, most events are decided natively; where not, in Python alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from engine.runtime.visitor import Visitor
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


copy_of: Final[Callable[[Visitor], Visitor]] = native.copy_of if IS_NATIVE else Visitor.copy
"""The same memory again, as ``Visitor.copy`` gives it."""
