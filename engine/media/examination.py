"""An examination of the store of conversations: is each row what was written, and nothing gone?"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from engine.hosts.checksums import of_values
from engine.hosts.findings import HARMED, REPORT, Finding
from engine.media.schema import STEPS, STORED

_JSON: Final = ("attached", "customer", "invitation", "data", "body")
_PLACE: Final = {
    "interactions": "chat {id}",
    "lines": "line {position} of chat {interaction}",
    "reports": "event {id} on its way to visit {visit}",
    "callbacks": "callback {interaction}",
    "names": "name of the visitor of chat {interaction}",
    "deliveries": "delivery {id} for visit {visit}",
}


def of_the_chats(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Each row can be read and is what was written; transcripts have all their lines.

    Raises OSError with a sentence when another version wrote the file.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != len(STEPS):
        raise OSError(
            "The chats were written by another version of Overture: start the server once, which"
            " brings them up to date, or examine them with a newer one."
        )
    for table, columns in STORED.items():
        names = columns.split(", ")
        for *values, checksum in connection.execute(f"SELECT {columns}, checksum FROM {table}"):
            row = dict(zip(names, values, strict=True))
            place = _PLACE[table].format_map(row)
            if checksum != of_values(*values):
                said = "It is not what was written: its checksum is that of other bytes."
                yield Finding("chat-damaged", place, said)
            elif not _can_be_read(row):
                yield Finding("chat-unreadable", place, "What is attached to it can not be read.")
    yield from _of_the_transcripts(connection)


def _can_be_read(row: dict[str, Any]) -> bool:
    try:
        return all(isinstance(json.loads(row[name]), dict) for name in _JSON if name in row)
    except HARMED:
        return False


def _of_the_transcripts(connection: sqlite3.Connection) -> Iterator[Finding]:
    rows = connection.execute(
        "SELECT id, lines, (SELECT count(*) FROM lines WHERE interaction = id) AS there,"
        " (SELECT coalesce(max(position), 0) FROM lines WHERE interaction = id) AS last,"
        " (state = 'ended') = (ended IS NOT NULL) FROM interactions"
    )
    for chat, lines, there, last, agrees in rows:
        if not lines == there == last:
            said = f"It has {there} lines up to number {last}, but {lines} were written."
            yield Finding("lines-missing", f"chat {chat}", said)
        if not agrees:
            said = "Whether it has ended, and when, do not agree."
            yield Finding("chat-out-of-order", f"chat {chat}", said, REPORT)
    lost = "SELECT DISTINCT interaction FROM lines WHERE interaction NOT IN"
    for (chat,) in connection.execute(f"{lost} (SELECT id FROM interactions)"):
        yield Finding("chat-missing", f"chat {chat}", "It has lines, but is not there itself.")
