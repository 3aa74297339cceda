"""A recording: lines of browser events read, checked, ordered, and sorted out by visitor."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from engine.language.quiet import undisturbed
from engine.vocabulary.events import NOTHING, PAGE_ENTERED, PAGE_EXITED, Event

STANDARD_INPUT: Final = "-"

Watch = Callable[[str, int, int], None]
"""Told now and then how far the work is: what is being done, done, and of how much (0: unknown)."""

_TEXTS: Final = ("visitID", "globalVisitID", "pageID", "eventID", "url", "title")
_OPTIONAL: Final = (*_TEXTS, "languageCode", "category")
_EVERY: Final = 2_000
_GZIP: Final = b"\x1f\x8b"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class BadRecording(Exception):
    """A recording that cannot be read; the text is one sentence for the person who gave it."""


class Line(NamedTuple):
    """One event line. ``place`` is its place in the whole recording, from 0."""

    time: int
    place: int
    visit: str
    visitor: str | None
    name: str
    page: str | None
    id: str | None
    url: str | None
    title: str | None
    language: str | None
    category: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What one visitor did, in order. ``horizon`` is the time (ms) of each visit's last event."""

    visitor: str
    lines: tuple[Line, ...]
    horizon: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """All visitors, in order of their first event, and what the lines were.

    ``events`` counts every event line, those left out because they have no visitID
    (``homeless``) included; ``bad`` counts lines that were skipped, ``first_bad`` says why.
    ``has_exits`` says whether any line is a PageExited.
    """

    tracks: tuple[Track, ...]
    events: int
    visits: int
    homeless: int
    bad: int
    first_bad: str | None
    has_exits: bool


def read(
    names: Sequence[str],
    *,
    skip_bad: bool = False,
    standard_input: BufferedReader | None = None,
    watch: Watch | None = None,
) -> Recording:
    """Read files of event lines, plain or gzip, ``-`` being standard input.

    Raises BadRecording for a file that cannot be read, and for the first line that is no event
    unless ``skip_bad``. Order: by timestamp, ties by file in the order given, then by line.
    """
    reader = _Reader(skip_bad=skip_bad)
    with undisturbed():
        for name, number, text in _numbered(names, standard_input, watch):
            reader.take(name, number, text)
        return reader.recording()


def moments(
    track: Track, *, derive_exits: bool, agents: Mapping[str, int]
) -> Iterator[tuple[int, Event]]:
    """The events of a visitor in order, each with the place of the line that brought it.

    With ``derive_exits`` a page ends when the next page of its visit begins, at that time and
    just before it. The same pageID entered again is the same page and ends nothing.
    """
    showing: dict[str, Line] = {}
    for line in track.lines:
        if derive_exits and line.name == PAGE_ENTERED:
            before = showing.get(line.visit)
            if before is not None and (before.page is None or before.page != line.page):
                yield line.place, _exit(before, line.time, track.visitor, agents)
            showing[line.visit] = line
        yield line.place, _event(line, track.visitor, agents)


def _event(line: Line, visitor: str, agents: Mapping[str, int]) -> Event:
    return Event(
        name=line.name,
        time=line.time,
        visitor=visitor,
        visit=line.visit,
        page=line.page,
        id=line.id,
        url=line.url,
        title=line.title,
        language=line.language,
        category=line.category,
        data=line.data,
        agents=agents,
    )


def _exit(page: Line, time: int, visitor: str, agents: Mapping[str, int]) -> Event:
    """The end of a page that the recording does not hold: about the page as it was entered."""
    return Event(
        name=PAGE_EXITED,
        time=time,
        visitor=visitor,
        visit=page.visit,
        page=page.page,
        url=page.url,
        title=page.title,
        language=page.language,
        category=page.category,
        agents=agents,
    )


# ---------------------------------------------------------------- lines into tracks


class _Reader:
    """Collects lines, and sorts them out when all are there."""

    def __init__(self, *, skip_bad: bool) -> None:
        self._skip_bad = skip_bad
        self._lines: list[Line] = []
        self._events = 0
        self._bad = 0
        self._first_bad: str | None = None
        self._has_exits = False

    def take(self, name: str, number: int, text: bytes) -> None:
        try:
            line = _parse(text, self._events)
        except _NoEvent as complaint:
            sentence = f"{name}, line {number}: {complaint}."
            if not self._skip_bad:
                way_out = "Correct the line, or leave such lines out with --skip-bad."
                raise BadRecording(f"{sentence} {way_out}") from None
            self._bad += 1
            self._first_bad = self._first_bad or sentence
            return
        self._events += 1
        self._has_exits = self._has_exits or line.name == PAGE_EXITED
        if line.visit:
            self._lines.append(line)

    def recording(self) -> Recording:
        lines = self._lines
        # The sort is stable: lines of one time keep their place.
        lines.sort(key=lambda line: line.time)
        tracks = _tracks(lines)
        return Recording(
            tracks=tracks,
            events=self._events,
            visits=sum(len(track.horizon) for track in tracks),
            homeless=self._events - len(lines),
            bad=self._bad,
            first_bad=self._first_bad,
            has_exits=self._has_exits,
        )


def _tracks(lines: Sequence[Line]) -> tuple[Track, ...]:
    """Give each visit to the visitor of its first event, or to itself when that has none."""
    # A visit that is its own visitor must not meet a globalVisitID of the same spelling.
    owner: dict[str, tuple[bool, str]] = {}
    by_visitor: dict[tuple[bool, str], list[Line]] = {}
    horizons: dict[tuple[bool, str], dict[str, int]] = {}
    for line in lines:
        visitor = owner.get(line.visit)
        if visitor is None:
            visitor = (False, line.visitor) if line.visitor else (True, line.visit)
            owner[line.visit] = visitor
        by_visitor.setdefault(visitor, []).append(line)
        horizons.setdefault(visitor, {})[line.visit] = line.time
    return tuple(
        Track(visitor=visitor[1], lines=tuple(own), horizon=horizons[visitor])
        for visitor, own in by_visitor.items()
    )


# ---------------------------------------------------------------- bytes into lines


class _NoEvent(Exception):
    """Why a line is no event: the rest of a sentence."""


def _refuse_constant(word: str) -> Any:
    raise ValueError(word)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def _parse(text: bytes, place: int) -> Line:
    raw = _object(text)
    name = raw.get("eventName")
    if type(name) is not str or not name:
        raise _NoEvent("eventName is missing or is not text")
    for field in _OPTIONAL:
        value = raw.get(field)
        if value is not None and type(value) is not str:
            raise _NoEvent(f"{field} is not text")
    data = raw.get("data")
    if data is None:
        data = NOTHING
    elif type(data) is not dict:
        raise _NoEvent("data is not an object such as {..}")
    else:
        data = {sys.intern(key): value for key, value in data.items()}
    return Line(
        _time(raw.get("timestamp")),
        place,
        raw.get("visitID") or "",
        raw.get("globalVisitID") or None,
        sys.intern(name),
        raw.get("pageID") or None,
        raw.get("eventID"),
        raw.get("url"),
        raw.get("title"),
        raw.get("languageCode"),
        raw.get("category"),
        data,
    )


def _object(text: bytes) -> dict[str, Any]:
    try:
        raw = _DECODER.decode(text.decode())
    except UnicodeDecodeError:
        raise _NoEvent("this is not text in UTF-8") from None
    except RecursionError:
        raise _NoEvent("its data is nested too deeply") from None
    except ValueError:
        raise _NoEvent("this is not JSON; each line is one event, written as {..}") from None
    if type(raw) is not dict:
        raise _NoEvent("this is JSON but no object; each line is one event, written as {..}")
    return cast("dict[str, Any]", raw)


def _time(raw: object) -> int:
    if type(raw) is int:
        return raw
    if type(raw) is float and raw.is_integer():
        return int(raw)
    raise _NoEvent("timestamp is missing or is not a whole number of milliseconds since 1970")


# ---------------------------------------------------------------- files into bytes


def _numbered(
    names: Sequence[str], standard_input: BufferedReader | None, watch: Watch | None
) -> Iterator[tuple[str, int, bytes]]:
    """Every line that is not blank, with its file and its number from 1."""
    total = sum(_size(name) for name in names)
    before = 0
    for name in names:
        spoken = "standard input" if name == STANDARD_INPUT else name
        number = 0
        try:
            with _open(name, standard_input) as stream:
                for number, text in enumerate(_unpacked(stream), 1):
                    if watch and number % _EVERY == 0:
                        watch("Reading", before + (stream.tell() if total else 0), total)
                    text = text.removeprefix(_BYTE_ORDER_MARK)
                    if not text.isspace():
                        yield spoken, number, text
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise BadRecording(
                f"{spoken}: the compressed data is damaged or cut off after line {number}."
            ) from None
        except OSError as problem:
            raise BadRecording(f"{spoken}: {_reason(problem)}.") from None
        before += _size(name)


def _size(name: str) -> int:
    """Bytes of a file, as a measure of the work; 0 where nobody knows."""
    path = Path(name)
    return path.stat().st_size if name != STANDARD_INPUT and path.is_file() else 0


def _open(
    name: str, standard_input: BufferedReader | None
) -> AbstractContextManager[BufferedReader]:
    if name != STANDARD_INPUT:
        return open(name, "rb")
    # Not closed after the reading: it belongs to the process.
    return nullcontext(standard_input or cast("BufferedReader", sys.stdin.buffer))


def _unpacked(stream: BufferedReader) -> Iterator[bytes]:
    """The lines of a stream, which may be gzip whatever its name is."""
    if stream.peek(2)[:2] == _GZIP:
        # Read in blocks: a GzipFile gives single lines slowly.
        yield from BufferedReader(cast("RawIOBase", gzip.GzipFile(fileobj=stream)), 1 << 16)
    else:
        yield from stream


def _reason(problem: OSError) -> str:
    if isinstance(problem, FileNotFoundError):
        return "there is no such file"
    if isinstance(problem, IsADirectoryError):
        return "this is a folder; name the files in it"
    return (problem.strerror or "it cannot be read").lower()
