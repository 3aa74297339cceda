"""Callbacks: slots and capacity, what the visitor and the agents do, restarts, many at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from media_room import INVITATION, Room

from engine.media.callbacks import iso
from engine.media.opening import hours

BOOK = "/media/callback"


def slots(room: Room) -> dict[str, int]:
    found = room.client.get(f"{BOOK}/slots").json()["slots"]
    return {one["start"]: one["free"] for one in found}


def post(room: Room, path: str = "", **body: str) -> httpx.Response:
    return room.client.post(BOOK + path, json=body)


def book(room: Room, **more: str) -> dict[str, Any]:
    values = {"phone": "+49 30 123456", "visitID": "V1", "pageID": "P2", "first_name": "Zoë"}
    answer = post(room, **values | more)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def listed(room: Room) -> list[dict[str, Any]]:
    return list(room.desk("callbacks")["callbacks"])


def act(room: Room, action: str, status: int = 200, **body: str) -> dict[str, Any]:
    one = listed(room)[0]["id"]
    return dict(room.desk(f"callbacks/{one}/{action}", {"agent": "Ana"} | body, status))


def test_now_is_taken_and_done_and_the_visit_hears_of_it(room: Room) -> None:
    room.around.invitations["V1"] = INVITATION
    mine = book(room)
    assert mine["state"] == "waiting"
    assert mine["slot"] is None
    one = listed(room)[0]
    assert (one["phone"], one["nickname"], one["state"]) == ("+49 30 123456", "Zoë", "waiting")
    assert one["attached"] == {
        "visitID": "V1",
        "pageID": "P2",
        "webengagement": INVITATION["strategy"],
        "reason": "hesitant buyer",
    }
    act(room, "take")
    assert room.client.get(f"{BOOK}/{mine['id']}").json()["state"] == "taken"
    done = act(room, "finish", outcome="done", note="wants a blue one")
    assert (done["state"], done["note"]) == ("done", "wants a blue one")
    events = [(event, data.get("outcome")) for _, _, event, data in room.around.happenings]
    assert events == [("InteractionStarted", None), ("InteractionEnded", "done")]
    assert room.agents.everyone() == [], "the agent has the place again"


def test_an_agent_may_end_it_at_the_desk_as_any_interaction(room: Room) -> None:
    mine = book(room)
    room.desk(f"interactions/{room.newest()}/accept", {"agent": "Ana"})
    room.desk(f"interactions/{room.newest()}/end", {"agent": "Ana"})
    assert room.client.get(f"{BOOK}/{mine['id']}").json()["state"] == "done"


def test_a_widget_that_takes_it_for_a_chat_cancels_it(room: Room) -> None:
    mine = book(room)
    room.client.post(f"/genesys/1/service/{mine['id']}/ixn/chat/disconnect")
    state = room.client.get(f"{BOOK}/{mine['id']}").json()["state"]
    assert state in ("cancelled", "waiting")
    assert [one["state"] for one in listed(room)] == [state]


def test_a_slot_takes_its_capacity_and_is_free_again_after_a_cancel(room: Room) -> None:
    slot = next(iter(slots(room)))
    first = book(room, slot=slot)
    assert first["slot"] == slot
    assert slots(room)[slot] == 1
    book(room, slot=slot, visitID="V2")
    assert slots(room)[slot] == 0
    full = post(room, phone="12345", slot=slot, visitID="V3")
    assert (full.status_code, full.json()["code"]) == (409, "slot-full")
    assert len(listed(room)) == 2, "what was refused left nothing"
    assert post(room, f"/{first['id']}/cancel").json()["state"] == "cancelled"
    assert slots(room)[slot] == 1


def test_many_want_one_slot_and_it_takes_its_capacity(room: Room) -> None:
    slot = next(iter(slots(room)))

    async def rush() -> list[int]:
        transport = room.client.transport
        async with httpx.AsyncClient(transport=transport, base_url="http://x.example") as client:
            wishes = [
                client.post(BOOK, json={"phone": "12345", "slot": slot, "visitID": f"V{n}"})
                for n in range(20)
            ]
            return [one.status_code for one in await asyncio.gather(*wishes)]

    codes = asyncio.run(rush())
    assert sorted(codes) == [201, 201] + [409] * 18


def test_another_time(room: Room) -> None:
    one, other = list(slots(room))[:2]
    mine = book(room, slot=one)
    assert post(room, f"/{mine['id']}/reschedule", slot=other).json()["slot"] == other
    assert (slots(room)[one], slots(room)[other]) == (2, 1)
    assert post(room, f"/{mine['id']}/reschedule", slot=other).status_code == 200, "again the same"
    act(room, "take")
    refused = post(room, f"/{mine['id']}/reschedule", slot=one)
    assert (refused.status_code, refused.json()["code"]) == (409, "taken")
    again = act(room, "reschedule", slot=one)
    assert (again["state"], again["agent"], iso(again["slot"])) == ("waiting", None, one)
    assert room.agents.everyone() == []


def test_the_list_is_by_when_it_is_due(room: Room) -> None:
    soon, *_, late = slots(room)
    book(room, slot=late, visitID="V1")
    book(room, slot=soon, visitID="V2")
    book(room, visitID="V3")
    gone = book(room, slot=soon, visitID="V4")
    post(room, f"/{gone['id']}/cancel")
    assert [one["visitID"] for one in listed(room)] == ["V3", "V2", "V1", "V4"]


def test_it_waits_over_a_restart_and_over_any_silence(room: Room) -> None:
    slot = list(slots(room))[3]
    mine = book(room, slot=slot)
    act(room, "take")
    before = listed(room)
    room.restart()
    room.clock.now += 86_400_000
    room.desk("interactions")
    assert listed(room) == before
    assert room.agents.everyone()[0].chats == 1
    assert room.client.get(f"{BOOK}/{mine['id']}").json()["slot"] == slot


def test_outside_the_hours_only_a_time_can_be_chosen(room: Room) -> None:
    # The clock of the room stands at midnight of a Thursday.
    room.opening = replace(room.opening, hours=hours("Fri 09:00-10:00"))
    room.restart()
    said = room.client.get(f"{BOOK}/slots").json()
    assert said["now"] is False
    assert said["slots"][0] == {"start": "1970-01-02T09:00:00.000Z", "free": 2}
    closed = post(room, phone="12345")
    assert closed.json() == {"error": "Nobody can call now: choose a time.", "code": "closed"}
    assert post(room, phone="12345", slot="1970-01-02T09:00:00.000Z").status_code == 201
    assert post(room, phone="12345", slot="1970-01-02T09:07:00Z").json()["code"] == "slot"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"phone": "call me"}, "phone"),
        ({"phone": "1"}, "phone"),
        ({"phone": "<b>12345</b>"}, "phone"),
        ({}, "malformed"),
        ({"phone": "12345", "slot": "tomorrow"}, "time"),
        ({"phone": "12345", "slot": "2026-05-01T10:00:00"}, "time"),
        ({"phone": "12345", "slot": "1969-01-01T00:00:00Z"}, "slot"),
    ],
)
def test_wrong_values_are_a_sentence(room: Room, body: dict[str, str], code: str) -> None:
    answer = post(room, **body)
    assert answer.json()["code"] == code
    assert answer.json()["error"].endswith(".")
    assert listed(room) == []


def test_the_same_wish_twice_is_one(room: Room) -> None:
    mine = book(room)
    assert post(room, phone="+49 30 123456", visitID="V1").json()["code"] == "already"
    post(room, f"/{mine['id']}/cancel")
    book(room)


def test_what_agents_may_not_do(room: Room) -> None:
    book(room)
    assert act(room, "finish", 409, outcome="done")["code"] == "waiting"
    act(room, "take")
    one = listed(room)[0]["id"]
    room.agents.heard("Ana", ready=True, media=["callback"])
    taken = room.desk(f"callbacks/{one}/take", {"agent": "Bo"}, 409)
    assert taken == {"error": "Ana has this callback.", "code": "taken"}
    assert act(room, "finish", 400, outcome="maybe")["code"] == "malformed"
    act(room, "finish", outcome="failed")
    assert act(room, "finish", 409, outcome="done")["code"] == "over"
    assert act(room, "reschedule", 409)["code"] == "over"


def test_a_chat_is_no_callback_and_strangers_see_no_list(room: Room) -> None:
    key = room.start()
    for unknown in (key, "0" * 40):
        answer = room.client.get(f"{BOOK}/{unknown}")
        unknown_callback = {"error": "There is no such callback.", "code": "unknown"}
        assert (answer.status_code, answer.json()) == (404, unknown_callback)
    for other in (room.newest(), "nobody"):
        assert room.desk(f"callbacks/{other}/take", {"agent": "Ana"}, 404) == unknown_callback
    room.around.token = "secret"
    assert room.client.get("/desk/api/callbacks").status_code == 401


def test_a_disk_that_is_full_is_said_and_changes_nothing(room: Room) -> None:
    limit = "PRAGMA max_page_count = 1"
    room.store._worker.submit(room.store._db.execute, limit).result()
    said = [
        room.client.post("/media/callback", json={"phone": "12345", "name": "x" * 900, "n": str(n)})
        for n in range(40)
    ]
    refused = [one for one in said if one.status_code == 503]
    assert refused
    assert refused[0].json() == {
        "error": "This is not available now: try again.",
        "code": "unavailable",
    }
    limit = "PRAGMA max_page_count = 1000000"
    room.store._worker.submit(room.store._db.execute, limit).result()
    stored = sum(one.status_code == 201 for one in said)
    assert len(room.desk("callbacks")["callbacks"]) == stored
    assert room.client.post("/media/callback", json={"phone": "12345"}).status_code == 201
