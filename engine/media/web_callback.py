"""The medium ``callback``: what its widget speaks, and the agents' list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.media.bodies import address, model
from engine.media.callbacks import Callback, Callbacks, iso, moment
from engine.media.conversations import CALLBACK, Wish
from engine.media.desk import Name
from engine.media.medium import Kind, Known, Scenario, Started
from engine.media.web import Handler, Token, WishBody, answer, guarded

_ROOT: Final = "/media/callback"

Authorised = Callable[[Request], Awaitable[None]]


class BookBody(WishBody):
    """A wish to be called: at a slot, or at once without one."""

    phone: Token
    slot: Token = ""

    def more(self) -> dict[str, str]:
        """Agents see the number among what the visitor said, too."""
        return super().more() | {"phone": self.phone}


class SlotBody(BaseModel):
    """Another time; empty is at once."""

    slot: Token = ""


class TakeBody(BaseModel):
    """Which agent."""

    agent: Name


class MoveBody(TakeBody):
    """Which agent, and when to call instead."""

    slot: Token = ""


class FinishBody(TakeBody):
    """What came of it."""

    outcome: Literal["done", "failed", "cancelled"]
    note: Annotated[str, Field(max_length=1_000)] = ""


class WebCallback:
    """The medium ``callback``. Its widget and a site's own speak JSON under ``/media/callback``."""

    word = CALLBACK
    kind: Kind = "second-party"
    scenarios: Mapping[str, Scenario] = {}

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks

    def availability(self) -> int:
        """Ready agents with a free place."""
        return self._callbacks.conversations.agents.ready(self.word)

    async def start(self, wish: Wish) -> Started:
        """A waiting callback: the number is the customer's ``phone``, the time their ``slot``."""
        slot = wish.customer.get("slot")
        phone = wish.customer.get("phone", "")
        found, key = await self._callbacks.book(wish, phone, moment(slot) if slot else None)
        return Started(key=key, interaction=found.interaction)

    async def known(self, key: str) -> Known:
        """The state of the callback and its attached data."""
        return _known(await self._callbacks.of_visitor(key))

    async def end(self, key: str) -> Known:
        """The visitor cancels."""
        return _known(await self._callbacks.cancel(await self._callbacks.of_visitor(key)))

    def routes(self) -> list[Route]:
        """Slots, booking, and the visitor's own callback: state, another time, cancel."""
        one = f"{_ROOT}/{{key}}"
        return [
            Route(_ROOT, guarded(self._book), methods=["POST"]),
            Route(f"{_ROOT}/slots", guarded(self._slots), methods=["GET"]),
            Route(one, guarded(self._show), methods=["GET"]),
            Route(f"{one}/reschedule", guarded(self._reschedule), methods=["POST"]),
            Route(f"{one}/cancel", guarded(self._cancel), methods=["POST"]),
        ]

    async def _slots(self, _request: Request) -> Response:
        opening = self._callbacks.opening
        free = await self._callbacks.slots()
        return answer(
            {
                "now": self._callbacks.is_open(),
                "zone": opening.zone.key,
                "minutes": opening.minutes,
                "slots": [{"start": iso(start), "free": left} for start, left in free.items()],
            }
        )

    async def _book(self, request: Request) -> Response:
        body = await model(request, BookBody)
        slot = moment(body.slot) if body.slot else None
        found, key = await self._callbacks.book(
            body.wish(self.word, address(request)), body.phone, slot
        )
        return answer({"id": key, **_shown(found)}, 201)

    async def _show(self, request: Request) -> Response:
        return answer(_shown(await self._callbacks.of_visitor(request.path_params["key"])))

    async def _reschedule(self, request: Request) -> Response:
        found = await self._callbacks.of_visitor(request.path_params["key"])
        body = await model(request, SlotBody)
        slot = moment(body.slot) if body.slot else None
        return answer(_shown(await self._callbacks.reschedule(found, slot, None)))

    async def _cancel(self, request: Request) -> Response:
        found = await self._callbacks.of_visitor(request.path_params["key"])
        return answer(_shown(await self._callbacks.cancel(found)))


class CallbackList:
    """The desk's list, under ``/desk/api/callbacks``; each request needs API authority."""

    def __init__(self, callbacks: Callbacks, *, authorised: Authorised) -> None:
        self._callbacks = callbacks
        self._authorised = authorised

    def routes(self) -> list[Route]:
        """The list, and what an agent does with one of them."""
        one = "/desk/api/callbacks/{id}"
        return [
            Route("/desk/api/callbacks", self._guarded(self._list), methods=["GET"]),
            Route(f"{one}/take", self._guarded(self._take), methods=["POST"]),
            Route(f"{one}/reschedule", self._guarded(self._reschedule), methods=["POST"]),
            Route(f"{one}/finish", self._guarded(self._finish), methods=["POST"]),
        ]

    async def _list(self, _request: Request) -> Response:
        found = await self._callbacks.listed()
        return answer({"callbacks": [_listed(one) for one in found]})

    async def _take(self, request: Request) -> Response:
        body = await model(request, TakeBody)
        return answer(_listed(await self._callbacks.take(request.path_params["id"], body.agent)))

    async def _reschedule(self, request: Request) -> Response:
        body = await model(request, MoveBody)
        found = await self._callbacks.get(request.path_params["id"])
        slot = moment(body.slot) if body.slot else None
        return answer(_listed(await self._callbacks.reschedule(found, slot, body.agent)))

    async def _finish(self, request: Request) -> Response:
        body = await model(request, FinishBody)
        identity = request.path_params["id"]
        found = await self._callbacks.finish(identity, body.agent, body.outcome, body.note)
        return answer(_listed(found))

    def _guarded(self, handler: Handler) -> Handler:
        answered = guarded(handler)

        async def allowed(request: Request) -> Response:
            await self._authorised(request)
            return await answered(request)

        return allowed


def _known(found: Callback) -> Known:
    return Known(state=found.state, attached=found.interaction.attached)


def _shown(found: Callback) -> dict[str, Any]:
    """What a visitor is told of their own callback."""
    return {
        "state": found.state,
        "phone": found.phone,
        "slot": None if found.slot is None else iso(found.slot),
    }


def _listed(found: Callback) -> dict[str, Any]:
    """What an agent is told; times in ms as everywhere at the desk."""
    one = found.interaction
    return {
        "id": one.id,
        "state": found.state,
        "phone": found.phone,
        "slot": found.slot,
        "note": found.note,
        "created": one.created,
        "ended": one.ended,
        "visitID": one.visit,
        "pageID": one.page,
        "agent": one.agent,
        "nickname": one.name,
        "named_by_visit": one.known_as is not None,
        "proactive": one.proactive,
        "attached": one.attached,
    }
