"""The road from texts to a book: split, parse, collect, check; all mistakes in one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b

from engine.language import syntax
from engine.language.blocks import split
from engine.language.checker import Checker
from engine.language.diagnostics import MOST, Diagnostic, Findings
from engine.language.endless import check_ends
from engine.language.names import Names, collect
from engine.language.parser import parse
from engine.language.source import Source, by_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What became of a folder of texts: a book, or the diagnostics that say why there is none."""

    book: syntax.Book | None
    diagnostics: tuple[Diagnostic, ...]


def compile_book(sources: Sequence[Source]) -> Compiled:
    """Compile all files of a book together. Never raises for what an author writes."""
    findings = Findings({source.name: source.text for source in sources})
    declarations: list[tuple[syntax.Declaration, bool]] = []
    mended: set[syntax.Span] = set()
    lost: list[str] = []
    for source in sources:
        for block in split(source, findings):
            parsed = parse(source, block, findings)
            if parsed.declaration is not None:
                declarations.append((parsed.declaration, parsed.mended))
                if parsed.mended:
                    mended.add(parsed.declaration.span)
            elif parsed.lost is not None:
                lost.append(parsed.lost[1])
    names = collect(declarations, lost, by_name(sources), findings)
    Checker(names, mended, findings).check()
    check_ends(names, mended, findings)
    if findings:
        return Compiled(book=None, diagnostics=findings.sorted()[:MOST])
    return Compiled(book=_book(names), diagnostics=())


def _book(names: Names) -> syntax.Book:
    tables = {
        field.name: dict(sorted(getattr(names, field.name).items()))
        for field in fields(syntax.Book)
        if field.name not in ("version", "zone")
    }
    zone = names.zones[0].name if names.zones else "UTC"
    return syntax.Book(version=version_of(zone, tables), zone=zone, **tables)


def version_of(zone: str, tables: dict[str, dict[str, object]]) -> str:
    """A hash of what a book means; layout, comments and scenarios are no part of it."""
    meaning = repr((zone, [entry for entry in tables.items() if entry[0] != "scenarios"]))
    return blake2b(meaning.encode(), digest_size=8).hexdigest()
