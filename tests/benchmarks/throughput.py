"""Events a second of the whole server on one core, beside a bare endpoint of the same stack.

Both run on one core, in turns, and are loaded over loopback from another: by so many clients, each
of which sends its next request when the last was answered, for a bounded time. Events are those of
visitors who walk through the shop, as the tracker sends them: with the token of their visit, one by
one or in batches.
"""

from __future__ import annotations

import itertools
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from serving import Serving

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "strategies"
VISITS = 1_000
"""Visits that are open at a time: enough that no visit reaches its limit of events."""
_HEAD = (
    "POST /server/data/events HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0\r\n"
    "Accept: */*\r\nAccept-Language: en\r\nContent-Type: application/json\r\n"
    "Origin: http://{host}\r\n"
    "X-Overture-Token: {token}\r\nContent-Length: "
)
_STORY = (
    ("PageEntered", "/products/aurora-12", "Aurora 12", {}),
    ("DescriptionRead", "/products/aurora-12", "Aurora 12", {}),
    ("AddToCart", "/products/aurora-12", "Aurora 12", {"productName": "Aurora", "price": 180}),
    ("PageExited", "/products/aurora-12", "Aurora 12", {}),
    ("PageEntered", "/products", "All phones", {"referrer": "https://shop.example/products/"}),
    ("PageExited", "/products", "All phones", {}),
)


class Visit:
    """One visit that walks the same way again and again; each event has its own id."""

    def __init__(self, number: int, host: str, identity: dict[str, str]) -> None:
        self._head = _HEAD.format(host=host, token=identity["token"])
        self._visit, self._visitor = identity["visitID"], identity["globalVisitID"]
        self._number = number
        self._sent = 0

    def request(self, events: int) -> bytes:
        """The next request, with so many events."""
        found = [self._event() for _ in range(events)]
        body = json.dumps(found[0] if events == 1 else found)
        return f"{self._head}{len(body)}\r\n\r\n{body}".encode()

    def _event(self) -> dict[str, object]:
        view, place = divmod(self._sent, len(_STORY))
        name, path, title, data = _STORY[place]
        self._sent += 1
        return {
            "eventName": name,
            "eventType": "BUSINESS",
            "eventID": f"{self._number:08X}{self._sent:024X}",
            "timestamp": 1_764_000_000_000 + self._sent,
            "pageID": f"{self._number:08X}{view * 2 + place // 4:024X}",
            "url": "https://shop.example" + path,
            "title": title,
            "languageCode": "en",
            "data": data,
            "visitID": self._visit,
            "globalVisitID": self._visitor,
        }


class _Client:
    """One connection that is kept: says whether the answer is complete."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 0), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer = b""

    def send(self, request: bytes) -> None:
        self._answer = b""
        self.socket.sendall(request)

    def answered(self) -> bool:
        self._answer += self.socket.recv(65_536)
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or not body.endswith(b"}"):
            return False
        if not head.startswith(b"HTTP/1.1 200") or not body.endswith(b'"duplicates":0}'):
            raise RuntimeError(f"not accepted: {self._answer!r}")
        return True


def load(address: str, visits: Iterator[Visit], batch: int, clients: int, seconds: float) -> int:
    """Send requests for so long; give the number of events that were answered."""
    sockets = selectors.DefaultSelector()
    for _ in range(clients):
        client = _Client(address)
        sockets.register(client.socket, selectors.EVENT_READ, client)
        client.send(next(visits).request(batch))
    answered, open_ = 0, clients
    end = time.perf_counter() + seconds
    while open_:
        for key, _ in sockets.select(1):
            client = key.data
            if not client.answered():
                continue
            if time.perf_counter() < end:
                answered += batch
                client.send(next(visits).request(batch))
            else:
                sockets.unregister(client.socket)
                client.socket.close()
                open_ -= 1
    return answered


@contextmanager
def _on_core(core: int) -> Iterator[None]:
    """Run what is started here on one core, threads and child processes included."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[core]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _bare(folder: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "tests.benchmarks.bare", str(folder / "bare.sqlite3")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.terminate()


@contextmanager
def _whole(folder: Path) -> Iterator[tuple[str, int]]:
    with Serving(SAMPLE, folder / "data") as serving:
        yield serving.address, serving.process.pid


def _visits(address: str) -> Iterator[Visit]:
    host = address.removeprefix("http://")
    identities = []
    with httpx.Client(base_url=address) as client:
        for _ in range(VISITS):
            identities.append(client.post("/server/data/visits").json())
            client.cookies.clear()  # the next one is another browser
    return itertools.cycle(Visit(n, host, one) for n, one in enumerate(identities))


def _cpu(process: int) -> float:
    """Seconds that all threads of a process have spent."""
    parts = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def beside_bare(
    batch: int = 1, clients: int = 64, seconds: float = 3.0, rounds: int = 5
) -> dict[str, float]:
    """Events a second of both on one core, CPU for each event, and the ratio (medians)."""
    found: dict[str, list[tuple[float, float]]] = {"whole": [], "bare": []}
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        with _on_core(0):
            servers = {
                "whole": running.enter_context(_whole(Path(name))),
                "bare": running.enter_context(_bare(Path(name))),
            }
        visits = _visits(servers["whole"][0])
        with _on_core(-1):
            for number in range(rounds + 1):
                for which in found if number % 2 else reversed(found):
                    address, process = servers[which]
                    cpu, begun = _cpu(process), time.perf_counter()
                    events = load(address, visits, batch, clients, seconds if number else 1.0)
                    spent = time.perf_counter() - begun
                    if number and events:  # the first round warms up
                        cost = (_cpu(process) - cpu) / events
                        found[which].append((events / spent, cost * 1e6))
    return _summary(found)


def _summary(found: dict[str, list[tuple[float, float]]]) -> dict[str, float]:
    ratios = [whole / bare for (whole, _), (bare, _) in zip(*found.values(), strict=True)]
    middle = {
        f"{which} {unit}": statistics.median(one[place] for one in values)
        for which, values in found.items()
        for place, unit in enumerate(("events/s", "us CPU/event"))
    }
    return middle | {"ratio": statistics.median(ratios)}


if __name__ == "__main__":
    for size in map(int, sys.argv[1:] or ("1", "10", "50")):
        print(size, beside_bare(size))
