"""A diagnostic: one mistake, with its code, its place, a sentence and the way out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from engine.language.codes import CODES
from engine.language.syntax import Span

MOST: Final = 200
"""Nobody reads more mistakes than this at once; of the others it is said how many there are."""
_LONG: Final = 1_000
"""A place of more characters is read once, not once for each word that is looked for in it."""
_WORD: Final = re.compile(r"\w+")

_PLACES: Final = 3
"""So many other places of a mistake are named."""
_UNDECLARED: Final = {
    "N101": "event", "N102": "category", "N103": "sent", "N104": "sent", "N105": "fact",
    "N107": "channel", "N111": "sent", "N117": "medium", "N118": "hours",
}  # fmt: skip
"""Codes of names that nobody declares: one declaration mends all of a family."""
_OF_TEXT: Final = tuple(code for code in CODES if code.startswith("S"))

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a person is shown of all that was found, by file and place.

    ``more`` says how many of each code are not shown: more than anybody reads.
    """

    diagnostics: tuple[Diagnostic, ...] = ()
    more: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many were found."""
        return len(self.diagnostics) + sum(self.more.values())


NOTHING: Final = Shown()
"""Nothing was found."""


class Findings:
    """Collects mistakes; two of one code at one place are one.

    A sentence is made of a mistake when it is shown: of many thousands most are not.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._found: dict[tuple[str, Span], dict[str, Any]] = {}
        self._words: tuple[Span | None, dict[str, int]] = (None, {})

    def add(self, code: str, span: Span, **words: Any) -> None:
        """Note a mistake; ``words`` fill the sentence of the code.

        A word may also be a call that gives it. The place is narrowed to ``word`` where that
        stands in it (after the word ``after``). A near name is the way out, and then the only one.
        """
        span = self._narrowed(span, str(words.get("word") or ""), str(words.get("after") or ""))
        self._found.setdefault((code, span), words)

    def forget(self, span: Span) -> None:
        """Take back what the text itself had wrong exactly there: more is known of it now."""
        for code in _OF_TEXT:
            self._found.pop((code, span), None)

    def include(self, other: Findings) -> None:
        """Take over what was found elsewhere."""
        for found, words in other._found.items():
            self._found.setdefault(found, words)

    def __len__(self) -> int:
        return len(self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def shown(self, most: int = MOST) -> Shown:
        """What to show: everything, or of each code the first so that every code has its share."""
        order = sorted(self._found, key=lambda found: (found[1].source, found[1].start, found[0]))
        counts = Counter(code for code, _ in order)
        left = _shares(counts, most)
        more = {code: counts[code] - left[code] for code in sorted(counts)}
        kept = []
        for code, span in order:
            if left[code]:
                left[code] -= 1
                kept.append(_diagnostic(code, span, self._found[code, span]))
        kept = self._once(kept)
        return Shown(diagnostics=tuple(kept), more={code: n for code, n in more.items() if n})

    def _once(self, found: list[Diagnostic]) -> list[Diagnostic]:
        """A name that nobody declares is one mistake, however often it is used.

        Unless it is near another: then each place has to be mended by itself.
        """
        first: dict[tuple[str, str], int] = {}
        others: dict[int, list[Span]] = {}
        kept: list[Diagnostic] = []
        for one in found:
            words = self._found[one.code, one.span]
            family = _UNDECLARED.get(one.code)
            key = (family or "", str(words.get("word")))
            if family is None or not one.hint.startswith(("Declare", "Name one", "Known")):
                kept.append(one)
            elif key in first:
                others.setdefault(first[key], []).append(one.span)
            else:
                first[key] = len(kept)
                kept.append(one)
        for place, spans in others.items():
            also = f" It also stands in {self._lines(kept[place].span, spans)}."
            kept[place] = replace(kept[place], message=kept[place].message + also)
        return kept

    def _lines(self, first: Span, spans: list[Span]) -> str:
        """`line 4 and line 7`, with the file where it is another."""
        said = []
        for span in spans:
            line = self._texts[span.source].count("\n", 0, span.start) + 1
            said.append(
                f"line {line}" if span.source == first.source else f"{span.source} line {line}"
            )
        said = list(dict.fromkeys(said))
        more = f" and {len(said) - _PLACES:,} other places" if len(said) > _PLACES else ""
        if more or len(said) == 1:
            return ", ".join(said[:_PLACES]) + more
        return f"{', '.join(said[:-1])} and {said[-1]}"

    def _narrowed(self, span: Span, word: str, after: str) -> Span:
        if not word or len(word) >= span.end - span.start:
            return span
        text, start = self._texts[span.source], self._first(span, word)
        while start >= 0:
            end = start + len(word)
            inside = start > span.start and _in_a_word(text[start - 1])
            inside = inside or (end < span.end and _in_a_word(text[end]))
            if not inside and text[span.start : start].rstrip().endswith(after):
                return Span(source=span.source, start=start, end=end)
            start = text.find(word, start + 1, span.end)
        return span

    def _first(self, span: Span, word: str) -> int:
        """Where a word may stand first; a long place is read once for all its words."""
        text, begin, parts = self._texts[span.source], span.start, _WORD.findall(word)
        if span.end - begin > _LONG and parts:
            if self._words[0] != span:
                found: dict[str, int] = {}
                for match in _WORD.finditer(text, begin, span.end):
                    found.setdefault(match.group(), match.start())
                self._words = (span, found)
            places = [self._words[1].get(part, -1) for part in parts]
            if min(places) < 0:
                return -1
            begin = max(begin, min(places) - len(word))
        return text.find(word, begin, span.end)


def _in_a_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def _shares(counts: Mapping[str, int], most: int) -> dict[str, int]:
    """How many of each code are shown: the rare ones all, the others equally many."""
    shares: dict[str, int] = {}
    for place, (code, count) in enumerate(sorted(counts.items(), key=lambda entry: entry[1])):
        shares[code] = min(count, (most - sum(shares.values())) // (len(counts) - place))
    return shares


def _diagnostic(code: str, span: Span, words: Mapping[str, Any]) -> Diagnostic:
    entry = CODES[code]
    said = {name: word() if callable(word) else word for name, word in words.items()}
    return Diagnostic(
        code=code,
        span=span,
        message=_sentence(entry.message.format(**said)),
        hint=_sentence(str(said.get("nearest") or "") or entry.hint.format(**said)),
        severity="warning" if code.startswith("L") else "error",
    )


def did_you_mean(near: str | None) -> str:
    """A half sentence with the nearest word, or nothing."""
    return f"Did you mean `{near}`? " if near else ""


def listed(words: Iterable[str], most: int = 20) -> str:
    """Names with commas between them; how many others there are, when there are many."""
    known = list(words)
    others = f" and {len(known) - most:,} others" if len(known) > most else ""
    return ", ".join(known[:most]) + others


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
