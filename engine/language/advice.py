"""The way out of a word that cannot stand where it does: what its author most likely meant.

The parser knows what the grammar would take; here that becomes a sentence in the author's words.
First come the habits of other languages, place by place, then what may stand there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lark import Token

from engine.language.diagnostics import one_of
from engine.language.lexer import PHRASES, RESERVED, SIGNS
from engine.language.spelling import nearest
from engine.vocabulary.words import DECLARATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is wrong: the tokens before it, what the grammar would take instead, the
    keyword of the block, whether the token begins a line, and that line from the token on."""

    before: Sequence[Token]
    accepted: set[str]
    block: str
    fresh: bool
    line: str

    def last(self, back: int = 1) -> str:
        """What stands so many tokens before."""
        return str(self.before[-back]) if len(self.before) >= back else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to say: a code and the words of its sentence. ``leave_out``: go on without the token."""

    code: str
    words: dict[str, Any]
    leave_out: bool = False


_WORDS: Final = {
    "NAME": "a name",
    "LBRACE": "a record such as `{ key: value }`",
    "PATH": "a name with a dot, such as `event.price`",
    "FIELD": "a field, such as `price number`",
    "KEY": "`key: value`",
    "TEXT": 'a text in "quotes"',
    "NUMBER": "a number",
    "DURATION": "a time such as `30 s`",
    "DATE": "a date such as `2026-11-23`",
    "CLOCK": "a time of day such as `10:00`",
    "KIND": "`text`, `number` or `boolean`",
    "COMPARISON": "a comparison such as `>=`",
    "FUNCTION": "`count(..)`",
    "PERCENT": "a share such as `50%`",
    "DAYS": "days such as `Mon-Fri`",
    "CLOCK_SPAN": "times such as `09:00-18:00`",
    "FIELD_FUNCTION": "`latest(..)`",
    "TRUE": "`true`",
    "FALSE": "`false`",
    "ELSE": "`else`",
    "REASON": "a reason such as `limit`",
}
_DOTTED: Final = {
    "fact": "a name such as `visitor.vip` or `visit.stage`",
    "set": "a fact such as `visit.stage`",
    "given": "a fact such as `visitor.vip`",
    "is": "a channel such as `gpe.appendContent`",
    "channel": "a name with a dot, such as `shop.banner`",
    "(": "a field of an event, such as `AddToCart.price`",
}
_SELDOM: Final = (
    "PLUS", "MINUS", "STAR", "SLASH", "BROKEN", "FALSE", "REASON", "LIST_OF", "TO_PAGE",
    "TO_EVERY_PAGE", "LPAR", "COLON", "AS",
)  # fmt: skip
_VALUES: Final = frozenset(("NUMBER", "TEXT", "PATH", "DURATION", "FUNCTION", "LPAR"))
_SCENARIO: Final = frozenset(("GIVEN", "EXPECT", "AFTER", "LEAVES"))
_CAPTURES: Final = (
    "Write one of `capture on click of`, `on submit of`, `on key`, `on timer`, `on scroll to`, "
    "`on exit intent` and `on visible`."
)

_COMPARISONS: Final = {
    "has": "contains includes include like ilike containing",
    "=": "equals equal eq is == isequalto",
    "!=": "ne neq isnt differs not",
    ">": "gt greater above exceeds over more bigger larger",
    "<": "lt less below under fewer smaller",
    ">=": "ge gte atleast",
    "<=": "le lte atmost",
    "matches": "regex matching rlike regexp match ~",
    "starts with": "startswith begins beginswith starts",
    "ends with": "endswith ends",
}
_COMPARED: Final = {word: sign for sign, words in _COMPARISONS.items() for word in words.split()}
_KINDS: Final = {
    "number": "float int integer decimal double money currency long real numeric price amount",
    "text": "string str varchar char uuid url",
    "boolean": "bool flag yesno bit",
    "time": "date datetime timestamp",
    "list of text": "array list set",
}
_KIND: Final = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_FUNCTIONS: Final = {"avg": "average", "mean": "average", "maximum": "max", "minimum": "min",
                     "total": "sum", "exists": "seen", "first": "latest"}  # fmt: skip
_NUMBERS: Final = {
    word: number
    for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)  # noqa: SIM905
}
_NO_ELSE: Final = "There is no `else`: write another rule, with its own `on` and `when`."
_INDENTED: Final = "Leave it out; what is indented belongs together."
_LINE_WORDS: Final = {
    "else": _NO_ELSE, "elseif": _NO_ELSE, "elif": _NO_ELSE, "otherwise": _NO_ELSE,
    "endif": _INDENTED, "end": _INDENTED, "then": _INDENTED, "do": _INDENTED, "begin": _INDENTED,
    "if": "Write `on ..` for what happens, then `when ..`.",
    "rule": "Begin with `on ..`; a rule has no name.",
    "return": "Leave it out; a rule ends with its last action.",
    "trigger": "Begin with `on ..`.", "condition": "Begin with `when ..`.",
    "action": "Begin with `send ..`.", "show": "Write `send` and the name of a message.",
    "valid": "Write `valid for 30 s`.", "enabled": "Write `active from .. until ..`.",
}  # fmt: skip
_STORY_WORDS: Final = {
    "enters": "visits goes browses navigates loads views comes",
    "leaves": "closes exits quits",
}
_STORY: Final = {word: known for known, words in _STORY_WORDS.items() for word in words.split()}


def advise(token: Token, place: Place) -> Advice:
    """What to say of a token that the grammar does not take at this place."""
    for thought in (
        _noise, _reserved, _order, _behaviour, _condition, _values, _records, _text, _names, _story,
        _kinds, _declared, _glued,
    ):  # fmt: skip
        found = thought(token, place)
        if found is not None:
            return found if isinstance(found, Advice) else _cannot(found)
    return _cannot(f"Write {expected(str(token), place)}.")


def _cannot(hint: str, *, leave_out: bool = False) -> Advice:
    return Advice(code="S002", words={"hint": hint}, leave_out=leave_out)


def _foreign(fixed: str) -> Advice:
    return Advice(code="S007", words={"fixed": fixed})


def expected(word: str, place: Place) -> str:
    """What may stand there, nearest first when something is near."""
    known = plain_words(place.accepted)
    if near := nearest(word, known):
        return f"`{near}`"
    return one_of(_phrases(place), most=6)


def plain_words(accepted: set[str]) -> list[str]:
    """The words that may stand there, as an author writes them."""
    words = [kind.lower() for kind in accepted if kind.lower() in RESERVED]
    words += [PHRASES[kind] for kind in accepted if kind in PHRASES]
    if "COMPARISON" in accepted:
        words += ["has", "starts with", "ends with", "matches"]
    if "FUNCTION" in accepted:
        words += ["count", "seen", "latest", "sum", "min", "max", "average"]
    if "KIND" in accepted:
        words += ["text", "number", "boolean"]
    return words


def _phrases(place: Place) -> list[str]:
    accepted = place.accepted
    if accepted >= _VALUES:
        return ["a value, such as `100`, `event.price` or a text in quotes"]
    if accepted >= _SCENARIO:
        return ["a step, such as `after 30 s`, `visitor enters ..`, an event or `expect ..`"]
    seldom = accepted - {"$END"} - set(_SELDOM)
    ranked = sorted(seldom or accepted - {"$END"}, key=lambda kind: (kind in SIGNS, kind))
    if "KEY" in ranked and "RBRACE" in ranked:
        ranked = ["KEY", "RBRACE"]
    if place.block == "event" and "FIELD" in ranked:
        ranked = ["FIELD", "CAPTURE_CLICK"]
    return [_phrase(kind, place) for kind in ranked]


def _phrase(kind: str, place: Place) -> str:
    if kind == "PATH":
        return _DOTTED.get(place.last(), _WORDS[kind])
    if kind in _WORDS:
        return _WORDS[kind]
    return f"`{SIGNS.get(kind) or PHRASES.get(kind) or kind.lower()}`"


# ------------------------------------------------- habits, place by place

_Thought = Advice | str | None


def _noise(token: Token, place: Place) -> _Thought:
    """Signs that shape other languages and mean nothing here."""
    sign, clause = token.type, bool({"ON", "SEND", "$END"} & place.accepted)
    if sign == "LBRACE" and place.last(2) == "send":
        return "Write a channel with its dot before it, such as `gpe.appendContent`."
    if sign == "LBRACE" and clause and place.last() != ")":
        return _cannot(_INDENTED, leave_out=True)
    if sign == "RBRACE" and clause:
        return _cannot("Leave it out; nothing is open here.", leave_out=True)
    if sign in ("RPAR", "RSQB") and clause:
        return _cannot("Leave it out; nothing is open here.", leave_out=True)
    if sign == "COLON" and "KIND" in place.accepted:
        return _cannot("Leave it out: `price number`.", leave_out=True)
    if sign == "COLON" and not {"LBRACE", "RPAR", "RBRACE"} & place.accepted:
        return _cannot("Leave it out.", leave_out=True)
    if sign in ("MINUS", "STAR") and place.fresh:
        return _cannot("Leave it out; a new line is enough.", leave_out=True)
    if sign == "EQUAL" and place.accepted <= {"NUMBER", "MINUS", "TEXT", "NAME", "PERCENT"}:
        return _cannot("Leave it out.", leave_out=True)
    if sign == "COMMA" and "SEND" in place.accepted:
        return "Write each action with its own word: `send ..`, and again `send ..`."
    return None


def _reserved(token: Token, place: Place) -> _Thought:
    word = str(token)
    if "NAME" not in place.accepted or place.fresh or word not in RESERVED:
        return None
    if place.last() == "in" and token.type == "LPAR":
        return None
    if place.block == "event" and "FIELD" in place.accepted:
        return None
    return Advice(code="S008", words={"fixed": word.capitalize()})


def _order(token: Token, place: Place) -> _Thought:
    """Clauses of a strategy in another order than `header, on, when, unless, actions`."""
    word, accepted = token.type, place.accepted
    if place.block not in ("strategy", "table") or not (place.fresh or word == "BROKEN"):
        return None
    lower = str(token).lower()
    if str(token) != lower and lower in plain_words(accepted):
        return f"Write `{lower}`."
    if lower in _LINE_WORDS and token.type in ("NAME", "ELSE", "THEN"):
        return _cannot(_LINE_WORDS[lower])
    if word in ("WHEN", "UNLESS", "SEND", "SET", "ATTACH") and "SEND" not in accepted:
        return "Write `on ..` above it: what must happen first." if "ON" in accepted else None
    if word == "WHEN" and "SEND" in accepted:
        if "UNLESS" in accepted:
            return "Join both conditions with `and`."
        clauses = ("SEND", "SET", "UNLESS", "ATTACH")
        last = next((t.type for t in reversed(place.before) if t.type in clauses), "")
        where = "above `unless`" if last == "UNLESS" else "above the actions of its rule"
        return f"Write it {where}."
    if word == "UNLESS" and "SEND" in accepted:
        return "Write it above the actions of its rule; join several with `or`."
    headers = ("PRIORITY", "GROUP", "HOURS", "LIMIT", "OWNER", "DESCRIPTION", "ACTIVE", "AUDIENCE",
               "VALID_FOR")  # fmt: skip
    if word in headers and "SEND" in accepted:
        return "Write it above the first `on` of the strategy."
    return None


def _behaviour(token: Token, place: Place) -> _Thought:
    """After the event of a pattern."""
    word, accepted = str(token), place.accepted
    if token.type == "TIMES" and place.last().lower() in _NUMBERS:
        return f"Write the number in digits: `{_NUMBERS[place.last().lower()]} times`."
    if place.last() == "in" and accepted == {"NAME"}:
        if token.type == "TEXT":
            return f"Write the name of a category, without quotes: `{word[1:-1]}`."
        if token.type == "LPAR":
            return "Write the categories without brackets: `in Checkout or Products`."
    if "COMMA" not in accepted or not {"WHERE", "WHEN", "UNLESS"} & accepted:
        return None
    if token.type in ("STAYS", "WITHIN", "THEN", "PER"):
        return f"Put a comma before it: `, {word} ..`."
    if token.type == "NUMBER" and "times" in place.line:
        return f"Write it before the event: `{word} times {place.last()}`."
    if "WHERE" in accepted and token.type == "AND":
        return "Write `, then ..` for one after the other, or `all of (A, B)` for any order."
    if "WHERE" in accepted and token.type == "FOR":
        return "Write `, stays 30 s` for a page that stays open so long."
    return None


def _condition(token: Token, place: Place) -> _Thought:
    """Within a condition: comparisons and joints of other languages."""
    word, accepted = str(token), place.accepted
    lower = word.lower()
    if word != lower and lower in ("and", "or", "not") and lower in plain_words(accepted):
        return _foreign(lower)
    if "WHERE" in accepted and token.type == "OR" and "IN" in accepted:
        return "Write `any of (A, B)` for one event or another."
    if "COMPARISON" in accepted:
        return _comparison(token, place)
    if token.type in ("COMPARISON", "EQUAL") and "AND" in accepted:
        return "Compare two values at a time, and join with `and`: `x > 1 and x < 5`."
    if place.last() == "in" and accepted == {"LPAR"}:
        return 'Put the values in brackets: `in ("Sat", "Sun")`.'
    if "AND" in accepted and token.type in ("THEN", "NAME") and lower in _LINE_WORDS:
        return _LINE_WORDS[lower]
    if token.type == "NUMBER" and place.before and place.before[-1].type == "NUMBER":
        return "Write a number without spaces."
    return None


def _comparison(token: Token, place: Place) -> _Thought:
    word, left = str(token).lower(), place.last()
    if left in ("NOT", "Not", "AND", "OR", "And", "Or") and token.type in ("PATH", "LPAR", "NAME"):
        if token.type == "LPAR" and left.lower() != "not":
            return f"Write `{left.lower()}` between conditions: `a {left.lower()} b`."
        return f"Write `{left.lower()}` in small letters."
    if token.type == "LPAR":
        known = _FUNCTIONS.get(left.lower()) or nearest(left, plain_words({"FUNCTION"}))
        if left.lower() in ("if", "iif"):
            return "There is no `if` in a condition; write the condition itself."
        return f"Write `{known}(..)`." if known else (
            f"`{left}` is no function; there are `count`, `seen`, `since`, `latest`, `sum`, `min`, "
            "`max` and `average`."
        )  # fmt: skip
    if word == "between":
        return f"Write both ends: `{left} >= 3 and {left} <= 5`."
    rest = " ".join(place.line.lower().split())
    if re.match(r"is (not )?(null|none|undefined|empty|nil|missing|known|set)\b", rest):
        return _foreign("is known" if rest.startswith("is not") or " set" in rest else "is missing")
    if rest.startswith(("is not", "not equal", "isn't")):
        return _foreign("!=")
    if rest.startswith("not in"):
        return f"Write `not ({left} in (..))`."
    if word == "is":
        sign = _COMPARED.get(rest.split()[1]) if len(rest.split()) > 1 else None
        return _foreign(f"{sign}=" if sign in ("<", ">") and "or equal" in rest else sign or "=")
    return _foreign(_COMPARED[word]) if word in _COMPARED else None


def _values(token: Token, place: Place) -> _Thought:
    """Where a value belongs."""
    word, accepted = str(token), place.accepted
    lower = word.lower()
    if lower in ("true", "yes", "on") and "TRUE" in accepted and token.type != "TEXT":
        return "Write `true`."
    if lower in ("false", "no", "off") and "FALSE" in accepted and token.type != "TEXT":
        return "Write `false`."
    if token.type == "PERCENT" and "NUMBER" in accepted:
        share = float(re.sub(r"[^\d.]", "", word)) / 100
        return f"Write a number: `{share:g}`."
    if token.type == "NUMBER" and accepted == {"PERCENT"}:
        return f"Write a share: `{word}%`."
    if token.type == "COMPARISON" and re.match(r"</?[a-zA-Z!]", place.line):
        return 'Put HTML in quotes, `"..."`, or in three on each side when it holds quotes.'
    if token.type == "TEXT" and {"COMMA", "RBRACE"} <= accepted:
        return 'Write `\\"` for a quote within a text, or put three quotes on each side.'
    if "THIS_VISIT" in accepted and lower in ("visit", "page"):
        return f"Write `this {lower}`."
    return None


def _records(token: Token, place: Place) -> _Thought:
    """In the brackets of records, messages and functions."""
    word, accepted = str(token), place.accepted
    if {"KEY", "RBRACE"} <= accepted and "= " in place.line:
        return f"Write a colon: `{word}: ..`."
    if token.type in ("NAME", "KEY") and {"COMMA", "RBRACE"} <= accepted:
        return "Put a comma before it."
    if token.type == "COLON" and "RPAR" in accepted:
        return "Write the values alone, in the order of the parameters."
    if token.type == "PATH" and place.last(2) in ("count", "seen"):
        return f"Name the event alone: `{word.split('.')[0]}`."
    asked = any(t.type in ("FUNCTION", "FIELD_FUNCTION") for t in place.before[-4:])
    if token.type == "RPAR" and "COMMA" in accepted and asked:
        return "Say since when it counts: `, this visit` or `, last 10 min`."
    if token.type == "NAME" and "PATH" in accepted and place.last(2) in (
        "latest", "sum", "min", "max", "average",
    ):  # fmt: skip
        return f"Name a field of it, such as `{word}.price`."
    return None


def _text(token: Token, place: Place) -> _Thought:
    """A text without its quotes, or a name with them."""
    word, accepted = str(token), place.accepted
    if accepted == {"TEXT"} and token.type not in ("COLON", "EQUAL", "$END"):
        words = re.split(r"\s+(?:#|\{|is\b|from\b|stays\b|for\b)", place.line.strip())[0].rstrip(
            " :,"
        )
        return f'Put it in quotes: `"{words[:60]}"`.'
    if accepted == {"NAME"} and token.type == "TEXT":
        name = re.sub(r"\W", "", word.title() if " " in word else word)
        return f"Write one word without quotes: `{name or 'Checkout'}`."
    if token.type == "TEXT" and {"NAME", "PATH"} <= accepted and place.last() == "send":
        return (
            f"Name a message, without quotes: `{re.sub(r'[^a-zA-Z0-9_]', '', word) or 'Invite'}`."
        )
    if word == "/" and "PATH" in accepted:
        address = place.line.split()[0]
        return f'Put the address in quotes: `"{address}"`.'
    if token.type in ("STAR", "SLASH") and place.last() in ("/", "*"):
        return 'Put an address in quotes: `"/checkout/**"`.'
    return None


def _names(token: Token, place: Place) -> _Thought:
    """The name of a declaration in two words, or no `is` behind it."""
    if place.block not in DECLARATIONS or len(place.before) != 2 or "IS" not in place.accepted:
        return None
    if token.type == "EQUAL":
        return "Write `is`."
    if token.type in ("NAME", "MINUS"):
        words = re.split(r"\bis\b", place.line)[0]
        parts = re.findall(r"\w+", f"{place.last()} {words}")[:4]
        return f"A name is one word: `{''.join(part[:1].upper() + part[1:] for part in parts)}`."
    return None


def _story(token: Token, place: Place) -> _Thought:
    """Within a scenario."""
    word = str(token).lower()
    if place.block != "scenario":
        return None
    if word in _STORY and "ENTERS" in place.accepted:
        return f"Write `{_STORY[word]}`."
    if token.type == "DURATION" and place.last().lower() in ("wait", "sleep", "pause", "in"):
        return f"Write `after {word}`."
    if word == "not" and place.last() == "expect":
        return "Write `expect nothing`, or what is expected."
    if token.type == "LPAR" and "LBRACE" in place.accepted:
        return "Put the fields in braces: `{ price: 3 }`."
    if token.type == "COLON" and place.before:
        return _cannot("Leave it out.", leave_out=True)
    return None


def _kinds(token: Token, place: Place) -> _Thought:
    """Within an event: kinds, captures, where a field comes from."""
    word, lower, accepted = str(token), str(token).lower(), place.accepted
    if "KIND" in accepted and place.last() == "capture":
        return _CAPTURES
    if token.type.startswith("CAPTURE") and place.block != "event":
        return "Write it in an `event`: there the page learns what to watch."
    if place.block == "event" and token.type == "FROM":
        return "Write `from text of`, `from value of`, `from attribute` or `from variable`."
    if token.type == "LSQB" and place.before and place.before[-1].type == "KIND":
        return f"Write `list of {place.last()}`."
    if "KIND" in accepted and lower in _KIND:
        return f"Write `{_KIND[lower]}`."
    if token.type == "KIND" and place.fresh and place.block == "event":
        rest = place.line.split()
        return f"Write the name first: `{rest[1] if len(rest) > 1 else 'price'} {word}`."
    return None


def _declared(token: Token, place: Place) -> _Thought:
    """Within declarations: limits, dates, messages, guarantees."""
    word, lower, accepted = str(token), str(token).lower(), place.accepted
    if place.last() == "per" and lower in ("day", "hour", "week", "minute", "month", "session"):
        times = {"day": "in 1 d", "hour": "in 1 h", "week": "in 7 d", "minute": "in 1 min",
                 "month": "in 30 d", "session": "per visit"}  # fmt: skip
        return f"Write `{times[lower]}`."
    if lower in ("to", "till", "through") and place.before and place.before[-1].type == "DATE":
        return "Write `until`."
    if token.type == "NAME" and lower in ("to", "as") and "EQUAL" in accepted:
        return "Write `=`."
    if lower == "to" and "TO_PAGE" in accepted:
        return "Write `to every page`, or nothing for the page of the event."
    if accepted == {"LPAR"} and place.last() == "never":
        return "Put the behaviour in brackets: `never (..)`."
    if token.type == "LPAR" and "NEVER" in accepted:
        return "Write `never` before it."
    if token.type == "LBRACE" and accepted == {"PATH"}:
        return "Write a channel before it, such as `gpe.appendContent`."
    if word in DECLARATIONS and place.fresh:
        return "Write it in the first column."
    return None


def _glued(token: Token, place: Place) -> _Thought:
    """`inCheckout` for `in Checkout`."""
    word = str(token)
    for keyword in sorted(plain_words(place.accepted), key=len, reverse=True):
        rest = word[len(keyword) :]
        if len(keyword) > 1 and word.startswith(keyword) and rest[:1].isupper():
            return Advice(code="S006", words={"fixed": f"{keyword} {rest}"})
    return None
