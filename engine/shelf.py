"""The shelf: the folder of strategy files on disk, read as a whole, watched, swapped in when good.

Editors save in four ways: in place; emptied and then written, perhaps in halves; to another file
that is renamed; deleted and created. They also save many files at once. So a change is not looked
at before the folder was quiet for a moment; then all files are read, and when one of them looks
like the middle of a save (gone, empty, cut off, or only the beginning of what it was) it gets a
little longer, and longest when it is empty. What is there after that is meant. A book with a
mistake changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import stat
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from watchfiles import awatch

from engine.language.captures import captures
from engine.language.quiet import Breathe, onward
from engine.language.source import SUFFIX
from engine.language.syntax import Book
from engine.press import Compositor, Press, PressError, Problem
from engine.runtime.library import Library
from engine.runtime.plan import Plan, plan
from engine.runtime.visitor import VISIT_EXPIRY

QUIET: Final = 0.05
"""Seconds without another change before a folder is read."""
GRACE: Final = 0.5
"""Seconds that a file in the middle of a save gets."""
EMPTY_GRACE: Final = 3.0
"""Seconds for one that is empty and was not: who wants no strategies deletes the file."""
LOOK: Final = 2.0
"""Seconds between looks at a folder whose file system tells nothing (network drives)."""
_WARM: Final = 2.0
"""Seconds after which the process that compiles is started, if no file changed before."""
_ATTEMPTS: Final = 2
_WORK: Final = 0.0005
"""Seconds after which who plans a book leaves the machine to others."""
_WAY: Final = 0.002
"""Seconds, at least, that are left to them."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of one file; a larger one is no strategy file."""

log = logging.getLogger("overture.book")


class BookError(Exception):
    """A folder that holds no usable book: one sentence, then a line for each mistake."""


@dataclass(frozen=True, slots=True)
class Files:
    """The bytes of all strategy files under a folder, by path relative to it."""

    by_name: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """Name the content: equal content, equal name."""
        sums = sorted(
            f"{name}\0{hashlib.sha256(raw).hexdigest()}" for name, raw in self.by_name.items()
        )
        return hashlib.sha256("\n".join(sums).encode()).hexdigest()

    def unfinished(self, before: Files) -> bool:
        """Say whether a file looks like the middle of a save, compared with what was read."""
        return any(_unfinished(raw, self.by_name.get(name)) for name, raw in before.by_name.items())

    def emptied(self, before: Files) -> bool:
        """Say whether a file holds nothing that held something."""
        return any(raw and self.by_name.get(name) == b"" for name, raw in before.by_name.items())


def _unfinished(before: bytes, now: bytes | None) -> bool:
    if now is None:
        return True
    if now == before:
        return False
    return not now.endswith(b"\n") or before.startswith(now)


@dataclass(frozen=True, slots=True)
class Edition:
    """A book that is live: what of it the rest of the server wants to know."""

    plan: Plan
    book: Book
    files: Files
    vocabulary: Mapping[str, frozenset[str]]
    captures: Mapping[str, Any]


def read_files(folder: Path) -> Files:
    """Read all strategy files under a folder. Raises BookError."""
    if not folder.is_dir():
        raise BookError(f"The book folder {folder} is not there; name one: overture serve FOLDER.")
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in Path(name).parts):
            continue  # what editors keep beside a file while it is open
        try:
            seen = path.stat()
            if stat.S_ISDIR(seen.st_mode):
                continue
            if not stat.S_ISREG(seen.st_mode):
                raise BookError(f"{name} is no file that can be read; take it away.")
            if seen.st_size > LARGEST:
                raise BookError(f"{name} is larger than 4 MB; strategy files are text, split it.")
            found[name] = path.read_bytes()
        except FileNotFoundError:
            continue  # gone since it was listed: the next look decides
        except OSError as error:
            raise BookError(f"{name} cannot be read: {error.strerror}.") from error
    return Files(found)


def edition(
    book: Book,
    files: Files,
    visit_expiry: int = VISIT_EXPIRY,
    before: Plan | None = None,
    breathe: Breathe = onward,
) -> Edition:
    """Plan a book that compiled; ``before`` is the plan of the book that it was edited from."""
    made = plan(book, visit_expiry=visit_expiry, before=before, breathe=breathe)
    words = {name: frozenset(path[0] for path in paths) for name, paths in made.fields.items()}
    return Edition(made, book, files, words, captures(book))


class _GivingWay:
    """Lets the threads that answer visitors run often while this thread builds much.

    Python runs one thread at a time, and each time that another has waited for the disk or the
    network it has to ask this one for its turn; at some hundred requests a second that adds up to
    tenths of a second. So this one stops by itself, again and again.
    """

    def __init__(self) -> None:
        self._begun = time.perf_counter()

    def __call__(self) -> None:
        worked = time.perf_counter() - self._begun
        if worked < _WORK:
            return
        # In proportion: on a busy machine a step takes longer, and others wait as long for it.
        time.sleep(max(_WAY, 2 * worked))
        self._begun = time.perf_counter()


class Shelf:
    """One folder and the library that it feeds.

    Under its books a visit ends when ``visit_expiry`` ms pass without an event.
    """

    def __init__(self, folder: Path, visit_expiry: int = VISIT_EXPIRY) -> None:
        """Read and compile the folder. Raises BookError with all mistakes."""
        self._folder = folder
        self._visit_expiry = visit_expiry
        self._files = read_files(folder)
        found = Compositor(str(folder)).compile(self._files.by_name)
        if isinstance(found, list):
            raise BookError(f"The book in {folder} cannot be used.\n\n{_listed(found)}")
        self._edition = edition(found.book, self._files, visit_expiry)
        self._since = _now()
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []  # the press looks for them, beside the server
        self._sighting: object = _sighting(folder)
        self._press = Press(folder, self._warned)
        self.library = Library(self._edition.plan)

    @property
    def vocabulary(self) -> Mapping[str, frozenset[str]]:
        """The events that the live book knows, with the fields of their data."""
        return self._edition.vocabulary

    @property
    def captures(self) -> Mapping[str, Any]:
        """What pages capture by themselves in the live book, with its version."""
        return self._edition.captures

    @property
    def book(self) -> Book:
        """The live book."""
        return self._edition.book

    def report(self) -> dict[str, Any]:
        """Say what is live and what is wrong with the files on disk, for ``GET /api/book``.

        ``warnings`` are about the live book.
        """
        return {
            "version": self._edition.plan.version,
            "files": list(self._edition.files.by_name),
            "strategies": list(self._edition.book.strategies),
            "live_since": self._since,
            "problems": [one.as_json() for one in self._problems],
            "warnings": [one.as_json() for one in self._warnings],
            "totals": {"problems": _count(self._problems), "warnings": _count(self._warnings)},
        }

    async def watch(self) -> None:
        """Follow the folder until cancelled, also through its being moved away and back."""
        warming = asyncio.create_task(self._warm_up())
        try:
            await self._watch()
        finally:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
            await self._press.close()

    async def _watch(self) -> None:
        while True:
            identity = _identity(self._folder)
            if identity is None:
                await self._refresh()
                await asyncio.sleep(GRACE)
                continue
            changes = awatch(
                self._folder,
                watch_filter=None,
                step=int(QUIET * 500),  # it looks this often, and yields after an empty look
                debounce=2_000,
                rust_timeout=int(LOOK * 1000),
                yield_on_timeout=True,
                recursive=True,
            )
            try:
                await self._look()  # for what happened before the watch began
                async for _ in changes:
                    await self._look()
                    if _identity(self._folder) != identity:
                        break
            except (OSError, RuntimeError) as error:
                log.warning("The book folder cannot be watched now: %s", error)
                await asyncio.sleep(LOOK)

    async def _look(self) -> None:
        """Refresh when something about the files is different; most looks end here."""
        sighting = await asyncio.to_thread(_sighting, self._folder)
        if sighting != self._sighting:
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            self._sighting, files = await self._settled()
        except BookError as error:
            # So that the same files count as a change when they are back.
            self._sighting, self._files = None, Files({})
            self._keep([Problem("", str(self._folder), 0, 0, str(error))])
            return
        if files.digest == self._files.digest:
            return
        self._files = files
        started = time.perf_counter()
        found = await self._compiled(files)
        if isinstance(found, list):
            self._keep(found)
            return
        self._problems = []
        if found.plan.version != self._edition.plan.version:
            self.library.swap(found.plan)
            self._since = _now()
            took = (time.perf_counter() - started) * 1000
            log.info("Book %s is live (%.0f ms).", found.plan.version[:12], took)
        self._edition = found

    async def _compiled(self, files: Files) -> Edition | list[Problem]:
        """Compile what a live server is given. Whatever fails, the last good book stays live."""
        live = self._edition
        for _ in range(_ATTEMPTS):
            try:
                found = await self._press.compile(files.by_name, live.book, live.files.by_name)
            except (OSError, PressError) as error:
                log.warning("The book could not be compiled, once more: %s", error)
                await self._press.close()
                continue
            if isinstance(found, list):
                return found
            if found.version == live.book.version:
                return replace(live, book=found, files=files)
            return await self._planned(found, files)
        text = "The process that compiles books does not run; the log says why. Save again."
        return [Problem("", str(self._folder), 0, 0, text)]

    async def _planned(self, book: Book, files: Files) -> Edition | list[Problem]:
        try:
            live = self._edition.plan
            expiry, give_way = self._visit_expiry, _GivingWay()
            return await asyncio.to_thread(edition, book, files, expiry, live, give_way)
        except Exception:
            # The press believes that this book is live: it has to begin anew.
            await self._press.close()
            log.exception("The book in %s brought a fault of Overture to light.", self._folder)
            text = "A fault of Overture kept this book from being planned; its log says where."
            return [Problem("", str(self._folder), 0, 0, text)]

    def _warned(self, warnings: list[Problem]) -> None:
        self._warnings = warnings

    async def _warm_up(self) -> None:
        """Start the press before it is needed, and after the server has become busy with others."""
        await asyncio.sleep(_WARM)
        try:
            await self._press.start(self._edition.files.by_name)
        except OSError as error:
            log.warning("The process that compiles books did not start: %s", error)

    async def _settled(self) -> tuple[object, Files]:
        """Read the folder until it looks finished or its time is up. Raises BookError."""
        begun = time.monotonic()
        while True:
            sighting = await asyncio.to_thread(_sighting, self._folder)
            waited = time.monotonic() - begun
            try:
                files = await asyncio.to_thread(read_files, self._folder)
                grace = EMPTY_GRACE if files.emptied(self._files) else GRACE
                if waited > grace or not files.unfinished(self._files):
                    return sighting, files
            except BookError:
                if waited > GRACE:
                    raise
            await asyncio.sleep(QUIET)

    def _keep(self, problems: list[Problem]) -> None:
        """Keep the live book; say what is wrong once per change."""
        if problems == self._problems:
            return
        self._problems = problems
        count = f"{_count(problems):,} mistake{'s' if len(problems) > 1 else ''}"
        log.error(
            "The files have %s; the last good book stays live.\n\n%s", count, _listed(problems)
        )


def _count(problems: Iterable[Problem]) -> int:
    return sum(problem.count for problem in problems)


def _listed(problems: list[Problem]) -> str:
    return "\n".join(str(problem) for problem in problems)


def _sighting(folder: Path) -> object:
    """What can be seen of the files without reading them."""
    seen = []
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        try:
            found = path.stat()
        except OSError:
            continue
        seen.append((str(path), found.st_mtime_ns, found.st_size, found.st_ino))
    return seen


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _now() -> int:
    return time.time_ns() // 1_000_000
