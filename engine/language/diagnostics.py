"""A diagnostic: one mistake, with its code, its place, a sentence and the way out."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from engine.language.codes import CODES
from engine.language.syntax import Span

MOST: Final = 200
"""Nobody reads more mistakes than this at once; of the others it is said how many there are."""
_LONG: Final = 1_000
"""In a place of more characters a word is looked up."""
_WORD: Final = re.compile(r"\w+")

_PLACES: Final = 3
"""So many other places of a mistake are named."""
_UNDECLARED: Final = {
    "N101": "event", "N102": "category", "N103": "sent", "N104": "sent", "N105": "fact",
    "N107": "channel", "N111": "sent", "N117": "medium", "N118": "hours",
}  # fmt: skip
"""Codes of names that nobody declares: one declaration mends all of a family."""

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
        self._found: dict[Span, dict[str, dict[str, Any]]] = {}
        self._counts: Counter[str] = Counter()
        self._places: dict[str, Mapping[str, list[int]]] = {}

    def add(self, code: str, span: Span, **words: Any) -> None:
        """Note a mistake; ``words`` fill the sentence of the code.

        A word may also be a call that gives it. The place is narrowed to ``word`` where that
        stands in it (after the word ``after``). A near name is the way out, and then the only one.
        """
        if word := words.get("word"):
            span = self._narrowed(span, str(word), str(words.get("after") or ""))
        self._note(code, span, words)

    def _note(self, code: str, span: Span, words: dict[str, Any]) -> None:
        here = self._found.setdefault(span, {})
        if code not in here:
            here[code] = words
            self._counts[code] += 1

    def forget(self, span: Span) -> None:
        """Take back what the text itself had wrong exactly there: more is known of it now."""
        here = self._found.get(span, {})
        for code in [code for code in here if code.startswith("S")]:
            del here[code]
            self._counts[code] -= 1

    def include(self, other: Findings) -> None:
        """Take over what was found elsewhere."""
        for span, here in other._found.items():
            for code, words in here.items():
                self._note(code, span, words)

    def count(self, *codes: str) -> int:
        """How many mistakes of these codes were noted."""
        return sum(self._counts[code] for code in codes)

    def __len__(self) -> int:
        return self._counts.total()

    def __bool__(self) -> bool:
        return len(self) > 0

    def shown(self, most: int = MOST) -> Shown:
        """What to show: everything, or of each code the first so that every code has its share."""
        order = [(span.source, span.start, code, span)
                 for span, here in self._found.items() for code in here]  # fmt: skip
        order.sort(key=lambda found: found[:3])
        left = _shares(+self._counts, most)
        more = {code: self._counts[code] - share for code, share in sorted(left.items())}
        kept = []
        for _, _, code, span in order:
            if left[code]:
                left[code] -= 1
                kept.append(_diagnostic(code, span, self._found[span][code]))
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
            words = self._found[one.span][one.code]
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
        text = self._texts[span.source]
        for start in self._occurrences(span, word):
            end = start + len(word)
            inside = start > span.start and _in_a_word(text[start - 1])
            inside = inside or (end < span.end and _in_a_word(text[end]))
            if not inside and text[span.start : start].rstrip().endswith(after):
                return Span(source=span.source, start=start, end=end)
        return span

    def _occurrences(self, span: Span, word: str) -> Iterator[int]:
        """Where a word stands in a place; for long ones the text is read once, not each time."""
        text, parts = self._texts[span.source], _WORD.findall(word)
        if span.end - span.start <= _LONG or not parts:
            start = text.find(word, span.start, span.end)
            while start >= 0:
                yield start
                start = text.find(word, start + 1, span.end)
            return
        known = self._places_of(span.source)
        rarest = min(parts, key=lambda part: len(known[part]))
        ahead = word.index(rarest)
        places = known[rarest]
        for index in range(bisect_left(places, span.start + ahead), len(places)):
            start = places[index] - ahead
            if start + len(word) > span.end:
                return
            if text.startswith(word, start):
                yield start

    def _places_of(self, source: str) -> Mapping[str, list[int]]:
        """Each word of a text, and where it stands."""
        if source not in self._places:
            found: defaultdict[str, list[int]] = defaultdict(list)
            for match in _WORD.finditer(self._texts[source]):
                found[match.group()].append(match.start())
            self._places[source] = found
        return self._places[source]


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
