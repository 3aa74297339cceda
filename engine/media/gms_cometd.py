"""CometD long-polling as widgets of GMS listen to it: ``/_genesys`` of chat v1, and chat v2.

A session reads one chat of each version. For version 1 it proves that it may: by the address that
StartChat gave (``_comet_url``), or by ``ext: {"_id": ..}`` of a handshake or a subscription; for
version 2 by what it publishes. Sessions live in memory; after a restart the client is told to
shake hands again, and goes on where the chat is.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.media.bodies import Unreadable, address, bounded
from engine.media.gms_answers import Shown, answer, gms_user, guarded
from engine.media.gms_bodies import PARTIES
from engine.media.gms_chat2 import Tell
from engine.media.gms_cometd2 import SecondChat, service_of
from engine.media.interactions import Unknown

CHANNEL: Final = "/_genesys"
HOLD: Final = 8.0
"""Seconds that a connect without news is held: less than the server takes to drain."""
LOOK_EVERY: Final = 0.5
SILENCE: Final = 120.0
"""Seconds after which a session that did not come back is forgotten."""
SESSIONS_AT_MOST: Final = 2_000
MESSAGES_AT_MOST: Final = 50

_KINDS: Final = frozenset({"handshake", "connect", "disconnect"})
_TRANSPORTS: Final = ["long-polling"]
_RETRY: Final = {"reconnect": "retry", "interval": 0, "timeout": int(HOLD * 1_000)}

Message = Mapping[str, Any]
Show = Callable[[str, int], Awaitable[Shown]]
"""The transcript of the chat with an id after a position. Raises Unknown."""


@dataclass(slots=True)
class _Session:
    """One client: whom it reads, how far it came, and what it may not have received."""

    chat: str
    second: SecondChat
    acknowledges: bool
    heard: float
    subscribed: bool = False
    position: int = 0
    entered: bool = False
    typing: str = ""
    turn: int = 0
    batch: int = 0
    kept: list[tuple[int, dict[str, Any]]] = field(default_factory=list)


class Cometd:
    """The Bayeux protocol, as much of it as a widget needs, over any chat of GMS."""

    def __init__(self, show: Show, tell: Tell) -> None:
        self._show = show
        self._tell = tell
        self._sessions: dict[str, _Session] = {}

    def routes(self) -> list[Route]:
        """``/genesys/cometd`` with and without a chat and the kind of message behind it."""
        paths = ("/genesys/cometd", "/genesys/cometd/{rest:path}")
        return [Route(path, guarded(self._post), methods=["POST"]) for path in paths]

    async def _post(self, request: Request) -> Response:
        replies: list[dict[str, Any]] = []
        for message in _messages(await bounded(request)):
            replies += await self._reply(message, request)
        return answer(replies)

    async def _reply(self, message: Message, request: Request) -> list[dict[str, Any]]:
        channel = str(message.get("channel", ""))
        if channel == "/meta/handshake":
            chat = _chat_in(request.path_params.get("rest", ""))
            return [_to(message, **self._handshake(message, chat))]
        client = message.get("clientId")
        session = self._sessions.get(client) if isinstance(client, str) else None
        if session is None or not isinstance(client, str):
            advice = {"reconnect": "handshake", "interval": 0}
            return [_to(message, successful=False, error="402::Unknown client", advice=advice)]
        session.heard = time.monotonic()
        if channel == "/meta/connect":
            return await self._connect(message, session)
        if channel == "/meta/subscribe":
            return [_to(message, **await self._subscribe(message, session))]
        if channel == "/meta/unsubscribe":
            name = message.get("subscription")
            session.subscribed = session.subscribed and name != CHANNEL
            session.second.leave(name)
            return [_to(message, successful=True, subscription=name)]
        if channel == "/meta/disconnect":
            del self._sessions[client]
            return [_to(message, successful=True)]
        if service_of(channel):
            told = await session.second.do(message, gms_user(request), address(request))
            return [{"channel": channel, "data": told}, _to(message, successful=True)]
        return [_to(message, successful=False, error=f"403:{channel[:100]}:Nobody listens there")]

    def _handshake(self, message: Message, chat: str) -> dict[str, Any]:
        self._forget_the_silent()
        offered = message.get("supportedConnectionTypes")
        if not isinstance(offered, list) or "long-polling" not in offered:
            return _refused(
                "412::Only long-polling is served", supportedConnectionTypes=_TRANSPORTS
            )
        if len(self._sessions) >= SESSIONS_AT_MOST:
            return _refused("503::Too many clients are connected")
        ext = _ext(message)
        client = secrets.token_hex(16)
        acknowledges = ext.get("ack") is True
        self._sessions[client] = _Session(
            _chat_of(ext) or chat, SecondChat(self._tell), acknowledges, time.monotonic()
        )
        found: dict[str, Any] = {
            "successful": True,
            "clientId": client,
            "version": "1.0",
            "minimumVersion": "1.0",
            "supportedConnectionTypes": _TRANSPORTS,
            "advice": _RETRY,
        }
        return found | ({"ext": {"ack": True}} if acknowledges else {})

    async def _subscribe(self, message: Message, session: _Session) -> dict[str, Any]:
        name = message.get("subscription")
        told: dict[str, Any] = {"subscription": name}
        session.chat = _chat_of(_ext(message)) or session.chat
        if service_of(name):  # what is heard there is for whom proves it in an operation
            return told | {"successful": True}
        if name != CHANNEL:
            return told | _refused(f"403::Subscribe to {CHANNEL}", advice=None)
        try:
            await self._show(session.chat, 0)
        except Unknown:
            sentence = "403::Connect to the _comet_url of StartChat, or name its _id in ext"
            return told | _refused(sentence, advice=None)
        session.subscribed = True
        return told | {"successful": True}

    async def _connect(self, message: Message, session: _Session) -> list[dict[str, Any]]:
        session.turn += 1
        turn = session.turn
        acknowledged = _ext(message).get("ack")
        if not session.acknowledges:
            session.kept.clear()
        elif isinstance(acknowledged, int):
            session.kept = [one for one in session.kept if one[0] > acknowledged]
        until = time.monotonic() + _hold(message)
        await self._look(session)
        while not session.kept and time.monotonic() < until and session.turn == turn:
            await asyncio.sleep(LOOK_EVERY)
            await self._look(session)
        session.heard = time.monotonic()
        if session.turn != turn:  # another connect of the same client takes what there is
            return [_to(message, successful=True, advice=_RETRY)]
        reply = _to(message, successful=True, advice=_RETRY)
        if session.acknowledges:
            reply["ext"] = {"ack": session.batch}
        return [*(one for _, one in session.kept), reply]

    async def _look(self, session: _Session) -> None:
        """Keep what is new in the chats, as the next batches."""
        for news in await session.second.news():
            session.batch += 1
            session.kept.append((session.batch, news))
        if not session.subscribed:
            return
        try:
            shown = await self._show(session.chat, session.position)
        except Unknown:  # the server that carries the chat has forgotten it
            session.subscribed = False
            shown = {"transcriptToShow": [], "chatIxnState": "DISCONNECTED"}
        self._look_who_types(session, shown)
        lines = shown["transcriptToShow"]
        over = shown["chatIxnState"] == "DISCONNECTED"
        if not lines and not over:
            return
        session.batch += 1
        if not session.entered and _by(lines, "AGENT") and not _by(lines, "CLIENT"):
            # Who waited for an agent is told how to go on, as a push to a device would.
            told = {"_id": session.chat, "_action": "StartChat"}
            session.kept.append((session.batch, {"channel": CHANNEL, "data": told}))
        session.entered = session.entered or _by(lines, "CLIENT") or _by(lines, "AGENT")
        session.kept.append((session.batch, {"channel": CHANNEL, "data": {"message": dict(shown)}}))
        session.position = shown.get("transcriptPosition", session.position)
        session.subscribed = session.subscribed and not over

    def _look_who_types(self, session: _Session, shown: Shown) -> None:
        """Keep a notice when an agent begins or stops to type; a message says the latter, too."""
        types = str(shown.get("typing") or "")
        if types == session.typing:
            return
        kind = "Notice.TypingStarted" if types else "Notice.TypingStopped"
        line = [kind, types or session.typing, "", *PARTIES["agent"]]
        session.typing = types
        session.batch += 1
        state = {"transcriptPosition": session.position, "chatIxnState": "TRANSCRIPT"}
        told = {"message": {"transcriptToShow": [line], **state}}
        session.kept.append((session.batch, {"channel": CHANNEL, "data": told}))

    def _forget_the_silent(self) -> None:
        oldest = time.monotonic() - SILENCE
        for client in [name for name, one in self._sessions.items() if one.heard < oldest]:
            del self._sessions[client]


def _messages(body: bytes) -> list[Message]:
    """The messages of a body; one that stands alone is tolerated. Raises Unreadable (400)."""
    try:
        found = json.loads(body)
        # An answer repeats names and ids: half a character, or a number that is none, can not be.
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise Unreadable(400, "malformed", "The body is not JSON in UTF-8.") from None
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unreadable(400, "malformed", "The body is not a list of messages.")
    if len(found) > MESSAGES_AT_MOST:
        raise Unreadable(400, "too-many", f"More than {MESSAGES_AT_MOST} messages were sent.")
    return found


def _chat_in(rest: str) -> str:
    """The chat that an address names: clients put the kind of message behind it."""
    parts = [part for part in rest.split("/") if part]
    if parts and parts[-1] in _KINDS:
        parts.pop()
    return parts[0] if len(parts) == 1 else ""


def _chat_of(ext: Message) -> str:
    found = ext.get("_id")
    return found if isinstance(found, str) else ""


def _ext(message: Message) -> Message:
    found = message.get("ext")
    return found if isinstance(found, dict) else {}


def _hold(message: Message) -> float:
    """How long a connect may be held: the first one of a client asks for an answer at once."""
    advice = message.get("advice")
    wanted = advice.get("timeout") if isinstance(advice, dict) else None
    return min(HOLD, max(0.0, wanted / 1_000)) if isinstance(wanted, int | float) else HOLD


def _by(lines: list[list[str]], kind: str) -> bool:
    return any(line[4] == kind for line in lines)


def _to(message: Message, **values: Any) -> dict[str, Any]:
    """An answer to a message; what is None is left out."""
    named = {"channel": message.get("channel"), "id": message.get("id"), **values}
    return {name: value for name, value in named.items() if value is not None}


def _refused(error: str, **values: Any) -> dict[str, Any]:
    return {"successful": False, "error": error, "advice": {"reconnect": "none"}} | values
