"""A new version meets a visit in progress: what it keeps, what it counts again, what it begins."""

from __future__ import annotations

from hands import RuntimeHand, Story, rule, written

from engine.runtime.plan import plan


def swapped(story: Story, text: str) -> Story:
    """The same visitor under another edition of the book."""
    assert isinstance(story.hand, RuntimeHand)
    story.hand.plan = plan(written(text))
    return story


def begun(text: str, *times: int) -> Story:
    """A visitor who did A at these times."""
    story = Story("runtime", text)
    for time in times:
        assert story.event("A", time) == []
    return story


THRICE = rule("3 times A")


def test_an_edit_of_message_and_priority_loses_nothing() -> None:
    story = begun(THRICE, 0, 1)
    edited = THRICE.replace("send M", 'send gpe.appendContent { url: "/other.html" }')
    swapped(story, edited.replace("on 3", "priority 7\n  on 3"))
    assert story.event("A", 2) == ["sent"]
    assert story.sends[-1].data["url"] == "/other.html"


def test_a_changed_pattern_starts_afresh() -> None:
    story = swapped(begun(THRICE, 0, 1), rule("3 times A, within 1 h"))
    assert [story.event("A", time) for time in (2, 3, 4)] == [[], [], ["sent"]]


def test_a_changed_category_starts_afresh() -> None:
    before = 'category Here is url "/a"\n' + rule("2 times A in Here")
    story = Story("runtime", before)
    assert story.event("A", 0, url="/a") == []
    swapped(story, before.replace('"/a"', '"/a/**"'))
    assert story.event("A", 1, url="/a") == []
    assert story.event("A", 2, url="/a") == ["sent"]


def test_a_pattern_that_comes_back_unchanged_after_a_mistake_elsewhere_goes_on() -> None:
    story = swapped(begun(THRICE, 0, 1), THRICE + rule("B").replace('"S"', '"Other"'))
    swapped(story, THRICE)
    assert story.event("A", 2) == ["sent"]


def counting(least: int, minutes: int = 10) -> str:
    return rule("B", f"when count(A, last {minutes} min) >= {least}")


def test_a_lowered_threshold_loses_nothing() -> None:
    story = swapped(begun(counting(3), 0, 1), counting(2))
    assert story.event("B", 2) == ["sent"]


def test_a_raised_threshold_counts_from_what_was_kept() -> None:
    story = swapped(begun(counting(2), 0, 1), counting(3))
    assert story.event("B", 2) == ["when"]
    story.event("A", 3)
    assert story.event("B", 4) == ["sent"]


def test_a_timer_that_falls_due_after_the_edit_belongs_to_the_new_book() -> None:
    waiting = rule("A, then no B for 30 s")
    story = begun(waiting, 0)
    swapped(story, waiting.replace("send M", 'send gpe.appendContent { url: "/new.html" }'))
    assert story.tick(29_999) == []
    assert story.tick(30_000) == ["sent"]
    assert story.sends[-1].data["url"] == "/new.html"


def test_a_timer_of_a_rule_that_is_gone_does_not_fire() -> None:
    story = swapped(begun(rule("A, then no B for 30 s"), 0), rule("C"))
    assert story.tick(30_000) == []


def test_limits_survive_every_edit() -> None:
    story = Story("runtime", rule("A", head="limit 1 per visit"))
    assert story.event("A", 0) == ["sent"]
    swapped(story, rule("B", head="limit 1 per visit"))
    assert story.event("B", 1) == ["limit"]
    swapped(story, rule("B", head="limit 2 per visit"))
    assert [story.event("B", 2), story.event("B", 3)] == [["sent"], ["limit"]]


def test_facts_survive_every_edit() -> None:
    story = Story("runtime", 'strategy "S"\n  on A\n    set visit.stage = "hot"\n')
    story.event("A", 0)
    swapped(story, rule("B", 'when visit.stage = "hot"'))
    assert story.event("B", 1) == ["sent"]


def test_a_field_that_only_the_new_edition_reads_is_missing_for_a_silence_that_runs() -> None:
    silence = "A, then no B for 1 min"
    story = Story("runtime", rule(silence, "when event.price = 1"))
    assert story.event("A", 0, price=1, word="x") == []
    swapped(story, rule(silence, 'when event.price = 1 and event.word = "x"'))
    assert story.tick(60_000) == ["when"]
    assert story.event("A", 60_001, price=1, word="x") == []
    assert story.tick(120_001) == ["sent"]
