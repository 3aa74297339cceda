"""Names from elsewhere become names of the language, each once; and texts become quoted ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from engine.language.lexer import RESERVED

_PART: Final = re.compile(r"\w+")
_NEVER: Final = RESERVED | {"list"}
_ESCAPES: Final = {"\\b": "\\u0008", "\\f": "\\u000c", "\\r": "\\u000d"}


class Namer:
    """Gives names that the language takes; two different names never become one."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._given: dict[str, str] = {}

    def name(self, word: str) -> str:
        """The name for a word: ``Timeout-30`` is ``Timeout30``, ``add to cart`` ``addToCart``."""
        if word not in self._given:
            found = wanted = identifier(word)
            number = 2
            while found in self._taken:
                found, number = f"{wanted}_{number}", number + 1
            self._taken.add(found)
            self._given[word] = found
        return self._given[word]


def identifier(word: str, *, free: bool = False) -> str:
    """A word as a name: its parts joined, the later ones with a capital.

    Where names are ``free``, as fields are, it may be a word of the language.
    """
    first, *others = _PART.findall(word) or ["Unnamed"]
    name = first + "".join(other[:1].upper() + other[1:] for other in others)
    if not (name[0].isalpha() or name[0] == "_"):  # a fraction is no digit, and no letter either
        name = f"Event{name}"
    return f"{name}_" if name in _NEVER and not free else name


def quoted(text: str) -> str:
    """A text as the language writes it."""
    written = json.dumps(" ".join(text.splitlines()), ensure_ascii=False)
    return re.sub(r"\\\\|\\[bfr]", lambda m: _ESCAPES.get(m.group(), m.group()), written)


def remark(text: str) -> str:
    """A text as part of a comment: on one line, and not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= 300 else f"{line[:298]}.."
