"""The checker: what the journal says, replayed from nothing, and what must be true of a visit."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.hosts.contract import Document, Entry, Message
from engine.hosts.document import EngagementCore
from engine.hosts.pressing import unpressed
from engine.hosts.store import Store
from engine.runtime.library import Library
from engine.runtime.plan import Plan
from faults.books import LATE_MS, RULES, Editor, address_of
from faults.shopper import Shopper


class EveryPlan(Library):
    """A library that keeps every plan, so that a journal of any length is decided again."""

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        super().__init__(next(iter(plans.values())))
        self._all = plans

    def plan_of(self, version: str) -> Plan:
        """The plan of a version; a version that nobody wrote is a mistake."""
        return self._all[version]


@dataclass(slots=True)
class Past:
    """What the journal holds of one visitor, and what came of it when it was decided again."""

    entries: list[Entry] = field(default_factory=list)
    messages: dict[int, Message] = field(default_factory=dict)
    document: Document | None = None
    """Before the entries, and in the end after them."""

    def decided(self) -> Iterator[tuple[Entry, Mapping[str, Any]]]:
        """Every decision, with the entry that it is of."""
        for entry in self.entries:
            for decision in entry.decisions:
                yield entry, decision

    def sent(self, strategy: str) -> list[Mapping[str, Any]]:
        """The decisions of a strategy that sent."""
        return [
            one
            for _, one in self.decided()
            if one["strategy"] == strategy and one["reason"] is None
        ]

    def expired(self) -> set[str]:
        """The messages that were taken back: their pages did not come for too long."""
        return {
            name for _, one in self.decided() if one["reason"] == "expired" for name in one["sends"]
        }


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Store]:
    """The store of a server that runs, or that has stopped, for reading."""
    store = Store(path, patience=10)
    store.open_for_reading()
    try:
        yield store
    finally:
        store.close()


def replayed(store: Store, visitor: str, plans: Mapping[str, Plan]) -> Past:
    """Decide a visitor's journal again from nothing: byte for byte the same must come of it."""
    core = EngagementCore(EveryPlan(plans), dict)
    # The document before and after: a live server may commit while the journal is read.
    while True:
        before = store.read_document(visitor)
        raw, entries = store.read_past(visitor)
        stored = store.read_document(visitor)
        if before == stored:
            break
    past = Past(entries, document=None if raw is None else core.decode(raw))
    for entry in past.entries:
        assert entry.input.version in plans, f"nobody wrote book {entry.input.version}"
        advance = core.advance(visitor, past.document, [entry.input])
        past.document = advance.document and core.decode(core.encode(advance.document))
        again, then = json.dumps(advance.decisions[0]), json.dumps(entry.decisions)
        assert again == then, f"entry {entry.offset} decided {then}, and again {again}"
        for message in advance.messages:
            assert message.offset not in past.messages
            past.messages[message.offset] = message
    # Compared as bytes, so that the order of keys and the kinds of numbers count as well.
    again = past.document and core.encode(past.document)
    assert again == (stored and unpressed(stored)), "the document is not what was decided"
    return past


def check(past: Past, shopper: Shopper, editor: Editor) -> None:
    """Everything that is promised of one visit and its page."""
    _check_events(past, shopper)
    check_visit(past, shopper.visit, editor.editions)
    _check_frames(past, shopper)


def check_visit(past: Past, visit: str, editions: Mapping[str, int]) -> None:
    """What its events must cause was caused once, in time, by the book that the journal names."""
    late = {one["page"]: one["time"] for one in past.sent("Late")}
    assert late == expected_late(past), "timers: what fired, and what should have"
    assert len(past.sent("Late")) == len(late), "a timer fired twice"
    ids = [
        name
        for _, one in past.decided()
        if one["reason"] is None and one["strategy"] in RULES
        for name in one["sends"]
    ]
    assert len(ids) == len(set(ids)), "a message was decided twice"
    wanted = expected_ids(past, visit)
    assert set(ids) == wanted, f"too many {set(ids) - wanted}, too few {wanted - set(ids)}"
    _check_editions(past, editions)


def expected_late(past: Past) -> dict[str, int]:
    """Each page whose silence was long enough, and when that was: counted from the events."""
    entered: dict[str, int] = {}
    paid: dict[str, int] = {}
    now = 0
    for entry in past.entries:
        now = max(now, entry.input.time)
        body = entry.input.body
        page = body.get("pageID")
        if entry.input.kind == "event" and body["eventName"] == "PageEntered":
            entered[page] = now
        elif entry.input.kind == "event" and body["eventName"] == "Pay":
            paid.setdefault(page, now)
    due = {page: time + LATE_MS for page, time in entered.items()}
    return {page: time for page, time in due.items() if paid.get(page, time) >= time}


def expected_ids(past: Past, visit: str) -> set[str]:
    """The messages that the events of a visit must have caused."""
    names = [entry.input.body["eventName"] for entry in past.entries if entry.input.kind == "event"]
    counts = {
        "Once": min(1, names.count("Add")),
        "Thrice": names.count("Browse") // 3,
        "Late": len(expected_late(past)),
    }
    return {f"{visit}/{rule}/{n}" for rule, count in counts.items() for n in range(1, count + 1)}


def _check_events(past: Past, shopper: Shopper) -> None:
    stored = [entry.input.id for entry in past.entries if entry.input.kind == "event"]
    assert stored == [str(n) for n in range(1, len(stored) + 1)], f"twice or in disorder: {stored}"
    assert stored[: len(shopper.accepted)] == shopper.accepted, "an accepted event was lost"


def _check_editions(past: Past, editions: Mapping[str, int]) -> None:
    """Each message is of the edition that the journal names for its decision."""
    edition_of = {
        name: editions[entry.input.version]
        for entry, one in past.decided()
        for name in one["sends"]
        if one["reason"] is None and one["strategy"] in RULES
    }
    for message in past.messages.values():
        addresses = [one["data"]["url"] for one in json.loads(message.payload)]
        for name, address in zip(message.ids, addresses, strict=True):
            if name in edition_of:
                assert address == address_of(edition_of[name])


def _check_frames(past: Past, shopper: Shopper) -> None:
    offsets = [frame.offset for frame in shopper.frames]
    assert offsets == sorted(set(offsets)), f"a page got a message twice or in disorder: {offsets}"
    for frame in shopper.frames:
        message = past.messages[frame.offset]
        assert frame.ids == message.ids
        assert f'"notifications": {message.payload}}}' in frame.text, "byte for byte"
    mine = {
        name
        for message in past.messages.values()
        if message.page == shopper.main
        for name in message.ids
    }
    got = shopper.received()
    assert got <= mine, "a message of another page"
    assert mine - got <= past.expired(), f"never arrived: {mine - got - past.expired()}"
