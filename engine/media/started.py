"""The conversations that started in a time, in few words, for reports: read beside a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from engine.hosts.reading import reading

_AT_ONCE: Final = 500
_NEXT: Final = """
SELECT rowid, medium, created, agent IS NOT NULL, attached, invitation FROM interactions
WHERE rowid > ? AND created >= ? AND created < ? ORDER BY rowid LIMIT ?
"""


class Conversation(NamedTuple):
    """One conversation: when it started (ms), whether somebody answered, and why it came about.

    ``proactive`` is the presence of ``webengagement`` in its attached data; ``invitation`` is the
    id of the invitation behind it, when one is known.
    """

    medium: str
    time: int
    answered: bool
    proactive: bool
    invitation: str | None


def started(path: Path, since: int, until: int) -> Iterator[Conversation]:
    """Conversations from ``since`` to before ``until``; none without a file. Raises OSError."""
    if not path.exists():
        return
    with reading(path, at_once=False) as connection:
        last = 0
        while rows := connection.execute(_NEXT, (last, since, until, _AT_ONCE)).fetchall():
            for row, medium, time, answered, attached, invitation in rows:
                last = row
                proactive = "webengagement" in json.loads(attached)
                known = json.loads(invitation).get("id") if proactive else None
                yield Conversation(medium, time, bool(answered), proactive, known)
