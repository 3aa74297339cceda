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

CODE: Final = "Overture-Code"
"""The header with one word for what an answer says in English: our windows say it in the
visitor's language. The answers themselves keep the shape of GMS."""

_SAYS: Final = "_says"

REFUSALS: Final = (ValidationError, Unreadable, Unknown, Refused, Unavailable)
"""What a handler raises to refuse."""

Mistake = Callable[[int, str, str], Response]
"""A refusal from its status, its sentence and its word."""


def answer(value: Any, status: int = 200) -> JSONResponse:
    """A value as the whole answer."""
    return JSONResponse(value, status_code=status, headers={"Cache-Control": "no-store"})


def confirmation(key: str, code: str, text: str) -> dict[str, Any]:
    """A dialog that says something; ``code`` is one word for it."""
    return {"_id": key, "_action": "ConfirmationDialog", "_text": text, _SAYS: code}


def dialog(value: Mapping[str, Any]) -> JSONResponse:
    """A dialog as the whole answer, with the word for what it says in its header."""
    found = answer({name: one for name, one in value.items() if name != _SAYS})
    if _SAYS in value:
        found.headers[CODE] = value[_SAYS]
    return found


def mistake(status: int, message: str, exception: str) -> Response:
    """A refusal as version 1 says it."""
    return answer({"message": message, "exception": exception}, status)


def guarded(handler: Handler, refused: Mistake = mistake) -> Handler:
    """The handler, with every refusal in the shape of GMS: 415 for values, 404 for unknown ids."""

    async def safe(request: Request) -> Response:
        try:
            return await handler(request)
        except REFUSALS as error:
            status, said, word = refusal(error)
            found = refused(status, said, word)
            found.headers[CODE] = _code(error)
            if status == 503:
                found.headers["Retry-After"] = "2"
            return found

    return safe


def refusal(error: Exception) -> tuple[int, str, str]:
    """Status, sentence and word of one of ``REFUSALS``, whatever carries the answer."""
    match error:
        case ValidationError():
            return 415, sentence(error), "WrongValue"
        case Unreadable():
            return error.status, str(error), "WrongBody"
        case Unknown():
            return 404, str(error), "UnknownId"
        case Refused():
            status = 429 if error.code == "too-many" else 415
            return status, str(error), _EXCEPTIONS.get(error.code, "Refused")
    log.error("%s", error)
    return 503, "This is not available now: try again.", "Unavailable"


def _code(error: Exception) -> str:
    """The word by which our other media name the same refusal."""
    match error:
        case Unreadable() | Refused():
            return error.code
        case Unknown():
            return "unknown"
        case Unavailable():
            return "unavailable"
    return "malformed"


def gms_user(request: Request) -> str:
    """The optional name of the header: percent-encoded where it is more than ASCII."""
    value = unquote(request.headers.get("gms_user", ""))
    return "".join(letter for letter in value if letter.isprintable()).strip()


def root(request: Request) -> str:
    """Where this server is for who asks, without a slash at the end."""
    return str(request.base_url).rstrip("/")


Shown = Mapping[str, Any]
"""``transcriptPosition``, ``transcriptToShow``, ``chatIxnState``: what chat v1 answers."""
