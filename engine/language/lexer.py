"""Text becomes tokens: words first, then keywords, so a keyword always ends at a word boundary.

One expression reads the whole text. Words are looked up afterwards: a reserved word becomes its
keyword, any other a NAME; after a dot (PATH) and as the key of a record (KEY) every word is free.
Mistakes of the hand (``==``, curly quotes, ``30s``) are noted and read as what was meant, so that
they hide nothing behind them; what cannot be read at all becomes an ODD token.
"""

from __future__ import annotations

import re
from typing import Final

from lark import Token

from engine.language import foreign
from engine.language.diagnostics import Findings
from engine.language.source import Source
from engine.vocabulary.words import WORDS

UNITS: Final = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Milliseconds of each unit of time."""

LONG_UNITS: Final = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min",
    "mins": "min", "m": "min", "hour": "h", "hours": "h", "hr": "h", "hrs": "h", "day": "d",
    "days": "d", "millisecond": "ms", "milliseconds": "ms", "week": "d", "weeks": "d",
    "month": "d", "months": "d", "year": "d", "years": "d",
}  # fmt: skip

DAYS_IN: Final = {"week": 7, "month": 30, "year": 365}

KINDS: Final = ("text", "number", "boolean", "time", "duration")
TOKENS: Final = {word.phrase: word.token for word in WORDS if not word.is_phrase}
KEYWORDS: Final = frozenset(word for word, token in TOKENS.items() if token == word.upper())
"""Words that are a token of their own name in the grammar."""

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
_DAY: Final = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"

_SIGNS: Final = {
    "<=": "COMPARISON", ">=": "COMPARISON", "!=": "COMPARISON", "<": "COMPARISON",
    ">": "COMPARISON", "=": "EQUAL", "+": "PLUS", "-": "MINUS", "*": "STAR", "/": "SLASH",
    "(": "LPAR", ")": "RPAR", "{": "LBRACE", "}": "RBRACE", "[": "LSQB", "]": "RSQB",
    ",": "COMMA", ":": "COLON", "|": "BAR", "?": "HOLE",
}  # fmt: skip
SIGNS: Final = {kind: sign for sign, kind in _SIGNS.items() if kind != "COMPARISON"}
_WORD = r"[^\W\d]\w*"
_FOREIGN: Final = dict(foreign.ROWS)
_QUOTED: Final = ("QUOTED", _FOREIGN.pop("QUOTED"))
_SIGNS_LAST: Final = ("COUNTED", "ARROW", "FOREIGN")


def _scanner(*, hours: bool = False, table: bool = False) -> re.Pattern[str]:
    """The expression that reads a block; hours and tables have signs of their own."""
    rows = [
        ("SKIP", r"[\s\ufeff]+|#[^\n]*|```[^\n]*"),
        ("TRIPLE", r'"""(?s:.*?)"""'),
        ("OPEN_TRIPLE", r'"""[^\n]*'),
        ("TEXT", r'"(?:[^"\\\n]|\\.)*"'),
        _QUOTED,
        ("DATE", r"\d{4}-\d{2}-\d{2}(?!\w)"),
        ("CLOCK_SPAN", r"\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}(?![\w:]|\s?[aApP][mM])"),
        ("UNCLOSED", r'"[^\n]*'),
        *([("DAYS", rf"{_DAY}(?:-{_DAY})?\b(?!\s*[-\u2010-\u2015]|\s+to\b)")] if hours else []),
        *(foreign.HOURS_ROWS if hours else []),
        *(row for row in _FOREIGN.items() if row[0] not in _SIGNS_LAST),
        ("CLOCK", r"\d{1,2}:\d{2}(?!\w)"),
        ("PERCENT", r"\d+(?:\.\d+)?\s*%"),
        ("DURATION", r"\d+(?:\.\d+)?\s+(?:ms|s|min|h|d)\b"),
        ("LONG_TIME", rf"\d+(?:\.\d+)?[ \t\u00a0]+(?i:{'|'.join((*LONG_UNITS, *UNITS))})\b"),
        ("DECIMAL_COMMA", r"\d+,\d+(?![\w,])"),
        ("GLUED", rf"\d+(?:\.\d+)?{_WORD}"),
        ("NUMBER", r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])"),
        ("REASON", r"(?:page-gone|one-at-a-time|lower-priority)\b"),
        *(
            (name, rf"(?:{pattern})(?!\w|\.\w){_AFTER.get(token, '')}")
            for name, (token, pattern) in _PHRASES.items()
        ),
        ("PATH", rf"{_WORD}(?:\.\w+)+"),
        ("WORD", _WORD),
        *([("BAR", r"[|?]")] if table else []),
        *((name, _FOREIGN[name]) for name in _SIGNS_LAST),
        ("SIGN", r"<=|>=|!=|[-+*/<>=(){}\[\],:]"),
        ("ODD", r"\S"),
    ]
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in rows))


_SCANNERS: Final = {"hours": _scanner(hours=True), "table": _scanner(table=True)}
_SCANNER: Final = _scanner()
_ON_DOORS: Final = ("ODD_DAYS", "BARE_SPAN")
_KEY_END: Final = re.compile(r"\s*:")
_FIELD_KIND: Final = re.compile(rf"\s+(?:{'|'.join(KINDS)}|list)\b")


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
        self.tokens: list[Token] = []
        self.line_starts: set[int] = set()
        self.doubts: list[int] = []

    def read(self) -> list[Token]:
        """All tokens of the block. ``line_starts`` then has the index of each first of a line."""
        text, fresh = self._source.text, True
        is_event = self._keyword == "event"
        scanner = _SCANNERS.get(self._keyword, _SCANNER)
        for match in scanner.finditer(text, self._start, self._end):
            kind = match.lastgroup or "ODD"
            if kind == "SKIP":
                fresh = fresh or "\n" in match.group()
                continue
            before = len(self.tokens)
            self._token(kind, match, field=is_event and fresh)
            if len(self.tokens) > before:  # a sign that is left out begins no line
                self.line_starts |= {before} if fresh else set()
                fresh = False
        return self.tokens

    def _token(self, kind: str, match: re.Match[str], *, field: bool) -> None:
        word, start, end = match.group(), match.start(), match.end()
        if kind in ("WORD", "PATH", "TEXT") and self._is_key(end):
            self._emit("KEY", word, start, end)
        elif kind == "WORD":
            is_field = field and _FIELD_KIND.match(self._source.text, end) is not None
            self._emit("FIELD" if is_field else self._word(word), word, start, end)
        elif kind in ("SIGN", "BAR"):
            self._bracket(word)
            self._emit(_SIGNS[word], word, start, end)
        elif kind in ("DECIMAL_COMMA", "THOUSAND_COMMAS") and self._depth:
            self._numbers(word, start)
        elif kind in _MENDED:
            _MENDED[kind](self, word, start, end)
        elif kind in foreign.KINDS:
            self._read_as_meant(kind, word, start, end)
        else:
            self._emit(_RENAMED.get(kind, kind), word, start, end)

    def _numbers(self, word: str, start: int) -> None:
        """Numbers of a list, with no space behind their commas."""
        for piece in re.finditer(r"[\d.]+|,", word):
            name = "COMMA" if piece.group() == "," else "NUMBER"
            self._emit(name, piece.group(), start + piece.start(), start + piece.end())

    def _is_key(self, end: int) -> bool:
        return (
            bool(self._depth)
            and self._depth[-1] == "{"
            and self.tokens[-1].type in ("LBRACE", "COMMA")
            and _KEY_END.match(self._source.text, end) is not None
        )

    def _word(self, word: str) -> str:
        if word in _FIRST_ONLY and self.tokens:
            return "NAME"
        return TOKENS.get(word, "NAME")

    def _bracket(self, sign: str) -> None:
        if sign in "({[":
            self._depth.append(sign)
        elif sign in ")}]" and self._depth:
            self._depth.pop()

    def _emit(self, kind: str, value: str, start: int, end: int) -> None:
        self.tokens.append(Token(kind, value, start_pos=start, end_pos=end))

    # ------------------------------------------------- mistakes of the hand

    def _read_as_meant(self, kind: str, word: str, start: int, end: int) -> None:
        mend = foreign.mend(kind, word)
        if kind in _ON_DOORS and any(token.type == "EXCEPT" for token in self.tokens):
            self._emit("NAME", word, start, end)  # dates stand here
            return
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
        number, unit = word.lower().split()
        days = DAYS_IN.get(unit.rstrip("s"))
        amount = f"{float(number) * days:g}" if days else number
        meant = f"{amount} {LONG_UNITS.get(unit, unit)}"
        self._findings.add("S016", self._source.span(start, end), word=word, fixed=meant)
        self._emit("DURATION", meant, start, end)

    def _decimal_comma(self, word: str, start: int, end: int) -> None:
        meant = word.replace(",", ".")
        self._findings.add("S017", self._source.span(start, end), word=word, fixed=meant)
        self._emit("NUMBER", meant, start, end)

    def _glued(self, word: str, start: int, end: int) -> None:
        digits = re.match(r"\d+(?:\.\d+)?", word)
        number = digits.group() if digits else ""
        unit = word[len(number) :]
        meant = LONG_UNITS.get(unit.lower(), unit)
        if meant not in UNITS and unit[0].isupper():
            hint = f"A name begins with a letter: `{unit}{number}`."
            span = self._source.span(start, end)
            self._findings.add("S012", span, word=word, what="name", hint=hint)
            self._emit("NAME", f"{unit}{number}".replace(".", ""), start, end)
            return
        self._findings.add(
            "S006", self._source.span(start, end), word=word, fixed=f"{number} {meant}"
        )
        if meant in UNITS:
            self._emit("DURATION", f"{number} {meant}", start, end)
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
    "DECIMAL_COMMA": Lexer._decimal_comma,
}
