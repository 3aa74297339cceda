"""The words of the tree: places, and the conditions and values that may stand in a rule.

See syntax.py, which is the whole tree; everything here is read through it.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A value written out: text, number, boolean, duration (ms), date or time of day."""

    value: str | float | int | bool
    kind: Kind
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """``event.price``, ``visitor.vip``, ``visit.pages``, ``first.price`` (bound by ``as``).

    One part alone is a short name of a category (``title``) or a parameter of a message.
    """

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
    """One event to wait for: by name, ``any event`` or ``sent NAME``; ``as`` binds ``alias``."""

    what: Literal["event", "any", "sent"]
    name: str = ""
    categories: tuple[str, ...] = ()
    where: Expr | None = None
    alias: str | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """``count(A, W)``, ``seen(A, W)``, ``since(A)``, or ``latest(A.field, W)`` and its like."""

    function: Literal["count", "seen", "since", "latest", "sum", "min", "max", "average"]
    atom: Atom
    field: tuple[str, ...] = ()
    window: Window | None = None
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What comes from outside, recorded with the event.

    ``agents.ready("chat")`` is a number, ``pacing("chat")`` a probability, and
    ``pacing admits "chat"`` whether the recorded draw lets one more offer out.
    """

    name: Literal["agents.ready", "pacing", "pacing admits"]
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
class Clock:
    """``now`` (a time), or ``weekday`` (``Mon`` .. ``Sun`` in the book's zone)."""

    what: Literal["now", "weekday"]
    span: Span = dataclasses.field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InHours:
    """``now in OfficeHours``."""

    hours: str
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
    | Clock
    | InHours
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
