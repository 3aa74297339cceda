"""Settings: from the environment (OVERTURE_*), overruled by flags, checked once, then frozen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

PORT: Final = 9081
_TOKEN_LENGTH: Final = 16


class SettingsError(Exception):
    """A setting that cannot be used: one sentence with the name of the setting and the way out."""


class Settings(BaseModel):
    """Everything that is set from outside. ``port`` 0 takes any free one.

    ``origins`` are the origins of pages on other hosts that may use this server, for example
    ``https://shop.example.com``. ``token`` is the credential of systems that push notifications,
    read history or answer chats. Entries of the journal are kept for ``journal_days``, and as many
    as fit into ``journal_gb``: what is over either goes, oldest first. A visit ends when
    ``visit_hours`` pass without an event of it. Visitors are called back in ``callback_hours``
    (written as in a strategy) of ``callback_zone`` (empty: that of the book), in slots of
    ``callback_minutes`` with ``callback_capacity`` calls each, up to ``callback_days`` ahead;
    ``callback_number`` is what they may call themselves. What the medium ``webhook`` starts is told
    to ``webhook_url``, signed with ``webhook_secret``. With ``gms_url``, such as
    ``https://gms.example.com/genesys``, the interface of GMS is carried by that one, to which we
    are ``gms_user`` with ``gms_password``, or who has ``gms_apikey``; without it, ``gms_menus`` is
    the file of the menus that our own services show. An invitation to a third
    party opens ``third_party_url`` with a token that is signed with ``third_party_secret``.
    A visitor has ``chats_per_visitor`` conversations open at most; all who are no visitor of ours
    and come from one address, ``chats_per_address``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=PORT, ge=0, le=65535)
    book: Path = Path("strategies")
    data: Path = Path("overture-data")
    token: SecretStr | None = None
    origins: tuple[str, ...] = ()
    journal_days: float = Field(default=30, gt=0, le=36_500)
    journal_gb: float = Field(default=10, gt=0, le=1_000_000)
    visit_hours: float = Field(default=24, ge=0.01, le=8_760)

    callback_hours: str = "Mon-Fri 09:00-17:00"
    callback_zone: str = ""
    callback_minutes: int = Field(default=15, ge=5, le=240)
    callback_capacity: int = Field(default=2, ge=1, le=10_000)
    callback_days: int = Field(default=7, ge=1, le=60)
    third_party_url: str = ""
    third_party_secret: SecretStr | None = None
    gms_url: str = ""
    gms_user: str = ""
    gms_password: SecretStr = SecretStr("")
    gms_apikey: SecretStr = SecretStr("")
    gms_menus: Path | None = None
    callback_number: str = Field(default="", pattern=r"^(\+?[0-9]{3,20})?$")

    chats_per_visitor: int = Field(default=5, ge=1, le=1_000)
    chats_per_address: int = Field(default=10, ge=1, le=5_000)
    webhook_url: str = ""
    webhook_secret: SecretStr | None = None

    @field_validator("origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            bare = f"{parts.scheme}://{parts.netloc}"
            if parts.scheme not in ("http", "https") or origin.rstrip("/") != bare:
                raise ValueError(f"'{origin}' is not like https://shop.example.com")
        return value

    @field_validator("webhook_url")
    @classmethod
    def _is_private(cls, value: str) -> str:
        parts = urlsplit(value)
        near = parts.hostname in ("127.0.0.1", "localhost", "::1")
        schemes = ("http", "https") if near else ("https",)
        if value and not (parts.hostname and parts.scheme in schemes):
            raise ValueError("write an address like https://receiver.example.com/engagements")
        return value

    @field_validator("gms_url", "third_party_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or "@" in value):
            raise ValueError(
                "it is an address like https://gms.example.com/genesys, without a name in it"
            )
        return value

    @field_validator("token", "webhook_secret", "third_party_secret")
    @classmethod
    def _is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _TOKEN_LENGTH:
            raise ValueError(f"use at least {_TOKEN_LENGTH} characters that nobody can guess")
        return value


_WHOLE: Final = {
    "callback_minutes": "5 to 240",
    "callback_capacity": "1 to 10000",
    "callback_days": "1 to 60",
    "chats_per_visitor": "1 to 1000",
    "chats_per_address": "1 to 5000",
}

_VARIABLES: Final[Mapping[str, str]] = {
    "OVERTURE_HOST": "host",
    "OVERTURE_PORT": "port",
    "OVERTURE_BOOK": "book",
    "OVERTURE_DATA": "data",
    "OVERTURE_API_TOKEN": "token",
    "OVERTURE_ORIGINS": "origins",
    "OVERTURE_JOURNAL_DAYS": "journal_days",
    "OVERTURE_JOURNAL_GB": "journal_gb",
    "OVERTURE_VISIT_HOURS": "visit_hours",
    "OVERTURE_CALLBACK_HOURS": "callback_hours",
    "OVERTURE_CALLBACK_ZONE": "callback_zone",
    "OVERTURE_CALLBACK_MINUTES": "callback_minutes",
    "OVERTURE_CALLBACK_CAPACITY": "callback_capacity",
    "OVERTURE_CALLBACK_DAYS": "callback_days",
    "OVERTURE_CALLBACK_NUMBER": "callback_number",
    "OVERTURE_CHATS_PER_VISITOR": "chats_per_visitor",
    "OVERTURE_CHATS_PER_ADDRESS": "chats_per_address",
    "OVERTURE_WEBHOOK_URL": "webhook_url",
    "OVERTURE_WEBHOOK_SECRET": "webhook_secret",
    "OVERTURE_THIRD_PARTY_URL": "third_party_url",
    "OVERTURE_THIRD_PARTY_SECRET": "third_party_secret",
    "OVERTURE_GMS_URL": "gms_url",
    "OVERTURE_GMS_USER": "gms_user",
    "OVERTURE_GMS_PASSWORD": "gms_password",
    "OVERTURE_GMS_APIKEY": "gms_apikey",
    "OVERTURE_GMS_MENUS": "gms_menus",
}


def settings(environment: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """Read the settings; a flag that is None was not given. Raises SettingsError."""
    names = {field: variable for variable, field in _VARIABLES.items()}
    values: dict[str, Any] = {
        field: environment[variable]
        for variable, field in _VARIABLES.items()
        if environment.get(variable)
    }
    given = {field: value for field, value in flags.items() if value is not None}
    try:
        return Settings(**(values | given))
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0])
        name = f"--{field}" if field in given else names.get(field, field)
        reason = first["msg"].removeprefix("Value error, ")
        if field == "port":
            reason = "a port is a number from 0 to 65535"
        elif field.startswith("journal_"):
            reason = "it is a number above 0, for example 30 or 0.5"
        elif field == "visit_hours":
            reason = "it is a number of hours from 0.01 to 8760, for example 24 or 0.5"
        elif field == "callback_number":
            reason = "it is a telephone number, digits alone, for example +4930123456"
        elif field in _WHOLE:
            reason = f"it is a whole number from {_WHOLE[field]}"
        raise SettingsError(f"{name} cannot be used: {reason}.") from None
