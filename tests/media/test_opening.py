"""Opening hours and slots: what can be written, and what a clock that is changed does to them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.media.opening import Opening, hours

MADRID = ZoneInfo("Europe/Madrid")


def ms(text: str, zone: ZoneInfo = MADRID) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def wall(slot: int, zone: ZoneInfo = MADRID) -> str:
    return datetime.fromtimestamp(slot / 1000, zone).strftime("%a %H:%M")


def opening(text: str, **more: int) -> Opening:
    return Opening(hours=hours(text), zone=MADRID, **({"minutes": 60, "days": 7} | more))


def test_slots_fill_the_hours_and_none_lies_over_their_end() -> None:
    now = ms("2026-05-04T08:00")  # a Monday
    one = opening("Mon 09:00-12:30, Sat 10:00-11:00", days=2)
    assert [wall(slot) for slot in one.slots(now)] == [
        "Mon 09:00",
        "Mon 10:00",
        "Mon 11:00",
    ]
    assert [wall(slot) for slot in opening("Sat 10:00-11:00").slots(now)] == ["Sat 10:00"]


def test_a_slot_that_has_begun_is_over_and_a_break_is_a_break() -> None:
    one = opening("Mon-Fri 09:00-11:00, Mon-Fri 13:00-14:00", days=1)
    assert [wall(slot) for slot in one.slots(ms("2026-05-04T09:00"))] == [
        "Mon 10:00",
        "Mon 13:00",
        "Tue 09:00",
    ]
    assert one.is_open(ms("2026-05-04T10:59"))
    assert not one.is_open(ms("2026-05-04T11:00"))
    assert not one.is_open(ms("2026-05-03T10:00"))


def test_a_closed_date_has_no_slot() -> None:
    one = opening("Mon-Sun 09:00-10:00 except 2026-05-05, 2026-05-06", days=3)
    assert [wall(slot) for slot in one.slots(ms("2026-05-04T00:00"))] == ["Mon 09:00"]
    assert not one.is_open(ms("2026-05-05T09:30"))


def test_an_hour_that_the_clock_skips_has_no_slot_and_one_that_it_repeats_has_one() -> None:
    night = opening("Sun 01:00-05:00", days=1)
    spring = [wall(slot) for slot in night.slots(ms("2026-03-29T00:00"))]
    assert spring == ["Sun 01:00", "Sun 03:00", "Sun 04:00"]
    autumn = [wall(slot) for slot in night.slots(ms("2026-10-25T00:00"))]
    assert autumn == ["Sun 01:00", "Sun 02:00", "Sun 03:00", "Sun 04:00"]


def test_a_week_may_go_over_sunday() -> None:
    days = [wall(slot)[:3] for slot in opening("Sat-Mon 09:00-10:00").slots(ms("2026-05-05T00:00"))]
    assert days == ["Sat", "Sun", "Mon"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "always",
        "Mon",
        "Mon 9-17",
        "Mo 09:00-17:00",
        "Mon 17:00-09:00",
        "Mon 09:00-25:00",
        "Mon 09:60-10:00",
        "Mon-Fry 09:00-10:00",
        "Mon 09:00-10:00 except 2026-02-30",
    ],
)
def test_what_is_no_hours_is_a_sentence_with_a_way_out(text: str) -> None:
    with pytest.raises(ValueError, match="write it like Mon-Fri 09:00-18:00"):
        hours(text)


@given(
    now=st.integers(ms("2026-01-01T00:00"), ms("2027-01-01T00:00")),
    minutes=st.sampled_from([5, 15, 45, 240]),
    zone=st.sampled_from(["Europe/Madrid", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
)
def test_every_slot_lies_ahead_in_order_and_begins_in_the_hours(
    now: int, minutes: int, zone: str
) -> None:
    one = Opening(hours=hours("Mon-Sun 00:00-24:00"), zone=ZoneInfo(zone), minutes=minutes, days=3)
    slots = list(one.slots(now))
    assert slots
    assert slots == sorted(set(slots))
    assert all(now < slot <= now + 3 * 86_400_000 and one.is_open(slot) for slot in slots)
