"""The clock of a server when the clock on the wall is set."""

from __future__ import annotations

from pathlib import Path

import pytest
from hosts.house import event, run, running
from hosts.ledger import Ledger

from engine.hosts.clock import Clock
from engine.hosts.sqlite import SqliteHost

HOUR = 3_600_000
BEGIN = 400_000 * HOUR
MS = 1_000_000


class Machine:
    """A machine whose two clocks a test moves; both in milliseconds."""

    def __init__(self) -> None:
        self.wall = BEGIN
        self.steady = 0
        self.clock = Clock(lambda: self.wall * MS, lambda: self.steady * MS)

    def pass_by(self, ms: int) -> int:
        self.wall += ms
        self.steady += ms
        return self.clock.now()


def test_it_is_the_clock_on_the_wall() -> None:
    machine = Machine()
    assert [machine.pass_by(ms) for ms in (0, 1, 1_000)] == [BEGIN, BEGIN + 1, BEGIN + 1_001]


def test_it_follows_a_clock_that_is_set_forward() -> None:
    machine = Machine()
    machine.pass_by(0)
    machine.wall += HOUR
    assert machine.pass_by(5) == BEGIN + HOUR + 5


def test_it_goes_on_when_the_clock_is_set_back_and_is_caught_up_with() -> None:
    machine = Machine()
    machine.pass_by(0)
    machine.wall -= HOUR
    assert machine.pass_by(1_600) == BEGIN + 1_500
    readings = [machine.pass_by(60_000) for _ in range(16 * 60)]
    assert readings == sorted(set(readings))
    assert readings[-2] > machine.wall - 60_000
    assert machine.pass_by(60_000) == machine.wall


def test_it_goes_on_from_what_was_used_already() -> None:
    machine = Machine()
    machine.clock.not_before(BEGIN + 500)
    assert machine.clock.now() == BEGIN + 500
    machine.clock.not_before(BEGIN + 100)
    assert machine.pass_by(16) == BEGIN + 515


@pytest.mark.parametrize(("ahead", "expected"), [(1, 1), (0, 0), (-1, 0), (100, 0)])
def test_a_host_goes_on_from_where_its_store_ends(
    tmp_path: Path, ahead: int, expected: int
) -> None:
    """Not from a time so far ahead that the clock must have been wrong."""
    machine = Machine()
    path = tmp_path / "store.db"

    async def test() -> None:
        async with running(host := SqliteHost(path), Ledger()):
            await host.submit("G", [event(1, time=BEGIN + ahead * HOUR)])
        async with running(SqliteHost(path, clock=machine.clock), Ledger()):
            assert machine.clock.now() == BEGIN + expected * HOUR

    run(test())
