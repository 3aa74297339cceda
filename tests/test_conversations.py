"""The conversations of the corpus, told to the runtime and to the specification alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from reference import Reference

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.language.syntax import Book
from engine.runtime.outcome import Batch, Breach, Decision
from engine.runtime.plan import plan
from engine.runtime.step import step
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event, Expiry, Moment, Tick

CORPUS: Final = Path(__file__).parent / "corpus" / "conversations"
FILES: Final = sorted(CORPUS.rglob("*.json"))
MOMENT: Final = {
    "visitor", "time", "event", "visit", "page", "url", "title", "language", "category", "id",
    "data", "agents", "pacing", "draw", "expired",
}  # fmt: skip
LINE: Final = {
    "visitor", "time", "strategy", "decision", "rule", "event", "visit", "page", "messages",
    "attach", "breach",
}  # fmt: skip

Line = dict[str, Any]


class Runtime:
    """The runtime; memory goes through JSON between moments, as a host keeps it."""

    def __init__(self, book: Book, visitor: str) -> None:
        self.plan = plan(book)
        self.memory = Visitor.new(visitor)

    def adopt(self, book: Book) -> None:
        self.plan = plan(book)

    def take(self, moment: Moment) -> tuple[list[Batch], list[Decision], list[Breach]]:
        memory = Visitor.from_json(json.loads(json.dumps(self.memory.to_json())))
        outcome = step(self.plan, memory, moment)
        self.memory = outcome.visitor
        return list(outcome.batches), list(outcome.decisions), list(outcome.breaches)


class Specification:
    """The slow obvious interpreter; it knows one book only."""

    def __init__(self, book: Book, visitor: str) -> None:
        self.reference = Reference(book)

    def adopt(self, book: Book) -> None:
        raise AssertionError("the specification knows one book only")

    def take(self, moment: Moment) -> tuple[list[Batch], list[Decision], list[Breach]]:
        batches, decisions, breaches = self.reference.take(moment)
        return list(batches), list(decisions), list(breaches)


HANDS: Final = {"runtime": Runtime, "reference": Specification}
TOLD: Final = [
    pytest.param(path, hand, id=f"{path.parent.name}/{path.stem}-{hand}")
    for path in FILES
    for hand in HANDS
    if not (hand == "reference" and path.parent.name == "reload")
]


def book_of(lines: list[str]) -> Book:
    compiled = compile_book([Source(name="book.strategy", text="\n".join(lines) + "\n")])
    assert compiled.book is not None, [str(found) for found in compiled.diagnostics]
    return compiled.book


def moment_of(line: Line, start: int) -> Moment:
    assert line.keys() <= MOMENT, line.keys() - MOMENT
    time = start + line["time"]
    if "expired" in line:
        return Expiry(time=time, sends=tuple(line["expired"]))
    outside = {name: line[name] for name in ("agents", "pacing", "draw") if name in line}
    if "event" not in line:
        return Tick(time=time, **outside)
    said = {name: line[name] for name in ("title", "language", "category", "id") if name in line}
    return Event(
        name=line["event"],
        time=time,
        visitor=line["visitor"],
        visit=line.get("visit", line["visitor"]),
        page=line.get("page", "p"),
        url=line.get("url", "/"),
        data=line.get("data", {}),
        **said,
        **outside,
    )


def told(hand: str, conversation: Line) -> Iterator[Line]:
    """Everything that came of the conversation, in order, with all that can be expected of it."""
    start = 0
    if "start" in conversation:
        start = round(datetime.fromisoformat(conversation["start"]).timestamp() * 1000)
    book = book_of(conversation["strategy"])
    visitors: dict[str, Any] = {}
    for line in conversation["events"]:
        if "strategy" in line:
            book = book_of(line["strategy"])
            for visitor in visitors.values():
                visitor.adopt(book)
            continue
        name = line["visitor"]
        if name not in visitors:
            visitors[name] = HANDS[hand](book, name)
        batches, decisions, breaches = visitors[name].take(moment_of(line, start))
        sends = [send for batch in batches for send in batch.sends]
        for decision in decisions:
            own = [send for send in sends if send.id in decision.sends]
            yield {
                "visitor": name,
                "time": decision.time - start,
                "strategy": decision.strategy,
                "decision": decision.reason or "sent",
                "rule": decision.rule,
                "event": decision.event,
                "visit": decision.visit,
                "page": decision.page,
                "messages": [send.notification() for send in own],
                "attach": dict(own[0].attach) if own else None,
            }
        for breach in breaches:
            yield {"visitor": name, "time": breach.time - start, "breach": breach.guarantee}


@pytest.mark.parametrize(("path", "hand"), TOLD)
def test_conversation(path: Path, hand: str) -> None:
    conversation = json.loads(path.read_text("utf-8"))
    expected = conversation["expected"]
    assert all(line.keys() <= LINE for line in expected)
    found = list(told(hand, conversation))
    said = [
        {name: value for name, value in line.items() if name in wanted}
        for line, wanted in zip(found, expected, strict=False)
    ] + found[len(expected) :]
    assert said == expected, conversation["says"]


def test_the_corpus_is_whole() -> None:
    says = [json.loads(path.read_text("utf-8"))["says"] for path in FILES]
    assert len(says) >= 200
    assert len(set(says)) == len(says)
