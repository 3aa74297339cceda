"""The cache: what was compiled, kept on disk from one run to the next.

A book of ten thousand rules takes seconds to parse and check, and hardly changes from one start of
a server to the next. So what the compiler says of each file that has no mistake is kept here, under
the hash of its text, of the code that read it, and of the time zones that there are.

Nothing depends on it. What is missing, cut off, changed or of another version is as if it had never
been there, and what cannot be written is not kept; neither is worth a word. Nothing in it is ever
run: the bytes are data that ``language.stored`` reads. And nobody else writes them: they lie in a
folder of the user's own that is closed to all others, which is looked at before it is used, and
each entry has to be a plain file of the same user, with the digest of key and content in its head.
Whoever can put a file there that passes is that user, and could as well change the strategies.

``OVERTURE_CACHE`` names another folder, or is `off`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import stat
import sys
import time
import zoneinfo
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from importlib import metadata
from pathlib import Path
from typing import Final

import engine
from engine.language.stored import Memory

VARIABLE: Final = "OVERTURE_CACHE"
OFF: Final = ("off", "no", "0", "false")
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one entry; a larger one is none of ours."""
MOST: Final = 256 * 1024 * 1024
"""Bytes of all entries, about; when there are more, the half that was used last is kept."""
_BLOCK: Final = 4_096
"""An entry takes as much at least."""
_LOOK: Final = 1_000
"""After so many new entries, and before the first, it is seen whether there are too many."""
_FRESH: Final = 86_400
"""Seconds in which an entry is not marked as used again."""
_MAGIC: Final = b"overture cache 1\n"
_DIGEST: Final = 32
_HEAD: Final = len(_MAGIC) + _DIGEST
_OURS: Final = re.compile(r"[0-9a-f]{40}(\.[0-9]+\.[0-9]+)?")
"""Names of entries, and of those that were being written when a process was killed."""


def cache_of(environment: Mapping[str, str]) -> Memory | None:
    """The cache that the environment names, or the user's; None when it is off or cannot be."""
    named = environment.get(VARIABLE, "").strip()
    if named.lower() in OFF:
        return None
    try:
        folder = Path(named).expanduser() if named else _of_the_user(environment)
        return Cache(folder)
    except (OSError, RuntimeError):  # without a home there is no place for it
        return None


def _of_the_user(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "overture"


class Cache:
    """A folder with an entry for each key, and about ``most`` bytes in all.

    Raises OSError when it cannot be the user's own.
    """

    def __init__(self, folder: Path, most: int = MOST) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        seen = folder.lstat()
        if not stat.S_ISDIR(seen.st_mode) or not _is_own(seen) or seen.st_mode & 0o077:
            raise PermissionError(f"{folder} is not a folder that only its owner can open")
        self._folder = folder
        self._most = most
        self._version = _version() + _zones()
        self._writes = True
        self._numbers = itertools.count()  # the same for all threads

    def get(self, key: str) -> bytes | None:
        """What was kept under a key, exactly as it was given; None for anything else."""
        try:
            raw = _read(self._path(key))
        except OSError:
            return None
        data = raw[_HEAD:]
        return data if raw[:_HEAD] == self._head(key, data) else None

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key, if that is possible."""
        if not self._writes or len(data) > LARGEST - _HEAD:
            return
        path, number = self._path(key), next(self._numbers)
        try:
            if number % _LOOK == 0:
                _make_room(self._folder, self._most)
            part = path.with_suffix(f".{os.getpid()}.{number}")
            _write(part, self._head(key, data) + data)
            part.replace(path)
        except OSError:
            self._writes = False  # a full or locked disk is not asked again

    def _path(self, key: str) -> Path:
        name = blake2b(self._version + key.encode(), digest_size=20).hexdigest()
        return self._folder / name

    def _head(self, key: str, data: bytes) -> bytes:
        digest = blake2b(self._version + key.encode() + b"\0", digest_size=_DIGEST)
        digest.update(data)
        return _MAGIC + digest.digest()


@cache
def _version() -> bytes:
    """A hash of the code that reads and checks: other code may read the same text otherwise.

    Lark makes the tables of the grammar, and RE2 says which patterns are any.
    """
    others = [_release(name) for name in ("lark", "google-re2")]
    found = blake2b(f"{engine.__version__} {sys.version} {others}".encode(), digest_size=16)
    root = Path(engine.__file__).parent
    for room in ("vocabulary", "language"):
        for path in sorted(root.glob(f"{room}/**/*")):
            if path.suffix in (".py", ".lark"):
                found.update(path.name.encode() + path.read_bytes())
    return found.digest()


def _zones() -> bytes:
    """A hash of which time zones there are, as far as can be told without a look at each.

    A book that was found good names zones; an update of the machine may take old names away. What
    a zone says of its hours is not kept: that is read when a book is planned.
    """
    found = blake2b(digest_size=16)
    for folder in zoneinfo.TZPATH:
        with contextlib.suppress(OSError):
            found.update(f"{folder} {os.stat(folder).st_mtime_ns}\n".encode())
    found.update(_release("tzdata").encode())
    return found.digest()


def _release(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _is_own(seen: os.stat_result) -> bool:
    """Does it belong to whoever runs this? Where nobody can tell, nothing does."""
    who = getattr(os, "getuid", None)
    return who is not None and seen.st_uid == who()


def _read(path: Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        seen = os.fstat(file.fileno())
        if not stat.S_ISREG(seen.st_mode) or not _is_own(seen) or seen.st_size > LARGEST:
            raise PermissionError(path)
        raw = file.read()
    if time.time() - seen.st_mtime > _FRESH:
        with contextlib.suppress(OSError):
            os.utime(path)
    return raw


def _write(path: Path, raw: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(raw)


def _make_room(folder: Path, most: int) -> None:
    """Delete what was not used for longest, when there is too much; never what has other names.

    Somebody may have named a folder in which more lies than this.
    """
    entries = []
    with os.scandir(folder) as found:
        for entry in found:
            if not _OURS.fullmatch(entry.name):
                continue
            with contextlib.suppress(OSError):
                seen = entry.stat(follow_symlinks=False)
                entries.append((seen.st_mtime, seen.st_size + _BLOCK, entry.path))
    left = sum(size for _, size, _ in entries)
    if left <= most:
        return
    for _, size, path in sorted(entries):
        if left <= most // 2:
            return
        with contextlib.suppress(OSError):
            os.unlink(path)
            left -= size
