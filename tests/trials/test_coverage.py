"""Coverage: what the scenarios of a book have not tried, in the author's words."""

from __future__ import annotations

from trials.compiled import book

from engine.trials.coverage import Coverage
from engine.trials.scenarios import run_scenarios

BOOK = """
event AddToCart
  price number
message M is gpe.appendContent { url: "/frontend/resources/invite.html" }
strategy "S"
  on AddToCart where event.price is known
    when event.price >= 100 and count(AddToCart, this visit) < 3
    send M
  on SignOut
    send M
guarantee "Not twice" never (2 times sent M)
guarantee "Not after signing out" never (SignOut, then sent M)
scenario "One"
"""


def tried(*lines: str) -> Coverage:
    told = book(BOOK + "".join(f"  {line}\n" for line in ('visitor enters "/"', *lines)))
    coverage = Coverage(told)
    run_scenarios(told, coverage)
    return coverage


def test_nothing_tried() -> None:
    coverage = tried()
    assert coverage.summary() == {
        "rules": (0, 2),
        "conditions": (0, 6),
        "thresholds": (0, 6),
        "guarantees": (0, 2),
    }
    assert len(coverage.gaps()) == 2 + 6 + 2 + 2


def test_what_is_left_is_listed_in_order_of_place() -> None:
    coverage = tried("AddToCart { price: 99 }", "AddToCart { price: 101 }", "AddToCart")
    assert [gap.what for gap in coverage.gaps()] == [
        "`event.price >= 100` was not tried at 100",
        "`count(AddToCart, this visit) < 3` was never false",
        "`count(AddToCart, this visit) < 3` was not tried at 3, 4",
        'a rule of "S" never fired',
        'no story comes near what the guarantee "Not after signing out" forbids',
    ]
    assert coverage.summary()["guarantees"] == (1, 2)
    assert coverage.summary()["rules"] == (1, 2)


def test_watching_changes_no_story() -> None:
    told = book(BOOK + '  visitor enters "/"\n  AddToCart { price: 100 }\n  expect sent M\n')
    assert run_scenarios(told, Coverage(told)) == run_scenarios(told)
