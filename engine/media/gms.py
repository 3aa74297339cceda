"""Chat in the shape of Genesys Mobile Services, version 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.media.bodies import address, fields
from engine.media.chat import Chat
from engine.media.conversations import Conversations
from engine.media.gms_answers import (
    Shown,
    answer,
    confirmation,
    dialog,
    gms_user,
    guarded,
    root,
)
from engine.media.gms_bodies import (
    CHATS,
    NOTICES,
    PARTIES,
    Person,
    RefreshBody,
    SendBody,
    StartBody,
)
from engine.media.gms_chat2 import GmsChat2
from engine.media.gms_cometd import Cometd
from engine.media.interactions import Interaction, Line, Refused
from engine.media.medium import Scenario

_WAIT = "An agent will be with you soon. Please keep this page open."


class GmsChat(Chat):
    """The medium ``chat``, spoken as GMS widgets speak."""

    scenarios: Mapping[str, Scenario] = CHATS

    def __init__(self, conversations: Conversations) -> None:
        super().__init__(conversations)
        self._second = GmsChat2(conversations)
        self._cometd = Cometd(self.shown, self._second.tell)

    def routes(self) -> list[Route]:
        """The built-in service that starts a chat, chat v1 on what was started, chat v2, CometD."""
        service, both = "/genesys/1/service", ["GET", "POST"]
        chat = f"{service}/{{id}}/ixn/chat"
        rows = [
            (f"{service}/request-chat", self._request_chat, both),
            (f"{service}/{{id}}/StartChat", self._continue, both),
            (chat, self._join, ["POST"]),
            (f"{chat}/send", self._send, ["POST"]),
            (f"{chat}/refresh", self._refresh, both),
            (f"{chat}/disconnect", self._disconnect, ["POST"]),
            (f"{chat}/startTyping", self._types, ["POST"]),
            (f"{chat}/stopTyping", self._types, ["POST"]),
        ]
        found = [Route(path, guarded(work), methods=methods) for path, work, methods in rows]
        return [*found, *self._second.routes(), *self._cometd.routes()]

    async def shown(self, key: str, after: int) -> Shown:
        """What chat v1 answers about lines after a position. Raises Unknown, Unavailable."""
        return await self._shown(await self._conversations.visitor(key), after)

    async def dialog(
        self, request: Request, body: StartBody, service: str, key: str | None = None
    ) -> dict[str, Any]:
        """Start a scenario of a chat; what its widget does next. Raises what ``start`` raises.

        ``key`` is the visitor's secret where they have one: started with it twice is once.
        """
        key = await self._started(request, body, key)
        found = _confirmation(key) if body.waits else _start_chat(request, key)
        return found | {"_chat_parameters": {"subject": service[:100]}}

    async def _request_chat(self, request: Request) -> Response:
        """The built-in service: only its id is answered; the chat is entered as any other."""
        body = Person.model_validate(await fields(request))
        return answer({"_id": await self._started(request, body)})

    async def _started(self, request: Request, body: Person, key: str | None = None) -> str:
        wish = body.wish(self.word, gms_user(request), address(request))
        return (await self.start(replace(wish, key=key))).key

    async def _continue(self, request: Request) -> Response:
        """What a widget that waits asks: the chat as soon as an agent has it."""
        key = request.path_params["id"]
        found = await self._conversations.visitor(key)
        if found.state == "ended":
            raise Refused("ended", "This chat has ended.")
        return dialog(_confirmation(key) if found.state == "waiting" else _start_chat(request, key))

    async def _join(self, request: Request) -> Response:
        found = await self._conversations.visitor(request.path_params["id"])
        position = RefreshBody.model_validate(await fields(request)).position
        found = await self._conversations.store.join(found.id)
        return answer(await self._shown(found, position))

    async def _send(self, request: Request) -> Response:
        found = await self._conversations.visitor(request.path_params["id"])
        body = SendBody.model_validate(await fields(request))
        if found.state != "ended":
            name = found.nickname
            found = await self._conversations.say(found.id, "visitor", name, body.message)
        return answer(await self._shown(found, body.position))

    async def _refresh(self, request: Request) -> Response:
        position = RefreshBody.model_validate(await fields(request)).position
        return answer(await self.shown(request.path_params["id"], position))

    async def _disconnect(self, request: Request) -> Response:
        found = await self._conversations.visitor(request.path_params["id"])
        position = RefreshBody.model_validate(await fields(request)).position
        found = await self._conversations.end_by_visitor(found)
        return answer(await self._shown(found, position))

    async def _types(self, request: Request) -> Response:
        """The visitor writes, or stopped; answered like ``refresh``."""
        found = await self._conversations.visitor(request.path_params["id"])
        position = RefreshBody.model_validate(await fields(request)).position
        started = request.url.path.endswith("/startTyping")
        self._conversations.note_typing(found, "visitor", typing=started)
        return answer(await self._shown(found, position))

    async def _shown(self, found: Interaction, after: int) -> Shown:
        lines = await self._conversations.lines(found, after)
        shown: dict[str, Any] = {
            "transcriptPosition": lines[-1].position if lines else after,
            "transcriptToShow": _transcript(lines),
            "chatIxnState": "DISCONNECTED" if found.state == "ended" else "TRANSCRIPT",
        }
        # Typing is no line of the transcript, which has no positions to spare for it.
        if self._conversations.is_typing(found, "agent"):
            shown["typing"] = found.agent
        return shown


def _start_chat(request: Request, key: str) -> dict[str, Any]:
    base, name = root(request), quote(key, safe="")
    return {
        "_id": key,
        "_action": "StartChat",
        "_start_chat_url": f"{base}/genesys/1/service/{name}/ixn/chat",
        # The id in the address binds the connection to this one chat: a name in a header
        # (gms_user) is no proof of being the one who may read it.
        "_comet_url": f"{base}/genesys/cometd/{name}",
    }


def _confirmation(key: str) -> dict[str, Any]:
    return confirmation(key, "chat-wait", _WAIT)


def _transcript(lines: Sequence[Line]) -> list[list[str]]:
    return [
        [line.type, line.nickname, line.text or NOTICES.get(line.type, ""), *PARTIES[line.party]]
        for line in lines
    ]
