"""A plan that was replaced is freed at once: a busy server searches for no cycles."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator

import pytest
from hands import written

from engine.runtime.library import KEPT, Library
from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event

EDITS = KEPT + 20
RULES = 20


@pytest.fixture(autouse=True)
def no_search() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def edition(number: int, *, elsewhere: bool) -> str:
    """A book whose first rule is edited, and where ``elsewhere`` what all rules share is too."""
    declared = f'category Place is url "/place/{number if elsewhere else 0}" and title = "t"\n'
    rules = [
        f'strategy "S{n}"\n  on A in Place or Dear where event.price > {number if n == 0 else n},'
        " then no B for 1 min\n"
        f"    when event.price > {n} and count(C, last 5 min) > 2 and event in (Checkout)\n"
        "    send M\n"
        for n in range(RULES)
    ]
    return declared + "".join(rules)


def living() -> Counter[str]:
    """Plans, and the functions and indexes that they are made of."""
    found = Counter(type(each).__name__ for each in gc.get_objects())
    conditions = [each for each in gc.get_objects() if getattr(each, "__name__", "") == "condition"]
    names = ("Plan", "Conditions", "Index", "PlannedRule")
    return Counter({"condition": len(conditions), **{name: found[name] for name in names}})


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("elsewhere", [True, False])
@pytest.mark.parametrize("asked", [True, False])
def test_edits_leave_nothing_behind(*, native: bool, elsewhere: bool, asked: bool) -> None:
    before = living()
    visitor, live = Visitor.new("W"), plan(written(edition(0, elsewhere=elsewhere)), native=native)
    library = Library(live)
    full = Counter[str]()
    for number in range(1, EDITS):
        book = written(edition(number, elsewhere=elsewhere))
        live = plan(book, native=native, before=library.live)
        library.swap(live)
        if asked:
            event = Event(name="A", time=number, visitor="W", visit="V", url="/", data={"price": 9})
            visitor = step(live, visitor, event).visitor
        if number == KEPT + 1:
            full = living()
    assert full["Plan"] >= KEPT
    assert living() <= full, "as many as when the library was full"
    del library, live
    assert living() <= before
