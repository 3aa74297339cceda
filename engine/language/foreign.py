"""What hands bring along from other languages, offices and countries, and what it means here.

The lexer looks for these beside its own words. Each is noted once and then read as what was meant,
so that it hides nothing behind it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

_HIDDEN: Final = "\u200b-\u200f\u2060-\u2064\u00ad\u202a-\u202e\ufff9-\ufffd\x00-\x08\x0e-\x1b\x7f"
_DASH: Final = "-\u2010-\u2015\u2212"
_CURLY: Final = "\u201c\u201d\u201e\u201f"
_CUT_SHORT: Final = {
    said: day
    for days in (
        "mo tu we th fr sa su",
        "- di mi do - - so",
        "lun mar mi\u00e9 jue vie s\u00e1b dom",
    )
    for said, day in zip(days.split(), "Mon Tue Wed Thu Fri Sat Sun".split(), strict=True)  # noqa: SIM905
}
"""Days as they are cut short elsewhere."""
_DAY: Final = (
    "(?:(?ai:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?"
    "|sat(?:urday)?|sun(?:day)?)s?"
    rf"|(?ai:{'|'.join(_CUT_SHORT)})(?=[ \t]*[{_DASH}]|[ \t]+\d|[ \t]+to\b)"
    rf"|(?<=[{_DASH}])(?ai:{'|'.join(_CUT_SHORT)})\b)"
)
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905
_MONTH: Final = f"(?ai:{'|'.join(_MONTHS)})[a-z]*"
_TIME: Final = (
    r"\d{1,2}(?:(?::\d{2}){1,2}\s?(?ai:[ap]\.?m\b\.?)|(?::\d{2}){2}|h\d{0,2}(?!\w)"
    r"|\s?(?ai:[ap]\.?m\b\.?))"
)

_WORD: Final = r"[^\W\d]\w*"
_ROOTED: Final = rf"(?:event|visit|visitor)(?:\.{_WORD})+"
_ENTITIES: Final = {"gt": ">", "lt": "<", "amp": "and", "nbsp": " ", "apos": "'", "quot": '"'}
_ALIKE: Final = "\ufb00-\ufb06\uff21-\uff3a\uff41-\uff5a"
_WIDE: Final = "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5e\u3001\u3002"
_ACCENTS: Final = "\u0300-\u036f"
_BARE_TIME: Final = r"(?:[01]?\d|2[0-4])(?:[.:]?[0-5]\d)?"

SIGN_ROWS: Final = (
    (
        "COMMENT",
        r"(?<!\S)(?://[^\n]*|/\*(?s:.*?)(?:\*/|\Z)|--[ \t][^\n]*|'[ \t][^'\n]*(?=\n|\Z))"
        r"|<!--(?s:.*?)(?:-->|\Z)",
    ),
    ("HIDDEN", rf"[{_HIDDEN}]+"),
    ("WIDE", rf"[{_WIDE}]"),
    ("ENTITY_TEXT", r"&quot;[^\n]*?&quot;"),
    ("ENTITY", r"&(?:gt|lt)(?:;=|;)|&(?:amp;amp|amp|nbsp|apos|quot|#\d+);"),
    ("TEMPLATE", rf"\$?\{{\{{\s*{_ROOTED}\s*\}}\}}|\$\{{\s*{_ROOTED}\s*\}}|\${_ROOTED}"),
    (
        "QUOTED",
        rf"'[^'\n]*'|`[^`\n]+`|[\u2018-\u201b][^\u2018-\u201b\n]*[\u2018-\u201b]"
        rf"|[\u00ab\u00bb\u2039\u203a][^\u00ab\u00bb\u2039\u203a\n]*[\u00ab\u00bb\u2039\u203a]"
        rf'|[{_CURLY}][^{_CURLY}"\n]*[{_CURLY}"]|"[^"\n{_CURLY}]*[{_CURLY}](?![^\n]*")',
    ),
    ("ADDRESS", r"(?<=\burl )/\S+|(?<=\bmatches )/\S+/"),
    ("ELLIPSIS", r"\u2026|\.\.+"),
    ("BULLET", r"[\u2022\u25aa\u25e6\u2023\u25cf\u00b7\u2043]"),
    ("COUNTED", r"\+\+|\+=|-="),
    ("ARROW", r"->|\u2192"),
    ("SEMICOLON", r";"),
    ("BANG", r"!(?!=)"),
    (
        "FOREIGN",
        r"!==|===?|&&|\|\||<>|=>|=<|:=|=~|&|[\u2265\u2264\u2260\u00d7\u00f7\u2010-\u2015\u2212]",
    ),
)
"""What begins with a sign: name and expression, in the order in which they are tried."""

NUMBER_ROWS: Final = (
    ("ENTITY_TIME", r"\d+&nbsp;(?:ms|s|min|h|d)\b"),
    ("STAMP", r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}[\w:.+]*"),
    (
        "ODD_DATE",
        r"\d{1,2}\.\d{1,2}\.\d{4}(?!\w)|\d{1,2}/\d{1,2}/\d{4}(?!\w)|\d{4}[/.]\d{1,2}[/.]\d{1,2}(?!\w)"
        r"|\d{4}-(?:\d-\d{1,2}|\d{1,2}-\d)(?!\w)"
        rf"|\d{{1,2}}\.?[ \t]+{_MONTH}\.?,?[ \t]+\d{{4}}(?!\w)",
    ),
    (
        "ODD_SPAN",
        rf"(?:{_TIME}|\d{{1,2}}:\d{{2}}(?!\w))\s*(?:[{_DASH}]|to\b|until\b)\s*(?:{_TIME}|\d{{1,2}}:\d{{2}}(?!\w))",
    ),
    ("ODD_CLOCK", r"\d{1,2}(?::\d{2}){2}(?!\w)|\d{1,2}(?::\d{2})?\s?(?ai:[ap]m)\b"),
    ("NUMBERED", r"\d{1,2}\.(?=[ \t]+[^\W\d])"),
    ("TIMES", r"\d+[x\u00d7](?=\s)"),
)
"""What begins with a digit."""

WORD_ROWS: Final = (
    ("HIDDEN_WORD", rf"[^\W\d]\w*+(?:[{_HIDDEN}]+\w+)+"),
    ("ACCENTED", rf"[^\W\d]\w*+[{_ACCENTS}][\w{_ACCENTS}]*"),
    ("ALIKE", rf"[^\W{_ALIKE}]*+[{_ALIKE}]\w*"),
    ("OWNED", rf"(?:event|visit|visitor)['\u2019]s[ \t]+{_WORD}"),
    ("POINTED", rf"\b(?:event|visit|visitor)(?:->|::){_WORD}"),
    ("PUNCTUATED", rf"{_WORD}(?:['\u2019]{_WORD}(?!['\u2019])|&{_WORD})+"),
    ("NAMED_DATE", rf"{_MONTH}\.?[ \t]+\d{{1,2}},?[ \t]+\d{{4}}(?!\w)"),
    ("RANGE", r"\bin\s+\d+(?:\.\d+)?\s*(?:\.\.\.?|\u2026)\s*\d+(?:\.\d+)?(?!\w)"),
)
"""What begins with a letter."""

_BARE_SPAN: Final = (
    rf"(?<![\d.-])(?:{_TIME}|{_BARE_TIME})\s*(?:[{_DASH}]|to\b|until\b|and\b)"
    rf"\s*(?:{_TIME}|{_BARE_TIME}(?![\w.:]|-\d))"
)
HOURS_SIGN_ROWS: Final = (("LISTED", r";"),)
HOURS_NUMBER_ROWS: Final = (("BARE_SPAN", _BARE_SPAN),)
HOURS_WORD_ROWS: Final = (
    ("ODD_DAYS", rf"\b{_DAY}\b(?:\s*(?:[{_DASH}]|to\b)\s*{_DAY}\b)?"),
    ("SAID_SPAN", rf"(?:from|between)\s+{_BARE_SPAN}"),
)
"""Only in `hours`: days, and times as they stand on a door."""

_SIGNS: Final = {
    "!==": "!=", "==": "=", "===": "=", "&&": "and", "||": "or", "<>": "!=", "=>": ">=",
    "=<": "<=", ":=": "=", "=~": "matches", "&": "and", "\u2265": ">=", "\u2264": "<=",
    "\u2260": "!=", "\u00d7": "*", "\u00f7": "/",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """What was meant: the code and words of the message, and tokens by kind to go on with.

    Without a code there is nothing to say, or the parser will.

    A token of kind ``?`` is a word or sign to look up. ``shown`` is how much of what was written is
    underlined (None: all). ``doubtful``: what is wrong behind it may come from it.
    """

    code: str
    words: dict[str, Any] = field(default_factory=dict)
    tokens: tuple[tuple[str, str], ...] = ()
    shown: int | None = None
    doubtful: bool = False


_ROWS: Final = (
    *SIGN_ROWS, *NUMBER_ROWS, *WORD_ROWS, *HOURS_SIGN_ROWS, *HOURS_NUMBER_ROWS, *HOURS_WORD_ROWS
)  # fmt: skip
KINDS: Final = frozenset(name for name, _ in _ROWS)
"""The names of all of them."""


@lru_cache(maxsize=1_000)
def mend(kind: str, word: str) -> Mend:
    """What one of the rows means here."""
    return _MENDS[kind](word)


def quotes(word: str) -> Mend:
    """A text in quotes of another kind."""
    inner = word[1:-1].replace("\\", "\\\\").replace('"', '\\"')
    signs = f"{word[0]} {word[-1]}"
    shown = f'"{inner}"' if len(inner) < 40 else f'"{inner[:30]}.."'
    return Mend(
        code="S028", words={"word": signs, "fixed": shown}, tokens=(("TEXT", f'"{inner}"'),)
    )


def _comment(word: str) -> Mend:
    sign = next(sign for sign in ("//", "/*", "--", "<!--", "'") if word.startswith(sign))
    where = " at the beginning of each line" if "\n" in word else ""
    words = {"word": sign, "hint": f"Write `#`{where}."}
    return (
        Mend(code="S005", words=words, shown=len(sign))
        if where
        else Mend(code="S007", words={"word": sign, "fixed": "#"}, shown=len(sign))
    )


def _sign(word: str) -> Mend:
    meant = _SIGNS.get(word, "-")
    code = "S007" if word.isascii() else "S005"
    words = {"word": word, "fixed": meant, "hint": f"Write `{meant}`."}
    return Mend(code=code, words=words, tokens=(("?", meant),))


def _alike(word: str) -> Mend:
    plain = unicodedata.normalize("NFKC", word)
    return Mend(code="S032", words={"word": word, "fixed": plain}, tokens=(("?", plain),))


def _wide(word: str) -> Mend:
    plain = unicodedata.normalize("NFKC", word).translate({0x3001: ",", 0x3002: "."})
    words = {"word": word, "hint": "Leave it out." if plain == "." else f"Write `{plain}`."}
    return Mend(code="S005", words=words, tokens=() if plain == "." else (("?", plain),))


def _accented(word: str) -> Mend:
    """An accent that is a sign of its own looks, and is read, like the one letter with it."""
    return Mend(code="", tokens=(("?", unicodedata.normalize("NFC", word)),))


def _entity(word: str) -> Mend:
    meant = _ENTITIES.get(word[1:].rstrip(";="), "'") + "=" * word.endswith("=")
    tokens = () if meant in (" ", "'", '"') else (("?", meant),)
    fixed = "a space" if meant == " " else f"`{meant}`"
    return Mend(code="S005", words={"word": word, "hint": f"Write {fixed}."}, tokens=tokens)


def _entity_text(word: str) -> Mend:
    text = f'"{word[6:-6]}"'
    return Mend(
        code="S005", words={"word": word, "hint": f"Write `{text}`."}, tokens=(("TEXT", text),)
    )


def _entity_time(word: str) -> Mend:
    fixed = word.replace("&nbsp;", " ")
    words = {"word": word, "hint": f"Write `{fixed}`."}
    return Mend(code="S005", words=words, tokens=(("DURATION", fixed),))


def _odd_path(word: str) -> Mend:
    first, *rest = re.findall(r"[^\W\d]\w*", word.replace("'s", " ").replace("\u2019s", " "))
    path = ".".join((first, *rest))
    return Mend(code="S007", words={"word": word, "fixed": path}, tokens=(("PATH", path),))


def _punctuated(word: str) -> Mend:
    parts = re.findall(r"\w+", word)
    name = "".join(part[:1].upper() + part[1:] for part in parts) if "&" in word else "".join(parts)
    words = {"word": word, "what": "name", "hint": f"A name is one word: `{name}`."}
    return Mend(code="S012", words=words, tokens=(("NAME", name),))


def _range(word: str) -> Mend:
    """Read as `between`, which knows what to say of it."""
    low, high = re.findall(r"\d+(?:\.\d+)?", re.sub(r"\.\.+", " ", word))
    return Mend(
        code="",
        tokens=(("NAME", "between"), ("NUMBER", low), ("AND", "and"), ("NUMBER", high)),
    )


def _address(word: str) -> Mend:
    """An address, or an expression between strokes, without its quotes."""
    is_expression = len(word) > 1 and word.endswith("/") and not word[1:-1].isalnum()
    text = f'"{word[1:-1] if is_expression else word}"'
    words = {"word": word, "hint": f"Put it in quotes: `{text}`."}
    return Mend(code="S002", words=words, tokens=(("TEXT", text),))


def _times(word: str) -> Mend:
    number = word[:-1]
    return Mend(
        code="S007",
        words={"word": word, "fixed": f"{number} times"},
        tokens=(("NUMBER", number), ("TIMES", "times")),
    )


def _listed(word: str) -> Mend:
    return Mend(code="S005", words={"word": word, "hint": "Write `,`."}, tokens=(("COMMA", ","),))


def _noise(hint: str, *tokens: tuple[str, str]) -> Callable[[str], Mend]:
    def noise(word: str) -> Mend:
        words = {"word": word.strip(), "hint": hint}
        return Mend(code="S005", words=words, tokens=tokens, doubtful=True)

    return noise


def visible(word: str) -> str:
    """A word without what cannot be seen in it."""
    return re.sub(f"[{_HIDDEN}]", "", word)


def _hidden(word: str) -> Mend:
    sign = re.search(f"[{_HIDDEN}]", word)
    number = f"U+{ord(sign.group()):04X}" if sign else ""
    plain = visible(word)
    tokens = (("?", plain),) if plain else ()
    return Mend(code="S023", words={"number": number}, tokens=tokens)


def _date(word: str) -> Mend:
    numbers = [int(number) for number in re.findall(r"\d+", word)]
    letters = re.search(r"[A-Za-z]{3}", word)
    if letters:
        found = {(numbers[1], _MONTHS.index(letters.group().lower()) + 1, numbers[0])}
    elif numbers[0] > 31:
        found = {(numbers[0], numbers[1], numbers[2])}
    else:
        day_first = (numbers[2], numbers[1], numbers[0])
        found = {day_first} if "." in word else {day_first, (numbers[2], numbers[0], numbers[1])}
    written = [f"{y:04d}-{m:02d}-{d:02d}" for y, m, d in sorted(found) if m <= 12 and d <= 31]
    best = written[0] if written else "2026-11-23"
    fixed = "` or `".join(written) or best
    return Mend(code="S025", words={"word": word, "fixed": fixed}, tokens=(("DATE", best),))


def _stamp(word: str) -> Mend:
    day, clock = word[:10], word[11:16]
    words = {"word": word, "fixed": f"{day} {clock}"}
    return Mend(code="S025", words=words, tokens=(("DATE", day), ("CLOCK", clock)), doubtful=True)


def _clock_of(word: str) -> str:
    digits = re.findall(r"\d+", word)
    if len(digits) == 1 and len(digits[0]) > 2:  # 0800
        digits = [digits[0][:-2], digits[0][-2:]]
    hour, minute = int(digits[0]), int(digits[1]) if len(digits) > 1 else 0
    if re.search(r"(?i)p\.?m", word) and hour < 12:
        hour += 12
    elif re.search(r"(?i)a\.?m", word) and hour == 12:
        hour = 0
    return f"{hour:02d}:{minute:02d}"


def _clock(word: str) -> Mend:
    fixed = _clock_of(word)
    return Mend(code="S026", words={"word": word, "fixed": fixed}, tokens=(("CLOCK", fixed),))


def _clock_span(word: str) -> Mend:
    bare = re.sub(r"^(?:from|between)\s+", "", word)
    start, end = re.split(rf"\s*(?:[{_DASH}]|to\b|until\b|and\b)\s*", bare, maxsplit=1)
    fixed = f"{_clock_of(start)}-{_clock_of(end)}"
    return Mend(code="S026", words={"word": word, "fixed": fixed}, tokens=(("CLOCK_SPAN", fixed),))


def _days(word: str) -> Mend:
    days = re.split(rf"\s*(?:[{_DASH}]|to\b)\s*", word)
    fixed = "-".join(_CUT_SHORT.get(day.lower(), day[:3].capitalize()) for day in days)
    return Mend(code="S027", words={"word": word, "fixed": fixed}, tokens=(("DAYS", fixed),))


_WHOLE_SUM: Final = "Write the whole sum, such as `set visit.score = visit.score + 1`."
_MENDS: Final[dict[str, Callable[[str], Mend]]] = {
    "COMMENT": _comment,
    "HIDDEN_WORD": _hidden,
    "HIDDEN": _hidden,
    "QUOTED": quotes,
    "STAMP": _stamp,
    "ODD_DATE": _date,
    "NAMED_DATE": _date,
    "ODD_SPAN": _clock_span,
    "ODD_CLOCK": _clock,
    "ELLIPSIS": _noise("Write out what it stands for."),
    "BULLET": _noise("Leave it out; a new line is enough."),
    "COUNTED": _noise(_WHOLE_SUM, ("EQUAL", "=")),
    "ARROW": _noise("Write `, then` for what happens next.", ("COMMA", ","), ("THEN", "then")),
    "SEMICOLON": _noise("Leave it out; a new line is enough."),
    "BANG": _noise("Write `not`, or `!=` for different.", ("NOT", "not")),
    "FOREIGN": _sign,
    "ODD_DAYS": _days,
    "BARE_SPAN": _clock_span,
    "SAID_SPAN": _clock_span,
    "LISTED": _listed,
    "ACCENTED": _accented,
    "ALIKE": _alike,
    "WIDE": _wide,
    "ENTITY": _entity,
    "ENTITY_TEXT": _entity_text,
    "ENTITY_TIME": _entity_time,
    "OWNED": _odd_path,
    "TEMPLATE": _odd_path,
    "POINTED": _odd_path,
    "PUNCTUATED": _punctuated,
    "RANGE": _range,
    "ADDRESS": _address,
    "TIMES": _times,
    "NUMBERED": _noise("Leave it out; a new line is enough."),
}
