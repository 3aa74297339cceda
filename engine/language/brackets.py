"""Brackets and lists that were written in another way: ``seen[A, 1 h]``, ``both A and B``."""

from __future__ import annotations

from typing import Final

from lark import Token

from engine.language.spot import PAIRS, Slip, Spot, as_written, like, slip_at

_SIGN: Final = {"LPAR": "(", "RPAR": ")", "LBRACE": "{", "RBRACE": "}"}
_VALUES: Final = frozenset(("TEXT", "NUMBER", "NAME", "DURATION", "DATE", "PATH", "TRUE", "FALSE"))
_SHOWN: Final = 40
_SEVERAL: Final = {"all": "ALL_OF", "both": "ALL_OF", "any": "ANY_OF", "either": "ANY_OF"}


def _brackets(spot: Spot) -> Slip | None:
    """Brackets of another kind than belong here: ``seen[..]``, ``Order(total: 3)``."""
    opening = spot.kind()
    if opening in ("LPAR", "LSQB") and "WHERE" in spot.accepted:
        return _in_brackets(spot)
    wanted = next((kind for kind in ("LPAR", "LBRACE") if kind in spot.accepted), "")
    if opening not in PAIRS or not wanted or wanted == opening:
        return None
    end = spot.closing(spot.at)
    if end < 0 or (wanted == "LBRACE" and spot.kind(2) != "COLON" and end > spot.at + 1):
        return None
    inside = spot.tokens[spot.at + 1 : end]
    if wanted == "LBRACE":
        ends = {i for i, token in enumerate(inside) if token.type == "COLON"}
        inside = [
            like(token, "KEY", str(token)) if i + 1 in ends else token
            for i, token in enumerate(inside)
        ]
    closed = PAIRS[wanted]
    new = [
        like(spot.token, wanted, _SIGN[wanted]), *inside,
        like(spot.tokens[end], closed, _SIGN[closed]),
    ]  # fmt: skip
    if not spot.reads(spot.at, [token.type for token in new]):
        return None
    name = "round brackets" if wanted == "LPAR" else "braces"
    inner = as_written(inside)
    inner = inner if 0 < len(inner) < _SHOWN else ".."
    shown = f"{{ {inner} }}" if wanted == "LBRACE" else f"({inner})"
    return Slip(begin=spot.at, end=end + 1, hint=f"Write {name}: `{shown}`.", tokens=tuple(new))


def _in_brackets(spot: Spot) -> Slip | None:
    """``Order(total > 3)``: a condition on the event."""
    end = spot.closing(spot.at)
    inside = spot.tokens[spot.at + 1 : end]
    if end < 0 or not any(token.type in ("COMPARISON", "EQUAL") for token in inside):
        return None
    new = [
        like(spot.token, "WHERE", "where"), like(spot.token, "LPAR", "("), *inside,
        like(spot.tokens[end], "RPAR", ")"),
    ]  # fmt: skip
    if not spot.reads(spot.at, [token.type for token in new]):
        return None
    return slip_at(spot.at, end + 1, f"Write `where {as_written(inside)}`.", new)


def _keys(spot: Spot) -> Slip | None:
    """``{ total = 3 }``: a colon belongs behind each key."""
    if "KEY" not in spot.accepted or spot.kind(1) != "EQUAL":
        return None
    opening = next((i for i in range(spot.at, -1, -1) if spot.tokens[i].type == "LBRACE"), spot.at)
    end = spot.closing(opening)
    inside = spot.tokens[spot.at : end if end > 0 else spot.line_end]
    new: list[Token] = []
    for place, token in enumerate(inside):
        is_key = [t.type for t in inside[place + 1 : place + 2]] == ["EQUAL"]
        is_sign = place > 0 and token.type == "EQUAL" and new[-1].type == "KEY"
        new.append(
            like(token, "KEY", str(token)) if is_key
            else like(token, "COLON", ":") if is_sign else token
        )  # fmt: skip
    found = slip_at(spot.at, spot.at + len(inside), f"Write a colon: `{spot.token}: ..`.", new)
    return found if spot.fits(spot.at, found.end, new) else None


def _meaning_in_braces(spot: Spot) -> Slip | None:
    """``category Checkout { url "/checkout" }``."""
    end = spot.closing(spot.at) if spot.kind() == "LBRACE" else -1
    if spot.at != 2 or "IS" not in spot.accepted or end < 0:
        return None
    new = (like(spot.token, "IS", "is"), *spot.tokens[spot.at + 1 : end])
    shown = as_written(list(new[1:]))
    return slip_at(spot.at, end + 1, f"Write `is {shown}`.", new)


def _categories(spot: Spot) -> Slip | None:
    """``in Checkout, Products``: one category or another."""
    if [spot.kind(ahead) for ahead in (-3, -2, -1, 0)] not in (
        ["IN", "NAME", "COMMA", "NAME"], ["OR", "NAME", "COMMA", "NAME"],
    ):  # fmt: skip
        return None
    if not spot.word()[:1].isupper():  # a clause that is misspelt
        return None
    new = (like(spot.tokens[spot.at - 1], "OR", "or"), spot.token)
    if not spot.fits(spot.at - 1, spot.at + 1, new):
        return None
    return slip_at(spot.at - 1, spot.at + 1, f"Write `or {spot.token}`.", new)


def _colon(spot: Spot) -> Slip | None:
    """``{ price 3 }``: a key without its colon."""
    if "KEY" not in spot.accepted or spot.kind() not in ("NAME", "KIND", "TEXT"):
        return None
    if spot.kind(1) not in _VALUES | {"KIND"} or spot.kind(1) == "COLON":
        return None
    new = (like(spot.token, "KEY", spot.word()), like(spot.token, "COLON", ":"))
    if not spot.reads(spot.at, [*(t.type for t in new), spot.kind(1)]):
        return None
    return slip_at(spot.at, spot.at + 1, f"Write a colon behind it: `{spot.word()}: ..`.", new)


def _parameters(spot: Spot) -> Slip | None:
    """``message Offer(price: number)``, ``message Offer price``."""
    if spot.block != "message":
        return None
    if spot.kind() == "COLON" and spot.kind(1) == "KIND" and "RPAR" in spot.accepted:
        hint = "Leave it out; a parameter has no kind."
        return slip_at(spot.at, spot.at + 2, hint, ())
    if spot.at == 2 and spot.kind() == "NAME" and spot.word()[:1].islower():
        here = spot.token
        new = (like(here, "LPAR", "("), here, like(here, "RPAR", ")"))
        hint = f"Put it in brackets: `{spot.word(-1)}({here})`."
        return slip_at(2, 3, hint, new) if spot.fits(2, 3, new) else None
    return None


def _bare_list(spot: Spot) -> Slip | None:
    """``in "a", "b"``: a list without its brackets."""
    if spot.kind(-1) != "IN" or "LPAR" not in spot.accepted or spot.kind() not in _VALUES:
        return None
    end = spot.at + 1
    while spot.tokens[end : end + 1] and spot.tokens[end].type in ("COMMA", "OR"):
        if end + 1 >= len(spot.tokens) or spot.tokens[end + 1].type not in _VALUES:
            break
        end += 2
    values = [
        like(token, "COMMA", ",") if token.type == "OR" else token
        for token in spot.tokens[spot.at : end]
    ]
    new = (like(spot.token, "LPAR", "("), *values, like(spot.tokens[end - 1], "RPAR", ")"))
    listed = ", ".join(str(token) for token in values if token.type != "COMMA")
    return slip_at(spot.at, end, f"Put the values in brackets: `in ({listed})`.", new)


def _more_addresses(spot: Spot) -> Slip | None:
    """``url "/a", "/b"``."""
    here = [spot.kind(ahead) for ahead in (-2, -1, 0, 1)]
    if spot.block != "category" or here != ["NAME", "TEXT", "COMMA", "TEXT"]:
        return None
    new = (like(spot.token, "OR", "or"), spot.tokens[spot.at - 2], spot.tokens[spot.at + 1])
    hint = f"Write `or {spot.word(-2)} {spot.word(1)}`."
    return slip_at(spot.at, spot.at + 2, hint, new)


def _unbracketed(spot: Spot) -> Slip | None:
    """``never Order, then sent Invite``: what is forbidden without its brackets."""
    if spot.accepted != {"LPAR"} or spot.kind(-1) != "NEVER":
        return None
    rest = spot.tokens[spot.at :]
    new = [like(rest[0], "LPAR", "("), *rest, like(rest[-1], "RPAR", ")")]
    good = spot.reads(spot.at, [*(token.type for token in new), "$END"])
    hint = "Put the behaviour in brackets: `never (..)`."
    return slip_at(spot.at, len(spot.tokens), hint, new) if good else None


def _several(spot: Spot) -> Slip | None:
    """``all of A, B``, ``both A and B``, ``A or B``: events that belong in brackets."""
    begin = next(
        (b for b in (spot.at, spot.at - 1, spot.at - 2)
         if b >= spot.line_begin and str(spot.tokens[b]).lower() in _SEVERAL), spot.at - 1,
    )  # fmt: skip
    if begin < 0 or "ALL_OF" not in spot.accepts(begin) or spot.at - begin > 2:
        return None
    kind = _SEVERAL.get(str(spot.tokens[begin]).lower(), "")
    first = begin + bool(kind)
    first += first < len(spot.tokens) and spot.tokens[first].type == "OF"
    opening = first if first < len(spot.tokens) and spot.tokens[first].type == "LSQB" else -1
    first += opening >= 0
    if not kind:
        kind = "ANY_OF" if spot.kind() == "OR" else ""
    names, end = _listed(spot, first)
    end += opening >= 0 and [t.type for t in spot.tokens[end : end + 1]] == ["RSQB"]
    if not kind or len(names) < 2 or spot.broken_line(begin, end):
        return None
    phrase = "all of" if kind == "ALL_OF" else "any of"
    at = spot.tokens[begin]
    new = [like(at, kind, phrase), like(at, "LPAR", "(")]
    for place, name in enumerate(names):
        new += [like(name, "COMMA", ",")] * bool(place) + [name]
    new.append(like(names[-1], "RPAR", ")"))
    if not spot.reads(begin, [token.type for token in new]):
        return None
    shown = f"{phrase} ({', '.join(map(str, names))})"
    return slip_at(begin, end, f"Write `{shown}`.", new)


def _listed(spot: Spot, first: int) -> tuple[list[Token], int]:
    """The names of ``A, B and C``, and where they end."""
    names, end = [], first
    while end < len(spot.tokens) and spot.tokens[end].type == "NAME":
        names.append(spot.tokens[end])
        end += 1
        following = [token.type for token in spot.tokens[end : end + 2]]
        if following[1:] != ["NAME"] or following[0] not in ("COMMA", "AND", "OR"):
            break
        end += 1
    return names, end


def _arguments(spot: Spot) -> Slip | None:
    """Values of a message: ``Banner "Hello"``, ``Banner { words: "Hello" }``, ``Invite()``."""
    if spot.kind() == "RPAR" and spot.kind(-1) == "LPAR" and spot.kind(-3) == "SEND":
        name = spot.tokens[spot.at - 2]
        return slip_at(spot.at - 2, spot.at + 1, f"Write `{name}` alone.", (name,))
    if spot.kind(-1) != "NAME" or spot.kind(-2) not in ("SEND", "SENT"):
        return None
    if spot.kind(-2) == "SEND" and spot.kind() == "TEXT":
        here = spot.token
        new = (like(here, "LPAR", "("), here, like(here, "RPAR", ")"))
        hint = f"Put the value in brackets: `{spot.word(-1)}({here})`."
        return slip_at(spot.at, spot.at + 1, hint, new)
    if spot.kind(-2) == "SEND" and spot.kind() == "LBRACE" and "LPAR" in spot.accepted:
        end = spot.closing(spot.at)
        inside = [t for t in spot.tokens[spot.at + 1 : end] if t.type not in ("KEY", "COLON")]
        shown = f"{spot.word(-1)}({as_written(inside)})"
        values = [like(spot.token, "LPAR", "("), *inside, like(spot.tokens[end], "RPAR", ")")]
        hint = f"Write the values alone, in brackets: `{shown}`."
        return slip_at(spot.at, end + 1, hint, values) if end > 0 and inside else None
    if spot.kind() == "LPAR" and "WITH" in spot.accepted:
        end = spot.closing(spot.at)
        hint = "Write what the page gets: `with { field: value }`."
        return slip_at(spot.at, end + 1, hint, ()) if end > 0 else None
    return None


def _named_value(spot: Spot) -> Slip | None:
    """``Banner(words: "Hello")``: values have their places, not names."""
    if spot.kind() not in ("COLON", "EQUAL") or spot.kind(-1) != "NAME":
        return None
    if spot.kind(-2) not in ("LPAR", "COMMA") or "RPAR" not in spot.accepted:
        return None
    hint = "Write the values alone, in the order of the parameters."
    return (
        slip_at(spot.at - 1, spot.at + 1, hint, ())
        if spot.fits(spot.at - 1, spot.at + 1, ())
        else None
    )


BRACKETS: Final = (
    _categories, _colon, _parameters, _meaning_in_braces, _keys, _arguments, _named_value,
    _brackets, _bare_list, _more_addresses,
    _several, _unbracketed,
)  # fmt: skip
"""Each, in the order in which they are tried."""
