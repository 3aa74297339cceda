"""Answers to what is refused or failed: a sentence for people, a word for programs."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

_WORDS: Final = {
    400: "malformed",
    401: "no-token",
    403: "forbidden",
    404: "not-found",
    405: "method",
}
_SENTENCES: Final = {
    404: "There is nothing at this address.",
    405: "This address does not answer that method.",
}


def refused(refusal: HTTPException) -> JSONResponse:
    """Answer a refusal, ours or that of the framework."""
    status = refusal.status_code
    sentence = _SENTENCES.get(status, str(refusal.detail))
    sentence = getattr(refusal, "sentence", sentence)
    code = getattr(refusal, "code", _WORDS.get(status, "refused"))
    return JSONResponse({"error": sentence, "code": code}, status, refusal.headers)


def has_tag(wanted: str, tag: str) -> bool:
    """Is the tag among those of ``If-None-Match``?"""
    tags = {one.strip().removeprefix("W/") for one in wanted.split(",")}
    return "*" in tags or tag in tags


def failed() -> JSONResponse:
    """Answer when the fault is ours."""
    sentence = "The server failed on this request; its log says why."
    return JSONResponse({"error": sentence, "code": "failed"}, 500)
