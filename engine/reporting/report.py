"""A report: the figures of a time, in rows by what was asked for, read from what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from engine.hosts.slices import oldest, slices
from engine.media.started import started
from engine.reporting.funnel import DIMENSIONS, PATIENCE, STAGES, Figures, Funnel
from engine.reporting.offering import Offering

SLICE: Final = 1_000
"""Entries of the journal that are looked at in one read."""
_QUARTER: Final = 900_000
"""Every zone is ahead of UTC by whole quarters of an hour."""
_EVER: Final = date(9000, 1, 1)
_OF_TALKS: Final = ("medium", "day")

Rest = Callable[[], None]
"""Called between two slices: others have their turn, and it may raise to end the reading."""


class Asked(NamedTuple):
    """What a report is about: days (both inclusive; None is open), their zone, its rows."""

    since: date | None
    until: date | None
    zone: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One part of the whole: what it is about (as asked for) and its numbers."""

    about: tuple[str | None, ...]
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Talks:
    """Conversations of one part, by who began them."""

    about: tuple[str | None, ...]
    proactive: Counter[str] = field(default_factory=Counter)
    reactive: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures. ``oldest`` is the time of the oldest entry that is kept (ms), or None."""

    asked: Asked
    oldest: int | None
    rows: Sequence[Row]
    total: Figures
    talks: Sequence[Talks]


class Days:
    """The days of a zone: which a time belongs to, and when one begins (ms)."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._known: dict[int, str] = {}

    def of(self, time: int) -> str:
        """The date of a time, as ``2026-11-26``."""
        quarter = time // _QUARTER
        found = self._known.get(quarter)
        if found is None:
            moment = datetime.fromtimestamp(quarter * _QUARTER / 1000, self._zone)
            found = self._known[quarter] = moment.date().isoformat()
        return found

    def begin(self, day: date) -> int:
        """When a day begins."""
        moment = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return int(moment.astimezone(UTC).timestamp() * 1000)


def report(
    data: Path, offered: Mapping[str, Offering], asked: Asked, rest: Rest, size: int = SLICE
) -> Report:
    """Read the figures from a data folder, in slices. Raises OSError with a sentence."""
    days = Days(asked.zone)
    since = 0 if asked.since is None else days.begin(asked.since)
    until = days.begin(_EVER if asked.until is None else asked.until + timedelta(days=1))
    visits = data / "visits.sqlite3"
    end = until + PATIENCE
    # Conversations first: one that starts while the journal is read counts in the next report.
    talks = list(_with_rests(started(data / "interactions.sqlite3", since, end), size, rest))
    funnel = Funnel(offered, talks, days.of, since, until)
    for entries in slices(visits, since, end, size):
        for told in entries:
            funnel.note(told)
        rest()
    funnel.finish()
    return rolled_up(funnel, asked, oldest(visits))


def _with_rests(found: Iterable[Any], size: int, rest: Rest) -> Iterator[Any]:
    for number, one in enumerate(found, 1):
        if number % size == 0:
            rest()
        yield one


def rolled_up(funnel: Funnel, asked: Asked, since: int | None) -> Report:
    """Add cells up to the rows that were asked for; the total is the sum of the rows."""
    rows: dict[tuple[str | None, ...], Figures] = {}
    total = Figures()
    for cell, figures in funnel.cells.items():
        about = tuple(getattr(cell, name) for name in asked.by)
        rows.setdefault(about, Figures()).add(figures)
        total.add(figures)
    talks: dict[tuple[str | None, ...], Talks] = {}
    for talk, counted in funnel.talks.items():
        about = tuple(getattr(talk, name) for name in talks_by(asked))
        part = talks.setdefault(about, Talks(about=about))
        (part.proactive if talk.proactive else part.reactive).update(counted)
    return Report(
        asked=asked,
        oldest=since,
        rows=[Row(about=about, figures=rows[about]) for about in sorted(rows, key=_in_order)],
        total=total,
        talks=[talks[about] for about in sorted(talks, key=_in_order)],
    )


def talks_by(asked: Asked) -> tuple[str, ...]:
    """What conversations are told apart by: they have a medium and a day, and no strategy."""
    return tuple(name for name in asked.by if name in _OF_TALKS)


def _in_order(about: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(value or "" for value in about)


class Unclear(Exception):
    """What was asked for can not be understood: one sentence with the way out."""


def asked_for(words: Mapping[str, str | None], zone: str) -> Asked:
    """Understand ``from``, ``to``, ``by`` and ``zone`` (default: the book's). Raises Unclear."""
    named = words.get("zone") or zone
    try:
        ZoneInfo(named)
    except (KeyError, OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        raise Unclear(f"No zone is called {named!r}: write one as Europe/Madrid or UTC.") from None
    since, until = _date(words, "from"), _date(words, "to")
    if since and until and since > until:
        raise Unclear(f"The days from {since} to {until} are none: turn them round.")
    by = tuple(part.strip() for part in (words.get("by") or "strategy").split(",") if part.strip())
    for name in by:
        if name not in DIMENSIONS or by.count(name) > 1:
            raise Unclear(
                f"by {name!r} is not possible: name each of {', '.join(DIMENSIONS)} once."
            )
    return Asked(since, until, named, by)


def _date(words: Mapping[str, str | None], name: str) -> date | None:
    word = words.get(name)
    if not word:
        return None
    try:
        found = date.fromisoformat(word)
    except ValueError:
        found = None
    if found is None or not 1980 <= found.year < 9000:
        raise Unclear(f"{name} {word!r} is no day: write it as 2026-11-26.")
    return found


def as_json(found: Report) -> dict[str, Any]:
    """The report as one object; times and days as text, media that are not known as null."""
    asked = found.asked
    return {
        "from": asked.since and asked.since.isoformat(),
        "to": asked.until and asked.until.isoformat(),
        "zone": asked.zone,
        "by": list(asked.by),
        "oldest": found.oldest,
        "rows": [
            dict(zip(asked.by, row.about, strict=True)) | numbers(row.figures) for row in found.rows
        ],
        "total": numbers(found.total),
        "conversations": [
            dict(zip(talks_by(asked), part.about, strict=True))
            | {"proactive": _counted(part.proactive), "reactive": _counted(part.reactive)}
            for part in found.talks
        ],
    }


def numbers(figures: Figures) -> dict[str, Any]:
    """All stages, 0 included, and the refusals by reason."""
    stages = {name: figures.stages[name] for name in STAGES}
    return {**stages, "refusedBy": dict(sorted(figures.refused.items()))}


def _counted(talks: Counter[str]) -> dict[str, int]:
    return {name: talks[name] for name in ("started", "answered")}
