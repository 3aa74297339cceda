"""Why a strategy invited, as an agent reads it."""

from __future__ import annotations

from typing import Any

import pytest
from hosts.booked import written_book

from engine.reporting.reasons import reason

BOOK = """
category Checkout is url "/checkout/**"
category Products is url "/products/**"
hours Office is Mon-Fri 09:00-17:00
fact visitor.dislikesChat boolean = false
event AddToCart
  price number
message Hello is gpe.appendContent {{ url: "/a.html" }}

strategy "S"
  description "Somebody hesitates."
  on {pattern}
    when   {when}
    unless {unless}
    send   Hello
"""


def said(
    pattern: str = "PageEntered", when: str = "now in Office", unless: str = 'weekday = "Sun"'
) -> dict[str, Any]:
    found = reason(written_book(BOOK.format(pattern=pattern, when=when, unless=unless)), "S", 0)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("pattern", "steps"),
    [
        (
            "PageEntered in Checkout, stays 30 s",
            ["PageEntered in Checkout", "stayed there for 30 s"],
        ),
        ("AddToCart, then no PageEntered for 1 min", ["AddToCart", "no PageEntered for 1 min"]),
        ("3 times AddToCart, within 10 min", ["3 times AddToCart", "all within 10 min"]),
    ],
)
def test_steps(pattern: str, steps: list[str]) -> None:
    assert said(pattern=pattern)["steps"] == steps


@pytest.mark.parametrize(
    ("when", "conditions"),
    [
        (
            'latest(AddToCart.price, this visit) >= 100 and agents.ready("chat") > 0',
            [
                "the latest AddToCart.price in this visit is at least 100",
                "the number of agents ready for chat is more than 0",
            ],
        ),
        (
            "count(PageEntered in Products, last 10 min) < 3",
            ["the number of PageEntered in Products in the last 10 min is less than 3"],
        ),
        (
            "seen(AddToCart, this page) and since(PageEntered) <= 5 s",
            [
                "AddToCart was seen on this page",
                "the time since PageEntered is at most 5 s",
            ],
        ),
        ("now in Office", ["it is within Office"]),
        ("not seen(AddToCart, ever)", ["not: AddToCart was seen"]),
    ],
)
def test_conditions(when: str, conditions: list[str]) -> None:
    assert said(when=when)["conditions"] == conditions


def test_exceptions_and_description() -> None:
    found = said(unless='visitor.state = "recognized" or seen(AddToCart, ever)')
    assert found["description"] == "Somebody hesitates."
    assert found["exceptions"] == ['the visitor\'s state is "recognized"', "AddToCart was seen"]


def test_facts_are_words_and_not_names() -> None:
    assert said(unless="visitor.dislikesChat")["exceptions"] == [
        "the visitor is marked “dislikes chat”"
    ]


def test_what_the_book_has_no_more_has_no_reason() -> None:
    book = written_book(BOOK.format(pattern="PageEntered", when="true", unless="false"))
    assert reason(book, "Gone", 0) is None
    assert reason(book, "S", 1) is None
    assert reason(book, "S", -1) is None
