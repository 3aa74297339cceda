"""What the book says of its strategies that the journal does not: their media and audiences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.language.lints_conditions import nodes_in
from engine.language.syntax import Audience, Book, Outside, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """One strategy: its audience, and the medium of each rule (None where that is not sure)."""

    audience: Audience | None = None
    media: tuple[str | None, ...] = ()

    def medium(self, rule: int) -> str | None:
        """The medium that the rule at this place asks for."""
        return self.media[rule] if 0 <= rule < len(self.media) else None


def offerings(book: Book) -> Mapping[str, Offering]:
    """What is offered, by the name of the strategy."""
    return {
        name: Offering(
            audience=strategy.audience, media=tuple(_medium(rule) for rule in strategy.rules)
        )
        for name, strategy in book.strategies.items()
    }


def _medium(rule: Rule) -> str | None:
    """The one medium whose agents or pacing the rule asks for."""
    asked = {node.argument for node in nodes_in(rule) if isinstance(node, Outside)}
    return asked.pop() if len(asked) == 1 else None
