"""Lints: what a book says that its author can hardly mean, with what a visitor would see of it.

A lint is a warning: the book is good, and does exactly what it says. Each one is certain of what it
says, or keeps silent: an alarm that is false once is never read again.

Compiling does not wait for them: whoever shows them to a person (``overture check``, the shelf of a
server) asks for them when the book is good.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from engine.language import syntax
from engine.language.diagnostics import Shown
from engine.language.lints_cases import Patience
from engine.language.lints_conditions import Conditions
from engine.language.lints_names import Declarations
from engine.language.lints_notes import Notes
from engine.language.lints_numbers import check_numbers
from engine.language.lints_rules import Rules
from engine.language.quiet import undisturbed
from engine.language.source import Source
from engine.language.stored import Memory, NotStored, key_of_all, shown_read, shown_written


def lint(book: syntax.Book, sources: Sequence[Source], memory: Memory | None = None) -> Shown:
    """All warnings about a good book; ``sources`` are its files. A ``memory`` may know them.

    Never raises: a book that compiled can be linted. What would take too long to try is left alone.
    """
    if memory is None:
        with undisturbed():
            return _lint(book, sources)
    key = f"warnings {key_of_all(sources)}"
    with suppress(NotStored):
        return shown_read(memory.get(key))
    shown = lint(book, sources)
    memory.put(key, shown_written(shown))
    return shown


def _lint(book: syntax.Book, sources: Sequence[Source]) -> Shown:
    notes = Notes({source.name: source.text for source in sources})
    declarations = Declarations(book, notes)
    conditions = Conditions(book, notes, Patience(declarations.parts))
    for category in book.categories.values():
        conditions.category(category)
    for strategy in book.strategies.values():
        for rule in strategy.rules:
            conditions.rule(rule)
    for guarantee in book.guarantees.values():
        seen = "this guarantee can never be broken"
        conditions.pattern(guarantee.pattern, seen, guarantee=True)
    rules = Rules(book, conditions, notes)
    rules.check()
    rules.guarantees()
    declarations.check()
    check_numbers(sources, notes)
    return notes.shown()
