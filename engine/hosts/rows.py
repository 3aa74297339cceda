"""Rows of the journal: what was accepted, what was decided because of it, and a checksum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.hosts import checksums, optional
from engine.hosts.contract import Entry, Input
from engine.hosts.encoding import decode, encode, encode_plain

COLUMNS: Final = "before, visitor, visit, kind, time, version, epoch, id, body, decisions"
"""The columns of a row between its offset and its checksum."""
_VALUES: Final = ("offset", *COLUMNS.split(", "), "checksum")
WIDTH: Final = len(_VALUES)
"""The values of a row."""
TIME: Final = _VALUES.index("time")
BODY: Final = _VALUES.index("body")
"""Places of values in a row; after the body come the decisions."""
Row = tuple[Any, ...]
Decisions = tuple[Sequence[Mapping[str, Any]] | None, ...]
"""For each input of a submit what was decided; None for a duplicate, which has no row."""


def journal_row(
    offset: int,
    before: int,
    visitor: str,
    one: Input,
    body: str,
    decided: Sequence[Mapping[str, Any]],
) -> Row:
    """Make the row of an input. Raises ValueError or TypeError when it can not be stored."""
    others = (
        offset, before, visitor, one.visit, one.kind, one.time, one.version, one.epoch, one.id,
    )  # fmt: skip
    # Half a surrogate pair must fail its own submit, not the whole transaction.
    plain = encode_plain(others)
    decisions = encode(list(map(dict, decided))) if decided else b"[]"
    checksum = checksums.of_parts(body.encode(), decisions, plain)
    return *others, body, decisions.decode(), checksum


def rows_in(
    offset: int,
    before: int,
    visitor: str,
    inputs: list[Input],
    texts: list[str],
    decisions: Decisions,
) -> list[Any]:
    """The rows of a submit, from ``offset`` on; ``before`` is the visitor's youngest until then.

    ``texts`` are the bodies as they are stored. Gives the values of one row after those of the
    other, as a statement over many rows takes them. Raises what ``journal_row`` raises.
    """
    values: list[Any] = []
    for one, text, decided in zip(inputs, texts, decisions, strict=True):
        if decided is not None:
            values += journal_row(offset, before, visitor, one, text, decided)
            before, offset = offset, offset + 1
    return values


rows_of: Final[Callable[[int, int, str, list[Input], list[str], Decisions], list[Any]]] = (
    optional.native.rows_of if optional.IS_NATIVE else rows_in
)
"""What ``rows_in`` gives."""


def entry_of(row: Sequence[Any]) -> Entry:
    """Read a row: its offset, then ``COLUMNS``."""
    offset, _, visitor, visit, kind, time, version, epoch, name, body, decisions = row
    return Entry(
        offset=offset,
        visitor=visitor,
        input=Input(
            kind=kind,
            visit=visit,
            time=time,
            version=version,
            id=name,
            body=decode(body),
            epoch=epoch,
        ),
        decisions=tuple(decode(decisions)),
    )
