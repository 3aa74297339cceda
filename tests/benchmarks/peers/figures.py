"""What was measured, asked for medians and ratios; and the bars that it is held against."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

HOSTED: Final = ("clips", "zen", "durable", "drools_jpy")
"""The peers that are called from Python."""
GROWTH: Final = "growth"
"""The group in which the engine stands beside itself with other numbers of rules."""

ALONE: Final = ("w3",)
"""Workloads in which the engine stands beside itself only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All cells of a run. ``about`` says where and how it was measured."""

    about: Mapping[str, Any]
    cells: Sequence[Mapping[str, Any]]

    def cell(
        self, engine: str, workload: str, rules: int, form: str, *, growth: bool = False
    ) -> Mapping[str, Any] | None:
        """One cell, whether it could be measured or not."""
        wanted = (engine, workload, rules, form, growth)
        for cell in self.cells:
            group = cell["group"] == GROWTH
            if (cell["engine"], cell["workload"], cell["rules"], cell["form"], group) == wanted:
                return cell
        return None

    def times(self, cell: Mapping[str, Any]) -> Sequence[float]:
        """Microseconds an event in each round, by the clock that was asked for."""
        found: Sequence[float] = cell["cpu us" if self.about["clock"] == "cpu" else "us"]
        return found

    def median(self, cell: Mapping[str, Any] | None) -> float | None:
        """Microseconds an event."""
        return median(self.times(cell)) if cell and cell["us"] else None

    def ratio(self, cell: Mapping[str, Any] | None, to: Mapping[str, Any] | None) -> float | None:
        """How many times as long it takes: the median over the rounds, within each round."""
        if not cell or not to or not cell["us"] or not to["us"]:
            return None
        pairs = zip(self.times(cell), self.times(to), strict=True)
        return median(mine / other for mine, other in pairs)

    def best_hosted(self, workload: str, rules: int, form: str) -> Mapping[str, Any] | None:
        """The best of the peers called from Python, round by round, as if it were one engine."""
        cells = [self.cell(engine, workload, rules, form) for engine in HOSTED]
        measured = [self.times(cell) for cell in cells if cell and cell["us"]]
        if not measured:
            return None
        best = [min(times) for times in zip(*measured, strict=True)]
        return {"us": best, "cpu us": best}

    def to_json(self) -> str:
        """One line for each cell, so that a change of one can be read."""
        rows = ",\n".join(f"    {json.dumps(dict(cell))}" for cell in self.cells)
        return f'{{\n  "about": {json.dumps(dict(self.about))},\n  "cells": [\n{rows}\n  ]\n}}\n'

    @staticmethod
    def read(path: Path) -> Figures:
        """The figures of a file that ``to_json`` wrote."""
        raw = json.loads(path.read_text("utf-8"))
        return Figures(about=raw["about"], cells=raw["cells"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A ratio that must hold. ``found`` is None when it was not measured."""

    what: str
    found: float | None
    least: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool:
        if self.found is None:
            return False
        return (self.least is None or self.found >= self.least) and (
            self.most is None or self.found <= self.most
        )

    def __str__(self) -> str:
        wanted = f"at least {self.least:g}x" if self.least else f"at most {self.most:g}x"
        found = "not measured" if self.found is None else f"{self.found:.2f}x"
        return f"{'holds' if self.holds else 'FAILS'}  {self.what}: {found}, {wanted}"


def bars(figures: Figures) -> Iterator[Bar]:
    """The bars of the house, in the order of its page."""
    for rules, native, hosted in ((1_000, 2, 9), (10_000, 2.5, 15)):
        yield from _stateless(figures, rules, native, hosted)
    ours = figures.cell("overture", "w2", 1_000, "event")
    drools = figures.cell("drools", "w2", 1_000, "event")
    yield Bar(
        what="W2, 1,000 rules: native Drools to ours", found=figures.ratio(drools, ours), least=1.7
    )
    hosted_best = figures.best_hosted("w2", 1_000, "event")
    yield Bar(
        what="W2, 1,000 rules: the best peer in Python to ours",
        found=figures.ratio(hosted_best, ours),
        least=6.5,
    )
    for workload in ("w1", "w3"):
        few, many = (
            figures.cell("overture", workload, rules, "line", growth=True) for rules in (10, 10_000)
        )
        yield Bar(
            what=f"{workload.upper()}, line in: 10,000 rules to 10",
            found=figures.ratio(many, few),
            most=2,
        )
    yield from _floors(figures)


def _stateless(figures: Figures, rules: int, native: float, hosted: float) -> Iterator[Bar]:
    ours = figures.cell("overture", "w1", rules, "line")
    drools = figures.cell("drools", "w1", rules, "line")
    yield Bar(
        what=f"W1, {rules:,} rules, line in: native Drools with Jackson to ours",
        found=figures.ratio(drools, ours),
        least=native,
    )
    yield Bar(
        what=f"W1, {rules:,} rules, line in: the best peer in Python to ours",
        found=figures.ratio(figures.best_hosted("w1", rules, "line"), ours),
        least=hosted,
    )


def _floors(figures: Figures) -> Iterator[Bar]:
    for workload, rules, form in (
        ("w1", 1_000, "line"),
        ("w1", 10_000, "line"),
        ("w1", 1_000, "event"),
        ("w1", 10_000, "event"),
        ("w2", 1_000, "event"),
    ):
        ours, floor = (
            figures.cell(engine, workload, rules, form) for engine in ("overture", "floor")
        )
        spoken = "line in" if form == "line" else "ready event in"
        yield Bar(
            what=f"{workload.upper()}, {rules:,} rules, {spoken}: ours to the floor",
            found=figures.ratio(ours, floor),
            most=2,
        )
