"""What every medium offers to the engine, whoever answers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from starlette.routing import Route

from engine.media.conversations import Wish
from engine.media.interactions import Interaction

Scenario = Mapping[str, str]
"""What a scenario's name stands for on the wire, parameter by parameter."""

Kind = Literal["second-party", "third-party"]
"""A second-party medium makes an interaction that carries attached data, and events of the visit.
A third-party one makes none: of it only the invitation's disposition is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What was started: the visitor's secret for it, and its interaction where there is one."""

    key: str
    interaction: Interaction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of it afterwards, in words of its medium.

    ``state``: ``waiting active ended`` of a conversation, ``waiting taken done failed cancelled``
    of a callback, ``waiting handed failed`` of what someone else carries on. ``attached`` is empty
    where there is no interaction.
    """

    state: str
    attached: Mapping[str, object]


class Medium(Protocol):
    """One medium, one file; ``tests/media/test_media_conformance.py`` holds for each."""

    @property
    def word(self) -> str:
        """Its name in the language and in attached data: the X of ``agents.ready("X")``."""

    @property
    def kind(self) -> Kind:
        """Whether it makes interactions."""

    @property
    def scenarios(self) -> Mapping[str, Scenario]:
        """The scenarios that its widget may name, with what each expands to."""

    def availability(self) -> int:
        """How many more it could take now; never blocks. 0 where nobody answers."""

    async def start(self, wish: Wish) -> Started:
        """Start it, durably.

        Raises Refused with a sentence for the visitor, and Unavailable.
        """

    async def known(self, key: str) -> Known:
        """What is known of what was started, also after a restart. Raises Unknown."""

    async def end(self, key: str) -> Known:
        """The visitor leaves; twice is once. Raises Unknown."""

    def routes(self) -> list[Route]:
        """The HTTP interface that its widget speaks."""


def known(found: Interaction) -> Known:
    """What is known of an interaction."""
    return Known(state=found.outcome or found.state, attached=found.attached)
