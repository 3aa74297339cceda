"""How many conversations one may have open: of a visitor, and of an address that nobody knows."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from media_room import CHAT_NOW, SERVER, START, Client, Room, Surroundings
from starlette.applications import Starlette

from engine.media.agents import Agents
from engine.media.interactions import InteractionStore
from engine.media.places import Places
from engine.media.routes import create_routes

CHAT = "/media/chat"
KNOWN = {"V1": "anna", "V2": "anna", "V3": "ben", "V4": "carla"}

STARTS: dict[str, Any] = {
    "own chat": lambda visit: (CHAT, {"json": {"visitID": visit}}),
    "chat v1": lambda visit: (START, {"data": CHAT_NOW | {"visitID": visit}}),
    "request-chat": lambda visit: (
        "/genesys/1/service/request-chat",
        {"data": {"visitID": visit}},
    ),
    "chat v2": lambda visit: (
        "/genesys/2/chat/support",
        {"data": {"nickname": "Zoe", "userData[visitID]": visit}},
    ),
    "callback": lambda visit: (
        "/media/callback",
        {"json": {"visitID": visit, "phone": f"+49301{ord(visit[0])}{visit[1:]:0>2}"}},
    ),
}


async def visitor_of(visit: str) -> str | None:
    return KNOWN.get(visit)


class Doors:
    """The routes with two places for a visitor and three for an address."""

    def __init__(self, room: Room) -> None:
        self.store: InteractionStore = room.store
        around = Surroundings()
        self.app = Starlette(
            routes=create_routes(
                room.store,
                agents=Agents(room.clock),
                happened=around.happened,
                journey=around.journey,
                invitation=around.invitation,
                authorised=around.authorised,
                opening=lambda: room.opening,
                places=Places(visitor_of, of_visitor=2, of_address=3),
            )
        )

    def client(self, address: str = "192.0.2.1") -> Client:
        found = Client(self.app)
        found.transport = httpx.ASGITransport(self.app, client=(address, 4_000))
        return found

    def start(self, how: str, visit: str, address: str = "192.0.2.1") -> httpx.Response:
        path, more = STARTS[how](visit)
        return self.client(address).post(path, **more)


@pytest.fixture
def doors(room: Room) -> Doors:
    return Doors(room)


def refused(answer: httpx.Response) -> bool:
    """Whether it is refused, with its sentence, as its protocol refuses."""
    if "too many" not in answer.text.lower():
        assert answer.is_success, answer.text
        return False
    return answer.status_code == 429 or answer.json()["statusCode"] == 2


@pytest.mark.parametrize("how", STARTS)
def test_visits_that_were_made_up_share_the_places_of_their_address(doors: Doors, how: str) -> None:
    answers = [refused(doors.start(how, f"X{n:02}")) for n in range(5)]
    assert answers == [False, False, False, True, True]
    assert not refused(doors.start(how, "X90", address="192.0.2.2"))
    assert not refused(doors.start(how, "V1")), "a visitor behind the same address"


@pytest.mark.parametrize("how", STARTS)
def test_a_visitor_has_the_same_places_in_each_visit(doors: Doors, how: str) -> None:
    starts = [doors.start(how, "V1"), doors.start("own chat", "V2"), doors.start(how, "V2")]
    assert [refused(one) for one in starts] == [False, False, True]
    assert not refused(doors.start(how, "V3"))


def test_what_has_ended_gives_its_place_back(doors: Doors) -> None:
    keys = [doors.start("own chat", "").json()["id"] for _ in range(3)]
    assert refused(doors.start("own chat", ""))
    doors.client().post(f"{CHAT}/{keys[0]}/end", json={})
    assert not refused(doors.start("own chat", ""))
    assert refused(doors.start("own chat", ""))


def test_what_is_started_again_takes_no_second_place(doors: Doors) -> None:
    starts = [{"id": f"{n:040x}"} for n in range(3)]
    for _ in range(2):
        answers = [doors.client().post(CHAT, json=one).status_code for one in starts]
        assert answers == [201, 201, 201]
    assert doors.client().post(CHAT, json={"id": "f" * 40}).status_code == 429


def test_who_asks_all_at_once_gets_no_more(doors: Doors) -> None:
    async def ask() -> list[int]:
        async with httpx.AsyncClient(transport=doors.client().transport, base_url=SERVER) as client:
            answers = await asyncio.gather(*(client.post(CHAT, json={}) for _ in range(40)))
            return sorted(one.status_code for one in answers)

    assert asyncio.run(ask()) == [201] * 3 + [429] * 37


def test_an_address_is_stored_nowhere(doors: Doors, room: Room) -> None:
    doors.start("own chat", "", address="198.51.100.77")
    room.close()
    files = list(room.path.parent.glob(f"{room.path.name}*"))
    assert files
    assert not any(b"198.51.100.77" in one.read_bytes() for one in files)
    room.open()
