"""The medium ``gms``: chats and callbacks that a GMS elsewhere carries, through this server.

Widgets speak to us as if we were that GMS, so that its credentials never reach a browser, and the
strategy's attached data is put in by whom the visitor can not pretend to be. What was started is on
record here by the digest of its id: this server opens what it started itself, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.media import gms_chat2
from engine.media.bodies import address, fields, model
from engine.media.conversations import ELSEWHERE, GMS, GMS_CALLBACK, Conversations, Wish
from engine.media.desk import Authorised
from engine.media.gms_answers import Shown, answer, gms_user, guarded, mistake, root
from engine.media.gms_bodies import SCENARIOS, CancelBody, Person
from engine.media.gms_chat2 import Asked, Told, asked_by
from engine.media.gms_client import GmsClient
from engine.media.gms_cometd import Cometd
from engine.media.gms_menus import DISPLAY_MENU, Asking
from engine.media.interactions import Draft, Interaction, Refused, Unknown
from engine.media.medium import Kind, Known, Scenario, Started, known

SERVICE: Final = "overture"
"""The service that is started where no widget names one."""

_FIRST: Final = "/1/service"
_SECOND: Final = "/2/chat"
_OUTCOMES: Final = {"CANCELLED": "cancelled", "FAILED": "failed"}
_HARMLESS: Final = frozenset(
    {"", "refresh", "disconnect", "check-queue-position", "startTyping", "stopTyping"}
)
"""What can be posted twice with the same result."""
_ADDRESSES: Final = frozenset({"_start_chat_url", "_user_action_url", "_url"})
_NAME: Final = "GMS"


class GmsRelay:
    """The medium ``gms``. What the GMS elsewhere refuses is handed on as it says it."""

    word = GMS
    kind: Kind = "second-party"
    scenarios: Mapping[str, Scenario] = SCENARIOS

    def __init__(
        self, conversations: Conversations, client: GmsClient, *, authorised: Authorised
    ) -> None:
        self._conversations = conversations
        self._client = client
        self._authorised = authorised
        self._cometd = Cometd(self.shown, self.tell)
        self._asking: Asking[Draft] = Asking(conversations.store.clock)
        conversations.agents.know(self.word)

    def availability(self) -> int:
        """Agents who are said to be ready for ``gms``: by whom knows, over the desk's interface."""
        return self._conversations.agents.ready(self.word)

    async def start(self, wish: Wish) -> Started:
        """A chat at GMS. Raises Refused with its sentence."""
        values = {**SCENARIOS["CHAT-NOW"], **wish.customer, "first_name": wish.nickname}
        draft = await self._conversations.draft(replace(wish, medium=self.word))
        path = f"{_FIRST}/callback/{SERVICE}"
        status, told = await self._begun(path, values, draft, user=wish.nickname)
        if status >= 400 or "_id" not in told:
            sentence = told.get("message") if isinstance(told, dict) else None
            raise Refused("gms", str(sentence or f"GMS answers {status}."))
        if told.get("_action") == DISPLAY_MENU:
            raise Refused("menu", f"The service {SERVICE} of GMS asks first, and nobody is here.")
        return Started(key=told["_id"], interaction=await self._found(told["_id"]))

    async def known(self, key: str) -> Known:
        """What was last heard of it."""
        return known(await self._found(key))

    async def end(self, key: str) -> Known:
        """The visitor leaves, there and here."""
        found = await self._found(key)
        if found.state != "ended":
            path = f"{_FIRST}/{quote(key, safe='')}/ixn/chat/disconnect"
            await self._client.ask("POST", path, {}, user="", again=True)
        return known(await self._conversations.end_by_visitor(found))

    def routes(self) -> list[Route]:
        """The addresses of GMS, versions 1 and 2."""
        first, second = f"/genesys{_FIRST}", f"/genesys{_SECOND}"
        both, callback = ["GET", "POST"], f"/genesys{_FIRST}/callback"
        rows = [
            (callback, self._query, ["GET"]),
            (f"{callback}/{{service}}", self._start, ["POST"]),
            (f"{first}/request-chat", self._start, both),
            (f"{first}/request-interaction", self._start, both),
            (f"{callback}/{{service}}/availability", self._anybody, both),
            (f"{callback}/{{service}}/{{id}}", self._one, ["PUT", "DELETE"]),
            (f"{first}/{{id}}/{{action}}", self._one, both),
            (f"{first}/{{id}}/ixn/chat", self._one, ["POST"]),
            (f"{first}/{{id}}/ixn/chat/{{action}}", self._one, both),
            ("/genesys/1/admin/callback/queues", self._list, ["GET"]),
            ("/genesys/1/admin/callback/cancel", self._cancel_all, ["POST"]),
            (second + "/{service}", self._post2, ["POST"]),
            (second + "/{service}/{chat}/{action}", self._post2, ["POST"]),
        ]
        found = [
            Route(path, guarded(work, gms_chat2.mistake if second in path else mistake), methods=ms)
            for path, work, ms in rows
        ]
        return [*found, *self._cometd.routes()]

    async def shown(self, key: str, after: int) -> Shown:
        """The transcript after a position, as GMS shows it. Raises Unknown."""
        found = await self._found(key)
        path = f"{_FIRST}/{quote(key, safe='')}/ixn/chat/refresh"
        values = {"transcriptPosition": str(after)}
        status, told = await self._client.ask("POST", path, values, user="", again=True)
        await self._noted(found, status, told)
        if status >= 400:
            raise Unknown("There is no such chat.")
        shown: Shown = told
        return shown

    async def tell(self, asked: Asked) -> tuple[int, Told]:
        """An operation of chat v2, answered as GMS answers it. Raises ``REFUSALS``."""
        if not asked.action:
            return await self._begun2(asked)
        found = await self._found(asked.values.get("secureKey", ""))
        again = asked.action in _HARMLESS
        status, told = await self._client.ask(
            "POST", asked.path, asked.values, user=asked.user, again=again
        )
        await self._noted(found, status, told, by_visitor=asked.action == "disconnect")
        return status, told

    async def _start(self, request: Request) -> Response:
        values = await fields(request)
        calls = values.get("_media_type") == "voice" or "_phone_number" in values
        user = gms_user(request)
        medium = GMS_CALLBACK if calls else GMS
        wish = Person.model_validate(values).wish(medium, user, address(request))
        draft = await self._conversations.draft(wish)
        status, told = await self._begun(_path(request), values, draft, user=user)
        return answer(_ours(told, root(request)), status)

    async def _begun(
        self, path: str, values: Mapping[str, str], draft: Draft, *, user: str
    ) -> tuple[int, Any]:
        """Start it there with what we attach, and put it on record here."""
        said = {name: value for name, value in values.items() if name != "invitation"}
        attached = {name: _text(value) for name, value in draft.attached.items()}
        status, told = await self._client.ask("POST", path, said | attached, user=user, again=False)
        await self._kept(draft, status, told)
        return status, told

    async def _kept(self, draft: Draft, status: int, told: Any) -> None:
        """On record is what was started; who is asked first has started nothing yet."""
        if status >= 400 or not isinstance(told, dict) or not told.get("_id"):
            return
        key = str(told["_id"])
        if told.get("_action") == DISPLAY_MENU:
            self._asking.put(key, draft, draft.address)
        else:
            await self._conversations.begin(draft, key=key)

    async def _chosen(self, request: Request, draft: Draft) -> Response:
        """A choice of a menu: it may be of another medium than what the widget asked for."""
        status, told = await self._handed_on(request, again=False)
        if isinstance(told, dict) and told.get("_action"):
            await self._kept(replace(draft, medium=_medium(told, draft.medium)), status, told)
            if told["_action"] != DISPLAY_MENU:
                self._asking.drop(request.path_params["id"])
        return answer(_ours(told, root(request)), status)

    async def _one(self, request: Request) -> Response:
        """Whatever is asked of one chat or callback that was started here."""
        draft = self._asking.get(request.path_params["id"])
        if draft is not None:
            return await self._chosen(request, draft)
        found = await self._found(request.path_params["id"])
        action = request.path_params.get("action", "")
        status, told = await self._handed_on(
            request, again=request.method != "POST" or action in _HARMLESS
        )
        await self._noted(found, status, told, by_visitor=action == "disconnect")
        return answer(_ours(told, root(request)), status)

    async def _query(self, request: Request) -> Response:
        key = request.query_params.get("_id")
        if key is None:
            await self._authorised(request)
        found = await self._found(key) if key is not None else None
        status, told = await self._handed_on(request, again=True)
        if found is not None and isinstance(told, list) and told:
            await self._noted(found, status, told[0])
        return answer(_ours(told, root(request)), status)

    async def _anybody(self, request: Request) -> Response:
        status, told = await self._handed_on(request, again=True)
        return answer(told, status)

    async def _list(self, request: Request) -> Response:
        await self._authorised(request)
        status, told = await self._handed_on(request, again=True)
        return answer(_ours(told, root(request)), status)

    async def _cancel_all(self, request: Request) -> Response:
        await self._authorised(request)
        values = (await model(request, CancelBody, wrong=415)).model_dump()
        user = gms_user(request)
        status, told = await self._client.ask("POST", _path(request), values, user=user, again=True)
        return answer(told, status)

    async def _post2(self, request: Request) -> Response:
        status, told = await self.tell(await asked_by(request))
        return answer(told, status)

    async def _begun2(self, asked: Asked) -> tuple[int, Told]:
        wish = gms_chat2.StartBody.model_validate(asked.values).wish(asked.address)
        draft = await self._conversations.draft(replace(wish, medium=self.word))
        values = asked.values.items()
        said = {name: value for name, value in values if name != "userData[invitation]"}
        said |= {f"userData[{name}]": _text(value) for name, value in draft.attached.items()}
        user = asked.user
        status, told = await self._client.ask("POST", asked.path, said, user=user, again=False)
        if status < 400 and told.get("secureKey"):
            await self._conversations.begin(draft, key=str(told["secureKey"]))
        return status, told

    async def _handed_on(self, request: Request, *, again: bool) -> tuple[int, Any]:
        values, user = await fields(request), gms_user(request)
        return await self._client.ask(
            request.method, _path(request), values, user=user, again=again
        )

    async def _found(self, key: str) -> Interaction:
        found = await self._conversations.visitor(key)
        if found.medium not in ELSEWHERE:
            raise Unknown("There is no such chat.")
        return found

    async def _noted(
        self, found: Interaction, status: int, told: Any, *, by_visitor: bool = False
    ) -> None:
        """Keep what an answer says of where it stands: somebody has it, or it is over."""
        if found.state == "ended":
            return
        if status == 404:
            await self._conversations.end_elsewhere(found)
            return
        if status >= 400 or not isinstance(told, dict):
            return
        agent = _agent(told)
        if agent and found.agent is None:
            await self._conversations.answered_elsewhere(found, f"{agent} ({_NAME})")
        if told.get("chatIxnState") == "DISCONNECTED" or told.get("chatEnded") is True:
            end = self._conversations.end_by_visitor if by_visitor else None
            await (end or self._conversations.end_elsewhere)(found)
        elif told.get("_callback_state") == "COMPLETED":
            outcome = _OUTCOMES.get(str(told.get("_callback_reason")), "done")
            await self._conversations.end_elsewhere(found, outcome)


def _medium(told: Mapping[str, Any], asked: str) -> str:
    """What a choice has started, as far as its answer says it; else what was asked for."""
    if told.get("_action") == "StartChat" or "_chat_parameters" in told:
        return GMS
    return GMS_CALLBACK if told.get("_action") == "DialNumber" else asked


def _path(request: Request) -> str:
    """The address as GMS has it, below its own root."""
    return quote(request.url.path.removeprefix("/genesys"), safe="/%")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _agent(told: Mapping[str, Any]) -> str | None:
    """Who answers there, as far as an answer of either version says it."""
    for line in told.get("transcriptToShow") or ():
        if len(line) > 4 and line[4] == "AGENT":
            return str(line[1])
    for message in told.get("messages") or ():
        if message.get("from", {}).get("type") == "Agent":
            return str(message["from"].get("nickname", _NAME))
    return _NAME if told.get("_callback_state") == "PROCESSING" else None


def _ours(value: Any, base: str) -> Any:
    """An answer whose addresses lead here, and not past us to where credentials are asked for."""
    if isinstance(value, list):
        return [_ours(one, base) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _ours(one, base) for name, one in value.items()}
    for name in _ADDRESSES & set(found):
        place = str(found[name]).partition("/genesys/")[2]
        found[name] = f"{base}/genesys/{place}"
    if "_comet_url" in found:
        found["_comet_url"] = f"{base}/genesys/cometd/{quote(str(found.get('_id', '')), safe='')}"
    return found
