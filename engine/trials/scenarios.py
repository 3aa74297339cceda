"""Scenarios: stories with a clock, told to the step that decides live, line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.language import syntax
from engine.runtime.calendar import clock
from engine.runtime.outcome import Breach, Decision
from engine.runtime.plan import Plan, plan
from engine.runtime.visitor import VISIT_EXPIRY
from engine.trials.coverage import Coverage
from engine.trials.world import Sent, World
from engine.vocabulary.address import split
from engine.vocabulary.events import NOTHING
from engine.vocabulary.operators import arithmetic, equal

Expectation = syntax.ExpectSent | syntax.ExpectNothing | syntax.ExpectFact | syntax.ExpectRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What a line of a story caused: a message sent (``reason`` None), or a rule refused.

    ``message`` is the name of the message, or its channel when it has none; None when refused.
    """

    time: int
    strategy: str
    message: str | None
    url: str | None
    reason: str | None

    def __str__(self) -> str:
        if self.reason is not None:
            return f'refused "{self.strategy}" because {self.reason}'
        return f"sent {self.message}" + (f' to "{self.url}"' if self.url else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """One line: the clock (ms) after it, what it caused, and why it failed, if it did."""

    step: syntax.Step
    time: int
    happened: tuple[Happening, ...]
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A scenario as it went. ``began`` is the clock (ms) when the visitor appeared."""

    scenario: syntax.Scenario
    began: int
    lines: tuple[StoryLine, ...]

    @property
    def passed(self) -> bool:
        """Did every line hold?"""
        return all(line.failure is None for line in self.lines)


def run_scenarios(
    book: syntax.Book, coverage: Coverage | None = None, *, visit_expiry: int = VISIT_EXPIRY
) -> tuple[Story, ...]:
    """Tell every scenario of the book, in order of name; each in a world of its own.

    ``coverage`` notes what they try; without it nothing is watched. ``visit_expiry`` (ms): a visit
    ends when so long nothing was heard of it.
    """
    live = plan(book, visit_expiry=visit_expiry)
    stories = []
    for _, scenario in sorted(book.scenarios.items()):
        if coverage is not None:
            coverage.story()
        stories.append(_Teller(book, live, coverage).tell(scenario))
    return tuple(stories)


class _Teller:
    """Tells one story and looks at what came of it."""

    def __init__(self, book: syntax.Book, live: Plan, coverage: Coverage | None) -> None:
        self._book = book
        self._coverage = coverage
        self._world = World(live, coverage)
        # What happened since the last ``expect``; expects in a row look at the same happenings.
        self._unexpected: list[Sent] = []
        self._decisions: list[Decision] = []
        self._expecting = False
        self._arms: dict[str, bool] = {}

    def tell(self, scenario: syntax.Scenario) -> Story:
        lines = []
        began = None
        for step in scenario.steps:
            if began is None and not isinstance(step, SETTING):
                began = self._world.time
            lines.append(self._line(step))
        return Story(
            scenario=scenario,
            began=self._world.time if began is None else began,
            lines=tuple(lines),
        )

    def _line(self, step: syntax.Step) -> StoryLine:
        world = self._world
        sent, decided, broken = len(world.sent), len(world.decisions), len(world.breaches)
        if isinstance(step, Expectation):
            self._expecting = True
            failure = self._expect(step)
        else:
            if self._expecting:
                self._unexpected, self._decisions, self._expecting = [], [], False
            failure = self._do(step)
        self._unexpected += world.sent[sent:]
        self._decisions += world.decisions[decided:]
        if self._coverage is not None:
            self._coverage.pauses(world.visitor)
        return StoryLine(
            step=step,
            time=world.time,
            happened=_happenings(world.sent[sent:], world.decisions[decided:]),
            failure=failure or _broken(world.breaches[broken:]),
        )

    # ---------------------------------------------------------------- what is done

    def _do(self, step: syntax.Step) -> str | None:  # noqa: C901 - a line for each step
        world = self._world
        match step:
            case syntax.GivenAgents():
                world.agents[step.medium] = step.count
            case syntax.GivenFact():
                world.give(step.scope, step.fact, step.value.value)
            case syntax.GivenPacing():
                world.pacing[step.medium] = step.probability
            case syntax.GivenAudience():
                return self._belong(step)
            case syntax.StartAt():
                if not world.begin_at(clock(step.date, step.time, step.zone or self._book.zone)):
                    return "The clock cannot be turned back; say the start before anything happens."
            case syntax.After():
                world.wait(step.duration)
            case syntax.Enters():
                world.enter(step.url, step.title, _data(step.data), new_tab=step.new_tab)
            case syntax.Leaves():
                if not world.leave():
                    return "No page is open that the visitor could leave."
            case syntax.Returns():
                world.come_back(step.duration)
            case syntax.Happens():
                world.happen(step.event, _data(step.data))
            case _:
                raise AssertionError(step)
        return None

    def _belong(self, step: syntax.GivenAudience) -> str | None:
        self._arms[step.experiment] = not step.control
        audiences = [s.audience for s in self._book.strategies.values() if s.audience]
        arms = [(a, self._arms[a.experiment]) for a in audiences if a.experiment in self._arms]
        if not any(audience.experiment == step.experiment for audience, _ in arms):
            return f'No strategy has an audience of "{step.experiment}".'
        if not self._world.belong(arms):
            return "No visitor can be in all of these arms."
        return None

    # ---------------------------------------------------------------- what is expected

    def _expect(self, step: Expectation) -> str | None:
        match step:
            case syntax.ExpectSent():
                return self._expect_sent(step)
            case syntax.ExpectNothing():
                if not self._unexpected:
                    return None
                also = " else" if step.otherwise else ""
                return f"Expected nothing{also}, but there was {_listed(self._unexpected)}."
            case syntax.ExpectRefused():
                return self._expect_refused(step)
            case syntax.ExpectFact():
                return self._expect_fact(step)

    def _expect_sent(self, step: syntax.ExpectSent) -> str | None:
        fitting = [sent for sent in self._unexpected if _fits(sent, step)]
        taken = fitting[: 1 if step.count is None else step.count]
        self._unexpected = [sent for sent in self._unexpected if sent not in taken]
        if step.count is None and fitting:
            return None
        if step.count is not None and len(fitting) == step.count:
            return None
        wanted = f"{step.name}" if step.count is None else f"{step.count} of {step.name}"
        if step.count is not None and fitting:
            return f"Expected {wanted}, but {len(fitting)} were sent."
        named = [sent for sent in self._unexpected if _named(sent, step.name)]
        if named:
            return f"Expected {wanted}; it was sent otherwise: {_listed(named, full=True)}."
        return f"Expected {wanted}; {self._instead()}."

    def _instead(self) -> str:
        if self._unexpected:
            return f"what was sent is {_listed(self._unexpected)}"
        refused = [found for found in _happenings([], self._decisions) if found.reason]
        if refused:
            return "nothing was sent: " + ", ".join(str(found) for found in refused)
        return "nothing was sent, and no rule was complete"

    def _expect_refused(self, step: syntax.ExpectRefused) -> str | None:
        own = [found for found in self._decisions if found.strategy == step.strategy]
        if any(found.reason == step.reason for found in own):
            return None
        said = sorted({found.reason or "sent" for found in own})
        what = "it was " + " and ".join(_because(word) for word in said) if said else _NOT_COMPLETE
        return f'Expected "{step.strategy}" to be refused because {step.reason}; {what}.'

    def _expect_fact(self, step: syntax.ExpectFact) -> str | None:
        value = self._value(*step.path.parts)
        if equal(value, step.value.value) is True:
            return None
        return f"{'.'.join(step.path.parts)} is {_spoken(value)}."

    def _value(self, scope: str, name: str = "") -> Any:
        """What a path is now: a built-in value, a fact as it was set, or its default."""
        world = self._world
        visit = world.visitor.visits.get(world.visit)
        match (scope, name):
            case ("visitor", "state"):
                return visit.state if visit else "anonymous"
            case ("visit", "pages"):
                return visit.entered if visit else 0
            case ("visit", "duration"):
                return world.time - visit.started if visit else 0
        value = world.visitor.fact(scope, name, world.visit)
        fact = self._book.facts.get((scope, name))
        return fact.default if value is None and fact else value


SETTING = (
    syntax.GivenAgents,
    syntax.GivenFact,
    syntax.GivenAudience,
    syntax.GivenPacing,
    syntax.StartAt,
)
"""The lines that say how things stand: the clock of a story begins at the first other line."""
_NOT_COMPLETE = "none of its rules was complete"


def _broken(breaches: list[Breach]) -> str | None:
    if not breaches:
        return None
    names = ", ".join(f'"{breach.guarantee}"' for breach in breaches)
    return f"The guarantee {names} was broken here."


def _because(word: str) -> str:
    return "sent" if word == "sent" else f"refused because {word}"


def _fits(sent: Sent, step: syntax.ExpectSent) -> bool:
    return (
        _named(sent, step.name)
        and (step.url is None or _same_address(sent.url, step.url))
        and (step.data is None or _contains(sent.send.data, _data(step.data)))
    )


def _named(sent: Sent, name: str) -> bool:
    send = sent.send
    return name in (send.message, send.strategy, send.group)


def _same_address(url: str | None, expected: str) -> bool:
    """Is it the page: a path alone means the path of any host, a trailing slash means nothing."""
    if url is None:
        return False
    if expected.startswith("/") and not url.startswith("/"):
        address = split(url)
        url = address.path + (f"?{address.query}" if address.query else "")
    return url == expected or url.rstrip("/") == expected.rstrip("/")


def _contains(found: Any, expected: Any) -> bool:
    """Does ``found`` hold at least what is expected of it, at every depth?"""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and _contains(found[key], value) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list | tuple)
            and len(found) == len(expected)
            and all(map(_contains, found, expected))
        )
    return equal(found, expected) is True


# ---------------------------------------------------------------- words and values


def _happenings(sent: list[Sent], decisions: list[Decision]) -> tuple[Happening, ...]:
    """Messages and refusals in order of time."""
    told = [
        Happening(
            time=one.time,
            strategy=one.send.strategy,
            message=one.send.message or one.send.channel,
            url=one.url,
            reason=None,
        )
        for one in sent
    ]
    told += [
        Happening(time=one.time, strategy=one.strategy, message=None, url=None, reason=one.reason)
        for one in decisions
        if one.reason is not None
    ]
    return tuple(sorted(told, key=lambda happening: happening.time))


def _listed(sent: list[Sent], *, full: bool = False) -> str:
    spoken: Callable[[Sent], str] = _in_full if full else _in_short
    return ", ".join(spoken(one) for one in sent)


def _in_short(sent: Sent) -> str:
    name = sent.send.message or sent.send.channel
    return name + (f' to "{sent.url}"' if sent.url else "")


def _in_full(sent: Sent) -> str:
    entries = ", ".join(f"{key}: {_spoken(value)}" for key, value in sent.send.data.items())
    return f"{_in_short(sent)} with {{ {entries} }}"


def _spoken(value: Any) -> str:
    match value:
        case None:
            return "missing"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case Mapping():
            return "{ " + ", ".join(f"{k}: {_spoken(v)}" for k, v in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(_spoken(item) for item in value) + "]"
        case _:
            return str(value)


def _data(record: syntax.Record | None) -> Mapping[str, Any]:
    """The values that are written out in a record; what has no value is left out."""
    if record is None:
        return NOTHING
    values = ((key, _written(entry)) for key, entry in record.entries)
    return {key: value for key, value in values if value is not None}


def _written(entry: syntax.Expr | syntax.Record | syntax.List) -> Any:
    match entry:
        case syntax.Constant():
            return entry.value
        case syntax.Record():
            return dict(_data(entry))
        case syntax.List():
            return [_written(item) for item in entry.items]
        case syntax.Arithmetic():
            return arithmetic(entry.operator, _written(entry.left), _written(entry.right))
        case _:
            return None
