"""A GMS elsewhere, asked over HTTP: its address, our credentials, patience, and clear words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx

from engine.media.interactions import Unavailable

# These write down each address, and the addresses of GMS hold the ids that open chats.
for _talker in ("httpx", "httpcore"):
    logging.getLogger(_talker).setLevel(logging.WARNING)

PATIENCE: Final = httpx.Timeout(10.0, connect=3.0)
"""Seconds that an answer may take, and a connection before it."""
PAUSES: Final = (0.2, 0.6)
"""Seconds before a question is asked again."""
ANSWER_AT_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GmsAddress:
    """Where a GMS is, such as ``https://gms.example/genesys``, and who we are to it.

    Credentials are never part of the address, of a log line or of an error.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    apikey: str = field(default="", repr=False)


class GmsClient:
    """Asks one GMS. What can be asked twice without harm is asked three times at most."""

    def __init__(
        self, address: GmsAddress, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._host = urlsplit(address.url).netloc
        self._client = httpx.AsyncClient(
            base_url=address.url.rstrip("/"),
            auth=httpx.BasicAuth(address.user, address.password) if address.user else None,
            headers={"apikey": address.apikey} if address.apikey else None,
            timeout=PATIENCE,
            follow_redirects=False,
            transport=transport,
        )

    async def ask(
        self, method: str, path: str, values: Mapping[str, object], *, user: str, again: bool
    ) -> tuple[int, Any]:
        """Status and value of an answer below 500. Raises Unavailable, with its reason in words.

        ``again`` says that asking twice is harmless; a connection that was not made is always
        tried again, for nothing has been said yet.
        """
        for pause in (*PAUSES, None):
            try:
                return await self._ask(method, path, values, user)
            except (httpx.HTTPError, _Broken) as problem:
                if pause is None or not (again or isinstance(problem, httpx.ConnectError)):
                    raise Unavailable(f"GMS at {self._host} {_words(problem)}.") from None
                await asyncio.sleep(pause)
        raise AssertionError("the last pause is None")

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def _ask(
        self, method: str, path: str, values: Mapping[str, object], user: str
    ) -> tuple[int, Any]:
        found = await self._client.request(
            method,
            path,
            **_said(method, values),
            headers={"gms_user": quote(user)} if user else None,
        )
        if found.status_code in (401, 403):
            raise _Broken("does not accept our credentials (OVERTURE_GMS_USER, .._PASSWORD)")
        if found.status_code >= 500 or found.is_redirect:
            raise _Broken(f"answers {found.status_code}")
        if len(found.content) > ANSWER_AT_MOST:
            raise _Broken("answers more than 1 MB")
        try:
            return found.status_code, found.json() if found.content else {}
        except ValueError:
            raise _Broken("answers something that is not JSON, as a wrong address would") from None


def _said(method: str, values: Mapping[str, object]) -> dict[str, Any]:
    """Where the values go: into the address, a form, or JSON when a form can not hold them."""
    if method not in ("POST", "PUT"):
        return {"params": dict(values)}
    flat = all(isinstance(value, str) for value in values.values())
    return {"data" if flat else "json": dict(values)}


class _Broken(Exception):
    """An answer that is none: the text says what it was."""


def _words(problem: Exception) -> str:
    match problem:
        case _Broken():
            return str(problem)
        case httpx.ConnectTimeout() | httpx.ConnectError():
            return "can not be reached"
        case httpx.TimeoutException():
            return "does not answer in time"
    return "broke the connection off"
