"""The door for events when the server itself is at fault."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from engine.delivery.access import Access
from engine.delivery.events import EventDoor
from engine.delivery.ingest import Ingest
from engine.delivery.rates import Rates
from engine.hosts.memory import MemoryHost

Message = MutableMapping[str, Any]


def test_a_fault_of_ours_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A version that can not be told is no mistake of the page, and no reason to be silent."""

    def version() -> str:
        raise LookupError("no book")

    access = Access(key=b"k" * 32, api_token=None)
    ingest = Ingest(MemoryHost(), clock=lambda: 1, version=version, agents=dict, vocabulary=dict)
    door = EventDoor(ingest, access, Rates(lambda: 1))
    body = json.dumps({"eventName": "PageEntered", "visitID": "V"}).encode()
    token = access.token("V", "G")
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"x-overture-token", token.encode())]
    path = "/server/data/events"
    scope = {"type": "http", "path": path, "query_string": b"", "headers": headers}
    asyncio.run(door(scope, receive, send))
    start, end = sent
    assert start["status"] == 500
    assert json.loads(end["body"])["code"] == "failed"
    assert (b"x-content-type-options", b"nosniff") in start["headers"]
    (line,) = caplog.records
    assert path in line.getMessage()
    assert token not in caplog.text
