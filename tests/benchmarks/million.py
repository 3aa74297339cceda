"""A store of a million visitors: its bytes, the server's start on it, the memory that it takes.

The documents are those that the sample book makes of visitors who look around, some with a cart,
some who hesitate and are invited. They are written to the file directly, without their journals:
each is one of some hundred different ones, with ids of its own. ``fresh`` are visitors who have
just left, ``silent`` have a page open on which nothing happens, ``at rest`` are the first ones a
day later, when their visits are over.
"""

from __future__ import annotations

import random
import re
import secrets
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from serving import Serving

from engine.hosts import checksums
from engine.hosts.contract import Document, Input
from engine.hosts.document import EngagementCore
from engine.hosts.pressing import pressed
from engine.hosts.store import Store
from engine.language.compiler import compile_book
from engine.language.source import read_folder
from engine.runtime.library import Library
from engine.runtime.plan import plan

SAMPLE = Path(__file__).parents[2] / "strategies"
SHAPES = 300
"""Different visitors."""
PAGES = ("/shop/", "/products/pebble-5", "/products/fjord-fold", "/products/aurora-12", "/cart")
BEGUN = 1_764_000_000_000
_DAY = 86_400_000
_ID = re.compile(rb"[0-9A-F]{32}")


def _core() -> EngagementCore:
    compiled = compile_book(read_folder(SAMPLE))
    assert compiled.book is not None
    return EngagementCore(Library(plan(compiled.book)), lambda: {"chat": 2})


def _walk(core: EngagementCore, visitor: str, chance: random.Random, *, stays: bool) -> Document:
    """What is remembered of one visitor of one to three visits; ``stays``: on the last page."""
    document: Document | None = None
    last, now, number = document, BEGUN, 0
    version = core.woken(now).version
    for visit in range(chance.choices((1, 2, 3), (70, 20, 10))[0]):
        name = f"{visit:02d}{visitor[2:]}"
        urls = [*chance.sample(PAGES, chance.randint(1, 4))]
        if chance.random() < 0.15:
            urls += ["/cart", "/checkout/basket"]
        for place, url in enumerate(urls):
            page = f"{visit:02d}{place:02d}{visitor[4:]}"
            stay = 40_000 if "checkout" in url else 8_000
            for kind, after, data in _page(url, stay, chance):
                number += 1
                body = {"eventName": kind, "pageID": page, "url": url, "title": "A page"}
                body |= {"data": data, "agents": {"chat": 2}}
                one = Input(
                    kind="event", visit=name, time=now + after, version=version,
                    id=f"{number:08X}{visitor[8:]}", body=body,
                )  # fmt: skip
                if kind == "PageExited":
                    last = document
                document = core.advance(visitor, document, [one]).document
            now += stay
        now += 3_600_000
    found = last if stays else document
    assert found is not None
    return found


def _page(
    url: str, stay: int, chance: random.Random
) -> Iterator[tuple[str, int, dict[str, object]]]:
    yield "PageEntered", 0, {}
    if url == "/cart":
        yield "AddToCart", 1_000, {"productName": "Aurora 12", "price": 180, "cartTotal": 180}
    elif chance.random() < 0.2:
        yield "DescriptionRead", 2_000, {}
    yield "PageExited", stay, {}


def written(path: Path, count: int, state: str) -> dict[str, float]:
    """Write a store of so many visitors in that state; give its figures."""
    core, chance = _core(), random.Random(1)
    names = [f"{n:032X}" for n in range(0xABC0000, 0xABC0000 + SHAPES)]
    shapes = [(name, _walk(core, name, chance, stays=state == "silent")) for name in names]
    if state == "at rest":
        shapes = [(name, _at_rest(core, name, document)) for name, document in shapes]
    kept = [(name, core.encode(document)) for name, document in shapes if document]
    store = Store(path, patience=1)
    store.open()
    store.close()
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA synchronous = OFF")
        rows = _rows(kept, count)
        file.executemany("INSERT INTO visitors VALUES (?, ?, NULL, ?, 0, 1, ?, ?)", rows)
        ids = (_visit(secrets.token_hex(16).upper(), number) for number in range(1, count + 1))
        file.executemany("INSERT INTO visits VALUES (?, ?, ?)", ids)
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (documents,) = file.execute("SELECT avg(length(document)) FROM visitors").fetchone()
    file.close()
    return {
        "visitors": count,
        "of whom nothing is left %": 100 * (1 - len(kept) / len(shapes)),
        "bytes of document": documents,
        "bytes of file/visitor": path.stat().st_size / count,
        "MB of file": path.stat().st_size / 1e6,
    }


def _at_rest(core: EngagementCore, name: str, document: Document) -> Document | None:
    after = document["now"] + _DAY
    return core.advance(name, document, [core.woken(after), core.rested(after)]).document


def _rows(kept: list[tuple[str, bytes]], count: int) -> Iterator[tuple[object, ...]]:
    """Rows of visitors: each shape in turn, under an id of its own."""
    soon = int(time.time() * 1000) + _DAY
    for number in range(1, count + 1):
        name, raw = kept[number % len(kept)]
        visitor = secrets.token_hex(16).upper()
        stored = pressed(_renamed(raw, name, visitor))
        begun = checksums.of_document(stored)
        checksum = checksums.of_visitor(begun, number, visitor, (None, soon), 0, 1)
        yield number, visitor, soon, stored, checksum


def _visit(name: str, number: int) -> tuple[object, ...]:
    return name, number, checksums.of_values(name, number)


def _renamed(raw: bytes, name: str, visitor: str) -> bytes:
    """The document of another visitor: every id that was made of the name is another, by chance."""
    names = {name.encode(): visitor.encode()}

    def other(found: re.Match[bytes]) -> bytes:
        return names.setdefault(found[0], secrets.token_hex(16).upper().encode())

    return _ID.sub(other, raw)


def at_rest(count: int = 1_000_000) -> dict[str, float]:
    """A store of visitors whose visits are over, and a server that starts on it."""
    return _measured(count, "at rest")


def fresh(count: int = 1_000_000) -> dict[str, float]:
    """The same for visitors who have just left."""
    return _measured(count, "left")


def silent(count: int = 1_000_000) -> dict[str, float]:
    """The same for visitors on whose open page nothing happens."""
    return _measured(count, "silent")


def _measured(count: int, state: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = written(folder / "data" / "visits.sqlite3", count, state)
        empty = _started(folder / "none", 0)
        full = _started(folder / "data", min(count, 5_000))
    return figures | {
        "seconds to the first event": full["seconds"],
        "with an empty store": empty["seconds"],
        "MB of memory": full["start"] / 1e6,
        "with an empty one": empty["start"] / 1e6,
        "bytes of memory/visitor": (full["start"] - empty["start"]) / count,
        "MB after 5,000 came back": full["after"] / 1e6,
    }


def _started(data: Path, returning: int) -> dict[str, float]:
    """Start a server, wait for its first event, and let visitors come back."""
    begun = time.perf_counter()
    with Serving(SAMPLE, data) as serving, httpx.Client(base_url=serving.address) as client:
        serving.event("PageEntered", secrets.token_hex(16).upper(), "P", url="/shop/")
        seconds = time.perf_counter() - begun
        start = _resident(serving.process.pid)
        for visitor in _some(data / "visits.sqlite3", returning):
            body = {"eventName": "PageEntered", "visitID": visitor, "globalVisitID": visitor}
            client.post("/server/data/events", json=body).raise_for_status()
        after = _resident(serving.process.pid)
    return {"seconds": seconds, "start": start, "after": after}


def _some(path: Path, count: int) -> list[str]:
    with sqlite3.connect(path) as file:
        rows = file.execute(
            "SELECT visitor FROM visitors WHERE number % max(1, (SELECT max(number) FROM visitors)"
            " / max(1, ?)) = 0 LIMIT ?",
            (count, count),
        ).fetchall()
    file.close()
    return [row[0] for row in rows]


def _resident(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
