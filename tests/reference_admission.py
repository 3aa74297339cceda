"""Admission of the reference: "Admission" in engine/runtime/README.md, check after check.

Each check gives the reason why a send does not pass, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reference_calendar import is_active, is_open
from reference_past import Past, Sent

from engine.language.syntax import Book, Limit, Strategy
from engine.runtime.admission import in_audience

Breaks = Callable[[list[Sent]], bool]
"""Whether the last of some sends of this moment completes an enforced guarantee."""


def standing(strategy: Strategy, book: Book, time: int, visitor: str) -> str | None:
    """Whether the strategy sends at all: `active`, `hours`, `audience`."""
    if strategy.active is not None and not is_active(strategy.active, time, book.zone):
        return "inactive"
    if strategy.hours is not None and not is_open(book.hours[strategy.hours], time, book):
        return "hours"
    if strategy.audience is not None and not in_audience(strategy.audience, visitor):
        return "audience"
    return None


def refusal(
    new: Sent, own: list[Sent], others: list[Sent], past: Past, book: Book, breaks: Breaks
) -> str | None:
    """The first failing check without the other rules' sends of this moment, then with them."""
    alone = _failing(new, own, past, book, breaks)
    if alone is None and _failing(new, [*others, *own], past, book, breaks) is not None:
        return "lower-priority"
    return alone


def _failing(new: Sent, step: list[Sent], past: Past, book: Book, breaks: Breaks) -> str | None:
    """One at a time, the limits of the group, those of the strategy, enforced guarantees."""
    sends = [*past.sends(), *step]
    time, visit = new.entry.time, new.entry.visit
    own = [s for s in sends if s.send.strategy == new.send.strategy]
    limited = [(limit, own) for limit in book.strategies[new.send.strategy].limits]
    if new.send.group is not None:
        group = book.groups[new.send.group]
        rivals = [s for s in sends if s.send.group == group.name]
        if group.one_at_a_time and any(
            s.entry.visit == visit and past.waits(s, time) for s in rivals
        ):
            return "one-at-a-time"
        limited += [(limit, rivals) for limit in group.limits]
    if any(_full(limit, new, counted) for limit, counted in limited):
        return "limit"
    return "guarantee" if breaks([*step, new]) else None


def _full(limit: Limit, new: Sent, sends: Sequence[Sent]) -> bool:
    """A limit counts sends before this one; one that is exactly D old no longer counts."""
    counted = [
        sent
        for sent in sends
        if limit.duration is None or new.entry.time - sent.entry.time < limit.duration
    ]
    if limit.scope in ("page", "visit"):
        here = (new.entry.visit, new.entry.life)
        counted = [sent for sent in counted if (sent.entry.visit, sent.entry.life) == here]
    if limit.scope != "page":
        return len(counted) >= limit.count
    # What went to every page counts on each page; and none of those it goes to may be full.
    return any(
        sum(sent.every_page or sent.entry.page == send.page for sent in counted) >= limit.count
        for send in new.sends
    )
