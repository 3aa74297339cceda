"""The callback services of GMS, version 1: starting any scenario, and the life of a callback."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.media.bodies import address, fields, model
from engine.media.callbacks import Callback, Callbacks, iso, moment
from engine.media.conversations import CALLBACK, Wish
from engine.media.gms import GmsChat
from engine.media.gms_answers import answer, confirmation, dialog, gms_user, guarded, root
from engine.media.gms_bodies import CancelBody, ChoiceBody, MoveBody, RequestBody, StartBody
from engine.media.gms_menus import Menus
from engine.media.interactions import Refused, Unavailable, Unknown

log = logging.getLogger(__name__)

Authorised = Callable[[Request], Awaitable[None]]

ACCESS_FOR: Final = 300_000
"""Milliseconds in which the number that ``request-interaction`` gives should be called."""

_SERVICE: Final = "/genesys/1/service"
_ADMIN: Final = "/genesys/1/admin/callback"
_BACK, _AHEAD = 15 * 60_000, 24 * 3_600_000

_NOW: Final = "Thank you. We will call you at {number} as soon as somebody is free."
_LATER: Final = "Thank you. We will call you at {number} at the time that you chose."
_WAIT: Final = "Thank you. We will tell you here as soon as somebody can take your call."


class GmsServices:
    """Starts chats and callbacks by their scenarios, and serves what becomes of callbacks.

    A service with one of the ``menus`` shows that first, and starts what is chosen. ``number`` is
    what visitors call when a scenario lets them call us; empty: none does. The visitor's ``_id``
    opens one callback; lists, and ids of the desk, need API authority.
    """

    def __init__(
        self,
        chat: GmsChat,
        callbacks: Callbacks,
        *,
        authorised: Authorised,
        menus: Menus,
        number: str = "",
    ) -> None:
        self._chat = chat
        self._callbacks = callbacks
        self._authorised = authorised
        self._menus = menus
        self._number = number

    def routes(self) -> list[Route]:
        """Everything of version 1 that is not the chat itself."""
        callback, both = f"{_SERVICE}/callback", ["GET", "POST"]
        rows = [
            (f"{_SERVICE}/request-interaction", self._request_interaction, both),
            (f"{_SERVICE}/{{id}}/check-queue-position", self._queue, both),
            (f"{_SERVICE}/{{id}}/DialNumber", self._continue, both),
            (f"{_SERVICE}/{{id}}/menu", self._choose, both),
            (callback, self._query, ["GET"]),
            (f"{callback}/{{service}}", self._start, ["POST"]),
            (f"{callback}/{{service}}/availability", self._availability, both),
            (f"{callback}/{{service}}/{{id}}", self._move, ["PUT"]),
            (f"{callback}/{{service}}/{{id}}", self._cancel, ["DELETE"]),
            (f"{_ADMIN}/queues", self._queues, ["GET"]),
            (f"{_ADMIN}/cancel", self._cancel_all, ["POST"]),
        ]
        return [Route(path, guarded(work), methods=methods) for path, work, methods in rows]

    async def _start(self, request: Request) -> Response:
        values, service = await fields(request), request.path_params["service"]
        body = StartBody.model_validate(values)
        if self._menus.has(service):
            return answer(self._menus.show(service, values, address(request), root(request)))
        return dialog(await self._begun(request, body, service))

    async def _choose(self, request: Request) -> Response:
        """A line of a menu: what it starts has the id of the menu, so that twice is once."""
        key = request.path_params["id"]
        number = ChoiceBody.model_validate(await fields(request)).choice
        service, body, first = self._menus.choose(key, number)
        try:
            return dialog(await self._begun(request, body, service, key))
        except (Refused, Unavailable):
            if first:
                self._menus.reopen(key)
            raise

    async def _begun(
        self, request: Request, body: StartBody, service: str, key: str | None = None
    ) -> Mapping[str, Any]:
        """Start what a scenario says; the dialog that goes on with it."""
        if body.media_type == "chat":
            return await self._chat.dialog(request, body, service, key)
        wish = replace(self._wish(request, body, service), key=key)
        if body.is_dialled:
            return await self._dialled(body, wish)
        slot = self._slot(moment(body.desired_time)) if body.desired_time else None
        found, key = await self._callbacks.book(wish, body.number, slot)
        code, words = ("call-later", _LATER) if slot else ("call-now", _NOW)
        return confirmation(key, code, words.format(number=found.phone))

    async def _dialled(self, body: StartBody, wish: Wish) -> Mapping[str, Any]:
        """The visitor calls us: now, or when an agent is free for them."""
        self._check_number()
        code = {"_access_code": f"{secrets.randbelow(10_000):04}"} if body.wants_code else {}
        calls = {"_call_direction": body.call_direction} | code
        wish = replace(wish, customer={**wish.customer, **calls})
        found, key = await self._callbacks.book(wish, body.number, None)
        return _waits(key) if body.waits else self._dial(key) | _code(found)

    async def _request_interaction(self, request: Request) -> Response:
        body = RequestBody.model_validate(await fields(request))
        self._check_number()
        wish = self._wish(request, body, "request-interaction")
        calls = {"_call_direction": "USERORIGINATED"}
        wish = replace(wish, customer={**wish.customer, **calls})
        found, key = await self._callbacks.book(wish, body.number, None)
        until = iso(found.interaction.created + ACCESS_FOR)
        return answer({"_id": key, "_access_number": self._number, "_expiration_time": until})

    async def _continue(self, request: Request) -> Response:
        """What a widget that waits to call asks: the number as soon as an agent has it."""
        key = request.path_params["id"]
        found = await self._callbacks.of_visitor(key)
        if found.interaction.state == "ended":
            raise Refused("over", "This callback is over.")
        if found.state == "waiting" or not self._number:
            return dialog(_waits(key))
        return answer(self._dial(key) | _code(found))

    async def _queue(self, request: Request) -> Response:
        conversations = self._callbacks.conversations
        found = await conversations.visitor(request.path_params["id"])
        place, waiting = await conversations.store.queue_of(found)
        return answer({"_position": place, "_total_waiting": waiting})

    async def _query(self, request: Request) -> Response:
        """One's own callback by its id; those of a number, or in a state, with authority."""
        values = request.query_params
        if "_id" in values:
            key = values["_id"]
            return answer([_record(request, await self._found(request, key), key)])
        if not {"_customer_number", "_callback_state"} & set(values):
            raise Refused("value", "Ask by _id, _customer_number or _callback_state.")
        await self._authorised(request)
        records = [_record(request, one) for one in await self._callbacks.listed()]
        asked = {name: values[name] for name in values if name in (records or [{}])[0]}
        return answer([one for one in records if asked.items() <= one.items()])

    async def _availability(self, request: Request) -> Response:
        values = await fields(request)
        first = moment(values["start"]) if values.get("start") else 0
        last = moment(values["end"]) if values.get("end") else None
        free = {
            iso(start): places
            for start, places in (await self._callbacks.slots()).items()
            if first <= start and (last is None or start < last)
        }
        if not free:
            raise Refused("closed", "Nobody calls in this time.")
        return answer(free)

    async def _move(self, request: Request) -> Response:
        key = request.path_params["id"]
        found = await self._found(request, key)
        body = MoveBody.model_validate(await fields(request))
        slot = self._slot(moment(body.desired_time))
        return answer(_record(request, await self._callbacks.reschedule(found, slot, None), key))

    async def _cancel(self, request: Request) -> Response:
        key = request.path_params["id"]
        found = await self._found(request, key)
        return answer(_record(request, await self._callbacks.cancel(found), key))

    async def _queues(self, request: Request) -> Response:
        """Callbacks that are due in a window, by service."""
        await self._authorised(request)
        values, now = request.query_params, self._callbacks.conversations.store.clock()
        first = moment(values["start_time"]) if "start_time" in values else now - _BACK
        last = moment(values["end_time"]) if "end_time" in values else now + _AHEAD
        states = set(values.get("states", "QUEUED,SCHEDULED").split(","))
        queues: dict[str, list[Mapping[str, Any]]] = {}
        for one in await self._callbacks.listed():
            record = _record(request, one)
            if first <= _due(one) < last and record["_callback_state"] in states:
                queues.setdefault(record["_service_name"], []).append(record)
        wanted = values.get("target")
        return answer({name: queues[name] for name in queues if wanted in (None, name)})

    async def _cancel_all(self, request: Request) -> Response:
        await self._authorised(request)
        body = await model(request, CancelBody, wrong=415)
        done: dict[str, bool] = {}
        for identity in body.ids:
            try:
                await self._callbacks.cancel(await self._found(request, identity))
            except Unknown:
                done[identity] = False
            else:
                done[identity] = True
        return answer(done)

    async def _found(self, request: Request, key: str) -> Callback:
        """A callback by the visitor's id, or with API authority by that of the desk."""
        try:
            return await self._callbacks.of_visitor(key)
        except Unknown:
            try:
                await self._authorised(request)
            except HTTPException:
                raise Unknown("There is no such callback.") from None
            return await self._callbacks.get(key)

    def _wish(self, request: Request, body: StartBody | RequestBody, service: str) -> Wish:
        wish = body.wish(CALLBACK, gms_user(request), address(request))
        return replace(wish, customer={**wish.customer, "_service_name": service[:100]})

    def _slot(self, time: int) -> int:
        """The slot that a time is in; a time in none is refused where it is booked."""
        opening = self._callbacks.opening
        length = opening.minutes * 60_000
        now = self._callbacks.conversations.store.clock()
        return next((one for one in opening.slots(now) if one <= time < one + length), time)

    def _check_number(self) -> None:
        if not self._number:
            log.warning("A visitor wants to call, and OVERTURE_CALLBACK_NUMBER is not set.")
            raise Refused("number", "Nobody can be called here: let us call you instead.")

    def _dial(self, key: str) -> dict[str, Any]:
        return {"_id": key, "_action": "DialNumber", "_tel_url": f"tel:{self._number}"}


def _code(found: Callback) -> dict[str, str]:
    """The code by which a call is recognised, as it was told first, where one was wanted."""
    code = found.interaction.customer.get("_access_code")
    return {"_access_code": code} if code else {}


def _waits(key: str) -> dict[str, Any]:
    return confirmation(key, "call-wait", _WAIT)


def _due(found: Callback) -> int:
    return found.slot or found.interaction.created


def _state(found: Callback) -> str:
    """Where it stands, in words of GMS."""
    match found.state:
        case "waiting":
            return "QUEUED" if found.slot is None else "SCHEDULED"
        case "taken":
            return "PROCESSING"
    return "COMPLETED"


def _record(request: Request, found: Callback, key: str | None = None) -> dict[str, str]:
    """What is told of a callback; ``key`` is the id by which it was asked for."""
    identity = key or found.interaction.id
    service = found.interaction.customer.get("_service_name", CALLBACK)
    expires = found.interaction.created + ACCESS_FOR if service == "request-interaction" else None
    state = _state(found)
    return {
        "_id": identity,
        "_desired_time": iso(_due(found)),
        "_service_name": service,
        "_callback_state": state,
        "_expiration_time": iso(expires) if expires else "",
        "_customer_number": found.phone,
        "_url": f"{root(request)}{_SERVICE}/callback/{quote(service, safe='')}/{quote(identity)}",
        "_callback_reason": found.state.upper() if state == "COMPLETED" else "",
    }
