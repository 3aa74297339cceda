"""WebSocket: the first frame says who the page is, then notifications out, acknowledgements in."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from engine.delivery import wire
from engine.delivery.access import Access
from engine.delivery.hub import Connection, Hub
from engine.delivery.shared import Shared
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
        await _hold(socket, self._hub, connection)

    async def _introduced(self, socket: WebSocket) -> Connection:
        async with asyncio.timeout(FIRST_FRAME):
            first = await _received(socket)
        words = wire.subscription(first)
        if not self._access.fits(words.visitID, words.token):
            raise Refusal(403, "token", "The token is not that of the visit.")
        return await self._hub.attach(words.visitID, words.pageID, words.cursor)


class _Frames:
    """Words as frames of a socket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.greeting: dict[str, str] = {}

    async def send(self, text: str, cursor: str | None) -> None:  # noqa: ARG002 - it is in the text
        await self._socket.send_text(text)

    async def heard(self) -> wire.Remark:
        return wire.remark(await _received(self._socket))


async def _hold(socket: WebSocket, hub: Hub, connection: Connection) -> None:
    shared = Shared(_Frames(socket), hub, connection)
    try:
        await shared.hold()
    except Refusal as refusal:
        await _closed(socket, MALFORMED, refusal.sentence)
    else:
        reason = shared.reason
        await _closed(socket, _CLOSING.get(reason, 1000), _REASONS.get(reason, ""))
    finally:
        await asyncio.shield(shared.abandon())


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
