"""Text becomes tokens: words first, then keywords, so a keyword always ends at a word boundary.

One expression reads the whole text. Words are looked up afterwards: a reserved word becomes its
keyword, any other a NAME; after a dot (PATH) and as the key of a record (KEY) every word is free.
Mistakes of the hand (``==``, curly quotes, ``30s``) are noted and read as what was meant, so that
they hide nothing behind them; what cannot be read at all becomes an ODD token.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from lark import Token

from engine.language import amounts, foreign
from engine.language.amounts import LONG_UNITS, UNITS
from engine.language.diagnostics import Findings
from engine.language.source import Source
from engine.vocabulary.words import WORDS

KINDS: Final = ("text", "number", "boolean", "time", "duration")
TOKENS: Final = {word.phrase: word.token for word in WORDS if not word.is_phrase}

_FIRST_ONLY: Final = frozenset(
    ("category", "fact", "channel", "medium", "zone", "table", "scenario")
)
"""Words that begin a declaration and mean nothing elsewhere: there they are names."""

RESERVED: Final = frozenset(TOKENS) - _FIRST_ONLY
"""Every word that cannot be a name outside paths and keys."""

PHRASES: Final = {
    word.token: word.phrase for word in WORDS if word.is_phrase and word.token != "COMPARISON"
}
"""Phrases that are one token, as an author writes them."""

_AFTER: Final = {"NOW_IN": r"(?=\s+[^\W\d])", "ALL_OF": r"(?=\s*\()", "ANY_OF": r"(?=\s*\()"}
_PHRASES: Final = {
    f"PHRASE{number}": (word.token, word.phrase.replace(" ", r"\s+").replace("agents", "agents?"))
    for number, word in enumerate(WORDS)
    if word.is_phrase
}
_PHRASES_BEGIN: Final = "|".join(sorted({p.partition(r"\s+")[0] for _, p in _PHRASES.values()}))
_DAY: Final = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"

_SIGNS: Final = {
    "<=": "COMPARISON", ">=": "COMPARISON", "!=": "COMPARISON", "<": "COMPARISON",
    ">": "COMPARISON", "=": "EQUAL", "+": "PLUS", "-": "MINUS", "*": "STAR", "/": "SLASH",
    "(": "LPAR", ")": "RPAR", "{": "LBRACE", "}": "RBRACE", "[": "LSQB", "]": "RSQB",
    ",": "COMMA", ":": "COLON", "|": "BAR", "?": "HOLE",
}  # fmt: skip
SIGNS: Final = {kind: sign for sign, kind in _SIGNS.items() if kind != "COMPARISON"}
_WORD = r"[^\W\d]\w*+"
_PLAIN = r"\d+(?:\.\d+)?"
_SIGN_ROWS: Final = dict(foreign.SIGN_ROWS)
_QUOTED: Final = ("QUOTED", _SIGN_ROWS.pop("QUOTED"))
_ANY_UNIT: Final = "|".join((*LONG_UNITS, *UNITS))


def _scanner(*, hours: bool = False, table: bool = False) -> re.Pattern[str]:
    """The expression that reads a block; hours and tables have signs of their own.

    What a row can begin with is decided before it is tried: a letter, a digit or another sign.
    """
    blanks = ("SKIP", r"[\s\ufeff]+|#[^\n]*|```[^\n]*")
    groups = (
        (r"(?=[^\W\d])", _word_rows(hours=hours)),
        (rf"(?=(?:{_PHRASES_BEGIN})\s)", _phrase_rows()),
        (r"(?=[^\W\d])", [("WORD", rf"{_WORD}(?:\.\w++)*+")]),
        (r"(?=\d)", _number_rows(hours=hours)),
        ("", _sign_rows(hours=hours, table=table)),
    )
    tried = (f"{begin}(?:{_alternatives(rows)})" for begin, rows in groups)
    return re.compile("|".join((_alternatives([blanks]), *tried)))


_Rows = list[tuple[str, str]]


def _alternatives(rows: _Rows) -> str:
    return "|".join(f"(?P<{name}>{pattern})" for name, pattern in rows)


def _word_rows(*, hours: bool) -> _Rows:
    return [
        *([("DAYS", rf"{_DAY}(?:-{_DAY})?\b(?!\s*[-\u2010-\u2015]|\s+to\b)")] if hours else []),
        *(foreign.HOURS_WORD_ROWS if hours else ()),
        *foreign.WORD_ROWS,
        *amounts.WORD_ROWS,
        ("REASON", r"(?:page-gone|one-at-a-time|lower-priority)\b"),
    ]


def _phrase_rows() -> _Rows:
    return [
        (name, rf"(?:{pattern})(?!\w|\.\w){_AFTER.get(token, '')}")
        for name, (token, pattern) in _PHRASES.items()
    ]


def _number_rows(*, hours: bool) -> _Rows:
    return [
        ("DATE", r"\d{4}-\d{2}-\d{2}(?!\w)"),
        ("CLOCK_SPAN", r"\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}(?![\w:]|\s?[aApP][mM])"),
        *(foreign.HOURS_NUMBER_ROWS if hours else ()),
        *foreign.NUMBER_ROWS,
        ("CLOCK", r"\d{1,2}:\d{2}(?!\w)"),
        ("PERCENT", rf"{_PLAIN}\s*%"),
        *amounts.NUMBER_ROWS,
        ("DURATION", rf"{_PLAIN}\s+(?:ms|s|min|h|d)\b"),
        ("LONG_TIME", rf"{_PLAIN}[ \t\u00a0]+(?ai:{_ANY_UNIT})\b"),
        ("NUMBER", rf"{_PLAIN}(?:[eE][+-]?\d+)?(?![\w.])"),
        ("GLUED", rf"{_PLAIN}{_WORD}"),
        amounts.JUMBLE_ROW,
    ]


def _sign_rows(*, hours: bool, table: bool) -> _Rows:
    return [
        *([("BAR", r"[|?]")] if table else []),
        *(foreign.HOURS_SIGN_ROWS if hours else ()),
        ("TRIPLE", r'"""(?s:.*?)"""'),
        ("OPEN_TRIPLE", r'"""[^\n]*'),
        ("TEXT", r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'),
        _QUOTED,
        ("UNCLOSED", r'"[^\n]*'),
        *_SIGN_ROWS.items(),
        *amounts.SIGN_ROWS,
        ("SIGN", r"<=|>=|!=|[-+*/<>=(){}\[\],:]"),
        ("ODD", r"\S"),
    ]


_SCANNERS: Final = {"hours": _scanner(hours=True), "table": _scanner(table=True)}
_SCANNER: Final = _scanner()
_ON_DOORS: Final = ("ODD_DAYS", "BARE_SPAN", "SAID_SPAN")
_KEY_END: Final = re.compile(r"\s*:")
_FIELD_KIND: Final = re.compile(rf"\s+(?:{'|'.join(KINDS)}|list)\b")


def token(kind: str, value: str, start: int | None, end: int | None) -> Token:
    """A token, made without the detour that Lark takes for each of a book's many."""
    made = str.__new__(Token, value)
    made.type, made.value, made.start_pos, made.end_pos = kind, value, start, end
    made.line = made.column = made.end_line = made.end_column = None
    return made


class Lexer:
    """Reads one block of a source into tokens."""

    def __init__(
        self, source: Source, start: int, end: int, findings: Findings, keyword: str = ""
    ) -> None:
        self._source = source
        self._keyword = keyword
        self._start = start
        self._end = end
        self._findings = findings
        self._depth: list[str] = []
        self._excepted = False
        self.tokens: list[Token] = []
        self.line_starts: set[int] = set()
        self.doubts: list[int] = []

    def read(self) -> list[Token]:
        """All tokens of the block. ``line_starts`` then has the index of each first of a line."""
        tokens, fresh = self.tokens, True
        is_event = self._keyword == "event"
        scanner = _SCANNERS.get(self._keyword, _SCANNER)
        for match in scanner.finditer(self._source.text, self._start, self._end):
            kind = match.lastgroup
            if kind == "SKIP":
                fresh = fresh or "\n" in match.group()
                continue
            before = len(tokens)
            if kind == "WORD":
                self._name(match, field=is_event and fresh)
            elif kind in ("SIGN", "BAR"):
                self._sign(match)
            else:
                self._other(kind or "ODD", match)
            if fresh and len(tokens) > before:  # a sign that is left out begins no line
                self.line_starts.add(before)
                fresh = False
        return tokens

    def _name(self, match: re.Match[str], *, field: bool) -> None:
        """A word: a key, a path, a field of an event, a word of the language or a name."""
        word, end = match.group(), match.end()
        if self._depth and self._is_key(end):
            kind = "KEY"
        elif "." in word:
            kind = "PATH"
        elif field and _FIELD_KIND.match(self._source.text, end):
            kind = "FIELD"
        else:
            kind = self._word(word)
            self._excepted = self._excepted or kind == "EXCEPT"
        self._emit(kind, word, match.start(), end)

    def _sign(self, match: re.Match[str]) -> None:
        sign = match.group()
        if sign in "({[":
            self._depth.append(sign)
        elif sign in ")}]" and self._depth:
            self._depth.pop()
        self._emit(_SIGNS[sign], sign, match.start(), match.end())

    def _other(self, kind: str, match: re.Match[str]) -> None:
        word, (start, end) = match.group(), match.span()
        if kind == "TEXT" and self._depth and self._is_key(end):
            self._emit("KEY", word, start, end)
        elif kind in ("DECIMAL_COMMA", "THOUSAND_COMMAS") and self._depth and ",0" not in word:
            self._numbers(word, start)
        elif kind == "SEMICOLON" and self._depth:  # between the fields of a record
            self._read_as_meant(foreign.mend("LISTED", word), start, end)
        elif kind in _MENDED:
            _MENDED[kind](self, word, start, end)
        elif kind in _ON_DOORS and self._excepted:  # dates stand here
            self._emit("NAME", word, start, end)
        elif kind in _MEANT:
            self._read_as_meant(_MEANT[kind](kind, word), start, end)
        else:
            self._emit(_RENAMED.get(kind, kind), word, start, end)

    def _numbers(self, word: str, start: int) -> None:
        """Numbers of a list, with no space behind their commas."""
        for piece in re.finditer(r"[\d.]+|,", word):
            name = "COMMA" if piece.group() == "," else "NUMBER"
            self._emit(name, piece.group(), start + piece.start(), start + piece.end())

    def _is_key(self, end: int) -> bool:
        return (
            self._depth[-1] == "{"
            and self.tokens[-1].type in ("LBRACE", "COMMA")
            and _KEY_END.match(self._source.text, end) is not None
        )

    def _word(self, word: str) -> str:
        if word in _FIRST_ONLY and self.tokens:
            return "NAME"
        return TOKENS.get(word, "NAME")

    def _emit(self, kind: str, value: str, start: int, end: int) -> None:
        self.tokens.append(token(kind, value, start, end))

    # ------------------------------------------------- mistakes of the hand

    def _read_as_meant(self, mend: foreign.Mend, start: int, end: int) -> None:
        shown = end if mend.shown is None else start + mend.shown
        if mend.code:
            self._findings.add(mend.code, self._source.span(start, shown), **mend.words)
        if mend.doubtful:
            self.doubts.append(max(0, len(self.tokens) - 1))
        for meant, value in mend.tokens:
            found = meant if meant != "?" else _SIGNS.get(value) or self._word(value)
            self._emit(found, value, start, end)

    def _unclosed(self, word: str, start: int, end: int) -> None:
        triple = word.startswith('"""')
        hint = 'End it with `"""`.' if triple else 'End it with `"` on the same line.'
        self._findings.add("S004", self._source.span(start, start + len(word.rstrip())), hint=hint)
        self.doubts.append(max(0, len(self.tokens) - 1))
        self._emit("TEXT", f'"{word.strip().strip(chr(34))}"', start, end)

    def _long_time(self, word: str, start: int, end: int) -> None:
        meant = amounts.duration(*word.split())
        self._findings.add("S016", self._source.span(start, end), word=word, fixed=meant)
        self._emit("DURATION", meant, start, end)

    def _glued(self, word: str, start: int, end: int) -> None:
        digits = re.match(r"\d+(?:\.\d+)?", word)
        number = digits.group() if digits else ""
        unit = word[len(number) :]
        is_time = unit in UNITS or unit.lower() in LONG_UNITS
        if not is_time and unit[0].isupper():
            hint = f"A name begins with a letter: `{unit}{number}`."
            span = self._source.span(start, end)
            self._findings.add("S012", span, word=word, what="name", hint=hint)
            self._emit("NAME", f"{unit}{number}".replace(".", ""), start, end)
            return
        fixed = amounts.duration(number, unit) if is_time else f"{number} {unit}"
        self._findings.add("S006", self._source.span(start, end), word=word, fixed=fixed)
        if is_time:
            self._emit("DURATION", fixed, start, end)
            return
        self.doubts.append(max(0, len(self.tokens) - 1))
        self._emit("NUMBER", number, start, start + len(number))
        self._emit(self._word(unit), unit, start + len(number), end)


_RENAMED: Final = {"TRIPLE": "TEXT"} | {name: token for name, (token, _) in _PHRASES.items()}
_MENDED: Final = {
    "UNCLOSED": Lexer._unclosed,
    "OPEN_TRIPLE": Lexer._unclosed,
    "GLUED": Lexer._glued,
    "LONG_TIME": Lexer._long_time,
}
_MEANT: Final[Mapping[str, Callable[[str, str], foreign.Mend]]] = {
    **dict.fromkeys(foreign.KINDS, foreign.mend),
    **dict.fromkeys(amounts.KINDS, amounts.mend),
}
