"""The medium ``chat`` as plain JSON: what our own chat window speaks, and any widget of a site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, Field, StrictBool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine.media.bodies import Unreadable, address, model
from engine.media.chat import Chat
from engine.media.interactions import Interaction, Line, Refused, Unknown
from engine.media.medium import Scenario
from engine.media.web import WishBody, answer, guarded

_ROOT: Final = "/media/chat"
_NO_FILES: Final = (
    "Files can not be sent in this chat: say in words what is in it, or ask how to send it."
)
_LAST: Final = 9_999_999


class NewsBody(BaseModel):
    """The position of the last line that the widget has; 0 for none."""

    after: int = Field(default=0, ge=0, le=_LAST)


class MessageBody(NewsBody):
    """One message of the visitor."""

    text: str = Field(min_length=1, max_length=4_000)


class TypingBody(BaseModel):
    """Whether the visitor is writing."""

    typing: StrictBool


class WebChat(Chat):
    """The medium ``chat``, under ``/media/chat``: all but files, which are refused politely."""

    scenarios: Mapping[str, Scenario] = {}

    def routes(self) -> list[Route]:
        """Start, news, messages, typing, files, the end, and the transcript to keep."""
        one = f"{_ROOT}/{{key}}"
        return [
            Route(_ROOT, guarded(self._start), methods=["POST"]),
            Route(one, guarded(self._news), methods=["GET"]),
            Route(f"{one}/messages", guarded(self._say), methods=["POST"]),
            Route(f"{one}/typing", guarded(self._typing), methods=["POST"]),
            Route(f"{one}/files", guarded(self._files), methods=["POST"]),
            Route(f"{one}/end", guarded(self._end), methods=["POST"]),
            Route(f"{one}/transcript", guarded(self._transcript), methods=["GET"]),
        ]

    async def _start(self, request: Request) -> Response:
        body = await model(request, WishBody)
        found, key = await self._conversations.start(body.wish(self.word, address(request)))
        found = await self._conversations.store.join(found.id)
        return answer({"id": key, **await self._shown(found, 0)}, 201)

    async def _news(self, request: Request) -> Response:
        found = await self._found(request)
        given = request.query_params.get("after", "0")
        if not given.isdecimal() or int(given) > _LAST:
            raise Unreadable(400, "malformed", "after is the position of a line, or 0.")
        return answer(await self._shown(found, int(given)))

    async def _say(self, request: Request) -> Response:
        found = await self._found(request)
        body = await model(request, MessageBody)
        found = await self._conversations.say(found.id, "visitor", found.nickname, body.text)
        return answer(await self._shown(found, body.after), 201)

    async def _typing(self, request: Request) -> Response:
        found = await self._found(request)
        body = await model(request, TypingBody)
        self._conversations.note_typing(found, "visitor", typing=body.typing)
        return Response(status_code=204)

    async def _files(self, request: Request) -> Response:
        await self._found(request)
        raise Refused("files", _NO_FILES)

    async def _end(self, request: Request) -> Response:
        found = await self._found(request)
        body = await model(request, NewsBody)
        return answer(
            await self._shown(await self._conversations.end_by_visitor(found), body.after)
        )

    async def _transcript(self, request: Request) -> Response:
        found = await self._found(request)
        lines = await self._conversations.store.transcript(found.id)
        return PlainTextResponse(
            "".join(map(_written, lines)),
            headers={
                "Cache-Control": "no-store",
                "Content-Disposition": 'attachment; filename="chat.txt"',
            },
        )

    async def _found(self, request: Request) -> Interaction:
        found = await self._conversations.visitor(request.path_params["key"])
        if found.medium != self.word:
            raise Unknown("There is no such chat.")
        return found

    async def _shown(self, found: Interaction, after: int) -> dict[str, Any]:
        lines = await self._conversations.lines(found, after)
        return {
            "state": found.state,
            "agent": found.agent,
            "typing": self._conversations.is_typing(found, "agent"),
            "position": lines[-1].position if lines else after,
            "lines": [asdict(line) for line in lines],
        }


def _written(line: Line) -> str:
    """A line as it stands in the file that a visitor keeps, with its time in UTC."""
    moment = datetime.fromtimestamp(line.time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    notices = {"Notice.Joined": "joined", "Notice.Left": "left"}
    said = line.text.replace("\n", "\n    ")
    notice = notices.get(line.type)
    words = f"{line.nickname} {notice}" if notice else f"{line.nickname}: {said}"
    return f"[{moment}] {words}\n"
