"""Events of browsers: the one address that is asked for all the time, so the short way in.

What a tracker sends is read by one typed decode, into the body that is stored. Whatever is not as
plain as that goes the long way through ``wire.events``, which knows every sentence of refusal: so
both ways accept the same and say the same, which a property holds them to. And the door is a bare
ASGI application, because the usual way to one costs more than the whole decision.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.delivery import wire
from engine.delivery.access import Access
from engine.delivery.answers import failed, refused
from engine.delivery.guard import NOSNIFF, Admission, Headers
from engine.delivery.ingest import Ingest
from engine.delivery.rates import Rates
from engine.delivery.wire import Body, Refusal
from engine.vocabulary import limits

log = logging.getLogger("overture.delivery")

_JSON: Final = (b"content-type", b"application/json")
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.ID)]
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.WORD)]
_LARGEST: Final = 2**63 - 1
_Whole = Annotated[int, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]
"""A number that a double or the database holds."""


class _Plain(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An event with the documented fields alone: those of ``wire.BrowserEvent``, in its order."""

    eventName: _Word  # noqa: N815 - the documented names of the wire
    visitID: _Id  # noqa: N815
    pageID: _Id | None = None  # noqa: N815
    globalVisitID: _Id | None = None  # noqa: N815
    eventType: _Word | None = None  # noqa: N815
    eventID: _Word | None = None  # noqa: N815
    timestamp: _Whole | float | None = None
    url: Annotated[str, msgspec.Meta(max_length=limits.URL)] | None = None
    title: Annotated[str, msgspec.Meta(max_length=limits.TITLE)] | None = None
    languageCode: Annotated[str, msgspec.Meta(max_length=limits.LANGUAGE)] | None = None  # noqa: N815
    category: Annotated[str, msgspec.Meta(max_length=limits.CATEGORY)] | None = None
    data: dict[str, str | _Whole | float | bool | None] | None = None  # nothing nested


_one: Final = msgspec.json.Decoder(_Plain).decode
_many: Final = msgspec.json.Decoder(list[_Plain]).decode
_ids_fit: Final = re.compile(r"[A-Za-z0-9._~-]+").fullmatch


def read(raw: bytes) -> list[Body]:
    """Read one event or an array of them, in the order sent. Raises Refusal 400, 413."""
    found = _plain(raw) if len(raw) <= limits.EVENT else None
    return found if found else [wire.body(event) for event in wire.events(raw)]


def _plain(raw: bytes) -> list[Body] | None:
    """Read plain events; None when anything about them is unusual, be it wrong or not."""
    try:
        events = [_one(raw)] if raw.startswith(b"{") else _many(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if len(events) > wire.MAX_EVENTS or not _are_plain(raw, events):
        return None
    bodies: list[Body] = msgspec.to_builtins(events)
    return bodies


def _are_plain(raw: bytes, events: Sequence[_Plain]) -> bool:
    """Are all ids and words of the signs that are allowed? Each is looked at once: many repeat."""
    ids: set[str | None] = set()
    for event in events:
        ids.update((event.visitID, event.pageID, event.globalVisitID))
    if not _ids_fit(_joined(ids)):
        return False
    if b"\\" not in raw and b"\x7f" not in raw:
        return True  # unescaped, JSON has no other signs that no word may have
    words: set[str | None] = set()
    for event in events:
        words.update((event.eventName, event.eventType, event.eventID))
    return _joined(words).isprintable()


def _joined(texts: set[str | None]) -> str:
    return "".join(filter(None, texts))


class EventDoor:
    """``POST /server/data/events``, as a bare ASGI application with a guard of its own.

    All answers are JSON, never a page, and none is kept by a cache: so they say nothing of what a
    page may load, nor that they vary by origin.
    """

    def __init__(self, ingest: Ingest, access: Access, rates: Rates) -> None:
        self._ingest = ingest
        self._access = access
        self._rates = rates
        self._admission = Admission(access)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check everything, store everything, then answer.

        Answers 400, 401, 403, 408, 413, 415, 429, 503 for what is refused, 500 for a fault of ours.
        """
        heads = wire.heads_of(scope)
        allowed, refusal = self._admission.of(scope, heads)
        try:
            if refusal is not None:
                raise refusal
            body = await self._taken(scope, heads, receive)
            status, head = 200, [(b"content-length", str(len(body)).encode()), _JSON]
        except HTTPException as problem:
            status, head, body = _parts(refused(problem))
        except Exception:
            log.exception("The request POST %s failed.", scope["path"])
            status, head, body = _parts(failed())
        headers = [*head, NOSNIFF, *allowed]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _taken(self, scope: Scope, heads: Mapping[bytes, bytes], receive: Receive) -> bytes:
        bodies = read(await wire.body_from(heads, receive))
        visitor = self._checked(scope, heads, bodies)
        new = await self._ingest.accept(bodies, visitor)
        return b'{"accepted":%d,"duplicates":%d}' % (new, len(bodies) - new)

    def _checked(
        self, scope: Scope, heads: Mapping[bytes, bytes], bodies: Sequence[Body]
    ) -> str | None:
        """A page may send for the one visit and visitor of its token; a system for any (None)."""
        given = heads.get(b"x-overture-token")
        token = None if given is None else given.decode("latin-1")
        if token is None:
            request = Request(scope)
            token = request.query_params.get("token")
        if token is None:
            self._access.require_authority(request)
            return None
        visit = bodies[0]["visitID"]
        same = not [body for body in bodies if body["visitID"] != visit]
        visitor = self._access.visitor(visit, token)
        if not same or visitor is None:
            sentence = "The token is not that of the visit; ask POST /server/data/visits for one."
            raise Refusal(403, "token", sentence)
        self._rates.take(visit, len(bodies))
        return visitor


def _parts(answer: Response) -> tuple[int, Headers, bytes]:
    return answer.status_code, answer.raw_headers, bytes(answer.body)
