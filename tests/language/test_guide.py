"""Every example of the guide for analysts compiles, its scenarios pass, and its messages are real.

An example may use what the ones before it declare; strategies and stories count for their own
example only, so that no strategy of another section disturbs a story.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.cli import COMMANDS
from engine.language.compiler import compile_book
from engine.language.render import terminal
from engine.language.source import Source
from engine.trials.scenarios import run_scenarios

GUIDE = (Path(__file__).parents[2] / "strategies" / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```strategy\n(.*?)```", GUIDE, re.DOTALL)
PATTERNS = re.findall(r"^\| `(on .*?)` \|", GUIDE, re.MULTILINE)
BLOCK = re.compile(r"^(?=\w)", re.MULTILINE)
ACTING = ("strategy", "table", "scenario", "guarantee")


def declared(examples: list[str]) -> str:
    """What later examples may use of these: all but what acts or tells."""
    blocks = [block for text in examples for block in BLOCK.split(text) if block.strip()]
    return "".join(block + "\n" for block in blocks if not block.startswith(ACTING))


@pytest.mark.parametrize("place", range(len(EXAMPLES)))
def test_example(place: int) -> None:
    text = declared(EXAMPLES[:place]) + EXAMPLES[place]
    compiled = compile_book([Source(name="README.md", text=text)])
    assert compiled.book, [found.message for found in compiled.diagnostics]
    for story in run_scenarios(compiled.book):
        assert story.passed, (story.scenario.name, [line.failure for line in story.lines])


def test_all_examples_are_one_book() -> None:
    compiled = compile_book([Source(name="README.md", text="\n".join(EXAMPLES))])
    assert compiled.book, [found.message for found in compiled.diagnostics]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pattern(pattern: str) -> None:
    text = (
        f'{declared(EXAMPLES)}\nstrategy "s"\n  limit 1 per visit\n  {pattern}\n    send Invite\n'
    )
    compiled = compile_book([Source(name="README.md", text=text)])
    assert compiled.book, [found.message for found in compiled.diagnostics]


def test_the_messages_are_what_is_said() -> None:
    broken = re.findall(r"```broken\n(.*?)```", GUIDE, re.DOTALL)
    answers = re.findall(r"```answer\n(.*?)```", GUIDE, re.DOTALL)
    assert len(broken) == len(answers) > 0
    for text, answer in zip(broken, answers, strict=True):
        source = Source(name="book.strategy", text=text)
        found = compile_book([source]).diagnostics
        said = "\n".join(terminal(one, {source.name: source}) for one in found)
        assert said.strip() == answer.strip()


def test_every_command_is_one() -> None:
    named = set(re.findall(r"`overture (\w+)", GUIDE))
    assert named <= COMMANDS.keys()


def test_the_guide_is_short_and_says_what_a_visitor_sees() -> None:
    assert len(GUIDE.splitlines()) < 300
    sections = [section for section in GUIDE.split("\n## ") if "```strategy" in section]
    assert all("*A visitor sees*" in section for section in sections)
    assert len(sections) >= 12
