"""Fading: from when on a visitor whose visits are over is as one who never came.

Facts, sends (limits and the numbers of messages count them), and what is kept over all time last
for ever. What a rolling window keeps, and how far a pattern with ``within`` has come, is never
looked at again once it is older than that: from then on everything is decided as if it were not
there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine.runtime.plan import Plan
from engine.runtime.visitor import Visitor

Youngest = Callable[[Any], int]
"""Reads when the youngest of what is kept began (ms)."""


def _of_times(times: Any) -> int:
    return max((time for time in times if time is not None), default=0)


def _of_chains(chains: Any) -> int:
    return max((chain[0] for chain in chains if chain is not None), default=0)


def _of_parts(entries: Any) -> int:
    return max((chain[0] for _, chain in entries), default=0)


_REGISTERS: Final[dict[str, Youngest]] = {"times": _of_times, "values": _of_chains}
"""What only rolling windows read. ``last`` and ``latest`` may be read without a window too."""

_PATTERNS: Final[dict[str, Youngest]] = {
    "times": _of_times,
    "lean": _of_times,
    "chains": _of_chains,
}


class Fading:
    """What of a visitor's memory fades under one book, and when."""

    def __init__(self, plan: Plan) -> None:
        self._known = plan.memory_keys
        self._lasts: dict[str, tuple[Youngest, int]] = {
            one.key: (_REGISTERS[one.keeps], one.horizon)
            for one in plan.registers
            if one.keeps in _REGISTERS
        }
        for entry in plan.automata.values():
            moved = entry.automaton
            if moved.within is not None and moved.remembers in _PATTERNS:
                self._lasts[moved.key] = (_PATTERNS[moved.remembers], moved.within)
                for place in range(len(moved.positions)):
                    self._lasts[moved.part_key(place)] = (_of_parts, moved.within)

    def at(self, visitor: Visitor) -> int | None:
        """When (ms) nothing of a visitor without visits matters any more; None is never.

        What the book does not know does not matter.
        """
        if visitor.visits or visitor.facts or visitor.sends or visitor.timers:
            return None
        ends = [visitor.now]
        for key in visitor.memory.keys() & self._known:
            if key not in self._lasts:
                return None
            youngest, lasts = self._lasts[key]
            ends.append(youngest(visitor.memory[key]) + lasts)
        return max(ends)
