"""A third party answers: it knows nothing of us but a signed token, and no interaction is made.

The token is a JSON Web Token (HS256) that says which visit and page an accepted invitation came
from, for ten minutes. Whoever shares the secret, a bridge beside the other side's agents, can read
and trust it; a visitor can neither make one nor change it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.media.bodies import model
from engine.media.conversations import InvitationOf
from engine.media.interactions import Refused
from engine.media.web import Id, answer, guarded

VALID_FOR: Final = 600
"""Seconds: as long as the longest invitation waits for its answer."""

_HEADER: Final = {"alg": "HS256", "typ": "JWT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdParty:
    """Where the other side's page is, and the secret that its bridge shares with us."""

    url: str
    secret: bytes = field(repr=False)


class TokenBody(BaseModel):
    """Which invitation is about to be accepted, and where."""

    visit: Annotated[Id, Field(alias="visitID", min_length=1)]
    page: Annotated[Id, Field(alias="pageID", min_length=1)]
    invitation: Annotated[str, Field(min_length=1, max_length=1_000)]


class TokenDoor:
    """``POST /media/third-party``: the address of the other side with a token, for an invitation.

    Only who knows an invitation that was sent to this page of this visit is given one; nothing is
    stored, and the visit hears of nothing but the invitation's disposition.
    """

    def __init__(
        self, third: ThirdParty | None, *, invitation: InvitationOf, clock: Callable[[], int]
    ) -> None:
        self._third = third
        self._invitation = invitation
        self._clock = clock

    def routes(self) -> list[Route]:
        """The one address."""
        return [Route("/media/third-party", guarded(self._give), methods=["POST"])]

    async def _give(self, request: Request) -> Response:
        body = await model(request, TokenBody)
        if self._third is None:
            raise Refused("not-set", "No third party is set on this server.")
        known = await self._invitation(body.visit, body.page, body.invitation) or {}
        if known.get("id") != body.invitation:
            raise Refused("no-invitation", "This page was not sent this invitation.")
        claims = {
            "iss": "overture",
            "visitID": body.visit,
            "pageID": body.page,
            "webengagement": known.get("strategy", ""),
            "exp": self._clock() // 1_000 + VALID_FOR,
        }
        return answer({"url": self._third.url, "token": signed(claims, self._third.secret)})


def signed(claims: Mapping[str, Any], secret: bytes) -> str:
    """Claims as a JSON Web Token."""
    text = ".".join(_packed(json.dumps(part).encode()) for part in (_HEADER, dict(claims)))
    return f"{text}.{_packed(_mark(text, secret))}"


def claims_of(token: str, secret: bytes, now: int) -> Mapping[str, Any] | None:
    """What a token says; None where it is not ours, was changed, or is over (``now`` in ms)."""
    text, _, mark = token.rpartition(".")
    try:
        if not hmac.compare_digest(_unpacked(mark), _mark(text, secret)):
            return None
        header, _, body = text.partition(".")
        if json.loads(_unpacked(header)) != _HEADER:
            return None
        claims: Mapping[str, Any] = json.loads(_unpacked(body))
    except ValueError:
        return None
    return claims if claims["exp"] * 1_000 > now else None


def _mark(text: str, secret: bytes) -> bytes:
    return hmac.new(secret, text.encode(), hashlib.sha256).digest()


def _packed(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
