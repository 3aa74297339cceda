"""What happened in a visit, for agents and for our own desk: read from the journal of the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from engine.delivery import wire
from engine.delivery.access import Access
from engine.delivery.ingest import refusing
from engine.hosts.contract import Entry, Host
from engine.vocabulary.person import name_of

YOUNGEST: Final = 2_000
"""Journal entries of a visitor that are looked at."""

_OWN: Final = frozenset({"agents", "pageID"})
"""Kept with an event for replay, or given under another name."""


class Histories:
    """Reads visits from the host. Every method may raise Refusal 503."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def events(self, visit: str) -> list[dict[str, Any]]:
        """Give the events of a visit, oldest first, each with the decisions it led to.

        What a timer decided stands with the event before it; every decision has its own time.
        """
        visitor = await self._visitor_of(visit)
        return await self._events(visitor, visit) if visitor else []

    async def visit(self, visit: str) -> dict[str, Any] | None:
        """Give a visit with its pages, or None when no event of it was stored."""
        visitor = await self._visitor_of(visit)
        if visitor is None:
            return None
        events = await self._events(visitor, visit)
        return {
            "visitID": visit,
            "globalVisitID": visitor,
            "started": events[0]["serverTimestamp"] if events else None,
            "lastEvent": events[-1]["serverTimestamp"] if events else None,
            "events": len(events),
            "pages": pages_of(events),
        }

    async def earlier(self, visit: str) -> list[dict[str, Any]]:
        """Give the other visits of the same visitor, the youngest first, each in a few words."""
        visitor = await self._visitor_of(visit)
        if visitor is None:
            return []
        with refusing():
            entries = await self._host.history(visitor=visitor, limit=YOUNGEST)
        events: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.input.kind == "event" and entry.input.visit != visit:
                events.setdefault(entry.input.visit, []).append(entry)
        found = [_in_short(name, of_visit) for name, of_visit in events.items()]
        return sorted(found, key=lambda one: one["started"], reverse=True)

    async def name(self, visit: str) -> str | None:
        """What a visit has said that its person is called, or None. Nothing proves it."""
        with refusing():
            entries = await self._host.history(visit=visit, limit=YOUNGEST)
        bodies = (entry.input.body for entry in entries if entry.input.kind == "event")
        return name_of((body["eventName"], body.get("data") or {}) for body in bodies)

    async def _visitor_of(self, visit: str) -> str | None:
        with refusing():
            return await self._host.visitor_of(visit)

    async def _events(self, visitor: str, visit: str) -> list[dict[str, Any]]:
        # Wake-ups are the visitor's, and what they decided says of which visit it is.
        found: list[dict[str, Any]] = []
        with refusing():
            entries = await self._host.history(visitor=visitor, limit=YOUNGEST)
        for entry in entries:
            if entry.input.kind == "event" and entry.input.visit == visit:
                found.append(_event(entry))
            elif found:
                decided = (one for one in entry.decisions if one.get("visit") == visit)
                found[-1]["decisions"].extend(decided)
        return found


def pages_of(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the pages of a visit's events in the order in which they were first seen."""
    pages: dict[str, dict[str, Any]] = {}
    for event in events:
        name = event["browserPageID"]
        if name is None:
            continue
        entered = event["serverTimestamp"]
        page = pages.setdefault(
            name, {"pageID": name, "url": None, "title": None, "entered": entered, "exited": None}
        )
        page["url"] = page["url"] or event["url"]
        page["title"] = page["title"] or event["title"]
        page["exited"] = entered if event["eventName"] == "PageExited" else None
    return list(pages.values())


def _in_short(visit: str, entries: Sequence[Entry]) -> dict[str, Any]:
    pages = {entry.input.body.get("pageID") for entry in entries} - {None}
    sent = [one for entry in entries for one in entry.decisions if one["reason"] is None]
    return {
        "visitID": visit,
        "started": entries[0].input.time,
        "lastEvent": entries[-1].input.time,
        "events": len(entries),
        "pages": len(pages),
        "invitations": sum(len(one["sends"]) for one in sent if one["visit"] == visit),
        "url": next((url for one in reversed(entries) if (url := one.input.body.get("url"))), None),
    }


def _event(entry: Entry) -> dict[str, Any]:
    body = entry.input.body
    others = {name: value for name, value in body.items() if name not in _OWN}
    documented = {
        "eventName": body.get("eventName"),
        "eventType": body.get("eventType"),
        "eventID": body.get("eventID"),
        "timestamp": body.get("timestamp"),
        "serverTimestamp": entry.input.time,
        "visitID": entry.input.visit,
        "browserPageID": body.get("pageID"),
        "globalVisitID": entry.visitor,
        "url": body.get("url"),
        "title": body.get("title"),
        "category": body.get("category"),
        "data": body.get("data") or {},
        "decisions": list(entry.decisions),
    }
    return {**others, **documented}


class HistoryDoor:
    """``GET /server/data/visits/{visitId}`` and ``.../events``, with API authority."""

    def __init__(self, histories: Histories, access: Access) -> None:
        self._histories = histories
        self._access = access

    async def visit(self, request: Request) -> JSONResponse:
        """Answer one visit. Raises Refusal 401, 403, 404."""
        return JSONResponse(await self._found(request))

    async def events(self, request: Request) -> JSONResponse:
        """Answer the events of one visit. Raises Refusal 401, 403, 404."""
        found = await self._found(request)
        return JSONResponse(await self._histories.events(found["visitID"]))

    async def _found(self, request: Request) -> dict[str, Any]:
        self._access.require_authority(request)
        name = wire.visit_id(request.path_params["visit"])
        found = await self._histories.visit(name)
        if found is None:
            raise wire.unknown_visit(name)
        return found
