"""The runtime and the reference say the same of every moment of every story."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, note
from properties.cases import Case, cases

from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.visitor import Visitor


def agree(case: Case, horizon: Mapping[str, int] | None) -> None:
    compiled, visitor = plan(case.book), Visitor.new("W")
    for moment, (batches, decisions, breaches) in case.told(horizon):
        outcome = step(compiled, visitor, moment, horizon=horizon)
        visitor = outcome.visitor
        note(f"{moment}\n   reference {decisions}\n   runtime   {outcome.decisions}")
        assert outcome.decisions == decisions
        assert outcome.batches == batches
        assert outcome.breaches == breaches


@given(cases())
def test_live(case: Case) -> None:
    agree(case, horizon=None)


@given(cases())
def test_in_a_recording_that_knows_when_each_visit_is_last_heard_of(case: Case) -> None:
    agree(case, horizon=case.horizon())
