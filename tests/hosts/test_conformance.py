"""The conformance suite: what every host promises, whatever it stores in."""

from __future__ import annotations

import asyncio
import random

import pytest
from hosts.house import MakeHost, event, run, running, undisturbed
from hosts.ledger import Ledger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.hosts.clock import now_ms
from engine.hosts.contract import Host, Input, Overloaded


async def lines_of(host: Host, visitor: str) -> list[list[object]]:
    document = await host.peek(visitor)
    return document["lines"] if document else []


def test_inputs_are_applied_in_order_of_submission(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()):
            inputs = [(f"G{n % 7}", event(n, visit=f"V{n % 7}")) for n in range(500)]
            await asyncio.gather(*(host.submit(visitor, [one]) for visitor, one in inputs))
            for v in range(7):
                numbers = [line[1] for line in await lines_of(host, f"G{v}")]
                assert numbers == list(range(v, 500, 7))

    run(test())


def test_a_batch_is_applied_whole_and_counted(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()):
            assert await host.submit("G", [event(n) for n in range(200)]) == 200
            assert [line[1] for line in await lines_of(host, "G")] == list(range(200))
            assert await host.submit("G", []) == 0

    run(test())


def test_duplicates_do_nothing_and_are_not_counted(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()) as postbox:
            first = [event(1, name="a", say="one"), event(2, name="b")]
            assert await host.submit("G", first) == 2
            assert await host.submit("G", [*first, event(3, name="c"), event(4, name="c")]) == 1
            assert [line[1] for line in await lines_of(host, "G")] == [1, 2, 3]
            assert len(await host.history(visitor="G")) == 3
            await postbox.wait_for(1)
        assert postbox.payloads == ["one"]

    run(test())


def test_visits_are_found_by_their_visitor(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()):
            assert await host.visitor_of("V1") is None
            assert await host.peek("G") is None
            await host.submit("G", [event(1, visit="V1"), event(2, visit="V2")])
            assert await host.visitor_of("V1") == "G"
            assert await host.visitor_of("V2") == "G"
            assert await host.visitor_of("V3") is None

    run(test())


def test_history_is_oldest_first_and_keeps_the_youngest(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()):
            for n in range(10):
                await host.submit("G", [event(n, visit=f"V{n % 2}", time=1000 + n, name=f"i{n}")])
            await host.submit("H", [event(99, visit="W")])
            entries = await host.history(visitor="G", limit=3)
            assert [entry.input.body["n"] for entry in entries] == [7, 8, 9]
            entries = await host.history(visit="V1")
            assert [entry.input.body["n"] for entry in entries] == [1, 3, 5, 7, 9]
            assert [entry.offset for entry in entries] == sorted(e.offset for e in entries)
            assert entries[0].visitor == "G"
            assert entries[0].input.id == "i1"
            assert entries[0].input.time == 1001
            assert entries[0].decisions == ({"visit": "V1", "line": 2},)
            assert not await host.history(visit="unknown")
            assert not await host.history(visitor="unknown")
            assert not await host.history(visitor="G", limit=0)

    run(test())


def test_messages_come_after_the_commit_in_order(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()) as postbox:
            submits = [host.submit("G", [event(n, say=f"{n}")]) for n in range(100)]
            await asyncio.gather(*submits)
            messages = await postbox.wait_for(100)
            assert [message.offset for message in messages] == list(range(1, 101))
            assert [message.payload for message in messages] == [f"{n}" for n in range(100)]

    run(test())


def test_a_delivery_that_fails_does_not_stop_the_next(
    make_host: MakeHost, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        host, got = make_host(), asyncio.Event()

        async def deliver(visitor: str, messages: object) -> None:
            if visitor == "bad":
                raise RuntimeError("the page is on fire")
            got.set()

        await host.start(Ledger(), deliver)
        await host.submit("bad", [event(1, say="x")])
        await host.submit("good", [event(1, say="x")])
        await got.wait()
        await host.stop()

    run(test())
    assert "wait in the outbox" in caplog.text


def test_a_timer_fires_once_and_in_time(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()) as postbox:
            begun = now_ms()
            await asyncio.gather(
                *(host.submit(f"G{n}", [event(n, time=begun, after=150)]) for n in range(20))
            )
            await postbox.wait_for(20)
            await asyncio.sleep(0.1)
            assert len(postbox.messages) == 20
            for n in range(20):
                kinds = [(line[0], line[2]) for line in await lines_of(host, f"G{n}")]
                assert [kind for kind, _ in kinds] == ["event", "woken"]
                assert 150 <= kinds[1][1] - begun < 10_000
            entries = await host.history(visit="V")
            assert {entry.input.kind for entry in entries} <= {"event", "woken"}

    run(test())


def test_a_timer_that_is_cancelled_does_not_fire(make_host: MakeHost) -> None:
    async def test() -> None:
        async def story() -> bool:
            host, begun = make_host(), now_ms()
            async with running(host, Ledger()) as postbox:
                await host.submit("G", [event(1, time=begun, after=200)])
                await host.submit("G", [event(2, time=begun, cancel=True)])
                in_time = now_ms() < begun + 200
                await host.submit("H", [event(1, time=begun, after=230)])
                await postbox.wait_for(1)
                await asyncio.sleep(0.05)
                kinds = [line[0] for line in await lines_of(host, "G")]
            assert kinds == ["event", "event"] or not in_time
            return in_time

        await undisturbed(story)

    run(test())


def test_a_timer_that_is_moved_fires_at_its_new_time_only(make_host: MakeHost) -> None:
    async def test() -> None:
        async def story() -> bool:
            host, begun = make_host(), now_ms()
            async with running(host, Ledger()) as postbox:
                await host.submit("G", [event(1, time=begun, after=150)])
                await host.submit("G", [event(2, time=begun, after=300)])
                in_time = now_ms() < begun + 150
                await postbox.wait_for(1)
                times = [line[2] for line in await lines_of(host, "G") if line[0] == "woken"]
            assert (len(times) == 1 and times[0] >= begun + 300) or not in_time
            return in_time

        await undisturbed(story)

    run(test())


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_timer_against_event(make_host: MakeHost, late: int) -> None:
    """An event of the timer's own time or later finds the timer fired; an earlier one does not."""

    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()):
            # An hour ahead, so that only the times of the inputs decide.
            due = now_ms() + 3_600_000
            await host.submit("G", [event(1, time=due - 500, after=500)])
            await host.submit("G", [event(2, time=due + late, cancel=True)])
            kinds = [(line[0], line[1]) for line in await lines_of(host, "G")]
            fired = [("woken", None)] if late >= 0 else []
            assert kinds == [("event", 1), *fired, ("event", 2)]
            entries = await host.history(visitor="G")
            assert [entry.input.kind for entry in entries] == [kind for kind, _ in kinds]

    run(test())


def test_an_event_that_waited_wins_against_a_later_timer(make_host: MakeHost) -> None:
    async def story() -> bool:
        host = make_host()
        async with running(host, Ledger()) as postbox:
            begun = now_ms()
            await host.submit("G", [event(1, time=begun, after=400)])
            slow = [event(n, time=begun, wait=0.5) for n in range(2)]
            cancel = event(2, time=begun + 399, cancel=True)
            submits = [host.submit(f"S{n}", [one]) for n, one in enumerate(slow)]
            asked = now_ms()
            await asyncio.gather(*submits, host.submit("G", [cancel]))
            if asked >= begun + 200:
                return False  # it did not wait: the timer was there first
            await asyncio.sleep(0.05)
            assert now_ms() > begun + 1_000
            assert [line[1] for line in await lines_of(host, "G")] == [1, 2]
            assert not postbox.messages
        return True

    run(undisturbed(story))


def test_wake_ups_belong_to_the_visit_they_decided_for(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()) as postbox:
            now = now_ms()
            both = [event(1, visit="V", time=now, after=9), event(2, visit="W", time=now)]
            await host.submit("G", both)
            await postbox.wait_for(1)
            assert [e.input.kind for e in await host.history(visit="V")] == ["event", "woken"]
            assert [e.input.kind for e in await host.history(visit="W")] == ["event"]

    run(test())


def test_a_submit_that_breaks_the_core_changes_nothing(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()) as postbox:
            good = host.submit("G", [event(1, name="a", say="one")])
            bad = host.submit("G", [event(2, say="never"), event(3, **{"break": True})])
            more = host.submit("G", [event(4)])
            results = await asyncio.gather(good, bad, more, return_exceptions=True)
            assert results[0] == results[2] == 1
            assert isinstance(results[1], ValueError)
            assert [line[1] for line in await lines_of(host, "G")] == [1, 4]
            await postbox.wait_for(1)
        assert postbox.payloads == ["one"]

    run(test())


def test_text_that_has_no_utf8_form_survives(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()):
            await host.submit("G", [event(1, text="half \ud83d, zero \x00, whole 💡")])
            entry = (await host.history(visitor="G"))[0]
            assert entry.input.body["text"] == "half \ud83d, zero \x00, whole 💡"

    run(test())


def test_a_stopped_host_accepts_nothing(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        with pytest.raises(Overloaded, match="not running"):
            await host.submit("G", [event(1)])
        async with running(host, Ledger()):
            await host.submit("G", [event(1)])
        with pytest.raises(Overloaded):
            await host.submit("G", [event(2)])

    run(test())


def test_stopping_finishes_what_was_accepted(make_host: MakeHost) -> None:
    async def test() -> None:
        host = make_host()
        async with running(host, Ledger()) as postbox:
            submits = [
                asyncio.ensure_future(host.submit("G", [event(n, say=f"{n}")])) for n in range(50)
            ]
            await asyncio.sleep(0)
        assert await asyncio.gather(*submits) == [1] * 50
        assert len(postbox.messages) == 50

    run(test())


submissions = st.lists(
    st.tuples(
        st.sampled_from(["G1", "G2", "G3"]),
        st.lists(st.integers(0, 12), min_size=1, max_size=4),
        st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(submissions=submissions, seed=st.integers(0, 1_000))
def test_replaying_the_journal_gives_the_document(
    make_host: MakeHost, submissions: list[tuple[str, list[int], bool]], seed: int
) -> None:
    """Whatever is submitted however fast: the document is what the journal says, and no more."""

    async def test() -> None:
        host, chance = make_host(), random.Random(seed)
        async with running(host, Ledger()):
            tasks = []
            for visitor, numbers, wait in submissions:
                inputs = [
                    event(
                        n,
                        visit=visitor,
                        name=f"{n}" if n % 3 else None,
                        after=chance.choice([5, 9]),
                    )
                    for n in numbers
                ]
                tasks.append(asyncio.ensure_future(host.submit(visitor, inputs)))
                if wait:
                    await tasks[-1]
            counted = sum(await asyncio.gather(*tasks))
            stored = 0
            for visitor in {visitor for visitor, _, _ in submissions}:
                inputs, lines = await consistent(host, visitor)
                stored += sum(one.kind == "event" for one in inputs)
                replayed = Ledger().advance(visitor, None, inputs)
                assert None not in replayed.decisions
                assert replayed.document["lines"] == lines
            assert stored == counted

    run(test())


async def consistent(host: Host, visitor: str) -> tuple[list[Input], list[list[object]]]:
    """Read journal and document of one moment, though timers fire in between."""
    while True:
        before = await host.history(visitor=visitor)
        lines = await lines_of(host, visitor)
        if len(await host.history(visitor=visitor)) == len(before) == len(lines):
            return [entry.input for entry in before], lines
