"""A source falls into blocks before it is parsed: one broken block hides nothing of the next.

A block begins where a declaration's keyword stands in the first column, outside quotes; inside
brackets too when what follows can only be a declaration, so that an open bracket ends there. What
stands in the first column and is no such keyword is a mistake, noted here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from engine.language.diagnostics import Findings, did_you_mean
from engine.language.lexer import RESERVED
from engine.language.source import Source
from engine.language.spelling import nearest
from engine.vocabulary.words import DECLARATIONS

_KNOWN: Final = DECLARATIONS
_PIECE: Final = re.compile(
    r'(?P<skip>#[^\n]*)|(?P<text>"""(?s:.*?)"""|"(?:[^"\\\n]|\\.)*"|"[^\n]*)'
    r"|(?P<open>[({\[])|(?P<close>[)}\]])|(?P<first>(?:^|(?<=^\ufeff))[^\s#\ufeff])",
    re.MULTILINE,
)
_HEAD: Final = re.compile(rf"(?:{'|'.join(_KNOWN)})\b(?=[ \t]+(?:\"|[^\W\d]))")
_PIECE_OR_WORD: Final = re.compile(r"(?P<skip>#[^\n]*|[\s\ufeff]+)|(?P<word>\S+)")
_WORD: Final = re.compile(r"\w+|\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One declaration's text: [start, end) of its source, and the word that it begins with."""

    keyword: str
    start: int
    end: int


def split(source: Source, findings: Findings) -> list[Block]:
    """The blocks of a source in order; notes what in the first column begins none."""
    starts: list[tuple[int, str]] = []
    depth, text, place = 0, source.text, 0
    while match := _PIECE.search(text, place):
        place = match.end()
        kind = match.lastgroup
        if match.start() == 0 or text[match.start() - 1] in "\n\ufeff":
            keyword = _begins(source, match.start(), depth, findings, bool(starts))
            if keyword:
                starts.append((match.start(), keyword))
                depth = 0
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
    _before_the_first(source, starts[0][0] if starts else len(text), findings)
    ends = [start for start, _ in starts[1:]] + [len(text)] * bool(starts)
    return [
        Block(keyword=keyword, start=start, end=end)
        for (start, keyword), end in zip(starts, ends, strict=True)
    ]


def _before_the_first(source: Source, end: int, findings: Findings) -> None:
    """What stands before the first declaration belongs to nothing."""
    for match in _PIECE_OR_WORD.finditer(source.text, 0, end):
        if match.lastgroup != "skip":
            word = match.group().split()[0]
            span = source.span(match.start(), match.start() + len(word))
            findings.add("S001", span, word=word, expected="a declaration in the first column")
            return


def _begins(
    source: Source,
    place: int,
    depth: int,
    findings: Findings,
    begun: bool,  # noqa: FBT001
) -> str | None:
    """The keyword of the block that begins here, or None."""
    if source.text[place] in "#\n\r)}]":
        return None
    if _HEAD.match(source.text, place):
        word = _WORD.match(source.text, place)
        return word.group() if word else None
    if depth:
        return None
    match = _WORD.match(source.text, place)
    word_text = match.group() if match else source.text[place]
    span = source.span(place, place + len(word_text))
    if word_text in _KNOWN:
        return word_text
    if begun and (word_text in RESERVED or not nearest(word_text, _KNOWN)):
        findings.add("S009", span, word=word_text)
        return None
    meant = nearest(word_text, _KNOWN)
    expected = "one of " + ", ".join(f"`{word}`" for word in DECLARATIONS)
    hint = did_you_mean(word_text, _KNOWN)
    findings.add("S001", span, word=word_text, expected=f"`{meant}`" if hint else expected)
    return meant or "?"
