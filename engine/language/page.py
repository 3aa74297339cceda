"""The page: units below each other, with their comments and the blank lines that belong."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from lark import Token

from engine.language.layout import WIDTH, Comment, Doc, Line, pieces


@dataclass(slots=True, kw_only=True)
class Unit:
    """What begins a line of its own.

    ``blank``: a blank line before it is a must, is kept, or is dropped. ``head`` begins a
    declaration, of the kind of ``keyword``; ``widths`` are those of its parts but the last, which
    stand in columns when such declarations of one line follow each other.
    """

    doc: Doc
    indent: int
    blank: Literal["must", "keep", "drop"] = "keep"
    keyword: str = ""
    widths: tuple[int, ...] = ()
    lines: list[Line] = field(default_factory=list)


class Page:
    """Writes units and comments below each other, with the blank lines that belong."""

    def __init__(self, text: str, tokens: Sequence[Token], comments: Sequence[Comment]) -> None:
        self._text = text
        ends = [token.end_pos or 0 for token in tokens]
        self._ends = sorted(ends + [comment.end for comment in comments])
        self._page: list[str] = []

    def write(self, declarations: Sequence[Sequence[Unit]], rest: Sequence[Comment]) -> str:
        """The whole file; ``rest`` are the comments behind the last declaration."""
        run: list[Unit] = []
        for before, declaration in pairwise([[], *declarations]):
            if not self._goes_on(before, declaration):
                _align(run)
                run = []
            run += declaration[:1] if _is_one_line(declaration) else []
        _align(run)
        last: Unit | None = None
        for unit in (unit for declaration in declarations for unit in declaration):
            self._unit(unit, last)
            last = unit
        for comment in self._of_the_unit_before(rest, last, column=0, indent=0):
            self._line(comment.text, 0, blank=self._is_blank_before(comment.start))
        return "".join(f"{line}\n" for line in self._page)

    def _goes_on(self, before: Sequence[Unit], declaration: Sequence[Unit]) -> bool:
        """Do two declarations of one line and kind follow each other without an empty line?"""
        if not (_is_one_line(before) and _is_one_line(declaration)):
            return False
        unit = declaration[0]
        if before[0].keyword != unit.keyword:
            return False
        unit.blank = "keep"
        start = _start(unit)
        places = [comment.start for comment in unit.lines[0].before if comment.start < start]
        return not any(map(self._is_blank_before, [*places, start]))

    def _unit(self, unit: Unit, last: Unit | None) -> None:
        first, *others = unit.lines
        start = _start(unit)
        column = start - self._text.rfind("\n", 0, start) - 1
        above = [comment for comment in first.before if comment.start < start]
        above = self._of_the_unit_before(above, last, column, unit.indent)
        blanks = [self._is_blank_before(comment.start) for comment in above]
        blanks.append(self._is_blank_before(start))
        if unit.blank != "keep":
            blanks[0] = unit.blank == "must"
        for comment, blank in zip(above, blanks, strict=False):
            self._line(comment.text, unit.indent, blank=blank and unit.blank != "drop")
        blank = blanks[-1] and unit.blank != "drop"
        for comment in first.before:
            if comment.start > start:  # from the middle of the line
                self._line(comment.text, unit.indent, blank=blank)
                blank = False
        self._line(_with_comment(first), unit.indent, blank=blank)
        for line in others:
            self._inner(line)

    def _inner(self, line: Line) -> None:
        inside = 2 if line.text[:1] in ")}]" else 0
        for comment in line.before:
            self._line(comment.text, line.indent + inside)
        self._line(_with_comment(line), line.indent)

    def _of_the_unit_before(
        self, comments: Sequence[Comment], last: Unit | None, column: int, indent: int
    ) -> list[Comment]:
        """Write the comments that stand deeper than what follows: they end what is before.

        Gives those that belong to what follows.
        """
        deep = max(last.indent, 2) if last else 0
        at = 0
        while at < len(comments) and deep > indent and comments[at].column > column:
            blank = self._is_blank_before(comments[at].start)
            self._line(comments[at].text, deep, blank=blank)
            at += 1
        return list(comments[at:])

    def _line(self, text: str, indent: int, *, blank: bool = False) -> None:
        if blank and self._page:
            self._page.append("")
        self._page.append(" " * indent + text)

    def _is_blank_before(self, place: int) -> bool:
        """Is there an empty line between the word or comment before and this place?"""
        at = bisect_right(self._ends, place)
        return has_blank_line(self._text[self._ends[at - 1] if at else 0 : place])


def _start(unit: Unit) -> int:
    """Where the first word of a unit stands that somebody wrote."""
    return next(each.start for each in pieces(unit.doc) if each.start >= 0)


def _align(run: Sequence[Unit]) -> None:
    """Put the parts of declarations below each other in columns, if all of them fit so."""
    columns = [max(widths) for widths in _upright([unit.widths for unit in run])]
    aligned = [_in_columns(unit.lines[0].text, unit.widths, columns) for unit in run]
    if all(len(text) <= WIDTH for text in aligned):
        for unit, text in zip(run, aligned, strict=True):
            unit.lines[0].text = text


def _upright(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """The columns of rows that may end early."""
    longest = max(map(len, rows), default=0)
    return [[row[n] for row in rows if n < len(row)] for n in range(longest)]


def _in_columns(text: str, widths: Sequence[int], columns: Sequence[int]) -> str:
    parts, place = [], 0
    for width, column in zip(widths, columns, strict=False):
        parts.append(text[place : place + width].ljust(column))
        place += width + 1
    return " ".join([*parts, text[place:]])


def has_blank_line(between: str) -> bool:
    """Is there an empty line between two words with this text between them?"""
    return any(not line.strip() for line in between.split("\n")[1:-1])


def _is_one_line(declaration: Sequence[Unit]) -> bool:
    lines = [line for unit in declaration for line in unit.lines]
    return len(lines) == 1 and "\n" not in lines[0].text


def _with_comment(line: Line) -> str:
    return line.text if line.trailing is None else f"{line.text}  {line.trailing.text}"
