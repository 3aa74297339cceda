"""Whose a pause is: the server's, or that of a machine which others use as well.

Three witnesses stand beside a run. The *twin* is a process with next to nothing to do: it sleeps
for some milliseconds at a time, and syncs a little file on the same disk; whatever makes it late is
the machine. The *driver* is the loop that sends the events, which may be late itself. And the
system says how long each thread of the server had work and waited for a core; that is the
machine's too, but for the share of the cores that other threads and children of the server had.

A *pause* is a time in which somebody waited and nobody was answered. What is left of it then is of
the server's own making: a search for garbage, a thread that keeps Python to itself, a checkpoint.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final

Interval = tuple[float, float]
"""From when to when, on the clock that all processes of a machine share."""

_NAP: Final = 0.002
_SYNC_EVERY: Final = 0.02
_LATE: Final = 0.001
"""Seconds after which a nap or a sync was held up."""
_LOOK: Final = 0.01
CORES: Final = len(os.sched_getaffinity(0))


class Twin:
    """The process with next to nothing to do; ``stalls`` is known when it has ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.stalls: list[Interval] = []

    def __enter__(self) -> Twin:
        command = [sys.executable, __file__, str(self._folder / "twin")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    @property
    def process(self) -> int:
        """The number of the process."""
        return self._process.pid

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        told, _ = self._process.communicate(timeout=30)
        self.stalls = [(begun, ended) for begun, ended in json.loads(told)]


@dataclass(slots=True)
class Look:
    """What the system said at a moment, in seconds since the start."""

    at: float
    waited: float
    """How long the threads of the server had work and no core: the longest of them."""
    loop: float
    """What was spent by the loop, by the other threads, and by children."""
    threads: float
    children: float


class Threads:
    """Looks at the threads of a process, and at its children, again and again."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.looks: list[Look] = []

    def __enter__(self) -> Threads:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        waits: dict[str, float] = {}
        waited = 0.0
        while not self._closing.wait(_LOOK):
            now = time.perf_counter()
            loop = threads = children = longest = 0.0
            for name, spent, wait in _threads(self._process):
                if name == str(self._process):
                    loop = spent
                elif name.startswith("child"):
                    children += spent
                else:
                    threads += spent
                longest = max(longest, wait - waits.get(name, wait))
                waits[name] = wait
            waited += longest
            self.looks.append(Look(now, waited, loop, threads, children))


def _threads(process: int) -> Iterator[tuple[str, float, float]]:
    """For each thread of a process and its children: number, seconds on a core, and without."""
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(OSError):
                spent, waited, _ = (task / "schedstat").read_text("ascii").split()
                yield task.name, int(spent) / 1e9, int(waited) / 1e9
                for child in (task / "children").read_text("ascii").split():
                    for _, busy, _ in _threads(int(child)):
                        yield f"child {child}", busy, 0.0


@dataclass(slots=True)
class Driver:
    """How late the loop is that sends the events."""

    stalls: list[Interval] = field(default_factory=list)

    async def watch(self) -> None:
        """Note when this loop is late, until cancelled."""
        while True:
            due = time.perf_counter() + _NAP
            await asyncio.sleep(_NAP)
            _note(self.stalls, due)


def pauses(answers: Sequence[Interval]) -> list[Interval]:
    """When somebody waited and nobody was answered, from (due, answered) of each request.

    That many wait after a pause, until all are answered, makes no pause of it.
    """
    found = []
    last = 0.0
    # Who was answered late waited all the time since the answer before, or since they came.
    for begun, answered in sorted(_oldest_first(answers), key=lambda one: one[1]):
        found.append((max(begun, last), answered))
        last = answered
    return found


def _oldest_first(answers: Sequence[Interval]) -> Iterator[Interval]:
    """Each time of an answer, with when the longest waiting of those still unanswered came."""
    in_order = sorted(answers, key=lambda one: one[1])
    oldest = float("inf")
    for due, answered in reversed(in_order):
        oldest = min(oldest, due)
        yield oldest, answered


class Pauses:
    """Divides times into the machine's part and the server's own."""

    def __init__(self, stalls: Sequence[Interval], looks: Sequence[Look]) -> None:
        self._stalls = joined(stalls)
        self._ends = [ended for _, ended in self._stalls]
        self._looks = looks
        self._moments = [look.at for look in looks]

    def own(self, pause: Interval) -> float:
        """The seconds of a pause that are the server's own."""
        begun, end = pause
        machine = max(self._stalled(begun, end), self._without_core(begun, end))
        return max(0.0, end - begun - machine)

    def told(self, pause: Interval) -> str:
        """What the server did in that time, in one line."""
        (begun, end), (first, last) = pause, self._around(*pause)
        spent = ", ".join(
            f"{name} {(getattr(last, name) - getattr(first, name)) * 1e3:.0f}"
            for name in ("loop", "threads", "children")
        )
        return (
            f"{(end - begun) * 1e3:.0f} ms, own {self.own(pause) * 1e3:.0f}; spent by {spent};"
            f" without a core {(last.waited - first.waited) * 1e3:.0f},"
            f" twin and driver held up {self._stalled(begun, end) * 1e3:.0f}"
        )

    def _stalled(self, begun: float, end: float) -> float:
        found = 0.0
        for start, stop in self._stalls[bisect.bisect_left(self._ends, begun) :]:
            if start >= end:
                break
            found += min(stop, end) - max(start, begun)
        return found

    def _without_core(self, begun: float, end: float) -> float:
        """Waits for a core, without what the server itself had of the cores beside its loop."""
        first, last = self._around(begun, end)
        ours = (last.threads - first.threads + last.children - first.children) / CORES
        return max(0.0, last.waited - first.waited - ours)

    def _around(self, begun: float, end: float) -> tuple[Look, Look]:
        """The looks just within a time: what they say is less than what was, never more."""
        first = min(bisect.bisect_left(self._moments, begun), len(self._looks) - 1)
        last = max(bisect.bisect_right(self._moments, end) - 1, first)
        return self._looks[first], self._looks[last]


def joined(intervals: Sequence[Interval]) -> list[Interval]:
    """The same times without an overlap, in order."""
    found: list[Interval] = []
    for begun, ended in sorted(intervals):
        if found and begun <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((begun, ended))
    return found


def _note(stalls: list[Interval], due: float) -> None:
    now = time.perf_counter()
    if now - due > _LATE:
        stalls.append((due, now))


def _nap(ended: threading.Event, stalls: list[Interval]) -> None:
    while not ended.is_set():
        due = time.perf_counter() + _NAP
        time.sleep(_NAP)
        _note(stalls, due)


def _sync(ended: threading.Event, stalls: list[Interval], path: str) -> None:
    with open(path, "wb", buffering=0) as file:
        while not ended.wait(_SYNC_EVERY):
            begun = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            _note(stalls, begun)


def main(path: str) -> None:
    """Be the twin until nobody listens any more, then say when it was held up."""
    ended = threading.Event()
    naps: list[Interval] = []
    syncs: list[Interval] = []
    threads = [
        threading.Thread(target=_nap, args=(ended, naps)),
        threading.Thread(target=_sync, args=(ended, syncs, path)),
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    # A sync takes some milliseconds on any disk; that is no fault of the machine's.
    usual = sorted(stop - start for start, stop in syncs)[len(syncs) // 2] if syncs else 0.0
    held = [(start + usual, stop) for start, stop in syncs if stop - start > 2 * usual]
    print(json.dumps([*naps, *held]))


if __name__ == "__main__":
    main(sys.argv[1])
