"""When a server looks for garbage: at what is new, again and again; at everything, in peace.

Python frees nearly everything at once; only what refers to itself has to be searched for, and then
it looks at all that is remembered of visitors and of books, standing still. By itself it begins
when enough was made, which says nothing of how much there is to look at: that took up to 70 ms.
A request leaves nothing that refers to itself, nor does a connection (``delivery/stack.py``). So
a search finds what went wrong and next to nothing else, and it can be made when it costs least.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from typing import Final

_GLANCE: Final = 0.05
"""Seconds between looks at what is new while events come: a millisecond of work, or less."""
_IDLE: Final = 1.0
"""Seconds between them while none come."""
_PEACE: Final = 10.0
"""Seconds without an event after which nobody is likely to ask in the next tenth of one."""
_SEARCH_EVERY: Final = 1_800.0
_SEARCH_AT_LAST: Final = 86_400.0
"""Seconds between two full searches, at least and at most."""


def settle() -> None:
    """What is there now stays; from now on garbage is searched for by ``search`` alone.

    And a thread that another waits for gives way sooner than usual, but not so soon that two busy
    ones spend their time on taking turns.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(0.001)


async def search(accepted: Callable[[], int]) -> None:
    """Look at what is new again and again, and at all in peace. ``accepted`` counts events."""
    full = FullSearch(time.monotonic())
    seen = accepted()
    look_at = 0.0
    while True:
        busy, seen = seen != accepted(), accepted()
        await asyncio.sleep(_GLANCE if busy else _IDLE)
        gc.collect(0)
        now = time.monotonic()
        if now >= look_at:
            look_at = now + _PEACE
            if full.is_due(accepted(), now):
                gc.collect()


class FullSearch:
    """When a full search is due: ``is_due`` is asked every few seconds."""

    def __init__(self, now: float) -> None:
        self._seen = self._searched = 0
        self._since = now

    def is_due(self, accepted: int, now: float) -> bool:
        """Is it time, when so many events were accepted until now (s)? It is taken as done then."""
        is_quiet = self._searched < accepted == self._seen
        self._seen = accepted
        if now - self._since < (_SEARCH_EVERY if is_quiet else _SEARCH_AT_LAST):
            return False
        self._searched, self._since = accepted, now
        return True
