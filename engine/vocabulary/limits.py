"""How large what a browser sends may be: the door refuses more, and memory is counted with it."""

from __future__ import annotations

from typing import Final

EVENT: Final = 32 * 1024
"""Bytes of one event as JSON in UTF-8: what a pattern may have to remember of it."""

ID: Final = 64
"""Letters of an id of a visit, visitor or page, of which each is one byte."""

# Characters, of which each may be several bytes.
WORD: Final = 128
URL: Final = 8_192
TITLE: Final = 4_096
CATEGORY: Final = 4_096
LANGUAGE: Final = 64
