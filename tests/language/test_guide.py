"""Every example of the guide for analysts compiles, and its scenarios pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.trials.scenarios import run_scenarios

GUIDE = (Path(__file__).parents[2] / "strategies" / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```strategy\n(.*?)```", GUIDE, re.DOTALL)
PATTERNS = re.findall(r"^\| `(on .*?)` \|", GUIDE, re.MULTILINE)
AROUND = """
category Checkout is url "/checkout/**"
category Products is url "/products/**"
event AddToCart
  price number
event Search
event Order
strategy "s"
  {}
    send gpe.appendContent {{ url: "/a" }}
"""


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example(text: str) -> None:
    compiled = compile_book([Source(name="README.md", text=text)])
    assert compiled.book, [found.message for found in compiled.diagnostics]
    assert all(result.passed for result in run_scenarios(compiled.book))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pattern(pattern: str) -> None:
    compiled = compile_book([Source(name="README.md", text=AROUND.format(pattern))])
    assert compiled.book, [found.message for found in compiled.diagnostics]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6
    assert len(PATTERNS) >= 6
