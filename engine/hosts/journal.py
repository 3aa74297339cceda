"""The journal in parts: segments that are trimmed whole, oldest first, in small transactions.

A segment ends after a sixteenth of what the journal may hold, in bytes or in age. When a visitor
is written for the first time in a segment, the document as it was is kept as a *snapshot* of that
segment. So once the segments before are gone, a visitor's journal can still be replayed: from the
snapshot, the first entry that is left finds exactly the document that it met.

To trim is first a mark (the segment's line goes, and nobody reads its entries any more), then the
removal of rows, some at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.hosts.encoding import decode
from engine.hosts.rows import BODY, TIME, WIDTH

PARTS: Final = 16
"""Segments of a full journal; so much more than its bounds may be there for a moment."""
_DAY: Final = 86_400_000
_ROW: Final = 64
"""Bytes of a row beside its texts, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How much of the journal is kept: entries of so many ms, and so many bytes together."""

    age: int = 30 * _DAY
    size: int = 10 * 1024**3


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What went with some entries: visitors and visits of which nothing is known any more."""

    entries: int
    visitors: tuple[str, ...] = ()
    visits: tuple[str, ...] = ()


class Journal:
    """Numbers entries, and knows the segment that they go to. Belongs to the writer thread."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        (last,) = cursor.execute("SELECT max(offset) FROM journal").fetchone()
        if not cursor.execute("SELECT 1 FROM segments").fetchone():
            cursor.execute("INSERT INTO segments VALUES (1, 1, 0, 0)")
        row: tuple[int, int, int, int] = cursor.execute(
            "SELECT segment, first, began, bytes FROM segments ORDER BY segment DESC LIMIT 1"
        ).fetchone()
        self.segment, first, self._began, self._bytes = row
        # The youngest segment is never trimmed, so no offset is given twice.
        self.next_offset = max(last or 0, first - 1) + 1

    def grow(self, values: Sequence[Any]) -> None:
        """Count rows that were written, the values of one after those of the other."""
        if values and not self._began:
            self._began = values[TIME]
        texts = sum(map(len, values[BODY::WIDTH])) + sum(map(len, values[BODY + 1 :: WIDTH]))
        self._bytes += texts + _ROW * (len(values) // WIDTH)

    def note(self, cursor: sqlite3.Cursor) -> None:
        """Write down how large the segment is. A crash forgets some seconds of it at most."""
        cursor.execute(
            "UPDATE segments SET bytes = ?, began = ? WHERE segment = ?",
            (self._bytes, self._began, self.segment),
        )

    def is_over(self, now: int, keep: Retention) -> bool:
        """Is it time for the next segment?"""
        old = self._began and now - self._began >= keep.age / PARTS
        return bool(old) or self._bytes >= keep.size / PARTS

    def begin_next(self, cursor: sqlite3.Cursor, now: int) -> int:
        """Write the line of the next segment, which is entered once that is committed."""
        segment = self.segment + 1
        cursor.execute("INSERT INTO segments VALUES (?, ?, ?, 0)", (segment, self.next_offset, now))
        return segment

    def enter(self, segment: int, now: int) -> None:
        """Let entries from now on go to this segment."""
        self.segment, self._began, self._bytes = segment, now, 0

    def give_up(self, cursor: sqlite3.Cursor, now: int, keep: Retention) -> bool:
        """Let nobody read the oldest segments any more, of what is too old or too much."""
        (raw,) = cursor.execute(_SEGMENTS).fetchone()
        segments: list[list[int]] = decode(raw)
        gone = 0
        while len(segments) > 1:
            size, ended = sum(one[2] for one in segments), segments[1][1]
            if now - ended < keep.age and size <= keep.size:
                break
            gone = segments.pop(0)[0]
        cursor.execute("DELETE FROM segments WHERE segment <= ?", (gone,))
        return gone > 0

    def trim(self, cursor: sqlite3.Cursor, limit: int) -> Trimmed:
        """Remove so many rows of segments that are gone; ``entries`` 0 when none is left."""
        oldest, entries, last = cursor.execute(_OLDEST, (limit,)).fetchone()
        if not entries:
            return Trimmed(_trim_snapshots(cursor, oldest, limit))
        visitors, visits = _forget(cursor, last)
        cursor.execute("DELETE FROM journal WHERE offset <= ?", (last,))
        return Trimmed(entries, visitors, visits)


# Each of these gives one row. Between rows, as between statements, other threads run, and while
# the server is busy each time may last some milliseconds.
_SEGMENTS: Final = """
SELECT json_group_array(json_array(segment, began, bytes))
FROM (SELECT * FROM segments ORDER BY segment)
"""
_OLDEST: Final = """
SELECT (SELECT min(segment) FROM segments), count(*), max(offset) FROM (
    SELECT offset FROM journal WHERE offset < (SELECT min(first) FROM segments)
    ORDER BY offset LIMIT ?
)
"""
_FORGOTTEN: Final = """
SELECT json_group_array(number), json_group_array(visitor) FROM visitors
WHERE visitor IN (SELECT visitor FROM journal WHERE offset <= ?1)
AND document IS NULL AND entry <= ?1
"""


def _trim_snapshots(cursor: sqlite3.Cursor, oldest: int, limit: int) -> int:
    return cursor.execute(
        "DELETE FROM snapshots WHERE (segment, visitor) IN"
        " (SELECT segment, visitor FROM snapshots WHERE segment < ? LIMIT ?)",
        (oldest, limit),
    ).rowcount


def _forget(cursor: sqlite3.Cursor, last: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove visitors of whom nothing is remembered and no entry after ``last`` is left."""
    numbers, gone = cursor.execute(_FORGOTTEN, (last,)).fetchone()
    if gone == "[]":
        return (), ()
    chosen = "IN (SELECT value FROM json_each(?))"
    query = f"SELECT json_group_array(visit) FROM visits WHERE visitor {chosen}"
    (visits,) = cursor.execute(query, (numbers,)).fetchone()
    cursor.execute(f"DELETE FROM visits WHERE visitor {chosen}", (numbers,))
    cursor.execute(f"DELETE FROM visitors WHERE number {chosen}", (numbers,))
    return tuple(decode(gone)), tuple(decode(visits))
