"""What a cell of a table says in another way than the language, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lark import Token

_ANY: Final = frozenset(("any", "all", "*", "everything", "anything", "?"))
_YES: Final = {"yes": "true", "no": "false", "true": "true", "false": "false"}
_ENDS: Final = frozenset(("MINUS", "NAME", "AND", "ODD", "TO"))
_VALUES: Final = frozenset(("NUMBER", "TEXT", "DURATION", "DATE", "NAME", "TRUE", "FALSE"))
_SIGNS: Final = frozenset(("COMPARISON", "EQUAL"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The tokens of a cell as they were meant; with a hint when they said something else.

    ``wrong`` are the tokens that are noted (empty: those that it became).
    """

    tokens: list[Token]
    hint: str = ""
    wrong: tuple[Token, ...] = ()


def cell_of(tokens: list[Token], clause: str) -> Cell:
    """Read a cell below a head of this clause."""
    if not tokens:
        return Cell(tokens=tokens)
    if clause in ("WHEN", "UNLESS"):
        return _condition(tokens) or _single(tokens) or Cell(tokens=tokens)
    if clause == "ON" and _is_list(tokens, frozenset(("NAME",))):
        new = [_like(t, "OR", "or") if t.type == "COMMA" else t for t in tokens]
        hint = f"Write `or` between them: `{' '.join(map(str, new))}`."
        return Cell(tokens=new, hint=hint, wrong=tuple(tokens))
    return _single(tokens) or Cell(tokens=tokens)


def _is_list(tokens: list[Token], items: frozenset[str]) -> bool:
    """Is it `a, b, c`, of items of these kinds?"""
    kinds = [token.type for token in tokens]
    return len(kinds) > 2 and items.issuperset(kinds[::2]) and set(kinds[1::2]) == {"COMMA"}


def _single(tokens: list[Token]) -> Cell | None:
    """A cell of one word that stands for a sign or a value of the language."""
    if len(tokens) != 1 or tokens[0].type == "TEXT":
        return None
    word = str(tokens[0]).lower()
    if word in _ANY:
        return _instead(tokens, "MINUS", "-")
    if word in _YES and str(tokens[0]) != _YES[word]:
        return _instead(tokens, _YES[word].upper(), _YES[word])
    return None


def _instead(tokens: list[Token], kind: str, written: str) -> Cell:
    new = [_like(tokens[0], kind, written)]
    return Cell(tokens=new, hint=f"Write `{written}`.", wrong=tuple(tokens))


def _condition(tokens: list[Token]) -> Cell | None:
    """Two ends, a list, `not 5`: a cell holds one comparison."""
    kinds = [token.type for token in tokens]
    if kinds[0] == "NOT" and len(kinds) == 2:
        new = [_like(tokens[0], "COMPARISON", "!="), tokens[1]]
        return Cell(tokens=new, hint=f"Write `!= {tokens[1]}`.", wrong=tuple(tokens))
    numbers = [token for token in tokens if token.type in ("NUMBER", "DURATION", "DATE")]
    if _is_list(tokens, _VALUES):
        new = [
            _like(tokens[0], "IN", "in"), _like(tokens[0], "LPAR", "("), *tokens,
            _like(tokens[-1], "RPAR", ")"),
        ]  # fmt: skip
        listed = ", ".join(str(token) for token in tokens if token.type != "COMMA")
        return Cell(tokens=new, hint=f"Write `in ({listed})`.", wrong=tuple(tokens))
    plain = [kind for kind in kinds if kind not in _SIGNS]
    joined = (
        len(plain) == 3 and plain[1] in _ENDS and plain[0] == plain[2] == numbers[0].type
        if (len(numbers) == 2)
        else False
    )
    if not joined:
        return None
    hint = (
        f"A cell is one comparison; make two columns, with `>= {numbers[0]}` and `<= {numbers[1]}`."
    )
    new = [_like(tokens[0], "COMPARISON", ">="), numbers[0]]
    return Cell(tokens=new, hint=hint, wrong=tuple(tokens))


def _like(token: Token, kind: str, value: str) -> Token:
    return token.update(type=kind, value=value)
