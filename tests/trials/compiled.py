"""Books from text for the tests of this folder."""

from __future__ import annotations

from engine.language import compile_book
from engine.language.source import Source
from engine.language.syntax import Book


def book(text: str) -> Book:
    compiled = compile_book([Source(name="book.strategy", text=text)])
    assert compiled.book is not None, compiled.diagnostics
    return compiled.book
