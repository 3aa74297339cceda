"""One running application of the media for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from media_room import Room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path / "interactions.db")
    yield room
    room.close()
