"""A server that is killed: what a visitor was answered is there, and the receiver gets it."""

from __future__ import annotations

import signal
from pathlib import Path

from elsewhere import Elsewhere
from serving import GREETING, Serving, eventually, written

SETTINGS = {
    "OVERTURE_CALLBACK_HOURS": "Mon-Sun 00:00-24:00",
    "OVERTURE_WEBHOOK_SECRET": "a secret that nobody can guess",
}


def test_a_callback_a_chat_and_a_webhook_outlive_it(tmp_path: Path, elsewhere: Elsewhere) -> None:
    book = written(tmp_path / "book", one=GREETING)
    settings = SETTINGS | {"OVERTURE_WEBHOOK_URL": elsewhere.url}
    elsewhere.says[:] = [(503, {})]
    first = Serving(book, tmp_path / "data", **settings)
    try:
        first.__enter__()
        slot = first.get("/media/callback/slots").json()["slots"][3]["start"]
        wishes = {
            "callback": {"visitID": "V1", "phone": "030123456", "slot": slot},
            "chat": {"visitID": "V1"},
            "webhook": {"visitID": "V1"},
        }
        keys = {
            medium: first.post(f"/media/{medium}", json=wish).json()["id"]
            for medium, wish in wishes.items()
        }
        first.post(f"/media/chat/{keys['chat']}/messages", json={"text": "before"})
        eventually(lambda: elsewhere.got)
    finally:
        first.stop(signal.SIGKILL)
    with Serving(book, tmp_path / "data", **settings) as second:
        called = second.get(f"/media/callback/{keys['callback']}").json()
        assert called == {"state": "waiting", "phone": "030123456", "slot": slot}
        lines = second.get(f"/media/chat/{keys['chat']}").json()["lines"]
        assert [line["text"] for line in lines] == ["", "before"]
        told = f"/media/webhook/{keys['webhook']}"
        eventually(lambda: second.get(told).json()["state"] == "handed", seconds=30)
    assert len({headers["webhook-id"] for headers, _ in elsewhere.got}) == 1
    assert len({body for _, body in elsewhere.got}) == 1
