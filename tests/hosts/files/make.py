"""Writes a small store with the code of today, with ``PYTHONPATH=.:tests`` and a file to write.

One file of each schema is kept beside this script, named after its version. When the schema
changes, write the file of the old one first.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from typing import Any

from hosts.booked import library_of

from engine.hosts.contract import Input
from engine.hosts.document import EngagementCore
from engine.hosts.sqlite import SqliteHost

BEGUN = 1_900_000_000_000
"""When the story of the file begins (ms); far ahead, so that no timer is due while it is made."""

LIBRARY = library_of()
CORE = EngagementCore(LIBRARY, lambda: {"chat": 1})


def happened(visitor: str, number: int, name: str, after: int) -> Input:
    """An event of the only visit and page of a visitor."""
    body = {"eventName": name, "visitID": f"V{visitor}", "pageID": "P", "agents": {"chat": 1}}
    return Input(
        kind="event",
        visit=f"V{visitor}",
        time=BEGUN + after,
        version=LIBRARY.live.version,
        id=f"{visitor}-{number}",
        body=body,
    )


async def nobody(visitor: str, messages: Sequence[Any]) -> None:
    """Deliver to nobody."""


async def write(path: str) -> None:
    host = SqliteHost(path)
    await host.start(CORE, nobody)
    for visitor in ("G1", "G2", "G3"):
        await host.submit(visitor, [happened(visitor, 1, "PageEntered", 0)])
    for visitor in ("G2", "G3"):
        # A message that waits in the outbox, and a timer that waits for its time.
        added = happened(visitor, 2, "AddToCart", 1_000)
        await host.submit(visitor, [added, happened(visitor, 3, "Ask", 2_000)])
    await host.submit("G3", [happened("G3", 4, "Pay", 3_000)])
    await host.stop()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1]))
    with sqlite3.connect(sys.argv[1]) as connection:
        connection.execute("VACUUM")
