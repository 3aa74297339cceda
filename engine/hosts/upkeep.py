"""Upkeep: visitors come to rest and the journal is trimmed, in slices between the commits."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from typing import Final

from engine.hosts.journal import PARTS, Retention
from engine.hosts.store import Record, Store
from engine.hosts.turn import Hot, Turn

_LOG = logging.getLogger(__name__)

_SLICE_S: Final = 0.002
"""How long a slice should take: so long do submits wait for it, or a fifth of their own time."""
_SHARE: Final = 5
"""While submits wait, upkeep rests so many times as long as it worked."""
_LEAST, _MOST = 4, 1_000
"""Entries that are trimmed in one slice."""
_RESTING: Final = 50
"""Visitors who come to rest in one slice, if there is time."""
_LOOK_MS: Final = 5_000
"""How often the journal is looked at."""
_AFTER_FAULT_MS: Final = 3_600_000


class Upkeep:
    """Belongs to the writer thread, which calls ``work`` after each turn, and at ``next``.

    Slices need no sync: what is lost of them with the power is done again.
    """

    def __init__(
        self,
        store: Store,
        records: Hot[Record],
        visits: Hot[str],
        keep: Retention,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._records = records
        self._visits = visits
        self._keep = keep
        self._clock = clock
        self._amount = 100
        self._trimmed_at: int | None = None
        self._trimming = True
        self._look_at = 0
        self._not_before = 0.0
        self._paused_until = 0

    def next(self) -> int | None:
        """When there is something to do if nothing happens, in ms. Raises sqlite3.Error."""
        rest_at = self._store.next_rest()
        look_at = 0 if self._trimming else self._look_at
        return max(self._paused_until, min(look_at, look_at if rest_at is None else rest_at))

    def pause(self, duration: int) -> None:
        """Do nothing for so many ms."""
        self._paused_until = self._clock() + duration

    def work(self, turn: Callable[[], Turn], *, busy: bool) -> None:
        """Do a slice. Raises what the store raises."""
        self._store.begin_log_anew()
        now, begun = self._clock(), time.monotonic()
        if now < self._paused_until or (busy and begun < self._not_before):
            return
        self._let_rest(turn, now, begun + _SLICE_S / 2)
        self._trim_timed(now)
        ended = time.monotonic()
        self._not_before = ended + _SHARE * (ended - begun)

    def _trim_timed(self, now: int) -> None:
        """Trim some, and learn how much of it fits into half a slice.

        But more goes than came meanwhile, however long that takes: on a machine where a slice is
        spent on waiting, the journal would grow beyond its bounds else.
        """
        begun, written = time.monotonic(), self._store.journal.next_offset
        came = written - (self._trimmed_at or written)
        amount = max(self._amount, came * 5 // 4)
        self._trimmed_at = written
        if self._trim(now, amount) < amount:
            return
        spent = time.monotonic() - begun
        fits = int(amount * _SLICE_S / 2 / max(spent, 1e-6))
        self._amount = max(_LEAST, min(_MOST, amount * 2, fits))

    def _let_rest(self, make: Callable[[], Turn], now: int, until: float) -> None:
        """Let visitors rest until that time, one at least; others have their turn later."""
        visitors = self._store.resting(now, _RESTING)
        if not visitors:
            return
        turn = make()
        for visitor in visitors:
            try:
                turn.rest(visitor, now)
            except sqlite3.Error:
                raise
            except Exception:
                _LOG.exception("Visitor %s did not come to rest; tried again later", visitor)
                turn.postpone(visitor, wake_at=None, rest_at=now + _AFTER_FAULT_MS)
            if time.monotonic() > until:
                break
        self._store.write(turn.changes, relaxed=True)
        turn.committed()
        self._records.update(turn.records)

    def _trim(self, now: int, amount: int) -> int:
        if now >= self._look_at or self._store.journal.is_over(now, self._keep):
            self._look_at = now + min(_LOOK_MS, self._keep.age // PARTS)
            self._trimming = self._look(now) or self._trimming
        if not self._trimming:
            return 0
        with self._store.relaxed() as cursor:
            trimmed = self._store.journal.trim(cursor, amount)
        self._records.forget(trimmed.visitors)
        self._visits.forget(trimmed.visits)
        self._trimming = trimmed.entries > 0
        return trimmed.entries

    def _look(self, now: int) -> bool:
        """End the segment when it is full, give up the oldest; is there something to remove?"""
        journal = self._store.journal
        over = journal.is_over(now, self._keep)
        with self._store.relaxed() as cursor:
            journal.note(cursor)
            number = journal.begin_next(cursor, now) if over else journal.segment
            found = journal.give_up(cursor, now, self._keep)
        if over:
            journal.enter(number, now)
        return found
