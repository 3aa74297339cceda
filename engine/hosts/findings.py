"""What an examination finds: each with its name and place; of many of one kind only the first."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

BACKUP: Final = "restore a backup of the data folder, and keep this one to look at."
REPORT: Final = (
    "keep a copy of the data folder and report it; the server goes on from the document."
)
HARMED: Final = (
    ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, zlib.error,
)  # fmt: skip
"""What reading something raises that was harmed."""


class Finding(NamedTuple):
    """Something that is not as it must be: a short name, the place, a sentence, the way out."""

    name: str
    place: str
    sentence: str
    way_out: str = BACKUP


class Findings:
    """All that was found, counted by name; ``first`` has so many of each name, in order."""

    def __init__(self, shown: int) -> None:
        self._shown = shown
        self.counted: Counter[str] = Counter()
        self.first: list[Finding] = []

    def add(self, found: Iterable[Finding]) -> None:
        """Count findings, and keep the first of each name."""
        for finding in found:
            self.counted[finding.name] += 1
            if self.counted[finding.name] <= self._shown:
                self.first.append(finding)

    def __len__(self) -> int:
        return self.counted.total()
