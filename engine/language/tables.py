"""Tables: every row becomes the tokens of one rule, as if it had been written out.

The first line names the table and its strategy, the second is the head, every other line a row;
cells stand between bars. A head is the beginning of a clause (``on PageEntered in ?``, ``when
visit.pages``, ``send``, ``set visit.stage``, ``attach``); ``?`` is where the cell goes, otherwise
the cell follows. A cell without an operator means ``=``, and ``-`` leaves the clause out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lark import Token

from engine.language.blocks import Block
from engine.language.diagnostics import Findings
from engine.language.lexer import Lexer
from engine.language.source import Source

_CLAUSES: Final = ("ON", "WHEN", "UNLESS", "SEND", "SET", "ATTACH")
_OPERATORS: Final = ("COMPARISON", "EQUAL", "IN", "IS_KNOWN", "IS_MISSING")

Cells = list[list[Token]]


class Rows:
    """The rows of one table. ``name`` is None when its first line cannot be read."""

    def __init__(self, source: Source, block: Block, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self.mended = False
        self.name: str | None = None
        self.strategy = ""
        lines = [line for line in self._lines(block) if line]
        self._title(lines[0] if lines else [])
        self._head = _split(lines[1]) if len(lines) > 1 else []
        self._rows = [_split(line) for line in lines[2:] if not self._is_ruler(line)]
        self._without_outer_bars(lines)
        if self._head and len(lines) == 2:
            self._wrong("S031", lines[1])

    def _is_ruler(self, line: list[Token]) -> bool:
        """Does a line only draw, as tables elsewhere do below their heads?"""
        drawn = len(line) > 1 and all(token.type in ("MINUS", "BAR", "EQUAL") for token in line)
        drawn = drawn and sum(token.type != "BAR" for token in line) > 2 * len(self._head)
        if drawn:
            self._wrong("S029", line)
        return drawn

    def _without_outer_bars(self, lines: list[list[Token]]) -> None:
        if len(self._head) > 2 and not self._head[0] and not self._head[-1]:
            self._wrong("S030", lines[1][:1])
            self._head = self._head[1:-1]
            self._rows = [row[1:-1] if not row[0] and not row[-1] else row for row in self._rows]

    def _lines(self, block: Block) -> Iterator[list[Token]]:
        start = block.start
        for line in self._source.text[block.start : block.end].splitlines(keepends=True):
            yield Lexer(self._source, start, start + len(line), self._findings, "table").read()
            start += len(line)

    def _title(self, tokens: list[Token]) -> None:
        if [token.type for token in tokens] == ["TABLE", "TEXT", "FOR", "STRATEGY", "TEXT"]:
            self.name = str(tokens[1])[1:-1]
            self.strategy = str(tokens[4])[1:-1]
        elif tokens:
            self._wrong("S021", tokens)

    def _wrong(self, code: str, tokens: list[Token], **words: object) -> None:
        self.mended = True
        start, end = tokens[0].start_pos or 0, tokens[-1].end_pos or 0
        self._findings.add(code, self._source.span(start, end), **words)

    def rules(self) -> Iterator[list[Token]]:
        """The tokens of each row's rule."""
        if not self._head or not self._heads_are_clauses():
            return
        for row in self._rows:
            tokens = [token for cell in row for token in cell]
            if len(row) != len(self._head):
                self._wrong("S019", tokens, found=len(row), wanted=len(self._head))
                continue
            yield self._rule(row)

    def _heads_are_clauses(self) -> bool:
        for head in self._head:
            if not head or head[0].type not in _CLAUSES:
                at = head or [token for cell in self._head for token in cell]
                if at:
                    self._wrong("S020", at, word=str(at[0]))
                return False
        return True

    def _rule(self, row: Cells) -> list[Token]:
        clauses: dict[str, Cells] = {kind: [] for kind in _CLAUSES}
        for head, cell in zip(self._head, row, strict=True):
            if filled := _filled(head, cell):
                clauses[head[0].type].append(filled)
        found = [token for clause in clauses["ON"][:1] for token in clause]
        found += _joined(clauses["WHEN"], "AND") + _joined(clauses["UNLESS"], "OR")
        for kind in ("SEND", "ATTACH", "SET"):
            found += [token for clause in clauses[kind] for token in clause]
        return found


def _split(tokens: list[Token]) -> Cells:
    cells: Cells = [[]]
    for token in tokens:
        if token.type == "BAR":
            cells.append([])
        else:
            cells[-1].append(token)
    return cells


def _is_any(cell: list[Token]) -> bool:
    return not cell or [token.type for token in cell] == ["MINUS"]


def _filled(head: list[Token], cell: list[Token]) -> list[Token]:
    """The clause of a head with its cell; empty when the cell leaves it out."""
    hole = next((n for n, token in enumerate(head) if token.type == "HOLE"), None)
    if hole is not None:
        if not _is_any(cell):
            return [*head[:hole], *cell, *head[hole + 1 :]]
        before = hole - 1 if head[hole - 1].type == "IN" else hole
        return [*head[:before], *head[hole + 1 :]] if head[0].type == "ON" else []
    if _is_any(cell):
        return head if head[0].type == "ON" else []
    if head[0].type in ("SEND", "ATTACH"):
        return [*head, *cell]
    if head[0].type == "SET" or cell[0].type not in _OPERATORS:
        return [*head, _sign(cell[0], "EQUAL", "="), *cell]
    return [*head, *cell]


def _joined(clauses: Cells, word: str) -> list[Token]:
    """Several conditions as one: each in brackets, joined by ``and`` or ``or``."""
    found: list[Token] = []
    for clause in clauses:
        first = clause[0]
        found.append(first if not found else _sign(first, word, word.lower()))
        found += [_sign(first, "LPAR", "("), *clause[1:], _sign(clause[-1], "RPAR", ")")]
    return found


def _sign(at: Token, kind: str, value: str) -> Token:
    """A token that is meant at the place of another."""
    return Token(kind, value, start_pos=at.start_pos, end_pos=at.end_pos)
