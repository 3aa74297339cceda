"""What a book becomes, piece by piece: rules, what their strategies share, and guarantees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.language import syntax
from engine.runtime.aggregates import Evaluate
from engine.runtime.scene import Scene
from engine.runtime.watchers import Automaton

Build = Callable[[Scene], dict[str, Any]]
Test = Callable[[Scene], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSend:
    """One ``send`` of a rule."""

    message: str
    channel: str
    answerable: bool
    every_page: bool
    data: Build
    settled: Mapping[str, Any] | None
    """The data of every such message, when nothing in them is of the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSet:
    """One ``set`` of a rule; a value of another kind than the fact's is not taken."""

    scope: str
    fact: str
    admits: Callable[[object], bool]
    value: Evaluate


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStrategy:
    """What the rules of a strategy share: its group, limits, and when and to whom it sends."""

    name: str
    group: str | None
    limits: tuple[syntax.Limit, ...]
    group_limits: tuple[syntax.Limit, ...]
    one_at_a_time: bool
    valid_for: int
    active: Callable[[int], bool] | None
    hours: Callable[[int], bool] | None
    audience: syntax.Audience | None
    is_free: bool
    """Nothing of the strategy itself or its group ever refuses a send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGuarantee:
    """A forbidden behaviour; its rank is after all rules."""

    name: str
    rank: int
    enforced: bool
    automaton: Automaton


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRule:
    """One rule; rules compare by ``rank``: priority, name of strategy, place."""

    rank: int
    strategy: PlannedStrategy
    place: int
    table: str | None
    automaton: Automaton
    when: Test | None
    unless: Test | None
    sends: tuple[PlannedSend, ...]
    attach: Build | None
    sets: tuple[PlannedSet, ...]
