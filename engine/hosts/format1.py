"""Documents of format 1, as they were before there was a number: brought to the format of today.

Then a pattern remembered a chain (time of its first event, last event, names) or null for each
position, ids were marks of twelve signs, and a visit did not count its messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from engine.hosts.contract import Document
from engine.runtime.plan import Plan

_MARK_1: Final = 12
_MARK: Final = 8


def upgraded(stored: Document, plan: Plan) -> Document:
    """The values of a document of format 1 as those of format 2. ``plan`` knows its patterns."""
    document = {name: value for name, value in stored.items() if name != "schema"}
    seen = document["seen"]
    document["seen"] = "".join(
        seen[place : place + _MARK] for place in range(0, len(seen), _MARK_1)
    )
    visitor = document["visitor"]
    for name, visit in visitor["visits"].items():
        sent = Counter(one["strategy"] for one in visitor["sends"] if one["visit"] == name)
        visit["sent"] = dict(sent)
    for memory in _memories(visitor):
        for key in memory.keys() & plan.automata.keys():
            memory[key] = _kept(memory[key], plan.automata[key].automaton.remembers)
    return document


def _memories(visitor: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield visitor["memory"]
    for visit in visitor["visits"].values():
        yield visit["memory"]
        yield from (page[-1] for page in visit["pages"])


def _kept(chains: list[Any], remembers: str) -> list[Any]:
    firsts = [chain and chain[0] for chain in chains[:-1]]
    match remembers:
        case "times":
            # The youngest stood first: each event moved the chains one position on.
            return [first for first in reversed(firsts) if first is not None]
        case "lean":
            return firsts
        case _:
            return chains
