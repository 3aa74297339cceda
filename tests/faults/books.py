"""The book of the campaign in many editions, good and broken, and who edits it while it is live.

Editions differ in the address of their messages, so a message tells which edition it is of. What
the rules remember is the same in all of them, so no edit may lose anything.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.runtime.plan import Plan, plan

LATE_MS: Final = 400
"""How long a page must be without `Pay`."""

RULES: Final = frozenset({"Once", "Thrice", "Late"})
"""The strategies of the book. What they must send can be counted from the events alone."""

_TEXT: Final = """
event Add "A product was put in the cart"
event Browse "Something was looked at"
event Pay "The order was paid"

message Hello is gpe.appendContent { url: "/hello/EDITION.html" }

strategy "Once"
  limit 1 per visit
  valid for 1 d
  on Add
    send Hello

strategy "Thrice"
  valid for 1 d
  on 3 times Browse
    send Hello

strategy "Late"
  valid for 1 d
  on PageEntered, then no Pay for LATE ms, per page
    send Hello
"""
_SLIPS: Final = (
    ("send Hello", "send Helo"),
    ("on Add", "on Ad"),
    ("limit 1 per visit", "limit one per visit"),
    ('event Browse "', "event Browse "),
    ("on 3 times Browse", "on 3 tims Browse"),
)
"""What an author types, and what was meant."""


def text_of(edition: int) -> str:
    """The good text of an edition."""
    return _TEXT.replace("EDITION", str(edition)).replace("LATE", str(LATE_MS))


def edition_in(text: str) -> int:
    """The edition that a text is of."""
    return int(text.partition("/hello/")[2].partition(".")[0])


def address_of(edition: int) -> str:
    """The address that all messages of an edition have."""
    return f"/hello/{edition}.html"


class Editor:
    """Saves editions of the book in a folder, and knows every plan that may have been live."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._file = folder / "shop.strategy"
        self._saving = threading.Lock()
        self._edition = 0
        self.plans: dict[str, Plan] = {}
        self.editions: dict[str, int] = {}
        self.saved = 0
        self.good()

    def good(self) -> None:
        """Save a new good edition."""
        with self._saving:
            self._next()

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Save a good edition and no other meanwhile: a server starts on good books only."""
        with self._saving:
            self._next()
            yield

    def broken(self, chance: random.Random) -> None:
        """Save a text with a mistake."""
        with self._saving:
            self._save(text_of(self._edition).replace(*chance.choice(_SLIPS)))

    def edit_until(self, stop: threading.Event, chance: random.Random) -> None:
        """Save good and broken texts in turn, at random times."""
        while not stop.wait(chance.uniform(0.05, 0.4)):
            if chance.random() < 0.6:
                self.good()
            else:
                self.broken(chance)

    def _next(self) -> None:
        self._edition += 1
        text = text_of(self._edition)
        book = compile_book([Source(name=self._file.name, text=text)]).book
        assert book is not None
        self.plans[book.version] = plan(book)
        self.editions[book.version] = self._edition
        self._save(text)

    def _save(self, text: str) -> None:
        self.saved += 1
        if self.saved % 2:
            self._file.write_text(text, "utf-8")
        else:
            new = self._file.with_name(".shop.strategy.tmp")
            new.write_text(text, "utf-8")
            new.replace(self._file)
