"""What GMS widgets send: the documented scenarios and the bodies of version 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from engine.media.conversations import VISITOR, Wish
from engine.media.medium import Scenario


def _scenario(direction: str, waits: str, medium: str) -> Scenario:
    return {
        "_call_direction": direction,
        "_wait_for_agent": waits,
        "_wait_for_user_confirm": waits,
        "_media_type": medium,
    }


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "VOICE-NOW-USERORIG": _scenario("USERORIGINATED", "false", "voice"),
    "VOICE-WAIT-USERORIG": _scenario("USERORIGINATED", "true", "voice"),
    "VOICE-NOW-USERTERM": _scenario("USERTERMINATED", "false", "voice"),
    "VOICE-WAIT-USERTERM": _scenario("USERTERMINATED", "true", "voice"),
    # The same with the parameter _desired_time.
    "VOICE-SCHEDULED-USERTERM": _scenario("USERTERMINATED", "true", "voice"),
    "CHAT-NOW": _scenario("USERORIGINATED", "false", "chat"),
    "CHAT-WAIT": _scenario("USERORIGINATED", "true", "chat"),
}

CHATS: Final = {name: one for name, one in SCENARIOS.items() if one["_media_type"] == "chat"}
CALLS: Final = {name: one for name, one in SCENARIOS.items() if one["_media_type"] == "voice"}

Id = Annotated[str, Field(max_length=200)]
Token = Annotated[str, Field(max_length=1_000)]
Position = Annotated[int, Field(ge=0, le=1_000_000)]


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

    def wish(self, medium: str, user: str, address: str) -> Wish:
        """The same for the rules of conversations; ``user`` names who says no name."""
        name = f"{self.first_name} {self.last_name}".strip()
        return Wish(
            medium=medium,
            visit=self.visit or None,
            page=self.page or None,
            nickname=(name or user or VISITOR)[:100],
            webengagement=self.webengagement,
            invitation=self.invitation,
            customer=self.customer(),
            address=address,
        )

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
    number: Token = Field(alias="_customer_number", default="")
    desired_time: Token = Field(alias="_desired_time", default="")

    @field_validator("media_type")
    @classmethod
    def _is_served(cls, value: str) -> str:
        if value not in ("chat", "voice"):
            raise ValueError("_media_type is chat or voice.")
        return value

    @field_validator("wait_for_agent", "wait_for_user_confirm", "provide_code")
    @classmethod
    def _is_said_plainly(cls, value: str, about: ValidationInfo) -> str:
        if value not in ("true", "false") and (value or about.field_name != "provide_code"):
            name = f"_{about.field_name}"
            raise ValueError(f"{name} is true (it waits, as in CHAT-WAIT) or false (CHAT-NOW).")
        return value

    @model_validator(mode="after")
    def _is_a_scenario(self) -> StartBody:
        if self.call_direction not in ("USERORIGINATED", "USERTERMINATED"):
            raise ValueError("_call_direction is USERORIGINATED or USERTERMINATED.")
        if self.media_type == "chat":
            if self.call_direction != "USERORIGINATED":
                raise ValueError("_call_direction must be USERORIGINATED for a chat.")
            if self.wants_code:
                raise ValueError("_provide_code must be false: a chat has no access code.")
        elif not self.number:
            raise ValueError("_customer_number is missing.")
        return self

    @property
    def waits(self) -> bool:
        """Does the person wait for the agent before the conversation is opened?"""
        return self.wait_for_agent == "true"

    @property
    def is_dialled(self) -> bool:
        """Does the person call us, rather than we them?"""
        return self.call_direction == "USERORIGINATED"

    @property
    def wants_code(self) -> bool:
        """Is a code to be told, by which the call is recognised?"""
        return self.provide_code == "true"

    def customer(self) -> dict[str, str]:
        """With the number, as it was said."""
        number = {"_customer_number": self.number} if self.number else {}
        return super().customer() | number


class RequestBody(Person):
    """The built-in service that gives a number to call; it has its own word for the caller's."""

    number: str = Field(alias="_phone_number", min_length=1, max_length=1_000)

    def customer(self) -> dict[str, str]:
        """With the number, as it was said."""
        return super().customer() | {"_phone_number": self.number}


class MoveBody(BaseModel):
    """Another time for a callback."""

    desired_time: str = Field(alias="_desired_time", min_length=1, max_length=100)


class CancelBody(BaseModel):
    """Several callbacks that are not wanted any more, and why."""

    reason: Token = ""
    ids: Annotated[list[Id], Field(max_length=1_000)]


class ChoiceBody(BaseModel):
    """Which line of a menu was chosen, counted from 1."""

    choice: int


class RefreshBody(BaseModel):
    """Where the visitor's transcript stands: the last position that they have; 0 for none."""

    position: Position = Field(alias="transcriptPosition", default=0)


class SendBody(RefreshBody):
    """One message of the visitor, and where their transcript stands."""

    message: str = Field(min_length=1, max_length=4_000)


NOTICES: Final[Mapping[str, str]] = {
    "Notice.Joined": "has joined the session",
    "Notice.Left": "has left the session",
}
"""What a notice says where it has no text of its own."""

PARTIES: Final = {"visitor": ("1", "CLIENT"), "agent": ("2", "AGENT"), "system": ("0", "EXTERNAL")}
"""Number and kind of each party in a transcript of version 1."""
