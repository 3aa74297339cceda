"""A minute of benchmarks: they run, and nothing is slower than it may be by far."""

from __future__ import annotations

import pytest

from benchmarks import compiling, deciding, serving


def test_deciding() -> None:
    assert deciding.steps_per_second(visitors=200)["us/event"] < 500


def test_compiling() -> None:
    assert compiling.cold(rules=200)["book s"] < 2
    assert compiling.one_edit(rules=500, edits=3)["median ms"] < 200
    assert compiling.memory(rules=200)["kB of plan/rule"] < 20
    assert compiling.start()["seconds"] < 5


@pytest.mark.data
def test_replay() -> None:
    if not deciding.DATA.is_dir():
        pytest.skip("the recorded visits are not beside the repository")
    assert deciding.replay_speed("nasa_http_1995")["events/s"] > 200


def test_frames_arrive() -> None:
    figures = serving.time_to_the_page(rate=50, seconds=3, visits=10)
    assert figures["frame p50 ms"] < 500


def test_an_edit_is_live() -> None:
    assert serving.time_to_live(edits=3)["median ms"] < 2_000


def test_memory() -> None:
    assert serving.memory_of_visits(500)["kB/visit"] < 200
