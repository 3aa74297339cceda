"""What is shown to a person: a diagnostic beside its line, and trees in the author's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.language import syntax
from engine.language.diagnostics import Diagnostic
from engine.language.lexer import UNITS
from engine.language.source import Source

_RED, _BLUE, _BOLD, _PLAIN = "\x1b[31m", "\x1b[36m", "\x1b[1m", "\x1b[0m"


def terminal(diagnostic: Diagnostic, sources: Mapping[str, Source], *, color: bool = False) -> str:
    """A diagnostic as a person reads it: code and sentence, the line with a caret, the way out."""
    source = sources[diagnostic.span.source]
    line, column = source.place(diagnostic.span.start)
    text = source.line(line)
    width = max(1, min(diagnostic.span.end, diagnostic.span.start + len(text) + 1 - column)
                - diagnostic.span.start)  # fmt: skip
    margin = " " * len(str(line))
    pad = "".join("\t" if sign == "\t" else " " for sign in text[: column - 1])
    red, blue, bold, plain = (_RED, _BLUE, _BOLD, _PLAIN) if color else ("", "", "", "")
    return (
        f"{red}{diagnostic.code}{plain} {bold}{diagnostic.message}{plain}\n"
        f"{blue}{margin}--> {plain}{source.name}:{line}:{column}\n"
        f"{blue}{line} |{plain} {text}\n"
        f"{blue}{margin} |{plain} {pad}{red}{'^' * width}{plain}\n"
        f"{margin} = {diagnostic.hint}\n"
    )


def as_json(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> dict[str, Any]:
    """A diagnostic for machines; lines and columns from 1."""
    source = sources[diagnostic.span.source]
    line, column = source.place(diagnostic.span.start)
    end_line, end_column = source.place(diagnostic.span.end)
    return {
        "code": diagnostic.code,
        "file": source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    }


def duration(milliseconds: int) -> str:
    """A time in the largest unit that shows it whole: ``90000`` is ``90 s``."""
    for unit, size in sorted(UNITS.items(), key=lambda entry: -entry[1]):
        if milliseconds % size == 0:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds} ms"


def written(node: syntax.Expr) -> str:  # noqa: C901 - a line for each node
    """An expression shortly, in the words of the language."""
    match node:
        case syntax.Constant(value=bool(value)):
            return "true" if value else "false"
        case syntax.Constant(value=str(value)):
            return f'"{value}"'
        case syntax.Constant(value=value, kind=kind):
            return duration(int(value)) if kind.word == "duration" else f"{value:g}"
        case syntax.Path(parts=parts):
            return ".".join(parts)
        case syntax.Aggregate(function=function, atom=atom, field=field):
            return f"{function}({'.'.join((atom.name or 'any event', *field))}, ..)"
        case syntax.Outside(name="pacing admits", argument=argument):
            return f'pacing admits "{argument}"'
        case syntax.Outside(name=name, argument=argument):
            return f'{name}("{argument}")'
        case syntax.Compare(operator=operator, left=left, right=right):
            return f"{written(left)} {operator} {written(right)}"
        case syntax.Arithmetic(operator=operator, left=left, right=right):
            return f"{written(left)} {operator} {written(right)}"
        case syntax.Clock(what=what):
            return what
        case syntax.InHours(hours=hours):
            return f"now in {hours}"
        case syntax.Glob(pattern=pattern):
            return f'url "{pattern}"'
        case syntax.InCategories(categories=names):
            return f"event in ({', '.join(names)})"
        case _:
            return ".."
