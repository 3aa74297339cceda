"""Marks: by them the ids of inputs are known again, in eight signs each.

A mark is 48 bits of a digest of visit and id, in base 64. Those of a visitor's last inputs stand in
one text, all of the same length, instead of a list: a tenth of the memory. That two ids look the
same is as likely as 48 bits say, 256 times for each id.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

from engine.hosts import optional
from engine.hosts.contract import Input

SEEN: Final = 256
"""How many ids of inputs are remembered, to recognise duplicates."""
MARK: Final = 8
"""The signs of one mark."""

_DIGEST: Final = blake2b(digest_size=8)
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def mark_of(visit: str, name: str) -> str:
    """The mark of an id."""
    digest = _DIGEST.copy()
    # The length keeps visit and id apart; ids of browsers may have no proper UTF-8 form.
    digest.update(f"{len(visit)}:{visit}{name}".encode("utf-8", "surrogatepass"))
    raw = b2a_base64(digest.digest()[:6], newline=False)
    return raw.translate(_URL_SAFE).decode("ascii")


def noted(seen: str, marks: str) -> str:
    """What is remembered with more marks: the last ones of all."""
    return (seen + marks)[-SEEN * MARK :]


def knows(seen: str, mark: str) -> bool:
    """Is the mark one of these?"""
    place = seen.find(mark)
    while place > 0 and place % MARK:
        place = seen.find(mark, place + 1)
    return place >= 0


def run_in(inputs: list[Input], start: int, seen: str) -> tuple[list[Mapping[str, Any]], str]:
    """The events from ``start`` on that go together: their bodies, and their marks in one text.

    They are of the visit, time, version and epoch of the first, and have ids that are new.
    Nothing when the first is no such event.
    """
    bodies: list[Mapping[str, Any]] = []
    marks = ""
    first = inputs[start]
    for one in inputs[start:]:
        if one.kind != "event" or one.id is None or not _are_alike(one, first):
            break
        mark = mark_of(one.visit, one.id)
        if knows(noted(seen, marks), mark):
            break
        bodies.append(one.body)
        marks += mark
    return bodies, marks


def _are_alike(one: Input, other: Input) -> bool:
    return (
        one.visit == other.visit
        and one.time == other.time
        and one.version == other.version
        and one.epoch == other.epoch
    )


run_of: Final[Callable[[list[Input], int, str], tuple[list[Mapping[str, Any]], str]]] = (
    optional.native.run_of if optional.IS_NATIVE else run_in
)
"""What ``run_in`` gives."""
