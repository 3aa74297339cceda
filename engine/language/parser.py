"""Tokens of a block become its tree; every mistake of the block becomes a diagnostic.

A block is parsed whole. At a mistake the clause around it (what begins with ``on``, ``when``,
``send`` .. at the start of a line) is taken out and the rest parsed again, so that one broken
clause hides nothing of the others; a broken ``on`` leaves a pattern that fits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path as File
from typing import Any, Final, cast

from lark import Lark, Token
from lark.lexer import Lexer as LarkLexer

from engine.language import slips, syntax
from engine.language.advice import advise, expected
from engine.language.blocks import Block
from engine.language.declarations import TreeBuilder
from engine.language.diagnostics import Findings
from engine.language.driver import REMEMBERED, Driver, Marks, Node, Refusal
from engine.language.lexer import Lexer
from engine.language.source import Source
from engine.language.spot import Slip, Spot, as_written
from engine.language.tables import Rows

MOST_MISTAKES: Final = 20
CAREFUL: Final = 400
"""Behind so many broken clauses of a file nobody reads what was meant: they are taken out."""
_OF_CLAUSES: Final = ("S002", "S003", "S006", "S007", "S008", "S010")
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

_IN_A_RULE: Final = frozenset(("WHEN", "UNLESS", "SEND", "SET", "ATTACH"))


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


def parse(block: Block, findings: Findings) -> Parsed:
    """Parse a block; mistakes go to ``findings``. Never raises for what an author writes."""
    source = block.source
    if block.keyword == "table":
        return _parse_table(block, findings)
    if block.keyword == "?":
        return Parsed(declaration=None, mended=True)
    lexer = Lexer(source, block.start, block.end, findings, block.keyword)
    tokens = lexer.read()
    if not tokens:
        return Parsed(declaration=None, mended=True)
    if tokens[0].value != block.keyword:
        tokens[0] = tokens[0].update(type=block.keyword.upper(), value=block.keyword)
    if _too_deep(source, tokens, findings):
        return Parsed(declaration=None, mended=True)
    parsed = _Recovery(block, tokens, lexer.line_starts, findings, doubts=lexer.doubts).parse()
    if parsed.declaration is None and len(tokens) > 1:
        return replace(parsed, lost=(block.keyword, tokens[1].strip('"')))
    return replace(parsed, mended=True) if block.cut else parsed


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


def _expected(spot: Spot) -> str:
    return f"Write {expected(spot)}."


def _shown(token: Token) -> str:
    return " ".join(str(token.value).split())


def _parse_table(block: Block, findings: Findings) -> Parsed:
    """A table: a head, and rows that are rules; a line is a row."""
    rows = Rows(block, findings)
    if rows.name is None:
        return Parsed(declaration=None, mended=True, lost=("table", "table without a name"))
    rules = [_Recovery(block, tokens, set(), findings, "rule").rule() for tokens in rows.rules()]
    kept = tuple(replace(rule, table=rows.name) for rule in rules if rule is not None)
    span = block.source.span(block.start, block.end)
    table = syntax.Table(name=rows.name, strategy=rows.strategy, rules=kept, span=span)
    return Parsed(declaration=table, mended=rows.mended or len(kept) < len(rules))


class _Recovery:
    """Parses a block again and again, each time without the clause that was wrong."""

    def __init__(
        self,
        block: Block,
        tokens: list[Token],
        line_starts: set[int],
        findings: Findings,
        start: str = "start",
        doubts: Sequence[int] = (),
    ) -> None:
        self._start = start
        self._source = block.source
        self._block = block
        self._findings = findings
        self._tokens = tokens
        self._seen = list(tokens)  # what is kept keeps its id
        self._read: list[Token] = []
        self._marks: Marks = []
        self._mended: set[int] = set()
        self._habits: set[str] = set()
        clauses = _CLAUSES | ({"NAME", "PATH"} if block.keyword in ("event", "scenario") else set())
        self._clause_kinds = clauses
        self._starts = {id(tokens[i]) for i in line_starts if tokens[i].type in clauses}
        self._fresh_lines = {id(tokens[i]) for i in line_starts}
        self._doubts = set(self._clauses_of(doubts))

    def rule(self) -> syntax.Rule | None:
        """Parse one rule by itself, as a row of a table is."""
        tree = _driver().read(self._tokens, self._start)
        for _ in range(MOST_MISTAKES if tree is None else 0):
            if not self._report(self._refusal()):
                return None
            tree = self._again()
            if tree is not None:
                break
        if tree is None:
            return None
        return cast("syntax.Rule", TreeBuilder(self._source, self._findings).build(tree))

    def parse(self) -> Parsed:
        """Parse the block."""
        tree = _driver().read(self._tokens, self._start)
        mended = tree is None
        for _ in range(MOST_MISTAKES if tree is None else 0):
            refusal = self._refusal()
            if not self._report(refusal) and not self._cut(refusal.at, refusal.accepted):
                return Parsed(declaration=None, mended=True)
            tree = self._again()
            if tree is not None:
                break
        if tree is None:
            self._too_many()
            return Parsed(declaration=None, mended=True)
        builder = TreeBuilder(self._source, self._findings)
        declaration = builder.build(tree)
        return Parsed(declaration=declaration, mended=mended or builder.mended)

    def _refusal(self) -> Refusal:
        """Where the tokens cease to fit; what stands before the first that changed is known."""
        same, read, tokens = 0, self._read, self._tokens
        for same, (old, new) in enumerate(zip(read, tokens, strict=False)):  # noqa: B007
            if old is not new:
                break
        self._marks = [mark for mark in self._marks if mark[0] + REMEMBERED <= same]
        self._read = tokens
        return _driver().refused(tokens, self._start, self._marks)

    def _again(self) -> Node | None:
        """The tree, when all that is left fits."""
        refusal = self._refusal()
        if refusal.at < len(self._tokens) or "$END" not in refusal.accepted:
            return None
        return _driver().read(self._tokens, self._start)

    def _too_many(self) -> None:
        span = self._source.span(self._block.start, self._block.start + len(self._block.keyword))
        self._findings.add("S014", span, count=MOST_MISTAKES)

    # ------------------------------------------------- taking a clause out

    def _cut(self, at: int, accepted: frozenset[str]) -> bool:
        """Take out the clause around a token; False when nothing is left to parse."""
        wrong = self._tokens[at] if at < len(self._tokens) else None
        begin = at
        misplaced = bool(accepted & (_CLAUSES | {"$END"}))
        if (id(wrong) in self._starts and not misplaced) or id(wrong) not in self._fresh_lines:
            begin = self._clause(at - 1)
        if begin == 0:
            begin = self._head_end(at)
            if begin is None:
                return False
        end = max(begin + 1, at + (begin == at))
        while end < len(self._tokens) and id(self._tokens[end]) not in self._starts:
            end += 1
        kept = self._replacement(begin, end, accepted)
        self._tokens = [*self._tokens[:begin], *kept, *self._tokens[end:]]
        return True

    def _head_end(self, at: int) -> Any:
        """Where a block's first clause may be cut: after `strategy "name"` and its like."""
        if self._block.keyword not in ("strategy", "scenario", "group", "event"):
            return None
        return 2 if at >= 2 and len(self._tokens) > 2 else None

    def _replacement(self, begin: int, end: int, accepted: frozenset[str]) -> list[Token]:
        """A broken `on` stays as one that fits nothing, and stands in for one that is missing."""
        first = self._tokens[begin]
        if first.type == "ON":
            self._starts.add(id(first))
            return [first, first.update(type="BROKEN")]
        if self._block.keyword != "strategy" or "ON" not in accepted or "SEND" in accepted:
            return []
        rest = self._tokens[end].type if end < len(self._tokens) else ""
        if first.type not in _IN_A_RULE and rest not in _IN_A_RULE:
            return []
        on = first.update(type="ON", value="on")
        self._starts.add(id(on))
        return [on, first.update(type="BROKEN")]

    # ------------------------------------------------- saying what is wrong

    def _report(self, refusal: Refusal) -> bool:
        """Say what is wrong; True when that alone was mended, and the rest may be good."""
        at, accepted = refusal.at, refusal.accepted
        if self._doubted(at):
            return False
        if at == len(self._tokens) or self._unfinished(self._tokens[at], accepted):
            self._incomplete(refusal)
            return False
        token, spot = self._tokens[at], self._spot(refusal)
        if self._findings.count(*_OF_CLAUSES) >= CAREFUL:
            _note(self._source, self._findings, "S002", token, hint=partial(_expected, spot))
            return False
        slip = slips.find(spot)
        if slip is not None:
            return self._mend(slip)
        if token.type == "ODD":
            _note(self._source, self._findings, "S005", token, hint="Leave it out.")
            self._leave_out(at)
            return True
        advice = advise(spot)
        self._findings.forget(self._source.span(token.start_pos or 0, token.end_pos or 0))
        _note(self._source, self._findings, advice.code, token, **advice.words)
        if advice.leave_out:
            self._leave_out(at)
        return advice.leave_out

    def _spot(self, refusal: Refusal, end: int | None = None) -> Spot:
        first = refusal.at + 1 - len(refusal.before)
        tokens, known = self._tokens[:end], {refusal.at: refusal.accepted}

        def accepts(place: int) -> frozenset[str]:
            if place < first:
                return frozenset()
            if place not in known:
                known[place] = _driver().fitting(refusal.before[place - first], self._start)
            return known[place]

        def reads(place: int, kinds: Iterable[str]) -> bool:
            return place >= first and _driver().reads(
                refusal.before[place - first], kinds, self._start
            )

        return Spot(
            tokens=tokens,
            at=refusal.at,
            block=self._block.keyword,
            accepts=accepts,
            reads=reads,
            starts_line=lambda place: self._starts_line(tokens[place]),
        )

    def _mend(self, slip: Slip) -> bool:
        """Note a slip and read what was meant; False when that is not known."""
        old = self._tokens[slip.begin : slip.end]
        span = self._source.span(old[0].start_pos or 0, old[-1].end_pos or 0)
        written = " ".join(self._source.text[span.start : span.end].split())
        word = as_written(old) if "#" in written else written
        words = {"word": word, "hint": slip.hint, "fixed": slip.foreign}
        self._findings.forget(span)
        if not slip.habit or slip.habit not in self._habits:
            self._findings.add("S007" if slip.foreign else "S002", span, **words)
        self._habits.add(slip.habit)
        if slip.tokens is None:
            return False
        self._seen.extend(slip.tokens)
        self._mended.update(id(token) for token in slip.tokens)
        rest = self._tokens[slip.end : slip.end + 1]
        first = (*slip.tokens, *rest)[:1]
        if self._starts_line(old[0]) and first:
            self._fresh_lines -= {id(old[0])}
            self._starts -= {id(old[0])}
            self._fresh_lines.add(id(first[0]))
            if first[0].type in self._clause_kinds:
                self._starts.add(id(first[0]))
        self._tokens = [*self._tokens[: slip.begin], *slip.tokens, *self._tokens[slip.end :]]
        return True

    def _starts_line(self, token: Token) -> bool:
        return id(token) in self._fresh_lines

    def _unfinished(self, token: Token, accepted: frozenset[str]) -> bool:
        """Does a clause begin where the one before lacks something?"""
        return (
            id(token) in self._starts
            and not accepted & (_CLAUSES | {"$END"})
            and str(token).lower() not in {kind.lower() for kind in accepted}
        )

    def _doubted(self, at: int) -> bool:
        """Was something in this clause, or the one before, noted and perhaps read wrongly?"""
        before = self._clause(at - 1)
        if id(self._tokens[before]) in self._doubts:
            return True
        return at < len(self._tokens) and id(self._tokens[self._clause(at)]) in self._doubts

    def _clause(self, at: int) -> int:
        """The index of the token that begins the clause of a token."""
        while at > 0 and id(self._tokens[at]) not in self._starts:
            at -= 1
        return max(at, 0)

    def _clauses_of(self, places: Sequence[int]) -> Iterator[int]:
        """The ids of the tokens that begin the clauses of some, which are in order."""
        begin = at = 0
        for place in places:
            while at < place:
                at += 1
                begin = at if id(self._tokens[at]) in self._starts else begin
            yield id(self._tokens[begin])

    def _leave_out(self, at: int) -> None:
        """Go on without a sign; with an opening one goes the one that closes it.

        A bullet goes from every line: it stands before each of them for one reason.
        """
        self._doubts.add(id(self._tokens[self._clause(at - 1)]))
        kind, gone = self._tokens[at].type, {at}
        if self._starts_line(self._tokens[at]):
            later = range(at + 1, len(self._tokens))
            gone |= {
                i
                for i in later
                if self._tokens[i].type == kind and self._starts_line(self._tokens[i])
            }
        if kind == "LBRACE":
            depth = 0
            for i in range(at, len(self._tokens)):
                depth += (self._tokens[i].type == "LBRACE") - (self._tokens[i].type == "RBRACE")
                if depth == 0:
                    gone.add(i)
                    break
        for i in gone:
            if i + 1 < len(self._tokens) and self._starts_line(self._tokens[i]):
                following = self._tokens[i + 1]
                self._fresh_lines.add(id(following))
                if following.type in self._clause_kinds:
                    self._starts.add(id(following))
        self._tokens = [token for i, token in enumerate(self._tokens) if i not in gone]

    def _incomplete(self, refusal: Refusal) -> None:
        at = refusal.at
        opened = self._open_bracket(at)
        if opened is not None:
            fixed = {"(": ")", "{": "}", "[": "]"}[str(opened)]
            _note(self._source, self._findings, "S010", opened, fixed=fixed)
            return
        last, first = self._tokens[at - 1], self._tokens[self._clause(at - 1)]
        if id(last) in self._mended:  # it was read as what was meant, and what follows is not known
            return
        span = self._source.span(last.start_pos or 0, last.end_pos or 0)
        block = self._block.keyword if self._clause(at - 1) == 0 else f"`{first}`"
        self._findings.add(
            "S003", span, block=block, expected=expected(self._spot(refusal, end=at))
        )

    def _open_bracket(self, at: int) -> Token | None:
        opened: list[Token] = []
        for token in self._tokens[:at]:
            if token.type in ("LPAR", "LBRACE", "LSQB"):
                opened.append(token)
            elif token.type in ("RPAR", "RBRACE", "RSQB") and opened:
                opened.pop()
        return opened[-1] if opened else None
