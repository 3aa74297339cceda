"""What our own media share on the wire: what a widget says at the start, and how it is refused."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.media.bodies import Unreadable, sentence
from engine.media.conversations import VISITOR, Wish
from engine.media.interactions import Refused, Unavailable, Unknown

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]

Id = Annotated[str, Field(max_length=200)]
Token = Annotated[str, Field(max_length=1_000)]

_STATUS: Final = {"too-many": 429, "files": 415}


class WishBody(BaseModel):
    """How a widget starts a medium. Values without a name here are said of the visitor.

    ``id`` is the visitor's secret, 160 bits that the widget chose, so that it may say the same
    start again when no answer came.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Token]

    key: str | None = Field(alias="id", default=None, pattern=r"^[0-9a-f]{40}$")
    visit: Id = Field(alias="visitID", default="")
    page: Id = Field(alias="pageID", default="")
    webengagement: Token | None = None
    invitation: Token | None = None
    first_name: Token = ""
    last_name: Token = ""

    def wish(self, medium: str, address: str) -> Wish:
        """The same for the rules of conversations."""
        names = {"first_name": self.first_name, "last_name": self.last_name}
        name = " ".join(filter(None, map(str.strip, names.values())))
        return Wish(
            medium=medium,
            visit=self.visit or None,
            page=self.page or None,
            nickname=(name or VISITOR)[:100],
            webengagement=self.webengagement,
            invitation=self.invitation,
            customer={key: value for key, value in names.items() if value} | self.more(),
            key=self.key,
            address=address,
        )

    def more(self) -> dict[str, str]:
        """What else is said of the visitor."""
        return dict(self.__pydantic_extra__)


def guarded(handler: Handler) -> Handler:
    """The handler, with every refusal as ``{"error", "code"}``: one sentence and one word."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except ValidationError as error:
            return mistake(400, sentence(error), "malformed")
        except Unreadable as error:
            return mistake(error.status, str(error), error.code)
        except Unknown as error:
            return mistake(404, str(error), "unknown")
        except Refused as error:
            return mistake(_STATUS.get(error.code, 409), str(error), error.code)
        except Unavailable as error:
            log.error("%s", error)
            found = mistake(503, "This is not available now: try again.", "unavailable")
            found.headers["Retry-After"] = "2"
            return found

    return answered


def answer(value: Mapping[str, Any], status: int = 200) -> JSONResponse:
    """A JSON answer that nobody keeps."""
    return JSONResponse(dict(value), status_code=status, headers={"Cache-Control": "no-store"})


def mistake(status: int, words: str, code: str) -> JSONResponse:
    """A refusal."""
    return answer({"error": words, "code": code}, status)
