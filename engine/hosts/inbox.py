"""The inbox: submits on their way to the writer thread, bounded in inputs and in bytes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from engine.hosts.contract import Input, Overloaded

GROUP: Final = 1000
"""Inputs in one transaction at most, so that the first of them does not wait for all."""
GROUP_BYTES: Final = 4 * 1024 * 1024
GATHER_S: Final = 0.001
"""How long more is awaited while many come, again and again while more has come: one sync for all
of them, and one turn of the thread."""
GATHERINGS: Final = 4
_PATIENCE: Final = 30
"""Seconds that a client is asked to wait at most."""


class Submit(msgspec.Struct, frozen=True, gc=False):
    """Inputs that wait for the writer, each with its body as it will be stored, and who waits."""

    visitor: str
    inputs: list[Input]
    bodies: list[str]
    size: int
    answer: asyncio.Future[int]


class Inbox:
    """A queue between threads. ``clock`` is in ms; inputs are stamped with the same one."""

    def __init__(self, limit: int, size: int, clock: Callable[[], int]) -> None:
        self._limit = limit
        self._size_limit = size
        self._clock = clock
        self._count = 0
        self._size = 0
        self._closed = False
        self._busy = False
        self._waiting: deque[Submit] = deque()
        self._changed = threading.Condition()

    def put(self, submit: Submit) -> None:
        """Queue a submit. Raises Overloaded, and then a client that waits as told finds space."""
        with self._changed:
            if self._closed:
                raise Overloaded("The server is stopping: try again after its restart.")
            many = self._count + len(submit.inputs) > self._limit
            if self._waiting and (many or self._size + submit.size > self._size_limit):
                sentence = f"{self._count} events wait for the disk: send them again later."
                raise Overloaded(sentence, self._retry_after())
            self._count += len(submit.inputs)
            self._size += submit.size
            self._waiting.append(submit)
            self._changed.notify()

    def take(self, timeout: float | None) -> list[Submit] | None:
        """Take what waits, or nothing after ``timeout`` s; None when closed and empty.

        When several came the last time, more is awaited for ``GATHER_S`` first.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout)
            if self._closed and not self._waiting:
                return None
        if self._busy:
            self._gather()
        with self._changed:
            taken: list[Submit] = []
            count = size = 0
            while self._waiting and (
                not taken
                or (
                    count + len(self._waiting[0].inputs) <= GROUP
                    and size + self._waiting[0].size <= GROUP_BYTES
                )
            ):
                taken.append(self._waiting.popleft())
                count += len(taken[-1].inputs)
                size += taken[-1].size
            self._count -= count
            self._size -= size
            self._busy = len(taken) > 1
            return taken

    def _gather(self) -> None:
        """Wait a moment for more, and as long as more comes, up to the longest wait."""
        count = 0
        for _ in range(GATHERINGS):
            if count == (count := len(self._waiting)):
                return
            time.sleep(GATHER_S)

    def give_back(self, submits: Sequence[Submit]) -> None:
        """Put what was taken, and not begun, back to its place before all others."""
        with self._changed:
            self._waiting.extendleft(reversed(submits))
            self._count += sum(len(one.inputs) for one in submits)
            self._size += sum(one.size for one in submits)

    def oldest(self) -> int | None:
        """When the first input that waits was accepted (ms)."""
        waiting = self._waiting
        return waiting[0].inputs[0].time if waiting else None

    def close(self) -> None:
        """Accept nothing more; what waits is still taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _retry_after(self) -> int:
        # A disk that has held the first one up for long will hold up the next ones as well.
        waited = (self._clock() - self._waiting[0].inputs[0].time) // 1000
        return max(1, min(_PATIENCE, waited))
