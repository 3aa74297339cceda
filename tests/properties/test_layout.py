"""Formatting changes the layout and nothing else, whatever the layout was."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from hypothesis import given, note
from hypothesis import strategies as st
from properties.books import books
from properties.untidy import Untidy
from properties.wordsmith import render

from engine.language.blocks import split
from engine.language.compiler import compile_book
from engine.language.diagnostics import Findings
from engine.language.formatter import format_source
from engine.language.parser import parse
from engine.language.source import Source
from engine.language.syntax import Book, Declaration

FOLDER = Path(__file__).parents[2] / "strategies"
SEEDS = st.integers(0, 2**32)


def formatted(text: str) -> str:
    return format_source(Source(name="book.strategy", text=text))


def comments_in(text: str) -> list[str]:
    """Comments by another road than the formatter's: what is left without texts in quotes."""
    bare = re.compile(r'"""(?s:.*?)"""|"(?:[^"\\\n]|\\.)*"|(#[^\n]*)')
    return [found.group(1).rstrip() for found in bare.finditer(text) if found.group(1)]


def compiled(text: str) -> Book:
    book = compile_book([Source(name="book.strategy", text=text)]).book
    assert book is not None
    return book


def declared(text: str) -> list[Declaration | None]:
    source = Source(name="book.strategy", text=text)
    findings = Findings({source.name: text})
    found = [parse(block, findings).declaration for block in split(source, findings)]
    assert not findings, [each.message for each in findings.sorted()]
    return found


def holds(text: str, comments: list[str]) -> str:
    """The formatted text, when nothing but its layout has changed."""
    note(text)
    tidy = formatted(text)
    note(tidy)
    assert comments_in(tidy) == comments
    assert formatted(tidy) == tidy
    assert "\n\n\n" not in tidy
    assert not re.search(r"[ \t\r]$", tidy, re.MULTILINE)
    assert not tidy.startswith("\n")
    return tidy


@given(books(), SEEDS)
def test_a_random_book_means_the_same(book: Book, seed: int) -> None:
    untidy = Untidy(seed)
    text = untidy.write(render(book))
    assert compiled(holds(text, untidy.comments)) == compiled(text)


@cache
def _sample() -> list[str]:
    """The declarations of the sample book, without their comments."""
    found = []
    for file in sorted(FOLDER.glob("*.strategy")):
        text = re.sub(r"^ *#.*\n", "", file.read_text("utf-8"), flags=re.MULTILINE)
        source = Source(name=file.name, text=text)
        blocks = split(source, Findings({source.name: text}))
        found += [text[block.start : block.end] for block in blocks]
    return found


@given(st.lists(st.sampled_from(_sample()), min_size=1, max_size=4), SEEDS)
def test_any_declarations_of_the_sample_book_mean_the_same(texts: list[str], seed: int) -> None:
    untidy = Untidy(seed)
    text = untidy.write("\n".join(texts))
    assert declared(holds(text, untidy.comments)) == declared(text)
