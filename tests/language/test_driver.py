"""The fast road through the grammar's tables gives the tree that Lark itself would build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lark import Lark, Token, Tree, UnexpectedToken

from engine.language import parser
from engine.language.blocks import split
from engine.language.diagnostics import Findings
from engine.language.driver import Driver, Node
from engine.language.lexer import Lexer
from engine.language.source import Source

ROOT = Path(__file__).parents[2]
BOOKS = sorted([*ROOT.glob("strategies/**/*.strategy"), *ROOT.glob("tests/**/*.strategy")])
GRAMMAR = Path(parser.__file__).with_name("grammar.lark").read_text("utf-8")


@pytest.fixture(scope="module")
def placed() -> Lark:
    """The grammar, with the places of each rule as Lark finds them."""
    return Lark(GRAMMAR, parser="lalr", lexer=parser._Tokens, strict=True,
                propagate_positions=True, start=["start", "rule"])  # fmt: skip


def _plain(node: Any) -> Any:
    """A tree of either as tuples: name, place, children."""
    if isinstance(node, Token):
        return str(node), node.start_pos
    if isinstance(node, Node):
        place = (node.start_pos, node.end_pos) if not node.empty else None
        return node.name, place, [_plain(child) for child in node.children]
    if isinstance(node, Tree):
        place = None if node.meta.empty else (node.meta.start_pos, node.meta.end_pos)
        return str(node.data), place, [_plain(child) for child in node.children]
    return node


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_both_build_one_tree(path: Path, placed: Lark) -> None:
    driver = Driver(parser.grammar())
    source = Source(name=path.name, text=path.read_text("utf-8-sig", errors="replace"))
    findings = Findings({source.name: source.text})
    for block in split(source, findings):
        tokens = Lexer(source, block.start, block.end, findings, block.keyword).read()
        if block.keyword == "table" or not tokens:
            continue
        for start, given in (("start", tokens), ("rule", tokens[1:])):
            found = driver.read(given, start)
            try:
                for token in given:
                    token.line = token.column = token.end_line = token.end_column = 1
                expected = _plain(placed.parse(given, start=start))  # type: ignore[arg-type]
            except UnexpectedToken:
                expected = None
            assert (None if found is None else _plain(found)) == expected
