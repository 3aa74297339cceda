"""A source: the name and text of one file, and how a place in it is shown to a person."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.language.syntax import Span

SUFFIX = ".strategy"
_LINE_END = re.compile("\n")
LARGEST = 2_000_000
"""Files larger than this many characters are refused unread."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file of a book. ``text`` is as read; lines may end with LF or CRLF."""

    name: str
    text: str

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, in characters."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, from 1, without its end."""
        start, end = self._starts[number - 1], self.text.find("\n", self._starts[number - 1])
        return self.text[start : end if end >= 0 else None].rstrip("\r")

    def span(self, start: int, end: int) -> Span:
        """A piece of this source."""
        return Span(source=self.name, start=start, end=end)


class Unreadable(Exception):
    """A book's folder or file cannot be read; the message is a sentence for its author."""


def read_folder(path: Path) -> tuple[Source, ...]:
    """Read all ``*.strategy`` files below a folder (or one file), in order of name.

    Raises Unreadable when there is no such folder, no such file in it, or a file is no text.
    """
    if path.is_file():
        return (_read(path, path.name),)
    if not path.is_dir():
        raise Unreadable(f"There is no folder or file {path}.")
    files = sorted(path.rglob(f"*{SUFFIX}"))
    if not files:
        raise Unreadable(f"The folder {path} holds no file whose name ends in {SUFFIX}.")
    return tuple(_read(file, file.relative_to(path).as_posix()) for file in files)


def _read(path: Path, name: str) -> Source:
    if path.exists() and not path.is_file():  # a pipe would keep its reader waiting for ever
        raise Unreadable(f"{name} is no file that can be read; take it away.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"{name} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8."
        ) from error
    except OSError as error:
        raise Unreadable(f"{name} cannot be read: {error.strerror}.") from error
    if len(text) > LARGEST:
        raise Unreadable(f"{name} is larger than {LARGEST:,} characters; split it.")
    return Source(name=name, text=text)


def by_name(sources: Sequence[Source]) -> dict[str, Source]:
    """Sources by their names."""
    return {source.name: source for source in sources}
