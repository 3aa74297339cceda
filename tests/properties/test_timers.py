"""A host that wakes at `next_timer` loses nothing and wakes for nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from properties.cases import Case, cases

from engine.runtime.outcome import Outcome
from engine.runtime.plan import Plan, plan
from engine.runtime.step import next_timer, step
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event, Moment, Tick


def woken(compiled: Plan, visitor: Visitor, moment: Moment) -> list[Outcome]:
    """`moment` with the ticks before it that a punctual host would have given."""
    # The same from outside, since a guard of a timer looks at what came with its moment.
    came = moment if isinstance(moment, Event | Tick) else Tick(time=0)
    tick = Tick(time=0, agents=came.agents, pacing=came.pacing, draw=came.draw)
    outcomes: list[Outcome] = []
    while (due := next_timer(compiled, visitor)) is not None and due <= moment.time:
        outcomes.append(step(compiled, visitor, replace(tick, time=due)))
        visitor = outcomes[-1].visitor
    return [*outcomes, step(compiled, visitor, moment)]


@given(cases())
def test_waking_on_time_decides_what_waking_late_decides(case: Case) -> None:
    compiled = plan(case.book)
    punctual = lazy = Visitor.new("W")
    for moment in case.moments():
        expected = step(compiled, lazy, moment)
        outcomes = woken(compiled, punctual, moment)
        assert [b for o in outcomes for b in o.batches] == list(expected.batches)
        assert [d for o in outcomes for d in o.decisions] == list(expected.decisions)
        lazy, punctual = expected.visitor, outcomes[-1].visitor


@given(cases())
def test_a_tick_before_the_next_timer_does_nothing(case: Case) -> None:
    compiled, visitor = plan(case.book), Visitor.new("W")
    for moment in case.moments():
        due = next_timer(compiled, visitor)
        for time in (visitor.now, moment.time, *([due - 1] if due is not None else [])):
            if due is None or time < due:
                early = step(compiled, visitor, Tick(time=time))
                assert (early.batches, early.decisions) == ((), ())
                # (A visit that ends takes its timers with it.)
                then = next_timer(compiled, early.visitor)
                assert then is None or (due is not None and then >= due)
        visitor = step(compiled, visitor, moment).visitor


@given(cases())
def test_no_timer_is_left_behind(case: Case) -> None:
    compiled, visitor = plan(case.book), Visitor.new("W")
    for moment in case.moments():
        visitor = step(compiled, visitor, moment).visitor
        due = next_timer(compiled, visitor)
        assert due is None or due > visitor.now
