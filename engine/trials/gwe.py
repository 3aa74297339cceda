"""A Genesys event file (domain-model.xml) as records with their lines; hostile XML is refused.

The file may say what it likes in its attributes: it is data here, and none of it is run. A document
type, entities, and more than is sensible of anything end the reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

LARGEST: Final = 2_000_000
"""Bytes of a file."""
DEEPEST: Final = 20
MOST: Final = 20_000
"""Elements of a file."""
LONGEST: Final = 10_000
"""Characters of one attribute."""

_KNOWN: Final = {
    "properties": {"debug"},
    "events": set(),
    "event": {"id", "name", "condition", "postcondition"},
    "trigger": {"name", "element", "action", "type", "url", "count"},
    "val": {"name", "value"},
}
_INSIDE: Final = {
    "properties": "",
    "events": "properties",
    "event": "events",
    "trigger": "event",
    "val": "event or trigger",
}


class UnreadableModel(Exception):
    """A file that is no event file, or one that nobody should read; the message says why."""


@dataclass(slots=True, kw_only=True)
class Element:
    """One element: its name, its attributes, what stands in it, and its line (from 1)."""

    name: str
    line: int
    attributes: dict[str, str]
    children: list[Element | Comment] = field(default_factory=list)

    def of(self, name: str) -> list[Element]:
        """The children of a name."""
        return [c for c in self.children if isinstance(c, Element) and c.name == name]

    def value(self, name: str) -> str:
        """An attribute without the space around it; empty when it is not there."""
        return self.attributes.get(name, "").strip()


@dataclass(slots=True, kw_only=True)
class Comment:
    """What a comment says."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """Something in the file that is no part of its format."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An event file: its events and comments in order, and what is not of the format."""

    children: list[Element | Comment]
    oddities: list[Oddity]


def read_model(raw: bytes) -> Model:
    """Read an event file. Raises UnreadableModel with a sentence that names the line."""
    if len(raw) > LARGEST:
        raise UnreadableModel(f"is larger than {LARGEST:,} bytes, which no event file is.")
    reader = _Reader()
    try:
        reader.parser.Parse(raw, True)  # noqa: FBT003 - this is all of it
    except expat.ExpatError as error:
        why = expat.ErrorString(error.code)
        raise UnreadableModel(f"is no XML at line {error.lineno}: {why}.") from error
    except (LookupError, ValueError) as error:
        raise UnreadableModel("is in an encoding that is not known here; use UTF-8.") from error
    if reader.root is None or reader.root.name != "properties":
        found = f"<{reader.root.name}>" if reader.root else "nothing"
        raise UnreadableModel(f"begins with {found}; an event file begins with <properties>.")
    events = reader.root.of("events")
    if not events:
        raise UnreadableModel("has no <events> in its <properties>.")
    children = [child for each in events for child in each.children]
    outside = [child for child in reader.root.children if isinstance(child, Comment)]
    return Model(children=[*outside, *children], oddities=reader.oddities)


class _Reader:
    """Builds elements out of what the parser meets."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.oddities: list[Oddity] = []
        self._open: list[Element] = []
        self._count = 0
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CommentHandler = self._comment
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refused("a document type (<!DOCTYPE ..>)")
        parser.EntityDeclHandler = self._refused("an entity of its own")
        parser.ExternalEntityRefHandler = self._refused("an entity from elsewhere")
        parser.ProcessingInstructionHandler = self._instruction

    def _line(self) -> int:
        return self.parser.CurrentLineNumber

    def _refused(self, what: str) -> Callable[..., int]:
        def refuse(*_: Any) -> int:
            raise UnreadableModel(
                f"has {what} at line {self._line()}, which is not read; take it away."
            )

        return refuse

    def _instruction(self, target: str, _: str) -> None:
        self.oddities.append(Oddity(line=self._line(), text=f"<?{target} ..?> is not read"))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST or len(self._open) >= DEEPEST:
            raise UnreadableModel(f"has too many elements, or too deep ones, at {self._line()}.")
        if any(len(value) > LONGEST for value in attributes.values()):
            raise UnreadableModel(f"has an attribute of more than {LONGEST:,} at {self._line()}.")
        element = Element(name=name, line=self._line(), attributes=attributes)
        inside = self._open[-1].name if self._open else ""
        if name not in _KNOWN or inside not in _INSIDE[name].split(" or "):
            where = f" in <{inside}>" if inside else ""
            self._odd(element.line, f"<{name}>{where} is no part of an event file")
        else:
            for other in sorted(set(attributes) - _KNOWN[name]):
                self._odd(element.line, f"{other}={attributes[other]!r} of <{name}> is not known")
            if self._open:
                self._open[-1].children.append(element)
        self.root = self.root or element
        self._open.append(element)

    def _odd(self, line: int, text: str) -> None:
        self.oddities.append(Oddity(line=line, text=text))

    def _end(self, _: str) -> None:
        self._open.pop()

    def _comment(self, text: str) -> None:
        if self._open:
            self._open[-1].children.append(Comment(line=self._line(), text=text))

    def _text(self, text: str) -> None:
        if text.strip():
            shown = " ".join(text.split())[:60]
            self._odd(self._line(), f"the text {shown!r} is no part of an event file")
