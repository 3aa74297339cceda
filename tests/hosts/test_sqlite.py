"""What only a host with a file promises: restart, one opener, a full queue, a disk that fails."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import sqlite3
from pathlib import Path

import pytest
from hosts.house import event, run, running, standing
from hosts.ledger import Ledger

from engine.hosts.clock import Clock, now_ms
from engine.hosts.contract import Overloaded
from engine.hosts.sqlite import SqliteHost
from engine.hosts.store import Changes, Store


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "new" / "folder" / "store.db"
        first = SqliteHost(path)
        async with running(first, Ledger()):
            await first.submit("G", [event(1, name="a"), event(2, name="b")])
            before = await first.peek("G")
        second = SqliteHost(path)
        async with running(second, Ledger()):
            assert second.identity == first.identity
            assert await second.visitor_of("V") == "G"
            assert await second.peek("G") == before
            assert len(await second.history(visit="V")) == 2
            assert await second.submit("G", [event(2, name="b"), event(3, name="c")]) == 1
            lines = (await second.peek("G") or {})["lines"]
        assert [line[1] for line in lines] == [1, 2, 3]
        assert [line[3] for line in lines] == [1, 1, 2], "the epoch grows with each start"

    run(test())


def test_a_new_file_has_a_new_identity(tmp_path: Path) -> None:
    async def test() -> None:
        names = set()
        for name in ("a.db", "b.db"):
            host = SqliteHost(tmp_path / name)
            async with running(host, Ledger()):
                names.add(host.identity)
        assert len(names) == 2

    run(test())


def test_a_timer_that_fell_due_meanwhile_fires_at_start(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "store.db"
        begun = now_ms()
        async with running(host := SqliteHost(path, clock=standing(begun)), Ledger()):
            await host.submit("G", [event(1, time=begun, after=200)])
        later = standing(begun + 250)
        async with running(host := SqliteHost(path, clock=later), Ledger()) as postbox:
            await postbox.wait_for(1)
            assert [line[0] for line in (await host.peek("G") or {})["lines"]] == ["event", "woken"]

    run(test())


def test_a_turn_without_time_does_one_thing_and_leaves_nothing_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit into a turn is done in the next ones, inputs and timers alike, once."""
    monkeypatch.setattr("engine.hosts.sqlite._TURN_S", 0)

    async def test() -> None:
        path, begun = tmp_path / "store.db", now_ms()
        names = [f"G{n}" for n in range(30)]
        async with running(host := SqliteHost(path, clock=standing(begun)), Ledger()):
            told = [event(1, visit=name, time=begun, after=200) for name in names]
            await asyncio.gather(*(host.submit(one.visit, [one]) for one in told))
        later = standing(begun + 250)
        async with running(host := SqliteHost(path, clock=later), Ledger()) as postbox:
            more = [event(2, visit=name, time=begun + 250) for name in names]
            assert sum(await asyncio.gather(*(host.submit(one.visit, [one]) for one in more))) == 30
            await postbox.wait_for(30)
            for name in names:
                lines = (await host.peek(name) or {})["lines"]
                assert [line[1] for line in lines if line[0] == "event"] == [1, 2]
        assert len(postbox.messages) == 30

    run(test())


def test_more_visitors_than_are_kept_hot(tmp_path: Path) -> None:
    async def test() -> None:
        host = SqliteHost(tmp_path / "store.db", hot=3)
        async with running(host, Ledger()):
            for turn in range(3):
                for n in range(20):
                    await host.submit(f"G{n}", [event(turn, visit=f"V{n}")])
            for n in range(20):
                lines = (await host.peek(f"G{n}") or {})["lines"]
                assert [line[1] for line in lines] == [0, 1, 2]

    run(test())


def test_a_second_host_on_the_same_file_is_refused(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "store.db"
        async with running(host := SqliteHost(path), Ledger()):
            with pytest.raises(OSError, match="in use by another server: stop that one"):
                async with running(SqliteHost(path), Ledger()):
                    pass
            await host.submit("G", [event(1)])
        async with running(SqliteHost(path), Ledger()):
            pass

    run(test())


def test_a_second_process_on_the_same_file_is_refused(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "store.db"
        async with running(SqliteHost(path), Ledger()):
            context = multiprocessing.get_context("spawn")
            answers = context.Queue()
            process = context.Process(target=_open_elsewhere, args=(path, answers))
            process.start()
            answer = await asyncio.to_thread(answers.get, timeout=30)
            await asyncio.to_thread(process.join)
            assert "in use by another server" in answer

    run(test())


def _open_elsewhere(path: Path, answers: multiprocessing.Queue[str]) -> None:
    async def attempt() -> None:
        async with running(SqliteHost(path), Ledger()):
            answers.put("opened")

    try:
        asyncio.run(attempt())
    except OSError as refusal:
        answers.put(str(refusal))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"this is not a database at all" * 100, "Move it away"), (None, "newer Overture")],
)
def test_a_file_that_is_not_ours_is_refused(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / "store.db"
    if content is None:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    else:
        path.write_bytes(content)

    async def test() -> None:
        with pytest.raises(OSError, match=sentence):
            await SqliteHost(path).start(Ledger(), _nobody)

    run(test())


def test_who_came_first_is_answered_before_a_long_turn_ends(tmp_path: Path) -> None:
    async def test() -> None:
        async with running(host := SqliteHost(tmp_path / "store.db"), ledger := Ledger()):
            long = asyncio.ensure_future(host.submit("A", [event(1, wait=0.1)]))
            # Both are queued while the writer is at the first, and would make one turn.
            slow = asyncio.ensure_future(host.submit("B", [event(2, wait=0.1)]))
            last = asyncio.ensure_future(host.submit("C", [event(3, hold=True)]))
            await ledger.held()
            assert await asyncio.gather(long, slow) == [1, 1]
            assert not last.done()
            ledger.let_go()
            assert await last == 1

    run(test())


async def _nobody(visitor: str, messages: object) -> None:
    """Deliver to nobody."""


def test_a_full_queue_refuses_and_keeps_what_it_took(tmp_path: Path) -> None:
    async def test() -> None:
        host = SqliteHost(tmp_path / "store.db", queue=10)
        async with running(host, ledger := Ledger()):
            slow = asyncio.ensure_future(host.submit("S", [event(0, hold=True)]))
            await ledger.held()
            flood = [host.submit("G", [event(n)]) for n in range(30)]
            answers = asyncio.gather(*flood, return_exceptions=True)
            await asyncio.sleep(0.05)  # each of them has asked; the writer took none
            ledger.let_go()
            results = await answers
            refused = [result for result in results if isinstance(result, Overloaded)]
            assert results.count(1) == 10
            assert len(refused) == 20
            assert all(one.retry_after >= 1 for one in refused)
            assert "wait for the disk" in str(refused[0])
            assert await slow == 1
            assert len(await host.history(visitor="G")) == 10
            assert await host.submit("G", [event(31)]) == 1

    run(test())


def test_an_event_in_the_queue_wins_against_a_later_timer(tmp_path: Path) -> None:
    async def test() -> None:
        begun = now = now_ms()
        host = SqliteHost(tmp_path / "store.db", clock=Clock(lambda: now * 1_000_000, lambda: 0))
        async with running(host, ledger := Ledger()) as postbox:
            await host.submit("G", [event(1, time=begun, after=250)])
            slow = asyncio.ensure_future(host.submit("S", [event(0, time=begun, hold=True)]))
            await ledger.held()  # what comes now waits
            cancel = event(2, time=begun + 249, cancel=True)
            waits = asyncio.ensure_future(host.submit("G", [cancel]))
            await asyncio.sleep(0.05)  # it is in the queue
            now = begun + 1_000
            ledger.let_go()
            assert await asyncio.gather(slow, waits) == [1, 1]
            await asyncio.sleep(0.05)
            assert [line[1] for line in (await host.peek("G") or {})["lines"]] == [1, 2]
            assert not postbox.messages

    run(test())


def test_a_locked_file_refuses_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        path = tmp_path / "store.db"
        host = SqliteHost(path, patience=0.1)
        async with running(host, Ledger()) as postbox:
            await host.submit("G", [event(1)])
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Overloaded, match="locked"):
                await host.submit("G", [event(2, say="never", visit="W")])
            assert len((await host.peek("G") or {})["lines"]) == 1
            assert await host.visitor_of("W") is None
            other.execute("ROLLBACK")
            other.close()
            assert await host.submit("G", [event(3, say="now")]) == 1
            await postbox.wait_for(1)
            assert [line[1] for line in (await host.peek("G") or {})["lines"]] == [1, 3]
        assert postbox.payloads == ["now"]

    run(test())
    assert "changed nothing" in caplog.text


def test_a_disk_that_takes_no_more_refuses_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        path = tmp_path / "store.db"
        host = SqliteHost(path)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        async with running(host, Ledger()) as postbox:
            await host.submit("G", [event(1, time=now_ms(), after=300)])
            try:
                # No file of this process may grow beyond this: the next commits hit it.
                resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
                results = await asyncio.gather(
                    *(host.submit("G", [event(n, text="x" * 300_000)]) for n in range(3)),
                    return_exceptions=True,
                )
                assert all(isinstance(one, OSError | Overloaded) for one in results), results
                assert len((await host.peek("G") or {})["lines"]) == 1
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert await host.submit("G", [event(2)]) == 1
            await postbox.wait_for(1)
            entries = await host.history(visitor="G")
        assert [entry.input.kind for entry in entries].count("event") == 2
        assert [entry.input.kind for entry in entries].count("woken") == 1

    run(test())


def test_inputs_that_can_not_be_stored_fail_alone(tmp_path: Path) -> None:
    async def test() -> None:
        host = SqliteHost(tmp_path / "store.db")
        async with running(host, Ledger()):
            results = await asyncio.gather(
                host.submit("G", [event(1)]),
                host.submit("G", [event(2, name="\ud800")]),
                host.submit("G", [event(3, thing=object())]),
                host.submit("H\ud800", [event(4)]),
                host.submit("G", [event(5)]),
                return_exceptions=True,
            )
            assert [result == 1 for result in results] == [True, False, False, False, True]
            assert [line[1] for line in (await host.peek("G") or {})["lines"]] == [1, 5]

    run(test())


def test_a_statement_that_fails_takes_its_whole_transaction_back(tmp_path: Path) -> None:
    def entry(offset: int) -> list[object]:
        return [offset, 0, "G", "V", "event", 5, "book", 1, None, "{}", "[]", 7]

    store = Store(tmp_path / "store.db", patience=1)
    store.open()
    try:
        store.write(Changes(journal=entry(1), visits={"V": 1}))
        # The first of each two is written before the second is refused.
        with pytest.raises(sqlite3.IntegrityError):
            store.write(Changes(journal=[*entry(2), *entry(1)], visits={"W": 1}))
        store.write(Changes(journal=entry(3)))
    finally:
        store.close()
    with sqlite3.connect(tmp_path / "store.db") as file:
        assert file.execute("SELECT offset FROM journal").fetchall() == [(1,), (3,)]
        assert file.execute("SELECT visit FROM visits").fetchall() == [("V",)]


def test_timers_that_break_the_core_are_tried_again_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Fragile(Ledger):
        def advance(self, visitor, document, inputs):  # type: ignore[no-untyped-def]
            if inputs[0].kind == "woken" and visitor == "bad":
                raise ValueError("broken timer")
            return super().advance(visitor, document, inputs)

    async def test() -> None:
        host = SqliteHost(tmp_path / "store.db")
        async with running(host, Fragile()) as postbox:
            await host.submit("bad", [event(1, after=10)])
            await host.submit("good", [event(1, after=20)])
            await postbox.wait_for(1)
            await asyncio.sleep(0.05)
        assert caplog.text.count("did not fire") == 1

    run(test())


def test_the_log_is_folded_into_the_file(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "store.db"
        async with running(host := SqliteHost(path), Ledger()):
            for n in range(50):
                await host.submit(f"G{n}", [event(n, text="x" * 10_000)])
            async with asyncio.timeout(60):
                while path.stat().st_size < 500_000:  # noqa: ASYNC110 - a file tells nobody
                    await asyncio.sleep(0.1)
        assert not path.with_name("store.db-wal").exists(), "a clean stop leaves one file"

    run(test())


def test_a_timer_beyond_all_time_harms_nobody(tmp_path: Path) -> None:
    async def test() -> None:
        async with running(host := SqliteHost(tmp_path / "store.db"), Ledger()):
            others = (host.submit(f"G{n}", [event(n, visit=f"V{n}")]) for n in range(3))
            news = await asyncio.gather(host.submit("G", [event(1, after=2**70)]), *others)
            assert news == [1, 1, 1, 1]

    run(test())


def test_a_history_of_large_events_is_read_in_part(tmp_path: Path) -> None:
    async def test() -> None:
        async with running(host := SqliteHost(tmp_path / "store.db"), Ledger()):
            for number in range(20):
                await host.submit("G", [event(number, text="x" * 1_000_000)])
            found = await host.history(visitor="G")
        assert [entry.input.body["n"] for entry in found] == list(range(4, 20))

    run(test())
