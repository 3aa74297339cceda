"""A world for one visitor with a clock that only the story moves: tabs, visits, agents, timers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from engine.language.syntax import Audience, Scope
from engine.runtime.admission import in_audience
from engine.runtime.outcome import Breach, Decision, Send
from engine.runtime.plan import Plan
from engine.runtime.step import next_timer, step
from engine.runtime.visitor import Visit, Visitor
from engine.runtime.witness import Witness, watched
from engine.vocabulary.events import (
    DISPOSITIONS,
    INVITATION_SHOWN,
    NOTHING,
    PAGE_ENTERED,
    PAGE_EXITED,
    VISIT_STARTED,
    Event,
    Moment,
    Tick,
)

START: Final = 1_767_225_600_000
"""When a story begins that does not say it: 2026-01-01 00:00 UTC, in ms since 1970."""

_DRAW: Final = 0.5
"""The draw of every story: pacing admits whatever is more likely than not."""

_TRIES: Final = 10_000
_ANSWERS: Final = DISPOSITIONS | {INVITATION_SHOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view of one page in a tab."""

    id: str
    url: str
    title: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that was sent: when (ms), and the URL of its page."""

    time: int
    send: Send
    url: str | None


class Onlooker(Witness, Protocol):
    """A witness that is also told when a moment is over."""

    def passes(self, visitor: Visitor) -> None:
        """All that a moment did is done; ``visitor`` is what is remembered now."""


class World:
    """What a browser and a server would make of the story, without either.

    ``sent`` and ``decisions`` grow with every step; ``time`` is the clock in ms.
    """

    def __init__(self, plan: Plan, witness: Onlooker | None = None) -> None:
        self._witness = witness
        self.time = START
        self.agents: dict[str, int] = {}
        self.pacing: dict[str, float] = {}
        self.breaches: list[Breach] = []
        self.sent: list[Sent] = []
        self.decisions: list[Decision] = []
        self.visitor = Visitor.new("visitor")
        self._plan = plan
        self._tabs: list[View] = []
        self._urls: dict[str, str] = {}
        self._visits = 1
        self._begun = False
        self._facts_of_visit: dict[str, Any] = {}

    @property
    def visit(self) -> str:
        """The visit under way, or about to begin."""
        return f"visit-{self._visits}"

    # ---------------------------------------------------------------- what a story can do

    def begin_at(self, time: int) -> bool:
        """Set the clock; False when that would turn it back after something has happened."""
        if not self._begun and self._visits == 1:
            self.time = time
            return True
        if time < self.time:
            return False
        self.wait(time - self.time)
        return True

    def belong(self, arms: Sequence[tuple[Audience, bool]]) -> bool:
        """Be a visitor in (or with False out of) each audience; False when nobody can be."""
        for number in range(_TRIES):
            name = f"visitor-{number}"
            if all(in_audience(audience, name) is wanted for audience, wanted in arms):
                self.visitor = Visitor.new(name)
                return True
        return False

    def wait(self, duration: int) -> None:
        """Move the clock on; every timer fires at its own instant."""
        target = self.time + duration
        while (due := next_timer(self._plan, self.visitor)) is not None and due <= target:
            self._apply(Tick(time=due, **self._outside()))
        self.time = target
        self._apply(Tick(time=target, **self._outside()))

    def give(self, scope: Scope, fact: str, value: Any) -> None:
        """Let a fact be known before anything happens that would set it."""
        if scope == "visitor":
            visitor = self.visitor.copy()
            visitor.facts = visitor.facts | {fact: value}
            self.visitor = visitor
        elif self._begun:
            self._give_visit({fact: value})
        else:
            self._facts_of_visit[fact] = value

    def enter(self, url: str, title: str | None, data: Mapping[str, Any], *, new_tab: bool) -> None:
        """Open a page; the one before is left, unless the new one stands in a tab of its own."""
        if self._tabs and not new_tab:
            self.leave()
        view = View(id=f"page-{len(self._urls) + 1}", url=url, title=title)
        self._urls[view.id] = url
        self._tabs.append(view)
        self.happen(PAGE_ENTERED, data)

    def leave(self) -> bool:
        """Close the latest page; False when none is open."""
        if not self._tabs:
            return False
        self.happen(PAGE_EXITED, NOTHING)
        return True

    def come_back(self, duration: int) -> None:
        """Leave what is open now, and be a new visit of the same visitor after ``duration``."""
        while self.leave():
            pass
        self.wait(duration)
        self._visits += 1
        self._begun = False

    def happen(self, name: str, data: Mapping[str, Any]) -> None:
        """Let an event happen on the latest page."""
        self._begin_visit(name)
        if name in _ANSWERS:
            data = self._answering(data)
        self._apply(self._event(name, data))
        if name == PAGE_EXITED and self._tabs:
            self._tabs.pop()

    # ---------------------------------------------------------------- behind it

    def _begin_visit(self, name: str) -> None:
        """A browser announces a visit with its first event."""
        if self._begun:
            return
        self._begun = True
        if self._facts_of_visit:
            visitor = self.visitor.copy()
            visitor.visits[self.visit] = Visit(started=self.time, last=self.time)
            self.visitor = visitor
            self._give_visit(self._facts_of_visit)
            self._facts_of_visit = {}
        if name != VISIT_STARTED:
            self._apply(self._event(VISIT_STARTED, NOTHING))

    def _give_visit(self, facts: Mapping[str, Any]) -> None:
        visitor = self.visitor.copy()
        record = visitor.visits.get(self.visit)
        if record is not None:
            visitor.visits[self.visit] = replace(record, facts={**record.facts, **facts})
            self.visitor = visitor

    def _answering(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer names the invitation that it is about, as the widget in the page does."""
        view = self._tabs[-1].id if self._tabs else None
        invitation = self.visitor.invitation(self.visit, view)
        if invitation is None or any(name in data for name in invitation):
            return data
        return {**data, "id": invitation["id"]}

    def _event(self, name: str, data: Mapping[str, Any]) -> Event:
        view = self._tabs[-1] if self._tabs else None
        return Event(
            name=name,
            time=self.time,
            visitor=self.visitor.id,
            visit=self.visit,
            page=view.id if view else None,
            url=view.url if view else None,
            title=view.title if view else None,
            data=data,
            **self._outside(),
        )

    def _outside(self) -> dict[str, Any]:
        return {"agents": dict(self.agents), "pacing": dict(self.pacing), "draw": _DRAW}

    def _apply(self, moment: Moment) -> None:
        if self._witness is None:
            outcome = step(self._plan, self.visitor, moment)
        else:
            outcome = watched(self._plan, self.visitor, moment, self._witness)
        self.visitor = outcome.visitor
        if self._witness is not None:
            self._witness.passes(self.visitor)
        self.decisions.extend(outcome.decisions)
        self.breaches.extend(outcome.breaches)
        for batch in outcome.batches:
            for send in batch.sends:
                url = self._urls.get(send.page) if send.page else None
                self.sent.append(Sent(time=batch.time, send=send, url=url))
