"""What a server stands on: a faster loop and a faster parser of requests, where installed.

A connection of asyncio refers to itself by the method that reads from it, even when it is closed:
then only a search for garbage would free it, and our searches are rare (``engine/garbage.py``).
So whoever reads requests here lets a closed connection go.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import sys
from collections.abc import Callable


def parser() -> type[asyncio.Protocol]:
    """What uvicorn is to read requests with: httptools, and then with bounds of our own, or h11."""
    if importlib.util.find_spec("httptools") is None:
        return _letting_go(importlib.import_module("uvicorn.protocols.http.h11_impl").H11Protocol)
    return _letting_go(importlib.import_module("engine.delivery.heads").BoundedHeads)


def sockets() -> type[asyncio.Protocol]:
    """What uvicorn is to read WebSockets with."""
    found = importlib.import_module("uvicorn.protocols.websockets.auto").AutoWebSocketsProtocol
    assert found is not None, "websockets is installed with Overture"
    return _letting_go(found)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop: uvloop, or None for that of asyncio."""
    if sys.platform == "win32" or importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module(
        "uvloop"
    ).new_event_loop
    return factory


class _LettingGo(asyncio.Protocol):
    """In front of a protocol: nothing is left of a connection that was closed."""

    transport: asyncio.Transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # Later, for it is this connection that calls.
        asyncio.get_running_loop().call_soon(_let_go, self.transport)


def _letting_go(protocol: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    return type(protocol.__name__, (_LettingGo, protocol), {})


def _let_go(transport: asyncio.BaseTransport) -> None:
    getattr(transport, "__dict__", {}).pop("_read_ready_cb", None)
