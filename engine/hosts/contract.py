"""The contract of a host: who calls the core in order, keeps its document, and delivers.

A host knows nothing of strategies or browsers. It takes inputs for a visitor, gives them to the
core one visitor at a time and in order, stores the document that comes back together with the
journal in one transaction, keeps one wake-up per visitor, and hands over messages *after* they
are durable. Measured background: one value per visitor, time and version stamped at acceptance.
What is made for each event is a ``msgspec.Struct``: frozen like the rest, and made in a fifth of
the time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

CONNECTIONS_OF_A_VISIT: Final = 32
"""How many connections of pages of one visit are told to a host at a time."""

Document = dict[str, Any]
"""What is remembered of a visitor, as the core likes it. Only the core looks into it, and it alone
turns it into bytes and back. It is never changed in place."""


class Input(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing to apply to a visitor, stamped when it was accepted.

    ``kind`` is one of ``event``, ``connected``, ``disconnected``, ``acknowledged``, ``pushed``,
    ``woken``, ``rested``. ``id`` (unique per visit, if given) recognises duplicates. ``body`` is
    JSON. ``time`` (ms) and ``version`` (of the book) are stamped at acceptance and journalled, so
    that a replay of the journal decides the same. ``epoch`` is stamped by the host that takes it
    and grows with each start of the process: connections of an earlier epoch are gone.
    """

    kind: str
    visit: str
    time: int
    version: str
    id: str | None = None
    body: Mapping[str, Any]
    epoch: int = 0

    def within(self, epoch: int) -> Input:
        """The same input, taken in that epoch."""
        # In the order of the fields: this is done for each event, and ``replace`` takes longer.
        return Input(
            kind=self.kind,
            visit=self.visit,
            time=self.time,
            version=self.version,
            id=self.id,
            body=self.body,
            epoch=epoch,
        )


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is to be delivered to the pages of one visit: one array, at least once, in order.

    ``offset`` grows from message to message of a visit, from 1 on, with gaps, and never starts
    again; ``page`` is the page addressed (None: every page of the visit). ``payload`` is the JSON
    text of the array of notifications. ``ids`` name each of them. ``expires`` (ms) is when it is
    taken back unless its page was connected before.
    """

    visit: str
    offset: int
    page: str | None
    ids: tuple[str, ...]
    payload: str
    expires: int


class Advance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the core made of some inputs. ``wake_at`` is the next timer in ms, or None.

    ``document`` is None when nothing is to be remembered: whoever comes next under this name is
    as one who never came. ``rest_at`` is when something could be let go of, or None; a host may
    then apply ``Core.rested``, later or never, for that changes no decision. ``decisions`` has one
    place for each input, in order: what was decided because of it, or None when the input was a
    duplicate and did nothing.
    """

    document: Document | None
    wake_at: int | None
    rest_at: int | None = None
    messages: tuple[Message, ...]
    decisions: tuple[tuple[Mapping[str, Any], ...] | None, ...]


class Core(Protocol):
    """The pure heart that a host calls, and the one impure stamp for wake-ups.

    A host may call both from a thread of its own, one call at a time.
    """

    def advance(self, visitor: str, document: Document | None, inputs: Sequence[Input]) -> Advance:
        """Apply inputs in order. Pure: same document and inputs, same result."""

    def woken(self, now: int) -> Input:
        """Stamp a wake-up at ``now`` with what comes from outside, to be journalled."""

    def rested(self, now: int) -> Input:
        """Stamp the request to let go of what is over at ``now``, to be journalled."""

    def encode(self, document: Document, *, small: bool = False) -> bytes:
        """Write a document, with the number of its format. Raises TypeError, ValueError.

        ``small`` is for a visitor of whom nothing is expected soon: fewer bytes, which take longer.
        """

    def decode(self, raw: bytes) -> Document:
        """Read what this or an older ``encode`` wrote. Raises ValueError for a newer format."""


Deliver = Callable[[str, Sequence[Message]], Awaitable[None]]
"""Called after commit with (visitor, messages), in order per visit. It must not wait for a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal: an accepted input and what was decided because of it."""

    offset: int
    visitor: str
    input: Input
    decisions: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is left of a visitor's journal, oldest first, and the document that it began with."""

    document: Document | None
    entries: Sequence[Entry]


class Overloaded(Exception):
    """The host can not accept now: try again after ``retry_after`` seconds. Nothing was stored."""

    def __init__(self, reason: str, retry_after: int = 1) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Host(Protocol):
    """The door of this room; ``tests/hosts`` has the suite that every host passes."""

    @property
    def identity(self) -> str:
        """Names the store: the same after a restart, another for a store that began anew.

        A cursor that carries it is recognised as foreign when its offsets mean nothing here.
        """

    async def start(self, core: Core, deliver: Deliver) -> None:
        """Open the store, arm the wake-ups, redeliver nothing by itself.

        Raises OSError with a sentence when the store can not be opened.
        """

    async def submit(self, visitor: str, inputs: Sequence[Input]) -> int:
        """Apply inputs in order; return only when durable, with the number of new ones.

        A wake-up that is due at or before the first input's time is applied before it, as an
        input of its own. Duplicates (by ``Input.id``) are recognised and do nothing. Raises
        Overloaded, or OSError when the store failed; nothing of it is stored then, and it may be
        submitted again.
        """

    async def visitor_of(self, visit: str) -> str | None:
        """The visitor that a visit belongs to, or None when the visit is unknown."""

    async def peek(self, visitor: str) -> Document | None:
        """The document as last committed, or None when nothing is remembered."""

    async def history(
        self, *, visitor: str | None = None, visit: str | None = None, limit: int = 1000
    ) -> Sequence[Entry]:
        """Journal entries of a visitor or a visit, oldest first (the youngest ``limit``).

        A host may give fewer when they are large, never fewer than 16 MB hold.
        Wake-ups belong to the visitor (their ``visit`` is empty); with ``visit`` those are given
        that decided something for it.
        """

    async def past(self, visitor: str) -> Past:
        """Everything that a replay needs: it decides the same, and ends with the same document."""

    async def stop(self) -> None:
        """Finish what was accepted, close the store."""
