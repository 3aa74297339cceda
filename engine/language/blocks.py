"""A source falls into blocks before it is parsed: one broken block hides nothing of the next.

A block begins where a declaration's keyword stands in the first column, outside quotes; inside
brackets too when what follows can only be a declaration, so that an open bracket ends there; and
where what is indented can be nothing else. What stands in the first column and is no such keyword
is a mistake, noted here: a line of the block that lost its indentation is read with it, and a
remark without its sign is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from engine.language import foreign, pasted
from engine.language.diagnostics import Findings, one_of
from engine.language.lexer import KINDS, RESERVED
from engine.language.source import Source
from engine.language.spelling import Words
from engine.vocabulary.words import DECLARATIONS

_KNOWN: Final = DECLARATIONS
_HEAD: Final = re.compile(rf"(?:{'|'.join(_KNOWN)})\b(?=[ \t]+(?:\"|[^\W\d]))")
_NAME: Final = r"[ \t]+[^\W\d]\w*"
_ONLY: Final = (
    r"(?:strategy|scenario|guarantee|zone)[ \t]+(?=\")|table[ \t]+\"[^\"\n]*\"[ \t]+(?=for\b)"
    rf"|(?:category|hours){_NAME}[ \t]+(?=is\b)|message{_NAME}[ \t]*(?=\(|is\b)"
    rf"|event{_NAME}[ \t]*(?=\"|\n[ \t]+(?:capture\b|[\w.]+[ \t]+(?:{'|'.join(KINDS)}|list)\b))"
    r"|fact[ \t]+\w+\.(?=\w)|channel[ \t]+[\w.]+[ \t]*(?=\{)"
)
"""Indented words that can only begin a declaration."""
_ROWS: Final = dict((*foreign.SIGN_ROWS, *foreign.WORD_ROWS))
_PIECE: Final = re.compile(
    rf'(?P<skip>#[^\n]*|{_ROWS["COMMENT"]})|(?P<text>"""(?s:.*?)"""|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|"[^\n]*)'
    r"|(?P<open>[({\[])|(?P<close>[)}\]])|(?P<first>(?:^|(?<=^\ufeff))[^\s#\ufeff])"
    rf"|^[ \t]+(?P<indented>{_ONLY})",
    re.MULTILINE,
)
_FOREIGN_COMMENT: Final = re.compile(_ROWS["COMMENT"])
_PIECE_OR_WORD: Final = re.compile(
    rf"(?P<skip>#[^\n]*|[\s\ufeff]+)|(?P<comment>{_ROWS['COMMENT']})"
    rf"|(?P<hidden>{_ROWS['HIDDEN']})|(?P<word>\S+)"
)
_NOT_INDENTED: Final = "not indented"
_REMARK: Final = "remark"
_ONE_BOOK: Final = "Leave it out; all files of a folder are one book."
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
    "import": _ONE_BOOK,
    "include": _ONE_BOOK,
    "use": _ONE_BOOK,
    "package": _ONE_BOOK,
    "select": "This looks like SQL; write a `strategy` with `on`, `when` and `send`.",
    "function": _PROGRAM, "def": _PROGRAM, "class": _PROGRAM, "var": _PROGRAM, "let": _PROGRAM,
    "const": _PROGRAM, "begin": _PROGRAM,
    "if": 'Write `strategy "name"`, below it `on ..` for what happens, then `when ..`.',
    "template": "Write `message` for what is sent.",
    "test": 'Write `scenario "name"`.',
    "feature": 'Write `scenario "name"` for each story.',
    "segment": "Write `category` for pages, or `fact` for what is known of a visitor.",
    "variable": "Write `fact`.",
}  # fmt: skip
_LINES: Final = {
    "end": "Leave it out; what is indented belongs together.",
    "endif": "Leave it out; what is indented belongs together.",
}
_WORD: Final = re.compile(r"\w+|\S")
_FIRST_COLUMN: Final = re.compile(r"^[^\s#\ufeff]", re.MULTILINE)
_WORDS: Final = Words(lambda: RESERVED)
_KINDS_OF_BLOCKS: Final = Words(lambda: _KNOWN)
_HIDDEN_WORD: Final = re.compile(_ROWS["HIDDEN_WORD"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One declaration's text: [start, end) of its source, and the word that it begins with.

    ``cut``: it may have lost its end to something that begins no declaration.
    """

    source: Source
    keyword: str
    start: int
    end: int
    cut: bool = False


@dataclass(slots=True)
class _Splitting:
    """Where blocks begin, as far as the text was read."""

    source: Source
    written: str
    """The text before what was pasted with it was blanked."""
    findings: Findings
    starts: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[int, int]] = field(default_factory=list)
    blamed: int = 0
    """For how many blocks a line was noted that should have been indented."""
    all_indented: bool = False
    """Does nothing at all stand in the first column?"""

    def __post_init__(self) -> None:
        self.all_indented = _FIRST_COLUMN.search(self.source.text) is None

    @property
    def last(self) -> str:
        """The keyword of the block before."""
        return self.starts[-1][1] if self.starts else ""

    def first(self, place: int, depth: int) -> bool:
        """Look at what stands in the first column; does a block begin there?"""
        found = self._begins(place, depth)
        if found == _NOT_INDENTED:
            self._not_indented(place)
        elif found == _REMARK:
            self._remark(place)
        elif found:
            self.starts.append((place, found))
            return True
        return False

    def indented(self, match: re.Match[str], depth: int) -> bool:
        """Look at an indented word that begins declarations; does a block begin there?"""
        word = match["indented"].split()[0]
        if depth or (word == "event" and self.last == "scenario"):
            return False
        start = match.start("indented")
        margin = self.source.text.rfind("\n", 0, start) + 1
        was_pasted = not self.written[margin].isspace()
        if not was_pasted and not (self.all_indented and self.starts):  # a text is moved once
            span = self.source.span(start, start + len(word))
            self.findings.add("S002", span, word=word, hint="Write it in the first column.")
        self.starts.append((start, word))
        return True

    def _not_indented(self, place: int) -> None:
        """The first line of a block that should have been indented stands for all of them."""
        if self.blamed == len(self.starts):
            return
        self.blamed = len(self.starts)
        match = _WORD.match(self.source.text, place)
        word = match.group() if match else self.source.text[place]
        self.findings.add("S009", self.source.span(place, place + len(word)), word=word)

    def _remark(self, place: int) -> None:
        """A line that is no strategy; what is indented below it belongs to it, or to the block."""
        text = self.source.text
        end = _line_end(text, place)
        if not self.remarks or text[self.remarks[-1][1] : place].strip():
            line = text[place:end].strip()
            word, hint = line.split()[0], _strange_line(line)
            span = self.source.span(place, place + len(word))
            self.findings.add("S001", span, word=word, hint=hint)
        self.remarks.append((place, end))
        below = re.compile(r"\s*\n[ \t]+([^\W\d]\w*|\S)").match(text, end)
        if below and below.group(1) not in RESERVED and self.last not in ("event", "scenario"):
            self.starts.append((end, "?"))

    def _begins(self, place: int, depth: int) -> str | None:
        """The keyword of the block that begins here, or None."""
        text = self.source.text
        if text[place] in "#\n\r)}]":
            return None
        if _HEAD.match(text, place):
            word = _WORD.match(text, place)
            return word.group() if word else None
        if depth or _FOREIGN_COMMENT.match(text, place):
            return None
        if text.startswith("```", place):
            if self.last and text.find("```") == place:
                span = self.source.span(place, place + 3)
                self.findings.add("S001", span, word="```", hint=_strange("```"))
            return None
        hidden = _HIDDEN_WORD.match(text, place)
        if hidden and (plain := foreign.visible(hidden.group())) in _KNOWN:
            return plain
        return self._stranger(place)

    def _stranger(self, place: int) -> str | None:
        """What to make of a word in the first column that begins no declaration."""
        match = _WORD.match(self.source.text, place)
        word = match.group() if match else self.source.text[place]
        if word in _KNOWN:
            return word
        line = self.source.text[place : _line_end(self.source.text, place)]
        meant = _meant(word)
        if self.last == "?" and not meant:
            return None
        is_strange = bool(_STRANGE.keys() & {word.lower(), word})
        if self.last and (word in RESERVED or not (meant or is_strange)):
            return _NOT_INDENTED if _belongs(line, self.last) else _REMARK
        hint = f"Write `{meant}`." if meant else _strange(word)
        shown = line.rstrip() if not meant and hint == _ONE_BOOK else word
        span = self.source.span(place, place + len(shown))
        self.findings.add("S001", span, word=shown, hint=hint)
        return meant or "?"


def split(source: Source, findings: Findings) -> list[Block]:
    """The blocks of a source in order; notes what in the first column begins none."""
    written, source = source.text, pasted.clean(source, findings)
    splitting = _Splitting(source, written, findings)
    depth, text, place = 0, source.text, 0
    while match := _PIECE.search(text, place):
        place = match.end()
        kind = match.lastgroup
        if kind == "indented":
            place = match.start("indented") + 1
            depth = 0 if splitting.indented(match, depth) else depth
        elif match.start() == 0 or text[match.start() - 1] in "\n\ufeff":
            depth = 0 if splitting.first(match.start(), depth) else depth
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
    starts = splitting.starts
    _before_the_first(source, starts[0][0] if starts else len(text), findings)
    return list(_blocks(pasted.blanked(source, splitting.remarks), starts))


def _blocks(source: Source, starts: list[tuple[int, str]]) -> Iterator[Block]:
    following = [*starts[1:], (len(source.text), "")] if starts else []
    for (start, keyword), (end, after) in zip(starts, following, strict=True):
        yield Block(source=source, keyword=keyword, start=start, end=end, cut=after == "?")


def _line_end(text: str, place: int) -> int:
    end = text.find("\n", place)
    return end if end >= 0 else len(text)


def _belongs(line: str, block: str) -> bool:
    """Could a line be one of a block of this kind, but for its indentation?"""
    word = line.split()[0] if line.split() else ""
    name = re.match(r"\w+", word)
    first = name.group() if name else ""
    if block == "table":
        return "|" in line
    if block == "event" and re.match(rf"[\w.]+:?\s+(?:{'|'.join(KINDS)}|list)\b", line):
        return True
    if block == "scenario" and re.match(r"[^\W\d]\w*\s*(?:\{|$)", line):
        return True
    return first in RESERVED or (first not in _LINES and _is_nearly_reserved(first))


@lru_cache(maxsize=1_000)
def _is_nearly_reserved(word: str) -> bool:
    return word.islower() and _WORDS.nearest(word[:40]) is not None


def _strange_line(line: str) -> str:
    """The way out of a line that is no strategy."""
    word = line.split()[0]
    if word.lower() in _LINES:
        return _LINES[word.lower()]
    if re.match(r"[^\W\d]\w*\s*(?:=|:=)\s*\S", line):
        return _PROGRAM
    return f"Begin a remark with `#`: `# {line[:40]}{'..' if len(line) > 40 else ''}`."


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
    return _KINDS_OF_BLOCKS.nearest(word[:40])


def _strange(word: str) -> str:
    """The way out of a word that begins no declaration and is near none."""
    for sign, hint in _STRANGE.items():
        if word.startswith(sign) and not sign.isalpha():
            return hint
    known = _STRANGE.get(word.lower())
    if word in RESERVED:
        known = 'Write `strategy "name"` above it.'
    return known or f"Write {one_of((f'`{name}`' for name in DECLARATIONS), most=99)}."
