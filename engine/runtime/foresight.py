"""Foresight: would a send break an enforced guarantee, after others of the same moment?

Guarantees are tried on copies of the little that they remember, and nothing of it stays. What the
sends that passed before have moved is kept for the moment, so each send of it is tried once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.runtime.planned import PlannedGuarantee
from engine.runtime.scene import Scene
from engine.runtime.visitor import Memory, Place, Sent, Timer, TimerKey, Visitor

Seen = tuple[Scene, set[int]]
"""A send as patterns see it: the scene of its event, and the watches that this fits."""


class _Trial:
    """What guarantees would remember: a copy of what another trial, or the visitor, remembers."""

    def __init__(self, visitor: Visitor, before: _Trial | None) -> None:
        self.id = visitor.id
        self.now = visitor.now
        self.timers: dict[TimerKey, Timer] = (before or visitor).timers.copy()
        self.quiet: int = visitor.quiet
        self.before = before
        self.memories: dict[tuple[Place, str], Memory] = {}


class Foresight:
    """The trials of one moment of one visitor.

    ``look`` shows a send as patterns see it, ``memory`` what is remembered at a place, and
    ``waiting`` gives the enforced guarantees that wait for any of some watches.
    """

    def __init__(
        self,
        visitor: Visitor,
        look: Callable[[Sent], Seen],
        memory: Callable[[Place], Memory | None],
        waiting: Callable[[set[int]], list[PlannedGuarantee]],
    ) -> None:
        self._visitor = visitor
        self._look = look
        self._memory = memory
        self._waiting = waiting
        self._passed = _Trial(visitor, None)
        self._tried = 0
        self._last: tuple[Sent, Seen] | None = None

    def breaks(self, others: Sequence[Sent], mine: Sequence[Sent], sent: Sent) -> bool:
        """Would ``sent`` break one, after ``others`` and ``mine``?

        ``others`` are the sends that passed so far: none of them, or all in their order.
        """
        scene, fits = self._seen(sent)
        if not self._waiting(fits):
            return False
        for entry in others[self._tried :]:
            self._advance(self._passed, *self._look(entry))
            self._tried += 1
        trial = _Trial(self._visitor, self._passed if others else None)
        for entry in mine:
            self._advance(trial, *self._look(entry))
        return self._advance(trial, scene, fits)

    def _seen(self, sent: Sent) -> Seen:
        """Each send is asked about twice: alone, and after the others."""
        if self._last is None or self._last[0] is not sent:
            self._last = (sent, self._look(sent))
        return self._last[1]

    def _advance(self, trial: _Trial, scene: Scene, fits: set[int]) -> bool:
        broken = False
        for guarantee in self._waiting(fits):
            automaton = guarantee.automaton
            memory = self._remembered(trial, guarantee, automaton.place(scene.event))
            broken |= automaton.advance(trial, memory, scene, fits) is not None
        return broken

    def _remembered(self, trial: _Trial, guarantee: PlannedGuarantee, place: Place) -> Memory:
        key = (place, guarantee.automaton.key)
        known = trial.memories.get(key)
        if known is None:
            before = trial.before.memories.get(key) if trial.before is not None else None
            source = before if before is not None else self._memory(place) or {}
            kept = {name: source[name] for name in guarantee.automaton.keys if name in source}
            known = trial.memories[key] = {
                name: value.copy() if isinstance(value, list) else value
                for name, value in kept.items()
            }
        return known
