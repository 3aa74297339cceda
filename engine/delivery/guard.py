"""The guard around all routes: origins and CORS for browsers, security headers on every answer."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.delivery.access import Access
from engine.delivery.wire import Refusal

RESOURCES: Final = ("/frontend/resources/", "/server/resources/")
"""Tracker and widgets: public files, which pages of any origin load and sandboxed frames too."""

_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors {ancestors}"
)
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Overture-Token, gms_user",
    "Access-Control-Max-Age": "600",
}


class Guard:
    """ASGI middleware; a refused origin reaches no route."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        ancestors = " ".join(["'self'", *sorted(access.origins)])
        self._policy = _POLICY.format(ancestors=ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with headers on its answer, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = self._with_headers(scope, send)
        if scope["type"] == "http" and scope["path"].startswith(RESOURCES):
            await self._app(scope, receive, answer)
            return
        try:
            origin = self._access.admits(HTTPConnection(scope))
        except Refusal as refusal:
            await _refuse(refusal, scope, receive, answer)
            return
        if scope["type"] == "http" and scope["method"] == "OPTIONS" and origin:
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, answer)
            return
        await self._app(scope, receive, answer)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        public = scope["path"].startswith(RESOURCES)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Content-Security-Policy"] = self._policy
                self._allow(scope, headers, public=public)
            await send(message)

        return answer

    def _allow(self, scope: Scope, headers: MutableHeaders, *, public: bool) -> None:
        if public:
            headers["Access-Control-Allow-Origin"] = "*"
            return
        headers.add_vary_header("Origin")
        origin = HTTPConnection(scope).headers.get("origin", "")
        if origin.lower() in self._access.origins:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403, "reason": refusal.sentence})
        return
    body = {"error": refusal.sentence, "code": refusal.code}
    await JSONResponse(body, refusal.status_code)(scope, receive, send)
