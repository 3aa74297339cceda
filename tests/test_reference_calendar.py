"""Dates, hours and days as small examples that both hands must get right.

The sentences are those of "Calendar" in engine/runtime/README.md. Madrid is one hour ahead of UTC
in winter and two in summer: clocks go forward on 2026-03-29 and back on 2026-10-25.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hands import HANDS, Story, rule

SENT = ["sent"]
MADRID = 'zone "Europe/Madrid"\n'


@pytest.fixture(params=list(HANDS))
def hand(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def utc(text: str) -> int:
    """`2026-03-29 00:59` in UTC, as milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def edges(text: str, *, at: bool) -> list[tuple[int, bool]]:
    """One millisecond before, at and after an instant from which something holds (or not)."""
    return [(utc(text) - 1, not at), (utc(text), at), (utc(text) + 1, at)]


def asked(hand: str, text: str, guard: str, time: int) -> bool:
    """Whether the guard holds at a time, under a book with these declarations."""
    return Story(hand, text + rule("A", f"when {guard}")).event("A", time) == SENT


OFFICE = 'hours Office is Mon-Fri 09:00-18:00, Sat 10:00-14:00 in "Europe/Madrid" '
OFFICE += "except 2026-12-25\n"


@pytest.mark.parametrize(
    ("time", "is_open"),
    [
        *edges("2026-11-23 08:00", at=True),
        *edges("2026-11-23 17:00", at=False),
        *edges("2026-11-28 09:00", at=True),
        *edges("2026-11-28 13:00", at=False),
        # In summer Madrid is two hours ahead.
        *edges("2026-07-20 07:00", at=True),
        *edges("2026-07-20 16:00", at=False),
        # The Mondays after the clocks changed.
        *edges("2026-03-30 07:00", at=True),
        *edges("2026-10-26 08:00", at=True),
        # Closed: a Friday in December, and a Sunday.
        (utc("2026-12-25 10:00"), False),
        (utc("2026-12-24 10:00"), True),
        (utc("2026-11-29 10:00"), False),
    ],
)
def test_hours(hand: str, time: int, is_open: bool) -> None:
    assert asked(hand, OFFICE, "now in Office", time) == is_open
    story = Story(hand, OFFICE + rule("A", head="hours Office"))
    assert story.event("A", time) == (SENT if is_open else ["hours"])


NIGHT = "hours Night is Fri 22:00-02:00, Sun 09:00-09:00 except 2026-12-18\n"


@pytest.mark.parametrize(
    ("time", "is_open"),
    [
        *edges("2026-12-11 22:00", at=True),
        *edges("2026-12-12 02:00", at=False),
        (utc("2026-12-11 01:00"), False),
        # Closed on Friday the 18th, and so in the night that begins on it.
        (utc("2026-12-18 23:00"), False),
        (utc("2026-12-19 01:00"), False),
        # A whole day.
        *edges("2026-12-13 09:00", at=True),
        *edges("2026-12-14 09:00", at=False),
    ],
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_begin(
    hand: str, time: int, is_open: bool
) -> None:
    assert asked(hand, NIGHT, "now in Night", time) == is_open


def test_a_night_goes_on_into_a_closed_date(hand: str) -> None:
    text = "hours Night is Fri 22:00-02:00 except 2026-12-19\n"
    assert asked(hand, text, "now in Night", utc("2026-12-19 01:59"))


EARLY = "hours Early is Sun 02:30-04:00\n"


@pytest.mark.parametrize(
    ("time", "is_open"),
    [
        # Clocks go from 01:59:59 to 03:00:00 (01:00 UTC): 02:30 is not there.
        *edges("2026-03-29 01:00", at=True),
        *edges("2026-03-29 02:00", at=False),
        # From 02:59:59 back to 02:00:00 (01:00 UTC): 02:30 comes twice.
        *edges("2026-10-25 00:30", at=True),
        *edges("2026-10-25 01:00", at=False),
        *edges("2026-10-25 01:30", at=True),
        *edges("2026-10-25 03:00", at=False),
    ],
)
def test_hours_go_by_the_clock_on_the_wall(hand: str, time: int, is_open: bool) -> None:
    """(Hours without a zone are in the book's.)"""
    assert asked(hand, MADRID + EARLY, "now in Early", time) == is_open


@pytest.mark.parametrize(
    ("time", "active"),
    [
        *edges("2026-03-28 23:00", at=True),
        (utc("2026-06-01 12:00"), True),
        # The last day is whole, with 25 hours.
        *edges("2026-10-25 23:00", at=False),
    ],
)
def test_active_on_both_days_in_the_zone_of_the_book(hand: str, time: int, active: bool) -> None:
    text = MADRID + rule("A", head="active from 2026-03-29 until 2026-10-25")
    assert Story(hand, text).event("A", time) == (SENT if active else ["inactive"])


@pytest.mark.parametrize(
    ("dates", "before", "after"),
    [("from 2026-11-23", False, True), ("until 2026-11-22", True, False)],
)
def test_active_with_one_date(hand: str, dates: str, before: bool, after: bool) -> None:
    for time, active in zip((-1, 0, 1), (before, after, after), strict=True):
        story = Story(hand, rule("A", head=f"active {dates}"))
        moment = utc("2026-11-23 00:00") + time
        assert story.event("A", moment) == (SENT if active else ["inactive"])


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("UTC", "2026-11-23 00:00"),
        ("Europe/Madrid", "2026-11-22 23:00"),
        ("Asia/Kolkata", "2026-11-22 18:30"),
    ],
)
def test_a_date_is_midnight_in_the_zone_of_the_book(hand: str, zone: str, begins: str) -> None:
    text = f'zone "{zone}"\n'
    for time, reached in edges(begins, at=True):
        assert asked(hand, text, "now >= 2026-11-23", time) == reached
        assert asked(hand, text, "now < 2026-11-23", time) != reached
        assert asked(hand, text, 'weekday = "Mon"', time) == reached
        assert asked(hand, text, 'weekday = "Sun"', time) != reached


@pytest.mark.parametrize("day", ["2026-03-29 23:00", "2026-03-29 22:00"])
def test_a_day_of_23_hours(hand: str, day: str) -> None:
    later = utc(day) >= utc("2026-03-29 22:00")
    assert asked(hand, MADRID, 'now >= 2026-03-30 and weekday = "Mon"', utc(day)) == later


def test_a_day_without_midnight_begins_with_its_first_moment(hand: str) -> None:
    # In Santiago the clocks go from 23:59:59 to 01:00:00.
    text = 'zone "America/Santiago"\n'
    for time, reached in edges("2026-09-06 04:00", at=True):
        assert asked(hand, text, "now >= 2026-09-06", time) == reached


def test_a_fact_can_be_a_time(hand: str) -> None:
    text = MADRID + "fact visitor.since time = 2026-11-23\n"
    text += 'strategy "X"\n  on B\n    set visitor.since = now\n'
    story = Story(hand, text + rule("A", "when now > visitor.since"))
    start = utc("2026-11-22 23:00")
    assert story.event("A", start) == ["when"]
    assert story.event("A", start + 1) == SENT
    story.event("B", start + 5)
    assert story.event("A", start + 5) == ["when"]
    assert story.event("A", start + 6) == SENT


def test_the_time_of_a_timer_is_its_deadline(hand: str) -> None:
    text = "hours Office is Mon 09:00-10:00\n" + rule("A, then no B for 1 h", head="hours Office")
    story = Story(hand, text)
    story.event("A", utc("2026-11-23 08:00"))
    assert story.tick(utc("2026-11-23 12:00")) == SENT
    story.event("A", utc("2026-11-30 09:00"))
    assert story.tick(utc("2026-11-30 12:00")) == ["hours"]


def test_where_takes_the_time_of_the_tested_event(hand: str) -> None:
    story = Story(hand, rule("A where now < 1970-01-02, then B"))
    day = 86_400_000
    story.event("A", day)
    assert story.event("B", day + 1) == []
    story = Story(hand, rule("A where now < 1970-01-02, then B"))
    story.event("A", day - 1)
    assert story.event("B", day + 1) == SENT
