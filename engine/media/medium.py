"""What every medium offers to the engine, whoever answers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from starlette.routing import Route

from engine.media.conversations import Wish
from engine.media.interactions import Interaction

Scenario = Mapping[str, str]
"""What a scenario's name stands for on the wire, parameter by parameter."""


class Medium(Protocol):
    """One medium, one file. ``tests/media/test_medium.py`` holds for every one of them."""

    @property
    def word(self) -> str:
        """Its name in the language and in attached data: the X of ``agents.ready("X")``."""

    @property
    def scenarios(self) -> Mapping[str, Scenario]:
        """The scenarios that its widget may name, with what each expands to."""

    def availability(self) -> int:
        """How many agents could take one more conversation now; never blocks."""

    async def start(self, wish: Wish) -> tuple[Interaction, str]:
        """A durable interaction and the visitor's secret for it.

        Raises Refused with a sentence for the visitor, and Unavailable.
        """

    def routes(self) -> list[Route]:
        """The HTTP interface that its widget speaks."""
