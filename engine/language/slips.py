"""What authors write instead of the language's words, read as what was meant.

A slip is mended in the tokens, so that it costs its clause nothing and hides nothing behind it.
What a word may mean depends on its place: `is` stands for `=` only where a comparison may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lark import Token

from engine.language.lexer import UNITS
from engine.language.spelling import nearest
from engine.vocabulary.words import WORDS

_COMPARISONS: Final = MappingProxyType(
    {
        tuple(said.split()): meant
        for meant, ways in {
            ">": "greater than|bigger than|more than|above|over|exceeds",
            "<": "less than|fewer than|smaller than|below|under",
            ">=": "greater than or equal to|at least|no less than",
            "<=": "less than or equal to|at most|no more than|up to",
            "=": "equal to|equals|equal|the same as",
            "!=": "not|not equal to|different from|does not equal",
            "has": "contains|contain|containing|includes|like",
            "starts with": "begins with|start with|starting with",
            "ends with": "end with|ending with",
        }.items()
        for said in ways.split("|")
    }
)
_ALONE: Final = frozenset(("not",))
"""Means that comparison only after `is`."""

_NO_VALUES: Final = frozenset(("between", "null", "none", "empty", "set", "undefined", "nil"))
"""What after `is` is no value; it has a sentence of its own."""

_LONGEST: Final = 7
_SPOKEN: Final = frozenset(("COMPARISON", "EQUAL"))
_MEANT: Final = MappingProxyType(
    {
        "AND": {"und", "y", "et", "also"},
        "OR": {"oder", "ou"},
        "WHEN": {"wenn", "falls", "cuando", "quand"},
        "SEND": {"senden", "enviar", "envia", "show", "display", "push"},
        "ON": {"bei", "upon", "whenever"},
        "AFTER": {"wait", "waits"},
        "LIMIT": {"max", "maximum"},
        "PER": {"a", "each", "every", "pro", "por", "/"},
        "IS": {":"},
    }
)
_COUNTS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_FILLERS: Final = frozenset(
    ("a", "an", "event", "for", "in", "is", "message", "on", "only", "please", "the")
)
_MISSING: Final = MappingProxyType(
    {"COMMA": ",", "RPAR": ")", "IS": "is", "SENT": "sent", "LAST": "last", "COLON": ":"}
)
_ACTIONS: Final = frozenset(("SEND", "SET", "ATTACH"))
_AFTER_MESSAGE: Final = _ACTIONS | {"", "ON", "LPAR", "LBRACE", "TO_PAGE", "TO_EVERY_PAGE"}
_FUNCTIONS: Final = MappingProxyType(
    {
        word.phrase: word.token
        for word in WORDS
        if word.token in ("FUNCTION", "FIELD_FUNCTION", "SINCE")
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A mistake that is understood: the way out, and what tokens [begin, end) become.

    ``tokens`` is None when it is known what to say, but not what to read instead.
    """

    begin: int
    end: int
    hint: str
    tokens: tuple[Token, ...] | None
    foreign: str = ""
    """What is written here instead, when the words are another language's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where reading stopped: the tokens, the one that does not fit, and what would.

    ``after(kind)`` says what could follow if a token of ``kind`` stood here; ``fresh`` whether
    the token begins a line, and ``line`` where in the tokens that line ends.
    """

    tokens: list[Token]
    at: int
    accepted: frozenset[str]
    after: Callable[[str], frozenset[str]]
    fresh: bool
    line: int

    @property
    def token(self) -> Token:
        """The token that does not fit."""
        return self.tokens[self.at]

    def kind(self, ahead: int = 0) -> str:
        """The kind of a token from here; nothing beyond the ends."""
        at = self.at + ahead
        return self.tokens[at].type if 0 <= at < len(self.tokens) else ""

    def word(self, ahead: int = 0) -> str:
        """The text of a token from here; nothing beyond the ends."""
        at = self.at + ahead
        return str(self.tokens[at]) if 0 <= at < len(self.tokens) else ""

    def rest(self) -> list[str]:
        """What follows on the line."""
        return [str(token) for token in self.tokens[self.at + 1 : self.line]]


def find(spot: Spot) -> Slip | None:
    """The slip at a spot, if it is one that is known."""
    for known in (
        _comparison, _between, _apart, _one_word, _count, _time, _function, _nothing, _no_quotes,
        _missing, _filler,
    ):  # fmt: skip
        slip = known(spot)
        if slip is not None:
            return slip
    return None


def said(tokens: list[Token]) -> str:
    """Tokens as they were written, but for the width of spaces."""
    text, end = "", tokens[0].start_pos if tokens else 0
    for token in tokens:
        text += " " * (token.start_pos != end) + str(token)
        end = token.end_pos
    return " ".join(text.split())


def _like(token: Token, kind: str, value: str) -> Token:
    return token.update(type=kind, value=value)


def _instead(spot: Spot, length: int, kind: str, value: str, *, begin: int = 0) -> Slip:
    """Some tokens from here are read as one other."""
    first = spot.at + begin
    new = (_like(spot.tokens[first], kind, value),)
    hint = f"Write `{value}`."
    foreign = value if kind in _SPOKEN else ""
    return Slip(begin=first, end=first + length, hint=hint, tokens=new, foreign=foreign)


def _comparison(spot: Spot) -> Slip | None:
    """``is at least``, ``more than``, ``contains``, ``is``."""
    if "COMPARISON" not in spot.accepted:
        return None
    copula = int(spot.word() in ("is", "are"))
    for length in range(_LONGEST, 0, -1):
        words = tuple(spot.word(copula + ahead) for ahead in range(length))
        meant = _COMPARISONS.get(words)
        if meant is None or (words[0] in _ALONE and length == 1 and not copula):
            continue
        return _instead(spot, copula + length, _sign(meant), meant)
    if copula and spot.kind(1) not in ("IN", "NOT") and spot.word(1) not in _NO_VALUES:
        return _instead(spot, 1, "EQUAL", "=")
    return None


def _sign(comparison: str) -> str:
    return "EQUAL" if comparison == "=" else "COMPARISON"


def _between(spot: Spot) -> Slip | None:
    ahead = int(spot.word() == "is")
    if spot.word(ahead) != "between" or "COMPARISON" not in spot.accepted:
        return None
    if spot.kind(ahead + 2) != "AND" or spot.kind(-1) != "RPAR":
        return None  # else there is a subject that can be said twice
    fixed = f".. >= {spot.word(ahead + 1)} and .. <= {spot.word(ahead + 3)}"
    end = spot.at + ahead + 4
    return Slip(begin=spot.at, end=end, hint=f"Write both ends: `{fixed}`.", tokens=None)


def _apart(spot: Spot) -> Slip | None:
    """``> =``: one sign in two pieces."""
    if spot.kind() != "EQUAL" or spot.word(-1) not in ("<", ">"):
        return None
    meant = spot.word(-1) + "="
    new = (_like(spot.token, "COMPARISON", meant),)
    return Slip(begin=spot.at - 1, end=spot.at + 1, hint=f"Write `{meant}`.", tokens=new)


def _one_word(spot: Spot) -> Slip | None:
    for kind, words in _MEANT.items():
        if spot.word().lower() in words and kind in spot.accepted:
            return _instead(spot, 1, kind, kind.lower())
    return None


def _count(spot: Spot) -> Slip | None:
    """``one per visit``, ``three times``."""
    for begin in (0, -1):
        word = spot.word(begin).lower()
        fits = "NUMBER" in spot.accepted if begin == 0 else spot.kind() == "TIMES"
        if word in _COUNTS and fits:
            return _instead(spot, 1, "NUMBER", str(_COUNTS.index(word) + 1), begin=begin)
    return None


def _time(spot: Spot) -> Slip | None:
    """``1 h 30 min`` is one time; ``30`` is none."""
    if spot.kind() == "DURATION" and spot.kind(-1) == "DURATION":
        parts = [spot.word(ahead).split() for ahead in (-1, 0)]
        unit = min((unit for _, unit in parts), key=lambda unit: UNITS[unit])
        total = sum(float(number) * UNITS[unit] for number, unit in parts) / UNITS[unit]
        return _instead(spot, 2, "DURATION", f"{total:g} {unit}", begin=-1)
    if spot.kind() == "NUMBER" and "DURATION" in spot.accepted and "NUMBER" not in spot.accepted:
        number = spot.word()
        meant = (_like(spot.token, "DURATION", f"{number} s"),)
        hint = f"Write a unit too, such as `{number} s` or `{number} min`."
        return Slip(begin=spot.at, end=spot.at + 1, hint=hint, tokens=meant)
    return None


def _function(spot: Spot) -> Slip | None:
    """``Count(`` and ``counts(``: a name before a bracket can only be a function."""
    meant = nearest(spot.word(-1), _FUNCTIONS) if spot.kind() == "LPAR" else None
    if meant is None or spot.kind(-1) != "NAME":
        return None
    return _instead(spot, 1, _FUNCTIONS[meant], meant, begin=-1)


def _nothing(spot: Spot) -> Slip | None:
    """``expect no message``, and ``one at time`` in a group: the phrase has another form."""
    for fits, wanted, fixed in (
        (spot.kind() in ("NO", "NOT"), "NOTHING", "nothing"),
        (spot.word() == "one", "ONE_AT_A_TIME", "one at a time"),
    ):
        if fits and wanted in spot.accepted:
            return _instead(spot, _line_end(spot) - spot.at, wanted, fixed)
    return None


def _line_end(spot: Spot) -> int:
    """Where the line of the token ends, or the brackets or list that it stands in."""
    for end in range(spot.at + 1, spot.line):
        if spot.tokens[end].type in ("RPAR", "RBRACE", "RSQB", "COMMA", "LBRACE"):
            return end
    return spot.line


def _no_quotes(spot: Spot) -> Slip | None:
    """Words where only a text can stand."""
    if spot.kind() not in ("NAME", "SLASH", "PATH"):
        return None
    words = spot.tokens[spot.at : _line_end(spot)]
    if spot.accepted != {"TEXT"} or any(word.type in ("TEXT", "ODD") for word in words):
        return None
    end = spot.at + len(words)
    text = f'"{said(words)}"'
    new = (_like(spot.token, "TEXT", text),)
    return Slip(begin=spot.at, end=end, hint=f"Put it in quotes: `{text}`.", tokens=new)


def _missing(spot: Spot) -> Slip | None:
    """A sign or small word without which this would have fitted."""
    if spot.kind() == "THEN" and spot.kind(1) in _ACTIONS:
        return None
    signs = dict(_MISSING)
    if spot.kind() == "MINUS" or "is" in spot.rest():
        del signs["IS"]
    if spot.fresh and spot.kind() in ("NAME", "PATH"):
        is_message = spot.word()[:1].isupper() and spot.kind(1) in _AFTER_MESSAGE
        signs = {"SEND": "send"} if is_message else {}
    for kind, sign in signs.items():
        if kind in spot.accepted and spot.kind() in spot.after(kind):
            new = (_like(spot.token, kind, sign), spot.token)
            name = "a comma" if sign == "," else "a colon" if sign == ":" else f"`{sign}`"
            hint = f"Put {name} before it: `{sign} {spot.word()} ..`."
            return Slip(begin=spot.at, end=spot.at + 1, hint=hint, tokens=new)
    return None


def _filler(spot: Spot) -> Slip | None:
    """A word or two that English would have here."""
    for length in (1, 2):
        words = [spot.word(ahead) for ahead in range(length)]
        if not _FILLERS.issuperset(words):
            return None
        if spot.kind(length) in spot.accepted:
            end = spot.at + length
            return Slip(begin=spot.at, end=end, hint="Leave it out.", tokens=())
    return None
