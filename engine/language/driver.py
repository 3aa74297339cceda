"""Tokens become a raw tree by the tables that Lark makes of the grammar: the fast road.

Lark itself builds trees with more care than a book of thousands of rules has time for. This drives
the same tables and shapes the same tree (a test compares the two): tokens that only mark the way
are left out, ``?rule`` of one child is that child, and a part in ``[..]`` that is not there is
None. What does not fit is left to Lark, which knows what would have.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from lark import Lark, Token
from lark.parsers.lalr_analysis import Shift


class Node:
    """A rule of the grammar at its place: the name it is built by, and [start_pos, end_pos)."""

    __slots__ = ("children", "end_pos", "name", "start_pos")

    def __init__(self, name: str, children: list[Any], start: int | None, end: int | None) -> None:
        self.name = name
        self.children = children
        self.start_pos = start
        self.end_pos = end

    @property
    def empty(self) -> bool:
        """Does it stand for no text at all?"""
        return self.start_pos is None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What becomes of a rule: ``takes`` are (child, its children instead, Nones before it).

    ``same``: its only child, as it is.
    """

    name: str
    origin: str
    size: int
    inlined: bool
    same: bool
    takes: tuple[tuple[int, bool, int], ...]
    nones_after: int


REMEMBERED: Final = 8
"""Before so many of the last tokens a refusal knows the states."""
STRIDE: Final = 256
"""The states are marked after each of so many tokens."""
MOST_KNOWN: Final = 4_096
"""For so many states what fits is kept: the same mistakes lead to the same."""
Marks = list[tuple[int, list[int]]]
"""So many tokens fit, and lead to these states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Where reading stopped: the place of the token that does not fit, and what would have.

    ``before`` has the states before each of the last tokens, and last those before ``at``.
    """

    at: int
    accepted: frozenset[str]
    before: tuple[list[int], ...]


_Value = tuple[Any, int | None, int | None]
"""A token, a node or the items of a repetition, and where it stands; empty text stands nowhere."""

_END: Final = "$END"


class Driver:
    """The tables of one grammar."""

    def __init__(self, grammar: Lark) -> None:
        table: Any = grammar.parser.parser._parse_table
        shapes: dict[Any, _Shape] = {}
        self._moves: dict[int, dict[str, int | _Shape]] = {
            state: {
                str(kind): _move(action, target, shapes) for kind, (action, target) in row.items()
            }
            for state, row in table.states.items()
        }
        self._kinds = {
            state: [kind for kind in moves if kind.isupper() or kind == _END]
            for state, moves in self._moves.items()
        }
        self._fitting: dict[tuple[int, ...], frozenset[str]] = {}
        self._starts: dict[str, int] = table.start_states
        self._ends: dict[str, int] = table.end_states

    def read(self, tokens: list[Token], start: str) -> Node | None:
        """The tree of the tokens; None when they do not fit the grammar."""
        moves, stack = self._moves, [self._starts[start]]
        values: list[_Value] = []
        for token in tokens:
            while True:
                move = moves[stack[-1]].get(token.type)
                if type(move) is int:
                    stack.append(move)
                    values.append((token, token.start_pos, token.end_pos))
                    break
                if move is None:
                    return None
                self._reduce(move, stack, values)  # type: ignore[arg-type]
        while stack[-1] != self._ends[start]:
            move = moves[stack[-1]].get(_END)
            if move is None:
                return None
            self._reduce(move, stack, values)  # type: ignore[arg-type]
        return cast("Node", values[-1][0])

    def refused(self, tokens: list[Token], start: str, marks: Marks | None = None) -> Refusal:
        """Where the tokens cease to fit, and what would have fitted there.

        The place is behind the last token when something is missing at the end. Begins at the last
        of the ``marks``, up to which the tokens are known to fit, and adds others to them.
        """
        marks = [] if marks is None else marks
        begin, stack = marks[-1] if marks else (0, [self._starts[start]])
        before = deque([stack], maxlen=REMEMBERED)
        for place in range(begin, len(tokens)):
            after = self._after(stack, tokens[place].type)
            if after is None:
                return Refusal(at=place, accepted=self.fitting(stack, start), before=tuple(before))
            stack = after
            before.append(stack)
            if place % STRIDE == 0:
                marks.append((place + 1, stack))
        accepted = self.fitting(stack, start)
        return Refusal(at=len(tokens), accepted=accepted, before=tuple(before))

    def fitting(self, stack: list[int], start: str) -> frozenset[str]:
        """The kinds that fit in these states; the end of the block is ``$END``."""
        states = tuple(stack)
        found = self._fitting.get(states)
        if found is None:
            end = self._ends[start]
            kinds = self._kinds[stack[-1]]
            found = frozenset(kind for kind in kinds if self._fits(stack, kind, end))
            if len(self._fitting) < MOST_KNOWN:
                self._fitting[states] = found
        return found

    def _fits(self, stack: list[int], kind: str, end: int) -> bool:
        """Does a kind fit in these states? They stay as they are; ``above`` comes on top."""
        below, above = len(stack), list[int]()
        while True:
            state = above[-1] if above else stack[below - 1]
            if kind == _END and state == end:
                return True
            move = self._moves[state].get(kind)
            if move is None or type(move) is int:
                return move is not None
            size = move.size  # type: ignore[union-attr]
            below -= max(0, size - len(above))
            del above[max(0, len(above) - size) :]
            state = above[-1] if above else stack[below - 1]
            above.append(self._moves[state][move.origin])  # type: ignore

    def reads(self, stack: list[int], kinds: Iterable[str], start: str) -> bool:
        """Would all of these fit, one after the other, in these states?"""
        for kind in kinds:
            after = self._after(stack, kind, self._ends[start])
            if after is None:
                return False
            stack = after
        return True

    def _after(self, stack: list[int], kind: str, end: int | None = None) -> list[int] | None:
        """The states after a token of this kind; None when it does not fit."""
        states = stack
        while True:
            if kind == _END and states[-1] == end:
                return states
            move = self._moves[states[-1]].get(kind)
            if move is None:
                return None
            if type(move) is int:
                return [*states, move]
            states = states[: len(states) - move.size]  # type: ignore[union-attr]
            states.append(self._moves[states[-1]][move.origin])  # type: ignore

    def _reduce(self, shape: _Shape, stack: list[int], values: list[_Value]) -> None:
        """The last values are one value of a rule."""
        if not shape.same:
            size = shape.size
            children = values[-size:] if size else []
            if size:
                del values[-size:], stack[-size:]
            values.append(_built(shape, children))
        else:
            stack.pop()
        stack.append(self._moves[stack[-1]][shape.origin])  # type: ignore[arg-type]


def _move(action: Any, target: Any, shapes: dict[Any, _Shape]) -> int | _Shape:
    """Where a token or a rule leads: to a state, or to what the last values become."""
    if action is Shift:
        return cast("int", target)
    return shapes.setdefault(target, _shape(target))


def _shape(rule: Any) -> _Shape:
    options, takes = rule.options, []
    gaps = _gaps(options.empty_indices, len(rule.expansion))
    nones = 0
    for place, symbol in enumerate(rule.expansion):
        nones += gaps[place]
        if options.keep_all_tokens or not (symbol.is_term and symbol.filter_out):
            takes.append((place, not symbol.is_term and symbol.name.startswith("_"), nones))
            nones = 0
    inlined = bool(options.expand1 and not rule.alias)
    return _Shape(
        name=str(rule.alias or rule.origin.name),
        origin=str(rule.origin.name),
        size=len(rule.expansion),
        inlined=inlined,
        same=inlined and len(rule.expansion) == len(takes) == 1 and not nones + gaps[-1],
        takes=tuple(takes),
        nones_after=nones + gaps[-1],
    )


def _gaps(empty: tuple[bool, ...], size: int) -> list[int]:
    """How many absent parts stand before each symbol of an expansion, and after the last."""
    if not empty:
        return [0] * (size + 1)
    return [len(run) for run in "".join("1" if gone else "0" for gone in empty).split("0")]


def _built(shape: _Shape, values: list[_Value]) -> _Value:
    kept: list[Any] = []
    for place, spread, nones in shape.takes:
        if nones:
            kept += [None] * nones
        if spread and not kept:  # the list itself: a long one is not copied for each of its items
            kept = values[place][0].children
        elif spread:
            kept += values[place][0].children
        else:
            kept.append(values[place][0])
    if shape.nones_after:
        kept += [None] * shape.nones_after
    start, end = _extent(values)
    if shape.inlined and len(kept) == 1:
        return kept[0], start, end
    return Node(shape.name, kept, start, end), start, end


def _extent(values: list[_Value]) -> tuple[int | None, int | None]:
    if values and values[0][1] is not None and values[-1][2] is not None:
        return values[0][1], values[-1][2]
    placed = [value for value in values if value[1] is not None]
    return (placed[0][1], placed[-1][2]) if placed else (None, None)
