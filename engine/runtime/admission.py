"""Admission: which sends of a step pass, and the one reason when they do not.

All completed rules of one moment are tried in order of rank. The checks stand in the fixed order of
``outcome.Reason``; a refusal that only other rules of the same moment caused is ``lower-priority``.
Of the rows of a table the first whose guards hold is tried, and the others are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from engine.language.syntax import Audience, Limit
from engine.runtime.conditions import Scene
from engine.runtime.outcome import Decision, Reason, Send
from engine.runtime.plan import PlannedRule, PlannedSend, PlannedStrategy
from engine.runtime.visitor import Sent, Visitor
from engine.vocabulary.events import Event

Breaks = Callable[[Sequence[Sent], Sent], bool]
"""Would sending the second, after the first ones of this moment, break an enforced guarantee?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The page that a message would go to."""

    visit: str
    page: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A rule whose pattern is complete: what its guards see, and where its message would go.

    ``gone`` says that the very event closed its page. ``open_pages`` are the pages that ``to every
    page`` reaches, oldest first.
    """

    rule: PlannedRule
    scene: Scene
    target: Target | None
    open_pages: tuple[str | None, ...]
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One admitted ``send``: a message for each page it goes to, and its entry in the log."""

    sends: tuple[Send, ...]
    sent: Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What passed: offers, rules that act, and all decisions."""

    offers: tuple[Offer, ...]
    acting: tuple[Completed, ...]
    decisions: tuple[Decision, ...]


def admit(visitor: Visitor, completed: Sequence[Completed], breaks: Breaks) -> Admitted:
    """Guard and admit completed rules (in order of rank) at ``visitor.now``."""
    passed: list[Offer] = []
    acting: list[Completed] = []
    decisions: list[Decision] = []
    won: list[tuple[str, Event]] = []
    for candidate in completed:
        rule = candidate.rule
        if rule.table is not None and (rule.table, candidate.scene.event) in won:
            continue
        reason = _guard(candidate)
        if reason is None and rule.table is not None:
            won.append((rule.table, candidate.scene.event))
        own: list[Offer] = []
        if reason is None and rule.sends:
            attempt = _Attempt(visitor, candidate, [offer.sent for offer in passed], breaks)
            reason = attempt.make(own)
        if reason is None:
            acting.append(candidate)
            passed.extend(own)
        if rule.sends:
            ids = tuple(offer.sent.id for offer in own) if reason is None else ()
            decisions.append(_decision(visitor, candidate, reason, ids))
    return Admitted(offers=tuple(passed), acting=tuple(acting), decisions=tuple(decisions))


def _guard(candidate: Completed) -> Reason | None:
    rule, scene = candidate.rule, candidate.scene
    if rule.when is not None and rule.when(scene) is not True:
        return "when"
    if rule.unless is not None and rule.unless(scene) is True:
        return "unless"
    return None


def _standing(strategy: PlannedStrategy, visitor: Visitor) -> Reason | None:
    """Does the strategy send at this time, and to this visitor?"""
    if strategy.active is not None and not strategy.active(visitor.now):
        return "inactive"
    if strategy.hours is not None and not strategy.hours(visitor.now):
        return "hours"
    if strategy.audience is not None and not in_audience(strategy.audience, visitor.id):
        return "audience"
    return None


def in_audience(audience: Audience, visitor: str) -> bool:
    """Is the visitor in the share that is sent to? The same on every machine, for ever."""
    key = f"{audience.experiment}\n{visitor}".encode()
    share = int.from_bytes(blake2b(key, digest_size=8).digest(), "big") / 2**64
    return share * 100 < audience.percent


class _Attempt:
    """The sends of one rule: all of them pass, or none."""

    def __init__(
        self, visitor: Visitor, candidate: Completed, others: list[Sent], breaks: Breaks
    ) -> None:
        self._visitor = visitor
        self._candidate = candidate
        self._strategy = candidate.rule.strategy
        self._others = others
        self._breaks = breaks

    def make(self, own: list[Offer]) -> Reason | None:
        """Fill ``own`` with the rule's offers; a reason when one of them does not pass."""
        candidate, visitor = self._candidate, self._visitor
        standing = _standing(self._strategy, visitor)
        if standing is not None:
            return standing
        attach = candidate.rule.attach(candidate.scene) if candidate.rule.attach else {}
        for planned in candidate.rule.sends:
            pages = self._pages(planned)
            if candidate.target is None or not pages:
                return "page-gone"
            mine = [offer.sent for offer in own]
            offer = self._offer(planned, candidate.target, pages, mine, attach)
            reason = self._refusal(offer.sent, pages, mine, [])
            if reason is None and self._others:
                refused = self._refusal(offer.sent, pages, mine, self._others)
                reason = "lower-priority" if refused else None
            if reason is not None:
                return reason
            own.append(offer)
        return None

    def _pages(self, planned: PlannedSend) -> tuple[str | None, ...]:
        target = self._candidate.target
        if planned.every_page:
            return self._candidate.open_pages
        return (target.page,) if target and not self._candidate.gone else ()

    def _offer(
        self,
        planned: PlannedSend,
        target: Target,
        pages: tuple[str | None, ...],
        mine: list[Sent],
        attach: dict[str, object],
    ) -> Offer:
        candidate, strategy = self._candidate, self._strategy
        log = (*self._visitor.sends, *self._others, *mine)
        send = Send(
            id=_identity(strategy.name, target.visit, log),
            page=pages[0],
            channel=planned.channel,
            data=planned.data(candidate.scene),
            strategy=strategy.name,
            group=strategy.group,
            message=planned.message,
            answerable=planned.answerable,
            attach=attach,
            valid_for=strategy.valid_for,
        )
        sent = Sent(
            id=send.id,
            time=self._visitor.now,
            order=self._visitor.events,
            visit=target.visit,
            page=None if planned.every_page else send.page,
            strategy=send.strategy,
            group=send.group,
            message=send.message,
            waiting=send.answerable,
            attach=send.attach if send.answerable else None,
            valid_for=strategy.valid_for,
            every_page=planned.every_page,
            agents=candidate.scene.event.agents,
            pacing=candidate.scene.event.pacing,
            draw=candidate.scene.event.draw,
        )
        sends = tuple(replace(send, page=page) for page in pages)
        return Offer(sends=sends, sent=sent)

    def _refusal(
        self, sent: Sent, pages: Sequence[str | None], mine: list[Sent], others: list[Sent]
    ) -> Reason | None:
        visitor, strategy = self._visitor, self._strategy
        log = (*visitor.sends, *others, *mine)
        if strategy.one_at_a_time and any(
            earlier.group == strategy.group
            and earlier.visit == sent.visit
            and earlier.waits(visitor.now)
            for earlier in log
        ):
            return "one-at-a-time"
        if any(self._exhausted(Target(visit=sent.visit, page=page), log) for page in pages):
            return "limit"
        return "guarantee" if self._breaks([*others, *mine], sent) else None

    def _exhausted(self, target: Target, log: Sequence[Sent]) -> bool:
        strategy = self._strategy
        if strategy.group_limits:
            group = [sent for sent in log if sent.counts and sent.group == strategy.group]
            if any(
                _reached(self._visitor, limit, target, group) for limit in strategy.group_limits
            ):
                return True
        if strategy.limits:
            own = [sent for sent in log if sent.counts and sent.strategy == strategy.name]
            return any(_reached(self._visitor, limit, target, own) for limit in strategy.limits)
        return False


def _identity(strategy: str, visit: str, log: Sequence[Sent]) -> str:
    nth = sum(1 for sent in log if sent.visit == visit and sent.strategy == strategy)
    return f"{visit}/{strategy}/{nth + 1}"


def _reached(visitor: Visitor, limit: Limit, target: Target, log: Sequence[Sent]) -> bool:
    if limit.duration is not None:
        oldest = visitor.now - limit.duration
        log = [sent for sent in log if sent.time > oldest]
    if limit.scope != "visitor":
        visit = visitor.visits[target.visit]
        log = [sent for sent in log if sent.visit == target.visit and sent.during(visit)]
    if limit.scope == "page":
        log = [sent for sent in log if sent.every_page or sent.page == target.page]
    return len(log) >= limit.count


def _decision(
    visitor: Visitor, candidate: Completed, reason: Reason | None, sends: tuple[str, ...]
) -> Decision:
    event, target = candidate.scene.event, candidate.target
    return Decision(
        time=visitor.now,
        visit=target.visit if target else event.visit,
        page=target.page if target else event.page,
        event=event.name,
        strategy=candidate.rule.strategy.name,
        rule=candidate.rule.place,
        reason=reason,
        sends=sends,
    )
