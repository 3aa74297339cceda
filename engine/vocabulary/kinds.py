"""The kinds of value that the language knows, and which raw values belong to each.

A raw value is what JSON carries. A value of the wrong kind is *missing*, never an error: browsers
send what they send, and a condition over a missing value is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Value = str | float | int | bool | list["Value"] | dict[str, "Value"]
"""A known value. Missing is ``None`` everywhere, so a field that holds JSON null is missing."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value: the word an analyst writes, and for lists the kind of an item."""

    word: str
    item: Kind | None = None

    def __str__(self) -> str:
        return f"list of {self.item}" if self.item else self.word

    def admits(self, raw: object) -> bool:
        """Say whether ``raw`` (as JSON carries it) is a value of this kind.

        ``time`` is milliseconds since 1970 UTC and ``duration`` is milliseconds, both numbers.
        """
        match self.word:
            case "text":
                return isinstance(raw, str)
            case "boolean":
                return isinstance(raw, bool)
            case "number" | "time" | "duration":
                return isinstance(raw, int | float) and not isinstance(raw, bool)
            case "list":
                admits = self.item.admits if self.item else lambda _: True
                return isinstance(raw, list) and all(admits(entry) for entry in raw)
            case _:
                return False


TEXT: Final = Kind("text")
NUMBER: Final = Kind("number")
BOOLEAN: Final = Kind("boolean")
TIME: Final = Kind("time")
DURATION: Final = Kind("duration")

BY_WORD: Final = {kind.word: kind for kind in (TEXT, NUMBER, BOOLEAN, TIME, DURATION)}
"""Every kind that is one word; ``list of K`` is built from these."""
