"""The journal is trimmed by age and size, and what is left of it can still be replayed."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from hosts.house import run, running
from hosts.test_engaged import CORE, LIBRARY, replays
from hosts.test_resting import BEGUN, DAY, settled

from engine.hosts.clock import Clock
from engine.hosts.contract import Input
from engine.hosts.document import EngagementCore
from engine.hosts.journal import PARTS, Retention
from engine.hosts.sqlite import SqliteHost


class Store:
    """A host on a file, with a clock that a test sets, and what is in the file."""

    def __init__(self, path: Path, keep: Retention) -> None:
        self.path = path
        self.now = BEGUN
        self._keep = keep
        self._number = 0

    def host(self) -> SqliteHost:
        clock = Clock(lambda: self.now * 1_000_000, lambda: 0)
        return SqliteHost(self.path, keep=self._keep, hot=3, clock=clock)

    def event(self, name: str, visit: str, **data: Any) -> Input:
        self._number += 1
        body = {"eventName": name, "pageID": "P", "data": data, "agents": {"chat": 2}}
        return Input(
            kind="event",
            visit=visit,
            time=self.now,
            version=LIBRARY.live.version,
            id=f"{self._number}",
            body=body,
        )

    def count(self, question: str) -> int:
        with sqlite3.connect(self.path) as reader:
            (found,) = reader.execute(question).fetchone()
        reader.close()
        return int(found or 0)

    async def trimmed(self, host: SqliteHost) -> None:
        """Wait until nothing is left to remove."""
        surplus = "SELECT count(*) FROM journal WHERE offset < (SELECT min(first) FROM segments)"
        async with asyncio.timeout(30):
            await settled(host, self.path, self.now, LIBRARY.live.version)
            while self.count(surplus):  # noqa: ASYNC110 - upkeep tells nobody
                await asyncio.sleep(0.01)


async def shop(store: Store, host: SqliteHost, day: int) -> None:
    """A day: some come for the first time, some again, one each hour."""
    for hour in range(24):
        store.now = BEGUN + day * DAY + hour * 3_600_000
        await store.trimmed(host)
        for visitor in ("regular", f"of day {day}", f"of hour {hour}"):
            visit = f"{visitor}-{day}".replace(" ", "-")
            await host.submit(visitor, [store.event("PageEntered", visit, text="x" * 200)])
            if hour % 3 == 0:
                store.now += 400  # the strategy has sent its message by then
                await host.submit(visitor, [store.event("AddToCart", visit)])


@pytest.mark.parametrize(
    "keep", [Retention(age=4 * DAY, size=10**9), Retention(age=365 * DAY, size=60_000)]
)
def test_what_is_left_can_be_replayed(tmp_path: Path, keep: Retention) -> None:
    store = Store(tmp_path / "store.db", keep)

    async def test() -> None:
        visitors = ["regular", *(f"of hour {hour}" for hour in range(24))]
        for half in (range(4), range(4, 9)):  # with a restart in between
            host = store.host()
            async with running(host, CORE):
                for day in half:
                    await shop(store, host, day)
                    for visitor in (*visitors, f"of day {day}"):
                        await replays(host, visitor)
                pasts = [await host.past(visitor) for visitor in visitors]
        assert any(past.document is not None for past in pasts)
        first = min(past.entries[0].offset for past in pasts if past.entries)
        assert first > 100, "older entries are gone"
        assert store.count("SELECT min(offset) FROM journal") <= first
        size = store.count("SELECT sum(bytes) FROM segments")
        assert size <= keep.size * (1 + 2 / PARTS)
        oldest = store.count("SELECT min(time) FROM journal")
        assert store.now - oldest <= keep.age * (1 + 2 / PARTS)
        assert store.count("SELECT count(*) FROM snapshots") < 27 * (PARTS + 2)

    run(test())


def test_nothing_stays_of_who_was_forgotten_once_the_journal_is_trimmed(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db", Retention(age=4 * DAY))

    async def test() -> None:
        host = store.host()
        async with running(host, CORE):
            await host.submit("once", [store.event("AddToCart", "V")])
            store.now += 2 * DAY
            await host.submit("later", [store.event("AddToCart", "W")])
            await settled(host, store.path, store.now, LIBRARY.live.version)
            assert await host.peek("once") is None, "nothing is remembered"
            kinds = [entry.input.kind for entry in await host.history(visit="V")]
            assert kinds == ["event"], "but its history is kept"
            assert await host.visitor_of("V") == "once"
            store.now += 5 * DAY
            await host.submit("later", [store.event("AddToCart", "W")])
            async with asyncio.timeout(30):
                while await host.visitor_of("V"):  # noqa: ASYNC110 - upkeep tells nobody
                    await asyncio.sleep(0.01)
            assert not await host.history(visitor="once")
            assert store.count("SELECT count(*) FROM visitors WHERE visitor = 'once'") == 0
            # And whoever comes back under that name begins anew.
            assert await host.submit("once", [store.event("AddToCart", "V")]) == 1
            assert await host.visitor_of("V") == "once"
            assert len(await host.history(visitor="once")) == 1

    run(test())


def test_a_busy_host_trims_as_fast_as_the_journal_grows(tmp_path: Path) -> None:
    """Clients who submit without a pause leave upkeep slices only, and those are enough."""
    store = Store(tmp_path / "store.db", Retention(size=200_000))

    async def client(host: SqliteHost, number: int) -> None:
        for _ in range(60):
            await host.submit(f"G{number}", [store.event("Search", f"V{number}", text="x" * 300)])

    async def test() -> None:
        async with running(host := store.host(), CORE):
            for _ in range(4):
                await asyncio.gather(*(client(host, number) for number in range(20)))
                kept = store.count("SELECT sum(length(body) + length(decisions)) FROM journal")
                assert kept < 3 * 200_000, "of about 400,000 bytes that came in each round"
            for number in range(20):
                await replays(host, f"G{number}")

    run(test())


def test_a_slice_ends_when_its_time_is_over(tmp_path: Path) -> None:
    """Submits wait for a slice, so it does not let everybody rest who could."""
    store = Store(tmp_path / "store.db", Retention())
    slices: list[int] = []

    class Slow(EngagementCore):
        def woken(self, now: int) -> Input:
            time.sleep(0.003)
            return super().woken(now)

    async def test() -> None:
        core = Slow(LIBRARY, lambda: {"chat": 2})
        async with running(host := store.host(), core):
            for number in range(30):
                await host.submit(f"G{number}", [store.event("PageExited", f"V{number}")])
            store.now += 2 * DAY
            waiting = "SELECT count(*) FROM visitors WHERE rest_at <= "
            slices.append(store.count(f"{waiting} {store.now}"))
            assert slices[-1] == 30
            while slices[-1]:
                await host.submit("bystander", [store.event("PageEntered", "W")])
                slices.append(store.count(f"{waiting} {store.now}"))
        assert len(slices) > 5, slices

    run(test())


def test_what_comes_quickly_goes_as_quickly_even_when_nothing_fits_into_a_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a machine where each statement waits for others: a slice is over before it began.
    monkeypatch.setattr("engine.hosts.upkeep._SLICE_S", 0.0)
    keep = Retention(size=60_000)
    store = Store(tmp_path / "store.db", keep)

    async def client(host: SqliteHost, visit: str) -> None:
        for _ in range(25):
            events = [store.event("PageEntered", visit, text="x" * 200) for _ in range(20)]
            await host.submit(visit, events)

    async def test() -> None:
        host = store.host()
        async with running(host, CORE):
            await asyncio.gather(*(client(host, f"V{n}") for n in range(8)))

    run(test())
    assert store.count("SELECT max(offset) FROM journal") == 4_000
    size = store.count("SELECT sum(length(body) + length(decisions)) FROM journal")
    # What is there beyond the bounds came since the last slice.
    assert size < 3 * keep.size
