"""Spelling: the nearest known word to one that is not known.

Few words are compared one by one (``nearest``). ``Words`` holds many and compares them all at once:
those of one length stand side by side in one long number, a field of bits each, and every letter of
the unknown word moves all fields on by one column of the table that ``distance`` fills in cell by
cell (Hyyrö's bit-parallel edit distance). A bit says by how much a cell differs from the one above.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

LONGEST: Final = 100
"""Words of more letters are near none."""
_SHORTEST: Final = 2
"""A word of no more letters begins nothing."""
MOST_LETTERS: Final = 1_000
"""So many different letters are looked for in words of one length; no names have more."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was probably meant to be, or None when none is near.

    Near is at most one edit in four letters (at least one, at most three); a change of letter
    case alone is always near. Swapped neighbours count as one edit.
    """
    best: tuple[int, str] | None = None
    lower = word.lower()
    for candidate in sorted(set(known)):
        other = candidate.lower()
        if other == lower:
            return candidate
        allowed = min(_allowed(len(lower), len(other)), len(other) - 1)
        if best is not None:
            allowed = min(allowed, best[0] - 1)
        if allowed <= 0 or abs(len(lower) - len(other)) > allowed:
            continue
        edits = distance(lower, other, allowed)
        if edits <= allowed:
            best = (edits, candidate)
    return best[1] if best else None


def _allowed(length: int, other: int) -> int:
    if max(length, other) > LONGEST:
        return 0
    return max(1, min(3, max(length, other) // 4))


def distance(left: str, right: str, most: int) -> int:
    """Edits (insert, delete, replace, swap neighbours) that lead from one word to the other.

    What is more than ``most`` is not counted to its end.
    """
    left, right = _differing(left, right)
    rows = [list(range(len(right) + 1))]
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, rows[i - 2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
        if min(row) > most and min(rows[i - 1]) > most:  # a swap reaches two rows back
            return most + 1
    return rows[-1][-1]


def _differing(left: str, right: str) -> tuple[str, str]:
    """Both words without the beginning and the end that they share."""
    start, most = 0, min(len(left), len(right))
    while start < most and left[start] == right[start]:
        start += 1
    end = 0
    while end < most - start and left[-1 - end] == right[-1 - end]:
        end += 1
    return left[start : len(left) - end], right[start : len(right) - end]


class Words:
    """Known words of a book, among which the nearest to an unknown one is found soon.

    ``known`` is asked for them when the first word is looked for.
    """

    def __init__(self, known: Callable[[], Iterable[str]]) -> None:
        self._known: Callable[[], Iterable[str]] | None = known
        self._lower: dict[str, str] = {}
        self._lengths: dict[int, _Length] = {}

    def nearest(self, word: str) -> str | None:
        """What ``nearest`` of these words gives."""
        if self._known is not None:
            self._sort_out(self._known())
            self._known = None
        lower = word.lower()
        if lower in self._lower:
            return self._lower[lower]
        best: tuple[int, str] | None = None
        for length in sorted(self._lengths, key=lambda length: abs(length - len(lower))):
            allowed = min(_allowed(len(lower), length), length - 1)
            if best is not None:
                allowed = min(allowed, best[0])
            if allowed and abs(length - len(lower)) <= allowed:
                near = self._lengths[length].near(lower, allowed)
                best = min((one for one in (near, best) if one is not None), default=None)
        return best[1] if best else None

    def begun(self, word: str) -> str | None:
        """The one known word that begins with this one, or None when there are more."""
        lower = word.lower()
        whole = [known for known in self._lower if known.startswith(lower)]
        return self._lower[whole[0]] if len(whole) == 1 and len(word) > _SHORTEST else None

    def _sort_out(self, known: Iterable[str]) -> None:
        by_length = defaultdict(list)
        for word in sorted(set(known)):
            lower = word.lower()
            self._lower.setdefault(lower, word)
            if len(lower) <= LONGEST:
                by_length[len(lower)].append((lower, word))
        self._lengths = {length: _Length(words, length) for length, words in by_length.items()}


class _Length:
    """All words of one length: a field of bits each, whose highest bit stays empty."""

    def __init__(self, words: list[tuple[str, str]], length: int) -> None:
        self._words = [word for _, word in words]
        self._length = length
        self._letters = "".join(f"{lower}\n" for lower, _ in words)[::-1]
        self._first = int(("0" * length + "1") * len(words), 2)
        """The lowest bit of each field."""
        self._fields = self._first * ((1 << length) - 1)
        self._standing: dict[str, int] = {}

    def near(self, word: str, most: int) -> tuple[int, str] | None:
        """The first of those words that are the fewest edits away (``most`` or fewer)."""
        fields, first = self._fields, self._first
        more, less = fields, 0  # where a cell is one more, one less than the cell above it
        same = before = 0
        for letter in word:
            if letter not in self._standing and len(self._standing) == MOST_LETTERS:
                return None
            here = self._places(letter)
            swapped = ((~same & here) << 1) & before
            same = ((((here & more) + more) ^ more) | here | less | swapped) & fields
            rises = (((less | ~(same | more)) << 1) & fields) | first  # from left to right
            falls = ((same & more) << 1) & fields
            more = (falls | ~(same | rises)) & fields
            less = rises & same
            before = here
        return self._fewest(len(word), more, less, most)

    def _fewest(self, top: int, more: int, less: int, most: int) -> tuple[int, str] | None:
        """From the ``top`` of the last column down to its foot, which is the number of edits."""
        width = self._length + 1
        bits = width * len(self._words)
        ups, downs = f"{more:0{bits}b}", f"{less:0{bits}b}"
        best: tuple[int, str] | None = None
        for place in range(bits - width, -1, -width):
            edits = top - downs.count("1", place, place + width)
            if edits <= most:  # mostly it is not
                edits += ups.count("1", place, place + width)
                if edits <= most:
                    best = (edits, self._words[len(self._words) - 1 - place // width])
                    most = edits - 1
        return best

    def _places(self, letter: str) -> int:
        """A bit for each place where a letter stands."""
        if letter not in self._standing:
            runs = self._letters.split(letter)
            self._standing[letter] = int("1".join("0" * len(run) for run in runs), 2) & self._fields
        return self._standing[letter]
