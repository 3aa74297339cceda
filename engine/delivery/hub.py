"""Who is connected, how far each page has come, and what still waits for it.

The outbox in the visitor's document is the truth; the hub holds nothing that a crash could lose.
A page joins in three steps without a gap and without a double: it is registered first, so that
live messages already queue; then the outbox is read; then both are merged by offset, which grows
by one per message of a visit. A page that reads too slowly is disconnected and comes back with
its cursor: memory per connection is bounded, and nothing is lost.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from engine.delivery.ingest import Ingest, new_id, refusing
from engine.delivery.wire import Refusal
from engine.hosts.contract import CONNECTIONS_OF_A_VISIT, Document, Host, Message

QUEUE: Final = 64
"""Messages that wait for one connection before it counts as too slow."""
CONNECTIONS: Final = 50_000

log = logging.getLogger("overture.delivery")


Outbox = Callable[[Document, str, str | None], Sequence[Message]]
"""Reads (document, visit, page): every message that still waits for the page, oldest first."""


def cursor_of(epoch: str, offset: int) -> str:
    """Write a cursor; opaque to everyone else. ``epoch`` names the store that numbers."""
    return f"{epoch}.{offset}"


def offset_in(cursor: str | None, epoch: str) -> int | None:
    """Read the offset of a cursor; None when it is of another store, or none."""
    name, _, number = (cursor or "").rpartition(".")
    if name != epoch or not (number.isascii() and number.isdigit() and len(number) <= 15):
        return None
    return int(number)


class Connection:
    """One page on one transport: a bounded queue of frames, ended by either side."""

    def __init__(self, visit: str, page: str | None, epoch: str) -> None:
        self.visit = visit
        self.page = page
        self.epoch = epoch
        self.id = new_id()
        self.visitor: str | None = None
        self.noted = False
        self.start = 0
        self.queued = -1
        self.reason: str | None = None
        self._early: list[Message] | None = []
        self._frames: deque[tuple[str, str]] = deque()
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def cursor(self) -> str:
        """The cursor before the first frame."""
        return cursor_of(self.epoch, self.start)

    def offer(self, message: Message) -> None:
        """Queue a message that is for this page and newer than what was queued."""
        if self._early is not None:
            self._early.append(message)
            if len(self._early) > QUEUE:
                self.end("slow")
            return
        if message.offset <= self.queued:
            return
        self.queued = message.offset
        if message.page is not None and message.page != self.page:
            return
        if len(self._frames) >= QUEUE:
            self.end("slow")
            return
        self._put(message)

    def begin(self, waiting: Sequence[Message], start: int) -> None:
        """Take the backlog, then what came live while it was read. A backlog may be long."""
        self.start = self.queued = start
        for message in waiting:
            if message.offset > self.queued and message.page in (None, self.page):
                self.queued = message.offset
                self._put(message)
        early, self._early = self._early or [], None
        for message in early:
            self.offer(message)

    def end(self, reason: str) -> None:
        """Finish: frames that are queued are dropped, for they are still in the outbox."""
        self.reason = self.reason or reason
        self._wake.set()
        self._ended.set()

    async def ended(self) -> None:
        """Wait until ``end``: also a transport that is stuck in sending hears of it this way."""
        await self._ended.wait()

    async def frames(self) -> AsyncIterator[tuple[str, str]]:
        """Yield (cursor, JSON text) until the connection ends."""
        while self.reason is None:
            while self._frames and self.reason is None:
                yield self._frames.popleft()
            self._wake.clear()
            if not self._frames and self.reason is None:
                await self._wake.wait()

    def _put(self, message: Message) -> None:
        cursor = cursor_of(self.epoch, message.offset)
        # The payload is put in as it is: what the strategy sent arrives byte for byte.
        text = (
            f'{{"type": "notifications", "cursor": "{cursor}", '
            f'"ids": {json.dumps(list(message.ids), ensure_ascii=False)}, '
            f'"notifications": {message.payload}}}'
        )
        self._frames.append((cursor, text))
        self._wake.set()


class Hub:
    """All connections of this process, by visit."""

    def __init__(self, host: Host, ingest: Ingest, outbox: Outbox) -> None:
        self._host = host
        self._ingest = ingest
        self._outbox = outbox
        self._by_visit: dict[str, set[Connection]] = {}
        self._telling: set[asyncio.Task[None]] = set()
        ingest.on_known = self._known
        self._count = 0
        self._closing = False

    @property
    def connections(self) -> int:
        """How many pages are connected."""
        return self._count

    @property
    def visits(self) -> int:
        """How many visits have a page that is connected."""
        return len(self._by_visit)

    async def attach(self, visit: str, page: str | None, cursor: str | None) -> Connection:
        """Connect a page; its frames begin after ``cursor``, or with everything that waits.

        A cursor acknowledges what is before it. Raises Refusal 429, 503.
        """
        connection = Connection(visit, page, self._host.identity)
        self._register(connection)
        try:
            await self._join(connection, cursor)
        except BaseException:
            self._unregister(connection)
            raise
        return connection

    async def detach(self, connection: Connection) -> None:
        """Forget a connection. Never raises: a busy host misses no message by it."""
        self._unregister(connection)
        connection.end("gone")
        body = {"page": connection.page, "connection": connection.id}
        await self._note(connection, "disconnected", body)

    async def acknowledge(self, connection: Connection, cursor: str) -> None:
        """The page handled everything up to ``cursor``; a cursor from elsewhere does nothing."""
        offset = offset_in(cursor, connection.epoch)
        if offset is None or offset > connection.queued:
            return
        body = {"page": connection.page, "offset": offset}
        await self._note(connection, "acknowledged", body)

    async def deliver(self, _visitor: str, messages: Sequence[Message]) -> None:
        """Hand committed messages to the pages that are here; the outbox keeps them for others."""
        for message in messages:
            for connection in tuple(self._by_visit.get(message.visit, ())):
                connection.offer(message)

    async def close(self) -> None:
        """End all connections because the server stops; pages come back by themselves."""
        self._closing = True
        for connections in tuple(self._by_visit.values()):
            for connection in tuple(connections):
                connection.end("restart")

    def _register(self, connection: Connection) -> None:
        if self._closing or self._count >= CONNECTIONS:
            wait = {"Retry-After": "5"}
            raise Refusal(503, "busy", "The server takes no connections now; try again.", wait)
        of_visit = self._by_visit.setdefault(connection.visit, set())
        if len(of_visit) >= CONNECTIONS_OF_A_VISIT:
            wait = {"Retry-After": "30"}
            raise Refusal(429, "connections", "This visit has too many pages connected.", wait)
        of_visit.add(connection)
        self._count += 1

    def _unregister(self, connection: Connection) -> None:
        of_visit = self._by_visit.get(connection.visit)
        if of_visit is None or connection not in of_visit:
            return
        of_visit.discard(connection)
        self._count -= 1
        if not of_visit:
            del self._by_visit[connection.visit]

    async def _join(self, connection: Connection, cursor: str | None) -> None:
        visitor = await self._ingest.visitor_of(connection.visit)
        if visitor is not None:
            await self._tell_connected(connection, visitor)
        with refusing():
            document = await self._host.peek(visitor) if visitor else None
        waiting = self._outbox(document, connection.visit, connection.page) if document else ()
        start = offset_in(cursor, connection.epoch) or 0
        connection.begin(waiting, start)
        if start:
            await self._note(connection, "acknowledged", {"page": connection.page, "offset": start})

    def _known(self, visit: str, visitor: str) -> None:
        """Events of a visit were stored: say which pages waited for the first of them.

        A page connects as soon as it has its token, mostly before its first event is stored.
        """
        for connection in self._by_visit.get(visit, ()):
            if not connection.noted:
                task = asyncio.create_task(self._tell_late(connection, visitor))
                self._telling.add(task)
                task.add_done_callback(self._telling.discard)

    async def _tell_late(self, connection: Connection, visitor: str) -> None:
        try:
            await self._tell_connected(connection, visitor)
        except Refusal:
            connection.end("busy")

    async def _tell_connected(self, connection: Connection, visitor: str) -> None:
        """Tell the host, once. A page that it does not know of would lose what waits for it."""
        if connection.noted:
            return
        connection.noted = True
        connection.visitor = visitor
        body = {"page": connection.page, "connection": connection.id}
        one = self._ingest.stamped("connected", connection.visit, body)
        await self._ingest.submit(visitor, [one])

    async def _note(self, connection: Connection, kind: str, body: Mapping[str, Any]) -> None:
        """Tell the host more about a connection that it knows."""
        if connection.visitor is None or self._closing:
            return
        try:
            await self._ingest.submit(
                connection.visitor, [self._ingest.stamped(kind, connection.visit, body)]
            )
        except Refusal as busy:
            # Said again by the next cursor; until then redelivery is recognised by its ids.
            log.warning("A connection could not be noted as %s: %s", kind, busy.sentence)


async def first_to_end(
    *sides: Coroutine[Any, Any, None], normal: tuple[type[BaseException], ...]
) -> None:
    """Run the sides of a connection together; the first that ends, ends the others.

    Raises what a side raised, unless it is a ``normal`` way for a page to go.
    """
    tasks = [asyncio.create_task(side) for side in sides]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(
            result, (asyncio.CancelledError, *normal)
        ):
            raise result
