"""WebSocket: the first frame says who the page is, then notifications out, acknowledgements in.

Pages of one visit may share a socket: the first opens it, others join and leave, and what is for
one that joined bears its ``pageID``. The hub sees a connection for each page either way.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from engine.delivery import wire
from engine.delivery.access import Access
from engine.delivery.hub import Connection, Hub, first_to_end
from engine.delivery.wire import Refusal

FIRST_FRAME: Final = 5.0
"""Seconds in which a page says who it is."""
MALFORMED, TOKEN, RESTART, SLOW = 4400, 4403, 1012, 1013
_CLOSING: Final = {"slow": SLOW, "busy": SLOW, "restart": RESTART}
_REASONS: Final = {
    "slow": "The page reads too slowly; come back with the cursor.",
    "busy": "The server is busy; come back with the cursor.",
    "restart": "The server restarts; come back with the cursor.",
}


class WebSocketDoor:
    """``GET /server/push/ws``."""

    def __init__(self, hub: Hub, access: Access) -> None:
        self._hub = hub
        self._access = access

    async def serve(self, socket: WebSocket) -> None:
        """Hold one connection until either side ends it."""
        await socket.accept()
        try:
            connection = await self._introduced(socket)
        except Refusal as refusal:
            await _closed(socket, _code(refusal), refusal.sentence)
            return
        except (WebSocketDisconnect, TimeoutError):
            await _closed(socket, MALFORMED, "The first frame must come within 5 s.")
            return
        await _Shared(socket, self._hub, connection).hold()

    async def _introduced(self, socket: WebSocket) -> Connection:
        async with asyncio.timeout(FIRST_FRAME):
            first = await _received(socket)
        words = wire.subscription(first)
        if not self._access.fits(words.visitID, words.token):
            raise Refusal(403, "token", "The token is not that of the visit.")
        return await self._hub.attach(words.visitID, words.pageID, words.cursor)


class _Shared:
    """One socket and the pages on it; it ends when its browser ends it, or when the server does."""

    __slots__ = ("_first", "_hub", "_over", "_pages", "_socket", "_tasks")

    def __init__(self, socket: WebSocket, hub: Hub, first: Connection) -> None:
        self._socket = socket
        self._hub = hub
        self._first = first
        self._pages: dict[str | None, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()

    async def hold(self) -> None:
        first = self._pages[self._first.page] = self._first
        sides = (self._receive(), self._outlived(self._send(first)), self._outlived(first.ended()))
        try:
            await first_to_end(*sides, normal=(WebSocketDisconnect, OSError))
        except Refusal as refusal:
            await _closed(self._socket, MALFORMED, refusal.sentence)
        else:
            reason = "restart" if self._over.is_set() else first.reason or ""
            await _closed(self._socket, _CLOSING.get(reason, 1000), _REASONS.get(reason, ""))
        finally:
            await asyncio.shield(self._abandon())

    async def _outlived(self, side: Coroutine[Any, Any, None]) -> None:
        """The page that opened the socket may leave it to the others."""
        await side
        if self._first.reason == "left":
            await self._over.wait()

    async def _carry(self, connection: Connection) -> None:
        """Send what is for one that joined, until it leaves; or it hears that it was left out."""
        normal = (WebSocketDisconnect, OSError)
        await first_to_end(self._send(connection), connection.ended(), normal=normal)
        if connection.reason == "restart":
            self._over.set()
        elif connection.reason in _REASONS:
            await self._leave(connection.page)
            await self._say({"type": "lost"}, connection)

    async def _send(self, connection: Connection) -> None:
        await self._say({"type": "ready", "cursor": connection.cursor}, connection)
        async for frame in connection.frames():
            if frame is not None:
                await self._socket.send_text(self._addressed(frame[1], connection))

    async def _say(self, words: dict[str, Any], connection: Connection) -> None:
        await self._socket.send_text(self._addressed(json.dumps(words), connection))

    def _addressed(self, text: str, connection: Connection) -> str:
        if connection is self._first:
            return text
        return f'{{"pageID": {json.dumps(connection.page)}, {text[1:]}'

    async def _receive(self) -> None:
        while True:
            said = wire.remark(await _received(self._socket))
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
            await self._socket.send_json({"type": "lost", "pageID": page})
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

    async def _abandon(self) -> None:
        for page in tuple(self._pages):
            await self._leave(page)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _received(socket: WebSocket) -> str | bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    return message.get("text") or message.get("bytes") or ""


async def _closed(socket: WebSocket, code: int, reason: str) -> None:
    """Close, unless the other side was faster."""
    if socket.client_state is not WebSocketState.CONNECTED:
        return
    try:
        async with asyncio.timeout(1):
            await socket.close(code, reason[:120])
    except (RuntimeError, OSError, TimeoutError, WebSocketDisconnect):
        return


def _code(refusal: Refusal) -> int:
    return {400: MALFORMED, 403: TOKEN}.get(refusal.status_code, SLOW)
