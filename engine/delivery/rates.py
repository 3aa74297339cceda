"""Rates: how many events a visit may send; what is too much is refused before it costs anything."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from engine.delivery.wire import Refusal

PER_SECOND: Final = 50
BURST: Final = 1_000
_VISITS: Final = 50_000


class Rates:
    """One bucket of BURST events per visit, filled again with PER_SECOND.

    Visits that were quiet longest are forgotten first; by then their buckets are full anyway.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, visit: str, count: int) -> None:
        """Take ``count`` events out of a visit's bucket. Raises Refusal 429 with Retry-After."""
        now = self._clock()
        level, before = self._buckets.get(visit, (float(BURST), now))
        level = min(BURST, level + max(0, now - before) * PER_SECOND / 1000)
        if level < count:
            wait = int((count - level) / PER_SECOND) + 1
            raise Refusal(
                429,
                "rate",
                f"This visit sends too many events; try again in {wait} s.",
                {"Retry-After": str(wait)},
            )
        self._buckets[visit] = (level - count, now)
        self._buckets.move_to_end(visit)
        if len(self._buckets) > _VISITS:
            self._buckets.popitem(last=False)
