"""The past of the reference: the list of everything that happened to one visitor, and questions.

Every question is a loop over the list; see "Visitor, visit, page", "Visitor state", "Facts from an
event" and "Answers" in engine/runtime/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reference_calendar import midnight
from reference_conditions import Entry

from engine.language.syntax import Book
from engine.runtime.outcome import Send
from engine.vocabulary.kinds import TIME

Place = tuple[str, str | None]
"""A page: its visit and its pageID."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A line of the past: a message was sent, `to every page` as one line with several `sends`.

    `entry` is how patterns and aggregates see it; its page is `null` when it went to every page.
    """

    entry: Entry
    sends: tuple[Send, ...]
    every_page: bool = False

    @property
    def send(self) -> Send:
        return self.sends[0]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A line of the past about one send.

    It was `shown`, `answered`, `taken back`, or `left`: no page of its visit is open any more.
    """

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


@dataclass(kw_only=True)
class Past:
    """What happened to one visitor, oldest first."""

    book: Book
    lines: list[Line] = field(default_factory=list)

    # ---------------------------------------- "Visitor, visit, page"

    def entries(self) -> Iterator[Entry]:
        """Events and sends, oldest first, without the sends that were taken back."""
        gone = {line.send for line in self.marks("taken back")}
        for line in self.lines:
            if isinstance(line, Entry):
                yield line
            elif isinstance(line, Sent) and line.send.id not in gone:
                yield line.entry

    def marks(self, what: str) -> list[Mark]:
        return [line for line in self.lines if isinstance(line, Mark) and line.what == what]

    def life(self, visit: str) -> int:
        """How often a visit of this name has ended."""
        return sum(line == VisitEnded(visit=visit) for line in self.lines)

    def view(self, place: Place) -> int:
        """How often this page has ended."""
        return sum(isinstance(e, PageEnded) and (e.visit, e.page) == place for e in self.lines)

    def of_visit(self, visit: str) -> list[Entry]:
        """The events of a visit as it is remembered now."""
        life = self.life(visit)
        return [
            entry
            for entry in self.entries()
            if not entry.is_send and entry.visit == visit and entry.life == life
        ]

    def visits(self) -> list[str]:
        names = {line.visit: None for line in self.lines if isinstance(line, Entry)}
        return [visit for visit in names if self.of_visit(visit)]

    def of_page(self, place: Place) -> list[Entry]:
        view = self.view(place)
        return [e for e in self.of_visit(place[0]) if e.page == place[1] and e.view == view]

    def is_open(self, place: Place) -> bool:
        """From the first event that carries its pageID until its exit; `null` always."""
        return place[1] is None or bool(self.of_page(place))

    def open_pages(self, visit: str) -> list[str | None]:
        """The pages of a visit of which an event was seen and that are open, oldest first."""
        names = {entry.page for entry in self.of_visit(visit)}
        opened = {name: view[0].place for name in names if (view := self.of_page((visit, name)))}
        return sorted(opened, key=lambda name: opened[name])

    def latest_page(self, visits: Iterable[str]) -> Place | None:
        """The open one with the youngest PageEntered, or without any the one seen first last."""
        events = [entry for visit in visits for entry in self.of_visit(visit)]
        places = {(entry.visit, entry.page) for entry in events}
        seen = {place: self.of_page(place) for place in places if self.of_page(place)}
        entered = {
            place: [e.place for e in entries if e.event.name == "PageEntered"]
            for place, entries in seen.items()
        }
        if any(entered.values()):
            return max((p for p in entered if entered[p]), key=lambda p: entered[p][-1])
        return max(seen, key=lambda p: seen[p][0].place, default=None)

    # ---------------------------------------- "Visitor state", facts

    def fact(self, scope: str, name: str, visit: str, time: int) -> Any:
        events = self.of_visit(visit)
        match scope, name:
            case "visitor", "state":
                return state_of(events)
            case "visit", "pages":
                return sum(entry.event.name == "PageEntered" for entry in events)
            case "visit", "duration":
                return time - events[0].time if events else None
        started = 0
        if scope == "visit":
            ends = [i for i, line in enumerate(self.lines) if line == VisitEnded(visit=visit)]
            started = ends[-1] if ends else 0
        sets = [
            line.value
            for line in self.lines[started:]
            if isinstance(line, FactSet)
            and line.fact == name
            and line.visit == (visit if scope == "visit" else None)
        ]
        fact = self.book.facts[scope, name]
        if fact.kind == TIME and isinstance(fact.default, str):
            return sets[-1] if sets else midnight(fact.default, self.book.zone)
        return sets[-1] if sets else fact.default

    # ---------------------------------------- sends, "Answers"

    def all_sends(self) -> list[Sent]:
        return [line for line in self.lines if isinstance(line, Sent)]

    def sends(self) -> list[Sent]:
        """All that count: those that were not taken back."""
        return [sent for sent in self.all_sends() if not self.marked("taken back", sent)]

    def waits(self, sent: Sent, time: int) -> bool:
        """Until an answer, the end of its page, or what it is `valid for` if it was never shown."""
        recent = time - sent.entry.time < sent.send.valid_for
        return self.unanswered(sent) and (self.marked("shown", sent) or recent)

    def unanswered(self, sent: Sent) -> bool:
        entry = sent.entry
        if not sent.send.answerable or self.marked("answered", sent):
            return False
        if self.marked("left", sent):
            return False
        if entry.life != self.life(entry.visit):
            return False
        return entry.view == self.view((entry.visit, entry.page))

    def marked(self, what: str, sent: Sent) -> bool:
        return any(mark.send == sent.send.id for mark in self.marks(what))


def state_of(events: list[Entry]) -> str:
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
