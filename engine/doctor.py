"""The command ``doctor``: is what is stored whole, in order, and what the book decided?"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from engine.config import Settings, SettingsError, settings
from engine.hosts import examination
from engine.hosts.document import EngagementCore
from engine.hosts.examination import Counts
from engine.hosts.findings import Finding, Findings
from engine.hosts.reading import reading
from engine.language.compiler import compile_book
from engine.media.examination import of_the_chats
from engine.runtime.library import Library
from engine.runtime.plan import Plan, plan
from engine.trials import commands as trials

HEALTHY: Final = 0
FOUND: Final = 1
IMPOSSIBLE: Final = 2
SAMPLE: Final = 1_000
SHOWN: Final = 20
"""Findings of one name that are told; all are counted."""

HELP: Final = "Examine what is stored: whole, in order, and decided as the book says. Never writes."
EXAMPLES: Final = (
    "  overture doctor\n"
    "  overture doctor --data /var/lib/overture --book strategies\n"
    "  overture doctor --data copy-of-monday --sample all --json\n"
)
_TOLD: Final = 256
"""Steps that are told at once to who watches."""


@dataclass(slots=True)
class Report:
    """What was examined, and what was found."""

    counts: Counts
    replayed: int = 0
    other_books: int = 0
    findings: Findings = field(default_factory=lambda: Findings(SHOWN))

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "healthy": not self.findings,
            "visitors": self.counts.visitors,
            "entries": self.counts.entries,
            "replayed": self.replayed,
            "ofOtherBooks": self.other_books,
            "unchecked": self.counts.unchecked,
            "found": dict(self.findings.counted),
            "findings": [finding._asdict() for finding in self.findings.first],
        }


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``doctor`` takes."""
    parser.add_argument(
        "--data", type=Path, help="folder for visits and chats (default: overture-data)"
    )
    parser.add_argument(
        "--book", type=Path, help="folder of the book that decided (default: strategies)"
    )
    parser.add_argument(
        "--sample",
        type=_sample,
        default=SAMPLE,
        metavar="N",
        help=f"visitors whose journal is decided again, or all (default: {SAMPLE:,})",
    )
    parser.add_argument("--json", action="store_true", help="for machines")


def _sample(word: str) -> int | None:
    if word == "all":
        return None
    if word.isdecimal():
        return int(word)
    raise argparse.ArgumentTypeError(f"{word} is no number: write one, or all")


def doctor(given: argparse.Namespace) -> int:
    """Examine. Gives 0 when all is well, 1 when something was found, 2 when it could not be."""
    try:
        known = settings(os.environ, {"data": given.data, "book": given.book})
        if given.book is not None and not given.book.is_dir():
            raise OSError(f"There is no folder {given.book}: name that of the book with --book.")
        report = _examined(known, given.sample)
    except trials.Stop:
        print(
            "overture: The book has mistakes: name one that has none with --book.", file=sys.stderr
        )
        return IMPOSSIBLE
    except (OSError, SettingsError, sqlite3.Error) as problem:
        print(f"overture: {problem}", file=sys.stderr)
        return IMPOSSIBLE
    if given.json:
        print(json.dumps(report.as_json(), indent=2))
    else:
        _tell(known, report)
    return FOUND if report.findings else HEALTHY


def _planned(known: Settings) -> Plan | None:
    """The book at hand as the server would plan it; None when there is none."""
    if not known.book.is_dir():
        return None
    return plan(trials.load(str(known.book)).book, visit_expiry=int(known.visit_hours * 3_600_000))


def _examined(known: Settings, sample: int | None) -> Report:
    planned = _planned(known)
    book = compile_book([]).book
    assert book is not None, "an empty book has no mistakes"
    core = EngagementCore(Library(planned or plan(book)), dict)
    version = None if planned is None else planned.version
    path = known.data / "visits.sqlite3"
    with reading(path) as connection:
        report = Report(examination.counts(connection))
        with _progress() as progress:
            report.findings.add(examination.of_the_file(connection))
            step = _steps(progress, "journal", report.counts.entries)
            report.findings.add(examination.of_the_journal(connection, step))
            step = _steps(progress, "visitors", report.counts.visitors)
            report.findings.add(examination.of_the_visitors(connection, core, version, step))
            if version is not None:
                _replay(connection, core, version, sample, report, progress)
    talks = known.data / "interactions.sqlite3"
    if talks.is_file():
        with reading(talks) as connection:
            report.findings.add(
                finding._replace(place="the file of the chats")
                for finding in examination.of_the_file(connection)
            )
            report.findings.add(of_the_chats(connection))
    return report


def _replay(
    connection: sqlite3.Connection,
    core: EngagementCore,
    version: str,
    sample: int | None,
    report: Report,
    progress: Progress,
) -> None:
    wanted = report.counts.visitors if sample is None else min(sample, report.counts.visitors)
    step = _steps(progress, "replay", wanted)
    for visitor in _chosen(connection, report.counts.visitors, wanted):
        step()
        found = examination.replayed(connection, core, version, visitor)
        if isinstance(found, Finding):
            report.findings.add([found])
        elif found is None:
            report.other_books += 1
        else:
            report.replayed += 1


def _chosen(connection: sqlite3.Connection, visitors: int, wanted: int) -> Iterator[str]:
    """So many visitors, evenly over the whole file: the same ones each time."""
    every = max(1, visitors // max(1, wanted))
    rows = connection.execute("SELECT visitor FROM visitors ORDER BY number")
    for number, (visitor,) in enumerate(rows):
        if number % every == 0 and number // every < wanted:
            yield visitor


def _progress() -> Progress:
    # Only a person at a terminal looks at it.
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def _steps(progress: Progress, what: str, total: int) -> Callable[[], None]:
    task, done = progress.add_task(what, total=total), itertools.count(1)

    def step() -> None:
        # To tell of each one would take longer than to examine it.
        if next(done) % _TOLD == 0:
            progress.advance(task, _TOLD)

    return step


def _tell(known: Settings, report: Report) -> None:
    counts = report.counts
    print(f"{known.data}: {counts.visitors:,} visitors, {counts.entries:,} entries in the journal.")
    if report.replayed:
        print(f"{report.replayed:,} visitors decided again: the same, byte for byte.")
    if report.other_books:
        print(f"{report.other_books:,} not decided again: another book decided some of it.")
    if counts.unchecked:
        print(f"{counts.unchecked:,} rows have no checksum: an older Overture wrote them.")
    for finding in report.findings.first:
        print(f"\n{finding.name}: {finding.place}")
        print(f"  {finding.sentence}")
        print(f"  = {finding.way_out}")
    for name, count in report.findings.counted.items():
        if count > SHOWN:
            print(f"\nand {count - SHOWN:,} more: {name}")
    print("\nHealthy." if not report.findings else f"\n{len(report.findings):,} found.")
