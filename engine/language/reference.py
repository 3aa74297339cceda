"""The reference of all words, as a page for analysts, from the tables that the compiler reads.

``python -m engine.language.reference > strategies/WORDS.md`` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Final

from engine.language.checker import REASONS
from engine.language.expressions import Expressions
from engine.vocabulary.channels import CHANNELS, MEDIA
from engine.vocabulary.events import ENVELOPE, SYSTEM_EVENTS
from engine.vocabulary.kinds import Kind
from engine.vocabulary.operators import COMPARISONS
from engine.vocabulary.words import WORDS

_HEAD: Final = """\
# All words of the language

Written from the tables that the compiler itself reads; the guide is [README.md](README.md).
"""

_SECTIONS: Final = {
    "declaration": "What a block begins with",
    "event": "In an event or a fact",
    "hours": "In hours",
    "group": "In a group",
    "strategy": "At the head of a strategy",
    "behaviour": "After `on`: behaviour",
    "condition": "After `when`, `unless` and `where`: conditions",
    "action": "What a rule does",
    "scenario": "In a scenario",
    "guarantee": "In a guarantee",
    "value": "Values",
}


def page() -> str:
    """The whole reference as Markdown."""
    return "\n".join([_HEAD, *_words(), *_comparisons(), *_given()])


def _words() -> Iterable[str]:
    for where, title in _SECTIONS.items():
        rows = [(word.phrase, word.meaning, word.example) for word in WORDS if word.where == where]
        yield from _table(title, ("word", "meaning", "example"), rows)


def _comparisons() -> Iterable[str]:
    rows = [(one.phrase, one.meaning, one.example) for one in COMPARISONS.values()]
    yield from _table("Comparisons", ("sign", "meaning", "example"), rows)


def _given() -> Iterable[str]:
    """What is there without being declared."""
    events = [(event.name, event.meaning, _kinds(event.fields)) for event in SYSTEM_EVENTS.values()]
    yield from _table("Built-in events", ("event", "meaning", "fields"), events)
    fields = [(f"event.{name}", str(kind)) for name, kind in ENVELOPE.items()]
    fields.append(("event.query.NAME", "text"))
    yield from _table("Fields of every event", ("field", "kind"), fields)
    facts = [(".".join(path), str(kind)) for path, kind in Expressions.BUILT_IN.items()]
    yield from _table("Built-in facts", ("fact", "kind"), facts)
    channels = [(one.name, one.meaning, _kinds(one.fields)) for one in CHANNELS.values()]
    yield from _table("Built-in channels", ("channel", "meaning", "fields"), channels)
    yield from _table("Built-in media", ("medium", "meaning"), MEDIA.items())
    reasons = ", ".join(f"`{reason}`" for reason in REASONS)
    yield f"## Reasons of a refusal, in the order in which they are checked\n\n{reasons}\n"


def _kinds(fields: Mapping[str, Kind]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in fields.items())


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    """A section with one table; all cells but the second are code."""
    lines = [f"## {title}", "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        cells = [cell if place == 1 else _code(cell) for place, cell in enumerate(row)]
        lines.append(f"| {' | '.join(cells)} |")
    yield "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return "<br>".join(f"`{line.strip()}`" for line in text.splitlines())


if __name__ == "__main__":
    sys.stdout.write(page())
