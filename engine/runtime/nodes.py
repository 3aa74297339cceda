"""Nodes of Python's own syntax trees, as conditions are made of them.

Each is made with a place, which Python wants of it: to walk over a finished tree and put places
into it (``ast.fix_missing_locations``) costs more than all the rest of a condition.
"""

from __future__ import annotations

import ast
from types import CodeType
from typing import Any, Final

_HERE: Final[dict[str, Any]] = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}
_LOAD: Final = ast.Load()


def constant(value: Any) -> ast.expr:
    """A value that is in the code as it is."""
    return ast.Constant(value=value, **_HERE)


def name(word: str) -> ast.expr:
    """What a name stands for."""
    return ast.Name(id=word, ctx=_LOAD, **_HERE)


def get(item: ast.expr, *attributes: str) -> ast.expr:
    """``item.a.b``"""
    for attribute in attributes:
        item = ast.Attribute(value=item, attr=attribute, ctx=_LOAD, **_HERE)
    return item


def call(function: ast.expr, *arguments: ast.expr) -> ast.expr:
    """``function(a, b)``"""
    return ast.Call(func=function, args=list(arguments), keywords=[], **_HERE)


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.expr:
    """``left < right``"""
    return ast.Compare(left=left, ops=[operator], comparators=[right], **_HERE)


def is_(item: ast.expr, value: Any) -> ast.expr:
    """``item is value``"""
    return compare(item, ast.Is(), constant(value))


def not_(item: ast.expr) -> ast.expr:
    """``not item``"""
    return ast.UnaryOp(op=ast.Not(), operand=item, **_HERE)


def all_(items: list[ast.expr]) -> ast.expr:
    """``a and b``; one alone stands for itself."""
    return items[0] if len(items) == 1 else ast.BoolOp(op=ast.And(), values=items, **_HERE)


def any_(items: list[ast.expr]) -> ast.expr:
    """``a or b``; one alone stands for itself."""
    return items[0] if len(items) == 1 else ast.BoolOp(op=ast.Or(), values=items, **_HERE)


def either(test: ast.expr, yes: ast.expr, no: ast.expr) -> ast.expr:
    """``yes if test else no``"""
    return ast.IfExp(test=test, body=yes, orelse=no, **_HERE)


def minus(left: ast.expr, right: ast.expr) -> ast.expr:
    """``left - right``"""
    return ast.BinOp(left=left, op=ast.Sub(), right=right, **_HERE)


def list_(items: list[ast.expr]) -> ast.expr:
    """``[a, b]``"""
    return ast.List(elts=items, ctx=_LOAD, **_HERE)


def stored(word: str, item: ast.expr) -> ast.expr:
    """``(word := item)``"""
    target = ast.Name(id=word, ctx=ast.Store(), **_HERE)
    return ast.NamedExpr(target=target, value=item, **_HERE)


def code(argument: str, body: ast.expr) -> CodeType:
    """The code of a function of one argument that gives ``body``."""
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(arg=argument, **_HERE)],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    tree = ast.Expression(body=ast.Lambda(args=arguments, body=body, **_HERE))
    module = compile(tree, "<condition>", "eval")
    return next(one for one in module.co_consts if isinstance(one, CodeType))
