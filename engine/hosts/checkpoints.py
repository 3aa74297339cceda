"""Checkpoints: what is in the log comes into the file, beside the commits and not within them."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path
from typing import Final

_LOG = logging.getLogger(__name__)

_EVERY_S: Final = 1.0
_PAGES: Final = 64 * 1024 * 1024 // 4096
"""Pages of the log from which on it is to begin anew."""
_REST: Final = 500
"""Pages that a writer may fold in itself, so that the log can begin anew: some milliseconds."""


class Checkpoints:
    """A thread that checkpoints each second, on a connection of its own.

    ``PASSIVE`` waits for nobody and nobody waits for it. But while commits go on it never reaches
    the end of the log, which would grow for ever; so when nearly all of a long log is in the file,
    the writer folds in the little rest between two commits, and the log begins at its start.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._closing = threading.Event()
        self._dirty = threading.Event()
        self._long = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def note(self) -> None:
        """Something was committed."""
        self._dirty.set()

    def restart(self, writer: sqlite3.Connection) -> None:
        """Let the log begin anew, when that is due; in the writer's thread, between commits."""
        if not self._long.is_set():
            return
        self._long.clear()
        try:
            writer.execute("PRAGMA wal_checkpoint(RESTART)")
        except sqlite3.Error as problem:
            self._failed(problem)

    def stop(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(_EVERY_S):
            if self._dirty.is_set():
                self._dirty.clear()
                self._fold_in()

    def _fold_in(self) -> None:
        try:
            _, log, done = self._passive()
            if log > _PAGES:
                # Once more for what came meanwhile: the second time there is little.
                _, log, done = self._passive()
            if log > _PAGES and log - done < _REST:
                self._long.set()
        except sqlite3.Error as problem:
            self._failed(problem)

    def _passive(self) -> tuple[int, int, int]:
        row = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return row[0], row[1], row[2]

    def _failed(self, problem: Exception) -> None:
        # Nothing is lost: the log keeps growing until a later checkpoint succeeds.
        _LOG.warning("The log of %s was not folded in: %s", self._path, problem)
