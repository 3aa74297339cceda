"""Whoever gives no name is called what their visit said, at the desk and nowhere else."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from media_room import CHAT_NOW, RelayRoom, Room

from engine.hosts.reading import reading
from engine.media import person
from engine.media.examination import of_the_chats
from engine.vocabulary.person import LONGEST, name_of

BIDI = "\u202eolleH\u202c"


def said(*events: tuple[str, dict[str, Any]]) -> str | None:
    return name_of(events)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"name": "Eva Lind", "userId": "u-17"}, "Eva Lind"),
        ({"firstName": "Eva", "lastName": "Lind", "userId": "u-17"}, "Eva Lind"),
        ({"first_name": "Eva"}, "Eva"),
        ({"userId": "eva@example.com", "email": "e@example.com"}, "eva@example.com"),
        ({"userID": "u-17"}, "u-17"),
        ({"email": "e@example.com"}, "e@example.com"),
        ({"vip": True}, None),
        ({"name": ["Eva"], "userId": 17, "email": None}, None),
        ({"name": " \u200b\n "}, None),
        ({"name": f"Eva\nLind\x00 {BIDI}"}, "Eva Lind olleH"),
        ({"name": "\ud800Eva"}, "Eva"),
        ({"name": "x" * 1_000_000}, "x" * LONGEST),
        ({"name": "<img src=x onerror=alert(1)>"}, "<img src=x onerror=alert(1)>"),
    ],
)
@pytest.mark.parametrize("event", ["SignIn", "UserInfo"])
def test_the_name_in_what_was_sent(event: str, data: dict[str, Any], name: str | None) -> None:
    assert said((event, data)) == name


def test_the_youngest_word_of_one_person_counts() -> None:
    signed_in = ("SignIn", {"userId": "u-17", "name": "Eva"})
    assert said(signed_in, ("UserInfo", {"userId": "u-17", "vip": True})) == "Eva"
    assert said(signed_in, ("UserInfo", {"name": "Eva Lind"})) == "Eva Lind"
    assert said(signed_in, ("SignOut", {"userId": "u-17"})) == "Eva", "still recognised"
    assert said(("AddToCart", {"name": "A phone"})) is None


def test_nobody_gets_the_name_of_another() -> None:
    signed_in = ("SignIn", {"userId": "u-17", "name": "Eva"})
    assert said(signed_in, ("SignIn", {"userId": "u-18"})) == "u-18"
    assert said(signed_in, ("UserInfo", {"userId": "u-18"})) == "u-18"
    assert said(signed_in, ("SignIn", {"email": "ben@example.com"})) == "ben@example.com"
    assert said(signed_in, ("SignIn", {})) is None


WAITS = {"_wait_for_agent": "false", "_wait_for_user_confirm": "false"}
CALL = WAITS | {"_call_direction": "USERTERMINATED", "_media_type": "voice"}


def by_each_door(room: Room, **names: str) -> None:
    """A chat and a callback of V1, each over our own interface and that of GMS."""
    own = {"visitID": "V1", **names}
    number = {"_customer_number": "+4930111222"}
    places: list[tuple[str, dict[str, Any]]] = [
        ("/media/chat", {"json": own}),
        ("/media/callback", {"json": own | {"phone": "+4930333444"}}),
        (
            "/genesys/1/service/callback/samples",
            {"data": CHAT_NOW | own, "headers": {"gms_user": "Visitor"}},
        ),
        ("/genesys/1/service/callback/samples", {"data": own | CALL | number}),
    ]
    for path, body in places:
        assert room.client.post(path, **body).status_code in (200, 201), path


def shown(room: Room) -> set[tuple[str, bool]]:
    lists = [*room.client.get("/desk/api/interactions").json()]
    lists += room.client.get("/desk/api/callbacks").json()["callbacks"]
    return {(one["nickname"], one["named_by_visit"]) for one in lists}


def test_the_desk_calls_them_what_the_visit_said(room: Room) -> None:
    room.around.names["V1"] = "Eva Lind"
    by_each_door(room)
    assert len(room.desk("interactions")) == 4
    assert shown(room) == {("Eva Lind", True)}
    room.restart()
    assert shown(room) == {("Eva Lind", True)}


def test_the_name_that_the_widget_gave_wins(room: Room) -> None:
    room.around.names["V1"] = "Eva Lind"
    by_each_door(room, first_name="Ev")
    assert shown(room) == {("Ev", False)}


def test_without_a_name_it_is_a_visitor(room: Room) -> None:
    by_each_door(room)
    assert shown(room) == {("Visitor", False)}
    assert room.client.post("/media/chat", json={}).status_code == 201
    assert shown(room) == {("Visitor", False)}


def test_a_journal_that_can_not_be_read_stops_no_chat(room: Room) -> None:
    room.around.broken = True
    by_each_door(room)
    room.around.broken = False
    assert shown(room) == {("Visitor", False)}


def test_the_agent_reads_the_name_and_who_has_the_visit_id_does_not(room: Room) -> None:
    room.around.names["V1"] = "Eva Lind"
    answer = room.client.post("/media/chat", json={"visitID": "V1"})
    path = f"/media/chat/{answer.json()['id']}"
    told = [answer.text, room.client.post(f"{path}/messages", json={"text": "Hello"}).text]
    told += [room.client.get(path).text, room.client.get(f"{path}/transcript").text]
    key = room.start()
    told += [str(room.chat(key, "send", message="Hello")), str(room.chat(key, "refresh"))]
    assert not [one for one in told if "Eva" in one]
    for one in room.desk("interactions"):
        lines = room.desk(f"interactions/{one['id']}")["transcript"]
        assert {line["nickname"] for line in lines} == {"Eva Lind"}


def test_a_start_that_is_said_again_keeps_its_name(room: Room) -> None:
    body = {"visitID": "V1", "id": "a" * 40}
    room.around.names["V1"] = "Eva Lind"
    assert room.client.post("/media/chat", json=body).status_code == 201
    room.around.names["V1"] = "Ben"
    assert room.client.post("/media/chat", json=body).status_code == 201
    assert shown(room) == {("Eva Lind", True)}
    assert len(room.desk("interactions")) == 1


def test_a_chat_that_gms_carries_has_its_name_at_our_desk(tmp_path: Any) -> None:
    room = RelayRoom(tmp_path / "i.db")
    room.around.names["V1"] = "Eva Lind"
    room.start()
    (found,) = room.here("interactions")
    assert (found["nickname"], found["named_by_visit"]) == ("Eva Lind", True)
    room.close()


def test_a_stored_name_is_exported_sealed_and_erased(room: Room) -> None:
    room.around.names |= {"V1": "Eva Lind", "V2": "Benjamin"}
    room.start()
    room.start(visitID="V2")
    room.close()
    (found,) = person.exported(room.path, ["V1"])["conversations"]
    assert found["known_as"] == "Eva Lind"
    with reading(room.path) as connection:
        assert list(of_the_chats(connection)) == []
    assert person.erased(room.path, ["V1"])["names of visitors"] == 1
    left = b"".join(path.read_bytes() for path in room.path.parent.iterdir() if path.is_file())
    assert b"Eva" not in left
    assert b"Benjamin" in left
    db = sqlite3.connect(room.path)
    db.execute("DROP TRIGGER names_changed")
    db.execute("UPDATE names SET name = 'Somebody'")
    db.commit()
    db.close()
    with reading(room.path) as connection:
        assert [one.name for one in of_the_chats(connection)] == ["chat-damaged"]
    room.open()
