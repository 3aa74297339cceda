"""The short road, native or in Python: the same decisions, and the same memory byte for byte."""

from __future__ import annotations

import gc
import itertools
import json
import os
import tracemalloc
import weakref
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.cases import Case, cases
from properties.test_stream import line_of

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.runtime.plan import Plan, plan
from engine.runtime.road import IS_NATIVE, copy_of, event_in, event_of, road_of
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


_BODIES = st.fixed_dictionaries(
    {"eventName": st.text()},
    optional={
        "pageID": st.none() | st.text(),
        "eventID": st.text(),
        "url": st.text(),
        "title": st.text(),
        "languageCode": st.text(),
        "category": st.text(),
        "data": st.none() | st.dictionaries(st.text(), st.integers() | st.text()),
        "agents": st.dictionaries(st.text(), st.integers()),
        "more": st.integers(),
    },
)


@native
@given(_BODIES, st.booleans())
def test_an_event_is_the_same_from_either(body: dict[str, object], frozen: bool) -> None:
    given_ = MappingProxyType(body) if frozen else body
    made, expected = event_of(given_, "W", "V", 5), event_in(given_, "W", "V", 5)
    assert made == expected
    assert made.pacing is expected.pacing
    for wanting in ({}, {"eventname": "Cart"}):
        with pytest.raises(KeyError, match="eventName"):
            event_of(wanting, "W", "V", 5)


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


_MEMORY = """\
event Cart
  total number
  item  text
  gift  boolean
  tags  list of text
  other.near number
event Search
category Shop is url "/shop/**"
category Large is event.total >= 30
category Foreign is title ends with "!" and language != "en"
fact visit.carts  number = 0
fact visitor.item text
message Offer is gpe.appendContent { url: "/offer.html" }
strategy "counts"
  on Cart
    when seen(Cart, this page)
    send Offer
    attach {
      often: count(Cart, last 40 s), ever: count(Cart, ever), here: count(Cart, this page),
      sum: sum(Cart.total, this visit), least: min(Cart.total, this page), since: since(Search),
      mean: average(Cart.total, this visit), lately: sum(Cart.total, last 30 s),
      item: latest(Cart.item, this visit), gift: latest(Cart.gift, last 1 min),
      tags: latest(Cart.tags, ever), top: max(Cart.total, ever), near: latest(Cart.other.near, ever)
    }
    set visit.carts = visit.carts + 1
    set visitor.item = event.item
strategy "sets"
  priority 3
  on Cart in Large
    unless event.gift
    set visit.carts = visit.carts * 2
    set visitor.item = latest(Cart.item, ever)
  on Cart in Foreign
    set visit.carts = 0
strategy "silences"
  on Cart, then no any event for 20 s, per page
    send Offer
  on Cart in Shop, stays 12 s
    send Offer
  on Cart, then no Search for 10 s, then PageEntered, within 2 min, per visitor
    send Offer
    attach { title: event.title }
strategy "all"
  on all of (Cart, Search, PageEntered), within 1 min, per visitor
    send Offer
    set visit.carts = 100
  on Search, then all of (Cart, PageEntered), then no Search for 5 s
    send Offer
  on Cart as first, then Cart where event.total > first.total
    send Offer
    attach { first: first.item }
"""


_SHAPES = """\
event Cart
event Search
message Offer is gpe.appendContent { url: "/offer.html" }
strategy "shapes"
  on Cart, then all of (Search, PageEntered), then no Cart for 5 min, per visitor
    send Offer
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
    {"name": "Search"},
    {"name": "Search", "page": "Q"},
    {"title": "Bon!", "language": "fr"},
    {"data": {"total": 1e308, "gift": True, "tags": ["a"], "other": {"near": 1}}},
    {"data": {"total": float("inf"), "gift": 1, "tags": "a", "other": 5}},
    {"data": {"total": 2**61, "item": "", "tags": [1], "other": "text"}},
    {"data": {"total": 0.5, "gift": False, "other": False}},
)


@native
@pytest.mark.parametrize("text", [_BOOK, _MEMORY], ids=["book", "memory"])
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_odd_events_are_decided_alike(odd: dict[str, object], text: str) -> None:
    fast, slow = _planned(text, native=True), _planned(text, native=False)
    natively, plainly = Visitor.new("W"), Visitor.new("W")
    told = [_event(0, name="PageEntered"), _event(1), _event(2, **odd), _event(3, **odd)]
    for event in [*told, *(_event(number) for number in range(4, 12))]:
        assert advance(fast, natively, event)[1:] == advance(slow, plainly, event)[1:]
        assert natively.to_json() == plainly.to_json()


_TOLD = st.tuples(
    st.sampled_from(["Cart", "Cart", "Search", "PageEntered", "PageExited"]),
    st.integers(0, 25_000),
    st.sampled_from(["P", "Q", None]),
    st.sampled_from([5, 20, 40, 40.5, -3, 2**61, 2**70, 1e308, float("nan"), True, "40", None]),
)


@native
@given(st.lists(_TOLD, max_size=60))
def test_memory_is_moved_alike(told: list[tuple[str, int, str | None, object]]) -> None:
    fast, slow = _planned(_MEMORY, native=True), _planned(_MEMORY, native=False)
    natively, plainly = Visitor.new("W"), Visitor.new("W")
    now = 1_700_000_000_000
    for name, later, page, total in told:
        now += later
        data = {"total": total, "item": "lamp", "gift": total == 40, "tags": ["a"]}
        event = _event(0, name=name, time=now, page=page, data=data)
        assert advance(fast, natively, event)[1:] == advance(slow, plainly, event)[1:]
        assert json.dumps(natively.to_json()) == json.dumps(plainly.to_json())


_HARMED: tuple[Callable[[Any], Any], ...] = (
    lambda kept: kept[:1] if isinstance(kept, list) else kept,
    lambda kept: [5 for _ in kept] if isinstance(kept, list) else kept,
    lambda kept: [(9, None) for _ in kept] if isinstance(kept, list) else kept,
    lambda _: "text",
)


@native
@pytest.mark.parametrize("harm", _HARMED, ids=["short", "numbers", "pairs", "text"])
def test_memory_of_another_shape_is_an_error_and_no_crash(harm: Callable[[Any], Any]) -> None:
    """A store has checksums; if one passes all the same, nothing is read beyond what is there."""
    planned = _planned(_SHAPES, native=True)
    visitor = Visitor.new("W")
    for number, name in enumerate(("Cart", "Search")):
        advance(planned, visitor, _event(number, name=name))
    kept = visitor.memory
    assert kept, "there is something to harm"
    for key in kept:
        kept[key] = harm(kept[key])
    more = [_event(number, name=name) for number, name in enumerate(("Search", "PageEntered"), 2)]
    with pytest.raises(ValueError, match="another shape"):
        [advance(planned, visitor, event) for event in more]


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
@pytest.mark.parametrize("text", [_BOOK, _MEMORY], ids=["book", "memory"])
def test_nothing_is_kept_that_nobody_needs(text: str) -> None:
    """The same stream again and again leaves as much memory behind as once."""
    planned = _planned(text, native=True)
    names = ("Cart", "PageEntered", "Cart", "Search", "Cart", "PageExited")
    lines = [
        line_of(_event(n, name=names[n % 6], visitor=f"W{n % 7}", page=f"P{n % 11}"))
        for n in range(3_000)
    ]

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
            _planned(_MEMORY, native=True)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        made()
        assert made() < 20_000
    finally:
        tracemalloc.stop()


_CATEGORIES = """
category Shop is url ends with "/shop"
category Rich is title matches "^very"
message Card is gpe.appendContent { url: "/a.html" }

strategy "Hello"
  on PageEntered in Shop
    send Card
"""


@native
def test_addresses_may_be_forgotten_while_categories_are_asked() -> None:
    """A test is a call of Python: another thread, or what it asks, may have all learnt anew."""
    compiled = compile_book([Source(name="book.strategy", text=_CATEGORIES)])
    assert compiled.book is not None, compiled.diagnostics
    by = plan(compiled.book)
    _, known, others = by.conditions.categories.laid_out()
    assert others is not None
    ((number, _, affix),) = (tested := others.laid_out()[0][2])
    url = "https://example.com/shop"
    known[url] = frozenset({"Shop"})

    def forgetful(_: object) -> bool:
        address = weakref.ref(known[url])
        known.clear()
        assert address() is not None, "what is asked about now is kept until it was answered"
        return True

    tested[0] = number, forgetful, affix
    by = replace(by, road=road_of(by))
    event = Event(
        name="PageEntered", time=1, visitor="W", visit="V", page="P", url=url, title="very rich"
    )
    assert [one.strategy for one in advance(by, Visitor.new("W"), event).decisions] == ["Hello"]
    assert not known


_AFFIXES = """
event Search "The visitor looked for something"
  word text

category Help is title ends with "help"
category Shop is url starts with "https://shop"
category Rich is title starts with "réd" and url ends with "/é"
message Card is gpe.appendContent { url: "/a.html" }
""" + "".join(
    f'\nstrategy "S{place}"\n  on Search{where}\n    send Card\n'
    for place, where in enumerate(
        [
            ' where event.word starts with "réd"',
            ' where event.word ends with "réd"',
            ' where event.title ends with "help" and not (event.word ends with "x")',
            ' where event.query.q starts with "a" and event.url ends with "b"',
            " in Help",
            " in Shop where not (event in (Help))",
            " where not (event in (Rich)) and not (event in (Shop))",
            ' in Rich where event.word starts with "r"',
        ]
    )
)


@native
def test_how_a_text_begins_or_ends_is_seen_alike() -> None:
    """Each twice: what an address is in is found in Python at first, and natively from then on."""
    compiled = compile_book([Source(name="book.strategy", text=_AFFIXES)])
    assert compiled.book is not None, compiled.diagnostics
    fast, slow = plan(compiled.book), plan(compiled.book, native=False)
    urls = (None, "https://shop/é", "https://shop/?q=ab", "/é", "")
    titles, words = (
        (None, "help", "réd help", "helpless", "🦊help"),
        ("réd", "réd x", "a réd", 1, "🦊réd"),
    )
    seen: set[str] = set()
    for url, title, word in [*itertools.product(urls, titles, (*words, None, ["réd"], ""))] * 2:
        event = Event(
            name="Search", time=1, visitor="W", visit="V", page="P", url=url, title=title,
            data={} if word is None else {"word": word},
        )  # fmt: skip
        got = advance(fast, Visitor.new("W"), event).decisions
        assert got == advance(slow, Visitor.new("W"), event).decisions
        seen.update(one.strategy for one in got)
    assert seen == {f"S{place}" for place in range(8)}
