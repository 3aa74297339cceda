"""Admission: which sends of a step pass, and the one reason when they do not.

All completed rules of one moment are tried in order of rank. The checks stand in the fixed order of
``outcome.Reason``; a refusal that only other rules of the same moment caused is ``lower-priority``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.language.syntax import Limit
from engine.runtime.conditions import Scene
from engine.runtime.outcome import Decision, Reason, Send
from engine.runtime.plan import PlannedRule
from engine.runtime.visitor import Sent, Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The page that a message would go to."""

    visit: str
    page: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A rule whose pattern is complete: what its guards see, and where its message would go."""

    rule: PlannedRule
    scene: Scene
    target: Target | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What passed: sends with their log entries by visit, rules that act, all decisions."""

    sends: tuple[tuple[Send, Sent], ...]
    acting: tuple[Completed, ...]
    decisions: tuple[Decision, ...]


def admit(visitor: Visitor, completed: Sequence[Completed]) -> Admitted:
    """Guard and admit completed rules (in order of rank) at ``visitor.now``."""
    passed: list[tuple[Send, Sent]] = []
    acting: list[Completed] = []
    decisions: list[Decision] = []
    for candidate in completed:
        reason = _guard(candidate)
        own: list[tuple[Send, Sent]] = []
        if reason is None and candidate.rule.sends:
            reason = _try_sends(visitor, candidate, [sent for _, sent in passed], own)
        if reason is None:
            acting.append(candidate)
            passed.extend(own)
        if candidate.rule.sends:
            sends = tuple(send.id for send, _ in own) if reason is None else ()
            decisions.append(_decision(visitor, candidate, reason, sends))
    return Admitted(sends=tuple(passed), acting=tuple(acting), decisions=tuple(decisions))


def _guard(candidate: Completed) -> Reason | None:
    rule, scene = candidate.rule, candidate.scene
    if rule.when is not None and rule.when(scene) is not True:
        return "when"
    if rule.unless is not None and rule.unless(scene) is True:
        return "unless"
    return None


def _try_sends(
    visitor: Visitor,
    candidate: Completed,
    others: list[Sent],
    own: list[tuple[Send, Sent]],
) -> Reason | None:
    """Fill ``own`` with the rule's sends; a reason when one of them does not pass."""
    target, rule = candidate.target, candidate.rule
    if target is None:
        return "page-gone"
    log = visitor.sends
    attach = rule.attach(candidate.scene) if rule.attach else {}
    for planned in rule.sends:
        mine = [sent for _, sent in own]
        reason = _refusal(visitor, rule, target, (*log, *mine))
        if reason is None and others and _refusal(visitor, rule, target, (*log, *others, *mine)):
            reason = "lower-priority"
        if reason is not None:
            return reason
        send = Send(
            id=_identity(rule.strategy, target.visit, (*log, *others, *mine)),
            page=target.page,
            channel=planned.channel,
            data=planned.data(candidate.scene),
            strategy=rule.strategy,
            group=rule.group,
            message=planned.message,
            answerable=planned.answerable,
            attach=attach,
        )
        own.append((send, _log_entry(visitor, candidate, send)))
    return None


def _identity(strategy: str, visit: str, log: Sequence[Sent]) -> str:
    nth = sum(1 for sent in log if sent.visit == visit and sent.strategy == strategy)
    return f"{visit}/{strategy}/{nth + 1}"


def _log_entry(visitor: Visitor, candidate: Completed, send: Send) -> Sent:
    assert candidate.target is not None, "what has no page was refused"
    return Sent(
        id=send.id,
        time=visitor.now,
        order=visitor.events,
        visit=candidate.target.visit,
        page=send.page,
        strategy=send.strategy,
        group=send.group,
        message=send.message,
        waiting=send.answerable,
        attach=send.attach if send.answerable else None,
        agents=candidate.scene.event.agents,
    )


def _refusal(
    visitor: Visitor, rule: PlannedRule, target: Target, log: Sequence[Sent]
) -> Reason | None:
    now = visitor.now
    if rule.one_at_a_time and any(
        sent.group == rule.group and sent.visit == target.visit and sent.waits(now) for sent in log
    ):
        return "one-at-a-time"
    in_group = [sent for sent in log if sent.counts and sent.group == rule.group]
    if rule.group is not None and any(
        _exhausted(visitor, limit, target, in_group) for limit in rule.group_limits
    ):
        return "limit"
    if rule.limits:
        own = [sent for sent in log if sent.counts and sent.strategy == rule.strategy]
        if any(_exhausted(visitor, limit, target, own) for limit in rule.limits):
            return "limit"
    return None


def _exhausted(visitor: Visitor, limit: Limit, target: Target, log: Sequence[Sent]) -> bool:
    if limit.duration is not None:
        oldest = visitor.now - limit.duration
        log = [sent for sent in log if sent.time > oldest]
    if limit.scope != "visitor":
        visit = visitor.visits[target.visit]
        log = [sent for sent in log if sent.visit == target.visit and sent.during(visit)]
    if limit.scope == "page":
        log = [sent for sent in log if sent.page == target.page]
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
        strategy=candidate.rule.strategy,
        rule=candidate.rule.place,
        reason=reason,
        sends=sends,
    )
