"""A stream of lines decides what the steps of the same events decide."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.cases import Case, cases

from engine.language.compiler import compile_book
from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.stream import Stream
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event


def line_of(event: Event) -> bytes:
    """The event as the wire names it."""
    fields = {
        "eventName": event.name, "timestamp": event.time, "globalVisitID": event.visitor,
        "visitID": event.visit, "pageID": event.page, "eventID": event.id, "url": event.url,
        "title": event.title, "languageCode": event.language, "category": event.category,
        "data": dict(event.data), "somethingElse": [1, {"deep": True}],
    }  # fmt: skip
    return json.dumps(fields).encode()


@pytest.mark.parametrize("native", [True, False], ids=["native", "python"])
@given(cases(), st.data())
def test_lines_in_bulk_are_steps(native: bool, case: Case, data: st.DataObject) -> None:
    compiled, visitor = plan(case.book, native=native), Visitor.new("W")
    stream = Stream(compiled)
    for moment in case.moments():
        if not isinstance(moment, Event):
            continue
        bare = msgspec.structs.replace(moment, agents={}, pacing={}, draw=None)
        expected = step(compiled, visitor, bare)
        visitor = expected.visitor
        got = stream.feed(line_of(bare))
        silent = not (expected.batches or expected.decisions or expected.breaches)
        assert (got is None) == silent
        if got is not None:
            assert (got.batches, got.decisions, got.breaches) == expected[1:]
        if data.draw(st.booleans()):
            told = stream.visitor("W")
            assert told is not None
            assert told.to_json() == visitor.to_json()


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"eventName": 1}', b'{"timestamp": 1}'])
@pytest.mark.parametrize("native", [True, False], ids=["native", "python"])
def test_a_line_that_is_no_event_changes_nothing(line: bytes, native: bool) -> None:
    book = compile_book([]).book
    assert book is not None
    with pytest.raises(ValueError, match=r".+"):
        Stream(plan(book, native=native)).feed(line)
