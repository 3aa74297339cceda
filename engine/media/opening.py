"""When people are called back: opening hours, slots on the wall clock of a zone, places in each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SPAN: Final = re.compile(
    r"(?P<first>[A-Z][a-z]{2})(?:-(?P<last>[A-Z][a-z]{2}))?\s+"
    r"(?P<from>\d{1,2}:\d{2})-(?P<until>\d{1,2}:\d{2})"
)
_WAY_OUT: Final = "write it like Mon-Fri 09:00-18:00, Sat 10:00-14:00 except 2026-12-25"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Spans of minutes since midnight of each weekday (Monday first); dates that are closed."""

    week: tuple[tuple[tuple[int, int], ...], ...]
    closed: frozenset[date] = frozenset()

    def of(self, day: date) -> tuple[tuple[int, int], ...]:
        """The spans of one date."""
        return () if day in self.closed else self.week[day.weekday()]


def hours(text: str) -> Hours:
    """Hours as a strategy writes them: ``Mon-Fri 09:00-18:00, Sat 10:00-14:00 except 2026-12-25``.

    A day may come twice, for a break at noon. Raises ValueError with a sentence.
    """
    spans, _, exceptions = text.partition(" except ")
    week: list[list[tuple[int, int]]] = [[] for _ in _DAYS]
    for part in spans.split(","):
        for day, span in _days(part.strip()):
            week[day].append(span)
    try:
        closed = frozenset(
            date.fromisoformat(one) for one in re.split(r"[,\s]+", exceptions) if one
        )
    except ValueError:
        raise ValueError(f"'{exceptions}' has a date that there is not: {_WAY_OUT}") from None
    return Hours(week=tuple(tuple(sorted(spans)) for spans in week), closed=closed)


def _days(part: str) -> Iterator[tuple[int, tuple[int, int]]]:
    found = _SPAN.fullmatch(part)
    if found is None or not {found["first"], found["last"] or "Mon"} <= set(_DAYS):
        raise ValueError(f"'{part}' is not a day and its hours: {_WAY_OUT}")
    span = _minute(found["from"]), _minute(found["until"])
    if not 0 <= span[0] < span[1] <= 24 * 60:
        raise ValueError(f"'{part}' does not end after it begins, on the same day: {_WAY_OUT}")
    first = _DAYS.index(found["first"])
    last = _DAYS.index(found["last"] or found["first"])
    for ahead in range((last - first) % 7 + 1):
        yield (first + ahead) % 7, span


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute) if int(minute) < 60 else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The hours in their zone; slots of ``minutes``, ``capacity`` calls in each, ``days`` ahead."""

    hours: Hours
    zone: ZoneInfo
    minutes: int = 15
    capacity: int = 2
    days: int = 7

    def is_open(self, now: int) -> bool:
        """Whether somebody calls at once, at a moment in ms."""
        local = datetime.fromtimestamp(now / 1000, self.zone)
        minute = local.hour * 60 + local.minute
        return any(first <= minute < last for first, last in self.hours.of(local.date()))

    def slots(self, now: int) -> Iterator[int]:
        """The begin (ms) of every slot that lies ahead, in order. None begins in a skipped hour."""
        today = datetime.fromtimestamp(now / 1000, self.zone).date()
        horizon = now + self.days * 86_400_000
        seen = now
        for ahead in range(self.days + 1):
            for start in self._of(today + timedelta(days=ahead)):
                if seen < start <= horizon:
                    seen = start
                    yield start

    def _of(self, day: date) -> Iterator[int]:
        for first, last in self.hours.of(day):
            for minute in range(first, last - self.minutes + 1, self.minutes):
                wall = datetime.combine(day, time(minute // 60, minute % 60), self.zone)
                there = wall.astimezone(UTC)
                # A wall clock that is put forward never shows this time.
                if there.astimezone(self.zone).replace(fold=0) == wall:
                    yield int(there.timestamp() * 1000)


def nine_to_five() -> Opening:
    """What holds where nothing is set."""
    return Opening(hours=hours("Mon-Fri 09:00-17:00"), zone=ZoneInfo("UTC"))
