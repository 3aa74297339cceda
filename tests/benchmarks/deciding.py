"""Deciding in one process: steps per second of the sample book, and a replay from end to end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from engine.language.compiler import compile_book
from engine.language.source import read_folder
from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
PAGES = ("/shop/", "/products/pebble-5", "/products/fjord-fold", "/products/aurora-12", "/cart")


def _events(visitor: int, visits: int) -> list[Event]:
    """A visitor who looks around, fills the cart, and hesitates at the checkout."""
    found: list[Event] = []
    clock = 1_764_000_000_000 + visitor
    for visit in range(visits):
        name = f"V{visitor}-{visit}"
        for number, url in enumerate((*PAGES, "/checkout/basket")):
            page, clock = f"{name}-{number}", clock + 8_000
            common = {"visitor": f"X{visitor}", "visit": name, "page": page, "url": url}
            agents = {"chat": 2}
            found.append(Event(name="PageEntered", time=clock, agents=agents, **common))  # type: ignore[arg-type]
            if url == "/cart":
                data = {"productName": "Aurora", "price": 180, "cartTotal": 180}
                found.append(Event(name="AddToCart", time=clock + 1, data=data, **common))  # type: ignore[arg-type]
            stay = 40_000 if url == "/checkout/basket" else 5_000
            found.append(Event(name="PageExited", time=clock + stay, **common))  # type: ignore[arg-type]
            clock += stay
        clock += 3_600_000
    return found


def steps_per_second(visitors: int = 1_500) -> dict[str, float]:
    """Events decided a second by the sample book, and microseconds an event."""
    compiled = compile_book(read_folder(ROOT / "strategies"))
    assert compiled.book is not None
    book = plan(compiled.book)
    stories = [_events(visitor, 2) for visitor in range(visitors)]
    decisions = 0
    begun = time.perf_counter()
    for number, events in enumerate(stories):
        visitor = Visitor.new(f"X{number}")
        for event in events:
            outcome = step(book, visitor, event)
            visitor = outcome.visitor
            decisions += len(outcome.decisions)
    spent = time.perf_counter() - begun
    assert decisions == 2 * visitors, "every visit hesitates once"
    count = sum(map(len, stories))
    return {"events/s": count / spent, "us/event": spent / count * 1e6}


def replay_speed(name: str = "eshop_clothing_2008", book: str = "strategies") -> dict[str, float]:
    """Events a second of ``overture replay`` as a user runs it, start and reading included."""
    path = DATA / name / "events.jsonl.gz"
    command = [sys.executable, "-m", "engine.cli", "replay", "--json", str(ROOT / book), str(path)]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    spent = time.perf_counter() - begun
    events = int(done.stdout.split('"events": ')[1].split(",")[0])
    return {"events/s": events / spent, "seconds": spent}
