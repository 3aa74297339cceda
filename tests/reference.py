"""The specification, executable: the slow obvious interpreter of a book, for one visitor.

Read it beside "Meaning in detail" in engine/runtime/README.md: the headings quote it. It keeps
the full list of everything that happened (reference_past.py) and answers every question by a loop
over that list; only patterns, which the text defines by how chains evolve, are kept as chains
(reference_patterns.py). Conditions are in reference_conditions.py, dates in reference_calendar.py,
the checks of a send in reference_admission.py. It shares no code with the runtime, only the values
that go in and come out, and the hash that divides an audience.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from msgspec.structs import replace as event_with
from reference_admission import refusal, standing
from reference_conditions import Entry, Sight, holds, record, value
from reference_past import FactSet, Mark, PageEnded, Past, Place, Sent, VisitEnded
from reference_patterns import Chain, Memory

from engine.language.syntax import Book, Pattern, Rule, SendAction, Strategy
from engine.runtime.outcome import Batch, Breach, Decision, Send
from engine.vocabulary.events import DISPOSITIONS, Event, Expiry, Moment, Tick

DAY = 24 * 60 * 60 * 1000
"""A visit ends when this many milliseconds pass without an event of it."""

VISITS_OPEN, PAGES_OPEN = 50, 100

GUARANTEE = -1
"""Stands for the place of a rule in the key of a guarantee."""

Key = tuple[str, int, Place | str | None]
"""Strategy and place of the rule (or guarantee), and the page, visit or (None) visitor."""

Said = tuple[tuple[Batch, ...], tuple[Decision, ...], tuple[Breach, ...]]
"""What comes of a moment."""


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A rule whose pattern is complete by a chain; its last entry is `event` of the rule."""

    strategy: Strategy
    place: int
    chain: Chain
    timer: bool

    @property
    def rule(self) -> Rule:
        return self.strategy.rules[self.place]

    @property
    def entry(self) -> Entry:
        return self.chain.last


@dataclass
class Reference:
    """One visitor under one book. `take` a moment, get what `step` must give for it."""

    book: Book
    memories: dict[Key, Memory] = field(default_factory=dict)
    now: int = 0
    visit_expiry: int = DAY
    outside: Event | Tick = field(default_factory=lambda: Tick(time=0))
    horizon: Mapping[str, int] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.past = Past(book=self.book)

    # ---------------------------------------- "One event, step by step", "Order of a step"

    def take(self, moment: Moment, horizon: Mapping[str, int] | None = None) -> Said:
        """Let one moment happen; the batches, decisions and breaches that it causes."""
        self.horizon = horizon or {}
        self.batches, self.decisions, self.breaches = [], [], []
        time = max(moment.time, self.now)
        # An expiry brings nothing from outside.
        self.outside = moment if isinstance(moment, Event | Tick) else Tick(time=time)
        self._clock(time)
        match moment:
            case Event():
                self._event(moment, time)
            case Expiry():
                self._expiry(moment, time)
        self.now = time
        return tuple(self.batches), tuple(self.decisions), tuple(self.breaches)

    def next_timer(self) -> int | None:
        """The next time at which a pattern can complete or a `no` is held."""
        return min(self._deadlines(), default=None)

    def _clock(self, time: int) -> None:
        """Timers instant by instant, and the ends of visits; at one instant timers come first."""
        while True:
            ends = {visit: self._end(visit) for visit in self.past.visits()}
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
        """When silence ends it; in a recording never up to the visit's horizon."""
        silent = self.past.of_visit(visit)[-1].time + self.visit_expiry
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
            chain = memory.due(time) if self._within_horizon(key, time) else None
            if chain is not None:
                completed.append((key, chain))
        self._decide(self._completed(completed, time, timer=True), time)

    def _event(self, event: Event, time: int) -> None:
        event = self._answered(event)
        self._make_room(event)
        entry = self._entry(event, time)
        self.past.lines.append(entry)
        self._facts_from(event)
        self._mark_answers(event)
        completed = self._see(self.memories, entry)
        self._decide(self._completed(completed, time), time)
        if event.name == "PageExited" and event.page is not None:
            self._end_page(event.visit, event.page)

    def _entry(self, event: Event, time: int, names: Iterable[str] = (), send: str = "") -> Entry:
        return Entry(
            place=len(self.past.lines),
            time=time,
            event=event,
            names=frozenset(names),
            send=send,
            life=self.past.life(event.visit),
            view=self.past.view((event.visit, event.page)),
        )

    # ---------------------------------------- "Visitor, visit, page"

    def _make_room(self, event: Event) -> None:
        """At most 50 visits, and 100 open pages of a visit."""
        lives = {visit: self.past.of_visit(visit) for visit in self.past.visits()}
        if event.visit not in lives and len(lives) >= VISITS_OPEN:
            self._end_visit(min(lives, key=lambda v: (lives[v][-1].time, lives[v][0].place)))
        place = (event.visit, event.page)
        if event.page is None or self.past.is_open(place):
            return
        pages = dict.fromkeys(e.page for e in self.past.of_visit(event.visit) if e.page is not None)
        views = {page: self.past.of_page((event.visit, page)) for page in pages}
        opened = {page: view for page, view in views.items() if view}
        if len(opened) >= PAGES_OPEN:
            self._end_page(event.visit, min(opened, key=lambda page: opened[page][0].place))

    def _end_page(self, visit: str, page: str) -> None:
        self.past.lines.append(PageEnded(visit=visit, page=page))
        self._forget("page", lambda key: key == (visit, page))
        if not self.past.open_pages(visit):
            self._left(visit)

    def _end_visit(self, visit: str) -> None:
        for page in {entry.page for entry in self.past.of_visit(visit)} - {None}:
            self.past.lines.append(PageEnded(visit=visit, page=str(page)))
        self.past.lines.append(VisitEnded(visit=visit))
        self._forget("page", lambda key: key[0] == visit)
        self._forget("visit", lambda key: key == visit)

    def _left(self, visit: str) -> None:
        """What went to every page waits no longer when no page is open."""
        for sent in self.past.all_sends():
            if sent.every_page and sent.entry.visit == visit:
                self.past.lines.append(Mark(what="left", send=sent.send.id))

    def _forget(self, scope: str, over: Callable[[Any], bool]) -> None:
        for key in list(self.memories):
            if self.memories[key].pattern.per == scope and over(key[2]):
                del self.memories[key]

    # ---------------------------------------- "Visitor state", "Facts from an event", facts

    def _set(self, scope: str, name: str, visit: str, raw: Any) -> None:
        """A missing value, or one of the wrong kind, leaves the fact as it was."""
        about = visit if scope == "visit" else None
        remembered = about is None or bool(self.past.of_visit(about))
        if remembered and self.book.facts[scope, name].kind.admits(raw):
            self.past.lines.append(FactSet(fact=name, visit=about, value=raw))

    def _facts_from(self, event: Event) -> None:
        for (scope, name), fact in self.book.facts.items():
            if event.name in fact.sources:
                self._set(scope, name, event.visit, event.data.get(name))

    # ---------------------------------------- "Answers", "Expiry", one at a time

    def _answered(self, event: Event) -> Event:
        """An answer that names a send gets what it lacks of the send's own words."""
        if event.name not in DISPOSITIONS | {"InvitationShown"}:
            return event
        for sent in self.past.all_sends():
            if sent.entry.visit == event.visit and sent.send.id == event.data.get("id"):
                words = {key: sent.entry.event.data.get(key) for key in _WORDS}
                lacking = {
                    key: word
                    for key, word in words.items()
                    if word is not None and event.data.get(key) is None
                }
                return event_with(event, data={**event.data, **lacking})
        return event

    def _mark_answers(self, event: Event) -> None:
        if event.name not in DISPOSITIONS | {"InvitationShown"}:
            return
        # What was answered was also shown.
        marks = ("answered", "shown") if event.name in DISPOSITIONS else ("shown",)
        for sent in self.past.sends():
            same = sent.entry.visit == event.visit
            if same and self.past.unanswered(sent) and _is_about(event, sent.send):
                self.past.lines += [Mark(what=what, send=sent.send.id) for what in marks]

    def _expiry(self, expiry: Expiry, time: int) -> None:
        for sent in self.past.sends():
            if sent.send.id in expiry.sends and not self.past.marked("shown", sent):
                self.past.lines.append(Mark(what="taken back", send=sent.send.id))
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

    # ---------------------------------------- patterns: each sees every entry of its scope

    def _patterns(self) -> Iterator[tuple[str, int, Pattern]]:
        """Of every rule, and of every guarantee."""
        for strategy in self.book.strategies.values():
            for place, rule in enumerate(strategy.rules):
                yield strategy.name, place, rule.pattern
        for name in sorted(self.book.guarantees):
            yield name, GUARANTEE, self.book.guarantees[name].pattern

    def _see(self, memories: dict[Key, Memory], entry: Entry) -> list[tuple[Key, Chain]]:
        """An event or a send happens; the patterns that it completes."""
        completed = []
        scope = {"page": (entry.visit, entry.page), "visit": entry.visit, "visitor": None}
        for name, place, pattern in self._patterns():
            key = (name, place, scope[pattern.per])
            chain = memories.setdefault(key, Memory(pattern=pattern)).see(entry, self.book)
            if chain is not None:
                completed.append((key, chain))
        return completed

    def _completed(
        self, found: list[tuple[Key, Chain]], time: int, *, timer: bool = False
    ) -> list[Completed]:
        """The rules among them; a guarantee that is complete is broken."""
        broken = [(key[0], chain.last) for key, chain in found if key[1] == GUARANTEE]
        for name, entry in sorted(broken, key=lambda one: (one[0], one[1].place)):
            breach = Breach(time=time, visit=entry.visit, event=entry.event.name, guarantee=name)
            self.breaches.append(breach)
        return [
            Completed(strategy=self.book.strategies[name], place=place, chain=chain, timer=timer)
            for (name, place, _), chain in found
            if place != GUARANTEE
        ]

    # ---------------------------------------- "Admission"

    def _decide(self, completed: list[Completed], time: int) -> None:
        """Guards, admission, sets, and then what was sent is seen and remembered."""
        completed.sort(key=_rank)
        sights = {id(done): self._sight(done, time) for done in completed}
        acted: list[Completed] = []
        step: list[Sent] = []
        won: set[tuple[str | None, int]] = set()
        for done in completed:
            row = (done.rule.table, done.entry.place)
            if row in won:
                continue
            reason = _guard(done.rule, sights[id(done)])
            if reason is None and done.rule.table is not None:
                won.add(row)
            own: list[Sent] = []
            if reason is None and done.rule.sends:
                reason, own = self._try(done, sights[id(done)], step)
            if reason is None:
                acted.append(done)
                step += own
            if done.rule.sends:
                self._report(done, time, reason, own)
        self._act(acted, sights)
        self._go(step, time)

    def _act(self, acted: list[Completed], sights: dict[int, Sight]) -> None:
        """The highest priority applies last, so that it wins; all values see the facts before."""
        values = [
            (each, done.entry.visit, value(each.value, sights[id(done)]))
            for done in reversed(acted)
            for each in done.rule.sets
        ]
        for each, visit, raw in values:
            self._set(each.scope, each.fact, visit, raw)

    def _go(self, step: list[Sent], time: int) -> None:
        """What was sent is remembered, and then seen by patterns."""
        for sent in step:
            seen = replace(sent.entry, place=len(self.past.lines))
            self.past.lines.append(replace(sent, entry=seen))
            # `sent` is never the last part of a rule, so this completes only guarantees.
            assert self._completed(self._see(self.memories, seen), time) == []
        for visit in dict.fromkeys(sent.entry.visit for sent in step):
            sends = [send for sent in step if sent.entry.visit == visit for send in sent.sends]
            self.batches.append(Batch(time=time, visit=visit, sends=tuple(sends)))

    def _sight(self, done: Completed, time: int) -> Sight:
        visit = done.entry.visit
        return Sight(
            book=self.book,
            entry=done.entry,
            time=time,
            outside=self.outside,
            names=done.chain.names,
            past=tuple(self.past.entries()),
            life=self.past.life(visit),
            view=self.past.view((visit, done.entry.page)),
            # `since` looks before the completing event; a timer looks at all events so far.
            before=None if done.timer else done.entry.place,
            fact=lambda scope, name: self.past.fact(scope, name, visit, time),
        )

    def _try(self, done: Completed, sight: Sight, step: list[Sent]) -> tuple[Any, list[Sent]]:
        """The reason of the first failing check, or the sends of the rule: all or none."""
        visitor = done.entry.event.visitor
        reason = standing(done.strategy, self.book, sight.time, visitor)
        own: list[Sent] = []
        for action in done.rule.sends if reason is None else ():
            target, pages = self._target(done), self._pages(action, done)
            if target is None or not pages:
                return "page-gone", []
            sent = self._send(action, done, sight, target[0], pages, [*step, *own])
            reason = refusal(sent, own, step, self.past, self.book, self._breaks)
            if reason is not None:
                return reason, []
            own.append(sent)
        return reason, own

    def _breaks(self, sends: list[Sent]) -> bool:
        """Tried on a copy: does the last of the sends complete an enforced guarantee?"""
        enforced = {name for name, told in self.book.guarantees.items() if told.enforced}
        trial = {key: memory.copy() for key, memory in self.memories.items() if key[1] == GUARANTEE}
        completed: list[tuple[Key, Chain]] = []
        for sent in sends if enforced else ():
            completed = self._see(trial, sent.entry)
        return any(key[1] == GUARANTEE and key[0] in enforced for key, _ in completed)

    def _target(self, done: Completed) -> Place | None:
        """By an event: its page. By a timer: its page, or the latest open one, by scope."""
        if not done.timer or done.rule.pattern.per == "page":
            return done.entry.visit, done.entry.page
        per_visit = done.rule.pattern.per == "visit"
        return self.past.latest_page([done.entry.visit] if per_visit else self.past.visits())

    def _pages(self, action: SendAction, done: Completed) -> list[str | None]:
        """The open pages that the message goes to.

        A page whose PageExited is the very event of the step is gone already.
        """
        target = self._target(done)
        if target is None:
            return []
        event = done.entry.event
        exited = event.page if not done.timer and event.name == "PageExited" else None
        pages = [target[1]] if self.past.is_open(target) else []
        if action.every_page:
            pages = self.past.open_pages(target[0])
        return [page for page in pages if page is None or page != exited]

    def _send(
        self,
        action: SendAction,
        done: Completed,
        sight: Sight,
        visit: str,
        pages: list[str | None],
        earlier: list[Sent],
    ) -> Sent:
        strategy, attach = done.strategy, done.rule.attach
        channel, data = self._data(action, sight)
        send = Send(
            id=self._new_id(visit, strategy.name, earlier),
            page=pages[0],
            channel=channel,
            data=data,
            strategy=strategy.name,
            group=strategy.group,
            message=action.message or "",
            # Nothing comes back from a channel of the site.
            answerable=channel == "gpe.appendContent",
            attach=record(attach, sight) if attach is not None else {},
            valid_for=strategy.valid_for,
        )
        words = {"strategy": send.strategy, "group": send.group, "message": send.message or None}
        words = {key: word for key, word in words.items() if word is not None}
        event = Event(
            name="sent",
            time=sight.time,
            visitor=done.entry.event.visitor,
            visit=visit,
            page=None if action.every_page else send.page,
            data=words,
            agents=self.outside.agents,
            pacing=self.outside.pacing,
            draw=self.outside.draw,
        )
        names = [str(word) for word in words.values()]
        entry = self._entry(event, sight.time, names=names, send=send.id)
        entry = replace(entry, every_page=action.every_page)
        sends = tuple(send._replace(page=page) for page in pages)
        return Sent(entry=entry, sends=sends, every_page=action.every_page)

    def _data(self, action: SendAction, sight: Sight) -> tuple[str, Any]:
        """Channel and data: written in place, or of a message with its parameters filled in."""
        if action.message is None:
            return action.channel, record(action.data, sight) if action.data is not None else {}
        message = self.book.messages[action.message]
        given = [value(argument, sight) for argument in action.arguments]
        parameters = dict(zip(message.parameters, given, strict=True))
        return message.channel, record(message.data, replace(sight, parameters=parameters))

    def _new_id(self, visit: str, strategy: str, earlier: list[Sent]) -> str:
        """`visit/strategy/n`, n counting the sends of that strategy in that visit."""
        here = [s for s in [*self.past.all_sends(), *earlier] if s.entry.visit == visit]
        return f"{visit}/{strategy}/{1 + sum(s.send.strategy == strategy for s in here)}"

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


def _guard(rule: Rule, sight: Sight) -> str | None:
    """A rule fires only when `when` is true and `unless` is not true."""
    if rule.when is not None and holds(rule.when, sight) is not True:
        return "when"
    if rule.unless is not None and holds(rule.unless, sight) is True:
        return "unless"
    return None


def _rank(done: Completed) -> tuple[float, str, int, int]:
    """By priority (high first), name of strategy, place; then the older completing event."""
    return -done.strategy.priority, done.strategy.name, done.place, done.entry.place


def _is_about(event: Event, send: Send) -> bool:
    """Unless one of the words that the answer carries as text says otherwise."""
    own = {"id": send.id, "strategy": send.strategy, "group": send.group, "message": send.message}
    said = {key: event.data.get(key) for key in own}
    return all(said[key] == own[key] for key in own if isinstance(said[key], str))
