"""The commands ``check``, ``test`` and ``replay``: their arguments, their output, their exit codes.

Every command gives 0 when all is well, 1 when the book or a scenario has a mistake, and 2 when it
could not do its work: a file that is not there, a line that is no event.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import IO, Any, Final

from rich.console import Console
from rich.text import Text

from engine.cache import cache_of
from engine.hosts.document import BESIDE
from engine.language import Compiled, compile_book
from engine.language.diagnostics import NOTHING, Shown
from engine.language.lints import lint
from engine.language.quiet import undisturbed
from engine.language.render import as_json, others, terminal
from engine.language.source import Source, Unreadable, by_name, read_folder
from engine.language.stored import Memory
from engine.language.syntax import Book
from engine.runtime.bound import bound
from engine.runtime.plan import version_of
from engine.trials import replay as replays
from engine.trials.coverage import Coverage
from engine.trials.recording import STANDARD_INPUT, BadRecording, read
from engine.trials.replay import Noted, in_order
from engine.trials.report import (
    bar,
    cost,
    cost_to_json,
    counted,
    left_out,
    show_replay,
    show_stories,
    stories_to_json,
)
from engine.trials.scenarios import run_scenarios

FINE: Final = 0
MISTAKES: Final = 1
IMPOSSIBLE: Final = 2
INTERRUPTED: Final = 130
_VISIT_HOURS: Final = "OVERTURE_VISIT_HOURS"
"""Where a server reads it, too: so a trial where it runs ends visits as it does."""


class Stop(Exception):
    """The command ends here with an exit code; the sentence, if any, says why."""

    def __init__(self, code: int, sentence: str = "") -> None:
        super().__init__(sentence)
        self.code = code


def book_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every command over a book takes."""
    parser.add_argument("book", metavar="BOOK", help="a folder of .strategy files, or one of them")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")


def check_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``check`` takes."""
    book_arguments(parser)
    parser.add_argument(
        "--strict", action="store_true", help="end with exit code 1 for warnings as well"
    )


def test_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``test`` takes."""
    book_arguments(parser)
    parser.add_argument(
        "--coverage", action="store_true", help="list what no scenario has tried, line by line"
    )
    _visit_arguments(parser)


def recording_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every command over recorded events takes."""
    book_arguments(parser)
    parser.add_argument(
        "events",
        nargs="+",
        metavar="EVENTS",
        help="files with one event a line as JSON, plain or gzip; - is standard input",
    )
    parser.add_argument(
        "--agents",
        metavar="MEDIUM=N",
        action="append",
        default=[],
        type=_agents,
        help="free agents of a medium during the whole replay, such as chat=3 (else: not known)",
    )
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave out lines that are no events, and count them"
    )
    _visit_arguments(parser)


def _visit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--visit-hours",
        metavar="HOURS",
        type=_hours,
        default=os.environ.get(_VISIT_HOURS, "").strip() or "24",
        help=f"hours without an event that end a visit (default: {_VISIT_HOURS}, else 24)",
    )


def replay_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``replay`` takes."""
    recording_arguments(parser)
    parser.add_argument(
        "--decisions", metavar="FILE", help="write every decision to FILE, one JSON object a line"
    )


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0.01 <= hours <= 8_760:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours from 0.01 to 8760")
    return hours


def visit_expiry(arguments: argparse.Namespace) -> int:
    """The milliseconds without an event that end a visit, as a command was told."""
    return int(arguments.visit_hours * 3_600_000)


def visits_end(hours: float) -> str:
    """The sentence that says when visits ended in a trial."""
    return f"Visits end after {hours:g} h without an event."


def _agents(text: str) -> tuple[str, int]:
    medium, _, number = text.rpartition("=")
    if not medium or not (number.isascii() and number.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not like chat=3")
    return medium, int(number)


def ending(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Make a command out of its work: whatever stops it becomes a sentence and a code."""

    @wraps(run)
    def command(arguments: argparse.Namespace) -> int:
        try:
            return run(arguments)
        except Stop as stop:
            code, sentence = stop.code, str(stop)
        except (Unreadable, BadRecording) as problem:
            code, sentence = IMPOSSIBLE, str(problem)
        except KeyboardInterrupt:
            code, sentence = INTERRUPTED, "stopped before the end."
        if sentence:
            _say(f"overture: {sentence}")
        return code

    return command


# ---------------------------------------------------------------- the three commands


@ending
def check(arguments: argparse.Namespace) -> int:
    """Show every mistake and warning of a book. Gives 0 for no mistake, 1 for some, 2 for no book.

    Of a good book it also says what a visitor costs. A warning is about a good book; with
    ``--strict`` it counts as a mistake.
    """
    sources = read_folder(Path(arguments.book))
    memory = cache_of(os.environ)
    compiled = _compiled(sources, memory)
    book = compiled.book
    warnings = lint(book, sources, memory) if book is not None else NOTHING
    if arguments.json:
        named = by_name(sources)
        _print_json(
            {
                "ok": not compiled.diagnostics,
                "version": book.version if book else None,
                "problems": [as_json(each, named) for each in compiled.diagnostics],
                "warnings": [as_json(each, named) for each in warnings.diagnostics],
                "totals": {"problems": compiled.found.total, "warnings": warnings.total},
                "memory": cost_to_json(bound(book, BESIDE), sources) if book is not None else None,
            }
        )
    else:
        _show_mistakes((compiled.found, warnings), sources, sys.stdout)
        if book is not None and not compiled.diagnostics:
            console().print(Text(f"No mistakes: {_contents(book, len(sources))}."))
            console().print(Text(cost(bound(book, BESIDE))), soft_wrap=True)
    return MISTAKES if compiled.diagnostics or (arguments.strict and warnings.total) else FINE


@ending
def test(arguments: argparse.Namespace) -> int:
    """Tell every scenario of a book. Gives 0 when all hold, 1 for failures, 2 for no book."""
    loaded = load(arguments.book)
    expiry = visit_expiry(arguments)
    coverage = Coverage(loaded.book, visit_expiry=expiry)
    stories = run_scenarios(loaded.book, coverage, visit_expiry=expiry)
    if arguments.json:
        told = stories_to_json(stories, loaded.sources)
        told |= {"visitHours": arguments.visit_hours}
        _print_json(told | {"coverage": coverage.to_json(loaded.sources)})
    elif stories:
        show_stories(console(), stories, loaded.sources)
        console().print(visits_end(arguments.visit_hours))
        _show_coverage(coverage, loaded, every=arguments.coverage)
    else:
        console().print('The book has no scenario; one begins with: scenario "its name"')
    return FINE if all(story.passed for story in stories) else MISTAKES


def _show_coverage(coverage: Coverage, loaded: Loaded, *, every: bool) -> None:
    """The line of sums, and with ``every`` what is not covered, in the author's words."""
    sums = [f"{done:,} of {of:,} {what}" for what, (done, of) in coverage.summary().items() if of]
    console().print(Text(f"Tried: {', '.join(sums)}."))
    if every:
        for gap in coverage.to_json(loaded.sources)["gaps"]:
            said = f"  {gap['file']}:{gap['line']}  {gap['what']}"
            console().print(Text(said), soft_wrap=True)


@ending
def replay(arguments: argparse.Namespace) -> int:
    """Count what a book does with recorded events. Gives 0, 1 for a bad book, 2 for no events."""
    if arguments.events.count(STANDARD_INPUT) > 1:
        raise Stop(IMPOSSIBLE, "Standard input (-) can be read only once; name it once.")
    loaded = load(arguments.book)
    expiry = visit_expiry(arguments)
    version = version_of(loaded.book, expiry)
    noted: list[Noted] | None = [] if arguments.decisions else None
    with bar(console(stderr=True)) as watch:
        recording = read(arguments.events, skip_bad=arguments.skip_bad, watch=watch)
        # The recording stays to the end: the cycle collector need not walk over it again.
        gc.freeze()
        if arguments.decisions:
            _write_decisions(arguments.decisions, [], version)
        report = replays.replay(
            loaded.book,
            recording,
            agents=dict(arguments.agents),
            visit_expiry=expiry,
            note=None if noted is None else noted.append,
            watch=watch,
        )
    if noted is not None:
        _write_decisions(arguments.decisions, noted, version)
    for sentence in left_out(recording):
        _say(sentence)
    if arguments.json:
        _print_json(report.to_json() | {"visitHours": arguments.visit_hours})
    else:
        show_replay(console(), report)
        console().print(visits_end(arguments.visit_hours))
    return FINE


def _write_decisions(name: str, noted: Sequence[Noted], version: str) -> None:
    """Write the file. It is first written empty, so that a wrong name stops before the work."""
    try:
        # Half a character of a page's id, which is no UTF-8, is written as its JSON escape.
        with open(name, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(f"{line}\n" for line in in_order(noted, version))
    except OSError as problem:
        reason = (problem.strerror or "unknown reason").lower()
        sentence = f"The decisions cannot be written to {name}: {reason}."
        raise Stop(IMPOSSIBLE, sentence) from None


# ---------------------------------------------------------------- books and mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A book without mistakes, and the files that it was read from."""

    book: Book
    sources: tuple[Source, ...]


def load(name: str) -> Loaded:
    """Read and compile a book; with a mistake, shows it and stops the command."""
    sources = read_folder(Path(name))
    compiled = _compiled(sources, cache_of(os.environ))
    if compiled.book is None:
        _show_mistakes((compiled.found,), sources, sys.stderr)
        raise Stop(MISTAKES)
    return Loaded(book=compiled.book, sources=sources)


def _compiled(sources: Sequence[Source], memory: Memory | None) -> Compiled:
    with undisturbed():
        compiled = compile_book(sources, memory)
        gc.freeze()  # a book stays to the end, and there is much of it to look through in vain
    return compiled


def _show_mistakes(found: Sequence[Shown], sources: Sequence[Source], stream: IO[str]) -> None:
    """Show mistakes, and warnings when they are given too, with the sum of each below."""
    out = Console(file=stream)
    named = by_name(sources)
    color = out.is_terminal and not out.no_color
    for shown in found:
        for diagnostic in shown.diagnostics:
            stream.write(terminal(diagnostic, named, color=color).rstrip("\n") + "\n\n")
        if shown.more:
            stream.write(f"{others(shown.more)}\n\n")
    for shown, word in zip(found, ("mistake", "warning"), strict=False):
        if shown.total:
            stream.write(f"{counted(shown.total, word)}.\n")


def _contents(book: Book, files: int) -> str:
    parts = (
        counted(len(book.strategies), "strategy", "strategies"),
        counted(len(book.scenarios), "scenario"),
    )
    return " and ".join(parts) + f" in {counted(files, 'file')}"


# ---------------------------------------------------------------- out


def console(*, stderr: bool = False) -> Console:
    """A console that knows its width and NO_COLOR, and colours nothing that it was not told."""
    return Console(stderr=stderr, highlight=False)


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
