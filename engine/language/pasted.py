"""What comes along with text from elsewhere: marks of a merge, signs of a mail, numbers of lines.

It is noted once and blanked, so that every place stays what it was and what stands beside it is
read as if it had been written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from engine.language.diagnostics import Findings
from engine.language.lexer import RESERVED
from engine.language.source import Source
from engine.vocabulary.words import DECLARATIONS

_MARK: Final = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?=[ \t\r\n]|\Z)[^\n]*", re.MULTILINE)
_CHANGE: Final = re.compile(r"^[-+](?=[ \t]*[^\W\d_]|[ \t]*#|[ \t]*\|)[^\n]*", re.MULTILINE)
_HEAD: Final = rf"(?:{'|'.join(DECLARATIONS)})\b[ \t]+[\"\w]"
_MARGIN: Final = re.compile(
    rf"^(?P<margin>>[> ]*|\d+[:.)|]?[ \t]+|[$%][ \t]+)(?={_HEAD})"
    rf"|^(?P<bullet>[-*\u2022\u00b7\u25aa])(?=[ \t]+(?P<word>[a-z]+))",
    re.MULTILINE,
)
_SAME: Final = {
    ">": re.compile(r"^>[> ]?", re.MULTILINE),
    "0": re.compile(r"^\d+[:.)|]?(?=[ \t\r\n]|\Z)", re.MULTILINE),
    "*": re.compile(r"^[ \t]+[-*\u2022\u00b7\u25aa](?=[ \t])", re.MULTILINE),
}
"""What the lines below begin with that were pasted together with one."""


def clean(source: Source, findings: Findings) -> Source:
    """The source without what pasting left in its margin, which is noted."""
    text = source.text
    if _MARK.search(text):
        text = _blanked(text, _versions(source, findings))
    if _CHANGE.search(text):
        text = _blanked(text, list(_changes(source, text, findings)))
    if _MARGIN.search(text):
        text = _blanked(text, list(_margins(source, text, findings)))
    return source if text == source.text else Source(name=source.name, text=text)


def blanked(source: Source, places: list[tuple[int, int]]) -> Source:
    """The source with spaces at these places; lines stay lines."""
    return Source(name=source.name, text=_blanked(source.text, places)) if places else source


def _blanked(text: str, places: list[tuple[int, int]]) -> str:
    pieces, done = [], 0
    for start, end in sorted(places):
        start = max(start, done)
        pieces += [text[done:start], re.sub(r"[^\r\n]", " ", text[start:end])]
        done = max(done, end)
    return "".join([*pieces, text[done:]])


def _versions(source: Source, findings: Findings) -> list[tuple[int, int]]:
    """Two versions between marks: the first is kept."""
    places: list[tuple[int, int]] = []
    other = -1
    for mark in _MARK.finditer(source.text):
        sign = mark.group()[0]
        if sign == "<" or (other < 0 and not places):
            span = source.span(mark.start(), mark.end())
            findings.add("S033", span, word=mark.group().rstrip())
        if sign in "|=" and other < 0:
            other = mark.start()
        if sign == ">" and other >= 0:
            places.append((other, mark.end()))
            other = -1
        places.append((mark.start(), mark.end()))
    return places


def _changes(source: Source, text: str, findings: Findings) -> Iterator[tuple[int, int]]:
    """Lines that were taken away and added, as a program shows them: the new ones are kept."""
    found = list(_CHANGE.finditer(text))
    if {change.group()[0] for change in found} != {"-", "+"}:
        return
    findings.add("S033", source.span(found[0].start(), found[0].end()), word=found[0].group())
    for change in found:
        is_old = change.group().startswith("-")
        yield change.start(), change.end() if is_old else change.start() + 1


def _margins(source: Source, text: str, findings: Findings) -> Iterator[tuple[int, int]]:
    """Signs before a declaration, and before the lines that were pasted with it."""
    done = 0
    for match in _MARGIN.finditer(text):
        if match.start() < done or (match["bullet"] and match["word"] not in RESERVED):
            continue
        sign = (match["margin"] or match["bullet"]).strip()
        span = source.span(match.start(), match.start() + len(sign))
        findings.add("S005", span, word=sign, hint="Leave it out; a new line is enough.")
        done = match.end("margin") if match["margin"] else match.end("bullet")
        yield match.start(), done
        is_list = match["bullet"] and match["word"] in DECLARATIONS
        same = _SAME.get("0" if sign[0].isdigit() else "*" if is_list else sign[0])
        while same and (line := text.find("\n", done) + 1) and (more := same.match(text, line)):
            yield more.span()
            done = max(more.end(), line)
