"""The host on one SQLite file: one writer thread, group commit, wake-ups, bounded queue."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Generic, TypeVar

from engine.hosts.clock import CLOCK, Clock
from engine.hosts.contract import Core, Deliver, Document, Entry, Input, Message, Overloaded
from engine.hosts.courier import Courier
from engine.hosts.store import Changes, Record, Store, explain, journal_row, visitor_row

_LOG = logging.getLogger(__name__)

_GROUP: Final = 1000
"""Inputs in one transaction at most, so that the first of them does not wait for all."""
_WAKES: Final = 200
"""Wake-ups in one transaction at most; inputs get their turn in between."""
_AFTER_FAILURE_MS: Final = 1_000
"""How long wake-ups rest after a transaction that failed."""
_AFTER_FAULT_MS: Final = 60_000
"""How long a visitor's wake-up rests after the core refused it."""
_LONGEST_PAUSE_S: Final = 1.0
"""How long the writer sleeps at most: so soon it notices that the clock was set forward."""
_AHEAD_MS: Final = 86_400_000
"""A store whose times are further ahead of the clock than this was written by a wrong clock."""
_VISITS: Final = 100_000
"""How many visits are remembered with their visitor."""

_Value = TypeVar("_Value")
_Result = tuple["asyncio.Future[int]", "int | Exception"]
_Parcel = tuple[str, tuple[Message, ...]]


@dataclass(frozen=True, slots=True)
class _Submit:
    """Inputs that wait for the writer, and who waits for them."""

    visitor: str
    inputs: Sequence[Input]
    answer: asyncio.Future[int]


class SqliteHost:
    """Keeps visitors in the SQLite file ``path``; one server at a time may open it.

    ``queue`` bounds the inputs that wait for the disk, ``hot`` the documents kept in memory,
    ``patience`` (s) the wait for a lock that another program holds on the file. The ``clock`` goes
    on from where the store ends.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        queue: int = 20_000,
        hot: int = 5_000,
        patience: float = 5.0,
        clock: Clock = CLOCK,
    ) -> None:
        self._path = Path(path)
        self._clock = clock
        self._store = Store(self._path, patience=patience)
        self._inbox = _Inbox(queue)
        self._records: _Hot[Record] = _Hot(hot)
        self._visits: _Hot[str] = _Hot(_VISITS)
        self._rest_until = 0
        self._thread: threading.Thread | None = None

    @property
    def identity(self) -> str:
        """Names the store, the same after a restart."""
        return self._store.identity

    async def start(self, core: Core, deliver: Deliver) -> None:
        """Open the file and begin to accept; overdue wake-ups fire at once. Raises OSError."""
        await asyncio.to_thread(self._store.open)
        self._set_clock(self._store.latest)
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._courier = Courier(deliver)
        self._thread = threading.Thread(target=self._write_forever, name="writer", daemon=True)
        self._thread.start()

    async def submit(self, visitor: str, inputs: Sequence[Input]) -> int:
        """Apply inputs in order; return only when durable, with the number of new ones.

        Raises Overloaded or OSError; nothing of it is stored then.
        """
        if self._thread is None:
            raise Overloaded("The host is not running: start it, or try again after its restart.")
        if not inputs:
            return 0
        stamped = [replace(one, epoch=self._store.epoch) for one in inputs]
        answer: asyncio.Future[int] = self._loop.create_future()
        self._inbox.put(_Submit(visitor, stamped, answer))
        return await answer

    async def visitor_of(self, visit: str) -> str | None:
        """The visitor that a visit belongs to, or None when the visit is unknown."""
        known = self._visits.peek(visit)
        if known is not None:
            return known
        return await asyncio.to_thread(self._store.read_visitor_of, visit)

    async def peek(self, visitor: str) -> Document | None:
        """The document as last committed; not to be changed."""
        known = self._records.peek(visitor)
        if known is not None:
            return known.document
        return await asyncio.to_thread(self._store.read_document, visitor)

    async def history(
        self, *, visitor: str | None = None, visit: str | None = None, limit: int = 1000
    ) -> Sequence[Entry]:
        """Journal entries of a visitor or a visit, oldest first (the youngest ``limit``)."""
        owner = visitor
        if owner is None and visit is not None:
            owner = await self.visitor_of(visit)
        if owner is None:
            return ()
        return await asyncio.to_thread(self._store.read_journal, owner, visit, limit)

    async def stop(self) -> None:
        """Finish what was accepted, hand it over, close the file."""
        if self._thread is None:
            return
        self._inbox.close()
        await asyncio.to_thread(self._thread.join)
        self._thread = None
        await self._courier.stop()
        await asyncio.to_thread(self._store.close)

    def _set_clock(self, latest: int) -> None:
        """Go on from where the store ends when the clock on the wall was set back meanwhile."""
        ahead = latest - self._clock.now()
        if ahead > _AHEAD_MS:
            _LOG.warning(
                "The newest input in %s is %d h ahead of the clock of this machine: timers of its"
                " visitors wait until then. Is the clock right?",
                self._path,
                ahead // 3_600_000,
            )
        elif ahead > 0:
            self._clock.not_before(latest)

    # What follows runs in the writer thread.

    def _write_forever(self) -> None:
        while (submits := self._inbox.take(self._pause())) is not None:
            turn = _Turn(self._core, self._store, self._records, self._visits)
            results = [(one.answer, self._attempt(turn, one)) for one in submits]
            self._wake(turn)
            self._commit(turn, results)

    def _pause(self) -> float | None:
        """Seconds until the next wake-up, None when there is none."""
        try:
            wake_at = self._store.next_wake()
        except sqlite3.Error:
            return _AFTER_FAILURE_MS / 1000
        if wake_at is None:
            return None
        pause = max(0, max(wake_at, self._rest_until) - self._clock.now()) / 1000
        return min(pause, _LONGEST_PAUSE_S)

    def _attempt(self, turn: _Turn, submit: _Submit) -> int | Exception:
        try:
            return turn.apply(submit.visitor, submit.inputs)
        except Exception as problem:
            # Only this submit fails: what it would have changed was not taken into the turn.
            return explain(problem, self._path)

    def _wake(self, turn: _Turn) -> None:
        now = self._clock.now()
        if now < self._rest_until:
            return
        # An input that still waits was accepted before the timers after its time.
        now = min(now, self._inbox.oldest() or now)
        try:
            for visitor in self._store.due(now, _WAKES):
                self._wake_one(turn, visitor, now)
        except sqlite3.Error as problem:
            self._rest(problem)

    def _wake_one(self, turn: _Turn, visitor: str, now: int) -> None:
        try:
            turn.wake(visitor, now)
        except sqlite3.Error:
            raise
        except Exception:
            _LOG.exception("The timers of visitor %s did not fire; tried again later", visitor)
            turn.postpone(visitor, now + _AFTER_FAULT_MS)

    def _commit(self, turn: _Turn, results: list[_Result]) -> None:
        try:
            if turn.records:
                self._store.write(turn.changes)
        except Exception as problem:
            self._rest(problem)
            results = [(answer, self._failure(result, problem)) for answer, result in results]
            turn.parcels.clear()
        else:
            self._records.update(turn.records)
            self._visits.update(turn.seen_visits)
        if results or turn.parcels:
            self._loop.call_soon_threadsafe(self._answer, results, turn.parcels)

    def _failure(self, result: int | Exception, problem: Exception) -> Exception:
        return result if isinstance(result, Exception) else explain(problem, self._path)

    def _rest(self, problem: Exception) -> None:
        _LOG.error("A transaction failed and changed nothing: %s", explain(problem, self._path))
        self._rest_until = self._clock.now() + _AFTER_FAILURE_MS

    # And this in the event loop.

    def _answer(self, results: Sequence[_Result], parcels: Sequence[_Parcel]) -> None:
        for answer, result in results:
            if answer.done():
                continue  # who waited has gone; the inputs are stored all the same
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
        for visitor, messages in parcels:
            self._courier.put(visitor, messages)


class _Turn:
    """One transaction in the making: documents as they will be, on top of what is committed."""

    def __init__(self, core: Core, store: Store, records: _Hot[Record], visits: _Hot[str]) -> None:
        self._core = core
        self._store = store
        self._hot = records
        self._visits = visits
        self.records: dict[str, Record] = {}
        self.changes = Changes()
        self.seen_visits: dict[str, str] = {}
        self.parcels: list[_Parcel] = []

    def apply(self, visitor: str, inputs: Sequence[Input]) -> int:
        """Advance a visitor; return the number of new inputs. Changes nothing when it raises."""
        self.wake(visitor, inputs[0].time)
        return self._advance(visitor, inputs)

    def wake(self, visitor: str, now: int) -> None:
        """Fire a visitor's timers, unless none is due or an input of this turn did so already."""
        record = self._record(visitor)
        if record and record.wake_at is not None and record.wake_at <= now:
            woken = replace(self._core.woken(now), epoch=self._store.epoch)
            self._advance(visitor, [woken])

    def postpone(self, visitor: str, wake_at: int) -> None:
        """Keep the document as it is and move its wake-up."""
        record = self._record(visitor)
        if record:
            self._change(visitor, Record(record.document, wake_at))

    def _advance(self, visitor: str, inputs: Sequence[Input]) -> int:
        record = self._record(visitor)
        advance = self._core.advance(visitor, record.document if record else None, inputs)
        rows = [
            journal_row(visitor, one, decisions)
            for one, decisions in zip(inputs, advance.decisions, strict=True)
            if decisions is not None
        ]
        for visit in {one.visit for one in inputs if one.visit}:
            self._note_visit(visit, visitor)
        self._change(visitor, Record(advance.document, advance.wake_at))
        self.changes.journal += rows
        if advance.messages:
            self.parcels.append((visitor, advance.messages))
        return len(rows)

    def _change(self, visitor: str, record: Record) -> None:
        self.changes.visitors[visitor] = visitor_row(visitor, record)
        self.records[visitor] = record

    def _record(self, visitor: str) -> Record | None:
        changed = self.records.get(visitor) or self._hot.get(visitor)
        return changed or self._store.load(visitor)

    def _note_visit(self, visit: str, visitor: str) -> None:
        if self._visits.get(visit) is not None or visit in self.seen_visits:
            return
        owner = self._store.owner(visit)
        if owner is None:
            owner = self.changes.visits[visit] = visitor
        self.seen_visits[visit] = owner


class _Inbox:
    """Submits on their way to the writer thread, bounded by the number of their inputs."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._closed = False
        self._waiting: deque[_Submit] = deque()
        self._changed = threading.Condition()

    def put(self, submit: _Submit) -> None:
        """Queue a submit. Raises Overloaded."""
        with self._changed:
            if self._closed:
                raise Overloaded("The server is stopping: try again after its restart.")
            if self._waiting and self._count + len(submit.inputs) > self._limit:
                raise Overloaded(f"{self._count} events wait for the disk: send them again later.")
            self._count += len(submit.inputs)
            self._waiting.append(submit)
            self._changed.notify()

    def take(self, timeout: float | None) -> list[_Submit] | None:
        """Take what waits, or nothing after ``timeout`` s; None when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout)
            if self._closed and not self._waiting:
                return None
            taken: list[_Submit] = []
            size = 0
            while self._waiting and (not taken or size + len(self._waiting[0].inputs) <= _GROUP):
                taken.append(self._waiting.popleft())
                size += len(taken[-1].inputs)
            self._count -= size
            return taken

    def oldest(self) -> int | None:
        """When the first input that waits was accepted (ms)."""
        with self._changed:
            return self._waiting[0].inputs[0].time if self._waiting else None

    def close(self) -> None:
        """Accept nothing more; what waits is still taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()


class _Hot(Generic[_Value]):
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
        for key, value in values.items():
            self._values[key] = value
            self._values.move_to_end(key)
        while len(self._values) > self._limit:
            self._values.popitem(last=False)
