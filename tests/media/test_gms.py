"""The GMS shape: scenario, chat v1, attached data, and every wrong value."""

from __future__ import annotations

import re
from typing import Any

import pytest
from media_room import CHAT_NOW, INVITATION, START, RelayRoom, Room

from engine.media.gms_bodies import SCENARIOS

ROOMS = (Room, RelayRoom)


def test_scenarios_expand_as_documented() -> None:
    names = ("_call_direction", "_wait_for_agent", "_wait_for_user_confirm", "_media_type")
    table = """
        VOICE-NOW-USERORIG       USERORIGINATED false false voice
        VOICE-WAIT-USERORIG      USERORIGINATED true  true  voice
        VOICE-NOW-USERTERM       USERTERMINATED false false voice
        VOICE-WAIT-USERTERM      USERTERMINATED true  true  voice
        VOICE-SCHEDULED-USERTERM USERTERMINATED true  true  voice
        CHAT-NOW                 USERORIGINATED false false chat
        CHAT-WAIT                USERORIGINATED true  true  chat
    """
    rows = [line.split() for line in table.strip().splitlines()]
    expanded = {name: dict(zip(names, values, strict=True)) for name, *values in rows}
    assert {name: dict(one) for name, one in SCENARIOS.items()} == expanded


def test_start_answers_a_start_chat_dialog_with_an_unguessable_id(room: Room) -> None:
    answer = room.client.post(START, data=CHAT_NOW).json()
    key = answer["_id"]
    assert re.fullmatch(r"[0-9a-f]{40}", key)
    assert answer == {
        "_id": key,
        "_action": "StartChat",
        "_start_chat_url": f"http://chat.example/genesys/1/service/{key}/ixn/chat",
        "_comet_url": f"http://chat.example/genesys/cometd/{key}",
        "_chat_parameters": {"subject": "samples_new"},
    }


@pytest.mark.parametrize("shape", ["form", "multipart", "json", "json with booleans"])
def test_all_bodies_carry_the_same(room: Room, shape: str) -> None:
    values = CHAT_NOW | {"visitID": "V1", "pageID": "P2", "first_name": "Zoë", "color": "café"}
    loose = values | {"_wait_for_agent": False, "_wait_for_user_confirm": False}
    body: dict[str, Any] = {
        "form": {"data": values},
        "multipart": {"files": {name: (None, value) for name, value in values.items()}},
        "json": {"json": values},
        "json with booleans": {"json": loose},
    }[shape]
    assert room.client.post(START, **body).status_code == 200
    details = room.desk(f"interactions/{room.newest()}")
    assert details["attached"] == {"visitID": "V1", "pageID": "P2"}
    assert details["customer"] == {"first_name": "Zoë", "color": "café"}
    assert details["nickname"] == "Zoë"


def test_visitor_and_agent_exchange_messages(room: Room) -> None:
    key = room.start(first_name="Zoë", last_name="Doe")
    begun = room.chat(key)
    assert begun["transcriptToShow"] == [
        ["Notice.Joined", "Zoë Doe", "has joined the session", "1", "CLIENT"]
    ]
    sent = room.chat(key, "send", message="Hello", transcriptPosition="1")
    assert sent == {
        "transcriptPosition": 2,
        "transcriptToShow": [["Message.Text", "Zoë Doe", "Hello", "1", "CLIENT"]],
        "chatIxnState": "TRANSCRIPT",
    }
    chat = room.newest()
    room.desk(f"interactions/{chat}/accept", {"agent": "Ana"})
    room.desk(f"interactions/{chat}/messages", {"agent": "Ana", "text": "How can I help?"})
    news = room.chat(key, "refresh", transcriptPosition="2")
    assert news["transcriptToShow"] == [
        ["Notice.Joined", "Ana", "has joined the session", "2", "AGENT"],
        ["Message.Text", "Ana", "How can I help?", "2", "AGENT"],
    ]
    assert room.chat(key, "refresh", transcriptPosition="4")["transcriptToShow"] == []
    over = room.chat(key, "disconnect", transcriptPosition="4")
    assert over["chatIxnState"] == "DISCONNECTED"
    assert over["transcriptToShow"][0][:2] == ["Notice.Left", "Zoë Doe"]
    late = room.chat(key, "send", message="still there?", transcriptPosition="5")
    assert late == {
        "transcriptPosition": 5,
        "transcriptToShow": [],
        "chatIxnState": "DISCONNECTED",
    }


def test_joining_again_shows_everything_and_adds_nothing(room: Room) -> None:
    key = room.start()
    room.chat(key)
    room.chat(key, "send", message="one")
    again = room.chat(key)
    assert [line[2] for line in again["transcriptToShow"]] == ["has joined the session", "one"]


def test_refresh_answers_get_as_well(room: Room) -> None:
    key = room.start()
    room.chat(key, "send", message="one")
    url = f"/genesys/1/service/{key}/ixn/chat/refresh?transcriptPosition=0"
    assert room.client.get(url).json()["transcriptPosition"] == 1


def test_what_came_with_the_invitation_is_attached_but_never_over_the_three(room: Room) -> None:
    room.around.invitations["V1"] = INVITATION
    room.start()
    assert room.attached() == {
        "visitID": "V1",
        "pageID": "P2",
        "webengagement": "GMS chat for hesitant buyers",
        "reason": "hesitant buyer",
    }
    assert room.desk("interactions")[0]["proactive"] is True


@pytest.mark.parametrize("said", ["", "spring campaign"])
def test_the_widget_may_say_webengagement_itself_even_empty(room: Room, said: str) -> None:
    room.around.invitations["V1"] = INVITATION
    room.start(webengagement=said)
    details = room.desk(f"interactions/{room.newest()}")
    assert details["attached"]["webengagement"] == said
    assert details["proactive"] is True


def test_the_invitation_that_the_widget_names_counts_when_nothing_better_is_known(
    room: Room,
) -> None:
    room.start(invitation="V1/S/1", reason="forged by a visitor")
    details = room.desk(f"interactions/{room.newest()}")
    assert details["attached"] == {"visitID": "V1", "pageID": "P2", "webengagement": "V1/S/1"}
    assert details["customer"] == {"reason": "forged by a visitor"}


def test_a_chat_without_an_invitation_is_reactive(room: Room) -> None:
    room.start()
    details = room.desk(f"interactions/{room.newest()}")
    assert "webengagement" not in details["attached"]
    assert details["proactive"] is False


def test_gms_user_names_a_visitor_without_a_name(room: Room) -> None:
    room.client.post(START, data=CHAT_NOW, headers={"gms_user": "Zo%C3%AB K"})
    assert room.desk("interactions")[0]["nickname"] == "Zoë K"


REFUSED = {
    "_media_type": ("fax", "chat or voice"),
    "_call_direction": ("USERTERMINATED", "USERORIGINATED"),
    "_wait_for_agent": ("yes", "CHAT-WAIT"),
    "_wait_for_user_confirm": ("maybe", "CHAT-WAIT"),
    "_provide_code": ("true", "_provide_code"),
    "visitID": ("v" * 201, "longer than 200"),
    "first_name": ("n" * 1_001, "longer than 1000"),
    "token": ("t" * 1_001, "longer than 1000"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_value_is_415_with_one_sentence(room: Room, name: str) -> None:
    value, word = REFUSED[name]
    answer = room.client.post(START, data=CHAT_NOW | {name: value})
    assert answer.status_code == 415
    assert set(answer.json()) == {"message", "exception"}
    assert word in answer.json()["message"]
    assert room.desk("interactions") == []


@pytest.mark.parametrize("name", CHAT_NOW)
def test_a_missing_value_is_415_and_named(room: Room, name: str) -> None:
    values = {key: value for key, value in CHAT_NOW.items() if key != name}
    answer = room.client.post(START, data=values)
    assert (answer.status_code, answer.json()["message"]) == (415, f"{name} is missing.")


BODIES: dict[str, tuple[str, bytes, int]] = {
    "too large": ("application/json", b'{"a": "' + b"x" * 70_000 + b'"}', 413),
    "too large form": ("application/x-www-form-urlencoded", b"a=" + b"x" * 70_000, 413),
    "not JSON": ("application/json", b"{", 415),
    "a list": ("application/json", b"[]", 415),
    "deep": ("application/json", b"[" * 60_000, 415),
    "nested": ("application/json", b'{"_media_type": {"a": 1}}', 415),
    "huge number": ("application/json", b'{"a": ' + b"9" * 60_000 + b"}", 415),
    "not UTF-8": ("application/json", b'{"a": "\xff"}', 415),
    "not UTF-8 form": ("application/x-www-form-urlencoded", b"a=%FF", 415),
    "half a letter": ("application/json", b'{"visitID": "\\ud800"}', 415),
    "many fields": (
        "application/x-www-form-urlencoded",
        b"&".join(b"%d=1" % n for n in range(99)),
        415,
    ),
    "no boundary": ("multipart/form-data", b"--x", 415),
    "broken multipart": ("multipart/form-data; boundary=x", b"nonsense", 415),
    "a file": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nc\r\n--x--\r\n',
        415,
    ),
    "XML": ("application/xml", b"<a/>", 415),
    "nothing": ("", b"", 415),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_wrong_body_is_refused_and_changes_nothing(
    room: Room, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    kind, body, status = BODIES[name]
    answer = room.client.post(START, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert answer.json()["message"]
    # The answer says what was wrong; a line for each would be a visitor's to write.
    assert not [one for one in caplog.records if one.levelname != "INFO"]
    assert room.desk("interactions") == []


@pytest.mark.parametrize("action", ["", "/send", "/refresh", "/disconnect"])
@pytest.mark.parametrize("key", ["0" * 40, "x", "%F0%9F%92%A9", "x" * 5_000])
def test_an_unknown_id_is_404(room: Room, action: str, key: str) -> None:
    answer = room.client.post(f"/genesys/1/service/{key}/ixn/chat{action}", data={"message": "a"})
    assert answer.status_code == 404
    assert answer.json()["exception"] == "UnknownId"


def test_the_id_that_agents_see_opens_nothing(room: Room) -> None:
    key = room.start()
    assert key not in str(room.desk("interactions"))
    assert key not in str(room.desk(f"interactions/{room.newest()}"))
    url = f"/genesys/1/service/{room.newest()}/ixn/chat/refresh"
    assert room.client.post(url).status_code == 404


@pytest.mark.parametrize("values", [{}, {"message": ""}, {"message": "x" * 4_001}])
def test_a_message_is_1_to_4000_characters(room: Room, values: dict[str, str]) -> None:
    key = room.start()
    answer = room.client.post(f"/genesys/1/service/{key}/ixn/chat/send", data=values)
    assert answer.status_code == 415
    assert room.chat(key, "refresh")["transcriptPosition"] == 0
    room.chat(key, "send", message="x" * 4_000)


@pytest.mark.parametrize("position", ["-1", "first", "1.5", "9" * 30])
def test_a_position_is_a_number(room: Room, position: str) -> None:
    key = room.start()
    url = f"/genesys/1/service/{key}/ixn/chat/refresh"
    assert room.client.post(url, data={"transcriptPosition": position}).status_code == 415


def test_a_visit_opens_five_chats_at_most(room: Room) -> None:
    keys = [room.start() for _ in range(5)]
    answer = room.client.post(START, data=CHAT_NOW | {"visitID": "V1"})
    assert answer.status_code == 429
    assert "too many open chats" in answer.json()["message"]
    room.chat(keys[0], "disconnect")
    room.start()


def test_chats_without_a_visit_do_not_take_the_places_of_visits(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.media.interactions.OPEN_WITHOUT_VISIT", 3)
    answers = [room.client.post(START, data=CHAT_NOW).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert room.client.post(START, data=CHAT_NOW | {"visitID": "V1"}).status_code == 200
