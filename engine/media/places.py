"""How many conversations one visitor, or one address of callers whom nobody knows, may have open.

A visitor is known when the visit that a widget names has sent an event; whoever names none, or one
that was made up, is held to their address. So visitors behind one address do not take each other's
places. Kept in memory alone: an address is stored nowhere, and a restart counts them anew.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from engine.media.interactions import OPEN_PER_VISIT, Refused

VisitorOf = Callable[[str], Awaitable[str | None]]
"""The visitor of a visit, or None for one that is not known."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose places a conversation takes."""

    kind: Literal["visitor", "address"]
    name: str


async def each_visit(visit: str) -> str | None:
    """Every visit is known, and is a visitor of its own."""
    return visit


class Places:
    """The places of everybody; ``of_visitor`` and ``of_address`` are how many each has."""

    def __init__(
        self,
        visitor_of: VisitorOf = each_visit,
        *,
        of_visitor: int = OPEN_PER_VISIT,
        of_address: int = 10,
    ) -> None:
        self._visitor_of = visitor_of
        self._most = {"visitor": of_visitor, "address": of_address}
        self._taken: Counter[Holder] = Counter()
        self._holders: dict[str, Holder] = {}

    async def holder(self, visit: str | None, address: str) -> Holder | None:
        """Who asks; None where there is neither a visit that is known nor an address."""
        try:
            visitor = None if visit is None else await self._visitor_of(visit)
        except Exception:
            # A visitor who wants to talk is not refused because we can not look.
            log.exception("The visitor behind a conversation could not be found out.")
            visitor = visit
        if visitor is not None:
            return Holder("visitor", visitor)
        return Holder("address", address) if address else None

    def check(self, holder: Holder | None) -> None:
        """Raises Refused (``too-many``) when none of their places is free."""
        if holder is None or self._taken[holder] < self._most[holder.kind]:
            return
        if holder.kind == "visitor":
            raise Refused("too-many", "You have too many open chats: end one first.")
        raise Refused(
            "too-many", "Too many chats are open from your address: end one, or try again later."
        )

    @contextmanager
    def entering(self, holder: Holder | None) -> Iterator[Callable[[str], None]]:
        """A place, for as long as a conversation is being made; then ``keep(its id)`` holds it.

        Raises Refused (``too-many``).
        """
        self.check(holder)

        def keep(identity: str) -> None:
            if holder is not None and identity not in self._holders:
                self._holders[identity] = holder
                self._taken[holder] += 1

        if holder is not None:
            self._taken[holder] += 1
        try:
            yield keep
        finally:
            self._give_back(holder)

    def release(self, identity: str) -> None:
        """The conversation is over."""
        self._give_back(self._holders.pop(identity, None))

    def _give_back(self, holder: Holder | None) -> None:
        if holder is None:
            return
        self._taken[holder] -= 1
        if not self._taken[holder]:
            del self._taken[holder]
