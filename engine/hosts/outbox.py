"""The outbox of a stored document beside the journal: what waits was decided, and nothing is gone.

This needs no book. So it holds for visitors of whom an older book decided, too, whose journal can
not be decided again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.hosts.contract import Document, Entry
from engine.hosts.document import ENTRIES, KEPT
from engine.hosts.findings import HARMED, REPORT, Finding
from engine.hosts.store import past_of
from engine.vocabulary.events import PAGE_EXITED

_SURE: Final = KEPT // 2
"""How long (ms) a message certainly waits when nobody takes it."""


@dataclass(slots=True)
class _Told:
    """What the journal says of messages: ``sent`` is when each was decided, None if taken back.

    ``due`` are those that nothing since then could have taken out of the outbox.
    """

    whole: bool
    sent: dict[str, int | None] = field(default_factory=dict)
    due: set[str] = field(default_factory=set)
    pushed: set[str] = field(default_factory=set)


def of_the_outbox(
    connection: sqlite3.Connection, visitor: str, document: Document
) -> Iterator[Finding]:
    """Messages wait in order, each was decided or pushed, and what must wait is there."""
    place = f"outbox of visitor {visitor}"
    outbox: dict[str, Sequence[dict[str, Any]]] = document["outbox"]
    for visit, entries in outbox.items():
        offsets = [entry["offset"] for entry in entries]
        if offsets != sorted(set(offsets)) or max(offsets) > document["offset"]:
            said = f"The messages of visit {visit} are not in the order in which they were made."
            yield Finding("outbox-out-of-order", place, said, REPORT)
    try:
        told = _told(connection, visitor)
    except HARMED:
        return  # the examination of the journal names what can not be read
    waiting = [(visit, entry) for visit, entries in outbox.items() for entry in entries]
    for visit, entry in waiting:
        strange = _strange(told, visit, entry)
        if strange:
            yield Finding("outbox-undecided", place, strange, REPORT)
    there = {name for _, entry in waiting for name in entry["ids"]}
    for name in sorted(told.due - there) if len(waiting) < ENTRIES else ():
        if document["now"] - (told.sent[name] or 0) < _SURE:
            said = f"Message {name} was decided, nobody took it, and it does not wait."
            yield Finding("outbox-lacks", place, said, REPORT)


def _strange(told: _Told, visit: str, entry: dict[str, Any]) -> str | None:
    """Say what is strange about a message that waits."""
    if not entry["strategy"]:
        if told.whole and visit not in told.pushed:
            return f"A message for visit {visit} waits that nobody pushed."
        return None
    for name in entry["ids"]:
        if name in told.sent and told.sent[name] is None:
            return f"Message {name} waits, but was taken back."
        if told.whole and name not in told.sent:
            return f"Message {name} waits, but was never decided."
    return None


def _told(connection: sqlite3.Connection, visitor: str) -> _Told:
    _, entries = past_of(connection, visitor)
    # Of a journal that was trimmed nobody knows what it said.
    query = "SELECT 1 FROM journal WHERE offset = ? AND before = 0"
    first = entries[0].offset if entries else None
    told = _Told(whole=connection.execute(query, (first,)).fetchone() is not None)
    for entry in entries:
        _hear(told, entry)
    return told


def _hear(told: _Told, entry: Entry) -> None:
    one = entry.input
    for decision in entry.decisions:
        if decision["reason"] is None:
            told.sent |= dict.fromkeys(decision["sends"], one.time)
            told.due.update(decision["sends"])
        elif decision["reason"] == "expired":
            told.sent |= dict.fromkeys(decision["sends"])
            told.due.difference_update(decision["sends"])
    left = one.kind == "event" and one.body.get("eventName") == PAGE_EXITED
    if left or one.kind in ("acknowledged", "rested"):
        told.due.clear()
    if one.kind == "pushed":
        told.pushed.add(one.visit)
