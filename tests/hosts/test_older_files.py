"""A store of each older schema is brought up to date at the start, and loses nothing."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from hosts.files.make import BEGUN, CORE, happened
from hosts.house import run, running

from engine.hosts import examination, schema
from engine.hosts.clock import Clock
from engine.hosts.document import invitation_of, outbox_after
from engine.hosts.reading import reading
from engine.hosts.sqlite import SqliteHost
from engine.hosts.store import Store

FILES = sorted(Path(__file__).with_name("files").glob("version*.sqlite3"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of an older store."""
    path = tmp_path / "store.db"
    shutil.copy(request.param, path)
    return path


def fixed() -> Clock:
    """A clock that stands where the story of the files ends."""
    return Clock(lambda: (BEGUN + 4_000) * 1_000_000, lambda: 0)


def version_of(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(found)


def test_there_is_a_file_of_each_older_schema() -> None:
    assert [version_of(path) for path in FILES] == list(range(1, schema.VERSION))


def test_everything_is_found_again(old: Path) -> None:
    async def test() -> None:
        host = SqliteHost(old, clock=fixed())
        async with running(host, CORE) as postbox:
            assert await host.visitor_of("VG2") == "G2"
            entries = await host.history(visitor="G3")
            names = [e.input.body["eventName"] for e in entries if e.input.kind == "event"]
            assert names == ["PageEntered", "AddToCart", "Ask", "Pay"]
            document = await host.peek("G2")
            assert document is not None
            ids = [message.ids for message in outbox_after(document, "VG2", "P")]
            assert ids == [("VG2/Cart/1",), ("VG2/Help/1", "VG2/Help/2")]
            assert (invitation_of(document, "VG2", "P") or {})["id"] == "VG2/Help/2"
            again = [happened("G2", 3, "Ask", 4_000), happened("G2", 9, "Ask", 4_000)]
            assert await host.submit("G2", again) == 1, "the first is known"
            # The timer of the old file is due 30 s after the cart.
            await host.submit("G2", [happened("G2", 10, "PageEntered", 31_000)])
            await postbox.wait_for(2)
            assert ("VG2/Patience/1",) in [message.ids for message in postbox.messages]
        assert version_of(old) == schema.VERSION

    run(test())


def test_the_journal_of_an_old_file_can_be_replayed(old: Path) -> None:
    async def test() -> None:
        async with running(host := SqliteHost(old, clock=fixed()), CORE):
            for visitor in ("G1", "G2", "G3"):
                await host.submit(visitor, [happened(visitor, 20, "AddToCart", 4_000)])
                past = await host.past(visitor)
                document, decided = past.document, []
                for entry in past.entries:
                    advance = CORE.advance(visitor, document, [entry.input])
                    document = advance.document
                    decided.append(advance.decisions[0])
                assert [[*one] for one in decided if one is not None] == [
                    [*entry.decisions] for entry in past.entries
                ]
                live = await host.peek(visitor)
                assert document is not None
                assert live is not None
                assert CORE.encode(document) == CORE.encode(live)

    run(test())


IN_THE_WAY = {
    1: ("CREATE TABLE segments (stranger)", "segments already exists"),
    2: ("ALTER TABLE snapshots ADD COLUMN checksum", "duplicate column name: checksum"),
}


def test_an_upgrade_that_fails_changes_nothing(old: Path) -> None:
    version = version_of(old)
    statement, said = IN_THE_WAY[version]
    with sqlite3.connect(old) as connection:
        connection.execute(statement)
    connection.close()
    before = old.read_bytes()

    async def test() -> None:
        with pytest.raises(OSError, match=said):
            async with running(SqliteHost(old), CORE):
                pass

    run(test())
    with sqlite3.connect(old) as connection:
        assert connection.execute("SELECT count(*) FROM journal").fetchone() == (8,)
    connection.close()
    assert version_of(old) == version
    assert len(old.read_bytes()) == len(before)


def test_rows_of_an_old_file_get_a_checksum_when_they_are_written_again(old: Path) -> None:
    async def test() -> None:
        store = Store(old, patience=1)
        store.open()  # without the upkeep of a host, which would write some again
        store.close()
        with reading(old) as connection:
            unchecked = examination.counts(connection).unchecked
        assert unchecked == 8 + 3 + 3, "entries, visitors, visits"
        async with running(host := SqliteHost(old, clock=fixed()), CORE):
            await host.submit("G1", [happened("G1", 20, "AddToCart", 4_000)])
        with reading(old) as connection:
            assert examination.counts(connection).unchecked < unchecked
            query = "SELECT visitor FROM visitors WHERE checksum IS NULL"
            assert ("G1",) not in connection.execute(query).fetchall()
            version = CORE.woken(0).version
            told = [*examination.of_the_journal(connection, lambda: None)]
            told += examination.of_the_visitors(connection, CORE, version, lambda: None)
            assert told == []

    run(test())


def test_a_document_of_a_newer_format_is_refused() -> None:
    with pytest.raises(ValueError, match="of a newer Overture"):
        CORE.decode(b'{"format":99,"visitor":{}}')
