"""The sample book uses the whole language, and its scenarios make each of its rules act."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from engine.language import syntax, terms
from engine.language.compiler import compile_book
from engine.language.source import read_folder
from engine.runtime.plan import plan
from engine.trials.scenarios import run_scenarios
from engine.vocabulary.kinds import BY_WORD, Kind
from engine.vocabulary.operators import COMPARISONS
from engine.vocabulary.words import WORDS

SOURCES = read_folder(Path(__file__).parents[2] / "strategies")
TEXT = "\n".join(source.text for source in SOURCES)
COMPILED = compile_book(SOURCES)

NOT_FORMS = (syntax.Book, syntax.Span, syntax.Table)
FORMS = sorted(
    {
        form
        for room in (syntax, terms)
        for _, form in inspect.getmembers(room, inspect.isclass)
        if form.__module__ == room.__name__ and form not in NOT_FORMS
    },
    key=lambda form: form.__name__,
)
"""Every form of the tree; the rows of a table are rules, so a table leaves none of its own."""

CHOICES = [
    (form, field, choice)
    for form in FORMS
    for field, hint in get_type_hints(form).items()
    if get_origin(hint) is Literal
    for choice in get_args(hint)
]
"""Every form that comes in kinds: ``Window`` reaches ``last``, ``page``, ``visit`` or ``ever``."""


def nodes(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    if isinstance(tree, tuple):
        for item in tree:
            yield from nodes(item)
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, Kind):
        yield tree
        for field in dataclasses.fields(tree):
            yield from nodes(getattr(tree, field.name))


@pytest.fixture(scope="module")
def book() -> syntax.Book:
    assert COMPILED.book, [found.message for found in COMPILED.diagnostics]
    return COMPILED.book


@pytest.fixture(scope="module")
def used(book: syntax.Book) -> list[Any]:
    return list(nodes(book))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_uses_every_form(used: list[Any], form: type) -> None:
    if form in (syntax.Zone,):
        assert '\nzone "' in TEXT
    else:
        assert any(isinstance(node, form) for node in used)


@pytest.mark.parametrize(
    ("form", "field", "choice"), CHOICES, ids=lambda part: getattr(part, "__name__", part)
)
def test_uses_every_kind_of_a_form(used: list[Any], form: type, field: str, choice: str) -> None:
    assert any(isinstance(node, form) and getattr(node, field) == choice for node in used)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.phrase)
def test_uses_every_word(word: Any) -> None:
    assert word.phrase in " ".join(TEXT.split())


def test_uses_every_comparison_and_kind_of_value(book: syntax.Book, used: list[Any]) -> None:
    said = {node.operator for node in used if isinstance(node, syntax.Compare)}
    assert said == set(COMPARISONS)
    kinds = {str(field.kind) for event in book.events.values() for field in event.fields}
    kinds |= {str(fact.kind) for fact in book.facts.values()}
    assert kinds >= {*BY_WORD, "list of text"}


def test_uses_every_table_clause_and_both_kinds_of_guarantee(book: syntax.Book) -> None:
    assert any(rule.table for told in book.strategies.values() for rule in told.rules)
    assert {guarantee.enforced for guarantee in book.guarantees.values()} == {True, False}


def test_its_scenarios_hold(book: syntax.Book) -> None:
    for story in run_scenarios(book):
        assert story.passed, (story.scenario.name, [line.failure for line in story.lines])


def test_its_scenarios_make_every_rule_act(book: syntax.Book) -> None:
    """Each rule that sends was seen to send, and each fact that is set was seen to change."""
    sent = {
        found.strategy
        for story in run_scenarios(book)
        for line in story.lines
        for found in line.happened
        if found.reason is None
    }
    senders = {
        told.name for told in book.strategies.values() if any(rule.sends for rule in told.rules)
    }
    assert sent == senders
    stepped = [step for story in book.scenarios.values() for step in story.steps]
    seen = {step.path.parts for step in stepped if isinstance(step, syntax.ExpectFact)}
    actions = [node for node in nodes(book.strategies) if isinstance(node, syntax.SetAction)]
    assert {(action.scope, action.fact) for action in actions} <= seen


def test_nothing_disturbs_the_documented_journey(book: syntax.Book) -> None:
    """Only the strategy of the documented example reacts to the pages of a hesitant buyer."""
    story = next(
        story
        for story in run_scenarios(book)
        if story.scenario.name == "A hesitant buyer is invited to GMS chat"
    )
    happened = [found for line in story.lines for found in line.happened]
    assert [found.strategy for found in happened] == ["GMS chat for hesitant buyers"]
    assert plan(book).version == book.version
