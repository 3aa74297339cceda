"""Small recordings for the tests of this folder: events in few words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.trials.recording import Recording, read

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def event(
    name: str, second: float, visit: str | None = "v1", page: str | None = "p1", **more: Any
) -> dict[str, Any]:
    return {
        "eventName": name,
        "timestamp": int(second * SECOND),
        "visitID": visit,
        "pageID": page,
        "url": f"https://shop.example/{page}",
        **more,
    }


def entered(
    second: float, visit: str | None = "v1", page: str | None = "p1", **more: Any
) -> dict[str, Any]:
    return event("PageEntered", second, visit, page, **more)


def write(path: Path, events: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(each) + "\n" for each in events), encoding="utf-8")
    return str(path)


def recorded(folder: Path, *events: dict[str, Any]) -> Recording:
    return read([write(folder / "events.jsonl", list(events))])
