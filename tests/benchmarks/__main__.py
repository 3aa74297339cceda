"""Prints the figures that the documents name: ``python -m tests.benchmarks [--json]``.

``python -m tests.benchmarks peers`` measures the engine beside other rule engines.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from tests.benchmarks import compiling, deciding, hosts, million, reloading, serving, throughput
from tests.benchmarks.peers import command

FIGURES: dict[str, Callable[[], dict[str, float]]] = {
    "compile, cold": compiling.cold,
    "compile, cold, 10,000 rules": lambda: compiling.cold(10_000),
    "compile, 10,000 rules from the cache": compiling.kept,
    "compile, one file of 100 changed": compiling.one_edit,
    "compile, one file of 1,000 changed": lambda: compiling.one_edit(10_000),
    "compile, memory": compiling.memory,
    "language, from nothing to the first parse": compiling.start,
    "sample book, in process": deciding.steps_per_second,
    "replay, end to end (eshop, sample book)": deciding.replay_speed,
    "replay, end to end (eshop, counting book)": lambda: deciding.replay_speed(
        book="tests/books/counts.strategy"
    ),
    "server, 10,000 open visits": serving.memory_of_visits,
    "server, 100 events/s": serving.time_to_the_page,
    "server, edit to live": serving.time_to_live,
    "server beside a bare endpoint, one core": throughput.beside_bare,
    "server beside a bare endpoint, one core, batches of 10": lambda: throughput.beside_bare(10),
    "submits, 1 client": lambda: hosts.submits(1),
    "submits, 16 clients": lambda: hosts.submits(16),
    "submits, 64 clients": lambda: hosts.submits(64),
    "submits, 256 clients": lambda: hosts.submits(256),
    "submits, 64 clients, journal trimmed": lambda: hosts.submits(64, trimming=True),
    "store of 1,000,000 visitors at rest": million.at_rest,
    "store of 1,000,000 visitors who just left": million.fresh,
    "store of 1,000,000 visitors who are silent": million.silent,
    "server, 1,000 events/s while 1,000 rules are edited": reloading.reload_under_traffic,
}


def main() -> int:
    """Measure everything, print a line each (or one object)."""
    if sys.argv[1:2] == ["peers"]:
        return command.main(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object")
    wanted = parser.parse_args()
    found = {}
    for name, measure in FIGURES.items():
        if "eshop" in name and not deciding.DATA.is_dir():
            print(f"{name}: skipped, the recorded visits are missing", file=sys.stderr)
            continue
        found[name] = measure()
        if not wanted.json:
            print(
                f"{name}:", ", ".join(f"{k} {v:,.2f}" for k, v in found[name].items()), flush=True
            )
    if wanted.json:
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
