"""A step that is watched: the same step, with somebody told what it looks at and what it decides.

Explaining and measuring are done here, so that the step that decides live pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine.runtime.admission import Admitted, Completed
from engine.runtime.outcome import Outcome
from engine.runtime.plan import Plan
from engine.runtime.scene import Scene
from engine.runtime.step import Work, adopt
from engine.runtime.visitor import Memory, Visitor
from engine.vocabulary.events import Event, Moment


class Look(Protocol):
    """What a witness may read of the step in the making; it must change nothing."""

    plan: Plan
    visitor: Visitor

    def memory(self, place: tuple[str, ...]) -> Memory | None:
        """What is remembered at a place; None when that visit or page is over."""


class Witness(Protocol):
    """Who is told. All values are those of the step in the making: read them at once."""

    def arrives(self, look: Look, scene: Scene) -> None:
        """An event has opened its visit and page and set its facts; nothing has moved yet."""

    def decides(self, look: Look, completed: Sequence[Completed], admitted: Admitted) -> None:
        """Rules are complete (in order of rank), and this is what becomes of them."""

    def leaves(self, look: Look, event: Event) -> None:
        """All that the event did is done."""


def watched(
    plan: Plan,
    visitor: Visitor,
    moment: Moment,
    witness: Witness,
    *,
    horizon: Mapping[str, int] | None = None,
) -> Outcome:
    """``step``, with a witness; the outcome is the same."""
    moved = visitor.copy()
    if moved.version != plan.version:
        adopt(plan, moved)
    return _Watched(plan, moved, moment, horizon or {}, witness).run()


class _Watched(Work):
    """The work of a step that tells its witness."""

    def __init__(
        self,
        plan: Plan,
        visitor: Visitor,
        moment: Moment,
        horizon: Mapping[str, int],
        witness: Witness,
    ) -> None:
        self._witness = witness
        super().__init__(plan, visitor, moment, horizon)

    def happen(self, event: Event) -> None:
        super().happen(event)
        self._witness.leaves(self, event)

    def fit(self, scene: Scene, found: list[int]) -> None:
        self._witness.arrives(self, scene)
        super().fit(scene, found)

    def admitted(self, completed: Sequence[Completed]) -> Admitted:
        found = super().admitted(completed)
        self._witness.decides(self, completed, found)
        return found
