"""When the disk is slow, submits are refused with a time to come back, and nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hosts.flooded import QUEUE_BYTES
from hosts.house import event, run, running
from hosts.ledger import Ledger

from engine.hosts.contract import Overloaded
from engine.hosts.sqlite import SqliteHost

HERE = Path(__file__).parent


@pytest.mark.skipif(not shutil.which("gcc"), reason="the slow disk is written in C")
def test_a_slow_disk_is_felt_by_clients_and_not_by_memory(tmp_path: Path) -> None:
    shim, delay = tmp_path / "slow_disk.so", tmp_path / "delay"
    source = str(HERE / "slow_disk.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(shim), source, "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, str(HERE / "flooded.py"), str(tmp_path / "store.db")],
        env={
            **os.environ,
            "PYTHONPATH": f"{HERE.parents[1]}:{HERE.parent}",
            "LD_PRELOAD": str(shim),
            "SLOW_DISK": str(delay),
        },
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(found)
    assert found["lost"] == 0, "what was accepted is there"
    assert found["refused"] > 100, "the flood was held back"
    assert min(found["waits"]) >= 1
    assert found["accepted while slow"] < 5_000, "the disk was slow indeed"
    assert found["recovered"] < 20, "and soon all is well again"
    # Of each text that waits there are a few copies; 60 MB more would be a queue without bounds.
    assert found["grown"] < 60_000_000 + 5 * QUEUE_BYTES


def test_a_queue_is_bounded_in_bytes_too(tmp_path: Path) -> None:
    async def test() -> None:
        host = SqliteHost(tmp_path / "store.db", queue_bytes=100_000)
        async with running(host, ledger := Ledger()):
            slow = asyncio.ensure_future(host.submit("S", [event(0, hold=True)]))
            await ledger.held()
            large = [host.submit("G", [event(n, text="x" * 30_000)]) for n in range(10)]
            answers = asyncio.gather(*large, return_exceptions=True)
            await asyncio.sleep(0.05)  # each of them has asked; the writer took none
            ledger.let_go()
            results = await answers
            assert results.count(1) == 3
            assert sum(isinstance(result, Overloaded) for result in results) == 7
            assert await slow == 1
            # One that is larger than the whole queue is taken when nothing else waits.
            assert await host.submit("G", [event(11, text="x" * 200_000)]) == 1

    run(test())


def test_a_file_that_stays_locked_holds_submits_up_and_loses_none(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "store.db"
        host = SqliteHost(path, queue=50, patience=30)
        async with running(host, ledger := Ledger()):
            await host.submit("G", [event(0)])
            first = asyncio.ensure_future(host.submit("G", [event(1, hold=True)]))
            await ledger.held()
            locking = sqlite3.connect(path, isolation_level=None, timeout=30)
            with contextlib.closing(locking) as other:
                other.execute("BEGIN IMMEDIATE")
                ledger.let_go()  # the writer has the first, and can only wait for the lock with it
                tasks = [asyncio.ensure_future(host.submit("G", [event(n)])) for n in range(2, 202)]
                await asyncio.sleep(0.5)
                refused = [task for task in tasks if task.done()]
                assert len(refused) == 150, "the rest waits"
                assert all(isinstance(task.exception(), Overloaded) for task in refused)
                other.execute("ROLLBACK")
            news = await asyncio.gather(first, *tasks, return_exceptions=True)
            assert news.count(1) == 51
            entries = await host.history(visitor="G")
            assert [entry.input.body["n"] for entry in entries] == list(range(52))

    run(test())
