"""The server where nothing was compiled: at another pace the same decisions, the same bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from serving import Serving, new_id, overture

from engine.runtime.road import IS_NATIVE

SAMPLE = Path(__file__).parents[1] / "strategies"
_PARTS = ("engine.runtime._road", "engine.hosts._rows")
_LEFT_OUT = "import sys\n" + "".join(f"sys.modules[{part!r}] = None\n" for part in _PARTS)
"""What Python reads at its start, in a folder of ours: there are no such modules."""


_FIRST = {"accepted": 5, "duplicates": 1}


def _environment(folder: Path, *, native: bool) -> dict[str, str]:
    if native:
        return {}
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_LEFT_OUT, "utf-8")
    known = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder), known)))}


def _story(visit: str) -> list[dict[str, Any]]:
    names = ("PageEntered", "AddToCart", "DeliveryDelayed", "AddToCart", "PageExited")
    events: list[dict[str, Any]] = [
        {
            "eventName": name,
            "eventID": f"E{number}",
            "visitID": visit,
            "pageID": "P",
            "url": "https://shop.example/products/aurora-12",
            "title": "Aurora — “12”",
            "data": {"price": 180, "productName": "Aurora", "due": 4_000_000_000_000},
        }
        for number, name in enumerate(names)
    ]
    return [*events, events[1]]


def _walked(serving: Serving) -> str:
    """What was decided because of each event of a new visit, whenever it was."""
    visit = new_id()
    answer = serving.post("/server/data/events", json=_story(visit))
    assert answer.json() == _FIRST
    events = serving.get(f"/server/data/visits/{visit}/events").json()
    for event in events:
        for decision in event["decisions"]:
            del decision["time"]
    decided = [(event["eventName"], event["decisions"]) for event in events]
    return json.dumps(decided).replace(visit, "V")


@pytest.mark.skipif(not IS_NATIVE, reason="nothing was built here: all tests are of this form")
def test_a_store_goes_from_one_form_to_the_other(tmp_path: Path) -> None:
    data, visit = tmp_path / "data", new_id()
    found: list[str] = []
    for native in (False, True, False, True):
        environment = _environment(tmp_path / "start", native=native)
        with Serving(SAMPLE, data, **environment) as serving:
            maps = Path(f"/proc/{serving.process.pid}/maps")
            if maps.exists():
                text = maps.read_text("utf-8")
                assert [part.rpartition(".")[2] in text for part in _PARTS] == [native, native]
            found.append(_walked(serving))
            answer = serving.post("/server/data/events", json=_story(visit))
            expected = {"accepted": 0, "duplicates": 6} if len(found) > 1 else _FIRST
            assert answer.json() == expected, "what one form marked the other knows"
    assert len(set(found)) == 1
    assert "sends" in found[0]
    doctor = overture("doctor", "--data", str(data), "--book", str(SAMPLE), "--sample", "all")
    said, mistakes = doctor.communicate(timeout=60)
    assert doctor.returncode == 0, said + mistakes
