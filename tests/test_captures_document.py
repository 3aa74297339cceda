"""What pages capture by themselves: served as data, with the version of the live book."""

from pathlib import Path

import httpx
from serving import GREETING, ORIGIN, Serving, eventually, written

SEARCH = """
event Search "The visitor looked for something"
  words text from value of "#search"
  capture on submit of "form.search"
"""


def test_the_document_follows_the_book(tmp_path: Path) -> None:
    written(tmp_path / "book", one=GREETING)
    with Serving(tmp_path / "book", tmp_path / "data", OVERTURE_ORIGINS=ORIGIN) as serving:
        address = f"{serving.address}/server/resources/dsl/events.json"
        before = httpx.get(address)
        assert before.json()["events"] == []
        written(tmp_path / "book", two=SEARCH)
        eventually(lambda: bool(httpx.get(address).json()["events"]))

        answer = httpx.get(address, headers={"Origin": ORIGIN})
        live = serving.get("/api/book").json()["version"]
        assert answer.json() == {
            "shape": 1,
            "version": live,
            "events": [
                {
                    "name": "Search",
                    "captures": [{"on": "submit", "selector": "form.search"}],
                    "fields": [
                        {"path": "words", "kind": "text", "from": "value", "selector": "#search"}
                    ],
                }
            ],
        }
        assert answer.headers["ETag"] == f'"{live}"' != before.headers["ETag"]
        assert answer.headers["Access-Control-Allow-Origin"] in (ORIGIN, "*")
        assert httpx.get(address.replace("/server/", "/frontend/")).json() == answer.json()

        for known in (f'"{live}"', f'W/"{live}"', f'"old", "{live}"', "*"):
            again = httpx.get(address, headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
        stale = httpx.get(address, headers={"If-None-Match": before.headers["ETag"]})
        assert stale.status_code == 200
