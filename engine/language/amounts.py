"""Numbers, money and times in the habits of other countries and trades, and what is meant here.

A number is written with a point and nothing else, a time as a number, a space and a unit. The lexer
looks for these other ways beside its own; each is noted and then read as what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from engine.language.foreign import Mend

UNITS: Final = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Milliseconds of each unit of time."""

_WORDS: Final = {
    "ms": "millisecond milliseconds millis msec",
    "s": "sec secs second seconds sek sekunde sekunden seg segundo segundos seconde secondes"
    " secondo secondi",
    "min": "m mins minute minutes minuten minuto minutos minuti",
    "h": "hr hrs hour hours std stunde stunden hora horas heure heures ora ore",
    "d": "day days tag tage tagen dia dias d\u00eda d\u00edas jour jours giorno giorni",
    "7 d": "week weeks wk wks woche wochen semana semanas semaine semaines settimana settimane",
    "30 d": "month months monat monate mes meses mois mese mesi",
    "365 d": "year years jahr jahre a\u00f1o a\u00f1os ans anno anni",
}
LONG_UNITS: Final = {word: unit for unit, words in _WORDS.items() for word in words.split()}
"""Other words for the units, and what each is: a unit, or so many of one."""
_LARGE: Final = {
    "k": 10**3, "thousand": 10**3, "tausend": 10**3, "mil": 10**3, "mille": 10**3,
    "million": 10**6, "millions": 10**6, "mio": 10**6,
}  # fmt: skip
_FRACTIONS: Final = {"\u00bc": ".25", "\u00bd": ".5", "\u00be": ".75"}

_BLANK: Final = "[ \t\u00a0\u202f]"
_PLAIN: Final = r"\d+(?:\.\d+)?"
_COMMA: Final = r"\d+,\d+"
_GROUPS: Final = (
    r"\d{1,3}(?:\.\d{3}){1,6}+,\d+|\d{1,3}(?:\.\d{3}){2,6}+"
    r"|\d{1,3}(?:['_\u2019]\d{3}){1,6}+(?:[.,]\d+)?"
    rf"|\d{{1,3}}(?:{_BLANK}\d{{3}}){{1,6}}+(?:[.,]\d+)?"
)
_COMMA_GROUPS: Final = r"\d{1,3}(?:,\d{3}){1,6}+(?:\.\d+)?"
_FRACTION: Final = rf"\d*[{''.join(_FRACTIONS)}]"
_OTHERWISE: Final = rf"(?:{_GROUPS}|{_COMMA_GROUPS}|{_COMMA}|{_FRACTION})"
_UNIT: Final = rf"(?ai:{'|'.join(sorted((*LONG_UNITS, *UNITS), key=len, reverse=True))})"
_SIGN: Final = "[$\u20ac\u00a3\u00a5]"
_NAME: Final = r"(?ai:eur|euros?|usd|dollars?|gbp|pounds?|chf|francs?|jpy|yen|pln|nok|dkk)"
_AMOUNT: Final = rf"(?:{_OTHERWISE}|{_PLAIN})(?!\w|[.,]\d)"

NUMBER_ROWS: Final = (
    ("MONEY", rf"(?:{_OTHERWISE}|{_PLAIN}){_BLANK}?(?:{_SIGN}|{_NAME}\b)"),
    (
        "SEVERAL",
        rf"\d+{_BLANK}*{_UNIT}{_BLANK}*\d+(?:{_BLANK}*{_UNIT}\b|(?![\w.:%]|,\d|{_BLANK}+\w))",
    ),
    ("ODD_PERCENT", rf"{_OTHERWISE}{_BLANK}?%"),
    ("ODD_TIME", rf"{_OTHERWISE}{_BLANK}*{_UNIT}\b"),
    ("THOUSANDS", rf"(?:{_GROUPS})(?!\w|{_BLANK}+times\b)"),
    ("THOUSAND_COMMAS", rf"{_COMMA_GROUPS}(?!\w|,\d)"),
    ("DECIMAL_COMMA", rf"{_COMMA}(?!\w|,\d)"),
    ("LARGE", rf"{_PLAIN}{_BLANK}*(?ai:{'|'.join(_LARGE)})\b"),
    ("FRACTION", rf"{_FRACTION}(?!\w)"),
    ("POINT_LAST", r"\d++\.(?![\w.])"),
)
JUMBLE_ROW: Final = ("JUMBLE", r"\d[\w.]*+(?:[,:][\w.]++)*+")
"""When nothing else fits what begins with a digit."""
"""What begins with a digit: name and expression, in the order in which they are tried."""

WORD_ROWS: Final = (
    ("MONEY_NAMED", rf"(?:EUR|USD|GBP|CHF){_BLANK}?{_AMOUNT}"),
    ("FRACTION_TIME", rf"{_FRACTION}{_BLANK}*{_UNIT}\b"),
    ("FRACTION_ALONE", rf"{_FRACTION}(?!\w)"),
)
SIGN_ROWS: Final = (
    ("MONEY_FIRST", rf"{_SIGN}{_BLANK}?{_AMOUNT}"),
    ("MONEY_SIGN", _SIGN),
    ("POINT_FIRST", r"(?<![\w)\]}\"])\.\d++(?![\w.])"),
)
KINDS: Final = frozenset(name for name, _ in (*NUMBER_ROWS, *WORD_ROWS, *SIGN_ROWS, JUMBLE_ROW))
"""The names of all of them."""

_GROUPED: Final = re.compile(rf"\d{{1,3}}(?:[.,'\u2019_]\d{{3}}|{_BLANK}\d{{3}})+")
_BELOW: Final = {"d": "h", "h": "min", "min": "s", "s": "ms"}
_NUMBERS: Final = "a an one,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve"
_COUNTS: Final = {
    word: count for count, words in enumerate(_NUMBERS.split(","), 1) for word in words.split()
} | {"fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
_PARTS: Final = {"": 1, "h": 0.5, "q": 0.25}
_SPOKEN: Final = re.compile(
    rf"(?:(?:an? )?(?P<part>half|quarter)(?: of)? )?(?:(?P<count>{'|'.join(_COUNTS)}) )?"
    rf"(?P<unit>{_UNIT})(?!\w)",
    re.IGNORECASE | re.ASCII,
)
_FIRST_NUMBER: Final = re.compile(rf"{_OTHERWISE}|{_PLAIN}")
_PIECES: Final = re.compile(rf"(\d+(?:\.\d+)?){_BLANK}*([^\W\d]*)")


def mend(kind: str, word: str) -> Mend:
    """What one of the rows means here."""
    return _MENDS[kind](word)


def plain(word: str) -> str:
    """A number as it is written here; where both may be meant, three digits are thousands."""
    word = word.strip()
    if word[-1] in _FRACTIONS:
        return f"{word[:-1] or 0}{_FRACTIONS[word[-1]]}"
    signs = set(re.findall(r"\D", word))
    if not signs or (len(signs) == 1 and _GROUPED.fullmatch(word)):
        return re.sub(r"\D", "", word)
    last = max(word.rfind(","), word.rfind("."))
    whole = re.sub(r"\D", "", word[:last])
    return f"{whole}.{word[last + 1 :]}"


def duration(number: str, unit: str) -> str:
    """A time with one of our units."""
    unit = unit if unit in UNITS else unit.lower()
    times, _, own = LONG_UNITS.get(unit, unit).rpartition(" ")
    return f"{float(number) * float(times):.15g} {own}" if times else f"{number} {own}"


def together(parts: list[tuple[str, str]]) -> str:
    """Times in several units as one in the smallest; a last number alone is of the next unit."""
    known = [duration(number, unit).split() if unit else [number, ""] for number, unit in parts]
    if not known[-1][1]:
        known[-1][1] = _BELOW.get(known[-2][1], "ms")
    unit = min((unit for _, unit in known), key=UNITS.__getitem__)
    total = sum(float(number) * UNITS[own] for number, own in known) / UNITS[unit]
    return f"{total:.15g} {unit}"


def spoken(said: str) -> tuple[str, str] | None:
    """``half an hour .. ``: the words that are a time, and that time as it is written here."""
    match = _SPOKEN.match(said)
    if match is not None and (match["part"] or match["count"]):
        times = (
            _COUNTS[(match["count"] or "one").lower()] * _PARTS[(match["part"] or "")[:1].lower()]
        )
        return match.group(), whole(times, match["unit"])
    clock = re.match(r"(\d{1,2}):(\d{2})(?!\w)", said)
    if clock is not None:
        return clock.group(), f"{int(clock[1]) * 60 + int(clock[2])} min"
    machine = re.match(r"P(?:\d+[WD])?(?:T(?:\d+[HMS])+)?(?!\w)", said)
    parts = re.findall(r"(\d+)([WDHMS])", machine.group()) if machine is not None else []
    if machine is None or not parts:
        return None
    known = {"W": "week", "D": "d", "H": "h", "M": "min", "S": "s"}
    return machine.group(), together([(number, known[unit]) for number, unit in parts])


def whole(times: float, unit: str) -> str:
    """So many of a unit without a fraction, as far as smaller units go."""
    number, own = duration(f"{times:g}", unit).split()
    milliseconds = float(number) * UNITS[own]
    while float(number) % 1 and own in _BELOW:
        own = _BELOW[own]
        number = f"{milliseconds / UNITS[own]:g}"
    return f"{number} {own}"


def _money(word: str) -> Mend:
    number = plain(_parts(word)[0])
    words = {"word": word, "fixed": number}
    return Mend(code="S036", words=words, tokens=(("NUMBER", number),))


def _parts(word: str) -> tuple[str, str]:
    """The number, and what stands behind it."""
    match = _FIRST_NUMBER.search(word)
    assert match is not None
    return match.group(), word[match.end() :].strip()


def _sign(word: str) -> Mend:
    words = {"word": word, "hint": "Leave it out; a number stands alone."}
    return Mend(code="S005", words=words, doubtful=True)


def _thousands(word: str) -> Mend:
    return _number(word, plain(word), "S024")


def _decimal_comma(word: str) -> Mend:
    return _number(word, plain(word), "S017")


def _large(word: str) -> Mend:
    number, name = _parts(word)
    return _number(word, f"{float(number) * _LARGE[name.lower()]:.15g}")


def _point(word: str) -> Mend:
    return _number(word, f"0{word}" if word.startswith(".") else word[:-1])


def _fraction(word: str) -> Mend:
    return _number(word, plain(word))


def _number(word: str, fixed: str, code: str = "S037") -> Mend:
    words, tokens = (
        {"word": word, "hint": f"Write `{fixed}`.", "fixed": fixed},
        (("NUMBER", fixed),),
    )
    return Mend(code=code, words=words, tokens=tokens, doubtful=code == "S024")


def _jumble(word: str) -> Mend:
    hint = "Write one such as `1000` or `1.5`."
    words = {"word": word, "hint": hint}
    return Mend(code="S037", words=words, tokens=(("NUMBER", "1"),), doubtful=True)


def _percent(word: str) -> Mend:
    fixed = f"{plain(_parts(word)[0])}%"
    words = {"word": word, "hint": f"Write `{fixed}`.", "fixed": fixed}
    code = "S017" if "," in word else "S037"
    return Mend(code=code, words=words, tokens=(("PERCENT", fixed),))


def _odd_time(word: str) -> Mend:
    number, unit = _parts(word)
    comma = "," in number and not _GROUPED.fullmatch(number)
    return _time(word, duration(plain(number), unit), "S017" if comma and unit in UNITS else "S016")


def _times(word: str) -> Mend:
    return _time(word, together(_PIECES.findall(word)))


def _time(word: str, fixed: str, code: str = "S016") -> Mend:
    words = {"word": word, "fixed": fixed}
    return Mend(code=code, words=words, tokens=(("DURATION", fixed),))


_MENDS: Final[dict[str, Callable[[str], Mend]]] = {
    "MONEY": _money,
    "MONEY_NAMED": _money,
    "MONEY_FIRST": _money,
    "MONEY_SIGN": _sign,
    "SEVERAL": _times,
    "ODD_TIME": _odd_time,
    "FRACTION_TIME": _odd_time,
    "THOUSANDS": _thousands,
    "THOUSAND_COMMAS": _thousands,
    "DECIMAL_COMMA": _decimal_comma,
    "ODD_PERCENT": _percent,
    "LARGE": _large,
    "FRACTION": _fraction,
    "FRACTION_ALONE": _fraction,
    "POINT_LAST": _point,
    "POINT_FIRST": _point,
    "JUMBLE": _jumble,
}
