"""Lints of strategies: who never gets a turn, what is set twice, what interrupts without end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.language import syntax
from engine.language.lints_cases import Cases, Knowledge, Term, Untrue
from engine.language.lints_conditions import NOBODY, Conditions, atoms_of, guards, nodes_in
from engine.language.lints_notes import Notes
from engine.language.render import duration, written
from engine.vocabulary.channels import CHANNELS

MOST: Final = 2_000
"""So many pairs of rules are compared; in a book with more, the rest is left alone."""
MOST_PAIRS: Final = 100_000
"""So many pairs of rules are looked at whether they are worth it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A rule with its strategy, where it stands in it, and all that must hold when it fires."""

    strategy: syntax.Strategy
    rule: syntax.Rule
    number: int
    terms: tuple[Term, ...]
    asked: tuple[Term, ...]
    """Those that its pattern does not ask."""

    @property
    def rank(self) -> tuple[float, str, int]:
        """Who goes first: the higher priority, then the name, then the place."""
        return (-self.strategy.priority, self.strategy.name, self.number)


class Rules:
    """Looks at every strategy by itself, and at those that meet."""

    def __init__(self, book: syntax.Book, conditions: Conditions, notes: Notes) -> None:
        self._book = book
        self._conditions = conditions
        self._notes = notes
        self._compared = self._met = 0
        self._terms: dict[Term, Term] = {}
        self._tried: tuple[_Place, Cases] | None = None
        self._places = [
            self._place(strategy, rule, number)
            for strategy in book.strategies.values()
            for number, rule in enumerate(strategy.rules)
        ]

    def _place(self, strategy: syntax.Strategy, rule: syntax.Rule, number: int) -> _Place:
        """Equal terms become one, so that comparing them again and again costs nothing."""
        found = [(clause, self._terms.setdefault(term, term)) for clause, term in guards(rule)]
        return _Place(
            strategy=strategy,
            rule=rule,
            number=number,
            terms=tuple(term for _, term in found),
            asked=tuple(term for clause, term in found if clause != "where"),
        )

    def check(self) -> None:
        """Note everything about strategies and their rules."""
        for group in self._book.groups.values():
            self._limits(group.limits, ())
        for strategy in self._book.strategies.values():
            self._limits(strategy.limits, self._group_limits(strategy))
            if strategy.audience is not None and strategy.audience.percent == 0:
                self._notes.add("L411", strategy.audience.span)
        for place in self._places:
            self._too_many_sends(place)
            self._interrupts(place)
            self._pattern(place.rule.pattern, place.rule)
        for crowd in self._crowds():
            for k, later in enumerate(crowd):
                self._behind(later, crowd[:k])
        self._sets()

    # ------------------------------------------------- who goes first

    def _crowds(self) -> Iterator[list[_Place]]:
        """Rules that wait for the same kind of thing, in the order of their turn."""
        crowds: defaultdict[object, list[_Place]] = defaultdict(list)
        for place in self._places:
            crowds[_family(place.rule.pattern)].append(place)
        for crowd in crowds.values():
            if len(crowd) > 1:
                yield sorted(crowd, key=lambda place: place.rank)

    def _behind(self, later: _Place, earlier: Sequence[_Place]) -> None:
        """Note a rule that another one always keeps from its turn."""
        for first in earlier:
            self._met += 1
            if self._met > MOST_PAIRS:
                return
            if not _covers(first.rule.pattern, later.rule.pattern):
                continue
            if first.rule.table is not None and first.rule.table == later.rule.table:
                if self._implied(later, first):
                    self._notes.add("L409", _row(later.rule), seen=_nobody(later.rule))
                    return
            elif self._takes_the_turn(first, later) and self._implied(later, first):
                self._shadowed(first, later)
                return

    def _shadowed(self, first: _Place, later: _Place) -> None:
        if first.strategy is later.strategy:
            other, way = "a rule above it", "Put it first, or give it another condition."
        else:
            other = f'"{first.strategy.name}" of the same group'
            way = f"Give it a priority above {first.strategy.priority:g}, or another condition."
        self._notes.add("L408", _row(later.rule), other=other, way=way)

    def _takes_the_turn(self, first: _Place, later: _Place) -> bool:
        """If the first one's guards hold, is the later one's send certainly refused?"""
        one, other = first.strategy, later.strategy
        if len(first.rule.sends) != 1 or not later.rule.sends or first.rule.table is not None:
            return False
        if first.rule.sends[0].every_page or any(g.enforced for g in self._guarantees()):
            return False
        if one is other:
            return self._leaves_no_room(first, (*one.limits, *self._group_limits(one)))
        same = one.group is not None and one.group == other.group and not one.limits
        standing = (
            one.hours in (None, other.hours)
            and one.active in (None, other.active)
            and one.audience in (None, other.audience)
        )
        return same and standing and self._leaves_no_room(first, self._group_limits(one))

    def _leaves_no_room(self, first: _Place, limits: Iterable[syntax.Limit]) -> bool:
        if any(limit.count == 1 for limit in limits):
            return True
        group = self._book.groups.get(first.strategy.group or "")
        waits = self._answerable(first.rule.sends[0])
        return group is not None and group.one_at_a_time and waits

    def _implied(self, narrow: _Place, wide: _Place) -> bool:
        """Do the guards of ``wide`` hold whenever those of ``narrow`` do?"""
        known = set(map(id, narrow.terms))
        asked = [term for term in wide.asked if id(term) not in known]
        if asked and not self._may_compare():
            return False
        cases = self._cases(narrow)
        return all(
            cases.never(*cases.near(term, narrow.terms), _failed(term)) for term in asked
        ) and not (narrow.terms and cases.never(*narrow.terms))  # which is said elsewhere

    def _cases(self, place: _Place) -> Cases:
        """What is tried of a rule, with what was tried before."""
        if self._tried is None or self._tried[0] is not place:
            knowledge = self._conditions.knowledge(place.rule)
            self._tried = (place, Cases(knowledge, self._conditions.patience))
        return self._tried[1]

    def _may_compare(self) -> bool:
        self._compared += 1
        return self._compared <= MOST

    # ------------------------------------------------- facts that are set twice

    def _sets(self) -> None:
        by_pattern: defaultdict[object, list[_Place]] = defaultdict(list)
        for place in self._places:
            if place.rule.sets:
                by_pattern[place.rule.pattern].append(place)
        for crowd in by_pattern.values():
            crowd.sort(key=lambda place: place.rank)
            for k, later in enumerate(crowd):
                for losing in later.rule.sets:
                    self._set_before(crowd[:k], later, losing)

    def _set_before(
        self, before: Sequence[_Place], later: _Place, losing: syntax.SetAction
    ) -> None:
        """Note the first rule that sets the same fact to something else on the same behaviour."""
        for first in before:
            self._met += 1
            if self._met > MOST_PAIRS:
                return
            if first.strategy is later.strategy or self._only_one_acts(first, later):
                continue
            for winning in first.rule.sets:
                if _differ(winning, losing) and self._clash(first, winning, later, losing):
                    return

    def _only_one_acts(self, first: _Place, later: _Place) -> bool:
        """A rule whose send is refused sets nothing: does the group let only one of them send?"""
        one, other = first.strategy, later.strategy
        if not (first.rule.sends and later.rule.sends) or one.group is None:
            return False
        return one.group == other.group and self._leaves_no_room(first, self._group_limits(one))

    def _clash(
        self, first: _Place, winning: syntax.SetAction, later: _Place, losing: syntax.SetAction
    ) -> bool:
        cases = Cases(Knowledge(facts=self._conditions.facts), self._conditions.patience)
        terms = [term for place in (first, later) for term in place.terms]
        words = {
            "fact": f"{losing.scope}.{losing.fact}",
            "other": f'"{first.strategy.name}"',
            "one": written(winning.value),
            "two": written(losing.value),
        }
        if first.strategy.priority == later.strategy.priority:
            clash = not terms or (self._may_compare() and not cases.never(*terms))
            code = "L410"
        else:
            plain = not first.rule.sends and first.rule.table is None
            clash, code = plain and self._implied(later, first), "L412"
        if clash:
            self._notes.add(code, losing.span, **words)
        return clash

    # ------------------------------------------------- limits

    def _limits(self, own: Sequence[syntax.Limit], group: Sequence[syntax.Limit]) -> None:
        """Note a limit that another one is always reached before."""
        for k, limit in enumerate(own):
            stricter = next(
                (
                    other
                    for n, other in enumerate((*own, *group))
                    if n != k and _within(limit, other) and (limit != other or n < k)
                ),
                None,
            )
            if stricter is not None:
                self._notes.add("L413", limit.span, said=_said(limit), other=_said(stricter))

    def _group_limits(self, strategy: syntax.Strategy) -> tuple[syntax.Limit, ...]:
        group = self._book.groups.get(strategy.group or "")
        return group.limits if group is not None else ()

    def _too_many_sends(self, place: _Place) -> None:
        """All sends of a rule go out, or none: more than may go out is none."""
        strategy, sends = place.strategy, place.rule.sends
        limits = (*strategy.limits, *self._group_limits(strategy))
        strictest = min(limits, key=lambda limit: limit.count, default=None)
        if len(sends) < 2:
            return
        if strictest is not None and strictest.count < len(sends):
            self._notes.add("L414", sends[-1].span, count=len(sends), other=_said(strictest))
            return
        group = self._book.groups.get(strategy.group or "")
        if group is not None and group.one_at_a_time:
            waiting = [send for send in sends[:-1] if self._answerable(send)]
            if waiting:
                other = "one at a time"
                self._notes.add("L414", sends[-1].span, count=len(sends), other=other)

    def _interrupts(self, place: _Place) -> None:
        """Note an invitation that nothing keeps from coming again and again."""
        strategy = place.strategy
        answerable = [send for send in place.rule.sends if self._answerable(send)]
        if not answerable or strategy.limits or self._group_limits(strategy):
            return
        names = {strategy.name, strategy.group, *(send.message for send in answerable)}
        guarded = (place.rule.when, place.rule.unless)
        seen = [*nodes_in(guarded), *nodes_in(place.rule.pattern)]
        seen += [node for g in self._guarantees() if g.enforced for node in nodes_in(g.pattern)]
        if any(
            isinstance(node, syntax.Atom) and node.what == "sent" and node.name in names
            for node in seen
        ):
            return
        own = {(action.scope, action.fact) for action in place.rule.sets}
        if any(isinstance(node, syntax.Path) and node.parts in own for node in nodes_in(guarded)):
            return
        if _once(place.rule.pattern):
            return
        self._notes.add("L415", answerable[0].span)

    def _answerable(self, send: syntax.SendAction) -> bool:
        message = self._book.messages.get(send.message or "")
        channel = CHANNELS.get(message.channel if message is not None else send.channel)
        return channel is not None and channel.answerable

    # ------------------------------------------------- patterns

    def guarantees(self) -> None:
        """Note what a guarantee can never see."""
        for guarantee in self._guarantees():
            self._pattern(guarantee.pattern, None)

    def _guarantees(self) -> Iterable[syntax.Guarantee]:
        return self._book.guarantees.values()

    def _pattern(self, pattern: syntax.Pattern, rule: syntax.Rule | None) -> None:
        events = [part for part in pattern.parts if not isinstance(part, syntax.Absent)]
        inner = [part for part in pattern.parts[:-1] if isinstance(part, syntax.Absent)]
        seen = _nobody(rule) if rule is not None else "this guarantee can never be broken"
        if pattern.within is None:
            return
        if len(events) == 1 and isinstance(events[0], syntax.Atom | syntax.AnyOf):
            self._notes.add("L416", pattern.span, within=duration(pattern.within))
        silence = sum(part.duration for part in inner)
        if silence >= pattern.within:
            self._notes.add(
                "L417", pattern.span, within=duration(pattern.within),
                silence=duration(silence), seen=seen,
            )  # fmt: skip


def _nobody(rule: syntax.Rule) -> str:
    return NOBODY if rule.sends else "it will never do anything"


def _row(rule: syntax.Rule) -> syntax.Span:
    """What is shown of a rule: its behaviour; of a row, the row."""
    return rule.span if rule.table is not None else rule.pattern.span


def _failed(term: Term) -> Term:
    return term.item if isinstance(term, Untrue) else Untrue(item=term)


def _family(pattern: syntax.Pattern) -> object:
    """Patterns of different families never cover each other."""
    if len(pattern.parts) == 1 and isinstance(pattern.parts[0], syntax.Atom):
        atom = pattern.parts[0]
        return (atom.what, atom.name, atom.alias)
    return pattern


def _covers(wide: syntax.Pattern, narrow: syntax.Pattern) -> bool:
    """Is one complete whenever the other is, at the same instant and for the same event?"""
    if wide == narrow:
        return True
    if len(wide.parts) != 1 or len(narrow.parts) != 1:
        return False
    one, other = wide.parts[0], narrow.parts[0]
    if not (isinstance(one, syntax.Atom) and isinstance(other, syntax.Atom)):
        return False
    if (one.what, one.name, one.alias) != (other.what, other.name, other.alias):
        return False
    inside = bool(other.categories) and set(other.categories) <= set(one.categories)
    return (not one.categories or inside) and one.where in (None, other.where)


def _differ(one: syntax.SetAction, other: syntax.SetAction) -> bool:
    same = (one.scope, one.fact) == (other.scope, other.fact)
    plain = isinstance(one.value, syntax.Constant) and isinstance(other.value, syntax.Constant)
    return same and plain and one.value != other.value


_WIDER: Final[dict[str, tuple[str, ...]]] = {
    "page": ("page", "visit", "visitor"),
    "visit": ("visit", "visitor"),
    "visitor": ("visitor",),
}


def _within(limit: syntax.Limit, other: syntax.Limit) -> bool:
    """Has the other limit always counted at least as much, and allows no more?"""
    longer = other.duration is None or (
        limit.duration is not None and limit.duration <= other.duration
    )
    return other.scope in _WIDER[limit.scope] and longer and limit.count >= other.count


def _said(limit: syntax.Limit) -> str:
    if limit.duration is None:
        return f"limit {limit.count} per {limit.scope}"
    own = "" if limit.scope == "visitor" else f" per {limit.scope}"
    return f"limit {limit.count} in {duration(limit.duration)}{own}"


def _once(pattern: syntax.Pattern) -> bool:
    """Does it begin with the beginning of a visit, of which there is one?"""
    first: Any = pattern.parts[0] if pattern.parts else None
    atoms = atoms_of(first) if first is not None else ()
    started = len(atoms) == 1 and atoms[0].name == "VisitStarted"
    return started and not isinstance(first, syntax.Times)
