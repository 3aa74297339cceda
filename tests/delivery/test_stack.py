"""What a server stands on leaves nothing behind: no search for garbage is needed."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from engine.delivery import stack

PATIENCE = 20.0

Visit = Callable[[int], Awaitable[None]]


@pytest.fixture
def unsearched() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def _greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def _app() -> Starlette:
    answer = Starlette(routes=[])  # 404 is an answer as well
    return Starlette(routes=[WebSocketRoute("/socket", _greet), Route("/{path:path}", answer)])


def _closed() -> int:
    """Connections of this process that are closed, and still there."""
    known = [one for one in gc.get_objects() if issubclass(type(one), asyncio.Transport)]
    return sum(one.is_closing() and hasattr(one, "_read_ready_cb") for one in known)


async def _closed_in_time(before: int) -> int:
    end = time.monotonic() + PATIENCE
    while (left := _closed() - before) and time.monotonic() < end:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.05)
    return left


async def _ask(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 404")
    writer.close()
    await writer.wait_closed()
    vars(writer.transport).pop("_read_ready_cb", None)  # that of the test itself


async def _be_greeted(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}/socket") as connection:
        assert await connection.recv() == "hello"
        await connection.wait_closed()
    vars(connection.transport).pop("_read_ready_cb", None)


@pytest.mark.parametrize("visit", [_ask, _be_greeted])
@pytest.mark.usefixtures("unsearched")
def test_a_closed_connection_is_gone_without_a_search(
    visit: Callable[[int], Awaitable[None]],
) -> None:
    async def served() -> int:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            config = uvicorn.Config(
                _app(), http=stack.parser(), ws=stack.sockets(), lifespan="off", log_config=None
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listener]))
            before = _closed()
            for _ in range(20):
                await visit(listener.getsockname()[1])
            left = await _closed_in_time(before)
            server.should_exit = True
            await serving
        return left

    assert asyncio.run(served()) == 0
