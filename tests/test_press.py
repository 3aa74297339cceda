"""The process that compiles beside the server: what comes back of it, and that it may die."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from properties.books import books
from serving import GREETING

from engine.language.syntax import Book
from engine.press import Compositor, Press, PressError, Problem, Proof, change, changed

OTHER = GREETING.replace("Greeting", "Farewell").replace("Hello", "Bye")
FILES = {"a.strategy": GREETING.encode(), "b.strategy": OTHER.encode()}
ODD = {
    **FILES,
    "a.strategy": FILES["a.strategy"].replace(b"PageEntered", b"PageEntered where 1 > 2"),
}


def book_of(files: dict[str, bytes]) -> Book:
    found = Compositor("book").compile(files)
    assert isinstance(found, Proof), found
    return found.book


@given(books(), books())
def test_a_change_makes_one_book_of_the_other(before: Book, after: Book) -> None:
    told = pickle.loads(pickle.dumps(change(before, after)))
    made = changed(before, told)
    assert made == after
    assert [list(getattr(made, table)) for table in told.new] == [
        list(getattr(after, table)) for table in told.new
    ], "in the same order"
    assert changed(before, change(None, after)) == after


def test_only_what_was_edited_is_told() -> None:
    compositor = Compositor("book")
    before = compositor.compile(FILES)
    after = compositor.compile(ODD)
    assert isinstance(before, Proof)
    assert isinstance(after, Proof)
    told = change(before.book, after.book)
    assert {table: list(new) for table, new in told.new.items() if new} == {
        "strategies": ["Greeting"]
    }
    assert not any(told.gone.values())


Work = Callable[[Press, list[list[Problem]]], Coroutine[Any, Any, None]]


def pressed(work: Work) -> None:
    """Do something with a press, and end it."""

    async def limited() -> None:
        heard: list[list[Problem]] = []
        press = Press(Path("book"), heard.append)
        try:
            async with asyncio.timeout(60):
                await work(press, heard)
        finally:
            await press.close()

    asyncio.run(limited())


def test_it_gives_books_mistakes_and_then_warnings() -> None:
    async def work(press: Press, heard: list[list[Problem]]) -> None:
        before = book_of(FILES)
        broken = {**FILES, "b.strategy": OTHER.replace("send Bye", "send By").encode()}
        found = await press.compile(broken, before, FILES)
        assert isinstance(found, list)
        assert [(one.file, one.line, one.code) for one in found] == [("b.strategy", 6, "N104")]
        assert await press.compile(ODD, before, FILES) == book_of(ODD)
        while not heard or "L401" not in [one.code for one in heard[-1]]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await press.compile(FILES, book_of(ODD), ODD) == before

    pressed(work)


def test_warnings_are_about_the_last_good_book_whatever_is_saved_after_it() -> None:
    async def work(press: Press, heard: list[list[Problem]]) -> None:
        book = book_of(ODD)
        broken = {**ODD, "b.strategy": OTHER.replace("send Bye", "send By").encode()}
        assert isinstance(await press.compile(broken, book, ODD), list)
        while not heard:  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.01)
        assert "L401" in [one.code for one in heard[-1]]

    pressed(work)


@pytest.mark.parametrize("at_rest", [0, 0.1])
def test_a_press_that_died_is_noticed_and_another_begins_where_it_ended(at_rest: float) -> None:
    async def work(press: Press, _: list[list[Problem]]) -> None:
        await press.start(FILES)
        assert press.process is not None
        press.process.kill()
        await press.process.wait()
        await asyncio.sleep(at_rest)
        with pytest.raises(PressError):
            await press.compile(ODD, book_of(FILES), FILES)
        await press.close()
        assert await press.compile(ODD, book_of(FILES), FILES) == book_of(ODD)

    pressed(work)


def test_a_child_whose_server_was_killed_ends_without_a_word() -> None:
    files = {f"{n}.strategy": GREETING.replace("ing", str(n)).encode() for n in range(30)}
    with subprocess.Popen(
        [sys.executable, "-m", "engine.press", "book"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        raw = pickle.dumps((1, files))
        child.stdout.close()
        child.stdin.write(2 * (len(raw).to_bytes(8, "big") + raw))
        child.stdin.flush()
        assert child.wait(60) == 0
        assert child.stderr.read() == b""
