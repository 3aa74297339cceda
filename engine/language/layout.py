"""Layout: a document of pieces and possible line breaks becomes lines of a given width.

A group is written on one line when it fits, and otherwise broken at every break of its own (its
inner groups decide for themselves). Comments hang on pieces. One that stands at a break of a group
breaks the group, so that it keeps its place; any other moves to the line that its piece is on: the
last one behind the line if it was written behind something, all others before the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

WIDTH: Final = 100
"""No line is longer, if it can be broken; comments are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """``# text`` and where it stood: its offset, its column from 0, alone on its line or not."""

    text: str
    start: int
    end: int
    column: int
    alone: bool


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A word as it is written out. ``start`` and ``end`` are its place; -1 if nobody wrote it."""

    text: str
    kind: str = ""
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Break:
    """A new line when its group is broken, otherwise ``flat``."""

    flat: str = " "


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """Blanks inside a line: so many when the group is broken, otherwise one."""

    broken: int


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Broken at all of its breaks, or at none."""

    parts: tuple[Doc, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Nest:
    """New lines inside begin so much further right; ``align``: below where this begins."""

    parts: tuple[Doc, ...]
    by: int | Literal["align"] = 2


Doc = Piece | Break | Gap | Group | Nest | tuple["Doc", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The comments that stand before and behind pieces, by the start of the piece."""

    before: Mapping[int, list[Comment]]
    behind: Mapping[int, list[Comment]]


@dataclass(slots=True, kw_only=True)
class Line:
    """One line (or more, for a text in triple quotes) with its comments."""

    indent: int
    text: str = ""
    before: list[Comment] = field(default_factory=list)
    trailing: Comment | None = None


def pieces(doc: Doc) -> Iterator[Piece]:
    """All pieces in the order of the output."""
    match doc:
        case Piece():
            yield doc
        case Group(parts=parts) | Nest(parts=parts) | tuple(parts):
            for part in parts:
                yield from pieces(part)


def flat_width(doc: Doc) -> int:
    """How many columns a document takes on one line."""
    match doc:
        case Piece(text=text) | Break(flat=text):
            return len(text)
        case Gap():
            return 1
        case Group(parts=parts) | Nest(parts=parts) | tuple(parts):
            return sum(map(flat_width, parts))


def lay_out(doc: Doc, indent: int, attached: Attached) -> list[Line]:
    """The lines of a document whose first line begins at a column."""
    broken: set[int] = set()
    _find_broken(doc, attached, broken)
    return _Press(indent, attached, broken).print(doc)


# ---------------------------------------------------------------- comments break groups


def _find_broken(doc: Doc, attached: Attached, broken: set[int]) -> bool:
    """Note the groups that comments break (by id); True when there is one in ``doc``."""
    match doc:
        case Group(parts=parts):
            inner = _find_broken(parts, attached, broken)
            if inner or _comment_at_break(doc, attached):
                broken.add(id(doc))
                return True
            return False
        case Nest(parts=parts) | tuple(parts):
            # Every part is looked into, also after the first that is broken.
            found = [_find_broken(part, attached, broken) for part in parts]
            return any(found)
    return False


def _comment_at_break(group: Group, attached: Attached) -> bool:
    behind, fresh = False, False
    for leaf in _leaves(group):
        if isinstance(leaf, Break):
            if behind:
                return True
            fresh = True
        elif leaf.start >= 0:
            if fresh and leaf.start in attached.before:
                return True
            behind, fresh = leaf.start in attached.behind, False
    return False


def _leaves(group: Group) -> Iterator[Piece | Break]:
    """The pieces of a group and its own breaks; inner groups have theirs."""
    waiting: list[Doc] = list(reversed(group.parts))
    while waiting:
        match waiting.pop():
            case Group() as inner:
                waiting.extend(reversed(list(pieces(inner))))
            case Nest(parts=parts) | tuple(parts):
                waiting.extend(reversed(parts))
            case Piece() | Break() as leaf:
                yield leaf


# ---------------------------------------------------------------- lines

_Task = tuple[int, bool, Doc]
"""How far new lines are indented, whether breaks are new lines, and what is to be written."""


class _Press:
    """Writes documents line by line."""

    def __init__(self, indent: int, attached: Attached, broken: set[int]) -> None:
        self._attached = attached
        self._broken = broken
        self._column = indent
        self._lines = [Line(indent=indent)]
        self._found: list[tuple[Comment, bool]] = []
        self._todo: list[_Task] = []

    def print(self, doc: Doc) -> list[Line]:
        self._todo = [(self._column, True, doc)]
        while self._todo:
            self._write(*self._todo.pop())
        self._end_line()
        return self._lines

    def _write(self, indent: int, is_broken: bool, doc: Doc) -> None:  # noqa: FBT001
        match doc:
            case Piece():
                self._piece(doc)
            case Break(flat=flat) if not is_broken:
                self._add(flat)
            case Break():
                self._end_line()
                self._lines.append(Line(indent=indent))
                self._column = indent
            case Gap(broken=wide):
                self._add(" " * (wide if is_broken else 1))
            case Group(parts=parts):
                breaks = id(doc) in self._broken or not self._fits(parts)
                self._todo += [(indent, breaks, part) for part in reversed(parts)]
            case Nest(parts=parts, by=by):
                inner = self._column if by == "align" else indent + by
                self._todo += [(inner, is_broken, part) for part in reversed(parts)]
            case parts:
                self._todo += [(indent, is_broken, part) for part in reversed(parts)]

    def _piece(self, piece: Piece) -> None:
        before = self._attached.before.get(piece.start, ()) if piece.start >= 0 else ()
        behind = self._attached.behind.get(piece.start, ()) if piece.start >= 0 else ()
        self._found += [(comment, False) for comment in before]
        self._add(piece.text)
        self._found += [(comment, True) for comment in behind]

    def _add(self, text: str) -> None:
        self._lines[-1].text += text
        *earlier, last = text.split("\n")
        self._column = len(last) + (0 if earlier else self._column)

    def _end_line(self) -> None:
        line = self._lines[-1]
        line.text = line.text.rstrip(" ")
        if self._found and self._found[-1][1]:
            line.trailing = self._found.pop()[0]
        line.before = [comment for comment, _ in self._found]
        self._found = []

    def _fits(self, parts: tuple[Doc, ...]) -> bool:
        """Do these, on one line, and what follows up to the next new line, fit?"""
        left, after = WIDTH - self._column, len(self._todo)
        waiting: list[tuple[bool, Doc]] = [(False, part) for part in reversed(parts)]
        while left >= 0:
            if not waiting:
                after -= 1
                if after < 0:
                    break
                waiting.append(self._todo[after][1:])
            is_broken, doc = waiting.pop()
            match doc:
                case Piece(text=text):
                    left -= len(text.split("\n", 1)[0])
                    if "\n" in text:
                        break
                case Break(flat=flat):
                    if is_broken:
                        break
                    left -= len(flat)
                case Gap(broken=wide):
                    left -= wide if is_broken else 1
                case Group(parts=inner) | Nest(parts=inner) | tuple(inner):
                    # A group that follows may break as soon as it can.
                    waiting += [(is_broken, part) for part in reversed(inner)]
        return left >= 0
