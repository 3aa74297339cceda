"""A replay: the step that decides live, over a recording, and the sums of what it decided."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.language.syntax import Book
from engine.runtime.outcome import Decision, Reason
from engine.runtime.plan import Plan, plan
from engine.runtime.step import advance
from engine.runtime.visitor import VISIT_EXPIRY, Visitor
from engine.trials.recording import Recording, Track, Watch, moments
from engine.vocabulary.events import NOTHING, Event

_EVERY: Final = 50
_FIELDS: Final = Decision._fields
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of one strategy: messages sent, visits that got one, refusals by reason."""

    sent: int = 0
    visits: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a replay. ``strategies`` has every strategy of the book, by name.

    ``events`` are the event lines read and ``visits`` the distinct visitIDs among them.
    ``guarantees`` says how often each guarantee of the book was broken.
    """

    events: int
    visits: int
    strategies: Mapping[str, Tally]
    guarantees: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """The report as the one object that ``--json`` prints.

        ``guarantees`` is there when the book has some: how often each was broken.
        """
        kept = {"guarantees": dict(self.guarantees)} if self.guarantees else {}
        return {
            "events": self.events,
            "visits": self.visits,
            "strategies": {
                name: {
                    "sent": tally.sent,
                    "visits": tally.visits,
                    "refused": dict(sorted(tally.refused.items())),
                }
                for name, tally in self.strategies.items()
            },
            **kept,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A decision, the visitor it is about, and the place of the line that brought it about."""

    place: int
    visitor: str
    decision: Decision


def replay(
    book: Book,
    recording: Recording,
    *,
    agents: Mapping[str, int] = NOTHING,
    visit_expiry: int = VISIT_EXPIRY,
    note: Callable[[Noted], None] | None = None,
    watch: Watch | None = None,
) -> Report:
    """Give every visitor's events to ``step``, visitor by visitor, and add up the decisions.

    ``agents`` (free agents by medium) holds at every moment, because a recording has none.
    ``visit_expiry`` (ms): a visit ends when so long nothing was heard of it.
    ``note`` is told every decision, visitor by visitor and in order for each of them.
    """
    live = plan(book, visit_expiry=visit_expiry)
    strategies = {name: Tally() for name in sorted(book.strategies)}
    broken = dict.fromkeys(sorted(book.guarantees), 0)
    done = 0
    for number, track in enumerate(recording.tracks):
        events = moments(track, derive_exits=not recording.has_exits, agents=agents)
        noted = _decisions(live, track, events, broken)
        if note:
            noted = _told(noted, note)
        _add_up(strategies, noted)
        done += len(track.lines)
        if watch and number % _EVERY == 0:
            watch("Deciding", done, recording.events - recording.homeless)
    return Report(
        events=recording.events,
        visits=recording.visits,
        strategies=strategies,
        guarantees=broken,
    )


def in_order(noted: Iterable[Noted], version: str) -> Iterator[str]:
    """Decisions as JSON lines (without line ends), by time, then place of what brought them about.

    A timer is brought about by the first line that shows it to have been reached. ``version`` is
    that of the book.
    """
    # The sort is stable: decisions of one moment keep their order of admission.
    for entry in sorted(noted, key=lambda entry: (entry.decision.time, entry.place)):
        written = {name: getattr(entry.decision, name) for name in _FIELDS}
        yield _ENCODER.encode(written | {"visitor": entry.visitor, "version": version})


def _decisions(
    live: Plan, track: Track, events: Iterable[tuple[int, Event]], broken: dict[str, int]
) -> Iterator[Noted]:
    visitor = Visitor.new(track.visitor)
    for place, event in events:
        # The horizon keeps the clock of a visit from running on after its last event.
        outcome = advance(live, visitor, event, horizon=track.horizon)
        for breach in outcome.breaches:
            broken[breach.guarantee] += 1
        for decision in outcome.decisions:
            yield Noted(place=place, visitor=track.visitor, decision=decision)


def _told(noted: Iterable[Noted], note: Callable[[Noted], None]) -> Iterator[Noted]:
    for entry in noted:
        note(entry)
        yield entry


def _add_up(strategies: Mapping[str, Tally], noted: Iterable[Noted]) -> None:
    """Add the decisions of one visitor; no other visitor has any of these visits."""
    reached = set()
    for entry in noted:
        decision = entry.decision
        tally = strategies[decision.strategy]
        if decision.reason is not None:
            tally.refused[decision.reason] += 1
            continue
        tally.sent += len(decision.sends)
        if (decision.strategy, decision.visit) not in reached:
            reached.add((decision.strategy, decision.visit))
            tally.visits += 1
