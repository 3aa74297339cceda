"""`why`: true to what the step does, and in words that a person can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from properties.cases import Case, cases
from trials.compiled import book as book_of
from trials.recordings import MINUTE, SECOND, entered, event, recorded

from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.visitor import Visitor
from engine.trials.why import Explained, Story, Verdict, why
from engine.vocabulary.events import Event


@given(cases())
def test_fired_and_refused_are_what_the_step_decides(case: Case) -> None:
    live, visitor, story = plan(case.book), Visitor.new("W"), Story(case.book)
    story.visitor = Visitor.new("W")
    sending = {
        (name, place)
        for name, strategy in case.book.strategies.items()
        for place, rule in enumerate(strategy.rules)
        if rule.sends
    }
    for moment in case.moments():
        outcome = step(live, visitor, moment)
        found = story.tell(moment)
        note(f"{moment}\n  {outcome.decisions}\n  {found}")
        assert story.visitor == outcome.visitor
        visitor = outcome.visitor
        said = [
            (m.time, v.strategy, v.rule, v.reason, v.sends)
            for m in found
            for v in m.verdicts
            if v.status != "silent" and (v.strategy, v.rule) in sending and v.reason != "table"
        ]
        decided = [
            (d.time, d.strategy, d.rule, d.reason, d.sends)
            for d in outcome.decisions
            if d.event != "Expiry"
        ]
        assert sorted(said, key=repr) == sorted(decided, key=repr)
        if isinstance(moment, Event):
            told = {(v.strategy, v.rule) for v in found[-1].verdicts}
            assert told == {
                (name, place)
                for name, strategy in case.book.strategies.items()
                for place in range(len(strategy.rules))
            }
        for verdict in (v for m in found for v in m.verdicts if v.status != "fired"):
            assert verdict.sentence
            assert not verdict.sentence.endswith(".")


HEAD = """
category Products is url "/products/**"
event AddToCart
  price number
  cartTotal number
event Search
  words text
message M is gpe.appendContent { url: "/frontend/resources/invite.html" }
"""


def explained(folder: Path, rules: str, *events: dict[str, Any], **more: Any) -> list[Explained]:
    return list(why(book_of(HEAD + rules), recorded(folder, *events), "v1", **more))


def last(folder: Path, rules: str, *events: dict[str, Any], **more: Any) -> Verdict:
    return explained(folder, rules, *events, **more)[-1].verdicts[-1]


def product(second: float) -> dict[str, Any]:
    return entered(second, page=f"p{second}", url=f"https://shop.example/products/{second}")


THIRD = """
strategy "S"
  on 3 times PageEntered in Products, within 10 min
    send M
"""


def test_the_third_page_came_too_late(tmp_path: Path) -> None:
    verdict = last(tmp_path, THIRD, product(0), product(300), product(614))
    assert verdict.status == "silent"
    assert verdict.sentence == (
        "needed 3 PageEntered in Products within 10 min, saw 2; the third came 14 s too late"
    )
    assert verdict.change == {"what": "PageEntered earlier by", "needed": 14 * SECOND + 1}
    earlier = 614 - (14 * SECOND + 1) / SECOND
    assert last(tmp_path, THIRD, product(0), product(300), product(earlier)).status == "fired"


WINDOW = """
strategy "S"
  on AddToCart
    when count(PageEntered in Products, last 10 min) >= 3
      and latest(AddToCart.cartTotal, this visit) >= 100
      and agents.ready("chat") > 0
    unless event.price < 5
    send M
"""
PAGES = (product(0), product(1), product(2))


def cart(second: float, **data: Any) -> dict[str, Any]:
    return event("AddToCart", second, data=data)


def test_a_count_in_a_window_says_what_was_too_late(tmp_path: Path) -> None:
    verdict = last(tmp_path, WINDOW, *PAGES, cart(614, cartTotal=200))
    assert (verdict.status, verdict.reason) == ("refused", "when")
    assert verdict.condition == "count(PageEntered in Products, last 10 min) >= 3"
    assert verdict.seen == 0
    assert verdict.sentence == (
        "needed 3 or more PageEntered in Products within 10 min, saw 0; "
        "the third came 14 s too late"
    )


@pytest.mark.parametrize(
    ("data", "agents", "sentence"),
    [
        ({"cartTotal": 80}, 1, "cartTotal was 80, needed 100 or more"),
        ({}, 1, "cartTotal was missing, needed 100 or more"),
        ({"cartTotal": 100}, 0, "nobody was free for chat, needed more than 0"),
        ({"cartTotal": 100}, None, "free agents of chat were not known, needed more than 0"),
        ({"cartTotal": 100, "price": 4}, 1, "price was 4, needed 5 or more"),
        ({"cartTotal": 100, "price": 5}, 1, ""),
    ],
)
def test_the_first_condition_that_failed(
    tmp_path: Path, data: dict[str, Any], agents: int | None, sentence: str
) -> None:
    ready = {} if agents is None else {"chat": agents}
    verdict = last(tmp_path, WINDOW, *PAGES, cart(5, **data), agents=ready)
    assert verdict.sentence == sentence
    assert verdict.status == ("refused" if sentence else "fired")


@given(
    st.sampled_from(["<", "<=", ">", ">=", "="]),
    st.integers(-1000, 1000) | st.floats(-1000, 1000).map(lambda x: round(x, 2)),
    st.integers(-1000, 1000) | st.floats(-1000, 1000).map(lambda x: round(x, 2)),
    st.sampled_from(["when", "unless not"]),
)
def test_the_suggested_change_makes_it_fire(
    operator: str, limit: float, seen: float, guard: str
) -> None:
    text = f'strategy "S"\n  on AddToCart\n    {guard} (event.price {operator} {limit:f})\n'
    told = Story(book_of(HEAD + text + "    send M\n"))

    def tell(price: float) -> Verdict:
        happened = Event(
            name="AddToCart", time=0, visitor="W", visit="v1", page="p", data={"price": price}
        )
        return told.tell(happened)[-1].verdicts[0]

    verdict = tell(seen)
    if verdict.status != "fired":
        assert verdict.change is not None
        assert verdict.change["what"] == "event.price"
        assert tell(verdict.change["needed"]).status == "fired"


@given(
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_so_does_a_count_raised_to_what_was_needed(needed: int, seen: int) -> None:
    text = f'strategy "S"\n  on AddToCart\n    when count(AddToCart, this visit) >= {needed}\n'
    told = Story(book_of(HEAD + text + "    send M\n"))
    happened = Event(name="AddToCart", time=0, visitor="W", visit="v1", page="p")
    verdict = [told.tell(happened)[-1].verdicts[0] for _ in range(seen)][-1]
    if verdict.status != "fired":
        assert verdict.change is not None
        for _ in range(verdict.change["needed"] - verdict.seen):
            verdict = told.tell(happened)[-1].verdicts[0]
        assert verdict.status == "fired"


SILENCE = """
strategy "S"
  on AddToCart, then no Search for 2 min
    send M
"""


def test_a_silence_that_was_broken_and_one_that_held(tmp_path: Path) -> None:
    broken = explained(tmp_path, SILENCE, cart(0), event("Search", 110), entered(300))
    sentences = [moment.verdicts[0].sentence for moment in broken]
    assert sentences[0].startswith("came 1 of 2 parts far; waits until 1970-01-01 00:02:00 UTC")
    assert sentences[1] == (
        "Search came after 1 min 50 s, 10 s too early: needed no Search for 2 min"
    )
    assert broken[1].verdicts[0].change == {"what": "Search later by", "needed": 10 * SECOND}
    begun = event("AddToCart", 0, url="https://shop.example/products/9")
    held = explained(tmp_path, SILENCE, begun, event("Search", 120), entered(300))
    assert [moment.timer for moment in held] == [False, True, False, False]
    assert (held[1].time, held[1].verdicts[0].status) == (2 * MINUTE, "fired")
    assert held[1].url == "https://shop.example/products/9"


SEQUENCE = """
strategy "S"
  on Search where event.words has "phone", then PageEntered in Products,
    then AddToCart, within 5 min
    send M
"""


def test_how_far_a_sequence_came(tmp_path: Path) -> None:
    searched = event("Search", 0, data={"words": "a phone"})
    other = event("Search", 0, data={"words": "tv"})
    assert last(tmp_path, SEQUENCE, other).sentence == (
        'words was "tv", needed one that has "phone"'
    )
    assert last(tmp_path, SEQUENCE, searched).sentence == (
        "came 1 of 3 parts far; waits for PageEntered in Products before 1970-01-01 00:05:00 UTC"
    )
    assert last(tmp_path, SEQUENCE, searched, entered(1)).sentence == (
        'PageEntered at "https://shop.example/p1" was in no category, needed Products'
    )
    late = last(tmp_path, SEQUENCE, searched, product(1), cart(301))
    assert late.sentence.startswith("AddToCart came 1 s too late: needed within 5 min of the first")
    assert last(tmp_path, SEQUENCE, searched, product(1), cart(299)).status == "fired"


GROUP = """
group G
  one at a time
  limit 2 in 1 h
hours Office is Mon-Fri 09:00-18:00
strategy "S"
  group G
  on Search
    send M
strategy "Z"
  hours Office
  on AddToCart
    send M
"""


def test_refusals_say_when_they_end(tmp_path: Path) -> None:
    def sentence(*events: dict[str, Any], strategy: str = "S") -> str:
        return last(tmp_path, GROUP, *events, strategy=strategy).sentence

    assert sentence(event("Search", 0), event("Search", 10)) == (
        'M of "S", sent at 1970-01-01 00:00:00 UTC, still waits for an answer, '
        "at most until 1970-01-01 00:00:30 UTC"
    )
    assert sentence(event("Search", 0), event("Search", 60), event("Search", 120)) == (
        "`limit 2 in 1 h` of G is reached; the next may go at 1970-01-01 01:00:00 UTC"
    )
    assert sentence(cart(0), strategy="Z") == (
        "Office was closed; it opens next at 1970-01-01 09:00:00 UTC"
    )
