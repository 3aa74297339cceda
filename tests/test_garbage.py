"""What a server does for visitors leaves nothing behind that only a search would find."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from serving import GREETING, Serving, connected, eventually, new_id, streaming, written

TOLD = """\
import gc, signal, sys
def search(*_):
    print("searched and found", gc.collect(), file=sys.stderr, flush=True)
signal.signal(signal.SIGUSR1, search)
"""
"""What Python runs before the server: it searches when it is told to, and says what it found."""
TIMES = 15


def events(serving: Serving) -> None:
    serving.event("PageEntered", new_id(), "P1")


def refused(serving: Serving) -> None:
    json = {"Content-Type": "application/json"}
    assert serving.post("/server/data/events", content="[{", headers=json).status_code == 400
    assert serving.post("/server/data/events", json=[{"eventName": "E"}]).status_code == 400
    assert serving.get("/nothing/of/this/name").status_code == 404


def pages(serving: Serving) -> None:
    visit = serving.visit()
    serving.event("Here", visit["visitID"])
    with connected(serving, visit, "P1") as page, streaming(serving, visit, "P2"):
        serving.notify(visit["visitID"], "/a", page="P1")
        assert page.urls() == ["/a"]
        page.acknowledge()


def chat(serving: Serving) -> None:
    started = serving.post("/media/chat", json={"nickname": "Ann"})
    assert started.status_code == 201, started.text
    path = f"/media/chat/{started.json()['id']}"
    assert serving.post(f"{path}/messages", json={"text": "Hello"}).status_code == 201
    assert serving.get(f"{path}?after=0").status_code == 200
    assert serving.post(f"{path}/end", json={}).status_code == 200
    assert serving.get("/desk/api/interactions").status_code == 200


def reports(serving: Serving) -> None:
    for path in ("/api/book", "/api/status", "/shop/", "/frontend/resources/js/build/GTC.min.js"):
        assert serving.get(path).status_code == 200, path
    with httpx.Client(base_url=serving.address) as client:  # a connection that is kept
        assert client.get("/api/status").status_code == client.get("/desk/").status_code == 200


def searched(serving: Serving) -> int:
    """How many objects only a search found, since the last one."""
    before = len(found(serving))
    serving.process.send_signal(signal.SIGUSR1)
    eventually(lambda: len(found(serving)) > before)
    return found(serving)[-1]


def found(serving: Serving) -> list[int]:
    lines = [line for line in serving.logged if line.startswith("searched and found")]
    return [int(line.split()[-1]) for line in lines]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("searching")
    (folder / "sitecustomize.py").write_text(TOLD, "utf-8")
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    book = written(folder / "book", one=GREETING)
    with Serving(book, folder / "data", PYTHONPATH=path) as running:
        yield running


@pytest.mark.parametrize("what", [events, refused, pages, chat, reports])
def test_what_is_done_leaves_no_garbage(what: Callable[[Serving], None], serving: Serving) -> None:
    for _ in range(3):
        what(serving)  # what is made once and stays
    searched(serving)
    for _ in range(TIMES):
        what(serving)
    assert searched(serving) < TIMES, "not even one object each time"
