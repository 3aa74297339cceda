"""The command ``import``: what people have elsewhere becomes strategy files, and says what did not.

It gives 0 when all was carried over, 1 when something was left out, and 2 when a file cannot be
read or written. Files that are there already are never touched.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.language import compile_book
from engine.language.source import SUFFIX, Source
from engine.trials.gwe import LARGEST, UnreadableModel, read_model
from engine.trials.gwe_categories import categories_text
from engine.trials.gwe_events import EventWriter, Note

CARRIED: Final = 0
LEFT_OUT: Final = 1
IMPOSSIBLE: Final = 2

EXAMPLES: Final = (
    "  overture import gwe domain-model.xml -o strategies\n"
    "  overture import gwe domain-model.xml categories.json -o strategies\n"
    "  overture import gwe domain-model.xml --json\n"
)
HELP: Final = "Turn the events and categories of another engine into strategy files."


def import_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``import`` takes."""
    parser.add_argument("format", choices=["gwe"], help="where it comes from: gwe is Genesys")
    parser.add_argument("model", metavar="EVENTS", type=Path, help="a domain-model.xml")
    parser.add_argument(
        "categories", metavar="CATEGORIES", type=Path, nargs="?", help="a JSON file of categories"
    )
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", type=Path, help="write here (without it: print)"
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")


def import_(arguments: argparse.Namespace) -> int:
    """Import files. Gives 0 when all was carried over, 1 when not, 2 when it cannot be."""
    try:
        files, notes = _imported(arguments.model, arguments.categories)
        _check(files)
        if arguments.output is not None:
            _write(files, arguments.output)
    except UnreadableModel as problem:
        print(f"overture: {problem}", file=sys.stderr)  # noqa: T201
        return IMPOSSIBLE
    if arguments.json:
        said = [
            {"file": file, "line": note.line, "what": note.what, "text": note.text}
            for file, note in notes
        ]
        print(json.dumps({"files": files, "notes": said}, ensure_ascii=False))  # noqa: T201
    else:
        _report(files, notes, arguments.output)
    return LEFT_OUT if any(note.what == "left out" for _, note in notes) else CARRIED


def _imported(
    model: Path, categories: Path | None
) -> tuple[dict[str, str], list[tuple[str, Note]]]:
    """The new files by name, and what to know, with the file that it is about."""
    try:
        writer = EventWriter(read_model(_bytes(model)), model.name)
        files = {f"events{SUFFIX}": writer.text()}
        notes = [(model.name, note) for note in writer.notes]
    except UnreadableModel as problem:
        raise UnreadableModel(f"{model} {problem}") from problem
    if categories is not None:
        try:
            text, found = categories_text(_bytes(categories), categories.name)
        except UnreadableModel as problem:
            raise UnreadableModel(f"{categories} {problem}") from problem
        files[f"categories{SUFFIX}"] = text
        notes += [(categories.name, note) for note in found]
    return files, notes


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UnreadableModel("is not there; name a file.")
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise UnreadableModel(f"cannot be read: {error.strerror}.") from error


def _check(files: dict[str, str]) -> None:
    """What is written compiles, or is not written."""
    compiled = compile_book([Source(name=name, text=text) for name, text in files.items()])
    if compiled.book is None:
        raise UnreadableModel(
            f"What was read makes no good book: {compiled.diagnostics[0].message}"
        )


def _write(files: dict[str, str], folder: Path) -> None:
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise UnreadableModel(
            f"{folder / there[0]} is there already; name another folder, or take it away."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        raise UnreadableModel(f"{folder} cannot be written: {error.strerror}.") from error


def _report(files: dict[str, str], notes: Sequence[tuple[str, Note]], folder: Path | None) -> None:
    if folder is None:
        print("\n".join(files.values()), end="")  # noqa: T201
    for file, note in notes:
        print(f"{file}:{note.line}: {note.what}: {note.text}", file=sys.stderr)  # noqa: T201
    left = sum(note.what == "left out" for _, note in notes)
    where = f"Written to {folder}: {', '.join(files)}. " if folder else ""
    what = f"{left} of the file cannot be carried over; see the lines above." if left else ""
    print(f"{where}{what or 'All was carried over.'}", file=sys.stderr)  # noqa: T201
