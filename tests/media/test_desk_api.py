"""The agents' interface over the same store: list, details, accept, answer, end, presence."""

from __future__ import annotations

import pytest
from media_room import HISTORY, Room

MARKUP = "<img src=x onerror=alert(1)>&amp; \u202e \" ' </script>\n\U0001f600"


def test_the_list_is_newest_first_with_the_last_message(room: Room) -> None:
    room.start(first_name="One")
    room.clock.now += 5
    key = room.start(first_name="Two")
    room.chat(key, "send", message="hello")
    newest, oldest = room.desk("interactions")
    assert newest == {
        "id": newest["id"],
        "medium": "chat",
        "state": "waiting",
        "created": 1_000_005,
        "ended": None,
        "visitID": "V1",
        "pageID": "P2",
        "agent": None,
        "nickname": "Two",
        "named_by_visit": False,
        "last_message": "hello",
        "lines": 1,
        "outcome": None,
        "proactive": False,
        "elsewhere": False,
    }
    assert oldest["nickname"] == "One"


def test_details_show_the_visit(room: Room) -> None:
    room.start()
    details = room.desk(f"interactions/{room.newest()}")
    assert details["pages"] == [
        {"pageID": "P1", "url": "/a", "title": None, "entered": 1_000, "exited": 4_000},
        {
            "pageID": "P2",
            "url": "/checkout",
            "title": "Checkout",
            "entered": 4_500,
            "exited": None,
        },
    ]
    assert [event["eventName"] for event in details["events"]] == [
        event["eventName"] for event in HISTORY
    ]
    assert details["problem"] is None
    assert "events" not in room.desk(f"interactions/{room.newest()}?journey=no")


def test_details_show_earlier_visits_with_what_was_talked_about(room: Room) -> None:
    room.start(visitID="V0", first_name="Before")
    room.clock.now += 5
    room.start(visitID="OTHER")
    room.start()
    room.around.visits = [{"visitID": "V0", "started": 1}, {"visitID": "V-1", "started": 0}]
    earlier = room.desk(f"interactions/{room.newest()}")["earlier"]
    assert [(one["visitID"], one["started"]) for one in earlier] == [("V0", 1), ("V-1", 0)]
    talks = [[talk["nickname"] for talk in one["conversations"]] for one in earlier]
    assert talks == [["Before"], []]
    assert "earlier" not in room.desk(f"interactions/{room.newest()}?earlier=no")


def test_media_with_who_is_free(room: Room) -> None:
    assert room.desk("media") == {"callback": 0, "chat": 0}
    room.agents.heard("Ana", ready=True, media=["chat", "video", "gms"])
    assert room.desk("media") == {"callback": 0, "chat": 1, "video": 1}


def test_without_history_the_agent_still_answers(room: Room) -> None:
    room.start()
    room.around.broken = True
    details = room.desk(f"interactions/{room.newest()}")
    assert (details["pages"], details["events"]) == ([], [])
    assert details["problem"] == "The history of this visit can not be read now."


def test_text_stays_text_in_both_directions(room: Room) -> None:
    key = room.start(first_name=MARKUP)
    room.chat(key, "send", message=MARKUP)
    chat = room.newest()
    room.desk(f"interactions/{chat}/accept", {"agent": "Ana"})
    room.desk(f"interactions/{chat}/messages", {"agent": "Ana", "text": MARKUP})
    texts = [line["text"] for line in room.desk(f"interactions/{chat}")["transcript"]]
    assert texts == [MARKUP, "", MARKUP]
    shown = [line[2] for line in room.chat(key, "refresh")["transcriptToShow"]]
    assert shown == [MARKUP, "has joined the session", MARKUP]
    url = f"/genesys/1/service/{key}/ixn/chat/refresh"
    assert room.client.post(url).headers["content-type"] == "application/json"


def test_one_agent_holds_a_chat_until_they_are_gone(room: Room) -> None:
    room.start()
    chat = room.newest()
    room.agents.heard("Ana", ready=True, media=["chat"])
    waiting = room.desk(f"interactions/{chat}/messages", {"agent": "Ana", "text": "a"}, 409)
    assert waiting == {"error": "Accept this chat before you answer.", "code": "waiting"}
    room.desk(f"interactions/{chat}/accept", {"agent": "Ana"})
    room.desk(f"interactions/{chat}/accept", {"agent": "Ana"})
    taken = {"error": "Ana has this chat.", "code": "taken"}
    assert room.desk(f"interactions/{chat}/accept", {"agent": "Bo"}, 409) == taken
    body = {"agent": "Bo", "text": "mine"}
    assert room.desk(f"interactions/{chat}/messages", body, 409) == taken
    assert room.desk(f"interactions/{chat}/end", {"agent": "Bo"}, 409) == taken
    room.clock.now += 30_000
    assert room.desk(f"interactions/{chat}/accept", {"agent": "Bo"})["agent"] == "Bo"
    transcript = room.desk(f"interactions/{chat}")["transcript"]
    told = [(line["type"], line["nickname"]) for line in transcript]
    assert told == [("Notice.Joined", "Ana"), ("Notice.Left", "Ana"), ("Notice.Joined", "Bo")]


def test_a_full_agent_is_not_ready_and_takes_no_more(room: Room) -> None:
    room.agents.heard("Ana", ready=True, media=["chat"])
    for visit in "ABCD":
        room.start(visitID=visit)
    chats = [one["id"] for one in room.desk("interactions")]
    for chat in chats[:3]:
        room.desk(f"interactions/{chat}/accept", {"agent": "Ana"})
    assert room.agents.free() == {"callback": 0, "chat": 0}
    refused = room.desk(f"interactions/{chats[3]}/accept", {"agent": "Ana"}, 409)
    assert refused["code"] == "no-place"
    room.desk(f"interactions/{chats[0]}/end", {"agent": "Ana"})
    assert room.agents.free() == {"callback": 0, "chat": 1}
    room.desk(f"interactions/{chats[3]}/accept", {"agent": "Ana"})


def test_ending_tells_the_visitor_and_is_final(room: Room) -> None:
    key = room.start()
    chat = room.newest()
    room.desk(f"interactions/{chat}/accept", {"agent": "Ana"})
    room.desk(f"interactions/{chat}/end", {"agent": "Ana"})
    ended = room.desk(f"interactions/{chat}/end", {"agent": "Ana"})
    assert (ended["state"], ended["ended"]) == ("ended", room.clock.now)
    assert room.chat(key, "refresh")["chatIxnState"] == "DISCONNECTED"
    body = {"agent": "Ana", "text": "one more thing"}
    assert room.desk(f"interactions/{chat}/messages", body, 409)["code"] == "ended"
    assert room.desk(f"interactions/{chat}/accept", {"agent": "Bo"}, 409)["code"] == "ended"
    assert room.agents.everyone() == []


def test_agents_renew_list_and_leave(room: Room) -> None:
    put = room.client.put("/desk/api/agents/Ana%20B", json={"ready": True, "media": ["chat"]})
    ana = {
        "name": "Ana B",
        "ready": True,
        "present": True,
        "media": ["chat"],
        "chats": 0,
        "capacity": 3,
    }
    assert put.json() == ana
    assert room.desk("agents") == [ana]
    assert (
        room.client.put("/desk/api/agents/Ana%20B", json={"ready": False}).json()["ready"] is False
    )
    assert room.agents.free() == {"callback": 0, "chat": 0}
    assert room.client.delete("/desk/api/agents/Ana%20B").status_code == 204
    assert room.desk("agents") == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("A", {"ready": "yes"}),
        ("A", {}),
        ("A", {"ready": True, "media": "chat"}),
        ("A", {"ready": True, "media": ["m"] * 11}),
        ("x" * 61, {"ready": True}),
        ("%20", {"ready": True}),
        ("a%00b", {"ready": True}),
    ],
)
def test_a_wrong_agent_is_refused(room: Room, name: str, body: object) -> None:
    answer = room.client.put(f"/desk/api/agents/{name}", json=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "code"}
    assert room.desk("agents") == []


@pytest.mark.parametrize("body", [{}, {"agent": ""}, {"agent": 1}, {"agent": "A"}, [], "x"])
def test_a_wrong_message_is_refused(room: Room, body: object) -> None:
    room.start()
    answer = room.client.post(f"/desk/api/interactions/{room.newest()}/messages", json=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed"


def test_only_json_is_taken_so_that_no_other_site_can_post(room: Room) -> None:
    room.start()
    url = f"/desk/api/interactions/{room.newest()}/end"
    answer = room.client.post(
        url, content=b'{"agent": "A"}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415


def test_unknown_interactions_are_404(room: Room) -> None:
    assert room.desk("interactions/none", status=404)["code"] == "unknown-interaction"
    for action in ("accept", "end"):
        room.desk(f"interactions/none/{action}", {"agent": "A"}, 404)
    assert room.agents.everyone() == []


def test_every_desk_route_needs_authority(room: Room) -> None:
    room.start()
    chat = room.newest()
    room.around.token = "secret"
    for path in ("interactions", f"interactions/{chat}", "agents"):
        assert room.client.get(f"/desk/api/{path}").status_code == 401
    for action in ("accept", "messages", "end"):
        url = f"/desk/api/interactions/{chat}/{action}"
        assert room.client.post(url, json={"agent": "A", "text": "a"}).status_code == 401
    assert room.client.put("/desk/api/agents/A", json={"ready": True}).status_code == 401
    assert room.client.delete("/desk/api/agents/A").status_code == 401
    headers = {"Authorization": "Bearer secret"}
    assert room.client.get("/desk/api/interactions", headers=headers).status_code == 200
