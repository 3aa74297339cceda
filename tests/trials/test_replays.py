"""What a replay decides: the same step, and no timer that nothing in the record reached."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from trials.compiled import book
from trials.recordings import HOUR, entered, event, recorded

from engine.trials.replay import Noted, Report, in_order, replay

WORDS = """
event AddToCart "In the cart"
event Order "Bought"
message M is gpe.appendContent { url: "/frontend/resources/invite.html" }
"""


def strategy(rule: str, header: str = "") -> str:
    return f'{WORDS}\nstrategy "S"\n  {header}\n  {rule}\n    send M\n'


def decided(
    tmp_path: Path, text: str, *events: dict[str, Any]
) -> list[tuple[int, str, str | None]]:
    """What was decided, as (second, page, reason)."""
    noted: list[Noted] = []
    replay(book(text), recorded(tmp_path, *events), note=noted.append)
    return [(n.decision.time // 1000, n.decision.page or "", n.decision.reason) for n in noted]


def figures(report: Report) -> tuple[int, int, dict[str, int]]:
    tally = report.strategies["S"]
    return tally.sent, tally.visits, dict(tally.refused)


# ---------------------------------------------------------------- sums


def test_messages_visits_and_refusals_are_added_up(tmp_path: Path) -> None:
    text = strategy("on PageEntered", "limit 1 per visit")
    recording = recorded(
        tmp_path,
        entered(1),
        entered(2, page="p2"),
        entered(3, page="p3"),
        entered(1, "v2"),
        entered(1, None),
        event("Unknown", 9, "v3"),
    )
    report = replay(book(text), recording)
    assert figures(report) == (2, 2, {"limit": 2})
    assert report.to_json() == {
        "events": 6,
        "visits": 3,
        "strategies": {"S": {"sent": 2, "visits": 2, "refused": {"limit": 2}}},
    }


def test_a_strategy_that_never_came_up_has_zeros(tmp_path: Path) -> None:
    report = replay(book(strategy("on AddToCart")), recorded(tmp_path, entered(1)))
    assert report.to_json()["strategies"] == {"S": {"sent": 0, "visits": 0, "refused": {}}}


def test_a_rule_with_two_messages_sends_two(tmp_path: Path) -> None:
    text = strategy("on PageEntered\n    send M")
    assert figures(replay(book(text), recorded(tmp_path, entered(1)))) == (2, 1, {})


def test_agents_are_missing_unless_they_are_given(tmp_path: Path) -> None:
    live = book(strategy('on PageEntered\n    when agents.ready("chat") > 0'))
    recording = recorded(tmp_path, entered(1))
    assert figures(replay(live, recording)) == (0, 0, {"when": 1})
    assert figures(replay(live, recording, agents={"chat": 3})) == (1, 1, {})
    assert figures(replay(live, recording, agents={"chat": 0})) == (0, 0, {"when": 1})


def test_agents_are_given_to_timers_too(tmp_path: Path) -> None:
    live = book(strategy('on PageEntered, stays 5 s\n    when agents.ready("chat") > 0'))
    recording = recorded(tmp_path, entered(1), event("Search", 20))
    assert figures(replay(live, recording, agents={"chat": 1})) == (1, 1, {})


# ---------------------------------------------------------------- how far the clock of a visit goes

DWELL = strategy("on PageEntered, then no any event for 30 s")


def test_a_later_event_of_the_visit_reaches_a_timer(tmp_path: Path) -> None:
    assert decided(tmp_path, DWELL, entered(0), event("Search", 40)) == [(30, "p1", None)]


def test_an_event_at_the_very_instant_reaches_it(tmp_path: Path) -> None:
    assert decided(tmp_path, DWELL, entered(0), event("Search", 30)) == [(30, "p1", None)]
    assert decided(tmp_path, DWELL, entered(0), event("Search", 29.999)) == []


def test_nothing_is_reached_after_the_last_event(tmp_path: Path) -> None:
    assert decided(tmp_path, DWELL, entered(0)) == []


def test_another_visitor_reaches_nothing(tmp_path: Path) -> None:
    assert decided(tmp_path, DWELL, entered(0), entered(99, "v2")) == []


def test_another_visit_of_the_visitor_does_not_reach_a_timer_of_a_visit(tmp_path: Path) -> None:
    own = {"globalVisitID": "g"}
    events = (entered(0, "v1", **own), entered(99, "v2", "q1", **own))
    assert decided(tmp_path, DWELL, *events) == []
    assert decided(tmp_path, strategy("on PageEntered, stays 30 s, per page"), *events) == []


def test_visits_side_by_side_have_clocks_of_their_own(tmp_path: Path) -> None:
    own = {"globalVisitID": "g"}
    events = (
        entered(0, "v1", "a", **own),
        entered(10, "v2", "b", **own),
        event("Search", 50, "v2", "b", **own),
        event("Search", 60, "v1", "a", **own),
        entered(70, "v1", "c", **own),
        event("Search", 200, "v2", "b", **own),
    )
    # v1 reaches the timer of page a; that of page c falls due after its last event.
    assert decided(tmp_path, DWELL, *events) == [(30, "a", None), (40, "b", None)]


def test_another_visit_reaches_a_timer_of_the_visitor(tmp_path: Path) -> None:
    text = strategy("on AddToCart, then no Order for 2 h, per visitor")
    own = {"globalVisitID": "g"}
    cart = event("AddToCart", 0, "v1", **own)
    later = HOUR // 1000
    assert decided(tmp_path, text, entered(0, "v1", **own), cart) == []
    # The page of the first visit was never left, so the message goes there.
    back = entered(3 * later, "v2", "q1", **own)
    assert decided(tmp_path, text, cart, back) == [(2 * later, "p1", None)]
    early = entered(1 * later, "v2", "q1", **own)
    assert decided(tmp_path, text, cart, early) == []
    bought = event("Order", 1 * later, "v2", "q1", **own)
    assert decided(tmp_path, text, cart, bought, back) == []


def test_a_send_to_a_visit_that_is_over_arms_nothing_there(tmp_path: Path) -> None:
    text = (
        strategy("on AddToCart, then no Order for 1 min, per visitor")
        + '\nstrategy "T"\n  limit 9 per visit\n'
        + "  on sent M, then no any event for 1 min\n    send M\n"
    )
    own = {"globalVisitID": "g"}
    events = (event("AddToCart", 0, "v1", **own), entered(600, "v2", "q1", **own))
    assert decided(tmp_path, text, *events) == [(60, "p1", None)]


def test_the_record_says_which_events_are_one_visit_even_after_days(tmp_path: Path) -> None:
    text = strategy("on 3 times PageEntered", "limit 1 per visit")
    day = 86_400
    events = (entered(n * 2 * day, page=f"p{n}") for n in range(6))
    assert decided(tmp_path, text, *events) == [(4 * day, "p2", None), (10 * day, "p5", "limit")]


# ---------------------------------------------------------------- exits


def test_a_derived_exit_ends_a_page_for_the_rules(tmp_path: Path) -> None:
    stays = strategy("on PageEntered, stays 30 s")
    events = (entered(0), entered(20, page="p2"), event("Search", 99, page="p2"))
    assert decided(tmp_path, stays, *events) == [(50, "p2", None)]
    left = strategy("on PageExited")
    assert decided(tmp_path, left, *events) == [(20, "p1", "page-gone")]


def test_an_event_on_a_page_that_was_left_opens_it_again(tmp_path: Path) -> None:
    text = strategy("on AddToCart")
    events = (entered(0), entered(20, page="p2"), event("AddToCart", 30, page="p1"))
    assert decided(tmp_path, text, *events) == [(30, "p1", None)]


def test_a_visit_ends_when_the_server_would_have_ended_it(tmp_path: Path) -> None:
    live = book(strategy("on PageEntered, then no Order for 2 h, per visitor"))
    events = (entered(0, globalVisitID="g"), entered(10_800, "v2", globalVisitID="g"))
    for hours, reason in ((24, None), (1, "page-gone")):
        noted: list[Noted] = []
        recording, expiry = recorded(tmp_path, *events), hours * 3_600_000
        replay(live, recording, visit_expiry=expiry, note=noted.append)
        assert [(n.decision.time // 1000, n.decision.reason) for n in noted] == [(7_200, reason)]


# ---------------------------------------------------------------- the file of decisions


def written(tmp_path: Path, text: str, *events: dict[str, Any]) -> list[dict[str, Any]]:
    noted: list[Noted] = []
    live = book(text)
    replay(live, recorded(tmp_path, *events), note=noted.append)
    lines = list(in_order(noted, live.version))
    again: list[Noted] = []
    replay(live, recorded(tmp_path, *events), note=again.append)
    assert lines == list(in_order(again, live.version))
    return [json.loads(line) for line in lines]


def test_a_decision_in_the_file_has_all_that_is_known_of_it(tmp_path: Path) -> None:
    text = strategy("on PageEntered")
    [line] = written(tmp_path, text, entered(1, globalVisitID="g"))
    assert line == {
        "time": 1000,
        "visit": "v1",
        "page": "p1",
        "event": "PageEntered",
        "strategy": "S",
        "rule": 0,
        "reason": None,
        "sends": line["sends"],
        "visitor": "g",
        "version": book(text).version,
    }
    assert len(line["sends"]) == 1


def test_decisions_are_in_order_of_time_then_place_across_visitors(tmp_path: Path) -> None:
    text = DWELL + '\nstrategy "T"\n  on AddToCart\n    send M\n'
    lines = written(
        tmp_path,
        text,
        entered(0, "v1", "a"),
        event("AddToCart", 30, "v2", "b"),
        event("AddToCart", 5, "v3", "c"),
        event("AddToCart", 5, "v2", "b"),
        event("AddToCart", 40, "v1", "a"),
    )
    order = [(line["time"] // 1000, line["visit"], line["strategy"]) for line in lines]
    assert order == [
        (5, "v3", "T"),
        (5, "v2", "T"),
        (30, "v2", "T"),
        (30, "v1", "S"),
        (40, "v1", "T"),
    ]


def test_breaches_of_guarantees_are_counted(tmp_path: Path) -> None:
    book = tmp_path / "book.strategy"
    book.write_text(
        'message Hi is gpe.appendContent { url: "/hi" }\n'
        'strategy "Greeting"\n  on PageEntered\n    send Hi\n'
        'guarantee "Once" never (2 times sent Hi, per visit)\n'
        'guarantee "Never on exit" never (PageExited, then sent Nothing)\n'.replace(
            "Nothing", "Hi"
        ),
        "utf-8",
    )
    lines = [
        {"eventName": "PageEntered", "visitID": "V", "pageID": f"P{n}", "timestamp": n * 1000}
        for n in range(5)
    ]
    events = tmp_path / "events.jsonl"
    events.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", "replay", "--json", str(book), str(events)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["guarantees"] == {"Never on exit": 4, "Once": 2}
