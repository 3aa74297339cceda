"""An examination of a store's file: is everything there, in order, and what the journal says?

Nothing is written. Rows are read one after the other, so a large file needs no more memory than a
small one.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from engine.hosts.contract import Document, Entry
from engine.hosts.document import EngagementCore
from engine.hosts.encoding import decode, encode
from engine.hosts.pressing import unpressed
from engine.hosts.schema import VERSION
from engine.hosts.store import held, past_of

_BACKUP: Final = "restore a backup of the data folder, and keep this one to look at"
_REPORT: Final = (
    "keep a copy of the data folder and report it; the server goes on from the document"
)
_HARMED: Final = (ValueError, TypeError, KeyError, zlib.error, RecursionError)
_QUEUED: Final = 600_000
"""Inputs are stamped before they queue, so one may stand behind another that is younger (ms)."""
_SHOWN: Final = 5
"""Lines of SQLite's own check that are told; there can be thousands of one cause."""


class Finding(NamedTuple):
    """Something that is not as it must be: a short name, the place, a sentence, the way out."""

    name: str
    place: str
    sentence: str
    way_out: str


class Counts(NamedTuple):
    """How much there is to examine."""

    visitors: int
    entries: int


def counts(connection: sqlite3.Connection) -> Counts:
    """Count, and refuse what cannot be examined: raises OSError with a sentence."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        newer = "a newer Overture: examine it with that one"
        older = "an older Overture: start the server once, which brings it up to date"
        raise OSError(f"The store was written by {newer if version > VERSION else older}.")
    (visitors,) = connection.execute("SELECT count(*) FROM visitors").fetchone()
    (entries,) = connection.execute(
        "SELECT count(*) FROM journal WHERE offset >= (SELECT min(first) FROM segments)"
    ).fetchone()
    return Counts(visitors, entries)


def of_the_file(connection: sqlite3.Connection) -> Iterator[Finding]:
    """What SQLite itself finds: pages, rows and indexes that do not fit together."""
    for (line,) in connection.execute(f"PRAGMA integrity_check({_SHOWN})"):
        if line != "ok":
            yield Finding("file-damaged", "the file", f"SQLite says: {line}.", f"{_BACKUP}.")


def of_the_journal(connection: sqlite3.Connection, step: Callable[[], None]) -> Iterator[Finding]:
    """Every entry can be read, and each stands after the one before it of its visitor.

    ``step`` is called for each entry.
    """
    rows = connection.execute(
        "SELECT j.offset, j.before, j.visitor, j.time, j.body, j.decisions, b.visitor, b.time"
        " FROM journal AS j LEFT JOIN journal AS b ON b.offset = j.before"
        " WHERE j.offset >= (SELECT min(first) FROM segments) ORDER BY j.offset"
    )
    (first,) = connection.execute("SELECT min(first) FROM segments").fetchone()
    for offset, before, visitor, time, body, decisions, previous, earlier in rows:
        step()
        place = f"entry {offset} of visitor {visitor}"
        for what, text in (("input", body), ("decisions", decisions)):
            if not _is_json(text):
                said = f"Its {what} can not be read."
                yield Finding("entry-unreadable", place, said, f"{_BACKUP}.")
        if before >= first:
            yield from _of_the_link(place, offset, before, visitor, previous)
            if previous == visitor and earlier is not None and time < earlier - _QUEUED:
                said = f"Its time {time} is before {earlier}, that of the entry before it."
                yield Finding("entry-out-of-order", place, said, f"{_REPORT}.")
    yield from _adrift(connection)


def _of_the_link(
    place: str, offset: int, before: int, visitor: str, previous: str | None
) -> Iterator[Finding]:
    if previous is None:
        said = f"Entry {before}, which stood before it, is not there."
        yield Finding("entry-missing", place, said, f"{_BACKUP}.")
    elif previous != visitor or before >= offset:
        said = f"It names entry {before} as the one before it, which is of visitor {previous}."
        yield Finding("entry-elsewhere", place, said, f"{_BACKUP}.")


def _adrift(connection: sqlite3.Connection) -> Iterator[Finding]:
    """The last entry of a visitor is there, and every entry leads to it."""
    rows = connection.execute(
        "SELECT v.visitor, v.entry FROM visitors AS v LEFT JOIN journal AS j ON j.offset = v.entry"
        " WHERE v.entry >= (SELECT min(first) FROM segments) AND"
        " (j.offset IS NULL OR j.visitor <> v.visitor)"
    )
    for visitor, entry in rows:
        said = f"Entry {entry}, their youngest, is not there."
        yield Finding("entry-missing", f"visitor {visitor}", said, f"{_BACKUP}.")
    rows = connection.execute(
        "SELECT j.offset, j.visitor FROM journal AS j"
        " WHERE j.offset >= (SELECT min(first) FROM segments)"
        " AND NOT EXISTS (SELECT 1 FROM visitors WHERE visitor = j.visitor AND entry = j.offset)"
        " AND j.offset NOT IN (SELECT before FROM journal)"
    )
    for offset, visitor in rows:
        said = "No later entry of the visitor leads to it: one that came after it is not there."
        yield Finding("entry-adrift", f"entry {offset} of visitor {visitor}", said, f"{_BACKUP}.")


def of_the_visitors(
    connection: sqlite3.Connection,
    core: EngagementCore,
    version: str | None,
    step: Callable[[], None],
) -> Iterator[Finding]:
    """Every document can be read, and its wake-up is the one that it needs.

    The second is known where the book at hand, whose ``version`` it is, took the last step.
    """
    rows = connection.execute(
        "SELECT v.visitor, v.wake_at, v.document, j.version"
        " FROM visitors AS v LEFT JOIN journal AS j ON j.offset = v.entry"
    )
    for visitor, wake_at, raw, last in rows:
        step()
        if raw is None:
            continue
        place = f"visitor {visitor}"
        try:
            document = core.decode(raw)
            known = document["visitor"].version == version == last
            wanted = core.advance(visitor, document, []).wake_at if known else None
        except _HARMED as problem:
            said = f"What is remembered can not be read ({problem})."
            yield Finding("document-unreadable", place, said, f"{_BACKUP}.")
            continue
        if known and held(wanted) != wake_at:
            said = f"It is woken {_when(wake_at)}, but its next timer is due {_when(held(wanted))}."
            yield Finding("wake-up-wrong", place, said, f"{_REPORT}.")
    yield from _of_the_visits(connection)


def _of_the_visits(connection: sqlite3.Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "SELECT visit FROM visits WHERE visitor NOT IN (SELECT number FROM visitors)"
    )
    for (visit,) in rows:
        said = "It belongs to a visitor who is not there."
        yield Finding("visit-without-visitor", f"visit {visit}", said, f"{_BACKUP}.")


def replayed(
    connection: sqlite3.Connection, core: EngagementCore, version: str, visitor: str
) -> Finding | bool | None:
    """Decide the journal of a visitor again: True when the same came of it, byte for byte.

    None when another book decided some of it, or nothing of it is left.
    """
    try:
        before, entries = past_of(connection, visitor)
        if not entries or any(entry.input.version != version for entry in entries):
            return None
        document = None if before is None else core.decode(before)
        for entry in entries:
            advance = core.advance(visitor, document, [entry.input])
            if encode(list(advance.decisions[0] or ())) != encode(list(entry.decisions)):
                return _otherwise(entry)
            document = advance.document and core.decode(core.encode(advance.document))
        return _compared(connection, core, visitor, document)
    except _HARMED as problem:
        said = f"Its journal can not be decided again ({problem})."
        return Finding("journal-unreadable", f"visitor {visitor}", said, f"{_BACKUP}.")


def _otherwise(entry: Entry) -> Finding:
    place = f"entry {entry.offset} of visitor {entry.visitor}"
    said = "The same input and book decide otherwise now than is written there."
    return Finding("decided-otherwise", place, said, f"{_REPORT}.")


def _compared(
    connection: sqlite3.Connection, core: EngagementCore, visitor: str, document: Document | None
) -> Finding | bool:
    query = "SELECT document FROM visitors WHERE visitor = ?"
    (stored,) = connection.execute(query, (visitor,)).fetchone()
    again = None if document is None else core.encode(document)
    if again == (None if stored is None else unpressed(stored)):
        return True
    said = "What is remembered is not what the journal makes of it."
    return Finding("document-otherwise", f"visitor {visitor}", said, f"{_REPORT}.")


def _when(time: int | None) -> str:
    if time is None:
        return "never"
    try:
        return f"at {datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC ({time})"
    except (OverflowError, ValueError, OSError):  # beyond any calendar
        return f"at {time} ms"


def _is_json(text: str) -> bool:
    try:
        decode(text)
    except (ValueError, TypeError):
        return False
    return True
