"""The server gives the figures of the command, to who may have them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from serving import Serving, new_id, overture, written

from engine.reporting.door import WAITING

TOKEN = "a-token-of-more-than-16-letters"
BOOK = """
zone "Asia/Tokyo"
message Hello is gpe.appendContent { url: "/frontend/resources/inviteGMS.html" }

strategy "Greeting"
  on PageEntered
    when pacing("chat") > 0 or event.title = "Home"
    send Hello
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("served")
    book = written(folder / "book", one=BOOK)
    with Serving(book, folder / "data", OVERTURE_API_TOKEN=TOKEN) as found:
        for number in range(3):
            visit = found.visit()["visitID"]
            page = {"eventName": "PageEntered", "visitID": visit, "pageID": new_id()}
            shown = {"eventName": "InvitationShown", "visitID": visit, "pageID": page["pageID"]}
            shown["data"] = {"id": f"{visit}/Greeting/1"}
            events = [{**page, "title": "Home"}, shown, page][: number + 1]
            assert found.post("/server/data/events", json=events).status_code == 200
        yield found


def test_the_same_figures_as_the_command(serving: Serving) -> None:
    found = serving.get("/api/report?by=strategy,medium,day")
    assert found.status_code == 200
    assert found.headers["Cache-Control"] == "no-store"
    where = ("--data", str(serving.data), "--book", str(serving.book))
    process = overture("report", *where, "--json", "--by", "strategy,medium,day")
    told, mistakes = process.communicate(timeout=60)
    assert found.json() == json.loads(told), mistakes
    assert found.json()["zone"] == "Asia/Tokyo"
    (row,) = found.json()["rows"]
    assert (row["medium"], row["qualified"], row["offered"], row["shown"]) == ("chat", 4, 3, 2)
    assert row["refusedBy"] == {"when": 1}


def test_csv(serving: Serving) -> None:
    found = serving.get("/api/report.csv?by=strategy")
    assert found.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert found.headers["Content-Disposition"] == 'attachment; filename="funnel.csv"'
    assert found.text.splitlines()[1].startswith("Greeting,4,1,3,2,0,")
    found = serving.get("/api/report.csv?of=conversations")
    assert found.text.splitlines()[0].startswith("proactive started,")


def test_nobody_else_reads_it(serving: Serving) -> None:
    for path in ("/api/report", "/api/report.csv"):
        assert serving.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_what_can_not_be_asked_is_said(serving: Serving) -> None:
    found = serving.get("/api/report?from=monday")
    assert found.status_code == 400
    said = "from 'monday' is no day: write it as 2026-11-26."
    assert found.json() == {"error": said, "code": "malformed"}


LONG = """
WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 300000)
INSERT INTO journal (offset, before, visitor, visit, kind, time, version, epoch, body, decisions)
    SELECT (SELECT max(offset) FROM journal) + n, 0, visitor, visit, kind, time, version, epoch,
    body, decisions FROM journal, n WHERE offset = 1
"""


def test_the_server_ends_although_a_report_is_being_read(tmp_path: Path) -> None:
    book = written(tmp_path / "book", one=BOOK)
    with Serving(book, tmp_path / "data") as first:
        first.event("PageEntered", new_id(), new_id())
    with sqlite3.connect(tmp_path / "data" / "visits.sqlite3") as connection:
        connection.execute(LONG)
    connection.close()
    with Serving(book, tmp_path / "data") as found, ThreadPoolExecutor(WAITING + 2) as beside:
        asked = [beside.submit(found.get, "/api/report") for _ in range(WAITING + 2)]
        # One too many is refused at once; so the others are there, and one of them is being read.
        done, others = wait(asked, return_when=FIRST_COMPLETED)
        assert [one.result().json()["code"] for one in done] == ["busy"]
        assert len(others) == WAITING + 1
        assert found.stop() == 0
        answers = [one.result() for one in others]
        assert [(one.status_code, one.json()["code"]) for one in answers] == [
            (503, "busy") for _ in others
        ]


def test_a_file_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    with Serving(written(tmp_path / "book", one=BOOK), tmp_path / "data") as found:
        path = tmp_path / "data" / "visits.sqlite3"
        path.rename(path.with_suffix(".away"))
        answer = found.get("/api/report")
        path.with_suffix(".away").rename(path)
    assert answer.status_code == 503
    assert answer.json()["code"] == "store"
    assert any("There is no store" in line for line in found.logged)
