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
_SHOWN = 20
"""So many bytes on each side of one that is no UTF-8 are shown, within its word."""


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
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{name} cannot be read: {error.strerror}.") from error
    if why := _no_text(data):
        raise Unreadable(f"{name} {why}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name} {_not_utf8(data, error.start)}") from error
    if "\n" not in text:  # lines may also end with CR alone
        text = text.replace("\r", "\n")
    if len(text) > LARGEST:
        raise Unreadable(f"{name} is larger than {LARGEST:,} characters; split it.")
    return Source(name=name, text=text)


def _no_text(data: bytes) -> str:
    """Why a file is no text, and what to do; nothing for one that may be."""
    start = data[:1_000]
    if start.startswith((b"PK\x03\x04", b"{\\rtf", b"%PDF", b"\xd0\xcf\x11\xe0")):
        return "is a document of another program; save it there as plain text, UTF-8."
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or _every_other_is_zero(start):
        return "is saved as UTF-16; save it as UTF-8."
    if start and not start.strip(b"\x00"):
        return "is empty but for zeros; it was not saved to its end. Save it again."
    return ""


def _every_other_is_zero(data: bytes) -> bool:
    return len(data) > 1 and 0 in (max(data[0::2]), max(data[1::2])) and any(data)


def _not_utf8(data: bytes, place: int) -> str:
    """Where the first letter stands that is not written as UTF-8."""
    line = data.count(b"\n", 0, place) + 1
    before = re.split(rb"\s", data[max(0, place - _SHOWN) : place])[-1]
    after = re.split(rb"\s", data[place : place + _SHOWN])[0]
    word = (before + after).decode("cp1252", "replace")
    return f"is not UTF-8 text (line {line}, `{word}`); save it as UTF-8."


def by_name(sources: Sequence[Source]) -> dict[str, Source]:
    """Sources by their names."""
    return {source.name: source for source in sources}
