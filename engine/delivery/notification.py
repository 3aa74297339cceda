"""Notifications pushed by another system: stored in the visit's outbox, then answered."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from engine.delivery import wire
from engine.delivery.access import Access
from engine.delivery.ingest import Ingest


class NotifyDoor:
    """``POST /server/data/notification/notify/{visitID}``."""

    def __init__(self, ingest: Ingest, access: Access) -> None:
        self._ingest = ingest
        self._access = access

    async def post(self, request: Request) -> Response:
        """Answer 204 when the notifications are durable. Raises Refusal 400, 401, 404, 503."""
        self._access.require_authority(request)
        visit = wire.visit_id(request.path_params["visit"])
        found = wire.notifications(await wire.body_of(request))
        visitor = await self._ingest.visitor_of(visit)
        if visitor is None:
            raise wire.unknown_visit(visit)
        if found:
            body = {"notifications": [one.model_dump() for one in found]}
            await self._ingest.submit(visitor, [self._ingest.stamped("pushed", visit, body)])
        return Response(status_code=204)
