"""The reference of all words is current, and every example in the tables compiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.language.compiler import compile_book
from engine.language.reference import page
from engine.language.source import Source
from engine.vocabulary.channels import CHANNELS, Channel
from engine.vocabulary.operators import COMPARISONS, Operator
from engine.vocabulary.words import WORDS, Word

WORDS_PAGE = Path(__file__).parents[2] / "strategies" / "WORDS.md"

AROUND = """
category Checkout is url "/checkout/**"
category Products is url "/products/**"
event AddToCart
  price     number
  cartTotal number
event Search
event Order
fact visitor.vip          boolean
fact visitor.dislikesChat boolean
fact visit.stage          text
hours Office is Mon-Fri 09:00-18:00
message Invite is gpe.appendContent { url: "/invite.html" }
strategy "Help at the checkout"
  audience 50% of "chat or callback"
  on AddToCart
    send Invite
"""
"""What the examples speak of. A block that an example declares itself is left out."""

RULE = 'strategy "Framed"\n  on AddToCart\n'
SEND = "    send Invite\n"
FRAMES = {
    "declaration": ("@\n", f"@\n  on AddToCart\n{SEND}"),
    "event": ("@\n", "event Framed\n  @\n", "event Framed\n  price number @\n"),
    "hours": ("@\n",),
    "group": ("@\n", "group Framed\n  @\n"),
    "strategy": (f'strategy "Framed"\n  @\n  on AddToCart\n{SEND}',),
    "behaviour": (f'strategy "Framed"\n  limit 1 per visit\n  @\n{SEND}',),
    "condition": (
        f"{RULE}    @\n{SEND}",
        f"{RULE}    when @\n{SEND}",
        f"{RULE}    when @ > 0\n{SEND}",
        "category Framed is @\n",
    ),
    "action": (f"{RULE}    @\n", f"{RULE}{SEND}    @\n"),
    "scenario": ('scenario "Framed"\n  @\n',),
    "guarantee": ("@\n",),
    "value": ("@\n", f"{RULE}    @\n"),
}
"""Where an example of each part of the table may stand."""


def around(example: str) -> str:
    """The blocks that the example does not declare itself."""
    blocks: list[str] = []
    for line in AROUND.splitlines(keepends=True):
        if line.startswith(" "):
            blocks[-1] += line
        else:
            blocks.append(line)
    named = " ".join(example.split()[:2])
    return "".join(block for block in blocks if " ".join(block.split()[:2]) != named)


def compiles(frame: str, example: str) -> bool:
    text = around(example) + frame.replace("@", example)
    return compile_book([Source(name="words", text=text)]).book is not None


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.phrase)
def test_every_example_compiles(word: Word) -> None:
    assert any(compiles(frame, word.example) for frame in FRAMES[word.where])


@pytest.mark.parametrize("comparison", COMPARISONS.values(), ids=lambda one: one.phrase)
def test_every_example_of_a_comparison_compiles(comparison: Operator) -> None:
    assert compiles(f"{RULE}    when @\n{SEND}", comparison.example)


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=lambda one: one.name)
def test_every_example_of_a_channel_compiles(channel: Channel) -> None:
    assert compiles(f"{RULE}    send @\n", channel.example)


def test_the_page_is_current() -> None:
    assert page() == WORDS_PAGE.read_text("utf-8"), (
        "Write it anew: python -m engine.language.reference > strategies/WORDS.md"
    )
