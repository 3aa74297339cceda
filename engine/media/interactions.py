"""Interactions and their transcripts, durable in one SQLite file.

Every change is one transaction that is on disk when the call returns. One worker thread owns
the connection, so the event loop never waits for the disk and changes have one order. What the
visit must hear of (started, ended) is written in the same transaction and claimed from there.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from engine.media.schema import opened, seal
from engine.vocabulary.events import INTERACTION_ENDED, INTERACTION_STARTED

State = Literal["waiting", "active", "ended"]
Party = Literal["visitor", "agent", "system"]
LineType = Literal["Message.Text", "Notice.Joined", "Notice.Left"]

LINES_AT_MOST: Final = 1_000
"""Messages in one transcript; notices still fit after that."""

OPEN_PER_VISIT: Final = 5
OPEN_AT_MOST: Final = 5_000
OPEN_WITHOUT_VISIT: Final = 500
"""Chats that name no visit are not held to one visitor, so they get a tenth of the places."""
LINES_AT_ONCE: Final = 200
REPORT_ATTEMPTS: Final = 10

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a transcript; positions count from 1 without gaps. ``time`` in ms."""

    position: int
    type: LineType
    nickname: str
    text: str
    time: int
    party: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One conversation. ``id`` is for agents and events; the visitor's key is never part of it.

    ``attached`` is what the documents call attached data, ``customer`` what the visitor's widget
    said of the person, ``invitation`` what is known of the invitation (empty when reactive),
    ``outcome`` how it ended, where its medium knows (a callback: done, failed, cancelled),
    ``lines`` how long its transcript is. ``nickname`` is the name that the widget gave, and
    ``known_as`` what the visit said, where it gave none: for agents alone, for a visitID proves
    nobody, and whoever has one must not learn the name behind it.
    """

    id: str
    medium: str
    state: State
    created: int
    ended: int | None
    visit: str | None
    page: str | None
    agent: str | None
    nickname: str
    joined: bool
    last_message: str | None
    attached: Mapping[str, Any]
    customer: Mapping[str, str]
    invitation: Mapping[str, Any]
    outcome: str | None
    lines: int
    known_as: str | None

    @property
    def name(self) -> str:
        """What agents call the visitor."""
        return self.known_as or self.nickname

    @property
    def proactive(self) -> bool:
        """The presence of ``webengagement``, even empty, is the sign of an invitation."""
        return "webengagement" in self.attached

    @property
    def called(self) -> str:
        """What it is in a sentence for people."""
        return "callback" if self.medium.endswith("callback") else "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known when a conversation starts."""

    medium: str
    visit: str | None
    page: str | None
    nickname: str
    known_as: str | None = None
    attached: Mapping[str, Any]
    customer: Mapping[str, str]
    invitation: Mapping[str, Any]
    address: str = ""  # of who asks; never stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An event of a conversation that its visit has not heard of yet."""

    id: int
    visit: str
    page: str | None
    event: str
    data: Mapping[str, Any]
    attempts: int


class Unknown(Exception):
    """There is no such interaction."""


class Refused(Exception):
    """The interaction can not do this now: ``code`` is one word, the text one sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Unavailable(Exception):
    """The store can not write or read now (full disk, locked file). Nothing was changed."""


def wall_clock() -> int:
    """The wall clock in whole milliseconds."""
    return time.time_ns() // 1_000_000


class InteractionStore:
    """The durable store. Every coroutine raises Unavailable when the disk does not serve.

    ``resumed`` is what was still open when the file was opened.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        clock: Callable[[], int] = wall_clock,
        per_visit: int = OPEN_PER_VISIT,
    ) -> None:
        """Open or create the file; the folder must exist. Raises OSError with one sentence.

        A visit has ``per_visit`` open interactions at most.
        """
        self.clock = clock
        self._per_visit = per_visit
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="interactions")
        try:
            self._db = self._worker.submit(opened, Path(path)).result()
            self.resumed = self._worker.submit(_all_open, self._db).result()
        except sqlite3.Error as error:
            self._worker.shutdown()
            raise OSError(f"The interactions in {path} can not be opened: {error}.") from error
        except OSError:
            self._worker.shutdown()
            raise

    async def create(
        self,
        draft: Draft,
        also: Callable[[sqlite3.Connection, str], None] | None = None,
        key: str | None = None,
    ) -> tuple[Interaction, str]:
        """Store a new waiting interaction; with it comes the visitor's secret key (160 bits).

        The key is new, or the one that somebody else gave: what is there with it already is
        given back, and nothing is stored. ``also`` writes what a medium keeps of its own, in the
        same transaction. Raises what it raises, and Refused (``too-many``) when the visit, or the
        server, has too many open ones.
        """
        key = key or new_key()
        identity, now = secrets.token_hex(10), self.clock()

        def work(db: sqlite3.Connection) -> Interaction:
            known = _select(db, "key = ? AND medium = ?", digest(key), draft.medium)
            if known:
                return known[0]
            _check_room(db, draft.visit, self._per_visit)
            db.execute(
                "INSERT INTO interactions (id, key, medium, state, created, visit, page, nickname,"
                " attached, customer, invitation) VALUES (?, ?, ?, 'waiting', ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(identity, digest(key), draft.medium, now, draft.visit, draft.page),
                    draft.nickname,
                    *map(_text, (draft.attached, draft.customer, draft.invitation)),
                ),
            )
            if draft.known_as is not None:
                said = (identity, draft.known_as)
                db.execute("INSERT INTO names (interaction, name) VALUES (?, ?)", said)
            if also is not None:
                also(db, identity)
            interaction = _one(db, identity)
            _report(db, interaction, INTERACTION_STARTED, now)
            return interaction

        return await self.write(work), key

    async def of_visitor(self, key: str) -> Interaction:
        """The interaction that a visitor's key opens. Raises Unknown."""
        return await self.read(lambda db: _select_one(db, "key = ?", digest(key)))

    async def get(self, interaction: str) -> Interaction:
        """The interaction with this id. Raises Unknown."""
        return await self.read(lambda db: _one(db, interaction))

    async def recent(self, limit: int = 200) -> list[Interaction]:
        """All open interactions and the youngest ended ones, newest first."""

        def work(db: sqlite3.Connection) -> list[Interaction]:
            return _select(
                db,
                "state IN ('waiting', 'active') OR id IN (SELECT id FROM interactions"
                " WHERE state = 'ended' ORDER BY created DESC LIMIT ?)"
                " ORDER BY created DESC, rowid DESC",
                limit,
            )

        return await self.read(work)

    async def of_visits(self, visits: Collection[str], limit: int = 50) -> list[Interaction]:
        """The youngest interactions of some visits, newest first."""
        marks = json.dumps(list(visits))
        condition = (
            "visit IN (SELECT value FROM json_each(?)) ORDER BY created DESC, rowid DESC LIMIT ?"
        )
        return await self.read(lambda db: _select(db, condition, marks, limit))

    async def queue_of(self, interaction: Interaction) -> tuple[int, int]:
        """Its place among those that wait for the same medium (0: it does not), and how many do."""

        def work(db: sqlite3.Connection) -> tuple[int, int]:
            rows = db.execute(
                "SELECT id FROM interactions WHERE state = 'waiting' AND medium = ?"
                " ORDER BY created, rowid",
                (interaction.medium,),
            ).fetchall()
            ids = [row["id"] for row in rows]
            return (ids.index(interaction.id) + 1 if interaction.id in ids else 0), len(ids)

        return await self.read(work)

    async def transcript(
        self, interaction: str, *, after: int = 0, limit: int = LINES_AT_MOST * 2
    ) -> list[Line]:
        """At most ``limit`` lines with a position greater than ``after``, in order."""

        def work(db: sqlite3.Connection) -> list[Line]:
            rows = db.execute(
                "SELECT position, type, nickname, text, time, party FROM lines"
                " WHERE interaction = ? AND position > ? ORDER BY position LIMIT ?",
                (interaction, after, limit),
            )
            return [Line(**dict(row)) for row in rows]

        return await self.read(work)

    async def join(self, interaction: str) -> Interaction:
        """The visitor's widget is there: noted in the transcript, once."""
        now = self.clock()

        def work(db: sqlite3.Connection) -> Interaction:
            found = _one(db, interaction)
            if found.joined or found.state == "ended":
                return found
            db.execute("UPDATE interactions SET joined = 1 WHERE id = ?", (interaction,))
            _append(db, found, "Notice.Joined", "visitor", found.nickname, "", now)
            return _one(db, interaction)

        return await self.write(work)

    async def say(self, interaction: str, party: Party, nickname: str, text: str) -> Interaction:
        """Add one message. An agent speaks only in an interaction that is active and theirs.

        Raises Unknown, and Refused (``ended``, ``waiting``, ``taken``, ``full``).
        """
        now = self.clock()

        def work(db: sqlite3.Connection) -> Interaction:
            found = _one(db, interaction)
            _check_speaker(found, party, nickname)
            _append(db, found, "Message.Text", party, nickname, text, now)
            return _one(db, interaction)

        return await self.write(work)

    async def accept(self, interaction: str, agent: str, *, take_over: bool) -> Interaction:
        """Give an interaction to an agent; again by the same agent changes nothing.

        ``take_over`` allows to take it from another agent. Raises Unknown, Refused (``ended``,
        ``taken``).
        """
        now = self.clock()

        def work(db: sqlite3.Connection) -> Interaction:
            found = _one(db, interaction)
            if found.state == "ended":
                raise Refused("ended", f"This {found.called} has ended.")
            if found.agent == agent:
                return found
            if found.agent is not None:
                if not take_over:
                    raise Refused("taken", f"{found.agent} has this {found.called}.")
                _append(db, found, "Notice.Left", "agent", found.agent, "", now)
            return _given(db, found, agent, now)

        return await self.write(work)

    async def transfer(self, interaction: str, agent: str, to: str) -> Interaction:
        """An agent gives what they have to another; to themselves changes nothing.

        Raises Unknown, Refused (``ended``, ``waiting``, ``taken``).
        """
        now = self.clock()

        def work(db: sqlite3.Connection) -> Interaction:
            found = _one(db, interaction)
            _check_speaker(found, "agent", agent)
            if agent == to:
                return found
            _append(db, found, "Notice.Left", "agent", agent, "", now)
            return _given(db, found, to, now)

        return await self.write(work)

    async def end(
        self,
        interaction: str,
        party: Party,
        nickname: str,
        outcome: str | None = None,
        also: Callable[[sqlite3.Connection], None] | None = None,
    ) -> Interaction:
        """End an interaction: who left is noted, and the visit will hear of it. Twice is once."""
        now = self.clock()

        def work(db: sqlite3.Connection) -> Interaction:
            found = _one(db, interaction)
            if found.state == "ended":
                return found
            _append(db, found, "Notice.Left", party, nickname, "", now)
            db.execute(
                "UPDATE interactions SET state = 'ended', ended = ?, outcome = ? WHERE id = ?",
                (now, outcome, interaction),
            )
            if also is not None:
                also(db)
            ended = _one(db, interaction)
            _report(db, ended, INTERACTION_ENDED, now)
            return ended

        return await self.write(work)

    async def claim_reports(self) -> list[Report]:
        """Reports that are due, oldest first; each is claimed, and due again later if it stays.

        The pause doubles with every attempt; after the tenth the report is given up.
        """
        now = self.clock()

        def work(db: sqlite3.Connection) -> list[Report]:
            rows = db.execute(
                "SELECT id, visit, page, event, data, attempts FROM reports WHERE due <= ?"
                " ORDER BY id LIMIT 100",
                (now,),
            ).fetchall()
            for row in rows:
                due = now + 1_000 * 2 ** row["attempts"]
                db.execute(
                    "UPDATE reports SET attempts = attempts + 1, due = ? WHERE id = ?",
                    (due, row["id"]),
                )
            db.execute("DELETE FROM reports WHERE attempts >= ?", (REPORT_ATTEMPTS,))
            return [Report(**{**dict(row), "data": json.loads(row["data"])}) for row in rows]

        return await self.write(work)

    async def reported(self, reports: Collection[int]) -> None:
        """These reports arrived: they are not claimed again."""

        def work(db: sqlite3.Connection) -> None:
            db.executemany("DELETE FROM reports WHERE id = ?", [(one,) for one in reports])

        await self.write(work)

    async def close(self) -> None:
        """Finish what was asked for and close the file."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._worker, self._db.close)
        self._worker.shutdown()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` reads, for media with tables of their own. Raises Unavailable."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._worker, work, self._db)
        except sqlite3.Error as error:
            raise Unavailable(f"The store of conversations does not answer: {error}.") from error

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` in one transaction, on disk when this returns. Raises Unavailable."""
        return await self.read(lambda db: _transaction(db, work))


def _transaction(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    db.execute("BEGIN IMMEDIATE")
    try:
        result = work(db)
        seal(db)
        db.execute("COMMIT")
    except BaseException:
        # SQLite rolls a full disk back by itself: a second ROLLBACK would hide the reason.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return result


def new_key() -> str:
    """A secret of a visitor: 160 bits that nobody can guess."""
    return secrets.token_hex(20)


def digest(key: str) -> bytes:
    """Only a digest of the visitor's key is stored: who reads the file can not enter a chat."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False)


def _select(db: sqlite3.Connection, condition: str, *values: object) -> list[Interaction]:
    # ``condition`` is always a constant of this file; values are bound.
    rows = db.execute(
        "SELECT id, medium, state, created, ended, visit, page, agent, nickname, joined,"
        " last_message, attached, customer, invitation, outcome, lines,"
        " (SELECT name FROM names WHERE interaction = interactions.id) AS known_as"
        f" FROM interactions WHERE {condition}",
        values,
    )
    return [_interaction(row) for row in rows]


def _interaction(row: sqlite3.Row) -> Interaction:
    fields = dict(row)
    for name in ("attached", "customer", "invitation"):
        fields[name] = json.loads(fields[name])
    fields["joined"] = bool(fields["joined"])
    return Interaction(**fields)


def _select_one(db: sqlite3.Connection, condition: str, value: object) -> Interaction:
    found = _select(db, condition, value)
    if not found:
        raise Unknown("There is no such chat.")
    return found[0]


def _one(db: sqlite3.Connection, interaction: str) -> Interaction:
    return _select_one(db, "id = ?", interaction)


def _all_open(db: sqlite3.Connection) -> list[Interaction]:
    return _select(db, "state IN ('waiting', 'active')")


def _check_room(db: sqlite3.Connection, visit: str | None, per_visit: int) -> None:
    count = "SELECT count(*) FROM interactions WHERE state IN ('waiting', 'active')"
    if db.execute(count).fetchone()[0] >= OPEN_AT_MOST:
        raise Refused("too-many", "Too many chats are open on this server: try again later.")
    if visit is None:
        if db.execute(f"{count} AND visit IS NULL").fetchone()[0] >= OPEN_WITHOUT_VISIT:
            raise Refused("too-many", "Too many chats without a visit are open: try again later.")
    else:
        here = db.execute(f"{count} AND visit = ?", (visit,)).fetchone()[0]
        if here >= per_visit:
            raise Refused("too-many", "This visit has too many open chats: end one first.")


def _given(db: sqlite3.Connection, found: Interaction, agent: str, now: int) -> Interaction:
    db.execute(
        "UPDATE interactions SET state = 'active', agent = ? WHERE id = ?", (agent, found.id)
    )
    _append(db, found, "Notice.Joined", "agent", agent, "", now)
    return _one(db, found.id)


def _check_speaker(found: Interaction, party: Party, nickname: str) -> None:
    if found.state == "ended":
        raise Refused("ended", f"This {found.called} has ended.")
    if party == "agent" and found.agent is None:
        raise Refused("waiting", f"Accept this {found.called} before you answer.")
    if party == "agent" and found.agent != nickname:
        raise Refused("taken", f"{found.agent} has this {found.called}.")


def _append(
    db: sqlite3.Connection,
    found: Interaction,
    line_type: LineType,
    party: Party,
    nickname: str,
    text: str,
    now: int,
) -> None:
    count = "SELECT lines FROM interactions WHERE id = ?"
    lines = db.execute(count, (found.id,)).fetchone()[0]
    message = line_type == "Message.Text"
    if message and lines >= LINES_AT_MOST:
        raise Refused("full", f"This chat has {LINES_AT_MOST} lines: end it and start a new one.")
    db.execute(
        "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        (found.id, lines + 1, line_type, nickname, text, now, party),
    )
    db.execute(
        "UPDATE interactions SET lines = ?, last_message = coalesce(?, last_message) WHERE id = ?",
        (lines + 1, text[:200] if message else None, found.id),
    )


def _report(db: sqlite3.Connection, found: Interaction, event: str, now: int) -> None:
    if found.visit is None:
        return
    data = {**found.invitation, "medium": found.medium, "interaction": found.id}
    if found.outcome is not None:
        data["outcome"] = found.outcome
    db.execute(
        "INSERT INTO reports (visit, page, event, data, due) VALUES (?, ?, ?, ?, ?)",
        (found.visit, found.page, event, _text(data), now),
    )
