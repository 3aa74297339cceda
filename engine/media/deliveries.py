"""What is handed to a receiver elsewhere: durable, signed, retried with growing pauses.

A delivery is on disk before the visitor is answered. It keeps its id over every attempt, so that a
receiver that remembers ids takes it once, whatever breaks between: at least once from here, once
there. The form of headers and signature is that of Standard Webhooks, for which receivers find
libraries in every language.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
import secrets
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from engine.media.interactions import (
    InteractionStore,
    Refused,
    Unavailable,
    Unknown,
    digest,
    new_key,
)

State = Literal["waiting", "handed", "failed", "cancelled"]

PAUSES: Final = (5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200)
"""Seconds after each attempt until the next; when all are spent the delivery has failed."""

PATIENCE: Final = 10.0
"""Seconds in which a receiver must answer."""

AT_ONCE: Final = 8
_ASK_EVERY: Final = 30.0
_LONGEST_WISH: Final = 86_400
_GONE: Final = 410
_PER_VISIT: Final = 20
_WAITING_AT_MOST: Final = 5_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where deliveries go, and the secret that signs them; it is shown nowhere."""

    url: str
    secret: bytes

    def headers(self, delivery: str, now: int, body: bytes) -> dict[str, str]:
        """The signed headers of one attempt, at a moment in ms."""
        stamp = str(now // 1000)
        signed = b".".join((delivery.encode(), stamp.encode(), body))
        mark = base64.b64encode(hmac.new(self.secret, signed, hashlib.sha256).digest()).decode()
        return {
            "Content-Type": "application/json",
            "User-Agent": "Overture",
            "webhook-id": delivery,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{mark}",
        }

    def __repr__(self) -> str:
        return f"Receiver({urlsplit(self.url).hostname})"


def receiver(url: str, secret: str) -> Receiver:
    """A receiver from its settings; ``whsec_`` stands before base64. Raises ValueError."""
    try:
        raw = secret.removeprefix("whsec_")
        key = base64.b64decode(raw, validate=True) if raw != secret else secret.encode()
    except binascii.Error:
        raise ValueError("after whsec_ comes base64") from None
    return Receiver(url=url, secret=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing to hand over. ``attempts`` were begun, this one included when it is claimed."""

    id: str
    state: State
    body: bytes
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a receiver said: a status, 0 for nothing, and how many seconds it wants to be left."""

    status: int
    wait: int = 0


Post = Callable[[str, Mapping[str, str], bytes], Answer]
"""Send a body once, from a thread; never raises."""


class Deliveries:
    """The deliveries of this server. Raises what the store raises."""

    def __init__(
        self, store: InteractionStore, to: Receiver | None, post: Post | None = None
    ) -> None:
        self._store = store
        self._to = to
        self._post = post or posted
        self._new = asyncio.Event()

    @property
    def is_set(self) -> bool:
        """Whether there is a receiver."""
        return self._to is not None

    async def add(self, visit: str | None, body: Mapping[str, Any], key: str | None) -> str:
        """A waiting delivery, on disk; the visitor's key. With the same key it is added once.

        Raises Refused (``unset``, ``too-many``).
        """
        if self._to is None:
            raise Refused("unset", "This is not available here.")
        key, now = key or new_key(), self._store.clock()
        text = json.dumps(dict(body), ensure_ascii=False)

        def work(db: sqlite3.Connection) -> None:
            if db.execute("SELECT 1 FROM deliveries WHERE key = ?", (digest(key),)).fetchone():
                return
            _check_room(db, visit, now)
            db.execute(
                "INSERT INTO deliveries (id, key, visit, body, created, state, due)"
                " VALUES (?, ?, ?, ?, ?, 'waiting', ?)",
                (secrets.token_hex(16), digest(key), visit, text, now, now),
            )

        await self._store.write(work)
        self._new.set()
        return key

    async def of_visitor(self, key: str) -> Delivery:
        """The delivery that a visitor's key opens. Raises Unknown."""
        return await self._store.read(lambda db: _one(db, key))

    async def cancel(self, key: str) -> Delivery:
        """Try no more; what was handed over stays so. Raises Unknown."""

        def work(db: sqlite3.Connection) -> Delivery:
            db.execute(
                "UPDATE deliveries SET state = 'cancelled' WHERE key = ? AND state = 'waiting'",
                (digest(key),),
            )
            return _one(db, key)

        return await self._store.write(work)

    async def run(self) -> None:
        """Hand over what is due, as long as the server runs."""
        while self._to is not None:
            self._new.clear()
            try:
                pause = await self.hand_over()
            except Unavailable as error:
                log.error("Deliveries wait: %s", error)
                pause = _ASK_EVERY
            try:
                async with asyncio.timeout(pause):
                    await self._new.wait()
            except TimeoutError:
                continue

    async def hand_over(self) -> float:
        """One attempt for everything that is due; the seconds until something is due again."""
        assert self._to is not None, "only where there is a receiver"
        while claimed := await self._store.write(lambda db: _claimed(db, self._store.clock())):
            await asyncio.gather(*(self._attempt(one, self._to) for one in claimed))
        due = await self._store.read(_next_due)
        now = self._store.clock()
        return _ASK_EVERY if due is None else min(_ASK_EVERY, max(0.05, (due - now) / 1000))

    async def _attempt(self, one: Delivery, to: Receiver) -> None:
        headers = to.headers(one.id, self._store.clock(), one.body)
        said = await asyncio.to_thread(self._post, to.url, headers, one.body)
        state: State = "waiting"
        if 200 <= said.status < 300:
            state = "handed"
        elif said.status == _GONE or one.attempts > len(PAUSES):
            state = "failed"
            log.error("Delivery %s is given up: the receiver says %s.", one.id, said.status)
        else:
            log.warning("Delivery %s is tried again: it says %s.", one.id, said.status or "nothing")
        due = self._store.clock() + said.wait * 1000

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE deliveries SET state = ?, due = max(due, ?) WHERE id = ? AND (state ="
                " 'waiting' OR ? = 'handed')",
                (state, due, one.id, state),
            )

        await self._store.write(work)


class _NoDetours(urllib.request.HTTPRedirectHandler):
    """A signed body goes where the settings say, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_NoDetours)


def posted(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send a body once. Never raises; redirects are not followed."""
    request = urllib.request.Request(url, body, dict(headers), method="POST")
    try:
        with _OPENER.open(request, timeout=PATIENCE) as answer:
            return Answer(status=answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            wait = refusal.headers.get("Retry-After", "")
            seconds = int(wait) if wait.isdecimal() else 0
            return Answer(status=refusal.code, wait=min(seconds, _LONGEST_WISH))
    except (OSError, ValueError) as error:
        log.info("The receiver did not answer: %s", error)
        return Answer(status=0)


def _check_room(db: sqlite3.Connection, visit: str | None, now: int) -> None:
    count = "SELECT count(*) FROM deliveries WHERE"
    if db.execute(f"{count} state = 'waiting'").fetchone()[0] >= _WAITING_AT_MOST:
        raise Refused("too-many", "Too many are waiting on this server: try again later.")
    if visit is not None:
        today = now - 86_400_000
        here = db.execute(f"{count} visit = ? AND created > ?", (visit, today)).fetchone()[0]
        if here >= _PER_VISIT:
            raise Refused("too-many", "This visit has asked often enough: try again another day.")


def _claimed(db: sqlite3.Connection, now: int) -> list[Delivery]:
    """Some that are due, due again later if nothing is heard of them: a crash only delays."""
    rows = db.execute(
        "SELECT id, state, body, attempts FROM deliveries WHERE state = 'waiting' AND due <= ?"
        " ORDER BY due LIMIT ?",
        (now, AT_ONCE),
    ).fetchall()
    found = []
    for row in rows:
        attempts = row["attempts"] + 1
        pause = PAUSES[min(attempts, len(PAUSES)) - 1]
        db.execute(
            "UPDATE deliveries SET attempts = ?, due = ? WHERE id = ?",
            (attempts, now + pause * 1000, row["id"]),
        )
        found.append(_delivery(row, attempts))
    return found


def _next_due(db: sqlite3.Connection) -> int | None:
    found: int | None = db.execute(
        "SELECT min(due) FROM deliveries WHERE state = 'waiting'"
    ).fetchone()[0]
    return found


def _one(db: sqlite3.Connection, key: str) -> Delivery:
    row = db.execute(
        "SELECT id, state, body, attempts FROM deliveries WHERE key = ?", (digest(key),)
    ).fetchone()
    if row is None:
        raise Unknown("There is nothing of this kind.")
    return _delivery(row, row["attempts"])


def _delivery(row: sqlite3.Row, attempts: int) -> Delivery:
    return Delivery(id=row["id"], state=row["state"], body=row["body"].encode(), attempts=attempts)
