"""The SQLite file: lock, connections, the one write transaction, reads, checkpoints.

A visitor is one row: its document, its wake-ups, and the offset of its youngest entry in the
journal. Each entry names the one before it of the same visitor. So a history is read by walking
back, and nothing is written for it: an index over millions of visitors would cost more than all
the rest of a commit, for each event touches another of its pages.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import itertools
import logging
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.hosts import checksums, schema
from engine.hosts.checkpoints import Checkpoints
from engine.hosts.contract import Document, Entry, Overloaded
from engine.hosts.encoding import decode, encode
from engine.hosts.journal import Journal
from engine.hosts.rows import COLUMNS, WIDTH, Row, entry_of

_LOG = logging.getLogger(__name__)

_HISTORY_LIMIT: Final = 16 * 1024 * 1024
_LATEST: Final = 2**63 - 1
_CHUNK: Final = 64
"""Rows in one statement: between statements other threads run, and each change costs time."""
_STATEMENTS: Final = 512
"""Statements that are kept compiled: one for each number of rows."""

_CACHE_KB: Final = 16 * 1024

_BUSY: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""Errors of the moment: the same submit may succeed later."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """What is kept of one visitor, apart from the journal.

    ``document`` is None when nothing is to be remembered, ``checksum`` that of its bytes. ``entry``
    is the offset of the youngest entry, ``segment`` the part of the journal in which it was last
    written.
    """

    number: int
    document: Document | None
    wake_at: int | None
    rest_at: int | None
    entry: int
    segment: int
    checksum: int


@dataclass(slots=True)
class Changes:
    """What one transaction writes, all of it or nothing: rows ready for SQLite.

    ``created``, ``moved`` and ``marked`` are rows of visitors: new ones, documents of known ones,
    and their wake-ups where these changed. ``kept`` names whose document is kept as a snapshot.
    Of ``journal`` the values of one row stand after those of the other.
    """

    created: dict[int, Row] = field(default_factory=dict)
    moved: dict[int, Row] = field(default_factory=dict)
    marked: dict[int, Row] = field(default_factory=dict)
    kept: list[int] = field(default_factory=list)
    journal: list[Any] = field(default_factory=list)
    visits: dict[str, int] = field(default_factory=dict)


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

    ``read_*`` may be called from any thread; everything else belongs to the writer thread.
    ``journal`` is the part of the file that grows, and is trimmed.
    """

    def __init__(self, path: Path, *, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._resources = contextlib.ExitStack()
        self._reading = threading.Lock()
        self.identity = ""
        self.epoch = 0
        self.latest = 0
        self.next_number = 1
        self._floors: dict[str, int] = {}

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
        self._resources.close()

    def load(self, visitor: str, decode: Callable[[bytes], Document]) -> Record | None:
        """Read a visitor's row. Raises sqlite3.Error, and what ``decode`` raises."""
        row = self._writer.execute(
            "SELECT document, number, wake_at, rest_at, entry, segment"
            " FROM visitors WHERE visitor = ?",
            (visitor,),
        ).fetchone()
        if row is None:
            return None
        raw, number, wake_at, rest_at, entry, segment = row
        document = None if raw is None else decode(raw)
        checksum = checksums.of_document(raw)
        return Record(number, document, wake_at, rest_at, entry, segment, checksum)

    def owner(self, visit: str) -> str | None:
        """Read whose visit it is, in the writer thread. Raises sqlite3.Error."""
        row = self._writer.execute(_OWNER, (visit,)).fetchone()
        return str(row[0]) if row else None

    def write(self, changes: Changes, *, relaxed: bool = False) -> None:
        """Commit changes durably. Raises sqlite3.Error, and then nothing was written."""
        with self.relaxed() if relaxed else self._transaction() as cursor:
            _many(
                cursor,
                "INSERT OR IGNORE INTO visits VALUES",
                map(_visit_row, changes.visits.items()),
            )
            _many(cursor, _KEEP_HEAD, [(one,) for one in changes.kept], _KEEP_TAIL)
            _write(cursor, "INSERT OR ROLLBACK INTO journal VALUES", changes.journal, WIDTH)
            _many(cursor, "INSERT OR ROLLBACK INTO visitors VALUES", changes.created.values())
            _many(cursor, _MOVE_HEAD, changes.moved.values(), _MOVE_TAIL)
            _many(cursor, _MARK_HEAD, changes.marked.values(), _MARK_TAIL)
        self.journal.grow(changes.journal)
        self._lower("wake_at", [row[2] for row in changes.created.values()])
        self._lower("rest_at", [row[3] for row in changes.created.values()])
        self._lower("wake_at", [row[1] for row in changes.marked.values()])
        self._lower("rest_at", [row[2] for row in changes.marked.values()])
        self._checkpoints.note()

    def begin_log_anew(self) -> None:
        """Let the log begin at its start again, when nearly all of it is in the file."""
        self._checkpoints.restart(self._writer)

    @contextlib.contextmanager
    def relaxed(self) -> Iterator[sqlite3.Cursor]:
        """A transaction that may be lost with the power, and is done again then: no sync."""
        self._writer.execute("PRAGMA synchronous = NORMAL")
        try:
            with self._transaction() as cursor:
                yield cursor
        finally:
            self._writer.execute("PRAGMA synchronous = FULL")
        self._checkpoints.note()

    def next_wake(self) -> int | None:
        """Return the earliest wake-up of all visitors in ms. Raises sqlite3.Error."""
        return self._earliest("wake_at")

    def next_rest(self) -> int | None:
        """Return when the first visitor is to rest, in ms. Raises sqlite3.Error."""
        return self._earliest("rest_at")

    def due(self, now: int, limit: int) -> list[str]:
        """Return visitors whose wake-up is due, earliest first. Raises sqlite3.Error."""
        return self._reached("wake_at", now, limit)

    def resting(self, now: int, limit: int) -> list[str]:
        """Return visitors who are to rest, earliest first. Raises sqlite3.Error."""
        return self._reached("rest_at", now, limit)

    def read_document(self, visitor: str) -> bytes | None:
        """Read a document as last committed, as it is stored. Raises OSError."""
        rows = self._read(_DOCUMENT, (visitor,))
        return rows[0][0] if rows else None

    def read_visitor_of(self, visit: str) -> str | None:
        """Read whose visit it is. Raises OSError."""
        rows = self._read(_OWNER, (visit,))
        return str(rows[0][0]) if rows else None

    def read_journal(self, visitor: str, visit: str | None, limit: int) -> list[Entry]:
        """Read the youngest entries, oldest first, 16 MB of them at most. Raises OSError."""
        # Wake-ups name their visit in what they decided only.
        decided = b'"visit":' + encode(visit)
        rows = self._youngest(
            f"{_PAST} SELECT offset, {COLUMNS} FROM past WHERE ? IS NULL OR visit = ?"
            " OR (visit = '' AND instr(decisions, ?)) LIMIT ?",
            (visitor, visit, visit, decided.decode(), max(0, limit)),
        )
        return [entry_of(row) for row in reversed(rows)]

    def read_past(self, visitor: str) -> tuple[bytes | None, list[Entry]]:
        """Read all that is left of a visitor's journal, and the document before it (or None).

        Raises OSError.
        """
        with self._consistent() as connection:
            return past_of(connection, visitor)

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
        self._writer.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        self._writer.create_function("snapshot_checksum", 3, checksums.of_snapshot)
        self._create()
        self._reader = self._connection()
        self._reader.execute("PRAGMA query_only = ON")
        self._checkpoints = Checkpoints(self._path, self._connection())
        self._resources.callback(self._checkpoints.stop)

    def _connection(self, address: str | None = None) -> sqlite3.Connection:
        connection = sqlite3.connect(
            address or self._path,
            uri=address is not None,
            timeout=self._patience,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
        )
        self._resources.callback(connection.close)
        return connection

    def _create(self) -> None:
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version > schema.VERSION:
            raise OSError(f"{self._path} was written by a newer Overture: use that one.")
        with self._transaction() as cursor:
            if version == 0:
                schema.create(cursor)
            elif version < schema.VERSION:
                _LOG.warning("%s is brought to version %d", self._path, schema.VERSION)
                schema.upgrade(cursor, version)
            cursor.execute(f"PRAGMA user_version = {schema.VERSION}")
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
            (last,) = cursor.execute("SELECT max(number) FROM visitors").fetchone()
            self.journal = Journal(cursor)
        self.identity, self.epoch = meta["identity"], int(meta["epoch"])
        self.next_number = (last or 0) + 1

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

    # No visitor's time is before the floor of its column; so that most turns ask nothing, and what
    # is asked is asked of the index alone. A floor that is too low costs one question.

    def _lower(self, column: str, times: Iterable[int | None]) -> None:
        floor = self._floors.get(column)
        if floor is not None:
            known = [time for time in times if time is not None]
            self._floors[column] = min([floor, *known])

    def _earliest(self, column: str) -> int | None:
        floor = self._floors.get(column)
        if floor is None:
            row = self._writer.execute(
                f"SELECT {column} FROM visitors WHERE {column} IS NOT NULL"
                f" ORDER BY {column} LIMIT 1"
            ).fetchone()
            floor = self._floors[column] = int(row[0]) if row else _LATEST
        return None if floor == _LATEST else floor

    def _reached(self, column: str, now: int, limit: int) -> list[str]:
        if self._floors.get(column, now) > now:
            return []
        self._floors.pop(column, None)
        # As one row: between rows other threads run.
        (raw,) = self._writer.execute(
            "SELECT json_group_array(visitor) FROM (SELECT visitor FROM visitors"
            f" WHERE {column} <= ? ORDER BY {column} LIMIT ?)",
            (now, limit),
        ).fetchone()
        found: list[str] = decode(raw)
        return found

    def _read(self, query: str, values: Sequence[object]) -> list[Any]:
        with self._consistent() as connection:
            return connection.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _consistent(self) -> Iterator[sqlite3.Connection]:
        """Reads of one moment. Raises OSError."""
        try:
            with self._reading:
                self._reader.execute("BEGIN")
                try:
                    yield self._reader
                finally:
                    self._reader.execute("ROLLBACK")
        except sqlite3.Error as problem:
            raise OSError(f"{self._path} can not be read: {problem}.") from problem

    def _youngest(self, query: str, values: Sequence[object]) -> list[Any]:
        """Read rows until they are too many bytes: bodies come from strangers."""
        found: list[Any] = []
        size = 0
        with self._consistent() as connection:
            for row in connection.execute(query, values):
                size += len(row[-2]) + len(row[-1])
                if found and size > _HISTORY_LIMIT:
                    break
                found.append(row)
        return found


_DOCUMENT: Final = "SELECT document FROM visitors WHERE visitor = ?"
_OWNER: Final = (
    "SELECT visitors.visitor FROM visits JOIN visitors ON number = visits.visitor WHERE visit = ?"
)
_PAST: Final = f"""
WITH RECURSIVE past (offset, {COLUMNS}) AS (
    SELECT offset, {COLUMNS} FROM journal
    WHERE offset = (SELECT entry FROM visitors WHERE visitor = ?)
    AND offset >= (SELECT min(first) FROM segments)
    UNION ALL
    SELECT j.offset, {", ".join(f"j.{name}" for name in COLUMNS.split(", "))}
    FROM past JOIN journal AS j ON j.offset = past.before AND j.offset < past.offset
    WHERE j.offset >= (SELECT min(first) FROM segments)
)
"""
_SNAPSHOT: Final = """
SELECT document FROM snapshots
WHERE segment = (SELECT max(segment) FROM segments WHERE first <= ?)
AND visitor = (SELECT number FROM visitors WHERE visitor = ?)
"""

# A document is kept before it is changed, for replays of what comes after.
_KEEP_HEAD: Final = (
    "INSERT OR IGNORE INTO snapshots"
    " SELECT s.segment, number, document, snapshot_checksum(s.segment, number, document)"
    " FROM visitors, (SELECT max(segment) AS segment FROM segments) AS s"
    " WHERE document IS NOT NULL AND number IN (VALUES"
)
_KEEP_TAIL: Final = ")"
# Whatever fails, the transaction is rolled back. Told so, SQLite keeps no copies of the pages that
# one statement changes, which it would else need to undo that statement alone: a fifth of its time.
_MOVE_HEAD: Final = (
    "UPDATE OR ROLLBACK visitors SET document = v.column2, entry = v.column3, segment = v.column4,"
    " checksum = v.column5 FROM (VALUES"
)
_MARK_HEAD: Final = (
    "UPDATE OR ROLLBACK visitors SET wake_at = v.column2, rest_at = v.column3, checksum = v.column4"
    " FROM (VALUES"
)
_MOVE_TAIL: Final = ") AS v WHERE number = v.column1"
_MARK_TAIL: Final = _MOVE_TAIL


def past_of(connection: sqlite3.Connection, visitor: str) -> tuple[bytes | None, list[Entry]]:
    """Read all that is left of a visitor's journal, and the document before it (or None).

    Raises ValueError for a name that is harmed.
    """
    visitor.encode()  # SQLite can not be asked for what is no text
    rows = connection.execute(f"{_PAST} SELECT offset, {COLUMNS} FROM past", (visitor,))
    entries = [entry_of(row) for row in rows][::-1]
    if entries:
        before = connection.execute(_SNAPSHOT, (entries[0].offset, visitor)).fetchone()
    else:
        before = connection.execute(_DOCUMENT, (visitor,)).fetchone()
    return (before[0] if before else None), entries


def _many(cursor: sqlite3.Cursor, head: str, rows: Iterable[Row], tail: str = "") -> None:
    """Run a statement over rows, many of them at a time."""
    waiting = list(rows)
    if waiting:
        _write(cursor, head, [*itertools.chain.from_iterable(waiting)], len(waiting[0]), tail)


def _write(
    cursor: sqlite3.Cursor, head: str, values: list[Any], width: int, tail: str = ""
) -> None:
    """The same over the values of rows, ``width`` of them in each."""
    for place in range(0, len(values), _CHUNK * width):
        chunk = values[place : place + _CHUNK * width]
        cursor.execute(_statement(head, len(chunk) // width, width, tail), chunk)


@functools.lru_cache(_STATEMENTS)
def _statement(head: str, rows: int, columns: int, tail: str) -> str:
    """A statement over so many rows: the same text each time, so that it is found compiled."""
    marks = f"({','.join('?' * columns)})"
    return f"{head} {','.join([marks] * rows)}{tail}"


def held(when: int | None) -> int | None:
    """A time as the file can hold it: later than that is never, and harms no other visitor."""
    return None if when is None or when > _LATEST else when


def _visit_row(known: tuple[str, int]) -> Row:
    return *known, checksums.of_values(*known)
