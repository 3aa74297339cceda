"""Channels: where a notification goes in the page, and what its data must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from engine.vocabulary.kinds import TEXT, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel: its fields, those it cannot do without, and whether a visitor can answer."""

    name: str
    meaning: str
    fields: Mapping[str, Kind]
    required: frozenset[str]
    answerable: bool
    example: str


APPEND_CONTENT: Final = "gpe.appendContent"

CHANNELS: Final = MappingProxyType(
    {
        channel.name: channel
        for channel in (
            Channel(
                name=APPEND_CONTENT,
                meaning="A page of an allowed origin appears in a frame of the visitor's page.",
                fields={"url": TEXT, "method": TEXT, "container": TEXT},
                required=frozenset({"url"}),
                answerable=True,
                example='gpe.appendContent { url: "/frontend/resources/inviteGMS.html" }',
            ),
        )
    }
)
"""The built-in channels by name; the prefix ``gpe.`` is theirs."""

MEDIA: Final = MappingProxyType(
    {"chat": "A conversation in writing.", "callback": "The visitor is called back."}
)
"""The built-in media and what they are; a book may declare more."""

RESERVED_PREFIX: Final = "gpe."
