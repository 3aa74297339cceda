"""Lints say what they say for certain: goldens, no alarm over good books, and no claim that fails.

To accept new wording run this file with ``OVERTURE_REWRITE=1``, then read the diff.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reference_conditions
from hypothesis import given, note
from hypothesis import strategies as st
from properties.books import books
from properties.cases import Case, cases
from properties.visits import Teller, stories
from properties.wordsmith import render
from reference import Reference
from reference_conditions import Entry, Sight, holds

from engine.language.compiler import compile_book
from engine.language.diagnostics import Diagnostic
from engine.language.lints import lint
from engine.language.lints_cases import Cases, Knowledge
from engine.language.lints_codes import WARNINGS
from engine.language.lints_conditions import NOBODY
from engine.language.lints_globs import disjoint
from engine.language.render import as_json, terminal
from engine.language.source import Source, by_name, read_folder
from engine.language.syntax import (
    Among,
    And,
    Book,
    Compare,
    Constant,
    Expr,
    Known,
    Not,
    Or,
)
from engine.language.syntax import (
    Path as Field,
)
from engine.vocabulary import address
from engine.vocabulary.events import Event
from engine.vocabulary.kinds import NUMBER, TEXT

ROOT = Path(__file__).parents[2]
CORPUS = sorted((ROOT / "tests" / "corpus" / "lints").glob("*.strategy"))
README = (ROOT / "strategies" / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```strategy\n(.*?)```", README, re.DOTALL)
UNUSED = ("L430", "L431", "L432")


def warnings(text: str, name: str = "book.strategy") -> tuple[Diagnostic, ...]:
    source = Source(name=name, text=text)
    compiled = compile_book([source])
    assert compiled.book is not None, compiled.diagnostics
    return lint(compiled.book, [source]).diagnostics


# ---------------------------------------------------------------- what is said


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_reads_as_written_down(path: Path) -> None:
    source = Source(name=path.name, text=path.read_text("utf-8"))
    found = warnings(source.text, path.name)
    said = "\n".join(terminal(one, by_name([source])) for one in found)
    golden = path.with_suffix(".txt")
    if os.environ.get("OVERTURE_REWRITE"):
        golden.write_text(said, "utf-8")
    assert said == golden.read_text("utf-8")
    assert len(found) == 1 or path.stem == "unused"
    assert {as_json(one, by_name([source]))["severity"] for one in found} == {"warning"}


def test_every_lint_is_in_the_corpus() -> None:
    said = " ".join(path.with_suffix(".txt").read_text("utf-8") for path in CORPUS)
    assert [code for code, _, _ in WARNINGS if f"{code} (warning)" not in said] == []


# ---------------------------------------------------------------- no false alarm


def test_the_sample_book_is_without_alarm() -> None:
    sources = read_folder(ROOT / "strategies")
    book = compile_book(sources).book
    assert book is not None
    assert lint(book, sources).diagnostics == ()


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "books").glob("*.strategy")))
def test_books_over_data_are_without_alarm(path: Path) -> None:
    found = warnings(path.read_text("utf-8"), path.name)
    # This one counts pages as if it invited, and is rightly told that nothing limits it.
    assert [one.code for one in found] == (["L415"] if path.stem == "counts" else [])


def test_the_guide_is_without_alarm() -> None:
    # Its examples are one book; each shows one thing, so not everything in it is used.
    assert [one for one in warnings("\n".join(EXAMPLES)) if one.code not in UNUSED] == []


def test_a_piece_of_a_book_is_not_blamed_for_what_it_does_not_use() -> None:
    assert warnings('category A is url "/a/**"\n') == ()


SENDS = '    send gpe.appendContent { url: "/a" }\n'


@pytest.mark.parametrize(
    "condition",
    [
        'event.item != "a" and event.item != "b"',
        "event.price > 50 and event.price < 100",
        "event.price >= 100 and event.price <= 100",
        "since(Cart) > 10 min or since(Cart) < 5 min",
        "since(Search) > 36500 d and count(Search, this visit) = 0",
        "count(Search, last 10 min) >= 1000",
        'agents.ready("chat") > 0 or event.price > 1',
        'visitor.state != "anonymous"',
        'event.item starts with "a" and event.item starts with "ab"',
        'event.item has "b" and not event.item has "a"',
        'event.item > "a" and event.item < "ab"',
        "event.price is missing or event.price > 1",
        "event.price > event.weight and event.price != event.weight",
        "count(Cart, this visit) = 1",
        "count(Search, this visit) > 0 and count(Search, last 5 min) = 0",
        'pacing("chat") >= 1 and pacing admits "chat"',
    ],
)
def test_what_can_be_otherwise_is_left_alone(condition: str) -> None:
    text = (
        'event Cart "c"\n  price number\n  weight number\n  item text\nevent Search "s"\n'
        f'strategy "s"\n  limit 1 per visit\n  on Cart\n    when {condition}\n{SENDS}'
    )
    assert warnings(text) == ()


@pytest.mark.parametrize(
    "guard",
    [
        "unless seen(sent Own, last 2 h)",
        "when since(sent Invite) > 1 d",
        "unless visit.asked\n    send Invite\n    set visit.asked = true",
    ],
)
def test_an_invitation_may_limit_itself(guard: str) -> None:
    sends = "" if "send Invite" in guard else "\n    send Invite"
    text = (
        'message Invite is gpe.appendContent { url: "/a" }\nfact visit.asked boolean = false\n'
        f'strategy "Own"\n  on PageEntered\n    {guard}{sends}\n'
    )
    text = text.replace("sent Own", 'sent "Own"')
    assert [one.code for one in warnings(text) if one.code not in UNUSED] == []


# ---------------------------------------------------------------- no claim that fails

_NUMBERS = st.sampled_from([0, 1, 1.5, 2, 3])
_WORDS = st.sampled_from(["", "a", "ab", "b", "ba", "c"])
_PRICE, _ITEM = Field(parts=("event", "price")), Field(parts=("event", "item"))


def _number(value: float) -> Constant:
    return Constant(value=value, kind=NUMBER)


def _word(value: str) -> Constant:
    return Constant(value=value, kind=TEXT)


_ORDER = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
_TEXTS = st.sampled_from(["=", "!=", "<", ">=", "has", "starts with", "ends with", "matches"])
_LEAVES: st.SearchStrategy[Expr] = st.one_of(
    st.builds(lambda o, c: Compare(operator=o, left=_PRICE, right=_number(c)), _ORDER, _NUMBERS),
    st.builds(lambda o, c: Compare(operator=o, left=_number(c), right=_PRICE), _ORDER, _NUMBERS),
    st.builds(lambda o, c: Compare(operator=o, left=_ITEM, right=_word(c)), _TEXTS, _WORDS),
    st.builds(
        lambda o: Compare(operator=o, left=_PRICE, right=Field(parts=("event", "cost"))), _ORDER
    ),
    st.builds(
        lambda values: Among(item=_ITEM, values=tuple(map(_word, values))),
        st.lists(_WORDS, min_size=1, max_size=3),
    ),
    st.builds(
        lambda item, known: Known(item=item, known=known),
        st.sampled_from([_PRICE, _ITEM]),
        st.booleans(),
    ),
)


def _joined(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        several.map(lambda items: And(items=items)),
        several.map(lambda items: Or(items=items)),
        inner.map(lambda item: Not(item=item)),
    )


_EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "price": st.one_of(_NUMBERS, st.sampled_from([-1, 0.5, 1.2, 2.5, 9, "a", True])),
        "cost": _NUMBERS,
        "item": st.one_of(_WORDS, st.sampled_from(["abba", "cab", "aa", 3, ["a"], ["zz"]])),
    },
)
_NO_BOOK: Any = Book(
    version="", events={}, facts={}, categories={}, groups={}, messages={}, strategies={},
    scenarios={},
)  # fmt: skip


@given(st.recursive(_LEAVES, _joined, max_leaves=6), st.lists(_EVENTS, min_size=5, max_size=20))
def test_every_truth_that_is_met_was_thought_possible(node: Expr, seen: list[Any]) -> None:
    possible = Cases(Knowledge()).possible(node)
    for data in seen:
        event = Event(name="Cart", time=0, visitor="W", visit="V", data=data)
        sight = Sight(
            book=_NO_BOOK, entry=Entry(place=0, time=0, event=event), time=0, outside=event
        )
        assert holds(node, sight) in possible, data


_GLOBS = st.lists(st.sampled_from(["a", "b", "/", "*", "**", "/**"]), min_size=1, max_size=5).map(
    lambda pieces: "/" + "".join(pieces)
)


@given(_GLOBS, _GLOBS, st.lists(st.text("ab/", max_size=8), min_size=20))
def test_globs_that_exclude_each_other_never_both_fit(
    one: str, other: str, paths: list[str]
) -> None:
    if disjoint(one, other):
        for path in paths:
            url = "https://shop.example/" + path
            assert not (address.glob(one)(url) and address.glob(other)(url))


@given(cases())
def test_a_story_meets_no_truth_that_was_thought_impossible(case: Case) -> None:
    facts = frozenset(key for key, fact in case.book.facts.items() if fact.default is not None)
    trials = Cases(Knowledge(facts=facts, in_category=True))
    told = reference_conditions.holds

    def watched(expression: Expr, sight: Sight) -> bool | None:
        truth = told(expression, sight)
        assert truth in trials.possible(expression), expression
        return truth

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference_conditions, "holds", watched)
        patch.setattr("reference.holds", watched)
        for _ in case.told():
            pass


@st.composite
def _written_cases(draw: st.DrawFn) -> tuple[Book, Source, Any]:
    source = Source(name="book.strategy", text=render(draw(books())))
    book = compile_book([source]).book
    assert book is not None
    return book, source, draw(stories(book))


def _silent(book: Book, found: tuple[Diagnostic, ...]) -> Iterator[tuple[str, int]]:
    """The rules of which a lint says that nobody ever gets them."""
    rules = [
        (rule.span.end, rule.span.start, strategy.name, number)
        for strategy in book.strategies.values()
        for number, rule in enumerate(strategy.rules)
    ]
    for one in found:
        if NOBODY in one.message.lower():
            # Rows of a table all begin at its head: the one that ends first is meant.
            around = [rule for rule in rules if rule[1] <= one.span.start < rule[0]]
            yield from [(name, number) for _, _, name, number in sorted(around)[:1]]


@given(_written_cases())
def test_what_nobody_ever_gets_nobody_gets(told: tuple[Book, Source, Any]) -> None:
    book, source, steps = told
    found = lint(book, [source]).diagnostics
    note(source.text)
    silent = set(_silent(book, found))
    if not silent:
        return
    reference, teller = Reference(book), Teller()
    for step in steps:
        said = reference.take(teller.tell(step), None)
        teller.heard(said[0])
        for decision in said[1]:
            if (decision.strategy, decision.rule) in silent:
                note("\n".join(one.message for one in found))
                assert decision.reason is not None
