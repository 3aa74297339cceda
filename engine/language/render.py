"""What is shown to a person: a diagnostic beside its line, and trees in the author's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.language import syntax
from engine.language.amounts import UNITS
from engine.language.diagnostics import Diagnostic
from engine.language.source import Source

WIDEST: Final = 200
"""Of a longer line only the part around a mistake is shown."""
_YELLOW: Final = "\x1b[33m"
_RED, _BLUE, _BOLD, _PLAIN = "\x1b[31m", "\x1b[36m", "\x1b[1m", "\x1b[0m"


def terminal(diagnostic: Diagnostic, sources: Mapping[str, Source], *, color: bool = False) -> str:
    """A diagnostic as a person reads it: code and sentence, the line with a caret, the way out."""
    source = sources[diagnostic.span.source]
    line, column = source.place(diagnostic.span.start)
    text, before = _window(source.line(line), column - 1)
    marked = diagnostic.span.end - diagnostic.span.start
    width = max(1, min(marked, len(text) - before))
    margin = " " * len(str(line))
    pad = "".join("\t" if sign == "\t" else " " for sign in text[:before])
    warning = diagnostic.severity == "warning"
    strong = _YELLOW if warning else _RED
    red, blue, bold, plain = (strong, _BLUE, _BOLD, _PLAIN) if color else ("", "", "", "")
    mark = " (warning)" if warning else ""
    return (
        f"{red}{diagnostic.code}{mark}{plain} {bold}{diagnostic.message}{plain}\n"
        f"{blue}{margin}--> {plain}{source.name}:{line}:{column}\n"
        f"{blue}{line} |{plain} {text}\n"
        f"{blue}{margin} |{plain} {pad}{red}{'^' * width}{plain}\n"
        f"{margin} = {diagnostic.hint}\n"
    )


def _window(line: str, before: int) -> tuple[str, int]:
    """The part of a long line around a place, and where the place is in it."""
    if len(line) <= WIDEST:
        return line, before
    start = max(0, min(before - WIDEST // 3, len(line) - WIDEST))
    end = start + WIDEST
    dots = ".." if start else ""
    return f"{dots}{line[start:end]}{'..' if end < len(line) else ''}", before - start + len(dots)


def as_json(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> dict[str, Any]:
    """A diagnostic for machines; lines and columns from 1."""
    source = sources[diagnostic.span.source]
    line, column = source.place(diagnostic.span.start)
    end_line, end_column = source.place(diagnostic.span.end)
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "file": source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    }


def others(more: Mapping[str, int]) -> str:
    """A sentence about what was found and is not shown; nothing when everything is."""
    said = [f"{count:,} more of {code}" for code, count in more.items()]
    if not said:
        return ""
    return f"And {', '.join(said[:-1])} and {said[-1]}." if said[1:] else f"And {said[0]}."


def duration(milliseconds: int) -> str:
    """A time in the largest unit that shows it whole: ``90000`` is ``90 s``."""
    for unit, size in sorted(UNITS.items(), key=lambda entry: -entry[1]):
        if milliseconds % size == 0:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds} ms"


def text(value: str) -> str:
    """A text in quotes, with the escapes that the language knows."""
    return '"' + "".join(_ESCAPES.get(sign) or _plain(sign) for sign in value) + '"'


_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def _plain(sign: str) -> str:
    return sign if sign.isprintable() else f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else sign


# ---------------------------------------------------------------- trees in the author's words

# How tightly each form binds: what stands inside a tighter one needs brackets.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _FACTOR = range(7)


def written(node: syntax.Expr) -> str:
    """An expression in the words of the language; compiled again it is the same expression."""
    return _said(node)[0]


def _said(node: syntax.Expr) -> tuple[str, int]:  # noqa: C901 - a line for each node
    """The words of an expression, and how tightly they bind."""
    match node:
        case syntax.Constant():
            return _constant(node), _FACTOR
        case syntax.Path(parts=parts):
            return ".".join(parts), _FACTOR
        case syntax.Aggregate():
            return _aggregate(node), _FACTOR
        case syntax.Outside(name="pacing admits", argument=argument):
            return f"pacing admits {text(argument)}", _COMPARISON
        case syntax.Outside(name=name, argument=argument):
            return f"{name}({text(argument)})", _FACTOR
        case syntax.Compare(operator=operator, left=left, right=right):
            return f"{_within(left, _SUM)} {operator} {_within(right, _SUM)}", _COMPARISON
        case syntax.Among(item=item, values=values):
            listed = ", ".join(_within(value, _SUM) for value in values)
            return f"{_within(item, _SUM)} in ({listed})", _COMPARISON
        case syntax.InCategories(categories=names):
            return f"event in ({', '.join(names)})", _COMPARISON
        case syntax.Known(item=item, known=known):
            return f"{_within(item, _SUM)} is {'known' if known else 'missing'}", _COMPARISON
        case syntax.Glob(pattern=pattern):
            return f"url {text(pattern)}", _COMPARISON
        case syntax.Clock(what=what):
            return what, _FACTOR
        case syntax.InHours(hours=hours):
            return f"now in {hours}", _COMPARISON
        case syntax.Arithmetic(operator=operator, left=left, right=right):
            level = _SUM if operator in "+-" else _PRODUCT
            return f"{_within(left, level)} {operator} {_within(right, level + 1)}", level
        case syntax.Not(item=item):
            return f"not {_within(item, _NOT)}", _NOT
        case syntax.And(items=items):
            return " and ".join(_within(item, _NOT) for item in items), _AND
        case syntax.Or(items=items):
            return " or ".join(_within(item, _AND) for item in items), _OR


def _within(node: syntax.Expr, level: int) -> str:
    said, own = _said(node)
    return said if own >= level else f"({said})"


def _constant(node: syntax.Constant) -> str:
    match node.value:
        case bool(value):
            return "true" if value else "false"
        case str(value):
            return value if node.kind.word == "time" else text(value)
        case value if node.kind.word == "duration":
            return duration(int(value))
        case float(value) if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case value:
            return str(value)


def _aggregate(node: syntax.Aggregate) -> str:
    atom = atom_written(node.atom, node.field)
    if node.window is None:
        return f"{node.function}({atom})"
    return f"{node.function}({atom}, {window_written(node.window)})"


def window_written(window: syntax.Window) -> str:
    """``last 10 min``, ``this visit``, ``ever``."""
    if window.reach == "last":
        return f"last {duration(window.duration)}"
    return window.reach if window.reach == "ever" else f"this {window.reach}"


def atom_written(atom: syntax.Atom, field: tuple[str, ...] = ()) -> str:
    """One event to wait for; ``field`` follows its name in ``latest`` and its like."""
    said = ".".join((atom.name or "any event", *field))
    if atom.what == "sent":
        said = f"sent {atom.name if atom.name.isidentifier() else text(atom.name)}"
    if atom.categories:
        said += f" in {' or '.join(atom.categories)}"
    if atom.where is not None:
        said += f" where {written(atom.where)}"
    return said + (f" as {atom.alias}" if atom.alias else "")


def part_written(part: syntax.Part) -> str:
    """One part of a pattern."""
    match part:
        case syntax.Times(count=count, atom=atom):
            return f"{count} times {atom_written(atom)}"
        case syntax.Absent(atom=atom, duration=length):
            return f"no {atom_written(atom)} for {duration(length)}"
        case syntax.AllOf(atoms=atoms):
            return f"all of ({', '.join(map(atom_written, atoms))})"
        case syntax.AnyOf(atoms=atoms):
            return f"any of ({', '.join(map(atom_written, atoms))})"
        case syntax.Atom():
            return atom_written(part)
