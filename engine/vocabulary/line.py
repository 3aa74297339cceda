"""A line: one browser event as the wire names it, decoded from JSON into typed fields."""

from __future__ import annotations

from typing import Any

import msgspec


class Line(msgspec.Struct, gc=False):
    """One event as the wire names it. Only name, time and visit must be there."""

    eventName: str  # noqa: N815 - the names of the wire
    timestamp: int
    visitID: str  # noqa: N815
    pageID: str | None = None  # noqa: N815
    globalVisitID: str | None = None  # noqa: N815
    eventID: str | None = None  # noqa: N815
    url: str | None = None
    title: str | None = None
    languageCode: str | None = None  # noqa: N815
    category: str | None = None
    data: dict[str, Any] | None = None
