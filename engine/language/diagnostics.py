"""A diagnostic: one mistake, with its code, its place, a sentence and the way out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.language.codes import CODES
from engine.language.spelling import nearest
from engine.language.syntax import Span

MOST: Final = 200
MOST_COMPARED: Final = 60_000
"""So many names are compared with misspelt ones in one book; then none is proposed any more."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One mistake of an author. ``message`` and ``hint`` are whole sentences.

    A ``warning`` is about a good book, which compiles all the same.
    """

    code: str
    span: Span
    message: str
    hint: str
    severity: Severity = "error"


class Findings:
    """Collects diagnostics; two of one code at one place are one."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._found: dict[tuple[str, Span], Diagnostic] = {}
        self._compared = 0

    def add(self, code: str, span: Span, **words: Any) -> None:
        """Note a mistake; ``words`` fill the sentence of the code.

        The place is narrowed to ``word`` where that stands in it. A near name is the way out,
        and then the only one.
        """
        entry = CODES[code]
        hint = str(words.get("nearest") or "") or entry.hint.format(**words)
        span = self._narrowed(span, str(words.get("word") or ""), str(words.get("after") or ""))
        diagnostic = Diagnostic(
            code=code,
            span=span,
            message=_sentence(entry.message.format(**words)),
            hint=_sentence(hint),
            severity="warning" if code.startswith("L") else "error",
        )
        self._found.setdefault((code, span), diagnostic)

    def include(self, found: Iterable[Diagnostic]) -> None:
        """Take over what was found elsewhere."""
        for diagnostic in found:
            self._found.setdefault((diagnostic.code, diagnostic.span), diagnostic)

    def __len__(self) -> int:
        return len(self._found)

    def near(self, word: str, known: Iterable[str]) -> str:
        """``did_you_mean``, as long as somebody will see it: a large book has many names."""
        names = known if isinstance(known, Collection) else list(known)
        self._compared += len(names)
        return did_you_mean(word, names) if self.still_compares else ""

    @property
    def still_compares(self) -> bool:
        """Will ``near`` still look for a name?"""
        return len(self._found) < MOST and self._compared <= MOST_COMPARED

    def _narrowed(self, span: Span, word: str, after: str) -> Span:
        text = self._texts[span.source][span.start : span.end]
        pattern = rf"{after}(?<!\w)({re.escape(word)})(?!\w)"
        match = re.search(pattern, text) if word and len(word) < len(text) else None
        if match is None:
            return span
        start = span.start + match.start(1)
        return Span(source=span.source, start=start, end=start + len(word))

    def __bool__(self) -> bool:
        return bool(self._found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All of them by file and place."""
        order = sorted(self._found.values(), key=lambda d: (d.span.source, d.span.start, d.code))
        return tuple(order)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A half sentence with the nearest word, or nothing."""
    near = nearest(word, known)
    return f"Did you mean `{near}`? " if near else ""


def one_of(words: Iterable[str], most: int = 8) -> str:
    """``a, b or c`` of at most so many."""
    listed = list(dict.fromkeys(words))
    if not listed:
        return "nothing more"
    if len(listed) > most:
        listed = [*listed[:most], "others"]
    return listed[0] if len(listed) == 1 else ", ".join(listed[:-1]) + " or " + listed[-1]


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:]
