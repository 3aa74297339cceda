"""Every code has a page, and its examples do what the page says."""

from __future__ import annotations

import json

import pytest

from engine.cli import main
from engine.language.codes import CODES
from engine.language.compiler import compile_book
from engine.language.lints import lint
from engine.language.pages import GIVEN, Page, near_code, pages
from engine.language.source import Source

PAGES = [pytest.param(page, id=code) for code, page in pages().items()]


def codes_of(example: str) -> list[str]:
    given, own = Source(name="given", text=GIVEN), Source(name="own", text=example)
    compiled = compile_book([given, own])
    found = lint(compiled.book, [given, own]) if compiled.book else compiled.found
    return [diagnostic.code for diagnostic in found.diagnostics if diagnostic.span.source == "own"]


def test_every_code_has_a_page() -> None:
    assert set(pages()) == set(CODES)


@pytest.mark.parametrize("page", PAGES)
def test_the_bad_example_gives_its_code_alone(page: Page) -> None:
    found = codes_of(page.instead_of)
    if page.code == "S014":  # it is about the many before it
        found = [code for code in found if code == "S014"]
    assert set(found) == {page.code}


@pytest.mark.parametrize("page", PAGES)
def test_the_good_example_is_good(page: Page) -> None:
    assert [code for code in codes_of(page.write) if code[0] != "L" or page.code[0] == "L"] == []


def test_explain_prints_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "N102"]) == 0
    said = capsys.readouterr().out
    assert said == pages()["N102"].text()
    assert "Instead of:" in said
    assert "in Chekout" in said


def test_explain_lists_all_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(CODES)


@pytest.mark.parametrize("word", ["n102", "NI02", "N1O2", "N1022"])
def test_a_misspelt_code_is_a_mistake_with_the_nearest(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = 0 if word == "n102" else 2
    assert main(["explain", word]) == expected
    said = capsys.readouterr()
    assert expected == 0 or "Did you mean N10" in said.err
    assert near_code("hello there") is None


def test_explain_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "S016", "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert page == pages()["S016"].as_json()
    assert main(["explain", "--json"]) == 0
    assert [page["code"] for page in json.loads(capsys.readouterr().out)] == sorted(CODES)
