"""The commands ``why`` and ``new``: their arguments, their output, their exit codes."""

from __future__ import annotations

import argparse
import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

from engine.language.diagnostics import did_you_mean, one_of
from engine.language.source import by_name
from engine.language.spelling import nearest
from engine.language.syntax import Book
from engine.trials.commands import (
    FINE,
    IMPOSSIBLE,
    Stop,
    console,
    ending,
    load,
    recording_arguments,
    visit_expiry,
)
from engine.trials.recording import STANDARD_INPUT, Recording, read
from engine.trials.report import bar
from engine.trials.why import track_of, why
from engine.trials.why_report import show_why, why_to_json

STARTER: Final = "starter.strategy"
"""The name of the first file of a new book, here and in the package."""


def why_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``why`` takes."""
    recording_arguments(parser)
    parser.add_argument("--visit", metavar="ID", required=True, help="the visit to explain")
    parser.add_argument(
        "--strategy", metavar="NAME", help="only this strategy, and all that was missing each time"
    )


@ending
def explain_visit(arguments: argparse.Namespace) -> int:
    """Explain a visit event by event. Gives 0, 1 for a bad book, 2 for a visit that is not there.

    With ``--json`` one object a line: an event, or an instant at which silences were held.
    """
    if arguments.events.count(STANDARD_INPUT) > 1:
        raise Stop(IMPOSSIBLE, "Standard input (-) can be read only once; name it once.")
    loaded = load(arguments.book)
    _known_strategy(loaded.book, arguments.strategy)
    with bar(console(stderr=True)) as watch:
        recording = read(arguments.events, skip_bad=arguments.skip_bad, watch=watch)
    _known_visit(recording, arguments.visit)
    moments = list(
        why(
            loaded.book,
            recording,
            arguments.visit,
            strategy=arguments.strategy,
            agents=dict(arguments.agents),
            visit_expiry=visit_expiry(arguments),
        )
    )
    sources = by_name(loaded.sources)
    if arguments.json:
        for moment in moments:
            line = json.dumps(why_to_json(moment, sources), ensure_ascii=False)
            sys.stdout.write(line + "\n")
    else:
        every = arguments.strategy is not None
        show_why(console(), arguments.visit, moments, sources, every=every)
    return FINE


def _known_strategy(book: Book, name: str | None) -> None:
    if name is None or name in book.strategies:
        return
    near = did_you_mean(nearest(name, book.strategies)) or f"It has {one_of(book.strategies)}."
    raise Stop(IMPOSSIBLE, f'The book has no strategy "{name}". {near.strip()}')


def _known_visit(recording: Recording, visit: str) -> None:
    if track_of(recording, visit) is not None:
        return
    some = [name for track in recording.tracks[:3] for name in track.horizon][:3]
    way_out = f"Some of its visits: {', '.join(some)}." if some else "It holds no visit at all."
    raise Stop(IMPOSSIBLE, f"The recording has no visit {visit}. {way_out}")


# ---------------------------------------------------------------- a new book


def new_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``new`` takes."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a new or empty folder")


@ending
def new(arguments: argparse.Namespace) -> int:
    """Write a first book. Gives 0, or 2 when the folder holds something or cannot be written."""
    folder: Path = arguments.folder
    try:
        if folder.exists() and not folder.is_dir():
            raise Stop(IMPOSSIBLE, f"{folder} is a file; name a new or an empty folder.")
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            said = f"The folder {folder} is not empty; name a new or an empty one."
            raise Stop(IMPOSSIBLE, said)
        (folder / STARTER).write_text(starter(), encoding="utf-8", newline="\n")
    except OSError as problem:
        reason = (problem.strerror or "unknown reason").lower()
        raise Stop(IMPOSSIBLE, f"The book cannot be written to {folder}: {reason}.") from None
    sys.stdout.write(
        f"Your book is {folder / STARTER}. Read it, change it, and try it:\n"
        f"  overture check {folder}\n  overture test {folder}\n  overture serve {folder}\n"
    )
    return FINE


def starter() -> str:
    """The text of the first file of a new book."""
    return (files("engine.trials") / STARTER).read_text("utf-8")
