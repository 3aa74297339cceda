"""The figures of a small recorded week are those that a person counts."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from reporting.recorded import BOOK, IN_AUDIENCE, IN_CONTROL, Recording, recorded
from serving import overture

from engine.reporting.offering import offerings
from engine.reporting.report import Unclear, as_json, asked_for, report
from engine.reporting.skins import funnel_csv, talks_csv
from engine.runtime.admission import in_audience

NONE = dict.fromkeys(
    ("qualified", "refused", "offered", "shown", "accepted", "rejected", "timedOut"), 0
) | {"unanswered": 0, "started": 0, "answered": 0, "refusedBy": {}}


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return recorded(tmp_path_factory.mktemp("week"))


def figures(week: Recording, size: int = 1_000, **words: str) -> dict[str, Any]:
    words = {name.removesuffix("_"): word for name, word in words.items()}
    asked = asked_for(words, week.book.zone)
    found = report(week.folder, offerings(week.book), asked, rest=lambda: None, size=size)
    return as_json(found)


def test_the_two_arms(week: Recording) -> None:
    audience = week.book.strategies["Half of them"].audience
    assert audience is not None
    assert in_audience(audience, IN_AUDIENCE)
    assert not in_audience(audience, IN_CONTROL)


def test_by_strategy(week: Recording) -> None:
    found = figures(week)
    assert found["rows"] == [
        NONE
        | {"strategy": "Cart", "qualified": 8, "refused": 3, "offered": 5, "shown": 5}
        | {"accepted": 2, "rejected": 1, "timedOut": 1, "unanswered": 1}
        | {"started": 2, "answered": 1}
        | {"refusedBy": {"expired": 1, "one-at-a-time": 1, "when": 1}},
        NONE
        | {"strategy": "Half of them", "qualified": 2, "refused": 1, "offered": 1}
        | {"refusedBy": {"audience": 1}},
    ]
    assert found["total"] == NONE | {
        "qualified": 10,
        "refused": 4,
        "offered": 6,
        "shown": 5,
        "accepted": 2,
        "rejected": 1,
        "timedOut": 1,
        "unanswered": 1,
        "started": 2,
        "answered": 1,
        "refusedBy": {"audience": 1, "expired": 1, "one-at-a-time": 1, "when": 1},
    }
    assert found["conversations"] == [
        {
            "proactive": {"started": 4, "answered": 3},
            "reactive": {"started": 2, "answered": 1},
        }
    ]


def test_by_day_in_the_zone_of_the_book_and_in_another(week: Recording) -> None:
    by_day = {row["day"]: row for row in figures(week, by="day")["rows"]}
    assert {day: row["qualified"] for day, row in by_day.items()} == {
        "2026-11-24": 3,
        "2026-11-25": 7,
    }
    by_day = {row["day"]: row for row in figures(week, by="day", zone="UTC")["rows"]}
    assert {day: row["qualified"] for day, row in by_day.items()} == {
        "2026-11-24": 6,
        "2026-11-25": 4,
    }


def test_by_medium_and_arm(week: Recording) -> None:
    rows = figures(week, by="medium,arm")["rows"]
    told = [(row["medium"], row["arm"], row["qualified"], row["offered"]) for row in rows]
    assert told == [
        (None, "audience", 1, 1),
        (None, "control", 1, 0),
        ("chat", "everyone", 8, 5),
    ]
    assert figures(week, by="medium")["conversations"][0]["medium"] == "chat"


def test_a_part_of_the_time(week: Recording) -> None:
    first = figures(week, to="2026-11-24")
    assert first["total"]["qualified"] == 3
    assert first["total"]["accepted"] == 1
    assert first["conversations"][0]["proactive"]["started"] == 2
    second = figures(week, from_="2026-11-25", to="2026-11-25")
    assert second["total"]["qualified"] == 7
    assert second["conversations"][0]["reactive"]["started"] == 2
    assert figures(week, from_="2026-11-26")["rows"] == []
    assert figures(week, from_="2026-11-27")["conversations"] == []


@pytest.mark.parametrize("size", [1, 2, 7])
def test_slices_of_any_size_tell_the_same(week: Recording, size: int) -> None:
    assert figures(week, size=size, by="day,strategy") == figures(week, by="day,strategy")


def test_what_is_trimmed_is_not_told(week: Recording, tmp_path: Path) -> None:
    made = recorded(tmp_path)
    with sqlite3.connect(tmp_path / "visits.sqlite3") as connection:
        (last,) = connection.execute(
            "SELECT max(offset) FROM journal WHERE visitor = 'B' AND kind = 'event'"
        ).fetchone()
        connection.execute("UPDATE segments SET first = ?", (last + 1,))
    found = figures(made)
    assert found["total"]["qualified"] == 7
    assert found["oldest"] > figures(week)["oldest"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"from": "yesterday"}, "from 'yesterday' is no day: write it as 2026-11-26."),
        ({"to": "0001-01-01"}, "to '0001-01-01' is no day: write it as 2026-11-26."),
        ({"by": "agent"}, "by 'agent' is not possible: name each of strategy, medium, day, arm"),
        ({"by": "day,day"}, "by 'day' is not possible: name each of strategy, medium, day, arm"),
        ({"zone": "Madrid"}, "No zone is called 'Madrid': write one as Europe/Madrid or UTC."),
        ({"zone": "../UTC"}, "No zone is called '../UTC'"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "The days from 2026-11-02 to 2026-11-01"),
    ],
)
def test_what_can_not_be_asked_is_said(words: dict[str, str | None], sentence: str) -> None:
    with pytest.raises(Unclear) as refusal:
        asked_for(words, "UTC")
    assert str(refusal.value).startswith(sentence)


def test_csv(week: Recording) -> None:
    asked = asked_for({"by": "strategy,day"}, week.book.zone)
    found = report(week.folder, offerings(week.book), asked, rest=lambda: None)
    lines = funnel_csv(found).splitlines()
    assert lines[0].startswith("strategy,day,qualified,refused,offered,shown,accepted,rejected,")
    assert lines[1] == "Cart,2026-11-24,3,1,2,2,1,1,0,0,1,1,1,0,0,0,0,0,0,0,0,0,0"
    assert len(lines) == 4
    assert talks_csv(found).splitlines() == [
        "day,proactive started,proactive answered,reactive started,reactive answered",
        "2026-11-24,2,2,0,0",
        "2026-11-25,1,0,2,1",
        "2026-11-26,1,1,0,0",
    ]


def said(*arguments: str) -> tuple[int, str, str]:
    process = overture("report", *arguments)
    out, mistakes = process.communicate(timeout=60)
    return process.returncode, out, mistakes


def test_the_command(week: Recording, tmp_path: Path) -> None:
    (tmp_path / "one.strategy").write_text(BOOK)
    where = ("--data", str(week.folder), "--book", str(tmp_path))
    code, out, mistakes = said(*where, "--json", "--by", "day")
    assert (code, mistakes) == (0, "")
    assert json.loads(out) == figures(week, by="day")
    code, out, _ = said(*where, "--csv", "--conversations")
    assert (code, out.splitlines()[1:]) == (0, ["4,3,2,1"])
    code, out, _ = said(*where)
    assert code == 0
    assert "one-at-a-time" in out
    code, out, mistakes = said(*where, "--from", "monday")
    assert (code, out) == (2, "")
    assert mistakes == "overture: from 'monday' is no day: write it as 2026-11-26.\n"
    code, _, mistakes = said("--data", str(tmp_path / "none"), "--book", str(tmp_path))
    assert code == 2
    assert "There is no store at" in mistakes
