"""The agents' interface: what waits, who the visitor is and did, answering, ending, presence."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.media.bodies import Unreadable, model
from engine.media.conversations import ELSEWHERE, Conversations, pages_of
from engine.media.interactions import Interaction, Line, Refused, Unavailable, Unknown

log = logging.getLogger(__name__)

Journey = Callable[[str], Awaitable[Sequence[Mapping[str, Any]]]]
"""The history of a visit (visitID), oldest event first."""

Earlier = Callable[[str], Awaitable[Sequence[Mapping[str, Any]]]]
"""The other visits of a visit's visitor, the youngest first: ``visitID started ..``."""

Authorised = Callable[[Request], Awaitable[None]]
"""Raises HTTPException for a request without API authority."""

Handler = Callable[[Request], Awaitable[Response]]

VISITS_AT_MOST: Final = 20
"""The youngest earlier visits that an agent is shown."""

_NOTHING: Final[Mapping[str, Any]] = {"pages": [], "events": [], "problem": None}

EVENTS_AT_MOST: Final = 500
"""The youngest events of a visit that an agent is shown."""


def _plain(name: str) -> str:
    if not name.isprintable() or "/" in name:
        raise ValueError("An agent's name is plain text without a slash.")
    return name


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60, strip_whitespace=True),
    AfterValidator(_plain),
]


class AcceptBody(BaseModel):
    """Who takes or ends a chat."""

    agent: Name


class MessageBody(BaseModel):
    """What an agent answers."""

    agent: Name
    text: str = Field(min_length=1, max_length=4_000)


class TypingBody(AcceptBody):
    """Whether an agent is writing in a chat of theirs."""

    typing: StrictBool


class TransferBody(AcceptBody):
    """Who hands a chat to whom."""

    to: Name


class AgentBody(BaseModel):
    """What an agent's desk says of its agent."""

    ready: StrictBool
    media: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        default=["chat"], max_length=10
    )


class _Named(BaseModel):
    agent: Name


class Desk:
    """The HTTP interface of the desk. Mistakes answer ``{"error", "code"}``."""

    def __init__(
        self,
        conversations: Conversations,
        *,
        journey: Journey,
        earlier: Earlier,
        authorised: Authorised,
    ) -> None:
        self._conversations = conversations
        self._journey = journey
        self._earlier = earlier
        self._authorised = authorised

    def routes(self) -> list[Route]:
        """Everything under ``/desk/api``; each request needs API authority."""
        one = "/desk/api/interactions/{id}"
        agent = "/desk/api/agents/{name}"
        return [
            Route("/desk/api/interactions", self._guarded(self._list), methods=["GET"]),
            Route(one, self._guarded(self._details), methods=["GET"]),
            Route(f"{one}/accept", self._guarded(self._accept), methods=["POST"]),
            Route(f"{one}/messages", self._guarded(self._say), methods=["POST"]),
            Route(f"{one}/typing", self._guarded(self._typing), methods=["POST"]),
            Route(f"{one}/transfer", self._guarded(self._transfer), methods=["POST"]),
            Route(f"{one}/end", self._guarded(self._end), methods=["POST"]),
            Route("/desk/api/media", self._guarded(self._media), methods=["GET"]),
            Route("/desk/api/agents", self._guarded(self._agents), methods=["GET"]),
            Route(agent, self._guarded(self._renew), methods=["PUT"]),
            Route(agent, self._guarded(self._leave), methods=["DELETE"]),
        ]

    async def _list(self, _request: Request) -> Response:
        await self._conversations.tidy()
        return _answer([_summary(one) for one in await self._conversations.store.recent()])

    async def _details(self, request: Request) -> Response:
        await self._conversations.tidy()
        store = self._conversations.store
        found = await store.get(request.path_params["id"])
        lines = await store.transcript(found.id)
        details: dict[str, Any] = {
            **_summary(found),
            "attached": found.attached,
            "customer": found.customer,
            "invitation": found.invitation,
            "typing": self._conversations.is_typing(found, "visitor"),
            "transcript": [_line(found, line) for line in lines],
        }
        # The transcript is asked for every second, the history of a long visit need not be.
        if request.query_params.get("journey") != "no":
            details |= await self._history(found)
            if request.query_params.get("earlier") != "no":
                details["earlier"] = await self._other_visits(found)
        return _answer(details)

    async def _history(self, found: Interaction) -> dict[str, Any]:
        """Pages and events of the visit; an agent answers without them rather than not at all."""
        if found.visit is None:
            return dict(_NOTHING)
        try:
            events = [dict(event) for event in await self._journey(found.visit)]
        except Exception:
            log.exception("The history of a visit could not be read.")
            return {**_NOTHING, "problem": "The history of this visit can not be read now."}
        return {
            "pages": pages_of(events),
            "events": events[-EVENTS_AT_MOST:],
            "problem": None,
        }

    async def _other_visits(self, found: Interaction) -> list[dict[str, Any]]:
        """The other visits of the visitor, each with what was talked about in it."""
        if found.visit is None:
            return []
        try:
            visits = (await self._earlier(found.visit))[:VISITS_AT_MOST]
        except Exception:
            log.exception("The other visits of a visitor could not be read.")
            return []
        named = {one["visitID"]: {**one, "conversations": []} for one in visits}
        for other in await self._conversations.store.of_visits(named):
            if other.id != found.id:
                named[other.visit]["conversations"].append(_summary(other))
        return list(named.values())

    async def _accept(self, request: Request) -> Response:
        body = await model(request, AcceptBody)
        found = await self._conversations.accept(request.path_params["id"], body.agent)
        return _answer(_summary(found))

    async def _say(self, request: Request) -> Response:
        body = await model(request, MessageBody)
        identity = request.path_params["id"]
        found = await self._conversations.say(identity, "agent", body.agent, body.text)
        return _answer(_summary(found))

    async def _typing(self, request: Request) -> Response:
        body = await model(request, TypingBody)
        found = await self._conversations.store.get(request.path_params["id"])
        if found.agent == body.agent:
            self._conversations.note_typing(found, "agent", typing=body.typing)
        return Response(status_code=204)

    async def _transfer(self, request: Request) -> Response:
        body = await model(request, TransferBody)
        identity = request.path_params["id"]
        return _answer(_summary(await self._conversations.transfer(identity, body.agent, body.to)))

    async def _end(self, request: Request) -> Response:
        body = await model(request, AcceptBody)
        found = await self._conversations.end_by_agent(request.path_params["id"], body.agent)
        return _answer(_summary(found))

    async def _media(self, _request: Request) -> Response:
        """Every medium that is answered here, with the agents who could take one more."""
        free = self._conversations.agents.free()
        return _answer({medium: free[medium] for medium in free if medium not in ELSEWHERE})

    async def _agents(self, _request: Request) -> Response:
        return _answer([asdict(one) for one in self._conversations.agents.everyone()])

    async def _renew(self, request: Request) -> Response:
        name = _name(request)
        body = await model(request, AgentBody)
        agents = self._conversations.agents
        return _answer(asdict(agents.heard(name, ready=body.ready, media=body.media)))

    async def _leave(self, request: Request) -> Response:
        self._conversations.agents.forget(_name(request))
        return Response(status_code=204)

    def _guarded(self, handler: Handler) -> Handler:
        """The handler behind authority, with every refusal as one sentence and one word."""

        async def guarded(request: Request) -> Response:
            await self._authorised(request)
            try:
                return await handler(request)
            except Unreadable as error:
                return _mistake(error.status, str(error), error.code)
            except Unknown as error:
                return _mistake(404, str(error), "unknown-interaction")
            except Refused as error:
                return _mistake(409, str(error), error.code)
            except Unavailable as error:
                log.error("%s", error)
                answer = _mistake(503, str(error), "unavailable")
                answer.headers["Retry-After"] = "2"
                return answer

        return guarded


def _name(request: Request) -> str:
    try:
        return _Named(agent=request.path_params["name"]).agent
    except ValidationError:
        sentence = "An agent's name is plain text of 1 to 60 characters without a slash."
        raise Unreadable(400, "malformed", sentence) from None


def _summary(found: Interaction) -> dict[str, Any]:
    return {
        "id": found.id,
        "medium": found.medium,
        "state": found.state,
        "created": found.created,
        "ended": found.ended,
        "visitID": found.visit,
        "pageID": found.page,
        "agent": found.agent,
        "nickname": found.name,
        "named_by_visit": found.known_as is not None,
        "last_message": found.last_message,
        "lines": found.lines,
        "outcome": found.outcome,
        "proactive": found.proactive,
        "elsewhere": found.medium in ELSEWHERE,
    }


def _line(found: Interaction, line: Line) -> dict[str, Any]:
    name = found.name if line.party == "visitor" else line.nickname
    return asdict(line) | {"nickname": name}


def _answer(value: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(value, status_code=status, headers={"Cache-Control": "no-store"})


def _mistake(status: int, sentence: str, code: str) -> JSONResponse:
    return _answer({"error": sentence, "code": code}, status)
