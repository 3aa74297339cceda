"""`overture doctor`: what a real server stored is healthy, and every harm done to it is named."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from serving import GREETING, Serving, overture, written

from engine.media.interactions import Draft, InteractionStore

BOOK = (
    GREETING
    + """
event AddToCart
  price number

strategy "Hesitates"
  limit 3 per visit
  on AddToCart where event.price > 10, then no PageExited for 1 h
    send Hello
"""
)


class Killed(Exception):
    """The server was killed, and not ended in peace."""


def told(*arguments: str) -> tuple[int, str, str]:
    process = overture(*arguments)
    said, mistakes = process.communicate(timeout=60)
    return process.returncode, said, mistakes


def examined(data: Path, book: Path, *more: str) -> tuple[int, dict[str, Any]]:
    code, said, mistakes = told("doctor", "--data", str(data), "--book", str(book), "--json", *more)
    assert said, mistakes
    return code, json.loads(said)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The data folder and the book of a server that was killed in the middle of its life."""
    folder = tmp_path_factory.mktemp("lived")
    book = written(folder / "book", one=BOOK)
    serving = Serving(book, folder / "data")
    with contextlib.suppress(Killed), serving:
        for _ in range(4):
            live(serving, serving.visit())
        code, found = examined(serving.data, book)
        assert (code, found["findings"]) == (0, []), "it can be examined while the server runs"
        serving.stop(signal.SIGKILL)
        raise Killed
    return folder / "data", book


def live(serving: Serving, visit: dict[str, Any]) -> None:
    for name, data in (
        ("PageEntered", {}),
        ("AddToCart", {"price": 20}),
        ("AddToCart", {"price": 5}),
    ):
        body = {name: visit[name] for name in ("visitID", "globalVisitID")}
        body |= {"eventName": name, "pageID": "P1", "data": data}
        assert serving.post("/server/data/events", json=body).status_code == 200


@pytest.fixture
def copy(lived: tuple[Path, Path], tmp_path: Path) -> Path:
    shutil.copytree(lived[0], tmp_path / "data")
    return tmp_path / "data"


def harmed(data: Path, *statements: str) -> None:
    with sqlite3.connect(data / "visits.sqlite3") as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
    connection.close()


def test_what_a_server_left_is_healthy(lived: tuple[Path, Path]) -> None:
    before = sorted((path.name, path.stat().st_size) for path in lived[0].iterdir())
    code, found = examined(*lived, "--sample", "all")
    assert (code, found["findings"]) == (0, [])
    assert found["visitors"] == found["replayed"] == 4
    assert found["entries"] >= 12
    code, said, _ = told("doctor", "--data", str(lived[0]), "--book", str(lived[1]))
    assert code == 0
    assert "4 visitors decided again: the same, byte for byte." in said
    assert said.endswith("Healthy.\n")
    after = sorted((path.name, path.stat().st_size) for path in lived[0].iterdir())
    assert [name for name, _ in after] == [name for name, _ in before], "it makes no file"


ONE = "(SELECT min(offset) FROM journal WHERE before > 0)"
HARMS = {
    "a digit of a document": (
        "UPDATE visitors SET document = CAST(replace(CAST(document AS TEXT), '\"events\":3',"
        " '\"events\":4') AS BLOB) WHERE number = 1",
        "document-otherwise",
    ),
    "a document that is gone": (
        "UPDATE visitors SET document = NULL WHERE number = 1",
        "document-otherwise",
    ),
    "a document cut short": (
        "UPDATE visitors SET document = substr(document, 1, 40) WHERE number = 1",
        "document-unreadable",
    ),
    "an entry that is gone": (
        "DELETE FROM journal WHERE offset = (SELECT min(before) FROM journal WHERE before > 0)",
        "entry-missing",
    ),
    "the youngest entry gone": (
        "DELETE FROM journal WHERE offset = (SELECT entry FROM visitors WHERE number = 1)",
        "entry-missing",
    ),
    "an entry cut out of the chain": (
        "UPDATE journal SET before = (SELECT before FROM journal AS b"
        " WHERE b.offset = journal.before) WHERE offset ="
        " (SELECT entry FROM visitors WHERE number = 1)",
        "entry-adrift",
    ),
    "an entry of somebody else": (
        "UPDATE journal SET visitor = 'X' WHERE offset = (SELECT min(before) FROM journal"
        " WHERE before > 0)",
        "entry-elsewhere",
    ),
    "an input that is no JSON": (
        f"UPDATE journal SET body = substr(body, 2) WHERE offset = {ONE}",
        "entry-unreadable",
    ),
    "a clock that ran back": (f"UPDATE journal SET time = 5 WHERE offset = {ONE}",
                              "entry-out-of-order"),
    "a decision that nobody made": (
        f"UPDATE journal SET decisions = '[{{\"strategy\":\"None\"}}]' WHERE offset = {ONE}",
        "decided-otherwise",
    ),
    "a wake-up that is late": ("UPDATE visitors SET wake_at = wake_at + 60000 WHERE number = 1",
                               "wake-up-wrong"),
    "a wake-up that is lost": ("UPDATE visitors SET wake_at = NULL WHERE number = 1",
                               "wake-up-wrong"),
    "a visitor who is gone": ("DELETE FROM visitors WHERE number = 1", "visit-without-visitor"),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_harm_is_named(lived: tuple[Path, Path], copy: Path, harm: str) -> None:
    statement, name = HARMS[harm]
    harmed(copy, statement)
    code, found = examined(copy, lived[1])
    assert code == 1
    assert name in {finding["name"] for finding in found["findings"]}


CHATS = {
    "a word in a chat": ("UPDATE lines SET text = text || '!' WHERE position = 2", "chat-damaged"),
    "a chat of somebody else": ("UPDATE interactions SET visit = 'V'", "chat-damaged"),
    "a line that is gone": ("DELETE FROM lines WHERE position = 1", "lines-missing"),
    "a chat that is gone": ("DELETE FROM interactions", "chat-missing"),
    "an end that is gone": ("UPDATE interactions SET state = 'ended'", "chat-out-of-order"),
    "what is attached is no JSON": (
        "UPDATE interactions SET attached = '{', checksum = NULL", "chat-damaged"
    ),
    "an event that changed on its way": ("UPDATE reports SET data = '{}'", "chat-damaged"),
}  # fmt: skip


@pytest.mark.parametrize("harm", CHATS)
def test_harm_to_a_chat_is_named(lived: tuple[Path, Path], copy: Path, harm: str) -> None:
    statement, name = CHATS[harm]
    draft = Draft(
        medium="chat", visit="V1", page="P", nickname="Ann", attached={}, customer={}, invitation={}
    )

    async def talk() -> None:
        store = InteractionStore(copy / "interactions.sqlite3")
        chat, _ = await store.create(draft)
        await store.join(chat.id)
        await store.say(chat.id, "visitor", "Ann", "Good morning")
        await store.close()

    asyncio.run(talk())
    assert examined(copy, lived[1])[0] == 0
    with sqlite3.connect(copy / "interactions.sqlite3") as connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()
    code, found = examined(copy, lived[1])
    assert code == 1
    assert name in found["found"]
    assert found["found"][name] == 1


def test_a_person_is_told_the_place_and_the_way_out(lived: tuple[Path, Path], copy: Path) -> None:
    harmed(copy, HARMS["a wake-up that is lost"][0])
    code, said, _ = told("doctor", "--data", str(copy), "--book", str(lived[1]))
    assert code == 1
    assert "wake-up-wrong: visitor " in said
    assert "It is woken never, but its next timer is due at 20" in said
    assert "  = keep a copy of the data folder" in said
    assert "visitor-damaged: visitor " in said
    assert said.endswith("2 found.\n")


def test_a_harmed_page_of_the_file_is_named(lived: tuple[Path, Path], copy: Path) -> None:
    connection = sqlite3.connect(copy / "visits.sqlite3")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (page,) = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'visitors_wake_at'"
    ).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with (copy / "visits.sqlite3").open("r+b") as file:
        file.seek((page - 1) * size + size - 60)
        file.write(b"\x55" * 50)
    code, found = examined(copy, lived[1])
    assert code == 1
    assert found["findings"][0]["name"] == "file-damaged"


def test_another_book_is_said_and_no_finding(lived: tuple[Path, Path], tmp_path: Path) -> None:
    book = written(tmp_path / "book", one=GREETING)
    code, found = examined(lived[0], book)
    assert (code, found["findings"]) == (0, [])
    assert (found["replayed"], found["ofOtherBooks"]) == (0, 4)


def test_what_can_not_be_examined_is_said(lived: tuple[Path, Path], copy: Path) -> None:
    code, said, mistakes = told("doctor", "--data", str(copy / "nowhere"), "--book", str(lived[1]))
    assert (code, said) == (2, "")
    assert "There is no store" in mistakes
    harmed_version = sqlite3.connect(copy / "visits.sqlite3")
    harmed_version.execute("PRAGMA user_version = 99")
    harmed_version.close()
    code, said, mistakes = told("doctor", "--data", str(copy), "--book", str(lived[1]))
    assert (code, said) == (2, "")
    assert "a newer Overture" in mistakes
    code, _, mistakes = told("doctor", "--data", str(lived[0]), "--book", str(copy / "none"))
    assert code == 2
    assert "There is no folder" in mistakes
    broken = written(copy / "book", one="strategy 7")
    code, _, mistakes = told("doctor", "--data", str(lived[0]), "--book", str(broken))
    assert code == 2
    assert "The book has mistakes" in mistakes
