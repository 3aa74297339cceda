"""A spot where reading stopped, and a slip: what was written there, and what was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from lark import Token

PAIRS: Final = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
"""The kinds of brackets, and of those that close them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A mistake that is understood: the way out, and what tokens [begin, end) become.

    ``tokens`` is None when it is known what to say, but not what to read instead.
    """

    begin: int
    end: int
    hint: str
    tokens: tuple[Token, ...] | None
    foreign: str = ""
    """What is written here instead, when the words are another language's."""
    habit: str = ""
    """A habit of the hand that is said once for a block, such as capital letters."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Where reading stopped: the tokens, the one that does not fit, and what would.

    ``accepts(begin)`` are the kinds that would have fitted at a token a little before;
    ``reads(begin, kinds)`` whether all of these would fit from there on.
    """

    tokens: list[Token]
    at: int
    block: str
    accepts: Callable[[int], frozenset[str]]
    reads: Callable[[int, Iterable[str]], bool]
    starts_line: Callable[[int], bool]

    @property
    def accepted(self) -> frozenset[str]:
        """The kinds that would have fitted."""
        return self.accepts(self.at)

    @property
    def token(self) -> Token:
        """The token that does not fit."""
        return self.tokens[self.at]

    @property
    def fresh(self) -> bool:
        """Does the token begin a line?"""
        return self.starts_line(self.at)

    @cached_property
    def line_begin(self) -> int:
        """The first token of the line."""
        begin = self.at
        while begin > 0 and not self.starts_line(begin):
            begin -= 1
        return begin

    @cached_property
    def line_end(self) -> int:
        """Where in the tokens the line ends."""
        later = range(self.at + 1, len(self.tokens))
        return next((i for i in later if self.starts_line(i)), len(self.tokens))

    def kind(self, ahead: int = 0) -> str:
        """The kind of a token from here; nothing beyond the ends."""
        at = self.at + ahead
        return self.tokens[at].type if 0 <= at < len(self.tokens) else ""

    def word(self, ahead: int = 0) -> str:
        """The text of a token from here; nothing beyond the ends."""
        at = self.at + ahead
        return str(self.tokens[at]) if 0 <= at < len(self.tokens) else ""

    def is_clause(self, kind: str) -> bool:
        """Does the line begin with a word of this kind?"""
        return self.tokens[self.line_begin].type == kind

    def rest(self) -> list[str]:
        """What follows on the line."""
        return [str(token) for token in self.tokens[self.at + 1 : self.line_end]]

    def broken_line(self, begin: int, end: int) -> bool:
        """Does a line end between these tokens, or are there fewer?"""
        return end > len(self.tokens) or any(map(self.starts_line, range(begin + 1, end)))

    def fits(self, begin: int, end: int, new: Iterable[Token]) -> bool:
        """With ``new`` instead of tokens [begin, end), is it read on behind where it stopped?"""
        following = [token.type for token in self.tokens[end : max(self.at, end) + 1]]
        if max(self.at, end) >= len(self.tokens):
            following.append("$END")
        return self.reads(begin, [*(token.type for token in new), *following])

    def says_other(self, begin: int, end: int, new: Iterable[Token]) -> bool:
        """Are these other kinds than those that stand there?"""
        return [t.type for t in self.tokens[begin:end]] != [t.type for t in new]

    def closing(self, opening: int) -> int:
        """The token that closes a bracket, or the end of the line when none does."""
        depth = 0
        for place in range(opening, len(self.tokens)):
            depth += (self.tokens[place].type in PAIRS) - (
                self.tokens[place].type in PAIRS.values()
            )
            if depth == 0:
                return place
        return -1


def like(token: Token, kind: str, value: str) -> Token:
    """A token at the place of another."""
    return token.update(type=kind, value=value)


def slip_at(begin: int, end: int, hint: str, tokens: Iterable[Token] | None) -> Slip:
    """What tokens [begin, end) become, and the way out."""
    new = None if tokens is None else tuple(tokens)
    return Slip(begin=begin, end=end, hint=hint, tokens=new)


def as_written(tokens: list[Token]) -> str:
    """Tokens as they were written, but for the width of spaces."""
    text, end = "", tokens[0].start_pos if tokens else 0
    for token in tokens:
        text += " " * (token.start_pos != end) + str(token)
        end = token.end_pos
    return text
