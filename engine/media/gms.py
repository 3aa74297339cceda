"""Chat in the shape of Genesys Mobile Services: callback service start and chat v1."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.media.bodies import Unreadable, fields, sentence
from engine.media.conversations import Conversations, Wish
from engine.media.interactions import Interaction, Line, Refused, Unavailable, Unknown
from engine.media.medium import Kind, Known, Scenario, Started, known

log = logging.getLogger(__name__)

CHAT_NOW: Final[Scenario] = {
    "_call_direction": "USERORIGINATED",
    "_wait_for_agent": "false",
    "_wait_for_user_confirm": "false",
    "_media_type": "chat",
}

_PARTY: Final = {"visitor": ("1", "CLIENT"), "agent": ("2", "AGENT"), "system": ("0", "EXTERNAL")}
_NOTICE: Final = {
    "Notice.Joined": "has joined the session",
    "Notice.Left": "has left the session",
}

Id = Annotated[str, Field(max_length=200)]
Token = Annotated[str, Field(max_length=1_000)]
Handler = Callable[[Request], Awaitable[Response]]


class StartBody(BaseModel):
    """The parameters of a started scenario. Unknown ones are the customer's tokens."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Token]

    media_type: str = Field(alias="_media_type")
    call_direction: str = Field(alias="_call_direction")
    wait_for_agent: str = Field(alias="_wait_for_agent")
    wait_for_user_confirm: str = Field(alias="_wait_for_user_confirm")
    provide_code: str = Field(alias="_provide_code", default="false")
    visit: Id = Field(alias="visitID", default="")
    page: Id = Field(alias="pageID", default="")
    webengagement: Token | None = None
    invitation: Token | None = None
    first_name: Token = ""
    last_name: Token = ""

    @field_validator("media_type")
    @classmethod
    def _chat(cls, value: str) -> str:
        if value != "chat":
            raise ValueError(
                'Only chat is served here (_media_type "chat"): use the scenario CHAT-NOW,'
                " VOICE scenarios are not available."
            )
        return value

    @field_validator("call_direction")
    @classmethod
    def _by_user(cls, value: str) -> str:
        if value != "USERORIGINATED":
            raise ValueError("_call_direction must be USERORIGINATED for a chat.")
        return value

    @field_validator("wait_for_agent", "wait_for_user_confirm")
    @classmethod
    def _at_once(cls, value: str) -> str:
        if value != "false":
            raise ValueError(
                "CHAT-WAIT is not available: use the scenario CHAT-NOW"
                " (_wait_for_agent and _wait_for_user_confirm false)."
            )
        return value

    @field_validator("provide_code")
    @classmethod
    def _no_code(cls, value: str) -> str:
        if value not in ("", "false"):
            raise ValueError("_provide_code must be false: a chat has no access code.")
        return value

    def customer(self) -> dict[str, str]:
        """What the widget said of the person, as it said it."""
        names = {"first_name": self.first_name, "last_name": self.last_name}
        return {name: value for name, value in names.items() if value} | self.__pydantic_extra__


class SendBody(BaseModel):
    """One message of the visitor, and where their transcript stands."""

    message: str = Field(min_length=1, max_length=4_000)
    position: int = Field(alias="transcriptPosition", default=0, ge=0, le=1_000_000)


class RefreshBody(BaseModel):
    """Where the visitor's transcript stands: the last position that they have; 0 for none."""

    position: int = Field(alias="transcriptPosition", default=0, ge=0, le=1_000_000)


class GmsChat:
    """The medium ``chat``, spoken as GMS widgets speak. Answers are never cached.

    Mistakes answer ``{"message", "exception"}``: 415 for values, 404 for an unknown id.
    """

    word = "chat"
    kind: Kind = "second-party"
    scenarios: Mapping[str, Scenario] = {"CHAT-NOW": CHAT_NOW}

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    def availability(self) -> int:
        """Ready agents with a free place."""
        return self._conversations.agents.ready(self.word)

    async def start(self, wish: Wish) -> Started:
        """A waiting chat and the visitor's secret, which GMS calls ``_id``."""
        interaction, key = await self._conversations.start(wish)
        return Started(key=key, interaction=interaction)

    async def known(self, key: str) -> Known:
        """The state of the chat and its attached data."""
        return known(await self._conversations.store.of_visitor(key))

    async def end(self, key: str) -> Known:
        """The visitor leaves."""
        found = await self._conversations.visitor(key)
        return known(await self._conversations.end_by_visitor(found))

    def routes(self) -> list[Route]:
        """Callback service start, and chat v1 on what it made."""
        chat = "/genesys/1/service/{id}/ixn/chat"
        both = ["GET", "POST"]
        return [
            Route(
                "/genesys/1/service/callback/{service}", _guarded(self._service), methods=["POST"]
            ),
            Route(chat, _guarded(self._join), methods=["POST"]),
            Route(f"{chat}/send", _guarded(self._send), methods=["POST"]),
            Route(f"{chat}/refresh", _guarded(self._refresh), methods=both),
            Route(f"{chat}/disconnect", _guarded(self._disconnect), methods=["POST"]),
        ]

    async def _service(self, request: Request) -> Response:
        body = StartBody.model_validate(await fields(request))
        name = f"{body.first_name} {body.last_name}".strip()
        wish = Wish(
            medium=self.word,
            visit=body.visit or None,
            page=body.page or None,
            nickname=(name or _gms_user(request) or "Visitor")[:100],
            webengagement=body.webengagement,
            invitation=body.invitation,
            customer=body.customer(),
        )
        key = (await self.start(wish)).key
        base = str(request.base_url).rstrip("/")
        return _answer(
            {
                "_id": key,
                "_action": "StartChat",
                "_start_chat_url": f"{base}/genesys/1/service/{quote(key)}/ixn/chat",
                "_comet_url": f"{base}/genesys/cometd",
                "_chat_parameters": {"subject": request.path_params["service"][:100]},
            }
        )

    async def _join(self, request: Request) -> Response:
        found = await self._conversations.visitor(request.path_params["id"])
        position = RefreshBody.model_validate(await fields(request)).position
        return await self._shown(await self._conversations.store.join(found.id), position)

    async def _send(self, request: Request) -> Response:
        found = await self._conversations.visitor(request.path_params["id"])
        body = SendBody.model_validate(await fields(request))
        if found.state != "ended":
            store = self._conversations.store
            found = await store.say(found.id, "visitor", found.nickname, body.message)
        return await self._shown(found, body.position)

    async def _refresh(self, request: Request) -> Response:
        found = await self._conversations.visitor(request.path_params["id"])
        body = RefreshBody.model_validate(await fields(request))
        return await self._shown(found, body.position)

    async def _disconnect(self, request: Request) -> Response:
        found = await self._conversations.visitor(request.path_params["id"])
        position = RefreshBody.model_validate(await fields(request)).position
        return await self._shown(await self._conversations.end_by_visitor(found), position)

    async def _shown(self, found: Interaction, after: int) -> Response:
        lines = await self._conversations.lines(found, after)
        return _answer(
            {
                "transcriptPosition": lines[-1].position if lines else after,
                "transcriptToShow": _transcript(lines),
                "chatIxnState": "DISCONNECTED" if found.state == "ended" else "TRANSCRIPT",
            }
        )


def _transcript(lines: Sequence[Line]) -> list[list[str]]:
    return [
        [line.type, line.nickname, line.text or _NOTICE.get(line.type, ""), *_PARTY[line.party]]
        for line in lines
    ]


def _gms_user(request: Request) -> str:
    """The optional name of the header: percent-encoded where it is more than ASCII."""
    value = unquote(request.headers.get("gms_user", ""))
    return "".join(letter for letter in value if letter.isprintable()).strip()


def _guarded(handler: Handler) -> Handler:
    """The handler, with every refusal in the shape of GMS."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except ValidationError as error:
            return _mistake(415, sentence(error), "WrongValue")
        except Unreadable as error:
            return _mistake(error.status, str(error), "WrongBody")
        except Unknown as error:
            return _mistake(404, str(error), "UnknownId")
        except Refused as error:
            return _mistake(429 if error.code == "too-many" else 415, str(error), "Refused")
        except Unavailable as error:
            log.error("%s", error)
            answer = _mistake(503, "The chat is not available now: try again.", "Unavailable")
            answer.headers["Retry-After"] = "2"
            return answer

    return guarded


def _answer(value: Mapping[str, Any], status: int = 200) -> JSONResponse:
    return JSONResponse(value, status_code=status, headers={"Cache-Control": "no-store"})


def _mistake(status: int, message: str, exception: str) -> JSONResponse:
    return _answer({"message": message, "exception": exception}, status)
