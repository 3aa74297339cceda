"""The real routes over the real store; what the engine would do is recorded as values."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request

from engine.media.agents import Agents
from engine.media.gms_client import GmsAddress, GmsClient
from engine.media.gms_menus import Choice, Menu
from engine.media.interactions import InteractionStore
from engine.media.opening import Opening, hours
from engine.media.routes import create_routes

INVITATION = {
    "id": "V1/GMS chat for hesitant buyers/1",
    "strategy": "GMS chat for hesitant buyers",
    "group": "Invitations",
    "message": "InviteToGmsChat",
    "attach": {"reason": "hesitant buyer", "visitID": "forged", "pageID": "forged"},
}

HISTORY = [
    {"eventName": "PageEntered", "serverTimestamp": 1_000, "browserPageID": "P1", "url": "/a"},
    {"eventName": "PageExited", "serverTimestamp": 4_000, "browserPageID": "P1", "url": "/a"},
    {
        "eventName": "PageEntered",
        "serverTimestamp": 4_500,
        "browserPageID": "P2",
        "url": "/checkout",
        "title": "Checkout",
        "decisions": [{"strategy": "GMS chat for hesitant buyers", "reason": None, "sends": ["x"]}],
    },
]

CHAT_NOW = {
    "_call_direction": "USERORIGINATED",
    "_wait_for_agent": "false",
    "_wait_for_user_confirm": "false",
    "_media_type": "chat",
}

ALWAYS = Opening(hours=hours("Mon-Sun 00:00-24:00"), zone=ZoneInfo("UTC"))

SERVER = "http://chat.example"
ADDRESS = GmsAddress(
    url="http://gms.example/genesys", user="overture", password="pass-word", apikey="api-key"
)

MENU = Menu(
    label="How can we help?",
    choices=(
        Choice(group="Write", label="Chat now", scenario="CHAT-NOW"),
        Choice(group="Write", label="Chat when somebody is free", scenario="CHAT-WAIT"),
        Choice(group="Talk", label="Call me", scenario="VOICE-NOW-USERTERM"),
        Choice(group="Talk", label="I call you", scenario="VOICE-NOW-USERORIG"),
    ),
)

START = "/genesys/1/service/callback/samples_new"


class Clock:
    """Milliseconds that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


class Surroundings:
    """The four calls to the engine, over values that a test sets and reads."""

    def __init__(self) -> None:
        self.happenings: list[tuple[str, str | None, str, dict[str, Any]]] = []
        self.broken = False
        self.visits: list[dict[str, Any]] = []
        self.invitations: dict[str, Mapping[str, Any]] = {}
        self.names: dict[str, str] = {}
        self.token: str | None = None

    async def happened(
        self, visit: str, page: str | None, event: str, data: Mapping[str, Any]
    ) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise RuntimeError("the host is overloaded")
        self.happenings.append((visit, page, event, dict(data)))

    async def journey(self, visit: str) -> list[dict[str, Any]]:
        if self.broken:
            raise RuntimeError("the journal can not be read")
        return [{**event, "visitID": visit} for event in HISTORY]

    async def earlier(self, _visit: str) -> list[dict[str, Any]]:
        return self.visits

    async def invitation(
        self, visit: str, page: str | None, _wanted: str | None
    ) -> Mapping[str, Any] | None:
        if self.broken:
            raise RuntimeError("the visitor can not be read")
        return self.invitations.get(visit)

    async def name(self, visit: str) -> str | None:
        if self.broken:
            raise RuntimeError("the journal can not be read")
        return self.names.get(visit)

    async def authorised(self, request: Request) -> None:
        given = request.headers.get("authorization")
        if self.token is not None and given != f"Bearer {self.token}":
            raise HTTPException(401, "This needs API authority.")


class Client:
    """Requests to an application in this process, each in an event loop of its own."""

    def __init__(self, application: Starlette) -> None:
        self.transport = httpx.ASGITransport(application)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            address = SERVER
            async with httpx.AsyncClient(transport=self.transport, base_url=address) as client:
                return await client.request(method, path, **more)

        return asyncio.run(send())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def put(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PUT", path, **more)

    def delete(self, path: str) -> httpx.Response:
        return self.request("DELETE", path)


class Room:
    """One running application; ``restart`` closes it and opens the same file again.

    ``client`` is a visitor's, ``desk`` an agent's: of the same server here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.around = Surroundings()
        self.opening = ALWAYS
        self.number = "+4930123456"
        self.open()

    def open(self) -> None:
        self.client = Client(self.application())

    def application(self, gms: GmsClient | None = None) -> Starlette:
        self.agents = Agents(self.clock)
        self.store = InteractionStore(self.path, clock=self.clock)
        routes = create_routes(
            self.store,
            agents=self.agents,
            happened=self.around.happened,
            journey=self.around.journey,
            earlier=self.around.earlier,
            invitation=self.around.invitation,
            name=self.around.name,
            authorised=self.around.authorised,
            opening=lambda: self.opening,
            number=self.number,
            menus={"support": MENU},
            gms=gms,
        )
        return Starlette(routes=routes)

    def close(self) -> None:
        asyncio.run(self.store.close())

    def restart(self) -> None:
        self.close()
        self.open()

    def start(self, **more: str) -> str:
        answer = self.client.post(START, data=CHAT_NOW | {"visitID": "V1", "pageID": "P2"} | more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["_id"])

    def chat(self, key: str, action: str = "", **values: str) -> dict[str, Any]:
        path = f"/genesys/1/service/{key}/ixn/chat" + (f"/{action}" if action else "")
        answer = self.client.post(path, data=values)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def desk(self, path: str, body: Any = None, status: int = 200) -> Any:
        url = f"/desk/api/{path}"
        desk = self.agents_client
        answer = desk.get(url) if body is None else desk.post(url, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    @property
    def agents_client(self) -> Client:
        return self.client

    def attached(self) -> dict[str, Any]:
        """Attached data of the youngest interaction, where its visitor is."""
        desk = "/desk/api/interactions"
        newest = self.client.get(desk).json()[0]["id"]
        return dict(self.client.get(f"{desk}/{newest}").json()["attached"])

    def newest(self) -> str:
        return str(self.desk("interactions")[0]["id"])


class RelayRoom(Room):
    """A server whose GMS is another one: visitors ask the first, agents sit at the second."""

    def __init__(self, path: Path) -> None:
        self.elsewhere = Room(path.with_name("elsewhere.db"))
        super().__init__(path)
        self.elsewhere.clock = self.clock
        self.elsewhere.restart()

    def open(self) -> None:
        self.way = Elsewhere(self)
        self.client = Client(self.application(GmsClient(ADDRESS, transport=self.way)))

    def close(self) -> None:
        super().close()
        self.elsewhere.close()

    def restart(self) -> None:
        self.elsewhere.number, self.elsewhere.opening = self.number, self.opening
        super().close()
        self.elsewhere.restart()
        self.open()

    @property
    def agents_client(self) -> Client:
        return self.elsewhere.client

    def here(self, path: str) -> Any:
        """What our own desk shows."""
        return self.client.get(f"/desk/api/{path}").json()


class Elsewhere(httpx.AsyncBaseTransport):
    """The way from the one server to the other, with the requests that went over it."""

    def __init__(self, room: RelayRoom) -> None:
        self._room = room
        self.asked: list[httpx.Request] = []
        self.broken: list[Exception | httpx.Response] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.broken:
            found = self.broken.pop(0)
            if isinstance(found, Exception):
                raise found
            return found
        return await self._room.elsewhere.client.transport.handle_async_request(request)
