"""Conditions that differ in their constants alone share code; the constants stand beside it."""

import pytest

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.runtime.plan import Plan, plan
from engine.runtime.step import step
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event

NAMES = ('say "hi"', "') or __import__('os')", "s", "b0", "\u00fc \\ { }", "")


def _planned(condition: str) -> Plan:
    rule = f"""\
event A
  price number
  name text
  good boolean
strategy "X"
  on A when {condition}
  send gpe.appendContent {{ url: "/x" }}
"""
    found = compile_book([Source(name="x.strategy", text=rule)])
    assert found.book is not None, found.diagnostics
    return plan(found.book, native=False)


def _sends(planned: Plan, data: dict[str, object]) -> bool:
    event = Event(name="A", time=1, visitor="V", visit="v", page="p", data=data)
    return bool(step(planned, Visitor.new("V"), event).batches)


def _code(planned: Plan) -> object:
    """The code of the guard, once it was asked."""
    _sends(planned, {"price": 1, "name": "s"})
    guard = planned.rules[0].when
    assert guard is not None
    return guard.__code__


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("event.price > 5", "event.price > 6.5"),
        ('event.name = "a" and event.price < 1', 'event.name = "s" and event.price < 2'),
        ('event.name in ("a", "b")', 'event.name in ("c")'),
        ("count(A, last 5 min) > 2", "count(A, last 7 min) > 3"),
        ('event.name matches "a+"', 'event.name matches "[bc]"'),
        ('event.good or event.name ends with "x"', 'event.good or event.name ends with "y"'),
    ],
)
def test_one_shape_has_one_code(one: str, other: str) -> None:
    assert _code(_planned(one)) is _code(_planned(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("event.price > 5", "event.price >= 5"),
        ("event.good = true", "event.good = false"),
        ("event.price > 5", "not event.price > 5"),
        ("event.price is known", "event.price is missing"),
    ],
)
def test_another_shape_has_another(one: str, other: str) -> None:
    assert _code(_planned(one)) is not _code(_planned(other))


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_what_they_are_and_no_code(name: str) -> None:
    written = name.replace("\\", "\\\\").replace('"', '\\"')
    planned = _planned(f'event.name = "{written}"')
    for other in NAMES:
        assert _sends(planned, {"name": other}) is (other == name)
    code = _code(planned)
    assert name not in code.co_consts  # type: ignore[attr-defined]


def test_conditions_of_one_shape_keep_their_own_constants() -> None:
    several = [_planned(f"event.price > {n}") for n in range(20)]
    assert [sum(_sends(one, {"price": price}) for one in several) for price in (0, 5.5, 99)] == [
        0,
        6,
        20,
    ]
