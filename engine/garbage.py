"""When a server looks for garbage: never while it is busy, at everything when nobody asks.

Python frees nearly everything at once; only what refers to itself has to be searched for, and then
Python stands still and looks at what is remembered of visitors and of books. By itself it begins
when enough was made, which says nothing of how much there is to look at: that took up to 70 ms, and
to look at what is new alone, again and again, was a twentieth of all work. A request leaves nothing
that refers to itself, nor does a closed connection (``delivery/stack.py``) or a book that was
replaced. So there is next to nothing to find, and the search waits until it costs nobody anything.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from typing import Final

_PEACE: Final = 10.0
"""Seconds without an event after which nobody is likely to ask in the next tenth of one."""
_SEARCH_EVERY: Final = 1_800.0
_SEARCH_AT_LAST: Final = 86_400.0
"""Seconds between two searches, at least and at most."""


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
    """Look at everything when no event came for a while. ``accepted`` counts events."""
    full = FullSearch(time.monotonic())
    while True:
        await asyncio.sleep(_PEACE)
        if full.is_due(accepted(), time.monotonic()):
            gc.collect()


class FullSearch:
    """When the search is due: ``is_due`` is asked every few seconds."""

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
