"""A plan that took from an older one what did not change is the plan that is made from nothing."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from properties.books import books
from properties.cases import Case, cases

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.language.syntax import Book
from engine.runtime.plan import Plan, plan
from engine.runtime.step import advance
from engine.runtime.visitor import Visitor


@st.composite
def edited(draw: DrawFn) -> tuple[Case, list[Book]]:
    """A case, and books from which its own was edited, one after the other."""
    case = draw(cases())
    return case, [_before(draw, case.book) for _ in range(draw(st.integers(1, 3)))]


def _before(draw: DrawFn, book: Book) -> Book:
    other = draw(books())
    whose = {name: draw(st.sampled_from(("own", "other", "none"))) for name in book.strategies}
    strategies = {name: book.strategies[name] for name, who in whose.items() if who == "own"}
    for name, one in other.strategies.items():
        if whose.get(name, "other") == "other":
            strategies[name] = one
    mixed = replace(book, strategies=strategies, guarantees=other.guarantees)
    # Seldom, something else changed too, that they all depend on.
    return replace(mixed, categories=other.categories) if draw(st.integers(0, 7)) == 0 else mixed


@given(edited())
def test_it_numbers_and_decides_alike(told: tuple[Case, list[Book]]) -> None:
    case, older = told
    before: Plan | None = None
    for book in older:
        before = plan(book, before=before)
    again, afresh = plan(case.book, before=before), plan(case.book)
    assert _laid_out(again) == _laid_out(afresh)
    one, other = Visitor.new("W"), Visitor.new("W")
    for moment in case.moments():
        assert advance(again, one, moment)[1:] == advance(afresh, other, moment)[1:]
        assert json.dumps(one.to_json()) == json.dumps(other.to_json())


def _laid_out(planned: Plan) -> object:
    """All that has a number or a name."""
    return (
        planned.version,
        [(watch.index, watch.key) for watch in planned.watches],
        [(one.rank, one.place, one.strategy.name, one.automaton.key) for one in planned.rules],
        [list(one.automaton.reached_by.items()) for one in planned.rules],
        [[position.watches for position in one.automaton.positions] for one in planned.rules],
        [(one.watch, one.place, one.key, one.horizon) for one in planned.registers],
        [(name, index.entries) for name, index in planned.named.items()],
        list(planned.automata),
    )


TEXT = """\
event Cart
  total number
strategy "A"
  on Cart where event.total > 5
  send gpe.appendContent { url: "/a" }
  attach { depth: 1 }
strategy "B"
  on Cart, then PageEntered, within 5 min
  send gpe.appendContent { url: "/b" }
strategy "C"
  on 2 times PageEntered, within 5 min
    when count(Cart, last 3 min) > 1
  send gpe.appendContent { url: "/c" }
"""


def _edited(plan_before: Plan | None, old: str = "", new: str = "") -> Plan:
    found = compile_book([Source(name="a.strategy", text=TEXT.replace(old, new, 1))])
    assert found.book is not None, found.diagnostics
    return plan(found.book, before=plan_before)


def test_what_did_not_change_is_the_same_object() -> None:
    first = _edited(None)
    then = _edited(first, "event.total > 5", "event.total > 6")
    assert then.conditions is first.conditions
    assert [then.parts[name] is first.parts[name] for name in "ABC"] == [False, True, True]


def test_what_is_in_the_book_no_more_is_let_go() -> None:
    last = _edited(None)
    for number in range(20):
        last = _edited(last, "event.total > 5", f"event.total > {number}")
    assert len(last.watches) == len(_edited(None).watches)
    assert not last.conditions.book.strategies


def test_one_is_not_one_and_nothing() -> None:
    """Equal numbers may be written, and sent, in two ways."""
    first = _edited(None)
    then = _edited(first, "depth: 1", "depth: 1.0")
    assert then.version != first.version
    assert then.parts["A"] is not first.parts["A"]
