"""Lints of numbers: ``1.000`` is one here, and a thousand where its author may live."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from engine.language.blocks import split
from engine.language.diagnostics import Findings
from engine.language.lexer import Lexer
from engine.language.lints_notes import Notes
from engine.language.source import Source

_EITHER: Final = re.compile(
    r"(?<![\w.,])[1-9]\d{0,2}(?:(?P<point>\.\d{3})|(?P<comma>(?:,\d{3})+))(?!\w|[.,]\w)"
)


def check_numbers(sources: Sequence[Source], notes: Notes) -> None:
    """Note every number that other countries read otherwise."""
    for source in sources:
        found = list(_EITHER.finditer(source.text))
        if not found:
            continue
        starts = set(_numbers(source))
        for match in found:
            if match.start() in starts:
                _note(source, match, notes)


def _numbers(source: Source) -> Iterator[int]:
    """Where numbers begin that are neither in a text nor in a comment."""
    findings = Findings({source.name: source.text})
    for block in split(source, findings):
        lexer = Lexer(source, block.start, block.end, findings, block.keyword)
        for token in lexer.read():
            if token.type in ("NUMBER", "DURATION") and token.start_pos is not None:
                yield token.start_pos


def _note(source: Source, match: re.Match[str], notes: Notes) -> None:
    word = match.group()
    if match["comma"]:
        read, mine = word.replace(",", " and "), word.replace(",", ", ")
    else:
        read = word.rstrip("0").rstrip(".")
        mine = read if read != word else f"{word}0"
    other = re.sub(r"\D", "", word)
    span = source.span(match.start(), match.end())
    notes.add("L440", span, word=word, read=read, other=other, mine=mine)
