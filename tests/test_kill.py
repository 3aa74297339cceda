"""`kill -9` of the real server under load: nothing accepted is lost, nobody is invited twice."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from serving import Serving, eventually, new_id, written
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

ROUNDS = 4
SHOPPERS = 6
PATIENCE = 1.5
"""Seconds after which the strategy "Late" invites; the server is down when they are over."""

BOOK = f"""
event AddToCart "A product was put in the cart"
event Browse "Something was looked at"
event Pay "The order was paid"

message Hello is gpe.appendContent {{ url: "/frontend/resources/invite.html" }}

strategy "Once"
  limit 1 per visit
  on AddToCart
    send Hello

strategy "Late"
  limit 1 per visit
  on PageEntered, then no Pay for {int(PATIENCE * 1000)} ms
    send Hello
"""


class Site:
    """The server that is up now, if one is; ``address`` changes with each start."""

    def __init__(self, folder: Path) -> None:
        self._book = written(folder / "book", shop=BOOK)
        self._data = folder / "data"
        self.up = threading.Event()
        self.serving = self.start()

    def start(self) -> Serving:
        self.serving = Serving(self._book, self._data).__enter__()
        self.up.set()
        return self.serving

    def kill(self) -> None:
        self.up.clear()
        self.serving.process.kill()
        assert self.serving.stop() == -signal.SIGKILL
        for stream in (self.serving.process.stdout, self.serving.process.stderr):
            if stream is not None:
                stream.close()

    @property
    def address(self) -> str:
        return self.serving.address


class Shopper:
    """One visit: numbers its events, sends each batch until it is answered, reads its messages."""

    def __init__(self, site: Site, chance: random.Random) -> None:
        self._site = site
        self._chance = chance
        self._number = 0
        self._stopping = threading.Event()
        self.visit, self.page = new_id(), new_id()
        answer = httpx.post(f"{site.address}/server/data/visits", json={"visitID": self.visit})
        identity = answer.json()
        self.visit, self._token = identity["visitID"], identity["token"]
        self.accepted: list[str] = []
        self.resent = 0
        self.entered = 0.0
        self.ids: list[str] = []
        self.problems: list[str] = []
        self._threads = [
            threading.Thread(target=self._watched, args=(work,))
            for work in (self._shop, self._read)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(20)
        assert not self.problems, self.problems

    def _watched(self, work: Any) -> None:
        try:
            work()
        except BaseException as problem:
            self.problems.append(f"{work.__name__}: {problem!r}")

    def _shop(self) -> None:
        with httpx.Client(timeout=10) as client:
            while not self._stopping.is_set():
                batch = [self._event() for _ in range(self._chance.randint(1, 3))]
                self._send(client, batch)
                self.entered = self.entered or time.monotonic()
                time.sleep(self._chance.uniform(0, 0.01))

    def _event(self) -> dict[str, Any]:
        self._number += 1
        names = ("PageEntered", "AddToCart", "Browse")
        name = names[self._number - 1] if self._number < 4 else self._chance.choice(names[1:])
        event_id = f"{self._number}"
        return {"eventName": name, "visitID": self.visit, "pageID": self.page, "eventID": event_id}

    def _send(self, client: httpx.Client, batch: list[dict[str, Any]]) -> None:
        """Send a batch until it is accepted; then, now and then, once more."""
        while (answer := self._post(client, batch)) is None:
            assert not self._stopping.is_set(), "the site did not come back"
            self._site.up.wait(10)
        assert answer["accepted"] + answer["duplicates"] == len(batch)
        assert answer["accepted"] in (0, len(batch)), "all or nothing"
        self.resent += answer["duplicates"]
        self.accepted += [event["eventID"] for event in batch]
        if self._chance.random() < 0.2 and (again := self._post(client, batch)):
            assert again == {"accepted": 0, "duplicates": len(batch)}

    def _post(self, client: httpx.Client, batch: list[dict[str, Any]]) -> dict[str, Any] | None:
        headers = {"X-Overture-Token": self._token}
        try:
            address = f"{self._site.address}/server/data/events"
            answer = client.post(address, json=batch, headers=headers)
        except httpx.TransportError:
            time.sleep(0.02)
            return None
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _read(self) -> None:
        """Keep a WebSocket open, come back with the cursor, acknowledge about half."""
        cursor: str | None = None
        while not self._stopping.is_set():
            self._site.up.wait(0.1)
            address = self._site.address.replace("http", "ws", 1) + "/server/push/ws"
            gone = contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError)
            with gone, connect(address, open_timeout=5, close_timeout=1) as socket:
                words = {"visitID": self.visit, "pageID": self.page, "token": self._token}
                socket.send(json.dumps(words | {"cursor": cursor}))
                for cursor in self._packets(socket):
                    if self._chance.random() < 0.5:
                        socket.send(json.dumps({"type": "ack", "cursor": cursor}))
            time.sleep(0.02)

    def _packets(self, socket: ClientConnection) -> Iterator[str]:
        """The cursors of what arrives, until the shopper stops."""
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                packet = json.loads(socket.recv(0.05))
                self.ids += packet.get("ids", ())
                yield packet["cursor"]


def check(serving: Serving, shopper: Shopper) -> None:
    """What was answered is in the history, once and in order; each strategy invited once."""
    events = serving.get(f"/server/data/visits/{shopper.visit}/events").json()
    stored = [event["eventID"] for event in events]
    assert stored == [f"{n}" for n in range(1, len(stored) + 1)], "in order, none twice"
    assert stored[: len(shopper.accepted)] == shopper.accepted, "none lost"
    decided = [one for event in events for one in event["decisions"] if one["reason"] is None]
    assert sorted(one["strategy"] for one in decided) == ["Late", "Once"]
    invited = {f"{shopper.visit}/Once/1", f"{shopper.visit}/Late/1"}
    assert {name for one in decided for name in one["sends"]} == invited
    assert set(shopper.ids) == invited


def test_nothing_is_lost_and_nobody_is_invited_twice(tmp_path: Path) -> None:
    seed = int(os.environ.get("KILL_SEED") or random.randrange(1_000_000))
    print(f"KILL_SEED={seed}")
    chance = random.Random(seed)
    site = Site(tmp_path)
    resent = 0
    try:
        for _ in range(ROUNDS):
            resent += one_round(site, chance)
        assert site.serving.stop() == 0
    finally:
        site.serving.stop(signal.SIGKILL)
    print(f"{resent} events were stored but not answered when the server died")


def one_round(site: Site, chance: random.Random) -> int:
    shoppers = [Shopper(site, random.Random(chance.random())) for _ in range(SHOPPERS)]
    try:
        time.sleep(chance.uniform(0.15, 1.2))
        site.kill()
        before = [shopper for shopper in shoppers if shopper.entered]
        assert before, "no event was answered before the server died"
        # Let the timers of all who entered fall due while nothing runs.
        time.sleep(max(0, max(one.entered for one in before) + PATIENCE - time.monotonic()))
        serving = site.start()
        for shopper in before:
            eventually(lambda shopper=shopper: f"{shopper.visit}/Late/1" in shopper.ids)
        for shopper in shoppers:
            eventually(lambda shopper=shopper: len(set(shopper.ids)) == 2)
    finally:
        site.up.set()
        for shopper in shoppers:
            shopper.stop()
    for shopper in shoppers:
        check(serving, shopper)
    return sum(shopper.resent for shopper in shoppers)


def test_a_timer_that_fell_due_while_down_fires_after_the_start(tmp_path: Path) -> None:
    site = Site(tmp_path)
    try:
        visit = site.serving.visit()["visitID"]
        site.serving.event("PageEntered", visit, "P")
        site.kill()
        time.sleep(PATIENCE)
        serving = site.start()
        begun = time.monotonic()

        def decided() -> list[dict[str, Any]]:
            events = serving.get(f"/server/data/visits/{visit}/events").json()
            return [one for event in events for one in event["decisions"]]

        (decision,) = eventually(decided)
        assert (decision["strategy"], decision["reason"]) == ("Late", None)
        assert time.monotonic() - begun < 2
        assert serving.stop() == 0
    finally:
        site.serving.stop(signal.SIGKILL)
