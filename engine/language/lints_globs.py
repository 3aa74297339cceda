"""Globs that no address fits: what is wrong with one alone, and two that exclude each other."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from engine.language.render import text

_PIECES: Final = re.compile(r"\*\*|\*|[^*]", re.DOTALL)


LONGEST: Final = 100
"""Of longer globs nothing is said."""


@lru_cache(maxsize=1024)
def disjoint(one: str, other: str) -> bool:
    """Is there no address that fits both? A path and a host with path can always agree."""
    if one.startswith("/") != other.startswith("/") or max(len(one), len(other)) > LONGEST:
        return False
    return not any(_meet(left, right) for left in _spelt(one) for right in _spelt(other))


def _spelt(pattern: str) -> list[tuple[str, ...]]:
    """What a glob says, piece by piece; ``/**`` at the end may also be nothing."""
    trimmed = pattern.rstrip("/") or pattern[:1]
    stem = trimmed.removesuffix("/**")
    pieces = tuple(_PIECES.findall(trimmed))
    if stem == trimmed:
        return [pieces]
    return [pieces, tuple(_PIECES.findall(stem))]


def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Can one text be both? Walks pairs of places; a star stays, or is left behind."""
    seen: set[tuple[int, int]] = set()
    waiting = [(0, 0)]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        left, right = here
        if left == len(one) and right == len(other):
            return True
        waiting.extend(_next(one, left, other, right))
    return False


def _next(
    one: tuple[str, ...], left: int, other: tuple[str, ...], right: int
) -> list[tuple[int, int]]:
    a = one[left] if left < len(one) else ""
    b = other[right] if right < len(other) else ""
    found = []
    if a.startswith("*"):
        found.append((left + 1, right))
    if b.startswith("*"):
        found.append((left, right + 1))
    if a and b and not (a.startswith("*") and b.startswith("*")) and _reads(a, b):
        found.append((left + (not a.startswith("*")), right + (not b.startswith("*"))))
    return found


def _reads(a: str, b: str) -> bool:
    if a.startswith("*") or b.startswith("*"):
        star, sign = (a, b) if a.startswith("*") else (b, a)
        return star == "**" or sign != "/"
    return a == b


_COMPARED: Final = (
    (re.compile(r"^(?P<cut>[^/]*://)(?P<rest>.*)"), "its beginning `{cut}`", "Write {rest}."),
    (
        re.compile(r"^(?P<rest>[^?]*)\?(?P<cut>\w*).*"),
        "its query",
        "Write {rest}, and ask for `query.{cut}` beside it.",
    ),
    (
        re.compile(r"^(?P<rest>[^#]*)(?P<cut>#[^*]*).*"),
        "what follows a `#`",
        "Write `url has {cut}`.",
    ),
    (re.compile(r"^(?P<host>[^/]+):(?P<cut>\d+)(?P<rest>/.*|$)"), "its port", "Write {rest}."),
)


def trouble(pattern: str) -> tuple[str, str] | None:
    """Why no address fits a glob, and what to write instead; None for a good one."""
    for shape, what, way in _COMPARED:
        found = shape.match(pattern)
        if found:
            cut, rest = found["cut"], found.groupdict().get("host", "") + found["rest"]
            shown = text(cut) if cut.startswith("#") else cut or "x"
            why = "an address is compared without " + what.format(cut=cut)
            return why, way.format(rest=text(rest), cut=shown)
    if pattern.startswith("^") or pattern.endswith("$"):
        return "it is a regular expression", f"Write `url matches {text(pattern)}`."
    if " " in pattern:
        why = "in an address a space is written `%20`"
        return why, f"Write {text(pattern.replace(' ', '%20'))}."
    host, slash, path = pattern.partition("/")
    if host != host.lower():
        why = "the name of a site is compared in small letters"
        return why, f"Write {text(host.lower() + slash + path)}."
    if host and not set(host) & set(".*[") and host != "localhost":
        why = f"without `/` at its beginning it is about a site called `{host}`"
        return why, f"Write {text('/' + pattern)}."
    return None


def first_page_only(pattern: str) -> bool:
    """Is this the name of a site alone, which fits no page of it but the first?"""
    return bool(pattern) and "/" not in pattern and "*" not in pattern
