"""What holds for every medium, whoever answers behind it. A new medium adds itself to ``MEDIA``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from media_room import ADDRESS, ALWAYS, INVITATION, Clock, Surroundings
from starlette.applications import Starlette

from engine.media.agents import Agents
from engine.media.callbacks import Callbacks
from engine.media.conversations import Conversations, Wish
from engine.media.deliveries import Deliveries, Receiver
from engine.media.gms import GmsChat
from engine.media.gms_client import GmsClient
from engine.media.gms_relay import GmsRelay
from engine.media.interactions import InteractionStore, Unknown
from engine.media.medium import Medium, Started
from engine.media.routes import create_routes
from engine.media.third_party import ThirdParty, claims_of
from engine.media.web_callback import WebCallback
from engine.media.web_chat import WebChat
from engine.media.webhook import Webhook

Making = Callable[[Conversations], Medium]


def web_callback(conversations: Conversations) -> Medium:
    return WebCallback(Callbacks(conversations, lambda: ALWAYS))


def webhook(conversations: Conversations) -> Medium:
    to = Receiver(url="https://receiver.example", secret=b"secret")
    return Webhook(conversations, Deliveries(conversations.store, to))


def gms_elsewhere(conversations: Conversations) -> Medium:
    """A GMS that is another one of ours, with a memory of its own."""
    around = Surroundings()
    routes = create_routes(
        InteractionStore(":memory:"),
        agents=Agents(Clock()),
        happened=around.happened,
        journey=around.journey,
        invitation=around.invitation,
        authorised=around.authorised,
    )
    transport = httpx.ASGITransport(Starlette(routes=routes))
    client = GmsClient(ADDRESS, transport=transport)
    return GmsRelay(conversations, client, authorised=around.authorised)


MEDIA: dict[str, Making] = {
    "gms chat": GmsChat,
    "gms elsewhere": gms_elsewhere,
    "chat": WebChat,
    "callback": web_callback,
    "webhook": webhook,
}

OVER = {"ended", "done", "failed", "cancelled"}


class Running:
    """One medium over a file; ``restarted`` is the same file in another process."""

    def __init__(self, make: Making, path: Path, clock: Clock) -> None:
        self._make, self.path, self._clock = make, path, clock
        self.around = Surroundings()
        self.around.invitations["V1"] = INVITATION
        self.open()

    def open(self) -> None:
        self.agents = Agents(self._clock)
        self.store = InteractionStore(self.path, clock=self._clock)
        self.medium = self._make(
            Conversations(
                self.store,
                agents=self.agents,
                happened=self.around.happened,
                invitation=self.around.invitation,
            )
        )

    async def restart(self) -> None:
        await self.store.close()
        self.open()

    async def start(self, **more: Any) -> Started:
        wish: dict[str, Any] = {
            "medium": self.medium.word,
            "visit": "V1",
            "page": "P1",
            "nickname": "Zoë",
            "webengagement": None,
            "invitation": None,
            "customer": {"phone": "+49 30 123456"},
        }
        return await self.medium.start(Wish(**wish | more))

    def events(self) -> list[str]:
        return [event for _, _, event, _ in self.around.happenings]


Trying = Callable[[Callable[[Running], Awaitable[None]]], None]


@pytest.fixture(params=MEDIA)
def trying(request: pytest.FixtureRequest, tmp_path: Path) -> Trying:
    """Runs a story about one medium."""

    def run(story: Callable[[Running], Awaitable[None]]) -> None:
        async def whole() -> None:
            running = Running(MEDIA[request.param], tmp_path / "i.db", Clock())
            try:
                await story(running)
            finally:
                await running.store.close()

        asyncio.run(whole())

    return run


def test_words_and_scenarios(trying: Trying) -> None:
    async def story(running: Running) -> None:
        medium = running.medium
        assert medium.word.isidentifier()
        assert medium.kind in ("second-party", "third-party")
        assert medium.routes()
        assert all(set(map(type, one.values())) <= {str} for one in medium.scenarios.values())

    trying(story)


def test_availability_is_of_who_is_ready(trying: Trying) -> None:
    async def story(running: Running) -> None:
        medium = running.medium
        if medium.kind == "third-party":
            assert medium.availability() >= 0, "it is not ours to know more"
            return
        assert running.agents.free()[medium.word] == 0, "known before the first agent"
        assert medium.availability() == 0
        running.agents.heard("Ana", ready=True, media=[medium.word])
        assert medium.availability() == 1
        running.agents.heard("Ana", ready=False, media=[medium.word])
        assert medium.availability() == 0

    trying(story)


def test_a_start_carries_attached_data_or_leaves_no_trace_with_us(trying: Trying) -> None:
    async def story(running: Running) -> None:
        started = await running.start()
        known = await running.medium.known(started.key)
        if running.medium.kind == "third-party":
            assert started.interaction is None
            assert known.attached == {}
            assert await running.store.recent() == []
            assert running.events() == []
            return
        assert started.interaction is not None
        assert [one.id for one in await running.store.recent()] == [started.interaction.id]
        assert started.interaction.medium == running.medium.word
        assert known.attached == {
            "visitID": "V1",
            "pageID": "P1",
            "webengagement": INVITATION["strategy"],
            "reason": "hesitant buyer",
        }
        assert running.events() == ["InteractionStarted"]

    trying(story)


def test_without_an_invitation_it_is_reactive(trying: Trying) -> None:
    async def story(running: Running) -> None:
        reactive = (await running.start(visit="V2")).interaction
        empty = (await running.start(visit="V3", webengagement="")).interaction
        assert reactive is None or not reactive.proactive
        assert empty is None or empty.attached["webengagement"] == ""

    trying(story)


def test_it_is_known_after_a_restart(trying: Trying) -> None:
    async def story(running: Running) -> None:
        key = (await running.start()).key
        before = await running.medium.known(key)
        await running.restart()
        assert await running.medium.known(key) == before
        assert before.state == "waiting"

    trying(story)


def test_an_end_is_an_end_twice_is_once_and_it_is_known(trying: Trying) -> None:
    async def story(running: Running) -> None:
        key = (await running.start()).key
        over = await running.medium.end(key)
        assert over.state in OVER
        assert await running.medium.end(key) == over
        await running.restart()
        assert await running.medium.known(key) == over
        ends = running.events().count("InteractionEnded")
        assert ends == (1 if running.medium.kind == "second-party" else 0)

    trying(story)


def test_a_start_that_is_said_again_with_its_key_is_one(trying: Trying) -> None:
    async def story(running: Running) -> None:
        if running.medium.word == "gms":
            return  # a GMS elsewhere gives the keys
        key = "0123456789" * 4
        first = await running.start(key=key)
        await running.restart()
        again = await running.start(key=key)
        assert first == again
        assert first.key == key
        assert running.events().count("InteractionStarted") <= 1
        rows = await running.store.read(
            lambda db: [
                db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("interactions", "deliveries")
            ]
        )
        assert sum(rows) == 1

    trying(story)


def test_keys_are_secret_and_others_open_nothing(trying: Trying) -> None:
    async def story(running: Running) -> None:
        started = await running.start()
        assert len(started.key) >= 32
        assert (await running.start(visit="V2")).key != started.key
        for wrong in ("", "x" * 40, *([started.interaction.id] if started.interaction else [])):
            with pytest.raises(Unknown):
                await running.medium.known(wrong)
            with pytest.raises(Unknown):
                await running.medium.end(wrong)
        for file in running.path.parent.iterdir():
            assert started.key.encode() not in file.read_bytes(), "only a digest is stored"

    trying(story)


def test_a_deaf_engine_starts_it_all_the_same(trying: Trying) -> None:
    async def story(running: Running) -> None:
        running.around.broken = True
        key = (await running.start()).key
        assert (await running.medium.known(key)).state == "waiting"

    trying(story)


THIRD = ThirdParty(url="https://third.example/chat", secret=b"a secret that both sides share")


def test_the_door_of_a_third_party_leaves_no_trace_with_us(trying: Trying) -> None:
    async def story(running: Running) -> None:
        here = {"visitID": "V1", "pageID": "P1", "invitation": INVITATION["id"]}
        tokens = []
        for _ in range(2):
            async with door(running) as client:
                tokens.append((await client.post("/media/third-party", json=here)).json()["token"])
            await running.restart()
        claims = claims_of(tokens[0], THIRD.secret, 1_000_000)
        assert claims is not None
        assert (claims["visitID"], claims["pageID"]) == ("V1", "P1")
        assert claims["webengagement"] == INVITATION["strategy"]
        assert "reason" not in claims, "attached data stay with us"
        assert tokens[0] == tokens[1], "asked again, also after a restart, it is the same"
        assert await running.store.recent() == []
        assert running.events() == []
        for token in tokens:
            with pytest.raises(Unknown):
                await running.medium.known(token)

    trying(story)


@pytest.mark.parametrize("wrong", [{"visitID": "V2"}, {"invitation": "V1/Another/1"}])
def test_the_door_of_a_third_party_opens_to_the_invited_alone(
    trying: Trying, wrong: dict[str, str]
) -> None:
    async def story(running: Running) -> None:
        body = {"visitID": "V1", "pageID": "P1", "invitation": INVITATION["id"]} | wrong
        async with door(running) as client:
            answer = (await client.post("/media/third-party", json=body)).json()
        assert answer["code"] == "no-invitation"
        assert "token" not in answer

    trying(story)


def door(running: Running) -> httpx.AsyncClient:
    """Requests to the routes of this store, with a third party set."""
    routes = create_routes(
        running.store,
        agents=running.agents,
        happened=running.around.happened,
        journey=running.around.journey,
        invitation=running.around.invitation,
        authorised=running.around.authorised,
        third_party=THIRD,
    )
    transport = httpx.ASGITransport(Starlette(routes=routes))
    return httpx.AsyncClient(transport=transport, base_url="http://chat.example")
