"""The engine of this repository, as one that is measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.language.syntax import Book
from engine.runtime.plan import plan
from engine.runtime.stream import Answer, Stream
from engine.vocabulary.events import NOTHING, Event

from . import books, mixed
from .engines import Engine, Task


class Overture(Engine):
    """The book of the task, compiled and planned once."""

    def __init__(self, task: Task) -> None:
        self._form = task.form
        mix = task.workload == "w3"
        text = mixed.text(task.count) if mix else books.text(task.workload, task.rules)
        self._plan = plan(compiled(text))
        self.version = "this repository"
        self.begin()

    def begin(self) -> None:
        stream = Stream(self._plan)
        self.decide = stream.feed if self._form == "line" else stream.take

    def ready(self, line: bytes) -> Any:
        return line if self._form == "line" else event_of(json.loads(line))

    def fired(self, answer: Answer) -> Iterator[str]:
        return (send.strategy for batch in answer.batches for send in batch.sends)


def compiled(text: str) -> Book:
    """The book of a text; the benchmark stops when its own book has a mistake."""
    found = compile_book([Source(name="peers.strategy", text=text)])
    assert found.book is not None, [str(one) for one in found.diagnostics[:3]]
    return found.book


def event_of(raw: Mapping[str, Any]) -> Event:
    """The event of a line that is a dictionary already, by the names of the wire."""
    return Event(
        name=raw["eventName"],
        time=raw["timestamp"],
        visitor=raw.get("globalVisitID") or raw["visitID"],
        visit=raw["visitID"],
        page=raw.get("pageID"),
        url=raw.get("url"),
        title=raw.get("title"),
        language=raw.get("languageCode"),
        category=raw.get("category"),
        data=raw.get("data") or NOTHING,
    )
