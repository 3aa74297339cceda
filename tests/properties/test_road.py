"""The short road, native or in Python: the same decisions, and the same memory byte for byte."""

from __future__ import annotations

import gc
import json
import os
import tracemalloc

import pytest
from hypothesis import given
from properties.cases import Case, cases
from properties.test_stream import line_of

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.runtime.plan import Plan, plan
from engine.runtime.road import IS_NATIVE, copy_of
from engine.runtime.step import advance
from engine.runtime.stream import Stream
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event

native = pytest.mark.skipif(not IS_NATIVE, reason="the road was not built: no C compiler")


@pytest.mark.skipif("CI" not in os.environ, reason="a machine without a C compiler may do without")
def test_the_road_is_built_where_everything_is_tested() -> None:
    assert IS_NATIVE


@native
@given(cases())
def test_both_forms_move_a_visitor_alike(case: Case) -> None:
    natively, plainly = Visitor.new("W"), Visitor.new("W")
    fast, slow = plan(case.book), plan(case.book, native=False)
    assert fast.road is not None
    assert slow.road is None
    for moment in case.moments():
        got, expected = advance(fast, natively, moment), advance(slow, plainly, moment)
        assert got[1:] == expected[1:]
        assert json.dumps(natively.to_json()) == json.dumps(plainly.to_json())


@native
@given(cases())
def test_a_visitor_may_change_roads_at_any_moment(case: Case) -> None:
    """What one form leaves, the other goes on with: a store never notices which it was."""
    visitor, other = Visitor.new("W"), Visitor.new("W")
    fast, slow = plan(case.book), plan(case.book, native=False)
    for number, moment in enumerate(case.moments()):
        visitor = Visitor.from_json(json.loads(json.dumps(visitor.to_json())))
        got = advance(fast if number % 2 else slow, visitor, moment)
        assert got[1:] == advance(slow, other, moment)[1:]
        assert visitor.to_json() == other.to_json()


@native
@given(cases())
def test_a_copy_is_the_same_and_shares_nothing(case: Case) -> None:
    """What is decided on a copy leaves the visitor as it was, whoever made the copy."""
    book, visitor = plan(case.book), Visitor.new("W")
    for moment in case.moments():
        before = json.dumps(visitor.to_json())
        natively, plainly = copy_of(visitor), visitor.copy()
        assert natively == plainly
        assert json.dumps(natively.to_json()) == before
        assert advance(book, natively, moment)[1:] == advance(book, plainly, moment)[1:]
        assert natively == plainly
        assert json.dumps(visitor.to_json()) == before
        visitor = natively


_BOOK = """\
event Cart
  total number
  item  text
category Shop is url "/shop/**"
message Offer(address) is gpe.appendContent { url: address }
strategy "free"
  on Cart in Shop where event.total >= 10
    when event.item != "gift" and event.total < 1000000000000000
    send Offer("/free.html")
strategy "thrice"
  on 3 times Cart, within 1 min
    send Offer(event.item)
strategy "then"
  on PageEntered, then Cart where event.item = "lamp", within 1 min
    send Offer("/lamp.html")
    attach { reason: event.item }
"""


def _planned(text: str, *, native: bool) -> Plan:
    found = compile_book([Source(name="a.strategy", text=text)])
    assert found.book is not None, found.diagnostics
    return plan(found.book, native=native)


def _event(number: int, **fields: object) -> Event:
    given = {"name": "Cart", "time": 1_700_000_000_000 + 9_000 * number, "url": "/shop/a"}
    data = {"total": 20, "item": "lamp"}
    return Event(**{"visitor": "W", "visit": "V", "page": "P", "data": data, **given, **fields})


ODD = (
    {"data": {"total": 2**70, "item": "lamp"}},
    {"data": {"total": -(2**70), "item": "lamp"}},
    {"data": {"total": True, "item": "lamp"}},
    {"data": {"total": 10, "item": None}},
    {"data": {"total": 9.999999999999999, "item": "ä"}},
    {"data": {"total": "20", "item": ["lamp"]}},
    {"data": {}},
    {"time": 2**62},
    {"time": 2**80},
    {"time": -5},
    {"url": None},
    {"url": ""},
    {"url": "/shop/\N{SNOWMAN}"},
    {"name": ""},
    {"name": "PageEntered"},
    {"name": "PageExited"},
    {"page": None},
    {"page": None, "name": "PageExited"},
    {"visit": "\N{SNOWMAN}"},
    {"visit": ""},
)


@native
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_odd_events_are_decided_alike(odd: dict[str, object]) -> None:
    fast, slow = _planned(_BOOK, native=True), _planned(_BOOK, native=False)
    natively, plainly = Visitor.new("W"), Visitor.new("W")
    told = [_event(0, name="PageEntered"), _event(1), _event(2, **odd), _event(3, **odd)]
    for event in [*told, *(_event(number) for number in range(4, 12))]:
        assert advance(fast, natively, event)[1:] == advance(slow, plainly, event)[1:]
        assert natively.to_json() == plainly.to_json()


@native
def test_more_of_everything_than_there_is_room_for_at_first() -> None:
    """Many rules at once, many pages, many visits, a full log: what was small has to grow."""
    strategies = "".join(
        f'strategy "s{n}"\n  on Cart where event.total > {n}\n    send Offer("/{n}.html")\n'
        for n in range(150)
    )
    text = _BOOK + strategies
    fast, slow = _planned(text, native=True), _planned(text, native=False)
    natively, plainly = Visitor.new("W"), Visitor.new("W")
    for n in range(400):
        page, visit = f"P{n % 130}", f"V{n // 200 * (n % 60)}"
        event = _event(n, page=page, visit=visit, data={"total": n % 160, "item": "lamp"})
        assert advance(fast, natively, event)[1:] == advance(slow, plainly, event)[1:]
    assert natively.to_json() == plainly.to_json()
    assert len(natively.sends) == 1_000


@native
def test_nothing_is_kept_that_nobody_needs() -> None:
    """The same stream again and again leaves as much memory behind as once."""
    planned = _planned(_BOOK, native=True)
    lines = [line_of(_event(n, visitor=f"W{n % 7}", page=f"P{n % 11}")) for n in range(3_000)]

    def grown() -> int:
        before = tracemalloc.get_traced_memory()[0]
        stream = Stream(planned)
        for line in lines:
            stream.feed(line)
            with pytest.raises(ValueError, match="truncated"):
                stream.feed(b"{")
        del stream
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        grown()
        assert max(grown(), grown()) < 3_000, "a byte for each event would be more"
    finally:
        tracemalloc.stop()


@native
def test_a_road_goes_with_its_plan() -> None:
    """Plans are made at every edit of a book: none of them may stay."""

    def made() -> int:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            _planned(_BOOK, native=True)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        made()
        assert made() < 20_000
    finally:
        tracemalloc.stop()
