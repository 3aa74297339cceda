"""The runtime and the reference say the same of every moment of every story."""

from __future__ import annotations

from hypothesis import given, note
from properties.cases import Case, cases
from reference import Reference

from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.visitor import Visitor


@given(cases())
def test_runtime_and_reference_agree(case: Case) -> None:
    compiled, visitor = plan(case.book), Visitor.new("W")
    reference = Reference(case.book)
    for moment, expected in case.told(reference):
        outcome = step(compiled, visitor, moment)
        visitor = outcome.visitor
        note(f"{moment}\n   reference {expected[1]}\n   runtime   {outcome.decisions}")
        assert outcome.decisions == expected[1]
        assert outcome.batches == expected[0]
