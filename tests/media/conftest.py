"""One running application of the media for a test; for GMS also one whose GMS is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from media_room import Room

HERE = (Room,)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module that names ``ROOMS`` is run over each of them."""
    if "room" in metafunc.fixturenames:
        rooms = getattr(metafunc.module, "ROOMS", HERE)
        metafunc.parametrize("room", rooms, indirect=True, ids=[one.__name__ for one in rooms])


@pytest.fixture
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    room: Room = request.param(tmp_path / "interactions.db")
    yield room
    room.close()
