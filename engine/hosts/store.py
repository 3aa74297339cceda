"""The SQLite file: schema, the one write transaction, reads, lock and checkpoints."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.hosts.contract import Document, Entry, Input, Overloaded

_LOG = logging.getLogger(__name__)

_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE visitors (visitor TEXT PRIMARY KEY, document TEXT NOT NULL, wake_at INTEGER);
CREATE INDEX visitors_wake_at ON visitors (wake_at) WHERE wake_at IS NOT NULL;
CREATE TABLE visits (visit TEXT PRIMARY KEY, visitor TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (
    offset INTEGER PRIMARY KEY, visitor TEXT NOT NULL, visit TEXT NOT NULL, kind TEXT NOT NULL,
    time INTEGER NOT NULL, version TEXT NOT NULL, epoch INTEGER NOT NULL, id TEXT,
    body TEXT NOT NULL, decisions TEXT NOT NULL
);
CREATE INDEX journal_visitor ON journal (visitor, offset);
"""
_JOURNAL_COLUMNS: Final = "visitor, visit, kind, time, version, epoch, id, body, decisions"

_CHECKPOINT_EVERY_S: Final = 1.0
_HISTORY_LIMIT: Final = 16 * 1024 * 1024
_LATEST: Final = 2**63 - 1
_WAL_LIMIT: Final = 64 * 1024 * 1024

_BUSY: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""Errors of the moment: the same submit may succeed later."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of one visitor, apart from the journal."""

    document: Document
    wake_at: int | None


Row = tuple[object, ...]


@dataclass(slots=True)
class Changes:
    """What one transaction writes, all of it or nothing: rows ready for SQLite."""

    visitors: dict[str, Row] = field(default_factory=dict)
    journal: list[Row] = field(default_factory=list)
    visits: dict[str, str] = field(default_factory=dict)


def explain(problem: Exception, path: Path) -> Exception:
    """Turn an error of SQLite into what a submitter is told: Overloaded or OSError."""
    if not isinstance(problem, sqlite3.Error):
        return problem
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return Overloaded(f"The disk of {path} is full: free some space.", retry_after=5)
    if code in _BUSY:
        return Overloaded(f"Another program holds {path} locked: it has to let go first.")
    return OSError(
        f"{path} can not be written or read ({problem}): look whether its disk is full,"
        " write-protected or broken."
    )


def _unopened(problem: sqlite3.Error, path: Path) -> OSError:
    """Say why a file can not be opened. Only what is no database of ours is to be moved away."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return OSError(f"{path} can not be opened: {problem}. Move it away to begin anew.")
    return OSError(str(explain(problem, path)))


class Store:
    """One open SQLite file. ``latest`` (ms) is the youngest time in it when it was opened.

    ``load``, ``owner``, ``write``, ``next_wake`` and ``due`` belong to the writer thread;
    ``read_*`` may be called from any other thread.
    """

    def __init__(self, path: Path, *, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._resources = contextlib.ExitStack()
        self._reading = threading.Lock()
        self._closing = threading.Event()
        self._dirty = threading.Event()
        self.identity = ""
        self.epoch = 0
        self.latest = 0

    def open(self) -> None:
        """Lock and open the file, create it when it is missing. Raises OSError."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock()
            self._connect()
        except sqlite3.Error as problem:
            self._resources.close()
            raise _unopened(problem, self._path) from problem
        except BaseException:
            self._resources.close()
            raise

    def open_for_reading(self) -> None:
        """Open an existing file for ``read_*`` alone, also beside a server. Raises OSError."""
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        try:
            self._reader = self._connection(address)
        except sqlite3.Error as problem:
            raise OSError(f"{self._path} can not be read: {problem}.") from problem

    def close(self) -> None:
        """Checkpoint, close, let go of the lock."""
        self._closing.set()
        self._resources.close()

    def load(self, visitor: str) -> Record | None:
        """Read a visitor's row. Raises sqlite3.Error."""
        row = self._writer.execute(
            "SELECT document, wake_at FROM visitors WHERE visitor = ?", (visitor,)
        ).fetchone()
        return Record(json.loads(row[0]), row[1]) if row else None

    def owner(self, visit: str) -> str | None:
        """Read whose visit it is, in the writer thread. Raises sqlite3.Error."""
        row = self._writer.execute(
            "SELECT visitor FROM visits WHERE visit = ?", (visit,)
        ).fetchone()
        return str(row[0]) if row else None

    def write(self, changes: Changes) -> None:
        """Commit changes durably. Raises sqlite3.Error, and then nothing was written."""
        with self._transaction() as cursor:
            cursor.executemany(
                "INSERT OR IGNORE INTO visits (visit, visitor) VALUES (?, ?)",
                changes.visits.items(),
            )
            cursor.executemany(
                f"INSERT INTO journal ({_JOURNAL_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                changes.journal,
            )
            cursor.executemany(
                "INSERT INTO visitors (visitor, document, wake_at) VALUES (?, ?, ?)"
                " ON CONFLICT (visitor) DO UPDATE"
                " SET document = excluded.document, wake_at = excluded.wake_at",
                changes.visitors.values(),
            )
        self._dirty.set()

    def next_wake(self) -> int | None:
        """Return the earliest wake-up of all visitors in ms. Raises sqlite3.Error."""
        row = self._writer.execute(
            "SELECT wake_at FROM visitors WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1"
        ).fetchone()
        return int(row[0]) if row else None

    def due(self, now: int, limit: int) -> list[str]:
        """Return visitors whose wake-up is due, earliest first. Raises sqlite3.Error."""
        rows = self._writer.execute(
            "SELECT visitor FROM visitors WHERE wake_at <= ? ORDER BY wake_at LIMIT ?",
            (now, limit),
        )
        return [row[0] for row in rows]

    def read_document(self, visitor: str) -> Document | None:
        """Read a document as last committed. Raises OSError."""
        rows = self._read("SELECT document FROM visitors WHERE visitor = ?", (visitor,))
        return json.loads(rows[0][0]) if rows else None

    def read_visitor_of(self, visit: str) -> str | None:
        """Read whose visit it is. Raises OSError."""
        rows = self._read("SELECT visitor FROM visits WHERE visit = ?", (visit,))
        return str(rows[0][0]) if rows else None

    def read_journal(self, visitor: str, visit: str | None, limit: int) -> list[Entry]:
        """Read the youngest entries, oldest first, 16 MB of them at most. Raises OSError."""
        # A visit's entries are found through its visitor: one index to write instead of two.
        # Wake-ups name their visit in what they decided only.
        decided = f'"visit":{_encode(visit)}'
        rows = self._youngest(
            f"SELECT offset, {_JOURNAL_COLUMNS} FROM journal WHERE visitor = ?"
            " AND (? IS NULL OR visit = ? OR (visit = '' AND instr(decisions, ?)))"
            " ORDER BY offset DESC LIMIT ?",
            (visitor, visit, visit, decided, max(0, limit)),
        )
        return [_entry(row) for row in reversed(rows)]

    def _lock(self) -> None:
        # The lock file stays: removing it would let two processes hold locks on different files.
        name = self._path.with_name(self._path.name + ".lock")
        try:
            handle = self._resources.enter_context(name.open("a"))
        except OSError as problem:
            raise OSError(
                f"{name} can not be written ({problem.strerror}): make it writable, or choose"
                " another data folder."
            ) from problem
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(
                f"{self._path} is in use by another server: stop that one, or choose another"
                " data folder."
            ) from None

    def _connect(self) -> None:
        self._writer = self._connection()
        self._writer.execute("PRAGMA journal_mode = WAL")
        # FULL syncs the log at each commit: what was answered survives a power cut as well.
        self._writer.execute("PRAGMA synchronous = FULL")
        # A checkpoint inside a commit costs 20-30 ms; a thread of its own does it instead.
        self._writer.execute("PRAGMA wal_autocheckpoint = 0")
        self._create()
        self._reader = self._connection()
        self._reader.execute("PRAGMA query_only = ON")
        checkpoints = self._connection()
        thread = threading.Thread(
            target=self._checkpoint_forever, args=(checkpoints,), name="checkpoints", daemon=True
        )
        thread.start()
        self._resources.callback(thread.join)
        self._resources.callback(self._closing.set)

    def _connection(self, address: str | None = None) -> sqlite3.Connection:
        connection = sqlite3.connect(
            address or self._path,
            uri=address is not None,
            timeout=self._patience,
            isolation_level=None,
            check_same_thread=False,
        )
        self._resources.callback(connection.close)
        return connection

    def _create(self) -> None:
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version > _SCHEMA_VERSION:
            raise OSError(f"{self._path} was written by a newer Overture: use that one.")
        with self._transaction() as cursor:
            if version == 0:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    cursor.execute(statement)
                cursor.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            cursor.execute(
                "INSERT OR IGNORE INTO meta VALUES ('identity', ?), ('epoch', '0')",
                (secrets.token_hex(4),),
            )
            cursor.execute("UPDATE meta SET value = value + 1 WHERE key = 'epoch'")
            meta = dict(cursor.execute("SELECT key, value FROM meta").fetchall())
            youngest = cursor.execute(
                "SELECT max(time) FROM (SELECT time FROM journal ORDER BY offset DESC LIMIT 1000)"
            ).fetchone()
            self.latest = youngest[0] or 0
        self.identity, self.epoch = meta["identity"], int(meta["epoch"])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        cursor = self._writer.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            yield cursor
            cursor.execute("COMMIT")
        except BaseException:
            # After some errors (disk full among them) SQLite has rolled back by itself.
            if self._writer.in_transaction:
                cursor.execute("ROLLBACK")
            raise

    def _read(self, query: str, values: Sequence[object]) -> list[Any]:
        try:
            with self._reading:
                return self._reader.execute(query, values).fetchall()
        except sqlite3.Error as problem:
            raise OSError(f"{self._path} can not be read: {problem}.") from problem

    def _youngest(self, query: str, values: Sequence[object]) -> list[Any]:
        """Read rows until they are too many bytes: bodies come from strangers."""
        found: list[Any] = []
        size = 0
        try:
            with self._reading, contextlib.closing(self._reader.execute(query, values)) as rows:
                for row in rows:
                    size += len(row[-2]) + len(row[-1])
                    if found and size > _HISTORY_LIMIT:
                        break
                    found.append(row)
        except sqlite3.Error as problem:
            raise OSError(f"{self._path} can not be read: {problem}.") from problem
        return found

    def _checkpoint_forever(self, connection: sqlite3.Connection) -> None:
        while not self._closing.wait(_CHECKPOINT_EVERY_S):
            if self._dirty.is_set():
                self._dirty.clear()
                self._checkpoint(connection)

    def _checkpoint(self, connection: sqlite3.Connection) -> None:
        log = self._path.with_name(self._path.name + "-wal")
        try:
            big = os.path.getsize(log) > _WAL_LIMIT
            connection.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if big else 'PASSIVE'})")
        except (OSError, sqlite3.Error) as problem:
            # Nothing is lost: the log keeps growing until a later checkpoint succeeds.
            _LOG.warning("The log of %s was not folded in: %s", self._path, problem)


def visitor_row(visitor: str, record: Record) -> Row:
    """Make the row of a visitor. Raises TypeError when the document is not of JSON values."""
    # Later than the file can say is never; it must not fail the transaction of other visitors.
    wake_at = None if record.wake_at is None or record.wake_at > _LATEST else record.wake_at
    return (visitor, _encode(record.document), wake_at)


def journal_row(visitor: str, one: Input, decisions: Sequence[Mapping[str, Any]]) -> Row:
    """Make the row of an input. Raises ValueError or TypeError when it can not be stored."""
    for text in (visitor, one.visit, one.id or ""):
        text.encode()  # half a surrogate pair must fail its own submit, not the whole transaction
    return (
        visitor, one.visit, one.kind, one.time, one.version, one.epoch, one.id,
        _encode(dict(one.body)), _encode(list(map(dict, decisions))) if decisions else "[]",
    )  # fmt: skip


# One encoder for all: json.dumps would make one per call. ASCII on purpose: JSON from browsers may
# hold text that has no UTF-8 form.
_encode: Final[Callable[[object], str]] = json.JSONEncoder(
    separators=(",", ":"), check_circular=False
).encode


def _entry(row: Sequence[Any]) -> Entry:
    offset, visitor, visit, kind, time, version, epoch, name, body, decisions = row
    return Entry(
        offset=offset,
        visitor=visitor,
        input=Input(
            kind=kind,
            visit=visit,
            time=time,
            version=version,
            id=name,
            body=json.loads(body),
            epoch=epoch,
        ),
        decisions=tuple(json.loads(decisions)),
    )
