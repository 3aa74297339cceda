"""A chat that is answered at our own desk: what it is to the engine, whatever its widget speaks."""

from __future__ import annotations

from engine.media.conversations import Conversations, Wish
from engine.media.medium import Kind, Known, Started, known


class Chat:
    """The medium ``chat``. Who speaks with its widget adds the scenarios and the routes."""

    word = "chat"
    kind: Kind = "second-party"

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    def availability(self) -> int:
        """Ready agents with a free place."""
        return self._conversations.agents.ready(self.word)

    async def start(self, wish: Wish) -> Started:
        """A waiting chat and the visitor's secret."""
        interaction, key = await self._conversations.start(wish)
        return Started(key=key, interaction=interaction)

    async def known(self, key: str) -> Known:
        """The state of the chat and its attached data."""
        return known(await self._conversations.store.of_visitor(key))

    async def end(self, key: str) -> Known:
        """The visitor leaves."""
        found = await self._conversations.visitor(key)
        return known(await self._conversations.end_by_visitor(found))
