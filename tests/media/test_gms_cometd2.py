"""Chat v2 over CometD: operations that are published, and news of the chat that they prove."""

from __future__ import annotations

from typing import Any

import pytest
from media_room import RelayRoom, Room
from test_gms_cometd import Widget

from engine.media import gms_cometd

ROOMS = (Room, RelayRoom)

CHANNEL = "/service/chatV2/customer-support"
PROOF = ("chatId", "userId", "alias", "secureKey")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gms_cometd, "HOLD", 0.2)
    monkeypatch.setattr(gms_cometd, "LOOK_EVERY", 0.02)


def publish(widget: Widget, operation: str, **data: Any) -> dict[str, Any]:
    """The answer on the channel; the receipt behind it says that it was taken."""
    message = {"channel": CHANNEL, "id": "3", "data": {"operation": operation} | data}
    told, receipt = widget.say("", message)
    assert receipt == {"channel": CHANNEL, "id": "3", "successful": True}
    assert told["channel"] == CHANNEL
    return dict(told["data"])


def begin(widget: Widget, **user_data: str) -> dict[str, Any]:
    return publish(widget, "requestChat", nickname="Zoë", userData=user_data)


def proof(begun: dict[str, Any]) -> dict[str, str]:
    return {name: begun[name] for name in PROOF}


def accept(room: Room, text: str) -> None:
    interaction = f"interactions/{room.newest()}"
    room.desk(f"{interaction}/accept", {"agent": "Ana"})
    room.desk(f"{interaction}/messages", {"agent": "Ana", "text": text})


def heard(widget: Widget) -> list[tuple[str, str]]:
    """Types and texts of the messages that a connect brings."""
    news = widget.connect()
    assert {one["channel"] for one in news} <= {CHANNEL}
    shown = [message for one in news for message in one["data"]["messages"]]
    return [(one["type"], one.get("text", "")) for one in shown]


def test_a_whole_chat_is_spoken_and_heard_on_one_channel(room: Room) -> None:
    widget = Widget(room)
    assert widget.subscribe(CHANNEL)["successful"] is True
    begun = begin(widget, visitID="V1", webengagement="")
    assert (begun["statusCode"], begun["nextPosition"]) == (0, 2)
    assert room.attached()["visitID"] == "V1"
    accept(room, "Good day")
    assert heard(widget) == [("ParticipantJoined", ""), ("Message", "Good day")]
    assert heard(widget) == []
    sent = publish(widget, "sendMessage", message="Hello", **proof(begun))
    assert (sent["messages"], sent["nextPosition"]) == ([], 5)
    assert heard(widget) == [("Message", "Hello")]
    over = publish(widget, "disconnect", **proof(begun))
    assert over["chatEnded"] is True
    (last,) = widget.connect()
    assert last["data"]["chatEnded"] is True
    assert widget.connect() == []


def test_of_the_chat_that_is_heard_the_key_alone_will_do(room: Room) -> None:
    widget = Widget(room)
    begun = begin(widget)
    key = begun["secureKey"]
    assert publish(widget, "sendMessage", message="Hello", secureKey=key)["statusCode"] == 0
    assert heard(widget) == [("Message", "Hello")]
    for data in ({}, {"secureKey": "0" * 40}, {"chatId": begun["chatId"]}):
        assert publish(widget, "sendMessage", message="forged", **data)["statusCode"] == 2
    assert publish(Widget(room), "refresh", secureKey=key)["statusCode"] == 2
    assert heard(widget) == []


def test_the_agent_sees_that_the_visitor_types(room: Room) -> None:
    widget = Widget(room)
    begun = begin(widget)
    for operation, typing in (("startTyping", True), ("stopTyping", False)):
        assert publish(widget, operation, **proof(begun))["statusCode"] == 0
        assert room.desk(f"interactions/{room.newest()}")["typing"] is typing


@pytest.mark.parametrize("wrong", PROOF)
def test_nothing_is_heard_of_a_chat_but_with_all_of_its_proof(room: Room, wrong: str) -> None:
    mine, stranger = Widget(room), Widget(room)
    other = begin(mine)
    begun = begin(mine)
    assert stranger.subscribe(CHANNEL)["successful"] is True
    told = publish(
        stranger, "refresh", **proof(begun) | {wrong: other[wrong]}, transcriptPosition=1
    )
    assert told["errors"][0]["code"] == "UnknownId"
    accept(room, "Good day")
    assert stranger.connect() == []
    assert ("Message", "Good day") in heard(mine)


def test_a_refusal_leaves_the_chat_that_is_heard_as_it_is(room: Room) -> None:
    mine, other = Widget(room), Widget(room)
    foreign = begin(other)
    begun = begin(mine)
    told = publish(mine, "refresh", **proof(begun) | {"chatId": foreign["chatId"]})
    assert told["statusCode"] == 2
    accept(room, "Good day")
    assert ("Message", "Good day") in heard(mine)
    assert other.connect() == []


def test_after_a_restart_the_chat_goes_on_where_it_was(room: Room) -> None:
    begun = begin(Widget(room))
    room.restart()
    accept(room, "Good day")
    widget = Widget(room)
    place = begun["nextPosition"]
    found = publish(widget, "refresh", **proof(begun), transcriptPosition=place)
    assert [one["type"] for one in found["messages"]] == ["ParticipantJoined", "Message"]
    assert heard(widget) == []
    publish(widget, "send", message="Hello", **proof(begun))
    assert heard(widget) == [("Message", "Hello")]


def test_who_leaves_the_channel_hears_no_more(room: Room) -> None:
    widget = Widget(room)
    begin(widget)
    widget.say("", {"channel": "/meta/unsubscribe", "subscription": CHANNEL})
    accept(room, "Good day")
    assert widget.connect() == []


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (None, "data must be an object with an operation."),
        ([], "data must be an object with an operation."),
        ({"operation": "dance"}, "operation is one of requestChat, sendMessage, send,"),
        ({"operation": "fileUpload"}, "Files can not be sent in this chat"),
        ({"operation": "customNotice"}, "Notices of your own are not carried"),
        ({"operation": {}}, "operation must be a text"),
        ({"operation": "refresh", "secureKey": "0" * 40}, "chatId is missing"),
        ({"operation": "refresh", "chatId": ".."}, "chatId is missing"),
        ({"operation": "refresh", "chatId": "a/b"}, "chatId is missing"),
        ({"operation": "requestChat"}, "Send nickname, or firstName and lastName."),
        ({"operation": "requestChat", "userData": {"a": []}}, "userData[a] must be a text"),
        ({"operation": "requestChat", "userData": {str(n): "" for n in range(61)}}, "More than 60"),
    ],
)
def test_a_mistake_is_answered_by_a_sentence(room: Room, data: Any, advice: str) -> None:
    told, receipt = Widget(room).say("", {"channel": CHANNEL, "data": data})
    assert receipt["successful"] is True
    assert told["data"]["statusCode"] == 2
    assert told["data"]["errors"][0]["advice"].startswith(advice)
    assert room.desk("interactions") == []


@pytest.mark.parametrize("channel", ["/service/chatV2/", "/service/chatV2/..", "/service/other"])
def test_a_channel_without_a_service_is_none(room: Room, channel: str) -> None:
    widget = Widget(room)
    (told,) = widget.say("", {"channel": channel, "data": {"operation": "requestChat"}})
    assert told["successful"] is False
    assert widget.subscribe(channel)["successful"] is False
