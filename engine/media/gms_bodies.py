"""What GMS widgets send: the documented scenarios and the bodies of chat, version 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from engine.media.medium import Scenario


def _scenario(direction: str, waits: str, medium: str) -> Scenario:
    return {
        "_call_direction": direction,
        "_wait_for_agent": waits,
        "_wait_for_user_confirm": waits,
        "_media_type": medium,
    }


CHATS: Final[Mapping[str, Scenario]] = {
    "CHAT-NOW": _scenario("USERORIGINATED", "false", "chat"),
    "CHAT-WAIT": _scenario("USERORIGINATED", "true", "chat"),
}

Id = Annotated[str, Field(max_length=200)]
Token = Annotated[str, Field(max_length=1_000)]
Position = Annotated[int, Field(ge=0, le=1_000_000)]

_YES_OR_NO: Final = ("true", "false")


class Person(BaseModel):
    """Who starts something, from where. Unknown values are the customer's tokens."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Token]

    visit: Id = Field(alias="visitID", default="")
    page: Id = Field(alias="pageID", default="")
    webengagement: Token | None = None
    invitation: Token | None = None
    first_name: Token = ""
    last_name: Token = ""

    @property
    def name(self) -> str:
        """The whole name; empty when nothing was said."""
        return f"{self.first_name} {self.last_name}".strip()

    def customer(self) -> dict[str, str]:
        """What the widget said of the person, as it said it."""
        names = {"first_name": self.first_name, "last_name": self.last_name}
        return {name: value for name, value in names.items() if value} | self.__pydantic_extra__


class StartBody(Person):
    """The parameters that a scenario expands to, with those of the person."""

    media_type: str = Field(alias="_media_type")
    call_direction: str = Field(alias="_call_direction")
    wait_for_agent: str = Field(alias="_wait_for_agent")
    wait_for_user_confirm: str = Field(alias="_wait_for_user_confirm")
    provide_code: str = Field(alias="_provide_code", default="false")

    @field_validator("media_type")
    @classmethod
    def _chat(cls, value: str) -> str:
        if value != "chat":
            raise ValueError(
                'Only chat is served here (_media_type "chat"): use the scenario CHAT-NOW or'
                " CHAT-WAIT, VOICE scenarios are not available."
            )
        return value

    @field_validator("call_direction")
    @classmethod
    def _by_user(cls, value: str) -> str:
        if value != "USERORIGINATED":
            raise ValueError("_call_direction must be USERORIGINATED for a chat.")
        return value

    @model_validator(mode="after")
    def _said_plainly(self) -> StartBody:
        for value in (self.wait_for_agent, self.wait_for_user_confirm):
            if value not in _YES_OR_NO:
                raise ValueError(
                    "_wait_for_agent and _wait_for_user_confirm are true or false:"
                    " both false for CHAT-NOW, both true for CHAT-WAIT."
                )
        if self.provide_code not in ("", "false"):
            raise ValueError("_provide_code must be false: a chat has no access code.")
        return self

    @property
    def waits(self) -> bool:
        """Does the person wait for the agent before the conversation is opened?"""
        return self.wait_for_agent == "true"


class RefreshBody(BaseModel):
    """Where the visitor's transcript stands: the last position that they have; 0 for none."""

    position: Position = Field(alias="transcriptPosition", default=0)


class SendBody(RefreshBody):
    """One message of the visitor, and where their transcript stands."""

    message: str = Field(min_length=1, max_length=4_000)


Notice = Literal["Notice.Joined", "Notice.Left"]

NOTICES: Final[Mapping[str, str]] = {
    "Notice.Joined": "has joined the session",
    "Notice.Left": "has left the session",
}
"""What a notice says where it has no text of its own."""

PARTIES: Final = {"visitor": ("1", "CLIENT"), "agent": ("2", "AGENT"), "system": ("0", "EXTERNAL")}
"""Number and kind of each party in a transcript of version 1."""
