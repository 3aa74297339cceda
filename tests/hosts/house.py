"""What the tests of hosts share: running a host for the length of a test, stamping inputs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from engine.hosts.clock import Clock, now_ms
from engine.hosts.contract import Core, Host, Input, Message

MakeHost = Callable[[], Host]


class Postbox:
    """Collects what a host delivers, and lets a test wait for it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._more = asyncio.Event()

    async def __call__(self, visitor: str, messages: Sequence[Message]) -> None:
        self.messages += messages
        self._more.set()

    @property
    def payloads(self) -> list[str]:
        return [message.payload for message in self.messages]

    async def wait_for(self, count: int, seconds: float = 60) -> list[Message]:
        async with asyncio.timeout(seconds):
            while len(self.messages) < count:
                self._more.clear()
                await self._more.wait()
        return self.messages


@contextlib.asynccontextmanager
async def running(host: Host, core: Core) -> AsyncIterator[Postbox]:
    """Start a host with a postbox, and stop it."""
    postbox = Postbox()
    await host.start(core, postbox)
    try:
        yield postbox
    finally:
        await host.stop()


def event(
    number: int | None = None,
    *,
    visit: str = "V",
    time: int | None = None,
    name: str | None = None,
    kind: str = "event",
    **body: Any,
) -> Input:
    """An input for the ledger, stamped now unless a time is given; ``name`` is its id."""
    if number is not None:
        body["n"] = number
    return Input(
        kind=kind,
        visit=visit,
        time=now_ms() if time is None else time,
        version="1",
        id=name,
        body=body,
    )


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run an asynchronous test, for 4 minutes at most."""

    async def limited() -> None:
        async with asyncio.timeout(240):
            await test

    asyncio.run(limited())


def standing(now: int) -> Clock:
    """A clock that stands still at ``now`` (ms)."""
    return Clock(lambda: now * 1_000_000, lambda: 0)


async def undisturbed(story: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    """Tell a story again until the machine let it happen as it is told.

    When a machine stands still for a moment, what should come before a timer comes after it, and
    all is different, and right. A story looks at the clock and says False when that happened.
    """
    for _ in range(30):
        if await story():
            return
    raise AssertionError("in thirty attempts nothing came in time")
