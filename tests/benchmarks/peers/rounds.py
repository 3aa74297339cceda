"""Rounds: all engines of a group are started, then measured by turns, forwards and backwards."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from .cell import Cell, record

ROOT: Final = Path(__file__).parents[3]
_START: Final = 300.0
"""Seconds that an engine may take to load its rules, show what fires, and become warm."""

Watch = Callable[[str], None]
"""Told what is being done."""


class DifferentAnswers(Exception):
    """An engine fired other rules than the floor: no time of it would mean anything."""


class _Silent(Exception):
    """A cell ended, or gave no answer in its time."""


class _Process:
    """A cell in its process."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.peers.cell", cell.to_json()],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # Its own group, so that a virtual machine that it started ends with it.
            start_new_session=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def answer(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise _Silent(f"no answer in {seconds:.0f} s") from None
        if not line:
            raise _Silent("its process ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def measure(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return self.answer(_START + 10 * seconds)

    def end(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def run(
    group: str, cells: Sequence[Cell], *, rounds: int, seconds: float, watch: Watch
) -> list[dict[str, Any]]:
    """Measure the cells of a group; what each is, with microseconds an event for each round.

    Raises DifferentAnswers before any clock runs.
    """
    found = []
    with ExitStack() as stack:
        live = []
        for cell in cells:
            watch(f"{_spoken(cell)}: load, compare, warm up")
            record(cell)
            process = stack.enter_context(_started(cell))
            row = {"group": group, **_named(cell), **_opened(process), "us": [], "cpu us": []}
            found.append(row)
            if "version" in row:
                live.append((process, row))
        for number in range(rounds):
            for process, row in live[:: -1 if number % 2 else 1]:
                if "failed" not in row:
                    watch(f"{_spoken(process.cell)}: round {number + 1} of {rounds}")
                    _measure(process, row, seconds)
    return found


def _measure(process: _Process, row: dict[str, Any], seconds: float) -> None:
    try:
        done = process.measure(seconds)
    except (_Silent, BrokenPipeError) as failure:
        # Half of the rounds could not be compared with the whole of another's.
        row |= {"failed": str(failure), "us": [], "cpu us": []}
        return
    row["us"].append(_micro(done["seconds"], done["events"]))
    row["cpu us"].append(_micro(done["cpu"], done["events"]))


def _micro(seconds: float, events: int) -> float:
    return float(f"{seconds / events * 1e6:.4g}")


@contextmanager
def _started(cell: Cell) -> Iterator[_Process]:
    process = _Process(cell)
    try:
        yield process
    finally:
        process.end()


def _opened(process: _Process) -> dict[str, Any]:
    try:
        found = process.answer(_START)
    except _Silent as silence:
        return {"failed": str(silence)}
    if wrong := found.pop("wrong", None):
        raise DifferentAnswers(f"{_spoken(process.cell)}: {wrong}")
    return found


def _named(cell: Cell) -> dict[str, Any]:
    return {
        "workload": cell.workload,
        "rules": cell.rules,
        "engine": cell.engine,
        "form": cell.form,
    }


def _spoken(cell: Cell) -> str:
    return f"{cell.workload.upper()}, {cell.rules:,} rules, {cell.engine}, {cell.form}"
