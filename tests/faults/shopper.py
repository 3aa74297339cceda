"""A visitor of the campaign: sends events until they are answered, and reads its messages."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from serving import new_id
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.sync.client import ClientConnection, connect

from faults.site import GONE, SORRY, Site, Talk

PAGES: Final = 40
"""Pages that one shopper opens at most; the engine keeps 100 of a visit."""
HOUR: Final = 3_600_000
_AWAY: Final = (ConnectionClosed, InvalidHandshake, InvalidMessage, OSError, EOFError)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as it came: how far it moves the cursor, which messages, and its text."""

    offset: int
    ids: tuple[str, ...]
    text: str


class Shopper:
    """One visit on one page that listens, and other pages that come and stay.

    It numbers its events; a batch is sent until it is answered, then now and then again, also
    late, with a clock of the browser that is anywhere.
    """

    def __init__(self, site: Site, chance: random.Random) -> None:
        self._site = site
        self._chance = chance
        self._batches: list[list[dict[str, Any]]] = []
        self._events = 0
        self.main = new_id()
        self.pages: list[str] = []
        self._talk = Talk(site)
        _, identity = self._talk.post("/server/data/visits", {})
        self.visit, self.visitor = identity["visitID"], identity["globalVisitID"]
        self._token = identity["token"]
        self.accepted: list[str] = []
        self.resent = 0
        self.refused = 0
        self.frames: list[Frame] = []
        self.problems: list[str] = []
        self._done = threading.Event()
        self._left = threading.Event()
        self._shopping = self._thread(self._shop)
        self._reading = self._thread(self._read)

    def finish(self) -> None:
        """Send what is under way and no more; go on reading."""
        self._done.set()
        self._shopping.join(60)
        assert not self._shopping.is_alive(), "a batch was never answered"

    def leave(self) -> None:
        """Stop reading."""
        self._done.set()
        self._left.set()
        self._shopping.join(30)
        self._reading.join(30)
        self._talk.close()

    def received(self) -> set[str]:
        """The ids of messages that reached the page that listens."""
        return {name for frame in list(self.frames) for name in frame.ids}

    def waiting_for(self, page: str, count: int) -> list[Frame]:
        """What a page gets that connects for the first time: so many frames, and any beyond."""
        found: list[Frame] = []
        with self._connected(page, None) as socket, contextlib.suppress(TimeoutError):
            while True:
                found += _frames(socket.recv(20 if len(found) < count else 0.1))
        return found

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        def watched() -> None:
            try:
                work()
            except BaseException as problem:
                self.problems.append(f"{work.__name__}: {problem!r}")

        thread = threading.Thread(target=watched)
        thread.start()
        return thread

    def _shop(self) -> None:
        while not self._done.is_set():
            batch = [self._event() for _ in range(self._chance.randint(1, 3))]
            self._batches.append(batch)
            self._until_accepted(batch)
            time.sleep(self._chance.uniform(0, 0.02))

    def _event(self) -> dict[str, Any]:
        self._events += 1
        name, page = self._choice()
        event: dict[str, Any] = {
            "eventName": name,
            "visitID": self.visit,
            "pageID": page,
            "eventID": str(self._events),
        }
        if self._chance.random() < 0.3:
            skew = self._chance.choice((-400 * HOUR, -HOUR, HOUR, 400 * HOUR))
            event["timestamp"] = int(time.time() * 1000) + skew
        return event

    def _choice(self) -> tuple[str, str]:
        if self._events == 1:
            return "PageEntered", self.main
        name = self._chance.choice(("Add", "Browse", "Browse", "PageEntered", "Pay"))
        if name == "PageEntered" and len(self.pages) < PAGES:
            self.pages.append(new_id())
            return name, self.pages[-1]
        if name == "Pay" and self.pages:
            return name, self._chance.choice(self.pages[-4:])
        return ("Browse" if name in ("PageEntered", "Pay") else name), self.main

    def _until_accepted(self, batch: list[dict[str, Any]]) -> None:
        while (answer := self._sent(batch)) is None:
            if self._left.is_set():
                return
            time.sleep(0.03)
            self._site.up.wait(1)
        assert answer["accepted"] + answer["duplicates"] == len(batch), answer
        assert answer["accepted"] in (0, len(batch)), "all or nothing"
        self.resent += answer["duplicates"]
        self.accepted += [event["eventID"] for event in batch]
        if self._chance.random() < 0.2:
            old = self._chance.choice(self._batches[-20:])
            again = self._sent(old)
            assert again in (None, {"accepted": 0, "duplicates": len(old)}), again

    def _sent(self, batch: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The answer of the server; None when it is away or can not store it now."""
        headers = {"X-Overture-Token": self._token}
        try:
            status, answer = self._talk.post("/server/data/events", batch, **headers)
        except GONE:
            return None
        if status in SORRY:
            self.refused += 1
            return None
        return answer

    def _read(self) -> None:
        """Listen as the main page, come back with the cursor, acknowledge about half."""
        cursor: str | None = None
        while not self._left.is_set():
            self._site.up.wait(0.1)
            with contextlib.suppress(*_AWAY), self._connected(self.main, cursor) as socket:
                while not self._left.is_set():
                    try:
                        text = socket.recv(0.05)
                    except TimeoutError:
                        continue
                    found = json.loads(text)
                    self.frames += _frames(text)
                    cursor = found["cursor"]
                    if self._chance.random() < 0.5:
                        socket.send(json.dumps({"type": "ack", "cursor": cursor}))
            time.sleep(0.02)

    @contextlib.contextmanager
    def _connected(self, page: str, cursor: str | None) -> Iterator[ClientConnection]:
        address = f"ws://{self._site.address}/server/push/ws"
        with connect(address, open_timeout=10, close_timeout=1, compression=None) as socket:
            words = {"visitID": self.visit, "pageID": page, "token": self._token}
            socket.send(json.dumps(words | {"cursor": cursor}))
            assert json.loads(socket.recv(10))["type"] == "ready"
            yield socket


def _frames(text: str | bytes) -> list[Frame]:
    found = json.loads(text)
    if found["type"] != "notifications":
        return []
    offset = int(found["cursor"].rpartition(".")[2])
    return [Frame(offset, tuple(found["ids"]), str(text))]
