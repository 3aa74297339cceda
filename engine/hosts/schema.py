"""The tables of the SQLite file, and how a file of an older version becomes one of this version."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

VERSION: Final = 3
"""``PRAGMA user_version``: one more whenever the tables change, with a step below."""

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE visitors (
    number INTEGER PRIMARY KEY, visitor TEXT NOT NULL UNIQUE, wake_at INTEGER, rest_at INTEGER,
    entry INTEGER NOT NULL, segment INTEGER NOT NULL, document BLOB, checksum INTEGER
);
CREATE INDEX visitors_wake_at ON visitors (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX visitors_rest_at ON visitors (rest_at) WHERE rest_at IS NOT NULL;
CREATE TABLE visits (
    visit TEXT PRIMARY KEY, visitor INTEGER NOT NULL, checksum INTEGER
) WITHOUT ROWID;
CREATE INDEX visits_visitor ON visits (visitor);
CREATE TABLE journal (
    offset INTEGER PRIMARY KEY, before INTEGER NOT NULL, visitor TEXT NOT NULL,
    visit TEXT NOT NULL, kind TEXT NOT NULL, time INTEGER NOT NULL, version TEXT NOT NULL,
    epoch INTEGER NOT NULL, id TEXT, body TEXT NOT NULL, decisions TEXT NOT NULL,
    checksum INTEGER
);
CREATE TABLE segments (
    segment INTEGER PRIMARY KEY, first INTEGER NOT NULL, began INTEGER NOT NULL,
    bytes INTEGER NOT NULL
);
CREATE TABLE snapshots (
    segment INTEGER NOT NULL, visitor INTEGER NOT NULL, document BLOB NOT NULL,
    checksum INTEGER, PRIMARY KEY (segment, visitor)
) WITHOUT ROWID
"""

_FROM_1: Final = """
ALTER TABLE visitors RENAME TO visitors_1;
ALTER TABLE visits RENAME TO visits_1;
ALTER TABLE journal RENAME TO journal_1;
DROP INDEX visitors_wake_at;
{tables};
INSERT INTO journal
    SELECT offset, lag(offset, 1, 0) OVER (PARTITION BY visitor ORDER BY offset),
        visitor, visit, kind, time, version, epoch, id, body, decisions, NULL
    FROM journal_1 ORDER BY offset;
INSERT INTO segments
    SELECT 1, 1, coalesce(min(time), 0), coalesce(sum(length(body) + length(decisions)), 0)
    FROM journal;
INSERT INTO visitors
    SELECT rowid, visitor, wake_at, 0,
        coalesce((SELECT max(offset) FROM journal_1 WHERE journal_1.visitor = v.visitor), 0),
        1, CAST(document AS BLOB), NULL
    FROM visitors_1 AS v;
INSERT INTO visits
    SELECT visit, number, NULL FROM visits_1 JOIN visitors ON visitors.visitor = visits_1.visitor;
DROP TABLE visitors_1;
DROP TABLE visits_1;
DROP TABLE journal_1
"""


# Rows that were there before have no checksum until they are written again: to read a large file as
# a whole would keep the server from its start for minutes.
_FROM_2: Final = """
ALTER TABLE visitors ADD COLUMN checksum INTEGER;
ALTER TABLE visits ADD COLUMN checksum INTEGER;
ALTER TABLE journal ADD COLUMN checksum INTEGER;
ALTER TABLE snapshots ADD COLUMN checksum INTEGER
"""


def create(cursor: sqlite3.Cursor) -> None:
    """Make the tables of a new file."""
    _run(cursor, _TABLES)


def _from_1(cursor: sqlite3.Cursor) -> None:
    # All but the first, which is as it was. The old index of the journal goes with its table.
    _run(cursor, _FROM_1.format(tables=_TABLES.partition(";")[2].rstrip()))


def _from_2(cursor: sqlite3.Cursor) -> None:
    _run(cursor, _FROM_2)


_STEPS: Final[dict[int, Callable[[sqlite3.Cursor], None]]] = {1: _from_1, 2: _from_2}
"""From each older version to this one."""


def upgrade(cursor: sqlite3.Cursor, version: int) -> None:
    """Bring the tables of an older version to this one, within the caller's transaction."""
    _STEPS[version](cursor)


def _run(cursor: sqlite3.Cursor, statements: str) -> None:
    # executescript would commit first.
    for statement in filter(str.strip, statements.split(";")):
        cursor.execute(statement)
