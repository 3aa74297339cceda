"""Where lints write down what they see: warnings, in words that a person can read aloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.language.diagnostics import Findings, Shown
from engine.language.syntax import Span

LONGEST: Final = 120
"""So many characters of the author's own words are repeated in a sentence."""


class Notes:
    """Collects warnings; ``texts`` are the sources by name."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._findings = Findings(texts)
        self.count = 0

    def add(self, code: str, span: Span, **words: Any) -> None:
        """Note a warning; long words are cut, and a place in a table is its cell."""
        self.count += 1
        self._findings.add(code, self._cell(span), **{k: _short(v) for k, v in words.items()})

    def shown(self) -> Shown:
        """What to show of all warnings."""
        return self._findings.shown()

    def _cell(self, span: Span) -> Span:
        """A clause of a table begins in its head; what the author looks for is the row's cell."""
        text = self._texts[span.source][span.start : span.end]
        line = text.rpartition("\n")[2]
        if line == text or "|" not in text:
            return span
        cell = line.rpartition("|")[2].lstrip() or line
        return Span(source=span.source, start=span.end - len(cell), end=span.end)


def _short(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= LONGEST:
        return value
    return value[: LONGEST - 2] + ".."
