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

PARTS: Final = 16
"""Segments of a full journal; so much more than its bounds may be there for a moment."""
_DAY: Final = 86_400_000
BODY: Final = 9
"""The place of the body in a row of the journal; after it come the decisions."""
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

    def grow(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Count rows that were written."""
        for row in rows:
            self._began = self._began or row[5]
            self._bytes += sum(map(len, row[BODY : BODY + 2])) + _ROW

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

    def surplus(self, cursor: sqlite3.Cursor, now: int, keep: Retention) -> int | None:
        """The oldest segment, when it is too old or the journal too large; None when not."""
        rows = cursor.execute("SELECT segment, began, bytes FROM segments ORDER BY segment")
        segments = rows.fetchall()
        if len(segments) < 2:
            return None
        (oldest, _, _), (_, ended, _) = segments[:2]
        size = sum(row[2] for row in segments)
        found: int = oldest
        return found if now - ended >= keep.age or size > keep.size else None

    def mark(self, cursor: sqlite3.Cursor, segment: int) -> None:
        """Let nobody read the entries of the oldest segment any more."""
        cursor.execute("DELETE FROM segments WHERE segment = ?", (segment,))

    def trim(self, cursor: sqlite3.Cursor, limit: int) -> Trimmed:
        """Remove so many rows of segments that are gone; ``entries`` 0 when none is left."""
        oldest, first = cursor.execute("SELECT min(segment), min(first) FROM segments").fetchone()
        rows = cursor.execute(
            "SELECT offset, visitor FROM journal WHERE offset < ? ORDER BY offset LIMIT ?",
            (first, limit),
        ).fetchall()
        if not rows:
            return Trimmed(_trim_snapshots(cursor, oldest, limit))
        last = rows[-1][0]
        cursor.execute("DELETE FROM journal WHERE offset <= ?", (last,))
        visitors, visits = _forget(cursor, {row[1] for row in rows}, last)
        return Trimmed(len(rows), visitors, visits)


def _trim_snapshots(cursor: sqlite3.Cursor, oldest: int, limit: int) -> int:
    return cursor.execute(
        "DELETE FROM snapshots WHERE (segment, visitor) IN"
        " (SELECT segment, visitor FROM snapshots WHERE segment < ? LIMIT ?)",
        (oldest, limit),
    ).rowcount


def _forget(
    cursor: sqlite3.Cursor, names: set[str], last: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove visitors of whom nothing is remembered and no entry after ``last`` is left."""
    gone: list[tuple[int, str]] = []
    visits: list[str] = []
    for name in names:
        gone += cursor.execute(
            "SELECT number, visitor FROM visitors"
            " WHERE visitor = ? AND document IS NULL AND entry <= ?",
            (name, last),
        )
    for number, _ in gone:
        rows = cursor.execute("SELECT visit FROM visits WHERE visitor = ?", (number,))
        visits += [row[0] for row in rows]
        cursor.execute("DELETE FROM visits WHERE visitor = ?", (number,))
        cursor.execute("DELETE FROM visitors WHERE number = ?", (number,))
    return tuple(name for _, name in gone), tuple(visits)
