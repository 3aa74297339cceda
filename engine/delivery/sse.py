"""Server-Sent Events: the same frames over plain HTTP; a cursor on reconnect acknowledges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.delivery import wire
from engine.delivery.access import Access
from engine.delivery.hub import Connection, Hub, first_to_end
from engine.delivery.wire import Refusal

KEEP_ALIVE: Final = 15.0
"""Seconds of silence after which a comment goes out, so that no proxy ends the connection."""
_HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}


class SseDoor:
    """``GET /server/push/sse``."""

    def __init__(self, hub: Hub, access: Access) -> None:
        self._hub = hub
        self._access = access

    async def get(self, request: Request) -> Response:
        """Open the stream. Raises Refusal 400, 403, 429, 503."""
        query = {name: request.query_params[name] for name in request.query_params if name != "_"}
        words = wire.subscription_of(query)
        if not self._access.fits(words.visitID, words.token):
            raise Refusal(403, "token", "The token is not that of the visit.")
        # What the browser remembers itself is younger than what the address says.
        cursor = request.headers.get("last-event-id") or words.cursor
        connection = await self._hub.attach(words.visitID, words.pageID, cursor)
        return _Stream(self._hub, connection)


class _Stream(Response):
    """A response that lasts until the page goes, the hub ends it, or it is too slow."""

    def __init__(self, hub: Hub, connection: Connection) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._hub = hub
        self._connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Stream until one side ends."""
        try:
            await first_to_end(
                self._stream(send), _gone(receive), self._connection.ended(), normal=(OSError,)
            )
        finally:
            await asyncio.shield(self._hub.detach(self._connection))

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for text in _lines(self._connection):
            body = {"type": "http.response.body", "body": text.encode(), "more_body": True}
            await send(body)


async def _lines(connection: Connection) -> AsyncIterator[str]:
    ready = json.dumps({"type": "ready", "cursor": connection.cursor})
    yield f"retry: 2000\nid: {connection.cursor}\ndata: {ready}\n\n"
    async for frame in connection.frames(idle=KEEP_ALIVE):
        # A frame is JSON on one line, so it is one line of data.
        yield f"id: {frame[0]}\ndata: {frame[1]}\n\n" if frame else ": still here\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
