"""Why a complete rule did not send: the reason of its decision, with what it was about."""

from __future__ import annotations

from collections.abc import Sequence

from engine.language import syntax
from engine.language.render import duration
from engine.runtime.admission import Admitted, Completed
from engine.runtime.visitor import Sent, Visitor
from engine.trials.lacks import Explainer, clock


class Refusals:
    """Explains refusals of one book, on the memory as it was before anything was sent."""

    def __init__(self, book: syntax.Book, explainer: Explainer) -> None:
        self._book = book
        self._explainer = explainer

    def sentence(
        self, reason: str, visitor: Visitor, candidate: Completed, admitted: Admitted
    ) -> str:
        """One sentence without a full stop."""
        strategy = self._book.strategies[candidate.rule.strategy.name]
        match reason:
            case "hours":
                return self._explainer.closed(strategy.hours or "", visitor.now)
            case "inactive":
                return f"the strategy is active only {_days(strategy.active)}"
            case "audience":
                audience = strategy.audience
                assert audience is not None, "only an audience refuses by audience"
                share = f"{audience.percent:g}%"
                return f'the visitor is not among the {share} of "{audience.experiment}"'
            case "page-gone":
                return "the page that it would go to is closed"
            case "one-at-a-time":
                return _waiting(strategy, visitor, candidate)
            case "limit":
                return self._limit(strategy, visitor, candidate)
            case "lower-priority":
                names = dict.fromkeys(c.rule.strategy.name for c in admitted.acting if c.rule.sends)
                first = " and ".join(f'"{name}"' for name in names)
                return f"{first or 'another rule'} went first at this moment"
            case _:
                enforced = [g.name for g in self._book.guarantees.values() if g.enforced]
                said = f' "{enforced[0]}"' if len(enforced) == 1 else ""
                return f"it would break the enforced guarantee{said}"

    def _limit(self, strategy: syntax.Strategy, visitor: Visitor, candidate: Completed) -> str:
        group = self._book.groups.get(strategy.group or "")
        counted = [sent for sent in visitor.sends if sent.counts]
        of_group = [sent for sent in counted if sent.group == strategy.group]
        own = [sent for sent in counted if sent.strategy == strategy.name]
        for limit in group.limits if group else ():
            found = _reached(limit, visitor, candidate, of_group)
            if found:
                return f"`{_limit_written(limit)}` of {strategy.group} is reached; {found}"
        for limit in strategy.limits:
            found = _reached(limit, visitor, candidate, own)
            if found:
                return f"`{_limit_written(limit)}` is reached; {found}"
        return "a limit is reached by what the rule itself sends"


def _reached(
    limit: syntax.Limit, visitor: Visitor, candidate: Completed, log: Sequence[Sent]
) -> str:
    """When the limit lets the next one go; nothing when it is not reached."""
    target = candidate.target
    if target is None:
        return ""
    if limit.duration is not None:
        log = [sent for sent in log if sent.time > visitor.now - limit.duration]
    if limit.scope != "visitor":
        visit = visitor.visits.get(target.visit)
        log = [sent for sent in log if sent.visit == target.visit and sent.during(visit)]
    if limit.scope == "page":
        log = [sent for sent in log if sent.every_page or sent.page == target.page]
    if len(log) < limit.count:
        return ""
    if limit.count == 0:
        return "it lets nothing go"
    if limit.duration is not None:
        return f"the next may go at {clock(log[-limit.count].time + limit.duration)}"
    if limit.scope == "visitor":
        return "it stays so for this visitor"
    return f"the next may go {'on another page' if limit.scope == 'page' else 'in another visit'}"


def _limit_written(limit: syntax.Limit) -> str:
    if limit.duration is None:
        return f"limit {limit.count} per {limit.scope}"
    per = "" if limit.scope == "visitor" else f" per {limit.scope}"
    return f"limit {limit.count} in {duration(limit.duration)}{per}"


def _waiting(strategy: syntax.Strategy, visitor: Visitor, candidate: Completed) -> str:
    visit = candidate.target.visit if candidate.target else ""
    for sent in visitor.sends:
        if sent.group == strategy.group and sent.visit == visit and sent.waits(visitor.now):
            name = f'{sent.message or "a message"} of "{sent.strategy}"'
            until = "" if sent.shown else f", at most until {clock(sent.time + sent.valid_for)}"
            return f"{name}, sent at {clock(sent.time)}, still waits for an answer{until}"
    return "another invitation of this rule waits for an answer"


def _days(active: syntax.Active | None) -> str:
    if active is None:
        return "on other days"
    since = f"from {active.since}" if active.since else ""
    until = f"until {active.until}" if active.until else ""
    return " ".join(part for part in (since, until) if part)
