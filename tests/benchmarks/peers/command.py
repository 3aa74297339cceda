"""``python -m tests.benchmarks peers``: measure, show, write, check."""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from . import machine, plot, report
from .cell import EVENTS, TELLING, Cell
from .engines import Missing
from .figures import ALONE, GROWTH, HOSTED, Figures, bars
from .rounds import DifferentAnswers, Watch, run

PEERS: Final = ("drools", *HOSTED)
RULES: Final = (1, 10, 100, 1_000, 10_000)
_ALWAYS: Final = ("overture", "floor")
_IDLE: Final = 60.0
"""Seconds that a slice waits for an idle machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked for."""

    workloads: Sequence[str]
    rules: Sequence[int]
    peers: Sequence[str]
    rounds: int
    seconds: float
    clock: str = "wall"
    events: int | None = None


def groups(plan: Plan, folder: Path) -> Iterator[tuple[str, list[Cell]]]:
    """The cells that are measured by turns: all engines at one number of rules; then the growth."""
    for workload in plan.workloads:
        if workload not in ALONE:
            for rules in plan.rules:
                cells = [
                    _cell(plan, engine, form, workload, rules, folder)
                    for form in ("line", "event")
                    for engine in _engines(plan, workload, form)
                ]
                yield f"{workload}-{rules}", cells
        if workload in ("w1", "w3"):
            forms = ("line", "event") if workload in ALONE else ("line",)
            counts = [rules for rules in plan.rules if rules >= 10]
            yield (
                GROWTH,
                [
                    _cell(plan, "overture", form, workload, rules, folder)
                    for form in forms
                    for rules in counts
                ],
            )


_LEFT_OUT: Final = {"w2": ("zen",), "w1p": ("durable", "drools_jpy")}
"""ZEN remembers nothing; the others have no cheap test of how a text begins."""


def _engines(plan: Plan, workload: str, form: str) -> list[str]:
    """Every engine in one form, the fastest in both."""
    both = (*_ALWAYS, "drools")
    all_of_them = form == ("event" if workload == "w2" else "line")
    return [
        engine
        for engine in (*_ALWAYS, *plan.peers)
        if (all_of_them or engine in both) and engine not in _LEFT_OUT.get(workload, ())
    ]


def _cell(plan: Plan, engine: str, form: str, workload: str, rules: int, folder: Path) -> Cell:
    events = plan.events or EVENTS[workload]
    return Cell(
        engine=engine,
        form=form,  # type: ignore[arg-type]
        workload=workload,
        rules=rules,
        folder=folder,
        events=events,
        telling=min(events, TELLING[workload]),
    )


def measured(plan: Plan, watch: Watch) -> Figures:
    """Measure everything. Raises DifferentAnswers when an engine fires what it must not."""
    cells = []
    with tempfile.TemporaryDirectory() as folder:
        for group, several in groups(plan, Path(folder)):
            cells += run(group, several, rounds=plan.rounds, seconds=plan.seconds, watch=watch)
    about = {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "machine": machine.described(),
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "clock": plan.clock,
    }
    return Figures(about=about, cells=cells)


def write(figures: Figures) -> None:
    """Write the figures, the picture, and the tables in the pages that show them."""
    report.FIGURES.write_text(figures.to_json(), "utf-8")
    plot.draw(figures, report.FIGURES.parent)
    for page, block in report.pages(figures).items():
        page.write_text(report.written(page.read_text("utf-8"), block), "utf-8")


def check(figures: Figures) -> bool:
    """Print every bar, and whether all hold."""
    found = list(bars(figures))
    for bar in found:
        print(bar)
    return all(bar.holds for bar in found)


@contextmanager
def _watched(console: Console, *, idle: bool) -> Iterator[Watch]:
    """Shows on the terminal what is being done; with ``idle`` waits first until others are done."""
    with console.status("") as status:

        def watch(doing: str) -> None:
            status.update(doing)
            slice_ = "round" in doing
            if not console.is_terminal and not slice_:
                console.print(doing, highlight=False)
            if idle and slice_:
                machine.wait_until_idle(_IDLE)

        yield watch


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _names(known: Sequence[str], text: str) -> list[str]:
    names = [word for word in text.split(",") if word]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name}: there is {', '.join(known)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks peers",
        description="The engine beside its peers: pip install -e '.[bench]' installs them.",
    )
    workloads = tuple(report.WORKLOADS)
    parser.add_argument("--workloads", default=workloads, type=lambda t: _names(workloads, t))
    parser.add_argument("--rules", default=RULES, type=_numbers, help="such as 10,1000")
    parser.add_argument(
        "--peers", default=PEERS, type=lambda t: _names(PEERS, t), help=", ".join(PEERS)
    )
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--seconds", default=1.0, type=float, help="of a slice (1)")
    parser.add_argument(
        "--idle", action="store_true", help="wait before each slice for an idle machine"
    )
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu: for a machine that is busy"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    parser.add_argument("--from", type=Path, metavar="FILE", help="measure nothing, read this")
    parser.add_argument("--write", action="store_true", help="write the READMEs and the picture")
    parser.add_argument("--check", action="store_true", help="fail when a bar does not hold")
    return parser


def main(words: Sequence[str]) -> int:
    """Measure, or read what was; then show it, write it, check it."""
    asked = _parser().parse_args(words)
    source: Path | None = getattr(asked, "from")
    if source:
        figures = Figures.read(source)
    else:
        plan = Plan(
            workloads=asked.workloads,
            rules=asked.rules,
            peers=asked.peers,
            rounds=asked.rounds,
            seconds=asked.seconds,
            clock=asked.clock,
        )
        try:
            with _watched(Console(stderr=True), idle=asked.idle) as watch:
                figures = measured(plan, watch)
        except DifferentAnswers as difference:
            print(f"Nothing was measured. {difference}", file=sys.stderr)
            return 2
    if asked.json:
        asked.json.write_text(figures.to_json(), "utf-8")
    print(report.full(figures))
    for line in report.absent(figures):
        print(line)
    try:
        if asked.write:
            write(figures)
    except Missing as missing:
        print(f"No picture: {missing} is not installed.", file=sys.stderr)
        return 2
    return 0 if not asked.check or check(figures) else 1
