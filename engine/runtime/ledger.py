"""The ledger: a visitor's log of sends, sorted by what admission asks of it.

It is derived from the log and no memory: what is added to the log is added here when it is next
asked, and whoever changes an entry drops it (``visitor.ledger = None``).
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.runtime.visitor import Sent, Visitor

_NONE: Sequence[Sent] = ()


class Ledger:
    """What counts of each strategy and group, oldest first, and what may wait for an answer."""

    __slots__ = ("_groups", "_strategies", "_taken", "_waiting", "log")

    def __init__(self, log: list[Sent]) -> None:
        self.log = log
        self._taken = 0
        self._strategies: dict[str, list[Sent]] = {}
        self._groups: dict[str, list[Sent]] = {}
        self._waiting: dict[tuple[str | None, str], list[Sent]] = {}

    def take(self) -> None:
        """Take in what the log has more than at the last time."""
        for sent in self.log[self._taken :] if self._taken else self.log:
            if sent.counts:
                self._strategies.setdefault(sent.strategy, []).append(sent)
                if sent.group is not None:
                    self._groups.setdefault(sent.group, []).append(sent)
            if sent.waiting:
                self._waiting.setdefault((sent.group, sent.visit), []).append(sent)
        self._taken = len(self.log)

    def of_strategy(self, name: str) -> Sequence[Sent]:
        """The sends of a strategy that count, oldest first."""
        return self._strategies.get(name, _NONE)

    def of_group(self, name: str | None) -> Sequence[Sent]:
        """The sends of a group that count, oldest first."""
        return _NONE if name is None else self._groups.get(name, _NONE)

    def waiting(self, group: str | None, visit: str) -> Sequence[Sent]:
        """The sends of a group to a visit that were not answered; their time may be over."""
        return self._waiting.get((group, visit), _NONE)


def ledger_of(visitor: Visitor) -> Ledger:
    """The ledger of a visitor as the log stands now."""
    ledger = visitor.ledger
    if ledger is None or ledger.log is not visitor.sends:
        ledger = visitor.ledger = Ledger(visitor.sends)
    ledger.take()
    return ledger
