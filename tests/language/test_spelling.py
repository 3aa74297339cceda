"""The nearest word: many at once say what one by one says, and soon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.language.spelling import LONGEST, Words, distance, nearest

LETTERS = some.sampled_from("abAB1é\u0130")
NAMES = some.lists(some.text(LETTERS, min_size=1, max_size=18), max_size=12)


@some.composite
def _asked(draw: some.DrawFn) -> tuple[str, list[str]]:
    """Known words, and one that is often a slip of one of them."""
    known = draw(NAMES)
    if not known or draw(some.booleans()):
        return draw(some.text(LETTERS, min_size=1, max_size=18)), known
    word = draw(some.sampled_from(known))
    for _ in range(draw(some.integers(0, 4))):
        at = draw(some.integers(0, len(word)))
        before, after = word[:at], word[at:]
        insert = draw(LETTERS)
        cut, swap = before + after[1:], before + after[1:2] + after[:1] + after[2:]
        word = draw(some.sampled_from((before + insert + after, cut, swap))) or "a"
    return word, known


@given(_asked())
def test_all_at_once_is_one_by_one(asked: tuple[str, list[str]]) -> None:
    word, known = asked
    assert Words(lambda: known).nearest(word) == nearest(word, known)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("Chekout", "Checkout"), ("chekcout", "Checkout"), ("CHECKOUT", "Checkout"),
        ("Checkouts", "Checkout"), ("Basket", None), ("Baskte", None), ("x", None),
    ],
)  # fmt: skip
def test_what_is_near(word: str, meant: str | None) -> None:
    known = ["Checkout", "Products", "ThankYou"]
    assert nearest(word, known) == Words(lambda: known).nearest(word) == meant


def test_among_thousands_of_names_that_differ_in_a_digit() -> None:
    known = [f"Category{number:05}" for number in range(5_000)]
    words = Words(lambda: known)
    for number in range(0, 5_000, 50):
        assert words.nearest(f"Categroy{number:05}") == known[number]


def test_of_several_that_are_as_near_the_first_is_meant() -> None:
    known = ["Cart3", "Cart1", "Cart2"]
    assert nearest("Cart9", known) == Words(lambda: known).nearest("Cart9") == "Cart1"


def test_a_word_of_many_letters_is_near_none() -> None:
    known = ["a" * LONGEST + "b"]
    assert nearest("a" * LONGEST + "c", known) is Words(lambda: known).nearest("c") is None


def test_swapped_neighbours_are_one_edit() -> None:
    assert distance("form", "from", 3) == 1
