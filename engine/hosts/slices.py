"""The journal from a time on, in slices, read beside a server that goes on writing.

Each slice is a read of its own and a short one, so that the log of the file can begin anew between
two of them, and the rest of the process has its turn. Only entries that tell of strategies or of
answers to invitations are given: the others are passed over by SQLite.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from engine.hosts.encoding import decode
from engine.hosts.reading import reading
from engine.hosts.schema import VERSION

QUEUED: Final = 600_000
"""Inputs are stamped before they queue: an entry may be so much (ms) older than those before it."""

_ANSWER: Final = "Invitation"

_SLICE: Final = """
SELECT time, visitor, visit, iif(kind = 'event' AND instr(body, '"eventName":"Invitation') > 0,
    body, NULL) AS answer, decisions FROM journal
WHERE offset > ? AND offset <= ? AND offset >= (SELECT min(first) FROM segments)
AND (decisions <> '[]' OR answer IS NOT NULL)
ORDER BY offset
"""


class Decided(msgspec.Struct, frozen=True, gc=False):
    """What became of one completed rule, as the journal has it. Without a reason it was sent."""

    time: int
    visit: str
    strategy: str
    rule: int
    reason: str | None
    sends: tuple[str, ...]


class Told(NamedTuple):
    """An entry of the journal: when, whose, the answer to an invitation if it is one (its name
    and data), and what was decided because of it."""

    time: int
    visitor: str
    visit: str
    answer: str | None
    data: dict[str, Any]
    decisions: list[Decided]


_decisions: Final = msgspec.json.Decoder(list[Decided])


def slices(path: Path, since: int, until: int, size: int) -> Iterator[list[Told]]:
    """Entries from ``since`` to before ``until`` (ms) and a few around them, in order.

    ``size`` is the number of entries that are looked at in one read; many lists are empty. Raises
    OSError with a sentence.
    """
    with reading(path, at_once=False) as connection:
        connection.text_factory = str  # damaged text ends the reading; the other way is slow
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            raise OSError(f"{path} was written by another Overture: start the server once.")
        offset = _before(connection, since)
        (last,) = connection.execute("SELECT coalesce(max(offset), 0) FROM journal").fetchone()
        while offset < last:
            rows = connection.execute(_SLICE, (offset, min(offset + size, last))).fetchall()
            offset += size
            yield [_told(row) for row in rows]
            if rows and rows[-1][0] > until + QUEUED:
                return


def oldest(path: Path) -> int | None:
    """The time of the oldest entry that is kept (ms), or None. Raises OSError."""
    with reading(path, at_once=False) as connection:
        row = connection.execute(
            "SELECT time FROM journal WHERE offset >= (SELECT min(first) FROM segments)"
            " ORDER BY offset LIMIT 1"
        ).fetchone()
    return None if row is None else int(row[0])


def _before(connection: sqlite3.Connection, since: int) -> int:
    """An offset before every entry of that time or later: there is no index over times."""
    low, high = connection.execute(
        "SELECT coalesce(min(offset), 1), coalesce(max(offset), 0) FROM journal"
    ).fetchone()
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT time FROM journal WHERE offset >= ? ORDER BY offset LIMIT 1", (middle,)
        ).fetchone()
        if row[0] < since - QUEUED:
            low = middle + 1
        else:
            high = middle
    return int(low) - 1


def _told(row: tuple[int, str, str, str | None, str]) -> Told:
    time, visitor, visit, body, decisions = row
    name: str | None = None
    data: dict[str, Any] = {}
    try:
        if body is not None:
            said = decode(body)
            if str(said["eventName"]).startswith(_ANSWER):
                name, data = said["eventName"], said.get("data") or {}
        decided = [] if decisions == "[]" else _read(decisions)
    except (ValueError, TypeError, KeyError) as problem:
        raise OSError(
            f"An entry of visit {visit} can not be read ({problem}): ask `overture doctor`."
        ) from problem
    return Told(time, visitor, visit, name, data, decided)


def _read(decisions: str) -> list[Decided]:
    try:
        return _decisions.decode(decisions)
    except UnicodeError:  # half a surrogate pair, which only the standard library reads
        return msgspec.convert(decode(decisions), list[Decided])
