"""Who a visit says that it is: the name in what its pages sent with ``SignIn`` and ``UserInfo``.

Any page can send these, so the name is text of a stranger: one short line, and a claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from engine.vocabulary.events import SIGN_IN, USER_INFO

LONGEST: Final = 100
"""Characters of a name."""

_WHOLE: Final = ("name",)
_PARTS: Final = (("firstName", "lastName"), ("first_name", "last_name"))
_IDS: Final = ("userId", "userID")


def name_of(events: Iterable[tuple[str, Mapping[str, Any]]]) -> str | None:
    """What the person of a visit is called, by its events (name, data), oldest first, or None.

    The ``name``, else first and last name, else the ``userId``, else the ``email``; the youngest
    word of each counts. Another ``userId``, or a ``SignIn`` without one, is another person. Whoever
    signs out is still recognised.
    """
    said: dict[str, str] = {}
    for event, data in events:
        if event not in (SIGN_IN, USER_INFO):
            continue
        told = dict(_lines(data))
        before, now = _first(said, _IDS), _first(told, _IDS)
        if now != before if now else event == SIGN_IN:
            said = {}
        said |= told
    parts = (" ".join(said[key] for key in pair if key in said) for pair in _PARTS)
    names = (_first(said, _WHOLE), *parts, _first(said, _IDS), said.get("email"))
    return next((name[:LONGEST].strip() for name in names if name), None)


def _lines(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in (*_WHOLE, *_PARTS[0], *_PARTS[1], *_IDS, "email"):
        value = data.get(key)
        if isinstance(value, str) and (line := _line(value)):
            yield key, line


def _line(text: str) -> str:
    """One line of what can be seen: no signs that turn the direction, no control characters."""
    seen = (sign if sign.isprintable() else " " for sign in text[: 4 * LONGEST])
    return " ".join("".join(seen).split())


def _first(said: Mapping[str, str], keys: Iterable[str]) -> str | None:
    return next((said[key] for key in keys if key in said), None)
