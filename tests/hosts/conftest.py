"""Every host there is, for the conformance suite."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hosts.house import MakeHost

from engine.hosts.memory import MemoryHost
from engine.hosts.sqlite import SqliteHost


@pytest.fixture(params=["memory", "sqlite"])
def make_host(request: pytest.FixtureRequest, tmp_path: Path) -> MakeHost:
    """Make a new host of each sort, each time with a store of its own."""
    if request.param == "memory":
        return MemoryHost
    numbers = itertools.count()
    return lambda: SqliteHost(tmp_path / f"store{next(numbers)}.db")
