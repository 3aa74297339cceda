"""The document of a visitor: memory of the rules, outbox, connections and known ids, moved as one.

Everything that must agree after a crash is in this one value, and `EngagementCore.advance` is the
only thing that moves it. The outbox is the delicate part, so here are its rules in one place.

* A batch of the runtime, or a REST push, becomes one entry per page addressed, in order.
* An entry has *left* as soon as a page that it is for is connected: when it is made or later.
* An entry that has not left within 30 s (half-open: at exactly 30 s it is gone) is dropped. When
  it came from a strategy the runtime takes it back, so that it counts for no limit.
* An entry that has left stays until its page acknowledged it or was exited, for a day, or until
  300 younger ones of its visit wait with it, or 1,000 younger messages of its visitor.
* An entry for every page of a visit waits for the pages that were open when it was made. When
  none of them took it, the next page to connect gets it.

Time only comes from the inputs, and never runs back for a visitor.

A document is a dict whose ``visitor`` is the live memory of the rules; ``encode`` turns it into
bytes. What is empty is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from engine.hosts import format1
from engine.hosts.contract import CONNECTIONS_OF_A_VISIT, Advance, Document, Input, Message
from engine.hosts.encoding import decode, encode
from engine.hosts.marks import MARK, SEEN, knows, mark_of, noted, run_of
from engine.hosts.pressing import pressed, unpressed
from engine.hosts.waiting import Waiting, gone, is_done, is_for, left, message_of, taken
from engine.runtime.bound import Beside
from engine.runtime.fading import Fading
from engine.runtime.library import Library
from engine.runtime.outcome import Batch, Decision, Outcome, Send
from engine.runtime.plan import Plan
from engine.runtime.road import copy_of, event_of
from engine.runtime.runs import follow
from engine.runtime.step import advance, next_timer
from engine.runtime.visitor import PAGES_OPEN, VISITS_OPEN, Visitor
from engine.vocabulary import limits
from engine.vocabulary.events import NOTHING, PAGE_EXITED, Expiry, Moment, Tick

FORMAT: Final = 2
"""The number of the format of documents; ``decode`` reads the older ones too."""
EXPIRY: Final = 30_000
"""How long (ms) a message waits for its page to connect."""
KEPT: Final = 86_400_000
"""How long (ms) a message that left waits for its acknowledgement."""
ENTRIES: Final = 300
"""How many messages of one visit wait at most."""
WAITING: Final = 1_000
"""How many messages of all visits of a visitor wait at most."""
_PLANS: Final = 4
_NEVER: Final = -1

_NAME: Final = limits.ID + 4
"""The bytes of an id with its quotes, and a comma or colon."""
_FRAME: Final = 200
"""The bytes of what else stands in the document, or in one entry: names, numbers, brackets."""

BESIDE: Final = Beside(
    messages=WAITING,
    # Its page and visit, and the pages that it waits for: those that are open or connected.
    message=_FRAME + (2 + PAGES_OPEN + CONNECTIONS_OF_A_VISIT) * _NAME,
    usual=_FRAME + 20 * MARK,
    most=_FRAME + SEEN * MARK + VISITS_OPEN * (_NAME + CONNECTIONS_OF_A_VISIT * 2 * _NAME),
)
"""What stands in the document beside the memory of the rules, without what others push."""


Decided = tuple[Mapping[str, Any], ...]
"""What was decided because of one input."""


class EngagementCore:
    """The core that engages: books decide through the runtime, the outbox carries it to pages.

    ``agents`` gives the free agents by medium; a host calls it from its own thread.
    """

    def __init__(self, library: Library, agents: Callable[[], Mapping[str, int]]) -> None:
        self._library = library
        self._agents = agents
        self._fading: dict[str, Fading] = {}

    def advance(self, visitor: str, document: Document | None, inputs: Sequence[Input]) -> Advance:
        """Apply inputs in order. Pure; raises ValueError for a kind of input it does not know."""
        draft = _Draft(self._library, visitor, document)
        decisions = draft.apply_all(inputs if isinstance(inputs, list) else list(inputs))
        return draft.finish(decisions, self._fades)

    def woken(self, now: int) -> Input:
        """Stamp a wake-up at ``now`` with the live book and the free agents."""
        agents = dict(self._agents())
        version = self._library.live.version
        return Input(kind="woken", visit="", time=now, version=version, body={"agents": agents})

    def rested(self, now: int) -> Input:
        """Stamp the request to let go of what is over at ``now``."""
        return replace(self.woken(now), kind="rested")

    def encode(self, document: Document, *, small: bool = False) -> bytes:
        """Write a document. Raises TypeError when it holds what is no JSON value."""
        visitor: Visitor = document["visitor"]
        stored: dict[str, Any] = {"format": FORMAT}
        for name in _EMPTY:
            if value := document[name]:
                stored[name] = value
        stored["visitor"] = visitor.to_json()
        raw = encode(stored)
        return pressed(raw) if small else raw

    def decode(self, raw: bytes) -> Document:
        """Read a document of this format or an older one. Raises ValueError for a newer one."""
        stored = plain(raw)
        number = stored.pop("format", 1)
        if number > FORMAT:
            raise ValueError(f"The document of a visitor has format {number}, of a newer Overture.")
        if number == 1:
            version = stored["visitor"]["version"]
            stored = format1.upgraded(stored, self._library.plan_of(version))
        document: Document = _EMPTY | stored
        return document | {"visitor": Visitor.from_json(stored["visitor"])}

    def _fades(self, plan: Plan, visitor: Visitor) -> int | None:
        fading = self._fading.get(plan.version)
        if fading is None:
            if len(self._fading) >= _PLANS:
                self._fading.clear()
            fading = self._fading[plan.version] = Fading(plan)
        return fading.at(visitor)


def plain(raw: bytes) -> dict[str, Any]:
    """The values of a stored document, whatever its format. Raises ValueError, zlib.error."""
    stored: dict[str, Any] = decode(unpressed(raw))
    return stored


def invitation_of(
    document: Document, visit: str, page: str | None, wanted: str | None = None
) -> dict[str, Any] | None:
    """The invitation with the id ``wanted``, where that visit was sent one; else the youngest to
    that page, else of that visit. What it attached travels with it.

    Keys: ``id strategy group message attach``. None when there was none.
    """
    visitor: Visitor = document["visitor"]
    return visitor.invitation(visit, page, wanted)


def outbox_after(
    document: Document, visit: str, page: str | None, offset: int = 0
) -> list[Message]:
    """Messages after ``offset`` that still wait for a page, oldest first."""
    return [
        message_of(visit, entry)
        for entry in document["outbox"].get(visit, ())
        if entry["offset"] > offset and is_for(entry, page)
    ]


class _Draft:
    """A document in the making. Lists and dicts of the old one are replaced, never changed."""

    def __init__(self, library: Library, visitor: str, document: Document | None) -> None:
        self._library = library
        old = document or {**_EMPTY, "visitor": Visitor.new(visitor)}
        self._visitor: Visitor = old["visitor"]
        self._own = False
        self._now: int = old["now"]
        self._epoch: int = old["epoch"]
        self._seen: str = old["seen"]
        self._offset: int = old["offset"]
        self._outbox: dict[str, list[Waiting]] = dict(old["outbox"])
        self._connected: dict[str, dict[str, str | None]] = dict(old["connected"])
        self._plan: Plan = library.live
        self._alive_at = _NEVER
        self._messages: list[Message] = []
        self._decisions: list[Mapping[str, Any]] = []

    def apply_all(self, inputs: list[Input]) -> tuple[Decided | None, ...]:
        """Apply inputs in order; what was decided because of each, or None for a duplicate."""
        found: list[Decided | None] = []
        while (place := len(found)) < len(inputs):
            found += self._follow(inputs, place) or [self.apply(inputs[place])]
        return tuple(found)

    def _follow(self, inputs: list[Input], place: int) -> list[Decided]:
        """Apply what comes together from there on, as ``apply`` would one by one, but in one go.

        These are new events of one visit and moment, up to the first that something was decided
        of. Nothing when something is in their way that ``apply`` has to see to.
        """
        first, plan = inputs[place], self._plan
        if self._outbox or first.epoch != self._epoch or first.version != plan.version:
            return []
        now = first.time if first.time > self._now else self._now
        self._let_go_of_ids(now)
        bodies, marks = run_of(inputs, place, self._seen)
        if not bodies:
            return []
        self._now = now
        count, outcome = follow(plan, self._owned(), bodies, first.visit, now)
        self._seen = noted(self._seen, marks[: count * MARK])
        found: list[Decided] = [()] * count
        if outcome is not None:
            found[-1] = self._came(outcome, bodies[count - 1], first.visit)
        return found

    def _came(self, outcome: Outcome, body: Mapping[str, Any], visit: str) -> Decided:
        """See to what came of an event while no message waited."""
        self._decisions = []
        self._see_to(outcome)
        if self._outbox:
            self._closed(body["eventName"], visit, body.get("pageID"))
            self._tidy()
        return tuple(self._decisions)

    def apply(self, one: Input) -> Decided | None:
        """Apply one input; return what was decided, or None for a duplicate."""
        now = one.time if one.time > self._now else self._now
        if one.version != self._plan.version:
            self._plan, self._alive_at = self._library.plan_of(one.version), _NEVER
        self._let_go_of_ids(now)
        if not self._is_new(one):
            return None
        self._decisions = []
        if one.epoch != self._epoch:
            # The process that held the connections is gone, and they with it.
            self._epoch, self._connected = one.epoch, {}
        self._now = now
        if self._outbox:
            self._expire(one.body.get("agents", NOTHING))
        if one.kind == "event":
            self._event(one)
        else:
            self._happen(one)
        if self._outbox:
            self._tidy()
        return tuple(self._decisions)

    def finish(
        self,
        decisions: tuple[tuple[Mapping[str, Any], ...] | None, ...],
        fades: Callable[[Plan, Visitor], int | None],
    ) -> Advance:
        """Make the new document and what goes with it."""
        wake_at = next_timer(self._plan, self._visitor)
        if self._outbox and (expiry := self._next_expiry()) is not None:
            wake_at = expiry if wake_at is None else min(wake_at, expiry)
        rest_at = self._rest_at(fades)
        is_over = rest_at is not None and rest_at <= self._now
        return Advance(
            document=None if is_over else self._document(),
            wake_at=wake_at,
            rest_at=None if is_over else rest_at,
            messages=tuple(self._messages),
            decisions=decisions,
        )

    def _document(self) -> Document:
        return {
            "visitor": self._visitor,
            "now": self._now,
            "epoch": self._epoch,
            "seen": self._seen,
            "offset": self._offset,
            "outbox": self._outbox,
            "connected": self._connected,
        }

    def _rest_at(self, fades: Callable[[Plan, Visitor], int | None]) -> int | None:
        """When something can be let go of: visits, or (not after now) all there is."""
        if self._visitor.visits:
            last = max([visit.last for visit in self._visitor.visits.values()])
            return max(last + self._plan.visit_expiry, self._now + 1)
        if self._connected:
            return self._now + self._plan.visit_expiry
        # Offsets count on, for cursors and the ids of pushed messages are made of them.
        return None if self._offset else fades(self._plan, self._visitor)

    def _let_go_of_ids(self, now: int) -> None:
        if self._seen and now != self._alive_at and self._is_silent(now):
            self._seen = ""

    def _is_silent(self, now: int) -> bool:
        """Are all visits over? Then no page is left that could repeat an input."""
        heard_of = now - self._plan.visit_expiry
        for visit in self._visitor.visits.values():
            if visit.last > heard_of:
                # It stays alive at that time, whatever comes: most inputs of a submit have one.
                self._alive_at = now
                return False
        return True

    def _is_new(self, one: Input) -> bool:
        """Note the id of an input; False when it is known already."""
        if one.id is None:
            return True
        mark = mark_of(one.visit, one.id)
        if knows(self._seen, mark):
            return False
        self._seen = noted(self._seen, mark)
        return True

    def _happen(self, one: Input) -> None:
        """What is no event; most inputs are one, and go the short way."""
        body = one.body
        match one.kind:
            case "connected":
                self._tick(body)
                self._connect(one.visit, body["connection"], body["page"])
            case "disconnected":
                self._tick(body)
                self._disconnect(one.visit, body["connection"])
            case "acknowledged":
                self._tick(body)
                self._acknowledge(one.visit, body["page"], body["offset"])
            case "pushed":
                self._tick(body)
                self._push(one.visit, body["notifications"])
            case "woken":
                self._tick(body)
            case "rested":
                self._rest(body)
            case _:
                raise ValueError(f"No input is of kind {one.kind!r}.")

    # ------------------------------------------------------------------ deciding

    def _event(self, one: Input) -> None:
        event = event_of(one.body, self._visitor.id, one.visit, self._now)
        self._step(event)
        self._closed(event.name, event.visit, event.page)

    def _closed(self, name: str, visit: str, page: str | None) -> None:
        if self._outbox and name == PAGE_EXITED:
            self._leave(visit, page)

    def _tick(self, body: Mapping[str, Any]) -> None:
        due = next_timer(self._plan, self._visitor)
        if due is not None and due <= self._now:
            self._step(Tick(time=self._now, agents=body.get("agents", NOTHING)))

    def _rest(self, body: Mapping[str, Any]) -> None:
        """End the visits that are over, as the next event would, under the book that they met."""
        due = next_timer(self._plan, self._visitor)
        if due is None or due > self._now:
            self._plan, self._alive_at = self._library.plan_of(self._visitor.version), _NEVER
            self._step(Tick(time=self._now, agents=body.get("agents", NOTHING)))
            if not self._visitor.visits:
                self._seen = ""

    def _expire(self, agents: Mapping[str, int]) -> None:
        """Take back what never left, instant by instant, each after the timers before it."""
        while (instant := self._next_expiry()) is not None and instant <= self._now:
            timer = next_timer(self._plan, self._visitor)
            if timer is not None and timer < instant:
                self._step(Tick(time=instant - 1, agents=agents))
                timer = next_timer(self._plan, self._visitor)
            sends = self._drop_expired(instant)
            if sends:
                # A step fires the timers of its own instant first, but at exactly 30 s the
                # message is gone already: then it goes as the last thing before that instant.
                self._step(Expiry(time=instant - (timer == instant), sends=sends))

    def _drop_expired(self, instant: int) -> tuple[str, ...]:
        sends: list[str] = []
        for visit, entries in list(self._outbox.items()):
            kept = []
            for entry in entries:
                if entry["left"] or entry["expires"] > instant:
                    kept.append(entry)
                elif entry["strategy"]:
                    sends += entry["ids"]
            self._keep(visit, kept)
        return tuple(sends)

    def _next_expiry(self) -> int | None:
        waiting = (e for entries in self._outbox.values() for e in entries if not e["left"])
        return min((entry["expires"] for entry in waiting), default=None)

    def _step(self, moment: Moment) -> None:
        self._see_to(advance(self._plan, self._owned(), moment))

    def _owned(self) -> Visitor:
        if not self._own:
            # Copied once for all inputs, and moved in place from then on.
            self._visitor, self._own = copy_of(self._visitor), True
        return self._visitor

    def _see_to(self, outcome: Outcome) -> None:
        if outcome.decisions:
            self._decisions += map(_decision, outcome.decisions)
        for batch in outcome.batches:
            self._post(batch)

    # ------------------------------------------------------------------ outbox

    def _post(self, batch: Batch) -> None:
        by_page: dict[str | None, list[Send]] = {}
        for send in batch.sends:
            by_page.setdefault(send.page, []).append(send)
        for page, sends in by_page.items():
            payload = batch._replace(sends=tuple(sends)).payload()
            ids = [send.id for send in sends]
            # One array leaves or expires as a whole: it may stay as long as any message in it.
            valid_for = max(send.valid_for for send in sends)
            self._put(batch.visit, page, ids, payload, strategy=True, valid_for=valid_for)

    def _push(self, visit: str, notifications: Iterable[Mapping[str, Any]]) -> None:
        by_page: dict[str | None, list[dict[str, Any]]] = {}
        for one in notifications:
            page = one.get("page")
            wire = {"page": page, "channel": one["channel"], "data": one["data"]}
            by_page.setdefault(page, []).append(wire)
        for page, wires in by_page.items():
            ids = [f"{visit}/push/{self._offset + 1}/{place}" for place in range(len(wires))]
            payload = json.dumps(wires, ensure_ascii=False)
            self._put(visit, page, ids, payload, strategy=False)

    def _put(
        self,
        visit: str,
        page: str | None,
        ids: list[str],
        payload: str,
        *,
        strategy: bool,
        valid_for: int = EXPIRY,
    ) -> None:
        self._offset += 1
        connected = set(self._connected.get(visit, {}).values())
        entry = Waiting(
            offset=self._offset,
            page=page,
            ids=ids,
            payload=payload,
            # From now on, not from a timer's due time: that may be long past after a restart.
            expires=self._now + valid_for,
            strategy=strategy,
            left=bool(connected) if page is None else page in connected,
            taken=False,
            waits_for=self._open_pages(visit, connected) if page is None else [],
        )
        self._outbox[visit] = [*self._outbox.get(visit, ()), entry]
        self._messages.append(message_of(visit, entry))

    def _open_pages(self, visit: str, connected: set[str | None]) -> list[str | None]:
        known = self._visitor.visits.get(visit)
        opened = {page for page in known.pages if page is not None} if known else set()
        return sorted(opened | connected, key=lambda page: page or "")

    def _connect(self, visit: str, connection: str, page: str | None) -> None:
        self._connected[visit] = self._connected.get(visit, {}) | {connection: page}
        entries = self._outbox.get(visit, ())
        self._keep(visit, [left(e) if e["page"] in (None, page) else e for e in entries])

    def _disconnect(self, visit: str, connection: str) -> None:
        known = self._connected.get(visit, {})
        rest = {name: page for name, page in known.items() if name != connection}
        if rest:
            self._connected[visit] = rest
        else:
            self._connected.pop(visit, None)

    def _acknowledge(self, visit: str, page: str | None, offset: int) -> None:
        kept = []
        for entry in self._outbox.get(visit, ()):
            if entry["offset"] <= offset:
                if entry["page"] is None:
                    entry = taken(entry, page)
                elif entry["page"] == page:
                    continue
            if not is_done(entry):
                kept.append(entry)
        self._keep(visit, kept)

    def _leave(self, visit: str, page: str | None) -> None:
        """A page was exited: what left for it has no use any more."""
        entries = self._outbox.get(visit, ())
        kept = [gone(e, page) for e in entries if not (e["left"] and e["page"] == page)]
        self._keep(visit, [entry for entry in kept if not is_done(entry)])

    def _tidy(self) -> None:
        """Drop what is a day old, and the oldest beyond the limit of a visit."""
        oldest = self._now - KEPT + EXPIRY
        lost: list[str] = []
        for visit, entries in list(self._outbox.items()):
            kept = [e for e in entries if not e["left"] or e["expires"] > oldest]
            while len(kept) > ENTRIES:
                left = (place for place, entry in enumerate(kept) if entry["left"])
                gone = kept.pop(next(left, 0))
                if gone["strategy"] and not gone["left"]:
                    lost += gone["ids"]
            self._keep(visit, kept)
        lost += self._crowded_out()
        if lost:
            self._step(Expiry(time=self._now, sends=tuple(lost)))

    def _crowded_out(self) -> list[str]:
        """Drop the oldest beyond the limit of a visitor; the sends among them that never left.

        A visitor may open visits without end, and each may have messages that nobody takes. The
        youngest entry stays, however many messages it holds.
        """
        waiting = sum(len(entry["ids"]) for entries in self._outbox.values() for entry in entries)
        lost: list[str] = []
        while waiting > WAITING and (oldest := self._oldest()) is not None:
            visit, gone = oldest
            waiting -= len(gone["ids"])
            self._keep(visit, [entry for entry in self._outbox[visit] if entry is not gone])
            if gone["strategy"] and not gone["left"]:
                lost += gone["ids"]
        return lost

    def _oldest(self) -> tuple[str, Waiting] | None:
        """The entry that goes first: what has left before what has not, then the oldest."""
        every = [(visit, e) for visit, entries in self._outbox.items() for e in entries]
        if len(every) < 2:
            return None
        every.sort(key=lambda one: one[1]["offset"])
        return min(every[:-1], key=lambda one: not one[1]["left"])

    def _keep(self, visit: str, entries: list[Waiting]) -> None:
        if entries:
            self._outbox[visit] = entries
        else:
            self._outbox.pop(visit, None)


_EMPTY: Final[Document] = {
    "now": 0,
    "epoch": 0,
    "seen": "",
    "offset": 0,
    "outbox": {},
    "connected": {},
}


def _decision(decision: Decision) -> dict[str, Any]:
    values = decision._asdict()
    values["sends"] = list(decision.sends)
    return values
