"""Tokens of a block become its tree; every mistake of the block becomes a diagnostic.

A block is parsed whole. At a mistake the clause around it (what begins with ``on``, ``when``,
``send`` .. at the start of a line) is taken out and the rest parsed again, so that one broken
clause hides nothing of the others; a broken ``on`` leaves a pattern that fits nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path as File
from typing import Any, Final, cast

from lark import Lark, Token, UnexpectedToken
from lark.lexer import Lexer as LarkLexer

from engine.language import syntax
from engine.language.blocks import Block
from engine.language.declarations import TreeBuilder
from engine.language.diagnostics import Findings, did_you_mean, one_of
from engine.language.driver import Driver, Node
from engine.language.lexer import PHRASES, RESERVED, SIGNS, Lexer
from engine.language.source import Source
from engine.language.spelling import nearest
from engine.language.tables import Rows
from engine.vocabulary.words import DECLARATIONS

MOST_MISTAKES: Final = 20
DEEPEST: Final = 60
LONGEST: Final = 100
"""How many signs of arithmetic one value may have: each is a level of the tree."""

_SIGNS: Final = frozenset({"PLUS", "MINUS", "STAR", "SLASH"})
_NEW_VALUE: Final = frozenset({"AND", "OR", "COMMA", "COMPARISON", "EQUAL", "SET"})

_CLAUSES: Final = frozenset(
    (
        "ON", "WHEN", "UNLESS", "SEND", "ATTACH", "SET", "DESCRIPTION", "OWNER", "GROUP",
        "PRIORITY", "LIMIT", "ONE_AT_A_TIME", "GIVEN", "START_AT", "AFTER", "VISITOR", "ENTERS",
        "OPENS", "LEAVES", "RETURNS", "EXPECT", "FIELD", "HOURS", "ACTIVE", "AUDIENCE", "VALID_FOR",
        "CAPTURE_CLICK", "CAPTURE_SUBMIT", "CAPTURE_KEY", "CAPTURE_TIMER", "CAPTURE_SCROLL",
        "CAPTURE_EXIT", "CAPTURE_VISIBLE",
    )
)  # fmt: skip
_WORDS: Final = {
    "NAME": "a name",
    "PATH": "a name with a dot, such as `event.price`",
    "FIELD": "a field, such as `price number`",
    "KEY": "`key: value`",
    "TEXT": 'a text in "quotes"',
    "NUMBER": "a number",
    "DURATION": "a time such as `30 s`",
    "DATE": "a date such as `2026-11-23`",
    "CLOCK": "a time of day such as `10:00`",
    "KIND": "`text`, `number` or `boolean`",
    "COMPARISON": "a comparison such as `>=`",
    "FUNCTION": "`count(..)`",
    "PERCENT": "a share such as `50%`",
    "DAYS": "days such as `Mon-Fri`",
    "CLOCK_SPAN": "times such as `09:00-18:00`",
    "FIELD_FUNCTION": "`latest(..)`",
    "TRUE": "`true`",
    "FALSE": "`false`",
    "ELSE": "`else`",
    "REASON": "a reason such as `limit`",
}
_OTHER_LANGUAGES: Final = {
    "if": "when",
    "contains": "has",
    "includes": "has",
    "AND": "and",
    "OR": "or",
    "NOT": "not",
}
_VALUES: Final = frozenset(("NUMBER", "TEXT", "PATH", "DURATION", "FUNCTION", "LPAR"))
_SELDOM: Final = ("PLUS", "MINUS", "STAR", "SLASH", "BROKEN", "FALSE", "REASON", "LIST_OF")


class _Tokens(LarkLexer):
    """Hands tokens that are already made to the parser."""

    def __init__(self, _: Any) -> None:
        pass

    def lex(self, data: Any) -> Any:  # type: ignore[override]
        return iter(data)


@cache
def grammar() -> Lark:
    """The parser of one block; strict, so an ambiguity of the grammar fails at once."""
    text = (File(__file__).parent / "grammar.lark").read_text("utf-8")
    return Lark(
        text,
        parser="lalr",
        lexer=_Tokens,
        strict=True,
        start=["start", "rule"],
    )


@cache
def _driver() -> Driver:
    return Driver(grammar())


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """One block: its declaration, and whether clauses were taken out to read it.

    When there is no declaration, ``lost`` is what it would have declared: keyword and name.
    """

    declaration: syntax.Declaration | None
    mended: bool
    lost: tuple[str, str] | None = None


def parse(source: Source, block: Block, findings: Findings) -> Parsed:
    """Parse a block; mistakes go to ``findings``. Never raises for what an author writes."""
    if block.keyword == "table":
        return _parse_table(source, block, findings)
    lexer = Lexer(source, block.start, block.end, findings, block.keyword)
    tokens = lexer.read()
    if not tokens:
        return Parsed(declaration=None, mended=True)
    if tokens[0].value != block.keyword:
        tokens[0] = tokens[0].update(type=block.keyword.upper(), value=block.keyword)
    if block.keyword == "?" or _too_deep(source, tokens, findings):
        return Parsed(declaration=None, mended=True)
    parsed = _Recovery(source, block, tokens, lexer.line_starts, findings).parse()
    if parsed.declaration is None and len(tokens) > 1:
        return replace(parsed, lost=(block.keyword, tokens[1].strip('"')))
    return parsed


def _too_deep(source: Source, tokens: list[Token], findings: Findings) -> bool:
    depth = signs = 0
    for token in tokens:
        signs = signs + 1 if token.type in _SIGNS else signs * (token.type not in _NEW_VALUE)
        if signs > LONGEST:
            _note(source, findings, "S018", token, count=LONGEST)
            return True
        depth += token.type in ("LPAR", "LBRACE", "LSQB", "NOT", "MINUS")
        depth -= token.type in ("RPAR", "RBRACE", "RSQB")
        if depth > DEEPEST:
            _note(source, findings, "S015", token, count=DEEPEST)
            return True
    return False


def _note(source: Source, findings: Findings, code: str, token: Token, **words: Any) -> None:
    start, end = token.start_pos or 0, token.end_pos or 0
    findings.add(code, source.span(start, end), word=_shown(token), **words)


def _shown(token: Token) -> str:
    return " ".join(str(token.value).split())


def _parse_table(source: Source, block: Block, findings: Findings) -> Parsed:
    """A table: a head, and rows that are rules; a line is a row."""
    rows = Rows(source, block, findings)
    if rows.name is None:
        return Parsed(declaration=None, mended=True)
    rules = [
        _Recovery(source, block, tokens, set(), findings, "rule").rule() for tokens in rows.rules()
    ]
    kept = tuple(replace(rule, table=rows.name) for rule in rules if rule is not None)
    span = source.span(block.start, block.end)
    table = syntax.Table(name=rows.name, strategy=rows.strategy, rules=kept, span=span)
    return Parsed(declaration=table, mended=rows.mended or len(kept) < len(rules))


class _Recovery:
    """Parses a block again and again, each time without the clause that was wrong."""

    def __init__(
        self,
        source: Source,
        block: Block,
        tokens: list[Token],
        line_starts: set[int],
        findings: Findings,
        start: str = "start",
    ) -> None:
        self._start = start
        self._source = source
        self._block = block
        self._findings = findings
        self._tokens = tokens
        clauses = _CLAUSES | ({"NAME", "PATH"} if block.keyword in ("event", "scenario") else set())
        self._starts = {id(tokens[i]) for i in line_starts if tokens[i].type in clauses}
        self._fresh_lines = {id(tokens[i]) for i in line_starts}
        self._end = Token("$END", "", start_pos=tokens[-1].end_pos, end_pos=tokens[-1].end_pos)

    def rule(self) -> syntax.Rule | None:
        """Parse one rule by itself, as a row of a table is."""
        try:
            builder = TreeBuilder(self._source, self._findings)
            return cast("syntax.Rule", builder.build(self._tree()))
        except UnexpectedToken as error:
            self._report(error)
            return None

    def parse(self) -> Parsed:
        """Parse the block."""
        mended = False
        for _ in range(MOST_MISTAKES):
            try:
                tree = self._tree()
                builder = TreeBuilder(self._source, self._findings)
                declaration = builder.build(tree)
                return Parsed(declaration=declaration, mended=mended or builder.mended)
            except UnexpectedToken as error:
                self._report(error)
                mended = True
                if not self._cut(error.token):
                    return Parsed(declaration=None, mended=True)
        self._too_many()
        return Parsed(declaration=None, mended=True)

    def _tree(self) -> Node:
        """The raw tree of what is left of the block. Raises UnexpectedToken, as Lark says it."""
        tree = _driver().read(self._tokens, self._start)
        if tree is None:
            grammar().parse(self._tokens, start=self._start)
            raise AssertionError("the driver refused what the grammar takes")
        return tree

    def _too_many(self) -> None:
        span = self._source.span(self._block.start, self._block.start + len(self._block.keyword))
        self._findings.add("S014", span, count=MOST_MISTAKES)

    # ------------------------------------------------- taking a clause out

    def _cut(self, wrong: Token) -> bool:
        """Take out the clause around a token; False when nothing is left to parse."""
        at = next((i for i, t in enumerate(self._tokens) if t is wrong), len(self._tokens))
        begin = at
        if id(wrong) in self._starts or not self._starts_line(wrong):
            begin = at - 1
            while begin > 0 and id(self._tokens[begin]) not in self._starts:
                begin -= 1
        if begin == 0:
            begin = self._head_end(at)
            if begin is None:
                return False
        end = max(begin + 1, at)
        while end < len(self._tokens) and id(self._tokens[end]) not in self._starts:
            end += 1
        kept = self._replacement(self._tokens[begin])
        self._tokens = [*self._tokens[:begin], *kept, *self._tokens[end:]]
        return True

    def _head_end(self, at: int) -> Any:
        """Where a block's first clause may be cut: after `strategy "name"` and its like."""
        if self._block.keyword not in ("strategy", "scenario", "group", "event"):
            return None
        return 2 if at >= 2 and len(self._tokens) > 2 else None

    def _replacement(self, first: Token) -> list[Token]:
        if first.type != "ON":
            return []
        broken = first.update(type="BROKEN")
        self._starts.add(id(first))
        return [first, broken]

    # ------------------------------------------------- saying what is wrong

    def _report(self, error: UnexpectedToken) -> None:
        token = error.token
        accepted = _accepted(error)
        if token.type == "$END":
            self._incomplete(accepted)
        elif token.type == "ODD":
            _note(self._source, self._findings, "S005", token, hint=_odd_hint(str(token)))
        elif not self._special(token, accepted):
            hint = did_you_mean(str(token), _plain_words(accepted))
            near = nearest(str(token), _plain_words(accepted))
            expected = f"`{near}`" if hint else one_of(_phrases(accepted))
            _note(self._source, self._findings, "S002", token, expected=expected)

    def _special(self, token: Token, accepted: set[str]) -> bool:
        """Mistakes that deserve a sentence of their own."""
        word = str(token)
        if word in RESERVED and "NAME" in accepted and not self._starts_line(token):
            _note(self._source, self._findings, "S008", token, fixed=word.capitalize())
            return True
        if word in _OTHER_LANGUAGES and self._foreign_word(token, accepted):
            return True
        for keyword in sorted(_plain_words(accepted), key=len, reverse=True):
            rest = word[len(keyword) :]
            if len(keyword) > 1 and word.startswith(keyword) and rest[:1].isupper():
                fixed = f"{keyword} {rest}"
                _note(self._source, self._findings, "S006", token, fixed=fixed)
                return True
        if word in DECLARATIONS and self._starts_line(token):
            _note(self._source, self._findings, "S002", token, expected="it in the first column")
            return True
        return False

    def _starts_line(self, token: Token) -> bool:
        return id(token) in self._fresh_lines

    def _foreign_word(self, token: Token, accepted: set[str]) -> bool:
        fixed = _OTHER_LANGUAGES[str(token)]
        if fixed.upper() not in accepted and fixed not in _plain_words(accepted):
            fixed = "on ..` for what happens, then `when .."
        _note(self._source, self._findings, "S007", token, fixed=fixed)
        return True

    def _incomplete(self, accepted: set[str]) -> None:
        opened = self._open_bracket()
        if opened is not None:
            fixed = {"(": ")", "{": "}", "[": "]"}[str(opened)]
            _note(self._source, self._findings, "S010", opened, fixed=fixed)
            return
        last = self._tokens[-1]
        span = self._source.span(last.start_pos or 0, last.end_pos or 0)
        expected = one_of(_phrases(accepted))
        self._findings.add("S003", span, block=self._block.keyword, expected=expected)

    def _open_bracket(self) -> Token | None:
        opened: list[Token] = []
        for token in self._tokens:
            if token.type in ("LPAR", "LBRACE", "LSQB"):
                opened.append(token)
            elif token.type in ("RPAR", "RBRACE", "RSQB") and opened:
                opened.pop()
        return opened[-1] if opened else None


def _accepted(error: UnexpectedToken) -> set[str]:
    """What the grammar would take at the place of the mistake, by kind of token."""
    parser: Any = error.interactive_parser
    return set(parser.accepts()) if parser else set()


def _plain_words(accepted: set[str]) -> list[str]:
    words = [kind.lower() for kind in accepted if kind.lower() in RESERVED]
    words += [PHRASES[kind] for kind in accepted if kind in PHRASES]
    if "COMPARISON" in accepted:
        words += ["has", "starts with", "ends with", "matches"]
    if "FUNCTION" in accepted:
        words += ["count", "seen", "latest", "sum", "min", "max", "average"]
    if "KIND" in accepted:
        words += ["text", "number", "boolean"]
    return words


def _phrases(accepted: set[str]) -> list[str]:
    ranked = sorted(accepted - {"$END"} - set(_SELDOM), key=lambda kind: (kind in SIGNS, kind))
    if "KEY" in ranked and "RBRACE" in ranked:
        ranked = ["KEY", "RBRACE"]
    if accepted >= _VALUES:
        return ["a value, such as `100`, `event.price` or a text in quotes"]
    return [_phrase(kind) for kind in ranked]


def _phrase(kind: str) -> str:
    if kind in _WORDS:
        return _WORDS[kind]
    return f"`{SIGNS.get(kind) or PHRASES.get(kind) or kind.lower()}`"


def _odd_hint(sign: str) -> str:
    if sign == "!":
        return "Write `not`, or `!=` for different."
    if sign == "'":
        return 'Put texts in double quotes: "..".'
    if sign == ";":
        return "Leave it out; a new line is enough."
    return "Leave it out."
