"""A case: a random book and a random story that hits it, printed so that a person can read it."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from properties.books import books
from properties.visits import Step, Teller, stories
from properties.wordsmith import render
from reference import Reference

from engine.language.syntax import Book
from engine.runtime.outcome import Batch, Decision
from engine.vocabulary.events import Moment


class Case:
    """A book and the steps of a story under it."""

    def __init__(self, book: Book, steps: list[Step]) -> None:
        self.book = book
        self.steps = steps

    def __repr__(self) -> str:
        lines = "\n".join(f"  {step.gap:+} {step[1:]}" for step in self.steps)
        return f"\n{render(self.book)}\n{lines}\n"

    def told(
        self, reference: Reference
    ) -> Iterator[tuple[Moment, tuple[tuple[Batch, ...], tuple[Decision, ...]]]]:
        """Every moment of the story with what the reference says of it."""
        teller = Teller()
        for told in self.steps:
            moment = teller.tell(told)
            said = reference.take(moment)
            teller.heard(said[0])
            yield moment, said


@st.composite
def cases(draw: DrawFn) -> Case:
    """A book first, then a story drawn from its words."""
    book = draw(books())
    return Case(book, draw(stories(book)))
