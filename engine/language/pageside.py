"""What a page is told of events: are its selectors, keys and variables what a browser takes?"""

from __future__ import annotations

import re
from typing import Final

from engine.language import syntax
from engine.language.diagnostics import Findings
from engine.language.selectors import fault

_VARIABLE: Final = re.compile(r"[A-Za-z_$][\w$]*(?:\.[\w$]+)*", re.ASCII)
_ATTRIBUTE: Final = re.compile(r"[^\s\"'<>/=\x00-\x1f]+")
_KEY: Final = re.compile(r"\S|[A-Z][A-Za-z0-9]+", re.ASCII)
_SHOWN: Final = 60
"""Characters of a selector that a message repeats."""


def check_page_side(event: syntax.EventDeclaration, findings: Findings) -> None:
    """Note what no page could do of an event's captures and sources."""
    for capture in event.captures:
        if capture.what in ("click", "submit", "key", "visible"):
            _selector(capture.selector, capture.span, findings)
        if capture.what == "key" and not _KEY.fullmatch(capture.key):
            _named(capture.key, "a key", "`Enter`, `Escape` or `a`", capture.span, findings)
    for field in event.fields:
        source = field.source
        if source is None:
            continue
        if source.what == "variable":
            if not _VARIABLE.fullmatch(source.name):
                example = "`dataLayer.cart.total`"
                _named(source.name, "a variable of the page", example, source.span, findings)
            continue
        _selector(source.selector, source.span, findings)
        if source.what == "attribute" and not _ATTRIBUTE.fullmatch(source.name):
            _named(source.name, "an attribute", "`data-price`", source.span, findings)


def _selector(selector: str, span: syntax.Span, findings: Findings) -> None:
    why = fault(selector)
    if why is not None:
        findings.add("P330", span, word=_shown(selector), why=why)


def _named(word: str, what: str, example: str, span: syntax.Span, findings: Findings) -> None:
    findings.add("P331", span, word=_shown(word), what=what, example=example)


def _shown(text: str) -> str:
    """A text on one line and not too long; quotes show one that is empty."""
    line = " ".join(text.split()) or '""'
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 2]}.."
