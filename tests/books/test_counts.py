"""The counts of the recorded visits, against those that an independent script printed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from engine.language import compile_book
from engine.language.source import read_folder
from engine.trials.recording import Recording, read
from engine.trials.replay import Tally, replay

BOOKS = Path(__file__).parent
DATA = BOOKS.parents[2] / "shared" / "data"
SETS = (
    "eshop_clothing_2008",
    "nasa_http_1995",
    "otto_sessions_sample",
    "semicomplete_access",
    "snowplow_trackers",
)

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not DATA.is_dir(),
        reason="the recorded visits (../shared/data) are not beside the repository",
    ),
]


@cache
def printed(name: str) -> dict[str, int]:
    """The table at the end of a set's README: O1, .., and ``events`` and ``visits``."""
    rows = re.findall(
        r"^\| (O\d|events|visits)\b.*\| (\d+) \|$",
        (DATA / name / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return {what: int(count) for what, count in rows}


@cache
def recording(name: str) -> Recording:
    return read([str(DATA / name / "events.jsonl.gz")])


@cache
def replayed(name: str) -> dict[str, Tally]:
    """Both books of a set in one replay; their strategies do not know of each other."""
    sources = [
        source
        for file in ("counts.strategy", f"{name}.strategy")
        for source in read_folder(BOOKS / file)
    ]
    compiled = compile_book(sources)
    assert compiled.book is not None, compiled.diagnostics
    report = replay(compiled.book, recording(name))
    assert (report.events, report.visits) == (printed(name)["events"], printed(name)["visits"])
    return dict(report.strategies)


@pytest.mark.parametrize("name", SETS)
def test_the_table_is_read_whole(name: str) -> None:
    assert sorted(printed(name)) == [*(f"O{n}" for n in range(1, 10)), "events", "visits"]


@pytest.mark.parametrize("count", ["O1", "O2", "O5"])
@pytest.mark.parametrize("name", SETS)
def test_counts_of_visits(name: str, count: str) -> None:
    tally = replayed(name)[count]
    assert (tally.sent, tally.visits) == (printed(name)[count], printed(name)[count])


@pytest.mark.parametrize("name", SETS)
def test_long_looks_and_visits_with_one(name: str) -> None:
    tally = replayed(name)["O3 and O4"]
    assert (tally.sent, tally.visits) == (printed(name)["O3"], printed(name)["O4"])


@pytest.mark.parametrize("name", SETS)
def test_invitations_at_most_once_in_half_an_hour(name: str) -> None:
    assert replayed(name)["O9"].sent == printed(name)["O9"]


@pytest.mark.parametrize("name", SETS)
def test_each_book_stands_alone(name: str) -> None:
    for file in ("counts.strategy", f"{name}.strategy"):
        assert compile_book(read_folder(BOOKS / file)).diagnostics == ()
