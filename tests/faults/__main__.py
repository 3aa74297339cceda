"""Runs the campaign: ``python -m tests.faults --runs 1000 --seed 7 --jobs 2``.

One line for each run that failed, with what repeats it; progress and a summary.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.campaign import summary, together
from faults.strikes import FAULTS


def main() -> int:
    """Run the campaign; exit code 1 when a run failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fault", choices=[fault.name for fault in FAULTS], help="no other fault")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the runs to repeat")
    parser.add_argument("--keep", type=Path, help="a folder for the data of runs that failed")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    begun = time.monotonic()
    results = []
    kind = f' --fault "{given.fault}"' if given.fault else ""
    numbers = given.only or list(range(given.runs))
    for result in together(given.seed, numbers, given.jobs, given.fault, given.keep):
        results.append(result)
        if result.problem:
            print(f"FAILED {result.fault}: {result.problem}")
            print(
                f"  again: python -m tests.faults --seed {given.seed} --only {result.number}{kind}"
            )
        if result.problem or len(results) % 10 == 0:
            spent = time.monotonic() - begun
            print(f"{len(results)} of {len(numbers)} runs, {spent:.0f} s", flush=True)
    print(summary(results))
    return 1 if any(result.problem for result in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
