"""The door for events when the server itself is at fault."""

import asyncio
import json
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

from engine.delivery.access import Access
from engine.delivery.events import EventDoor
from engine.delivery.guard import Headers
from engine.delivery.ingest import Ingest
from engine.delivery.rates import Rates
from engine.hosts.memory import MemoryHost

Message = MutableMapping[str, Any]
PATH = "/server/data/events"


class Room:
    """The door on a host in memory, without a network between."""

    def __init__(self, version: Callable[[], str]) -> None:
        self.access = Access(key=b"k" * 32, api_token=None)
        ingest = Ingest(
            MemoryHost(), clock=lambda: 1, version=version, agents=dict, vocabulary=dict
        )
        self.door = EventDoor(ingest, self.access, Rates(lambda: 1))
        self.token = self.access.token("V", "G")

    def post(self, *headers: tuple[bytes, bytes]) -> tuple[int, Headers, dict[str, Any]]:
        """Send one event; status, headers and body of the answer."""
        sent: list[Message] = []
        body = json.dumps({"eventName": "PageEntered", "visitID": "V"}).encode()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        own = [(b"content-type", b"application/json"), (b"x-overture-token", self.token.encode())]
        scope = {"type": "http", "path": PATH, "query_string": b"", "headers": [*own, *headers]}
        asyncio.run(self.door(scope, receive, send))
        start, end = sent
        return start["status"], start["headers"], json.loads(end["body"])


def no_book() -> str:
    raise LookupError("no book")


def test_a_fault_of_ours_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A version that can not be told is no mistake of the page, and no reason to be silent."""
    room = Room(no_book)
    status, headers, body = room.post()
    assert (status, body["code"]) == (500, "failed")
    assert (b"x-content-type-options", b"nosniff") in headers
    (line,) = caplog.records
    assert PATH in line.getMessage()
    assert room.token not in caplog.text


def test_an_origin_is_its_own_with_its_host_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Who was let in by a name is let in by that name only, and what has no name never."""
    room = Room(no_book)
    origin, host = (b"origin", b"http://shop.example"), (b"host", b"shop.example")
    for _ in range(2):
        assert room.post(origin, host)[0] == 500, "let in, up to the book that is missing"
        for headers in ((origin,), (origin, (b"host", b"")), (origin, (b"host", b"evil.example"))):
            status, _, body = room.post(*headers)
            assert (status, body["code"]) == (403, "origin")
    assert len(caplog.records) == 2
