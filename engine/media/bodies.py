"""Request bodies of the media: bounded before they are parsed, one sentence when unreadable."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

BODY_AT_MOST: Final = 64 * 1024
FIELDS_AT_MOST: Final = 60
PATIENCE: Final = 30.0
"""Seconds in which a body must arrive."""

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"

M = TypeVar("M", bound=BaseModel)

# Of a body that is no form its parser writes a line that names no request; our answer says it.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


class Unreadable(Exception):
    """A body that can not become values: an HTTP status, one word and one sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


def media_type(request: Request) -> str:
    """The media type of the body without parameters, in lower case; empty when there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def bounded(request: Request) -> bytes:
    """The whole body, at most 64 kB. Raises Unreadable (400, 408, 413)."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                size += len(part)
                if size > BODY_AT_MOST:
                    raise Unreadable(413, "too-large", "The body is larger than 64 kB.")
                parts.append(part)
    except TimeoutError:
        raise Unreadable(408, "slow", f"The body took longer than {PATIENCE:g} s.") from None
    except ClientDisconnect:
        raise Unreadable(400, "cut", "The connection ended inside the body.") from None
    return b"".join(parts)


async def fields(request: Request) -> dict[str, str]:
    """Query and body (form, multipart or a flat JSON object) as texts; the body wins.

    Raises Unreadable (413, 415).
    """
    body = await bounded(request)
    kind = media_type(request)
    found: Mapping[str, Any]
    if not body.strip():
        found = {}
    elif kind == JSON:
        found = _object(body, status=415)
    elif kind == MULTIPART:
        found = await _multipart(request, body)
    elif kind in (FORM, ""):
        found = _form(body)
    else:
        raise Unreadable(415, "media-type", f"Send a form or JSON, not {kind[:60]}.")
    return texts({**request.query_params, **found})


def texts(found: Mapping[str, Any]) -> dict[str, str]:
    """Values as a form would carry them. Raises Unreadable (415) for lists, objects, too many."""
    if len(found) > FIELDS_AT_MOST:
        raise Unreadable(415, "too-many", f"More than {FIELDS_AT_MOST} values were sent.")
    return {name: _scalar(name, value) for name, value in found.items()}


def address(request: Request) -> str:
    """Where a request came from: a proxy's address where there is one; '' where none is known."""
    return request.client.host if request.client else ""


async def model(request: Request, kind: type[M], *, wrong: int = 400) -> M:
    """A JSON body as a model. Raises Unreadable (413, 415, and ``wrong`` for a wrong value)."""
    # The type is demanded, not only expected: a page of another origin can send JSON as text
    # without being asked, but this type only after the browser asked us first.
    if media_type(request) != JSON:
        raise Unreadable(415, "not-json", "The body must be JSON (Content-Type: application/json).")
    value = _object(await bounded(request), status=wrong)
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise Unreadable(wrong, "malformed", sentence(error)) from None


def sentence(error: ValidationError) -> str:
    """The first mistake of a model as one sentence that names the field."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "The body"
    context = first.get("ctx", {})
    match first["type"]:
        case "missing":
            return f"{field} is missing."
        case "string_too_long":
            return f"{field} is longer than {context['max_length']} characters."
        case "string_too_short":
            return f"{field} is empty."
        case "value_error":
            return str(context["error"])
        case _:
            return f"{field}: {first['msg'].lower()}."


def _object(body: bytes, *, status: int) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable(status, "malformed", "The body is not JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise Unreadable(status, "malformed", "The body is not a JSON object.")
    return value


def _form(body: bytes) -> Mapping[str, str]:
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_AT_MOST
        )
    except ValueError:
        raise Unreadable(415, "malformed", "The body is not a form in UTF-8.") from None
    return dict(pairs)


async def _multipart(request: Request, body: bytes) -> Mapping[str, Any]:
    async def again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    # The parser of the framework reads a request: it gets one whose body is already bounded.
    try:
        async with Request(request.scope, again).form(
            max_files=0, max_fields=FIELDS_AT_MOST, max_part_size=BODY_AT_MOST
        ) as form:
            return dict(form)
    except (MultiPartException, HTTPException, KeyError, ValueError):
        raise Unreadable(415, "malformed", "The body is not a multipart form.") from None


def _scalar(name: str, value: object) -> str:
    """One value as text, the way a form would carry it; JSON's ``false`` is ``false``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if value is None:
        return ""
    raise Unreadable(415, "malformed", f"{name[:60]} must be a text, not a list or an object.")
