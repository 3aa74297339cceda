"""The courier: one task that hands committed messages over, in the order of their commits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from engine.hosts.contract import Deliver, Message

_LOG = logging.getLogger(__name__)


class Courier:
    """Hands messages to ``deliver`` one call at a time. Use from the event loop only.

    A message whose hand-over fails is logged and not tried again here: it is still in the outbox
    of its document, and the page gets it when it comes back with its cursor.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._waiting: deque[tuple[str, Sequence[Message]]] = deque()
        self._filled = asyncio.Event()
        self._closing = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    def put(self, visitor: str, messages: Sequence[Message]) -> None:
        """Queue what was committed for a visitor; returns at once."""
        if messages:
            self._waiting.append((visitor, messages))
            self._filled.set()

    async def stop(self) -> None:
        """Hand over what is queued, then end."""
        self._closing = True
        self._filled.set()
        await self._task

    async def _run(self) -> None:
        while not (self._closing and not self._waiting):
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                await self._hand_over(*self._waiting.popleft())

    async def _hand_over(self, visitor: str, messages: Sequence[Message]) -> None:
        try:
            await self._deliver(visitor, messages)
        except Exception:
            _LOG.exception("Messages for visitor %s wait in the outbox: not handed over", visitor)
