"""Our own chat as plain JSON: both sides, typing, transfer, files, transcript, ends, restarts."""

from __future__ import annotations

from typing import Any

import pytest
from media_room import INVITATION, Room

from engine.media.conversations import TYPING, VISITOR_SILENCE

CHAT = "/media/chat"


def start(room: Room, **more: str) -> str:
    values = {"visitID": "V1", "pageID": "P2", "first_name": "Zoë", "colour": "blue"} | more
    answer = room.client.post(CHAT, json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def post(room: Room, path: str, status: int, **body: Any) -> dict[str, Any]:
    answer = room.client.post(f"{CHAT}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json()) if answer.content else {}


def news(room: Room, key: str, after: int = 0) -> dict[str, Any]:
    answer = room.client.get(f"{CHAT}/{key}?after={after}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def answered(room: Room) -> tuple[str, str]:
    """A chat that Ana has: the visitor's key and the interaction."""
    for agent in ("Ana", "Bo"):
        room.agents.heard(agent, ready=True, media=["chat"])
    key = start(room)
    chat = room.newest()
    room.desk(f"interactions/{chat}/accept", {"agent": "Ana"})
    return key, chat


def test_both_talk_and_each_end_is_an_end(room: Room) -> None:
    room.around.invitations["V1"] = INVITATION
    key, chat = answered(room)
    said = post(room, f"{key}/messages", 201, text="Hello", after=2)
    assert [(one["party"], one["text"]) for one in said["lines"]] == [("visitor", "Hello")]
    room.desk(f"interactions/{chat}/messages", {"agent": "Ana", "text": "How can I help?"})
    now = news(room, key, 3)
    assert (now["state"], now["agent"], now["position"]) == ("active", "Ana", 4)
    assert [(one["nickname"], one["text"]) for one in now["lines"]] == [("Ana", "How can I help?")]
    details = room.desk(f"interactions/{chat}")
    assert details["attached"]["webengagement"] == INVITATION["strategy"]
    assert details["customer"] == {"first_name": "Zoë", "colour": "blue"}
    over = post(room, f"{key}/end", 200, after=4)
    assert (over["state"], over["lines"][0]["type"]) == ("ended", "Notice.Left")
    assert post(room, f"{key}/messages", 409, text="Still there?")["code"] == "ended"
    other = start(room)
    room.desk(f"interactions/{room.newest()}/end", {"agent": "Ana"})
    assert news(room, other)["state"] == "ended"


def test_a_reload_and_a_restart_go_on_with_the_conversation(room: Room) -> None:
    key, chat = answered(room)
    post(room, f"{key}/messages", 201, text="Hello")
    before = news(room, key)
    room.restart()
    assert news(room, key) == before
    room.desk(f"interactions/{chat}/messages", {"agent": "Ana", "text": "Hello again"})
    assert news(room, key, before["position"])["lines"][0]["text"] == "Hello again"


def test_who_types_is_seen_until_they_send_stop_or_fall_silent(room: Room) -> None:
    key, chat = answered(room)
    seen = f"interactions/{chat}?journey=no"
    assert not room.desk(seen)["typing"]
    post(room, f"{key}/typing", 204, typing=True)
    assert room.desk(seen)["typing"]
    post(room, f"{key}/messages", 201, text="Hello")
    assert not room.desk(seen)["typing"]
    typing = {"agent": "Ana", "typing": True}
    room.client.post(f"/desk/api/interactions/{chat}/typing", json=typing | {"agent": "Bo"})
    assert not news(room, key)["typing"], "it is not Bo's chat"
    room.client.post(f"/desk/api/interactions/{chat}/typing", json=typing)
    assert news(room, key)["typing"]
    room.clock.now += TYPING
    assert not news(room, key)["typing"]
    room.client.post(f"/desk/api/interactions/{chat}/typing", json=typing)
    room.client.post(f"/desk/api/interactions/{chat}/typing", json=typing | {"typing": False})
    assert not news(room, key)["typing"]


def test_an_agent_hands_the_chat_to_another(room: Room) -> None:
    key, chat = answered(room)
    handed = room.desk(f"interactions/{chat}/transfer", {"agent": "Ana", "to": "Bo"})
    assert handed["agent"] == "Bo"
    assert [(one.name, one.chats) for one in room.agents.everyone()] == [("Ana", 0), ("Bo", 1)]
    lines = news(room, key)["lines"]
    assert [(one["type"], one["nickname"]) for one in lines[-2:]] == [
        ("Notice.Left", "Ana"),
        ("Notice.Joined", "Bo"),
    ]
    said = {"agent": "Ana", "text": "one more thing"}
    assert room.desk(f"interactions/{chat}/messages", said, 409)["code"] == "taken"
    room.desk(f"interactions/{chat}/messages", said | {"agent": "Bo"})


@pytest.mark.parametrize("case", ["absent", "unready", "full", "not mine", "waiting", "ended"])
def test_a_transfer_that_can_not_be_changes_nothing(room: Room, case: str) -> None:
    _, chat = answered(room)
    body, code = {"agent": "Ana", "to": "Bo"}, case
    if case == "absent":
        body["to"] = "Cy"
    elif case == "unready":
        room.agents.heard("Bo", ready=False, media=["chat"])
        code = "absent"
    elif case == "full":
        for n in range(3):
            room.agents.restore("Bo", f"other {n}")
        code = "no-place"
    elif case == "not mine":
        body, code = {"agent": "Bo", "to": "Ana"}, "taken"
    elif case == "waiting":
        start(room)
        chat = room.newest()
    else:
        room.desk(f"interactions/{chat}/end", {"agent": "Ana"})
    before = room.desk(f"interactions/{chat}"), room.agents.everyone()
    assert room.desk(f"interactions/{chat}/transfer", body, 409)["code"] == code
    assert (room.desk(f"interactions/{chat}"), room.agents.everyone()) == before


def test_files_are_refused_in_a_sentence(room: Room) -> None:
    key = start(room)
    refused = room.client.post(f"{CHAT}/{key}/files", files={"file": ("a.png", b"\x89PNG")})
    assert (refused.status_code, refused.json()["code"]) == (415, "files")
    assert "say in words" in refused.json()["error"]
    assert len(news(room, key)["lines"]) == 1, "nothing of it is kept"


def test_the_transcript_to_keep_is_plain_text(room: Room) -> None:
    key, _ = answered(room)
    post(room, f"{key}/messages", 201, text="One\n[line] two")
    kept = room.client.get(f"{CHAT}/{key}/transcript")
    assert kept.headers["content-type"] == "text/plain; charset=utf-8"
    assert kept.text.splitlines() == [
        "[1970-01-01 00:16:40 UTC] Zoë joined",
        "[1970-01-01 00:16:40 UTC] Ana joined",
        "[1970-01-01 00:16:40 UTC] Zoë: One",
        "    [line] two",
    ]


def test_a_window_that_fell_silent_has_left(room: Room) -> None:
    key = start(room)
    room.clock.now += VISITOR_SILENCE + 1
    room.desk("interactions")
    assert news(room, key)["state"] == "ended"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("messages", {"text": ""}, "malformed"),
        ("messages", {"text": "x" * 4_001}, "malformed"),
        ("messages", {"text": "x", "after": -1}, "malformed"),
        ("typing", {"typing": "yes"}, "malformed"),
    ],
)
def test_wrong_values_are_a_sentence(
    room: Room, path: str, body: dict[str, Any], code: str
) -> None:
    refused = post(room, f"{start(room)}/{path}", 400, **body)
    assert refused["code"] == code
    assert refused["error"].endswith(".")


def test_others_open_nothing(room: Room) -> None:
    start(room)
    assert room.client.get(f"{CHAT}/{room.newest()}").status_code == 404
    assert room.client.get(f"{CHAT}/{start(room)}?after=x").status_code == 400
    called = room.client.post("/media/callback", json={"phone": "12345"}).json()["id"]
    assert room.client.get(f"{CHAT}/{called}").status_code == 404
