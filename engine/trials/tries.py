"""What stories have tried of the boundaries of a book: a witness that looks at ages and counts.

It is told what a step sees (see coverage.py, which passes it on), remembers of one story when what
happened, and notes on which side of a boundary the story has been. Only what the runtime would
decide on is looked at: the age of a chain when an event comes that would extend it, the age of an
event when a condition asks, the messages that a limit counts when one more is to be sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from engine.language import syntax
from engine.runtime.admission import Admitted, Completed
from engine.runtime.fields import field_of
from engine.runtime.outcome import Decision
from engine.runtime.planned import PlannedRule
from engine.runtime.scene import Scene
from engine.runtime.visitor import Sent, TimerKey, Visitor
from engine.runtime.witness import Look
from engine.trials.boundaries import (
    Boundary,
    Key,
    Kind,
    Side,
    asked,
    boundaries,
    has_within,
    side_of,
    thresholds,
    windows_of,
)
from engine.trials.progress import Memory, atoms_of, knowing, unrolled
from engine.vocabulary.events import ENVELOPE
from engine.vocabulary.operators import conjunction, disjunction

Truth = Callable[[syntax.Expr], bool | None]
"""Says of a single condition whether it is true, false, or (None) unknown."""

Test = Callable[[Scene], bool]
T = TypeVar("T")

Asked = tuple[syntax.Atom, tuple[str, ...]]
"""What an aggregate looks at: an atom, and a field of it that must be known."""


class Waiting(Generic[T]):
    """What waits for some atoms, found by the name of an event first: most wait for another."""

    def __init__(self, waiting: Iterable[tuple[Sequence[syntax.Atom], T]]) -> None:
        self._all = list(waiting)
        self._named: dict[str, list[tuple[Sequence[syntax.Atom], T]]] = {}

    def about(self, scene: Scene) -> Iterator[T]:
        """Everything that waits for an event like this one, whatever ``where`` says."""
        name = scene.event.name
        if name not in self._named:
            self._named[name] = [
                (atoms, one)
                for atoms, one in self._all
                if any(atom.what == "any" or atom.name == name for atom in atoms)
            ]
        for atoms, one in self._named[name]:
            if any(is_about(atom, scene) for atom in atoms):
                yield one


class Tries:
    """The boundaries of a book, and the sides of each that some story has seen."""

    def __init__(self, book: syntax.Book, visit_expiry: int) -> None:
        self._book = book
        self._visit_expiry = visit_expiry
        self.all = boundaries(book)
        self._tried: dict[Key, set[Side]] = {one.key: set() for one in self.all}
        rules = [
            (told.name, place, rule)
            for told in book.strategies.values()
            for place, rule in enumerate(told.rules)
        ]
        self._windows = {(name, place): windows_of(rule, book) for name, place, rule in rules}
        nodes = [node for found in self._windows.values() for node in found]
        looked_at = dict.fromkeys((node.atom, node.field) for node in nodes)
        self._asked = Waiting(((atom,), (atom, field)) for atom, field in looked_at)
        self._tested = Waiting(
            ((atom,), atom.where)
            for _, _, rule in rules
            for atom in asked(rule)
            if any(thresholds(atom.where))
        )
        self._sized = [
            c.condition for c in book.categories.values() if any(thresholds(c.condition))
        ]
        self._silent: dict[str, dict[int, syntax.Absent]] = {}
        self._tests: dict[int, tuple[Test, Test]] = {}
        self.story()

    def story(self) -> None:
        """A new story begins."""
        self._times: dict[Asked, list[int]] = defaultdict(list)
        self._sends: list[Sent] = []
        self._waiting: dict[TimerKey, int] = {}

    # ------------------------------------------------------------ what was not tried

    def missing(self) -> Iterator[tuple[Boundary, str]]:
        """Each boundary that was not seen on some side, with the sentence about that side."""
        for boundary in self.all:
            for side, sentence in boundary.missing.items():
                if side not in self._tried[boundary.key]:
                    yield boundary, sentence

    def count(self) -> tuple[int, int]:
        """How many boundaries were tried on all their sides, of how many."""
        done = sum(self._tried[one.key] >= one.missing.keys() for one in self.all)
        return done, len(self.all)

    def _note(self, kind: Kind, span: syntax.Span, side: Side | None) -> None:
        if side is not None and (kind, span) in self._tried:
            self._tried[kind, span].add(side)

    # ------------------------------------------------------------ conditions

    def condition(self, node: syntax.Expr | None, scene: Scene) -> None:
        """A condition is asked: look at the values that it compares by size."""
        if node is not None:
            self._decides(node, scene, _truth_in(scene))

    def guards(self, rule: syntax.Rule, scene: Scene) -> bool:
        """The guards of a rule are asked: what decides is whether both let it act. Do they?"""
        when, unless, truth = rule.when, rule.unless, _truth_in(scene)

        def acts(asked: Truth) -> bool:
            if when is not None and outcome(when, asked) is not True:
                return False
            return unless is None or outcome(unless, asked) is not True

        for guard in (when, unless):
            if guard is not None:
                self._decided(guard, scene, acts, truth)
        return acts(truth)

    def _decides(self, node: syntax.Expr, scene: Scene, truth: Truth) -> None:
        self._decided(node, scene, lambda asked: outcome(node, asked) is True, truth)

    def _decided(
        self, node: syntax.Expr, scene: Scene, answer: Callable[[Truth], bool], truth: Truth
    ) -> None:
        """Note the sides of the thresholds in ``node`` that alone decide the answer."""
        for threshold in thresholds(node):
            side = threshold.side(scene.plan.look(threshold.value)(scene))
            if side is not None:
                turned = [_forced(truth, threshold.node, to=to) for to in (True, False)]
                if answer(turned[0]) is not answer(turned[1]):
                    self._note("threshold", threshold.node.span, side)

    def _categories(self, scene: Scene) -> None:
        """Every category of the event is asked for; short names mean the event's in them."""

        def truth(leaf: syntax.Expr) -> bool | None:
            tests = self._tests.get(id(leaf))
            if tests is None:
                category = scene.plan.category
                tests = self._tests[id(leaf)] = category(leaf), category(syntax.Not(item=leaf))
            holds, fails = tests
            return True if holds(scene) else False if fails(scene) else None

        for condition in self._sized:
            self._decides(condition, scene, truth)

    def arrives(self, scene: Scene) -> None:
        """An event has come: categories are asked, and what aggregates will ask for is noted."""
        self._categories(scene)
        for where in self._tested.about(scene):
            self.condition(where, scene)
        for atom, field in self._asked.about(scene):
            if fits(atom, scene) and (not field or _known(field, scene)):
                self._times[atom, field].append(scene.now)

    # ------------------------------------------------------------ behaviours

    def extends(
        self, planned: PlannedRule, pattern: syntax.Pattern, scene: Scene, before: Memory
    ) -> None:
        """An event has come that may extend a chain: look at the ages and the counts."""
        self._note_silences(planned, pattern)
        parts = unrolled(pattern)
        last = max(k for k, part in enumerate(parts) if not isinstance(part, syntax.Absent))
        if pattern.within is not None and has_within(pattern):
            began = self._began(parts[last], last, scene, before)
            if began is not None:
                self._note("within", pattern.span, side_of(scene.now - began, pattern.within))
        k = 0
        for part in pattern.parts:
            k += part.count if isinstance(part, syntax.Times) else 1
            if isinstance(part, syntax.Times):
                began = self._began(part.atom, k - 1, scene, before)
                within = pattern.within
                if began is not None and (within is None or scene.now - began < within):
                    self._note("times", part.span, "in")

    def _began(self, part: syntax.Part, k: int, scene: Scene, before: Memory) -> int | None:
        """When the chain began that this event would extend to position k; None if it would not."""
        known = knowing(scene, before, k)
        fitting = [n for n, atom in enumerate(atoms_of(part)) if fits(atom, known)]
        chain = before.chains[k - 1] if k > 0 else (scene.now,)
        if not fitting or chain is None:
            return None
        if not isinstance(part, syntax.AllOf):
            return int(chain[0])
        # The one seen longest ago counts, unless it comes again right now.
        older = [began for n, began in before.gathered.get(k, {}).items() if n not in fitting]
        if len(older) + len(fitting) < len(part.atoms):
            return None
        return int((older or chain)[0])

    # ------------------------------------------------------------ silences

    def _note_silences(self, planned: PlannedRule, pattern: syntax.Pattern) -> None:
        key = planned.automaton.key
        if key not in self._silent:
            self._silent[key] = {
                k: part
                for k, part in enumerate(unrolled(pattern))
                if isinstance(part, syntax.Absent)
            }

    def passes(self, visitor: Visitor) -> None:
        """A moment is over: which silences have held until now, and which wait."""
        for key, due in self._waiting.items():
            part = self._silence(key)
            if part is not None and due <= visitor.now:
                self._note("silence", part.span, "out")
        self._waiting = {
            key: timer[0]
            for key, timer in visitor.timers.items()
            if not key[0] or timer[0] <= self._end_of(visitor, key[0][0])
        }

    def _end_of(self, visitor: Visitor, visit: str) -> int:
        """When a visit ends, and its timers with it, if nothing more is heard of it."""
        known = visitor.visits.get(visit)
        return 0 if known is None else known.last + self._visit_expiry

    def pauses(self, visitor: Visitor) -> None:
        """A line of the story is told: which silences wait, and for how long already."""
        for key, due in self._waiting.items():
            part = self._silence(key)
            if part is not None:
                age = part.duration - (due - visitor.now)
                self._note("silence", part.span, side_of(age, part.duration))

    def _silence(self, key: TimerKey) -> syntax.Absent | None:
        return self._silent.get(key[1], {}).get(key[2])

    # ------------------------------------------------------------ sends

    def decides(self, look: Look, completed: Sequence[Completed], admitted: Admitted) -> None:
        """Rules are complete: look at the windows that they ask for, and at the limits."""
        now = look.visitor.now
        for candidate in completed:
            for node in self._windows[candidate.rule.strategy.name, candidate.rule.place]:
                assert node.window is not None, "only rolling windows are asked for"
                for time in self._seen(node):
                    side = side_of(now - time, node.window.duration)
                    self._note("window", node.window.span, side)
        offers = {offer.sent.id: offer.sent for offer in admitted.offers}
        for decision in admitted.decisions:
            if decision.reason is None:
                for name in decision.sends:
                    self._passed(decision)
                    self._sends.append(offers[name])
            elif decision.reason == "limit":
                self._refused(decision)

    def _seen(self, node: syntax.Aggregate) -> list[int]:
        if node.atom.what == "sent":
            return [sent.time for sent in self._sends if sent.named(node.atom.name)]
        return self._times[node.atom, node.field]

    def _passed(self, decision: Decision) -> None:
        for limit, sends in self._limits(decision):
            recent = _within(limit, sends, decision.time)
            if len(recent) == limit.count - 1:
                self._note("limit", limit.span, "in")
            if limit.duration is not None and len(sends) >= limit.count:
                age = decision.time - sends[-limit.count].time
                self._note("rate", limit.span, side_of(age, limit.duration))

    def _refused(self, decision: Decision) -> None:
        """What refused it counts only when it was alone: another would have refused it as well."""
        wanted = len(self._book.strategies[decision.strategy].rules[decision.rule].sends)
        full = []
        for limit, sends in self._limits(decision):
            recent = _within(limit, sends, decision.time)
            if len(recent) + wanted > limit.count:
                full.append((limit, recent))
        if len(full) != 1:
            return
        limit, recent = full[0]
        self._note("limit", limit.span, "out")
        if limit.duration is not None and len(recent) >= limit.count:
            age = decision.time - recent[-limit.count].time
            self._note("rate", limit.span, side_of(age, limit.duration))

    def _limits(self, decision: Decision) -> Iterator[tuple[syntax.Limit, list[Sent]]]:
        """Each limit of a strategy and its group, with all sends that it ever looks at."""
        strategy = self._book.strategies[decision.strategy]
        group = self._book.groups.get(strategy.group or "")
        for limit in strategy.limits:
            own = [sent for sent in self._sends if sent.strategy == strategy.name]
            yield limit, [sent for sent in own if _in_scope(limit, sent, decision)]
        for limit in group.limits if group else ():
            shared = [sent for sent in self._sends if sent.group == strategy.group]
            yield limit, [sent for sent in shared if _in_scope(limit, sent, decision)]


def _in_scope(limit: syntax.Limit, sent: Sent, decision: Decision) -> bool:
    if limit.scope != "visitor" and sent.visit != decision.visit:
        return False
    return limit.scope != "page" or sent.every_page or sent.page == decision.page


def _within(limit: syntax.Limit, sends: list[Sent], now: int) -> list[Sent]:
    if limit.duration is None:
        return sends
    return [sent for sent in sends if now - sent.time < limit.duration]


def is_about(atom: syntax.Atom, scene: Scene) -> bool:
    """Is the scene's event what the atom waits for, whatever its ``where`` says?"""
    if atom.what == "sent" or (atom.what == "event" and atom.name != scene.event.name):
        return False
    return not atom.categories or any(scene.in_category(name) for name in atom.categories)


def fits(atom: syntax.Atom, scene: Scene) -> bool:
    """Does the scene's event fit the atom?"""
    return is_about(atom, scene) and (atom.where is None or scene.plan.holds(atom.where)(scene))


def outcome(node: syntax.Expr, truth: Truth) -> bool | None:
    """What a condition comes to, given what its single conditions are, in three values."""
    match node:
        case syntax.And(items=items):
            return conjunction([outcome(item, truth) for item in items])
        case syntax.Or(items=items):
            return disjunction([outcome(item, truth) for item in items])
        case syntax.Not(item=item):
            inner = outcome(item, truth)
            return None if inner is None else not inner
    return truth(node)


def _truth_in(scene: Scene) -> Truth:
    def truth(leaf: syntax.Expr) -> bool | None:
        value = scene.plan.look(leaf)(scene)
        return value if isinstance(value, bool) else None

    return truth


def _forced(truth: Truth, leaf: syntax.Expr, *, to: bool) -> Truth:
    """The same, but for one condition, which is answered as it is asked to be."""
    return lambda other: to if other is leaf else truth(other)


def _known(field: tuple[str, ...], scene: Scene) -> bool:
    """Has the event the field that an aggregate looks at?"""
    return field[0] in ENVELOPE or field_of(scene.event, field) is not None
