"""A GMS elsewhere: what it is told, what is kept of it here, and what is said when it is away.

That the whole interface works over it is what the other tests of GMS say: they run over both.
"""

from __future__ import annotations

import base64
import logging
from typing import Any

import httpx
import pytest
from media_room import CHAT_NOW, INVITATION, START, RelayRoom
from test_gms_cometd import Widget

from engine.media import gms_client

ROOMS = (RelayRoom,)
SERVICE = "/genesys/1/service"
CALL = CHAT_NOW | {"_media_type": "voice", "_call_direction": "USERTERMINATED"}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gms_client, "PAUSES", (0.0, 0.0))


def asked(room: RelayRoom) -> list[str]:
    return [f"{one.method} {one.url.path}" for one in room.way.asked]


def events(room: RelayRoom) -> list[str]:
    return [event for _, _, event, _ in room.around.happenings]


def test_gms_hears_our_credentials_and_what_the_strategy_attached(room: RelayRoom) -> None:
    room.around.invitations["V1"] = INVITATION
    key = room.start(color="red", reason="forged", invitation="V1/S/1")
    (request,) = room.way.asked
    assert request.url == f"http://gms.example{START}"
    given = request.headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(given) == b"overture:pass-word"
    assert request.headers["apikey"] == "api-key"
    details = room.desk(f"interactions/{room.newest()}")
    assert details["attached"] == {
        "visitID": "V1",
        "pageID": "P2",
        "webengagement": INVITATION["strategy"],
    }
    assert details["customer"] == {"color": "red", "reason": "hesitant buyer"}
    assert key not in str(room.here("interactions"))


def test_it_is_on_record_here_from_start_to_end(room: RelayRoom) -> None:
    key = room.start(first_name="Zoë")
    assert events(room) == ["InteractionStarted"]
    room.desk(f"interactions/{room.newest()}/accept", {"agent": "Ana"})
    room.chat(key, "refresh")
    (found,) = room.here("interactions")
    assert (found["medium"], found["state"], found["agent"]) == ("gms", "active", "Ana (GMS)")
    refused = room.client.post(f"/desk/api/interactions/{found['id']}/accept", json={"agent": "X"})
    assert (refused.status_code, refused.json()["code"]) == (409, "elsewhere")
    room.restart()
    room.desk(f"interactions/{room.newest()}/end", {"agent": "Ana"})
    room.chat(key, "refresh")
    assert events(room) == ["InteractionStarted", "InteractionEnded"]
    assert room.here("interactions")[0]["state"] == "ended"


def test_a_call_that_was_made_there_is_over_here(room: RelayRoom) -> None:
    values = CALL | {"_customer_number": "+34 600 1", "visitID": "V1"}
    key = room.client.post(START, data=values).json()["_id"]
    assert room.here("callbacks") == {"callbacks": []}
    one = f"callbacks/{room.desk('callbacks')['callbacks'][0]['id']}"
    room.desk(f"{one}/take", {"agent": "Ana"})
    room.desk(f"{one}/finish", {"agent": "Ana", "outcome": "done"})
    room.client.get(f"{SERVICE}/callback", params={"_id": key})
    (found,) = room.here("interactions")
    assert (found["medium"], found["state"]) == ("gms_callback", "ended")
    assert events(room) == ["InteractionStarted", "InteractionEnded"]


def test_what_was_not_started_here_is_not_opened(room: RelayRoom) -> None:
    theirs = room.elsewhere.start()
    before = len(room.way.asked)
    answers = [
        room.client.post(f"{SERVICE}/{theirs}/ixn/chat/refresh"),
        room.client.delete(f"{SERVICE}/callback/samples_new/{theirs}"),
        room.client.get(f"{SERVICE}/{theirs}/StartChat"),
    ]
    assert [one.status_code for one in answers] == [404, 404, 404]
    assert len(room.way.asked) == before


def test_lists_need_our_authority(room: RelayRoom) -> None:
    room.around.token = "secret"
    for path in ("/genesys/1/admin/callback/queues", f"{SERVICE}/callback?_customer_number=1"):
        assert room.client.get(path).status_code == 401
    assert room.way.asked == []


AWAY: dict[str, tuple[Exception | httpx.Response, str]] = {
    "refused": (httpx.ConnectError("no"), "can not be reached"),
    "silent": (httpx.ReadTimeout("no"), "does not answer in time"),
    "cut": (httpx.RemoteProtocolError("no"), "broke the connection off"),
    "failed": (httpx.Response(502, text="no"), "answers 502"),
    "moved": (httpx.Response(307, headers={"location": "/"}), "answers 307"),
    "strange": (httpx.Response(200, text="<html>"), "answers something that is not JSON"),
    "locked": (httpx.Response(401, text="no"), "does not accept our credentials"),
}


@pytest.mark.parametrize("how", AWAY)
def test_when_gms_is_away_it_is_said_to_both_and_no_secret_is_told(
    room: RelayRoom, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = room.start()
    problem, words = AWAY[how]
    room.way.broken = [problem] * 3
    with caplog.at_level(logging.DEBUG):
        answer = room.client.post(f"{SERVICE}/{key}/ixn/chat/refresh")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["message"] == "This is not available now: try again."
    assert f"GMS at gms.example {words}" in caplog.text
    for secret in ("pass-word", "api-key", base64.b64encode(b"overture:pass-word").decode(), key):
        assert secret not in caplog.text
    assert room.chat(key, "refresh")["chatIxnState"] == "TRANSCRIPT"
    assert events(room) == ["InteractionStarted"]


def test_what_is_harmless_is_asked_again(room: RelayRoom) -> None:
    key = room.start()
    room.way.broken = [httpx.ReadTimeout("no"), httpx.Response(503)]
    assert room.chat(key)["chatIxnState"] == "TRANSCRIPT"
    assert asked(room)[1:] == [f"POST {SERVICE}/{key}/ixn/chat"] * 3


def test_a_message_or_a_start_is_never_said_twice(room: RelayRoom) -> None:
    key = room.start()
    send = f"{SERVICE}/{key}/ixn/chat/send"
    room.way.broken = [httpx.ReadTimeout("no")]
    assert room.client.post(send, data={"message": "once"}).status_code == 503
    room.way.broken = [httpx.ReadTimeout("no")]
    assert room.client.post(START, data=CHAT_NOW).status_code == 503
    assert len(room.way.asked) == 3
    room.way.broken = [httpx.ConnectError("no")]  # nothing was said yet
    assert room.client.post(send, data={"message": "once"}).status_code == 200
    transcript = room.chat(key, "refresh")["transcriptToShow"]
    assert [line[2] for line in transcript] == ["once"]


def test_who_has_enough_open_is_refused_before_gms_is_asked(room: RelayRoom) -> None:
    for _ in range(5):
        room.start()
    first = room.client.post(START, data=CHAT_NOW | {"visitID": "V1"})
    second = room.client.post(
        "/genesys/2/chat/support", data={"nickname": "Zoe", "userData[visitID]": "V1"}
    )
    assert (first.status_code, second.json()["statusCode"]) == (429, 2)
    assert "too many open chats" in first.text
    assert "too many open chats" in second.text
    assert len(room.way.asked) == 5


SECOND = "/service/chatV2/support"


def second(widget: Widget) -> dict[str, Any]:
    data = {"operation": "requestChat", "nickname": "Zoë"}
    told, _ = widget.say("", {"channel": SECOND, "data": data})
    return dict(told["data"])


def test_a_chat_v2_that_gms_has_forgotten_is_pushed_as_it_says_it_and_no_more(
    room: RelayRoom,
) -> None:
    widget = Widget(room)
    second(widget)
    gone = {"statusCode": 2, "errors": [{"code": 249, "advice": "No such chat"}]}
    room.way.broken = [httpx.Response(200, json=gone)]
    assert widget.connect() == [{"channel": SECOND, "data": gone}]
    before = len(room.way.asked)
    assert widget.connect(advice={"timeout": 0}) == []
    assert len(room.way.asked) == before


def test_a_chat_v2_goes_on_when_gms_is_back(room: RelayRoom) -> None:
    widget = Widget(room)
    second(widget)
    room.way.broken = [httpx.Response(502)] * 3
    body = [{"channel": "/meta/connect", "clientId": widget.client}]
    assert room.client.post("/genesys/cometd", json=body).status_code == 503
    room.desk(f"interactions/{room.newest()}/accept", {"agent": "Ana"})
    (news,) = widget.connect()
    assert news["data"]["messages"][0]["type"] == "ParticipantJoined"


def test_where_a_start_names_no_position_the_news_begin_after_its_messages(
    room: RelayRoom,
) -> None:
    widget = Widget(room)
    begun = {"statusCode": 0, "chatId": "C 1", "userId": "U", "alias": "A", "secureKey": "K"}
    room.way.broken = [httpx.Response(200, json=begun | {"messages": [{"index": 1}]})]
    assert second(widget)["chatId"] == "C 1"
    widget.connect()
    assert room.way.asked[-1].url.raw_path == b"/genesys/2/chat/support/C%201/refresh"
    assert b"transcriptPosition=2" in room.way.asked[-1].content
