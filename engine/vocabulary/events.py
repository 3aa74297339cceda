"""Events: the value that travels through every room, its envelope, and the built-in ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import msgspec

from engine.vocabulary.kinds import BOOLEAN, DURATION, NUMBER, TEXT, Kind

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, as the server accepted it.

    ``time`` is the server's receive time in milliseconds; the browser's own clock is only data.
    ``visitor`` is the globalVisitID, ``visit`` the visitID, ``page`` the pageID of the wire.
    What came from outside with this event, as recorded when it was accepted, so that a replay sees
    the same numbers: ``agents`` are free agents by medium, ``pacing`` probabilities by medium, and
    ``draw`` a number in [0, 1) that pacing is compared with. A medium that is not there is missing.
    """

    name: str
    time: int
    visitor: str
    visit: str
    page: str | None = None
    id: str | None = None
    url: str | None = None
    title: str | None = None
    language: str | None = None
    category: str | None = None
    data: Mapping[str, Any] = NOTHING
    agents: Mapping[str, int] = NOTHING
    pacing: Mapping[str, float] = NOTHING
    draw: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The clock reached ``time`` for a visitor: due timers fire, nothing else happens."""

    time: int
    agents: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    pacing: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    draw: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """Messages ``sends`` (ids) never left the server within their time: they no longer count."""

    time: int
    sends: tuple[str, ...]


Moment = Event | Tick | Expiry
"""What a step takes: something happened, the clock moved, or messages expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEvent:
    """A built-in event: its name, what it means, and the fields its data may carry."""

    name: str
    meaning: str
    fields: Mapping[str, Kind]


VISIT_STARTED: Final = "VisitStarted"
PAGE_ENTERED: Final = "PageEntered"
PAGE_EXITED: Final = "PageExited"
SIGN_IN: Final = "SignIn"
SIGN_OUT: Final = "SignOut"
USER_INFO: Final = "UserInfo"
INVITATION_SHOWN: Final = "InvitationShown"
INVITATION_ACCEPTED: Final = "InvitationAccepted"
INVITATION_REJECTED: Final = "InvitationRejected"
INVITATION_TIMED_OUT: Final = "InvitationTimedOut"
INTERACTION_STARTED: Final = "InteractionStarted"
INTERACTION_ENDED: Final = "InteractionEnded"

DISPOSITIONS: Final = frozenset({INVITATION_ACCEPTED, INVITATION_REJECTED, INVITATION_TIMED_OUT})
"""The three answers to an invitation; each ends its waiting."""

_INVITATION: Final = {"id": TEXT, "strategy": TEXT, "group": TEXT, "message": TEXT, "medium": TEXT}
_PERSON: Final = {"userId": TEXT, "userID": TEXT, "name": TEXT, "email": TEXT}

SYSTEM_EVENTS: Final[Mapping[str, SystemEvent]] = MappingProxyType(
    {
        event.name: event
        for event in (
            SystemEvent(
                name=VISIT_STARTED,
                meaning="A visit began: the first page of a browser session.",
                fields={"timezoneOffset": NUMBER, "referrer": TEXT, "userAgent": TEXT},
            ),
            SystemEvent(
                name=PAGE_ENTERED,
                meaning="A page was opened; each view has a pageID of its own.",
                fields={"referrer": TEXT},
            ),
            SystemEvent(
                name=PAGE_EXITED,
                meaning="A page was left; coming back makes a new page. `attention` is how long it "
                "was visible and had the focus.",
                fields={"attention": DURATION},
            ),
            SystemEvent(name=SIGN_IN, meaning="The site verified a login.", fields=_PERSON),
            SystemEvent(name=SIGN_OUT, meaning="The visitor signed out.", fields=_PERSON),
            SystemEvent(
                name=USER_INFO,
                meaning="The site recognised the visitor, or knows more of them.",
                fields=_PERSON | {"vip": BOOLEAN},
            ),
            SystemEvent(
                name=INVITATION_SHOWN,
                meaning="An invitation appeared on the page.",
                fields=_INVITATION,
            ),
            SystemEvent(
                name=INVITATION_ACCEPTED,
                meaning="The visitor accepted an invitation.",
                fields=_INVITATION,
            ),
            SystemEvent(
                name=INVITATION_REJECTED,
                meaning="The visitor declined or closed an invitation.",
                fields=_INVITATION,
            ),
            SystemEvent(
                name=INVITATION_TIMED_OUT,
                meaning="An invitation closed by itself without an answer.",
                fields=_INVITATION,
            ),
            SystemEvent(
                name=INTERACTION_STARTED,
                meaning="A medium started a conversation with the visitor.",
                fields=_INVITATION | {"interaction": TEXT},
            ),
            SystemEvent(
                name=INTERACTION_ENDED,
                meaning="A conversation with the visitor ended; a callback says how.",
                fields=_INVITATION | {"interaction": TEXT, "outcome": TEXT},
            ),
        )
    }
)

ENVELOPE: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "eventName": TEXT,
        "pageID": TEXT,
        "visitID": TEXT,
        "visitorID": TEXT,
        "url": TEXT,
        "path": TEXT,
        "host": TEXT,
        "title": TEXT,
        "language": TEXT,
        "category": TEXT,
    }
)
"""What ``event.X`` finds in the envelope, whatever the data hold; ``event.query.NAME`` as well."""
