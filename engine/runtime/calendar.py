"""Dates, weekdays and opening hours: a moment in milliseconds as a zone's clock shows it.

Daylight saving follows the zone's own rules: hours are about what the clock on the wall shows, so a
day of 23 or 25 hours opens and closes by its clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.language import syntax

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def local(moment: int, zone: ZoneInfo) -> datetime:
    """What the clock and calendar of a zone show at a moment (ms since 1970 UTC)."""
    return (_EPOCH + timedelta(milliseconds=moment)).astimezone(zone)


def midnight(day: str, zone: str, later: int = 0) -> int:
    """The moment (ms) at which a date begins in a zone, or the date so many days ``later``."""
    begun = date.fromisoformat(day) + timedelta(days=later)
    start = datetime(begun.year, begun.month, begun.day, tzinfo=ZoneInfo(zone))
    return (start.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def clock(day: str, time: str, zone: str) -> int:
    """The moment (ms) at which a zone's clock shows a date and a time of day."""
    start = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(zone))
    return (start.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def weekday(zone: str) -> Callable[[int], str]:
    """The day of the week in a zone, by moment."""
    here = ZoneInfo(zone)
    return lambda moment: WEEKDAYS[local(moment, here).weekday()]


def opening(hours: syntax.Hours, book_zone: str) -> Callable[[int], bool]:
    """Is it open at a moment? Opening is [start, end); a closed date is closed from its own start.

    Hours that pass midnight belong to the day on which they begin.
    """
    here = ZoneInfo(hours.zone or book_zone)
    closed = frozenset(hours.closed)
    spans = hours.open

    def is_open(moment: int) -> bool:
        now = local(moment, here)
        minute = now.hour * 60 + now.minute
        yesterday = now.date() - timedelta(days=1)
        today_closed = now.date().isoformat() in closed
        yesterday_closed = yesterday.isoformat() in closed
        for span in spans:
            over_night = span.end <= span.start
            end = 24 * 60 if over_night else span.end
            if now.weekday() in span.days and not today_closed and span.start <= minute < end:
                return True
            late = over_night and yesterday.weekday() in span.days and not yesterday_closed
            if late and minute < span.end:
                return True
        return False

    return is_open


def activity(active: syntax.Active, zone: str) -> Callable[[int], bool]:
    """Is a moment within the days of ``active``, both inclusive?"""
    since = midnight(active.since, zone) if active.since else None
    until = midnight(active.until, zone, 1) if active.until else None

    def is_active(moment: int) -> bool:
        return (since is None or moment >= since) and (until is None or moment < until)

    return is_active
