"""Expressions of Python's own syntax, as conditions are made of them, and functions made of those.

An expression is written as plain nested tuples, which are equal when the expressions are. So what
differs in its constants alone is one *shape*: its syntax tree and its code are made once, and each
condition of that shape is a function of the same code with constants of its own. They are the
defaults of its parameters ``b0``, ``b1``, ..: nothing reads a variable faster, and nobody else can
see them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from types import CodeType, FunctionType
from typing import Any, Final
from weakref import ref

Node = tuple[Any, ...]
"""What it is, and its parts: nodes, and words that are none of an author's."""

NUMBERS: Final = (int, float)
_SHAPES: Final = 4_096
"""A book of ten thousand rules has some dozens."""
_SEEN: Final[dict[str, Any]] = {"type": type, "str": str, "NUMBERS": NUMBERS, "__builtins__": {}}
"""All that the code of a condition can name beside its scene and its constants."""
_HERE: Final[dict[str, Any]] = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
"""Python wants a place of each node; to put them in afterwards costs more than the rest."""
_LOAD: Final = ast.Load()
_SCENE: Final = "s"

SCENE: Final[Node] = ("name", _SCENE)
NOT_KNOWN: Final[Node] = ("settled", None)


def settled(*, value: bool) -> Node:
    """True or false, in the code as it is."""
    return ("settled", value)


def name(word: str) -> Node:
    """What a name stands for."""
    return ("name", word)


def bound(number: int) -> Node:
    """The constant of this number."""
    return ("name", f"b{number}")


def get(item: Node, *attributes: str) -> Node:
    """``item.a.b``"""
    return ("get", item, *attributes)


def call(function: Node, *arguments: Node) -> Node:
    """``function(a, b)``"""
    return ("call", function, *arguments)


def compare(left: Node, operator: str, right: Node) -> Node:
    """``left < right``"""
    return ("compare", operator, left, right)


def is_(item: Node, *, value: bool) -> Node:
    """``item is True``"""
    return compare(item, "is", settled(value=value))


def not_(item: Node) -> Node:
    """``not item``"""
    return ("not", item)


def all_(items: list[Node]) -> Node:
    """``a and b``; one alone stands for itself."""
    return items[0] if len(items) == 1 else ("and", *items)


def any_(items: list[Node]) -> Node:
    """``a or b``; one alone stands for itself."""
    return items[0] if len(items) == 1 else ("or", *items)


def either(test: Node, yes: Node, no: Node) -> Node:
    """``yes if test else no``"""
    return ("either", test, yes, no)


def minus(left: Node, right: Node) -> Node:
    """``left - right``"""
    return ("minus", left, right)


def list_(items: list[Node]) -> Node:
    """``[a, b]``"""
    return ("list", *items)


def stored(word: str, item: Node) -> Node:
    """``(word := item)``"""
    return ("stored", word, item)


# ---------------------------------------------------------------- functions


def function(body: Node, constants: Sequence[Any]) -> Callable[[Any], Any]:
    """The function of a scene that gives ``body``, where ``bound(n)`` is the n-th constant."""
    code = _code(body, len(constants))
    return FunctionType(code, _SEEN, "condition", tuple(constants))


def lazily(make: Callable[..., Callable[[Any], Any]], *given: Any) -> Callable[[Any], Any]:
    """A function that ``function`` gives: the one that ``make(*given)`` makes at the first call.

    It then *becomes* what was made: a function is its code and its defaults, and Python lets them
    be replaced. One that called the other would cost every later call as much as a small condition.
    """
    first = FunctionType(_FIRST, _SEEN, "condition")
    # It does not hold itself: what is never called is freed with its book, without a search.
    first.__kwdefaults__ = {"becomes": partial(_become, ref(first), make, given)}
    return first


def _become(
    itself: ref[FunctionType], make: Callable[..., Any], given: tuple[Any, ...], scene: Any
) -> Any:
    made = make(*given)
    first = itself()
    assert first is not None, "it is being called"
    # In this order: a thread that calls it meanwhile still finds the old code, which looks at no
    # defaults by position, or the new one with all that it needs.
    first.__defaults__ = made.__defaults__
    first.__code__ = made.__code__
    first.__kwdefaults__ = None
    return made(scene)


_FIRST: Final = (lambda s, *, becomes: becomes(s)).__code__


@lru_cache(_SHAPES)
def _code(body: Node, constants: int) -> CodeType:
    """The code of a shape."""
    words = (_SCENE, *(f"b{number}" for number in range(constants)))
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(arg=word, **_HERE) for word in words],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    tree = ast.Expression(body=ast.Lambda(args=arguments, body=_tree(body), **_HERE))
    module = compile(tree, "<condition>", "eval")
    return next(one for one in module.co_consts if isinstance(one, CodeType))


_OPERATORS: Final[dict[str, type[ast.cmpop]]] = {
    "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE, "=": ast.Eq, "!=": ast.NotEq,
    "is": ast.Is, "is not": ast.IsNot, "in": ast.In, "not in": ast.NotIn,
}  # fmt: skip


def _tree(node: Node) -> ast.expr:
    match node:
        case ("settled", value):
            return ast.Constant(value=value, **_HERE)
        case ("name", word):
            return ast.Name(id=word, ctx=_LOAD, **_HERE)
        case ("get", item, *attributes):
            made = _tree(item)
            for attribute in attributes:
                made = ast.Attribute(value=made, attr=attribute, ctx=_LOAD, **_HERE)
            return made
        case ("call", called, *arguments):
            return ast.Call(func=_tree(called), args=_trees(arguments), keywords=[], **_HERE)
        case ("stored", word, item):
            target = ast.Name(id=word, ctx=ast.Store(), **_HERE)
            return ast.NamedExpr(target=target, value=_tree(item), **_HERE)
        case ("list", *items):
            return ast.List(elts=_trees(items), ctx=_LOAD, **_HERE)
        case _:
            return _combined(node)


def _combined(node: Node) -> ast.expr:
    match node:
        case ("compare", operator, left, right):
            ops = [_OPERATORS[operator]()]
            return ast.Compare(left=_tree(left), ops=ops, comparators=[_tree(right)], **_HERE)
        case ("not", item):
            return ast.UnaryOp(op=ast.Not(), operand=_tree(item), **_HERE)
        case ("and", *items):
            return ast.BoolOp(op=ast.And(), values=_trees(items), **_HERE)
        case ("or", *items):
            return ast.BoolOp(op=ast.Or(), values=_trees(items), **_HERE)
        case ("either", test, yes, no):
            return ast.IfExp(test=_tree(test), body=_tree(yes), orelse=_tree(no), **_HERE)
        case ("minus", left, right):
            return ast.BinOp(left=_tree(left), op=ast.Sub(), right=_tree(right), **_HERE)
        case _:
            raise AssertionError(f"{node[0]} is no node")


def _trees(items: list[Node]) -> list[ast.expr]:
    return [_tree(item) for item in items]
