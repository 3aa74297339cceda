"""The commands of whoever answers for what is stored: ``export`` and ``erase`` a person."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from engine.config import SettingsError, settings
from engine.hosts import person as visits
from engine.hosts.person import Person, identified
from engine.hosts.reading import reading
from engine.media import person as chats

FINE: Final = 0
UNKNOWN: Final = 1
IMPOSSIBLE: Final = 2

EXPORT_HELP: Final = "Print all that is stored of a person as JSON; also while the server runs."
EXPORT_EXAMPLES: Final = (
    "  overture export --visitor 7C1F08 > person.json\n"
    "  overture export --visitor 7C1F08 --data /var/lib/overture\n"
)
ERASE_HELP: Final = (
    "Remove all that is stored of a person, down to the bytes; stop the server first."
)
ERASE_EXAMPLES: Final = (
    "  overture erase --visitor 7C1F08\n"
    "  overture erase --visitor 7C1F08 --data /var/lib/overture --yes\n"
)


def export_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``export`` takes."""
    parser.add_argument(
        "--visitor", required=True, metavar="ID", help="a globalVisitID, or one of the visitIDs"
    )
    parser.add_argument(
        "--data", type=Path, help="folder for visits and chats (default: overture-data)"
    )


def erase_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``erase`` takes."""
    export_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def export(given: argparse.Namespace) -> int:
    """Print everything of a person. Gives 0, 1 when nothing is known, 2 when it can not be read."""
    try:
        _, found = _everything(_folder(given), given.visitor)
    except (OSError, SettingsError) as problem:
        return _say(str(problem), IMPOSSIBLE)
    if found is None:
        return _nobody(given)
    print(json.dumps(found, indent=2))
    return FINE


def erase(given: argparse.Namespace) -> int:
    """Remove everything of a person. Gives 0, 1 when nothing is known, 2 when it was not done."""
    try:
        folder = _folder(given)
        person, found = _everything(folder, given.visitor)
        if found is None:
            return _nobody(given)
        if not given.yes and not _confirmed(given.visitor):
            return _say("Nothing was removed. Say --yes, or answer yes on a terminal.", IMPOSSIBLE)
        return _erased(folder, person)
    except (OSError, SettingsError) as problem:
        return _say(f"{problem} Nothing is proved to be removed until this ends well.", IMPOSSIBLE)


def _erased(folder: Path, person: Person) -> int:
    store, talks = folder / "visits.sqlite3", folder / "interactions.sqlite3"
    with visits.held(store):
        # Chats first: they are found by the visits, which must still be known if this is repeated.
        removed = chats.erased(talks, person.visits)
        if person.visitor is not None:
            removed |= visits.erased(store, person)
    files = [path for path in sorted(folder.iterdir()) if ".sqlite3" in path.name]
    for what, count in removed.items():
        if count:
            print(f"removed {count} {what}")
    left = visits.traces(files, person.names)
    for path, name in left:
        print(f"left    {name} still stands in {path}: see whether `export` of another names it")
    if left:
        return UNKNOWN
    print(f"proved  no byte of {len(files)} files names the person: {', '.join(person.names)}")
    return FINE


def _everything(folder: Path, name: str) -> tuple[Person, dict[str, Any] | None]:
    """Who is meant by an id, and all that is stored of them; None when that is nothing."""
    with reading(folder / "visits.sqlite3") as connection:
        person = identified(connection, name)
        known = visits.exported(connection, person) if person.visitor is not None else {}
    talks = chats.exported(folder / "interactions.sqlite3", person.visits)
    return person, {**known, **talks} if known or any(talks.values()) else None


def _folder(given: argparse.Namespace) -> Path:
    return settings(os.environ, {"data": given.data}).data


def _confirmed(name: str) -> bool:
    if not sys.stdin.isatty():
        return False
    print(f"Remove all that is stored of {name}, for ever? Type yes: ", end="", flush=True)
    return sys.stdin.readline().strip().lower() == "yes"


def _nobody(given: argparse.Namespace) -> int:
    return _say(f"Nothing is stored of {given.visitor}: look whether the id is whole.", UNKNOWN)


def _say(sentence: str, code: int) -> int:
    print(f"overture: {sentence}", file=sys.stderr)
    return code
