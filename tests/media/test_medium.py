"""What holds for every medium, whoever answers behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from media_room import Clock, Surroundings

from engine.media.agents import Agents
from engine.media.conversations import Conversations, Wish
from engine.media.gms import GmsChat
from engine.media.interactions import InteractionStore
from engine.media.medium import Medium

MEDIA = [GmsChat]


@pytest.mark.parametrize("kind", MEDIA)
def test_a_medium_keeps_its_contract(kind: type[GmsChat], tmp_path: Path) -> None:
    async def run() -> None:
        around, agents = Surroundings(), Agents(Clock())
        store = InteractionStore(tmp_path / "i.db")
        medium: Medium = kind(
            Conversations(
                store, agents=agents, happened=around.happened, invitation=around.invitation
            )
        )
        assert medium.word in agents.free(), "its word is known before the first agent"
        assert medium.availability() == 0
        agents.heard("Ana", ready=True, media=[medium.word])
        assert medium.availability() == 1
        assert medium.routes()
        assert all(set(map(type, one.values())) == {str} for one in medium.scenarios.values())
        wish = Wish(
            medium=medium.word,
            visit="V1",
            page="P1",
            nickname="Zoë",
            webengagement=None,
            invitation=None,
            customer={},
        )
        found, key = await medium.start(wish)
        assert (found.medium, found.state) == (medium.word, "waiting")
        assert (await store.of_visitor(key)).id == found.id
        assert [event for _, _, event, _ in around.happenings] == ["InteractionStarted"]
        await store.close()

    asyncio.run(run())
