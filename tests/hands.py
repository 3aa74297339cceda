"""Both hands, the reference and the runtime, behind one small door for examples as text."""

from __future__ import annotations

from typing import Any

from reference import Reference, Said

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.language.syntax import Book
from engine.runtime.outcome import Batch, Breach, Decision, Send
from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event, Expiry, Moment, Tick

PRELUDE = """
event A
  price number
  word text
event B
event C

fact visit.stage text
fact visitor.score number
fact visitor.vip boolean from UserInfo

category Checkout is url "/checkout/**"
category Dear is event.price > 100

message M is gpe.appendContent { url: "/frontend/resources/invite.html" }
"""
"""What every example may use: events A, B and C, three facts, two categories and a message."""


class RuntimeHand:
    """The runtime, as the reference is asked."""

    def __init__(self, book: Book) -> None:
        self.plan = plan(book)
        self.visitor = Visitor.new("W")

    def take(self, moment: Moment) -> Said:
        outcome = step(self.plan, self.visitor, moment)
        self.visitor = outcome.visitor
        return outcome.batches, outcome.decisions, outcome.breaches


HANDS = {"reference": Reference, "runtime": RuntimeHand}


def written(text: str) -> Book:
    """The book of a text behind the prelude; the test fails when it does not compile."""
    compiled = compile_book([Source(name="example.strategy", text=PRELUDE + text)])
    assert compiled.book is not None, [str(found) for found in compiled.diagnostics]
    return compiled.book


def rule(on: str, guard: str = "", head: str = "") -> str:
    """A strategy `S` with one rule that sends M."""
    return f'strategy "S"\n  {head}\n  on {on}\n    {guard}\n    send M\n'


class Story:
    """One visitor under one book, told moment by moment; times in milliseconds.

    Each call gives what was decided, in words: `sent`, or the reason of a refusal.
    """

    def __init__(self, hand: str, text: str) -> None:
        self.hand = HANDS[hand](written(text))
        self.batches: tuple[Batch, ...] = ()
        self.decisions: tuple[Decision, ...] = ()
        self.breaches: tuple[Breach, ...] = ()
        self.sends: list[Send] = []

    def event(
        self,
        name: str,
        time: int,
        *,
        page: str | None = "p",
        visit: str = "v",
        url: str | None = "/",
        agents: int | None = None,
        pacing: float | None = None,
        draw: float | None = None,
        **data: Any,
    ) -> list[str]:
        return self.take(
            Event(
                name=name,
                time=time,
                visitor="W",
                visit=visit,
                page=page,
                url=url,
                data=data,
                agents={} if agents is None else {"chat": agents},
                pacing={} if pacing is None else {"chat": pacing},
                draw=draw,
            )
        )

    def tick(self, time: int, *, agents: int | None = None) -> list[str]:
        return self.take(Tick(time=time, agents={} if agents is None else {"chat": agents}))

    def expire(self, time: int, *sends: str) -> list[str]:
        return self.take(Expiry(time=time, sends=sends))

    def take(self, moment: Moment) -> list[str]:
        """Any moment; what was decided, in words. `batches` and `breaches` are of this moment."""
        self.batches, self.decisions, self.breaches = self.hand.take(moment)
        self.sends += [send for batch in self.batches for send in batch.sends]
        return [decision.reason or "sent" for decision in self.decisions]
