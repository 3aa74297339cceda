"""Who am I: a page gets the ids of its visit and visitor, and the token that proves the visit."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.delivery import wire
from engine.delivery.access import Access
from engine.delivery.ingest import Ingest, new_id

VISIT_COOKIE: Final = "overture_visit"
VISITOR_COOKIE: Final = "overture_visitor"
_YEAR: Final = 365 * 24 * 3600
_BODY: Final = 1024


class VisitDoor:
    """``POST /server/data/visits``.

    Cookies carry a signature: a browser that writes a foreign visitID into its cookie must not
    get that visit's token.
    """

    def __init__(self, ingest: Ingest, access: Access) -> None:
        self._ingest = ingest
        self._access = access

    async def post(self, request: Request) -> JSONResponse:
        """Answer the ids, from the tracker's memory, else the cookies, else new ones."""
        kept = wire.VisitRequest()
        if "content-type" in request.headers:
            kept = wire.visit_request(await wire.body_of(request, _BODY))
        visit = self._known(request, kept)
        visitor = await self._ingest.visitor_of(visit) if visit else None
        if visitor is None:
            cookie = self._access.unsealed("visitor", request.cookies.get(VISITOR_COOKIE))
            mine = self._access.visitor(visit, kept.token) if visit else None
            visitor = mine or cookie or new_id()
        name = visit or new_id()
        answer = {
            "visitID": name,
            "globalVisitID": visitor,
            "token": self._access.token(name, visitor),
            "newVisit": visit is None,
        }
        response = JSONResponse(answer, headers={"Cache-Control": "no-store"})
        self._keep(request, response, name, visitor)
        return response

    async def delete(self, request: Request) -> Response:
        """Take the cookies back: the visitor agrees to them no more. What is stored here stays."""
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
        secure = request.url.scheme == "https"
        for cookie in (VISIT_COOKIE, VISITOR_COOKIE):
            response.delete_cookie(cookie, httponly=True, samesite="lax", secure=secure)
        return response

    def _known(self, request: Request, kept: wire.VisitRequest) -> str | None:
        if kept.visitID is not None and self._access.fits(kept.visitID, kept.token):
            return kept.visitID
        return self._access.unsealed("visit", request.cookies.get(VISIT_COOKIE))

    def _keep(self, request: Request, response: JSONResponse, visit: str, visitor: str) -> None:
        secure = request.url.scheme == "https"
        sealed = {VISIT_COOKIE: ("visit", visit, None), VISITOR_COOKIE: ("visitor", visitor, _YEAR)}
        for cookie, (kind, name, age) in sealed.items():
            response.set_cookie(
                cookie,
                self._access.sealed(kind, name),
                max_age=age,
                httponly=True,
                samesite="lax",
                secure=secure,
            )
