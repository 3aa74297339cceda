"""Categories: which of a book's categories an event is in.

Most categories are about the address alone, and visitors look at the same pages again and again:
the answer for an address is found once and remembered. The others are asked through an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from engine.language import syntax
from engine.language.quiet import Breathe
from engine.runtime.index import Entry, Index, alternatives
from engine.runtime.scene import Scene

if TYPE_CHECKING:
    from engine.runtime.conditions import Conditions

REMEMBERED: Final = 8_192
"""Addresses whose categories are kept; then all are forgotten and learnt again."""

_OF_ADDRESS: Final = frozenset({"url", "path", "host", "query"})


class Categories:
    """The categories of one book."""

    def __init__(self, book: syntax.Book, conditions: Conditions, breathe: Breathe) -> None:
        names = tuple(book.categories)
        by_address: list[Entry] = []
        others: list[Entry] = []
        for number, category in enumerate(book.categories.values()):
            for condition in alternatives(category.condition):
                entry = Entry(number=number, categories=(), condition=condition)
                (by_address if _is_about_the_address(condition) else others).append(entry)
        self._names = names
        self._by_address = Index(conditions, by_address, of_categories=True, breathe=breathe)
        self._others = (
            Index(conditions, others, of_categories=True, breathe=breathe) if others else None
        )
        self._known: dict[str | None, frozenset[str]] = {}

    def of(self, scene: Scene) -> frozenset[str]:
        """All categories that the scene's event is in."""
        url = scene.event.url
        found = self._known.get(url)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[url] = self._named(self._by_address.find(scene))
        if self._others is None:
            return found
        more = self._others.find(scene)
        return found | self._named(more) if more else found

    def laid_out(self) -> tuple[tuple[str, ...], dict[str | None, frozenset[str]], Index | None]:
        """The names by number, what is known by address, and the index of the others."""
        return self._names, self._known, self._others

    def _named(self, numbers: list[int]) -> frozenset[str]:
        return frozenset([self._names[number] for number in numbers])


def _is_about_the_address(condition: syntax.Expr) -> bool:
    return all(_first(path) in _OF_ADDRESS for path in _paths(condition))


def _first(path: syntax.Path) -> str:
    return path.parts[1] if path.parts[0] == "event" and len(path.parts) > 1 else path.parts[0]


def _paths(node: Any) -> Iterator[syntax.Path]:
    """Every path in a condition; what else looks outside the address counts as one."""
    match node:
        case syntax.Path():
            yield node
        case syntax.Constant() | syntax.Glob():
            return
        case syntax.And(items=items) | syntax.Or(items=items):
            for item in items:
                yield from _paths(item)
        case syntax.Not(item=item) | syntax.Known(item=item):
            yield from _paths(item)
        case syntax.Compare(left=left, right=right):
            yield from _paths(left)
            yield from _paths(right)
        case syntax.Among(item=item, values=values):
            for one in (item, *values):
                yield from _paths(one)
        case _:
            yield syntax.Path(parts=("elsewhere",))
