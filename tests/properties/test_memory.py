"""What is remembered of a visitor is a value: it can be stored, and a step never changes it."""

from __future__ import annotations

import json

from hypothesis import given
from properties.cases import Case, cases

from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.visitor import Visitor


def as_text(visitor: Visitor) -> str:
    """Strict JSON: no NaN, no keys that are not text."""
    return json.dumps(visitor.to_json(), allow_nan=False)


@given(cases())
def test_storing_it_between_any_two_moments_changes_nothing(case: Case) -> None:
    compiled = plan(case.book)
    kept = stored = Visitor.new("W")
    for moment in case.moments():
        expected, got = step(compiled, kept, moment), step(compiled, stored, moment)
        assert (got.batches, got.decisions) == (expected.batches, expected.decisions)
        kept, text = expected.visitor, as_text(got.visitor)
        stored = Visitor.from_json(json.loads(text))
        assert as_text(stored) == text == as_text(kept)


@given(cases())
def test_a_step_gives_the_same_twice_and_leaves_its_visitor_as_it_was(case: Case) -> None:
    compiled, again = plan(case.book), plan(case.book)
    visitor = Visitor.new("W")
    for moment in case.moments():
        before = as_text(visitor)
        first = step(compiled, visitor, moment)
        assert as_text(visitor) == before
        second = step(again, visitor, moment)
        assert as_text(visitor) == before
        assert (first.batches, first.decisions) == (second.batches, second.decisions)
        assert as_text(first.visitor) == as_text(second.visitor)
        visitor = first.visitor
