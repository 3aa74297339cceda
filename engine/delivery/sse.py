"""Server-Sent Events: the same frames over plain HTTP.

A stream goes one way. So what its pages say, to acknowledge, to join it or to leave it, comes as
requests that name it; a cursor on reconnect acknowledges as well, for whoever listens alone.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from engine.delivery import wire
from engine.delivery.access import Access
from engine.delivery.hub import Connection, Hub, first_to_end
from engine.delivery.shared import NORMAL, Shared
from engine.delivery.wire import Refusal

KEEP_ALIVE: Final = 15.0
"""Seconds after which a comment goes out, so that no proxy ends the connection."""
_UNHEARD: Final = 64
"""Remarks that wait for one stream at most."""
_HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}


class SseDoor:
    """``GET`` and ``POST /server/push/sse``."""

    def __init__(self, hub: Hub, access: Access) -> None:
        self._hub = hub
        self._access = access
        self._streams: dict[str, _Stream] = {}

    async def get(self, request: Request) -> Response:
        """Open the stream. Raises Refusal 400, 403, 429, 503."""
        query = {name: request.query_params[name] for name in request.query_params if name != "_"}
        words = wire.subscription_of(query)
        self._check(words.visitID, words.token)
        # What the browser remembers itself is younger than what the address says.
        cursor = request.headers.get("last-event-id") or words.cursor
        connection = await self._hub.attach(words.visitID, words.pageID, cursor)
        return _Stream(self._hub, connection, self._streams)

    async def post(self, request: Request) -> Response:
        """Take what a page says on a stream of its visit. Raises Refusal 400, 403, 404, 429."""
        said = wire.stream_remark(await wire.body_of(request))
        self._check(said.visitID, said.token)
        stream = self._streams.get(said.stream)
        if stream is None or stream.visit != said.visitID:
            raise Refusal(404, "unknown-stream", "That stream has ended; open another one.")
        stream.hear(wire.Remark(type=said.type, pageID=said.pageID, cursor=said.cursor))
        return Response(status_code=204)

    def _check(self, visit: str, token: str) -> None:
        if not self._access.fits(visit, token):
            raise Refusal(403, "token", "The token is not that of the visit.")


class _Stream(Response):
    """A response that lasts until the page goes, the hub ends it, or it is too slow."""

    def __init__(self, hub: Hub, first: Connection, streams: dict[str, _Stream]) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._hub = hub
        self._first = first
        self._streams = streams
        self._remarks: asyncio.Queue[wire.Remark] = asyncio.Queue(_UNHEARD)
        self.visit = first.visit
        self.greeting = {"stream": first.id}

    def hear(self, remark: wire.Remark) -> None:
        """Take what a page said. Raises Refusal 429 when too much of it waits."""
        try:
            self._remarks.put_nowait(remark)
        except asyncio.QueueFull:
            wait = {"Retry-After": "1"}
            raise Refusal(429, "rate", "The stream hears too much; try again.", wait) from None

    async def heard(self) -> wire.Remark:
        """Wait for what a page says."""
        return await self._remarks.get()

    async def send(self, text: str, cursor: str | None) -> None:
        """Send JSON on one line, so one line of data; the browser remembers the ``cursor``."""
        name = f"id: {cursor}\n" if cursor else ""
        await self._write(f"{name}data: {text}\n\n")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Stream until one side ends."""
        self._transport = send
        shared = Shared(self, self._hub, self._first)
        self._streams[self._first.id] = self
        try:
            start: Message = {"type": "http.response.start", "status": 200}
            await send({**start, "headers": self.raw_headers})
            await self._write("retry: 2000\n\n")
            await first_to_end(shared.hold(), self._stay(), _gone(receive), normal=NORMAL)
        except OSError:
            pass  # the browser has gone
        finally:
            del self._streams[self._first.id]
            await asyncio.shield(shared.abandon())

    async def _stay(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE)
            await self._write(": still here\n\n")

    async def _write(self, text: str) -> None:
        await self._transport(
            {"type": "http.response.body", "body": text.encode(), "more_body": True}
        )


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
