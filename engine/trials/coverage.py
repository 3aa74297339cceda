"""What the scenarios of a book have tried: rules, conditions both ways, boundaries, guarantees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.language import syntax
from engine.language.render import written
from engine.language.source import Source, by_name
from engine.runtime.admission import Admitted, Completed
from engine.runtime.planned import PlannedRule
from engine.runtime.scene import Scene, send_event
from engine.runtime.visitor import VISIT_EXPIRY, Sent, Visitor
from engine.runtime.witness import Look
from engine.trials.boundaries import awaited, leaves
from engine.trials.progress import atoms_of, knowing, remembered, unrolled
from engine.trials.tries import Tries, Waiting, is_about
from engine.vocabulary.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that no scenario has tried; ``what`` is a sentence without a full stop."""

    span: syntax.Span
    what: str


class Coverage:
    """A witness of every story of a book; call ``story`` when a new one begins."""

    def __init__(self, book: syntax.Book, *, visit_expiry: int = VISIT_EXPIRY) -> None:
        self._book = book
        self._fired: set[tuple[str, int]] = set()
        self._seen: dict[syntax.Span, set[bool]] = {}
        self._tries = Tries(book, visit_expiry)
        self._waiting: Waiting[tuple[PlannedRule, syntax.Pattern]] | None = None
        self._exercised: set[str] = set()
        self._atoms: set[syntax.Atom] = set()

    def story(self) -> None:
        """A new story begins: what one visitor did does not count for another."""
        self._atoms = set()
        self._tries.story()

    # ------------------------------------------------------------ told by the step

    def arrives(self, look: Look, scene: Scene) -> None:
        """Try the conditions of everything that waits for this event."""
        self._tries.arrives(scene)
        if self._waiting is None:
            rules = ((planned, self._rule(planned).pattern) for planned in look.plan.rules)
            self._waiting = Waiting((list(awaited(told)), (one, told)) for one, told in rules)
        for planned, pattern in self._waiting.about(scene):
            before = remembered(look, planned.automaton, scene.event)
            self._tries.extends(planned, pattern, scene, before)
            for k, part in enumerate(unrolled(pattern)):
                known = knowing(scene, before, k)
                for atom in atoms_of(part):
                    if atom.where is not None and is_about(atom, scene):
                        self._try(atom.where, known)
        for guarantee in self._book.guarantees.values():
            for atom in _wanted(guarantee):
                if is_about(atom, scene):
                    self._atoms.add(atom)

    def decides(self, look: Look, completed: Sequence[Completed], admitted: Admitted) -> None:
        """Note what fired, and the guards of all that was complete."""
        won: list[tuple[str, Event]] = []
        for candidate in completed:
            rule, event = self._rule(candidate.rule), candidate.scene.event
            # Behind a row of its table that held nothing is decided.
            if rule.table is None or (rule.table, event) not in won:
                holds = self._tries.guards(rule, candidate.scene)
                won += [(rule.table, event)] if holds and rule.table is not None else []
            for guard in (rule.when, rule.unless):
                self._see(guard, candidate.scene)
            if any(acting is candidate for acting in admitted.acting):
                self._fired.add((candidate.rule.strategy.name, candidate.rule.place))
        self._tries.decides(look, completed, admitted)
        sends = [offer.sent for offer in admitted.offers]
        for sent in sends:
            self._try_send(look, sent)
        for guarantee in self._book.guarantees.values():
            self._exercise(guarantee, sends)

    def leaves(self, look: Look, event: Event) -> None:  # noqa: ARG002 - a witness
        """See whether a guarantee has met all that it forbids together."""
        for guarantee in self._book.guarantees.values():
            self._exercise(guarantee, [])

    # ------------------------------------------------------------ told by the story

    def passes(self, visitor: Visitor) -> None:
        """A moment is over: an event, or a stretch of time in which no timer fell due."""
        self._tries.passes(visitor)

    def pauses(self, visitor: Visitor) -> None:
        """A line of the story is told: who wrote it could look at what has happened."""
        self._tries.pauses(visitor)

    # ------------------------------------------------------------ what was tried

    def _rule(self, planned: PlannedRule) -> syntax.Rule:
        return self._book.strategies[planned.strategy.name].rules[planned.place]

    def _exercise(self, guarantee: syntax.Guarantee, sends: Sequence[Sent]) -> None:
        atoms = _wanted(guarantee)
        for atom in atoms:
            if atom.what == "sent" and any(sent.named(atom.name) for sent in sends):
                self._atoms.add(atom)
        if atoms and self._atoms.issuperset(atoms):
            self._exercised.add(guarantee.name)

    def _try_send(self, look: Look, sent: Sent) -> None:
        """Try the conditions of what waits for this send."""
        visitor = look.visitor
        event = send_event(sent, visitor.id)
        visit = visitor.visits.get(sent.visit)
        scene = Scene(look.plan.conditions, event, visitor.now, visitor, visit)
        for rule in _rules(self._book):
            for atom in awaited(rule.pattern):
                if atom.what == "sent" and atom.where is not None and sent.named(atom.name):
                    self._try(atom.where, scene)

    def _try(self, node: syntax.Expr, scene: Scene) -> None:
        self._tries.condition(node, scene)
        self._see(node, scene)

    def _see(self, node: syntax.Expr | None, scene: Scene) -> None:
        for leaf in leaves(node):
            self._seen.setdefault(leaf.span, set()).add(scene.plan.holds(leaf)(scene))

    # ------------------------------------------------------------ what was not

    def gaps(self) -> tuple[Gap, ...]:
        """All that no story has tried, by place."""
        found = [
            *self._rules_silent(),
            *self._conditions_untried(),
            *self._boundaries_untried(),
            *self._guarantees_untried(),
        ]
        return tuple(sorted(found, key=lambda gap: (gap.span.source, gap.span.start)))

    def _rules_silent(self) -> Iterator[Gap]:
        for strategy in self._book.strategies.values():
            for place, rule in enumerate(strategy.rules):
                if (strategy.name, place) not in self._fired:
                    yield Gap(span=rule.span, what=f'a rule of "{strategy.name}" never fired')

    def _conditions_untried(self) -> Iterator[Gap]:
        for span, leaf in _conditions(self._book):
            for truth, word in ((True, "true"), (False, "false")):
                if truth not in self._seen.get(leaf.span, ()):
                    yield Gap(span=span, what=f"`{written(leaf)}` was never {word}")

    def _boundaries_untried(self) -> Iterator[Gap]:
        for boundary, sentence in self._tries.missing():
            yield Gap(span=boundary.place, what=sentence)

    def _guarantees_untried(self) -> Iterator[Gap]:
        for guarantee in self._book.guarantees.values():
            if guarantee.name not in self._exercised:
                said = f'no story comes near what the guarantee "{guarantee.name}" forbids'
                yield Gap(span=guarantee.span, what=said)

    def summary(self) -> dict[str, tuple[int, int]]:
        """How many of how many: rules, conditions (each way), boundaries, guarantees."""
        seen = [len(self._seen.get(leaf.span, ())) for _, leaf in _conditions(self._book)]
        return {
            "rules": (len(self._fired), sum(1 for _ in _rules(self._book))),
            "conditions": (sum(seen), 2 * len(seen)),
            "boundaries": self._tries.count(),
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


def _conditions(book: syntax.Book) -> Iterator[tuple[syntax.Span, syntax.Expr]]:
    """Every single condition of the rules, each once, and where to look for it."""
    known = set()
    for rule in _rules(book):
        wheres = [atom.where for atom in awaited(rule.pattern)]
        for node in (*wheres, rule.when, rule.unless):
            for leaf in leaves(node):
                if leaf.span not in known:
                    known.add(leaf.span)
                    yield (leaf.span if rule.table is None else _cell(leaf.span)), leaf


def _cell(span: syntax.Span) -> syntax.Span:
    """A condition of a table begins in its head and ends in the row that it belongs to."""
    return syntax.Span(source=span.source, start=max(span.start, span.end - 1), end=span.end)


def _wanted(guarantee: syntax.Guarantee) -> list[syntax.Atom]:
    """The atoms of a guarantee that must be seen; what must be absent is not waited for."""
    parts = [part for part in guarantee.pattern.parts if not isinstance(part, syntax.Absent)]
    return [atom for part in parts for atom in atoms_of(part)]
