"""A person's own: what a real server stored of them is printed, and removed to the last byte."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from serving import GREETING, Serving, new_id, overture, written

from engine.hosts.reading import reading


def told(*arguments: str) -> tuple[int, str, str]:
    process = overture(*arguments)
    said, mistakes = process.communicate(timeout=60)
    return process.returncode, said, mistakes


def enter(serving: Serving, visit: dict[str, Any], nickname: str) -> None:
    body = {"eventName": "PageEntered", "pageID": "P1", "data": {"secret": f"of {nickname}"}}
    body |= {name: visit[name] for name in ("visitID", "globalVisitID")}
    answer = serving.post("/server/data/events", json=body)
    assert answer.status_code == 200, answer.text


def chat(serving: Serving, visit: dict[str, Any], nickname: str) -> None:
    form = {
        "_media_type": "chat",
        "_call_direction": "USERORIGINATED",
        "_wait_for_agent": "false",
        "_wait_for_user_confirm": "false",
        "first_name": nickname,
        "visitID": visit["visitID"],
        "pageID": "P1",
    }
    answer = serving.post("/genesys/1/service/callback/chat", json=form)
    assert answer.status_code == 200, answer.text


def leave(serving: Serving, visit: dict[str, Any]) -> None:
    body = {"eventName": "PageExited", "pageID": "P1"}
    body |= {name: visit[name] for name in ("visitID", "globalVisitID")}
    assert serving.post("/server/data/events", json=body).status_code == 200


class Killed(Exception):
    """The server was killed, and not ended in peace."""


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if ".sqlite3" in path.name)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A data folder in which two visitors were invited, and have opened a chat."""
    folder = tmp_path_factory.mktemp("lived")
    with Serving(written(folder / "book", one=GREETING), folder / "data") as serving:
        visits = [serving.visit(), serving.visit()]
        for visit, nickname in zip(visits, ("Nightingale", "Bystander"), strict=True):
            for _ in range(3):
                enter(serving, visit, nickname)
            chat(serving, visit, nickname)
        running = told(
            "erase", "--visitor", visits[0]["visitID"], "--yes", "--data", str(serving.data)
        )
        assert running[0] == 2
        assert "in use by another server" in running[2]
        assert (
            told("export", "--visitor", visits[0]["visitID"], "--data", str(serving.data))[0] == 0
        )
    return folder / "data", visits


@pytest.mark.parametrize("name", ["visitID", "globalVisitID"])
def test_export_gives_everything(lived: tuple[Path, list[dict[str, Any]]], name: str) -> None:
    data, visits = lived
    before = sorted(path.name for path in data.iterdir())
    code, said, _ = told("export", "--visitor", visits[0][name], "--data", str(data))
    assert code == 0
    found = json.loads(said)
    assert found["visitIDs"] == [visits[0]["visitID"]]
    events = [one["body"]["eventName"] for one in found["journal"] if one["kind"] == "event"]
    assert events.count("PageEntered") == 3
    assert found["memory"]["visitor"]["visits"].keys() == {visits[0]["visitID"]}
    assert [one["nickname"] for one in found["conversations"]] == ["Nightingale"]
    assert "Bystander" not in said
    assert sorted(path.name for path in data.iterdir()) == before, "reading makes no file"


def test_erase_leaves_no_byte_and_nobody_else_is_touched(
    lived: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    data, (gone, stays) = tmp_path / "data", lived[1]
    shutil.copytree(lived[0], data)
    names = [gone["visitID"], gone["globalVisitID"], "Nightingale"]
    assert all(name.encode() in files(data) for name in names)
    before = told("export", "--visitor", stays["visitID"], "--data", str(data))
    code, said, mistakes = told("erase", "--visitor", gone["visitID"], "--data", str(data), "--yes")
    assert code == 0, said + mistakes
    assert "removed 1 chats" in said
    assert not [name for name in names if name.encode() in files(data)]
    again = told("export", "--visitor", gone["visitID"], "--data", str(data))
    assert again[:2] == (1, "")
    assert "Nothing is stored of" in again[2]
    assert told("export", "--visitor", stays["visitID"], "--data", str(data)) == before


def test_erase_leaves_nothing_of_a_server_that_was_killed(tmp_path: Path) -> None:
    """Nor what stands in the log or in free pages."""
    data, visits = tmp_path / "data", []
    with (
        contextlib.suppress(Killed),
        Serving(written(tmp_path / "book", one=GREETING), data) as serving,
    ):
        visits += [serving.visit(), serving.visit()]
        for number in range(40):
            for visit, nickname in zip(visits, ("Nightingale", "Bystander"), strict=True):
                enter(serving, visit, f"{nickname}, {'so far ' * number}")
        chat(serving, visits[0], "Nightingale")
        leave(serving, visits[0])
        serving.stop(signal.SIGKILL)
        raise Killed
    gone, stays = visits
    with reading(data / "visits.sqlite3") as connection:
        query = "SELECT document FROM visitors WHERE visitor = ?"
        (document,) = connection.execute(query, (gone["globalVisitID"],)).fetchone()
    # A document is longer than a page of the file; where it begins it is in one piece.
    begun = document[:200]
    names = [gone["visitID"].encode(), gone["globalVisitID"].encode(), b"Nightingale", begun]
    assert all(name in files(data) for name in names)
    code, said, mistakes = told("erase", "--visitor", gone["visitID"], "--data", str(data), "--yes")
    assert code == 0, said + mistakes
    assert not [name for name in names if name in files(data)]
    assert stays["globalVisitID"].encode() in files(data)


def test_erase_asks_first(lived: tuple[Path, list[dict[str, Any]]]) -> None:
    data, visits = lived
    before = files(data)
    code, _, mistakes = told("erase", "--visitor", visits[0]["visitID"], "--data", str(data))
    assert code == 2
    assert "--yes" in mistakes
    assert files(data) == before


def test_nobody_and_no_store(lived: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    assert told("erase", "--visitor", new_id(), "--data", str(lived[0]), "--yes")[0] == 1
    code, _, mistakes = told("export", "--visitor", "V", "--data", str(tmp_path))
    assert code == 2
    assert "There is no store" in mistakes
