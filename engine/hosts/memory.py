"""The host that keeps everything in memory: for tests and trials, and the contract made obvious."""

from __future__ import annotations

import asyncio
import heapq
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.hosts.clock import now_ms
from engine.hosts.contract import Core, Deliver, Document, Entry, Input, Overloaded, Past
from engine.hosts.courier import Courier

_LOG = logging.getLogger(__name__)

_EPOCH = 1
"""Nothing outlives the process, so there is one epoch."""


@dataclass(slots=True)
class _Visitor:
    """What is kept of one visitor: document, wake-up and journal."""

    document: Document | None
    wake_at: int | None
    journal: list[Entry] = field(default_factory=list)


class MemoryHost:
    """Applies each submit at once, in the caller's turn of the event loop. Forgets when it stops.

    Nothing waits here, so nothing is ever refused with ``Overloaded`` while it runs. Visitors
    never rest: everything is kept.
    """

    def __init__(self) -> None:
        self._identity = secrets.token_hex(4)
        self._core: Core | None = None
        self._courier: Courier | None = None
        self._visitors: dict[str, _Visitor] = {}
        self._visits: dict[str, str] = {}
        self._wakes: list[tuple[int, str]] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._offset = 0

    @property
    def identity(self) -> str:
        """Names the store; another for each instance."""
        return self._identity

    async def start(self, core: Core, deliver: Deliver) -> None:
        """Take the core and begin to accept."""
        self._core = core
        self._courier = Courier(deliver)

    async def submit(self, visitor: str, inputs: Sequence[Input]) -> int:
        """Apply inputs in order; return the number of new ones. Raises Overloaded when stopped."""
        if self._core is None:
            raise Overloaded("The host is not running: start it, or try again after its restart.")
        known = self._visitors.get(visitor)
        if inputs and known and known.wake_at is not None and known.wake_at <= inputs[0].time:
            self._wake(self._core, visitor, inputs[0].time)
        return self._apply(self._core, visitor, inputs) if inputs else 0

    async def visitor_of(self, visit: str) -> str | None:
        """The visitor that a visit belongs to, or None when the visit is unknown."""
        return self._visits.get(visit)

    async def peek(self, visitor: str) -> Document | None:
        """The document as last committed; not to be changed."""
        known = self._visitors.get(visitor)
        return known.document if known else None

    async def history(
        self, *, visitor: str | None = None, visit: str | None = None, limit: int = 1000
    ) -> Sequence[Entry]:
        """Journal entries of a visitor or a visit, oldest first (the youngest ``limit``)."""
        owner = visitor if visitor is not None else self._visits.get(visit or "")
        known = self._visitors.get(owner or "")
        entries = known.journal if known else []
        if visit is not None:
            entries = [entry for entry in entries if _concerns(entry, visit)]
        return entries[-limit:] if limit > 0 else []

    async def past(self, visitor: str) -> Past:
        """The whole journal of a visitor; it began with nothing."""
        known = self._visitors.get(visitor)
        return Past(document=None, entries=tuple(known.journal) if known else ())

    async def stop(self) -> None:
        """Hand over what was accepted and stop the wake-ups."""
        self._core = None
        if self._alarm is not None:
            self._alarm.cancel()
        if self._courier is not None:
            await self._courier.stop()

    def _apply(self, core: Core, visitor: str, inputs: Sequence[Input]) -> int:
        known = self._visitors.get(visitor)
        stamped = [one.within(_EPOCH) for one in inputs]
        advance = core.advance(visitor, known.document if known else None, stamped)
        if known is None:
            known = self._visitors[visitor] = _Visitor(advance.document, advance.wake_at)
        known.document, known.wake_at = advance.document, advance.wake_at
        fresh = 0
        for one, decisions in zip(stamped, advance.decisions, strict=True):
            if decisions is None:
                continue
            fresh += 1
            self._offset += 1
            known.journal.append(
                Entry(offset=self._offset, visitor=visitor, input=one, decisions=decisions)
            )
            if one.visit:
                self._visits.setdefault(one.visit, visitor)
        if advance.wake_at is not None:
            heapq.heappush(self._wakes, (advance.wake_at, visitor))
            self._arm()
        if self._courier is not None:
            self._courier.put(visitor, advance.messages)
        return fresh

    def _arm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._wakes:
            delay = max(0, self._wakes[0][0] - now_ms()) / 1000
            self._alarm = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        while self._core is not None and self._wakes and self._wakes[0][0] <= now_ms():
            wake_at, visitor = heapq.heappop(self._wakes)
            # A wake-up that moved since is in the heap a second time; only the current one counts.
            if self._visitors[visitor].wake_at == wake_at:
                self._wake(self._core, visitor, now_ms())
        self._arm()

    def _wake(self, core: Core, visitor: str, now: int) -> None:
        try:
            self._apply(core, visitor, [core.woken(now)])
        except Exception:
            _LOG.exception("The timers of visitor %s did not fire", visitor)


def _concerns(entry: Entry, visit: str) -> bool:
    if entry.input.visit:
        return entry.input.visit == visit
    return any(decision.get("visit") == visit for decision in entry.decisions)
