"""The campaign: one run is some visits, one fault drawn by chance, and the check of everything.

Runs that follow each other share a server and its data, for that is what real servers do; each
draws all that it does from a seed of its own, so that it can be repeated alone.
"""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from faults.checker import Past, check, expected_ids, expected_late, reading, replayed
from faults.shopper import Shopper
from faults.site import Site
from faults.strikes import Fault, chosen

SHOPPERS: Final = 4
LONGEST: Final = 15
"""Runs on one site at most."""
SETTLED: Final = 60.0
"""Seconds after which what should have happened has not."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one run."""

    number: int
    fault: str
    events: int
    resent: int
    refused: int
    seconds: float
    problem: str | None = None


def together(
    seed: int,
    numbers: Sequence[int],
    jobs: int,
    only: str | None = None,
    keep: Path | None = None,
) -> Iterator[Result]:
    """Run all of them, some at the same time, and give results as they come."""
    length = max(1, min(LONGEST, -(-len(numbers) // jobs)))
    parts = [numbers[start : start + length] for start in range(0, len(numbers), length)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures: list[Future[list[Result]]] = [
            pool.submit(_sailed, seed, part, only, keep) for part in parts
        ]
        for future in as_completed(futures):
            yield from future.result()


def _sailed(seed: int, numbers: Sequence[int], only: str | None, keep: Path | None) -> list[Result]:
    return list(voyage(seed, numbers, only, keep))


def summary(results: Sequence[Result]) -> str:
    """What was done and found, a line for each fault."""
    runs = Counter(result.fault for result in results)
    failed = Counter(result.fault for result in results if result.problem)
    lines = [f"{name:20} {count:5} runs {failed[name]:4} failed" for name, count in runs.items()]
    lines.append(
        f"{len(results)} runs, {failed.total()} failed; {sum(r.events for r in results):,} events "
        f"accepted, {sum(r.resent for r in results)} stored but not answered, "
        f"{sum(r.refused for r in results)} batches refused and sent again"
    )
    return "\n".join(sorted(lines[:-1]) + lines[-1:])


def voyage(
    seed: int, numbers: Sequence[int], only: str | None = None, keep: Path | None = None
) -> Iterator[Result]:
    """Run some runs on one site; a new site after a run that failed."""
    remaining = list(numbers)
    while remaining:
        folder = Path(tempfile.mkdtemp(prefix="overture-faults-"))
        failed: Result | None = None
        try:
            for result in _on_one_site(folder, seed, remaining, only):
                failed = result if result.problem else None
                yield result
        finally:
            if failed is not None and keep is not None:
                shutil.copytree(folder, keep / f"run{failed.number}", dirs_exist_ok=True)
            shutil.rmtree(folder)


def _on_one_site(
    folder: Path, seed: int, remaining: list[int], only: str | None
) -> Iterator[Result]:
    """Run until one fails; that the server starts at first and stops at last is a run, too."""
    site = None
    number = remaining[0]
    try:
        site = Site(folder)
        while remaining:
            number = remaining.pop(0)
            result = _result(site, seed, number, only)
            yield result
            if result.problem:
                return
        assert site.ended(signal.SIGTERM) == 0, "\n".join(site.said()[-20:])
    except Exception as error:
        if number in remaining:
            remaining.remove(number)
        problem = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
        yield Result(number, "start or stop", 0, 0, 0, 0.0, problem)
    finally:
        if site is not None and site.is_alive():
            site.ended()


def _result(site: Site, seed: int, number: int, only: str | None) -> Result:
    chance = random.Random(f"{seed}:{number}")
    begun = time.monotonic()
    shoppers: list[Shopper] = []
    fault = chosen(chance, shim=site.shim.works, only=only)
    problem = None
    try:
        _run(site, chance, fault, shoppers)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
        problem += "".join(site.said()[-20:])
    finally:
        site.up.set()
        for shopper in shoppers:
            shopper.leave()
    return Result(
        number,
        fault.name,
        sum(len(shopper.accepted) for shopper in shoppers),
        sum(shopper.resent for shopper in shoppers),
        sum(shopper.refused for shopper in shoppers),
        time.monotonic() - begun,
        problem,
    )


def _run(site: Site, chance: random.Random, fault: Fault, shoppers: list[Shopper]) -> None:
    saving = threading.Event()
    author = threading.Thread(
        target=site.editor.edit_until, args=(saving, random.Random(chance.random()))
    )
    author.start()
    try:
        for _ in range(SHOPPERS):
            shoppers.append(Shopper(site, random.Random(chance.random())))
        time.sleep(chance.uniform(0.05, 0.4))
        fault.strike(site, chance)
        site.is_well()
        time.sleep(chance.uniform(0.05, 0.2))
        for shopper in shoppers:
            shopper.finish()
    finally:
        saving.set()
        author.join()
    for shopper in shoppers:
        assert not shopper.problems, shopper.problems
        _check_when_settled(site, shopper)
    assert not site.logged_faults(), site.logged_faults()
    _check_with_the_doctor(site)


def _check_with_the_doctor(site: Site) -> None:
    """The store is whole by what `overture doctor` says, beside the server that goes on."""
    code, said = site.examined()
    assert code == 0, f"the doctor gave {code}: {said}"
    assert said["visitors"] >= SHOPPERS, said
    assert said["entries"] > 0, said


def _check_when_settled(site: Site, shopper: Shopper) -> None:
    """Wait until all that must happen has happened, a little longer, and look at everything."""
    deadline = time.monotonic() + SETTLED
    with reading(site.store) as store:
        while True:
            past = replayed(store, shopper.visitor, site.editor.plans)
            if _is_settled(past, shopper) or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        check(past, shopper, site.editor)
        _check_a_page_that_comes_late(past, shopper)


def _is_settled(past: Past, shopper: Shopper) -> bool:
    decided = {name for _, one in past.decided() for name in one["sends"]}
    if not expected_ids(past, shopper.visit) <= decided:
        return False
    mine = {n for m in past.messages.values() if m.page == shopper.main for n in m.ids}
    return mine <= shopper.received() | past.expired()


def _check_a_page_that_comes_late(past: Past, shopper: Shopper) -> None:
    """A page that connects for the first time gets what waits for it, once."""
    late = expected_late(past).keys() & set(shopper.pages)
    if not late:
        return
    page = min(late)
    wanted = [
        message.ids
        for message in past.messages.values()
        if message.page == page and not set(message.ids) & past.expired()
    ]
    got = [frame.ids for frame in shopper.waiting_for(page, len(wanted))]
    assert got in (wanted, []), f"{got} instead of {wanted}"
    assert got or not wanted, f"{wanted} never came"
