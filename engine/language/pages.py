"""A page for each code: what it means, why it matters, what not to write and what to write.

The texts are Markdown in ``pages/``, a file for each letter of the codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from textwrap import dedent, fill, indent
from types import MappingProxyType
from typing import Final

from engine.language.codes import CODES
from engine.language.spelling import nearest

GIVEN: Final = """\
event AddToCart
  price number
  name text
event Order
category Checkout is url "/checkout/**"
category Products is url "/products/**"
fact visitor.vip boolean = false
fact visit.stage text
group Invitations
  limit 2 per visit
message Invite is gpe.appendContent { url: "/invite.html" }
hours Office is Mon-Fri 09:00-18:00
"""
"""What the examples of all pages take to be declared in another file of the book."""

_PAGE: Final = re.compile(
    r"^## (?P<code>[A-Z]\d+)\n\n(?P<what>.*?)\n\nWhy: (?P<why>.*?)\n\n"
    r"Instead of:\n\n(?P<instead>.*?)\n\nWrite:\n\n(?P<write>.*?)\n*(?=^## |\Z)",
    re.MULTILINE | re.DOTALL,
)
_WIDTH: Final = 88


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What there is to say of a code. ``instead_of`` gives exactly this code; ``write`` is good."""

    code: str
    title: str
    what: str
    why: str
    instead_of: str
    write: str

    def text(self) -> str:
        """The page as a person reads it."""
        return (
            f"{self.code} {self.title}\n\n{fill(self.what, _WIDTH)}\n\n{fill(self.why, _WIDTH)}\n\n"
            f"Instead of:\n\n{indent(self.instead_of, '    ')}\n"
            f"Write:\n\n{indent(self.write, '    ')}"
        )

    def as_json(self) -> dict[str, str]:
        """The page for machines."""
        names = ("code", "title", "what", "why", "instead_of", "write")
        return {name: getattr(self, name) for name in names}


@cache
def pages() -> Mapping[str, Page]:
    """All pages by their codes, in order."""
    folder = files("engine.language").joinpath("pages")
    texts = sorted(file.read_text("utf-8") for file in folder.iterdir() if file.name[-3:] == ".md")
    found = {
        match["code"]: Page(
            code=match["code"],
            title=title(match["code"]),
            what=match["what"],
            why=match["why"][:1].upper() + match["why"][1:],
            instead_of=dedent(match["instead"]) + "\n",
            write=dedent(match["write"]) + "\n",
        )
        for text in texts
        for match in _PAGE.finditer(text)
    }
    return MappingProxyType(dict(sorted(found.items())))


def title(code: str) -> str:
    """The sentence of a code, with dots where the author's own words go."""
    sentence = re.sub(r"\{\w+\}", "..", CODES[code].message).replace("`..`", "..")
    sentence = sentence.removesuffix(".") if sentence.endswith("...") else sentence
    return sentence[:1].upper() + sentence[1:]


def near_code(word: str) -> str | None:
    """The code that was probably meant by a misspelt one, or None."""
    plain = word.upper().replace("O", "0")
    return plain if plain in CODES else nearest(plain, CODES)
