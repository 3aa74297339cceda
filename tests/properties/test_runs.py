"""Runs of events: what is taken in one go is what comes of one event after the other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace
from properties.cases import Case, cases

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.runtime.outcome import Outcome
from engine.runtime.plan import Plan, plan
from engine.runtime.road import IS_NATIVE
from engine.runtime.runs import follow
from engine.runtime.step import advance
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event

natives = pytest.mark.skipif(not IS_NATIVE, reason="the road was not built: no C compiler")


def _body(event: Event) -> dict[str, Any]:
    return {
        "eventName": event.name,
        "pageID": event.page,
        "eventID": event.id,
        "url": event.url,
        "title": event.title,
        "languageCode": event.language,
        "category": event.category,
        "data": dict(event.data),
        "agents": dict(event.agents),
    }


def _runs(case: Case) -> list[list[Event]]:
    """Events of a case, in rows that a host would bring together: of one visit, at one time."""
    runs: list[list[Event]] = []
    for moment in case.moments():
        if not isinstance(moment, Event):
            continue
        last = runs[-1][-1] if runs else None
        if last and last.visit == moment.visit and moment.time - last.time < 60_000:
            runs[-1].append(moment)
        else:
            runs.append([moment])
    return runs


def _followed(by: Plan, visitor: Visitor, run: list[Event]) -> list[tuple[int, Any]]:
    """Where something came of an event of a run, and what."""
    found: list[tuple[int, Any]] = []
    bodies, place = [_body(event) for event in run], 0
    while place < len(bodies):
        count, outcome = follow(by, visitor, bodies[place:], run[0].visit, run[0].time)
        assert count > 0
        place += count
        if outcome is not None:
            assert outcome.visitor is visitor
            assert not _is_empty(outcome)
            found.append((place, outcome[1:]))
    return found


def _is_empty(outcome: Outcome) -> bool:
    return not (outcome.batches or outcome.decisions or outcome.breaches)


@pytest.mark.parametrize("native", [pytest.param(True, marks=natives), False])
@given(case=cases())
def test_in_one_go_or_one_by_one(native: bool, case: Case) -> None:
    by, slow = plan(case.book, native=native), plan(case.book, native=False)
    visitor, other = Visitor.new("W"), Visitor.new("W")
    for run in _runs(case):
        expected = []
        for place, event in enumerate(run, 1):
            settled = event_of_run(event, run[0])
            outcome = advance(slow, other, settled)
            if not _is_empty(outcome):
                expected.append((place, outcome[1:]))
        assert _followed(by, visitor, run) == expected
        assert json.dumps(visitor.to_json()) == json.dumps(other.to_json())


def event_of_run(event: Event, first: Event) -> Event:
    """The event as a run has it: of the visitor who takes it, at the time of the first."""
    return replace(event, visitor="W", time=first.time, pacing={}, draw=None)


@natives
def test_what_is_no_run_is_refused() -> None:
    book = compile_book([Source(name="b.strategy", text='event E "It"\n')]).book
    assert book is not None
    by = plan(book)
    assert by.road is not None
    visitor = Visitor.new("W")
    wrong: list[tuple[Any, ...]] = [
        (by, visitor, ({"eventName": "E"},), "V", 1),
        (by, "W", [{"eventName": "E"}], "V", 1),
        (by, visitor, [{"eventName": "E"}], "V"),
    ]
    for arguments in wrong:
        with pytest.raises(TypeError):
            by.road.follow(*arguments)
    with pytest.raises(KeyError):
        by.road.follow(by, visitor, [{}], "V", 1)
    assert visitor.events == 0
