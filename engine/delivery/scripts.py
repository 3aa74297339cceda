"""Scripts as browsers get them: joined where one file is wanted, lean, and compressed.

What is in the folders is what the browser runs, without comments and spare space: no build stands
between a changed file and the next page. The reading of JavaScript here knows just enough to tell
code from strings and comments; whoever writes these files keeps to what it can join: named imports
without new names, from files beside, and one ``export`` before a declaration.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from engine.delivery.answers import has_tag

_IMPORT: Final = re.compile(r"^import \{[^}]*\} from '\./([\w-]+\.js)';\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function|const|class) )", re.MULTILINE)
_TOKEN: Final = re.compile(
    r"(?P<space>(?:\s|/\*[\s\S]*?\*/|//[^\n]*)+)"
    r"|(?P<text>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)"
    r"|(?P<word>[\w$]+)"
    r"|(?P<sign>[^\w\s$\"'`])"
)
_PATTERN: Final = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
_OPERANDS: Final = frozenset(
    ("return", "typeof", "case", "in", "of", "delete", "void", "do", "else")
)
"""Words after which a slash begins a pattern, as it does after a sign that wants an operand."""
_TIGHT: Final = frozenset("{}()[];,=<>:?|&!*.")
"""Signs that need no space beside them; plus and minus may, for two of them are another sign."""
_OPEN: Final = frozenset("{([;,")


def lean(source: str) -> str:
    """Leave out comments and spare space; line breaks that may mean something stay."""
    out: list[str] = []
    last = "\n"
    for kind, text in _tokens(source):
        if kind != "space":
            if last in ("\n", " ") and out and _is_spare(out, last, text):
                out.pop()
            out.append(text)
            last = text
        elif last not in ("\n", " "):
            last = "\n" if "\n" in text else " "
            out.append(last)
    return "".join(out).strip() + "\n"


def _is_spare(out: list[str], space: str, after: str) -> bool:
    """May the space before ``after``, the last of ``out``, go?"""
    before = out[-2] if len(out) > 1 else "{"
    if space == "\n":
        return before in _OPEN or after in ("}", ")", "]")
    return before in _TIGHT or after in _TIGHT


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    place, before = 0, "("
    while place < len(source):
        match = _TOKEN.match(source, place)
        assert match is not None, source[place : place + 20]
        kind, text = match.lastgroup or "", match.group()
        if text == "/" and (before in _OPERANDS or before in "(,=:[!&|?{};<>+-*%"):
            pattern = _PATTERN.match(source, place)
            if pattern is not None:
                kind, text = "text", pattern.group()
        yield kind, text
        place += len(text)
        if kind != "space":
            before = text


def joined(entry: Path, *, module: bool = False) -> str:
    """A module and all that it imports as one script, each file before who imports it.

    A classic one, which keeps its names to itself; or a ``module``, which exports what its entry
    does.
    """
    parts: dict[Path, str] = {}
    _collect(entry, parts)
    if module:
        parts[entry] = _IMPORT.sub("", entry.read_text("utf-8"))
        return "".join(parts.values())
    return "(function () {\n'use strict';\n" + "".join(parts.values()) + "})();\n"


def _collect(path: Path, parts: dict[Path, str]) -> None:
    source = path.read_text("utf-8")
    for name in _IMPORT.findall(source):
        if path.with_name(name) not in parts:
            _collect(path.with_name(name), parts)
    parts[path] = _EXPORT.sub("", _IMPORT.sub("", source))


Join = Literal["classic", "module"]
"""As what a file and all that it imports is served."""


class Script:
    """Answers with one script; it is made anew when a file of its folder has changed."""

    def __init__(self, path: Path, *, join: Join | None = None) -> None:
        self._path = path
        self._join = join
        self._stamp: Any = None
        self._plain = b""
        self._packed = b""
        self._tag = ""

    async def answer(self, request: Request) -> Response:
        """Give the script, compressed for whoever takes it; 304 for whoever has it."""
        self._refresh()
        headers = {"Cache-Control": "no-cache", "ETag": self._tag, "Vary": "Accept-Encoding"}
        if has_tag(request.headers.get("If-None-Match", ""), self._tag):
            return Response(status_code=304, headers=headers)
        body = self._plain
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = self._packed
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type="text/javascript", headers=headers)

    def _refresh(self) -> None:
        files = sorted(self._path.parent.glob("*.js"))
        stamp = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files]
        if stamp == self._stamp:
            return
        source = (
            joined(self._path, module=self._join == "module")
            if self._join
            else self._path.read_text("utf-8")
        )
        self._plain = lean(source).encode()
        self._packed = gzip.compress(self._plain, 9, mtime=0)
        self._tag = f'"{sha256(self._plain).hexdigest()[:24]}"'
        self._stamp = stamp
