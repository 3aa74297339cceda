"""The command ``fmt``: files of strategies are written anew in the one layout."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Final

from engine.language.formatter import HasMistakes, format_source
from engine.language.render import others, terminal
from engine.language.source import Source, Unreadable, read_folder

STANDARD_INPUT: Final = "-"
FINE: Final = 0
FOUND: Final = 1
IMPOSSIBLE: Final = 2

HELP: Final = "Lay files out in the one way; comments and what a book means stay as they are."
EXAMPLES: Final = (
    "  overture fmt\n"
    "  overture fmt strategies/shop.strategy --diff\n"
    "  overture fmt --check\n"
    "  overture fmt - < draft.strategy\n"
)


def fmt_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``fmt`` takes."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files, or folders of .strategy files (default: strategies); - is standard input",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 and the names of files"
    )
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change")


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file as it is: ``text`` without a byte order mark, ``raw`` as the disk has it."""

    path: Path | None
    source: Source
    raw: bytes


def fmt(given: argparse.Namespace) -> int:
    """Format files. Gives 0, 1 for mistakes (or with ``--check`` for changes), 2 for no files."""
    worst = FINE
    try:
        for file in _files(given.paths or ["strategies"]):
            worst = max(worst, _format(file, given))
    except Unreadable as problem:
        sys.stderr.write(f"overture: {problem}\n")
        return IMPOSSIBLE
    except OSError as problem:
        name, reason = problem.filename, (problem.strerror or "unknown reason").lower()
        sys.stderr.write(f"overture: {name} cannot be written: {reason}.\n")
        return IMPOSSIBLE
    return worst


def _files(paths: Sequence[str]) -> Iterator[_File]:
    for name in dict.fromkeys(paths):
        if name == STANDARD_INPUT:
            yield _standard_input()
            continue
        folder = Path(name)
        for source in read_folder(folder):
            path = folder if folder.is_file() else folder / source.name
            shown = Source(name=str(path), text=source.text)
            yield _File(path=path, source=shown, raw=path.read_bytes())


def _standard_input() -> _File:
    raw = sys.stdin.buffer.read()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"Standard input is not UTF-8 text (byte {error.start + 1}).") from error
    return _File(path=None, source=Source(name="standard input", text=text), raw=raw)


def _format(file: _File, given: argparse.Namespace) -> int:
    """Format one file, show or write it; the exit code that it causes."""
    try:
        text = format_source(file.source)
    except HasMistakes as mistakes:
        named = {file.source.name: file.source}
        for diagnostic in mistakes.found.diagnostics:
            sys.stderr.write(terminal(diagnostic, named).rstrip("\n") + "\n\n")
        if rest := others(mistakes.found.more):
            sys.stderr.write(f"{rest}\n")
        sys.stderr.write(f"overture: {file.source.name} has mistakes and stays as it is.\n")
        return FOUND
    changed = text.encode() != file.raw
    if given.diff and changed:
        sys.stdout.writelines(_diff(file.source, text))
    if given.check or given.diff:
        if changed and not given.diff:
            sys.stdout.write(f"{file.source.name}\n")
        return FOUND if given.check and changed else FINE
    if file.path is None:
        sys.stdout.write(text)
    elif changed:
        _replace(file.path, text)
        sys.stdout.write(f"{file.source.name}\n")
    return FINE


def _diff(source: Source, text: str) -> Iterator[str]:
    """A unified diff; a last line without an end gets one, and says so."""
    lines = unified_diff(
        source.text.splitlines(keepends=True),
        text.splitlines(keepends=True),
        source.name,
        f"{source.name} (formatted)",
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _replace(path: Path, text: str) -> None:
    """Write a file by renaming, so that nobody ever reads half of it; its rights stay.

    A link stays a link: the file that it leads to is written.
    """
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(text.encode())
        beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
