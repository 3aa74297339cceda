"""One connection for pages of a visit: the first opens it, others join and leave.

What is for a page that joined bears its ``pageID``. The hub sees a connection for each page. It is
the same over a WebSocket and over Server-Sent Events, which differ in how words travel: that is a
*carrier*.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, Final, Protocol

from starlette.websockets import WebSocketDisconnect

from engine.delivery.hub import Connection, Hub, first_to_end
from engine.delivery.wire import Refusal, Remark

NORMAL: Final = (WebSocketDisconnect, OSError)
"""The ways in which a browser goes."""
_LOST: Final = ("slow", "busy")
"""Why a page that joined is to join again later."""


class Carrier(Protocol):
    """How words travel on one connection."""

    greeting: dict[str, str]
    """What the first page is told beside its cursor."""

    async def send(self, text: str, cursor: str | None) -> None:
        """Send JSON on one line; ``cursor`` is given with what is for the first page."""

    async def heard(self) -> Remark:
        """Wait for what a page says. Raises Refusal for what is malformed."""


class Shared:
    """The pages on one connection; it ends when its browser ends it, or when the server does."""

    __slots__ = ("_carrier", "_first", "_hub", "_over", "_pages", "_tasks")

    def __init__(self, carrier: Carrier, hub: Hub, first: Connection) -> None:
        self._carrier = carrier
        self._hub = hub
        self._first = first
        self._pages: dict[str | None, Connection] = {first.page: first}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()

    @property
    def reason(self) -> str:
        """Why the server ended it, or what became of the page that opened it."""
        return "restart" if self._over.is_set() else self._first.reason or ""

    async def hold(self) -> None:
        """Carry until one side ends. Raises Refusal when a page says what is malformed."""
        first = self._first
        sides = (self._receive(), self._outlived(self._send(first)), self._outlived(first.ended()))
        await first_to_end(*sides, normal=NORMAL)

    async def abandon(self) -> None:
        """Let go of all pages."""
        for page in tuple(self._pages):
            await self._leave(page)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _outlived(self, side: Coroutine[Any, Any, None]) -> None:
        """The page that opened the connection may leave it to the others."""
        await side
        if self._first.reason == "left":
            await self._over.wait()

    async def _carry(self, connection: Connection) -> None:
        """Send what is for one that joined, until it leaves; or it hears that it was left out."""
        await first_to_end(self._send(connection), connection.ended(), normal=NORMAL)
        if connection.reason == "restart":
            self._over.set()
        elif connection.reason in _LOST:
            await self._leave(connection.page)
            await self._say(json.dumps({"type": "lost"}), connection)

    async def _send(self, connection: Connection) -> None:
        words = {"type": "ready", "cursor": connection.cursor}
        if connection is self._first:
            words |= self._carrier.greeting
        await self._say(json.dumps(words), connection, connection.cursor)
        async for cursor, text in connection.frames():
            await self._say(text, connection, cursor)

    async def _say(self, text: str, connection: Connection, cursor: str | None = None) -> None:
        if connection is self._first:
            await self._carrier.send(text, cursor)
        else:
            text = f'{{"pageID": {json.dumps(connection.page)}, {text[1:]}'
            await self._carrier.send(text, None)

    async def _receive(self) -> None:
        while True:
            said = await self._carrier.heard()
            page = self._first.page if said.pageID is None else said.pageID
            if said.type == "join":
                await self._join(page, said.cursor)
            elif said.type == "leave":
                await self._leave(page)
            elif page in self._pages:
                await self._hub.acknowledge(self._pages[page], said.cursor or "")

    async def _join(self, page: str | None, cursor: str | None) -> None:
        await self._leave(page)
        try:
            connection = await self._hub.attach(self._first.visit, page, cursor)
        except Refusal:
            await self._carrier.send(json.dumps({"type": "lost", "pageID": page}), None)
            return
        self._pages[page] = connection
        task = asyncio.create_task(self._carry(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _leave(self, page: str | None) -> None:
        connection = self._pages.pop(page, None)
        if connection is not None:
            connection.end("left")
            await self._hub.detach(connection)
