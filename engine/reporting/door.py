"""``GET /api/report`` and ``/api/report.csv``: the figures of ``overture report``, from the server.

A report is read in a thread, with a connection of its own, a short slice at a time. Between two
slices it rests for three times as long as one took: whoever waits for an answer feels little.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.delivery.wire import Refusal
from engine.language.syntax import Book
from engine.reporting.offering import Offering, offerings
from engine.reporting.report import Asked, Report, Unclear, as_json, asked_for, report
from engine.reporting.skins import funnel_csv, talks_csv

SLICE: Final = 100
"""Entries in one read: a fraction of a millisecond in which nothing else runs."""
WAITING: Final = 4
"""Reports that wait for the one being read."""
_SHORTEST: Final = 0.001
_FRESH: Final = {"Cache-Control": "no-store"}

_AGAIN: Final = {"Retry-After": "2"}

log = logging.getLogger("overture")

Authorised = Callable[[Request], None]
"""Raises HTTPException for a request without API authority."""


class Stopping(Exception):
    """The server ends, and with it the report."""


class ReportDoor:
    """The two addresses. One report is read at a time; ``stop`` ends it within a slice."""

    def __init__(self, data: Path, book: Callable[[], Book], authorised: Authorised) -> None:
        self._data = data
        self._book = book
        self._offered: tuple[str, Mapping[str, Offering]] = ("", {})
        self._authorised = authorised
        self._one = asyncio.Lock()
        self._waiting = 0
        self._stopping = False

    def routes(self) -> list[Route]:
        """Both need API authority."""
        return [
            Route("/api/report", self._json, methods=["GET"]),
            Route("/api/report.csv", self._csv, methods=["GET"]),
        ]

    def stop(self) -> None:
        """End the report that is being read."""
        self._stopping = True

    async def _json(self, request: Request) -> Response:
        return JSONResponse(as_json(await self._found(request)), headers=_FRESH)

    async def _csv(self, request: Request) -> Response:
        found = await self._found(request)
        what = "conversations" if request.query_params.get("of") == "conversations" else "funnel"
        text = talks_csv(found) if what == "conversations" else funnel_csv(found)
        named = {"Content-Disposition": f'attachment; filename="{what}.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=_FRESH | named)

    async def _found(self, request: Request) -> Report:
        self._authorised(request)
        book = self._book()
        try:
            asked = asked_for(request.query_params, book.zone)
        except Unclear as problem:
            raise Refusal(400, "malformed", str(problem)) from None
        if self._waiting > WAITING:
            raise _busy("Other reports are being read: ask again in a moment.")
        self._waiting += 1
        try:
            async with self._one:
                return await asyncio.to_thread(self._read, book, asked)
        except (OSError, sqlite3.Error) as problem:
            log.error("A report could not be read: %s", problem)
            raise Refusal(503, "store", "The figures can not be read now.", _AGAIN) from problem
        except Stopping:
            raise _busy("The server is being stopped.") from None
        finally:
            self._waiting -= 1

    def _read(self, book: Book, asked: Asked) -> Report:
        if self._offered[0] != book.version:
            self._offered = (book.version, offerings(book))
        return report(self._data, self._offered[1], asked, self._rested(), SLICE)

    def _rested(self) -> Callable[[], None]:
        began = time.perf_counter()

        def rest() -> None:
            nonlocal began
            if self._stopping:
                raise Stopping
            time.sleep(max(_SHORTEST, 3 * (time.perf_counter() - began)))
            began = time.perf_counter()

        return rest


def _busy(sentence: str) -> Refusal:
    return Refusal(503, "busy", sentence, _AGAIN)
