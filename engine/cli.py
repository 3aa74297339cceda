"""The command line: one entry of COMMANDS per command; a mistake is a sentence and exit code 2."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Final

import engine
from engine import custody, doctor
from engine.config import PORT, SettingsError, settings
from engine.language.pages import near_code, pages
from engine.reporting import command as reporting
from engine.trials import commands as trials
from engine.trials import formatting, importing, inquiries

MISTAKE: Final = 2
"""The exit code when the user has to change something."""

NOBODY_READS: Final = 141
"""The exit code when output went to a closed pipe, as shells give it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: its help with examples, its arguments, and what it does (the exit code)."""

    help: str
    examples: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code: 0 good, 1 found something, 2 a mistake to correct."""
    given = _parser().parse_args(arguments)
    try:
        return COMMANDS[given.command].run(given)
    except BrokenPipeError:
        # Whoever read our output (`| head`) has gone; what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="overture", description="Strategies decide, pages are invited, agents see why."
    )
    parser.add_argument("--version", action="version", version=f"overture {engine.__version__}")
    names = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        one = names.add_parser(
            name,
            help=command.help,
            description=command.help,
            epilog=f"examples:\n{command.examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.arguments(one)
    return parser


def _say(line: str) -> None:
    print(line, flush=True)


def _mistake(sentence: str) -> int:
    print(f"overture: {sentence}", file=sys.stderr)
    return MISTAKE


# ---------------------------------------------------------------- serve


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "book", nargs="?", type=Path, help="folder of .strategy files (default: strategies)"
    )
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", help=f"port, 0 for any free one (default: {PORT})")
    parser.add_argument(
        "--data", type=Path, help="folder for visits and chats (default: overture-data)"
    )
    parser.add_argument(
        "--origins", help="origins of other sites whose pages may use this server, with commas"
    )


def _serve(given: argparse.Namespace) -> int:
    # Here, so that the other commands do not wait for what only a server needs.
    from engine.server import StartError, serve

    flags = {name: getattr(given, name) for name in ("book", "host", "port", "data", "origins")}
    flags["book"] = flags["book"] or _sample_book(os.environ)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    try:
        serve(settings(os.environ, flags), _say)
    except (SettingsError, StartError) as error:
        return _mistake(str(error))
    return 0


def _sample_book(environment: Mapping[str, str]) -> Path | None:
    """Without a folder of one's own here, the sample book that comes with the source."""
    if environment.get("OVERTURE_BOOK") or Path("strategies").is_dir():
        return None
    sample = Path(engine.__file__).resolve().parent.parent / "strategies"
    return sample if sample.is_dir() else None


# ---------------------------------------------------------------- explain


def _explain_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", help="a code of a message, such as N102 (default: all)")
    parser.add_argument("--json", action="store_true", help="for machines")


def _explain(given: argparse.Namespace) -> int:
    known = pages()
    if given.code is None:
        listed = [f"{page.code}  {page.title}" for page in known.values()]
        _say(
            dumps([page.as_json() for page in known.values()]) if given.json else "\n".join(listed)
        )
        return 0
    page = known.get(given.code.upper())
    if page is None:
        near = near_code(given.code)
        way_out = f"Did you mean {near}?" if near else "`overture explain` lists all codes."
        return _mistake(f"There is no code {given.code}. {way_out}")
    _say(dumps(page.as_json()) if given.json else page.text().rstrip("\n"))
    return 0


COMMANDS: Final[Mapping[str, Command]] = {
    "serve": Command(
        help="Serve the book: events in, notifications out; with the demo shop and the desk.",
        examples=(
            "  overture serve\n"
            "  overture serve my-strategies --port 8080 --data /var/lib/overture\n"
        ),
        arguments=_serve_arguments,
        run=_serve,
    ),
    "check": Command(
        help="Compile a book and show every mistake in it, and what can hardly be meant.",
        examples=("  overture check strategies\n  overture check strategies --strict --json\n"),
        arguments=trials.check_arguments,
        run=trials.check,
    ),
    "fmt": Command(
        help=formatting.HELP,
        examples=formatting.EXAMPLES,
        arguments=formatting.fmt_arguments,
        run=formatting.fmt,
    ),
    "test": Command(
        help="Run the scenarios of a book, with a clock that only the story moves.",
        examples=("  overture test strategies\n"),
        arguments=trials.test_arguments,
        run=trials.test,
    ),
    "explain": Command(
        help="Explain a code of a message: what it means, why, what to write instead.",
        examples=("  overture explain N102\n  overture explain\n  overture explain N102 --json\n"),
        arguments=_explain_arguments,
        run=_explain,
    ),
    "replay": Command(
        help="Decide recorded visits with a book: what would be sent, and what refused and why.",
        examples=(
            "  overture replay strategies events.jsonl.gz\n"
            "  zcat monday.gz tuesday.gz | overture replay strategies - --agents chat=3 --json\n"
            "  overture replay strategies events.jsonl.gz --decisions decisions.jsonl\n"
        ),
        arguments=trials.replay_arguments,
        run=trials.replay,
    ),
    "import": Command(
        help=importing.HELP,
        examples=importing.EXAMPLES,
        arguments=importing.import_arguments,
        run=importing.import_,
    ),
    "why": Command(
        help="Explain a recorded visit: for every event which rules fired, and what was missing.",
        examples=(
            "  overture why strategies events.jsonl.gz --visit 4711\n"
            '  overture why strategies events.jsonl.gz --visit 4711 --strategy "Third page"\n'
            "  overture why strategies events.jsonl.gz --visit 4711 --agents chat=3 --json\n"
        ),
        arguments=inquiries.why_arguments,
        run=inquiries.explain_visit,
    ),
    "doctor": Command(
        help=doctor.HELP,
        examples=doctor.EXAMPLES,
        arguments=doctor.arguments,
        run=doctor.doctor,
    ),
    "report": Command(
        help=reporting.HELP,
        examples=reporting.EXAMPLES,
        arguments=reporting.arguments,
        run=reporting.run,
    ),
    "export": Command(
        help=custody.EXPORT_HELP,
        examples=custody.EXPORT_EXAMPLES,
        arguments=custody.export_arguments,
        run=custody.export,
    ),
    "erase": Command(
        help=custody.ERASE_HELP,
        examples=custody.ERASE_EXAMPLES,
        arguments=custody.erase_arguments,
        run=custody.erase,
    ),
    "new": Command(
        help="Write a first book, with comments for a beginner, into a new or empty folder.",
        examples=("  overture new my-strategies\n"),
        arguments=inquiries.new_arguments,
        run=inquiries.new,
    ),
}

if __name__ == "__main__":
    sys.exit(main())
