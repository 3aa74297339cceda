"""What is opened and never closed stays bounded, and the reference says so too."""

from __future__ import annotations

import json
from collections.abc import Iterable

from reference import Reference

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.visitor import PAGES_OPEN, VISITS_OPEN, Visitor
from engine.vocabulary.events import Event

BOOK = """
message Hello is gpe.appendContent { url: "/hello.html" }
strategy "Page"
  on 2 times PageEntered, per page
    send Hello
strategy "Visit"
  on 2 times SignIn, per visit
    send Hello
strategy "Silence"
  on SignIn, then no PageExited for 5 s, per page
    send Hello
"""


def after(told: Iterable[tuple[str, str, str]]) -> tuple[Visitor, int]:
    """The visitor after (event, visit, page), one a second, and how often something was sent."""
    book = compile_book([Source(name="a", text=BOOK)]).book
    assert book is not None
    compiled, visitor, reference, sent = plan(book), Visitor.new("W"), Reference(book), 0
    for number, (name, visit, page) in enumerate(told):
        event = Event(name=name, time=1_000 * number, visitor="W", visit=visit, page=page)
        outcome = step(compiled, visitor, event)
        assert (outcome.batches, outcome.decisions) == reference.take(event)[:2]
        visitor = outcome.visitor
        sent += len(outcome.batches)
    return visitor, sent


def test_the_page_that_was_opened_first_ends() -> None:
    pages = [("PageEntered", "V", f"P{n}") for n in range(PAGES_OPEN + 5)]
    visitor, sent = after([*pages, ("PageEntered", "V", "P5"), ("PageEntered", "V", "P0")])
    assert sent == 1, "P5 was still open, P0 begins anew"
    assert list(visitor.visits["V"].pages) == [*(f"P{n}" for n in range(6, PAGES_OPEN + 5)), "P0"]


def test_the_visit_that_was_silent_longest_ends() -> None:
    visits = [("SignIn", f"V{n}", "P") for n in range(VISITS_OPEN)]
    more = [("SignOut", "V0", "P"), ("SignIn", "W", "P"), ("SignIn", "V1", "P")]
    visitor, _ = after([*visits, *more, ("SignIn", "V0", "P")])
    assert len(visitor.visits) == VISITS_OPEN
    assert visitor.visits.keys() >= {"W", "V1", "V0"}
    assert not {"V2"} & visitor.visits.keys()


def test_memory_is_bounded_whatever_a_visitor_opens() -> None:
    visitor, _ = after(("SignIn", f"V{n % 2}", f"P{n}") for n in range(2 * PAGES_OPEN + 20))
    assert len(json.dumps(visitor.to_json())) < 200_000
    assert len(visitor.timers) <= 2 * PAGES_OPEN
