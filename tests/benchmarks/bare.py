"""The bare endpoint: the server's own stack, which only parses and appends. Measured against it.

``python -m tests.benchmarks.bare FILE`` serves ``POST /server/data/events`` on a free port and
prints it. Starlette and uvicorn as the server runs them, SQLite as the host sets it (WAL,
``synchronous=FULL``, no checkpoint within a commit), group commit by one writer thread, and the
answer after the commit. No checks, no visitors, no decisions: what remains is the price of the
stack.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import threading
import time
from collections import deque

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from engine.delivery import stack
from engine.server import _bound

_CHECKPOINT_EVERY_S = 1.0


class Appender:
    """Rows in, one transaction for all that arrived while the last one was synced."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._waiting: deque[tuple[list[tuple[object, ...]], asyncio.Future[None]]] = deque()
        self._changed = threading.Condition()

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        for work in (self._write, self._checkpoint):
            threading.Thread(target=work, daemon=True).start()

    async def append(self, rows: list[tuple[object, ...]]) -> None:
        done: asyncio.Future[None] = self._loop.create_future()
        with self._changed:
            self._waiting.append((rows, done))
            self._changed.notify()
        await done

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        return connection

    def _write(self) -> None:
        connection = self._connect()
        connection.execute(
            "CREATE TABLE events (offset INTEGER PRIMARY KEY, visit TEXT, time INTEGER, body TEXT)"
        )
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                taken = list(self._waiting)
                self._waiting.clear()
            rows = [row for some, _ in taken for row in some]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO events (visit, time, body) VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_answer, [done for _, done in taken])

    def _checkpoint(self) -> None:
        connection = self._connect()
        while True:
            time.sleep(_CHECKPOINT_EVERY_S)
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _answer(done: list[asyncio.Future[None]]) -> None:
    for one in done:
        one.set_result(None)


async def _serve(path: str) -> None:
    appender = Appender(path)
    appender.start()

    async def post(request: Request) -> JSONResponse:
        value = json.loads(await request.body())
        events = value if isinstance(value, list) else [value]
        now = time.time_ns() // 1_000_000
        await appender.append([(event["visitID"], now, json.dumps(event)) for event in events])
        return JSONResponse({"accepted": len(events), "duplicates": 0})

    listener = _bound("127.0.0.1", 0)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        Starlette(routes=[Route("/server/data/events", post, methods=["POST"])]),
        http=stack.parser(),
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
    )
    await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=stack.loop_factory()) as runner:
        runner.run(_serve(sys.argv[1]))
