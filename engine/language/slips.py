"""What authors write instead of the language's words, read as what was meant.

A slip is mended in the tokens, so that it costs its clause nothing and hides nothing behind it.
Whether a mend is meant the grammar decides: it has to be read on behind the place where it
stopped. First come the shapes that several words make, then what is said otherwise
(``habits.py``), phrases of which a word is missing or misspelt, words that are nearly right, and
last a small word too few or too many. What is no slip has its way out in ``advice.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lark import Token

from engine.language import naming, shapes
from engine.language.brackets import BRACKETS
from engine.language.habits import NOISE, habits, meant
from engine.language.lexer import PHRASES, RESERVED, TOKENS
from engine.language.naming import NAMES
from engine.language.shapes import SHAPES
from engine.language.spelling import nearest
from engine.language.spot import Slip, Spot, like
from engine.vocabulary.events import SYSTEM_EVENTS

_KNOWN: Final = (*NAMES, *SHAPES, *BRACKETS)
_LATE: Final = (*shapes.LATE, *naming.LATE)
_BACK: Final = 3
"""So many words before the one that does not fit may be the wrong one."""

_ARTICLES: Final = frozenset(("a", "an", "the"))
_NO_TYPING: Final = frozenset(("end", "if", "else", "do", "the", "rule", "at"))
"""Words of other languages that are near to one of this, and yet no slip of the fingers."""

_AGAIN: Final = ((",",), ("and",))
_CLAUSES: Final = ("SEND", "SET", "LIMIT", "GIVEN", "ATTACH")
"""What may be said once more after a comma: `send A, B`."""

_LOGIC: Final = frozenset(("COMPARISON", "EQUAL", "AND", "OR", "NOT", "IS_KNOWN", "IS_MISSING"))
_ENGLISH: Final = frozenset((",", "but", "also"))
"""No signs of another language, only another way to say it."""

_MISSING: Final = (
    ("COMMA", ","), ("RPAR", ")"), ("IS", "is"), ("SENT", "sent"), ("THEN", "then"),
    ("IN", "in"), ("LAST", "last"), ("COLON", ":"), ("FROM", "from"), ("AFTER", "after"),
    ("WHERE", "where"), ("DESCRIPTION", "description"), ("LPAR", "("), ("TIMES", "times"),
    ("EQUAL", "="),
)  # fmt: skip
"""Small words and signs that are left out, in the order in which they are tried."""

_ACTIONS: Final = frozenset(("SEND", "SET", "ATTACH"))
_NEEDS: Final = {
    "IS": ("NAME", "PATH", "TEXT", "NOW", "DAYS", "NOT"),
    "FROM": ("DATE", "NAME"),
    "AFTER": ("DURATION",),
    "DESCRIPTION": ("TEXT",),
    "WHERE": ("PATH",),
    "TIMES": ("NAME", "SENT"),
    "THEN": ("NAME", "SENT", "NO", "NUMBER", "ANY_EVENT"),
    "LPAR": ("NAME", "PATH", "SENT"),
    "EQUAL": ("TEXT", "NUMBER", "TRUE", "FALSE"),
}
"""Before which kinds alone a word may be left out; others before any."""


def find(spot: Spot) -> Slip | None:
    """The slip at a spot, if it is one that is known."""
    for known in (*_KNOWN, _other_words, _unfinished_phrase, _missing, _noise, *_LATE):
        slip = known(spot)
        if slip is not None:
            return slip
    return None


def _begins(spot: Spot) -> list[int]:
    """Where wrong words may begin: here, or a little before, where they were read as a name."""
    return list(range(spot.at, max(spot.line_begin, spot.at - _BACK) - 1, -1))


def _other_words(spot: Spot) -> Slip | None:
    """Something else is meant by words that begin here or a little before."""
    small = _small(spot)
    if small is not None:
        return small
    said = [slip for begin in _begins(spot) if (slip := _otherwise(spot, begin)) is not None]
    if said:
        return max(said, key=lambda slip: slip.end - slip.begin)  # of equals the nearest
    for begin in _begins(spot):
        slip = _phrase(spot, begin, whole=True) or _misspelt(spot, begin)
        if slip is not None:
            return slip
    return None


def _small(spot: Spot) -> Slip | None:
    """A word of the language in capital letters."""
    word = spot.word().lower()
    if word == spot.word() or TOKENS.get(word) not in spot.accepted:
        return None
    new = (like(spot.token, TOKENS[word], word),)
    slip = _written(spot, spot.at, spot.at + 1, new, word)
    return slip if slip.foreign or not spot.word().isupper() else replace(slip, habit="CAPITALS")


def _unfinished_phrase(spot: Spot) -> Slip | None:
    """A phrase of which a word is missing."""
    found = (_phrase(spot, begin, whole=False) for begin in _begins(spot))
    return next((slip for slip in found if slip is not None), None)


def _otherwise(spot: Spot, begin: int) -> Slip | None:
    """A way of saying it that is not the language's."""
    for words, text in habits(str(spot.tokens[begin]).lower().split()[0]):
        end, kept = _spoken(spot, begin, words)
        if end <= spot.at - (begin < spot.at) or (begin < spot.at and end < spot.at):
            continue
        tokens, written = meant(text, kept, spot.tokens[begin])
        if words in _AGAIN and tokens[0].type in _CLAUSES and not spot.is_clause(tokens[0].type):
            continue
        if spot.fits(begin, end, tokens) and spot.says_other(begin, end, tokens):
            slip = _written(spot, begin, end, tokens, written)
            again = words in _AGAIN and tokens[0].type in _CLAUSES
            return replace(slip, hint=f"Write `{written}` again.") if again else slip
    return None


def _spoken(spot: Spot, begin: int, words: tuple[str, ...]) -> tuple[int, Token | None]:
    """Where these words end that begin here (-1: others stand here), and what `*` stands for."""
    end, place, kept = begin, 0, None
    while place < len(words):
        if end >= len(spot.tokens) or (end > begin and spot.starts_line(end)):
            return -1, None
        token = spot.tokens[end]
        if words[place] == "*":
            kept, place = token, place + 1
        else:
            pieces = tuple(str(token).lower().split())
            if token.type == "TEXT" or words[place : place + len(pieces)] != pieces:
                return -1, None
            place += len(pieces)
        end += 1
    return end, kept


def _phrase(spot: Spot, begin: int, *, whole: bool) -> Slip | None:
    """A phrase of which one word is misspelt (`agents raedy for`), or else missing."""
    found = []
    for kind in sorted(spot.accepts(begin) & PHRASES.keys()):
        phrase = PHRASES[kind].split()
        end = begin + len(phrase) - (not whole)
        if end < spot.at or end == begin or spot.broken_line(begin, end):
            continue
        words = [str(token) for token in spot.tokens[begin:end]]
        new = (like(spot.tokens[begin], kind, PHRASES[kind]),)
        if _nearly(words, phrase) and spot.fits(begin, end, new):
            found.append(_written(spot, begin, end, new, PHRASES[kind]))
    return found[0] if len(found) == 1 else None


def _nearly(words: list[str], phrase: list[str]) -> bool:
    """Is it the phrase with one word missing, or with one misspelt?"""
    words = [word.lower() for text in words for word in text.split()]
    if len(words) == len(phrase) - 1:
        return any(words == phrase[:gap] + phrase[gap + 1 :] for gap in range(len(phrase)))
    if len(words) != len(phrase):
        return False
    wrong = [pair for pair in zip(words, phrase, strict=True) if not _ARTICLES.issuperset(pair)]
    wrong = [pair for pair in wrong if pair[0] != pair[1]]
    return len(wrong) <= 1 and all(nearest(word, [known]) for word, known in wrong)


def _misspelt(spot: Spot, begin: int) -> Slip | None:
    """A word that is nearly one that the grammar would take there."""
    word, token = str(spot.tokens[begin]), spot.tokens[begin]
    if token.type not in ("NAME", "FIELD", "KEY") and word not in RESERVED:
        return None
    accepted = spot.accepts(begin)
    known = [text for text, kind in TOKENS.items() if kind in accepted and text != word]
    if begin < spot.at and token.type != "NAME":
        return None
    near = nearest(word, known) or _begun(word, known)
    if near is None or _another_word(word, near):
        return None
    new = (like(token, TOKENS[near], near),)
    if begin == spot.at or spot.fits(begin, begin + 1, new):
        return replace(_written(spot, begin, begin + 1, new, near), foreign="")
    return None


def _begun(word: str, known: list[str]) -> str | None:
    """The one word that was begun: `prio`."""
    whole = [text for text in known if text.startswith(word.lower()) and len(word) > 1]
    return whole[0] if len(whole) == 1 else None


def _another_word(word: str, near: str) -> bool:
    """Is it a good word by itself, and no slip of the fingers?"""
    swapped = sorted(word.lower()) == sorted(near)
    known = word in RESERVED or word.lower() in _NO_TYPING | NOISE
    return known and not swapped


def _missing(spot: Spot) -> Slip | None:
    """A sign or small word without which this would have fitted."""
    if spot.kind() == "THEN" and spot.kind(1) in _ACTIONS:
        return None
    signs = dict(_MISSING)
    if spot.kind() == "MINUS" or "is" in spot.rest():
        del signs["IS"]
    if spot.fresh:
        signs = _before_a_line(spot)
    if spot.kind(-1) not in ("FUNCTION", "FIELD_FUNCTION") or ")" not in spot.rest():
        signs.pop("LPAR", None)
    if "COMPARISON" in spot.accepted:  # there it may be any of them
        signs.pop("EQUAL", None)
    for kind, sign in signs.items():
        needs = _NEEDS.get(kind, (spot.kind(),))
        if kind == "IN" and (spot.word(-1) not in SYSTEM_EVENTS or spot.word().startswith("in")):
            continue
        new = like(spot.token, kind, sign)
        if kind in spot.accepted and spot.kind() in needs and spot.fits(spot.at, spot.at, (new,)):
            name = {",": "a comma", ":": "a colon"}.get(sign, f"`{sign}`")
            more = " .." * (spot.at + 1 < spot.line_end)
            hint = f"Put {name} before it: `{sign}{' ' * (sign != '(')}{spot.word()}{more}`."
            return Slip(begin=spot.at, end=spot.at + 1, hint=hint, tokens=(new, spot.token))
    return None


def _before_a_line(spot: Spot) -> dict[str, str]:
    """What may be missing at the beginning of a line."""
    if spot.kind() in ("THEN", "STAYS", "WITHIN", "DAYS"):
        return {"COMMA": ","}
    if spot.kind() == "PATH" and spot.kind(1) == "EQUAL":
        return {"SET": "set"}
    if spot.kind() == "TEXT":
        return {"DESCRIPTION": "description"}
    is_message = spot.word()[:1].isupper() and spot.kind(1) in (
        *_ACTIONS, "", "ON", "LPAR", "LBRACE", "TO_PAGE", "TO_EVERY_PAGE",
    )  # fmt: skip
    return {"SEND": "send"} if is_message or spot.kind(1) == "LBRACE" else {}


def _noise(spot: Spot) -> Slip | None:
    """A word or two that English would have here, or one before that was read as a name."""
    at = spot.at
    for begin, end in ((at, at + 1), (at, at + 2), (at - 1, at + 1), (at - 1, at)):
        words = [str(token) for token in spot.tokens[max(begin, 0) : end]]
        if begin < spot.line_begin or not NOISE.issuperset(words) or spot.broken_line(begin, end):
            continue
        if begin < at and not _is_noise_before(spot, spot.tokens[begin].type):
            continue
        if spot.fits(begin, end, ()):
            return Slip(begin=begin, end=end, hint="Leave it out.", tokens=())
    return None


def _is_noise_before(spot: Spot, kind: str) -> bool:
    """May a word of this kind be too much, that was read?"""
    return kind == "NAME" or (kind == "VISITOR" and spot.word()[:1].isupper())


def _written(spot: Spot, begin: int, end: int, tokens: tuple[Token, ...], text: str) -> Slip:
    is_logic = len(tokens) == 1 and tokens[0].type in _LOGIC
    word = str(spot.tokens[begin])
    is_logic = is_logic and bool({"COMPARISON", "AND"} & spot.accepts(begin))
    foreign = text if is_logic and word not in _ENGLISH else ""
    hint = f"Write `{text}`."
    last = spot.tokens[end] if end < len(spot.tokens) else None
    is_glued = last is not None and spot.tokens[end - 1].end_pos == last.start_pos
    if is_glued and text.isalpha() and str(last)[:1].isalnum():
        hint = f"Write `{text}`, with spaces around it."
    return Slip(begin=begin, end=end, hint=hint, tokens=tokens, foreign=foreign)
