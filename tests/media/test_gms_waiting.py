"""CHAT-WAIT and the built-in service request-chat: who waits, and how they go on."""

from __future__ import annotations

from media_room import CHAT_NOW, START, RelayRoom, Room

ROOMS = (Room, RelayRoom)

CHAT_WAIT = CHAT_NOW | {"_wait_for_agent": "true", "_wait_for_user_confirm": "true"}
SERVICE = "/genesys/1/service"


def test_who_waits_is_told_so_and_enters_when_an_agent_is_there(room: Room) -> None:
    begun = room.client.post(START, data=CHAT_WAIT | {"visitID": "V1"}).json()
    key = begun["_id"]
    assert begun["_action"] == "ConfirmationDialog"
    assert "An agent will be with you" in begun["_text"]
    still = room.client.get(f"{SERVICE}/{key}/StartChat").json()
    assert still["_action"] == "ConfirmationDialog"
    room.desk(f"interactions/{room.newest()}/accept", {"agent": "Ana"})
    ready = room.client.get(f"{SERVICE}/{key}/StartChat").json()
    assert ready["_action"] == "StartChat"
    assert ready["_start_chat_url"].endswith(f"/{key}/ixn/chat")
    lines = room.chat(key)["transcriptToShow"]
    assert [(line[0], line[4]) for line in lines] == [
        ("Notice.Joined", "AGENT"),
        ("Notice.Joined", "CLIENT"),
    ]


def test_a_chat_that_has_ended_is_not_waited_for(room: Room) -> None:
    key = room.client.post(START, data=CHAT_WAIT).json()["_id"]
    room.chat(key, "disconnect")
    answer = room.client.get(f"{SERVICE}/{key}/StartChat")
    assert (answer.status_code, answer.json()["message"]) == (415, "This chat has ended.")


def test_the_place_in_the_queue(room: Room) -> None:
    keys = []
    for name in ("Ann", "Ben"):
        room.clock.now += 1
        keys.append(room.start(first_name=name))

    def places() -> list[tuple[int, int]]:
        answers = [room.client.post(f"{SERVICE}/{key}/check-queue-position") for key in keys]
        return [(one.json()["_position"], one.json()["_total_waiting"]) for one in answers]

    assert places() == [(1, 2), (2, 2)]
    first = room.desk("interactions")[1]["id"]
    room.desk(f"interactions/{first}/accept", {"agent": "Ana"})
    assert places() == [(0, 1), (1, 1)]


def test_request_chat_answers_an_id_that_opens_a_chat(room: Room) -> None:
    values = {"_customer_number": "+34 600", "visitID": "V1", "first_name": "Zoë"}
    answer = room.client.post(f"{SERVICE}/request-chat", data=values).json()
    assert set(answer) == {"_id"}
    assert room.chat(answer["_id"])["transcriptToShow"][0][1] == "Zoë"
    details = room.desk(f"interactions/{room.newest()}")
    assert details["attached"] == {"visitID": "V1"}
    assert details["customer"]["_customer_number"] == "+34 600"
