"""Why, for every event of a recorded visit: which rules fired, which did not, and what was missing.

The visit is decided again by the same step, with a witness beside it that walks over the rules in
the most obvious way; whoever is not asked to explain pays nothing for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec.structs import replace as event_with

from engine.language import syntax
from engine.runtime.admission import Admitted, Completed
from engine.runtime.aggregates import aggregates_in
from engine.runtime.plan import Plan, plan
from engine.runtime.planned import PlannedRule
from engine.runtime.scene import Scene
from engine.runtime.visitor import VISIT_EXPIRY, Visitor
from engine.runtime.watchers import Automaton
from engine.runtime.witness import Look, watched
from engine.trials.lacks import Explainer, Lack
from engine.trials.progress import Memory, Progress, Silence, remembered
from engine.trials.recording import Recording, Track, moments
from engine.trials.refusals import Refusals
from engine.vocabulary.events import NOTHING, Event, Moment

Status = Literal["fired", "refused", "silent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one rule at one moment.

    ``rule`` is its place in the strategy, from 0. A ``refused`` rule was complete and has a
    ``reason``; a ``silent`` one was not complete. ``sentence`` says why, ``condition`` is the first
    part that failed as it is written, ``seen`` its value, and ``change`` the smallest change that
    would have helped (``what`` must be ``needed``; times in ms). ``touched`` is False for silent
    rules that wait for other events.
    """

    strategy: str
    rule: int
    span: syntax.Span
    status: Status
    reason: str | None = None
    sentence: str = ""
    condition: str = ""
    seen: Any = None
    change: Mapping[str, Any] | None = None
    sends: tuple[str, ...] = ()
    touched: bool = True


@dataclass(slots=True, kw_only=True)
class Explained:
    """One moment: an event, or (``timer``) the instant at which silences were held."""

    time: int
    event: str
    visit: str
    page: str | None
    url: str | None
    timer: bool
    verdicts: list[Verdict] = field(default_factory=list)


def why(
    book: syntax.Book,
    recording: Recording,
    visit: str,
    *,
    strategy: str | None = None,
    agents: Mapping[str, int] = NOTHING,
    visit_expiry: int = VISIT_EXPIRY,
) -> Iterator[Explained]:
    """Explain every moment of a visit, in order. Nothing when the recording has no such visit."""
    track = track_of(recording, visit)
    if track is None:
        return
    teller = Story(book, strategy=strategy, visit_expiry=visit_expiry)
    for _, event in moments(track, derive_exits=not recording.has_exits, agents=agents):
        for moment in teller.tell(event, horizon=track.horizon):
            if moment.visit == visit:
                yield moment


def track_of(recording: Recording, visit: str) -> Track | None:
    """The visitor to whom a visit belongs."""
    return next((track for track in recording.tracks if visit in track.horizon), None)


class Story:
    """One visitor under one book, told moment by moment, and explained."""

    def __init__(
        self,
        book: syntax.Book,
        *,
        strategy: str | None = None,
        visit_expiry: int = VISIT_EXPIRY,
    ) -> None:
        self.visitor: Visitor | None = None
        self._plan = plan(book, visit_expiry=visit_expiry)
        self._witness = _Witness(book, self._plan, strategy)

    def tell(self, moment: Moment, *, horizon: Mapping[str, int] | None = None) -> list[Explained]:
        """Apply a moment; what it was, after the instants of timers before it."""
        if self.visitor is None:
            self.visitor = Visitor.new(moment.visitor if isinstance(moment, Event) else "")
        self._witness.found = []
        outcome = watched(self._plan, self.visitor, moment, self._witness, horizon=horizon)
        self.visitor = outcome.visitor
        return self._witness.found


@dataclass(slots=True, kw_only=True)
class _Arrived:
    """What is kept between the arrival of an event and its end."""

    explained: Explained
    progress: list[tuple[PlannedRule, syntax.Rule, Progress]]


class _Witness:
    def __init__(self, book: syntax.Book, live: Plan, strategy: str | None) -> None:
        self.found: list[Explained] = []
        self._times: dict[syntax.Atom, list[int]] = defaultdict(list)
        self._addresses: dict[tuple[object, ...], str | None] = {}
        self._explainer = Explainer(book, self._times)
        self._refusals = Refusals(book, self._explainer)
        self._arrived: _Arrived | None = None
        self._rules = [
            (planned, book.strategies[planned.strategy.name].rules[planned.place])
            for planned in live.rules
            if strategy is None or planned.strategy.name == strategy
        ]
        self._told = {planned.rank: rule for planned, rule in self._rules}
        nodes = [(rule.when, rule.unless) for _, rule in self._rules]
        self._atoms = dict.fromkeys(aggregate.atom for aggregate in aggregates_in(tuple(nodes)))

    # ------------------------------------------------------------ told by the step

    def arrives(self, look: Look, scene: Scene) -> None:
        event = scene.event
        self._note_times(scene)
        self._addresses[_mark(event)] = event.url
        explained = _moment(scene.now, event, timer=False)
        self.found.append(explained)
        self._arrived = _Arrived(
            explained=explained,
            progress=[
                (planned, rule, self._progress(look, planned.automaton, rule, scene))
                for planned, rule in self._rules
            ],
        )

    def decides(self, look: Look, completed: Sequence[Completed], admitted: Admitted) -> None:
        if self._arrived is None:
            for candidate in completed:
                event = candidate.scene.event
                visit = candidate.target.visit if candidate.target else event.visit
                if not any(
                    m.timer and (m.time, m.visit) == (look.visitor.now, visit) for m in self.found
                ):
                    # A silence has kept the address of its event only if the rule reads it.
                    event = event_with(event, url=self._addresses.get(_mark(event), event.url))
                    self.found.append(_moment(look.visitor.now, event, timer=True, visit=visit))
        decisions = list(admitted.decisions)
        for candidate in completed:
            reason: str | None = None
            sends: tuple[str, ...] = ()
            if decisions and candidate.rule.sends and _about(candidate, decisions[0]):
                decision = decisions.pop(0)
                reason, sends = decision.reason, decision.sends
            if candidate.rule.rank in self._told:
                verdict = self._verdict(look, candidate, admitted, reason, sends)
                self._moment_of(candidate).verdicts.append(verdict)

    def leaves(self, look: Look, event: Event) -> None:
        arrived, self._arrived = self._arrived, None
        assert arrived is not None, "what leaves has arrived"
        verdicts = arrived.explained.verdicts
        complete = {(verdict.strategy, verdict.rule) for verdict in verdicts}
        for planned, rule, progress in arrived.progress:
            if (planned.strategy.name, planned.place) not in complete:
                silence = progress.silence(remembered(look, planned.automaton, event))
                verdicts.append(_silent(planned, rule, silence))

    # ------------------------------------------------------------ behind it

    def _moment_of(self, candidate: Completed) -> Explained:
        if self._arrived is not None:
            return self._arrived.explained
        visit = candidate.target.visit if candidate.target else candidate.scene.event.visit
        return next(m for m in reversed(self.found) if m.timer and m.visit == visit)

    def _note_times(self, scene: Scene) -> None:
        for atom in self._atoms:
            if atom.what == "sent" or (atom.what == "event" and atom.name != scene.event.name):
                continue
            if atom.categories and not any(scene.in_category(name) for name in atom.categories):
                continue
            if atom.where is None or scene.plan.holds(atom.where)(scene):
                self._times[atom].append(scene.now)

    def _progress(
        self, look: Look, automaton: Automaton, rule: syntax.Rule, scene: Scene
    ) -> Progress:
        before: Memory = remembered(look, automaton, scene.event)
        return Progress(self._explainer, rule.pattern, automaton, scene, before)

    def _verdict(
        self,
        look: Look,
        candidate: Completed,
        admitted: Admitted,
        reason: str | None,
        sends: tuple[str, ...],
    ) -> Verdict:
        planned, scene = candidate.rule, candidate.scene
        rule = self._told[planned.rank]
        if any(acting is candidate for acting in admitted.acting):
            return _verdict(planned, rule, "fired", sends=sends)
        if planned.sends and reason is None:
            said = f'an earlier row of the table "{planned.table}" held'
            return _verdict(planned, rule, "refused", reason="table", sentence=said)
        if planned.when is not None and not planned.when(scene):
            assert rule.when is not None, "a compiled condition was written"
            lack = self._explainer.lack(rule.when, scene)
            return _refused(planned, rule, "when", lack)
        if planned.unless is not None and planned.unless(scene):
            assert rule.unless is not None, "a compiled condition was written"
            lack = self._explainer.lack(rule.unless, scene, wanted=False)
            return _refused(planned, rule, "unless", lack)
        if reason is None:  # a row that only sets
            said = f'an earlier row of the table "{planned.table}" held'
            return _verdict(planned, rule, "refused", reason="table", sentence=said)
        said = self._refusals.sentence(reason, look.visitor, candidate, admitted)
        return _verdict(planned, rule, "refused", reason=reason, sentence=said)


def _about(candidate: Completed, decision: Any) -> bool:
    return (decision.strategy, decision.rule) == (
        candidate.rule.strategy.name,
        candidate.rule.place,
    )


def _mark(event: Event) -> tuple[object, ...]:
    return event.name, event.time, event.visit, event.page


def _moment(time: int, event: Event, *, timer: bool, visit: str | None = None) -> Explained:
    return Explained(
        time=time,
        event=event.name,
        visit=visit or event.visit,
        page=event.page,
        url=event.url,
        timer=timer,
    )


def _verdict(planned: PlannedRule, rule: syntax.Rule, status: Status, **more: Any) -> Verdict:
    return Verdict(
        strategy=planned.strategy.name, rule=planned.place, span=rule.span, status=status, **more
    )


def _refused(planned: PlannedRule, rule: syntax.Rule, reason: str, lack: Lack) -> Verdict:
    return _verdict(planned, rule, "refused", reason=reason, **_lacking(lack))


def _silent(planned: PlannedRule, rule: syntax.Rule, silence: Silence) -> Verdict:
    return _verdict(planned, rule, "silent", touched=silence.touched, **_lacking(silence))


def _lacking(lack: Lack | Silence) -> dict[str, Any]:
    change = (
        None if lack.change is None else {"what": lack.change.what, "needed": lack.change.needed}
    )
    return {
        "sentence": lack.sentence,
        "condition": lack.condition,
        "seen": lack.seen,
        "change": change,
    }
