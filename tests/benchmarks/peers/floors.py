"""The floors: what a programmer would write by hand for exactly these rules, and nothing more.

They bound what is possible in Python, and they are what every other engine is compared with.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from .engines import Engine, Missing, Task
from .workload import TIMES, Counted, Followed, Threshold

Decide = Callable[[Any], list[str] | None]


class Floor(Engine):
    """A dictionary over name and category, then a search among thresholds or a few lists."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._decode = typed_decoder(task.workload) if task.form == "line" else None
        self.version = "by hand"
        self.begin()

    def begin(self) -> None:
        table = _Stateful if self._task.workload == "w2" else _Stateless
        made = table(self._task)
        self.decide = made.typed(self._decode) if self._decode else made.plain

    def ready(self, line: bytes) -> Any:
        return line if self._decode else json.loads(line)


def typed_decoder(workload: str) -> Callable[[bytes], Any]:
    """The cheapest way from a line to the fields that the rules of a workload read."""
    try:
        import msgspec
    except ImportError:
        raise Missing("msgspec") from None
    data = msgspec.defstruct("Data", [("cartTotal", float)], gc=False)
    place = "url" if workload == "w1p" else "category"
    texts = [(name, str) for name in ("visitID", "pageID", "eventName", place)]
    event = msgspec.defstruct("Event", [*texts, ("timestamp", int), ("data", data)], gc=False)
    return msgspec.json.Decoder(event).decode


class _Stateless:
    """W1: thresholds sorted under name and category; those that are low enough fire."""

    def __init__(self, task: Task) -> None:
        found: dict[tuple[str, str], list[tuple[float, str]]] = {}
        for rule in task.rules:
            assert isinstance(rule, Threshold)
            found.setdefault((rule.event, rule.category), []).append((rule.at_least, rule.id))
        self._table = {}
        for key, rows in found.items():
            rows.sort()
            self._table[key] = ([limit for limit, _ in rows], [name for _, name in rows])
        self._by_address = task.workload == "w1p"
        self.plain: Decide = self._plain_by_address if self._by_address else self._plain

    def _plain(self, event: dict[str, Any]) -> list[str] | None:
        hit = self._table.get((event["eventName"], event["category"]))
        if hit is None:
            return None
        return hit[1][: bisect_right(hit[0], event["data"]["cartTotal"])] or None

    def _plain_by_address(self, event: dict[str, Any]) -> list[str] | None:
        hit = self._table.get((event["eventName"], event["url"].split("/", 3)[2]))
        if hit is None:
            return None
        return hit[1][: bisect_right(hit[0], event["data"]["cartTotal"])] or None

    def typed(self, decode: Callable[[bytes], Any]) -> Decide:
        table = self._table

        def decide(line: bytes) -> list[str] | None:
            event = decode(line)
            hit = table.get((event.eventName, event.category))
            if hit is None:
                return None
            return hit[1][: bisect_right(hit[0], event.data.cartTotal)] or None

        def decide_by_address(line: bytes) -> list[str] | None:
            event = decode(line)
            hit = table.get((event.eventName, event.url.split("/", 3)[2]))
            if hit is None:
                return None
            return hit[1][: bisect_right(hit[0], event.data.cartTotal)] or None

        return decide_by_address if self._by_address else decide


_COUNTED, _FIRST, _THEN = range(3)


class _Stateful:
    """W2: what to do at name and category, and for each visit the times that matter."""

    def __init__(self, task: Task) -> None:
        self._table: dict[tuple[str, str], list[tuple[int, int, int, str]]] = {}
        for number, rule in enumerate(task.rules):
            match rule:
                case Counted():
                    self._add(rule.event, rule.category, (_COUNTED, number, rule.within, rule.id))
                case Followed():
                    self._add(rule.first, rule.category, (_FIRST, number, rule.within, rule.id))
                    self._add(rule.then, rule.category, (_THEN, number, rule.within, rule.id))
        self._visits: dict[str, dict[int, Any]] = {}

    def _add(self, name: str, category: str, row: tuple[int, int, int, str]) -> None:
        self._table.setdefault((name, category), []).append(row)

    def plain(self, event: dict[str, Any]) -> list[str] | None:
        rows = self._table.get((event["eventName"], event["category"]))
        if rows is None:
            return None
        return self._advance(rows, event["visitID"], event["timestamp"])

    def typed(self, decode: Callable[[bytes], Any]) -> Decide:
        table, advance = self._table, self._advance

        def decide(line: bytes) -> list[str] | None:
            event = decode(line)
            rows = table.get((event.eventName, event.category))
            if rows is None:
                return None
            return advance(rows, event.visitID, event.timestamp)

        return decide

    def _advance(
        self, rows: list[tuple[int, int, int, str]], visit: str, now: int
    ) -> list[str] | None:
        fired = None
        memory = self._visits.get(visit)
        if memory is None:
            memory = self._visits[visit] = {}
        for what, number, within, name in rows:
            if what == _COUNTED:
                times = memory.get(number)
                if times is None:
                    memory[number] = [now]
                    continue
                while times and now - times[0] >= within:
                    del times[0]
                times.append(now)
                if len(times) < TIMES:
                    continue
                del memory[number]
            elif what == _FIRST:
                memory[number] = now
                continue
            else:
                begun = memory.pop(number, None)
                if begun is None or now - begun >= within:
                    continue
            if fired is None:
                fired = [name]
            else:
                fired.append(name)
        return fired
