"""Scenarios: what each line of a story does, and what each expectation looks at."""

from __future__ import annotations

from textwrap import indent

from trials.compiled import book

from engine.trials.scenarios import Story, run_scenarios

WORDS = """
event AddToCart "In the cart"
  price number
fact visitor.vip boolean = false from UserInfo
fact visit.stage text
category Checkout is url "/checkout/**"
group Invitations
  one at a time
message Invite is gpe.appendContent { url: "/frontend/resources/invite.html" }
message Other is gpe.appendContent { url: "/frontend/resources/other.html" }
"""

HESITANT = (
    WORDS
    + """
strategy "Hesitant"
  group Invitations
  on PageEntered in Checkout, stays 30 s
    unless visitor.vip
    send Invite
"""
)


def told(rules: str, story: str) -> Story:
    text = rules + '\nscenario "Story"\n' + indent(story.strip("\n"), "  ") + "\n"
    [found] = run_scenarios(book(text))
    return found


def passes(rules: str, story: str) -> None:
    found = told(rules, story)
    assert found.passed, [line.failure for line in found.lines]


def fails(rules: str, story: str) -> str:
    """The sentence of the last line, the only one that fails."""
    *before, last = told(rules, story).lines
    assert not any(line.failure for line in before)
    assert last.failure is not None
    return last.failure


def rule(on: str, *more: str) -> str:
    lines = "".join(f"    {line}\n" for line in more)
    return f'{WORDS}\nstrategy "S"\n  on {on}\n{lines}    send Invite\n'


# ---------------------------------------------------------------- what is done


def test_timers_fire_at_their_own_instant() -> None:
    story = told(
        HESITANT,
        """
        visitor enters "/checkout/basket"
        after 29999 ms
        expect nothing
        after 10 s
        expect sent Invite to page "/checkout/basket"
        expect nothing else
        """,
    )
    assert story.passed
    waited = story.lines[3]
    assert [found.time - story.began for found in waited.happened] == [30_000]
    assert waited.time - story.began == 39_999


def test_entering_leaves_the_page_before_and_a_new_tab_does_not() -> None:
    passes(
        HESITANT,
        """
        visitor enters "/checkout/a"
        after 20 s enters "/shop"
        after 20 s
        expect nothing
        """,
    )
    passes(
        HESITANT,
        """
        visitor enters "/checkout/a"
        after 20 s
        visitor opens "/shop" in a new tab
        after 20 s
        expect sent Invite
        """,
    )


def test_leaving_closes_the_latest_page() -> None:
    passes(HESITANT, 'visitor enters "/checkout/a"\nvisitor leaves\nafter 1 min\nexpect nothing')
    assert "No page is open" in fails(HESITANT, "visitor leaves")


def test_the_visit_begins_before_its_first_page() -> None:
    passes(
        rule("VisitStarted, then PageEntered"),
        """
        visitor enters "/a"
        expect sent Invite to page "/a"
        visitor enters "/b"
        expect nothing
        visitor returns after 2 d
        visitor enters "/c"
        expect sent Invite to page "/c"
        """,
    )
    passes(rule("VisitStarted"), "VisitStarted\nexpect 1 sent Invite")


def test_who_returns_has_left_and_is_the_same_visitor_in_a_new_visit() -> None:
    passes(HESITANT, 'visitor enters "/checkout/a"\nvisitor returns after 2 h\nexpect nothing')
    passes(
        rule(
            "PageEntered",
            "when count(PageEntered, ever) = 3 and count(PageEntered, this visit) = 1",
        ),
        """
        visitor enters "/a"
        visitor enters "/b"
        visitor returns after 2 d
        expect nothing
        visitor enters "/c"
        expect sent Invite
        """,
    )


def test_events_happen_on_the_latest_page_with_their_data() -> None:
    passes(
        rule("AddToCart", "when event.price >= 10"),
        """
        visitor enters "/a"
        AddToCart { price: 9.5 }
        expect refused "S" because when
        expect nothing
        AddToCart { price: 10 }
        expect sent Invite to page "/a"
        """,
    )


def test_titles_and_data_of_a_page() -> None:
    passes(
        rule('PageEntered where event.title = "Basket" and event.referrer = "/x"'),
        """
        visitor enters "/a" titled "Basket"
        expect nothing
        visitor enters "/a" titled "Basket" with { referrer: "/x" }
        expect sent Invite
        """,
    )


def test_agents_are_as_given_until_given_otherwise() -> None:
    rules = rule("AddToCart", 'when agents.ready("chat") > 0')
    passes(
        rules,
        """
        visitor enters "/a"
        AddToCart
        expect refused "S" because when
        given 1 agents ready for "chat"
        AddToCart
        expect sent Invite
        given 0 agents ready for "chat"
        AddToCart
        expect nothing
        """,
    )
    timed = rule("PageEntered, stays 5 s", 'when agents.ready("chat") = 2')
    passes(
        timed, 'given 2 agents ready for "chat"\nvisitor enters "/a"\nafter 5 s\nexpect sent Invite'
    )


def test_facts_that_are_given() -> None:
    passes(
        HESITANT,
        """
        given visitor.vip = true
        visitor enters "/checkout/a"
        after 30 s
        expect refused "Hesitant" because unless
        expect nothing
        """,
    )
    staged = rule("PageEntered", 'when visit.stage = "hot"')
    passes(
        staged,
        """
        given visit.stage = "hot"
        after 5 s
        visitor enters "/a"
        expect sent Invite
        expect visit.stage = "hot"
        after 1 s
        expect visit.duration = 1 s
        given visit.stage = "cold"
        visitor enters "/b"
        expect nothing
        visitor returns after 1 min
        given visit.stage = "hot"
        visitor enters "/c"
        expect sent Invite
        """,
    )


def test_the_story_begins_when_it_says() -> None:
    story = told(HESITANT, 'start at 2026-11-23 10:00 in "Europe/Madrid"\nvisitor enters "/a"')
    assert story.began == 1_795_424_400_000
    again = told(HESITANT, 'visitor enters "/a"')
    assert again.began == 1_767_225_600_000
    late = 'visitor enters "/a"\nstart at 2020-01-01 10:00 in "UTC"'
    assert "turned back" in fails(HESITANT, late)


def test_an_answer_names_the_invitation_that_it_is_about() -> None:
    rules = (
        HESITANT
        + """
strategy "No thanks"
  on InvitationRejected where event.group = "Invitations" and event.strategy = "Hesitant"
    set visitor.vip = true
"""
    )
    passes(
        rules,
        """
        visitor enters "/checkout/a"
        after 30 s
        expect visitor.vip = false
        InvitationRejected
        expect visitor.vip = true
        """,
    )


# ---------------------------------------------------------------- what is expected

TWO = (
    WORDS
    + """
strategy "A"
  priority 60
  on PageEntered
    send Invite
strategy "B"
  limit 1 per visit
  on PageEntered
    send Other
"""
)


def test_expectations_in_a_row_look_at_the_same_messages() -> None:
    passes(TWO, 'visitor enters "/a"\nexpect sent Other\nexpect sent Invite\nexpect nothing else')
    also = fails(TWO, 'visitor enters "/a"\nexpect sent Other\nexpect nothing else')
    assert also == 'Expected nothing else, but there was Invite to "/a".'


def test_what_was_not_asked_for_before_the_story_went_on_is_past() -> None:
    passes(TWO, 'visitor enters "/a"\nexpect sent Invite\nafter 1 s\nexpect nothing')


def test_each_expectation_takes_one_message() -> None:
    assert "Expected Other" in fails(
        TWO, 'visitor enters "/a"\nexpect sent Other\nexpect sent Other'
    )


def test_a_number_is_exact() -> None:
    pages = 'visitor enters "/a"\nvisitor enters "/b"\n'
    passes(TWO, pages + "expect 2 sent Invite\nexpect 1 sent Other\nexpect nothing else")
    assert "but 2 were sent" in fails(TWO, pages + "expect 1 sent Invite")
    assert "Expected 3 of Invite, but 2" in fails(TWO, pages + "expect 3 sent Invite")


def test_a_message_goes_by_its_strategy_and_group_too() -> None:
    passes(HESITANT, 'visitor enters "/checkout"\nafter 30 s\nexpect sent Invitations')
    passes(TWO, 'visitor enters "/a"\nexpect sent "A"\nexpect sent "B"\nexpect nothing else')


def test_the_page_that_is_expected() -> None:
    passes(TWO, 'visitor enters "https://shop.example/a/"\nexpect sent Invite to page "/a"')
    assert "sent otherwise" in fails(TWO, 'visitor enters "/a"\nexpect sent Invite to page "/b"')


def test_the_data_that_is_expected() -> None:
    page = 'visitor enters "/a"\n'
    passes(TWO, page + 'expect sent Invite with { url: "/frontend/resources/invite.html" }')
    sentence = fails(TWO, page + 'expect sent Invite with { url: "/other.html" }')
    assert 'url: "/frontend/resources/invite.html"' in sentence


def test_refusals_are_said_when_nothing_came() -> None:
    page = 'given visitor.vip = true\nvisitor enters "/checkout"\nafter 30 s\n'
    assert 'refused "Hesitant" because unless' in fails(HESITANT, page + "expect sent Invite")
    assert "no rule was complete" in fails(HESITANT, 'visitor enters "/a"\nexpect sent Invite')


def test_the_reason_that_is_expected() -> None:
    pages = 'visitor enters "/a"\nvisitor enters "/b"\n'
    passes(TWO, pages + 'expect refused "B" because limit')
    sentence = fails(TWO, 'visitor enters "/a"\nexpect refused "B" because limit')
    assert sentence == 'Expected "B" to be refused because limit; it was sent.'
    quiet = fails(HESITANT, 'visitor enters "/a"\nexpect refused "Hesitant" because limit')
    assert "none of its rules was complete" in quiet


def test_facts_and_what_is_built_in() -> None:
    passes(
        HESITANT,
        """
        visitor enters "/a"
        expect visitor.state = "anonymous"
        expect visitor.vip = false
        UserInfo { vip: true }
        SignIn
        after 5 s enters "/b"
        expect visitor.vip = true
        expect visitor.state = "authenticated"
        expect visit.pages = 2
        expect visit.duration = 5 s
        """,
    )
    assert fails(HESITANT, 'visitor enters "/a"\nexpect visit.stage = "hot"') == (
        "visit.stage is missing."
    )


def test_every_scenario_has_a_world_of_its_own() -> None:
    text = (
        TWO
        + """
scenario "Second"
  visitor enters "/a"
  expect sent Other
scenario "First"
  visitor enters "/a"
  expect sent Other
"""
    )
    stories = run_scenarios(book(text))
    assert [(story.scenario.name, story.passed) for story in stories] == [
        ("First", True),
        ("Second", True),
    ]


def test_a_failure_does_not_stop_the_story() -> None:
    story = told(TWO, 'visitor enters "/a"\nexpect nothing\nvisitor enters "/b"\nexpect sent Other')
    assert [line.failure is None for line in story.lines] == [True, False, True, False]
    assert not story.passed
