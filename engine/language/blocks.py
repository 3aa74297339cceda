"""A source falls into blocks before it is parsed: one broken block hides nothing of the next.

A block begins where a declaration's keyword stands in the first column, outside quotes; inside
brackets too when what follows can only be a declaration, so that an open bracket ends there. What
stands in the first column and is no such keyword is a mistake, noted here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from engine.language import foreign
from engine.language.diagnostics import Findings, one_of
from engine.language.lexer import RESERVED
from engine.language.source import Source
from engine.language.spelling import nearest
from engine.vocabulary.words import DECLARATIONS

_KNOWN: Final = DECLARATIONS
_HEAD: Final = re.compile(rf"(?:{'|'.join(_KNOWN)})\b(?=[ \t]+(?:\"|[^\W\d]))")
_ROWS: Final = dict(foreign.ROWS)
_PIECE: Final = re.compile(
    rf'(?P<skip>#[^\n]*|{_ROWS["COMMENT"]})|(?P<text>"""(?s:.*?)"""|"(?:[^"\\\n]|\\.)*"|"[^\n]*)'
    r"|(?P<open>[({\[])|(?P<close>[)}\]])|(?P<first>(?:^|(?<=^\ufeff))[^\s#\ufeff])",
    re.MULTILINE,
)
_FOREIGN_COMMENT: Final = re.compile(_ROWS["COMMENT"])
_PIECE_OR_WORD: Final = re.compile(
    rf"(?P<skip>#[^\n]*|[\s\ufeff]+)|(?P<comment>{_ROWS['COMMENT']})"
    rf"|(?P<hidden>{_ROWS['HIDDEN']})|(?P<word>\S+)"
)
_NOT_INDENTED: Final = "not indented"
_PROGRAM: Final = "Nothing is programmed here: write a `strategy` with `on`, `when` and `send`."
_STRANGE: Final = {
    "{": 'This looks like JSON; write a declaration such as `strategy "name"`.',
    "[": 'This looks like JSON; write a declaration such as `strategy "name"`.',
    "=": "This looks like a formula of a spreadsheet; conditions stand in a rule, after `when`.",
    "<": "This looks like HTML; put it in quotes, in a `message`.",
    "```": "Leave it out; a file holds strategies and nothing else.",
    "*": "Leave it out; a declaration begins in the first column, without a bullet.",
    "-": "Leave it out; a declaration begins in the first column, without a bullet.",
    "\u2022": "Leave it out; a declaration begins in the first column, without a bullet.",
    "rule": 'Write `strategy "name"`; its rules stand below it and begin with `on`.',
    "import": "Leave it out; all files of a folder are one book.",
    "include": "Leave it out; all files of a folder are one book.",
    "use": "Leave it out; all files of a folder are one book.",
    "package": "Leave it out; all files of a folder are one book.",
    "select": "This looks like SQL; write a `strategy` with `on`, `when` and `send`.",
    "function": _PROGRAM, "def": _PROGRAM, "class": _PROGRAM, "var": _PROGRAM, "let": _PROGRAM,
    "const": _PROGRAM, "begin": _PROGRAM,
    "if": 'Write `strategy "name"`, below it `on ..` for what happens, then `when ..`.',
    "template": "Write `message` for what is sent.",
    "test": 'Write `scenario "name"`.',
    "segment": "Write `category` for pages, or `fact` for what is known of a visitor.",
    "variable": "Write `fact`.",
}  # fmt: skip
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
    depth, text, place, blamed = 0, source.text, 0, 0
    while match := _PIECE.search(text, place):
        place = match.end()
        kind = match.lastgroup
        if match.start() == 0 or text[match.start() - 1] in "\n\ufeff":
            keyword = _begins(
                source, match.start(), depth, findings, starts[-1][1] if starts else ""
            )
            if keyword == _NOT_INDENTED:
                if blamed != len(starts):
                    _blame(source, match.start(), findings)
                blamed = len(starts)
            elif keyword:
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


def _blame(source: Source, place: int, findings: Findings) -> None:
    """The first line of a block that should have been indented stands for all of them."""
    match = _WORD.match(source.text, place)
    word = match.group() if match else source.text[place]
    findings.add("S009", source.span(place, place + len(word)), word=word)


def _before_the_first(source: Source, end: int, findings: Findings) -> None:
    """What stands before the first declaration belongs to nothing."""
    for match in _PIECE_OR_WORD.finditer(source.text, 0, end):
        start, kind = match.start(), match.lastgroup
        if kind == "comment":
            mend = foreign.mend("COMMENT", match.group())
            findings.add(mend.code, source.span(start, start + (mend.shown or 1)), **mend.words)
        elif kind == "hidden":
            mend = foreign.mend("HIDDEN", match.group())
            findings.add(mend.code, source.span(start, match.end()), **mend.words)
        elif kind == "word":
            word = match.group().split()[0]
            head = _WORD.match(word)
            indented = head is not None and head.group() in _KNOWN
            hint = "Write it in the first column." if indented else _strange(word)
            findings.add("S001", source.span(start, start + len(word)), word=word, hint=hint)
            return


@lru_cache(maxsize=1_000)
def _meant(word: str) -> str | None:
    return nearest(word[:40], _KNOWN)


def _strange(word: str) -> str:
    """The way out of a word that begins no declaration and is near none."""
    for sign, hint in _STRANGE.items():
        if word.startswith(sign) and not sign.isalpha():
            return hint
    known = _STRANGE.get(word.lower())
    if word in RESERVED:
        known = 'Write `strategy "name"` above it.'
    return known or f"Write {one_of((f'`{name}`' for name in DECLARATIONS), most=99)}."


def _begins(source: Source, place: int, depth: int, findings: Findings, last: str) -> str | None:
    """The keyword of the block that begins here, or None. ``last``: of the block before."""
    if source.text[place] in "#\n\r)}]":
        return None
    if _HEAD.match(source.text, place):
        word = _WORD.match(source.text, place)
        return word.group() if word else None
    if depth or _FOREIGN_COMMENT.match(source.text, place):
        return None
    if source.text.startswith("```", place):
        if last and source.text.find("```") == place:
            span = source.span(place, place + 3)
            findings.add("S001", span, word="```", hint=_strange("```"))
        return None
    match = _WORD.match(source.text, place)
    word_text = match.group() if match else source.text[place]
    span = source.span(place, place + len(word_text))
    if word_text in _KNOWN:
        return word_text
    meant = _meant(word_text)
    if last == "?" and not meant:
        return None
    if last and (word_text in RESERVED or not meant) and not _STRANGE.keys() & {
        word_text.lower(), word_text,
    }:  # fmt: skip
        return _NOT_INDENTED
    findings.add(
        "S001", span, word=word_text, hint=f"Write `{meant}`." if meant else _strange(word_text)
    )
    return meant or "?"
