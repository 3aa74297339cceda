"""The whole door of this room: one Starlette application from the parts it is given."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from engine.delivery.access import Access
from engine.delivery.answers import failed, refused
from engine.delivery.events import EventDoor
from engine.delivery.guard import Guard
from engine.delivery.history import Histories, HistoryDoor
from engine.delivery.hub import Hub
from engine.delivery.ingest import Ingest
from engine.delivery.notification import NotifyDoor
from engine.delivery.rates import Rates
from engine.delivery.sse import SseDoor
from engine.delivery.visits import VisitDoor
from engine.delivery.websocket import WebSocketDoor

log = logging.getLogger("overture.delivery")

Report = Callable[[], Mapping[str, Any]]

_EVENTS: Final = frozenset({"/server/data/events", "/frontend/data/events"})


def create_app(
    *,
    access: Access,
    ingest: Ingest,
    hub: Hub,
    histories: Histories,
    rates: Rates,
    book: Report,
    agents: Callable[[], Mapping[str, int]],
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Put the interface of this room and the given ``routes`` (media, pages) behind one guard.

    ``book`` gives the answer of ``GET /api/book``. Start and stop of the host are the caller's.
    """
    events = EventDoor(ingest, access, rates)
    state = _StateDoor(access, ingest, hub, book, agents)
    own = [
        *_data_routes(access, ingest, histories, events),
        *_push_routes(access, hub),
        Route("/api/book", state.book),
        Route("/api/status", state.status),
    ]
    app = _Application(
        routes=[*own, *routes],
        middleware=[Middleware(Guard, access=access)],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )
    app.events = events
    return app


class _Application(Starlette):
    """The application, with a way of its own for the address that is asked for most of all."""

    events: EventDoor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in _EVENTS:
            await self.events(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


def _data_routes(
    access: Access, ingest: Ingest, histories: Histories, events: EventDoor
) -> list[BaseRoute]:
    visits = VisitDoor(ingest, access)
    notify = NotifyDoor(ingest, access)
    history = HistoryDoor(histories, access)
    found: list[BaseRoute] = []
    for root in ("/server", "/frontend"):
        found += [
            Route(f"{root}/data/visits", visits.post, methods=["POST"]),
            Route(f"{root}/data/visits", visits.delete, methods=["DELETE"]),
            Route(f"{root}/data/events", events, methods=["POST"]),
            Route(f"{root}/data/notification/notify/{{visit}}", notify.post, methods=["POST"]),
            Route(f"{root}/data/visits/{{visit}}", history.visit),
            Route(f"{root}/data/visits/{{visit}}/events", history.events),
        ]
    return found


def _push_routes(access: Access, hub: Hub) -> list[BaseRoute]:
    socket = WebSocketDoor(hub, access)
    stream = SseDoor(hub, access)
    found: list[BaseRoute] = []
    for root in ("/server", "/frontend"):
        found += [
            WebSocketRoute(f"{root}/push/ws", socket.serve),
            Route(f"{root}/push/sse", stream.get),
            Route(f"{root}/push/sse", stream.post, methods=["POST"]),
        ]
    return found


class _StateDoor:
    """``GET /api/book`` and ``GET /api/status``, with API authority."""

    def __init__(
        self,
        access: Access,
        ingest: Ingest,
        hub: Hub,
        book: Report,
        agents: Callable[[], Mapping[str, int]],
    ) -> None:
        self._access = access
        self._ingest = ingest
        self._hub = hub
        self._book = book
        self._agents = agents

    async def book(self, request: Request) -> JSONResponse:
        self._access.require_authority(request)
        return JSONResponse(self._book())

    async def status(self, request: Request) -> JSONResponse:
        self._access.require_authority(request)
        return JSONResponse(
            {
                "visits_connected": self._hub.visits,
                "connections": self._hub.connections,
                "events_accepted": self._ingest.accepted,
                "unknown_events": self._ingest.unknown_events.counts(),
                "unknown_fields": self._ingest.unknown_fields.counts(),
                "agents": dict(self._agents()),
            }
        )


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, HTTPException)
    return refused(refusal)


async def _failed(request: Request, _: Exception) -> Response:
    # Without the query: it may hold a token.
    log.error("The request %s %s failed.", request.method, request.url.path)
    return failed()
