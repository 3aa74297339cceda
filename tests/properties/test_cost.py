"""What `check` says a visitor can cost is true: nobody is ever larger, and the figure is not idle.

Against the limits of the door no random story would ever come near its bound. So each story is
counted under its own limits: as many visits, pages, sends and entries as it really had, and its
own largest event. Then the bound is close, and a part that was forgotten shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import asdict
from properties.cases import Case, cases

from engine.hosts.contract import Document, Input
from engine.hosts.document import BESIDE, EngagementCore
from engine.language.compiler import compile_book
from engine.language.source import Source, read_folder
from engine.language.syntax import Book
from engine.runtime.aggregates import KEPT
from engine.runtime.bound import bound
from engine.runtime.library import Library
from engine.runtime.plan import plan
from engine.runtime.sizes import AT_MOST, Limits
from engine.runtime.step import step
from engine.runtime.visitor import VISITS_OPEN, Visitor
from engine.runtime.witness import Look
from engine.trials.coverage import Coverage
from engine.trials.scenarios import run_scenarios
from engine.vocabulary import limits as door
from engine.vocabulary.events import Event, Moment

START = 1_800_000_000_000
SAMPLE = read_folder(Path(__file__).parents[2] / "strategies")


def stored(value: object) -> int:
    """The bytes of it in the longest form that a host may store: compact JSON in ASCII."""
    return len(json.dumps(value, separators=(",", ":")))


def book_of(*sources: Source) -> Book:
    compiled = compile_book(sources)
    assert compiled.book, [found.message for found in compiled.diagnostics]
    return compiled.book


# ------------------------------------------------ nobody is ever larger


def seen_by(limits: Limits, moment: Moment, visitor: Visitor) -> Limits:
    """The limits that a story with one more moment keeps to."""
    own, outside = 0, 0
    if isinstance(moment, Event):
        whole = asdict(moment) | {"data": dict(moment.data), "agents": {}, "pacing": {}}
        own = stored(whole)
        outside = stored(dict(moment.agents)) + stored(dict(moment.pacing)) + 25
    event = max(limits.event, own)
    return replace(
        limits,
        visits=max(limits.visits, len(visitor.visits)),
        pages=max([limits.pages, *(len(visit.pages) for visit in visitor.visits.values())]),
        sends=max(limits.sends, len(visitor.sends)),
        each=max(limits.each, len(visitor.sends)),
        kept=limits.kept + 1,
        event=event,
        text=event,
        word=event,
        title=event,
        url=event,
        outside=max(limits.outside, outside),
    )


NOTHING_YET = replace(
    AT_MOST,
    **dict.fromkeys(("visits", "pages", "sends", "each", "kept"), 0),
    **dict.fromkeys(("event", "text", "word", "title", "url", "outside"), 0),
    id=6,
)


@given(cases())
def test_no_visitor_is_larger_than_the_bound(case: Case) -> None:
    compiled, visitor, limits = plan(case.book), Visitor.new("W"), NOTHING_YET
    for moment in case.moments():
        visitor = step(compiled, visitor, moment).visitor
        limits = seen_by(limits, moment, visitor)
        assert stored(visitor.to_json()) <= bound(case.book, most=limits).most


# ------------------------------------------------ a stranger who wants to be large


class Stranger:
    """One visitor who sends events with as much in them as fits, in visits of the longest names."""

    def __init__(self, book: Book, size: int) -> None:
        self.book = book
        self._size = size
        self._inputs: list[Input] = []
        self._library = Library(plan(book))

    def visit(self, number: int) -> str:
        return f"{number:->{door.ID}}"

    def happens(self, name: str, visit: int, page: int | None = 0, **data: Any) -> None:
        """An event; a field that is `...` is filled with letters that need most room."""
        body = {"eventName": name, "agents": {"chat": 3}, "data": data}
        if page is not None:
            body["pageID"] = self.visit(page)
        room = self._size - len(json.dumps(body | {"data": {}, "visitID": self.visit(0)}))
        filled = {key: "\x7f" * room if value is ... else value for key, value in data.items()}
        self._input("event", visit, body | {"data": filled})

    def connects(self, visit: int, page: int) -> None:
        for n in range(32):
            self._input("connected", visit, {"page": self.visit(page), "connection": f"{n:->32}"})

    def _input(self, kind: str, visit: int, body: dict[str, Any]) -> None:
        time, name = START + 7 * len(self._inputs), f"{len(self._inputs)}"
        version = self._library.live.version
        one = Input(
            kind=kind, visit=self.visit(visit), time=time, version=version, id=name, body=body
        )
        self._inputs.append(one)

    def document(self) -> Document:
        core = EngagementCore(self._library, lambda: {"chat": 3})
        document = core.advance(self.visit(0), None, self._inputs).document
        assert document is not None
        return document | {"visitor": document["visitor"].to_json()}

    def share(self) -> float:
        """How much of the bound was reached, in a world where no event is larger than these."""
        stored_size = 6 * self._size
        limits = replace(AT_MOST, event=stored_size, text=stored_size)
        most = bound(self.book, BESIDE, most=limits).most
        return stored(self.document()) / most


def in_every_visit(*names: str) -> Callable[[Stranger], None]:
    def tell(stranger: Stranger) -> None:
        for visit in range(VISITS_OPEN):
            for name in names:
                stranger.happens(name, visit, t=..., n=-1.2345678901234567e-300)

    return tell


def on_every_page(*names: str) -> Callable[[Stranger], None]:
    def tell(stranger: Stranger) -> None:
        for visit in range(VISITS_OPEN):
            for page in (*range(100), None):
                for name in names:
                    stranger.happens(name, visit, page, t=..., n=1)

    return tell


def again_and_again(name: str) -> Callable[[Stranger], None]:
    def tell(stranger: Stranger) -> None:
        for visit in range(VISITS_OPEN):
            stranger.connects(visit, 0)
        for n in range(1_100):
            stranger.happens(name, n % VISITS_OPEN, t=..., n=-1.2345678901234567e-300)

    return tell


WORDS = """
event A
  t text
  n number
event B
  t text
event C
  t text
fact visit.last text
fact visit.other number = 0
channel shop.note { text: text }
strategy "S"
"""
HOSTILE: dict[str, tuple[str, int, Callable[[Stranger], None], float]] = {
    "silence": ("on A, then no B for 1 h\n set visit.other = 1", 6_000, in_every_visit("A"), 0),
    "silence whose event is read": (
        'on A, then no B for 1 h when event.t = "x"\n set visit.other = 1',
        6_000,
        in_every_visit("A"),
        0.4,
    ),
    "silence of a page": (
        "on A, then no B for 1 h, per page\n set visit.other = 1",
        600,
        on_every_page("A"),
        0,
    ),
    "silence in the middle": (
        "on A, then no C for 1 ms, then B\n set visit.other = 1",
        6_000,
        in_every_visit("A", "A"),
        0,
    ),
    "names": (
        "on A as x, then B as y, then C where event.t = x.t and event.t = y.t\n"
        " set visit.other = 1",
        6_000,
        in_every_visit("A", "B"),
        0.3,
    ),
    "all of": (
        "on A as x, then all of (B, C, SignIn), then SignOut where event.name = x.t\n"
        " set visit.other = 1",
        6_000,
        in_every_visit("A", "B", "C", "SignIn"),
        0.15,
    ),
    "latest": (
        'on B when latest(A.t, this visit) = "x"\n set visit.other = 1',
        6_000,
        in_every_visit("A"),
        0.4,
    ),
    "latest of a page": (
        'on B when latest(A.t, this page) = "x"\n set visit.other = 1',
        600,
        on_every_page("A"),
        0.4,
    ),
    "fact": ("on A\n set visit.last = event.t", 6_000, in_every_visit("A"), 0.4),
    "attached": (
        'on A\n send gpe.appendContent { url: "/x" }\n attach { said: event.t }',
        3_000,
        again_and_again("A"),
        0.4,
    ),
    "waiting": ("on A\n send shop.note { text: event.t }", 3_000, again_and_again("A"), 0.4),
    "pages": ("on A\n set visit.other = 1", 500, on_every_page("PageEntered"), 0),
}
"""A rule, the bytes of an event, what is told, and the least share of the bound that it reaches:
asked only where no layout of memory could do with less."""


@pytest.mark.parametrize("shape", HOSTILE)
def test_a_stranger_comes_near_the_bound_and_never_over_it(shape: str) -> None:
    rule, size, tell, least = HOSTILE[shape]
    text = WORDS + "".join(f"  {line}\n" for line in rule.split("\n"))
    stranger = Stranger(book_of(Source(name="hostile.strategy", text=text)), size)
    tell(stranger)
    assert least <= stranger.share() <= 1


@pytest.mark.parametrize("asked", ["count(A, last 7 d)", "sum(A.n, last 7 d)"])
def test_a_rolling_window_is_counted_entry_by_entry(asked: str) -> None:
    rule = f"  on B when {asked} > 3\n    set visit.other = 1\n"
    book = book_of(Source(name="hostile.strategy", text=WORDS + rule))
    compiled, visitor, limits = plan(book), Visitor.new("W"), NOTHING_YET
    for n in range(KEPT + 100):
        moment = Event(name="A", time=START + n, visitor="W", visit="V", data={"n": -1 / (n + 3)})
        visitor = step(compiled, visitor, moment).visitor
    limits = replace(seen_by(limits, moment, visitor), kept=KEPT)
    size, most = stored(visitor.to_json()), bound(book, most=limits).most
    assert size <= most
    # A window may keep less than it could, when the constants of the book need less.
    assert most <= 50 * KEPT + 5_000


def test_at_the_limits_of_the_door_half_of_the_bound_is_reached() -> None:
    rule = '  on B when latest(A.t, this visit) = "x"\n    set visit.other = 1\n'
    book = book_of(Source(name="hostile.strategy", text=WORDS + rule))
    stranger = Stranger(book, door.EVENT)
    in_every_visit("A")(stranger)
    size, most = stored(stranger.document()), bound(book, BESIDE).most
    assert most / 2 <= size <= most


def test_the_sample_book_stays_under_its_bound() -> None:
    book = book_of(*SAMPLE)
    stranger = Stranger(book, 2_000)
    names = [*book.events, "PageEntered", "SignIn", "UserInfo", "InteractionStarted"]
    for visit in range(VISITS_OPEN):
        stranger.connects(visit, 0)
        for page in range(3):
            for name in names:
                fields = (
                    {field.path[0] for field in book.events[name].fields}
                    if name in book.events
                    else ()
                )
                stranger.happens(name, visit, page, **dict.fromkeys(fields, ...))
    assert stored(stranger.document()) > 500_000
    assert stranger.share() <= 1


def test_a_silence_is_counted_with_what_its_rule_reads() -> None:
    def most(rule: str) -> int:
        text = WORDS + "".join(f"  {line}\n" for line in rule.split("\n"))
        return bound(book_of(Source(name="a.strategy", text=text))).most

    silence = "on A, then no B for 1 h"
    bare = most(f"{silence}\n set visit.other = 1")
    number = most(f"{silence} when event.n > 1\n set visit.other = 1")
    words = most(f'{silence} when event.t = "x"\n set visit.other = 1')
    assert bare < number < bare + VISITS_OPEN * 150
    assert words > bare + VISITS_OPEN * AT_MOST.text


# ------------------------------------------------ as a rule


class Sizes(Coverage):
    """A witness of every story: the largest that its visitor was."""

    def __init__(self, book: Book) -> None:
        super().__init__(book)
        self.largest: list[int] = []

    def story(self) -> None:
        super().story()
        self.largest.append(0)

    def leaves(self, look: Look, event: Event) -> None:
        super().leaves(look, event)
        self.largest[-1] = max(self.largest[-1], stored(look.visitor.to_json()))


def test_as_a_rule_is_what_the_stories_of_the_sample_book_cost() -> None:
    book = book_of(*SAMPLE)
    sizes = Sizes(book)
    run_scenarios(book, sizes)
    usual = bound(book).usual
    assert max(sizes.largest) <= usual
    assert median(sizes.largest) >= usual / 20
