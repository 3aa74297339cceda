"""What a server stands on: a faster loop and a faster parser of requests, where installed."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import sys
from collections.abc import Callable
from typing import Any


def parser() -> Any:
    """What uvicorn is to read requests with: httptools, and then with bounds of our own, or h11."""
    if importlib.util.find_spec("httptools") is None:
        return "h11"
    return importlib.import_module("engine.delivery.heads").BoundedHeads


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop: uvloop, or None for that of asyncio."""
    if sys.platform == "win32" or importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module(
        "uvloop"
    ).new_event_loop
    return factory
