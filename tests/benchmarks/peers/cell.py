"""One engine, one number of rules, one form of input, in a process of its own.

``python -m tests.benchmarks.peers.cell '{"engine": ..}'`` loads, compares what fired with the
floor, warms up, and prints one line. For each line with a number of seconds that it reads it goes
on for so long, and prints what it did. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from . import mixed, workload
from .engines import Engine, Form, InProcess, Missing, Runner, Task

EVENTS: Final = {"w1": 60_000, "w1p": 60_000, "w2": 200_000, "w3": 60_000}
"""Events of a pass: for W2 so many that the windows of ten minutes are full."""
TELLING: Final = {"w1": 20_000, "w1p": 20_000, "w2": 60_000, "w3": 20_000}
"""Events over which what fired is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What is measured. ``events`` and ``telling`` are smaller in tests only."""

    engine: str
    form: Form
    workload: str
    rules: int
    folder: Path
    events: int
    telling: int

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"folder": str(self.folder)})

    @staticmethod
    def from_json(text: str) -> Cell:
        raw = json.loads(text)
        return Cell(**(raw | {"folder": Path(raw["folder"])}))

    @property
    def recording(self) -> Path:
        """The events, one a line."""
        return self.folder / f"{'mixed' if self.workload == 'w3' else 'events'}-{self.events}.jsonl"

    @property
    def task(self) -> Task:
        rules = () if self.workload == "w3" else workload.rules(self.workload, self.rules)
        return Task(
            workload=self.workload,
            rules=rules,
            count=self.rules,
            form=self.form,
            folder=self.folder,
        )


def record(cell: Cell) -> None:
    """Write the events of a cell, unless another one of the run has."""
    if cell.recording.is_file():
        return
    drawn = mixed.events if cell.workload == "w3" else workload.events
    with cell.recording.open("wb") as file:
        file.writelines(workload.line(event) + b"\n" for event in drawn(cell.events))


def _engine(name: str) -> Callable[[Task], Engine]:
    # An engine is imported only where it is measured: importing some takes a second.
    from . import floors, hosted, ours

    return {
        "overture": ours.Overture,
        "floor": floors.Floor,
        "clips": hosted.Clips,
        "zen": hosted.Zen,
        "durable": hosted.Durable,
        "drools_jpy": hosted.DroolsBridge,
    }[name]


def running(cell: Cell) -> Runner:
    """The engine of a cell, loaded. Raises Missing when it is not installed."""
    if cell.engine == "drools":
        from .drools import Drools

        return Drools(cell.task, cell.recording, cell.telling)
    made = _engine(cell.engine)(cell.task)
    return InProcess(made, cell.recording.read_bytes().splitlines())


def expected(cell: Cell) -> list[list[str]] | None:
    """What must fire, as the floor says; None where there is no floor."""
    if cell.workload == "w3":
        return None
    from .floors import Floor

    with cell.recording.open("rb") as file:
        lines = [next(file) for _ in range(cell.telling)]
    floor = Floor(replace(cell.task, form="event"))
    return floor.told([floor.ready(line) for line in lines])


def compared(cell: Cell, runner: Runner) -> dict[str, Any]:
    """What fired, beside what must; ``wrong`` says where they differ though they must not."""
    told = runner.told(cell.telling)
    wanted = expected(cell)
    fired = sum(map(len, told))
    found: dict[str, Any] = {"told": len(told), "fired": fired, "wrong": None}
    if wanted is None:
        return found
    wanted = wanted[: len(told)]
    found["expected"] = sum(map(len, wanted))
    if told != wanted and (runner.exact or cell.workload != "w2"):
        place = next(
            n for n, pair in enumerate(zip(told, wanted, strict=True)) if pair[0] != pair[1]
        )
        found["wrong"] = f"event {place}: fired {told[place]}, must fire {wanted[place]}"
    return found


def opened(cell: Cell) -> tuple[Runner | None, dict[str, Any]]:
    """Load, compare and warm up; without a runner the second says why."""
    try:
        runner = running(cell)
        found = compared(cell, runner)
        if not found["wrong"]:
            runner.warm_up()
    except Missing as missing:
        return None, {"missing": str(missing)}
    # Whatever a peer raises is a result: it fails at this number of rules.
    except Exception as failure:
        return None, {"failed": f"{type(failure).__name__}: {failure}".splitlines()[0][:200]}
    return runner, found | {"version": runner.version}


def main(words: list[str]) -> int:
    """Serve one cell."""
    # Some peers print, whatever their language; what this process answers must stay apart.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    runner, found = opened(Cell.from_json(words[0]))
    print(json.dumps(found), file=answers, flush=True)
    if runner is None or found["wrong"]:
        return 1
    for line in sys.stdin:
        done = runner.measure(float(line))
        print(json.dumps(done.to_json()), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    # A virtual machine inside this process would hold up its end.
    os._exit(status)
