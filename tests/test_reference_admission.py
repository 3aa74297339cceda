"""Audience, tables, every page, pacing and guarantees: examples for both hands.

The sentences are those of "Admission", "Guarantees" and "Outside" in engine/runtime/README.md.
"""

from __future__ import annotations

import pytest
from hands import HANDS, Story, rule

from engine.language.syntax import Audience
from engine.runtime.admission import in_audience

SENT = ["sent"]
NOTHING: list[str] = []
DAY = 86_400_000


@pytest.fixture(params=list(HANDS))
def hand(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def named(name: str, text: str) -> str:
    """The rule of `hands.rule` under another strategy's name."""
    return text.replace('strategy "S"', f'strategy "{name}"')


# ------------------------------------------------ audience, the order of reasons


@pytest.mark.parametrize("percent", [0, 10, 50, 90, 100])
def test_audience_is_a_stable_share(hand: str, percent: int) -> None:
    story = Story(hand, rule("A", head=f'audience {percent}% of "test"'))
    inside = in_audience(Audience(percent=percent, experiment="test"), "W")
    assert story.event("A", 0) == story.event("A", 1) == (SENT if inside else ["audience"])


def test_nobody_is_in_no_share_and_everybody_in_the_whole() -> None:
    people = [str(number) for number in range(1_000)]
    share = {
        percent: {p for p in people if in_audience(Audience(percent=percent, experiment="x"), p)}
        for percent in (0, 20, 60, 100)
    }
    assert (len(share[0]), len(share[100])) == (0, 1_000)
    assert share[20] < share[60], "a share that grows keeps who was in it"
    assert 150 < len(share[20]) < 250


CLOSED = "hours Never is Mon 09:00-10:00 except 1970-01-05\n"


def test_the_first_failing_check_names_the_reason(hand: str) -> None:
    """On Monday 1970-01-05 and the days after it, each check is mended in turn."""
    text = (
        "hours Office is Tue-Sun 00:00-24:00\ngroup G\n  one at a time\n  limit 2 per visit\n"
        + 'guarantee "Never on D" enforced never (D, then sent S)\nevent D\n'
        + rule(
            "A",
            "when event.price is known\n    unless event.price = 0",
            'group G\n  hours Office\n  active from 1970-01-03\n  audience 100% of "x"',
        )
    )
    story = Story(hand, text)
    monday, tuesday = 4 * DAY, 5 * DAY
    assert story.event("A", 0) == ["when"]
    assert story.event("A", 0, price=0) == ["unless"]
    assert story.event("A", 0, price=1) == ["inactive"]
    assert story.event("A", monday, price=1) == ["hours"]
    assert story.event("A", tuesday, price=1) == SENT
    story.event("D", tuesday)
    assert story.event("A", tuesday, price=1) == ["one-at-a-time"]
    story.event("InvitationRejected", tuesday)
    assert story.event("A", tuesday, price=1) == ["guarantee"]


def test_audience_is_asked_before_the_page(hand: str) -> None:
    story = Story(hand, rule("PageExited", head='audience 0% of "x"'))
    assert story.event("PageExited", 0) == ["audience"]


@pytest.mark.parametrize("head", ["active until 1969-12-31", 'audience 0% of "x"', "hours Never"])
def test_a_rule_without_send_always_sets(hand: str, head: str) -> None:
    text = CLOSED + f'strategy "S"\n  {head}\n  on A\n    set visit.stage = "hot"\n'
    story = Story(hand, text + named("T", rule("B", 'when visit.stage = "hot"')))
    story.event("A", 0)
    assert story.event("B", 1) == SENT


# ------------------------------------------------ valid for, channels, parameters


@pytest.mark.parametrize(("later", "waits"), [(4_999, True), (5_000, False), (5_001, False)])
def test_one_at_a_time_waits_as_long_as_the_message_is_valid(
    hand: str, later: int, waits: bool
) -> None:
    text = "group G\n  one at a time\n" + rule("A", head="group G\n  valid for 5 s")
    story = Story(hand, text)
    story.event("A", 0)
    assert story.sends[0].valid_for == 5_000
    assert story.event("A", later) == (["one-at-a-time"] if waits else SENT)


def test_nothing_comes_back_from_a_channel_of_the_site(hand: str) -> None:
    text = "channel shop.banner { html: text }\nmessage N is shop.banner { html: event.word }\n"
    text += 'group G\n  one at a time\nstrategy "S"\n  group G\n  on A\n    send N\n'
    story = Story(hand, text)
    assert story.event("A", 0, word="<b>") == SENT
    assert story.sends[0].notification() == {
        "page": "p",
        "channel": "shop.banner",
        "data": {"html": "<b>"},
    }
    assert not story.sends[0].answerable
    assert story.event("A", 1) == SENT


def test_parameters_of_a_message(hand: str) -> None:
    text = "message N(what, price) is gpe.appendContent { url: what, container: price }\n"
    story = Story(hand, text + 'strategy "S"\n  on A\n    send N("/x", event.word)\n')
    story.event("A", 0, word="box")
    story.event("A", 1)
    assert [dict(send.data) for send in story.sends] == [
        {"url": "/x", "container": "box"},
        {"url": "/x"},
    ]


# ------------------------------------------------ tables

TABLE = """
message Low is gpe.appendContent { url: "/low.html" }
message High is gpe.appendContent { url: "/high.html" }
strategy "S"
  on C
    send M
table "Which" for strategy "S"
  on ?   | when event.price | send | set visit.stage
  A      | >= 100           | High | "high"
  A      | >= 10            | Low  | "low"
  A      | -                | -    | "none"
"""


def test_the_first_row_that_holds_wins(hand: str) -> None:
    story = Story(hand, TABLE)
    assert story.event("A", 0, price=100) == SENT
    assert story.sends[-1].message == "High"
    assert [decision.rule for decision in story.decisions] == [1]
    assert story.event("A", 1, price=99) == ["when", "sent"], (
        "a row whose guards do not hold says so"
    )
    assert story.sends[-1].message == "Low"
    assert story.event("A", 2, price=1) == ["when", "when"]


def test_a_row_that_wins_and_is_refused_has_won(hand: str) -> None:
    text = TABLE.replace('strategy "S"\n  on', 'strategy "S"\n  limit 1 per visit\n  on', 1)
    story = Story(hand, text + named("T", rule("B", 'when visit.stage = "none"')))
    story.event("C", 0)
    assert story.event("A", 1, price=500) == ["limit"]
    assert story.event("B", 2) == ["when"], "the rows after it did not set"


def test_a_table_is_won_for_each_event(hand: str) -> None:
    text = 'strategy "S"\n  on C\n    send M\ntable "T" for strategy "S"\n  on ? | send\n'
    text += "  A, then no B for 10 s, per page | M\n" * 2
    story = Story(hand, text)
    story.event("A", 0, page="p")
    story.event("A", 0, page="q")
    assert story.tick(10_000) == SENT * 2
    assert {send.page for send in story.sends} == {"p", "q"}


# ------------------------------------------------ to every page

EVERY = 'strategy "S"\n  {head}\n  on A\n    send M to every page\n'


def every(head: str = "") -> str:
    return EVERY.format(head=head)


def test_every_open_page_gets_it_and_it_counts_once(hand: str) -> None:
    story = Story(hand, every("limit 2 per visit"))
    for time, page in enumerate(("p", "q", "r")):
        story.event("B", time, page=page)
    story.event("PageExited", 3, page="q")
    story.event("B", 4, page="p", visit="w")
    assert story.event("A", 5, page="r") == SENT
    assert [(send.page, send.id) for send in story.sends] == [("p", "v/S/1"), ("r", "v/S/1")]
    assert len(story.batches) == 1
    assert story.decisions[0].sends == ("v/S/1",)
    assert story.event("A", 6, page="r") == SENT
    assert story.event("A", 7, page="r") == ["limit"]


def test_every_page_without_the_one_that_is_exited(hand: str) -> None:
    story = Story(hand, every().replace("on A", "on PageExited"))
    story.event("B", 0, page="q")
    assert story.event("PageExited", 1, page="p") == SENT
    assert [send.page for send in story.sends] == ["q"]
    assert story.event("PageExited", 2, page="q") == ["page-gone"]


def test_what_went_to_every_page_waits_until_no_page_is_open(hand: str) -> None:
    story = Story(hand, "group G\n  one at a time\n" + every("group G"))
    story.event("B", 0, page="q")
    story.event("A", 1, page="p")
    story.event("PageExited", 2, page="p")
    assert story.event("A", 3, page="r") == ["one-at-a-time"]
    story.event("PageExited", 4, page="r")
    story.event("PageExited", 5, page="q")
    assert story.event("A", 6, page="s") == SENT


def test_an_answer_on_any_page_answers_it(hand: str) -> None:
    story = Story(hand, "group G\n  one at a time\n" + every("group G"))
    story.event("B", 0, page="q")
    story.event("A", 1, page="p")
    story.event("InvitationRejected", 2, page="q", id="v/S/1")
    assert story.event("A", 3, page="p") == SENT


def test_every_page_and_limits_per_page(hand: str) -> None:
    text = "group G\n  limit 1 per page\n" + every("group G").replace("on A", "on B")
    story = Story(hand, text + named("T", rule("A", head="group G")))
    story.event("C", 0, page="q")
    assert story.event("A", 1, page="p") == SENT
    assert story.event("B", 2, page="q") == ["limit"], "one of its pages is full"
    story.event("PageExited", 3, page="p")
    assert story.event("B", 4, page="q") == SENT
    assert story.event("A", 5, page="q") == ["limit"], "it counts on each page"


def test_every_page_in_windows(hand: str) -> None:
    text = every() + named("T", rule("B", "when count(sent S, this page) = 1"))
    story = Story(hand, text)
    story.event("C", 0, page="q")
    story.event("A", 1, page="p")
    assert story.event("B", 2, page="q") == SENT
    assert story.event("B", 3, page="r") == ["when"], "it was not open then"


# ------------------------------------------------ pacing


def test_pacing_is_the_recorded_probability(hand: str) -> None:
    story = Story(hand, rule("A", 'when pacing("chat") = 0.5'))
    assert story.event("A", 0, pacing=0.5) == SENT
    assert story.event("A", 1, pacing=0.4) == ["when"]
    assert story.event("A", 2) == ["when"]


@pytest.mark.parametrize(
    ("pacing", "draw", "admitted"),
    [
        (0.5, 0.499, True),
        (0.5, 0.5, False),
        (0, 0, False),
        (1, 0.999, True),
        (0.5, None, None),
        (None, 0.1, None),
    ],
)
def test_pacing_admits(
    hand: str, pacing: float | None, draw: float | None, admitted: bool | None
) -> None:
    for guard, wanted in (('pacing admits "chat"', True), ('not (pacing admits "chat")', False)):
        story = Story(hand, rule("A", f"when {guard}"))
        expected = SENT if admitted is wanted else ["when"]
        assert story.event("A", 0, pacing=pacing, draw=draw) == expected


def test_pacing_of_a_send_is_what_was_recorded_with_it(hand: str) -> None:
    guard = 'when count(sent S where pacing admits "chat", this visit) = 1'
    story = Story(hand, rule("A") + named("T", rule("B", guard)))
    story.event("A", 0, pacing=0.5, draw=0.4)
    story.event("A", 1, pacing=0.5, draw=0.6)
    assert story.event("B", 2, pacing=0.5, draw=0.9) == SENT


# ------------------------------------------------ guarantees


def broken(story: Story) -> list[tuple[int, str, str]]:
    return [(breach.time, breach.event, breach.guarantee) for breach in story.breaches]


def never(pattern: str, enforced: str = "", name: str = "G") -> str:
    return f'guarantee "{name}" {enforced} never ({pattern})\n'


TWICE = "2 times sent S, within 30 s"
EDGES = [(29_999, True), (30_000, False), (30_001, False)]


@pytest.mark.parametrize(("later", "inside"), EDGES)
def test_a_plain_guarantee_notes_the_breach(hand: str, later: int, inside: bool) -> None:
    story = Story(hand, never(TWICE) + rule("A"))
    story.event("A", 0)
    assert story.event("A", later) == SENT
    assert broken(story) == ([(later, "sent", "G")] if inside else [])


@pytest.mark.parametrize(("later", "inside"), EDGES)
def test_an_enforced_guarantee_refuses_the_send(hand: str, later: int, inside: bool) -> None:
    story = Story(hand, never(TWICE, "enforced") + rule("A"))
    story.event("A", 0)
    assert story.event("A", later) == (["guarantee"] if inside else SENT)
    assert broken(story) == []


def test_a_try_uses_nothing_up_and_a_refused_send_is_no_event(hand: str) -> None:
    story = Story(hand, never(TWICE, "enforced") + rule("A"))
    story.event("A", 0)
    said = [story.event("A", time) for time in (10_000, 20_000, 29_999, 30_000)]
    assert said == [["guarantee"]] * 3 + [SENT]


def test_a_guarantee_is_tried_with_the_sends_of_the_same_moment(hand: str) -> None:
    text = never("2 times sent M", "enforced") + rule("A", head="priority 60")
    story = Story(hand, text + named("T", rule("A")))
    assert story.event("A", 0) == ["sent", "lower-priority"]
    assert story.event("A", 1) == ["guarantee"] * 2


def test_the_sends_of_one_rule_are_tried_together(hand: str) -> None:
    text = never("2 times sent M", "enforced")
    story = Story(hand, text + 'strategy "S"\n  on A\n    send M\n    send M\n')
    assert story.event("A", 0) == ["guarantee"]
    assert story.sends == []


def test_a_guarantee_sees_the_event_before_the_send(hand: str) -> None:
    story = Story(hand, never("A, then sent S, per visit", "enforced") + rule("A"))
    assert story.event("A", 0) == ["guarantee"]
    assert story.event("A", 0, visit="w") == ["guarantee"]


def test_where_of_a_guarantee_sees_what_came_with_the_send(hand: str) -> None:
    text = never('sent S where agents.ready("chat") = 0', "enforced")
    story = Story(hand, text + rule("A"))
    assert story.event("A", 0, agents=0) == ["guarantee"]
    assert story.event("A", 1, agents=1) == SENT


@pytest.mark.parametrize("enforced", ["", "enforced"])
def test_an_event_cannot_be_refused(hand: str, enforced: str) -> None:
    story = Story(hand, never("sent S, then B", enforced) + rule("A"))
    story.event("A", 0)
    story.event("B", 1)
    assert broken(story) == [(1, "B", "G")]
    story.event("B", 2)
    assert broken(story) == [], "it begins again"


@pytest.mark.parametrize(("later", "kept"), [(9_999, True), (10_000, False), (10_001, False)])
def test_a_silence_can_break_a_guarantee(hand: str, later: int, kept: bool) -> None:
    story = Story(hand, never("A, then no B for 10 s"))
    story.event("A", 0)
    story.event("B", later)
    assert broken(story) == ([] if kept else [(10_000, "A", "G")])


def test_guarantees_of_one_moment_in_order_of_name(hand: str) -> None:
    text = never("A, then no B for 10 s", name="Z") + never("A, then no C for 10 s", name="Y")
    story = Story(hand, text + never("any event where event.price > 1", name="X"))
    story.event("A", 0)
    story.event("A", 20_000, price=2)
    assert broken(story) == [(10_000, "A", "Y"), (10_000, "A", "Z"), (20_000, "A", "X")]


@pytest.mark.parametrize(("per", "breaks"), [("page", False), ("visit", False), ("visitor", True)])
def test_a_guarantee_has_a_scope(hand: str, per: str, breaks: bool) -> None:
    story = Story(hand, never(f"2 times sent S, per {per}") + rule("A"))
    story.event("A", 0)
    story.event("A", 1, visit="w")
    assert (broken(story) != []) == breaks


def test_names_in_a_guarantee(hand: str) -> None:
    text = never("A as first, then A where event.price < first.price")
    story = Story(hand, text)
    for time, price in enumerate((1, 2, 1)):
        story.event("A", time, price=price)
    assert broken(story) == [(2, "A", "G")]
