"""The mistake that the front page shows reads as the sample book would say it."""

from __future__ import annotations

from pathlib import Path

from engine.language.compiler import compile_book
from engine.language.render import terminal
from engine.language.source import Source, by_name

ROOT = Path(__file__).parents[2]
SAMPLE = "gms-chat.strategy"


def test_the_front_page_shows_what_a_mistake_looks_like() -> None:
    text = (ROOT / "strategies" / SAMPLE).read_text("utf-8")
    source = Source(name=SAMPLE, text=text.replace("in Checkout, stays", "in Chekout, stays"))
    found = compile_book([source]).diagnostics
    assert len(found) == 1
    said = terminal(found[0], by_name([source])).rstrip()
    assert said in (ROOT / "README.md").read_text("utf-8")
