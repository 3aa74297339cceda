"""The way out of a word that cannot stand where it does, when it cannot be read as what was meant.

The parser knows what the grammar would take; here that becomes a sentence in the author's words.
First comes what is known of such a place, then what may stand there. Slips that are read as meant
are in ``slips.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from engine.language.diagnostics import one_of
from engine.language.lexer import PHRASES, RESERVED, SIGNS
from engine.language.spelling import nearest
from engine.language.spot import Spot
from engine.vocabulary.words import DECLARATIONS


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
_TOGETHER: Final = (
    (
        {"NUMBER", "TEXT", "PATH", "DURATION", "FUNCTION", "LPAR"},
        "a value, such as `100`, `event.price` or a text in quotes",
    ),
    (
        {"GIVEN", "EXPECT", "AFTER", "LEAVES"},
        "a step, such as `after 30 s`, `visitor enters ..`, an event or `expect ..`",
    ),
    (
        {"WHERE", "COMMA", "SEND"},
        "`in ..`, `where ..` or `, then ..` here, or on the next line `when ..`, `unless ..` or "
        "`send ..`",
    ),
    (
        {"OR", "COMMA", "SEND", "WHEN"},
        "`where ..` or `, then ..` here, or on the next line `when ..`, `unless ..` or `send ..`",
    ),
    (
        {"COMPARISON", "IS_KNOWN", "AND"},
        "a comparison such as `>= 100`, or join another condition with `and` or `or`",
    ),
    (
        {"AND", "OR", "SEND"},
        "`and` or `or` before another condition; on a line of its own begins `send ..` or `set ..`",
    ),
    (
        {"SEND", "SET", "ATTACH"},
        "what to do on a line of its own: `send ..`, `set ..` or `attach ..`",
    ),
    (
        {"PRIORITY", "LIMIT", "AUDIENCE"},
        "`group`, `limit`, `priority`, `hours`, `active`, `audience`, `description`, `owner` "
        "or `on`",
    ),
)  # fmt: skip
"""What belongs together is said as one: when all of these fit, the sentence."""

_NO_ELSE: Final = "There is no `else`: write another rule, with its own `on` and `when`."
_INDENTED: Final = "Leave it out; what is indented belongs together."
_NO_WAITING: Final = "To wait, write `, stays 30 s` or `, then no .. for 30 s` behind `on ..`."
_LAST_DAY: Final = "Write `active until ..`, with its last day."
_LINE_WORDS: Final = {
    "else": _NO_ELSE, "elseif": _NO_ELSE, "elif": _NO_ELSE, "otherwise": _NO_ELSE,
    "endif": _INDENTED, "end": _INDENTED, "then": _INDENTED, "do": _INDENTED, "begin": _INDENTED,
    "if": "Write `on ..` for what happens, then `when ..`.",
    "rule": "Begin with `on ..`; a rule has no name.",
    "return": "Leave it out; a rule ends with its last action.",
    "stop": "Leave it out; a rule ends with its last action.",
    "exit": "Leave it out; a rule ends with its last action.",
    "trigger": "Begin with `on ..`.", "condition": "Begin with `when ..`.",
    "action": "Begin with `send ..`.",
    "enabled": "Write `active from .. until ..`.", "inactive": _LAST_DAY, "disabled": _LAST_DAY,
    "wait": _NO_WAITING, "after": _NO_WAITING, "delay": _NO_WAITING, "pause": _NO_WAITING,
    "never": "What must never happen is a `guarantee`.",
    "once": "How often stands above the first `on`: `limit 1 per visit`.",
    "twice": "How often stands above the first `on`: `limit 2 per visit`.",
    "neither": "Write `not (.. or ..)`.", "nor": "Write `not (.. or ..)`.",
}  # fmt: skip
_NO_LEFT: Final = "Leave it out; nothing is open here."
_ENDS: Final = frozenset(("ON", "SEND", "$END"))
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HEADERS: Final = ("PRIORITY", "GROUP", "HOURS", "LIMIT", "OWNER", "DESCRIPTION", "ACTIVE",
                   "AUDIENCE", "VALID_FOR")  # fmt: skip

_Thought = Advice | str | None


def advise(spot: Spot) -> Advice:
    """What to say of the token that the grammar does not take."""
    for thought in (
        _signs, _hours, _reserved, _order, _behaviour, _condition, _values, _brackets, _text,
        _names, _story, _event, _limit, _declared, _remark, _glued,
    ):  # fmt: skip
        found = thought(spot)
        if found is not None:
            return found if isinstance(found, Advice) else _cannot(found)
    return _cannot(f"Write {expected(spot)}.")


def _cannot(hint: str, *, leave_out: bool = False) -> Advice:
    return Advice(code="S002", words={"hint": hint}, leave_out=leave_out)


def expected(spot: Spot) -> str:
    """What may stand there, nearest first when something is near."""
    known, word = plain_words(spot.accepted), spot.word()
    near = nearest(word, known) if word and word not in RESERVED else None
    return f"`{near}`" if near else one_of(_phrases(spot), most=6)


def plain_words(accepted: frozenset[str]) -> list[str]:
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


def _phrases(spot: Spot) -> list[str]:
    accepted = spot.accepted
    for kinds, sentence in _TOGETHER:
        if accepted >= kinds:
            return [sentence]
    seldom = accepted - {"$END"} - set(_SELDOM)
    ranked = sorted(seldom or accepted - {"$END"}, key=lambda kind: (kind in SIGNS, kind))
    if "KEY" in ranked and "RBRACE" in ranked:
        ranked = ["KEY", "RBRACE"]
    if spot.block == "event" and "FIELD" in ranked:
        ranked = ["FIELD", "CAPTURE_CLICK"]
    return [_phrase(kind, spot) for kind in ranked]


def _phrase(kind: str, spot: Spot) -> str:
    if kind == "PATH":
        return _DOTTED.get(spot.word(-1), _WORDS[kind])
    if kind == "OF" and spot.word(-2) == "audience":
        return '`of` and the name of the experiment, such as `of "summer"`'
    if kind in _WORDS:
        return _WORDS[kind]
    return f"`{SIGNS.get(kind) or PHRASES.get(kind) or kind.lower()}`"


# ------------------------------------------------- what is known of a place


def _signs(spot: Spot) -> _Thought:
    """Signs that shape other languages and mean nothing here."""
    sign, accepted = spot.kind(), spot.accepted
    is_end = bool(_ENDS & accepted)
    if sign == "LBRACE" and is_end and (spot.word(-1) != ")" or not spot.is_clause("SEND")):
        return _cannot(_INDENTED, leave_out=True)
    if sign in ("RBRACE", "RPAR", "RSQB") and is_end:
        return _cannot(_NO_LEFT, leave_out=True)
    if sign == "COLON" and "KIND" in accepted:
        return _cannot("Leave it out: `price number`.", leave_out=True)
    if sign == "COLON" and not {"LBRACE", "RPAR", "RBRACE"} & accepted:
        return _cannot("Leave it out.", leave_out=True)
    if sign in ("MINUS", "STAR") and spot.fresh:
        return _cannot("Leave it out; a new line is enough.", leave_out=True)
    if sign == "PLUS" and "NUMBER" in accepted:
        return _cannot("Leave it out; a number without a sign is above zero.", leave_out=True)
    if sign == "EQUAL" and accepted <= {"NUMBER", "MINUS", "TEXT", "NAME", "PERCENT"}:
        return _cannot("Leave it out.", leave_out=True)
    length = (spot.token.end_pos or 0) - (spot.token.start_pos or 0)
    if sign == "AND" and length == 1 and "RBRACE" in accepted:
        return "Texts cannot be joined; send each as a field of its own."
    return None


def _reserved(spot: Spot) -> _Thought:
    """A word of the language where a name is given."""
    word, accepted = spot.word(), spot.accepted
    if "NAME" not in accepted or spot.fresh or word not in RESERVED or "EXPECT" in accepted:
        return None
    is_value = accepted >= {"NUMBER", "TEXT", "FUNCTION"} and spot.block != "message"
    if is_value or (spot.kind(-1) == "IN" and spot.kind() == "LPAR"):
        return None
    if spot.block == "event" and "FIELD" in accepted:
        return None
    name = spot.token.update(type="NAME")
    if {"ANY_EVENT", "SENT"} & accepted and not spot.fits(spot.at, spot.at + 1, (name,)):
        return None
    return Advice(code="S008", words={"fixed": word.capitalize()})


def _order(spot: Spot) -> _Thought:
    """Clauses of a strategy in another order than `header, on, when, unless, actions`."""
    word, accepted = spot.kind(), spot.accepted
    lower = spot.word().lower()
    if spot.block not in ("strategy", "table"):
        return None
    if lower in _LINE_WORDS and (spot.fresh or {"SEND", "AND"} & accepted):
        hint = _LINE_WORDS[lower]
        return (
            "Conditions stand above it, after `when`." if lower == "if" and not spot.fresh else hint
        )
    if not (spot.fresh or word == "BROKEN"):
        return _after_message(spot)
    if word in ("WHEN", "UNLESS", "SEND", "SET", "ATTACH") and "SEND" not in accepted:
        return "Write `on ..` above it: what must happen first." if "ON" in accepted else None
    if word in ("WHEN", "UNLESS") and "SEND" in accepted:
        return _guards(spot)
    if word in _HEADERS and "SEND" in accepted:
        return "Write it above the first `on` of the strategy."
    if word in ("CHANNEL", "MEDIUM") or lower in ("channel", "medium"):
        return "How it is sent and who answers say the `message` and its page."
    if word == "ONE_AT_A_TIME":
        return "Write it in a `group`, which this strategy then joins."
    if word == "CATEGORY" or (word == "NAME" and lower == "category"):
        return "Where a visitor is stands behind `on`: `on PageEntered in ..`."
    return None


def _guards(spot: Spot) -> _Thought:
    """A second `when` or `unless`, or one that comes too late."""
    clauses = ("SEND", "SET", "ATTACH", "WHEN", "UNLESS", "ON")
    before = [t.type for t in spot.tokens[: spot.at] if t.type in clauses]
    since_on = before[len(before) - before[::-1].index("ON") :] if "ON" in before else before
    if {"SEND", "SET", "ATTACH"} & set(since_on):
        return "Write it above the actions of its rule."
    if spot.kind() in since_on:
        joint = "and" if spot.kind() == "WHEN" else "or"
        return f"Join both conditions with `{joint}`."
    return "Write it above `unless`."


def _after_message(spot: Spot) -> _Thought:
    """Behind the message of `send`."""
    if spot.kind() == "TEXT" and spot.kind(-1) == "TO_PAGE":
        return "Leave it out; a message goes to the page of its event."
    if "TO_PAGE" not in spot.accepted or "SEND" not in spot.accepted:
        return None
    word = spot.word().lower()
    if word in ("if", "when", "unless", "only"):
        return "Conditions stand above it, after `when`."
    if word == "with":
        return f"Put values in brackets: `{spot.word(-1)}(..)`."
    if spot.kind() == "TO":
        return "Write `to every page`, or nothing for the page of the event."
    return None


def _behaviour(spot: Spot) -> _Thought:
    """After the event of a pattern."""
    word, accepted = spot.word(), spot.accepted
    if spot.kind(-1) == "IN" and accepted == {"NAME"} and spot.kind() == "LPAR":
        return "Write the categories without brackets: `in Checkout or Products`."
    if spot.kind() == "LSQB" and "ANY_OF" in accepted:
        return "Write `any of (A, B)` for one of them, or `all of (A, B)` for each."
    if spot.kind() == "AND" and spot.kind(-2) in ("IN", "OR") and "OR" in accepted:
        return f"Write `or {spot.word(1)}` for one of them, `where event in (..)` for both."
    if "COMMA" not in accepted or not {"WHERE", "WHEN", "UNLESS"} & accepted:
        return None
    if spot.kind() in ("STAYS", "WITHIN", "THEN", "PER"):
        return f"Put a comma before it: `, {word} ..`."
    if "WHERE" in accepted and spot.kind() == "AND":
        return "Write `, then ..` for one after the other, or `all of (A, B)` for any order."
    if "WHERE" in accepted and spot.kind() == "TEXT":
        return "Declare a `category` with this address, and write `PageEntered in` its name."
    return None


def _condition(spot: Spot) -> _Thought:
    """Within a condition."""
    word, accepted, left = spot.word(), spot.accepted, spot.word(-1)
    if (
        spot.kind() in ("COMPARISON", "EQUAL")
        and "AND" in accepted
        and "COMPARISON" not in accepted
    ):
        return "Compare two values at a time, and join with `and`: `x > 1 and x < 5`."
    if spot.kind() == "NUMBER" and spot.kind(-1) == "NUMBER":
        return "Write a number without spaces."
    if "COMPARISON" in accepted and left.lower() in ("agent", "agents"):
        return 'Write `agents.ready("chat")`, which is a number.'
    if "COMPARISON" in accepted and spot.kind() == "LPAR":
        if left.lower() in ("if", "iif"):
            return "There is no `if` in a condition; write the condition itself."
        return (
            f"`{left}` is no function; there are `count`, `seen`, `since`, `latest`, `sum`, `min`, "
            "`max` and `average`."
        )
    if accepted == {"LPAR"} and spot.kind(-1) in ("FUNCTION", "FIELD_FUNCTION"):
        rest = [spot.word(), *spot.rest()]
        event = next((word for word in rest if word[:1].isupper()), "Order")
        asked = event if spot.kind(-1) == "FUNCTION" else f"{event}.price"
        return f"Put what it asks for in brackets: `{left}({asked}, this visit)`."
    if word.lower() == "number" and "FUNCTION" in accepted:
        return "Write `count(..)`, such as `count(Order, last 10 min) > 3`."
    return None


def _values(spot: Spot) -> _Thought:
    """Where a value belongs."""
    word, accepted = spot.word(), spot.accepted
    if spot.kind() == "PERCENT" and "NUMBER" in accepted:
        share = float(re.sub(r"[^\d.]", "", word))
        return f"Write a number: `{share if spot.kind(-1) == 'PRIORITY' else share / 100:g}`."
    if spot.kind(-1) == "PRIORITY" and "NUMBER" in accepted:
        return "Write any number: the highest goes first, and without one it is 50."
    if accepted == {"PERCENT"} and [spot.kind(1), spot.kind(2)] == ["SLASH", "NUMBER"]:
        return f"Write a share: `{100 * float(word) / (float(spot.word(2)) or 1):g}%`."
    if spot.kind() == "TEXT" and {"KEY", "RBRACE"} <= accepted:
        return f"Write its key before it, such as `url: {word}`."
    if spot.kind(-1) == "SET" and spot.kind() == "NAME":
        return f"Write `visit.{word}` or `visitor.{word}`."
    if spot.kind() == "NUMBER" and accepted == {"PERCENT"}:
        return f"Write a share: `{float(word) * (100 if float(word) < 1 else 1):g}%`."
    if spot.kind() == "COMPARISON" and re.match(r"<\s?/?\s?[a-zA-Z!]", f"{word}{spot.word(1)}"):
        return 'Put HTML in quotes, `"..."`, or in three on each side when it holds quotes.'
    if spot.kind() == "TEXT" and {"COMMA", "RBRACE"} <= accepted:
        return 'Write `\\"` for a quote within a text, or put three quotes on each side.'
    return None


def _brackets(spot: Spot) -> _Thought:
    """In the brackets of records, messages and functions."""
    word, accepted = spot.word(), spot.accepted
    if spot.kind() in ("NAME", "KEY") and {"COMMA", "RBRACE"} <= accepted:
        return "Put a comma before it."
    asked = any(t.type in ("FUNCTION", "FIELD_FUNCTION") for t in spot.tokens[: spot.at][-4:])
    if spot.kind() == "RPAR" and "COMMA" in accepted and asked:
        return "Say since when it counts: `, this visit` or `, last 10 min`."
    if spot.kind() == "NAME" and spot.kind(-2) == "FIELD_FUNCTION":
        if word[:1].islower():
            return f"Name its event too, such as `AddToCart.{word}`."
        return f"Name a field of it, such as `{word}.price`."
    return None


def _text(spot: Spot) -> _Thought:
    """A text without its quotes."""
    word, accepted = spot.word(), spot.accepted
    if accepted == {"TEXT"} and spot.at == 1:
        return f'Give it a name in quotes: `{spot.word(-1)} "name" ..`.'
    if accepted == {"TEXT"} and word in RESERVED:
        return "Write a text in quotes before it."
    if accepted == {"TEXT"} and spot.kind() not in ("COLON", "EQUAL", "$END"):
        words = " ".join([word, *spot.rest()])[:60]
        return f'Put it in quotes: `"{words}"`.'
    is_glued = spot.at > 0 and spot.tokens[spot.at - 1].end_pos == spot.token.start_pos
    if spot.kind(-1) == "TEXT" and is_glued and spot.kind() in ("NAME", "PATH", "NUMBER"):
        return 'A text ends at its second quote; write `\\"` for a quote within it.'
    if "TEXT" in (spot.kind(-1), spot.kind(-2)) and spot.line_begin == 0 and spot.at in (2, 3):
        kinds = ("TEXT",) if spot.block == "guarantee" else ("TEXT", "NAME")
        if (
            spot.kind(-1) != "NEVER"
            and spot.kind() in kinds
            and spot.block in ("strategy", "scenario", "guarantee")
        ):
            return 'A text ends at its second quote; write `\\"` for a quote within it.'
    if word == "/" and "PATH" in accepted:
        return f'Put the address in quotes: `"{"".join([word, *spot.rest()])[:60]}"`.'
    if spot.kind() in ("STAR", "SLASH") and spot.word(-1) in ("/", "*"):
        return 'Put an address in quotes: `"/checkout/**"`.'
    return None


def _names(spot: Spot) -> _Thought:
    """The name of a declaration, or no `is` behind it."""
    is_glued = spot.tokens[spot.at - 1].end_pos == spot.token.start_pos if spot.at else False
    if spot.block == "event" and spot.at == 2 and spot.kind() == "LPAR":
        return "Write each field on a line of its own, such as `price number`."
    if spot.kind(-1) == "NAME" and is_glued and spot.kind() in ("PLUS", "LPAR", "STAR", "SLASH"):
        return "A name has only letters, digits and `_`."
    if spot.block in DECLARATIONS and spot.at == 1 and "NAME" in spot.accepted:
        return f"Give it a name: `{spot.word(-1)} Checkout {spot.word()} ..`."
    if spot.block in DECLARATIONS and spot.at == 2 and spot.kind() == "EQUAL":
        return "Write `is`." if "IS" in spot.accepted else None
    return None


def _story(spot: Spot) -> _Thought:
    """Within a scenario."""
    if spot.block != "scenario":
        return None
    if spot.kind() == "AGENTS_READY_FOR":
        return "Say how many: `given 2 agents ready for ..`."
    if spot.kind() in ("NUMBER", "TEXT") and spot.kind(-1) == "NAME" and spot.kind(-2) == "NAME":
        return f"Put the fields in braces: `{{ {spot.word(-1)}: {spot.word()} }}`."
    if spot.kind() == "NUMBER" and spot.fresh and spot.kind(1) == "TIMES":
        return "Write each event on a line of its own."
    if spot.kind(-1) == "LEAVES":
        return "Leave it out; the page that is open is left."
    if spot.word().lower() == "not" and spot.kind(-1) == "EXPECT":
        return "Write `expect nothing`, or what is expected."
    return None


def _event(spot: Spot) -> _Thought:
    """Within an event: captures, where a field comes from, lists."""
    if spot.kind().startswith("CAPTURE") and spot.block != "event":
        return "Write it in an `event`: there the page learns what to watch."
    if spot.block == "event" and spot.kind() == "EQUAL":
        return "Leave it out with its value; a field that is not sent is missing."
    if spot.block == "channel" and "KEY" in spot.accepted and spot.kind(1) in ("COMMA", "RBRACE"):
        return f"Write its kind too, such as `{spot.word()}: text`."
    if spot.block == "fact" and spot.kind() == "EQUAL":
        return "Write the value before `from`."
    if spot.block == "event" and spot.kind() == "FROM":
        return "Write `from text of`, `from value of`, `from attribute` or `from variable`."
    if spot.kind() == "LSQB" and spot.kind(-1) == "KIND":
        return f"Write `list of {spot.word(-1)}`."
    return None


def _hours(spot: Spot) -> _Thought:
    """Within hours, and where a strategy names them."""
    lower = spot.word().lower()
    if spot.block == "hours" and spot.kind() == "COMMA" and spot.accepted == {"CLOCK_SPAN"}:
        return "Write the times behind each day, or days that follow each other as `Mon-Wed`."
    if spot.block == "hours" and spot.kind() == "IN" and spot.kind(-1) == "DATE":
        return "Write it before `except`."
    if spot.block == "hours" and lower == "closed":
        return "Leave it out with its day; days that are not listed are closed."
    if spot.block == "hours" and spot.accepted == {"DATE"} and lower[:3] in _DAYS:
        return "Take the day out of the days before; after `except` stand dates."
    if spot.block == "strategy" and spot.kind(-1) == "HOURS" and spot.word() in RESERVED:
        return "Declare `hours`, and write their name here."
    if spot.kind(-2) == "HOURS" and spot.block == "strategy" and not spot.fresh:
        return "Declare `hours`, and write their name here."
    return None


def _limit(spot: Spot) -> _Thought:
    """Behind `limit`, and in a strategy behind `group`."""
    if spot.is_clause("LIMIT") and spot.kind() in ("PER", "PAGE", "VISIT", "VISITOR", "IN"):
        if spot.accepted == {"NUMBER"}:
            return "Write the number first: `limit 1 per visit`."
        return "A limit has one `per`; write another `limit` for the other."
    if spot.is_clause("GROUP") and spot.kind() == "COMMA" and spot.block == "strategy":
        return "A strategy is in one group."
    return None


def _declared(spot: Spot) -> _Thought:
    """Within messages and guarantees, and declarations that are indented."""
    accepted = spot.accepted
    if accepted == {"LPAR"} and spot.kind(-1) == "NEVER":
        return "Put the behaviour in brackets: `never (..)`."
    if spot.kind() == "LPAR" and "NEVER" in accepted:
        return "Write `never` before it."
    if spot.kind() == "LBRACE" and accepted == {"PATH"}:
        return "Write a channel before it, such as `gpe.appendContent`."
    if spot.word() in DECLARATIONS and spot.fresh:
        return "Write it in the first column."
    return None


def _remark(spot: Spot) -> _Thought:
    """A sentence between the clauses."""
    words = [spot.word(), *spot.rest()]
    is_prose = len(words) > 3 and all(re.fullmatch(r"[^\W\d_]+|[.,]", word) for word in words[:6])
    if not (spot.fresh and is_prose and spot.word()[:1].isupper()):
        return None
    return "Begin a remark with `#`."


def _glued(spot: Spot) -> _Thought:
    """`inCheckout` for `in Checkout`."""
    word = spot.word()
    for keyword in sorted(plain_words(spot.accepted), key=len, reverse=True):
        rest = word[len(keyword) :]
        if len(keyword) > 1 and word.startswith(keyword) and rest[:1].isupper():
            return Advice(code="S006", words={"fixed": f"{keyword} {rest}"})
    return None
