"""One step: from memory and a moment to new memory, messages and reasons; pure, always terminates.

The order is that of the language: due timers instant by instant, visits that are over, then the
event: facts and state, categories, patterns and aggregates, guards, admission, sets, sends seen by
patterns, and at last what the event closed. Each instant of timers is a small step of its own.

``advance`` moves a visitor in place, for its owner; ``step`` moves a copy and leaves the old one as
it was. Most events fit nothing that any rule waits for: they are noted and done, on a short road.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace as event_with

from engine.runtime.admission import Admitted, Completed, Target, admit
from engine.runtime.foresight import Foresight
from engine.runtime.kept import event_from_json
from engine.runtime.outcome import Batch, Breach, Decision, Outcome, Send
from engine.runtime.plan import Plan
from engine.runtime.planned import PlannedGuarantee, PlannedRule, PlannedSet
from engine.runtime.road import copy_of
from engine.runtime.scene import NO_NAMES, Scene, send_event
from engine.runtime.visitor import (
    SENDS_KEPT,
    Memory,
    Place,
    Sent,
    Timer,
    TimerKey,
    Visit,
    Visitor,
)
from engine.runtime.watchers import Names, names_of
from engine.vocabulary.events import (
    DISPOSITIONS,
    INVITATION_SHOWN,
    NOTHING,
    PAGE_EXITED,
    SIGN_IN,
    SIGN_OUT,
    USER_INFO,
    Event,
    Expiry,
    Moment,
    Tick,
)

_ANSWERS: Final = DISPOSITIONS | {INVITATION_SHOWN}
_STATES: Final = frozenset({SIGN_IN, SIGN_OUT, USER_INFO})
_LIVE: Final[Mapping[str, int]] = {}
"""The horizon of a visitor who is not a recording."""


def step(
    plan: Plan, visitor: Visitor, moment: Moment, *, horizon: Mapping[str, int] | None = None
) -> Outcome:
    """Apply one moment. ``visitor`` is not changed; the outcome holds its successor.

    A moment earlier than the visitor's last one counts as of that time. Never raises for data.
    ``horizon`` is for recordings: when each visit was last heard of (ms). Beyond it no timer of
    the visit or its pages falls due, and silence up to it does not end the visit.
    """
    return advance(plan, copy_of(visitor), moment, horizon=horizon)


def advance(
    plan: Plan, visitor: Visitor, moment: Moment, *, horizon: Mapping[str, int] | None = None
) -> Outcome:
    """Apply one moment as ``step`` does, in place: ``visitor`` itself becomes its successor."""
    if plan.road is not None and horizon is None:
        outcome = plan.road.walk(plan, visitor, moment)
        if outcome is not None:
            return outcome
    if visitor.version != plan.version:
        adopt(plan, visitor)
    if isinstance(moment, Event) and horizon is None and moment.name not in plan.special:
        now = moment.time if moment.time > visitor.now else visitor.now
        if now < visitor.quiet or _is_quiet(plan, visitor, now):
            visitor.now = now
            return _noted(plan, visitor, moment)
    return Work(plan, visitor, moment, horizon or _LIVE).run()


def _is_quiet(plan: Plan, visitor: Visitor, now: int) -> bool:
    """Is no timer due and no visit over? Then ``quiet`` says until when at least."""
    quiet = min([now, *(visit.last for visit in visitor.visits.values())]) + plan.visit_expiry
    quiet = min([quiet, *(due for due, _ in visitor.timers.values())])
    if quiet <= now:
        return False
    visitor.quiet = quiet
    return True


def _noted(plan: Plan, visitor: Visitor, event: Event) -> Outcome:
    """The short road of an event when no timer is due, no visit is over, and it means nothing more.

    What it does is what ``Work.happen`` does, in the same order; ``native/road.c`` is its twin.
    """
    visitor.events += 1
    visit = visitor.open(event)
    scene = Scene(plan.conditions, event, visitor.now, visitor, visit)
    found = plan.fitting(scene)
    outcome = fit(plan, visitor, scene, found) if found else Outcome(visitor, (), (), ())
    if event.name == PAGE_EXITED and event.page is not None:
        visitor.close_page(event.visit, event.page)
    return outcome


def fit(plan: Plan, visitor: Visitor, scene: Scene, found: list[int]) -> Outcome:
    """What comes of an event that was found to fit some atoms, as a part of the short road."""
    work = Work(plan, visitor, scene.event, _LIVE)
    work.fit(scene, found)
    return work.outcome()


def decide(
    plan: Plan, visitor: Visitor, scene: Scene, complete: list[tuple[PlannedRule, Names]]
) -> Outcome:
    """What comes of the rules that an event has completed, as a part of the short road."""
    work = Work(plan, visitor, scene.event, _LIVE)
    work.complete(scene, complete)
    return work.outcome()


def next_timer(plan: Plan, visitor: Visitor) -> int | None:
    """When the next timer falls due (ms), or None. A tick before that does nothing."""
    if not visitor.timers:
        return None
    due = [timer[0] for key, timer in visitor.timers.items() if key[1] in plan.automata]
    return min(due, default=None)


class Work:
    """One moment of one visitor: what is being moved, and what came out so far."""

    def __init__(
        self, plan: Plan, visitor: Visitor, moment: Moment, horizon: Mapping[str, int]
    ) -> None:
        self.plan = plan
        self.visitor = visitor
        self._horizon = horizon
        self._moment = moment
        self.batches: list[Batch] = []
        self.decisions: list[Decision] = []
        self.breaches: list[Breach] = []

    def run(self) -> Outcome:
        """Do the work of the moment."""
        moment, visitor = self._moment, self.visitor
        self.elapse(max(moment.time, visitor.now))
        match moment:
            case Event():
                self.happen(moment)
            case Expiry():
                self.expire(moment.sends)
            case Tick():
                pass
        return self.outcome()

    def outcome(self) -> Outcome:
        """What came out so far."""
        return Outcome(
            self.visitor, tuple(self.batches), tuple(self.decisions), tuple(self.breaches)
        )

    def memory(self, place: Place) -> Memory | None:
        """The memory at a place; None when that visit or page is over."""
        if not place:
            return self.visitor.memory
        visit = self.visitor.visits.get(place[0])
        if visit is None or len(place) == 1:
            return visit.memory if visit else None
        page = visit.pages.get(place[1])
        return page.memory if page else None

    # -------------------------------------------------------- time

    def elapse(self, now: int) -> None:
        """Fire all timers due at or before ``now``, then end visits that are over."""
        if self.visitor.timers:
            while (due := self._next_due()) is not None and due <= now:
                self._end_old_visits(due - 1)
                if self._next_due() == due:
                    self._fire(due)
        self.visitor.now = now
        self._end_old_visits(now)

    def _next_due(self) -> int | None:
        timers = self.visitor.timers
        if not timers:
            return None
        return min(
            (timer[0] for key, timer in timers.items() if self._reached(key, timer)), default=None
        )

    def _reached(self, key: TimerKey, timer: Timer) -> bool:
        """In a recording, does anything show that this timer was reached?"""
        if not self._horizon or not key[0]:
            return True
        return timer[0] <= self._horizon.get(key[0][0], timer[0])

    def _end_old_visits(self, now: int) -> None:
        expiry = self.plan.visit_expiry
        over = [
            name
            for name, visit in self.visitor.visits.items()
            if now - visit.last >= expiry and now - self._horizon.get(name, visit.last) >= expiry
        ]
        for name in over:
            self.visitor.end_visit(name)

    def _fire(self, due: int) -> None:
        self.visitor.now = max(due, self.visitor.now)
        automata = self.plan.automata
        keys = [
            key
            for key, timer in self.visitor.timers.items()
            if timer[0] == due and self._reached(key, timer)
        ]
        # Stable: of one rule in several scopes, the one whose silence began first comes first.
        keys.sort(key=lambda key: (automata[key[1]].rank, -key[2]))
        completed = []
        for key in keys:
            place, name, position = key
            if key not in self.visitor.timers:
                continue
            memory, entry = self.memory(place), automata[name]
            if memory is None:
                del self.visitor.timers[key]
                continue
            chain = entry.automaton.elapse(self.visitor, memory, place, position)
            if chain is None or chain[1] is None:
                continue
            event = event_from_json(chain[1], self.visitor.id)
            if isinstance(entry, PlannedGuarantee):
                self._breach(entry, event)
            else:
                completed.append(self._by_timer(entry, event, names_of(chain, self.visitor.id)))
        self._decide(completed)

    def _by_timer(self, rule: PlannedRule, event: Event, names: Mapping[str, Event]) -> Completed:
        event = self._stamped(event)
        visitor, visit = self.visitor, self.visitor.visits.get(event.visit)
        scene = Scene(self.plan.conditions, event, visitor.now, visitor, visit, names=names)
        target = self._timer_target(rule, event, visit)
        return Completed(
            rule, scene, target, lambda: self._open_pages(target.visit) if target else ()
        )

    def _stamped(self, event: Event) -> Event:
        """An event of the past with what comes from outside now."""
        now = self._moment
        if isinstance(now, Expiry):
            return event_with(event, agents=NOTHING, pacing=NOTHING, draw=None)
        return event_with(event, agents=now.agents, pacing=now.pacing, draw=now.draw)

    def _open_pages(self, visit: str, leaving: str | None = None) -> tuple[str | None, ...]:
        """The open pages of a visit, oldest first."""
        record = self.visitor.visits.get(visit)
        pages = record.pages.items() if record else ()
        ordered = sorted(pages, key=lambda entry: entry[1].opened)
        return tuple(name for name, _ in ordered if name is None or name != leaving)

    def _timer_target(self, rule: PlannedRule, event: Event, visit: Visit | None) -> Target | None:
        per = rule.automaton.per
        if per == "page":
            is_open = visit is not None and event.page in visit.pages
            return Target(event.visit, event.page) if is_open else None
        visits = self.visitor.visits if per == "visitor" else {event.visit: visit}
        latest = [
            (page, name)
            for name, v in visits.items()
            if v and (page := v.latest_page()) is not None
        ]
        if not latest:
            return None
        youngest, name = max(latest, key=lambda found: found[0][:2])
        return Target(name, youngest[2])

    # -------------------------------------------------------- an event

    def happen(self, event: Event) -> None:
        """Apply a browser event."""
        visitor, name = self.visitor, event.name
        visitor.events += 1
        if name in _ANSWERS:
            event = self._answer(event)
        visit = visitor.open(event)
        if name in _STATES or name in self.plan.fact_sources:
            self._take_facts(event, visit)
        scene = Scene(self.plan.conditions, event, visitor.now, visitor, visit)
        self.fit(scene, self.plan.fitting(scene))
        if name == PAGE_EXITED and event.page is not None:
            visitor.close_page(event.visit, event.page)

    def fit(self, scene: Scene, found: list[int]) -> None:
        """Move what waits for the atoms that the scene's event was found to fit."""
        if found:
            recorders = self.plan.recorders_of
            for watch in found:
                for record in recorders.get(watch, ()):
                    record(scene)
            self.complete(scene, self._advance(scene, set(found)))

    def _answer(self, event: Event) -> Event:
        """Fill in what the answer lacks, and note it at the sends it fits."""
        known = next(
            (
                s
                for s in self.visitor.sends
                if s.visit == event.visit and s.id == event.data.get("id")
            ),
            None,
        )
        if known is not None:
            named = {"strategy": known.strategy, "group": known.group, "message": known.message}
            event = event_with(event, data={k: v for k, v in named.items() if v} | dict(event.data))
        shown = event.name == INVITATION_SHOWN
        self.visitor.sends = [
            _answered(sent, shown=shown) if _fits_answer(sent, event) else sent
            for sent in self.visitor.sends
        ]
        return event

    def _take_facts(self, event: Event, visit: Visit) -> None:
        if event.name == SIGN_IN:
            visit.state = "authenticated"
        elif event.name == SIGN_OUT or (event.name == USER_INFO and visit.state == "anonymous"):
            visit.state = "recognized"
        for fact in self.plan.fact_sources.get(event.name, ()):
            value = event.data.get(fact.name)
            if fact.kind.admits(value):
                self._set_fact(visit, fact.scope, fact.name, value)

    def _set_fact(self, visit: Visit | None, scope: str, name: str, value: Any) -> None:
        if scope == "visitor":
            self.visitor.facts = self.visitor.facts | {name: value}
        elif visit is not None:
            visit.facts = visit.facts | {name: value}

    def complete(self, scene: Scene, complete: list[tuple[PlannedRule, Names]]) -> None:
        """Decide about the rules that the scene's event has completed, in order of rank."""
        event = scene.event
        gone = event.name == PAGE_EXITED and event.page is not None
        target = Target(event.visit, event.page)

        def open_pages() -> tuple[str | None, ...]:
            return self._open_pages(event.visit, event.page if gone else None)

        self._decide(
            [
                Completed(rule, scene.knowing(names), target, open_pages, gone)
                for rule, names in complete
            ]
        )

    def _advance(self, scene: Scene, fits: set[int]) -> list[tuple[PlannedRule, Names]]:
        """The rules that the event completes, with the events that ``as`` has bound."""
        complete = []
        event = scene.event
        for rule in self._touched(fits):
            automaton = rule.automaton
            names: Names | None = NO_NAMES
            if automaton.remembers != "nothing":
                memory = self.memory(automaton.place(event))
                assert memory is not None, "the event has just opened its visit and page"
                names = automaton.advance(self.visitor, memory, scene, fits)
            if names is not None:
                complete.append((rule, names))
        if self.plan.guarantees:
            self._watch_guarantees(scene, fits)
        return complete

    def _watch_guarantees(self, scene: Scene, fits: set[int]) -> None:
        for guarantee in self._guarantees(fits):
            memory = self.memory(guarantee.automaton.place(scene.event))
            if memory is None:
                continue
            if guarantee.automaton.advance(self.visitor, memory, scene, fits) is not None:
                self._breach(guarantee, scene.event)

    def _guarantees(self, fits: set[int]) -> list[PlannedGuarantee]:
        if not self.plan.guarantees:
            return []
        waiting = self.plan.guarantees_of
        places = {place for watch in fits if watch in waiting for place in waiting[watch]}
        return [self.plan.guarantees[place] for place in sorted(places)] if places else []

    def _breach(self, guarantee: PlannedGuarantee, event: Event) -> None:
        self.breaches.append(Breach(self.visitor.now, event.visit, event.name, guarantee.name))

    def _touched(self, fits: set[int]) -> Sequence[PlannedRule]:
        """The rules that wait for any of the watches, in order of rank."""
        rules_of, rules = self.plan.rules_of, self.plan.rules
        cancelling = bool(self.visitor.timers) and not self.plan.cancelling.isdisjoint(fits)
        if len(fits) == 1 and not cancelling:
            return rules_of.get(next(iter(fits)), ())
        ranks = {rule.rank for watch in fits for rule in rules_of.get(watch, ())}
        if cancelling:
            automata = (self.plan.automata.get(name) for _, name, _ in self.visitor.timers)
            ranks |= {rule.rank for rule in automata if isinstance(rule, PlannedRule)}
        return [rules[rank] for rank in sorted(ranks)]

    # -------------------------------------------------------- deciding

    def admitted(self, completed: Sequence[Completed]) -> Admitted:
        """What becomes of rules that are complete, in order of rank."""
        if not self.plan.enforces:
            return admit(self.visitor, completed, None)
        foresight = Foresight(
            self.visitor,
            lambda sent: self._send_scene(self.visitor, sent),
            self.memory,
            lambda fits: [found for found in self._guarantees(fits) if found.enforced],
        )
        return admit(self.visitor, completed, foresight.breaks)

    def _decide(self, completed: list[Completed]) -> None:
        """Guards, admission, sets, and what the sends move; for one moment."""
        if not completed:
            return
        if len(completed) > 1:
            completed.sort(key=lambda candidate: candidate.rule.rank)
        admitted = self.admitted(completed)
        self.decisions += admitted.decisions
        values = [
            (candidate, action, action.value(candidate.scene))
            for candidate in reversed(admitted.acting)
            for action in candidate.rule.sets
        ]
        for candidate, action, value in values:
            self._apply_set(candidate, action, value)
        if admitted.offers:
            self._send(admitted)

    def _apply_set(self, candidate: Completed, action: PlannedSet, value: Any) -> None:
        if action.admits(value):
            visit = self.visitor.visits.get(candidate.scene.event.visit)
            self._set_fact(visit, action.scope, action.fact, value)

    def _send(self, admitted: Admitted) -> None:
        by_visit: dict[str, list[Send]] = {}
        for offer in admitted.offers:
            by_visit.setdefault(offer.sent.visit, []).extend(offer.sends)
        for name, sends in by_visit.items():
            self.batches.append(Batch(self.visitor.now, name, tuple(sends)))
        log = self.visitor.sends
        for offer in admitted.offers:
            log.append(offer.sent)
            visit = self.visitor.visits.get(offer.sent.visit)
            if visit is not None:
                visit.sent[offer.sent.strategy] = offer.number
        if len(log) > SENDS_KEPT:
            del log[:-SENDS_KEPT]
            self.visitor.ledger = None
        if self.plan.sends:
            for offer in admitted.offers:
                self._show_send(offer.sent)

    def _show_send(self, sent: Sent) -> None:
        """Let patterns that wait for ``sent NAME`` see a send; it completes only guarantees."""
        scene, fits = self._send_scene(self.visitor, sent)
        for rule in self._touched(fits):
            memory = self.memory(rule.automaton.place(scene.event))
            if memory is not None:
                rule.automaton.advance(self.visitor, memory, scene, fits)
        self._watch_guarantees(scene, fits)

    def _send_scene(self, visitor: Visitor, sent: Sent) -> tuple[Scene, set[int]]:
        event = self._stamped(send_event(sent, visitor.id))
        visit = visitor.visits.get(sent.visit)
        scene = Scene(self.plan.conditions, event, visitor.now, visitor, visit)
        fits: set[int] = set()
        for name in {sent.strategy, sent.group, sent.message} - {None, ""}:
            index = self.plan.sends.get(name or "")
            if index is not None:
                fits.update(index.find(scene))
        return scene, fits

    # -------------------------------------------------------- endings

    def expire(self, sends: tuple[str, ...]) -> None:
        """Take back messages that never left, unless they were shown."""
        kept = []
        for sent in self.visitor.sends:
            if sent.id in sends and sent.counts and not sent.shown:
                self.decisions.append(self._expired(sent))
                sent = sent._replace(counts=False, waiting=False)
            kept.append(sent)
        self.visitor.sends = kept

    def _expired(self, sent: Sent) -> Decision:
        return Decision(
            time=self.visitor.now,
            visit=sent.visit,
            page=sent.page,
            event="Expiry",
            strategy=sent.strategy,
            rule=-1,
            reason="expired",
            sends=(sent.id,),
        )


def adopt(plan: Plan, visitor: Visitor) -> None:
    """Keep what a new book still remembers, by what it means; forget the rest."""
    visitor.version = plan.version
    visitor.quiet = 0
    known = plan.memory_keys
    _retain(visitor.memory, known)
    for visit in visitor.visits.values():
        _retain(visit.memory, known)
        for page in visit.pages.values():
            _retain(page.memory, known)
    for key in [key for key in visitor.timers if key[1] not in plan.automata]:
        del visitor.timers[key]


def _retain(memory: Memory, known: frozenset[str]) -> None:
    for key in [key for key in memory if key not in known]:
        del memory[key]


def _fits_answer(sent: Sent, event: Event) -> bool:
    if not sent.waiting or sent.visit != event.visit:
        return False
    fields = {
        "id": sent.id,
        "strategy": sent.strategy,
        "group": sent.group,
        "message": sent.message,
    }
    said = ((event.data.get(name), value) for name, value in fields.items())
    return all(not isinstance(claim, str) or claim == value for claim, value in said)


def _answered(sent: Sent, *, shown: bool) -> Sent:
    """Shown it goes on waiting; an answer ends that, and what was answered was seen."""
    return sent._replace(shown=True, waiting=sent.waiting and shown)
