"""The language as a whole: strict grammar, words, blocks; no text can break the compiler."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.language import syntax
from engine.language.compiler import compile_book
from engine.language.lexer import RESERVED, SIGNS, TOKENS
from engine.language.parser import grammar
from engine.language.source import Source, Unreadable, read_folder
from engine.vocabulary.words import WORDS as TABLE
from engine.vocabulary.words import Word

ROOT = Path(__file__).parents[2]
SAMPLE = "\n".join(source.text for source in read_folder(ROOT / "strategies"))


def compiled(text: str) -> syntax.Book:
    result = compile_book([Source(name="a.strategy", text=text)])
    assert result.book, [d.message for d in result.diagnostics]
    return result.book


def codes(text: str) -> list[str]:
    return [d.code for d in compile_book([Source(name="a", text=text)]).diagnostics]


def test_the_grammar_has_no_silent_conflict_and_knows_every_word() -> None:
    terminals = {terminal.name: terminal.pattern.value for terminal in grammar().terminals}
    words = {value for value in terminals.values() if value.isalpha()}
    assert words <= {word for word, token in TOKENS.items() if token == word.upper()}
    assert {value for value in terminals.values() if not value.isalpha()} <= set(SIGNS.values())


def test_every_word_of_the_table_is_known_to_the_grammar() -> None:
    text = (ROOT / "engine" / "language" / "grammar.lark").read_text("utf-8")
    for word in TABLE:
        if word.phrase != "table":
            named = re.search(rf'\b{word.token}\b|"{re.escape(word.phrase)}"', text)
            assert named, word.phrase


@pytest.mark.parametrize("word", TABLE, ids=lambda word: word.phrase)
def test_every_word_has_an_example_that_uses_it(word: Word) -> None:
    first = word.phrase.split()[0]
    assert first in word.example.replace("(", " ").split() or first in word.example


def test_the_sample_book_compiles() -> None:
    book = compiled(SAMPLE)
    rule = book.strategies["GMS chat for hesitant buyers"].rules[0]
    assert rule.pattern.parts[-1] == syntax.Absent(
        atom=syntax.Atom(what="event", name="PageExited"), duration=30_000, same_page=True
    )


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_reserved_word_is_free_after_a_dot_and_as_a_key(word: str) -> None:
    book = compiled(
        f'event Odd\n  x.{word} number\nstrategy "s"\n  on Odd where event.x.{word} > 1\n'
        f'    send gpe.appendContent {{ url: "/a" }}\n    attach {{ {word}: 1 }}\n'
    )
    assert book.events["Odd"].fields[0].path == ("x", word)


@pytest.mark.parametrize("word", ["page", "count", "message", "time", "from"])
def test_a_field_may_have_any_name(word: str) -> None:
    book = compiled(f"event Odd\n  {word} number\n")
    assert book.events["Odd"].fields[0].path == (word,)


@pytest.mark.parametrize(
    "glued",
    ["on PageEntered inA", "on 3times PageEntered", "onPageEntered", "on PageEntered,stays30 s"],
)
def test_a_glued_keyword_is_never_accepted(glued: str) -> None:
    send = 'send gpe.appendContent { url: "/a" }'
    text = f'category A is url "/a"\nstrategy "s"\n  {glued}\n    {send}\n'
    assert codes(text)


def test_layout_means_nothing() -> None:
    flat = SAMPLE.replace("\n      and ", " and ").replace("\n      or ", " or ")
    spread = SAMPLE.replace(", stays", "\n      ,\n   stays").replace("  ", " ")
    for other in (flat, spread, SAMPLE.replace("\n", "\r\n"), "\ufeff" + SAMPLE):
        assert other != SAMPLE
        assert compiled(other) == compiled(SAMPLE)


def test_the_version_is_the_meaning() -> None:
    version = compiled(SAMPLE).version
    assert compiled("# a comment\n" + SAMPLE).version == version
    assert compiled(SAMPLE.replace("priority 80", "priority 81")).version != version


def test_declarations_may_stand_in_any_file_and_order() -> None:
    blocks = SAMPLE.replace("\nstrategy", "\x00strategy").replace("\nmessage", "\x00message")
    parts = blocks.split("\x00")
    sources = [Source(name=f"{i}", text=part) for i, part in enumerate(reversed(parts))]
    assert compile_book(sources).book == compiled(SAMPLE)


def test_a_folder_without_strategies_is_said(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(Unreadable, match="no f"):
            read_folder(path)
    (tmp_path / "a.strategy").write_bytes(b"caf\xe9")
    with pytest.raises(Unreadable, match="UTF-8"):
        read_folder(tmp_path)


def test_an_open_bracket_ends_at_the_next_declaration() -> None:
    text = 'message M is gpe.appendContent { url: "/a"\n' + SAMPLE.replace(
        "priority 80", "priorty 80"
    )
    assert codes(text) == ["S010", "S002"]


def test_deep_nesting_is_refused() -> None:
    deep = "(" * 5_000 + "1" + ")" * 5_000
    assert codes(f"category A is {deep} = 1\n") == ["S015"]


SIGNS_OF_THE_HAND = ['"', '"a"', "{", "}", "(", ")", ",", ":", "=", ">=", "==", "3", "#", "\t", "“"]
WORDS = [
    *sorted(RESERVED),
    *SIGNS_OF_THE_HAND,
    *("Checkout", "PageEntered", "visitor.vip", "30 s", "30s", "\n", "\n  "),
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS)).map(" ".join)))
def test_any_text_gives_a_book_or_a_diagnostic(text: str) -> None:
    result = compile_book([Source(name="a", text=text)])
    assert (result.book is None) == bool(result.diagnostics)


@given(st.data())
def test_a_mutated_book_gives_a_book_or_a_diagnostic(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(SAMPLE)))
    end = data.draw(st.integers(start, min(len(SAMPLE), start + 40)))
    patch = data.draw(st.one_of(st.text(max_size=5), st.sampled_from(WORDS)))
    text = SAMPLE[:start] + patch + SAMPLE[end:]
    result = compile_book([Source(name="a", text=text)])
    assert (result.book is None) == bool(result.diagnostics)
    for found in result.diagnostics:
        assert 0 <= found.span.start <= found.span.end <= len(text)


def test_many_mistakes_in_a_large_book_are_told_in_time() -> None:
    known = "".join(f'category Cat{i} is url "/x"\n' for i in range(800))
    wrong = "".join(
        f'strategy "s{i}"\n  on PageEntered in Caat{i}\n    send M\n' for i in range(800)
    )
    started = time.process_time()
    found = codes(f"{known}{wrong}")
    assert found.count("N102") == 100  # beside as many for the message
    assert time.process_time() - started < 20
