"""The journal in slices: nobody is held up, nothing is passed over, what is damaged is said."""

from __future__ import annotations

import csv
import io
import sqlite3
from pathlib import Path

import pytest
from reporting.recorded import Recording, at, recorded

from engine.hosts.slices import oldest, slices
from engine.reporting.funnel import Cell, Figures, Funnel
from engine.reporting.report import Asked, rolled_up
from engine.reporting.skins import funnel_csv

FAR = at("2100-01-01 00:00")


@pytest.fixture
def week(tmp_path: Path) -> Recording:
    return recorded(tmp_path)


def test_a_server_may_begin_its_log_anew_between_two_slices(week: Recording) -> None:
    path = week.folder / "visits.sqlite3"
    with sqlite3.connect(path, isolation_level=None) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO meta VALUES ('a', 'b')")
        found = slices(path, 0, FAR, 3)
        next(found)
        writer.execute("INSERT INTO meta VALUES ('c', 'd')")
        busy, left, _ = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert (busy, left) == (0, 0)
        assert sum(len(told.decisions) for one in found for told in one) > 0
    writer.close()


def test_every_day_is_found_by_halving(week: Recording) -> None:
    path = week.folder / "visits.sqlite3"
    every = [told for one in slices(path, 0, FAR, 5) for told in one]
    assert oldest(path) == at("2026-11-24 10:00")
    for since in ("2026-11-24 00:00", "2026-11-24 11:01", "2026-11-25 00:11", "2026-11-25 11:01"):
        found = [told for one in slices(path, at(since), FAR, 5) for told in one]
        wanted = [told for told in every if told.time >= at(since)]
        assert [told for told in found if told.time >= at(since)] == wanted
    assert len([told for one in slices(path, FAR, FAR, 5) for told in one]) <= 1


@pytest.mark.parametrize("harm", ["decisions = '[{'", "decisions = '[1]'", "decisions = x'ff'"])
def test_an_entry_that_can_not_be_read_is_said(week: Recording, harm: str) -> None:
    path = week.folder / "visits.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE journal SET {harm} WHERE decisions <> '[]'")
    connection.close()
    with pytest.raises(OSError, match="can not be read"):
        list(slices(path, 0, FAR, 100))


def test_a_file_of_another_version_is_said(week: Recording) -> None:
    path = week.folder / "visits.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(OSError, match="another Overture: start the server once"):
        list(slices(path, 0, FAR, 100))


def test_a_name_is_no_formula_in_a_spreadsheet() -> None:
    funnel = Funnel({}, [], str, 0, FAR)
    for name in ("=1+1", "+1", "-1", "@a", 'A "b", c'):
        funnel.cells[Cell(name, None, "2026-11-24", "everyone")] = Figures()
    text = funnel_csv(rolled_up(funnel, Asked(None, None, "UTC", ("strategy",)), None))
    names = [line[0] for line in csv.reader(io.StringIO(text))][1:]
    assert names == ["'+1", "'-1", "'=1+1", "'@a", 'A "b", c']
