"""Whatever is in a file: a clean book or diagnostics, never a fault, and soon.

Good books that use the whole language are cut, doubled and mixed with what hands and programs paste
into them; texts of 100,000 characters repeat what could make reading grow with the square.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from engine.language.codes import CODES
from engine.language.compiler import compile_book
from engine.language.render import as_json, terminal
from engine.language.source import Source, by_name

ROOT = Path(__file__).parents[2]
GOOD = "\n".join(p.read_text("utf-8") for p in sorted((ROOT / "strategies").glob("*.strategy")))
BROKEN = [
    p.read_bytes().decode() for p in sorted((ROOT / "tests/corpus/mistakes").glob("*.strategy"))
]
PASTED = [
    '"', "'", "`", "\u201c", "\u201d", "\u2019", "\u2013", "\u2026", "\u00a0", "\u200b", "\ufeff",
    "\x00", "\r", "\t", "\n", "(", ")", "{", "}", "[", "]", "==", "&&", "||", "!", "=>", "<>", "//",
    "/*", "--", "<!--", "```", '"""', ";", ":", ",", ".", "..", "|", "?", "%", "\\", "1,000.50",
    "23.11.2026", "9:00am", "5 minutes", "30s", " if ", " then ", " else ", " AND ", " between ",
    " is not ", "\non ", "\nwhen ", '\nstrategy "', "\nevent ", "\ntable ", "\U0001f600",
]  # fmt: skip
SIZE = 100_000
SLOWEST = 5.0
"""Seconds of the processor; a second on a machine of its own, and this one may be shared."""


def decided(text: str) -> None:
    """Compile a text and show what was found, in every skin."""
    source = Source(name="text", text=text)
    compiled = compile_book([source])
    assert compiled.book is not None or compiled.diagnostics
    sources = by_name([source])
    for diagnostic in compiled.diagnostics:
        assert diagnostic.code in CODES
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
        assert terminal(diagnostic, sources)
        assert as_json(diagnostic, sources)["line"] >= 1


@some.composite
def mutated(draw: some.DrawFn) -> str:
    """A piece of a good or broken book, with cuts, copies and pasted signs."""
    book = draw(some.sampled_from([GOOD, GOOD, *BROKEN]))
    start = draw(some.integers(0, max(0, len(book) - 200)))
    text = book[start : start + draw(some.integers(1, 4_000))]
    for _ in range(draw(some.integers(1, 6))):
        place = draw(some.integers(0, len(text)))
        match draw(some.sampled_from(["paste", "paste", "cut", "copy", "swap"])):
            case "paste":
                text = text[:place] + draw(some.sampled_from(PASTED)) + text[place:]
            case "cut":
                text = text[:place] + text[place + draw(some.integers(1, 30)) :]
            case "copy":
                text = text[:place] + text[max(0, place - 40) :]
            case _:
                text = text[place:] + text[:place]
    return text


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_a_changed_book_is_decided(text: str) -> None:
    decided(text)


@settings(max_examples=150, deadline=None)
@given(some.text(max_size=300) | some.lists(some.sampled_from(PASTED), max_size=60).map("".join))
def test_any_text_is_decided(text: str) -> None:
    decided(text)


def repeated(piece: str, head: str = "") -> str:
    return head + piece * ((SIZE - len(head)) // len(piece))


def numbered(piece: str, count: int) -> str:
    return "".join(piece.replace("#", str(number)) for number in range(count))


HEAD = 'strategy "Help"\n'
LARGE = {
    **{f"only {piece!r}": repeated(piece) for piece in (*PASTED, "a\n", "1 ", "strategy\n")},
    "rules that do nothing": repeated("  on PageEntered\n", HEAD),
    "clauses without a rule": repeated("  when x\n", HEAD),
    "one long condition": repeated(" and visit.pages == 3", HEAD + "  on A\n    when not now"),
    "one long list": repeated(", 3", HEAD + "  on A\n    when visit.pages in (1"),
    "one long pattern": repeated(", then A", HEAD + "  on A"),
    "one long record": "message A is gpe.appendContent { " + numbered("k#: 1, ", 9_000) + "}",
    "rows of a table": repeated("  C | In\n", 'table "t" for strategy "s"\n  on A in ? | send\n'),
    "names nearly right": numbered('category Cat# is url "/#"\n', 1_500)
    + numbered('strategy "S#"\n  on PageEntered in Cta#x\n    send In#\n', 700),
    "facts nearly right": numbered("fact visit.f# number\n", 2_000)
    + HEAD + numbered("  on PageEntered\n    set visit.g# = 1\n", 1_000),
    "fields nearly right": "event A\n" + numbered("  f# number\n", 5_000)
    + HEAD + "  on A where event.g1 = 1\n" * 500,
    "fields of any event": numbered("event E#\n  f# number\n", 1_500)
    + HEAD + numbered("  on any event where event.f# = 1\n", 1_000),
    "one name again and again": repeated('category A is url "/a"\n'),
    "a good book, cut": (GOOD * 9)[:SIZE],
}  # fmt: skip


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_large_text_is_decided_soon(text: str) -> None:
    before = time.process_time()
    decided(text)
    assert time.process_time() - before < SLOWEST
