"""Trees in the author's words: what `written` says compiles to the same tree again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hands import written as book_of
from hypothesis import given, note
from properties import wordsmith
from properties.books import books

from engine.language import syntax
from engine.language.compiler import compile_book
from engine.language.render import duration, part_written, text, written
from engine.language.source import Source
from engine.language.syntax import Book


def pattern_written(pattern: syntax.Pattern) -> str:
    """What stands after ``on``."""
    said = ""
    for part in pattern.parts:
        if isinstance(part, syntax.Absent) and part.same_page:
            said += f", stays {duration(part.duration)}"
        else:
            said += (", then " if said else "") + part_written(part)
    if pattern.within is not None:
        said += f", within {duration(pattern.within)}"
    return said + ("" if pattern.per == "visit" else f", per {pattern.per}")


@given(books())
def test_what_is_written_compiles_to_the_same_book(book: Book) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wordsmith, "expression", written)
        patch.setattr(wordsmith, "_pattern", pattern_written)
        told = wordsmith.render(book)
    note(told)
    compiled = compile_book([Source(name="book.strategy", text=told)])
    assert compiled.book is not None, compiled.diagnostics
    assert replace(compiled.book, version="") == book


CONDITIONS = (
    "(event.price - 1) - (2 - 3) > -4 * (5 + 1)",
    "event.price - 1 - 2 = 3 / 4 / 5",
    "not (visitor.vip and not visitor.vip) or visitor.vip",
    "(visitor.vip or visitor.vip) and (visitor.vip or (visitor.vip and visitor.vip))",
    'now in Office and weekday in ("Sat", "Sun") and pacing admits "chat"',
    'pacing("chat") > 0.25 or agents.ready("chat") = 0',
    "now >= 2026-12-01",
    "since(A where event.price > 100 or event.word is missing) < 1500 ms",
    'sum(A.price in Checkout or Dear where event.word = "x", last 90 s) >= 1.5',
    'count(sent "S", ever) = 0 and count(sent M, this page) < 3',
    "count(any event, this visit) > 2",
    r'event.word = "a \"b\" \\ \n\t \u0001 é" or event.word matches "^a|b$"',
    "event in (Checkout, Dear) and event.price is known",
)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_form_of_a_condition(condition: str) -> None:
    def tree(said: str) -> Any:
        head = "hours Office is Mon-Fri 09:00-18:00\n"
        rule = f'strategy "S"\n  on A\n    when {said}\n    send M\n'
        return book_of(head + rule).strategies["S"].rules[0].when

    assert tree(written(tree(condition))) == tree(condition)


PATTERNS = (
    "all of (A where event.price > 1, B), within 10 min",
    "any of (A, B in Checkout or Dear), then no any event for 90 s, per page",
    "A as first, then 3 times A where event.price > first.price, within 5 min, per visitor",
    "A in Checkout, stays 30 s",
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_form_of_a_pattern(pattern: str) -> None:
    def tree(said: str) -> Any:
        return book_of(f'strategy "S"\n  on {said}\n    send M\n').strategies["S"].rules[0].pattern

    assert tree(pattern_written(tree(pattern))) == tree(pattern)
    assert pattern_written(tree(pattern)) == pattern


def test_a_text_with_its_quotes() -> None:
    assert text('a "b" \\ \n\x01') == r'"a \"b\" \\ \n\u0001"'
