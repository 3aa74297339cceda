"""Rows of the journal: natively and in Python alike, with checksums that an examination accepts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.hosts import checksums
from engine.hosts.contract import Input
from engine.hosts.rows import WIDTH, Decisions, entry_of, rows_in, rows_of

texts = st.one_of(
    st.sampled_from(["V", "W", "A" * 64]),
    st.sampled_from(["V", "W", "A" * 64]),
    st.sampled_from(["A" * 64, "", '"', "\\", "\x1f", "\x7f", "é", "\ud800", "x" * 1_100]),
    st.text(max_size=5),
)
numbers = st.one_of(
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**41),
    st.integers(0, 99),
    st.sampled_from([-3, -1, 2**63, 2**80]),
)
inputs = st.builds(
    Input,
    kind=st.sampled_from(["event", "woken"]),
    visit=texts,
    time=numbers,
    version=texts,
    epoch=numbers,
    id=st.one_of(st.none(), texts),
    body=st.just({}),
)
decisions = st.one_of(
    st.just(()), st.just(()), st.none(), st.just(({"rule": 1, "reason": None},)), st.just([])
)


def _made(make: Any, *arguments: Any) -> Any:
    try:
        return make(*arguments)
    except Exception as problem:
        return type(problem)


@given(
    st.integers(1, 2**40),
    st.integers(0, 2**40),
    texts,
    st.lists(st.tuples(inputs, texts, decisions), max_size=5),
)
def test_natively_the_same_rows(
    offset: int, before: int, visitor: str, some: list[tuple[Input, str, Any]]
) -> None:
    decided: Decisions = tuple(one[2] for one in some)
    given_ = offset, before, visitor, [one[0] for one in some], [one[1] for one in some], decided
    found = _made(rows_of, *given_)
    assert found == _made(rows_in, *given_)
    if isinstance(found, type):
        return
    rows = [found[place : place + WIDTH] for place in range(0, len(found), WIDTH)]
    assert [row[0] for row in rows] == list(range(offset, offset + len(rows)))
    assert [row[1] for row in rows] == [before, *range(offset, offset + len(rows))][: len(rows)]
    assert all(checksums.of_entry(row[:-1]) == row[-1] for row in rows)


_ODD: list[Any] = [
    "", " ", "~", '"', "\\", "\x1f", "\x7f", "é", "\ud800", "x" * 900, "x" * 1_100,
    None, 0, 9, 10, 2**63 - 1, 2**63, -1, -(2**63), -(2**80), True,
]  # fmt: skip


@pytest.mark.parametrize("column", ["plain", "visit", "kind", "time", "version", "epoch", "id"])
def test_each_column_may_be_odd_alone(column: str) -> None:
    """Beside what is plain: so it is the native part that writes the row, or leaves it."""
    plain = {"kind": "event", "visit": "V", "time": 7, "version": "1", "epoch": 3, "id": "x"}
    for odd in _ODD:
        one = Input(**(plain | ({} if column == "plain" else {column: odd})), body={})
        for before, visitor, text in ((2, "W", "{}"), (2, "W", '{"a":"é"}'), (0, "W", "\ud800")):
            given_ = 5, before, visitor, [one, one], [text, text], ((), ())
            assert _made(rows_of, *given_) == _made(rows_in, *given_)
        for given_ in ((5, 2, odd, [one], ["{}"], ((),)), (5, odd, "W", [one], ["{}"], ((),))):
            assert _made(rows_of, *given_) == _made(rows_in, *given_)


def test_a_row_is_read_as_it_was_written() -> None:
    one = Input(kind="event", visit="V", time=7, version="1", id="x", epoch=3, body={"a": "é"})
    row = rows_of(5, 2, "W", [one], ['{"a":"é"}'], ((),))
    entry = entry_of(row[:-1])
    assert (entry.offset, entry.visitor, entry.input, entry.decisions) == (5, "W", one, ())


@pytest.mark.parametrize("make", [rows_in, rows_of])
def test_who_has_no_row_takes_no_number(make: Any) -> None:
    one = Input(kind="event", visit="V", time=7, version="1", body={})
    rows = make(5, 2, "W", [one, one, one], ["{}"] * 3, ((), None, ()))
    assert (rows[0], rows[1], rows[WIDTH], rows[WIDTH + 1]) == (5, 2, 6, 5)
    assert len(rows) == 2 * WIDTH
