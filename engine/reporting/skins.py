"""A report as text: CSV for a spreadsheet, a table for a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final, get_args

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.reporting.funnel import STAGES, Figures
from engine.reporting.report import Report, talks_by
from engine.runtime.outcome import Reason

REASONS: Final[tuple[str, ...]] = get_args(Reason)
_TALKS: Final = ("proactive started", "proactive answered", "reactive started", "reactive answered")
_SHOWN: Final = tuple(stage for stage in STAGES if stage not in ("refused", "unanswered"))
"""Stages of the first table: what is left out follows from the others, or stands in the second."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def funnel_csv(found: Report) -> str:
    """One line for each row, with every reason in a column of its own."""
    head = [*found.asked.by, *STAGES, *(f"refused {reason}" for reason in REASONS)]
    return _csv(head, ([*map(_cell, row.about), *_values(row.figures)] for row in found.rows))


def talks_csv(found: Report) -> str:
    """One line for each part of the conversations."""
    lines = (
        [
            *map(_cell, part.about),
            *(of[stage] for of in (part.proactive, part.reactive) for stage in STAGES[-2:]),
        ]
        for part in found.talks
    )
    return _csv([*talks_by(found.asked), *_TALKS], lines)


def _values(figures: Figures) -> list[int]:
    return [
        *(figures.stages[stage] for stage in STAGES),
        *(figures.refused[reason] for reason in REASONS),
    ]


def _csv(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(lines)
    return text.getvalue()


def _cell(value: str | None) -> str:
    """A name as a spreadsheet shall show it, and never work it out."""
    text = value or ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def show(console: Console, found: Report) -> None:
    """The funnel, the reasons that occurred, and the conversations."""
    if not found.rows and not found.talks:
        console.print("Nothing happened in this time.")
        return
    console.print(_funnel(found))
    reasons = [reason for reason in REASONS if found.total.refused[reason]]
    if reasons:
        console.print(Text("\nrefused by reason", style="bold"))
        console.print(_refusals(found, reasons))
    if found.talks:
        console.print(Text("\nconversations", style="bold"))
        console.print(_conversations(found))


def _table(about: Sequence[str], titles: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in about:
        table.add_column(name, overflow="fold", min_width=10)
    for title in titles:
        longest = max(map(len, title.split()))
        table.add_column(title, justify="right", min_width=longest)
    return table


def _line(
    table: Table, about: Sequence[str | None], values: Iterable[int], style: str = ""
) -> None:
    cells = (Text(name or "-") for name in about)
    table.add_row(*cells, *(f"{number:,}" for number in values), style=style)


def _funnel(found: Report) -> Table:
    table = _table(found.asked.by, ["timed out" if s == "timedOut" else s for s in _SHOWN])
    for row in found.rows:
        _line(table, row.about, (row.figures.stages[stage] for stage in _SHOWN))
    if len(found.rows) > 1:
        names = ["all", *[""] * (len(found.asked.by) - 1)]
        cells = [*names, *(f"{found.total.stages[stage]:,}" for stage in _SHOWN)]
        table.add_section()
        table.add_row(*cells, style="bold")
    return table


def _refusals(found: Report, reasons: Sequence[str]) -> Table:
    table = _table(found.asked.by, ["all", *reasons])
    for row in found.rows:
        refused = row.figures.refused
        _line(table, row.about, (refused.total(), *(refused[reason] for reason in reasons)))
    return table


def _conversations(found: Report) -> Table:
    table = _table(talks_by(found.asked), _TALKS)
    for part in found.talks:
        values = (of[stage] for of in (part.proactive, part.reactive) for stage in STAGES[-2:])
        _line(table, part.about, values)
    return table
