"""What one step gives back: the new memory, what to send, and a decision with its reason.

These values are made for every message, so they are the cheapest frozen thing there is: tuples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from engine.runtime.visitor import Visitor

Reason = Literal[
    "when",
    "unless",
    "inactive",
    "hours",
    "audience",
    "page-gone",
    "one-at-a-time",
    "limit",
    "lower-priority",
    "guarantee",
    "expired",
]
"""Why a completed rule did not send, in the order in which they are checked."""


class Send(NamedTuple):
    """One message that leaves for one page.

    ``id`` is ``visit/strategy/n`` with n counting the sends of that strategy in that visit, so a
    message that is decided twice after a crash has the same id both times. ``answerable`` says
    whether a disposition can come back. ``attach`` travels with the medium's interaction. What has
    not left the server ``valid_for`` ms after its time is dropped.
    """

    id: str
    page: str | None
    channel: str
    data: Mapping[str, Any]
    strategy: str
    group: str | None
    message: str
    answerable: bool
    attach: Mapping[str, Any]
    valid_for: int = 30_000

    def notification(self) -> dict[str, Any]:
        """The message as the documented wire shape ``{page, channel, data}``."""
        return {"page": self.page, "channel": self.channel, "data": dict(self.data)}


class Batch(NamedTuple):
    """All messages that one moment caused for one visit: they leave as one array."""

    time: int
    visit: str
    sends: tuple[Send, ...]

    def payload(self) -> str:
        """The JSON array that reaches the page, byte for byte as the document shows it."""
        return json.dumps([send.notification() for send in self.sends], ensure_ascii=False)


class Decision(NamedTuple):
    """What became of one completed rule with a ``send``: sent, or refused with a reason.

    ``rule`` is the place of the rule in its strategy, from 0. ``event`` is the name of the
    completing event. ``sends`` are the ids of the messages; empty when refused.
    """

    time: int
    visit: str
    page: str | None
    event: str
    strategy: str
    rule: int
    reason: Reason | None
    sends: tuple[str, ...]


class Breach(NamedTuple):
    """A guarantee whose forbidden behaviour was seen to its end."""

    time: int
    visit: str
    event: str
    guarantee: str


class Outcome(NamedTuple):
    """The result of a step. ``visitor`` replaces the memory that went in."""

    visitor: Visitor
    batches: tuple[Batch, ...]
    decisions: tuple[Decision, ...]
    breaches: tuple[Breach, ...] = ()
