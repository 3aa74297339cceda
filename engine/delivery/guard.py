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
_KNOWN: Final = 1_000
"""Origins and hosts that are remembered as admitted."""
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Overture-Token, gms_user",
    "Access-Control-Max-Age": "600",
}


class Guard:
    """ASGI middleware; a refused origin reaches no route.

    Without ``pages`` all answers are JSON, and need no policy for what a page may load.
    """

    def __init__(self, app: ASGIApp, access: Access, *, pages: bool = True) -> None:
        self._app = app
        self._access = access
        self._always = [(b"x-content-type-options", b"nosniff")]
        if pages:
            ancestors = " ".join(["'self'", *sorted(access.origins)])
            policy = _POLICY.format(ancestors=ancestors).encode()
            self._always.append((b"referrer-policy", b"same-origin"))
            self._always.append((b"content-security-policy", policy))
        self._admitted: set[tuple[bytes, bytes | None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with headers on its answer, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        public = scope["path"].startswith(RESOURCES)
        origin = host = None
        for name, value in scope["headers"]:
            if name == b"origin" and origin is None:
                origin = value
            elif name == b"host" and host is None:
                host = value
        answer = self._with_headers(send, origin, public=public)
        if origin is not None and not (scope["type"] == "http" and public):
            # Who was let in once is let in again: a page sends the same two with each request.
            if (origin, host) not in self._admitted:
                try:
                    self._access.admits(HTTPConnection(scope))
                except Refusal as refusal:
                    await _refuse(refusal, scope, receive, answer)
                    return
                if len(self._admitted) >= _KNOWN:
                    self._admitted.clear()
                self._admitted.add((origin, host))
            if scope["type"] == "http" and scope["method"] == "OPTIONS":
                await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, answer)
                return
        await self._app(scope, receive, answer)

    def _with_headers(self, send: Send, origin: bytes | None, *, public: bool) -> Send:
        more = [*self._always, *self._allowed(origin, public=public)]

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *more]
                if not public:
                    _vary(message)
            await send(message)

        return answer

    def _allowed(self, origin: bytes | None, *, public: bool) -> list[tuple[bytes, bytes]]:
        if public:
            return [(b"access-control-allow-origin", b"*")]
        if origin is None or origin.decode("latin-1").lower() not in self._access.origins:
            return []
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"Overture-Code"),
        ]


def _vary(message: Message) -> None:
    """Say that the answer is another for other origins, beside what it says already."""
    if any(name == b"vary" for name, _ in message["headers"]):
        MutableHeaders(scope=message).add_vary_header("Origin")
    else:
        message["headers"].append((b"vary", b"Origin"))


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403, "reason": refusal.sentence})
        return
    body = {"error": refusal.sentence, "code": refusal.code}
    await JSONResponse(body, refusal.status_code)(scope, receive, send)
