"""The real server on loopback: memory of open visits, time to the page, time to a live edit."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).parents[1]))

from serving import GREETING, Serving, written

SAMPLE = Path(__file__).parents[2] / "strategies"


@contextmanager
def _server(book: Path | None = None) -> Iterator[Serving]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        chosen = book or written(path / "book", greeting=GREETING)
        with Serving(chosen, path / "data") as serving:
            yield serving


def _resident(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def memory_of_visits(visits: int = 10_000) -> dict[str, float]:
    """Resident memory of the server with so many open visits of two pages, sample book."""
    with _server(SAMPLE) as serving, httpx.Client(base_url=serving.address, timeout=60) as client:
        before = _resident(serving.process.pid)
        for start in range(0, visits, 100):
            batch = [
                {
                    "eventName": "PageEntered",
                    "visitID": f"{number:032X}",
                    "globalVisitID": f"{number + 10**9:032X}",
                    "pageID": f"{number:030X}{page:02d}",
                    "url": f"https://shop.example/products/{page}",
                    "title": "A product",
                }
                for number in range(start, start + 100)
                for page in range(2)
            ]
            answer = client.post("/server/data/events", json=batch)
            assert answer.status_code == 200, answer.text
        after = _resident(serving.process.pid)
    return {
        "before MB": before / 1e6,
        "after MB": after / 1e6,
        "kB/visit": (after - before) / visits / 1e3,
    }


async def _pages(serving: Serving, rate: int, seconds: int, visits: int) -> dict[str, float]:
    sent: dict[str, float] = {}
    answered: list[float] = []
    shown: list[float] = []
    ws = serving.address.replace("http", "ws", 1) + "/server/push/ws"
    async with httpx.AsyncClient(base_url=serving.address, timeout=30) as client:
        identities = [serving.visit() for _ in range(visits)]
        for one in identities:
            body = {"eventName": "VisitStarted", "visitID": one["visitID"], "pageID": "P0"}
            await client.post("/server/data/events", json=body)
        sockets = [await connect(ws) for _ in identities]
        for socket, one in zip(sockets, identities, strict=True):
            hello = {"visitID": one["visitID"], "pageID": "P0", "token": one["token"]}
            await socket.send(json.dumps({**hello, "cursor": None}))
            await socket.recv()

        async def listen(socket: Any) -> None:
            async for frame in socket:
                packet = json.loads(frame)
                visit = packet["ids"][0].partition("/")[0]
                shown.append(time.perf_counter() - sent[visit])

        async def happen(one: dict[str, Any]) -> None:
            visit = one["visitID"]
            body = {"eventName": "PageEntered", "visitID": visit, "pageID": "P0", "url": "/a"}
            sent[visit] = begun = time.perf_counter()
            answer = await client.post("/server/data/events", json=body)
            assert answer.status_code == 200, answer.text
            answered.append(time.perf_counter() - begun)

        listeners = [asyncio.create_task(listen(socket)) for socket in sockets]
        begun = time.perf_counter()
        tasks = []
        for number in range(rate * seconds):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(happen(identities[number % visits])))
        await asyncio.gather(*tasks)
        await asyncio.sleep(1)
        for listener, socket in zip(listeners, sockets, strict=True):
            listener.cancel()
            await socket.close()
    assert len(shown) == rate * seconds, f"{len(shown)} frames of {rate * seconds}"
    return _percentiles("answer", answered) | _percentiles("frame", shown)


def _percentiles(what: str, seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return {f"{what} p50 ms": cuts[49] * 1e3, f"{what} p99 ms": cuts[98] * 1e3}


def time_to_the_page(rate: int = 100, seconds: int = 20, visits: int = 50) -> dict[str, float]:
    """From sending an event to its answer (durable) and to the frame on the page, on loopback."""
    with _server() as serving:
        return asyncio.run(_pages(serving, rate, seconds, visits))


def time_to_live(edits: int = 20) -> dict[str, float]:
    """From saving a file of the book to the new plan deciding."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        book = written(Path(folder) / "book", greeting=GREETING)
        with _server(book) as serving, httpx.Client(base_url=serving.address) as client:
            for number in range(edits):
                version = client.get("/api/book").json()["version"]
                text = GREETING.replace("inviteGMS", f"invite{number}")
                begun = time.perf_counter()
                (book / "greeting.strategy").write_text(text, "utf-8")
                while client.get("/api/book").json()["version"] == version:
                    time.sleep(0.002)
                found.append(time.perf_counter() - begun)
    return {"median ms": statistics.median(found) * 1e3, "longest ms": max(found) * 1e3}
