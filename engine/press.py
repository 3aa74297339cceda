"""The press: a process beside the server that compiles, so that no visitor waits for an author.

Compiling a thousand rules and looking for warnings keeps Python busy for seconds. In the process
that serves, every answer would have to wait for its turn; so a child does it, and remembers the
book as it was, so that one edit costs little. Only declarations that changed come back: the server
puts them into the book that it has.

The child is started by ``Press`` and speaks in frames over its standard streams: eight bytes of
length, then a pickled value. Both ends are this file, in one program.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import engine
from engine.cache import cache_of
from engine.language.compiler import Compiler
from engine.language.diagnostics import Diagnostic, Shown
from engine.language.lints import lint
from engine.language.render import others, terminal
from engine.language.source import SUFFIX, Source
from engine.language.stored import Memory
from engine.language.syntax import Book
from engine.runtime.parts import is_same

_ROOT: Final = str(Path(engine.__file__).resolve().parent.parent)
_LENGTH: Final = 8
_LARGE: Final = 50_000
"""Bytes of a frame that are unpacked outside the event loop."""
_NICENESS: Final = 10
"""Visitors go first; but on a machine that is full, an author still gets a share of it."""
_BOOK, _WARNINGS = "book", "warnings"

log = logging.getLogger("overture.book")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the files on disk; lines and columns count from 1.

    ``shown`` is how a person reads it in a terminal, when that is more than one line. One that
    stands for others that are not shown says for how many.
    """

    code: str
    file: str
    line: int
    column: int
    message: str
    hint: str | None = None
    shown: str | None = None
    count: int = 1

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return self.shown or f"{place}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        """The problem for machines."""
        names = ("code", "file", "line", "column", "message", "hint")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Proof:
    """A book that compiled, with the texts that it was made of."""

    book: Book
    sources: Mapping[str, Source]
    memory: Memory | None = None

    def warnings(self) -> list[Problem]:
        """What its author can hardly mean. A fault of ours is logged, and says nothing."""
        try:
            found = lint(self.book, tuple(self.sources.values()), self.memory)
            return _problems(found, self.sources)
        except Exception:
            log.exception("Looking for warnings brought a fault of Overture to light.")
            return []


class Compositor:
    """Compiles the files of one folder again and again; what did not change costs little.

    What another run compiled costs little too: it is in the cache that the environment names.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._memory = cache_of(os.environ)
        self._compiler = Compiler(self._memory)

    def compile(self, files: Mapping[str, bytes]) -> Proof | list[Problem]:
        """Compile all files as one book, or give every mistake. A fault of ours is a mistake."""
        try:
            return self._compile(files)
        except Exception:
            log.exception("The book in %s brought a fault of Overture to light.", self._folder)
            text = "A fault of Overture kept this book from being compiled; its log says where."
            return [Problem("", self._folder, 0, 0, text)]

    def _compile(self, files: Mapping[str, bytes]) -> Proof | list[Problem]:
        if not files:
            return [Problem("", self._folder, 0, 0, f"There is no {SUFFIX} file in this folder.")]
        sources: dict[str, Source] = {}
        problems: list[Problem] = []
        for name, raw in files.items():
            try:
                sources[name] = Source(name=name, text=raw.decode("utf-8-sig"))
            except UnicodeDecodeError as error:
                line = raw.count(b"\n", 0, error.start) + 1
                text = "The file is not UTF-8 here; save it as UTF-8."
                problems.append(Problem("", name, line, 1, text))
        result = self._compiler.compile(tuple(sources.values()))
        problems += _problems(result.found, sources)
        if problems or result.book is None:
            return problems
        return Proof(result.book, sources, self._memory)


def _problems(found: Shown, sources: Mapping[str, Source]) -> list[Problem]:
    problems = [_problem(one, sources) for one in found.diagnostics]
    if found.more:
        text, count = others(found.more), sum(found.more.values())
        problems.append(Problem("", "", 0, 0, text, shown=text, count=count))
    return problems


def _problem(one: Diagnostic, sources: Mapping[str, Source]) -> Problem:
    line, column = sources[one.span.source].place(one.span.start)
    shown = terminal(one, sources)
    return Problem(one.code, one.span.source, line, column, one.message, one.hint, shown)


@dataclass(frozen=True, slots=True)
class Change:
    """What makes one book of another: declarations by table and name, and names that are gone.

    ``whole``: it is not about another book, but all there is.
    """

    version: str
    zone: str
    new: Mapping[str, Mapping[Any, Any]]
    gone: Mapping[str, Sequence[Any]]
    whole: bool


_TABLES: Final = tuple(one.name for one in fields(Book) if one.name not in ("version", "zone"))


def change(before: Book | None, after: Book) -> Change:
    """Tell what is different. What is the same object, or reads the same, is not."""
    new: dict[str, dict[Any, Any]] = {}
    gone: dict[str, list[Any]] = {}
    for table in _TABLES:
        old = getattr(before, table) if before else {}
        now = getattr(after, table)
        new[table] = {
            name: value
            for name, value in now.items()
            if not (name in old and is_same(old[name], value))
        }
        gone[table] = [name for name in old if name not in now]
    return Change(after.version, after.zone, new, gone, whole=before is None)


def changed(before: Book, told: Change) -> Book:
    """Make the book that was told of; what did not change is shared."""
    tables = {}
    for table in _TABLES:
        old = {} if told.whole else getattr(before, table)
        merged = {**old, **told.new[table]}
        for name in told.gone[table]:
            del merged[name]
        tables[table] = dict(sorted(merged.items(), key=lambda entry: entry[0]))
    return replace(before, version=told.version, zone=told.zone, **tables)


class PressError(Exception):
    """The child died or never came up."""


class Press:
    """The server's end: knows the child, and the book that both of them have.

    ``process`` is the child while there is one. ``warned`` is called in the event loop with the
    warnings about the book that the server has, some time after the child was given it or gave it.
    Use from one event loop, one call at a time.
    """

    def __init__(self, folder: Path, warned: Callable[[list[Problem]], None]) -> None:
        self._folder = folder
        self._warned = warned
        self._number = 0
        self._good = 0
        self._starting = asyncio.Lock()
        self.process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[Change | list[Problem]] | None = None

    async def start(self, files: Mapping[str, bytes]) -> None:
        """Start the child with the files of the book that the server has. Raises OSError."""
        async with self._starting:
            if self.process is not None:
                return
            path = os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH"))))
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "engine.press", str(self._folder)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path},
                # Ctrl-C is for the server, which ends the child itself. (A group of its own would
                # be enough, but uvloop knows no argument for that.)
                start_new_session=True,
            )
            self._listening = asyncio.create_task(self._listen(self.process))
            self._send(self.process, (self._good, files))

    async def compile(
        self, files: Mapping[str, bytes], before: Book, files_before: Mapping[str, bytes]
    ) -> Book | list[Problem]:
        """Compile files to a book, or give every mistake in them. Raises OSError, PressError.

        ``before`` is the book that the server has, made of ``files_before``.
        """
        await self.start(files_before)
        assert self.process is not None
        self._number += 1
        self._answer = asyncio.get_running_loop().create_future()
        if self._listening is None or self._listening.done():
            raise PressError("The process that compiles has died.")
        self._send(self.process, (self._number, files))
        found = await self._answer
        if isinstance(found, Change):
            return await asyncio.to_thread(changed, before, found)
        return found

    async def close(self) -> None:
        """End the child; the next call starts another."""
        process, self.process = self.process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if self._listening is not None:
            await self._listening

    def _send(self, process: asyncio.subprocess.Process, value: object) -> None:
        assert process.stdin is not None
        process.stdin.write(_frame(value))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while True:
                length = int.from_bytes(await process.stdout.readexactly(_LENGTH), "big")
                raw = await process.stdout.readexactly(length)
                if length > _LARGE:
                    self._take(await asyncio.to_thread(pickle.loads, raw))
                else:
                    self._take(pickle.loads(raw))
        except (asyncio.IncompleteReadError, ConnectionError):
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(PressError("The process that compiles has died."))

    def _take(self, frame: tuple[str, int, Any]) -> None:
        kind, number, found = frame
        if kind == _WARNINGS:
            if number == self._good:  # else about a book that is not the last any more
                self._warned(found)
        elif number == self._number and self._answer is not None and not self._answer.done():
            self._good = number if isinstance(found, Change) else self._good
            self._answer.set_result(found)


# What follows runs in the child.


def main(folder: str) -> None:
    """Read files, answer what changed and then what is to be warned of, until nobody asks.

    What the first files make is there already, and only its warnings are wanted.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    os.nice(_NICENESS)
    answers = _Answers()
    proofreader = _Proofreader(answers)
    compositor = Compositor(folder)
    book: Book | None = None
    is_first = True
    while (request := _read(sys.stdin.buffer)) is not None:
        number, files = request
        found = compositor.compile(files)
        proof = found if isinstance(found, Proof) else None
        if not is_first:
            answers.give(_BOOK, number, change(book, proof.book) if proof else found)
        if proof:
            book = proof.book
            proofreader.look(number, proof)
        is_first = False
    os._exit(0)  # at once: nobody waits for the warnings any more


class _Answers:
    """The way back to the server, for both threads."""

    def __init__(self) -> None:
        # What is printed by mistake must not get between the frames.
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        self._writing = threading.Lock()

    def give(self, kind: str, number: int, value: object) -> None:
        with self._writing:
            try:
                self._out.write(_frame((kind, number, value)))
                self._out.flush()
            except BrokenPipeError:
                os._exit(0)  # the server was killed: nobody waits for anything any more


class _Proofreader:
    """Looks for warnings in a thread of its own: the next edit does not wait for them."""

    def __init__(self, answers: _Answers) -> None:
        self._answers = answers
        self._next: tuple[int, Proof] | None = None
        self._given = threading.Condition()
        threading.Thread(target=self._look_forever, daemon=True).start()

    def look(self, number: int, proof: Proof) -> None:
        """Look at this one next; one that still waits is not wanted any more."""
        with self._given:
            self._next = (number, proof)
            self._given.notify()

    def _look_forever(self) -> None:
        while True:
            with self._given:
                self._given.wait_for(lambda: self._next)
                assert self._next is not None
                (number, proof), self._next = self._next, None
            self._answers.give(_WARNINGS, number, proof.warnings())


def _frame(value: object) -> bytes:
    raw = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return len(raw).to_bytes(_LENGTH, "big") + raw


def _read(stream: BinaryIO) -> Any:
    """The next value, or None when the other end is gone."""
    head = stream.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    length = int.from_bytes(head, "big")
    raw = stream.read(length)
    return pickle.loads(raw) if len(raw) == length else None


if __name__ == "__main__":
    # Under its own name, so that what is pickled here is known there.
    from engine.press import main as work

    work(sys.argv[1])
