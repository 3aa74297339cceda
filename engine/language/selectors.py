"""CSS selectors, read as far as it goes without a browser: what a page would refuse is found here.

A selector is a list of compounds (``form.search > input[name="q"]:not(.off)``) with combinators
between them. What only jQuery knows (``:eq(0)``, ``:contains(..)``) is no CSS, and is named so.
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = r"-{0,2}(?:[^\W\d]|\\.)(?:[\w-]|\\.)*"
_QUOTED: Final = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
_PIECE: Final = re.compile(
    rf"(?P<space>\s*[>+~]\s*|\s+)|(?P<comma>,)|(?P<universal>\*)|(?P<name>{_NAME})"
    rf"|(?P<id>\#{_NAME})|(?P<class>\.{_NAME})"
    rf"|(?P<attribute>\[\s*{_NAME}\s*(?:[~|^$*]?=\s*(?:{_QUOTED}|{_NAME})"
    rf"\s*(?:[iIsS]\s*)?)?\])|(?P<element>::{_NAME})|(?P<function>:{_NAME}\()|(?P<pseudo>:{_NAME})"
)
_NTH: Final = re.compile(r"\s*(?:even|odd|[+-]?\d*n?(?:\s*[+-]\s*\d+)?|[+-]?\d+)\s*", re.IGNORECASE)
_STATES: Final = frozenset(
    (
        "active", "any-link", "autofill", "checked", "default", "defined", "disabled", "empty",
        "enabled", "first-child", "first-of-type", "focus", "focus-visible", "focus-within",
        "fullscreen", "hover", "in-range", "indeterminate", "invalid", "last-child",
        "last-of-type", "link", "modal", "muted", "only-child", "only-of-type", "open",
        "optional", "out-of-range", "paused", "placeholder-shown", "playing", "popover-open",
        "read-only", "read-write", "required", "root", "scope", "target", "user-invalid",
        "user-valid", "valid", "visited",
    )
)  # fmt: skip
_LISTS: Final = frozenset({"not", "is", "where", "has"})
_COUNTS: Final = frozenset({"nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type"})
_TEXTS: Final = frozenset({"lang", "dir"})
_JQUERY: Final = frozenset(
    (
        "animated", "button", "checkbox", "contains", "eq", "even", "file", "first", "gt",
        "header", "hidden", "image", "input", "last", "lt", "odd", "parent", "password",
        "radio", "reset", "selected", "submit", "text", "visible",
    )
)  # fmt: skip


def fault(selector: str) -> str | None:
    """Half a sentence that says why a page would refuse the selector; None when it would not."""
    if not selector.strip():
        return "it is empty"
    return _unbalanced(selector) or _list_fault(selector.strip(), depth=0)


def _unbalanced(selector: str) -> str | None:
    opened: list[str] = []
    quote = ""
    for sign in re.sub(r"\\.", "__", selector):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([":
            opened.append(")" if sign == "(" else "]")
        elif sign in ")]" and (not opened or opened.pop() != sign):
            return f"a `{sign}` closes nothing"
    if quote:
        return f"a `{quote}` is not closed"
    return f"a `{'(' if opened[-1] == ')' else '['}` is not closed" if opened else None


def _list_fault(text: str, depth: int) -> str | None:
    """The fault of a list of selectors; inside ``:has(..)`` one may begin with a combinator."""
    if depth > 8:
        return "it is nested too deeply"
    place, last = 0, "comma"
    while place < len(text):
        match = _PIECE.match(text, place)
        if match is None:
            return f"`{text[place : place + 12]}` means nothing there"
        kind, place = match.lastgroup or "", match.end()
        wrong = _misplaced(kind, match.group(), last, inner=depth > 0)
        if wrong:
            return wrong
        if kind == "function":
            end = _closing(text, place)
            wrong = _argument_fault(match.group()[1:-1].lower(), text[place:end], depth)
            place = end + 1
        elif kind == "pseudo":
            wrong = _state_fault(match.group()[1:].lower())
        elif kind == "element":
            wrong = f"`{match.group()}` is no element of the page"
        if wrong:
            return wrong
        blank = kind == "space" and not match.group().strip()
        last = last if blank and last == "comma" else "combinator" if kind == "space" else kind
        if blank and re.match(r"\s*,", text[place:]):
            last = "name"
    if last == "comma":
        return "a `,` has nothing after it" if text else "a bracket is empty"
    return "a combinator has nothing after it" if last == "combinator" else None


def _misplaced(kind: str, piece: str, last: str, *, inner: bool) -> str | None:
    if kind == "comma" and last in ("comma", "combinator"):
        return "a `,` has nothing before it"
    if kind == "space" and piece.strip():
        if last == "combinator" or (last == "comma" and not inner):
            return f"`{piece.strip()}` has nothing before it"
    elif kind in ("name", "universal") and last not in ("comma", "combinator"):
        return f"`{piece}` must stand first of its element"
    return None


def _closing(text: str, place: int) -> int:
    """Where the bracket closes that was opened before ``place``."""
    depth, quote = 1, ""
    while place < len(text):
        sign = text[place]
        if sign == "\\":
            place += 1
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "()":
            depth += 1 if sign == "(" else -1
            if not depth:
                return place
        place += 1
    return len(text)


def _argument_fault(name: str, argument: str, depth: int) -> str | None:
    if name in _LISTS:
        return _list_fault(argument.strip(), depth + 1)
    if name in _COUNTS:
        count, _, of = argument.partition(" of ")
        if not count.strip() or not _NTH.fullmatch(count):
            return f"`({argument.strip()})` is no count for `:{name}`"
        return _list_fault(of.strip(), depth + 1) if of else None
    if name in _TEXTS:
        return None if argument.strip() else f"`:{name}()` is empty"
    return _state_fault(name, "(..)")


def _state_fault(name: str, brackets: str = "") -> str | None:
    if name in _JQUERY:
        return f"`:{name}{brackets}` is of jQuery, not of CSS"
    if not brackets and name in _STATES:
        return None
    return f"`:{name}{brackets}` is not known in CSS"
