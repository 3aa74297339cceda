"""All URL globs of a book as one automaton: an address is read once, whatever the number of globs.

The globs of a book share their beginnings, so they become a tree of path segments: a literal
segment is one lookup, a segment with ``*`` is tried by its own pattern, and ``/**`` at the end
hangs at the segment above it. An address walks down all branches that fit at once. What no tree of
segments can say (``**`` in the middle) is rare and tried glob by glob. Visitors look at the same
pages again and again, so the answers of the youngest addresses are remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import re2

from engine.vocabulary import address

REMEMBERED: Final = 8_192
"""Addresses whose answers are kept; then all are forgotten and learnt again."""

_NONE: Final[frozenset[int]] = frozenset()


class _Node:
    """One segment of the tree: what may come below it, and which globs end here or below."""

    __slots__ = ("below", "ends", "literal", "starred")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.starred: list[tuple[Callable[[str], object], _Node]] = []
        self.ends: list[int] = []
        self.below: list[int] = []


class Globs:
    """Which of many globs an address fits. Each glob is known by its number."""

    def __init__(self, patterns: Sequence[tuple[int, str]]) -> None:
        self._paths, self._hosts = _Node(), _Node()
        self._single: list[tuple[int, Callable[[str], bool]]] = []
        self.known: dict[str, frozenset[int]] = {}
        shapes: dict[tuple[_Node, str], _Node] = {}
        for number, pattern in patterns:
            self._add(number, pattern, shapes)

    def fitting(self, url: str) -> frozenset[int]:
        """The numbers of all globs that the address fits."""
        found = self.known.get(url)
        if found is None:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            found = self.known[url] = self._walk(url)
        return found

    def _add(self, number: int, pattern: str, shapes: dict[tuple[_Node, str], _Node]) -> None:
        trimmed = address.trimmed(pattern)
        stem = trimmed.removesuffix("/**")
        if "**" in stem:
            self._single.append((number, address.glob(pattern)))
            return
        node = self._paths if pattern.startswith("/") else self._hosts
        for segment in stem.split("/"):
            node = _child(node, segment, shapes)
        (node.ends if stem == trimmed else node.below).append(number)

    def _walk(self, url: str) -> frozenset[int]:
        found = [number for number, fits in self._single if fits(url)]
        parts = address.split(url)
        _follow(self._paths, address.trimmed(parts.path), found)
        if parts.host is not None:
            _follow(self._hosts, address.trimmed(parts.host + parts.path), found)
        return frozenset(found) if found else _NONE


def _child(node: _Node, segment: str, shapes: dict[tuple[_Node, str], _Node]) -> _Node:
    if "*" not in segment:
        return node.literal.setdefault(segment, _Node())
    known = shapes.get((node, segment))
    if known is None:
        known = shapes[node, segment] = _Node()
        node.starred.append((_segment(segment), known))
    return known


def _segment(segment: str) -> Callable[[str], object]:
    """A test of one segment; ``*`` alone fits any."""
    if segment == "*":
        return lambda _: True
    expression = "(?s:" + ".*".join(re2.escape(piece) for piece in segment.split("*")) + ")"
    compiled = re2.compile(expression)
    return lambda text: compiled.fullmatch(text) is not None


def _follow(root: _Node, text: str, found: list[int]) -> None:
    nodes: Iterable[_Node] = (root,)
    for segment in text.split("/"):
        reached: list[_Node] = []
        for node in nodes:
            found += node.below
            literal = node.literal.get(segment)
            if literal is not None:
                reached.append(literal)
            reached += [child for fits, child in node.starred if fits(segment)]
        nodes = reached
        if not reached:
            return
    for node in nodes:
        found += node.ends
        found += node.below
