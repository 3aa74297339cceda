"""What is measured: an engine takes inputs one by one, and says which rules fired.

An input is a JSON line (form ``line``), or what the engine likes best, made ready before the clock
runs (form ``event``). An answer is whatever the engine returns when something fired, else None; to
turn it into ids of rules is no part of the time.

A pass begins with a fresh memory and with events that no clock sees, so that what is measured are
visits under way. When the events are used up, the next pass begins.
"""

from __future__ import annotations

import gc
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Protocol

from .workload import Rule

Form = Literal["line", "event"]
WORKLOADS: Final = ("w1", "w1p", "w2", "w3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Rules of a workload, the form of the inputs, and the folder with what the run shares."""

    workload: str
    rules: Sequence[Rule]
    count: int
    form: Form
    folder: Path


@dataclass(slots=True)
class Slice:
    """What was done while the clock ran."""

    events: int = 0
    answers: int = 0
    seconds: float = 0
    cpu: float = 0

    def to_json(self) -> dict[str, float]:
        return asdict(self)


class Runner(Protocol):
    """An engine with events before it."""

    version: str
    exact: bool

    def told(self, count: int) -> list[list[str]]:
        """The sorted ids of the rules that fired, for each of the first so many events."""

    def warm_up(self) -> None:
        """Do what makes the engine as fast as it gets, and begin a pass."""

    def measure(self, seconds: float) -> Slice:
        """Go on with the events for so many seconds."""


class Engine(ABC):
    """An engine in this process, loaded with the rules of a task."""

    exact: ClassVar[bool] = True
    """Does it mean W2 exactly? One that does not is shown with how far it is off."""
    version: str
    decide: Callable[[Any], Any]
    """Takes one input; None when nothing fired. Made by ``begin``."""

    @abstractmethod
    def begin(self) -> None:
        """Forget all that happened; the rules stay."""

    def ready(self, line: bytes) -> Any:
        """What the engine takes, from a line; in form ``line`` the line itself."""
        return line

    def fired(self, answer: Any) -> Iterable[str]:
        """The ids of the rules that fired, from an answer."""
        return answer

    def decide_all(self, given: Sequence[Any]) -> int:
        """Take several inputs, and count the answers. This is what the clock sees."""
        decide = self.decide
        answers = 0
        for one in given:
            if decide(one) is not None:
                answers += 1
        return answers

    def told(self, given: Sequence[Any]) -> list[list[str]]:
        """Take several inputs, and give for each the sorted ids of the rules that fired."""
        answers = (self.decide(one) for one in given)
        return [sorted(self.fired(one)) if one is not None else [] for one in answers]


class Missing(Exception):
    """An engine that is not installed; the text names what is missing."""


_CHUNK: Final = 100
_TELLING: Final = 1_000
_PATIENCE: Final = 20.0
"""Seconds after which a slow engine has told enough, or is warm enough."""


class InProcess:
    """Runs an engine of this process."""

    def __init__(self, engine: Engine, lines: Sequence[bytes]) -> None:
        self._engine = engine
        self.version, self.exact = engine.version, engine.exact
        self._given = [engine.ready(line) for line in lines]
        self._prefix = len(lines) // 4
        self._place = 0

    def told(self, count: int) -> list[list[str]]:
        self._engine.begin()
        found: list[list[str]] = []
        end = time.perf_counter() + _PATIENCE
        while len(found) < count and time.perf_counter() < end:
            found += self._engine.told(self._given[len(found) : len(found) + _TELLING])
        return found[:count]

    def warm_up(self) -> None:
        self._begin()
        # What is loaded is no garbage: the collector need not walk over it again and again.
        gc.freeze()

    def _begin(self) -> None:
        self._engine.begin()
        self._place = 0
        end = time.perf_counter() + _PATIENCE
        while self._place < self._prefix and time.perf_counter() < end:
            self._take()
        gc.collect()

    def _take(self) -> tuple[int, int]:
        chunk = self._given[self._place : self._place + _CHUNK]
        self._place += len(chunk)
        return len(chunk), self._engine.decide_all(chunk)

    def measure(self, seconds: float) -> Slice:
        done = Slice()
        while done.seconds < seconds:
            if self._place >= len(self._given):
                self._begin()
            self._measure_pass(done, seconds)
        return done

    def _measure_pass(self, done: Slice, seconds: float) -> None:
        cpu, begun = time.process_time(), time.perf_counter()
        end = begun + seconds - done.seconds
        while self._place < len(self._given) and time.perf_counter() < end:
            events, answers = self._take()
            done.events += events
            done.answers += answers
        done.seconds += time.perf_counter() - begun
        done.cpu += time.process_time() - cpu
