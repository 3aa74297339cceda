"""Rules that could go on for ever: sends begin them, a silence completes them, and they send again.

Everything else needs an event of the visitor each time. Such rules need none: they feed each other,
or themselves, until a day of silence ends the visit, which may be thousands of messages. So what
feeds a rule has to come to an end by itself: by a limit, by a guard that turns when nothing but
sends happens, or because nobody sends what the rule waits for.

Take all rules that only sends begin, and that nothing ends by itself. Take away each that waits
for a send that none of those which are left sends; again, until nothing changes. A rule that did go
on for ever would be fed for ever, by rules that go on for ever: so it is never taken away. What is
left is noted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from engine.language import syntax
from engine.language.diagnostics import Findings
from engine.language.names import Names
from engine.language.silence import Silence, Values
from engine.vocabulary.kinds import NUMBER

_DAY: Final = 86_400_000
"""So much silence ends a visit, and what was to go to its pages."""
_MOST_TRIED: Final = 10_000
"""So often a send is tried against a ``where``; then it is taken to fit."""

_Key = tuple[str, int]
"""A name that is waited for, and which condition it has (0: none)."""
_Writers = Mapping[tuple[str, str], Sequence[tuple[syntax.Rule, syntax.SetAction]]]
"""By scope and name: which rules set a fact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """A rule that only sends begin, with its strategy."""

    strategy: syntax.Strategy
    rule: syntax.Rule

    def names(self) -> Iterator[tuple[str | None, str | None, str | None]]:
        """Strategy, group and message of everything that it sends."""
        for send in self.rule.sends:
            yield self.strategy.name, self.strategy.group, send.message


def check_ends(names: Names, mended: Container[syntax.Span], findings: Findings) -> None:
    """Note every rule that could send without end; ``mended`` are blocks that lost clauses."""
    begun = [
        _Rule(strategy=strategy, rule=rule)
        for strategy in names.strategies.values()
        for rule in strategy.rules
        if rule.sends and _only_sends_begin(rule.pattern)
    ]
    if not begun:
        return
    writers = _writers(names)
    going = [
        one
        for one in begun
        if _is_read(one.strategy, names, mended)
        and not _limited(one.strategy, names)
        and not _sleeps(one.rule.pattern)
        and not _turns(one, names, writers)
    ]
    for one in _feeding_each_other(going):
        findings.add("P316", one.rule.pattern.span)


def _is_read(strategy: syntax.Strategy, names: Names, mended: Container[syntax.Span]) -> bool:
    """What could not be read may be the limit."""
    group = names.groups.get(strategy.group or "")
    if strategy.span in mended or (group is None and strategy.group is not None):
        return False
    return group is None or group.span not in mended


# ---------------------------------------------------------------- what begins a rule


def _only_sends_begin(pattern: syntax.Pattern) -> bool:
    """Can it be complete although the visitor does nothing? A match takes all that was kept."""
    begun = [part for part in pattern.parts if not isinstance(part, syntax.Absent)]
    if not begun or not isinstance(pattern.parts[-1], syntax.Absent):
        return False
    return all(map(_needs, begun))


def _needs(part: syntax.Part) -> list[list[syntax.Atom]]:
    """The sends that it waits for: one of each list; nothing when it waits for an event."""
    match part:
        case syntax.AllOf(atoms=atoms):
            return [[atom] for atom in atoms] if all(map(_is_sent, atoms)) else []
        case syntax.AnyOf(atoms=atoms):
            sent = [atom for atom in atoms if _is_sent(atom)]
            return [sent] if sent else []
        case syntax.Times(atom=atom) | (syntax.Atom() as atom):
            return [[atom]] if _is_sent(atom) else []
        case syntax.Absent():
            return []


def _is_sent(atom: syntax.Atom) -> bool:
    return atom.what == "sent"


# ---------------------------------------------------------------- who feeds whom


def _feeding_each_other(rules: Sequence[_Rule]) -> list[_Rule]:
    """What is left when all are gone that nobody feeds."""
    keys = _Keys()
    needs = [
        [
            [keys.of(atom) for atom in need]
            for part in one.rule.pattern.parts
            for need in _needs(part)
        ]
        for one in rules
    ]
    feeds = [keys.fed_by(one) for one in rules]
    fed = Counter(key for some in feeds for key in some)
    waiting: defaultdict[_Key, list[int]] = defaultdict(list)
    for number, own in enumerate(needs):
        for key in {key for need in own for key in need}:
            waiting[key].append(number)
    gone: set[int] = set()
    looked_at = list(range(len(rules)))
    while looked_at:
        number = looked_at.pop()
        if number in gone or all(any(fed[key] for key in need) for need in needs[number]):
            continue
        gone.add(number)
        for key in feeds[number]:
            fed[key] -= 1
            looked_at += waiting[key] if not fed[key] else ()
    return [one for number, one in enumerate(rules) if number not in gone]


class _Keys:
    """What is waited for: a name alone, or a name with a condition."""

    def __init__(self) -> None:
        self._where: defaultdict[str, list[syntax.Expr]] = defaultdict(list)
        self._tried = 0

    def of(self, atom: syntax.Atom) -> _Key:
        """The key of an atom."""
        if atom.where is None:
            return atom.name, 0
        self._where[atom.name].append(atom.where)
        return atom.name, len(self._where[atom.name])

    def fed_by(self, one: _Rule) -> set[_Key]:
        """The keys that what a rule sends fits."""
        found: set[_Key] = set()
        for names in one.names():
            for name in (name for name in names if name is not None):
                found.add((name, 0))
                for place, where in enumerate(self._where.get(name, ()), 1):
                    self._tried += 1
                    if self._tried > _MOST_TRIED or _may_hold(where, names):
                        found.add((name, place))
        return found


def _may_hold(where: syntax.Expr, names: tuple[str | None, ...]) -> bool:
    """May the condition be true for a send of this strategy, group and message?"""
    said = zip(("strategy", "group", "message"), names, strict=True)
    fields: dict[str, Values] = {key: frozenset((name,)) for key, name in said}
    return True in Silence(fields=fields).truths(where)


# ---------------------------------------------------------------- what ends it


def _limited(strategy: syntax.Strategy, names: Names) -> bool:
    """Is there a limit that is reached before the visit is over?"""
    group = names.groups.get(strategy.group or "")
    limits = (*strategy.limits, *(group.limits if group else ()))
    return any(limit.duration is None or limit.duration >= _DAY for limit in limits)


def _sleeps(pattern: syntax.Pattern) -> bool:
    """Is the visit over when its silences are?"""
    silences = (part.duration for part in pattern.parts if isinstance(part, syntax.Absent))
    return sum(silences) >= _DAY


def _turns(one: _Rule, names: Names, writers: _Writers) -> bool:
    """Do its guards turn, when it has sent for long and the visitor did nothing?"""
    rule = one.rule
    here = rule.pattern.per != "visitor"  # else what is sent may go to another visit
    silence = Silence(
        facts=dict(_set_by_itself(rule, names, writers, here=here)),
        sent=frozenset(name for sent in one.names() for name in sent if name is not None),
        visit_counts=here,
    )
    if rule.when is not None and True not in silence.truths(rule.when):
        return True
    return rule.unless is not None and silence.truths(rule.unless) == {True}


def _writers(names: Names) -> _Writers:
    found: defaultdict[tuple[str, str], list[tuple[syntax.Rule, syntax.SetAction]]]
    found = defaultdict(list)
    for strategy in names.strategies.values():
        for rule in strategy.rules:
            for action in rule.sets:
                found[action.scope, action.fact].append((rule, action))
    return found


def _set_by_itself(
    rule: syntax.Rule, names: Names, writers: _Writers, *, here: bool
) -> Iterator[tuple[tuple[str, str], Values]]:
    """Facts that the rule sets whenever it sends, and that nothing else sets meanwhile."""
    for action in rule.sets:
        key = (action.scope, action.fact)
        all_who = writers[key]
        others = [who for who, _ in all_who if who is not rule and _only_sends_begin(who.pattern)]
        own = [who for who, _ in all_who if who is rule]
        if len(own) > 1 or others or (action.scope == "visit" and not here):
            continue
        match action.value:
            case syntax.Constant(value=value):
                yield key, frozenset((value,))
            case syntax.Arithmetic(
                operator="+", left=syntax.Path(parts=parts), right=syntax.Constant() as step
            ) if parts == key and len(all_who) == 1 and _counts_up(names.facts.get(key), step):
                yield key, frozenset((inf,))
            case _:
                pass


def _counts_up(fact: syntax.Fact | None, step: syntax.Constant) -> bool:
    """``set visit.n = visit.n + 1``: does it pass every number that a condition may name?"""
    begins = fact is not None and fact.default is not None and not fact.sources
    return begins and step.kind == NUMBER and float(step.value) >= 1
