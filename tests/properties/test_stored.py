"""A book that was kept by another run is the book that its text says, to the place of each word."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from properties.books import books
from properties.test_recompiling import Edit, edits, histories
from properties.wordsmith import render

from engine.cache import Cache
from engine.language.compiler import Compiler, compile_book
from engine.language.lints import lint
from engine.language.source import Source
from engine.language.stored import NotStored, declarations_read, shown_read
from engine.language.syntax import Book


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("above") / "cache"


def with_places(node: Any) -> Any:
    """All there is of a value: places are no part of equality, but authors are shown them."""
    if is_dataclass(node):
        parts = [(field.name, with_places(getattr(node, field.name))) for field in fields(node)]
        return type(node), parts
    if isinstance(node, dict):
        return [(key, with_places(value)) for key, value in node.items()]
    if isinstance(node, tuple):
        return [with_places(item) for item in node]
    return type(node), node


@given(book=books(), name=st.sampled_from(("a.strategy", "b.strategy")))
def test_a_book_is_the_same_from_the_cache(folder: Path, book: Book, name: str) -> None:
    sources = [Source(name=name, text=render(book))]
    fresh = compile_book(sources).book
    assert fresh is not None
    for _ in range(2):  # the second finds what the first has kept
        cache = Cache(folder)
        found = compile_book(sources, cache).book
        assert with_places(found) == with_places(fresh)
        assert lint(fresh, sources, cache) == lint(fresh, sources)


@settings(max_examples=60)
@given(several=st.lists(edits, min_size=1, max_size=6))
def test_after_any_edits_the_cache_changes_nothing(folder: Path, several: list[Edit]) -> None:
    remembering = Compiler(Cache(folder))
    for sources in histories(several):
        fresh = compile_book(sources)
        for found in (remembering.compile(sources), compile_book(sources, Cache(folder))):
            assert found.found == fresh.found
            assert with_places(found.book) == with_places(fresh.book)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 80) | st.text(max_size=3) | st.just("00"),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=2), inner),
)


@settings(max_examples=400)
@given(st.binary(max_size=30) | values.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_do_harm(data: bytes) -> None:
    with suppress(NotStored):
        declarations_read(data, "a.strategy")
    with suppress(NotStored):
        shown_read(data)
