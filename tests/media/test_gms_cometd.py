"""CometD for GMS widgets, message by message; the official client is in tests/browser."""

from __future__ import annotations

from typing import Any

import pytest
from media_room import CHAT_NOW, START, RelayRoom, Room

from engine.media import gms_cometd

ROOMS = (Room, RelayRoom)

COMETD = "/genesys/cometd"
HANDSHAKE = {
    "id": "1",
    "version": "1.0",
    "channel": "/meta/handshake",
    "supportedConnectionTypes": ["websocket", "long-polling"],
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gms_cometd, "HOLD", 0.2)
    monkeypatch.setattr(gms_cometd, "LOOK_EVERY", 0.02)


class Widget:
    """A client that says one message at a time."""

    def __init__(self, room: Room, address: str = COMETD, **ext: Any) -> None:
        self.room = room
        self.address = address
        self.client = ""
        (self.welcome,) = self.say("handshake", HANDSHAKE | {"ext": ext})
        self.client = self.welcome.get("clientId", "")

    def say(self, kind: str, message: dict[str, Any]) -> list[dict[str, Any]]:
        body = [message | ({"clientId": self.client} if self.client else {})]
        answer = self.room.client.post(f"{self.address}/{kind}", json=body)
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    def subscribe(self, channel: str = "/_genesys", **ext: Any) -> dict[str, Any]:
        message = {"channel": "/meta/subscribe", "subscription": channel, "ext": ext}
        (told,) = self.say("", message)
        return told

    def connect(self, **more: Any) -> list[dict[str, Any]]:
        told = self.say("connect", {"id": "7", "channel": "/meta/connect", **more})
        assert told[-1]["channel"] == "/meta/connect"
        return told[:-1]


def chat(room: Room, **more: str) -> dict[str, Any]:
    return dict(room.client.post(START, data=CHAT_NOW | {"visitID": "V1"} | more).json())


def path(begun: dict[str, Any]) -> str:
    return str(begun["_comet_url"]).removeprefix("http://chat.example")


def texts(messages: list[dict[str, Any]]) -> list[str]:
    shown = [one["data"]["message"]["transcriptToShow"] for one in messages]
    return [line[2] for lines in shown for line in lines]


def test_news_come_with_the_connect_and_only_once(room: Room) -> None:
    begun = chat(room)
    widget = Widget(room, path(begun))
    assert widget.welcome["successful"] is True
    assert widget.welcome["supportedConnectionTypes"] == ["long-polling"]
    assert widget.connect(advice={"timeout": 0}) == []
    assert widget.subscribe()["successful"] is True
    room.chat(begun["_id"])
    room.chat(begun["_id"], "send", message="Hello")
    (news,) = widget.connect()
    assert news["channel"] == "/_genesys"
    assert news["data"]["message"]["chatIxnState"] == "TRANSCRIPT"
    assert texts([news]) == ["has joined the session", "Hello"]
    assert widget.connect() == []
    room.chat(begun["_id"], "disconnect")
    (last,) = widget.connect()
    assert last["data"]["message"]["chatIxnState"] == "DISCONNECTED"
    assert widget.connect() == []


def test_an_agent_who_types_is_a_notice_and_no_line_of_the_transcript(room: Room) -> None:
    begun = chat(room)
    widget = Widget(room, path(begun))
    widget.subscribe()
    identity = room.newest()
    room.desk(f"interactions/{identity}/accept", {"agent": "Ana"})
    widget.connect()
    room.agents_client.post(
        f"/desk/api/interactions/{identity}/typing", json={"agent": "Ana", "typing": True}
    )
    (news,) = widget.connect()
    assert news["data"]["message"] == {
        "transcriptToShow": [["Notice.TypingStarted", "Ana", "", "2", "AGENT"]],
        "transcriptPosition": 1,
        "chatIxnState": "TRANSCRIPT",
    }
    room.desk(f"interactions/{identity}/messages", {"agent": "Ana", "text": "Hello"})
    told = [one["data"]["message"]["transcriptToShow"][0] for one in widget.connect()]
    assert [line[0] for line in told] == ["Notice.TypingStopped", "Message.Text"]
    assert widget.connect() == []


def test_who_waits_is_told_to_start_the_chat(room: Room) -> None:
    begun = chat(room, _wait_for_agent="true", _wait_for_user_confirm="true")
    widget = Widget(room, _id=begun["_id"])
    assert widget.subscribe()["successful"] is True
    room.desk(f"interactions/{room.newest()}/accept", {"agent": "Ana"})
    told = widget.connect()
    assert told[0]["data"] == {"_id": begun["_id"], "_action": "StartChat"}


def test_what_was_not_acknowledged_comes_again(room: Room) -> None:
    begun = chat(room)
    widget = Widget(room, path(begun), ack=True)
    assert widget.welcome["ext"] == {"ack": True}
    widget.subscribe()
    room.chat(begun["_id"], "send", message="one")
    told = widget.say("connect", {"channel": "/meta/connect", "ext": {"ack": 0}})
    assert texts(told[:-1]) == ["one"]
    again = widget.connect(ext={"ack": 0})
    assert texts(again) == ["one"]
    assert widget.connect(ext={"ack": told[-1]["ext"]["ack"]}) == []


def test_a_subscription_may_name_the_chat(room: Room) -> None:
    begun = chat(room)
    widget = Widget(room)
    assert widget.subscribe(_id=begun["_id"])["successful"] is True


@pytest.mark.parametrize("ext", [{}, {"_id": "0" * 40}, {"_id": 7}])
def test_without_the_id_of_a_chat_there_is_nothing_to_hear(room: Room, ext: dict[str, Any]) -> None:
    chat(room)
    told = Widget(room).subscribe(**ext)
    assert told["successful"] is False
    assert told["error"].startswith("403:")


def test_other_channels_are_refused(room: Room) -> None:
    widget = Widget(room, path(chat(room)))
    assert widget.subscribe("/other")["successful"] is False
    (told,) = widget.say("", {"channel": "/_genesys", "data": {}})
    assert told["successful"] is False


def test_a_client_that_is_not_known_shakes_hands_again(room: Room) -> None:
    begun = chat(room)
    widget = Widget(room, path(begun))
    room.restart()
    (told,) = widget.say("connect", {"channel": "/meta/connect", "id": "9"})
    assert (told["error"], told["id"]) == ("402::Unknown client", "9")
    assert told["advice"]["reconnect"] == "handshake"
    (gone,) = widget.say("disconnect", {"channel": "/meta/disconnect"})
    assert gone["successful"] is False


def test_who_disconnects_is_forgotten(room: Room) -> None:
    widget = Widget(room, path(chat(room)))
    assert widget.say("disconnect", {"channel": "/meta/disconnect"})[0]["successful"] is True
    assert widget.say("connect", {"channel": "/meta/connect"})[0]["successful"] is False


def test_only_long_polling_is_spoken(room: Room) -> None:
    offer = HANDSHAKE | {"supportedConnectionTypes": ["websocket"]}
    told = room.client.post(f"{COMETD}/handshake", json=[offer]).json()[0]
    assert (told["successful"], told["advice"]["reconnect"]) == (False, "none")


def test_clients_are_bounded(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gms_cometd, "SESSIONS_AT_MOST", 2)
    welcomes = [Widget(room).welcome["successful"] for _ in range(3)]
    assert welcomes == [True, True, False]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"7", b"[7]", b"[" * 60_000, b"[{}" + b",{}" * 50 + b"]"),
        *(b'{"id": "\\ud800", "channel": "/x"}', b'{"id": NaN, "channel": "/x"}'),
    ],
)
def test_what_is_no_message_is_refused(room: Room, body: bytes) -> None:
    assert room.client.post(COMETD, content=body).status_code == 400


def test_a_message_that_stands_alone_is_tolerated(room: Room) -> None:
    assert room.client.post(f"{COMETD}/", json=HANDSHAKE).json()[0]["successful"] is True
