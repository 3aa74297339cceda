"""Callbacks in the shape of GMS: every VOICE scenario, slots, another time, cancel, lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from media_room import INVITATION, START, RelayRoom, Room

from engine.media.callbacks import iso
from engine.media.gms_bodies import SCENARIOS

ROOMS = (Room, RelayRoom)

SERVICE = "/genesys/1/service"
CALLBACK = f"{SERVICE}/callback/samples_new"
NUMBER = "+34 600 123 456"
QUARTER = 900_000


def call(room: Room, scenario: str, status: int = 200, **more: str) -> dict[str, Any]:
    values = {**SCENARIOS[scenario], "_customer_number": NUMBER, "visitID": "V1"} | more
    answer = room.client.post(START, data=values)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def record(room: Room, key: str) -> dict[str, Any]:
    answer = room.client.get(f"{SERVICE}/callback", params={"_id": key})
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()
    return dict(found)


def slot(room: Room, ahead: int = 1) -> str:
    """The n-th quarter of an hour from now."""
    return iso((room.clock.now // QUARTER + ahead) * QUARTER)


def listed(room: Room) -> dict[str, Any]:
    found: dict[str, Any] = room.desk("callbacks")["callbacks"][0]
    return found


def test_we_call_as_soon_as_somebody_is_free(room: Room) -> None:
    room.around.invitations["V1"] = INVITATION
    begun = call(room, "VOICE-NOW-USERTERM", pageID="P2", first_name="Zoë", color="red")
    assert begun["_action"] == "ConfirmationDialog"
    assert NUMBER in begun["_text"]
    assert record(room, begun["_id"]) == {
        "_id": begun["_id"],
        "_desired_time": iso(room.clock.now),
        "_service_name": "samples_new",
        "_callback_state": "QUEUED",
        "_expiration_time": "",
        "_customer_number": NUMBER,
        "_url": f"http://chat.example{CALLBACK}/{begun['_id']}",
        "_callback_reason": "",
    }
    found = listed(room)
    assert (found["phone"], found["nickname"], found["state"]) == (NUMBER, "Zoë", "waiting")
    assert room.attached() == {
        "visitID": "V1",
        "pageID": "P2",
        "webengagement": "GMS chat for hesitant buyers",
        "reason": "hesitant buyer",
    }
    details = room.desk(f"interactions/{found['id']}")
    assert details["customer"]["color"] == "red"


def test_a_callback_goes_from_queued_to_completed(room: Room) -> None:
    key = call(room, "VOICE-WAIT-USERTERM")["_id"]
    one = f"callbacks/{listed(room)['id']}"
    room.desk(f"{one}/take", {"agent": "Ana"})
    assert record(room, key)["_callback_state"] == "PROCESSING"
    room.desk(f"{one}/finish", {"agent": "Ana", "outcome": "failed"})
    over = record(room, key)
    assert (over["_callback_state"], over["_callback_reason"]) == ("COMPLETED", "FAILED")


def test_a_time_is_chosen_moved_and_taken_back(room: Room) -> None:
    free = room.client.get(f"{CALLBACK}/availability").json()
    first, second = slot(room), slot(room, 2)
    assert free[first] == free[second] == 2
    key = call(room, "VOICE-SCHEDULED-USERTERM", _desired_time=first)["_id"]
    assert room.client.get(f"{CALLBACK}/availability").json()[first] == 1
    assert (record(room, key)["_desired_time"], record(room, key)["_callback_state"]) == (
        first,
        "SCHEDULED",
    )
    moved = room.client.put(f"{CALLBACK}/{key}", data={"_desired_time": second})
    assert moved.json()["_desired_time"] == second
    assert record(room, key)["_desired_time"] == second
    gone = room.client.delete(f"{CALLBACK}/{key}")
    assert (gone.json()["_callback_state"], gone.json()["_callback_reason"]) == (
        "COMPLETED",
        "CANCELLED",
    )
    assert room.client.get(f"{CALLBACK}/availability").json()[second] == 2
    late = room.client.put(f"{CALLBACK}/{key}", json={"_desired_time": first})
    assert (late.status_code, late.json()["message"]) == (415, "This callback is over.")


def test_a_time_within_a_slot_is_that_slot(room: Room) -> None:
    first = slot(room)
    within = first.replace(":00.000Z", ":59.000Z")
    key = call(room, "VOICE-SCHEDULED-USERTERM", _desired_time=within)["_id"]
    assert record(room, key)["_desired_time"] == first


@pytest.mark.parametrize(
    ("time", "exception"),
    [
        ("2001-01-01T10:00:00.000Z", "CallbackExceptionAvailability"),
        ("tomorrow", "Refused"),
        ("2026-05-01T10:00:00", "Refused"),
    ],
)
def test_a_time_that_is_not_offered_is_refused(room: Room, time: str, exception: str) -> None:
    told = call(room, "VOICE-SCHEDULED-USERTERM", 415, _desired_time=time)
    assert told["exception"] == exception
    assert room.desk("callbacks")["callbacks"] == []


def test_a_full_slot_says_so(room: Room) -> None:
    first = slot(room)
    for number in ("+34 1111", "+34 2222"):
        call(room, "VOICE-SCHEDULED-USERTERM", _desired_time=first, _customer_number=number)
    told = call(room, "VOICE-SCHEDULED-USERTERM", 415, _desired_time=first)
    assert told["exception"] == "CallbackExceptionAvailability"
    assert "just been taken" in told["message"]


def test_availability_has_a_window(room: Room) -> None:
    window = {"start": slot(room, 2), "end": slot(room, 4)}
    free = room.client.get(f"{CALLBACK}/availability", params=window)
    assert free.json() == {slot(room, 2): 2, slot(room, 3): 2}
    never = {"start": "2100-01-01T00:00:00.000Z"}
    closed = room.client.get(f"{CALLBACK}/availability", params=never)
    assert closed.json()["exception"] == "CallbackExceptionAvailability"


def test_the_visitor_calls_now(room: Room) -> None:
    begun = call(room, "VOICE-NOW-USERORIG", _provide_code="true")
    assert (begun["_action"], begun["_tel_url"]) == ("DialNumber", "tel:+4930123456")
    assert len(begun["_access_code"]) == 4
    details = room.desk(f"interactions/{listed(room)['id']}")
    assert details["customer"]["_access_code"] == begun["_access_code"]
    assert details["customer"]["_call_direction"] == "USERORIGINATED"


def test_the_visitor_calls_when_an_agent_is_there(room: Room) -> None:
    key = call(room, "VOICE-WAIT-USERORIG")["_id"]
    follow = f"{SERVICE}/{key}/DialNumber"
    assert room.client.get(follow).json()["_action"] == "ConfirmationDialog"
    assert room.client.get(f"{SERVICE}/{key}/check-queue-position").json() == {
        "_position": 1,
        "_total_waiting": 1,
    }
    room.desk(f"callbacks/{listed(room)['id']}/take", {"agent": "Ana"})
    ready = room.client.get(follow).json()
    assert (ready["_action"], ready["_tel_url"]) == ("DialNumber", "tel:+4930123456")


def test_request_interaction_gives_a_number_for_a_while(room: Room) -> None:
    values = {"_phone_number": NUMBER, "visitID": "V1"}
    answer = room.client.post(f"{SERVICE}/request-interaction", data=values).json()
    assert set(answer) == {"_id", "_access_number", "_expiration_time"}
    assert answer["_access_number"] == "+4930123456"
    assert answer["_expiration_time"] == iso(room.clock.now + 300_000)
    assert record(room, answer["_id"])["_expiration_time"] == answer["_expiration_time"]
    missing = room.client.post(f"{SERVICE}/request-interaction", data={"visitID": "V1"})
    assert (missing.status_code, missing.json()["message"]) == (
        415,
        "_phone_number is missing.",
    )


def test_where_nobody_can_be_called_it_is_said(room: Room) -> None:
    room.number = ""
    room.restart()
    told = call(room, "VOICE-NOW-USERORIG", 415)
    assert told["message"] == "Nobody can be called here: let us call you instead."


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name.startswith("VOICE")])
def test_a_call_needs_a_number(room: Room, scenario: str) -> None:
    told = call(room, scenario, 415, _customer_number="")
    assert told["message"] == "_customer_number is missing."
    told = call(room, scenario, 415, _customer_number="soon")
    assert "telephone number" in told["message"]


def test_what_is_said_in_english_has_one_word_beside_it(tmp_path: Path) -> None:
    room = Room(tmp_path / "media.db")

    def word(scenario: str, **more: str) -> str | None:
        values = {**SCENARIOS[scenario], "_customer_number": NUMBER, "visitID": "V1"} | more
        answer = room.client.post(START, data=values)
        assert "_says" not in answer.json()
        return answer.headers.get("Overture-Code")

    assert word("VOICE-NOW-USERTERM") == "call-now"
    assert word("VOICE-NOW-USERTERM") == "already"
    assert word("VOICE-SCHEDULED-USERTERM", visitID="V2", _desired_time=slot(room)) == "call-later"
    assert word("VOICE-SCHEDULED-USERTERM", visitID="V3", _desired_time="2001-01-01") == "time"
    assert word("VOICE-WAIT-USERORIG", visitID="V4") == "call-wait"
    assert word("VOICE-NOW-USERORIG", visitID="V5") is None
    assert word("VOICE-NOW-USERTERM", visitID="V6", _customer_number="soon") == "phone"
    assert word("VOICE-NOW-USERTERM", visitID="V7", _customer_number="") == "malformed"
    assert word("CHAT-WAIT") == "chat-wait"
    for path in ("callback?_id=0", "0/check-queue-position"):
        assert room.client.get(f"{SERVICE}/{path}").headers["Overture-Code"] == "unknown"
    room.close()


def test_lists_need_authority_and_never_show_a_visitors_id(room: Room) -> None:
    key = call(room, "VOICE-NOW-USERTERM")["_id"]
    room.clock.now += 1
    other = call(room, "VOICE-NOW-USERTERM", _customer_number="+34 1111", visitID="V2")["_id"]
    (mine,) = room.client.get(
        f"{SERVICE}/callback", params={"_customer_number": NUMBER, "_callback_state": "QUEUED"}
    ).json()
    assert (mine["_customer_number"], mine["_id"]) == (NUMBER, listed(room)["id"])
    queues = room.client.get("/genesys/1/admin/callback/queues").json()
    assert [len(records) for records in queues.values()] == [2]
    assert room.client.get("/genesys/1/admin/callback/queues?target=other").json() == {}
    assert not {key, other} & set(str(queues).split("'"))
    room.around.token = "secret"
    for path in (
        f"{SERVICE}/callback?_customer_number={NUMBER}",
        "/genesys/1/admin/callback/queues",
    ):
        assert room.client.get(path).status_code == 401
    assert room.client.delete(f"{CALLBACK}/{mine['_id']}").status_code == 404
    assert record(room, key)["_callback_state"] == "QUEUED"


def test_several_are_cancelled_by_whoever_may(room: Room) -> None:
    key = call(room, "VOICE-NOW-USERTERM")["_id"]
    identity = listed(room)["id"]
    body = {"reason": "holiday", "ids": [identity, "unknown"]}
    told = room.client.post("/genesys/1/admin/callback/cancel", json=body)
    assert told.json() == {identity: True, "unknown": False}
    assert record(room, key)["_callback_reason"] == "CANCELLED"
    room.around.token = "secret"
    assert room.client.post("/genesys/1/admin/callback/cancel", json=body).status_code == 401


@pytest.mark.parametrize(
    "body",
    [{"json": {}}, {"json": ["x"]}, {"content": "x"}, {"data": {"ids": "x"}}],
)
def test_what_cancels_nothing_is_415(room: Room, body: dict[str, Any]) -> None:
    told = room.client.post("/genesys/1/admin/callback/cancel", **body)
    assert (told.status_code, told.json()["exception"]) == (415, "WrongBody")


@pytest.mark.parametrize("method", ["put", "delete"])
def test_an_unknown_callback_is_404(room: Room, method: str) -> None:
    answer = getattr(room.client, method)(f"{CALLBACK}/{'0' * 40}")
    assert (answer.status_code, answer.json()["exception"]) == (404, "UnknownId")


def test_a_query_says_what_it_asks(room: Room) -> None:
    answer = room.client.get(f"{SERVICE}/callback")
    assert answer.status_code == 415
