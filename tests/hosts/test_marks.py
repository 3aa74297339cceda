"""Marks of inputs: natively and in Python alike, and events that go together."""

from __future__ import annotations

import os
from binascii import b2a_base64
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.hosts.contract import Input
from engine.hosts.marks import MARK, SEEN, knows, mark_of, noted, run_in, run_of
from engine.hosts.optional import IS_NATIVE

Found = tuple[list[Mapping[str, Any]], str]

texts = st.one_of(
    st.sampled_from(["", "A", "AB", "é", "\ud800", "\x00", "ü" * 70, '"\\']),
    st.text(alphabet="AB", max_size=3),
    st.text(max_size=4),
)
inputs = st.builds(
    Input,
    kind=st.sampled_from(["event", "event", "event", "event", "connected"]),
    visit=st.sampled_from(["V", "V", "V", "W", "é"]),
    time=st.sampled_from([1_000, 1_000, 1_000, 1_001]),
    version=st.sampled_from(["1", "1", "1", "2"]),
    epoch=st.sampled_from([0, 0, 0, 1]),
    id=st.one_of(texts, texts, st.none()),
    body=st.fixed_dictionaries({"eventName": st.integers()}),
)


@pytest.mark.skipif("CI" not in os.environ, reason="a machine without a C compiler may do without")
def test_the_native_part_is_built_where_everything_is_tested() -> None:
    assert IS_NATIVE


@given(st.lists(inputs, min_size=1, max_size=8), st.data())
def test_natively_the_same_go_together(some: list[Input], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(some) - 1))
    ids = data.draw(st.lists(texts, max_size=4))
    seen = "".join(mark_of("V", name) for name in ids)
    found = run_of(some, start, seen)
    assert found == run_in(some, start, seen)
    bodies, marks = found
    assert len(marks) == len(bodies) * MARK
    assert bodies == [one.body for one in some[start : start + len(bodies)]]


@given(st.text(alphabet="AZaz09-_é", max_size=40), st.lists(inputs, min_size=1, max_size=3))
@example(
    "A" * (MARK * SEEN + 3), [Input(kind="event", visit="V", time=1, version="", id="x", body={})]
)
def test_even_beside_marks_that_were_harmed(seen: str, some: list[Input]) -> None:
    assert run_of(some, 0, seen) == run_in(some, 0, seen)


@given(st.integers(0, 1_100), st.integers(0, 300))
@example(127 - 2, 0)
@example(128 - 2, 0)
@example(129 - 2, 0)
@example(256 - 2, 0)
def test_a_mark_is_48_bits_of_a_digest(length: int, of_visit: int) -> None:
    visit, name = "V" * of_visit, "i" * length
    digest = blake2b(f"{of_visit}:{visit}{name}".encode(), digest_size=8).digest()[:6]
    expected = b2a_base64(digest, newline=False).decode().replace("+", "-").replace("/", "_")
    one = Input(kind="event", visit=visit, time=1, version="", id=name, body={})
    assert mark_of(visit, name) == expected
    assert run_of([one], 0, "")[1] == expected


def test_marks_of_many_ids_are_those_of_python() -> None:
    some = [
        Input(kind="event", visit="V", time=1, version="", id=f"{n:032X}", body={})
        for n in range(99)
    ]
    assert run_of(some, 0, "") == run_in(some, 0, "")
    assert len(run_of(some, 0, "")[0]) == 99


def _event(number: int) -> Input:
    return Input(kind="event", visit="V", time=1, version="", id=str(number), body={"n": number})


@pytest.mark.parametrize("run", [run_in, run_of])
def test_the_oldest_id_is_forgotten_within_a_run_too(run: Any) -> None:
    """With 256 younger ones an id is new again, wherever they stand."""
    seen = "".join(mark_of("V", str(number)) for number in range(SEEN))
    assert run([_event(0)], 0, seen) == ([], "")
    bodies, _ = run([_event(SEEN), _event(0), _event(1), _event(SEEN)], 0, seen)
    assert [body["n"] for body in bodies] == [SEEN, 0, 1]


@pytest.mark.parametrize("run", [run_in, run_of])
@pytest.mark.parametrize(
    "other",
    [
        {"kind": "connected"},
        {"visit": "W"},
        {"time": 2},
        {"version": "2"},
        {"epoch": 1},
        {"id": None},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_run_ends_before_what_is_not_alike(run: Any, other: dict[str, Any]) -> None:
    some = [_event(1), _event(2), replace(_event(3), **other), _event(4)]
    assert run(some, 0, "") == ([{"n": 1}, {"n": 2}], mark_of("V", "1") + mark_of("V", "2"))


def test_a_mark_is_found_at_its_place_only() -> None:
    first, second = "AAAAAAAB", "BBBBBBBB"
    assert knows(first + second, second)
    assert knows(second + first + second, first)
    assert not knows(first + second, "BBBBBBBA")
    assert not knows(first + second, "AABBBBBB"), "across two marks"
    assert knows(first + second + "AABBBBBB", "AABBBBBB")
    assert noted(first, second) == first + second
    assert len(noted("A" * MARK * SEEN, second)) == MARK * SEEN
