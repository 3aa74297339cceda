"""A tiny core for the contract of hosts alone: it writes down what it was given, in order.

Its document is the list of what was applied. An event with ``after`` sets a wake-up that many ms
later, ``say`` makes a message, ``wait`` holds the core up that many seconds, ``hold`` until the
test lets it go, ``break`` raises.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Sequence
from typing import Any

from engine.hosts.contract import Advance, Document, Input, Message


class Ledger:
    """Applies inputs by appending ``[kind, number, time, epoch]`` to the document's ``lines``."""

    def __init__(self) -> None:
        self._holding = threading.Event()
        self._let_go = threading.Event()

    async def held(self) -> None:
        """Wait until the core is at an event with ``hold``: now the writer can do nothing else."""
        assert await asyncio.to_thread(self._holding.wait, 30), "nobody came with a hold"

    def let_go(self) -> None:
        self._let_go.set()

    def advance(self, visitor: str, document: Document | None, inputs: Sequence[Input]) -> Advance:
        lines = list(document["lines"]) if document else []
        wake_at = document["wake_at"] if document else None
        offset = document["offset"] if document else 0
        messages: list[Message] = []
        decisions: list[tuple[dict[str, Any], ...] | None] = []
        seen = {line[4] for line in lines}
        for one in inputs:
            if one.id is not None and one.id in seen:
                decisions.append(None)
                continue
            seen.add(one.id)
            time.sleep(one.body.get("wait", 0))
            if "hold" in one.body:
                self._holding.set()
                self._let_go.wait(30)
            if "break" in one.body:
                raise ValueError("told to break")
            if wake_at is not None and wake_at <= one.time:
                offset += 1
                messages.append(_message(one.visit or "V", offset, f"timer {wake_at}"))
                wake_at = None
            if "after" in one.body:
                wake_at = one.time + one.body["after"]
            if one.body.get("cancel"):
                wake_at = None
            if "say" in one.body:
                offset += 1
                messages.append(_message(one.visit, offset, one.body["say"]))
            lines.append([one.kind, one.body.get("n"), one.time, one.epoch, one.id])
            decisions.append(({"visit": one.visit or "V", "line": len(lines)},))
        return Advance(
            document={"lines": lines, "wake_at": wake_at, "offset": offset},
            wake_at=wake_at,
            messages=tuple(messages),
            decisions=tuple(decisions),
        )

    def woken(self, now: int) -> Input:
        return Input(kind="woken", visit="", time=now, version="1", body={})

    def rested(self, now: int) -> Input:
        return Input(kind="rested", visit="", time=now, version="1", body={})

    def encode(self, document: Document, *, small: bool = False) -> bytes:
        return json.dumps(document).encode()

    def decode(self, raw: bytes) -> Document:
        found: Document = json.loads(raw)
        return found


def _message(visit: str, offset: int, payload: str) -> Message:
    return Message(
        visit=visit, offset=offset, page=None, ids=(payload,), payload=payload, expires=0
    )
