"""What a file says by itself as bytes, and back: so that it is parsed once.

The bytes are JSON and nothing else: whoever reads them makes values of the tree, and never runs
what is in them. A value of the tree is a list that begins with the number of its form and ends with
its place in the text; any other list begins with null. Numbers of forms mean something only to the
code that wrote them, so whoever keeps the bytes keeps them under the version of the code.

A book of ten thousand rules has hundreds of thousands of values, so each is filled through its
slots: what ``__init__`` does for a frozen value, without the call.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final, Protocol, get_args

import msgspec

from engine.language import syntax
from engine.language.diagnostics import Diagnostic, Shown
from engine.language.source import Source
from engine.vocabulary.kinds import BY_WORD, Kind

Told = tuple[syntax.Declaration, bytes]
"""A declaration with the digest of its meaning."""


class Memory(Protocol):
    """Where bytes are kept from one run to the next, or not: what is gone is made again."""

    def get(self, key: str) -> bytes | None:
        """What was kept under a key, exactly as it was given; None for anything else."""

    def put(self, key: str, data: bytes) -> None:
        """Keep bytes under a key, if that is possible."""


class NotStored(Exception):
    """These bytes were not written by this code."""


_FORMS: Final[tuple[Any, ...]] = tuple(
    sorted(
        {*get_args(syntax.Declaration), *get_args(syntax.Expr), *get_args(syntax.Part)}
        | {*get_args(syntax.Step), syntax.Window, syntax.Record, syntax.List, syntax.Pattern}
        | {syntax.SendAction, syntax.SetAction, syntax.Rule, syntax.Limit, syntax.FieldSource}
        | {syntax.FieldDeclaration, syntax.Capture, syntax.OpenHours, syntax.Active}
        | {syntax.Audience, Kind},
        key=lambda form: str(form.__name__),
    )
)
_NUMBERS: Final = {form: number for number, form in enumerate(_FORMS)}
_PARTS: Final = {
    form: tuple(part.name for part in dataclasses.fields(form) if part.name != "span")
    for form in _FORMS
}


def key_of(source: Source) -> str:
    """Equal texts have equal keys, whatever their files are called."""
    return blake2b(source.text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def key_of_all(sources: Iterable[Source]) -> str:
    """Equal files have equal keys."""
    told = sorted((source.name, key_of(source)) for source in sources)
    return blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()


# ---------------------------------------------------------------- there


def declarations_written(told: Sequence[Told]) -> bytes:
    """Declarations of one file as bytes, without its name. Raises NotStored."""
    try:
        return _bytes([[digest.hex(), _written(declaration)] for declaration, digest in told])
    except (TypeError, ValueError, RecursionError) as error:  # no tree that anybody would write
        raise NotStored from error


def shown_written(shown: Shown) -> bytes:
    """What is shown of a book as bytes."""
    found = [
        (one.code, one.span.source, one.span.start, one.span.end, one.message, one.hint)
        for one in shown.diagnostics
    ]
    return _bytes([found, dict(shown.more)])


def _bytes(value: Any) -> bytes:
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return said.encode("utf-8", "surrogatepass")


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return [None, *map(_written, value)]
    form = type(value)
    if form not in _NUMBERS:
        return value
    parts = [_written(getattr(value, name)) for name in _PARTS[form]]
    place = () if form is Kind else (value.span.start, value.span.end)
    return [_NUMBERS[form], *parts, *place]


# ---------------------------------------------------------------- and back


def declarations_read(data: bytes | None, source: str) -> list[Told]:
    """The declarations of a file of this name. Raises NotStored."""
    if data is None:
        raise NotStored
    try:
        found = [(_made(told, source), bytes.fromhex(digest)) for digest, told in _value(data)]
    except (TypeError, ValueError, LookupError, RecursionError) as error:
        raise NotStored from error
    if not all(isinstance(declaration, syntax.Declaration) for declaration, _ in found):
        raise NotStored
    return found


def shown_read(data: bytes | None) -> Shown:
    """What was shown of a book. Raises NotStored."""
    if data is None:
        raise NotStored
    try:
        found, more = _value(data)
        return Shown(diagnostics=tuple(_diagnostic(*one) for one in found), more=dict(more))
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise NotStored from error


def _value(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError):  # a text with half a sign, or no JSON at all
        return json.loads(data.decode("utf-8", "surrogatepass"))


def _diagnostic(
    code: str, source: str, start: int, end: int, message: str, hint: str
) -> Diagnostic:
    severity: Any = "warning" if code.startswith("L") else "error"
    span = syntax.Span(source=source, start=start, end=end)
    return Diagnostic(code=code, span=span, message=message, hint=hint, severity=severity)


_Make = Callable[[list[Any], str], Any]
"""Makes a value of what was written for it, and the name of its source."""


def _made(value: list[Any], source: str) -> Any:
    return _MAKERS[value[0]](value, source)


def _row(value: list[Any], source: str) -> tuple[Any, ...]:
    del value[0]
    return tuple([_MAKERS[v[0]](v, source) if type(v) is list else v for v in value])


def _kind(value: list[Any], _: str) -> Kind:
    _, word, item = value
    return BY_WORD[word] if item is None else Kind(word, _kind(item, ""))


def _maker(form: Any) -> _Make:
    new, span = object.__new__, syntax.Span
    fills = [getattr(form, name).__set__ for name in _PARTS[form]]
    put = form.span.__set__
    put_source, put_start, put_end = (
        getattr(span, name).__set__ for name in ("source", "start", "end")
    )

    def make(value: list[Any], source: str) -> Any:
        _, *parts, start, end = value
        place, made = new(span), new(form)
        put_source(place, source)
        put_start(place, start)
        put_end(place, end)
        put(made, place)
        for fill, part in zip(fills, parts, strict=True):
            fill(made, _MAKERS[part[0]](part, source) if type(part) is list else part)
        return made

    return make


_MAKERS: Final[dict[int | None, _Make]] = {
    None: _row,
    **{n: _kind if form is Kind else _maker(form) for form, n in _NUMBERS.items()},
}
