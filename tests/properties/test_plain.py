"""Plain lines: what is decided from bytes, with compact visitors, is what the steps decide."""

from __future__ import annotations

import gc
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.runtime.plan import Plan, plan
from engine.runtime.road import IS_NATIVE
from engine.runtime.stream import Answer, Stream
from engine.vocabulary.line import decode, settled

native = pytest.mark.skipif(not IS_NATIVE, reason="the road was not built: no C compiler")

_HEAD = """\
event Other
event Cart
  total number
  item text
  gift boolean
category Shop is url "/shop/**"
category Lamps is url "/shop/lamps/*"
category Given is event.category = "given"
message Offer(address) is gpe.appendContent { url: address }
channel shop.note { said: text }
message Note(said) is shop.note { said: said }
"""
_BEHAVIOURS = (
    "Cart where event.total >= {n}",
    "Cart where event.total < {n} and event.total > 3",
    "Cart in Shop where event.total <= {n}",
    "Cart in Lamps",
    "Cart in Given where event.total > {n}",
    'Cart where event.item = "lamp"',
    'Cart where event.item = "lamp" and event.total >= {n}',
    'Cart where event.item in ("pen", "ink", "{n}")',
    "Cart where event.total = {n}",
    "Cart where event.gift",
    'PageEntered where event.title = "a page"',
    "any event in Shop or Lamps",
    'Cart where event.pageID = "P{n}"',
    "PageExited",
    "any event in Lamps",
)
_REMEMBERING = (
    "3 times Cart, within 1 min",
    "2 times any event in Shop",
    "4 times Cart where event.total > {n}, within 2 min",
    "5 times Cart",
    "PageEntered, then Cart",
    "Cart where event.total > {n}, then Cart, within 1 min",
    "PageEntered, then Cart in Shop, then Cart, then Other, within 3 min",
    "2 times Cart, per page",
    "Cart, then no PageEntered for 1 min",
    "3 times Cart, within 1 min, per visitor",
    "PageEntered, then Cart, per visitor",
    "Cart in Lamps or Given",
)


def _strategy(number: int, behaviour: str, limit: str) -> str:
    body = f'    send Offer("/{number}.html")\n    send Note("{number}")\n'
    return f'strategy "s{number % 7}-{number}"\n{limit}  on {behaviour}\n{body}'


@st.composite
def _books(draw: st.DrawFn) -> str:
    many = st.lists(st.sampled_from(_BEHAVIOURS), min_size=1, max_size=8)
    chosen = draw(many) + draw(st.lists(st.sampled_from(_REMEMBERING), max_size=4))
    behaviours = [text.format(n=draw(st.integers(0, 30))) for text in chosen]
    limits = draw(st.sampled_from(["", "", "", "  limit 2 per visit\n"]))
    return _HEAD + "".join(_strategy(n, one, limits) for n, one in enumerate(behaviours))


_NUMBERS = st.one_of(
    st.integers(-5, 40),
    st.sampled_from(
        [0, 12, 12.5, 1e3, 1e-3, 2**53, 2**53 + 1, 2**70, 0.1, 123456789012345.5, -0.0]
    ),
    st.floats(allow_nan=False, allow_infinity=False),
)
_TEXTS = st.sampled_from(
    ["lamp", "pen", "ink", "", 'a "word"', "käse", "a\\b", "\t", "x" * 40, "\x7f"]
)
_DATA = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "total": st.one_of(_NUMBERS, st.booleans(), st.none(), _TEXTS),
            "item": st.one_of(_TEXTS, _TEXTS, st.none(), st.integers(0, 3)),
            "gift": st.one_of(st.booleans(), st.none(), st.just(1)),
            "more": st.recursive(
                st.none() | st.booleans() | _NUMBERS | _TEXTS,
                lambda deep: st.lists(deep, max_size=2) | st.dictionaries(_TEXTS, deep, max_size=2),
                max_leaves=4,
            ),
        },
    ),
)
_NAMES = st.sampled_from(["Cart", "Cart", "Cart", "PageEntered", "PageExited", "Other", "SignIn"])
_URLS = st.sampled_from(
    ["/shop/a", "/shop/lamps/b", "/", "", "https://x.org/shop/lamps/c", "/\u00e4"]
)
_LATER = st.sampled_from([0, 1, 20_000, 70_000, -5_000, 86_399_999, 86_400_000])


@st.composite
def _fields(draw: st.DrawFn) -> dict[str, Any]:
    fields = {"eventName": draw(_NAMES), "visitID": draw(st.sampled_from(["V", "V", "V", "W"]))}
    few = st.integers(0, 3) if draw(st.integers(0, 9)) else st.integers(0, 40)
    optional = {
        "globalVisitID": st.sampled_from(["G", "V", "", None]),
        "pageID": st.one_of(few.map("P{}".format), st.none()),
        "url": _URLS | st.none(),
        "title": st.sampled_from(["a page", "\u2603", None]),
        "category": st.sampled_from(["given", "Shop", None]),
        "eventID": st.sampled_from(["E1", None]),
        "languageCode": st.just("de"),
        "data": _DATA,
        "unknown": _DATA,
        "draw": st.just(0.5),
    }
    wanted = draw(st.lists(st.sampled_from(sorted(optional)), unique=True))
    return fields | {name: draw(optional[name]) for name in wanted}


@st.composite
def _lines(draw: st.DrawFn) -> list[bytes]:
    now, lines = 1_700_000_000_000, []
    for fields in draw(st.lists(_fields(), min_size=1, max_size=25)):
        now += draw(_LATER)
        fields["timestamp"] = now
        items = draw(st.permutations(list(fields.items()))) if draw(st.booleans()) else fields
        how = draw(st.sampled_from([{"separators": (",", ":")}, {"indent": 1}, {}]))
        text = json.dumps(dict(items), ensure_ascii=draw(st.booleans()), **how)  # type: ignore[arg-type]
        lines.append(text.encode())
    return lines


def _planned(text: str, *, native: bool) -> Plan:
    found = compile_book([Source(name="a.strategy", text=text)])
    assert found.book is not None, [str(one) for one in found.diagnostics]
    return plan(found.book, native=native)


def _told(answer: Answer | None) -> tuple[object, ...] | None:
    return None if answer is None else (answer.batches, answer.decisions, answer.breaches)


def _memory(stream: Stream, name: str) -> str | None:
    visitor = stream.visitor(name)
    return None if visitor is None else json.dumps(visitor.to_json())


@native
@given(_books(), _lines(), st.data())
def test_plain_lines_are_decided_as_all_others(
    book: str, lines: list[bytes], data: st.DataObject
) -> None:
    fast, slow = Stream(_planned(book, native=True)), Stream(_planned(book, native=False))
    asked = data.draw(st.sets(st.integers(0, len(lines)), max_size=2))
    answers = []
    for number, line in enumerate(lines):
        if data.draw(st.booleans()):
            got, wanted = fast.feed(line), slow.feed(line)
        else:
            event = settled(decode(line))
            got, wanted = fast.take(event), slow.take(event)
        answers.append((got, _told(wanted)))
        if number in asked:
            assert _memory(fast, "V") == _memory(slow, "V")
    for got, wanted in answers:
        assert _told(got) == wanted, "and an answer stays as it is when the stream goes on"
    for name in ("V", "W", "G", ""):
        assert _memory(fast, name) == _memory(slow, name)


_LINE = (
    b'{"eventName":"Cart","visitID":"V","pageID":"P","url":"/shop/a","timestamp":1700000000000,'
    b'"data":{"total":12.5,"item":"lamp","more":[1,{"a":null}],"gift":true}}'
)
_PIECES = [
    b"",
    b"0",
    b"1",
    b"-",
    b".",
    b"e9",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
]
_PIECES += [
    b"\0",
    b"\n",
    b"\x1f",
    b"\x80",
    "ä".encode(),
    b"null",
    b"true",
    b"1e400",
    b"12345678901234567",
]


@native
@given(
    st.lists(
        st.tuples(st.integers(0, len(_LINE)), st.integers(0, 3), st.sampled_from(_PIECES)),
        min_size=1,
        max_size=3,
    )
)
@example([(len(_LINE), 0, b"\0")])
def test_a_line_that_is_wrong_is_refused_as_by_the_decoder(
    changes: list[tuple[int, int, bytes]],
) -> None:
    line = _LINE
    for place, gone, piece in changes:
        line = line[:place] + piece + line[place + gone :]
    book = _HEAD + _strategy(1, _BEHAVIOURS[0].format(n=12), "")
    fast, slow = Stream(_planned(book, native=True)), Stream(_planned(book, native=False))
    wanted, got = _fed(slow, line), _fed(fast, line)
    assert got == wanted
    assert _memory(fast, "V") == _memory(slow, "V")


def _fed(stream: Stream, line: bytes) -> object:
    """What came of a line, or why it was refused."""
    try:
        return _told(stream.feed(line))
    except ValueError as refused:
        return type(refused), str(refused)


def _line(number: int, **fields: object) -> bytes:
    data = {"total": number % 40, "item": "lamp"}
    given = {"eventName": "Cart", "visitID": "V", "timestamp": 1_700_000_000_000 + number}
    return json.dumps(given | {"pageID": f"P{number % 3}", "data": data} | fields).encode()


@native
def test_a_long_log_is_numbered_and_cut_alike() -> None:
    text = _HEAD + "".join(_strategy(n, f"Cart where event.total >= {n}", "") for n in range(40))
    fast, slow = Stream(_planned(text, native=True)), Stream(_planned(text, native=False))
    for number in range(60):
        line = _line(number)
        assert _told(fast.feed(line)) == _told(slow.feed(line))
    assert _memory(fast, "V") == _memory(slow, "V")
    assert len(fast.visitor("V").sends) == 1_000  # type: ignore[union-attr]


@native
def test_streams_of_plain_lines_leave_nothing_behind() -> None:
    planned = _planned(_HEAD + _strategy(1, _BEHAVIOURS[0].format(n=12), ""), native=True)
    lines = [_line(n, visitID=f"V{n % 50}", url=f"/shop/{n % 9}") for n in range(3_000)]

    def grown() -> int:
        before = tracemalloc.get_traced_memory()[0]
        stream = Stream(planned)
        for number, line in enumerate(lines):
            answer = stream.feed(line)
            if answer is not None and number % 5 == 0:
                assert answer.batches[0].sends
                assert answer.decisions
            if number % 1_000 == 0:
                stream.visitor(f"V{number % 50}")
        del stream, answer
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        grown()
        assert max(grown(), grown()) < 3_000, "a byte for each event would be more"
    finally:
        tracemalloc.stop()


@native
def test_an_answer_outlives_its_stream_and_its_plan() -> None:
    stream = Stream(_planned(_HEAD + _strategy(1, "Cart where event.gift", ""), native=True))
    stream = Stream(
        _planned(_HEAD + _strategy(1, 'Cart where event.item = "lamp"', ""), native=True)
    )
    answer = stream.feed(_line(3))
    del stream
    gc.collect()
    assert type(answer).__name__ == "Answer", "decided from its bytes"
    (batch,) = answer.batches
    assert [send.id for send in batch.sends] == ["V/s1-1/1", "V/s1-1/2"]
    assert answer.decisions[0].sends == ("V/s1-1/1", "V/s1-1/2")
    assert answer.batches is answer.batches


@native
def test_more_addresses_than_are_remembered() -> None:
    text = _HEAD + _strategy(1, "Cart in Lamps", "")
    fast, slow = Stream(_planned(text, native=True)), Stream(_planned(text, native=False))
    for number in range(20_000):
        line = _line(number, url=f"/shop/lamps/{number % 9_000}", visitID=f"V{number}")
        assert _told(fast.feed(line)) == _told(slow.feed(line))
