"""The command ``report``: the funnel of what is stored, as a table, JSON or CSV."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from engine.config import SettingsError, settings
from engine.language.syntax import Book
from engine.reporting.funnel import DIMENSIONS
from engine.reporting.offering import offerings
from engine.reporting.report import Unclear, as_json, asked_for, report
from engine.reporting.skins import funnel_csv, show, talks_csv
from engine.trials import commands as trials

FINE: Final = 0
IMPOSSIBLE: Final = 2

HELP: Final = "Show what came of the strategies: qualified, refused, shown, accepted, answered."
EXAMPLES: Final = (
    "  overture report\n"
    "  overture report --from 2026-11-01 --to 2026-11-30 --by strategy,day\n"
    "  overture report --data /var/lib/overture --by medium,arm --csv > november.csv\n"
    "  overture report --conversations --csv\n"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``report`` takes."""
    parser.add_argument("--from", dest="since", metavar="DAY", help="first day, as 2026-11-26")
    parser.add_argument("--to", dest="until", metavar="DAY", help="last day, this one included")
    parser.add_argument(
        "--by",
        default="strategy",
        metavar="WHAT",
        help=f"rows by any of {','.join(DIMENSIONS)} (default: strategy)",
    )
    parser.add_argument("--zone", help="the zone of the days (default: the book's)")
    parser.add_argument(
        "--data", type=Path, help="folder for visits and chats (default: overture-data)"
    )
    parser.add_argument(
        "--book",
        type=Path,
        help="folder of the book, for media and audiences (default: strategies)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for machines")
    form.add_argument("--csv", action="store_true", help="for a spreadsheet")
    parser.add_argument(
        "--conversations", action="store_true", help="with --csv: conversations, by who began them"
    )


def run(given: argparse.Namespace) -> int:
    """Print the report. Gives 0, or 2 when it could not be made."""
    try:
        known = settings(os.environ, {"data": given.data, "book": given.book})
        book = _book(known.book, named=given.book is not None)
        words = {"from": given.since, "to": given.until, "by": given.by, "zone": given.zone}
        asked = asked_for(words, book.zone if book else "UTC")
        found = report(known.data, offerings(book) if book else {}, asked, rest=lambda: None)
    except trials.Stop:
        return _mistake("The book has mistakes: name one that has none with --book.")
    except (OSError, SettingsError, Unclear, sqlite3.Error) as problem:
        return _mistake(str(problem))
    if given.csv:
        sys.stdout.write(talks_csv(found) if given.conversations else funnel_csv(found))
    elif given.json:
        print(json.dumps(as_json(found), indent=2))
    else:
        show(_console(), found)
    return FINE


def _console() -> Console:
    """As wide as the terminal; where there is none, wide enough for every title."""
    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, 130))


def _book(folder: Path, *, named: bool) -> Book | None:
    if not folder.is_dir():
        if named:
            raise OSError(f"There is no folder {folder}: name that of the book with --book.")
        return None
    return trials.load(str(folder)).book


def _mistake(sentence: str) -> int:
    print(f"overture: {sentence}", file=sys.stderr)
    return IMPOSSIBLE
