"""What the store of conversations holds of one person's visits: to read, or to remove."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.hosts.person import overwrite, rewrite
from engine.hosts.reading import reading

_PATIENCE_S: Final = 10.0
_JSON: Final = ("attached", "customer", "invitation", "data", "body")
# The digest of the key is a credential; how many lines, and checksums, say nothing of a person.
_SECRET: Final = ("key", "lines", "checksum")


def exported(path: Path, visits: Sequence[str]) -> dict[str, Any]:
    """The conversations of visits with their transcripts, and events on their way. Raises OSError.

    A file that is not there holds none.
    """
    if not path.exists():
        return {"conversations": [], "reports": []}
    with reading(path) as connection:
        connection.row_factory = sqlite3.Row
        marks = json.dumps(list(visits))
        conversations = _chosen(connection, "interactions", "created, rowid", marks)
        for one in conversations:
            one["transcript"] = _transcript(connection, one["id"])
        found = {
            "conversations": conversations,
            "reports": _chosen(connection, "reports", "id", marks),
        }
        # A file of the first version, which no server has opened since, has not all tables.
        if _has(connection, "callbacks"):
            for one in conversations:
                one["callback"] = _callback(connection, one["id"])
            found["deliveries"] = _chosen(connection, "deliveries", "created", marks)
        if _has(connection, "names"):
            for one in conversations:
                one["known_as"] = _known_as(connection, one["id"])
        return found


def erased(path: Path, visits: Sequence[str]) -> dict[str, int]:
    """Remove the conversations of visits and leave no byte of them. Raises OSError.

    No server may have the file open; a file that is not there holds none.
    """
    if not path.exists():
        return {}
    marks = json.dumps(list(visits))
    chosen = "visit IN (SELECT value FROM json_each(?))"
    ids = f"interaction IN (SELECT id FROM interactions WHERE {chosen})"
    try:
        with contextlib.closing(
            sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
        ) as connection:
            overwrite(connection)
            connection.execute("BEGIN IMMEDIATE")
            removed = {
                what: connection.execute(f"DELETE FROM {table} WHERE {which}", (marks,)).rowcount
                for what, table, which in (
                    ("callbacks", "callbacks", ids),
                    ("names of visitors", "names", ids),
                    ("lines of chats", "lines", ids),
                    ("chats", "interactions", chosen),
                    ("events of chats on their way", "reports", chosen),
                    ("deliveries to other media", "deliveries", chosen),
                )
                if _has(connection, table)
            }
            connection.execute("COMMIT")
            rewrite(connection)
    except sqlite3.Error as problem:
        raise OSError(f"{path} can not be written ({problem}): look at its disk.") from problem
    return removed


def _transcript(connection: sqlite3.Connection, interaction: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        "SELECT position, type, nickname, text, time, party FROM lines"
        " WHERE interaction = ? ORDER BY position",
        (interaction,),
    )
    return [dict(row) for row in rows]


def _has(connection: sqlite3.Connection, table: str) -> bool:
    named = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(named, (table,)).fetchone() is not None


def _chosen(
    connection: sqlite3.Connection, table: str, order: str, marks: str
) -> list[dict[str, Any]]:
    """The rows of visits; table and order are constants of this file."""
    rows = connection.execute(
        f"SELECT * FROM {table} WHERE visit IN (SELECT value FROM json_each(?)) ORDER BY {order}",
        (marks,),
    )
    return [_values(row) for row in rows.fetchall()]


def _callback(connection: sqlite3.Connection, interaction: str) -> dict[str, Any] | None:
    wanted = "SELECT phone, slot, note FROM callbacks WHERE interaction = ?"
    row = connection.execute(wanted, (interaction,)).fetchone()
    return None if row is None else dict(row)


def _known_as(connection: sqlite3.Connection, interaction: str) -> str | None:
    wanted = "SELECT name FROM names WHERE interaction = ?"
    row = connection.execute(wanted, (interaction,)).fetchone()
    return None if row is None else row["name"]


def _values(row: sqlite3.Row) -> dict[str, Any]:
    values = dict(row)
    return {
        name: json.loads(value) if name in _JSON else value
        for name, value in values.items()
        if name not in _SECRET
    }
