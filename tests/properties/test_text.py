"""What the wordsmith writes, the compiler reads back as the same book."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, note
from properties.books import books
from properties.wordsmith import render

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.language.syntax import Book


@given(books())
def test_a_book_survives_being_written_and_read(book: Book) -> None:
    text = render(book)
    compiled = compile_book([Source(name="book.strategy", text=text)])
    note(text)
    note("\n".join(str(found) for found in compiled.diagnostics))
    assert compiled.book is not None
    assert replace(compiled.book, version="") == book
