"""What a silence and a name keep of an event: what is read of it later, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from hands import HANDS, RuntimeHand, Story, rule

PLACE = {"name": "A", "time": 5, "visit": "v", "page": "p"}
TOLD: dict[str, Any] = {"price": 120, "word": "long", "cart": {"total": 7, "items": ["a"]}}


def told(text: str) -> Story:
    story = Story("runtime", text)
    assert story.event("A", 5, url="/checkout/a?step=2", agents=3, **TOLD) == []
    return story


def waits(text: str) -> Any:
    """What the one silence that runs keeps of its event."""
    story = told(text)
    assert isinstance(story.hand, RuntimeHand)
    ((_, chain),) = story.hand.visitor.timers.values()
    return chain[1]


SILENCE = "A, then no B for 1 min"
READ: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "what is known of the place": ('when event.pageID = "p" and event.eventName = "A"', {}),
    "a field": ("when event.price > 100", {"data": {"price": 120}}),
    "the address": ('when event.query.step = "2"', {"url": "/checkout/a?step=2"}),
    "a category": (
        "when event in (Checkout)",
        {"url": "/checkout/a?step=2", "data": {"price": 120}},
    ),
    "other events": ('when latest(A.word, this visit) = "long"', {}),
}
"""A guard, and what is kept for it beside the place."""


@pytest.mark.parametrize("read", READ)
def test_a_silence_keeps_what_its_rule_reads(read: str) -> None:
    guard, kept = READ[read]
    assert waits(rule(SILENCE, guard)) == PLACE | kept


@pytest.mark.parametrize("what", ["attach { it: event.word }", "set visit.stage = event.word"])
def test_so_do_the_actions(what: str) -> None:
    assert waits(f"{rule(SILENCE)}    {what}\n") == PLACE | {"data": {"word": "long"}}


def test_a_field_in_a_field_is_kept_alone() -> None:
    declared = "event D\n  cart.total number\n"
    story = Story("runtime", declared + rule("D, then no B for 1 min", "when event.cart.total > 1"))
    assert isinstance(story.hand, RuntimeHand)
    story.event("D", 5, **TOLD)
    ((_, chain),) = story.hand.visitor.timers.values()
    assert chain[1] == PLACE | {"name": "D", "data": {"cart": {"total": 7}}}


def test_a_message_of_the_book_is_read_too() -> None:
    note = 'message N(it) is gpe.appendContent { url: it, method: event.path }\nstrategy "S"\n'
    story = waits(f"{note}  on {SILENCE}\n    send N(event.word)\n")
    assert story == PLACE | {"url": "/checkout/a?step=2", "data": {"word": "long"}}


def test_a_value_of_another_kind_is_missing_already() -> None:
    story = Story("runtime", rule(SILENCE, "when event.price is missing"))
    assert isinstance(story.hand, RuntimeHand)
    story.event("A", 5, price="x" * 10_000)
    ((_, chain),) = story.hand.visitor.timers.values()
    assert chain[1] == PLACE


def test_a_silence_before_something_else_keeps_the_place_alone() -> None:
    assert waits(rule(f"{SILENCE}, then C", "when event.path is known")) == PLACE


def test_a_name_keeps_what_is_read_under_it() -> None:
    text = rule("A as x, then B where event.path = x.path, then C", "when x.price > 1")
    (chains,) = told(text).hand.visitor.visits["v"].memory.values()  # type: ignore[attr-defined]
    kept = {"url": "/checkout/a?step=2", "data": {"price": 120}}
    assert chains[0] == (5, None, {"x": PLACE | kept})


TABLE = f"""
strategy "S"
table "T" for strategy "S"
  on ? | when event.price | when event.word | send
  {SILENCE} | > 100 | - | M
  {SILENCE} | - | "long" | M
"""


@pytest.mark.parametrize("hand", HANDS)
def test_the_rows_of_a_table_know_the_event_that_they_share(hand: str) -> None:
    story = Story(hand, TABLE)
    story.event("A", 5, **TOLD)
    assert story.tick(60_005) == ["sent"], "the second row would have sent as well"
