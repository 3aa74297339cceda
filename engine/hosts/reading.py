"""A store's file opened by somebody who must not change it: an examination, an export."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

_PATIENCE_S = 10.0


@contextlib.contextmanager
def reading(path: Path, *, at_once: bool = True) -> Iterator[sqlite3.Connection]:
    """What is in the file at one moment, also beside a server. Raises OSError with a sentence.

    Nothing is written. Text that is damaged can be read: what is no UTF-8 becomes surrogates. Who
    reads for long says ``at_once=False``: then each statement has a moment of its own, and between
    two of them the log of a server that writes can begin anew.
    """
    if not path.is_file():
        raise OSError(f"There is no store at {path}: name its folder with --data.")
    # A log says that a server has the file open, or died with it; without one, nothing is to be
    # made beside a file that may be a copy on a disk for reading only.
    log = path.with_name(path.name + "-wal")
    alone = not log.exists()
    address = f"{path.absolute().as_uri()}?mode=ro" + ("&immutable=1" if alone else "")
    try:
        with contextlib.closing(
            sqlite3.connect(address, uri=True, timeout=_PATIENCE_S, isolation_level=None)
        ) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            if at_once:
                connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            yield connection
            if at_once:
                connection.execute("ROLLBACK")
    except sqlite3.Error as problem:
        raise OSError(
            f"{path} can not be read ({problem}): if it is a copy, copy it again with"
            f' sqlite3 FILE ".backup COPY"; else restore a backup.'
        ) from problem
    if alone and log.exists():
        raise OSError(f"A server opened {path} meanwhile: what was read is not sure, do it again.")
