"""Calendar of the reference: "Calendar" in engine/runtime/README.md, by the clock on the wall.

Times are milliseconds since 1970 UTC; `zone` is the name of a time zone.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.language.syntax import Active, Book, Hours

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def wall(time: int, zone: str) -> datetime:
    """What calendar and clock on the wall of the zone show."""
    return datetime.fromtimestamp(time // 1000, ZoneInfo(zone))


def midnight(day: str, zone: str) -> int:
    """A date as a moment: midnight in the zone, or the first moment of a day without one."""
    first = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZoneInfo(zone))
    return int(first.timestamp() * 1000)


def weekday(time: int, zone: str) -> str:
    """`Mon` .. `Sun`."""
    return WEEKDAYS[wall(time, zone).weekday()]


def is_open(hours: Hours, time: int, book: Book) -> bool:
    """Whether one of the openings that began today or yesterday is still open."""
    now = wall(time, hours.zone or book.zone)
    minute = now.hour * 60 + now.minute
    today, yesterday = now.date(), now.date() - timedelta(days=1)

    def begins(days: tuple[int, ...], day: date) -> bool:
        # An opening over midnight belongs to the day on which it begins, closed dates too.
        return day.weekday() in days and day.isoformat() not in hours.closed

    for opening in hours.open:
        over_midnight = opening.end <= opening.start
        began_today = begins(opening.days, today) and minute >= opening.start
        if began_today and (over_midnight or minute < opening.end):
            return True
        if over_midnight and begins(opening.days, yesterday) and minute < opening.end:
            return True
    return False


def is_active(active: Active, time: int, zone: str) -> bool:
    """Both dates are inclusive, in the zone."""
    today = wall(time, zone).date().isoformat()
    return (active.since or today) <= today <= (active.until or today)
