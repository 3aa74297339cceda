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
from engine.language.cells import Cell, cell_of
from engine.language.diagnostics import Findings
from engine.language.lexer import TOKENS, Lexer
from engine.language.spelling import nearest

_CLAUSES: Final = ("ON", "WHEN", "UNLESS", "SEND", "SET", "ATTACH")
_OPERATORS: Final = ("COMPARISON", "EQUAL", "IN", "IS_KNOWN", "IS_MISSING")
_TITLE: Final = ["TABLE", "TEXT", "FOR", "STRATEGY", "TEXT"]

Cells = list[list[Token]]


class Rows:
    """The rows of one table. ``name`` is None when its first line cannot be read."""

    def __init__(self, block: Block, findings: Findings) -> None:
        self._source = block.source
        self._findings = findings
        self.mended = False
        self.name: str | None = None
        self.strategy = ""
        lines = [line for line in self._lines(block) if line]
        self._title(lines[0] if lines else [])
        self._head = _split(lines[1]) if len(lines) > 1 else []
        self._head_line = lines[1] if len(lines) > 1 else []
        self._rows = [_split(line) for line in lines[2:] if not self._is_ruler(line)]
        self._without_outer_bars()
        if self._head and len(lines) == 2:
            self._wrong("S031", lines[1])

    def _is_ruler(self, line: list[Token]) -> bool:
        """Does a line only draw, as tables elsewhere do below their heads?"""
        cells = [[token.type for token in cell] for cell in _split(line) if cell]
        drawn = bool(cells) and all(
            len(cell) > 1 and {"MINUS", "EQUAL", "COLON", "PLUS"}.issuperset(cell) for cell in cells
        )
        if drawn:
            self._wrong("S029", line)
        return drawn

    def _without_outer_bars(self) -> None:
        if len(self._head) > 2 and not self._head[0] and not self._head[-1]:
            self._wrong("S030", self._head_line[:1])
            self._head = self._head[1:-1]
            self._rows = [row[1:-1] if not row[0] and not row[-1] else row for row in self._rows]

    def _lines(self, block: Block) -> Iterator[list[Token]]:
        start = block.start
        for line in self._source.text[block.start : block.end].splitlines(keepends=True):
            yield Lexer(self._source, start, start + len(line), self._findings, "table").read()
            start += len(line)

    def _title(self, tokens: list[Token]) -> None:
        """Its name and its strategy; with two texts it is known what was meant."""
        texts = [str(token)[1:-1] for token in tokens if token.type == "TEXT"]
        if [token.type for token in tokens] != _TITLE and tokens:
            self._wrong("S021", tokens)
        if len(texts) == 2:
            self.name, self.strategy = texts

    def _wrong(self, code: str, tokens: list[Token], **words: object) -> None:
        self.mended = True
        start, end = tokens[0].start_pos or 0, tokens[-1].end_pos or 0
        self._findings.add(code, self._source.span(start, end), **words)

    def rules(self) -> Iterator[list[Token]]:
        """The tokens of each row's rule."""
        if not self._head or not self._heads_are_clauses() or not self._rows_fit():
            return
        for row in self._rows:
            yield self._rule(row)

    # ------------------------------------------------- heads

    def _heads_are_clauses(self) -> bool:
        self._head = [self._meant_head(head) for head in self._head]
        for head in self._head:
            if not head or head[0].type not in _CLAUSES:
                at = head or [token for cell in self._head for token in cell]
                if at:
                    hint = "Write `on ..`, `when ..`, `unless ..`, `send`, `set ..` or `attach`."
                    self._wrong("S020", at, word=str(at[0]), hint=hint)
                return False
            if not self._has_place(head):
                return False
        return True

    def _meant_head(self, head: list[Token]) -> list[Token]:
        """A head whose first word is misspelt or missing, as it was meant."""
        if not head or head[0].type in _CLAUSES:
            return head
        word = str(head[0])
        if head[0].type in ("PATH", "FUNCTION", "FIELD_FUNCTION", "NOW", "WEEKDAY", "SINCE"):
            self._wrong("S020", head, word=word, hint=f"Put `when` before it: `when {word}`.")
            return [_sign(head[0], "WHEN", "when"), *head]
        near = nearest(word, [kind.lower() for kind in _CLAUSES])
        if near is None:
            return head
        self._wrong("S020", head[:1], word=word, hint=f"Write `{near}`.")
        return [head[0].update(type=TOKENS[near], value=near), *head[1:]]

    def _has_place(self, head: list[Token]) -> bool:
        """Is it said where the cells of `on ..` go, and does one column stand there?"""
        more = [token for token in head[1:] if token.type in _CLAUSES]
        if more:
            self._wrong("S034", more[:1], word=str(more[0]))
            return False
        if head[0].type != "ON" or any(token.type == "HOLE" for token in head):
            return True
        cells = [cell for row in self._rows for cell in row[: len(self._head)][:1]]
        if self._head[0] is not head or not any(not _is_any(cell) for cell in cells):
            return True
        self._wrong("S035", head, word=" ".join(map(str, head)))
        return False

    # ------------------------------------------------- rows

    def _rows_fit(self) -> bool:
        """Has each row a cell for each column? The others are noted, and left out."""
        wanted = len(self._head)
        counts = {len(row) for row in self._rows}
        if len(counts) == 1 and len(self._rows) > 1 and counts != {wanted}:
            hint = "Write a head for each column, such as `| send`."
            if counts < {*range(wanted)}:
                hint = "Write a cell for each column; `-` means any."
            self._wrong("S019", self._head_line, found=counts.pop(), wanted=wanted, hint=hint)
            return False
        fitting: list[Cells] = []
        broken: list[Token] = []
        for row, following in zip(self._rows, [*self._rows[1:], None], strict=False):
            tokens = [token for cell in row for token in cell]
            if len(row) == wanted:
                fitting.append(row)
            elif broken and not row[0] and tokens:  # it goes on with the line before
                broken = []
            else:
                broken = tokens
                self._odd_row(row, following, tokens)
        self._rows = fitting
        return True

    def _odd_row(self, row: Cells, following: Cells | None, tokens: list[Token]) -> None:
        hint = "Put a `|` between cells; `-` means any."
        if len(row) > len(self._head):
            hint = "Take the cells away that have no head."
        elif following and not following[0] and len(following) < len(self._head):
            hint = "Write the row on one line."
        if tokens:
            self._wrong("S019", tokens, found=len(row), wanted=len(self._head), hint=hint)

    def _rule(self, row: Cells) -> list[Token]:
        clauses: dict[str, Cells] = {kind: [] for kind in _CLAUSES}
        for head, cell in zip(self._head, row, strict=True):
            meant = self._cell(head, cell_of(cell, head[0].type))
            if filled := _filled(head, meant):
                clauses[head[0].type].append(filled)
        found = [token for clause in clauses["ON"][:1] for token in clause]
        found += _joined(clauses["WHEN"], "AND") + _joined(clauses["UNLESS"], "OR")
        for kind in ("SEND", "ATTACH", "SET"):
            found += [token for clause in clauses[kind] for token in clause]
        return found

    def _cell(self, head: list[Token], cell: Cell) -> list[Token]:
        """What a cell means; when it says something else, that is noted."""
        if cell.hint:
            shown = cell.wrong or cell.tokens or head
            start, end = shown[0].start_pos or 0, shown[-1].end_pos or 0
            span = self._source.span(start, end)
            self._findings.forget(span)
            word = " ".join(map(str, shown))
            self._findings.add("S002", span, word=word, hint=cell.hint)
            self.mended = True
        return cell.tokens


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
