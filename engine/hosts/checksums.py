"""Checksums of what is stored, written with it: a byte that changed later is found.

Each row that holds something of a visitor has one, over all its other columns. They find harm
done by disks and copies, not by people: whoever can write the file can write a checksum as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from engine.hosts.encoding import encode


def of_values(*values: Any, begun: int = 0) -> int:
    """The checksum of numbers and short texts, after that of what stands before them."""
    return crc32(encode(values), begun)


def of_document(document: bytes | None) -> int:
    """The checksum of a document, with which that of its row begins."""
    return crc32(document if type(document) is bytes else _raw(document)) if document else 0


def of_entry(row: Sequence[Any]) -> int:
    """The checksum of an entry of the journal: its columns in order, body and decisions last."""
    body, decisions = row[-2:]
    return of_parts(_raw(body), _raw(decisions), encode(tuple(row[:-2])))


def of_parts(body: bytes, decisions: bytes, others: bytes) -> int:
    """The checksum of an entry whose texts are bytes, and its other columns written as JSON."""
    return crc32(b"".join((body, decisions, others)))


def of_visitor(
    document: int, number: int, visitor: str, times: tuple[int | None, int | None], *entry: int
) -> int:
    """The checksum of a visitor's row; ``document`` is that of the document.

    ``times`` are the wake-ups, ``entry`` the youngest one and its segment.
    """
    return crc32(encode((number, visitor, *times, *entry)), document)


def of_snapshot(segment: int, number: int, document: bytes) -> int:
    """The checksum of an earlier document."""
    return of_values(segment, number, begun=of_document(document))


def _raw(stored: Any) -> bytes:
    if isinstance(stored, bytes):
        return stored
    try:
        raw: bytes = stored.encode()
    except (AttributeError, UnicodeError):
        # What was harmed may be of any type, and no UTF-8 any more.
        if isinstance(stored, str):
            return stored.encode("utf-8", "surrogateescape")
        return encode(stored)
    return raw
