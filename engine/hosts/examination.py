"""An examination of a store's file: is everything there, in order, and what the journal says?

Nothing is written. Rows are read one after the other, so a large file needs no more memory than a
small one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from engine.hosts.checksums import of_document, of_entry, of_snapshot, of_values, of_visitor
from engine.hosts.contract import Document, Entry
from engine.hosts.document import EngagementCore
from engine.hosts.encoding import decode, encode
from engine.hosts.findings import HARMED, REPORT, Finding
from engine.hosts.outbox import of_the_outbox
from engine.hosts.pressing import unpressed
from engine.hosts.schema import VERSION
from engine.hosts.store import held, past_of

_QUEUED: Final = 600_000
"""Inputs are stamped before they queue, so one may stand behind another that is younger (ms)."""
_SHOWN: Final = 5
"""Lines of SQLite's own check that are told; there can be thousands of one cause."""
_ENTRY: Final = (
    "offset", "before", "visitor", "visit", "kind", "time", "version", "epoch", "id", "body",
    "decisions",
)  # fmt: skip


class Counts(NamedTuple):
    """How much there is to examine; ``unchecked`` rows were written before there were checksums."""

    visitors: int
    entries: int
    unchecked: int


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
    unchecked = sum(
        connection.execute(f"SELECT count(*) FROM {table} WHERE checksum IS NULL").fetchone()[0]
        for table in ("visitors", "visits", "journal", "snapshots")
    )
    return Counts(visitors, entries, unchecked)


def of_the_file(connection: sqlite3.Connection) -> Iterator[Finding]:
    """What SQLite itself finds: pages, rows and indexes that do not fit together."""
    for (line,) in connection.execute(f"PRAGMA integrity_check({_SHOWN})"):
        if line != "ok":
            yield Finding("file-damaged", "the file", f"SQLite says: {line}.")


def of_the_journal(connection: sqlite3.Connection, step: Callable[[], None]) -> Iterator[Finding]:
    """Every entry is as it was written, and each stands after the one before it of its visitor.

    ``step`` is called for each entry.
    """
    rows = connection.execute(
        f"SELECT {', '.join(f'j.{name}' for name in _ENTRY)}, j.checksum, b.visitor, b.time"
        " FROM journal AS j LEFT JOIN journal AS b ON b.offset = j.before"
        " WHERE j.offset >= (SELECT min(first) FROM segments) ORDER BY j.offset"
    )
    (first,) = connection.execute("SELECT min(first) FROM segments").fetchone()
    for row in rows:
        step()
        *entry, checksum, previous, earlier = row
        place = f"entry {entry[0]} of visitor {entry[2]}"
        yield from _of_the_checksum("entry", place, checksum, of_entry(entry))
        try:
            yield from _of_the_entry(place, entry, first, previous, earlier)
        except TypeError:
            said = "A number in it is none."
            yield Finding("entry-unreadable", place, said)
    yield from _adrift(connection)
    yield from _of_the_segments(connection)


def _of_the_checksum(
    what: str, place: str, written: int | None, computed: int
) -> Iterator[Finding]:
    if written is not None and written != computed:
        said = "It is not what was written: its checksum is that of other bytes."
        yield Finding(f"{what}-damaged", place, said)


def _of_the_entry(
    place: str, entry: Sequence[Any], first: int, previous: str | None, earlier: int | None
) -> Iterator[Finding]:
    offset, before, visitor, _, _, time, _, _, _, body, decisions = entry
    for what, text in (("input", body), ("decisions", decisions)):
        if not _is_json(text):
            said = f"Its {what} can not be read."
            yield Finding("entry-unreadable", place, said)
    if before >= first:
        yield from _of_the_link(place, offset, before, visitor, previous)
        if previous == visitor and earlier is not None and time < earlier - _QUEUED:
            said = f"Its time {time} is before {earlier}, that of the entry before it."
            yield Finding("entry-out-of-order", place, said, REPORT)


def _of_the_segments(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Segments follow each other, and earlier documents are those that were kept."""
    rows = connection.execute("SELECT segment, first, began, bytes FROM segments ORDER BY segment")
    earlier = (0, 0)
    for segment, first, began, size in rows:
        if first < earlier[0] or (began and began < earlier[1]) or size < 0:
            said = "It does not begin after the one before it."
            yield Finding("segment-out-of-order", f"segment {segment}", said, REPORT)
        earlier = first, began
    kept = connection.execute(
        "SELECT s.segment, s.visitor, s.document, s.checksum, v.visitor"
        " FROM snapshots AS s LEFT JOIN visitors AS v ON number = s.visitor"
    )
    for segment, number, document, checksum, visitor in kept:
        place = f"what was remembered of visitor {visitor or number} before segment {segment}"
        computed = of_snapshot(segment, number, document)
        yield from _of_the_checksum("snapshot", place, checksum, computed)


def _of_the_link(
    place: str, offset: int, before: int, visitor: str, previous: str | None
) -> Iterator[Finding]:
    if previous is None:
        said = f"Entry {before}, which stood before it, is not there."
        yield Finding("entry-missing", place, said)
    elif previous != visitor or before >= offset:
        said = f"It names entry {before} as the one before it, which is of visitor {previous}."
        yield Finding("entry-elsewhere", place, said)


def _adrift(connection: sqlite3.Connection) -> Iterator[Finding]:
    """The last entry of a visitor is there, and every entry leads to it."""
    rows = connection.execute(
        "SELECT v.visitor, v.entry FROM visitors AS v LEFT JOIN journal AS j ON j.offset = v.entry"
        " WHERE v.entry >= (SELECT min(first) FROM segments) AND"
        " (j.offset IS NULL OR j.visitor <> v.visitor)"
    )
    for visitor, entry in rows:
        said = f"Entry {entry}, their youngest, is not there."
        yield Finding("entry-missing", f"visitor {visitor}", said)
    rows = connection.execute(
        "SELECT j.offset, j.visitor FROM journal AS j"
        " WHERE j.offset >= (SELECT min(first) FROM segments)"
        " AND NOT EXISTS (SELECT 1 FROM visitors WHERE visitor = j.visitor AND entry = j.offset)"
        " AND j.offset NOT IN (SELECT before FROM journal)"
    )
    for offset, visitor in rows:
        said = "No later entry of the visitor leads to it: one that came after it is not there."
        yield Finding("entry-adrift", f"entry {offset} of visitor {visitor}", said)


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
        "SELECT v.number, v.visitor, v.wake_at, v.rest_at, v.entry, v.segment, v.checksum,"
        " v.document, j.version"
        " FROM visitors AS v LEFT JOIN journal AS j ON j.offset = v.entry"
    )
    for number, visitor, wake_at, rest_at, *entry, checksum, raw, last in rows:
        step()
        place = f"visitor {visitor}"
        begun = of_document(raw)
        computed = of_visitor(begun, number, visitor, (wake_at, rest_at), *entry)
        yield from _of_the_checksum("visitor", place, checksum, computed)
        if raw is None:
            continue
        try:
            document = core.decode(raw)
            known = document["visitor"].version == version == last
            wanted = core.advance(visitor, document, ()).wake_at if known else None
            told = document["offset"] > 0
            waiting = [*of_the_outbox(connection, visitor, document)] if told else []
        except HARMED as problem:
            said = f"What is remembered can not be read ({problem})."
            yield Finding("document-unreadable", place, said)
            continue
        yield from waiting
        if known and held(wanted) != wake_at:
            said = f"It is woken {_when(wake_at)}, but its next timer is due {_when(held(wanted))}."
            yield Finding("wake-up-wrong", place, said, REPORT)
    yield from _of_the_visits(connection)


def _of_the_visits(connection: sqlite3.Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "SELECT visit, v.visitor, v.checksum, number FROM visits AS v"
        " LEFT JOIN visitors ON number = v.visitor"
    )
    for visit, visitor, checksum, number in rows:
        place = f"visit {visit}"
        yield from _of_the_checksum("visit", place, checksum, of_values(visit, visitor))
        if number is None:
            said = "It belongs to a visitor who is not there."
            yield Finding("visit-without-visitor", place, said)


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
    except HARMED as problem:
        said = f"Its journal can not be decided again ({problem})."
        return Finding("journal-unreadable", f"visitor {visitor}", said)


def _otherwise(entry: Entry) -> Finding:
    place = f"entry {entry.offset} of visitor {entry.visitor}"
    said = "The same input and book decide otherwise now than is written there."
    return Finding("decided-otherwise", place, said, REPORT)


def _compared(
    connection: sqlite3.Connection, core: EngagementCore, visitor: str, document: Document | None
) -> Finding | bool:
    query = "SELECT document FROM visitors WHERE visitor = ?"
    (stored,) = connection.execute(query, (visitor,)).fetchone()
    again = None if document is None else core.encode(document)
    if again == (None if stored is None else unpressed(stored)):
        return True
    said = "What is remembered is not what the journal makes of it."
    return Finding("document-otherwise", f"visitor {visitor}", said, REPORT)


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
