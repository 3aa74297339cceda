"""Each sentence of the meaning, as a small example that both hands must get right.

The sentences are those of "Meaning in detail" in engine/runtime/README.md.
"""

from __future__ import annotations

import pytest
from hands import HANDS, Story, rule

SENT = ["sent"]
NOTHING: list[str] = []
HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.fixture(params=list(HANDS))
def hand(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ------------------------------------------------ one order


def test_time_never_goes_back(hand: str) -> None:
    story = Story(hand, rule("A, then B, within 10 s"))
    story.event("A", 5_000)
    # The clock stays at 5 s, so only 9.999 s have passed at 14.999 s.
    story.event("C", 1_000)
    assert story.event("B", 14_999) == SENT


# ------------------------------------------------ all windows are half-open

EDGES = [(29_999, True), (30_000, False), (30_001, False)]


@pytest.mark.parametrize(("later", "inside"), EDGES)
def test_within(hand: str, later: int, inside: bool) -> None:
    story = Story(hand, rule("A, then B, within 30 s"))
    story.event("A", 0)
    assert story.event("B", later) == (SENT if inside else NOTHING)


@pytest.mark.parametrize(("later", "inside"), EDGES)
def test_silence_is_the_exact_opposite_of_within(hand: str, later: int, inside: bool) -> None:
    story = Story(hand, rule("A, then no B for 30 s"))
    story.event("A", 0)
    at_b, after = story.event("B", later), story.tick(60_000)
    assert at_b + after == (NOTHING if inside else SENT)


@pytest.mark.parametrize(("later", "inside"), EDGES)
def test_rolling_limit(hand: str, later: int, inside: bool) -> None:
    story = Story(hand, rule("A", head="limit 1 in 30 s"))
    assert story.event("A", 0) == SENT
    assert story.event("A", later) == (["limit"] if inside else SENT)


@pytest.mark.parametrize(("later", "inside"), EDGES)
@pytest.mark.parametrize(
    "guard",
    ["count(A, last 30 s) >= 1", "seen(A, last 30 s)", "latest(A.price, last 30 s) = 1"],
)
def test_rolling_aggregates(hand: str, later: int, inside: bool, guard: str) -> None:
    story = Story(hand, rule("B", f"when {guard}"))
    story.event("A", 0, price=1)
    assert story.event("B", later) == (SENT if inside else ["when"])


@pytest.mark.parametrize(("later", "inside"), EDGES)
def test_times_slide(hand: str, later: int, inside: bool) -> None:
    story = Story(hand, rule("3 times A, within 30 s"))
    story.event("A", 0)
    story.event("A", 10_000)
    assert story.event("A", later) == (SENT if inside else NOTHING)


@pytest.mark.parametrize(("later", "inside"), EDGES)
def test_stays(hand: str, later: int, inside: bool) -> None:
    story = Story(hand, rule("A, stays 30 s"))
    story.event("A", 0)
    # Another page remains, so that there is somewhere to send to.
    story.event("B", 1, page="other")
    at_exit, after = story.event("PageExited", later), story.tick(60_000)
    assert at_exit + after == (NOTHING if inside else SENT)


# ------------------------------------------------ the latest chain


def test_a_later_start_replaces_the_earlier(hand: str) -> None:
    story = Story(hand, rule("A, then B, then C, within 10 s"))
    story.event("A", 0)
    story.event("A", 5_000)
    story.event("B", 6_000)
    assert story.event("C", 14_999) == SENT


def test_a_later_start_does_not_take_the_chain_that_went_on(hand: str) -> None:
    story = Story(hand, rule("A, then B, then C, within 10 s"))
    story.event("A", 0)
    story.event("B", 1_000)
    story.event("A", 5_000)
    # The chain at B began at 0; no newer one has reached B.
    assert story.event("C", 10_000) == NOTHING


def test_one_event_never_fills_two_positions(hand: str) -> None:
    story = Story(hand, rule("A, then A"))
    assert story.event("A", 0) == NOTHING
    assert story.event("A", 1) == SENT


def test_the_completing_event_begins_nothing(hand: str) -> None:
    story = Story(hand, rule("2 times A"))
    assert [story.event("A", t) for t in range(5)] == [NOTHING, SENT, NOTHING, SENT, NOTHING]


def test_where_asks_the_tested_event(hand: str) -> None:
    story = Story(hand, rule("A where event.price > 10, then B"))
    story.event("A", 0, price=10)
    assert story.event("B", 1) == NOTHING
    story.event("A", 2, price=11)
    assert story.event("B", 3) == SENT


def test_events_between_do_not_matter(hand: str) -> None:
    story = Story(hand, rule("A, then B"))
    story.event("A", 0)
    story.event("C", 1)
    assert story.event("B", 2) == SENT


# ------------------------------------------------ what did not happen


def test_a_newer_start_begins_the_silence_again(hand: str) -> None:
    story = Story(hand, rule("A, then no B for 10 s"))
    story.event("A", 0)
    story.event("A", 5_000)
    assert story.tick(14_999) == NOTHING
    assert story.tick(15_000) == SENT


def test_a_held_silence_is_no_longer_cancelled(hand: str) -> None:
    story = Story(hand, rule("A, then no B for 10 s, then C"))
    story.event("A", 0)
    story.event("B", 10_000)
    assert story.event("C", 10_001) == SENT


def test_a_newer_start_replaces_the_held_chain_only_when_held(hand: str) -> None:
    story = Story(hand, rule("A, then no B for 10 s, then C, within 20 s"))
    story.event("A", 0)
    story.event("A", 15_000)
    # The chain from 15 s is still pending; the held one began at 0.
    assert story.event("C", 19_999) == SENT


def test_the_held_chain_grows_too_old(hand: str) -> None:
    story = Story(hand, rule("A, then no B for 10 s, then C, within 20 s"))
    story.event("A", 0)
    assert story.event("C", 20_000) == NOTHING


def test_a_silence_after_a_silence_and_the_last_position_first(hand: str) -> None:
    story = Story(hand, rule("A, then no B for 5 s, then no C for 5 s", "when event.price = 1"))
    story.event("A", 0, price=1)
    story.event("A", 5_000, price=2)
    # At 10 s both silences fall due: the second completes the rule and clears the first.
    assert story.tick(10_000) == SENT
    assert story.tick(60_000) == NOTHING


def test_an_event_that_is_both_cancels_first_and_starts_anew(hand: str) -> None:
    story = Story(hand, rule("A, then no any event for 10 s"))
    story.event("A", 0)
    story.event("A", 5_000)
    assert story.tick(14_999) == NOTHING
    assert story.tick(15_000) == SENT


def test_timers_fire_before_an_event_of_the_same_time(hand: str) -> None:
    story = Story(hand, rule("A, then no B for 10 s") + rule("B").replace('"S"', '"T"'))
    story.event("A", 0)
    assert story.event("B", 10_000) == SENT * 2
    assert [decision.strategy for decision in story.decisions] == ["S", "T"]


def test_the_event_of_a_timer_is_the_last_before_the_silence(hand: str) -> None:
    story = Story(hand, rule("A, then no B for 10 s", "when event.price = 7"))
    story.event("A", 0, price=7)
    story.event("C", 5_000)
    assert story.tick(10_000) == SENT
    assert story.decisions[0].event == "A"
    assert story.decisions[0].time == 10_000


def test_windows_of_a_timer_are_taken_at_its_deadline(hand: str) -> None:
    story = Story(hand, rule("A, then no B for 10 s", "when count(A, last 10 s) = 0"))
    story.event("A", 0)
    assert story.event("C", 50_000) == SENT


def test_the_agents_of_a_timer_are_those_of_its_moment(hand: str) -> None:
    story = Story(hand, rule("A, then no B for 10 s", 'when agents.ready("chat") = 2'))
    story.event("A", 0, agents=1)
    assert story.tick(10_000, agents=2) == SENT


@pytest.mark.parametrize(
    ("per", "target"), [("page", ("v", "p1")), ("visit", ("v", "p2")), ("visitor", ("w", "p3"))]
)
def test_where_the_message_of_a_timer_goes(hand: str, per: str, target: tuple[str, str]) -> None:
    story = Story(hand, rule(f"A, then no C for 10 s, per {per}"))
    story.event("PageEntered", 0, page="p1")
    story.event("A", 1, page="p1")
    story.event("PageEntered", 2, page="p2")
    story.event("B", 3, page="p1")
    story.event("PageEntered", 4, page="p3", visit="w")
    assert story.tick(20_000) == SENT
    decision = story.decisions[0]
    assert (decision.visit, decision.page) == target


def test_a_silence_with_no_page_left_is_page_gone(hand: str) -> None:
    story = Story(hand, rule("A, then no B for 10 s"))
    story.event("A", 0)
    story.event("PageExited", 1)
    assert story.tick(10_000) == ["page-gone"]


# ------------------------------------------------ a match clears


def test_a_match_clears_whether_or_not_it_sends(hand: str) -> None:
    story = Story(hand, rule("A, then B, then C", "when visit.pages = 1"))
    for time, name in enumerate("ABC"):
        last = story.event(name, time)
    assert last == ["when"]
    assert story.event("C", 9) == NOTHING


def test_rules_never_use_up_each_others_events(hand: str) -> None:
    story = Story(hand, rule("2 times A") + rule("A, then A").replace('"S"', '"T"'))
    story.event("A", 0)
    assert story.event("A", 1) == SENT * 2


def test_equal_rules_of_one_strategy_keep_their_own_memory(hand: str) -> None:
    two = rule("A, then A, then A") + "  on A, then A, then A\n    send M\n"
    story = Story(hand, two)
    story.event("A", 0)
    story.event("A", 1)
    assert story.event("A", 2) == SENT * 2


# ------------------------------------------------ what must be the same


@pytest.mark.parametrize(
    ("per", "other_page", "other_visit"),
    [("page", False, False), ("visit", True, False), ("visitor", True, True)],
)
def test_per(hand: str, per: str, other_page: bool, other_visit: bool) -> None:
    for place, same in (
        ({"page": "p"}, True),
        ({"page": "q"}, other_page),
        ({"page": "p", "visit": "w"}, other_visit),
    ):
        story = Story(hand, rule(f"A, then B, per {per}"))
        story.event("A", 0)
        assert story.event("B", 1, **place) == (SENT if same else NOTHING)


def test_per_visit_is_the_default(hand: str) -> None:
    story = Story(hand, rule("A, then B"))
    story.event("A", 0)
    assert story.event("B", 1, visit="w") == NOTHING
    assert story.event("B", 2, page="q") == SENT


def test_stays_binds_only_the_exit_of_its_own_page(hand: str) -> None:
    story = Story(hand, rule("A, stays 10 s"))
    story.event("A", 0, page="p")
    story.event("PageExited", 1, page="q")
    assert story.tick(10_000) == SENT


def test_the_end_of_a_page_forgets_what_is_per_page(hand: str) -> None:
    story = Story(hand, rule("A, then B, per page"))
    story.event("A", 0)
    story.event("PageExited", 1)
    assert story.event("B", 2) == NOTHING


def test_the_exit_itself_is_seen_with_the_page_still_known(hand: str) -> None:
    story = Story(hand, rule("A, then PageExited, per page", "unless count(A, this page) = 0"))
    story.event("A", 0)
    assert story.event("PageExited", 1) == ["page-gone"]


@pytest.mark.parametrize(("later", "lives"), [(DAY - 1, True), (DAY, False), (DAY + 1, False)])
def test_a_visit_ends_after_24_hours_of_silence(hand: str, later: int, lives: bool) -> None:
    story = Story(hand, rule("A, then B"))
    story.event("A", 0)
    assert story.event("B", later) == (SENT if lives else NOTHING)


@pytest.mark.parametrize(("hours", "fires"), [(23, True), (24, True), (25, False)])
def test_a_timer_of_a_visit_fires_until_its_end(hand: str, hours: int, fires: bool) -> None:
    story = Story(hand, rule(f"A, then no B for {hours} h"))
    story.event("A", 0)
    # However late the next moment comes, and whatever it is.
    assert story.event("C", 40 * HOUR, visit="w") == (SENT if fires else NOTHING)


# ------------------------------------------------ sent


def test_a_send_advances_patterns_after_its_step(hand: str) -> None:
    story = Story(hand, rule("A") + rule("sent S, then A").replace('"S"', '"T"'))
    assert story.event("A", 0) == SENT
    assert story.event("A", 1) == SENT * 2


@pytest.mark.parametrize("name", ["S", "G", "M"])
def test_a_send_is_known_by_strategy_group_or_message(hand: str, name: str) -> None:
    text = "group G\n\n" + rule("A", head="group G")
    story = Story(hand, text + rule(f"B, then sent {name}, then C").replace('"S"', '"T"'))
    for time, event in enumerate("BA"):
        story.event(event, time)
    assert story.event("C", 5) == SENT


def test_where_of_a_send_sees_what_was_recorded_with_it(hand: str) -> None:
    guard = 'when count(sent S where agents.ready("chat") = 1, this visit) = 1'
    story = Story(hand, rule("A") + rule("B", guard).replace('"S"', '"T"'))
    story.event("A", 0, agents=1)
    story.event("A", 1, agents=0)
    assert story.event("B", 2, agents=5) == SENT


def test_any_event_is_not_a_send(hand: str) -> None:
    story = Story(hand, rule("A", "when count(any event, ever) = 2"))
    assert [story.event("A", t) for t in range(3)] == [["when"], SENT, ["when"]]


# ------------------------------------------------ aggregates


def test_aggregates_contain_the_completing_event(hand: str) -> None:
    story = Story(hand, rule("A", "when count(A, this visit) >= 2"))
    assert [story.event("A", 0), story.event("A", 1)] == [["when"], SENT]


@pytest.mark.parametrize(("later", "met"), [(9_999, False), (10_000, True), (10_001, True)])
def test_since_looks_before_the_completing_event(hand: str, later: int, met: bool) -> None:
    story = Story(hand, rule("A", "when since(A) >= 10 s"))
    assert story.event("A", 0) == SENT, "what never happened is longer ago than anything"
    assert story.event("A", later) == (SENT if met else ["when"])


def test_windows_of_visit_and_page(hand: str) -> None:
    for window, counts in (("this page", 1), ("this visit", 2), ("ever", 3)):
        story = Story(hand, rule("B", f"when count(A, {window}) = {counts}"))
        story.event("A", 0, page="p", visit="v")
        story.event("A", 1, page="q", visit="v")
        story.event("A", 2, page="p", visit="w")
        assert story.event("B", 3) == SENT, window


def test_a_page_that_is_opened_again_has_no_past(hand: str) -> None:
    story = Story(hand, rule("B", "when count(A, this page) = 0"))
    story.event("A", 0)
    story.event("PageExited", 1)
    assert story.event("B", 2) == SENT


def test_sends_to_a_page_are_forgotten_with_it(hand: str) -> None:
    both = rule("A") + rule("B", "when seen(sent S, this page)").replace('"S"', '"T"')
    story = Story(hand, both)
    story.event("A", 0)
    assert story.event("B", 1) == SENT
    story.event("PageExited", 2)
    assert story.event("B", 3) == ["when"]


def test_latest_is_the_last_known_value(hand: str) -> None:
    story = Story(hand, rule("B", "when latest(A.price, this visit) = 3"))
    story.event("A", 0, price=3)
    story.event("A", 1)
    story.event("A", 2, price="dear")
    assert story.event("B", 3) == SENT


def test_latest_of_the_envelope(hand: str) -> None:
    story = Story(hand, rule("B", 'when latest(A.path, this visit) = "/x"'))
    story.event("A", 0, url="https://shop.example/x?y=1")
    assert story.event("B", 1) == SENT


# ------------------------------------------------ three values


@pytest.mark.parametrize(
    ("guard", "sends"),
    [
        ("when event.price > 1", False),
        ("when not (event.price > 1)", False),
        ("when event.price > 1 or event.price <= 1", False),
        ("when event.price > 1 or visit.pages = 0", True),
        ("unless event.price > 1", True),
        ("unless event.price > 1 and visit.pages = 0", True),
        ("when event.price is missing", True),
        ("when (event.price / 0) is missing", True),
        ("when event.price != 1", False),
        ('when event.word in ("x")', False),
        ("when event in (Dear)", False),
        ("when not (event in (Dear))", True),
    ],
)
def test_missing_is_unknown(hand: str, guard: str, sends: bool) -> None:
    story = Story(hand, rule("A", guard))
    expected = SENT if sends else [guard.split()[0]]
    assert story.event("A", 0) == expected


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("/checkout", True),
        ("/checkout/", True),
        ("/checkout/a/b", True),
        ("https://shop.example:80/checkout/x?y=/z", True),
        ("/checkouts", False),
        ("/Checkout/a", False),
        ("/a/checkout/b", False),
        (None, False),
    ],
)
def test_globs(hand: str, url: str | None, fits: bool) -> None:
    story = Story(hand, rule("A in Checkout"))
    assert story.event("A", 0, url=url) == (SENT if fits else NOTHING)


# ------------------------------------------------ facts


def test_facts_from_an_event_are_set_before_it_is_decided(hand: str) -> None:
    story = Story(hand, rule("UserInfo", "when visitor.vip"))
    assert story.event("UserInfo", 0, vip="yes") == ["when"]
    assert story.event("UserInfo", 1, vip=True) == SENT
    assert story.event("UserInfo", 2) == SENT, "what is missing leaves the fact as it was"


def test_sets_apply_after_the_step_and_the_highest_priority_wins(hand: str) -> None:
    def setter(name: str, priority: int, stage: str) -> str:
        head = f'strategy "{name}"\n  priority {priority}\n'
        return head + f'  on A\n    set visit.stage = "{stage}"\n'

    text = setter("X", 10, "low") + setter("Y", 90, "high")
    story = Story(hand, text + rule("any event", 'when visit.stage = "high"'))
    assert story.event("A", 0) == ["when"]
    assert story.event("B", 1) == SENT


def test_facts_of_a_visit_end_with_it(hand: str) -> None:
    text = 'strategy "X"\n  on A\n    set visit.stage = "hot"\n'
    story = Story(hand, text + rule("B", "when visit.stage is missing"))
    story.event("A", 0)
    assert story.event("B", 1) == ["when"]
    assert story.event("B", 1 + DAY) == SENT


# ------------------------------------------------ admission

GROUP = "group G\n  one at a time\n\n"
WAITING = GROUP + rule("A", head="group G")


@pytest.mark.parametrize(("later", "inside"), EDGES)
def test_one_at_a_time_waits_30_seconds_when_never_shown(
    hand: str, later: int, inside: bool
) -> None:
    story = Story(hand, WAITING)
    story.event("A", 0)
    assert story.event("A", later) == (["one-at-a-time"] if inside else SENT)


@pytest.mark.parametrize("shown_at", [1, 30_000])
def test_one_at_a_time_waits_for_the_answer_once_shown(hand: str, shown_at: int) -> None:
    story = Story(hand, WAITING)
    story.event("A", 0)
    story.event("InvitationShown", shown_at)
    assert story.event("A", HOUR) == ["one-at-a-time"]
    story.event("InvitationRejected", HOUR, group="another")
    assert story.event("A", HOUR) == ["one-at-a-time"]
    story.event("InvitationRejected", HOUR, id="v/S/1")
    assert story.event("A", HOUR) == SENT


def test_one_at_a_time_ends_with_the_page_and_is_of_a_visit(hand: str) -> None:
    story = Story(hand, WAITING)
    story.event("A", 0)
    assert story.event("A", 1, visit="w") == SENT
    assert story.event("A", 2, page="q") == ["one-at-a-time"]
    story.event("PageExited", 3, page="p")
    assert story.event("A", 4, page="q") == SENT


def test_an_answer_gets_the_words_of_its_send(hand: str) -> None:
    on = 'InvitationRejected where event.strategy = "S" and event.message = "M"'
    story = Story(hand, rule("A") + rule(on).replace('"S"\n', '"T"\n', 1))
    story.event("A", 0)
    assert story.event("InvitationRejected", 1, id="v/S/1") == SENT


@pytest.mark.parametrize(
    ("scope", "refused"),
    [("page", [True, False, False]), ("visit", [True, True, False]), ("visitor", [True] * 3)],
)
def test_limits(hand: str, scope: str, refused: list[bool]) -> None:
    for place, over in zip(
        ({"page": "p"}, {"page": "q"}, {"page": "p", "visit": "w"}), refused, strict=True
    ):
        story = Story(hand, rule("A", head=f"limit 1 per {scope}"))
        story.event("A", 0)
        assert story.event("A", 1, **place) == (["limit"] if over else SENT)


def test_the_highest_priority_is_admitted_first(hand: str) -> None:
    group = "group G\n  limit 1 per visit\n\n"
    low = rule("A", head="group G\n  priority 10")
    high = rule("A", head="group G\n  priority 60").replace('"S"', '"T"')
    story = Story(hand, group + low + high)
    assert story.event("A", 0) == ["sent", "lower-priority"]
    assert [decision.strategy for decision in story.decisions] == ["T", "S"]
    assert story.event("A", 1) == ["limit", "limit"]


def test_a_rule_acts_as_one(hand: str) -> None:
    text = 'strategy "S"\n  limit 1 per visit\n  on A\n    send M\n    send M\n'
    text += '    set visit.stage = "hot"\n'
    story = Story(hand, text + rule("B", "when visit.stage is missing").replace('"S"', '"T"'))
    assert story.event("A", 0) == ["limit"]
    assert story.sends == []
    assert story.event("B", 1) == SENT


def test_the_first_failing_check_names_the_reason(hand: str) -> None:
    story = Story(hand, rule("PageExited", 'when event.query.x = "1"\n    unless visit.pages = 0'))
    assert story.event("PageExited", 0) == ["when"]
    assert story.event("PageExited", 1, url="/?x=1") == ["unless"]
    story.event("PageEntered", 2)
    assert story.event("PageExited", 3, url="/?x=1") == ["page-gone"]


# ------------------------------------------------ expiry


def test_what_expires_no_longer_counts(hand: str) -> None:
    story = Story(hand, rule("A", head="limit 1 per visit"))
    story.event("A", 0)
    assert story.expire(1, "v/S/1", "unknown") == ["expired"]
    assert story.expire(2, "v/S/1") == NOTHING
    assert story.event("A", 3) == SENT
    assert story.sends[-1].id == "v/S/2"


@pytest.mark.parametrize("seen", ["InvitationShown", "InvitationAccepted"])
def test_what_may_have_been_seen_always_counts(hand: str, seen: str) -> None:
    story = Story(hand, rule("A", head="limit 1 per visit"))
    story.event("A", 0)
    story.event(seen, 1)
    assert story.expire(2, "v/S/1") == NOTHING
    assert story.event("A", 3) == ["limit"]


# ------------------------------------------------ what leaves


def test_all_messages_of_a_moment_to_a_visit_leave_as_one_array(hand: str) -> None:
    own = 'strategy "S"\n  on A\n    send M\n    send gpe.appendContent { url: event.word }\n'
    story = Story(hand, own + "    attach { price: event.price, word: event.word }\n")
    story.event("A", 0, word="/frontend/resources/x.html")
    first, second = story.sends
    assert first.notification() == {
        "page": "p",
        "channel": "gpe.appendContent",
        "data": {"url": "/frontend/resources/invite.html"},
    }
    assert second.data == {"url": "/frontend/resources/x.html"}
    assert dict(second.attach) == {"word": "/frontend/resources/x.html"}, "missing: no key"
