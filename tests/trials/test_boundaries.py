"""Boundaries: when a story has tried one, what is said of one that it has not, and that it shows.

The last test is what all of this is for: move any boundary of the sample book, which its scenarios
have tried, by half, and a story goes another way.
"""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trials.compiled import book

from engine.language import syntax
from engine.language.source import Source, read_folder
from engine.trials.boundaries import Boundary, Side, boundaries, near, side_of, thresholds
from engine.trials.coverage import Coverage
from engine.trials.scenarios import run_scenarios

HEAD = """
category Shop is url "/shop/**"
category Dear is event.price >= 1000
event A
  price number
event B
event C
fact visit.mark number = 0
group G
  limit 2 per visit
message M is gpe.appendContent { url: "/frontend/resources/invite.html" }
"""

SAMPLE = book("\n".join(one.text for one in read_folder(Path(__file__).parents[2] / "strategies")))


def missing(rule: str, *lines: str, header: str = "limit 9 per visitor") -> list[str]:
    """What is missing of the boundaries of one rule after one story, but for the limit's."""
    text = HEAD + f'strategy "S"\n  {header}\n  on {rule}\n    send M\n'
    text += 'scenario "One"\n' + "".join(f"  {line}\n" for line in lines)
    told = book(text)
    coverage = Coverage(told)
    run_scenarios(told, coverage)
    sentences = {words for one in boundaries(told) for words in one.missing.values()}
    return [
        gap.what
        for gap in coverage.gaps()
        if gap.what in sentences and "limit 9" not in gap.what and "1000" not in gap.what
    ]


# ------------------------------------------------ near


@pytest.mark.parametrize(
    ("value", "limit", "is_near"),
    [
        (50, 100, True),
        (49, 100, False),
        (150, 100, True),
        (151, 100, False),
        (0, 1, True),
        (3, 1, False),
        (1_000_000, 0, True),
        (float("inf"), 0, False),
        (float("inf"), 5, False),
        (0.4, 0.5, True),
        (0.2, 0.5, False),
    ],
)
def test_near_is_within_half(value: float, limit: float, is_near: bool) -> None:
    assert near(value, limit) is is_near


@pytest.mark.parametrize(
    ("age", "side"),
    [(4_999, None), (5_000, "in"), (9_999, "in"), (10_000, "out"), (15_000, "out"), (15_001, None)],
)
def test_exactly_the_duration_is_outside(age: int, side: Side | None) -> None:
    assert side_of(age, 10_000) == side


# ------------------------------------------------ one kind after the other

WITHIN = "A, then B, within 10 min"


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["A", "B"], ["keeps", "misses"]),
        (["A", "after 9 min", "B"], ["misses"]),
        (["A", "after 10 min", "B"], ["keeps"]),
        (["A", "after 16 min", "B"], ["keeps", "misses"]),
        (["A", "after 10 min", "B", "A", "after 5 min", "B"], []),
        (["after 10 min", "B", "after 9 min", "B"], ["keeps", "misses"]),
    ],
)
def test_within(lines: list[str], left: list[str]) -> None:
    found = missing(WITHIN, *lines)
    assert [word for word in ("keeps", "misses") if any(word in said for said in found)] == left


def test_what_would_try_a_window_is_said() -> None:
    assert missing(WITHIN, "A") == [
        "no story just keeps `within 10 min`: let its last event come 9 min after its first",
        "no story just misses `within 10 min`: let its last event come 10 min after its first",
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "2 times A, within 10 min",
        "all of (A, B), within 10 min",
        "A as x, then A where event.price = x.price, within 10 min",
    ],
)
def test_every_pattern_with_a_window(rule: str) -> None:
    event = "B" if "B" in rule else "A { price: 2 }"
    lines = ["A { price: 2 }", "after 10 min", event, "SignOut"]
    assert any("just keeps" in said for said in missing(rule, *lines))
    assert not any("just misses" in said for said in missing(rule, *lines))
    kept = ["A { price: 2 }", "after 9 min", event]
    assert not any("just keeps" in said for said in missing(rule, *kept))


def test_the_chain_that_stands_counts_and_not_an_older_one() -> None:
    lines = ["A", "after 8 min", "A", "after 2 min", "B"]
    assert len(missing(WITHIN, *lines)) == 2


SILENCE = "A, then no B for 10 min"


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["A", "after 4 min", "B", "after 1 h"], ["looks while", "waits for all"]),
        (["A", "after 9 min", "B", "after 1 h"], ["waits for all"]),
        (["A", "after 10 min"], ["looks while"]),
        (["A", "after 1 h"], ["looks while"]),
        (["A", "after 9 min", "after 1 min"], []),
        (["A", "after 6 min", "A", "after 4 min", "A"], ["waits for all"]),
    ],
)
def test_silence(lines: list[str], left: list[str]) -> None:
    found = missing(SILENCE, *lines)
    words = ("looks while", "waits for all")
    assert [word for word in words if any(word in said for said in found)] == left


def test_a_silence_in_the_middle_is_seen_too() -> None:
    rule = "A, then no B for 10 min, then no C for 5 min, then SignOut"
    assert len(missing(rule, "A")) == 4
    assert missing(rule, "A", "after 9 min", "after 1 min", "after 4 min", "after 1 min") == []


def test_a_silence_that_ends_with_its_visit_is_not_held() -> None:
    rule = "A, then no B for 25 h"
    found = missing(rule, "A", "after 26 h")
    assert any("waits for all" in said for said in found)


def test_a_page_that_is_left_ends_what_it_waits_for() -> None:
    rule = "PageEntered in Shop, stays 30 s"
    found = missing(rule, 'visitor enters "/shop/a"', "after 29 s leaves", "after 1 h")
    assert found == ["no story waits for all of `stays 30 s`: `after 30 s`"]
    assert missing(rule, 'visitor enters "/shop/a"', "after 29 s", "after 1 s") == []


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["A", "B"], ["inside", "outside"]),
        (["A", "after 9 min", "B"], ["outside"]),
        (["A", "after 10 min", "B"], ["inside"]),
        (["A", "after 10 min", "C"], ["inside", "outside"]),
        (["A", "after 5 min", "A", "after 5 min", "B"], []),
    ],
)
def test_a_rolling_window(lines: list[str], left: list[str]) -> None:
    found = missing("B when seen(A, last 10 min)", *lines)
    assert [word for word in ("inside", "outside") if any(word in said for said in found)] == left


def test_a_value_that_is_missing_is_in_no_window() -> None:
    rule = "B when latest(A.price, last 10 min) = 1"
    assert len(missing(rule, "A", "after 9 min", "B", "after 1 min", "B")) == 2
    assert missing(rule, "A { price: 1 }", "after 9 min", "B", "after 1 min", "B") == []


def test_a_window_of_sends() -> None:
    rule = "A unless count(sent M, last 10 min) > 5"
    lines = ["A", "after 9 min", "A"]
    assert not any("just inside" in said for said in missing(rule, *lines))
    assert any("just outside" in said for said in missing(rule, *lines))


def test_times() -> None:
    said = "no story comes to the last of `3 times A`: let there be 3"
    assert missing("3 times A", "A", "A") == [said]
    assert missing("3 times A", "A", "A", "A") == []
    assert missing("3 times A, then B", "A", "A", "A") == []
    assert said in missing("3 times A, within 10 min", "A", "A", "after 10 min", "A")


# ------------------------------------------------ thresholds


def sides(*given: str) -> list[str]:
    """What is missing of a threshold that is alone, after events with these prices."""
    found = missing("A where event.price >= 100", *(f"A {{ price: {price} }}" for price in given))
    return [word for word in ("exactly", "below") if any(word in said for said in found)]


def test_a_threshold_is_tried_by_itself_and_the_other_side() -> None:
    assert sides() == sides("101", "49") == ["exactly", "below"]
    assert sides("100") == ["below"]
    assert sides("99.5") == sides("50") == ["exactly"]
    assert sides("99", "100") == []


def test_what_would_try_a_threshold_is_said() -> None:
    assert missing("A where event.price >= 100", "A") == [
        "no story turns on exactly 100 at `event.price >= 100`: `A { price: 100 }`",
        "no story turns on a little below 100 at `event.price >= 100`: `A { price: 99 }`",
    ]
    assert missing('B when agents.ready("chat") <= 2', "A") == [
        'no story turns on exactly 2 at `agents.ready("chat") <= 2`: '
        '`given 2 agents ready for "chat"`',
        'no story turns on a little above 2 at `agents.ready("chat") <= 2`: '
        '`given 3 agents ready for "chat"`',
    ]
    assert missing("B when since(A) < 1 min", "C")[1].endswith("let it be `after 59 s`")
    assert missing("B when visit.mark > 0.5", "C")[1].endswith("`given visit.mark = 0.55`")


@pytest.mark.parametrize(
    ("rule", "decides"),
    [
        ("A when event.price >= 100 and visit.pages > 5", False),
        ("A when event.price >= 100 and visit.pages < 5", True),
        ("A when event.price >= 100 or visit.pages < 5", False),
        ("A when event.price >= 100 unless visit.pages < 5", False),
        ("A when visit.pages > 5 unless event.price >= 100", False),
        ("A when not event.price >= 100 and visit.pages is known", True),
        ("A when not (event.price >= 100 or visit.pages > 5)", True),
    ],
)
def test_a_threshold_is_tried_only_where_nothing_else_decides(rule: str, decides: bool) -> None:
    lines = ('visitor enters "/"', "A { price: 100 }", "A { price: 99 }")
    found = [said for said in missing(rule, *lines) if "price" in said]
    assert len(found) == (0 if decides else 2)


@pytest.mark.parametrize(("first", "decides"), [("< 9", False), ("> 9", True)])
def test_behind_a_row_that_holds_nothing_is_decided(first: str, decides: bool) -> None:
    text = HEAD + 'strategy "S"\n  limit 9 per visit\n'
    text += 'table "T" for strategy "S"\n'
    text += "  on ? | when visit.pages | send\n"
    text += f"  SignIn | {first} | M\n  SignIn | >= 2 | M\n"
    text += 'scenario "One"\n  visitor enters "/"\n  SignIn\n  visitor enters "/"\n  SignIn\n'
    told = book(text)
    coverage = Coverage(told)
    run_scenarios(told, coverage)
    assert any("`visit.pages >= 2`" in gap.what for gap in coverage.gaps()) is not decides
    lines = {
        gap["line"] for gap in coverage.to_json([Source(name="book.strategy", text=text)])["gaps"]
    }
    assert 16 in lines, "a row of a table is shown, not its head"


def test_categories_have_thresholds_too() -> None:
    text = HEAD + 'strategy "S"\n  limit 1 per visit\n  on A in Dear\n    send M\n'
    told = book(text + 'scenario "One"\n  A { price: 999 }\n')
    coverage = Coverage(told)
    run_scenarios(told, coverage)
    said = [gap.what for gap in coverage.gaps() if "1000" in gap.what]
    assert said == ["no story turns on exactly 1000 at `event.price >= 1000`: `A { price: 1000 }`"]


# ------------------------------------------------ limits


def of_limit(limit: str, *lines: str) -> list[str]:
    found = missing("A", *lines, header=limit)
    words = ("sends all", "is refused by", "still refused", "just over")
    return [word for word in words if any(word in said for said in found)]


def test_a_limit() -> None:
    assert of_limit("limit 2 per visit", "A") == ["sends all", "is refused by"]
    assert of_limit("limit 2 per visit", "A", "A") == ["is refused by"]
    assert of_limit("limit 2 per visit", "A", "A", "A") == []
    again = ("A", "visitor returns after 1 h", "A", "A")
    assert of_limit("limit 2 per visit", *again) == ["is refused by"]


def test_a_limit_in_a_time() -> None:
    limit = "limit 1 in 10 min"
    assert of_limit(limit, "A", "A") == ["still refused", "just over"]
    assert of_limit(limit, "A", "after 9 min", "A") == ["just over"]
    assert of_limit(limit, "A", "after 9 min", "A", "after 1 min", "A") == []
    assert of_limit(limit, "A", "after 1 h", "A") == ["is refused by", "still refused", "just over"]


def test_a_limit_that_is_not_alone_is_not_tried() -> None:
    shared = "group G\n  limit 2 per visit"
    assert of_limit(shared, "A", "A", "A") == ["is refused by"]
    assert of_limit(shared, "A", "A", "visitor returns after 1 h", "A") == ["is refused by"]
    assert of_limit("group G\n  limit 1 per visitor", "A", "A") == ["sends all", "is refused by"]


# ------------------------------------------------ the sample book


def test_the_scenarios_of_the_sample_book_try_everything() -> None:
    coverage = Coverage(SAMPLE)
    run_scenarios(SAMPLE, coverage)
    assert coverage.gaps() == ()
    assert coverage.summary()["boundaries"][1] > 40


def moved(boundary: Boundary, side: Side, node: Any) -> Any:
    """The node with its number moved so far that what was near on that side changes sides."""

    def length(milliseconds: int) -> int:
        return milliseconds // 2 if side == "in" else milliseconds * 3 // 2 + 1

    match boundary.kind, node:
        case "threshold", syntax.Compare():
            (threshold,) = thresholds(node)
            limit, far = threshold.limit, max(abs(threshold.limit) / 2, 1) + 1e-6
            shift = -1e-6 if side == "in" else far if limit else 1e6
            new = replace(node.right, value=limit + threshold.beyond * shift)
            return replace(node, right=new)
        case "within", syntax.Pattern(within=int() as within):
            return replace(node, within=length(within))
        case ("silence", syntax.Absent()) | ("window", syntax.Window()):
            return replace(node, duration=length(node.duration))
        case "rate", syntax.Limit(duration=int() as duration):
            return replace(node, duration=length(duration))
        case "times", syntax.Times():
            return replace(node, count=node.count + 1)
        case "limit", syntax.Limit():
            return replace(node, count=node.count + (-1 if side == "in" else 1))
    return node


def changed(tree: Any, boundary: Boundary, side: Side) -> Any:
    """The tree with one boundary moved, wherever it is used."""
    if isinstance(tree, tuple):
        return tuple(changed(item, boundary, side) for item in tree)
    if isinstance(tree, dict):
        return {key: changed(item, boundary, side) for key, item in tree.items()}
    if not dataclasses.is_dataclass(tree) or isinstance(tree, syntax.Span):
        return tree
    if getattr(tree, "span", None) == boundary.span:
        new = moved(boundary, side, tree)
        if new is not tree:
            return new
    fields = (field.name for field in dataclasses.fields(tree))
    return replace(tree, **{name: changed(getattr(tree, name), boundary, side) for name in fields})


def outcomes(told: syntax.Book) -> list[Any]:
    return [[(line.happened, line.failure) for line in s.lines] for s in run_scenarios(told)]


def test_moving_any_boundary_of_the_sample_book_changes_a_story() -> None:
    before = outcomes(SAMPLE)
    rules = {"strategies": SAMPLE.strategies, "groups": SAMPLE.groups}
    parts = rules | {"categories": SAMPLE.categories}
    for boundary in boundaries(SAMPLE):
        for side in boundary.missing:
            new = {name: changed(part, boundary, side) for name, part in parts.items()}
            assert new != parts, "the boundary is found again"
            assert outcomes(replace(SAMPLE, **new)) != before, boundary.missing[side]
