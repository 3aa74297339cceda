"""Admission: which sends of a step pass, and the one reason when they do not.

All completed rules of one moment are tried in order of rank. The checks stand in the fixed order of
``outcome.Reason``; a refusal that only other rules of the same moment caused is ``lower-priority``.
Of the rows of a table the first whose guards hold is tried, and the others are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from engine.language.syntax import Audience, Limit
from engine.runtime.ledger import Ledger, ledger_of
from engine.runtime.outcome import Decision, Reason, Send
from engine.runtime.planned import PlannedRule, PlannedSend, PlannedStrategy
from engine.runtime.scene import Scene
from engine.runtime.visitor import Sent, Visitor
from engine.vocabulary.events import NOTHING, Event

_UNSEEN: Final = False
_COUNTS: Final = True

Breaks = Callable[[Sequence[Sent], Sequence[Sent], Sent], bool]
"""Would the last break an enforced guarantee, after others of the moment and the rule's own?"""


class Target(NamedTuple):
    """The page that a message would go to."""

    visit: str
    page: str | None


class Completed(NamedTuple):
    """A rule whose pattern is complete: what its guards see, and where its message would go.

    ``gone`` says that the very event closed its page. ``open_pages`` gives the pages that
    ``to every page`` reaches, oldest first.
    """

    rule: PlannedRule
    scene: Scene
    target: Target | None
    open_pages: Callable[[], tuple[str | None, ...]]
    gone: bool = False


class Offer(NamedTuple):
    """One admitted ``send``: a message for each page it goes to, and its entry in the log.

    ``number`` is the one that its id ends with: the how-manieth of its strategy for its visit.
    """

    sends: tuple[Send, ...]
    sent: Sent
    number: int


class Admitted(NamedTuple):
    """What passed: offers, rules that act, and all decisions."""

    offers: tuple[Offer, ...]
    acting: tuple[Completed, ...]
    decisions: tuple[Decision, ...]


def admit(visitor: Visitor, completed: Sequence[Completed], breaks: Breaks | None) -> Admitted:
    """Guard and admit completed rules (in order of rank) at ``visitor.now``.

    ``breaks`` is None when nothing is enforced.
    """
    passed: list[Offer] = []
    acting: list[Completed] = []
    decisions: list[Decision] = []
    won: list[tuple[str, Event]] = []
    numbers: dict[tuple[str, str], int] = {}
    for candidate in completed:
        rule = candidate.rule
        if rule.table is not None and (rule.table, candidate.scene.event) in won:
            continue
        reason = _guard(candidate)
        if reason is None and rule.table is not None:
            won.append((rule.table, candidate.scene.event))
        own: list[Offer] = []
        if reason is None and rule.sends:
            reason = _Attempt(visitor, candidate, passed, breaks, numbers).make(own)
        if reason is None:
            acting.append(candidate)
            passed += own
            if own:
                numbers[own[0].sent.visit, rule.strategy.name] = own[-1].number
        if rule.sends:
            ids = tuple([offer.sent.id for offer in own]) if reason is None else ()
            decisions.append(_decision(visitor, candidate, reason, ids))
    return Admitted(tuple(passed), tuple(acting), tuple(decisions))


def _guard(candidate: Completed) -> Reason | None:
    rule, scene = candidate.rule, candidate.scene
    if rule.when is not None and not rule.when(scene):
        return "when"
    if rule.unless is not None and rule.unless(scene):
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

    __slots__ = ("_breaks", "_candidate", "_numbers", "_others", "_strategy", "_visitor")

    def __init__(
        self,
        visitor: Visitor,
        candidate: Completed,
        others: list[Offer],
        breaks: Breaks | None,
        numbers: Mapping[tuple[str, str], int],
    ) -> None:
        self._numbers = numbers
        self._visitor = visitor
        self._candidate = candidate
        self._strategy = candidate.rule.strategy
        self._others = others
        self._breaks = breaks

    def make(self, own: list[Offer]) -> Reason | None:
        """Fill ``own`` with the rule's offers; a reason when one of them does not pass."""
        candidate, visitor, strategy = self._candidate, self._visitor, self._strategy
        free = strategy.is_free and self._breaks is None
        if not free:
            standing = _standing(strategy, visitor)
            if standing is not None:
                return standing
        rule = candidate.rule
        attach = rule.attach(candidate.scene) if rule.attach is not None else NOTHING
        for planned in rule.sends:
            pages = self._pages(planned)
            if candidate.target is None or not pages:
                return "page-gone"
            offer = self._offer(planned, candidate.target, pages, own, attach)
            reason = None if free else self._tried(offer.sent, pages, own)
            if reason is not None:
                return reason
            own.append(offer)
        return None

    def _tried(self, sent: Sent, pages: tuple[str | None, ...], own: list[Offer]) -> Reason | None:
        mine = [offer.sent for offer in own]
        reason = self._refusal(sent, pages, mine, [])
        if reason is None and self._others:
            others = [offer.sent for offer in self._others]
            reason = "lower-priority" if self._refusal(sent, pages, mine, others) else None
        return reason

    def _pages(self, planned: PlannedSend) -> tuple[str | None, ...]:
        target = self._candidate.target
        if planned.every_page:
            return self._candidate.open_pages()
        return (target.page,) if target and not self._candidate.gone else ()

    def _offer(
        self,
        planned: PlannedSend,
        target: Target,
        pages: tuple[str | None, ...],
        own: list[Offer],
        attach: Mapping[str, Any],
    ) -> Offer:
        candidate, strategy, visitor = self._candidate, self._strategy, self._visitor
        event, answerable = candidate.scene.event, planned.answerable
        number = self._number(target.visit) + len(own) + 1
        # In the order of their fields: this is made for every message.
        send = Send(
            f"{target.visit}/{strategy.name}/{number}", pages[0], planned.channel,
            planned.data(candidate.scene), strategy.name, strategy.group, planned.message,
            answerable, attach, strategy.valid_for,
        )  # fmt: skip
        sent = Sent(
            send.id, visitor.now, visitor.events, target.visit,
            None if planned.every_page else pages[0], strategy.name, strategy.group,
            planned.message, answerable, _UNSEEN, _COUNTS, attach if answerable else None,
            strategy.valid_for, planned.every_page, event.agents, event.pacing, event.draw,
        )  # fmt: skip
        if not planned.every_page:
            return Offer((send,), sent, number)
        return Offer(tuple([send._replace(page=page) for page in pages]), sent, number)

    def _number(self, visit: str) -> int:
        """How many messages of the strategy the visit has had before this rule's."""
        name, visitor = self._strategy.name, self._visitor
        counted = self._numbers.get((visit, name)) if self._numbers else None
        return visitor.visits[visit].sent.get(name, 0) if counted is None else counted

    def _refusal(
        self, sent: Sent, pages: Sequence[str | None], mine: list[Sent], others: list[Sent]
    ) -> Reason | None:
        visitor, strategy, fresh = self._visitor, self._strategy, [*others, *mine]
        ledger = ledger_of(visitor)
        if strategy.one_at_a_time and any(
            earlier.group == strategy.group
            and earlier.visit == sent.visit
            and earlier.waits(visitor.now)
            for earlier in (*ledger.waiting(strategy.group, sent.visit), *fresh)
        ):
            return "one-at-a-time"
        if any(self._exhausted(Target(sent.visit, page), ledger, fresh) for page in pages):
            return "limit"
        if self._breaks is not None and self._breaks(others, mine, sent):
            return "guarantee"
        return None

    def _exhausted(self, target: Target, ledger: Ledger, fresh: list[Sent]) -> bool:
        strategy, visitor = self._strategy, self._visitor
        if strategy.group_limits:
            of_group = [sent for sent in fresh if sent.group == strategy.group]
            log = (ledger.of_group(strategy.group), of_group)
            if any(_reached(visitor, limit, target, *log) for limit in strategy.group_limits):
                return True
        if strategy.limits:
            own = [sent for sent in fresh if sent.strategy == strategy.name]
            log = (ledger.of_strategy(strategy.name), own)
            return any(_reached(visitor, limit, target, *log) for limit in strategy.limits)
        return False


def _reached(
    visitor: Visitor, limit: Limit, target: Target, kept: Sequence[Sent], fresh: list[Sent]
) -> bool:
    """Is the limit exhausted by sends that count, oldest first? The youngest are asked first."""
    oldest = None if limit.duration is None else visitor.now - limit.duration
    visit = None if limit.scope == "visitor" else visitor.visits[target.visit]
    left = limit.count
    for sent in (*reversed(fresh), *reversed(kept)) if fresh else reversed(kept):
        if left == 0 or (oldest is not None and sent.time <= oldest):
            break
        if visit is not None and not (sent.visit == target.visit and sent.during(visit)):
            continue
        if limit.scope == "page" and not (sent.every_page or sent.page == target.page):
            continue
        left -= 1
    return left == 0


def _decision(
    visitor: Visitor, candidate: Completed, reason: Reason | None, sends: tuple[str, ...]
) -> Decision:
    event, target, rule = candidate.scene.event, candidate.target, candidate.rule
    visit, page = target if target is not None else (event.visit, event.page)
    name = rule.strategy.name
    return Decision(visitor.now, visit, page, event.name, name, rule.place, reason, sends)
