"""What the scenarios of a book have tried: rules, conditions both ways, thresholds, guarantees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.language import syntax
from engine.language.render import written
from engine.language.source import Source, by_name
from engine.runtime.admission import Admitted, Completed
from engine.runtime.scene import Scene
from engine.runtime.witness import Look
from engine.trials.lacks import spoken
from engine.trials.progress import atoms_of
from engine.vocabulary.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that no scenario has tried; ``what`` is a sentence without a full stop."""

    span: syntax.Span
    what: str


class Coverage:
    """A witness of every story of a book; call ``story`` when a new one begins."""

    def __init__(self, book: syntax.Book) -> None:
        self._book = book
        self._fired: set[tuple[str, int]] = set()
        self._seen: dict[syntax.Span, set[Any]] = {}
        self._exercised: set[str] = set()
        self._atoms: set[syntax.Atom] = set()

    def story(self) -> None:
        """A new story begins: what one visitor did does not count for another."""
        self._atoms = set()

    # ------------------------------------------------------------ told by the step

    def arrives(self, look: Look, scene: Scene) -> None:  # noqa: ARG002 - a witness
        """Try the conditions of everything that waits for this event."""
        for rule in _rules(self._book):
            for part in rule.pattern.parts:
                for atom in atoms_of(part):
                    if _about(atom, scene) and atom.where is not None:
                        self._try(atom.where, scene)
        for guarantee in self._book.guarantees.values():
            for atom in _wanted(guarantee):
                if atom.what != "sent" and _about(atom, scene):
                    self._atoms.add(atom)

    def decides(
        self,
        look: Look,  # noqa: ARG002 - a witness
        completed: Sequence[Completed],
        admitted: Admitted,
    ) -> None:
        """Note what fired, and the guards of all that was complete."""
        for candidate in completed:
            strategy, place = candidate.rule.strategy.name, candidate.rule.place
            rule = self._book.strategies[strategy].rules[place]
            for guard in (rule.when, rule.unless):
                if guard is not None:
                    self._try(guard, candidate.scene)
            if any(acting is candidate for acting in admitted.acting):
                self._fired.add((strategy, place))
        for guarantee in self._book.guarantees.values():
            self._exercise(guarantee, [offer.sent for offer in admitted.offers])

    def leaves(self, look: Look, event: Event) -> None:  # noqa: ARG002 - a witness
        """See whether a guarantee has met all that it forbids together."""
        for guarantee in self._book.guarantees.values():
            self._exercise(guarantee, [])

    # ------------------------------------------------------------ what was tried

    def _exercise(self, guarantee: syntax.Guarantee, sends: Sequence[Any]) -> None:
        atoms = _wanted(guarantee)
        for atom in atoms:
            if atom.what == "sent" and any(sent.named(atom.name) for sent in sends):
                self._atoms.add(atom)
        if atoms and self._atoms.issuperset(atoms):
            self._exercised.add(guarantee.name)

    def _try(self, node: syntax.Expr, scene: Scene) -> None:
        for leaf in _leaves(node):
            found = self._seen.setdefault(leaf.span, set())
            found.add("true" if scene.plan.holds(leaf)(scene) else "false")
            limit = _threshold(leaf)
            if limit is not None and isinstance(leaf, syntax.Compare):
                value = scene.plan.look(leaf.left)(scene)
                if isinstance(value, int | float) and abs(value - limit) <= 1:
                    found.add(value - limit)

    # ------------------------------------------------------------ what was not

    def gaps(self) -> tuple[Gap, ...]:
        """All that no story has tried, by place."""
        found = [*self._rules_silent(), *self._conditions_untried(), *self._guarantees_untried()]
        return tuple(sorted(found, key=lambda gap: (gap.span.source, gap.span.start)))

    def _rules_silent(self) -> Iterator[Gap]:
        for strategy in self._book.strategies.values():
            for place, rule in enumerate(strategy.rules):
                if (strategy.name, place) not in self._fired:
                    yield Gap(span=rule.span, what=f'a rule of "{strategy.name}" never fired')

    def _conditions_untried(self) -> Iterator[Gap]:
        for leaf in _conditions(self._book):
            found = self._seen.get(leaf.span, set())
            said = f"`{written(leaf)}`"
            for word in ("true", "false"):
                if word not in found:
                    yield Gap(span=leaf.span, what=f"{said} was never {word}")
            missed = [_value(leaf, step) for step in _steps(leaf) if step not in found]
            if missed:
                yield Gap(span=leaf.span, what=f"{said} was not tried at {', '.join(missed)}")

    def _guarantees_untried(self) -> Iterator[Gap]:
        for guarantee in self._book.guarantees.values():
            if guarantee.name not in self._exercised:
                said = f'no story comes near what the guarantee "{guarantee.name}" forbids'
                yield Gap(span=guarantee.span, what=said)

    def summary(self) -> dict[str, tuple[int, int]]:
        """How many of how many: rules, conditions (each way), thresholds, guarantees."""
        leaves = list(_conditions(self._book))
        seen = [self._seen.get(leaf.span, set()) for leaf in leaves]
        steps = [(found, _steps(leaf)) for leaf, found in zip(leaves, seen, strict=True)]
        edges = sum(len(found.intersection(wanted)) for found, wanted in steps)
        return {
            "rules": (len(self._fired), sum(1 for _ in _rules(self._book))),
            "conditions": (sum(len(found & {"true", "false"}) for found in seen), 2 * len(leaves)),
            "thresholds": (edges, sum(len(wanted) for _, wanted in steps)),
            "guarantees": (len(self._exercised), len(self._book.guarantees)),
        }

    def to_json(self, sources: Sequence[Source]) -> dict[str, Any]:
        """The summary as ``{name: [tried, all]}``, and the gaps with file and line."""
        named = by_name(sources)
        return {
            **{name: list(pair) for name, pair in self.summary().items()},
            "exercised": sorted(self._exercised),
            "gaps": [
                {
                    "file": gap.span.source,
                    "line": named[gap.span.source].place(gap.span.start)[0],
                    "what": gap.what,
                }
                for gap in self.gaps()
            ],
        }


def _rules(book: syntax.Book) -> Iterator[syntax.Rule]:
    for strategy in book.strategies.values():
        yield from strategy.rules


def _conditions(book: syntax.Book) -> Iterator[syntax.Expr]:
    """Every single condition of the rules, each place once."""
    known = set()
    for rule in _rules(book):
        wheres = [atom.where for part in rule.pattern.parts for atom in atoms_of(part)]
        for node in (*wheres, rule.when, rule.unless):
            for leaf in _leaves(node) if node is not None else ():
                if leaf.span not in known:
                    known.add(leaf.span)
                    yield leaf


def _leaves(node: syntax.Expr) -> Iterator[syntax.Expr]:
    match node:
        case syntax.And(items=items) | syntax.Or(items=items):
            for item in items:
                yield from _leaves(item)
        case syntax.Not(item=item):
            yield from _leaves(item)
        case _:
            yield node


def _threshold(node: syntax.Expr) -> float | None:
    """The number that a value is compared with by size."""
    match node:
        case syntax.Compare(operator="<" | "<=" | ">" | ">=", right=syntax.Constant() as right):
            value = right.value
            return None if isinstance(value, str | bool) else value
    return None


def _steps(node: syntax.Expr) -> tuple[int, ...]:
    """Around a threshold: one below, itself, one above; a count is never below nothing."""
    limit = _threshold(node)
    if limit is None or not isinstance(node, syntax.Compare):
        return ()
    counts = isinstance(node.left, syntax.Outside | syntax.Aggregate)
    return (0, 1) if counts and limit - 1 < 0 else (-1, 0, 1)


def _value(node: syntax.Expr, step: int) -> str:
    limit = _threshold(node) or 0
    lasting = isinstance(node, syntax.Compare) and (
        isinstance(node.right, syntax.Constant) and node.right.kind.word == "duration"
    )
    return spoken(limit + step, lasting=lasting)


def _about(atom: syntax.Atom, scene: Scene) -> bool:
    if atom.what == "sent" or (atom.what == "event" and atom.name != scene.event.name):
        return False
    return not atom.categories or any(scene.in_category(name) for name in atom.categories)


def _wanted(guarantee: syntax.Guarantee) -> list[syntax.Atom]:
    """The atoms of a guarantee that must be seen; what must be absent is not waited for."""
    parts = [part for part in guarantee.pattern.parts if not isinstance(part, syntax.Absent)]
    return [atom for part in parts for atom in atoms_of(part)]
