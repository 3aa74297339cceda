"""Text as a careless person lays it out: odd blanks and lines, clauses in any order, comments."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from lark import Token

from engine.language.blocks import split
from engine.language.diagnostics import Findings
from engine.language.lexer import Lexer
from engine.language.source import Source

BLANKS = (" ", "  ", "\n ", "\t", " \n   ", "\r\n\n  ", "\n\n\n      ")
COMMENTS = ("# {}", '#{} "half { a ( text', "#   {}  ", "# {} # when x = 1, then ")
TIGHT = frozenset(("LPAR", "RPAR", "LBRACE", "RBRACE", "LSQB", "RSQB"))
NO_COMMENT_AFTER = frozenset(("KEY", "FIELD", "NOW_IN", "ALL_OF", "ANY_OF", "PATH"))
"""What the lexer knows by the word that follows at once."""


class Untidy:
    """Writes a text again in another layout. ``comments`` are those that it put in, in order."""

    def __init__(self, seed: int) -> None:
        # One number, since hypothesis would draw thousands of small ones slowly.
        self._pick = Random(seed).choice
        self.comments: list[str] = []

    def write(self, text: str) -> str:
        """The same words (a book without comments), laid out at random."""
        source = Source(name="book.strategy", text=text)
        findings = Findings({source.name: text})
        found = self._comment_lines("")
        for block in split(source, findings):
            if block.keyword == "table":
                found += self._table(text[block.start : block.end])
            else:
                lexer = Lexer(source, block.start, block.end, findings, block.keyword)
                found += "".join(self._words(self._swapped(lexer.read())))
            found += self._pick(("\n", "\n\n", "  \n\n\n"))
            found += self._comment_lines(self._pick(("", "  ", "      ")))
        return found

    def _words(self, tokens: list[Token]) -> Iterator[str]:
        for token, following in pairwise([*tokens, None]):
            phrase = " " in token and not token.startswith('"')
            yield token.replace(" ", self._blank()) if phrase else str(token)
            if following is None:
                yield self._comment(" ") if self._pick((0, 0, 0, 1)) else ""
            else:
                yield self._between(token.type, following.type)

    def _between(self, before: str, after: str) -> str:
        if (before, after) == ("NUMBER", "HOURS"):
            return "\n  "  # on one line it is read as a misspelt time
        if before not in NO_COMMENT_AFTER and self._pick((0,) * 14 + (1,)):
            space = self._pick((" ", "\n", "\n  \n      "))
            return self._comment(space) + self._blank()
        if TIGHT & {before, after} and self._pick((0, 1)):
            return ""
        return self._blank()

    def _blank(self) -> str:
        return self._pick((" ", " ", *BLANKS))

    def _comment(self, space: str) -> str:
        text = self._pick(COMMENTS).replace("{}", f"c{len(self.comments)}")
        self.comments.append(text.rstrip())
        return f"{space}{text}\n"

    def _comment_lines(self, space: str) -> str:
        count = self._pick((0, 0, 0, 1, 2))
        ends = [self._pick(("", "\n")) for _ in range(count)]
        return "".join(self._comment(space) + end for end in ends)

    def _swapped(self, tokens: list[Token]) -> list[Token]:
        """``, within D, per S`` as ``, per S, within D`` at times."""
        found = list(tokens)
        for n in range(len(found) - 5):
            kinds = [token.type for token in found[n : n + 6]]
            if kinds[1::3] == ["WITHIN", "PER"] and self._pick((0, 1)):
                found[n : n + 6] = found[n + 3 : n + 6] + found[n : n + 3]
        return found

    def _table(self, text: str) -> str:
        """A line stays a line."""
        found = ""
        for line in text.rstrip().splitlines():
            found += line.replace(" | ", self._pick((" | ", "|", "  |  ")))
            found += self._comment(" ") if self._pick((0, 0, 1)) else "\n"
            found += self._comment_lines("    ")
        return found
