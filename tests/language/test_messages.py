"""Every broken file of the corpus gives exactly the text that a person reads.

To accept new wording run this file with ``OVERTURE_REWRITE=1``, then read the diff.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from engine.language.codes import CODES
from engine.language.compiler import compile_book
from engine.language.render import terminal
from engine.language.source import Source, by_name, read_folder

CORPUS = Path(__file__).parents[1] / "corpus" / "mistakes"
BROKEN = sorted(CORPUS.glob("*.strategy"))
BOOKS = sorted(path for path in CORPUS.iterdir() if path.is_dir())
CODE = re.compile(r"^[A-Z]\d+", re.MULTILINE)
INSIDES = re.compile(r"\b(token|lark|python|NoneType|exception|traceback|invalid|str|int)\b", re.I)


def reading(path: Path) -> str:
    source = Source(name=path.name, text=path.read_bytes().decode("utf-8"))
    compiled = compile_book([source])
    assert compiled.book is None, "a broken file must not compile"
    return "\n".join(terminal(found, by_name([source])) for found in compiled.diagnostics)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_reads_as_written_down(path: Path) -> None:
    golden = path.with_suffix(".txt")
    found = reading(path)
    if os.environ.get("OVERTURE_REWRITE"):
        golden.write_text(found, "utf-8")
    assert found == golden.read_text("utf-8")


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_one_mistake_one_message(path: Path) -> None:
    if path.stem.endswith("mistakes"):
        pytest.skip("holds several on purpose")
    assert reading(path).count(" --> ") == 1


@pytest.mark.parametrize("folder", BOOKS, ids=lambda path: path.name)
def test_a_mistake_of_two_files_shows_both(folder: Path) -> None:
    sources = read_folder(folder)
    compiled = compile_book(sources)
    assert compiled.book is None
    found = "\n".join(terminal(found, by_name(sources)) for found in compiled.diagnostics)
    golden = folder.with_suffix(".txt")
    if os.environ.get("OVERTURE_REWRITE"):
        golden.write_text(found, "utf-8")
    assert found == golden.read_text("utf-8")
    assert all(source.name in found for source in sources)


def test_the_corpus_has_every_code() -> None:
    seen = {code for path in CORPUS.glob("*.txt") for code in CODE.findall(path.read_text("utf-8"))}
    assert {code for code in CODES if not code.startswith("L")} <= seen


def test_what_is_said_names_no_insides() -> None:
    for golden in CORPUS.glob("*.txt"):
        lines = golden.read_text("utf-8").splitlines()
        said = [line for line in lines if CODE.match(line) or line.lstrip().startswith("= ")]
        assert not INSIDES.findall(re.sub(r"`.*`", "", "\n".join(said))), golden.name


def test_no_message_names_the_insides() -> None:
    said = " ".join(f"{code.message} {code.hint}" for code in CODES.values())
    assert not INSIDES.findall(re.sub(r"\{.*?\}", "", said))


def test_colour_changes_only_the_colour() -> None:
    path = CORPUS / "unknown-category.strategy"
    source = Source(name=path.name, text=path.read_text("utf-8"))
    found = compile_book([source]).diagnostics[0]
    coloured = terminal(found, by_name([source]), color=True)
    assert re.sub(r"\x1b\[\d+m", "", coloured) == terminal(found, by_name([source]))
    assert coloured != terminal(found, by_name([source]))
