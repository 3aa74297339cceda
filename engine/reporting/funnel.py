"""The funnel: what became of every completed rule, counted. Pure; its README defines each number.

An *occasion* is one completed rule with a ``send``. It is counted once, in one cell, and all that
became of it counts there: so the parts of a report add up to the whole, and no stage is larger
than the one before it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from engine.hosts.slices import QUEUED, Decided, Told
from engine.media.started import Conversation
from engine.reporting.offering import Offering
from engine.runtime.admission import in_audience
from engine.vocabulary.events import (
    INVITATION_ACCEPTED,
    INVITATION_REJECTED,
    INVITATION_SHOWN,
    INVITATION_TIMED_OUT,
)

DIMENSIONS: Final = ("strategy", "medium", "day", "arm")
STAGES: Final = (
    "qualified",
    "refused",
    "offered",
    "shown",
    "accepted",
    "rejected",
    "timedOut",
    "unanswered",
    "started",
    "answered",
)
PATIENCE: Final = 86_400_000
"""What becomes of an invitation counts when it came within so many ms of its moment: a day."""

_ANSWERS: Final = {
    INVITATION_ACCEPTED: "accepted",
    INVITATION_REJECTED: "rejected",
    INVITATION_TIMED_OUT: "timedOut",
}
_GONE: Final = Offering()
"""A strategy that the book has no more."""
_CHECKED_BEFORE: Final = frozenset({"when", "unless", "inactive", "hours"})
"""Reasons that are found before the audience is looked at."""


class Cell(NamedTuple):
    """Where an occasion counts. ``medium`` is None when it is not known."""

    strategy: str
    medium: str | None
    day: str
    arm: str


@dataclass(slots=True, kw_only=True)
class Figures:
    """The numbers of one part: stages by name, refusals by reason."""

    stages: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, other: Figures) -> None:
        """Add another part to this one."""
        self.stages.update(other.stages)
        self.refused.update(other.refused)


class Talk(NamedTuple):
    """Where a conversation counts: by who began, which is known from its attached data."""

    medium: str
    day: str
    proactive: bool


@dataclass(slots=True, kw_only=True)
class _Offer:
    """An occasion that was sent, while something can still become of it."""

    cell: Cell
    time: int
    visit: str
    sends: tuple[str, ...]
    lost: set[str] = field(default_factory=set)
    shown: bool = False
    answer: str | None = None
    chosen: str | None = None

    @property
    def expired(self) -> bool:
        """None of its messages left in time."""
        return self.lost.issuperset(self.sends)


class Funnel:
    """Counts occasions from ``since`` to before ``until`` (ms); entries are noted in their order.

    ``started`` are the conversations of that time and of the day after; ``day`` names the day of
    a time.
    """

    def __init__(
        self,
        offerings: Mapping[str, Offering],
        started: Iterable[Conversation],
        day: Callable[[int], str],
        since: int,
        until: int,
    ) -> None:
        self.cells: dict[Cell, Figures] = {}
        self.talks: dict[Talk, Counter[str]] = {}
        self._offerings = offerings
        self._day = day
        self._since, self._until = since, until
        self._by_invitation: dict[str, list[Conversation]] = {}
        self._open: deque[_Offer] = deque()
        self._by_id: dict[str, _Offer] = {}
        self._by_visit: dict[str, list[_Offer]] = {}
        for one in started:
            self._talk(one)

    def note(self, told: Told) -> None:
        """Take the next entry of the journal."""
        if told.answer is not None:
            self._answer(told)
        for decided in told.decisions:
            if decided.reason == "expired":
                self._expire(decided)
            elif self._since <= decided.time < self._until:
                self._decide(decided, told.visitor)
        while self._open and self._open[0].time + PATIENCE + QUEUED < told.time:
            self._settle(self._open.popleft())

    def finish(self) -> None:
        """Count what was still open."""
        while self._open:
            self._settle(self._open.popleft())

    # ------------------------------------------------------------------ occasions

    def _decide(self, decided: Decided, visitor: str) -> None:
        offering = self._offerings.get(decided.strategy, _GONE)
        cell = Cell(
            decided.strategy,
            offering.medium(decided.rule),
            self._day(decided.time),
            _arm(offering, decided.reason, visitor),
        )
        if decided.reason is not None:
            self._refuse(cell, decided.reason)
            return
        offer = _Offer(cell=cell, time=decided.time, visit=decided.visit, sends=decided.sends)
        self._open.append(offer)
        self._by_visit.setdefault(decided.visit, []).append(offer)
        for name in decided.sends:
            self._by_id[name] = offer

    def _refuse(self, cell: Cell, reason: str) -> None:
        figures = self._figures(cell)
        figures.stages["qualified"] += 1
        figures.stages["refused"] += 1
        figures.refused[reason] += 1

    def _expire(self, decided: Decided) -> None:
        for name in decided.sends:
            offer = self._by_id.get(name)
            if offer is not None and decided.time < offer.time + PATIENCE:
                offer.lost.add(name)

    def _answer(self, told: Told) -> None:
        offer = self._meant(told)
        if offer is None or told.time >= offer.time + PATIENCE:
            return
        offer.shown = True
        if told.answer != INVITATION_SHOWN and offer.answer is None:
            offer.answer = _ANSWERS.get(str(told.answer))
        medium = told.data.get("medium")
        if isinstance(medium, str) and medium and offer.chosen is None:
            offer.chosen = medium

    def _meant(self, told: Told) -> _Offer | None:
        """The offer that an answer names, in its own visit; without a name its youngest open."""
        name = told.data.get("id")
        if isinstance(name, str):
            offer = self._by_id.get(name)
            return offer if offer is not None and offer.visit == told.visit else None
        said = told.data.get("strategy")
        for offer in reversed(self._by_visit.get(told.visit, ())):
            fits = not isinstance(said, str) or said == offer.cell.strategy
            if fits and offer.answer is None and not offer.expired:
                return offer
        return None

    # ------------------------------------------------------------------ counting

    def _settle(self, offer: _Offer) -> None:
        talks = self._forget(offer)
        answer = offer.answer or ("accepted" if talks else None)
        if answer != "accepted":
            # Who declined and came back later began that conversation alone.
            talks = []
        if offer.expired and not (offer.shown or talks):
            self._refuse(offer.cell, "expired")
            return
        medium = talks[0].medium if talks else offer.chosen
        stages = self._figures(offer.cell._replace(medium=medium or offer.cell.medium)).stages
        stages.update(("qualified", "offered"))
        if offer.shown or talks:
            stages.update(("shown", answer or "unanswered"))
        if talks:
            stages["started"] += 1
            stages["answered"] += any(one.answered for one in talks)

    def _forget(self, offer: _Offer) -> list[Conversation]:
        """Leave an offer behind; the conversations that came of it in time, oldest first."""
        of_visit = self._by_visit[offer.visit]
        of_visit.remove(offer)
        if not of_visit:
            del self._by_visit[offer.visit]
        found: list[Conversation] = []
        for name in offer.sends:
            if self._by_id.get(name) is offer:
                del self._by_id[name]
                found += self._by_invitation.get(name, ())
        return sorted(
            (one for one in found if one.time < offer.time + PATIENCE), key=lambda one: one.time
        )

    def _figures(self, cell: Cell) -> Figures:
        figures = self.cells.get(cell)
        if figures is None:
            figures = self.cells[cell] = Figures()
        return figures

    def _talk(self, one: Conversation) -> None:
        if one.invitation is not None:
            self._by_invitation.setdefault(one.invitation, []).append(one)
        if self._since <= one.time < self._until:
            where = Talk(one.medium, self._day(one.time), one.proactive)
            counted = self.talks.setdefault(where, Counter())
            counted["started"] += 1
            counted["answered"] += one.answered


def _arm(offering: Offering, reason: str | None, visitor: str) -> str:
    if reason == "audience":
        return "control"
    if offering.audience is None:
        return "everyone"
    if reason in _CHECKED_BEFORE and not in_audience(offering.audience, visitor):
        return "control"
    return "audience"
