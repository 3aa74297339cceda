"""A message in the outbox of a visitor, and what may become of it."""

from __future__ import annotations

from typing import TypedDict

from engine.hosts.contract import Message


class Waiting(TypedDict):
    """One message in the outbox. ``waits_for`` matters for an entry without page only."""

    offset: int
    page: str | None
    ids: list[str]
    payload: str
    expires: int
    strategy: bool
    left: bool
    taken: bool
    waits_for: list[str | None]


def message_of(visit: str, entry: Waiting) -> Message:
    """The message as a page gets it."""
    return Message(
        visit=visit,
        offset=entry["offset"],
        page=entry["page"],
        ids=tuple(entry["ids"]),
        payload=entry["payload"],
        expires=entry["expires"],
    )


def is_for(entry: Waiting, page: str | None) -> bool:
    """Does it wait for this page?"""
    if entry["page"] is not None:
        return entry["page"] == page
    return page in entry["waits_for"] or not entry["taken"]


def left(entry: Waiting) -> Waiting:
    """The entry when a page that it is for is connected."""
    return entry if entry["left"] else Waiting(**{**entry, "left": True})


def gone(entry: Waiting, page: str | None) -> Waiting:
    """The entry when it no longer waits for a page."""
    if page not in entry["waits_for"]:
        return entry
    rest = [name for name in entry["waits_for"] if name != page]
    return Waiting(**{**entry, "waits_for": rest})


def taken(entry: Waiting, page: str | None) -> Waiting:
    """The entry, for every page, when one of them acknowledged it."""
    return Waiting(**{**gone(entry, page), "left": True, "taken": True})


def is_done(entry: Waiting) -> bool:
    """Has an entry for every page reached all of them?"""
    return entry["page"] is None and entry["taken"] and not entry["waits_for"]
