"""Slips of several words whose places among each other matter, read as what was meant.

`a between 1 and 2`, `A within 5 min of B`, `event["price"]`: each function here knows one such
shape. Names and texts are in ``naming.py``, brackets and lists in ``brackets.py``; what a single
word or phrase stands for is in ``habits.py``.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import takewhile
from typing import Final

from engine.language import amounts
from engine.language.lexer import TOKENS
from engine.language.spelling import nearest
from engine.language.spot import Slip, Spot, as_written, like, slip_at

_ROOTS: Final = ("event", "visit", "visitor", "query")
_COPULAS: Final = ("is", "was", "are", "has")
_STATES: Final = ("logged", "signed", "authenticated")
"""`visitor is logged in` asks for the state."""
_FUNCTIONS: Final = {
    word: kind
    for word, kind in TOKENS.items()
    if kind in ("FUNCTION", "FIELD_FUNCTION", "SINCE", "PACING")
}
_COMPARED: Final = {
    "more than": ">", "over": ">", "at least": ">=", "less than": "<", "fewer than": "<",
    "at most": "<=", "exactly": "=",
}  # fmt: skip
_ASKING: Final = ("when", "unless", "and", "or", "where")
_NUMBERS: Final = {
    word: str(number)
    for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)  # noqa: SIM905
}
_MANY: Final = re.compile(
    rf"(?P<how>{'|'.join(_COMPARED)})? ?(?P<number>\d+) (?:times )?(?P<event>\w+)"
    r"(?: (?:in|within|during))?(?: the)?(?: (?P<window>last [\w ]+|this visit|this page|ever))?"
)
_LONGEST: Final = 6
"""A time is said in so many words at most."""
_MOST_DAYS: Final = 31
_NEAR: Final = 12
_FORMULAS: Final = {
    "IF": "There is no `if` in a condition; write the condition itself.",
    "IIF": "There is no `if` in a condition; write the condition itself.",
    "AND": "Write `and` between conditions: `a and b`.",
    "OR": "Write `or` between conditions: `a or b`.",
}


def _twice(spot: Spot) -> Slip | None:
    """``on on PageEntered``."""
    if not spot.at or spot.word() != spot.word(-1) or not spot.fits(spot.at, spot.at + 1, ()):
        return None
    return slip_at(spot.at, spot.at + 1, "Leave it out.", ())


def _formula(spot: Spot) -> Slip | None:
    """``AND(a, b)``, ``IF(a, b, c)``, as in a sheet."""
    for begin in (spot.at, spot.at - 1):
        word = str(spot.tokens[begin]) if begin >= 0 else ""
        following = [token.type for token in spot.tokens[begin + 1 : begin + 2]]
        if word in _FORMULAS and following == ["LPAR"] and "NUMBER" in spot.accepts(begin):
            return slip_at(begin, begin + 1, _FORMULAS[word], None)
    return None


def _function(spot: Spot) -> Slip | None:
    """``Count(`` and ``counts(``: a name before a bracket can only be a function."""
    meant = nearest(spot.word(-1), _FUNCTIONS) if spot.kind() == "LPAR" else None
    if meant is None or spot.kind(-1) != "NAME":
        return None
    new = (like(spot.tokens[spot.at - 1], _FUNCTIONS[meant], meant),)
    if not spot.reads(spot.at - 1, [_FUNCTIONS[meant], "LPAR"]):
        return None
    return slip_at(spot.at - 1, spot.at, f"Write `{meant}`.", new)


def _path(spot: Spot) -> Slip | None:
    """``event price``, ``event:price``, ``event["price"]``."""
    for begin in (spot.at - 1, spot.at):
        root = str(spot.tokens[begin]).lower() if begin >= 0 else ""
        first = begin - (begin > 0 and str(spot.tokens[begin - 1]) in ("the", "a"))
        if root in _ROOTS and "PATH" in spot.accepts(first):
            return _rooted(spot, first, begin, root)
    return None


def _rooted(spot: Spot, first: int, begin: int, root: str) -> Slip | None:
    """A path whose root stands there: what belongs to it, and where it begins and ends."""
    at = begin + 1
    between = spot.tokens[at : at + 1]
    at += bool(between) and (between[0].type in ("COLON", "LSQB") or str(between[0]) in _COPULAS)
    field, end = spot.tokens[at : at + 1], at + 1
    if not field or field[0].type not in ("NAME", "KIND", "TEXT") or end <= spot.at:
        return None
    if str(between[0]) in _COPULAS and (field[0][:1].isupper() or field[0] in _STATES):
        return None
    end += between[0].type == "LSQB" and spot.tokens[end : end + 1] == ["]"]
    meant = f"{root}.{field[0].strip(chr(34))}"
    new = (like(spot.tokens[begin], "PATH", meant),)
    return slip_at(first, end, f"Write `{meant}`.", new) if spot.fits(first, end, new) else None


def _how_many(spot: Spot) -> Slip | None:
    """``when more than 3 Order in the last 10 min``: how many there were."""
    begins = (spot.at, spot.at - 1, spot.at - 2)
    asked = [b for b in begins if b > spot.line_begin and str(spot.tokens[b - 1]) in _ASKING]
    words = spot.tokens[asked[0] : spot.line_end] if asked else []
    match = _MANY.fullmatch(as_written(words)) if len(words) <= _NEAR else None
    if match is None:
        return None
    sign = _COMPARED[match["how"] or "exactly"]
    window = match["window"] or "this visit"
    hint = f"Write `count({match['event']}, {window}) {sign} {match['number']}`."
    return slip_at(asked[0], asked[0] + len(words), hint, None)


def _between(spot: Spot) -> Slip | None:
    """``a between 1 and 2``, ``a is between 1 and 2``."""
    ahead = int(spot.word() == "is")
    words = spot.word(ahead) == "between" and spot.word(ahead + 2).lower() in ("and", "to", "-")
    if not words or "COMPARISON" not in spot.accepted:
        return None
    low, high, end = spot.word(ahead + 1), spot.word(ahead + 3), spot.at + ahead + 4
    subject = spot.tokens[spot.at - 1]
    if spot.kind(ahead + 1) == "CLOCK":
        return slip_at(spot.at, end, "Declare `hours`, and write `now in` their name.", None)
    if subject.type not in ("PATH", "NAME", "NOW"):
        hint = f"Write both ends: `.. >= {low} and .. <= {high}`."
        return slip_at(spot.at, end, hint, None)
    first, last = spot.tokens[spot.at + ahead + 1], spot.tokens[end - 1]
    new = (
        like(first, "COMPARISON", ">="), first, like(first, "AND", "and"), subject,
        like(last, "COMPARISON", "<="), last,
    )  # fmt: skip
    hint = f"Write both ends: `{subject} >= {low} and {subject} <= {high}`."
    good = spot.fits(spot.at, end, new)
    return slip_at(spot.at - 1, end, hint, (subject, *new) if good else None)


def _chained(spot: Spot) -> Slip | None:
    """``1 < a < 5``."""
    subject = spot.tokens[spot.at - 1] if spot.at else spot.token
    if spot.kind() != "COMPARISON" or spot.kind(-2) != "COMPARISON" or subject.type != "PATH":
        return None
    new = (like(spot.token, "AND", "and"), subject, spot.token)
    hint = f"Compare two values at a time: `and {subject} {spot.word()} ..`."
    return (
        slip_at(spot.at, spot.at + 1, hint, new) if spot.fits(spot.at, spot.at + 1, new) else None
    )


def _brackets_behind(spot: Spot) -> Slip | None:
    """``tags text[]``."""
    if [spot.kind(ahead) for ahead in (-1, 0, 1)] != ["KIND", "LSQB", "RSQB"]:
        return None
    kind = spot.tokens[spot.at - 1]
    new = (like(kind, "LIST_OF", "list of"), kind)
    return slip_at(spot.at - 1, spot.at + 2, f"Write `list of {kind}`.", new)


def _not_in(spot: Spot) -> Slip | None:
    """``a not in (1, 2)``, ``PageEntered not in Checkout``."""
    ahead = int(spot.word() == "is")
    if (spot.kind(ahead), spot.kind(ahead + 1)) != ("NOT", "IN"):
        return None
    here = spot.token
    if "WHERE" in spot.accepted and spot.kind(2) == "NAME":
        name = spot.tokens[spot.at + 2]
        before = (like(here, "WHERE", "where"), here, like(here, "EVENT", "event"))
        new = (*before, like(here, "IN", "in"), like(here, "LPAR", "("), name)
        hint = f"Write `where not event in ({name})`."
        return slip_at(spot.at, spot.at + 3, hint, (*new, like(here, "RPAR", ")")))
    begin, end = spot.at - 1, spot.at + ahead + 1
    turned = (like(here, "NOT", "not"), spot.tokens[begin])
    if not spot.fits(begin, end, turned):
        return None
    return slip_at(begin, end, f"Write `not {spot.word(-1)} in (..)`.", turned)


def _apart(spot: Spot) -> Slip | None:
    """``> =``: one sign in two pieces."""
    if spot.kind() != "EQUAL" or spot.word(-1) not in ("<", ">"):
        return None
    meant = spot.word(-1) + "="
    new = (like(spot.token, "COMPARISON", meant),)
    return slip_at(spot.at - 1, spot.at + 1, f"Write `{meant}`.", new)


def _time(spot: Spot) -> Slip | None:
    """``half an hour`` is a time, ``1 h`` with ``30 min`` below it is one, ``30`` is none."""
    if spot.kind() == "DURATION" and spot.kind(-1) == "DURATION":
        pairs = [spot.word(ahead).partition(" ") for ahead in (-1, 0)]
        meant = amounts.together([(number, unit) for number, _, unit in pairs])
        new = (like(spot.tokens[spot.at - 1], "DURATION", meant),)
        return slip_at(spot.at - 1, spot.at + 1, f"Write `{meant}`.", new)
    if "DURATION" not in spot.accepted:
        return None
    said = amounts.spoken(as_written(spot.tokens[spot.at : spot.line_end][:_LONGEST]))
    if said is not None:
        new = (like(spot.token, "DURATION", said[1]),)
        hint = _clock(said[1]) if spot.kind() == "CLOCK" else f"Write `{said[1]}`."
        return slip_at(spot.at, spot.at + len(said[0].split()), hint, new)
    if spot.kind() == "NUMBER" and "NUMBER" not in spot.accepted:
        number = spot.word()
        new = (like(spot.token, "DURATION", f"{number} s"),)
        hint = f"Write a unit too, such as `{number} s` or `{number} min`."
        return slip_at(spot.at, spot.at + 1, hint, new)
    return None


def _clock(time: str) -> str:
    """``1:30`` is hours and minutes, or minutes and seconds."""
    short = amounts.together([(time.split()[0], "s")])
    return f"Write `{time}` for hours and minutes, `{short}` for minutes and seconds."


def _dates(spot: Spot) -> Slip | None:
    """``except 2026-12-24 to 2026-12-26``: each day stands by itself."""
    if spot.kind(-1) != "DATE" or spot.kind(1) != "DATE" or "UNTIL" in spot.accepted:
        return None
    if "COMMA" not in spot.accepted or spot.kind() == "COMMA":
        return None
    try:
        first, last = (date.fromisoformat(spot.word(ahead)) for ahead in (-1, 1))
    except ValueError:
        return None
    count = (last - first).days
    if not 0 < count <= _MOST_DAYS:
        return None
    days = [(first + timedelta(days=ahead)).isoformat() for ahead in range(count + 1)]
    new = [spot.tokens[spot.at - 1]]
    for day in days[1:]:
        new += [like(spot.token, "COMMA", ","), like(spot.token, "DATE", day)]
    return slip_at(spot.at - 1, spot.at + 2, f"Write each day: `{', '.join(days)}`.", new)


def _in_order(spot: Spot) -> Slip | None:
    """``A within 5 min of B``: B is first."""
    here = [spot.kind(ahead) for ahead in (-1, 0, 1, 2, 3)]
    if here != ["NAME", "WITHIN", "DURATION", "OF", "NAME"]:
        return None
    later, time, first = (spot.tokens[spot.at + ahead] for ahead in (-1, 1, 3))
    comma = like(first, "COMMA", ",")
    new = [first, comma, like(first, "THEN", "then"), later, comma, spot.token, time]
    hint = f"Write first what is first: `{first}, then {later}, within {time}`."
    return slip_at(spot.at - 1, spot.at + 4, hint, new)


def _times_late(spot: Spot) -> Slip | None:
    """``Order 3 times``: how often stands before the event."""
    if spot.kind(-1) != "NAME" or spot.kind(1) != "TIMES" or "COMMA" not in spot.accepted:
        return None
    number = _NUMBERS.get(spot.word().lower(), spot.word())
    if not number.isdecimal() or "NUMBER" not in spot.accepts(spot.at - 1):
        return None
    name = spot.tokens[spot.at - 1]
    new = (like(spot.token, "NUMBER", number), spot.tokens[spot.at + 1], name)
    hint = f"Write it before the event: `{number} times {name}`."
    return slip_at(spot.at - 1, spot.at + 2, hint, new)


def _more_than(spot: Spot) -> Slip | None:
    """``more than 2 times Order``: at least 3 times."""
    words = [spot.word(-1).lower(), spot.word().lower()]
    if words != ["more", "than"] or spot.kind(1) != "NUMBER" or not spot.word(1).isdecimal():
        return None
    end = spot.at + 2 + (spot.kind(2) == "TIMES")
    number = str(int(spot.word(1)) + 1)
    new = (like(spot.token, "NUMBER", number), like(spot.token, "TIMES", "times"))
    hint = f"Write `{number} times`."
    return slip_at(spot.at - 1, end, hint, new) if spot.fits(spot.at - 1, end, new) else None


def _sent_after(spot: Spot) -> Slip | None:
    """``sent Invite after Order``: in a guarantee the order is that of time."""
    if [spot.kind(ahead) for ahead in (-2, -1, 0, 1)] != ["SENT", "NAME", "AFTER", "NAME"]:
        return None
    if "COMMA" not in spot.accepted:
        return None
    sent, name, first = (spot.tokens[spot.at + ahead] for ahead in (-2, -1, 1))
    new = (first, like(first, "COMMA", ","), like(first, "THEN", "then"), sent, name)
    hint = f"Write first what is first: `{first}, then sent {name}`."
    return slip_at(spot.at - 2, spot.at + 2, hint, new)


def _item_in_list(spot: Spot) -> Slip | None:
    """``"beach" in event.tags``."""
    if [spot.kind(ahead) for ahead in (-2, -1, 0)] != ["TEXT", "IN", "PATH"]:
        return None
    item, asked = spot.tokens[spot.at - 2], spot.token
    new = (asked, like(item, "COMPARISON", "has"), item)
    return slip_at(spot.at - 2, spot.at + 1, f"Write `{asked} has {item}`.", new)


def _told_order(spot: Spot) -> Slip | None:
    """``expect sent 2 Invite``, ``expect Invite sent``, ``expect not visitor.vip``."""
    kinds = [spot.kind(ahead) for ahead in (-1, 0, 1)]
    here, before = spot.token, spot.tokens[spot.at - 1] if spot.at else spot.token
    following = spot.tokens[spot.at + 1] if spot.at + 1 < len(spot.tokens) else here
    if kinds == ["SENT", "NUMBER", "NAME"] and spot.kind(-2) == "EXPECT":
        hint = f"Write `{here} sent {following}`."
        return slip_at(spot.at - 1, spot.at + 2, hint, (here, before, following))
    if kinds == ["EXPECT", "NAME", "SENT"] and here[:1].isupper():
        return slip_at(spot.at, spot.at + 2, f"Write `sent {here}`.", (following, here))
    if kinds[0] == "EXPECT" and kinds[1] in ("NOT", "NO") and kinds[2] == "PATH":
        new = (following, like(here, "EQUAL", "="), like(here, "FALSE", "false"))
        return slip_at(spot.at, spot.at + 2, f"Write `{following} = false`.", new)
    return None


def _window_of_since(spot: Spot) -> Slip | None:
    """``since(Order, this visit)``: it looks back as far as there is."""
    depth = [i for i in range(spot.at) if spot.tokens[i].type == "SINCE"]
    if spot.kind() != "COMMA" or not depth or spot.at - depth[-1] > _NEAR:
        return None
    end = spot.at + 1
    while end < spot.line_end and spot.tokens[end].type != "RPAR":
        end += 1
    if not spot.fits(spot.at, end, ()):
        return None
    return slip_at(spot.at, end, "Leave it out; `since` looks at all visits.", ())


def _enforced_late(spot: Spot) -> Slip | None:
    """``never enforced (..)``."""
    if spot.kind() != "ENFORCED" or spot.kind(-1) != "NEVER":
        return None
    new = (spot.token, spot.tokens[spot.at - 1])
    return slip_at(spot.at - 1, spot.at + 1, "Write `enforced never`.", new)


def _refused_late(spot: Spot) -> Slip | None:
    """``expect "Help" refused``."""
    if spot.kind() != "TEXT" or spot.kind(1) != "REFUSED" or "REFUSED" not in spot.accepted:
        return None
    new = (spot.tokens[spot.at + 1], spot.token)
    return slip_at(spot.at, spot.at + 2, f"Write `refused {spot.token}`.", new)


def _told_event(spot: Spot) -> Slip | None:
    """``event "Order"`` in a story: its name alone."""
    if spot.block != "scenario" or spot.kind() != "EVENT" or spot.kind(1) not in ("TEXT", "NAME"):
        return None
    name = spot.word(1).strip('"')
    new = (like(spot.tokens[spot.at + 1], "NAME", name),)
    return slip_at(spot.at, spot.at + 2, f"Write `{name}` alone.", new)


def _nothing(spot: Spot) -> Slip | None:
    """``expect no Invite``: nothing is expected."""
    if spot.kind() not in ("NO", "NOT") or "NOTHING" not in spot.accepted:
        return None
    new = (like(spot.token, "NOTHING", "nothing"),)
    return slip_at(spot.at, spot.line_end, "Write `nothing`.", new)


def _capture(spot: Spot) -> Slip | None:
    """``capture on hover ".menu"``: what the page cannot watch."""
    begin = spot.line_begin
    if spot.block != "event" or str(spot.tokens[begin]) != "capture" or spot.at - begin > 2:
        return None
    words = list(takewhile(lambda t: t.type != "TEXT", spot.tokens[begin : spot.line_end]))
    hint = (
        "Write one of `capture on click of`, `on submit of`, `on key`, `on timer`, `on scroll to`, "
        "`on exit intent` and `on visible`."
    )
    return slip_at(begin, begin + len(words), hint, None)


SHAPES: Final = (
    _twice, _formula, _times_late, _more_than, _sent_after, _item_in_list, _told_order,
    _enforced_late, _refused_late, _told_event, _how_many, _between, _chained,
    _not_in,
    _brackets_behind,
    _apart, _time, _in_order, _window_of_since, _path, _function, _dates, _nothing,
)  # fmt: skip
"""Each shape, in the order in which they are tried."""

LATE: Final = (_capture,)
"""What is only meant when no other word is."""
