"""Spelling: the nearest known word to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was probably meant to be, or None when none is near.

    Near is at most one edit in four letters (at least one, at most three); a change of letter
    case alone is always near. Swapped neighbours count as one edit.
    """
    best: tuple[int, str] | None = None
    for candidate in sorted(set(known)):
        if candidate.lower() == word.lower():
            return candidate
        allowed = max(1, min(3, max(len(word), len(candidate)) // 4))
        if best is not None:
            allowed = min(allowed, best[0] - 1)
        if not allowed or abs(len(word) - len(candidate)) > allowed:
            continue
        edits = distance(word.lower(), candidate.lower(), allowed)
        if edits <= allowed and edits < len(candidate):
            best = (edits, candidate)
    return best[1] if best else None


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
