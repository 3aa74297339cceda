"""The runtime and the reference say the same of every moment of every story."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given, note
from hypothesis import strategies as st
from properties.cases import Case, cases
from reference import DAY

from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.visitor import Visitor


def agree(case: Case, horizon: Mapping[str, int] | None, visit_expiry: int = DAY) -> None:
    compiled, visitor = plan(case.book, visit_expiry=visit_expiry), Visitor.new("W")
    for moment, (batches, decisions, breaches) in case.told(horizon, visit_expiry):
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


@given(case=cases(), minutes=st.sampled_from([1, 5, 30]))
def test_when_the_operator_lets_visits_end_sooner(case: Case, minutes: int) -> None:
    agree(case, horizon=None, visit_expiry=minutes * 60_000)
