"""How fast and how large the hosts are: ``python tests/benchmarks/hosts.py [--seconds 3]``.

Prints durable submits per second and their latency (ms) at several numbers of clients, one event
of about 1 kB each under the sample book, and the memory per open visit with 10,000 of them.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.hosts.clock import now_ms
from engine.hosts.contract import Host, Input
from engine.hosts.document import EngagementCore
from engine.hosts.journal import Retention
from engine.hosts.memory import MemoryHost
from engine.hosts.sqlite import SqliteHost
from engine.language.compiler import compile_book
from engine.language.source import read_folder
from engine.runtime.library import Library
from engine.runtime.plan import plan

SAMPLE = Path(__file__).resolve().parent.parent.parent / "strategies"
CLIENTS = (1, 16, 64, 256)
VISITS = 500
"""Visits that the clients share."""
NAMES = ("PageEntered", "AddToCart", "ProductSeen", "ScrolledDown", "PageExited")


class Traffic:
    """Events of many visits in turn, each a page view or what happens on it."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._numbers: Counter[str] = Counter()

    def event(self, visit: str) -> Input:
        number = self._numbers[visit]
        self._numbers[visit] += 1
        page = f"{visit}-{number // 5}"
        body: dict[str, Any] = {
            "eventName": NAMES[number % 5],
            "visitID": visit,
            "pageID": page,
            "eventID": f"{visit}-{number:024X}",
            "url": f"https://shop.example.com/products/{number % 97}",
            "title": "A product",
            "languageCode": "en",
            "data": {"price": number % 300, "cartTotal": number % 300, "text": "x" * 600},
            "agents": {"chat": 2},
        }
        return Input(
            kind="event",
            visit=visit,
            time=now_ms(),
            version=self._version,
            id=body["eventID"],
            body=body,
        )


async def nobody(visitor: str, messages: object) -> None:
    """Deliver to nobody."""


async def rate(host: Host, traffic: Traffic, clients: int, seconds: float) -> dict[str, float]:
    """Events per second and latencies of submits with so many clients."""
    end = time.perf_counter() + seconds
    took: list[float] = []

    async def client(number: int) -> None:
        visits = [f"V{n}" for n in range(number, VISITS, clients)] or [f"V{number}"]
        for visit in itertools.cycle(visits):
            begun = time.perf_counter()
            if begun > end:
                return
            await host.submit(visit, [traffic.event(visit)])
            took.append(time.perf_counter() - begun)

    cpu = time.process_time()
    await asyncio.gather(*(client(number) for number in range(clients)))
    cpu = time.process_time() - cpu
    p50, p99 = (statistics.quantiles(took, n=100)[place] * 1000 for place in (49, 98))
    return {
        "events/s": len(took) / seconds,
        "p50 ms": p50,
        "p99 ms": p99,
        "longest ms": max(took) * 1000,
        "us CPU/event": cpu / len(took) * 1e6,
    }


def _line(clients: int, found: dict[str, float]) -> str:
    return f"{clients:5} clients   " + "   ".join(f"{k} {v:9,.2f}" for k, v in found.items())


async def measure(
    name: str, make: Callable[[], Host], core: EngagementCore, seconds: float
) -> None:
    print(name)
    traffic = Traffic(core.woken(0).version)
    for clients in CLIENTS:
        host = make()
        await host.start(core, nobody)
        print(" ", _line(clients, await rate(host, traffic, clients, seconds)))
        await host.stop()


def _sample() -> EngagementCore:
    compiled = compile_book(read_folder(SAMPLE))
    assert compiled.book is not None
    return EngagementCore(Library(plan(compiled.book)), lambda: {"chat": 2})


def submits(clients: int, seconds: float = 6.0, *, trimming: bool = False) -> dict[str, float]:
    """Durable submits with checkpoints each second; with ``trimming`` the journal is full too.

    Then each entry that comes makes an old one go, and what is kept are some seconds.
    """
    core = _sample()

    async def measured() -> dict[str, float]:
        traffic = Traffic(core.woken(0).version)
        with tempfile.TemporaryDirectory() as folder:
            keep = Retention(size=8_000_000) if trimming else Retention()
            host = SqliteHost(Path(folder) / "visits.sqlite3", keep=keep)
            await host.start(core, nobody)
            await rate(host, traffic, clients, seconds / 2)  # what is trimmed must be there first
            found = await rate(host, traffic, clients, seconds)
            await host.stop()
            found["MB of journal"] = _journal(Path(folder) / "visits.sqlite3")
        return found

    return asyncio.run(measured())


async def weigh(make: Callable[[], Host], core: EngagementCore, visits: int) -> None:
    """Memory per open visit, ten events each."""
    host, traffic = make(), Traffic(core.woken(0).version)
    await host.start(core, nobody)
    before = resident()
    for begin in range(0, visits, 200):
        names = [f"W{n}" for n in range(begin, min(begin + 200, visits))]
        for _ in range(10):
            await asyncio.gather(*(host.submit(name, [traffic.event(name)]) for name in names))
    gc.collect()
    kilobytes = (resident() - before) / visits / 1024
    print(f"  {visits:,} open visits: {kilobytes:.2f} kB each in memory")
    await host.stop()


def _journal(path: Path) -> float:
    with sqlite3.connect(path) as file:
        (size,) = file.execute(
            "SELECT sum(length(body) + length(decisions)) FROM journal"
        ).fetchone()
    file.close()
    return (size or 0) / 1e6


def resident() -> int:
    """Bytes of memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--visits", type=int, default=10_000)
    parser.add_argument("--book", type=Path, default=SAMPLE)
    given = parser.parse_args()
    compiled = compile_book(read_folder(given.book))
    if compiled.book is None:
        sys.exit(f"The book {given.book} has mistakes.")
    core = EngagementCore(Library(plan(compiled.book)), lambda: {"chat": 2})
    with tempfile.TemporaryDirectory() as folder:
        numbers = itertools.count()

        def sqlite() -> Host:
            return SqliteHost(Path(folder) / f"{next(numbers)}.sqlite3")

        # First, for memory that was used before would be used again.
        asyncio.run(weigh(sqlite, core, given.visits))
        asyncio.run(measure("sqlite, durable", sqlite, core, given.seconds))
        asyncio.run(measure("memory", MemoryHost, core, given.seconds))


if __name__ == "__main__":
    main()
