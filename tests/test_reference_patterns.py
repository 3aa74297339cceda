"""`all of`, `any of`, `as` and what is reckoned over fields: examples for both hands.

The sentences are those of "Patterns" and "Aggregates" in engine/runtime/README.md.
"""

from __future__ import annotations

import pytest
from hands import HANDS, Story, rule

SENT = ["sent"]
NOTHING: list[str] = []
EDGES = [(29_999, True), (30_000, False), (30_001, False)]


@pytest.fixture(params=list(HANDS))
def hand(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ------------------------------------------------ all of


@pytest.mark.parametrize("order", ["ABC", "CBA", "BCA"])
def test_all_of_in_any_order(hand: str, order: str) -> None:
    story = Story(hand, rule("all of (A, B, C)"))
    said = [story.event(name, time) for time, name in enumerate(order)]
    assert said == [NOTHING, NOTHING, SENT]


@pytest.mark.parametrize(("later", "inside"), EDGES)
def test_all_of_within(hand: str, later: int, inside: bool) -> None:
    story = Story(hand, rule("all of (A, B), within 30 s"))
    story.event("B", 0)
    assert story.event("A", later) == (SENT if inside else NOTHING)


def test_all_of_keeps_the_latest_of_each(hand: str) -> None:
    story = Story(hand, rule("all of (A, B), within 30 s"))
    story.event("B", 0)
    story.event("B", 20_000)
    assert story.event("A", 49_999) == SENT


def test_one_event_may_fill_several_atoms(hand: str) -> None:
    story = Story(hand, rule("all of (A, A where event.price > 1)"))
    assert story.event("A", 0, price=1) == NOTHING
    assert story.event("A", 1, price=2) == SENT
    assert story.event("A", 2, price=2) == SENT


def test_a_match_clears_what_was_gathered(hand: str) -> None:
    story = Story(hand, rule("all of (A, B)"))
    assert [story.event(name, 0) for name in "ABBA"] == [NOTHING, SENT, NOTHING, SENT]


def test_all_of_in_the_middle_comes_after_what_is_before(hand: str) -> None:
    story = Story(hand, rule("A, then all of (B, C)"))
    told = enumerate("BACB")
    assert [story.event(name, time) for time, name in told] == [NOTHING] * 3 + [SENT]


@pytest.mark.parametrize(("later", "inside"), EDGES)
def test_all_of_counts_within_from_the_chain_before_its_oldest(
    hand: str, later: int, inside: bool
) -> None:
    story = Story(hand, rule("A as first, then all of (B, C), within 30 s", "when first.price = 1"))
    story.event("A", 0, price=1)
    story.event("B", 1)
    # A newer start; but B came after the older one only.
    story.event("A", 2, price=2)
    assert story.event("C", later) == (SENT if inside else NOTHING)


def test_reaching_all_of_does_not_use_it_up(hand: str) -> None:
    story = Story(hand, rule("all of (A, B), then no C for 10 s"))
    story.event("A", 0)
    story.event("B", 1_000)
    story.event("A", 5_000)
    assert story.tick(14_999) == NOTHING
    assert story.tick(15_000) == SENT


def test_all_of_may_wait_for_a_send(hand: str) -> None:
    text = rule("A") + rule("all of (sent S, B), then C").replace('"S"', '"T"')
    story = Story(hand, text)
    for time, name in enumerate("BA"):
        story.event(name, time)
    assert story.event("C", 2) == SENT


# ------------------------------------------------ any of


def test_any_of(hand: str) -> None:
    story = Story(hand, rule("any of (A where event.price > 1, B), then C"))
    assert [story.event(name, 0, price=1) for name in "ACBC"] == [NOTHING] * 3 + [SENT]


def test_any_of_several_times_is_the_latest(hand: str) -> None:
    story = Story(hand, rule("any of (A, B), then C, within 10 s"))
    story.event("A", 0)
    story.event("B", 5_000)
    assert story.event("C", 14_999) == SENT


# ------------------------------------------------ as


def test_names_in_guards_and_actions(hand: str) -> None:
    text = rule("A as first, then A as second", "when second.price > first.price")
    story = Story(hand, text + '    attach { was: first.price, path: first.path, "q": 1 }\n')
    story.event("A", 0, price=1, url="/x")
    assert story.event("A", 1, price=2, url="/y") == SENT
    assert dict(story.sends[0].attach) == {"was": 1, "path": "/x", "q": 1}


def test_a_name_in_a_later_where_tests_the_chain_at_hand(hand: str) -> None:
    story = Story(hand, rule("A as first, then A where event.price = first.price"))
    # Only the latest chain is asked; older ones are not searched.
    said = [story.event("A", time, price=price) for time, price in enumerate((1, 2, 1, 1))]
    assert said == [NOTHING, NOTHING, NOTHING, SENT]


def test_a_name_in_the_where_of_a_silence(hand: str) -> None:
    story = Story(hand, rule("A as first, then no A where event.word = first.word for 10 s"))
    story.event("A", 0, word="x")
    story.event("A", 1, word="x")
    # The same word cancelled, and began anew.
    assert story.tick(10_000) == NOTHING
    assert story.tick(10_001) == SENT


def test_a_name_at_a_timer(hand: str) -> None:
    on = "A as first, then B as second, then no C for 10 s"
    story = Story(hand, rule(on, 'when first.word = "x" and second.pageID = "q"'))
    story.event("A", 0, word="x")
    story.event("B", 1, page="q")
    assert story.tick(60_000) == SENT


def test_a_name_of_a_send(hand: str) -> None:
    text = rule("A") + rule("sent S as offer, then B", 'when offer.message = "M"').replace(
        'strategy "S"', 'strategy "T"'
    )
    story = Story(hand, text)
    story.event("A", 0)
    assert story.event("B", 1) == SENT


def test_a_field_of_a_name_that_is_missing_is_unknown(hand: str) -> None:
    story = Story(
        hand, rule("A as first, then B", "when first.price > 1 or first.price is missing")
    )
    story.event("A", 0)
    assert story.event("B", 1) == SENT


# ------------------------------------------------ sum, min, max, average

RECKONED = [("sum", 9), ("min", 1), ("max", 5), ("average", 3)]


@pytest.mark.parametrize("window", ["this visit", "this page", "ever", "last 30 s"])
@pytest.mark.parametrize(("function", "result"), RECKONED)
def test_reckoned_over_known_numbers(hand: str, function: str, result: int, window: str) -> None:
    story = Story(hand, rule("B", f"when {function}(A.price, {window}) = {result}"))
    for price in (3, 1, "dear", None, 5):
        story.event("A", 0, price=price)
    assert story.event("B", 1) == SENT


@pytest.mark.parametrize(("function", "known"), [("sum", True), ("min", False), ("average", False)])
def test_reckoned_over_nothing(hand: str, function: str, known: bool) -> None:
    guard = f"when {function}(A.price, this visit) is known"
    assert Story(hand, rule("B", guard)).event("B", 0) == (SENT if known else ["when"])
    assert Story(hand, rule("B", f"when {function}(A.price, ever) = 0")).event("B", 0) == (
        SENT if known else ["when"]
    )


@pytest.mark.parametrize(("later", "inside"), EDGES)
@pytest.mark.parametrize(("function", "both", "alone"), [("sum", 6, 4), ("min", 2, 4)])
def test_reckoned_in_a_rolling_window(
    hand: str, later: int, inside: bool, function: str, both: int, alone: int
) -> None:
    guard = f"when {function}(A.price, last 30 s) = {both if inside else alone}"
    story = Story(hand, rule("B", guard))
    story.event("A", 0, price=2)
    story.event("A", 1_000, price=4)
    assert story.event("B", later) == SENT


def test_reckoning_contains_the_completing_event(hand: str) -> None:
    story = Story(hand, rule("A", "when max(A.price, this visit) = event.price"))
    assert [story.event("A", 0, price=price) for price in (2, 3, 1)] == [SENT, SENT, ["when"]]


def test_a_page_and_a_visit_have_their_own(hand: str) -> None:
    for window, total in (("this page", 1), ("this visit", 3), ("ever", 7)):
        story = Story(hand, rule("B", f"when sum(A.price, {window}) = {total}"))
        story.event("A", 0, price=1, page="p", visit="v")
        story.event("A", 0, price=2, page="q", visit="v")
        story.event("A", 0, price=4, page="p", visit="w")
        assert story.event("B", 1) == SENT, window


def test_a_rolling_window_sees_the_1000_youngest(hand: str) -> None:
    rolling = "count(A, last 1 h) = 1000 and sum(A.price, last 1 h) = 1000"
    settled = "count(A, this visit) = 1001 and sum(A.price, this visit) = 1100"
    story = Story(hand, rule("B", f"when {rolling} and {settled}"))
    story.event("A", 0, price=100)
    for time in range(1, 1001):
        story.event("A", time, price=1)
    assert story.event("B", 1_001) == SENT


def test_a_sum_that_is_too_large_is_missing(hand: str) -> None:
    story = Story(hand, rule("B", "when sum(A.price, this visit) is missing"))
    story.event("A", 0, price=1.7e308)
    assert story.event("B", 1) == ["when"]
    story.event("A", 2, price=1.7e308)
    assert story.event("B", 3) == SENT
    story.event("A", 4, price=-1.7e308)
    assert story.event("B", 5) == SENT, "it stays so in this window"


@pytest.mark.parametrize("function", ["sum", "min", "max", "average"])
@pytest.mark.parametrize("window", ["ever", "last 30 s"])
def test_what_no_double_holds_is_no_number(hand: str, function: str, window: str) -> None:
    story = Story(hand, rule("B", f"when {function}(A.price, {window}) = 1.5"))
    for price in (1.5, 10**400, -(10**400)):
        story.event("A", 0, price=price)
    assert story.event("B", 1) == SENT


@pytest.mark.parametrize("guard", ["event.price * 2", "event.price / 2", "event.price - 1.5"])
def test_reckoning_beyond_doubles_is_missing(hand: str, guard: str) -> None:
    story = Story(hand, rule("A", f"when ({guard}) is missing"))
    assert story.event("A", 0, price=10**400) == SENT
