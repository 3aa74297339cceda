"""How large each value is that memory holds: an event, a text, a number, a record of a message.

See bound.py, which counts how many of them a visitor can have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.language import syntax
from engine.runtime.aggregates import KEPT
from engine.runtime.kept import Kept
from engine.runtime.visitor import PAGES_OPEN, SENDS_KEPT, VISITS_OPEN
from engine.vocabulary import limits as door
from engine.vocabulary.events import ENVELOPE, SYSTEM_EVENTS
from engine.vocabulary.kinds import BOOLEAN, DURATION, NUMBER, TIME, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often a thing can be remembered, and the bytes of each as they are stored.

    ``pages`` are those of one visit; ``sends`` all that are remembered, of which ``each`` may be of
    one strategy; ``kept`` the entries of a rolling window. ``made`` is a calculated number.
    ``outside`` is what is known of the agents at an event.
    """

    visits: int
    pages: int
    sends: int
    each: int
    kept: int
    event: int
    text: int
    id: int
    word: int
    title: int
    url: int
    number: int
    made: int
    outside: int


_ESCAPED: Final = 6
"""Bytes that one byte of an event can become when it is stored."""
_LETTER: Final = 12
"""Bytes that one character can become: two halves of six."""

AT_MOST: Final = Limits(
    visits=VISITS_OPEN,
    pages=PAGES_OPEN + 1,  # and the page of the events that name none
    sends=SENDS_KEPT,
    each=SENDS_KEPT,
    kept=KEPT,
    event=_ESCAPED * door.EVENT,
    text=_ESCAPED * door.EVENT,
    id=door.ID + 2,
    word=_LETTER * door.WORD + 2,
    title=_LETTER * max(door.TITLE, door.CATEGORY) + 2,
    url=_LETTER * door.URL + 2,
    number=25,
    made=310,
    outside=1_024,
)
"""What the door and the runtime let through."""

AS_A_RULE: Final = Limits(
    visits=1,
    pages=1,
    sends=SENDS_KEPT,
    each=1,
    kept=1,
    event=250,
    text=32,
    id=34,
    word=16,
    title=32,
    url=64,
    number=13,
    made=8,
    outside=12,
)
"""An ordinary visitor with one visit and one open page, who has met everything once."""

# Frames: names, numbers and brackets around the values, rounded up.
_EVENT: Final = 260
_WHERE: Final = 60
_NAMED: Final = 16
_TRUTH: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the paths of a rule are about: its event, and the events bound by ``as``.

    ``given`` are the sizes of the arguments of a message.
    """

    event: tuple[syntax.Atom, ...]
    names: Mapping[str, syntax.Atom]
    given: Mapping[str, int]


class Sizes:
    """The sizes of the values of one book under some limits."""

    def __init__(self, book: syntax.Book, limits: Limits) -> None:
        self._book = book
        self._limits = limits
        self._kinds: dict[str, dict[tuple[str, ...], Kind]] = {
            name: {(field,): kind for field, kind in event.fields.items()}
            for name, event in SYSTEM_EVENTS.items()
        }
        for event in book.events.values():
            declared = {field.path: field.kind for field in event.fields}
            self._kinds[event.name] = self._kinds.get(event.name, {}) | declared
        names = (*book.strategies, *book.groups, *book.messages)
        self.name = max(map(text, names), default=0)
        self._categories = sum(map(text, book.categories))

    def of_kind(self, kind: Kind | None, *, made: bool = False) -> int:
        """A value of this kind; of any kind when none was declared."""
        if kind == BOOLEAN:
            return _TRUTH
        if kind in (NUMBER, TIME, DURATION):
            return self._limits.made if made else self._limits.number
        return self._limits.text

    def kept(self, part: syntax.Part, kept: Kept) -> int:
        """What a chain keeps of an event that fitted a part: never more than the whole of it."""
        whole = self._event(part)
        if kept.whole:
            return whole
        atoms, limits = atoms_of(part), self._limits
        attributes = [_NAMED + self._envelope(name) for name in kept.attributes]
        fields = [
            _NAMED + sum(text(name) + 3 for name in path) + self.field(atoms, path)
            for path in kept.fields
        ]
        frame = _WHERE + max(map(self._name, atoms)) + limits.number + 2 * limits.id
        return min(whole, frame + sum(attributes) + sum(fields))

    def _name(self, atom: syntax.Atom) -> int:
        """The name of an event that fits an atom."""
        return self._limits.word if atom.what == "any" else max(text(atom.name), text("sent"))

    def _event(self, part: syntax.Part) -> int:
        """A whole event that fitted a part; that of a send is small."""
        limits = self._limits
        sent = 3 * self.name + 2 * limits.id
        atoms = atoms_of(part)
        size = max(sent if atom.what == "sent" else limits.event for atom in atoms)
        return _EVENT + limits.outside + size

    def value(self, node: Any, about: About) -> int:
        """The bytes of a value of ``attach``, of a message or of an argument."""
        limits = self._limits
        match node:
            case syntax.Constant(kind=kind, value=value):
                return limits.number if kind == TIME else text(value)
            case syntax.Record(entries=entries):
                return 2 + sum(text(key) + 4 + self.value(item, about) for key, item in entries)
            case syntax.List(items=items):
                return 2 + sum(2 + self.value(item, about) for item in items)
            case syntax.Path(parts=parts):
                return self._path(parts, about)
            case syntax.Aggregate(function="latest", atom=atom, field=field):
                return self.field((atom,), field)
            case syntax.Aggregate(function="seen") | syntax.Outside(name="pacing admits"):
                return _TRUTH
            case syntax.Aggregate() | syntax.Arithmetic():
                return limits.made
            case syntax.Outside() | syntax.Clock():
                return limits.number
        return _TRUTH

    def _path(self, parts: tuple[str, ...], about: About) -> int:
        match parts:
            case ("event", "query", _):
                return self._limits.url
            case ("event", name) if name in ENVELOPE:
                return self._envelope(name)
            case ("event", *path):
                return self.field(about.event, tuple(path))
            case ("visit", "pages" | "duration"):
                return self._limits.number
            case ("visitor", "state"):
                return self._limits.word
            case ("visit" | "visitor" as scope, name):
                return self.of_kind(self._book.facts[(scope, name)].kind, made=True)
            case (name,) if name in about.given:
                return about.given[name]
            case (alias, *path) if alias in about.names:
                event = (about.names[alias],)
                return self._path(("event", *path), About(event=event, names={}, given=about.given))
        return self._limits.text

    def _envelope(self, name: str) -> int:
        limits = self._limits
        match name:
            case "pageID" | "visitID" | "visitorID":
                return limits.id
            case "url" | "path" | "host":
                return limits.url
            case "title":
                return limits.title
            case "category":
                return max(limits.title, self._categories)
        return limits.word

    def field(self, atoms: tuple[syntax.Atom, ...], path: tuple[str, ...]) -> int:
        """A field of the data of an event that fits one of the atoms."""
        if len(path) == 1 and path[0] in ENVELOPE:
            return self._envelope(path[0])
        sizes = []
        for atom in atoms:
            kinds = self._kinds.get(atom.name, {}) if atom.what == "event" else {}
            sent = atom.what == "sent"
            sizes.append(self.name if sent else self.of_kind(kinds.get(path)))
        return max(sizes)


def text(value: object) -> int:
    """A value that the book writes out, as JSON in JSON: the longer of the ways it is stored."""
    return len(json.dumps(json.dumps(value, ensure_ascii=False)))


def atoms_of(part: syntax.Part) -> tuple[syntax.Atom, ...]:
    """The atoms of one part of a pattern."""
    match part:
        case syntax.AllOf(atoms=atoms) | syntax.AnyOf(atoms=atoms):
            return atoms
        case syntax.Times(atom=atom) | syntax.Absent(atom=atom):
            return (atom,)
        case syntax.Atom():
            return (part,)


def about_of(rule: syntax.Rule) -> About:
    """What the paths of a rule are about."""
    parts = [part for part in rule.pattern.parts if not isinstance(part, syntax.Absent)]
    named = [part for part in parts if isinstance(part, syntax.Atom) and part.alias is not None]
    return About(
        event=atoms_of(parts[-1]), names={atom.alias or "": atom for atom in named}, given={}
    )
