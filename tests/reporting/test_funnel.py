"""Whatever is stored: the parts of a report add up, and no stage is larger than the one before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, permutations
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from engine.hosts.slices import Decided, Told
from engine.language.syntax import Audience
from engine.media.started import Conversation
from engine.reporting.funnel import DIMENSIONS, PATIENCE, Figures, Funnel
from engine.reporting.offering import Offering
from engine.reporting.report import Asked, Days, Report, rolled_up

DAY = 86_400_000
BEGUN = 20_000 * DAY
SINCE, UNTIL = BEGUN + DAY, BEGUN + 3 * DAY
HALF = Audience(percent=50, experiment="x")
OFFERED = {"S1": Offering(media=("chat", None)), "S2": Offering(audience=HALF, media=("callback",))}
ANSWERS = {
    "InvitationAccepted": "accepted",
    "InvitationRejected": "rejected",
    "InvitationTimedOut": "timedOut",
}


class Story(NamedTuple):
    """Entries of a journal in order of time, and conversations."""

    entries: Sequence[Told]
    talks: Sequence[Conversation]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    entries: list[Told] = []
    talks: list[Conversation] = []
    sent: list[tuple[str, str]] = []
    time = BEGUN
    for number in range(draw(st.integers(0, 25))):
        time += draw(st.sampled_from([0, 1, 1_000, DAY // 3, DAY - 1, DAY]))
        visit = draw(st.sampled_from(["V1", "V2"]))
        what = draw(st.sampled_from(["decide", "decide", "answer", "answer", "expire", "talk"]))
        if what == "decide":
            entry, made = draw(decisions(time, visit, number))
            entries.append(entry)
            sent += [(name, visit) for name in made]
            continue
        name, own = draw(st.sampled_from(sent)) if sent else ("nobody", visit)
        if what == "answer":
            entries.append(draw(answers(time, draw(st.sampled_from([own, own, visit])), name)))
        elif what == "expire":
            expired = Decided(time, own, "S1", -1, "expired", (name,))
            entries.append(Told(time, "W", own, None, {}, [expired]))
        else:
            talks.append(draw(conversations(time, name)))
    return Story(entries, talks)


@st.composite
def decisions(draw: st.DrawFn, time: int, visit: str, number: int) -> tuple[Told, tuple[str, ...]]:
    made: list[Decided] = []
    ids: tuple[str, ...] = ()
    for place in range(draw(st.integers(1, 2))):
        strategy = draw(st.sampled_from(["S1", "S2", "Gone"]))
        reason = draw(st.sampled_from([None, None, "when", "audience", "limit"]))
        count = draw(st.integers(1, 2)) if reason is None else 0
        sends = tuple(f"{visit}/{strategy}/{number}.{place}.{n}" for n in range(count))
        made.append(Decided(time, visit, strategy, draw(st.integers(0, 2)), reason, sends))
        ids += sends
    visitor = draw(st.sampled_from(["W1", "W2", "W3", "W4"]))
    return Told(time, visitor, visit, None, {}, made), ids


@st.composite
def answers(draw: st.DrawFn, time: int, visit: str, name: str) -> Told:
    said = draw(st.sampled_from(["InvitationShown", *ANSWERS, "InvitationOther"]))
    data: dict[str, Any] = draw(
        st.sampled_from([{"id": name}, {"id": name, "medium": "video"}, {"strategy": "S1"}, {}])
    )
    return Told(time, "W", visit, said, data, [])


@st.composite
def conversations(draw: st.DrawFn, time: int, name: str) -> Conversation:
    medium, answered = draw(st.sampled_from(["chat", "video"])), draw(st.booleans())
    if draw(st.booleans()):
        return Conversation(medium, time, answered, proactive=True, invitation=name)
    return Conversation(medium, time, answered, proactive=False, invitation=None)


def counted(story: Story, by: tuple[str, ...] = ("strategy",)) -> Report:
    funnel = Funnel(OFFERED, story.talks, Days("UTC").of, SINCE, UNTIL)
    for told in story.entries:
        funnel.note(told)
    funnel.finish()
    return rolled_up(funnel, Asked(None, None, "UTC", by), None)


@given(stories())
def test_no_stage_is_larger_than_the_one_before(story: Story) -> None:
    for row in counted(story, DIMENSIONS).rows:
        n, refused = row.figures.stages, row.figures.refused
        assert n["qualified"] == n["refused"] + n["offered"]
        assert n["refused"] == refused.total()
        assert n["offered"] >= n["shown"]
        assert n["shown"] == n["accepted"] + n["rejected"] + n["timedOut"] + n["unanswered"]
        assert n["accepted"] >= n["started"] >= n["answered"] >= 0


@given(stories())
def test_parts_add_up_to_the_whole_however_it_is_parted(story: Story) -> None:
    total = counted(story).total
    for size in range(len(DIMENSIONS) + 1):
        for by in combinations(DIMENSIONS, size):
            found = counted(story, by)
            added = Figures()
            for row in found.rows:
                added.add(row.figures)
            assert added == found.total == total
            talks = [part.proactive + part.reactive for part in found.talks]
            assert sum(talks, Counter())["started"] == sum(
                SINCE <= one.time < UNTIL for one in story.talks
            )
    for by in permutations(DIMENSIONS, 2):
        mirrored = {row.about[::-1]: row.figures for row in counted(story, by[::-1]).rows}
        assert {row.about: row.figures for row in counted(story, by).rows} == mirrored


@given(stories())
def test_an_obvious_count_finds_the_same(story: Story) -> None:
    rows = {row.about[0]: row.figures.stages for row in counted(story).rows}
    assert {name: +stages for name, stages in rows.items()} == obvious(story)


def obvious(story: Story) -> dict[str | None, Counter[str]]:
    """The definitions of the README, word for word, by loops over everything there is."""
    found: dict[str | None, Counter[str]] = {}
    for place, entry in enumerate(story.entries):
        for rank, one in enumerate(entry.decisions):
            if one.reason == "expired" or not SINCE <= one.time < UNTIL:
                continue
            stages = found.setdefault(one.strategy, Counter())
            stages["qualified"] += 1
            if one.reason is not None:
                stages["refused"] += 1
                continue
            later = (*_rest_of(entry, rank), *story.entries[place + 1 :])
            stages.update(became(story, one, later))
    return found


def _rest_of(entry: Told, rank: int) -> tuple[Told, ...]:
    return (entry._replace(answer=None, decisions=entry.decisions[rank + 1 :]),)


def became(story: Story, sent: Decided, later: Sequence[Told]) -> list[str]:
    """The stages of one occasion that was sent, after `qualified`."""
    heard = [
        entry.answer
        for place, entry in enumerate(later)
        if entry.answer is not None and means(sent, later[:place], entry)
    ]
    given = [ANSWERS[name] for name in heard if name in ANSWERS]
    talks = [one for one in story.talks if one.invitation in sent.sends and in_time(sent, one.time)]
    if given and given[0] != "accepted":
        talks = []
    if expired(sent, later) and not heard and not talks:
        return ["refused"]
    if not heard and not talks:
        return ["offered"]
    answer = (given or ["accepted" if talks else "unanswered"])[0]
    begun = ["started"] if talks else []
    return ["offered", "shown", answer, *begun, *["answered"] * any(one.answered for one in talks)]


def in_time(sent: Decided, time: int) -> bool:
    return time < sent.time + PATIENCE


def expired(sent: Decided, later: Sequence[Told]) -> bool:
    lost = [
        name
        for entry in later
        for one in entry.decisions
        if one.reason == "expired" and in_time(sent, one.time)
        for name in one.sends
    ]
    return set(sent.sends) <= set(lost)


def means(sent: Decided, between: Sequence[Told], entry: Told) -> bool:
    """Is it about this occasion? An answer names its invitation; one that names none is about
    the youngest of its visit that is not answered and did not expire."""
    if entry.visit != sent.visit or not in_time(sent, entry.time):
        return False
    if "id" in entry.data:
        return entry.data["id"] in sent.sends
    fits = entry.data.get("strategy") in (None, sent.strategy)
    return (
        fits
        and is_open(sent, between)
        and not any(
            later.visit == sent.visit
            and later.reason is None
            and SINCE <= later.time < UNTIL
            and entry.data.get("strategy") in (None, later.strategy)
            and is_open(later, _after(between, later))
            for told in between
            for later in told.decisions
        )
    )


def is_open(sent: Decided, between: Sequence[Told]) -> bool:
    answered = any(
        entry.answer in ANSWERS and means(sent, between[:place], entry)
        for place, entry in enumerate(between)
    )
    return not answered and not expired(sent, between)


def _after(between: Sequence[Told], sent: Decided) -> Sequence[Told]:
    place = next(n for n, told in enumerate(between) if sent in told.decisions)
    rank = between[place].decisions.index(sent)
    return (*_rest_of(between[place], rank), *between[place + 1 :])
