"""The file of interactions: its tables, version by version, and how it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from engine.hosts.checksums import of_values

_KEYS: Final = {
    "lines": "interaction, position",
    "callbacks": "interaction",
    "names": "interaction",
}
_COLUMNS_3: Final = {
    "interactions": "id, key, medium, state, created, ended, visit, page, agent, nickname, joined,"
    " last_message, lines, attached, customer, invitation, outcome",
    "lines": "interaction, position, type, nickname, text, time, party",
    "reports": "id, visit, page, event, data, attempts, due",
    "callbacks": "interaction, phone, slot, note",
    "deliveries": "id, key, visit, body, created, state, attempts, due",
}
_COLUMNS_4: Final = {"names": "interaction, name"}
STORED: Final = _COLUMNS_3 | _COLUMNS_4
"""The columns of each table that the checksum of a row is of."""


def _sealed(table: str, columns: str) -> str:
    """Give a table checksums: whoever changes a row takes its checksum away, by a trigger."""
    key = _KEYS.get(table, "id")
    same = " AND ".join(f"{name} = NEW.{name}" for name in key.split(", "))
    return f"""
ALTER TABLE {table} ADD COLUMN checksum INTEGER;
CREATE INDEX {table}_unsealed ON {table} ({key}) WHERE checksum IS NULL;
CREATE TRIGGER {table}_changed AFTER UPDATE OF {columns} ON {table} BEGIN
  UPDATE {table} SET checksum = NULL WHERE {same};
END;
"""


STEPS: Final = (
    """
CREATE TABLE interactions (
  id TEXT PRIMARY KEY, key BLOB NOT NULL UNIQUE, medium TEXT NOT NULL, state TEXT NOT NULL,
  created INTEGER NOT NULL, ended INTEGER, visit TEXT, page TEXT, agent TEXT,
  nickname TEXT NOT NULL, joined INTEGER NOT NULL DEFAULT 0, last_message TEXT,
  lines INTEGER NOT NULL DEFAULT 0, attached TEXT NOT NULL, customer TEXT NOT NULL,
  invitation TEXT NOT NULL);
CREATE INDEX interactions_by_state ON interactions (state, created);
CREATE INDEX interactions_by_visit ON interactions (visit, state);
CREATE TABLE lines (
  interaction TEXT NOT NULL REFERENCES interactions (id), position INTEGER NOT NULL,
  type TEXT NOT NULL, nickname TEXT NOT NULL, text TEXT NOT NULL, time INTEGER NOT NULL,
  party TEXT NOT NULL, PRIMARY KEY (interaction, position)) WITHOUT ROWID;
CREATE TABLE reports (
  id INTEGER PRIMARY KEY, visit TEXT NOT NULL, page TEXT, event TEXT NOT NULL,
  data TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL);
""",
    """
ALTER TABLE interactions ADD COLUMN outcome TEXT;
CREATE TABLE callbacks (
  interaction TEXT PRIMARY KEY REFERENCES interactions (id), phone TEXT NOT NULL,
  slot INTEGER, note TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE INDEX callbacks_by_slot ON callbacks (slot);
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY, key BLOB NOT NULL UNIQUE, visit TEXT, body TEXT NOT NULL,
  created INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL);
CREATE INDEX deliveries_by_state ON deliveries (state, due);
CREATE INDEX deliveries_by_visit ON deliveries (visit);
""",
    "".join(map(_sealed, _COLUMNS_3, _COLUMNS_3.values())),
    # A table, and no column: the checksums of conversations that are there stay what they are.
    """
CREATE TABLE names (
  interaction TEXT PRIMARY KEY REFERENCES interactions (id), name TEXT NOT NULL) WITHOUT ROWID;
"""
    + "".join(map(_sealed, _COLUMNS_4, _COLUMNS_4.values())),
)
"""What each version adds to the one before. A step that was released never changes."""


def seal(db: sqlite3.Connection) -> None:
    """Give each row that was written or changed its checksum; within the same transaction."""
    for table, columns in STORED.items():
        db.execute(f"UPDATE {table} SET checksum = checksum_of({columns}) WHERE checksum IS NULL")


def opened(path: Path) -> sqlite3.Connection:
    """Open or create the file; one of an older version is brought up to date, whole or not at all.

    Raises OSError for a file of a newer version, sqlite3.Error for one that can not be used.
    """
    db = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(STEPS):
            raise OSError(f"{path} was written by another version ({version}) of this program.")
        for number, step in enumerate(STEPS[version:], version + 1):
            db.executescript(f"BEGIN IMMEDIATE;{step}PRAGMA user_version = {number};COMMIT;")
        db.create_function("checksum_of", -1, of_values, deterministic=True)
        seal(db)
    except BaseException:
        db.close()
        raise
    return db
