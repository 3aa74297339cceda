"""Addresses of pages: their parts, and globs over them.

A glob that begins with ``/`` is about the path, any other about ``host/path``. ``*`` stays within a
segment, ``**`` crosses segments, ``/**`` at the end also matches nothing; case counts, a trailing
slash does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

import re2


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The parts of a URL: lower-case host without user and port, path, and the raw query."""

    host: str | None
    path: str
    query: str

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter, decoded; None when it is not there."""
        for key, value in parse_qsl(self.query, keep_blank_values=True):
            if key == name:
                return value
        return None


@lru_cache(maxsize=4096)
def split(url: str) -> Address:
    """Take a URL (or a path alone) apart. Never raises: what is odd becomes part of the path."""
    rest, _, _ = url.partition("#")
    rest, _, query = rest.partition("?")
    scheme, separator, after = rest.partition("://")
    if not separator or "/" in scheme:
        return Address(host=None, path=rest or "/", query=query)
    authority, slash, path = after.partition("/")
    host = authority.rpartition("@")[2]
    if not host.endswith("]"):
        host = host.partition(":")[0] if host.count(":") == 1 else host
    return Address(host=host.lower(), path=slash + path or "/", query=query)


def trimmed(path: str) -> str:
    """A path or pattern without its trailing slash, which never counts; the root stays."""
    return path.rstrip("/") or "/" if path.startswith("/") else path.rstrip("/")


def glob(pattern: str) -> Callable[[str], bool]:
    """Compile a glob into a test of a URL."""
    about_path = pattern.startswith("/")
    fits = _fitter(trimmed(pattern))

    def test(url: str) -> bool:
        address = split(url)
        if about_path:
            return fits(trimmed(address.path))
        return address.host is not None and fits(trimmed(address.host + address.path))

    return test


def _fitter(pattern: str) -> Callable[[str], bool]:
    stem = pattern.removesuffix("/**")
    if "*" not in stem:
        if stem == pattern:
            return lambda text: text == pattern
        below = stem + "/"
        return lambda text: text == stem or text.startswith(below)
    expression = re2.compile(_expression(pattern))
    return lambda text: expression.fullmatch(text) is not None


def _expression(pattern: str) -> str:
    stem = pattern.removesuffix("/**")
    tail = "" if stem == pattern else "(?:/.*)?"
    parts = []
    for piece in stem.split("**"):
        parts.append("[^/]*".join(re2.escape(bit) for bit in piece.split("*")))
    return "(?s:" + ".*".join(parts) + tail + ")"
