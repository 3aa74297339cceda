"""Chat v2: the same conversations as numbered messages, with another proof."""

from __future__ import annotations

from typing import Any

import pytest
from media_room import INVITATION, RelayRoom, Room

ROOMS = (Room, RelayRoom)

CHAT = "/genesys/2/chat/customer-support"


def begin(room: Room, **more: str) -> dict[str, Any]:
    answer = room.client.post(CHAT, data={"nickname": "Zoë"} | more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def proof(begun: dict[str, Any]) -> dict[str, str]:
    return {name: begun[name] for name in ("userId", "alias", "secureKey")}


def ask(room: Room, begun: dict[str, Any], action: str, **more: str) -> dict[str, Any]:
    answer = room.client.post(f"{CHAT}/{begun['chatId']}/{action}", data=proof(begun) | more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_start_shows_that_the_visitor_joined(room: Room) -> None:
    begun = begin(room)
    assert begun["statusCode"] == 0
    assert begun["messages"] == [
        {
            "from": {"nickname": "Zoë", "participantId": 1, "type": "Client"},
            "index": 1,
            "type": "ParticipantJoined",
            "utcTime": room.clock.now,
        }
    ]
    assert begun["nextPosition"] == 2


def test_a_conversation_with_an_agent(room: Room) -> None:
    begun = begin(room)
    sent = ask(room, begun, "send", message="Hello", transcriptPosition="2")
    assert [(one["type"], one["text"]) for one in sent["messages"]] == [("Message", "Hello")]
    chat = room.newest()
    room.desk(f"interactions/{chat}/accept", {"agent": "Ana"})
    room.desk(f"interactions/{chat}/messages", {"agent": "Ana", "text": "Good day"})
    news = ask(room, begun, "refresh", transcriptPosition=str(sent["nextPosition"]))
    assert [(one["type"], one["from"]["type"]) for one in news["messages"]] == [
        ("ParticipantJoined", "Agent"),
        ("Message", "Agent"),
    ]
    over = ask(room, begun, "disconnect", transcriptPosition=str(news["nextPosition"]))
    assert [one["type"] for one in over["messages"]] == ["ParticipantLeft"]
    assert over["chatEnded"] is True
    late = ask(room, begun, "send", message="still there?")
    assert late == {
        "statusCode": 2,
        "errors": [{"code": "Refused", "advice": "This chat has ended."}],
    }


@pytest.mark.parametrize(("position", "shown"), [("0", []), ("1", [1, 2, 3]), ("3", [3])])
def test_positions_are_0_for_none_1_for_all_n_from_n(
    room: Room, position: str, shown: list[int]
) -> None:
    begun = begin(room)
    for text in ("one", "two"):
        ask(room, begun, "send", message=text)
    found = ask(room, begun, "refresh", transcriptPosition=position)
    assert [one["index"] for one in found["messages"]] == shown
    assert found["nextPosition"] == 4


def test_the_agent_sees_that_the_visitor_types_in_either_version(room: Room) -> None:
    begun = begin(room)
    details = f"interactions/{room.newest()}"
    for start, stop in (
        (lambda: ask(room, begun, "startTyping"), lambda: ask(room, begun, "stopTyping")),
        (
            lambda: room.chat(begun["secureKey"], "startTyping"),
            lambda: room.chat(begun["secureKey"], "stopTyping"),
        ),
    ):
        start()
        assert room.desk(details)["typing"] is True
        stop()
        assert room.desk(details)["typing"] is False


def test_user_data_becomes_attached_data(room: Room) -> None:
    room.around.invitations["V1"] = INVITATION
    data = {"visitID": "V1", "pageID": "P2", "TimeZone": "60", "reason": "forged"}
    begin(room, emailAddress="z@x.example", **{f"userData[{key}]": data[key] for key in data})
    assert room.attached() == {
        "visitID": "V1",
        "pageID": "P2",
        "webengagement": "GMS chat for hesitant buyers",
        "reason": "hesitant buyer",
    }
    customer = room.desk(f"interactions/{room.newest()}")["customer"]
    assert (customer["TimeZone"], customer["emailAddress"]) == ("60", "z@x.example")


def test_an_empty_webengagement_is_the_sign_of_an_invitation(room: Room) -> None:
    begin(room, **{"userData[webengagement]": ""})
    assert room.desk("interactions")[0]["proactive"] is True


@pytest.mark.parametrize("values", [{}, {"firstName": "Zoë"}, {"nickname": "n" * 1_001}])
def test_who_does_not_say_who_they_are_gets_a_sentence(room: Room, values: dict[str, str]) -> None:
    answer = room.client.post(CHAT, data=values)
    assert (answer.status_code, answer.json()["statusCode"]) == (200, 2)
    assert answer.json()["errors"][0]["advice"]
    assert room.desk("interactions") == []


@pytest.mark.parametrize("wrong", ["userId", "alias", "secureKey", "chatId"])
def test_nothing_opens_a_chat_but_all_of_its_proof(room: Room, wrong: str) -> None:
    begun, other = begin(room), begin(room)
    answer = ask(room, begun | {wrong: other[wrong]}, "refresh", transcriptPosition="1")
    assert answer["statusCode"] == 2
    assert answer["errors"][0]["code"] == "UnknownId"


def test_both_versions_speak_of_one_conversation(room: Room) -> None:
    begun = begin(room)
    assert room.chat(begun["secureKey"], "refresh")["transcriptPosition"] == 1
