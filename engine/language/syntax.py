"""The tree: what a book says, as frozen values, with the place of each in its text.

Spans come last and do not take part in equality, so that two texts with one meaning compare equal.
Every duration is a whole number of milliseconds. Stages after the parser only read this tree.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from engine.vocabulary.kinds import Kind

Scope = Literal["page", "visit", "visitor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of one source: its name and the character offsets [start, end)."""

    source: str
    start: int
    end: int


NOWHERE = Span(source="", start=0, end=0)


# ---------------------------------------------------------------- conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A value written out: text, number, boolean, duration (ms), date or time of day."""

    value: str | float | int | bool
    kind: Kind
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """``event.price``, ``visitor.vip``, ``visit.pages``; in a category also ``title``."""

    parts: tuple[str, ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """``last D`` (rolling, half-open), ``this page``, ``this visit`` or ``ever``."""

    reach: Literal["last", "page", "visit", "ever"]
    duration: int = 0
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """One event to wait for: by name, ``any event``, or ``sent NAME``."""

    what: Literal["event", "any", "sent"]
    name: str = ""
    categories: tuple[str, ...] = ()
    where: Expr | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """``count(A, W)``, ``seen(A, W)``, ``since(A)`` or ``latest(A.field, W)``."""

    function: Literal["count", "seen", "since", "latest"]
    atom: Atom
    field: tuple[str, ...] = ()
    window: Window | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A number from outside, recorded with the event: ``agents.ready("chat")``."""

    name: Literal["agents.ready"]
    argument: str
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Two values and an operator of ``vocabulary.operators``."""

    operator: str
    left: Expr
    right: Expr
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """``x in ("a", "b")``."""

    item: Expr
    values: tuple[Expr, ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InCategories:
    """``event in (Checkout, Products)``: is the event in any of these categories."""

    categories: tuple[str, ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """``x is known`` (``known``) or ``x is missing``."""

    item: Expr
    known: bool
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glob:
    """``url "/checkout/**"``: the address fits a glob; only in categories."""

    pattern: str
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """``left + right``, with ``+ - * /`` over numbers."""

    operator: Literal["+", "-", "*", "/"]
    left: Expr
    right: Expr
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """``not x``, in three values."""

    item: Expr
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """``x and y and ..``, in three values."""

    items: tuple[Expr, ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """``x or y or ..``, in three values."""

    items: tuple[Expr, ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


Expr = (
    Constant
    | Path
    | Aggregate
    | Outside
    | Compare
    | Among
    | InCategories
    | Known
    | Glob
    | Arithmetic
    | Not
    | And
    | Or
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """``{ key: value, .. }``: keys in the order written, values plain or nested."""

    entries: tuple[tuple[str, Expr | Record | List], ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """``[ a, b ]`` inside a record."""

    items: tuple[Expr | Record | List, ...]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


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


Part = Atom | Times | Absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What may stand after ``on``. ``stays D`` is already the last part, an ``Absent``."""

    parts: tuple[Part, ...]
    within: int | None = None
    per: Scope = "visit"
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAction:
    """``send NAME``, or a message written in place (then ``channel`` and ``data``)."""

    message: str | None
    channel: str = ""
    data: Record | None = None
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
    """One ``on .. when .. unless .. actions`` of a strategy."""

    pattern: Pattern
    when: Expr | None = None
    unless: Expr | None = None
    sends: tuple[SendAction, ...] = ()
    attach: Record | None = None
    sets: tuple[SetAction, ...] = ()
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
class FieldDeclaration:
    """A field of an event: its (dotted) name and kind."""

    path: tuple[str, ...]
    kind: Kind
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDeclaration:
    """A business event."""

    name: str
    description: str = ""
    fields: tuple[FieldDeclaration, ...] = ()
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
    """A named notification: its channel and data."""

    name: str
    channel: str
    data: Record
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A strategy: header and rules in the order written."""

    name: str
    description: str = ""
    owner: str = ""
    group: str | None = None
    priority: float = 50
    limits: tuple[Limit, ...] = ()
    rules: tuple[Rule, ...] = ()
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
class StartAt:
    """``start at DATE TIME in ZONE``; ``time`` is milliseconds since 1970 UTC."""

    time: int
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


Declaration = EventDeclaration | Fact | Category | Group | Message | Strategy | Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All files of a folder, checked and resolved: every name in it means something.

    Mappings are by name, in order of name, so that equal books are equal whatever file a
    declaration stands in. ``version`` is a hash of the meaning (layout and comments aside).
    """

    version: str
    events: dict[str, EventDeclaration]
    facts: dict[tuple[str, str], Fact]
    categories: dict[str, Category]
    groups: dict[str, Group]
    messages: dict[str, Message]
    strategies: dict[str, Strategy]
    scenarios: dict[str, Scenario]
