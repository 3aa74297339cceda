"""An examination of a store finds each byte that changed, and what does not fit together."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hosts.files.make import BEGUN, CORE, LIBRARY, happened
from hosts.house import running
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.hosts import examination
from engine.hosts.checksums import of_document, of_visitor
from engine.hosts.clock import Clock
from engine.hosts.contract import Document, Input
from engine.hosts.findings import Finding, Findings
from engine.hosts.journal import Retention
from engine.hosts.reading import reading
from engine.hosts.sqlite import SqliteHost

KEYS = {
    "visitors": "number",
    "visits": "visit",
    "journal": "offset",
    "snapshots": "segment, visitor",
}
COLUMNS = {
    "visitors": "number, visitor, wake_at, rest_at, entry, segment, document, checksum",
    "visits": "visit, visitor, checksum",
    "journal": "offset, before, visitor, visit, kind, time, version, epoch, id, body, decisions,"
    " checksum",
    "snapshots": "segment, visitor, document, checksum",
}
PLACES: dict[str, Callable[[dict[str, Any]], str]] = {
    "visitors": lambda row: f"visitor {row['visitor']}",
    "visits": lambda row: f"visit {row['visit']}",
    "journal": lambda row: f"entry {row['offset']} of visitor {row['visitor']}",
    "snapshots": lambda row: f"before segment {row['segment']}",
}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with messages that wait, visitors who rest, and two segments of the journal."""
    path = tmp_path_factory.mktemp("lived") / "store.db"
    asyncio.run(_live(path))
    return path


async def _live(path: Path) -> None:
    now = [BEGUN]
    clock = Clock(lambda: now[0] * 1_000_000, lambda: 0)
    host = SqliteHost(path, clock=clock, keep=Retention(age=16 * 60_000))
    async with running(host, CORE):
        for visitor in ("G1", "G2", "G3", "Zoë"):
            await host.submit(visitor, [happened(visitor, 1, "PageEntered", 0)])
            await host.submit(visitor, [happened(visitor, 2, "AddToCart", 1_000)])
        await host.submit("G1", [happened("G1", 3, "PageExited", 2_000)])
        now[0] += 70_000
        for number in (4, 5):  # the first ends a segment, the second is in the next
            for visitor in ("G2", "G3"):
                await host.submit(visitor, [happened(visitor, number, "Ask", 70_000 + number)])
        await host.submit("G2", [_pushed()])


def _pushed() -> Input:
    wires = [{"page": "P", "channel": "c", "data": {"text": "Grüße"}}]
    version, body = LIBRARY.live.version, {"notifications": wires, "agents": {"chat": 1}}
    return Input(kind="pushed", visit="VG2", time=BEGUN + 71_000, version=version, body=body)


def found(connection: sqlite3.Connection) -> list[Finding]:
    findings = Findings(1_000)
    findings.add(examination.of_the_journal(connection, lambda: None))
    version = LIBRARY.live.version
    findings.add(examination.of_the_visitors(connection, CORE, version, lambda: None))
    return findings.first


@pytest.fixture(scope="module")
def harmable(lived: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The store as an examination reads it, in a file that may be written."""
    path = tmp_path_factory.mktemp("harmed") / "store.db"
    with reading(lived) as connection, sqlite3.connect(path) as copy:
        connection.backup(copy)
    copy.isolation_level = None
    copy.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    yield copy
    copy.close()


def test_what_was_lived_is_whole(lived: Path) -> None:
    with reading(lived) as connection:
        assert found(connection) == []
        counted = examination.counts(connection)
        assert (counted.visitors, counted.unchecked) == (4, 0)
        assert counted.entries >= 14
        for table, most in (("snapshots", 1), ("segments", 2), ("visits", 4)):
            (there,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert there >= most


@given(data=st.data())
def test_a_byte_that_changed_is_found_wherever_it_is(
    harmable: sqlite3.Connection, data: st.DataObject
) -> None:
    table = data.draw(st.sampled_from(sorted(KEYS)))
    names = COLUMNS[table].split(", ")
    rows = harmable.execute(f"SELECT {COLUMNS[table]} FROM {table}").fetchall()
    row = dict(zip(names, data.draw(st.sampled_from(rows)), strict=True))
    name = data.draw(st.sampled_from([name for name in names if row[name] not in (None, "")]))
    kind, changed = data.draw(_changed(row[name]))
    keys = KEYS[table].split(", ")
    places = " AND ".join(f"{key} = ?" for key in keys)
    harmable.execute("BEGIN")
    try:
        harmable.execute(
            f"UPDATE {table} SET {name} = CAST(? AS {kind}) WHERE {places}",
            (changed, *(row[key] for key in keys)),
        )
        read = f"SELECT {COLUMNS[table]} FROM {table} WHERE {name} = CAST(? AS {kind})"
        after = {
            PLACES[table](dict(zip(names, one, strict=True)))
            for one in harmable.execute(read, (changed,))
        }
        told = found(harmable)
        if name == "offset":
            # An entry before the first segment waits to be trimmed: then it is missed.
            assert {one.name for one in told} & {"entry-damaged", "entry-missing"}
            return
        damaged = [one.place for one in told if one.name.endswith("-damaged")]
        assert len(damaged) == 1, "and of nothing else"
        assert any(place in damaged[0] for place in after)
    except sqlite3.IntegrityError:
        assume(False)  # such a row can not be in the file
    finally:
        harmable.execute("ROLLBACK")


@st.composite
def _changed(draw: st.DrawFn, value: Any) -> tuple[str, Any]:
    """The value with one bit of one byte changed, and its type in SQLite."""
    if isinstance(value, int):
        return "INTEGER", value ^ 1 << draw(st.integers(0, 40))
    raw = bytearray(value if isinstance(value, bytes) else value.encode())
    raw[draw(st.integers(0, len(raw) - 1))] ^= 1 << draw(st.integers(0, 7))
    return ("BLOB" if isinstance(value, bytes) else "TEXT"), bytes(raw)


def _empty(document: Document) -> None:
    document["outbox"].clear()


def _swapped(document: Document) -> None:
    document["outbox"]["VG2"].reverse()


def _invented(document: Document) -> None:
    document["outbox"]["VG2"][0]["ids"] = ["VG2/Cart/7"]


def _unpushed(document: Document) -> None:
    document["outbox"]["VG9"] = [document["outbox"]["VG2"].pop()]


HARMS = {
    "a message that is gone": (_empty, {"outbox-lacks"}),
    "messages in another order": (_swapped, {"outbox-out-of-order"}),
    "a message that nobody decided": (_invented, {"outbox-undecided", "outbox-lacks"}),
    "a message that nobody pushed": (_unpushed, {"outbox-undecided"}),
}


@pytest.mark.parametrize("harm", HARMS)
def test_the_outbox_is_compared_with_the_journal(harmable: sqlite3.Connection, harm: str) -> None:
    """Also where every checksum is right: what was written can be wrong as well."""
    change, names = HARMS[harm]
    query = "SELECT number, wake_at, rest_at, entry, segment, document FROM visitors"
    (row,) = harmable.execute(f"{query} WHERE visitor = 'G2'").fetchall()
    number, wake_at, rest_at, entry, segment, raw = row
    document = CORE.decode(raw)
    change(document)
    raw = CORE.encode(document)
    checksum = of_visitor(of_document(raw), number, "G2", (wake_at, rest_at), entry, segment)
    harmable.execute("BEGIN")
    try:
        harmable.execute(
            "UPDATE visitors SET document = ?, checksum = ? WHERE number = ?",
            (raw, checksum, number),
        )
        told = found(harmable)
    finally:
        harmable.execute("ROLLBACK")
    assert {one.name for one in told} >= names
    assert {one.place for one in told if one.name in names} == {"outbox of visitor G2"}


def test_of_many_of_a_kind_the_first_are_told_and_all_counted() -> None:
    findings = Findings(3)
    findings.add(Finding("one", f"{n}", "") for n in range(100_000))
    findings.add([Finding("two", "x", "")])
    assert [one.place for one in findings.first] == ["0", "1", "2", "x"]
    assert findings.counted == {"one": 100_000, "two": 1}
    assert len(findings) == 100_001
