"""Visitors come to rest: what is over is let go of, and nobody can tell."""

from __future__ import annotations

import json
import random
import sqlite3
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hosts.booked import library_of, written_book
from hosts.house import run, running
from hypothesis import given, settings
from hypothesis import strategies as st
from properties.cases import Case, cases

from engine.hosts.clock import Clock
from engine.hosts.contract import Document, Host, Input
from engine.hosts.document import EngagementCore
from engine.hosts.journal import Retention
from engine.hosts.memory import MemoryHost
from engine.hosts.pressing import pressed, unpressed
from engine.hosts.reading import reading
from engine.hosts.sqlite import SqliteHost
from engine.hosts.turn import SILENT
from engine.language.compiler import compile_book
from engine.language.source import read_folder
from engine.runtime.library import Library
from engine.runtime.plan import plan
from engine.vocabulary.events import Event

HOUR, DAY = 3_600_000, 86_400_000
BEGUN = 1_900_000_000_000
SAMPLE = Path(__file__).parents[2] / "strategies"


class One:
    """One visitor of a core, who rests whenever asked to."""

    def __init__(self, core: EngagementCore) -> None:
        self._core = core
        self._document: Document | None = None
        self.wake_at: int | None = None
        self.rest_at: int | None = None
        self.forgotten = 0
        self.said: list[Any] = []

    def pass_time(self, until: int, *, resting: bool) -> None:
        """Let timers fire up to a time, and rest as soon as that is possible."""
        while True:
            wakes = [at for at in (self.wake_at,) if at is not None and at <= until]
            rests = [at for at in (self.rest_at,) if resting and at is not None and at <= until]
            if not wakes and not rests:
                return
            if wakes and (not rests or wakes[0] <= rests[0]):
                self.apply(self._core.woken(wakes[0]))
            else:
                self.apply(self._core.rested(rests[0]))

    def apply(self, one: Input) -> None:
        advance = self._core.advance("G", self._document, [one])
        self.said += [(m.ids, m.payload, m.offset, m.expires) for m in advance.messages]
        self.said += [json.dumps(one) for one in advance.decisions[0] or ()]
        self.forgotten += self._document is not None and advance.document is None
        self._document = advance.document and self._core.decode(self._core.encode(advance.document))
        self.wake_at, self.rest_at = advance.wake_at, advance.rest_at


def _inputs(case: Case, pauses: Iterable[int], version: str) -> Iterable[Input]:
    """The events of a story, with pauses between them that may be long."""
    late = 0
    events = [moment for moment in case.moments() if isinstance(moment, Event)]
    for number, (event, pause) in enumerate(zip(events, pauses, strict=False)):
        late += pause
        body = {
            "eventName": event.name,
            "pageID": event.page,
            "url": event.url,
            "title": event.title,
            "category": event.category,
            "data": dict(event.data),
            "agents": dict(event.agents),
        }
        name = f"{number // 2}"  # each id twice: a duplicate while its visit lasts
        yield Input(
            kind="event",
            visit=event.visit,
            time=event.time + late,
            version=version,
            id=name if number % 4 == 3 else None,
            body=body,
        )


PAUSES = st.sampled_from([0, 0, 0, 1, HOUR, DAY - 1, DAY, DAY + 1, 8 * DAY])


@settings(max_examples=40)
@given(case=cases(), pauses=st.lists(PAUSES, min_size=40, max_size=40))
def test_resting_changes_no_decision(case: Case, pauses: list[int]) -> None:
    """Any book, any visit, any pauses: who rests as early as possible is told the same."""
    library = Library(plan(case.book))
    core = EngagementCore(library, dict)
    waking, resting = One(core), One(core)
    now = 0
    for one in _inputs(case, pauses, library.live.version):
        now = max(now, one.time)
        for visitor in (waking, resting):
            visitor.pass_time(now, resting=visitor is resting)
            visitor.apply(one)
        assert resting.said == waking.said
    for visitor in (waking, resting):
        visitor.pass_time(now + 400 * DAY, resting=visitor is resting)
    assert resting.said == waking.said


RULES = """
on B when count(A, ever) = 1
on B when count(A, last 3 d) = 1
on B when seen(A, ever)
on B when seen(A, last 3 d)
on B when since(A) < 3 d
on B when latest(A.n, ever) = 1
on B when latest(A.n, last 3 d) = 1
on B when sum(A.n, ever) = 1
on B when sum(A.n, last 3 d) = 1
on B when average(A.n, last 30 h) = 1
on B when visitor.met
on A, then B, per visitor
on A, then B, within 3 d, per visitor
on 2 times A, within 3 d, per visitor
on 2 times A, per visitor
on all of (A, B, C), within 3 d, per visitor
on all of (A, B, C), per visitor
on C, then all of (A, B), within 3 d, per visitor
on A, then no C for 26 h, then B, within 3 d, per visitor
on A, then no C for 26 h, per visitor
on A, then B
""".strip().splitlines()


def _book(rule: str) -> str:
    return f"""
event A "One thing"
  n number
event B "Another"
event C "A third"
fact visitor.met boolean = false from SignIn
message M is gpe.appendContent {{ url: "/frontend/resources/invite.html" }}
strategy "S"
  {rule}
    send M
"""


_CORES = {rule: EngagementCore(library_of(_book(rule)), dict) for rule in RULES}


@pytest.mark.parametrize("rule", RULES)
@given(
    walk=st.lists(
        st.tuples(
            st.sampled_from(["A", "B", "C", "SignIn"]),
            st.sampled_from([1, DAY - 1, DAY, 26 * HOUR, 2 * DAY, 3 * DAY - 1, 3 * DAY]),
        ),
        min_size=2,
        max_size=6,
    )
)
def test_what_is_remembered_of_a_visitor_outlasts_the_visits(
    rule: str, walk: list[tuple[str, int]]
) -> None:
    core, now = _CORES[rule], BEGUN
    waking, resting = One(core), One(core)
    for name, pause in walk:
        body = {"eventName": name, "pageID": "P", "data": {"n": 1, "met": True}, "agents": {}}
        version = core.woken(now).version
        one = Input(kind="event", visit="V", time=now, version=version, id=name, body=body)
        for visitor in (waking, resting):
            visitor.pass_time(now, resting=visitor is resting)
            visitor.apply(one)
        assert resting.said == waking.said
        now += pause


@pytest.mark.parametrize("hours", [24, 0.5, 100])
def test_who_left_nothing_behind_is_forgotten(hours: float) -> None:
    expiry = int(hours * HOUR)
    library = Library(plan(written_book(), visit_expiry=expiry))
    core = EngagementCore(library, dict)
    visitor = One(core)
    body = {"eventName": "PageEntered", "pageID": "P", "data": {}, "agents": {}}
    entered = Input(
        kind="event", visit="V", time=BEGUN, version=library.live.version, id="1", body=body
    )
    visitor.apply(entered)
    visitor.pass_time(BEGUN + expiry - 1, resting=True)
    assert visitor.forgotten == 0
    visitor.pass_time(BEGUN + expiry, resting=True)
    assert visitor.forgotten == 1


def test_the_version_of_an_input_says_how_long_visits_last() -> None:
    usual, short = plan(written_book()), plan(written_book(), visit_expiry=HOUR)
    library = Library(usual)
    library.swap(short)
    core = EngagementCore(library, dict)
    assert usual.version != short.version
    assert _visits_after_two_hours(core, short.version) == {"V2"}
    assert _visits_after_two_hours(core, usual.version) == {"V1", "V2"}


def _visits_after_two_hours(core: EngagementCore, version: str) -> set[str]:
    inputs = [
        Input(
            kind="event", visit=visit, time=time, version=version, id=None,
            body={"eventName": "PageEntered", "pageID": "P", "data": {}, "agents": {}},
        )
        for visit, time in (("V1", BEGUN), ("V2", BEGUN + 2 * HOUR))
    ]  # fmt: skip
    document = core.advance("G", None, inputs).document
    assert document is not None
    return set(document["visitor"].visits)


def test_who_is_silent_is_stored_in_few_bytes(tmp_path: Path) -> None:
    library = library_of(_book(RULES[0]))
    core, version = EngagementCore(library, dict), library.live.version
    path, clock = tmp_path / "store.db", [BEGUN]
    host = SqliteHost(path, clock=Clock(lambda: clock[0] * 1_000_000, lambda: 0))

    def stored(visitor: str) -> bytes | None:
        with reading(path) as connection:
            query = "SELECT document FROM visitors WHERE visitor = ?"
            (found,) = connection.execute(query, (visitor,)).fetchone()
        return found

    async def tell(visitor: str, name: str) -> None:
        body = {"eventName": name, "pageID": "P", "data": {}, "agents": {}}
        one = Input(
            kind="event", visit=f"V{visitor}", time=clock[0], version=version, id=name, body=body
        )
        await host.submit(visitor, [one])

    async def test() -> None:
        async with running(host, core):
            for visitor in ("stays", "leaves"):
                await tell(visitor, "PageEntered")
            await tell("leaves", "PageExited")
            before = {visitor: stored(visitor) or b"" for visitor in ("stays", "leaves")}
            clock[0] += 2 * SILENT
            await settled(host, path, clock[0], version)
            for visitor, raw in before.items():
                small = stored(visitor)
                assert small is not None
                assert len(small) < 150 < len(raw)
                assert unpressed(small) == raw, "and nothing else has changed"
            kinds = [entry.input.kind for entry in await host.history(visitor="stays")]
            assert kinds == ["event"]
            clock[0] = BEGUN + DAY - 1
            await tell("stays", "PageExited")
            clock[0] = BEGUN + 3 * DAY
            await settled(host, path, clock[0], version)
            assert stored("stays") is None, "it rests as if it had not waited"

    run(test())


@given(raw=st.binary(max_size=400).map(lambda raw: b"{" + raw), place=st.integers(0, 800))
def test_what_is_pressed_is_the_same_again_and_never_less(raw: bytes, place: int) -> None:
    small = pressed(raw)
    assert unpressed(small) == raw == unpressed(raw) == unpressed(zlib.compress(raw))
    with pytest.raises(zlib.error):
        unpressed(small[: 1 + place % (len(small) - 1)])
    with pytest.raises(zlib.error):
        unpressed(small + b"x")


class Walkers:
    """Visitors of the sample shop who come, look around, and come back hours or days later."""

    def __init__(self, seed: int, version: str) -> None:
        self._chance = random.Random(seed)
        self._version = version
        self._number = 0
        self._visits: dict[str, int] = {}

    def events(self, days: int, visitors: int) -> list[tuple[str, Input]]:
        """Everything that happens, in order of time."""
        found: list[tuple[int, str, int]] = []
        for n in range(visitors):
            now = BEGUN + self._chance.randrange(DAY)
            while now < BEGUN + days * DAY:
                for _ in range(self._chance.randrange(1, 12)):
                    now += self._chance.choice([500, 4_000, 31_000, 90_000])
                    found.append((now, f"G{n}", 0))
                now += self._chance.choice([HOUR, DAY - 60_000, DAY + 60_000, 3 * DAY, 8 * DAY])
            found.append((BEGUN + (days + 1) * DAY, f"G{n}", 0))
        return [(name, self._input(name, time)) for time, name, _ in sorted(found)]

    def _input(self, visitor: str, time: int) -> Input:
        names = ("PageEntered", "PageExited", "AddToCart", "PaymentFailed", "Search")
        name = self._chance.choices(names, (6, 3, 3, 2, 1))[0]
        if self._chance.random() < 0.05:
            self._visits[visitor] = self._visits.get(visitor, 0) + 1
        url = self._chance.choice(("/products/a", "/checkout/basket", "/help", "/"))
        self._number += 1
        body = {
            "eventName": name,
            "pageID": self._chance.choice("PQ"),
            "url": url,
            "data": {"price": 180, "cartTotal": 180, "code": "declined", "results": 0},
            "agents": {"chat": 2, "callback": 1},
        }
        return Input(
            kind="event",
            visit=f"{visitor}-{self._visits.get(visitor, 0)}",
            time=time,
            version=self._version,
            id=f"e{self._number}",
            body=body,
        )


async def decisions(host: Host, visitor: str) -> list[Any]:
    """What was decided for a visitor, whichever input it stands beside."""
    entries = await host.history(visitor=visitor, limit=100_000)
    return [one for entry in entries for one in entry.decisions]


def test_a_host_that_lets_rest_decides_as_one_that_does_not(tmp_path: Path) -> None:
    compiled = compile_book(read_folder(SAMPLE))
    assert compiled.book is not None
    library = Library(plan(compiled.book))
    core = EngagementCore(library, lambda: {"chat": 2, "callback": 1})
    walk = Walkers(7, library.live.version).events(days=12, visitors=40)
    path, clock = tmp_path / "store.db", [BEGUN]

    async def test() -> None:
        keep = Retention(age=400 * DAY)
        resting = SqliteHost(
            path, hot=5, keep=keep, clock=Clock(lambda: clock[0] * 1_000_000, lambda: 0)
        )
        waking = MemoryHost()
        async with running(resting, core) as told, running(waking, core) as expected:
            for visitor, one in walk:
                clock[0] = one.time
                await settled(resting, path, clock[0], library.live.version)
                new = await resting.submit(visitor, [one])
                assert new == await waking.submit(visitor, [one])
            rested = 0
            for visitor in sorted({visitor for visitor, _ in walk}):
                assert await decisions(resting, visitor) == await decisions(waking, visitor)
                entries = await resting.history(visitor=visitor, limit=100_000)
                rested += sum(entry.input.kind == "rested" for entry in entries)
                events = [e.input.id for e in entries if e.input.kind == "event"]
                assert events == [one.id for name, one in walk if name == visitor]
            await told.wait_for(len(expected.messages))
            assert len(told.messages) == len(expected.messages) > 10

    run(test())


async def settled(host: Host, path: Path, now: int, version: str) -> None:
    """Wait until all that was due at ``now`` is done; events of a bystander move the writer."""
    body = {"eventName": "Nothing", "pageID": "P", "data": {}, "agents": {}}
    with sqlite3.connect(path) as reader:
        while True:
            (due,) = reader.execute(
                "SELECT count(*) FROM visitors WHERE wake_at <= ? OR rest_at <= ?", (now, now)
            ).fetchone()
            if not due:
                break
            one = Input(kind="event", visit="B", time=now, version=version, id=None, body=body)
            await host.submit("bystander", [one])
    reader.close()
