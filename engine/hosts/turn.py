"""One transaction in the making: documents as they will be, on top of what is committed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from msgspec.structs import replace

from engine.hosts import checksums
from engine.hosts.contract import Advance, Core, Input, Message
from engine.hosts.encoding import encode
from engine.hosts.inbox import Submit
from engine.hosts.rows import WIDTH, Row, rows_of
from engine.hosts.store import Changes, Record, Store, held

Parcel = tuple[str, tuple[Message, ...]]

_GRAIN: Final = 600_000
"""Visitors rest at full ten minutes: most of their events then move no line of an index."""

SILENT: Final = 600_000
"""Who is silent so long (ms) is stored in few bytes; before that, the next event is likely."""

_Value = TypeVar("_Value")


class Hot(Generic[_Value]):
    """The most recently used values by key. One thread writes, others may ``peek``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[str, _Value] = OrderedDict()

    def get(self, key: str) -> _Value | None:
        """Return a value and count it as used."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def peek(self, key: str) -> _Value | None:
        """Return a value; safe from any thread."""
        return self._values.get(key)

    def update(self, values: dict[str, _Value]) -> None:
        """Put values in as the most recent, drop the oldest beyond the limit."""
        known = self._values
        known.update(values)
        for key in values:
            known.move_to_end(key)
        while len(known) > self._limit:
            known.popitem(last=False)

    def forget(self, keys: Sequence[str]) -> None:
        """Drop values."""
        for key in keys:
            self._values.pop(key, None)


class Turn:
    """Collects the changes of some submits, wake-ups and rests. ``rest_grain`` is in ms."""

    def __init__(
        self,
        core: Core,
        store: Store,
        records: Hot[Record],
        visits: Hot[str],
        rest_grain: int = _GRAIN,
    ) -> None:
        self._core = core
        self._store = store
        self._hot = records
        self._visits = visits
        self._grain = rest_grain
        self._number = store.next_number
        self._offset = store.journal.next_offset
        self.records: dict[str, Record] = {}
        self.changes = Changes()
        self.seen_visits: dict[str, str] = {}
        self.parcels: list[Parcel] = []

    def apply(self, submit: Submit) -> int:
        """Advance a visitor; return the number of new inputs. Changes nothing when it raises."""
        visitor, inputs = submit.visitor, submit.inputs
        record = self._record(visitor)
        if record and record.wake_at is not None and record.wake_at <= inputs[0].time:
            self._stamp(visitor, record, self._core.woken(inputs[0].time))
            record = self.records[visitor]
        return self._advance(visitor, record, inputs, submit.bodies)

    def wake(self, visitor: str, now: int) -> None:
        """Fire a visitor's timers, unless none is due or an input of this turn did so already."""
        record = self._record(visitor)
        if record and record.wake_at is not None and record.wake_at <= now:
            self._stamp(visitor, record, self._core.woken(now))

    def rest(self, visitor: str, now: int) -> None:
        """Let go of what is over of a visitor; before that, who is silent takes less room."""
        record = self._record(visitor)
        if record is None or record.rest_at is None or record.rest_at > now:
            return
        if record.document is None:
            self._change(visitor, record, replace(record, rest_at=None), None)
            return
        over_at = self._core.advance(visitor, record.document, ()).rest_at
        if over_at is not None and over_at > now:
            raw = self._core.encode(record.document, small=True)
            rest_at, checksum = self._grained(over_at), checksums.of_document(raw)
            silent = replace(record, rest_at=rest_at, checksum=checksum)
            self._change(visitor, record, silent, (raw,))
        else:
            self._stamp(visitor, record, self._core.rested(now))

    def postpone(self, visitor: str, *, wake_at: int | None, rest_at: int | None) -> None:
        """Keep the document as it is and move its wake-ups."""
        record = self._record(visitor)
        if record:
            wake_at = record.wake_at if wake_at is None else wake_at
            rest_at = record.rest_at if rest_at is None else rest_at
            self._change(visitor, record, replace(record, wake_at=wake_at, rest_at=rest_at), None)

    def committed(self) -> None:
        """Everything was written: the numbers that it used are taken."""
        self._store.next_number = self._number
        self._store.journal.next_offset = self._offset

    def _stamp(self, visitor: str, record: Record, one: Input) -> None:
        one = one.within(self._store.epoch)
        self._advance(visitor, record, [one], [encode(dict(one.body)).decode()])

    def _advance(
        self,
        visitor: str,
        record: Record | None,
        inputs: list[Input],
        bodies: list[str],
    ) -> int:
        advance = self._core.advance(visitor, record.document if record else None, inputs)
        entry = record.entry if record else 0
        values = rows_of(self._offset, entry, visitor, inputs, bodies, advance.decisions)
        if not values:
            return 0
        entry = values[-WIDTH]
        # Nothing is expected of who rests; of all others, until they have been silent for a while.
        rests, rest_at = inputs[-1].kind == "rested", advance.rest_at
        if rest_at is not None and not rests:
            rest_at = min(rest_at, inputs[-1].time + SILENT)
        raw = self._encoded(advance, small=rests or rest_at is None)
        number = record.number if record else self._number
        noted = ""
        for one in inputs:
            if one.visit != noted:
                noted = one.visit
                self._note_visit(noted, visitor, number)
        after = self._after(number, advance, entry, rest_at, checksums.of_document(raw))
        self._change(visitor, record, after, (raw,))
        self._offset = entry + 1
        self.changes.journal += values
        if advance.messages:
            self.parcels.append((visitor, advance.messages))
        return len(values) // WIDTH

    def _encoded(self, advance: Advance, *, small: bool) -> bytes | None:
        if advance.document is None:
            return None
        return self._core.encode(advance.document, small=small)

    def _after(
        self, number: int, advance: Advance, entry: int, rest_at: int | None, checksum: int
    ) -> Record:
        # In the order of the fields: this is done for each submit, and names take longer.
        wake_at, rest_at = held(advance.wake_at), self._grained(rest_at)
        segment = self._store.journal.segment
        return Record(number, advance.document, wake_at, rest_at, entry, segment, checksum)

    def _grained(self, rest_at: int | None) -> int | None:
        return None if rest_at is None else held(-(-rest_at // self._grain) * self._grain)

    def _change(
        self, visitor: str, before: Record | None, after: Record, stored: tuple[bytes | None] | None
    ) -> None:
        """Note what becomes of a row; ``stored`` holds its new document, if that changes."""
        self.records[visitor] = after
        number, changes = after.number, self.changes
        if before is None:
            self._number = number + 1
        if before is None or number in changes.created:
            document = stored[0] if stored else changes.created[number][-2]
            changes.created[number] = _row(visitor, after, document)
            return
        checksum = _checksum(visitor, after)
        if stored:
            if before.segment < after.segment:
                changes.kept.append(number)
            changes.moved[number] = (number, stored[0], after.entry, after.segment, checksum)
        moves = before.rest_at != after.rest_at or before.wake_at != after.wake_at
        # What was marked before in this turn is written last, with its checksum.
        if moves or number in changes.marked:
            changes.marked[number] = (number, after.wake_at, after.rest_at, checksum)

    def _record(self, visitor: str) -> Record | None:
        changed = self.records.get(visitor) or self._hot.get(visitor)
        if changed is not None:
            return changed
        return self._store.load(visitor, self._core.decode)

    def _note_visit(self, visit: str, visitor: str, number: int) -> None:
        if not visit or self._visits.get(visit) is not None or visit in self.seen_visits:
            return
        owner = self._store.owner(visit)
        if owner is None:
            owner = visitor
            self.changes.visits[visit] = number
        self.seen_visits[visit] = owner


def _row(visitor: str, record: Record, document: bytes | None) -> Row:
    return (
        record.number, visitor, record.wake_at, record.rest_at, record.entry, record.segment,
        document, _checksum(visitor, record),
    )  # fmt: skip


def _checksum(visitor: str, record: Record) -> int:
    times = record.wake_at, record.rest_at
    return checksums.of_visitor(
        record.checksum, record.number, visitor, times, record.entry, record.segment
    )
