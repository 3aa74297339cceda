"""What is done natively for a submit leaves nothing behind, whether it succeeds or not."""

from __future__ import annotations

import contextlib
import gc
import tracemalloc
from collections.abc import Callable

from hosts.booked import library_of

from engine.hosts.contract import Input
from engine.hosts.marks import mark_of, run_of
from engine.hosts.rows import rows_of
from engine.runtime.runs import follow
from engine.runtime.visitor import Visitor

_TIMES = 2_000


def _inputs(visit: str) -> list[Input]:
    return [
        Input(
            kind="event", visit=visit, time=2**40 + n // 2, version="1", id=f"{visit}{n}",
            body={"eventName": "AddToCart", "pageID": "P"},
        )
        for n in range(6)
    ]  # fmt: skip


def _kept(work: Callable[[int], None]) -> int:
    """How many bytes the same work leaves behind when it is done once more."""

    def grown() -> int:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(_TIMES):
            with contextlib.suppress(ValueError, TypeError, KeyError, OverflowError):
                work(number)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        grown()
        return max(grown(), grown())
    finally:
        tracemalloc.stop()


def test_runs_and_marks_are_let_go() -> None:
    many = [_inputs("V"), _inputs("é"), _inputs("\ud800"), _inputs("V" * 1_100)]
    seen = mark_of("V", "V3")

    def work(number: int) -> None:
        run_of(many[number % 4], number % 6, seen if number % 3 else "é")
        run_of(many[0], "x", seen)  # type: ignore[arg-type]

    assert _kept(work) < _TIMES


def test_rows_are_let_go() -> None:
    many = [_inputs("V"), _inputs('"'), _inputs("\ud800")]
    decided = ((), None, (), ({"rule": 1},), (), ())

    def work(number: int) -> None:
        texts = ["{}", "{}", "\ud800" if number % 5 == 0 else "{}", "{}", "{}", "{}"]
        rows_of(number, 2**64 if number % 7 == 0 else 1, "W", many[number % 3], texts, decided)

    assert _kept(work) < _TIMES


def test_followed_events_are_let_go() -> None:
    plan = library_of().live
    bodies = [one.body for one in _inputs("V")]

    def work(number: int) -> None:
        visitor = Visitor.new("W")
        taken, _ = follow(plan, visitor, bodies, "V", 2**40)
        follow(plan, visitor, bodies[taken:], "V", 2**40)
        follow(plan, visitor, [bodies[0], {"pageID": number}], "V", 2**40)

    assert _kept(work) < _TIMES
