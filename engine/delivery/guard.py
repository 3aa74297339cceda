"""The guard around all routes: origins and CORS for browsers, security headers on every answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.delivery.access import Access
from engine.delivery.wire import Refusal, heads_of

RESOURCES: Final = ("/frontend/resources/", "/server/resources/")
"""Tracker and widgets: public files, which pages of any origin load and sandboxed frames too."""

_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors {ancestors}"
)
Headers = list[tuple[bytes, bytes]]
NOSNIFF: Final = (b"x-content-type-options", b"nosniff")
_PUBLIC: Final[Headers] = [(b"access-control-allow-origin", b"*")]
_KNOWN: Final = 1_000
"""Origins and hosts that are remembered as admitted."""
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Overture-Token, gms_user",
    "Access-Control-Max-Age": "600",
}


class Guard:
    """ASGI middleware; a refused origin reaches no route."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._admission = Admission(access)
        ancestors = " ".join(["'self'", *sorted(access.origins)])
        policy = _POLICY.format(ancestors=ancestors).encode()
        self._always = [
            NOSNIFF,
            (b"referrer-policy", b"same-origin"),
            (b"content-security-policy", policy),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with headers on its answer, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        heads = heads_of(scope)
        public = scope["type"] == "http" and scope["path"].startswith(RESOURCES)
        allowed, refusal = (_PUBLIC, None) if public else self._admission.of(scope, heads)
        answer = self._with_headers(send, allowed)
        asks_first = scope["type"] == "http" and scope["method"] == "OPTIONS"
        if refusal is not None:
            await _refuse(refusal, scope, receive, answer)
        elif asks_first and b"origin" in heads and not public:
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, answer)
        else:
            await self._app(scope, receive, answer)

    def _with_headers(self, send: Send, allowed: Headers) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._always, *allowed]
                if allowed is not _PUBLIC:
                    _vary(message)
            await send(message)

        return answer


class Admission:
    """Origins are looked at once: a page sends the same two headers with each request."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._known: dict[tuple[bytes | None, bytes | None], Headers] = {}

    def of(self, scope: Scope, heads: Mapping[bytes, bytes]) -> tuple[Headers, Refusal | None]:
        """The headers that let the page of this origin read the answer; why it is refused."""
        origin, host = heads.get(b"origin"), heads.get(b"host")
        known = self._known.get((origin, host))
        if known is not None:
            return known, None
        if origin is None:
            return [], None
        try:
            self._access.admits(HTTPConnection(scope))
        except Refusal as refusal:
            return [], refusal
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[origin, host] = known = self._allowed(origin)
        return known, None

    def _allowed(self, origin: bytes) -> Headers:
        if origin.decode("latin-1").lower() not in self._access.origins:
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
