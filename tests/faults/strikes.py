"""The faults: each strikes a site under load and leaves it with a machine that works again."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from faults.books import LATE_MS
from faults.shim import BROKEN, CUTS, FULL, POINTS, READ_ONLY
from faults.site import Site

HOUR: Final = 3_600_000
_DOWN: Final = LATE_MS / 1000 + 0.1
"""Seconds after which all timers have fallen due."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One sort of fault: how often it is drawn, and whether it needs the shim."""

    name: str
    weight: int
    needs_shim: bool
    strike: Callable[[Site, random.Random], None]


def _restart(site: Site, chance: random.Random) -> None:
    """Come back, at once or when every timer has fallen due while nothing ran."""
    if chance.random() < 0.4:
        time.sleep(_DOWN)
    site.start()


def _kill(site: Site, chance: random.Random) -> None:
    assert site.ended() == -signal.SIGKILL
    _restart(site, chance)


def _killed_while_starting(site: Site, chance: random.Random) -> None:
    """The process dies in its start, now and then in the first start of all."""
    assert site.ended() == -signal.SIGKILL
    first = chance.random() < 0.5
    data = site.data / f"first{site.starts}" if first else site.data
    point = chance.choice(("before write", "in write", "before sync", "after sync"))
    site.shim.set(cut=chance.randrange(len(CUTS)), chance=chance.randrange(2**31))
    site.shim.set(countdown=chance.randint(1, 20), point=POINTS.index(point))
    site.killed_start(chance.uniform(0.2, 1.2), data)
    site.shim.heal()
    if first:
        site.starts_on(data)
    _restart(site, chance)


def _stop(site: Site, chance: random.Random) -> None:
    assert site.ended(signal.SIGTERM) == 0
    _restart(site, chance)


def _kill_at(site: Site, chance: random.Random, cut: str) -> None:
    """Let the process die at a point of its own work; by hand when it does not come there."""
    point = chance.choice(POINTS[1:])
    site.shim.set(
        countdown=chance.randint(1, 12),
        cut=CUTS.index(cut),
        chance=chance.randrange(2**31),
        linger_us=chance.choice((0, 1_000, 30_000)),
        point=POINTS.index(point),
    )
    deadline = time.monotonic() + 3
    while site.is_alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert site.ended() == -signal.SIGKILL
    site.shim.heal()
    _restart(site, chance)


def _killed_at_a_point(site: Site, chance: random.Random) -> None:
    _kill_at(site, chance, "keep")


def _power_cut(site: Site, chance: random.Random) -> None:
    _kill_at(site, chance, chance.choice(CUTS[1:]))


def _with_disk(site: Site, chance: random.Random, words: tuple[str, ...], **values: int) -> None:
    """Let the disk fail for a while; now and then the server dies meanwhile and can not start."""
    site.shim.set(**values)
    time.sleep(chance.uniform(0.1, 0.8))
    assert site.is_alive(), "a disk that fails must not end the server"
    if chance.random() < 0.25:
        site.ended()
        said = site.refused_start()
        assert any(word in said for word in words), said
        site.shim.heal()
        _restart(site, chance)
    site.shim.heal()


def _full_disk(site: Site, chance: random.Random) -> None:
    if chance.random() < 0.5:
        site.shim.set(room=chance.randrange(300_000))
        time.sleep(chance.uniform(0.1, 0.8))
    _with_disk(site, chance, ("is full",), write_error=FULL)


def _read_only_disk(site: Site, chance: random.Random) -> None:
    _with_disk(site, chance, ("can not be written",), write_error=READ_ONLY)


def _broken_disk(site: Site, chance: random.Random) -> None:
    site.shim.set(**{chance.choice(("write_error", "sync_error")): BROKEN})
    time.sleep(chance.uniform(0.1, 0.8))
    assert site.is_alive(), "a disk that fails must not end the server"
    site.shim.heal()
    if chance.random() < 0.25:
        _kill(site, chance)


def _slow_disk(site: Site, chance: random.Random) -> None:
    site.shim.set(sync_us=chance.randint(20_000, 150_000))
    time.sleep(chance.uniform(0.3, 1.0))
    if chance.random() < 0.5:
        assert site.ended() == -signal.SIGKILL
        site.shim.heal()
        _restart(site, chance)
    site.shim.heal()


def _locked(site: Site, chance: random.Random) -> None:
    """Another program holds the file, mostly shorter than the server is patient."""
    seconds = 5.5 if chance.random() < 0.1 else chance.uniform(0.1, 1.0)
    with contextlib.closing(sqlite3.connect(site.store, isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout = 10000")
        other.execute(f"BEGIN {chance.choice(('IMMEDIATE', 'EXCLUSIVE'))}")
        time.sleep(seconds)
        if chance.random() < 0.2:
            site.ended()
            assert "locked" in site.refused_start()
            other.execute("ROLLBACK")
            site.start()
        else:
            other.execute("ROLLBACK")


def _second_server(site: Site, chance: random.Random) -> None:
    assert "in use by another server: stop that one" in site.refused_start()


def _clock(site: Site, chance: random.Random) -> None:
    """The clock on the wall is set, an hour at most, forward and back; now and then with a kill."""
    for _ in range(chance.randint(1, 3)):
        step = chance.choice((HOUR, -HOUR, chance.randint(-HOUR, HOUR)))
        ahead = max(-HOUR, min(HOUR, site.shim.clock_ms + step))
        site.shim.set(clock_ms=ahead)
        time.sleep(chance.uniform(0.05, 0.5))
        if chance.random() < 0.25:
            _kill(site, chance)


def _calm(site: Site, chance: random.Random) -> None:
    """Nothing but duplicates, late events, odd clocks of browsers and an author who saves."""
    time.sleep(chance.uniform(0.2, 0.8))


FAULTS: Final = (
    Fault("killed", 4, False, _kill),
    Fault("killed at a point", 6, True, _killed_at_a_point),
    Fault("power cut", 4, True, _power_cut),
    Fault("killed while starting", 2, False, _killed_while_starting),
    Fault("stopped", 1, False, _stop),
    Fault("full disk", 2, True, _full_disk),
    Fault("read-only disk", 2, True, _read_only_disk),
    Fault("broken disk", 2, True, _broken_disk),
    Fault("slow disk", 1, True, _slow_disk),
    Fault("locked file", 2, False, _locked),
    Fault("second server", 1, False, _second_server),
    Fault("clock set", 4, True, _clock),
    Fault("calm", 1, False, _calm),
)


def chosen(chance: random.Random, *, shim: bool, only: str | None = None) -> Fault:
    """Draw a fault; without the shim those that need none."""
    possible = [fault for fault in FAULTS if shim or not fault.needs_shim]
    drawn = chance.choices(possible, [fault.weight for fault in possible])[0]
    return next((fault for fault in FAULTS if fault.name == only), drawn)
