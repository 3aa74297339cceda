"""The host on one SQLite file: one writer thread, group commit, wake-ups, bounded queue."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.hosts.clock import CLOCK, Clock
from engine.hosts.contract import Core, Deliver, Document, Entry, Input, Overloaded, Past
from engine.hosts.courier import Courier
from engine.hosts.encoding import texts_of
from engine.hosts.inbox import Inbox, Submit
from engine.hosts.journal import Retention
from engine.hosts.store import Record, Store, explain
from engine.hosts.turn import Hot, Parcel, Turn
from engine.hosts.upkeep import Upkeep

_LOG = logging.getLogger(__name__)

_WAKES: Final = 200
"""Wake-ups in one transaction at most; inputs get their turn in between."""
_AFTER_FAILURE_MS: Final = 1_000
"""How long wake-ups rest after a transaction that failed."""
_AFTER_FAULT_MS: Final = 60_000
"""How long a visitor's wake-up rests after the core refused it."""
_TURN_S: Final = 0.02
"""How long inputs and wake-ups are applied before what they changed is committed."""
_LONGEST_PAUSE_S: Final = 1.0
"""How long the writer sleeps at most: so soon it notices that the clock was set forward."""
_AHEAD_MS: Final = 86_400_000
"""A store whose times are further ahead of the clock than this was written by a wrong clock."""
_VISITS: Final = 100_000
"""How many visits are remembered with their visitor."""

_Result = tuple["asyncio.Future[int]", "int | Exception"]


class SqliteHost:
    """Keeps visitors in the SQLite file ``path``; one server at a time may open it.

    ``queue`` bounds the inputs that wait for the disk, ``queue_bytes`` their bodies together,
    ``hot`` the documents kept in memory, ``patience`` (s) the wait for a lock that another program
    holds on the file. ``keep`` says how much of the journal
    stays. The ``clock`` goes on from where the store ends.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        queue: int = 20_000,
        queue_bytes: int = 32 * 1024 * 1024,
        hot: int = 5_000,
        patience: float = 5.0,
        keep: Retention | None = None,
        clock: Clock = CLOCK,
    ) -> None:
        self._path = Path(path)
        self._clock = clock
        self._store = Store(self._path, patience=patience)
        self._inbox = Inbox(queue, queue_bytes, clock.now)
        self._records: Hot[Record] = Hot(hot)
        self._visits: Hot[str] = Hot(_VISITS)
        self._upkeep = Upkeep(
            self._store, self._records, self._visits, keep or Retention(), clock.now
        )
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
        epoch = self._store.epoch
        bodies = texts_of([one.body for one in inputs])
        submit = Submit(
            visitor,
            [one.within(epoch) for one in inputs],
            bodies,
            sum(map(len, bodies)),
            self._loop.create_future(),
        )
        self._inbox.put(submit)
        return await submit.answer

    async def visitor_of(self, visit: str) -> str | None:
        """The visitor that a visit belongs to, or None when the visit is unknown."""
        known = self._visits.peek(visit)
        if known is not None:
            return known
        return await asyncio.to_thread(self._store.read_visitor_of, visit)

    async def peek(self, visitor: str) -> Document | None:
        """The document as last committed, or None; not to be changed."""
        known = self._records.peek(visitor)
        if known is not None:
            return known.document
        raw = await asyncio.to_thread(self._store.read_document, visitor)
        return None if raw is None else self._core.decode(raw)

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

    async def past(self, visitor: str) -> Past:
        """Everything that a replay needs, from the last trim on. All of it is read at once."""
        raw, entries = await asyncio.to_thread(self._store.read_past, visitor)
        return Past(document=None if raw is None else self._core.decode(raw), entries=entries)

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
            turn, end = self._turn(), time.monotonic() + _TURN_S
            results = self._apply(turn, submits, end)
            self._wake(turn, end)
            self._commit(turn, results)
            self._keep_up()

    def _turn(self) -> Turn:
        return Turn(self._core, self._store, self._records, self._visits)

    def _pause(self) -> float | None:
        """Seconds until the next wake-up or upkeep, None when there is none."""
        try:
            wake_at = self._store.next_wake()
            upkeep_at = self._upkeep.next()
        except sqlite3.Error:
            return _AFTER_FAILURE_MS / 1000
        if wake_at is not None:
            wake_at = max(wake_at, self._rest_until)
        next_at = min((at for at in (wake_at, upkeep_at) if at is not None), default=None)
        if next_at is None:
            return None
        return min(max(0, next_at - self._clock.now()) / 1000, _LONGEST_PAUSE_S)

    def _apply(self, turn: Turn, submits: Sequence[Submit], end: float) -> list[_Result]:
        """Apply what there is time for: nobody is answered before all of a turn is committed."""
        results: list[_Result] = []
        for one in submits:
            results.append((one.answer, self._attempt(turn, one)))
            if time.monotonic() > end:
                self._inbox.give_back(submits[len(results) :])
                break
        return results

    def _attempt(self, turn: Turn, submit: Submit) -> int | Exception:
        try:
            return turn.apply(submit)
        except Exception as problem:
            # Only this submit fails: what it would have changed was not taken into the turn.
            return explain(problem, self._path)

    def _wake(self, turn: Turn, end: float) -> None:
        """Wake who is due while there is time, one at least; the others have the next turn."""
        now = self._clock.now()
        if now < self._rest_until:
            return
        # An input that still waits was accepted before the timers after its time.
        now = min(now, self._inbox.oldest() or now)
        try:
            for visitor in self._store.due(now, _WAKES):
                self._wake_one(turn, visitor, now)
                if time.monotonic() > end:
                    break
        except sqlite3.Error as problem:
            self._rest(problem)

    def _wake_one(self, turn: Turn, visitor: str, now: int) -> None:
        try:
            turn.wake(visitor, now)
        except sqlite3.Error:
            raise
        except Exception:
            _LOG.exception("The timers of visitor %s did not fire; tried again later", visitor)
            turn.postpone(visitor, wake_at=now + _AFTER_FAULT_MS, rest_at=None)

    def _commit(self, turn: Turn, results: list[_Result]) -> None:
        try:
            if turn.records:
                self._store.write(turn.changes)
        except Exception as problem:
            self._rest(problem)
            results = [(answer, self._failure(result, problem)) for answer, result in results]
            turn.parcels.clear()
        else:
            turn.committed()
            self._records.update(turn.records)
            self._visits.update(turn.seen_visits)
        if results or turn.parcels:
            self._loop.call_soon_threadsafe(self._answer, results, turn.parcels)

    def _keep_up(self) -> None:
        """A slice of the work that nobody waits for."""
        try:
            self._upkeep.work(self._turn, busy=self._inbox.oldest() is not None)
        except Exception as problem:
            self._upkeep.pause(_AFTER_FAULT_MS)
            _LOG.error("Upkeep failed, changed nothing: %s", explain(problem, self._path))

    def _failure(self, result: int | Exception, problem: Exception) -> Exception:
        return result if isinstance(result, Exception) else explain(problem, self._path)

    def _rest(self, problem: Exception) -> None:
        _LOG.error("A transaction failed and changed nothing: %s", explain(problem, self._path))
        self._rest_until = self._clock.now() + _AFTER_FAILURE_MS

    # And this in the event loop.

    def _answer(self, results: Sequence[_Result], parcels: Sequence[Parcel]) -> None:
        for answer, result in results:
            if answer.done():
                continue  # who waited has gone; the inputs are stored all the same
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
        for visitor, messages in parcels:
            self._courier.put(visitor, messages)
