"""Some random faults in each run of the tests; ``python -m tests.faults`` runs many."""

from __future__ import annotations

import os
import random

from faults.campaign import summary, together

RUNS = 30


def test_nothing_is_lost_nothing_happens_twice_and_all_can_be_replayed() -> None:
    seed = int(os.environ.get("FAULTS_SEED") or random.randrange(1_000_000))
    print(f"FAULTS_SEED={seed}")
    results = list(together(seed, range(RUNS), jobs=2))
    print(summary(results))
    problems = [
        f"run {one.number}, {one.fault}: {one.problem}\n"
        f"  again: python -m tests.faults --seed {seed} --only {one.number}"
        for one in results
        if one.problem
    ]
    assert not problems, "\n".join([f"FAULTS_SEED={seed}", *problems])
    assert len(results) == RUNS, f"FAULTS_SEED={seed}"
    silent = [one.number for one in results if not one.events]
    assert not silent, f"FAULTS_SEED={seed}: runs without events tell nothing"
