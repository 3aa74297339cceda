"""Chat v2 over CometD, channel ``/service/chatV2/{service}``: what is published, and its news.

The channel is that of GMS. The names of the operations are ours where GMS has not published its
own: ``requestChat`` and ``sendMessage`` are what public clients send, the rest is the REST
interface's. An operation is answered on its channel as the REST interface answers it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from engine.media.bodies import Unreadable, texts
from engine.media.gms_answers import REFUSALS, refusal
from engine.media.gms_chat2 import ACTIONS, Asked, Tell, Told, failed
from engine.media.interactions import Refused

_START: Final = "requestChat"
_OPERATIONS: Final = {_START: "", "sendMessage": "send"} | {name: name for name in ACTIONS}
_UNSERVED: Final[Mapping[str, str]] = {
    "fileUpload": "Files can not be sent in this chat: say in words what is in it.",
    "customNotice": "Notices of your own are not carried: send a message instead.",
}
_PROOF: Final = ("chatId", "userId", "alias", "secureKey")
# A segment of an address elsewhere: no slash, and nothing that means a folder.
_SEGMENT: Final = re.compile(r"[^/.][^/]{0,199}")
_PREFIX: Final = "/service/chatV2/"


def service_of(channel: object) -> str:
    """The service that a channel of chat v2 names; '' for any other."""
    if not isinstance(channel, str) or not channel.startswith(_PREFIX):
        return ""
    service = channel.removeprefix(_PREFIX)
    return service if _SEGMENT.fullmatch(service) else ""


class SecondChat:
    """The one chat v2 of a session: the last that an operation proved, until it ends."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._channel = ""
        self._proof: Mapping[str, str] = {}
        self._position = 1

    async def do(self, message: Mapping[str, Any], user: str, address: str) -> Told:
        """Do what is published; its answer, or the refusal."""
        channel = message["channel"]
        try:
            asked = self._asked(service_of(channel), message.get("data"), user, address)
            status, told = await self._tell(asked)
        except REFUSALS as error:
            _, said, word = refusal(error)
            return failed(said, word)
        if not _is_over(status, told):
            source = {**asked.values, "chatId": asked.chat} if asked.chat else told
            self._hear(channel, {name: str(source.get(name, "")) for name in _PROOF}, told)
        return told

    async def news(self) -> list[dict[str, Any]]:
        """What came since, as messages of the channel. Raises ``REFUSALS``."""
        proof, channel, position = self._proof, self._channel, self._position
        if not proof:
            return []
        asked = _asked_again(service_of(channel), proof, position)
        status, told = await self._tell(asked)
        if proof is not self._proof or position != self._position:
            return []  # another request was quicker
        over = _is_over(status, told)
        if over:
            self._proof = {}
        self._position = _next(told, position)
        return [{"channel": channel, "data": dict(told)}] if over or told.get("messages") else []

    def leave(self, channel: object) -> None:
        """Hear nothing more there."""
        if channel == self._channel:
            self._proof = {}

    def _asked(self, service: str, data: object, user: str, address: str) -> Asked:
        if not isinstance(data, dict):
            raise Unreadable(415, "malformed", "data must be an object with an operation.")
        values = _flat(data)
        operation = values.pop("operation", "")
        if operation in _UNSERVED:
            raise Refused("unserved", _UNSERVED[operation])
        action = _OPERATIONS.get(operation)
        if action is None:
            names = ", ".join(_OPERATIONS)
            raise Unreadable(415, "malformed", f"operation is one of {names}.")
        if action and values.get("secureKey") == self._proof.get("secureKey"):
            values = {**self._proof, **values}  # who has the key needs not repeat the rest
        chat = values.pop("chatId", "") if action else ""
        if action and not _SEGMENT.fullmatch(chat):
            raise Unreadable(415, "malformed", "chatId is missing, or none of requestChat.")
        return Asked(
            service=service, chat=chat, action=action, values=values, user=user, address=address
        )

    def _hear(self, channel: str, proof: Mapping[str, str], told: Told) -> None:
        if proof["secureKey"] and (channel, proof) != (self._channel, self._proof):
            self._channel, self._proof, self._position = channel, proof, _next(told, 1)


def _asked_again(service: str, proof: Mapping[str, str], position: int) -> Asked:
    values = {name: proof[name] for name in _PROOF if name != "chatId"}
    values["transcriptPosition"] = str(position)
    chat = proof["chatId"]
    return Asked(service=service, chat=chat, action="refresh", values=values, user="", address="")


def _flat(data: Mapping[str, Any]) -> dict[str, str]:
    """The values as a form says them: ``userData`` may be an object. Raises Unreadable (415)."""
    said = dict(data)
    own = said.pop("userData", None)
    if isinstance(own, dict):
        said |= {f"userData[{name}]": value for name, value in own.items()}
    return texts(said)


def _is_over(status: int, told: Told) -> bool:
    return status >= 400 or told.get("statusCode", 0) != 0 or told.get("chatEnded") is True


def _next(told: Told, position: int) -> int:
    """Where to go on: GMS names it, but not in its answer to a start."""
    shown = [int(one["index"]) for one in told.get("messages") or () if "index" in one]
    return int(told.get("nextPosition") or max(shown, default=position - 1) + 1)
