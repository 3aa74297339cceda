"""Names and texts that were written in another way: ``Hotel Pages``, ``"Checkout"``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from lark import Token

from engine.language.lexer import TOKENS
from engine.language.spot import Slip, Spot, as_written, like, slip_at

_IN_A_NAME: Final = frozenset(("MINUS", "SLASH", "PLUS"))
_NAMED: Final = frozenset(
    ("IN", "GROUP", "HOURS", "SENT", "SEND", "CATEGORY", "MESSAGE", "EVENT", "ON", "THEN", "NO",
     "TIMES", "LPAR", "OR", "NOW_IN", "COMMA", "AS", "FACT", "SET")
)  # fmt: skip
_KINDS: Final = {
    "string": "text",
    "str": "text",
    "bool": "boolean",
    "int": "number",
    "float": "number",
}
_WRITTEN: Final = {
    "NUMBER": r"\d+(?:\.\d+)?",
    "DATE": r"\d{4}-\d{2}-\d{2}",
    "DURATION": r"\d+ (?:ms|s|min|h|d)",
    "CLOCK_SPAN": r"\d{1,2}:\d{2}-\d{1,2}:\d{2}",
    "CLOCK": r"\d{1,2}:\d{2}",
    "PERCENT": r"\d+%",
    "DAYS": r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:-(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun))?",
    "TRUE": "true",
    "FALSE": "false",
}
_LONGEST: Final = 80
"""A text is so many words at most."""


def _no_name(spot: Spot) -> Slip | None:
    """``category is url "/a"``: a declaration without its name."""
    if spot.at != 1 or spot.accepted != {"NAME"} or spot.kind() != "IS":
        return None
    new = (like(spot.token, "NAME", f"?{spot.token.start_pos}"), spot.token)
    return slip_at(1, 2, f"Give it a name: `{spot.word(-1)} Checkout is ..`.", new)


def _address(spot: Spot) -> Slip | None:
    """``category Checkout is page "/checkout"``."""
    if spot.block != "category" or spot.kind() != "PAGE" or spot.kind(1) != "TEXT":
        return None
    return slip_at(spot.at, spot.at + 1, "Write `url`.", (like(spot.token, "NAME", "url"),))


def _dotted(spot: Spot) -> Slip | None:
    """``fact gold``, ``channel banner``: a name without what stands before its dot."""
    if spot.kind() != "NAME" or "PATH" not in spot.accepted or "NAME" in spot.accepted:
        return None
    name, before = spot.word(), spot.kind(-1)
    if before == "FACT":
        meant, hint = f"visitor.{name}", f"Write `visitor.{name}` or `visit.{name}`."
    elif before == "CHANNEL" or (before == "IS" and spot.kind(1) == "LBRACE"):
        meant = f"site.{name}"
        hint = f"Write a name with a dot, such as `{meant}`."
    else:
        return None
    new = (like(spot.token, "PATH", meant),)
    return slip_at(spot.at, spot.at + 1, hint, new)


def _kind_first(spot: Spot) -> Slip | None:
    """``number price``: the name comes before its kind."""
    if spot.kind() != "KIND" or spot.kind(1) not in ("NAME", "PATH") or spot.kind(-1) == "LIST_OF":
        return None
    if not {"PATH", "FIELD"} & spot.accepted:
        return None
    kind, name = spot.tokens[spot.at : spot.at + 2]
    hint = f"Write the name first: `{name} {kind}`."
    return (
        slip_at(spot.at, spot.at + 2, hint, (name, kind))
        if spot.fits(spot.at, spot.at + 2, (name, kind))
        else None
    )


def _quoted_name(spot: Spot) -> Slip | None:
    """A name in quotes, where a name stands without."""
    accepted = spot.accepted
    if spot.kind() != "TEXT" or "NAME" not in accepted or "TEXT" in accepted or spot.fresh:
        return None
    if accepted >= {"NUMBER", "FUNCTION"} or "EXPECT" in accepted or spot.kind(-1) == "SEND":
        return _quoted_message(spot)
    inside = spot.word()[1:-1]
    name = _one(re.findall(r"\w+", inside))
    if len(inside.split()) > 2 or not name.isidentifier() or name in TOKENS:
        return None
    new = (like(spot.token, "NAME", name),)
    return slip_at(spot.at, spot.at + 1, f"Write it without quotes: `{name}`.", new)


def _quoted_message(spot: Spot) -> Slip | None:
    """``send "Invite"``: the name of a message; ``send "Do you need help?"`` is none."""
    name = spot.word()[1:-1]
    if spot.kind(-1) != "SEND":
        return None
    if re.fullmatch(r"[^\W\d]\w*", name) and name not in TOKENS:
        new = (like(spot.token, "NAME", name),)
        return slip_at(spot.at, spot.at + 1, f"Write it without quotes: `{name}`.", new)
    hint = "Declare a `message` with this text, and send it by its name."
    return slip_at(spot.at, spot.at + 1, hint, None)


def _one_name(spot: Spot) -> Slip | None:
    """``Hotel Pages``, ``hotel-pages``, ``Hotel.Pages``: a name in several words."""
    if spot.kind() == "PATH" and "NAME" in spot.accepted and "PATH" not in spot.accepted:
        if spot.kind(-2) == "FUNCTION":
            event = spot.word().split(".")[0]
            new = (like(spot.token, "NAME", event),)
            return slip_at(spot.at, spot.at + 1, f"Name the event alone: `{event}`.", new)
        return _joined(spot, spot.at, spot.at + 1)
    for begin in (spot.at - 1, spot.at - 2):
        if begin < 1 or spot.tokens[begin].type not in ("NAME", "PATH"):
            continue
        for end in _name_ends(spot, begin) if spot.tokens[begin - 1].type in _NAMED else ():
            found = None if spot.broken_line(begin, end) else _joined(spot, begin, end)
            if found is not None:
                return found
    return None


def _name_ends(spot: Spot, begin: int) -> Iterator[int]:
    """Where a name of several words may end: glued together, or each with a capital letter."""
    least = spot.at + 1 - (begin < spot.at - 1)
    glued = _glued_end(spot, begin)
    if glued >= least:
        yield glued
    words = takewhile(lambda token: token.type == "NAME", spot.tokens[begin : begin + 4])
    for end in range(begin + len(list(words)), begin + 1, -1):
        is_name = begin == 1 or all(word[:1].isupper() for word in spot.tokens[begin:end])
        if end >= least and is_name:
            yield end


def _glued_end(spot: Spot, begin: int) -> int:
    """Where the words end that stand together without a space."""
    end = begin + 1
    while end + 1 < len(spot.tokens) and spot.tokens[end].type in _IN_A_NAME:
        before, sign, word = spot.tokens[end - 1 : end + 2]
        if (before.end_pos, sign.end_pos) != (sign.start_pos, word.start_pos):
            break
        if not re.fullmatch(r"\w+", str(word)):
            break
        end += 2
    return end


def _joined(spot: Spot, begin: int, end: int) -> Slip | None:
    tokens = spot.tokens[begin:end]
    root = f"{tokens[0].split('.')[0]}." if tokens[0].type == "PATH" and end > begin + 1 else ""
    written = " ".join(str(token) for token in tokens)[len(root) :]
    name = root + _one(re.findall(r"\w+", written), first=bool(root))
    new = (like(tokens[0], "PATH" if root else "NAME", name),)
    if end < begin + 1 or not spot.fits(begin, end, new):
        return None
    return slip_at(begin, end, f"A name is one word: `{name}`.", new)


def _one(words: list[str], *, first: bool = False) -> str:
    """Words as one name: `HotelPages`; a single word stays as it is."""
    if len(words) == 1:
        return words[0]
    big = [word[:1].upper() + word[1:] for word in words]
    return (words[0] if first else "".join(big[:1])) + "".join(big[1:])


def _quote_within(spot: Spot) -> Slip | None:
    """``"It says "hello" to them"``: quotes within a text."""
    begin, line = spot.at - 1, spot.tokens[: spot.line_end]
    if spot.kind(-1) != "TEXT" or line[begin].end_pos != spot.token.start_pos:
        return None
    glued = [i for i in range(spot.at, len(line)) if line[i].type == "TEXT"]
    glued = [i for i in glued if line[i - 1].end_pos == line[i].start_pos]
    if not glued:
        return None
    end = glued[-1] + 1
    inside = as_written(line[begin:end])[1:-1].replace('"', '\\"')
    new = (like(line[begin], "TEXT", f'"{inside}"'),)
    hint = f'Write `\\"` for each quote within it: `"{inside}"`.'
    return slip_at(begin, end, hint, new) if spot.fits(begin, end, new) else None


def _quoted_hours(spot: Spot) -> Slip | None:
    """``now in "Office"``."""
    if [spot.kind(ahead) for ahead in (-2, -1, 0)] != ["NOW", "IN", "TEXT"]:
        return None
    name = spot.word()[1:-1]
    new = (like(spot.tokens[spot.at - 2], "NOW_IN", "now in"), like(spot.token, "NAME", name))
    hint = f"Write it without quotes: `now in {name}`."
    return slip_at(spot.at - 2, spot.at + 1, hint, new) if name.isidentifier() else None


def _quoted_kind(spot: Spot) -> Slip | None:
    """``{ "text": "string" }``: a kind in quotes."""
    inside = spot.word().strip('"').lower()
    kind = _KINDS.get(inside, inside)
    if spot.kind() != "TEXT" or "KIND" not in spot.accepted or TOKENS.get(kind) != "KIND":
        return None
    new = (like(spot.token, "KIND", kind),)
    return slip_at(spot.at, spot.at + 1, f"Write it without quotes: `{kind}`.", new)


def _bare_value(spot: Spot) -> Slip | None:
    """``fact visit.stage text = hot``: a text without its quotes, where no name can stand."""
    accepted = spot.accepted
    if spot.kind() != "NAME" or "NAME" in accepted or not {"TEXT", "NUMBER", "DATE"} <= accepted:
        return None
    word = spot.word()
    if word.lower() in ("yes", "no", "true", "false", "null", "none"):
        return None
    new = (like(spot.token, "TEXT", f'"{word}"'),)
    return slip_at(spot.at, spot.at + 1, f'Put it in quotes: `"{word}"`.', new)


def _message_of_address(spot: Spot) -> Slip | None:
    """``message Invite is "/invite.html"``."""
    if spot.block != "message" or spot.kind(-1) != "IS" or spot.kind() != "TEXT":
        return None
    if not spot.word().startswith(('"/', '"http')):
        return None
    here = spot.token
    new = (
        like(here, "PATH", "gpe.appendContent"), like(here, "LBRACE", "{"),
        like(here, "KEY", "url"), like(here, "COLON", ":"), here, like(here, "RBRACE", "}"),
    )  # fmt: skip
    hint = f"Write its channel too: `gpe.appendContent {{ url: {here} }}`."
    return slip_at(spot.at, spot.at + 1, hint, new)


def _quoted_value(spot: Spot) -> Slip | None:
    """``priority "80"``, ``except "2026-12-25"``: a value in quotes, where it stands without."""
    if spot.kind() != "TEXT" or "TEXT" in spot.accepted:
        return None
    inside = spot.word()[1:-1]
    for kind, written in _WRITTEN.items():
        if kind in spot.accepted and re.fullmatch(written, inside):
            new = (like(spot.token, kind, inside),)
            return slip_at(spot.at, spot.at + 1, f"Write `{inside}` without quotes.", new)
    return None


def _no_quotes(spot: Spot) -> Slip | None:
    """Words where only a text can stand."""
    if spot.accepted != {"TEXT"} or spot.kind() not in ("NAME", "SLASH", "PATH", "ODD"):
        return None
    words = list(takewhile(_is_text, spot.tokens[spot.at : spot.line_end]))
    if len(words) > _LONGEST:
        return None
    for length in range(len(words), 0, -1):
        end = spot.at + length
        text = f'"{" ".join(as_written(words[:length]).split())}"'
        new = (like(spot.token, "TEXT", text),)
        if spot.fits(spot.at, end, new) or length == len(words) == 1:
            return slip_at(spot.at, end, f"Put it in quotes: `{text}`.", new)
    return None


def _is_text(token: Token) -> bool:
    """May it belong to a text that lost its quotes?"""
    stops = ("TEXT", "LPAR", "RPAR", "LBRACE", "RBRACE", "LSQB", "COMMA", "NEVER", "ENFORCED",
             "EXCEPT", "BECAUSE")  # fmt: skip
    return token.type not in stops


NAMES: Final = (
    _quote_within, _quoted_hours, _quoted_kind, _bare_value, _message_of_address, _no_name,
    _address, _dotted, _kind_first, _quoted_value, _quoted_name, _no_quotes,
)  # fmt: skip
"""Each, in the order in which they are tried."""

LATE: Final = (_one_name,)
"""What is only meant when no other word is."""
