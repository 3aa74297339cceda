"""A host that is flooded while its disk is slow, in a process of its own; prints what happened.

``python flooded.py FILE``. How slow the disk is, is written to the file that SLOW_DISK names.
Clients submit without a pause, and who is refused comes again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from hosts.house import event
from hosts.ledger import Ledger

from engine.hosts.contract import Overloaded
from engine.hosts.sqlite import SqliteHost

CLIENTS = 400
SECONDS = 3.0
QUEUE, QUEUE_BYTES = 2_000, 4_000_000
TEXT = "x" * 20_000


class Short(Ledger):
    """Remembers the last lines only, so that the flood is in the inputs alone."""

    def advance(self, visitor: str, document: Any, inputs: Any) -> Any:
        advance = super().advance(visitor, document, inputs)
        if advance.document is not None:
            advance.document["lines"] = advance.document["lines"][-2:]
        return advance


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def nobody(visitor: str, messages: object) -> None:
    """Deliver to nobody."""


class Flood:
    """Clients that submit until told to stop, and what became of their events."""

    def __init__(self, host: SqliteHost) -> None:
        self._host = host
        self.accepted: list[str] = []
        self.refused = 0
        self.waits: set[int] = set()
        self.stopping = False
        self.highest = 0

    async def client(self, number: int) -> None:
        sent = 0
        while not self.stopping:
            sent += 1
            name = f"{number}-{sent}"
            one = event(sent, visit=f"V{number}", name=name, text=TEXT)
            try:
                assert await self._host.submit(f"G{number}", [one]) == 1
            except Overloaded as refusal:
                self.refused += 1
                self.waits.add(refusal.retry_after)
                await asyncio.sleep(0.05)  # impatient: sooner than it was told
            else:
                self.accepted.append(name)
            self.highest = max(self.highest, resident())


def slow_down(milliseconds: int) -> None:
    Path(os.environ["SLOW_DISK"]).write_text(f"{milliseconds}", "ascii")


async def main(path: Path) -> dict[str, Any]:
    slow_down(0)
    host = SqliteHost(path, queue=QUEUE, queue_bytes=QUEUE_BYTES)
    await host.start(Short(), nobody)
    await host.submit("first", [event(1)])
    before, flood = resident(), Flood(host)
    slow_down(400)
    clients = [asyncio.create_task(flood.client(number)) for number in range(CLIENTS)]
    await asyncio.sleep(SECONDS)
    slow = len(flood.accepted)
    slow_down(0)
    begun, refused = time.monotonic(), flood.refused
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(90):
            while len(flood.accepted) < slow + 2_000:  # noqa: ASYNC110 - a flood tells nobody
                await asyncio.sleep(0.02)
    recovered = time.monotonic() - begun
    flood.stopping = True
    await asyncio.gather(*clients)
    await host.stop()
    again = SqliteHost(path)
    await again.start(Short(), nobody)
    stored = set()
    for number in range(CLIENTS):
        stored |= {one.input.id for one in await again.history(visitor=f"G{number}", limit=10_000)}
    await again.stop()
    return {
        "accepted": len(flood.accepted),
        "accepted while slow": slow,
        "lost": len(set(flood.accepted) - stored),
        "refused": refused,
        "waits": sorted(flood.waits),
        "grown": flood.highest - before,
        "recovered": recovered,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1])))))
