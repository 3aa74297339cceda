"""The formatter: one canonical layout for every construct of the language.

The idea. A file becomes *units*: a declaration's head, and each clause, field, step or row below
it; a unit begins a line at a fixed indentation. What a unit says is written as a document
(phrases.py) from the raw tree with all of its tokens, and the document is laid out in lines of at
most 100 columns (layout.py). So the layout depends on the words alone, never on the old layout,
but for two things that a person decides: single blank lines between units of one declaration, or
between declarations of one line and one kind, stay; and comments stay.

Comments are no part of the tree. Each is hung on the piece of the output that it stood before (on
a line of its own) or behind, found by its place in the text; brackets and commas that the
formatter leaves out pass theirs on to their neighbours. Comments never change their order. Where
clauses have to be sorted, the comments between them move before the first.

What comes out is read again before it is given away: it must mean the same, with every comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Final

from lark import Lark, Token, Tree

from engine.language import syntax
from engine.language.blocks import Block, split
from engine.language.comments import attach, find_comments
from engine.language.diagnostics import Findings, Shown
from engine.language.layout import (
    Break,
    Doc,
    Group,
    Nest,
    Piece,
    flat_width,
    lay_out,
    pieces,
)
from engine.language.lexer import Lexer
from engine.language.page import Page, Unit, has_blank_line
from engine.language.parser import grammar, parse
from engine.language.phrases import Phrases, cell, piece, tokens_of
from engine.language.source import Source

_SPACE: Final = Piece(" ")
_HEADER: Final = ("owner", "in_group", "priority", "in_hours", "active", "audience")
"""The lines of a strategy's header whose values stand in one column."""
_VISITOR_DOES: Final = ("enters", "opens", "leaves")


class HasMistakes(Exception):
    """The text cannot be read, so it is not formatted; ``found`` says why."""

    def __init__(self, found: Shown) -> None:
        super().__init__(f"{found.total} mistakes")
        self.found = found


def format_source(source: Source) -> str:
    """The text of a file in the canonical layout, with ``\\n`` at the end of every line.

    Names are not looked up, since other files may declare them. Raises HasMistakes when the file
    cannot be read without a mistake.
    """
    meaning = _meaning(source)
    text = _Formatter(source).format()
    again = replace(source, text=text)
    try:
        same = _meaning(again) == meaning and _said(again) == _said(source)
    except HasMistakes:
        # Conditions nested as deep as the language allows have no room for a reader's brackets.
        return source.text
    if not same:
        raise AssertionError(f"formatting would change what {source.name} says")
    return text


def _meaning(source: Source) -> list[syntax.Declaration | None]:
    findings = Findings({source.name: source.text})
    found = [parse(block, findings).declaration for block in split(source, findings)]
    if findings:
        raise HasMistakes(findings.shown())
    return found


def _said(source: Source) -> list[str]:
    blocks = _blocks(source)
    tokens = [token for read in blocks for token in read.tokens]
    return [comment.text for comment in find_comments(source.text, tokens)]


# ---------------------------------------------------------------- what is in a file


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A block, and its tokens; those of a table line by line."""

    block: Block
    lines: list[list[Token]]

    @property
    def tokens(self) -> list[Token]:
        return [token for line in self.lines for token in line]


def _blocks(source: Source) -> list[_Read]:
    findings = Findings({source.name: source.text})
    return [_read(source, block, findings) for block in split(source, findings)]


def _read(source: Source, block: Block, findings: Findings) -> _Read:
    if block.keyword != "table":
        lexer = Lexer(source, block.start, block.end, findings, block.keyword)
        return _Read(block=block, lines=[lexer.read()])
    lines, start = [], block.start
    for line in source.text[block.start : block.end].splitlines(keepends=True):
        lines.append(Lexer(source, start, start + len(line), findings, "table").read())
        start += len(line)
    return _Read(block=block, lines=[line for line in lines if line])


# ---------------------------------------------------------------- what it becomes


class _Formatter:
    """Formats one source that has no mistakes."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._blocks = _blocks(source)
        self._tokens = [token for read in self._blocks for token in read.tokens]
        self._comments = find_comments(source.text, self._tokens)
        self._phrases = Phrases()

    def format(self) -> str:
        declarations = list(self._declarations())
        units = [unit for declaration in declarations for unit in declaration]
        written = [each for unit in units for each in pieces(unit.doc)]
        attached, rest = attach(self._comments, written, self._phrases.sorted_places)
        for unit in units:
            unit.lines = lay_out(unit.doc, unit.indent, attached)
        return Page(self._source.text, self._tokens, self._comments).write(declarations, rest)

    def _declarations(self) -> Iterator[list[Unit]]:
        for read in self._blocks:
            is_table = read.block.keyword == "table"
            units = self._table(read.lines) if is_table else self._declaration(_tree(read.tokens))
            units[0].keyword, units[0].blank = read.block.keyword, "must"
            for unit in units[1:2]:
                unit.blank = "drop"
            yield units

    def _declaration(self, tree: Tree[Token]) -> list[Unit]:
        written = {
            "event": self._event,
            "group": self._group,
            "strategy": self._strategy,
            "scenario": self._scenario,
            "fact": self._fact,
            "message": self._message,
            "category": self._category,
            "hours": self._hours,
            "guarantee": self._guarantee,
        }.get(tree.data)
        return written(tree) if written else [Unit(doc=self._phrases.doc(tree), indent=0)]

    # ------------------------------------------------- one line, or what it falls into

    def _fact(self, tree: Tree[Token]) -> list[Unit]:
        word, path, kind, *rest = tree.children
        parts = [self._phrases.words([word, path]), self._phrases.words([kind])]
        parts += [self._phrases.words(rest)] if any(rest) else []
        return [_in_columns(parts)]

    def _message(self, tree: Tree[Token]) -> list[Unit]:
        children = [child for child in tree.children if child is not None]
        at = next(n for n, child in enumerate(children) if _is(child, "IS"))
        head = self._phrases.doc(Tree("message", children[:at]))
        return [_in_columns([head, self._phrases.words(children[at:])])]

    def _category(self, tree: Tree[Token]) -> list[Unit]:
        *head, word, condition = tree.children
        clause = self._phrases.clause(condition, first=5, indent=2)
        said = (self._phrases.words([word]), _SPACE, clause)
        return [_in_columns([self._phrases.words(head), said])]

    def _hours(self, tree: Tree[Token]) -> list[Unit]:
        """``hours N is .. in ZONE except ..``: each part on a line when it is long."""
        children = [child for child in tree.children if child is not None]
        starts = [n for n, child in enumerate(children) if _is(child, "IN", "EXCEPT")]
        cuts = [3, *starts, len(children)]
        parts: list[Doc] = [_SPACE, self._phrases.listed(children[3 : cuts[1]])]
        for start, end in pairwise(cuts[1:]):
            listed = self._phrases.listed(children[start + 1 : end])
            parts += [Break(), self._phrases.words([children[start]]), _SPACE, listed]
        said = Group((self._phrases.words([children[2]]), Nest(tuple(parts))))
        return [_in_columns([self._phrases.words(children[:2]), said])]

    def _guarantee(self, tree: Tree[Token]) -> list[Unit]:
        children = [child for child in tree.children if child is not None]
        *head, never, opened, pattern, closed = children
        one = [self._phrases.doc(node) for node in (never, opened, pattern, closed)]
        body = Nest((Break(), one[0], _SPACE, *one[1:]))
        return [Unit(doc=Group((self._phrases.words(head), body)), indent=0)]

    # ------------------------------------------------- declarations with lines below

    def _event(self, tree: Tree[Token]) -> list[Unit]:
        """Fields in three columns: name, kind, and where the page finds it."""
        head, body = _head(tree)
        units = [Unit(doc=self._phrases.words(head), indent=0)]
        fields = [node for node in body if node.data == "field"]
        with_source = [node for node in fields if node.children[2] is not None]
        name_width = self._widest(node.children[0] for node in fields)
        kind_width = self._widest(node.children[1] for node in with_source)
        for node in body:
            doc = self._phrases.doc(node)
            if node.data == "field":
                name, kind, source = map(self._phrases.doc, node.children)
                doc = (_padded(name, name_width), kind)
                if node in with_source:
                    doc = (_padded(name, name_width), _padded(kind, kind_width), source)
            units.append(Unit(doc=doc, indent=2))
        return units

    def _widest(self, nodes: Iterable[Tree[Token] | Token | None]) -> int:
        return max((flat_width(self._phrases.doc(node)) for node in nodes), default=0)

    def _group(self, tree: Tree[Token]) -> list[Unit]:
        head = [child for child in tree.children[:3] if isinstance(child, Token)]
        body = tree.children[3:]
        units = [Unit(doc=self._phrases.words(head), indent=0)]
        return units + [
            Unit(doc=self._phrases.doc(node), indent=2) for node in body if node is not None
        ]

    def _strategy(self, tree: Tree[Token]) -> list[Unit]:
        head, body = _head(tree)
        units = [Unit(doc=self._phrases.words(head), indent=0)]
        width = max((len(_keyword(node)) for node in body if node.data in _HEADER), default=0)
        has_rule = False
        for node in body:
            if node.data == "rule":
                rule = self._rule(node)
                # Between the header and the first rule a person decides.
                rule[0].blank = "must" if has_rule else "keep"
                has_rule = True
                units += rule
                continue
            doc: Doc = self._phrases.doc(node)
            if node.data in _HEADER:
                word, *rest = node.children
                doc = (_padded(self._phrases.doc(word), width), self._phrases.words(rest))
            units.append(Unit(doc=doc, indent=2))
        return units

    def _rule(self, tree: Tree[Token]) -> list[Unit]:
        """``on`` at two, the rest at four with what is said in one column."""
        word, pattern, *rest = (child for child in tree.children if child is not None)
        on = (self._phrases.doc(word), _SPACE, self._phrases.doc(pattern))
        units = [Unit(doc=on, indent=2)]
        clauses = [clause for clause in rest if isinstance(clause, Tree)]
        width = max((len(_keyword(clause)) for clause in clauses), default=0)
        for clause in clauses:
            start, *said = clause.children
            doc = (_padded(self._phrases.doc(start), width), self._said(clause, said, width))
            units.append(Unit(doc=doc, indent=4, blank="drop"))
        return units

    def _said(self, clause: Tree[Token], said: list[Tree[Token] | Token], width: int) -> Doc:
        match clause.data:
            case "when" | "unless":
                return self._phrases.clause(said[0], first=4 + width + 1, indent=6)
            case "assign":
                path, sign, value = said
                return (self._phrases.words([path, sign]), _SPACE, self._phrases.sum(value))
            case _:
                return self._phrases.doc(Tree(clause.data, list(said)))

    def _scenario(self, tree: Tree[Token]) -> list[Unit]:
        """A step on a line; ``after D`` takes what the visitor does then along."""
        head, body = _head(tree)
        units = [Unit(doc=self._phrases.words(head), indent=0)]
        steps = iter(pairwise([*body, None]))
        for step, following in steps:
            if step is None:
                continue
            doc = self._step(step)
            if following is not None and self._together(step, following):
                doc = (doc, _SPACE, self._step(following, after=True))
                next(steps, None)
            units.append(Unit(doc=doc, indent=2))
        return units

    def _together(self, step: Tree[Token], following: Tree[Token]) -> bool:
        if step.data != "after" or following.data not in _VISITOR_DOES:
            return False
        # What stands inside the second step finds its place anyhow.
        end = list(tokens_of(step))[-1].end_pos or 0
        between = self._source.text[end : next(tokens_of(following)).start_pos]
        return "#" not in between and not has_blank_line(between)

    def _step(self, step: Tree[Token], *, after: bool = False) -> Doc:
        children = [child for child in step.children if child is not None]
        if step.data not in (*_VISITOR_DOES, "returns"):
            return self._phrases.doc(step)
        rest = [c for c in children if not (isinstance(c, Token) and c.type == "VISITOR")]
        if after:
            return self._phrases.words(rest)
        said = [c for c in children if c not in rest]
        visitor = self._phrases.words(said) if said else Piece("visitor")
        return (visitor, _SPACE, self._phrases.words(rest))

    def _table(self, lines: list[list[Token]]) -> list[Unit]:
        """A title, and rows whose cells stand in columns. A line is a row: nothing is broken."""
        title, *rows = lines
        # The names of a table are taken as they are written.
        names = [piece(token, str(token) if token.type == "TEXT" else None) for token in title]
        units = [Unit(doc=tuple(_between(names)), indent=0)]
        written = [list(_cells(row)) for row in rows]
        columns = zip(*([doc for _, doc in row] for row in written), strict=True)
        widths = [max(map(flat_width, column)) for column in columns]
        for row in written:
            found: list[Doc] = []
            for n, (bar, doc) in enumerate(row):
                is_last = n == len(row) - 1
                found += [piece(bar), _SPACE] if bar is not None else []
                found.append(doc if is_last else _padded(doc, widths[n]))
            units.append(Unit(doc=tuple(found), indent=2))
        return units


@cache
def _grammar() -> Lark:
    """The grammar, with trees that keep the keywords and signs too."""
    plain = grammar()
    lexer = plain.options.lexer
    return Lark(plain.source_grammar, parser="lalr", lexer=lexer, keep_all_tokens=True)


def _tree(tokens: list[Token]) -> Tree[Token]:
    start = _grammar().parse(tokens)
    declaration = start.children[0]
    if not isinstance(declaration, Tree):
        raise TypeError("a block is a declaration")
    return declaration


def _head(tree: Tree[Token]) -> tuple[list[Token], list[Tree[Token]]]:
    """The words of a declaration's first line, and what stands below."""
    tokens = [child for child in tree.children if isinstance(child, Token)]
    return tokens, [child for child in tree.children if isinstance(child, Tree)]


def _keyword(tree: Tree[Token]) -> str:
    return str(next(tokens_of(tree)))


def _is(node: Tree[Token] | Token | None, *kinds: str) -> bool:
    return isinstance(node, Token) and node.type in kinds


def _in_columns(parts: Sequence[Doc]) -> Unit:
    """A declaration in parts that may stand below those of its neighbours."""
    first, *others = parts
    doc = (first, *((_SPACE, part) for part in others))
    return Unit(doc=doc, indent=0, widths=tuple(map(flat_width, parts[:-1])))


def _padded(doc: Doc, width: int) -> Doc:
    return (doc, Piece(" " * (width - flat_width(doc) + 1)))


def _between(words: Sequence[Piece]) -> Iterator[Piece]:
    for n, word in enumerate(words):
        if n:
            yield _SPACE
        yield word


def _cells(row: list[Token]) -> Iterator[tuple[Token | None, Doc]]:
    """The cells of a row, each with the bar before it."""
    bar: Token | None = None
    tokens: list[Token] = []
    for token in row:
        if token.type == "BAR":
            yield bar, cell(tokens)
            bar, tokens = token, []
        else:
            tokens.append(token)
    yield bar, cell(tokens)
