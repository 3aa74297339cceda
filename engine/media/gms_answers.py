"""Answers in the shape of GMS: never cached, every refusal a sentence."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.media.bodies import Unreadable, sentence
from engine.media.interactions import Refused, Unavailable, Unknown

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
_EXCEPTIONS: Final = dict.fromkeys(("closed", "slot", "slot-full"), "CallbackExceptionAvailability")

Mistake = Callable[[int, str, str], Response]
"""A refusal from its status, its sentence and its word."""


def answer(value: Any, status: int = 200) -> JSONResponse:
    """A value as the whole answer."""
    return JSONResponse(value, status_code=status, headers={"Cache-Control": "no-store"})


def mistake(status: int, message: str, exception: str) -> Response:
    """A refusal as version 1 says it."""
    return answer({"message": message, "exception": exception}, status)


def guarded(handler: Handler, refused: Mistake = mistake) -> Handler:
    """The handler, with every refusal in the shape of GMS: 415 for values, 404 for unknown ids."""

    async def safe(request: Request) -> Response:
        try:
            return await handler(request)
        except ValidationError as error:
            return refused(415, sentence(error), "WrongValue")
        except Unreadable as error:
            return refused(error.status, str(error), "WrongBody")
        except Unknown as error:
            return refused(404, str(error), "UnknownId")
        except Refused as error:
            status = 429 if error.code == "too-many" else 415
            return refused(status, str(error), _EXCEPTIONS.get(error.code, "Refused"))
        except Unavailable as error:
            log.error("%s", error)
            late = refused(503, "This is not available now: try again.", "Unavailable")
            late.headers["Retry-After"] = "2"
            return late

    return safe


def gms_user(request: Request) -> str:
    """The optional name of the header: percent-encoded where it is more than ASCII."""
    value = unquote(request.headers.get("gms_user", ""))
    return "".join(letter for letter in value if letter.isprintable()).strip()


def root(request: Request) -> str:
    """Where this server is for who asks, without a slash at the end."""
    return str(request.base_url).rstrip("/")


Shown = Mapping[str, Any]
"""``transcriptPosition``, ``transcriptToShow``, ``chatIxnState``: what chat v1 answers."""
