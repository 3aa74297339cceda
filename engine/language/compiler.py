"""The road from texts to a book: split, parse, collect, check; all mistakes in one run.

A ``Compiler`` remembers between runs what cannot have changed: what each file says by itself, and
which declarations are without mistake. A declaration is looked at again when its file changed, or
when a name changed that its file mentions; one with a mistake is always looked at again. So a
compiler with a memory says exactly what a new one would.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import Any, Final
from unicodedata import is_normalized

from engine.language import syntax
from engine.language.blocks import split
from engine.language.checker import Checker
from engine.language.diagnostics import NOTHING, Diagnostic, Findings, Shown
from engine.language.endless import check_ends
from engine.language.names import Names, collect
from engine.language.parser import parse
from engine.language.quiet import undisturbed
from engine.language.source import Source, by_name
from engine.language.stored import (
    Memory,
    NotStored,
    Told,
    declarations_read,
    declarations_written,
    key_of,
    key_of_all,
)

MOST_CHANGED: Final = 100
"""When more names changed, everything is looked at again: that is sooner than to ask each file."""
_GOOD: Final = b"good"
_WORD: Final = re.compile(r"\w+")
_Meanings = dict[tuple[str, str], tuple[Any, ...]]
"""By what it is and its name: all that others may depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What became of a folder of texts: a book, or the mistakes that say why there is none."""

    book: syntax.Book | None
    found: Shown = NOTHING

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The mistakes that are shown; ``found`` has how many there are beside them."""
        return self.found.diagnostics


def compile_book(sources: Sequence[Source], memory: Memory | None = None) -> Compiled:
    """Compile all files of a book together. Never raises for what an author writes."""
    return Compiler(memory).compile(sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What one file says by itself: each declaration, and whether clauses were taken out of it."""

    text: str
    declarations: tuple[tuple[syntax.Declaration, bool], ...]
    lost: tuple[str, ...]
    findings: Findings

    def mentions(self, words: Iterable[Sequence[str]]) -> bool:
        """Could a declaration of the file name one of these? Each is the words of a name."""
        if "\\" in self.text or self.findings or not is_normalized("NFC", self.text):
            return True  # a name may be written with escapes, or be read as another
        return any(all(word in self.text for word in name) for name in words)


class _Everything(Container[int]):
    """Whatever is asked for is in it."""

    def __contains__(self, _: object) -> bool:
        return True


class Compiler:
    """Compiles a book again and again; what did not change costs little.

    With a ``memory`` what was compiled in another run costs little too: the declarations of each
    file without a mistake, and that a whole book has none.
    """

    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory
        self._files: dict[str, _File] = {}
        self._meant: _Meanings = {}
        self._clean: dict[int, syntax.Declaration] = {}
        self._digests: dict[int, tuple[syntax.Declaration, bytes]] = {}

    def compile(self, sources: Sequence[Source]) -> Compiled:
        """Compile all files of a book together. Never raises for what an author writes."""
        with undisturbed():
            return self._compile(sources)

    def _compile(self, sources: Sequence[Source]) -> Compiled:
        findings = Findings({source.name: source.text for source in sources})
        files = [self._read(source) for source in sources]
        for file in files:
            findings.include(file.findings)
        declarations = [entry for file in files for entry in file.declarations]
        mended = {declaration.span for declaration, was_mended in declarations if was_mended}
        lost = [name for file in files for name in file.lost]
        names = collect(declarations, lost, by_name(sources), findings)
        meant = _meanings(names)
        is_known = not findings and self._is_known(sources)
        settled = _Everything() if is_known else self._settled(meant, files)
        clean = Checker(names, mended, findings).check(settled)
        # Last and together, so that a run that came to no end leaves nothing half remembered.
        self._clean = {id(declaration): declaration for declaration in clean}
        self._meant = meant
        self._files = {source.name: file for source, file in zip(sources, files, strict=True)}
        if not is_known:
            check_ends(names, mended, findings)
        if findings:
            return Compiled(book=None, found=findings.shown())
        if self._memory is not None and not is_known:
            self._memory.put(f"book {key_of_all(sources)}", _GOOD)
        return Compiled(book=self._book(names))

    def _is_known(self, sources: Sequence[Source]) -> bool:
        """Was this whole book found to be without a mistake before?"""
        if self._memory is None or self._files:  # after the first run it is known what changed
            return False
        return self._memory.get(f"book {key_of_all(sources)}") == _GOOD

    def _read(self, source: Source) -> _File:
        known = self._files.get(source.name)
        if known is not None and known.text == source.text:
            return known
        if self._memory is None:
            return _read(source)
        key = f"file {key_of(source)}"
        with suppress(NotStored):
            return self._told(source, declarations_read(self._memory.get(key), source.name))
        file = _read(source)
        if file.findings or file.lost or any(mended for _, mended in file.declarations):
            return file
        told = [(declaration, _digest(declaration)) for declaration, _ in file.declarations]
        with suppress(NotStored):
            self._memory.put(key, declarations_written(told))
        return self._told(source, told)

    def _told(self, source: Source, told: Sequence[Told]) -> _File:
        """A file without a mistake, by its declarations."""
        self._digests |= {id(declaration): (declaration, digest) for declaration, digest in told}
        return _File(
            text=source.text,
            declarations=tuple((declaration, False) for declaration, _ in told),
            lost=(),
            findings=Findings({source.name: source.text}),
        )

    def _settled(self, meant: _Meanings, files: Iterable[_File]) -> Container[int]:
        """The ids of declarations that had no mistake and cannot have one now."""
        if meant == self._meant:
            return self._clean.keys()
        changed = meant.items() ^ self._meant.items()
        words = {tuple(_WORD.findall(name)) for (_, name), _ in changed}
        # A condition on any event looks for its field among those of all events.
        words |= {path for (what, _), meaning in changed if what == "event" for path, _ in meaning}
        if not self._clean or len(words) > MOST_CHANGED:
            return ()
        return {
            id(declaration)
            for file in files
            if not file.mentions(words)
            for declaration, _ in file.declarations
            if id(declaration) in self._clean
        }

    def _book(self, names: Names) -> syntax.Book:
        tables: dict[str, dict[Any, Any]] = {
            field.name: dict(sorted(getattr(names, field.name).items(), key=lambda entry: entry[0]))
            for field in fields(syntax.Book)
            if field.name not in ("version", "zone")
        }
        zone = names.zones[0].name if names.zones else "UTC"
        return syntax.Book(version=self._version(zone, tables), zone=zone, **tables)

    def _version(self, zone: str, tables: dict[str, dict[Any, Any]]) -> str:
        """A hash of what a book means; layout, comments and scenarios are no part of it."""
        before, self._digests = self._digests, {}
        meaning = blake2b(repr(zone).encode(), digest_size=8)
        for name, table in tables.items():
            if name == "scenarios":
                continue
            meaning.update(f"{name} {len(table)}".encode())
            for declaration in table.values():
                found = before.get(id(declaration)) or (declaration, _digest(declaration))
                self._digests[id(declaration)] = found
                meaning.update(found[1])
        return meaning.hexdigest()


def _read(source: Source) -> _File:
    """What a file says by itself."""
    findings = Findings({source.name: source.text})
    declarations: list[tuple[syntax.Declaration, bool]] = []
    lost: list[str] = []
    for block in split(source, findings):
        parsed = parse(block, findings)
        if parsed.declaration is not None:
            declarations.append((parsed.declaration, parsed.mended))
        elif parsed.lost is not None:
            lost.append(parsed.lost[1])
    return _File(
        text=source.text,
        declarations=tuple(declarations),
        lost=tuple(lost),
        findings=findings,
    )


def _meanings(names: Names) -> _Meanings:
    """What the check of one declaration can see of all others."""
    found: _Meanings = {
        ("event", name): tuple(names.fields_of(name).items()) for name in names.events
    }
    found |= {("fact", ".".join(key)): (fact.kind,) for key, fact in names.facts.items()}
    found |= {("message", name): _taken(names, entry) for name, entry in names.messages.items()}
    experiments = (s.audience.experiment for s in names.strategies.values() if s.audience)
    found |= dict.fromkeys((("audience", experiment) for experiment in experiments), ())
    found |= {("channel", name): entry.fields for name, entry in names.channels.items()}
    for what in ("categories", "groups", "strategies", "hours", "media", "broken", "lost"):
        found |= dict.fromkeys(((what, name) for name in getattr(names, what)), ())
    return found


def _taken(names: Names, message: syntax.Message) -> tuple[Any, ...]:
    """What senders and stories depend on: parameters, and the fields of the channel they fill."""
    own = names.channels.get(message.channel)
    filled = [
        (key, value.parts)
        for key, value in message.data.entries
        if isinstance(value, syntax.Path) and len(value.parts) == 1
    ]
    return message.parameters, message.channel, own.fields if own else (), tuple(filled)


def _digest(declaration: syntax.Declaration) -> bytes:
    return blake2b(repr(declaration).encode(), digest_size=16).digest()
