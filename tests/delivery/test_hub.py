"""The hub without a network: joining while messages arrive, slow pages, busy hosts."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import pytest

from engine.delivery.hub import QUEUE, Connection, Hub
from engine.delivery.ingest import Ingest, refusing
from engine.delivery.wire import BrowserEvent, Refusal, body
from engine.hosts.contract import CONNECTIONS_OF_A_VISIT
from engine.hosts.document import EngagementCore, outbox_after
from engine.hosts.memory import MemoryHost
from engine.language.syntax import Book
from engine.runtime.library import Library
from engine.runtime.plan import plan

NO_NAMES: Mapping[str, Any] = {}


def library() -> Library:
    """A book without strategies: everything here is pushed."""
    return Library(
        plan(
            Book(
                version="empty",
                events={},
                facts={},
                categories={},
                groups={},
                messages={},
                strategies={},
                scenarios={},
            )
        )
    )


class Room:
    """A real host in memory with a hub over it."""

    def __init__(self) -> None:
        self.host = MemoryHost()
        self.now = 1_000_000
        self.ingest = Ingest(
            self.host,
            clock=lambda: self.now,
            version=lambda: "empty",
            agents=dict,
            vocabulary=lambda: NO_NAMES,
        )
        self.hub = Hub(self.host, self.ingest, outbox_after)

    async def start(self) -> "Room":
        await self.host.start(EngagementCore(library(), dict), self.hub.deliver)
        return self

    async def enter(self, page: str = "P1", visit: str = "V1") -> None:
        event = BrowserEvent(eventName="PageEntered", visitID=visit, pageID=page)
        await self.ingest.accept([body(event)])

    async def push(self, *names: str, page: str | None = "P1", visit: str = "V1") -> None:
        for name in names:
            body = {"notifications": [{"page": page, "channel": "c", "data": {"n": name}}]}
            await self.ingest.submit(visit, [self.ingest.stamped("pushed", visit, body)])

    async def waiting(self, page: str = "P1", visit: str = "V1") -> int:
        document = await self.host.peek(visit)
        assert document is not None
        return len(outbox_after(document, visit, page))


async def taken(connection: Connection, count: int) -> list[str]:
    found: list[str] = []
    async with asyncio.timeout(30):
        async for frame in connection.frames():
            found.append(frame[1].split('"n": "')[1].split('"')[0])
            if len(found) == count:
                return found
    return found


async def drained(connection: Connection) -> list[str]:
    found: list[str] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            async for frame in connection.frames():
                found.append(frame[1].split('"n": "')[1].split('"')[0])
    return found


def test_messages_while_joining_come_once_and_in_order() -> None:
    async def story() -> None:
        room = await Room().start()
        await room.enter()
        names = [str(number) for number in range(40)]
        await room.push(*names[:10])
        joining = asyncio.create_task(room.hub.attach("V1", "P1", None))
        for name in names[10:]:
            await room.push(name)
            await asyncio.sleep(0)
        connection = await joining
        assert await taken(connection, 40) == names
        assert await drained(connection) == []

    asyncio.run(story())


def test_a_page_that_connects_before_its_first_event_keeps_its_messages() -> None:
    async def story() -> None:
        room = await Room().start()
        connection = await room.hub.attach("V1", "P1", None)
        await room.enter()
        await asyncio.sleep(0.01)
        await room.push("a")
        assert await taken(connection, 1) == ["a"]
        # The host knows that it left, so it is not taken back after its 30 s.
        room.now += 60_000
        await room.push("b")
        assert await room.waiting() == 2

    asyncio.run(story())


def test_a_slow_page_is_ended_and_comes_back_with_its_cursor() -> None:
    async def story() -> None:
        room = await Room().start()
        await room.enter()
        connection = await room.hub.attach("V1", "P1", None)
        await room.push("first")
        async for frame in connection.frames():
            cursor = frame[0]
            break
        names = [str(number) for number in range(QUEUE + 5)]
        await room.push(*names)
        await asyncio.wait_for(connection.ended(), 30)
        assert connection.reason == "slow"
        await room.hub.detach(connection)
        again = await room.hub.attach("V1", "P1", cursor)
        assert await taken(again, len(names)) == names

    asyncio.run(story())


def test_pages_hear_what_is_theirs() -> None:
    async def story() -> None:
        room = await Room().start()
        await room.enter("P1")
        await room.enter("P2")
        await room.enter("P1", visit="V2")
        one = await room.hub.attach("V1", "P1", None)
        two = await room.hub.attach("V1", "P2", None)
        other = await room.hub.attach("V2", "P1", None)
        await room.push("1", page="P1")
        await room.push("2", page="P2")
        await room.push("all", page=None)
        assert await taken(one, 2) == ["1", "all"]
        assert await taken(two, 2) == ["2", "all"]
        assert [await drained(each) for each in (one, two, other)] == [[], [], []]

    asyncio.run(story())


def test_the_connections_of_a_visit_are_bounded_and_counted() -> None:
    async def story() -> None:
        room = await Room().start()
        await room.enter()
        joined = [await room.hub.attach("V1", "P1", None) for _ in range(CONNECTIONS_OF_A_VISIT)]
        with pytest.raises(Refusal, match="too many pages"):
            await room.hub.attach("V1", "P1", None)
        assert (room.hub.connections, room.hub.visits) == (CONNECTIONS_OF_A_VISIT, 1)
        for connection in joined:
            await room.hub.detach(connection)
            await room.hub.detach(connection)
        assert (room.hub.connections, room.hub.visits) == (0, 0)

    asyncio.run(story())


def test_a_host_that_is_stopped_refuses_and_leaves_nothing_behind() -> None:
    async def story() -> None:
        room = await Room().start()
        await room.enter()
        connection = await room.hub.attach("V1", "P1", None)
        await room.host.stop()
        with pytest.raises(Refusal) as refused:
            await room.enter()
        assert refused.value.status_code == 503
        assert refused.value.headers == {"Retry-After": "1"}
        with pytest.raises(Refusal):
            await room.hub.attach("V1", "P1", None)
        assert room.hub.connections == 1
        await room.hub.detach(connection)
        assert room.hub.connections == 0

    asyncio.run(story())


def test_a_store_that_fails_is_a_refusal_that_says_so() -> None:
    with pytest.raises(Refusal) as refused, refusing():
        raise OSError("disk I/O error")
    assert (refused.value.status_code, refused.value.code) == (503, "store")


def test_closing_ends_every_connection_and_takes_no_more() -> None:
    async def story() -> None:
        room = await Room().start()
        connection = await room.hub.attach("V1", "P1", None)
        await room.hub.close()
        assert await drained(connection) == []
        assert connection.reason == "restart"
        with pytest.raises(Refusal):
            await room.hub.attach("V1", "P1", None)

    asyncio.run(story())
