"""The clock of a server: the clock on the wall, except that it never runs back.

What is remembered of a visitor has times in it, and for a visitor time never runs back. If the
server followed a clock that is set back by an hour, every visitor would stand still for an hour:
no timer would fire, no window would move. So while the clock on the wall is behind, this one goes
on by the steady clock of the machine, a sixteenth slower, until the wall has caught up. A clock
that is set forward is followed at once: so does the clock of a machine that was suspended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

_MS: Final = 1_000_000
_SLOWER: Final = 16


class Clock:
    """Reads in whole milliseconds since 1970, from any thread. Both sources give nanoseconds."""

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._reading = threading.Lock()
        self._latest = 0
        self._read_at = steady()

    def now(self) -> int:
        """Return the time; never less than before."""
        with self._reading:
            steady = self._steady()
            passed = steady - self._read_at
            self._latest = max(self._wall(), self._latest + passed - passed // _SLOWER)
            self._read_at = steady
            return self._latest // _MS

    def not_before(self, time: int) -> None:
        """Go on from ``time`` (ms) if that is later: it has been used already."""
        self.now()
        with self._reading:
            self._latest = max(self._latest, time * _MS)


CLOCK: Final = Clock()
"""The one clock of this process: what is accepted and what is due are told by the same."""


def now_ms() -> int:
    """Return the time of this process in whole milliseconds since 1970."""
    return CLOCK.now()
