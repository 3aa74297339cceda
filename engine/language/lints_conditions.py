"""Lints of conditions: what is always or never true, said with what a visitor would see of it.

A condition is looked into from the inside: the smallest part that cannot be otherwise is named, or
the two parts that together cannot, and what follows from it for the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Any, Final, Literal

from engine.language import syntax
from engine.language.lints_cases import STATES, WEEKDAYS, Cases, Knowledge, Patience, Term, Untrue
from engine.language.lints_notes import Notes
from engine.language.render import written
from engine.vocabulary.kinds import Kind

Role = Literal["when", "unless", "where", "absent", "option", "counted", "category", "guarantee"]

NOBODY: Final = "no visitor will ever get this"
_ITSELF: Final = "The event that the rule waits for counts too; say what is meant beside it."
_NEVER: Final = {
    "unless": "this `unless` keeps nobody out",
    "absent": "nothing can ever break this silence",
    "option": "this can never be what happens",
    "counted": "nothing is ever counted here",
    "category": "nothing will ever be in this category",
    "guarantee": "this guarantee watches for nothing",
}
_ALWAYS: Final = {
    "when": "every visitor passes it, and it could as well not be there",
    "where": "every such event passes it, and it could as well not be there",
    "absent": "every such event passes it, and it could as well not be there",
    "option": "every such event passes it, and it could as well not be there",
    "counted": "every such event is counted, and it could as well not be there",
    "category": "everything is in this category",
    "guarantee": "every such event passes it, and it could as well not be there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole condition: where it stands, and what it means for a visitor when it is never true."""

    condition: syntax.Expr
    role: Role
    nobody: str = NOBODY


class Conditions:
    """Looks into every condition of a book, as far as ``patience`` reaches."""

    def __init__(self, book: syntax.Book, notes: Notes, patience: Patience) -> None:
        self._notes = notes
        self.patience = patience
        self.facts = frozenset(key for key, fact in book.facts.items() if fact.default is not None)
        self._anywhere = Cases(Knowledge(facts=self.facts), patience)

    def category(self, category: syntax.Category) -> None:
        """Look into what a category asks."""
        cases = Cases(Knowledge(in_category=True), self.patience)
        self._look(Whole(condition=category.condition, role="category"), cases)

    def pattern(self, pattern: syntax.Pattern, nobody: str, *, guarantee: bool = False) -> None:
        """Look into every ``where`` of a pattern."""
        for part in pattern.parts:
            role: Role = "guarantee" if guarantee else "where"
            if isinstance(part, syntax.Absent):
                role = "absent"
            elif isinstance(part, syntax.AnyOf):
                role = "option"
            for atom in atoms_of(part):
                if atom.where is not None:
                    whole = Whole(condition=atom.where, role=role, nobody=nobody)
                    self._look(whole, self._anywhere)

    def rule(self, rule: syntax.Rule) -> None:
        """Look into the conditions of a rule, one by one and then together."""
        nobody = NOBODY if rule.sends else "this rule will never do anything"
        before = self._notes.count
        self.pattern(rule.pattern, nobody)
        cases = Cases(self.knowledge(rule), self.patience)
        if rule.when is not None:
            self._look(Whole(condition=rule.when, role="when", nobody=nobody), cases)
        if rule.unless is not None:
            self._look(Whole(condition=rule.unless, role="unless", nobody=nobody), cases)
        if self._notes.count == before:
            self._agree(rule, cases, nobody)
        for call in _counted(rule):
            if call.atom.where is not None:
                self._look(Whole(condition=call.atom.where, role="counted"), self._anywhere)

    def knowledge(self, rule: syntax.Rule) -> Knowledge:
        """What is certain in the guards of a rule."""
        last = rule.pattern.parts[-1] if rule.pattern.parts else None
        atom = last.atom if isinstance(last, syntax.Times) else last
        sure = atom if isinstance(atom, syntax.Atom) and atom.what == "event" else None
        return Knowledge(atom=sure, facts=self.facts)

    # ------------------------------------------------- one condition

    def _look(self, whole: Whole, cases: Cases) -> None:
        self._inside(whole.condition, whole, cases)

    def _inside(self, node: syntax.Expr, whole: Whole, cases: Cases) -> bool:
        """Note the smallest parts that cannot be otherwise; says whether there is one."""
        self._twice(node)
        found = [self._inside(part, whole, cases) for part in _parts(node)]
        if any(found):
            return True
        truths = cases.possible(node)
        if True not in truths:
            self._never(node, whole, cases)
        elif False not in truths:
            self._always(node, whole, cases)
        return not {True, False} <= truths

    def _never(self, node: syntax.Expr, whole: Whole, cases: Cases) -> None:
        parts = (
            _pair(node, lambda pair: cases.never(*pair), self.patience)
            if _is(node, syntax.And)
            else (node,)
        )
        said, span = _joined(parts, "and"), _span(parts)
        hint = "Mend it, or take it away."
        closed = _closed(node)
        if closed:
            hint = f"It is always one of {closed}."
        elif len(parts) == 2 and all(map(_equals, parts)):
            hint = "Write `or` instead of `and` when either will do."
        elif len(parts) == 2:
            hint = "Both have to hold here; write `or` when one of them will do."
        elif True in self._anywhere.possible(node) and whole.role != "category":
            hint = _ITSELF
        self._notes.add("L401", span, said=said, seen=self._seen(whole, cases), way=hint)

    def _always(self, node: syntax.Expr, whole: Whole, cases: Cases) -> None:
        def never_false(pair: tuple[syntax.Expr, ...]) -> bool:
            return False not in cases.possible(syntax.Or(items=pair))

        parts = _pair(node, never_false, self.patience) if _is(node, syntax.Or) else (node,)
        seen = self._seen(whole, cases)
        if different := _different(parts):
            subject, one, other = different
            self._notes.add(
                "L403", _span(parts), said=_joined(parts, "or"), seen=seen,
                subject=subject, one=one, two=other,
            )  # fmt: skip
            return
        code = "L404" if None in cases.possible(node) else "L402"
        way = _ITSELF if False in self._anywhere.possible(node) else "Mend it, or take it away."
        self._notes.add(code, _span(parts), said=_joined(parts, "or"), seen=seen, way=way)

    def _seen(self, whole: Whole, cases: Cases) -> str:
        """What follows for the whole, as a visitor would see it."""
        truths = cases.possible(whole.condition)
        if True not in truths:
            return _NEVER.get(whole.role, whole.nobody)
        if False not in truths:
            if whole.role == "unless":
                if None not in truths:
                    return whole.nobody
                return "only where a value is missing does this ever happen"
            if None not in truths:
                return _ALWAYS[whole.role]
            return "all it keeps out are those with a missing value"
        return "this part of the condition decides nothing"

    def _twice(self, node: syntax.Expr) -> None:
        match node:
            case syntax.Among(values=items) | syntax.And(items=items) | syntax.Or(items=items):
                seen: set[syntax.Expr] = set()
                for item in items:
                    if item in seen:
                        self._notes.add("L405", item.span, said=partial(written, item))
                    seen.add(item)
            case _:
                pass

    # ------------------------------------------------- where, when and unless together

    def _agree(self, rule: syntax.Rule, cases: Cases, nobody: str) -> None:
        clauses = list(guards(rule))
        terms = [term for _, term in clauses]
        if len(terms) < 2 or not cases.never(*terms):
            return
        for k, (_, later) in enumerate(clauses):
            for _, earlier in clauses[:k]:
                if cases.never(earlier, later):
                    self._note_pair(earlier, later, nobody)
                    return
        last = terms[-1]
        span = (last.item if isinstance(last, Untrue) else last).span
        self._notes.add("L407", span, seen=nobody)

    def _note_pair(self, earlier: Term, later: Term, nobody: str) -> None:
        if isinstance(later, Untrue):
            one = earlier.item if isinstance(earlier, Untrue) else earlier
            self._notes.add(
                "L406", later.item.span, one=written(one), other=written(later.item), seen=nobody
            )
        elif not isinstance(earlier, Untrue):
            said = f"{written(earlier)} and {written(later)}"
            hint = "They stand in `where` and `when` of one rule; mend one of them."
            self._notes.add("L401", later.span, said=said, seen=nobody, way=hint)


def guards(rule: syntax.Rule) -> Iterator[tuple[str, Term]]:
    """All that must hold when a rule fires: of ``where``, ``when`` and ``unless``, one by one.

    What ``where`` asked from outside may have changed when a silence ends, so it is left out.
    """
    reached = [part for part in rule.pattern.parts if not isinstance(part, syntax.Absent)]
    part = reached[-1] if reached else None
    atom = part.atom if isinstance(part, syntax.Times) else part
    if isinstance(atom, syntax.Atom) and atom.where is not None and atom.what == "event":
        for item in _conjuncts(atom.where):
            if not any(isinstance(node, syntax.Outside) for node in nodes_in(item)):
                yield "where", item
    if rule.when is not None:
        yield from (("when", item) for item in _conjuncts(rule.when))
    match rule.unless:
        case None:
            pass
        case syntax.Or(items=items):
            yield from (("unless", Untrue(item=item)) for item in items)
        case item:
            yield "unless", Untrue(item=item)


def nodes_in(tree: Any) -> Iterator[Any]:
    """Every value of the tree below (and with) this one, in the order written."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if type(node) is tuple:
            waiting += reversed(node)
        elif (parts := _parts_of(node.__class__)) is not None:
            yield node
            waiting += [getattr(node, name) for name in parts]


@cache
def _parts_of(form: Any) -> tuple[str, ...] | None:
    """What a form of the tree is made of, the last first; None for plain values."""
    if not hasattr(form, "__dataclass_fields__") or form in (syntax.Span, Kind):
        return None
    return tuple(name for name in reversed(form.__dataclass_fields__) if name != "span")


def atoms_of(part: syntax.Part) -> tuple[syntax.Atom, ...]:
    """The events that a part of a pattern waits for."""
    match part:
        case syntax.Atom():
            return (part,)
        case syntax.AllOf(atoms=atoms) | syntax.AnyOf(atoms=atoms):
            return atoms
        case _:
            return (part.atom,)


def _counted(rule: syntax.Rule) -> Iterator[syntax.Aggregate]:
    for node in nodes_in((rule.when, rule.unless, rule.sends, rule.attach, rule.sets)):
        if isinstance(node, syntax.Aggregate):
            yield node


def _conjuncts(node: syntax.Expr) -> Sequence[syntax.Expr]:
    return node.items if isinstance(node, syntax.And) else (node,)


def _parts(node: syntax.Expr) -> tuple[syntax.Expr, ...]:
    match node:
        case syntax.And(items=items) | syntax.Or(items=items):
            return items
        case syntax.Not(item=item):
            return (item,)
        case _:
            return ()


def _is(node: syntax.Expr, form: type) -> bool:
    return isinstance(node, form)


def _pair(node: Any, clash: Any, patience: Patience) -> tuple[syntax.Expr, ...]:
    """The two parts that are enough, or all of them."""
    for earlier, later in _pairs(node.items):
        if patience.ended:
            break
        if clash((earlier, later)):
            return (earlier, later)
    return (node,)


def _pairs(items: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Each with each that stands before it."""
    return ((earlier, later) for k, later in enumerate(items) for earlier in islice(items, k))


def _joined(parts: Sequence[syntax.Expr], word: str) -> str:
    return f" {word} ".join(written(part) for part in parts)


def _span(parts: Sequence[syntax.Expr]) -> syntax.Span:
    first, last = parts[0].span, parts[-1].span
    return syntax.Span(source=first.source, start=first.start, end=max(first.end, last.end))


def _equals(node: syntax.Expr) -> bool:
    return isinstance(node, syntax.Compare) and node.operator == "="


def _different(parts: Sequence[syntax.Expr]) -> tuple[str, str, str] | None:
    """``x != A or x != B``: x, A and B."""
    if len(parts) != 2:
        return None
    one, other = parts
    if not (isinstance(one, syntax.Compare) and isinstance(other, syntax.Compare)):
        return None
    if one.operator != "!=" or other.operator != "!=" or one.left != other.left:
        return None
    return written(one.left), written(one.right), written(other.right)


def _closed(node: syntax.Expr) -> str:
    """All values of what is compared, when they are few."""
    for inner in nodes_in(node):
        if isinstance(inner, syntax.Path) and inner.parts == ("visitor", "state"):
            return ", ".join(f'`"{word}"`' for word in STATES)
        if isinstance(inner, syntax.Clock) and inner.what == "weekday":
            return ", ".join(f'`"{word}"`' for word in WEEKDAYS)
    return ""
