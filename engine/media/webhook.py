"""The medium ``webhook``: whoever answers is elsewhere, and is told in one signed request.

It is a third party: no interaction is made here and the visit hears nothing of a conversation. What
is known with us is the disposition of the invitation, and whether the receiver has taken it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.media.bodies import address, model
from engine.media.callbacks import iso
from engine.media.conversations import Conversations, Wish
from engine.media.deliveries import Deliveries
from engine.media.interactions import Refused
from engine.media.medium import Kind, Known, Scenario, Started
from engine.media.web import WishBody, answer, guarded

_ROOT: Final = "/media/webhook"
STRANGERS: Final = 60
"""Starts in a minute that no invitation of ours led to: a receiver is nobody's target."""

ACCEPTED: Final = "engagement.accepted"
"""The type of what a receiver is told."""


class Webhook:
    """Any other medium, under ``/media/webhook``."""

    word = "webhook"
    kind: Kind = "third-party"
    scenarios: Mapping[str, Scenario] = {}

    def __init__(self, conversations: Conversations, deliveries: Deliveries) -> None:
        self._conversations = conversations
        self._deliveries = deliveries
        self._strangers: deque[int] = deque(maxlen=STRANGERS)

    def availability(self) -> int:
        """1 where a receiver is set: how many it can take is not ours to know."""
        return int(self._deliveries.is_set)

    async def start(self, wish: Wish) -> Started:
        """A delivery on its way. Raises Refused (``unset``, ``too-many``)."""
        draft = await self._conversations.draft(wish)
        if not draft.invitation:
            self._admit_a_stranger()
        body: dict[str, Any] = {
            "type": ACCEPTED,
            "timestamp": iso(self._conversations.store.clock()),
            "data": {
                "visitID": wish.visit,
                "pageID": wish.page,
                "nickname": wish.nickname,
                "attached": draft.attached,
                "customer": draft.customer,
                "invitation": draft.invitation,
            },
        }
        key = await self._deliveries.add(wish.visit, body, wish.key)
        return Started(key=key, interaction=None)

    def _admit_a_stranger(self) -> None:
        now = self._conversations.store.clock()
        if len(self._strangers) == STRANGERS and now - self._strangers[0] < 60_000:
            raise Refused("too-many", "Too many ask at once: try again in a minute.")
        self._strangers.append(now)

    async def known(self, key: str) -> Known:
        """Whether the receiver has it."""
        return Known(state=(await self._deliveries.of_visitor(key)).state, attached={})

    async def end(self, key: str) -> Known:
        """Try no more."""
        return Known(state=(await self._deliveries.cancel(key)).state, attached={})

    def routes(self) -> list[Route]:
        """Start, state, cancel."""
        one = f"{_ROOT}/{{key}}"
        return [
            Route(_ROOT, guarded(self._start), methods=["POST"]),
            Route(one, guarded(self._show), methods=["GET"]),
            Route(f"{one}/cancel", guarded(self._cancel), methods=["POST"]),
        ]

    async def _start(self, request: Request) -> Response:
        body = await model(request, WishBody)
        key = (await self.start(body.wish(self.word, address(request)))).key
        return answer({"id": key, "state": (await self.known(key)).state}, 202)

    async def _show(self, request: Request) -> Response:
        return answer({"state": (await self.known(request.path_params["key"])).state})

    async def _cancel(self, request: Request) -> Response:
        return answer({"state": (await self.end(request.path_params["key"])).state})
