"""Callbacks: now or at a slot, and what becomes of them, whatever protocol asks for them.

A callback is an interaction of the medium ``callback`` with a row of its own: the number, the slot
and the agent's note. Its states are those of its interaction in other words::

    waiting -> taken -> done | failed          waiting | taken -> cancelled
       ^_________|  reschedule
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from engine.media.conversations import CALLBACK, Conversations, Wish
from engine.media.interactions import Interaction, Refused, Unknown
from engine.media.opening import Opening

State = Literal["waiting", "taken", "done", "failed", "cancelled"]
Outcome = Literal["done", "failed", "cancelled"]

LISTED: Final = 200
"""Callbacks that are over and still shown on the desk's list."""

_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ()./-]{3,28}")
_UNKNOWN: Final = "There is no such callback."
_FIELDS: Final = "SELECT interaction, phone, slot, note FROM callbacks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One wish to be called. ``slot`` is when its slot begins (ms), None for at once."""

    interaction: Interaction
    phone: str
    slot: int | None
    note: str

    @property
    def state(self) -> State:
        """Where it stands, in words of a callback."""
        found = self.interaction
        match found.state:
            case "waiting":
                return "waiting"
            case "active":
                return "taken"
        over: dict[str | None, State] = {one: one for one in ("done", "failed", "cancelled")}
        return over[found.outcome]


class Callbacks:
    """All callbacks of this server. Raises what the store raises: Unknown, Refused, Unavailable."""

    def __init__(self, conversations: Conversations, opening: Callable[[], Opening]) -> None:
        self.conversations = conversations
        self._opening = opening
        self._store = conversations.store

    @property
    def opening(self) -> Opening:
        """When visitors are called back, as things are now."""
        return self._opening()

    def is_open(self) -> bool:
        """Whether somebody calls at once."""
        return self.opening.is_open(self._store.clock())

    async def slots(self) -> dict[int, int]:
        """Free places of every slot ahead, by when it begins (ms); 0 where all are taken."""
        now = self._store.clock()
        taken = await self._store.read(lambda db: _taken(db, now))
        capacity = self.opening.capacity
        return {start: max(0, capacity - taken.get(start, 0)) for start in self.opening.slots(now)}

    async def book(self, wish: Wish, phone: str, slot: int | None) -> tuple[Callback, str]:
        """A waiting callback and the visitor's key. A slot never takes more than its capacity.

        Raises Refused (``phone``, ``closed``, ``slot``, ``slot-full``, ``already``).
        """
        number = _number(phone)
        self._check_time(slot)

        def also(db: sqlite3.Connection, interaction: str) -> None:
            self._check_free(db, slot)
            _check_new(db, wish.visit, number)
            db.execute(
                "INSERT INTO callbacks (interaction, phone, slot) VALUES (?, ?, ?)",
                (interaction, number, slot),
            )

        found, key = await self.conversations.start(wish, also)
        return await self._with_row(found), key

    async def of_visitor(self, key: str) -> Callback:
        """The callback that a visitor's key opens."""
        return await self._known(self.conversations.visitor(key))

    async def get(self, identity: str) -> Callback:
        """The callback of an interaction's id."""
        return await self._known(self._store.get(identity))

    async def listed(self) -> list[Callback]:
        """Those that are open, by when they are due, then the youngest that are over."""
        found = {one.id: one for one in await self._store.recent(LISTED) if one.medium == CALLBACK}
        rows = await self._store.read(lambda db: _rows(db, found))
        every = [_callback(one, rows[one.id]) for one in found.values() if one.id in rows]
        waiting = [one for one in every if one.interaction.state != "ended"]
        over = [one for one in every if one.interaction.state == "ended"]
        return sorted(waiting, key=lambda one: one.slot or one.interaction.created) + over

    async def reschedule(self, found: Callback, slot: int | None, agent: str | None) -> Callback:
        """Another time; one that an agent has taken waits again, which only that agent may do.

        Raises Refused (``over``, ``taken``, ``closed``, ``slot``, ``slot-full``).
        """
        self._check_time(slot)
        identity = found.interaction.id

        def work(db: sqlite3.Connection) -> None:
            state, holder = db.execute(
                "SELECT state, agent FROM interactions WHERE id = ?", (identity,)
            ).fetchone()
            _check_movable(state, holder, agent)
            if slot != found.slot:
                self._check_free(db, slot)
            db.execute("UPDATE callbacks SET slot = ? WHERE interaction = ?", (slot, identity))
            again = "UPDATE interactions SET state = 'waiting', agent = NULL WHERE id = ?"
            db.execute(again, (identity,))

        await self._store.write(work)
        self.conversations.agents.release(identity)
        return await self.get(identity)

    async def cancel(self, found: Callback) -> Callback:
        """The visitor does not want it any more; what is over stays as it was."""
        await self.conversations.end_by_visitor(found.interaction, "cancelled")
        return await self.get(found.interaction.id)

    async def take(self, identity: str, agent: str) -> Callback:
        """An agent takes it and calls. Raises Refused (``ended``, ``taken``, ``no-place``)."""
        await self.get(identity)
        await self.conversations.accept(identity, agent)
        return await self.get(identity)

    async def finish(self, identity: str, agent: str, outcome: Outcome, note: str) -> Callback:
        """What came of it, with the agent's note.

        Raises Refused (``waiting``, ``taken``, ``over``).
        """
        found = (await self.get(identity)).interaction
        if found.state == "ended":
            raise Refused("over", "This callback is over.")
        if found.agent is None and outcome != "cancelled":
            raise Refused("waiting", "Take this callback before you say what came of it.")

        def also(db: sqlite3.Connection) -> None:
            db.execute("UPDATE callbacks SET note = ? WHERE interaction = ?", (note, identity))

        await self.conversations.end_by_agent(identity, agent, outcome, also)
        return await self.get(identity)

    async def _known(self, asked: Awaitable[Interaction]) -> Callback:
        try:
            found = await asked
        except Unknown:
            raise Unknown(_UNKNOWN) from None
        return await self._with_row(found)

    async def _with_row(self, found: Interaction) -> Callback:
        rows = await self._store.read(lambda db: _rows(db, {found.id: found}))
        if found.id not in rows:
            raise Unknown(_UNKNOWN)
        return _callback(found, rows[found.id])

    def _check_time(self, slot: int | None) -> None:
        now = self._store.clock()
        if slot is None and not self.opening.is_open(now):
            raise Refused("closed", "Nobody can call now: choose a time.")
        if slot is not None and slot not in self.opening.slots(now):
            raise Refused("slot", "Nobody calls at this time: choose one that is offered.")

    def _check_free(self, db: sqlite3.Connection, slot: int | None) -> None:
        if slot is not None and _taken(db, slot).get(slot, 0) >= self.opening.capacity:
            raise Refused("slot-full", "This time has just been taken: choose another.")


def moment(text: str) -> int:
    """An ISO 8601 time with its zone as ms. Raises Refused (``time``)."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Refused("time", "A time is written like 2026-05-01T10:00:00.000Z.")
    return int(found.timestamp() * 1000)


def iso(ms: int) -> str:
    """A moment as ISO 8601 in UTC with milliseconds: ``2026-05-01T10:00:00.000Z``."""
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _number(phone: str) -> str:
    number = phone.strip()
    if not _NUMBER.fullmatch(number):
        raise Refused("phone", "This is not a telephone number: write it like +49 30 123456.")
    return number


def _taken(db: sqlite3.Connection, since: int) -> dict[int, int]:
    """How many calls each slot has, from one slot on."""
    rows = db.execute(
        "SELECT slot, count(*) FROM callbacks JOIN interactions ON id = interaction"
        " WHERE slot >= ? AND state != 'ended' GROUP BY slot",
        (since,),
    )
    return dict(rows.fetchall())


def _check_new(db: sqlite3.Connection, visit: str | None, phone: str) -> None:
    open_ones = (
        "SELECT 1 FROM callbacks JOIN interactions ON id = interaction"
        " WHERE state != 'ended' AND visit = ? AND phone = ?"
    )
    if db.execute(open_ones, (visit, phone)).fetchone():
        raise Refused("already", "We have your wish already and will call this number.")


def _check_movable(state: str, holder: str | None, agent: str | None) -> None:
    if state == "ended":
        raise Refused("over", "This callback is over.")
    if holder is not None and holder != agent:
        raise Refused("taken", "We are calling already.")


def _rows(db: sqlite3.Connection, wanted: Mapping[str, Interaction]) -> dict[str, sqlite3.Row]:
    found: dict[str, sqlite3.Row] = {}
    for identity in wanted:
        row = db.execute(f"{_FIELDS} WHERE interaction = ?", (identity,)).fetchone()
        if row is not None:
            found[identity] = row
    return found


def _callback(interaction: Interaction, row: sqlite3.Row) -> Callback:
    return Callback(interaction=interaction, phone=row["phone"], slot=row["slot"], note=row["note"])
