"""The specification, executable: the slow obvious interpreter of a book, for one visitor.

Read it beside "Meaning in detail" in engine/runtime/README.md: the headings quote it. It keeps
the full list of everything that happened and answers every question by a loop over that list;
only patterns, which the text defines by how chains evolve, are kept as chains
(reference_patterns.py). Conditions are in reference_conditions.py. It shares no code with the
runtime, only the values that go in and come out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reference_conditions import Entry, Sight, holds, record, value
from reference_patterns import Memory

from engine.language.syntax import Book, Limit, Rule, SendAction, Strategy
from engine.runtime.outcome import Batch, Decision, Send
from engine.vocabulary.events import DISPOSITIONS, Event, Expiry, Moment, Tick

DAY = 24 * 60 * 60 * 1000
VISITS_OPEN, PAGES_OPEN = 50, 100
"""A visit ends when this many milliseconds pass without an event of it."""

VALID = 30_000
"""How long a message that was never shown waits."""

Place = tuple[str, str | None]
"""A page: its visit and its pageID."""

Key = tuple[str, int, Place | str | None]
"""Strategy, place of the rule, and the page, the visit or (None) the visitor it is about."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A line of the past: a message was sent. `entry` is how patterns and aggregates see it."""

    entry: Entry
    send: Send


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A line of the past about one send: it was `shown`, `answered` or `taken back`."""

    what: str
    send: str


@dataclass(frozen=True, kw_only=True)
class FactSet:
    """A line of the past: a fact has a value from now on (`visit` for facts of a visit)."""

    fact: str
    visit: str | None
    value: Any


@dataclass(frozen=True, kw_only=True)
class PageEnded:
    """A line of the past: what is remembered of the page ends here."""

    visit: str
    page: str


@dataclass(frozen=True, kw_only=True)
class VisitEnded:
    """A line of the past: what is remembered of the visit ends here."""

    visit: str


Line = Entry | Sent | Mark | FactSet | PageEnded | VisitEnded


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A rule whose pattern is complete, by `entry`: its last event, or the last before a `no`."""

    strategy: Strategy
    place: int
    entry: Entry
    timer: bool

    @property
    def rule(self) -> Rule:
        return self.strategy.rules[self.place]


@dataclass
class Reference:
    """One visitor under one book. `take` a moment, get what `step` must give for it."""

    book: Book
    past: list[Line] = field(default_factory=list)
    memories: dict[Key, Memory] = field(default_factory=dict)
    now: int = 0
    agents: Any = field(default_factory=dict)
    horizon: Mapping[str, int] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    # ---------------------------------------- "One event, step by step", "Order of a step"

    def take(
        self, moment: Moment, horizon: Mapping[str, int] | None = None
    ) -> tuple[tuple[Batch, ...], tuple[Decision, ...]]:
        """Let one moment happen; the batches and decisions that it causes."""
        self.horizon = horizon or {}
        self.batches, self.decisions = [], []
        time = max(moment.time, self.now)
        self.agents = moment.agents if isinstance(moment, Event | Tick) else {}
        self._clock(time)
        match moment:
            case Event():
                self._event(moment, time)
            case Expiry():
                self._expiry(moment, time)
        self.now = time
        return tuple(self.batches), tuple(self.decisions)

    def next_timer(self) -> int | None:
        """The next time at which a rule can complete or a `no` is held."""
        return min(self._deadlines(), default=None)

    def _clock(self, time: int) -> None:
        """Timers instant by instant, and the ends of visits; at one instant timers come first."""
        while True:
            ends = {visit: self._end(visit) for visit in self._visits()}
            due = [instant for instant in (*self._deadlines(), *ends.values()) if instant <= time]
            if not due:
                return
            instant = min(due)
            if instant in self._deadlines():
                self._timers(instant)
            else:
                for visit in [visit for visit, end in ends.items() if end == instant]:
                    self._end_visit(visit)

    def _end(self, visit: str) -> int:
        """24 h after its last event; in a recording never up to the visit's horizon."""
        silent = self._of_visit(visit)[-1].time + DAY
        return max(silent, self.horizon[visit] + 1) if visit in self.horizon else silent

    def _deadlines(self) -> list[int]:
        return [
            waiting.deadline
            for key, memory in self.memories.items()
            for waiting in memory.pending.values()
            if self._within_horizon(key, waiting.deadline)
        ]

    def _within_horizon(self, key: Key, deadline: int) -> bool:
        """In a recording timers of a page or visit fall due only up to the visit's horizon."""
        visit = key[2][0] if isinstance(key[2], tuple) else key[2]
        return visit not in self.horizon or deadline <= self.horizon[visit]

    def _timers(self, time: int) -> None:
        """All timers that fall due at the same instant are one step."""
        completed = []
        for key, memory in list(self.memories.items()):
            name, place, _ = key
            chain = memory.due(time) if self._within_horizon(key, time) else None
            if chain is not None:
                strategy = self.book.strategies[name]
                completed.append(
                    Completed(strategy=strategy, place=place, entry=chain[-1], timer=True)
                )
        self._decide(completed, time)

    def _event(self, event: Event, time: int) -> None:
        event = self._answered(event)
        self._make_room(event)
        entry = self._entry(event, time)
        self.past.append(entry)
        self._facts_from(event)
        self._mark_answers(event)
        self._decide(self._advance(entry), time)
        if event.name == "PageExited" and event.page is not None:
            self._end_page(event.visit, event.page)

    def _entry(self, event: Event, time: int, names: Iterable[str] = (), send: str = "") -> Entry:
        return Entry(
            place=len(self.past),
            time=time,
            event=event,
            names=frozenset(names),
            send=send,
            life=self._life(event.visit),
            view=self._view((event.visit, event.page)),
        )

    # ---------------------------------------- "Visitor, visit, page"

    def _entries(self) -> Iterator[Entry]:
        """Events and sends, oldest first, without the sends that were taken back."""
        gone = {line.send for line in self._marks("taken back")}
        for line in self.past:
            if isinstance(line, Entry):
                yield line
            elif isinstance(line, Sent) and line.send.id not in gone:
                yield line.entry

    def _marks(self, what: str) -> list[Mark]:
        return [line for line in self.past if isinstance(line, Mark) and line.what == what]

    def _life(self, visit: str) -> int:
        """How often a visit of this name has ended."""
        return sum(line == VisitEnded(visit=visit) for line in self.past)

    def _view(self, place: Place) -> int:
        """How often this page has ended."""
        return sum(isinstance(e, PageEnded) and (e.visit, e.page) == place for e in self.past)

    def _of_visit(self, visit: str) -> list[Entry]:
        """The events of a visit as it is remembered now."""
        life = self._life(visit)
        return [
            entry
            for entry in self._entries()
            if not entry.is_send and entry.visit == visit and entry.life == life
        ]

    def _visits(self) -> list[str]:
        names = {line.visit: None for line in self.past if isinstance(line, Entry)}
        return [visit for visit in names if self._of_visit(visit)]

    def _of_page(self, place: Place) -> list[Entry]:
        view = self._view(place)
        return [e for e in self._of_visit(place[0]) if e.page == place[1] and e.view == view]

    def _is_open(self, place: Place) -> bool:
        """From the first event that carries its pageID until its exit; `null` always."""
        return place[1] is None or bool(self._of_page(place))

    def _latest_page(self, visits: Iterable[str]) -> Place | None:
        """The open one with the youngest PageEntered, or without any the one seen first last."""
        events = [entry for visit in visits for entry in self._of_visit(visit)]
        places = {(entry.visit, entry.page) for entry in events}
        seen = {place: self._of_page(place) for place in places if self._of_page(place)}
        entered = {
            place: [e.place for e in entries if e.event.name == "PageEntered"]
            for place, entries in seen.items()
        }
        if any(entered.values()):
            return max((p for p in entered if entered[p]), key=lambda p: entered[p][-1])
        return max(seen, key=lambda p: seen[p][0].place, default=None)

    def _make_room(self, event: Event) -> None:
        """At most 50 visits, and 100 open pages of a visit."""
        lives = {visit: self._of_visit(visit) for visit in self._visits()}
        if event.visit not in lives and len(lives) >= VISITS_OPEN:
            self._end_visit(min(lives, key=lambda v: (lives[v][-1].time, lives[v][0].place)))
        place = (event.visit, event.page)
        if event.page is None or self._is_open(place):
            return
        pages = dict.fromkeys(e.page for e in self._of_visit(event.visit) if e.page is not None)
        views = {page: self._of_page((event.visit, page)) for page in pages}
        opened = {page: view for page, view in views.items() if view}
        if len(opened) >= PAGES_OPEN:
            self._end_page(event.visit, min(opened, key=lambda page: opened[page][0].place))

    def _end_page(self, visit: str, page: str) -> None:
        self.past.append(PageEnded(visit=visit, page=page))
        self._forget("page", lambda key: key == (visit, page))

    def _end_visit(self, visit: str) -> None:
        for page in {entry.page for entry in self._of_visit(visit)} - {None}:
            self.past.append(PageEnded(visit=visit, page=str(page)))
        self.past.append(VisitEnded(visit=visit))
        self._forget("page", lambda key: key[0] == visit)
        self._forget("visit", lambda key: key == visit)

    def _forget(self, scope: str, over: Callable[[Any], bool]) -> None:
        for key in list(self.memories):
            per = self.book.strategies[key[0]].rules[key[1]].pattern.per
            if per == scope and over(key[2]):
                del self.memories[key]

    # ---------------------------------------- "Visitor state", "Facts from an event", facts

    def _fact(self, scope: str, name: str, visit: str, time: int) -> Any:
        events = self._of_visit(visit)
        match scope, name:
            case "visitor", "state":
                return _state(events)
            case "visit", "pages":
                return sum(entry.event.name == "PageEntered" for entry in events)
            case "visit", "duration":
                return time - events[0].time if events else None
        started = 0
        if scope == "visit":
            ends = [i for i, line in enumerate(self.past) if line == VisitEnded(visit=visit)]
            started = ends[-1] if ends else 0
        sets = [
            line.value
            for line in self.past[started:]
            if isinstance(line, FactSet)
            and line.fact == name
            and line.visit == (visit if scope == "visit" else None)
        ]
        return sets[-1] if sets else self.book.facts[scope, name].default

    def _set(self, scope: str, name: str, visit: str, raw: Any) -> None:
        """A missing value, or one of the wrong kind, leaves the fact as it was."""
        about = visit if scope == "visit" else None
        remembered = about is None or bool(self._of_visit(about))
        if remembered and self.book.facts[scope, name].kind.admits(raw):
            self.past.append(FactSet(fact=name, visit=about, value=raw))

    def _facts_from(self, event: Event) -> None:
        for (scope, name), fact in self.book.facts.items():
            if event.name in fact.sources:
                self._set(scope, name, event.visit, event.data.get(name))

    # ---------------------------------------- "Answers", "Expiry", one at a time

    def _all_sends(self) -> list[Sent]:
        return [line for line in self.past if isinstance(line, Sent)]

    def _sends(self) -> list[Sent]:
        """All that count: those that were not taken back."""
        return [sent for sent in self._all_sends() if not self._marked("taken back", sent)]

    def _answered(self, event: Event) -> Event:
        """An answer that names a send gets what it lacks of the send's own words."""
        if event.name not in DISPOSITIONS | {"InvitationShown"}:
            return event
        for sent in self._all_sends():
            if sent.entry.visit == event.visit and sent.send.id == event.data.get("id"):
                words = {key: sent.entry.event.data.get(key) for key in _WORDS}
                lacking = {
                    key: word
                    for key, word in words.items()
                    if word is not None and event.data.get(key) is None
                }
                return replace(event, data={**event.data, **lacking})
        return event

    def _mark_answers(self, event: Event) -> None:
        if event.name not in DISPOSITIONS | {"InvitationShown"}:
            return
        # What was answered was also shown.
        marks = ("answered", "shown") if event.name in DISPOSITIONS else ("shown",)
        for sent in self._sends():
            same = sent.entry.visit == event.visit
            if same and self._unanswered(sent) and _is_about(event, sent.send):
                self.past += [Mark(what=what, send=sent.send.id) for what in marks]

    def _waits(self, sent: Sent, time: int) -> bool:
        """Until an answer, the end of its page, or, if it was never shown, 30 s (half-open)."""
        recent = time - sent.entry.time < VALID
        return self._unanswered(sent) and (self._marked("shown", sent) or recent)

    def _unanswered(self, sent: Sent) -> bool:
        entry = sent.entry
        if not sent.send.answerable or self._marked("answered", sent):
            return False
        if entry.life != self._life(entry.visit):
            return False
        return entry.view == self._view((entry.visit, entry.page))

    def _marked(self, what: str, sent: Sent) -> bool:
        return any(mark.send == sent.send.id for mark in self._marks(what))

    def _expiry(self, expiry: Expiry, time: int) -> None:
        for sent in self._sends():
            if sent.send.id in expiry.sends and not self._marked("shown", sent):
                self.past.append(Mark(what="taken back", send=sent.send.id))
                self.decisions.append(
                    Decision(
                        time=time,
                        visit=sent.entry.visit,
                        page=sent.entry.page,
                        event="Expiry",
                        strategy=sent.send.strategy,
                        rule=-1,
                        reason="expired",
                        sends=(sent.send.id,),
                    )
                )

    # ---------------------------------------- patterns: every rule sees every entry of its scope

    def _advance(self, entry: Entry) -> list[Completed]:
        completed = []
        for strategy in self.book.strategies.values():
            for place, rule in enumerate(strategy.rules):
                scope = {"page": (entry.visit, entry.page), "visit": entry.visit, "visitor": None}
                key = (strategy.name, place, scope[rule.pattern.per])
                memory = self.memories.setdefault(key, Memory(pattern=rule.pattern))
                if memory.see(entry, self.book) is not None:
                    completed.append(
                        Completed(strategy=strategy, place=place, entry=entry, timer=False)
                    )
        return completed

    # ---------------------------------------- "Admission"

    def _decide(self, completed: list[Completed], time: int) -> None:
        """Guards, admission, sets, and then what was sent is seen and remembered."""
        completed.sort(key=_rank)
        sights = {id(done): self._sight(done, time) for done in completed}
        acted: list[Completed] = []
        step: list[Sent] = []
        for done in completed:
            reason, own = self._try(done, sights[id(done)], step)
            step += own
            if reason is None:
                acted.append(done)
            if done.rule.sends:
                self._report(done, time, reason, own)
        values = [
            (each, done.entry.visit, value(each.value, sights[id(done)]))
            # The highest priority applies last, so that it wins.
            for done in reversed(acted)
            for each in done.rule.sets
        ]
        for each, visit, raw in values:
            self._set(each.scope, each.fact, visit, raw)
        for sent in step:
            seen = replace(sent.entry, place=len(self.past))
            self.past.append(replace(sent, entry=seen))
            # `sent` is never the last part, so this completes nothing.
            assert self._advance(seen) == []
        for visit in dict.fromkeys(sent.entry.visit for sent in step):
            sends = tuple(sent.send for sent in step if sent.entry.visit == visit)
            self.batches.append(Batch(time=time, visit=visit, sends=sends))

    def _sight(self, done: Completed, time: int) -> Sight:
        visit = done.entry.visit
        return Sight(
            book=self.book,
            entry=done.entry,
            time=time,
            agents=self.agents,
            past=tuple(self._entries()),
            life=self._life(visit),
            view=self._view((visit, done.entry.page)),
            # `since` looks before the completing event; a timer looks at all events so far.
            before=None if done.timer else done.entry.place,
            fact=lambda scope, name: self._fact(scope, name, visit, time),
        )

    def _try(self, done: Completed, sight: Sight, step: list[Sent]) -> tuple[Any, list[Sent]]:
        """The reason of the first failing check, or the sends of the rule: all or none."""
        rule = done.rule
        if rule.when is not None and holds(rule.when, sight) is not True:
            return "when", []
        if rule.unless is not None and holds(rule.unless, sight) is True:
            return "unless", []
        own: list[Sent] = []
        for action in rule.sends:
            target = self._target(done)
            if target is None or not self._reachable(target, done):
                return "page-gone", []
            send = self._send(action, done, sight, target, [*step, *own])
            reason = self._refusal(send, own) or (
                self._refusal(send, [*step, *own]) and "lower-priority"
            )
            if reason is not None:
                return reason, []
            own.append(send)
        return None, own

    def _target(self, done: Completed) -> Place | None:
        """By an event: its page. By a timer: its page, or the latest open one, by scope."""
        if not done.timer or done.rule.pattern.per == "page":
            return done.entry.visit, done.entry.page
        per_visit = done.rule.pattern.per == "visit"
        return self._latest_page([done.entry.visit] if per_visit else self._visits())

    def _reachable(self, target: Place, done: Completed) -> bool:
        """A page whose PageExited is the very event of the step is gone already."""
        exited = not done.timer and done.entry.event.name == "PageExited"
        return self._is_open(target) and not (exited and target[1] is not None)

    def _send(
        self, action: SendAction, done: Completed, sight: Sight, target: Place, earlier: list[Sent]
    ) -> Sent:
        named = self.book.messages[action.message] if action.message is not None else action
        strategy = done.strategy
        send = Send(
            id=self._new_id(target[0], strategy.name, earlier),
            page=target[1],
            channel=named.channel,
            data=record(named.data, sight) if named.data is not None else {},
            strategy=strategy.name,
            group=strategy.group,
            message=action.message or "",
            answerable=named.channel == "gpe.appendContent",
            attach=record(done.rule.attach, sight) if done.rule.attach is not None else {},
        )
        words = {"strategy": send.strategy, "group": send.group, "message": send.message or None}
        words = {key: word for key, word in words.items() if word is not None}
        event = Event(
            name="sent",
            time=sight.time,
            visitor=done.entry.event.visitor,
            visit=target[0],
            page=target[1],
            data=words,
            agents=self.agents,
        )
        names = [str(word) for word in words.values()]
        entry = self._entry(event, sight.time, names=names, send=send.id)
        return Sent(entry=entry, send=send)

    def _new_id(self, visit: str, strategy: str, earlier: list[Sent]) -> str:
        """`visit/strategy/n`, n counting the sends of that strategy in that visit."""
        here = [s for s in [*self._all_sends(), *earlier] if s.entry.visit == visit]
        return f"{visit}/{strategy}/{1 + sum(s.send.strategy == strategy for s in here)}"

    def _refusal(self, new: Sent, step: list[Sent]) -> str | None:
        """One at a time, then the limits of the group, then those of the strategy."""
        sends = [*self._sends(), *step]
        time, visit = new.entry.time, new.entry.visit
        group = self.book.groups[new.send.group] if new.send.group is not None else None
        if group is not None:
            rivals = [s for s in sends if s.send.group == group.name]
            if group.one_at_a_time and any(
                s.entry.visit == visit and self._waits(s, time) for s in rivals
            ):
                return "one-at-a-time"
            if any(_full(limit, new, rivals) for limit in group.limits):
                return "limit"
        own = [s for s in sends if s.send.strategy == new.send.strategy]
        limits = self.book.strategies[new.send.strategy].limits
        return "limit" if any(_full(limit, new, own) for limit in limits) else None

    def _report(self, done: Completed, time: int, reason: Any, own: list[Sent]) -> None:
        """Every rule with a `send` that completed makes one decision."""
        visit, page = self._target(done) or (done.entry.visit, done.entry.page)
        self.decisions.append(
            Decision(
                time=time,
                visit=visit,
                page=page,
                event=done.entry.event.name,
                strategy=done.strategy.name,
                rule=done.place,
                reason=reason,
                sends=tuple(sent.send.id for sent in own),
            )
        )


_WORDS = ("strategy", "group", "message")


def _rank(done: Completed) -> tuple[float, str, int, int]:
    """By priority (high first), name of strategy, place; then the older completing event."""
    return -done.strategy.priority, done.strategy.name, done.place, done.entry.place


def _state(events: list[Entry]) -> str:
    state = "anonymous"
    for entry in events:
        match entry.event.name:
            case "SignIn":
                state = "authenticated"
            case "SignOut":
                state = "recognized"
            case "UserInfo" if state != "authenticated":
                state = "recognized"
    return state


def _is_about(event: Event, send: Send) -> bool:
    """Unless one of the words that the answer carries as text says otherwise."""
    own = {"id": send.id, "strategy": send.strategy, "group": send.group, "message": send.message}
    said = {key: event.data.get(key) for key in own}
    return all(said[key] == own[key] for key in own if isinstance(said[key], str))


def _full(limit: Limit, new: Sent, sends: list[Sent]) -> bool:
    """A limit counts sends before this one; one that is exactly D old no longer counts."""
    counted = [
        sent.entry
        for sent in sends
        if limit.duration is None or new.entry.time - sent.entry.time < limit.duration
    ]
    if limit.scope in ("page", "visit"):
        counted = [
            entry
            for entry in counted
            if (entry.visit, entry.life) == (new.entry.visit, new.entry.life)
        ]
    if limit.scope == "page":
        counted = [entry for entry in counted if entry.page == new.entry.page]
    return len(counted) >= limit.count
