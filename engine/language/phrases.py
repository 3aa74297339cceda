"""Phrases: what the grammar read becomes documents, with one way to write every construct.

Most of a block is words with a space between them. Of their own are conditions (brackets are taken
off and put where a reader or the tree needs them), records, lists and behaviours (their last
clauses sorted). The raw tree here keeps every token, so that comments find their places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from lark import Token, Tree

from engine.language.layout import Break, Doc, Gap, Group, Nest, Piece

Node = Tree[Token] | Token

_SPACE: Final = Piece(" ")
_OPEN: Final = Piece("(")
_CLOSE: Final = Piece(")")

_CALLS: Final = frozenset(("FUNCTION", "FIELD_FUNCTION", "SINCE", "PACING", "PATH", "NAME"))
"""Before a bracket these take no space: ``count(``, ``agents.ready(``, ``Offer(``."""
_CLAUSES: Final = ("stays", "within", "per")
"""The clauses at the end of a behaviour, in their order."""

_LEVELS: Final = {
    "disjoin": 1, "conjoin": 2, "negate": 3, "compare": 4, "among": 4, "in_categories": 4,
    "in_hours_now": 4, "admits": 4, "known": 4, "missing": 4, "glob": 4,
}  # fmt: skip
_READ_WELL: Final = (
    "negate", "glob", "among", "in_categories", "in_hours_now", "admits",
)  # fmt: skip
"""After ``not`` these need no brackets."""

_CONDITION, _NEGATION, _SUM, _PRODUCT, _FACTOR = 1, 3, 5, 6, 7
_BIND: Final = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """A place [start, end) whose clauses changed order: which pieces are now first and last."""

    start: int
    end: int
    first: int
    last: int


@dataclass(slots=True)
class Phrases:
    """Writes raw trees as documents.

    ``sorted_places`` collects the places [start, end) whose clauses had to be put in order, with
    the piece that now comes first there: a comment between them cannot stay where it was.
    """

    sorted_places: list[Sorted] = field(default_factory=list)

    # ------------------------------------------------- words

    def doc(self, node: Node | None) -> Doc:
        """The document of a token or a tree; nothing for nothing."""
        if node is None:
            return ()
        if isinstance(node, Token):
            return piece(node)
        special = _SPECIAL.get(node.data)
        return special(self, node) if special else self.words(node.children)

    def words(self, nodes: Sequence[Node | None]) -> Doc:
        """Several one after the other, with a space wherever one belongs."""
        found: list[Doc] = []
        last: Token | None = None
        for node in nodes:
            tokens = list(tokens_of(node))
            if node is None or not tokens:
                continue
            if last is not None and _spaced(last, tokens[0]):
                found.append(_SPACE)
            found.append(self.doc(node))
            last = tokens[-1]
        return tuple(found)

    def listed(self, nodes: Sequence[Node | None], *, least: int | None = None) -> Doc:
        """A list with commas between; each is a value of at least a level, or words."""
        found: list[Doc] = []
        for node in nodes:
            if node is None:
                continue
            if isinstance(node, Token) and node.type == "COMMA":
                found.append((piece(node), Break()))
            else:
                found.append(self.doc(node) if least is None else self.value(node, least))
        return Group((Nest(tuple(found), "align"),))

    # ------------------------------------------------- conditions

    def condition(self, node: Node) -> Doc:
        """A condition inside a line, such as that of ``where``."""
        return self.value(node, _CONDITION)

    def clause(self, node: Node, first: int, indent: int) -> Doc:
        """A condition that begins at column ``first``; its ``and``s go to lines at ``indent``.

        When it is broken what follows ``and`` stands below what follows the keyword.
        """
        node = bare(node)
        if not isinstance(node, Tree) or node.data not in ("conjoin", "disjoin"):
            return self.condition(node)
        start, *rest = node.children
        found: list[Doc] = [self.value(start, _NEGATION)]
        for operator, operand in zip(rest[::2], rest[1::2], strict=True):
            gap = Gap(max(first - indent - len(str(operator)), 1))
            found += [Break(), self.doc(operator), gap, self.value(operand, _NEGATION)]
        return Group((Nest(tuple(found)),))

    def value(self, node: Node, least: int) -> Doc:
        """A value that binds at least as tightly as a level, in brackets if need be."""
        node = bare(node)
        if _level(node) >= least:
            return self.doc(node)
        return (_OPEN, Nest((self.doc(node),), "align"), _CLOSE)

    def sum(self, node: Node) -> Doc:
        """A value where no condition may stand without brackets."""
        return self.value(node, _SUM)

    def _bracket(self, tree: Tree[Token]) -> Doc:
        return self.doc(bare(tree))

    def _joined(self, tree: Tree[Token]) -> Doc:
        """``a and b and c`` inside a line."""
        first, *rest = tree.children
        found: list[Doc] = [self.value(first, _NEGATION)]
        for operator, operand in zip(rest[::2], rest[1::2], strict=True):
            found += [Break(), self.doc(operator), _SPACE, self.value(operand, _NEGATION)]
        return Group((Nest(tuple(found), "align"),))

    def _negate(self, tree: Tree[Token]) -> Doc:
        word, inner = tree.children[0], bare(tree.children[1])
        reads_well = isinstance(inner, Tree) and inner.data in _READ_WELL
        return (self.doc(word), _SPACE, self.value(inner, _NEGATION if reads_well else _FACTOR))

    def _compare(self, tree: Tree[Token]) -> Doc:
        left, operator, right = tree.children
        return (
            self.value(left, _SUM), _SPACE, self.doc(operator), _SPACE, self.value(right, _SUM),
        )  # fmt: skip

    def _among(self, tree: Tree[Token]) -> Doc:
        item, word, opened, *values, closed = tree.children
        listed = self.listed(values, least=_SUM)
        return (
            self.value(item, _SUM), _SPACE, self.doc(word), _SPACE,
            self.doc(opened), listed, self.doc(closed),
        )  # fmt: skip

    def _known(self, tree: Tree[Token]) -> Doc:
        item, word = tree.children
        return (self.value(item, _SUM), _SPACE, self.doc(word))

    def _arithmetic(self, tree: Tree[Token]) -> Doc:
        left, operator, right = tree.children
        level = _level(tree)
        return (
            self.value(left, level), _SPACE, self.doc(operator), _SPACE,
            self.value(right, level + 1),
        )  # fmt: skip

    def _negative(self, tree: Tree[Token]) -> Doc:
        sign, inner = tree.children[0], bare(tree.children[1])
        if isinstance(inner, Tree) and inner.data == "negative":
            return (self.doc(sign), _OPEN, self.doc(inner), _CLOSE)
        return (self.doc(sign), self.value(inner, _FACTOR))

    # ------------------------------------------------- lists, calls and records

    def _call(self, tree: Tree[Token]) -> Doc:
        """``count(A, W)``, ``event in (A, B)``, ``all of (A, B)``, ``Offer(medium, reason)``."""
        children = [child for child in tree.children if child is not None]
        kinds = [child.type if isinstance(child, Token) else "" for child in children]
        if "LPAR" not in kinds:
            return self.words(children)
        opened, closed = kinds.index("LPAR"), kinds.index("RPAR")
        before, last = children[:opened], list(tokens_of(children[opened - 1]))[-1]
        least = _SUM if tree.data == "send_named" else None
        return (
            self.words(before),
            _SPACE if _spaced(last, children[opened]) else (),
            self.doc(children[opened]),
            self.listed(children[opened + 1 : closed], least=least),
            self.doc(children[closed]),
            _SPACE if children[closed + 1 :] else (),
            self.words(children[closed + 1 :]),
        )

    def _record(self, tree: Tree[Token]) -> Doc:
        return self._enclosed(tree.children, Break(" "))

    def _sequence(self, tree: Tree[Token]) -> Doc:
        return self._enclosed(tree.children, Break(""))

    def _channel(self, tree: Tree[Token]) -> Doc:
        children = [child for child in tree.children if child is not None]
        opened = next(
            n for n, child in enumerate(children)
            if isinstance(child, Token) and child.type == "LBRACE"
        )  # fmt: skip
        fields = self._enclosed(children[opened:], Break(" "))
        return (self.words(children[:opened]), _SPACE, fields)

    def _enclosed(self, children: Sequence[Node | None], space: Break) -> Doc:
        """What stands between braces or square brackets; a comma at its end goes."""
        opened, *inner, closed = (child for child in children if child is not None)
        items = [child for child in inner if isinstance(child, Tree)]
        commas = [child for child in inner if isinstance(child, Token)]
        if not items:
            return (self.doc(opened), self.doc(closed))
        found: list[Doc] = []
        for n, item in enumerate(items):
            found += [space if n == 0 else Break(), self.value(item, _SUM)]
            if n < len(items) - 1:
                found.append(self.doc(commas[n]))
        return Group((self.doc(opened), Nest(tuple(found)), space, self.doc(closed)))

    def _entry(self, tree: Tree[Token]) -> Doc:
        key, colon, item = tree.children
        return (self.doc(key), self.doc(colon), _SPACE, self.value(item, _SUM))

    def _own_field(self, tree: Tree[Token]) -> Doc:
        key, *rest = tree.children
        word = piece(key, str(key)) if isinstance(key, Token) else self.doc(key)
        return (word, self.words(rest[:1]), _SPACE, self.words(rest[1:]))

    # ------------------------------------------------- behaviour

    def _pattern(self, tree: Tree[Token]) -> Doc:
        """The parts of a behaviour, then its clauses in order; each on a line if it is long."""
        first, *clauses = [child for child in tree.children if isinstance(child, Tree)]
        order = sorted(clauses, key=lambda c: _CLAUSES.index(c.data) if c.data in _CLAUSES else -1)
        found = [self.doc(first)]
        for clause in order:
            comma, *words = clause.children
            found += [self.doc(comma), Break(), self.words(words)]
        if order != clauses:
            self._note_sorted(clauses, order)
        return Group((Nest(tuple(found), "align"),))

    def _note_sorted(self, written: list[Tree[Token]], order: list[Tree[Token]]) -> None:
        moved = next(n for n, clause in enumerate(order) if clause is not written[n])
        tokens = [token for clause in written[moved:] for token in tokens_of(clause)]
        first, last = list(tokens_of(order[moved])), list(tokens_of(order[-1]))
        self.sorted_places.append(
            Sorted(
                start=piece(tokens[0]).start,
                end=piece(tokens[-1]).end,
                first=piece(first[1]).start,
                last=piece(last[-1]).start,
            )
        )


_SPECIAL: Final[dict[str, Callable[[Phrases, Tree[Token]], Doc]]] = {
    "bracket": Phrases._bracket,
    "conjoin": Phrases._joined,
    "disjoin": Phrases._joined,
    "negate": Phrases._negate,
    "compare": Phrases._compare,
    "among": Phrases._among,
    "known": Phrases._known,
    "missing": Phrases._known,
    "arithmetic": Phrases._arithmetic,
    "negative": Phrases._negative,
    "aggregate": Phrases._call,
    "since": Phrases._call,
    "latest": Phrases._call,
    "in_categories": Phrases._call,
    "all_of": Phrases._call,
    "any_of": Phrases._call,
    "message": Phrases._call,
    "send_named": Phrases._call,
    "record": Phrases._record,
    "sequence": Phrases._sequence,
    "entry": Phrases._entry,
    "channel": Phrases._channel,
    "own_field": Phrases._own_field,
    "pattern": Phrases._pattern,
}


def bare(node: Node) -> Node:
    """A value without the brackets around it."""
    while isinstance(node, Tree) and node.data == "bracket":
        node = node.children[1]
    return node


def _level(node: Node) -> int:
    if isinstance(node, Token):
        return _FACTOR
    if node.data == "arithmetic":
        return _BIND[str(node.children[1])]
    return _LEVELS.get(node.data, _FACTOR)


def tokens_of(node: Node | None) -> Iterator[Token]:
    """All tokens of a tree, in the order of the text."""
    if isinstance(node, Token):
        yield node
    elif node is not None:
        for child in node.children:
            yield from tokens_of(child)


def cell(tokens: Sequence[Token]) -> Doc:
    """The words of a table's cell, which is no tree of its own; ``-`` for an empty one."""
    if not tokens:
        return Piece("-")
    found: list[Doc] = [piece(tokens[0])]
    binary = False
    for before, token in pairwise(tokens):
        space = binary or _spaced(before, token)
        binary = token.type == "MINUS" and before.type in _ENDS_A_VALUE
        found += [_SPACE if space or binary else (), piece(token)]
    return tuple(found)


_ENDS_A_VALUE: Final = frozenset(
    ("NUMBER", "DURATION", "PATH", "NAME", "TEXT", "RPAR", "NOW", "DATE", "TRUE", "FALSE")
)


def _spaced(left: Token, right: Node) -> bool:
    if not isinstance(right, Token):
        return True
    if right.type in ("COMMA", "RPAR", "RSQB", "COLON") or left.type in ("LPAR", "LSQB", "MINUS"):
        return False
    if right.type == "LPAR":
        return left.type not in _CALLS
    return not (left.type == "LBRACE" and right.type == "RBRACE")


# ---------------------------------------------------------------- single words

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPE: Final = re.compile(r"\\u[0-9a-fA-F]{4}|\\.")
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def piece(token: Token, text: str | None = None) -> Piece:
    """A token as it is written out."""
    start, end = token.start_pos, token.end_pos
    written = _written(token) if text is None else text
    return Piece(
        written, token.type, -1 if start is None else start, -1 if end is None else end
    )  # fmt: skip


def _written(token: Token) -> str:
    word = str(token)
    match token.type:
        case "TEXT":
            return _text(word)
        case "KEY" if word.startswith('"'):
            plain = _plain(word)
            return plain if _IDENTIFIER.fullmatch(plain) else _text(word)
        case "PERCENT":
            return "".join(word.split())
        case "CLOCK" | "CLOCK_SPAN":
            return "-".join(part.strip().zfill(5) for part in word.split("-"))
        case _:
            return " ".join(word.split())


def _plain(word: str) -> str:
    if word.startswith('"""'):
        return word[3:-3]
    return _ESCAPE.sub(lambda found: json.loads(f'"{found.group()}"'), word[1:-1])


def _text(word: str) -> str:
    """A text with the escapes that it needs; in triple quotes as written if they are of use."""
    plain = _plain(word)
    if word.startswith('"""') and any(sign in plain for sign in '"\\\n\r'):
        return word
    return '"' + "".join(map(_sign, plain)) + '"'


def _sign(sign: str) -> str:
    if sign in _SHORT:
        return _SHORT[sign]
    hidden = not sign.isprintable() and ord(sign) < 0x10000
    return f"\\u{ord(sign):04x}" if hidden else sign
