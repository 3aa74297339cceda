"""Chat, version 2, in the shape of GMS: the same conversations, told as numbered messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.media.bodies import address, fields
from engine.media.conversations import Conversations, Wish
from engine.media.gms_answers import answer, gms_user, guarded
from engine.media.gms_bodies import Id, Position, Token
from engine.media.interactions import Interaction, Line, Unknown

ACTIONS: Final = ("send", "refresh", "disconnect", "startTyping", "stopTyping")
"""What can be asked of a chat that has started."""

_TYPES: Final = {
    "Message.Text": "Message",
    "Notice.Joined": "ParticipantJoined",
    "Notice.Left": "ParticipantLeft",
}
_PARTIES: Final = {"visitor": (1, "Client"), "agent": (2, "Agent"), "system": (0, "External")}
_DATA: Final = "userData["
_FAILED: Final = 2
_OURS: Final = ("visitID", "pageID", "webengagement", "invitation")


Told = Mapping[str, Any]
"""An answer: ``statusCode``, and the proof of the chat with its messages, or ``errors``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One operation, whatever carried it; a start has no ``chat`` and no ``action``.

    ``user`` is the name of the header ``gms_user``, ``address`` where it came from.
    """

    service: str
    chat: str
    action: str
    values: Mapping[str, str]
    user: str
    address: str

    @property
    def path(self) -> str:
        """Where a GMS takes it, below its own root."""
        parts = (self.service, self.chat, self.action)
        return "/2/chat/" + "/".join(quote(part, safe="") for part in parts if part)


Tell = Callable[[Asked], Awaitable[tuple[int, Told]]]
"""Status and answer of an operation. Raises ``REFUSALS``."""


async def asked_by(request: Request) -> Asked:
    """The operation that an address names, with its values. Raises Unreadable (413, 415)."""
    named = request.path_params
    return Asked(
        service=named["service"],
        chat=named.get("chat", ""),
        action=request.url.path.rpartition("/")[2] if "chat" in named else "",
        values=await fields(request),
        user=gms_user(request),
        address=address(request),
    )


class StartBody(BaseModel):
    """Who wants to chat. ``userData[..]`` carries the ids of the visit and the customer's own."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Token]

    nickname: Token = ""
    first_name: Token = Field(alias="firstName", default="")
    last_name: Token = Field(alias="lastName", default="")
    subject: Token = ""
    email: Token = Field(alias="emailAddress", default="")

    @model_validator(mode="after")
    def _says_who(self) -> StartBody:
        if not self.nickname and not (self.first_name and self.last_name):
            raise ValueError("Send nickname, or firstName and lastName.")
        if len(self.data.get("visitID", "")) > 200 or len(self.data.get("pageID", "")) > 200:
            raise ValueError("visitID and pageID are at most 200 characters long.")
        return self

    @property
    def data(self) -> dict[str, str]:
        """``userData`` by its keys."""
        return {
            name[len(_DATA) : -1]: value
            for name, value in self.__pydantic_extra__.items()
            if name.startswith(_DATA) and name.endswith("]")
        }

    def wish(self, address: str) -> Wish:
        """The chat that is asked for."""
        data = self.data
        said = {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "subject": self.subject,
            "emailAddress": self.email,
        }
        own = {name: value for name, value in data.items() if name not in _OURS}
        return Wish(
            medium="chat",
            visit=data.get("visitID") or None,
            page=data.get("pageID") or None,
            nickname=(self.nickname or f"{self.first_name} {self.last_name}")[:100],
            webengagement=data.get("webengagement"),
            invitation=data.get("invitation"),
            customer=own | {name: value for name, value in said.items() if value},
            address=address,
        )


class PlaceBody(BaseModel):
    """The proof of being in the chat, and the first message to show: 0 none, 1 all, n from n."""

    user: Id = Field(alias="userId")
    alias: Id
    key: Id = Field(alias="secureKey")
    position: Position = Field(alias="transcriptPosition", default=0)


class SendBody(PlaceBody):
    """One message of the visitor."""

    message: str = Field(min_length=1, max_length=4_000)


class GmsChat2:
    """Chat v2 over the conversations of the medium ``chat``.

    A refusal is a ``statusCode`` that is not 0, with its sentences in ``errors``.
    """

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    def routes(self) -> list[Route]:
        """``/genesys/2/chat``: start, send, refresh, disconnect, typing."""
        chat = "/genesys/2/chat/{service}"
        paths = [chat, *(f"{chat}/{{chat}}/{action}" for action in ACTIONS)]
        return [Route(path, guarded(self._post, mistake), methods=["POST"]) for path in paths]

    async def tell(self, asked: Asked) -> tuple[int, Told]:
        """Do what is asked; 200 and the answer. Raises ``REFUSALS``."""
        if not asked.action:
            wish = StartBody.model_validate(asked.values).wish(asked.address)
            found, key = await self._conversations.start(wish)
            found = await self._conversations.store.join(found.id)
            return 200, await self._shown(found, key, 1)
        kind = SendBody if asked.action == "send" else PlaceBody
        body = kind.model_validate(asked.values)
        found = await self._done(asked.action, body, await self._found(asked.chat, body))
        return 200, await self._shown(found, body.key, body.position)

    async def _post(self, request: Request) -> Response:
        status, told = await self.tell(await asked_by(request))
        return answer(told, status)

    async def _done(self, action: str, body: PlaceBody, found: Interaction) -> Interaction:
        if isinstance(body, SendBody):
            name = found.nickname
            return await self._conversations.say(found.id, "visitor", name, body.message)
        if action == "disconnect":
            return await self._conversations.end_by_visitor(found)
        if action != "refresh":
            typing = action == "startTyping"
            self._conversations.note_typing(found, "visitor", typing=typing)
        return found

    async def _found(self, chat: str, body: PlaceBody) -> Interaction:
        found = await self._conversations.visitor(body.key)
        if {found.id} != {chat, body.user} or body.alias != _alias(found):
            raise Unknown("There is no such chat.")
        return found

    async def _shown(self, found: Interaction, key: str, first: int) -> Told:
        place, lines = first, list[Line]()
        if first:
            lines = await self._conversations.lines(found, first - 1)
            place = lines[-1].position + 1 if lines else first
        elif everything := await self._conversations.store.transcript(found.id):
            place = everything[-1].position + 1
        return {
            "statusCode": 0,
            "chatId": found.id,
            "userId": found.id,
            "secureKey": key,
            "alias": _alias(found),
            "messages": _messages(lines),
            "nextPosition": place,
            "chatEnded": found.state == "ended",
        }


def _alias(found: Interaction) -> str:
    """A short name of the chat beside its long one; it proves nothing."""
    return found.id[:6]


def _messages(lines: Sequence[Line]) -> list[Mapping[str, Any]]:
    return [_message(line) for line in lines]


def _message(line: Line) -> Mapping[str, Any]:
    number, kind = _PARTIES[line.party]
    found = {
        "from": {"nickname": line.nickname, "participantId": number, "type": kind},
        "index": line.position,
        "type": _TYPES[line.type],
        "utcTime": line.time,
    }
    return found | ({"text": line.text} if line.text else {})


def mistake(status: int, message: str, exception: str) -> Response:
    """A wrong value or an unknown chat is told under 200; what is the server's keeps its status."""
    return answer(failed(message, exception), 200 if status in (404, 415) else status)


def failed(message: str, exception: str) -> Told:
    """A refusal from its sentence and its word."""
    return {"statusCode": _FAILED, "errors": [{"code": exception, "advice": message}]}
