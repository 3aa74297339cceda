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
        "boundaries": (0, 2),
        "guarantees": (0, 2),
    }
    assert len(coverage.gaps()) == 2 + 6 + 2 * 2 + 2


def test_what_is_left_is_listed_in_order_of_place() -> None:
    coverage = tried("AddToCart { price: 99 }", "AddToCart { price: 101 }", "AddToCart")
    assert [gap.what for gap in coverage.gaps()] == [
        "no story turns on exactly 100 at `event.price >= 100`: "
        "`AddToCart { price: 100 }`, where nothing else decides",
        "`count(AddToCart, this visit) < 3` was never false",
        "no story turns on exactly 3 at `count(AddToCart, this visit) < 3`: "
        "let there be 3, where nothing else decides",
        'a rule of "S" never fired',
        'no story comes near what the guarantee "Not after signing out" forbids',
    ]
    assert coverage.summary()["guarantees"] == (1, 2)
    assert coverage.summary()["rules"] == (1, 2)


def test_a_condition_about_an_earlier_event_is_asked_with_its_name() -> None:
    text = """
event AddToCart
  price number
message M is gpe.appendContent { url: "/frontend/resources/invite.html" }
strategy "Cheaper"
  limit 1 per visit
  on AddToCart as first, then AddToCart where event.price < first.price
    send M
scenario "One"
  AddToCart { price: 2 }
  AddToCart { price: 2 }
  AddToCart { price: 1 }
  AddToCart { price: 1 }
"""
    coverage = Coverage(book(text))
    run_scenarios(book(text), coverage)
    assert coverage.summary()["conditions"] == (2, 2)


def test_a_condition_about_a_send_is_asked_when_it_is_sent() -> None:
    text = """
message M is gpe.appendContent { url: "/frontend/resources/invite.html" }
strategy "S"
  limit 2 per visit
  on PageEntered
    send M
  on sent M where agents.ready("chat") > 0, then SignOut
    send M
scenario "One"
  given 1 agents ready for "chat"
  visitor enters "/"
scenario "Other"
  given 0 agents ready for "chat"
  visitor enters "/"
"""
    coverage = Coverage(book(text))
    run_scenarios(book(text), coverage)
    assert coverage.summary()["conditions"] == (2, 2)
    assert not any("agents.ready" in gap.what for gap in coverage.gaps())


def test_watching_changes_no_story() -> None:
    told = book(BOOK + '  visitor enters "/"\n  AddToCart { price: 100 }\n  expect sent M\n')
    assert run_scenarios(told, Coverage(told)) == run_scenarios(told)
