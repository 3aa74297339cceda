"""A real server in a process of its own, for tests: started on a free port, ended by its id."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

ORIGIN = "https://shop.example.com"
"""An origin for servers that allow one."""

GREETING = """
message Hello is gpe.appendContent { url: "/frontend/resources/inviteGMS.html" }

strategy "Greeting"
  on PageEntered
    send Hello
"""


def new_id() -> str:
    return uuid.uuid4().hex.upper()


def written(folder: Path, **files: str) -> Path:
    """A book folder with these files (without their suffix)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.strategy").write_text(text, "utf-8")
    return folder


def overture(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OVERTURE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "engine.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean | {"OVERTURE_CACHE": "off"} | environment,
    )


def free_port() -> int:
    """A port that nobody has, nor will: those that the system gives away by itself are above."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


class Serving:
    """``overture serve`` on a folder; ``address`` is known once it is entered."""

    def __init__(self, book: Path, data: Path, **environment: str) -> None:
        self.book = book
        self.data = data
        self.token = environment.get("OVERTURE_API_TOKEN")
        self._environment = environment
        self.address = ""
        self.said: list[str] = []
        self.logged: list[str] = []

    def __enter__(self) -> Serving:
        port = self._environment.get("OVERTURE_PORT", "0")
        self.process = overture(
            "serve", str(self.book), "--port", port, "--data", str(self.data), **self._environment
        )
        lines: queue.Queue[str | None] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.said, lines)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.logged, None)),
        ]
        for reader in self._readers:
            reader.start()
        while not self.address:
            line = lines.get(timeout=60)
            assert line is not None, "".join(self.logged)
            if line.startswith("api "):
                self.address = line.split()[1].removesuffix("/api/book")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        code = self.stop()
        if kind is None:
            assert code == 0
            assert not any("Traceback" in line for line in self.logged), "".join(self.logged)

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        for reader in self._readers:
            reader.join(10)
        return code

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self._request("GET", path, **how)

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self._request("POST", path, **how)

    def event(self, name: str, visit: str, page: str | None = None, **more: Any) -> None:
        body = {"eventName": name, "visitID": visit, "pageID": page, "data": more}
        answer = self.post("/server/data/events", json=body)
        assert answer.status_code == 200, answer.text

    def notify(self, visit: str, *urls: str, page: str | None = None) -> None:
        body = [{"channel": "gpe.appendContent", "data": {"url": url}} for url in urls]
        if page is not None:
            body = [{"page": page, **one} for one in body]
        answer = self.post(f"/server/data/notification/notify/{visit}", json=body)
        assert answer.status_code == 204, answer.text

    def visit(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.post(f"{self.address}/server/data/visits", timeout=60).json()
        return found

    def _request(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = self.headers | how.pop("headers", {})
        return httpx.request(method, self.address + path, headers=headers, timeout=60, **how)

    def _read(self, stream: Any, kept: list[str], lines: queue.Queue[str | None] | None) -> None:
        for line in stream:
            kept.append(line)
            if lines is not None:
                lines.put(line)
        if lines is not None:
            lines.put(None)


class Page:
    """A page on a WebSocket: what it was sent, and how far it acknowledged."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.cursor: str | None = None
        self.last: dict[str, Any] = {}

    def packet(self, timeout: float = 30) -> dict[str, Any]:
        self.last = json.loads(self._socket.recv(timeout))
        return self.last

    def next(self, timeout: float = 30) -> dict[str, Any]:
        self.cursor = self.packet(timeout)["cursor"]
        return self.last

    def send(self, words: dict[str, Any]) -> None:
        self._socket.send(json.dumps(words))

    def urls(self, timeout: float = 30) -> list[str]:
        return [one["data"]["url"] for one in self.next(timeout)["notifications"]]

    def acknowledge(self, cursor: str | None = None) -> None:
        self.send({"type": "ack", "cursor": cursor or self.cursor})

    def is_quiet(self, seconds: float = 0.3) -> bool:
        try:
            packet = self._socket.recv(seconds)
        except TimeoutError:
            return True
        raise AssertionError(f"unexpected: {packet!r}")


@contextlib.contextmanager
def open_socket(serving: Serving, **how: Any) -> Iterator[ClientConnection]:
    address = serving.address.replace("http", "ws", 1) + "/server/push/ws"
    with connect(address, **how) as socket:
        yield socket


@contextlib.contextmanager
def connected(
    serving: Serving, visit: dict[str, Any], page: str | None, cursor: str | None = None
) -> Iterator[Page]:
    with open_socket(serving) as socket:
        words = {"visitID": visit["visitID"], "pageID": page, "token": visit["token"]}
        socket.send(json.dumps({**words, "cursor": cursor}))
        found = Page(socket)
        assert found.next()["type"] == "ready"
        yield found


class Stream:
    """A page on Server-Sent Events."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()
        self.cursor: str | None = None
        self.name = ""
        self.last: dict[str, Any] = {}

    def next(self) -> dict[str, Any]:
        for line in self._lines:
            if line.startswith("id: "):
                self.cursor = line.removeprefix("id: ")
            elif line.startswith("data: "):
                self.last = json.loads(line.removeprefix("data: "))
                self.name = self.last.get("stream", self.name)
                return self.last
        raise AssertionError("the stream ended")

    def urls(self) -> list[str]:
        return [one["data"]["url"] for one in self.next()["notifications"]]


@contextlib.contextmanager
def streaming(serving: Serving, visit: dict[str, Any], page: str, **how: Any) -> Iterator[Stream]:
    query = {"visitID": visit["visitID"], "pageID": page, "token": visit["token"]}
    query |= how.pop("params", {})
    address = f"{serving.address}/server/push/sse"
    with httpx.stream("GET", address, params=query, timeout=60, **how) as response:
        assert response.status_code == 200, response.read()
        stream = Stream(response)
        assert stream.next()["type"] == "ready"
        yield stream


def eventually(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """The first true value of a condition; fails when there is none in time."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found
