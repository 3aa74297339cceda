"""What the store of conversations holds of one person's visits: to read, or to remove."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.hosts.person import rewrite
from engine.hosts.reading import reading

_PATIENCE_S: Final = 10.0
_JSON: Final = ("attached", "customer", "invitation", "data")
# The digest of the visitor's key is a credential, not something about a person.
_INTERACTION: Final = (
    "id, medium, state, created, ended, visit, page, agent, nickname, joined, last_message,"
    " attached, customer, invitation"
)


def exported(path: Path, visits: Sequence[str]) -> dict[str, Any]:
    """The conversations of visits with their transcripts, and events on their way. Raises OSError.

    A file that is not there holds none.
    """
    if not path.exists():
        return {"conversations": [], "reports": []}
    with reading(path) as connection:
        connection.row_factory = sqlite3.Row
        marks = json.dumps(list(visits))
        chosen = "WHERE visit IN (SELECT value FROM json_each(?))"
        found = connection.execute(
            f"SELECT {_INTERACTION} FROM interactions {chosen} ORDER BY created, rowid", (marks,)
        )
        conversations = [
            {**_values(row), "transcript": _transcript(connection, row["id"])}
            for row in found.fetchall()
        ]
        reports = connection.execute(
            f"SELECT visit, page, event, data, due FROM reports {chosen} ORDER BY id", (marks,)
        )
        return {"conversations": conversations, "reports": [_values(row) for row in reports]}


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
            connection.execute("BEGIN IMMEDIATE")
            removed = {
                what: connection.execute(f"DELETE FROM {table} WHERE {which}", (marks,)).rowcount
                for what, table, which in (
                    ("lines of chats", "lines", ids),
                    ("chats", "interactions", chosen),
                    ("events of chats on their way", "reports", chosen),
                )
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


def _values(row: sqlite3.Row) -> dict[str, Any]:
    values = dict(row)
    return {name: json.loads(value) if name in _JSON else value for name, value in values.items()}
