"""Who is ready to answer: presence, media and free places of the agents, in memory only."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

Clock = Callable[[], int]
"""Milliseconds that never go back by much; the wall clock in the server, a number in tests."""

SILENCE: Final = 30_000
"""An agent whose desk was not heard of for this many milliseconds is not ready."""

CAPACITY: Final = 3
"""Conversations that one agent holds at the same time."""

MEDIA: Final = frozenset({"chat", "callback"})
"""Media that are always known, so that their number is 0 and never missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What an agent's desk last said, and when (ms)."""

    name: str
    ready: bool
    media: frozenset[str]
    heard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """An agent as the desk lists them: ``ready`` includes being heard of, ``chats`` are held."""

    name: str
    ready: bool
    present: bool
    media: tuple[str, ...]
    chats: int
    capacity: int


class Agents:
    """The agents of this server. Not stored: desks renew themselves within seconds of a restart.

    Held conversations are told by ``hold`` and ``release``; after a restart the conversations
    room holds again what its store remembers.
    """

    def __init__(self, clock: Clock, *, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._agents: dict[str, Agent] = {}
        self._holders: dict[str, str] = {}
        self._known = set(MEDIA)

    def heard(self, name: str, *, ready: bool, media: Collection[str]) -> Presence:
        """Note what the desk of an agent says now; it counts for 30 s."""
        self._forget_the_silent()
        agent = Agent(name=name, ready=ready, media=frozenset(media), heard=self._clock())
        self._agents[name] = agent
        return self._presence(name)

    def forget(self, name: str) -> None:
        """The agent left. Conversations that they hold stay theirs until taken over."""
        self._agents.pop(name, None)

    def present(self, name: str) -> bool:
        """Whether the desk of this agent was heard of within the last 30 s."""
        agent = self._agents.get(name)
        return agent is not None and self._clock() - agent.heard < SILENCE

    def ready(self, medium: str) -> int:
        """The number of ready agents for a medium with at least one free place."""
        return sum(1 for agent in self._agents.values() if self._free(agent, medium))

    def know(self, medium: str) -> None:
        """A medium of this server alone is known from now on, 0 before the first agent."""
        self._known.add(medium)

    def free(self) -> dict[str, int]:
        """``ready`` of every medium that is known, 0 included: what is stamped on events."""
        known = self._known.union(*(agent.media for agent in self._agents.values()))
        return {medium: self.ready(medium) for medium in sorted(known)}

    def hold(self, name: str, interaction: str) -> bool:
        """Take one place of an agent, or answer False when they have none left."""
        if self._holders.get(interaction) != name and self._held(name) >= self._capacity:
            return False
        self._holders[interaction] = name
        return True

    def restore(self, name: str, interaction: str) -> None:
        """Take a place whatever the capacity: the conversation is held already."""
        self._holders[interaction] = name

    def release(self, interaction: str) -> None:
        """Give the place of a conversation back; one that is not held is no mistake."""
        self._holders.pop(interaction, None)

    def holder(self, interaction: str) -> str | None:
        """Who holds a conversation, or None."""
        return self._holders.get(interaction)

    def everyone(self) -> list[Presence]:
        """Agents who are present or hold a conversation, by name."""
        present = {name for name in self._agents if self.present(name)}
        return [self._presence(name) for name in sorted(present | set(self._holders.values()))]

    def _free(self, agent: Agent, medium: str) -> bool:
        return (
            agent.ready
            and medium in agent.media
            and self.present(agent.name)
            and self._held(agent.name) < self._capacity
        )

    def _held(self, name: str) -> int:
        return sum(1 for holder in self._holders.values() if holder == name)

    def _presence(self, name: str) -> Presence:
        agent = self._agents.get(name)
        present = self.present(name)
        return Presence(
            name=name,
            ready=agent is not None and present and agent.ready,
            present=present,
            media=tuple(sorted(agent.media)) if agent else (),
            chats=self._held(name),
            capacity=self._capacity,
        )

    def _forget_the_silent(self) -> None:
        # Names come over HTTP: without this the table would grow with every name ever used.
        for name in [name for name in self._agents if not self.present(name)]:
            del self._agents[name]
