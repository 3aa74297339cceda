"""A case: a random book and a random story that hits it, printed so that a person can read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from properties.books import books
from properties.visits import Step, Teller, stories
from properties.wordsmith import render
from reference import DAY, Reference, Said

from engine.language.syntax import Book
from engine.vocabulary.events import Event, Moment


class Case:
    """A book and the steps of a story under it."""

    def __init__(self, book: Book, steps: list[Step]) -> None:
        self.book = book
        self.steps = steps

    def __repr__(self) -> str:
        lines = "\n".join(f"  {step.gap:+} {step[1:]}" for step in self.steps)
        return f"\n{render(self.book)}\n{lines}\n"

    def told(
        self, horizon: Mapping[str, int] | None = None, visit_expiry: int = DAY
    ) -> Iterator[tuple[Moment, Said]]:
        """Every moment of the story with what the reference says of it."""
        reference, teller = Reference(self.book, visit_expiry=visit_expiry), Teller()
        for told in self.steps:
            moment = teller.tell(told)
            said = reference.take(moment, horizon)
            teller.heard(said[0])
            yield moment, said

    def moments(self) -> list[Moment]:
        """The story alone."""
        return [moment for moment, _ in self.told()]

    def horizon(self) -> dict[str, int]:
        """When each visit of the story is last heard of, as a recording knows it."""
        teller, now, last = Teller(), 0, {}
        for told in self.steps:
            moment = teller.tell(told)
            now = max(now, moment.time)
            if isinstance(moment, Event):
                last[moment.visit] = now
        return last


@st.composite
def cases(draw: DrawFn) -> Case:
    """A book first, then a story drawn from its words."""
    book = draw(books())
    return Case(book, draw(stories(book)))
