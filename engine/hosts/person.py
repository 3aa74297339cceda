"""What a store holds of one person: all of it for them to read, or all of it removed.

Removing is one transaction, and then the file is written anew: a row that is deleted, or was
changed before, leaves its bytes in free parts of the file.
"""

from __future__ import annotations

import base64
import contextlib
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.hosts.document import plain
from engine.hosts.encoding import decode
from engine.hosts.store import Store

_PATIENCE_S: Final = 10.0
_CHUNK: Final = 4 * 1024 * 1024
_JOURNAL: Final = ("offset", "visit", "kind", "time", "version", "id", "body", "decisions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is meant by an id: ``visitor`` is None when the store knows no such visitor.

    ``visits`` are theirs; an id that is unknown may still be a visit that only media heard of.
    """

    visitor: str | None
    number: int | None
    visits: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every id of the person."""
        return tuple(dict.fromkeys((*filter(None, [self.visitor]), *self.visits)))


def identified(connection: sqlite3.Connection, name: str) -> Person:
    """Find who has this globalVisitID or visitID. Raises sqlite3.Error."""
    row = connection.execute(
        "SELECT number, visitor FROM visitors WHERE visitor = ?1 UNION ALL"
        " SELECT number, visitors.visitor FROM visits JOIN visitors ON number = visits.visitor"
        " WHERE visit = ?1 LIMIT 1",
        (name,),
    ).fetchone()
    if row is None:
        return Person(visitor=None, number=None, visits=(name,))
    number, visitor = row
    visits = connection.execute("SELECT visit FROM visits WHERE visitor = ?", (number,))
    return Person(visitor=visitor, number=number, visits=tuple(one[0] for one in visits))


def exported(connection: sqlite3.Connection, person: Person) -> dict[str, Any]:
    """Everything that is stored of a known person, as JSON values. Raises sqlite3.Error."""
    document, wake_at, rest_at = connection.execute(
        "SELECT document, wake_at, rest_at FROM visitors WHERE number = ?", (person.number,)
    ).fetchone()
    memory = _document(document)
    # All rows, not those that the walk back finds: what is marked to be trimmed is stored, too.
    rows = connection.execute(
        f"SELECT {', '.join(_JOURNAL)} FROM journal WHERE visitor = ? ORDER BY offset",
        (person.visitor,),
    )
    kept = connection.execute(
        "SELECT segment, document FROM snapshots WHERE visitor = ? ORDER BY segment",
        (person.number,),
    )
    return {
        "globalVisitID": person.visitor,
        "visitIDs": list(person.visits),
        "wakeAt": wake_at,
        "restAt": rest_at,
        "outbox": memory.pop("outbox", {}) if memory else {},
        "memory": memory,
        "earlierMemory": [{"segment": part, "memory": _document(raw)} for part, raw in kept],
        "journal": [_entry(dict(zip(_JOURNAL, row, strict=True))) for row in rows],
    }


def erased(path: Path, person: Person) -> dict[str, int]:
    """Remove all of a known person and leave no byte of it; how much of what was removed.

    Raises OSError, with a sentence, when the file is in use or can not be written.
    """
    with _owned(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        removed = {
            what: connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (value,)).rowcount
            for what, table, column, value in (
                ("journal entries", "journal", "visitor", person.visitor),
                ("earlier memories", "snapshots", "visitor", person.number),
                ("visits", "visits", "visitor", person.number),
                ("memories", "visitors", "number", person.number),
            )
        }
        connection.execute("COMMIT")
        rewrite(connection)
    return removed


def overwrite(connection: sqlite3.Connection) -> None:
    """Let what is removed be overwritten at once, should there be no room to write a file anew."""
    connection.execute("PRAGMA secure_delete = ON")


def rewrite(connection: sqlite3.Connection) -> None:
    """Write a file anew without what was removed from it, its log included."""
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def traces(paths: Sequence[Path], names: Sequence[str]) -> list[tuple[Path, str]]:
    """The files in whose bytes a name still stands. Raises OSError."""
    found = []
    for path in paths:
        for name in names:
            if _holds(path, name.encode(errors="surrogatepass")):
                found.append((path, name))
    return found


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep servers from the store at ``path`` meanwhile. Raises OSError when one has it."""
    store = Store(path, patience=_PATIENCE_S)
    store.open()
    try:
        yield
    finally:
        store.close()


@contextlib.contextmanager
def _owned(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(
            sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
        ) as connection:
            overwrite(connection)
            yield connection
    except sqlite3.Error as problem:
        raise OSError(
            f"{path} can not be written ({problem}): it takes as much free space on the disk"
            " as the file is large. Do it again when that is so."
        ) from problem


def _holds(path: Path, name: bytes) -> bool:
    with path.open("rb") as file:
        rest = b""
        while chunk := file.read(_CHUNK):
            if name in rest + chunk:
                return True
            rest = chunk[-len(name) :]
    return False


def _document(raw: bytes | None) -> dict[str, Any] | None:
    if raw is None:
        return None
    try:
        return plain(raw)
    except (ValueError, zlib.error):
        return {"unreadable": base64.b64encode(raw).decode()}


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("body", "decisions"):
        with contextlib.suppress(ValueError):
            row[name] = decode(row[name])
    return row
