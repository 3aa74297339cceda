"""The tree: what a book says, as frozen values, with the place of each in its text.

Spans come last and do not take part in equality, so that two texts with one meaning compare equal.
Every duration is a whole number of milliseconds. Stages after the parser only read this tree.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from engine.language.terms import (
    NOWHERE,
    Aggregate,
    Among,
    And,
    Arithmetic,
    Atom,
    Clock,
    Compare,
    Constant,
    Expr,
    Glob,
    InCategories,
    InHours,
    Known,
    List,
    Not,
    Or,
    Outside,
    Path,
    Record,
    Scope,
    Span,
    Window,
)
from engine.vocabulary.kinds import Kind

# ---------------------------------------------------------------- behaviour


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """``N times A``: the N youngest A."""

    count: int
    atom: Atom
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """``no A for D``. With ``same_page`` it is ``stays D``: only the own page's exit cancels."""

    atom: Atom
    duration: int
    same_page: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """``all of (A, B)``: each of them, in any order; the latest of each counts."""

    atoms: tuple[Atom, ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """``any of (A, B)``: one of them."""

    atoms: tuple[Atom, ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


Part = Atom | Times | Absent | AllOf | AnyOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What may stand after ``on``. ``stays D`` is already the last part, an ``Absent``."""

    parts: tuple[Part, ...]
    within: int | None = None
    per: Scope = "visit"
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAction:
    """``send NAME(arguments)``, or a message written in place (then ``channel`` and ``data``).

    It goes to the page of the event, or ``to every page`` of the visit.
    """

    message: str | None
    arguments: tuple[Expr, ...] = ()
    channel: str = ""
    data: Record | None = None
    every_page: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAction:
    """``set visitor.x = value``."""

    scope: Literal["visit", "visitor"]
    fact: str
    value: Expr
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One ``on .. when .. unless .. actions`` of a strategy.

    A row of a table is a rule; of the rows of one ``table`` the first that holds wins.
    """

    pattern: Pattern
    when: Expr | None = None
    unless: Expr | None = None
    sends: tuple[SendAction, ...] = ()
    attach: Record | None = None
    sets: tuple[SetAction, ...] = ()
    table: str | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


# ---------------------------------------------------------------- declarations


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """``limit N per SCOPE``, or ``limit N in D`` (then ``duration``; per visitor unless said)."""

    count: int
    scope: Scope = "visitor"
    duration: int | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSource:
    """Where the page finds a field: text, value or attribute of a selector, or a variable.

    ``name`` is the attribute or the variable; ``selector`` the CSS selector.
    """

    what: Literal["text", "value", "attribute", "variable"]
    name: str = ""
    selector: str = ""
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDeclaration:
    """A field of an event: its (dotted) name, kind, and where the page finds it."""

    path: tuple[str, ...]
    kind: Kind
    source: FieldSource | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """How the page notices an event by itself.

    ``amount`` is milliseconds for a timer and percent for a scroll; ``key`` the key's name.
    """

    what: Literal["click", "submit", "key", "timer", "scroll", "exit", "visible"]
    selector: str = ""
    key: str = ""
    amount: float = 0
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDeclaration:
    """A business event: its fields, and how the page captures it."""

    name: str
    description: str = ""
    fields: tuple[FieldDeclaration, ...] = ()
    captures: tuple[Capture, ...] = ()
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something remembered of a visit or visitor, and the system events that feed it."""

    scope: Literal["visit", "visitor"]
    name: str
    kind: Kind
    default: str | float | int | bool | None = None
    sources: tuple[str, ...] = ()
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A label that an event carries when its condition is true."""

    name: str
    condition: Expr
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Strategies that compete."""

    name: str
    description: str = ""
    one_at_a_time: bool = False
    limits: tuple[Limit, ...] = ()
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A named notification: its parameters, channel and data."""

    name: str
    parameters: tuple[str, ...] = ()
    channel: str
    data: Record
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHours:
    """``Mon-Fri 09:00-18:00``: days (0 is Monday) and minutes of the day [start, end).

    An ``end`` not after ``start`` is on the next day.
    """

    days: tuple[int, ...]
    start: int
    end: int
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When something is open, in a zone; closed on the dates of ``closed`` (``2026-12-25``)."""

    name: str
    open: tuple[OpenHours, ...]
    zone: str | None = None
    closed: tuple[str, ...] = ()
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnChannel:
    """A channel of the site: ``channel shop.banner { html: text }``."""

    name: str
    fields: tuple[tuple[str, Kind], ...] = ()
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """A name for who answers: ``medium "video" "A call with picture"``."""

    name: str
    description: str = ""
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """The time zone of the book: dates and hours without one of their own are in it."""

    name: str
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """``active from DATE until DATE``, both inclusive, in the book's zone."""

    since: str | None = None
    until: str | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """``audience 50% of "name"``: a stable part of the visitors; the rest is the control arm."""

    percent: float
    experiment: str
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A strategy: header and rules in the order written. ``valid_for`` is in ms."""

    name: str
    description: str = ""
    owner: str = ""
    group: str | None = None
    priority: float = 50
    hours: str | None = None
    active: Active | None = None
    audience: Audience | None = None
    valid_for: int = 30_000
    limits: tuple[Limit, ...] = ()
    rules: tuple[Rule, ...] = ()
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Many similar rules of one strategy as rows, in the order written."""

    name: str
    strategy: str
    rules: tuple[Rule, ...] = ()
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """A behaviour that must never be seen; ``enforced`` refuses the send that would complete it."""

    name: str
    enforced: bool
    pattern: Pattern
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


# ---------------------------------------------------------------- scenarios


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAgents:
    """``given 3 agents ready for "chat"``."""

    count: int
    medium: str
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFact:
    """``given visitor.vip = true``."""

    scope: Literal["visit", "visitor"]
    fact: str
    value: Constant
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAudience:
    """``given audience "name"`` (or ``given control "name"``): the visitor's arm."""

    experiment: str
    control: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenPacing:
    """``given pacing 0.8 for "chat"``; one more offer is admitted when it is above one half."""

    probability: float
    medium: str
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAt:
    """``start at DATE TIME [in ZONE]``; without a zone it is the book's."""

    date: str
    time: str
    zone: str | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """``after D``: the clock moves on, and timers fire."""

    duration: int
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enters:
    """``enters URL [titled T] [with {..}]``; leaves the page before, unless in a new tab."""

    url: str
    title: str | None = None
    data: Record | None = None
    new_tab: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves:
    """``visitor leaves``: the latest page is exited."""

    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """``returns after D``: a new visit of the same visitor begins."""

    duration: int
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happens:
    """``EventName { data }``."""

    event: str
    data: Record | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectSent:
    """``expect [N] sent M [to page URL] [with {..}]``."""

    name: str
    count: int | None = None
    url: str | None = None
    data: Record | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectNothing:
    """``expect nothing [else]``: looks back to the last ``expect``."""

    otherwise: bool = False
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectFact:
    """``expect visit.stage = "hot"``."""

    path: Path
    value: Constant
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectRefused:
    """``expect refused STRATEGY because REASON``."""

    strategy: str
    reason: str
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


Step = (
    GivenAgents
    | GivenFact
    | GivenAudience
    | GivenPacing
    | StartAt
    | After
    | Enters
    | Leaves
    | Returns
    | Happens
    | ExpectSent
    | ExpectNothing
    | ExpectFact
    | ExpectRefused
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story with a clock."""

    name: str
    steps: tuple[Step, ...] = ()
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


Declaration = (
    EventDeclaration
    | Fact
    | Category
    | Group
    | Message
    | Strategy
    | Scenario
    | Hours
    | OwnChannel
    | Medium
    | Zone
    | Table
    | Guarantee
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All files of a folder, checked and resolved: every name in it means something.

    Mappings are by name, in order of name, so that equal books are equal whatever file a
    declaration stands in. The rows of a table are already rules of their strategy, after its own.
    ``version`` is a hash of the meaning (layout and comments aside).
    """

    version: str
    events: dict[str, EventDeclaration]
    facts: dict[tuple[str, str], Fact]
    categories: dict[str, Category]
    groups: dict[str, Group]
    messages: dict[str, Message]
    strategies: dict[str, Strategy]
    scenarios: dict[str, Scenario]
    zone: str = "UTC"
    hours: dict[str, Hours] = dataclasses.field(default_factory=dict)
    channels: dict[str, OwnChannel] = dataclasses.field(default_factory=dict)
    media: dict[str, Medium] = dataclasses.field(default_factory=dict)
    guarantees: dict[str, Guarantee] = dataclasses.field(default_factory=dict)


__all__ = [
    "NOWHERE", "Absent", "Active", "After", "Aggregate", "AllOf", "Among", "And", "AnyOf",
    "Arithmetic", "Atom", "Audience", "Book", "Capture", "Category", "Clock", "Compare",
    "Constant", "Declaration", "Enters", "EventDeclaration", "ExpectFact", "ExpectNothing",
    "ExpectRefused", "ExpectSent", "Expr", "Fact", "FieldDeclaration", "FieldSource",
    "GivenAgents", "GivenAudience", "GivenFact", "GivenPacing", "Glob", "Group", "Guarantee",
    "Happens", "Hours", "InCategories", "InHours", "Known", "Leaves", "Limit", "List", "Medium",
    "Message", "Not", "OpenHours", "Or", "Outside", "OwnChannel", "Part", "Path", "Pattern",
    "Record", "Returns", "Rule", "Scenario", "Scope", "SendAction", "SetAction", "Span",
    "StartAt", "Step", "Strategy", "Table", "Times", "Window", "Zone",
]  # fmt: skip
