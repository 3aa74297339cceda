"""A small book for the tests of hosts, and a bench that moves one document through time."""

from __future__ import annotations

import copy
from typing import Any

from engine.hosts.contract import Advance, Document, Input, Message
from engine.hosts.document import EngagementCore, outbox_after
from engine.language.compiler import compile_book
from engine.language.source import Source
from engine.language.syntax import Book
from engine.runtime.library import Library
from engine.runtime.plan import plan

BOOK = """
event AddToCart "A product was put in the cart"
event Pay "The order was paid"
event Ask "The visitor asked for help"

message Hello is gpe.appendContent { url: "/frontend/resources/invite.html" }
message Note is gpe.appendContent { url: "/note.html" }

strategy "Cart"
  limit 1 per visit
  on AddToCart
    send Hello

strategy "Help"
  on Ask
    send Note
    send Note

strategy "Patience"
  limit 1 per visit
  on AddToCart, then no Pay for 30 s
    when agents.ready("chat") > 0
    send Note
  on Pay
    send Note
"""

HELLO = (
    '[{"page": "P", "channel": "gpe.appendContent",'
    ' "data": {"url": "/frontend/resources/invite.html"}}]'
)


def written_book(text: str = BOOK) -> Book:
    """The book of one file."""
    compiled = compile_book([Source(name="book.strategy", text=text)])
    assert compiled.book is not None, compiled.diagnostics
    return compiled.book


def library_of(text: str = BOOK) -> Library:
    """A library with the book of one file."""
    return Library(plan(written_book(text)))


class Bench:
    """One visitor ``G`` with visit ``V``: says inputs, checks that each advance is pure."""

    def __init__(self, text: str = BOOK) -> None:
        self.library = library_of(text)
        self.core = EngagementCore(self.library, lambda: {"chat": 1})
        self.document: Document | None = None
        self.epoch = 1
        self.last: Advance | None = None

    def input(
        self, kind: str, time: int, body: dict[str, Any], name: str | None = None, visit: str = "V"
    ) -> Input:
        return Input(
            kind=kind,
            visit=visit,
            time=time,
            version=self.library.live.version,
            id=name,
            body=body,
            epoch=self.epoch,
        )

    def apply(self, *inputs: Input) -> Advance:
        before = copy.deepcopy(self.document)
        advance = self.core.advance("G", self.document, inputs)
        assert self.document == before, "a document is never changed in place"
        assert self.core.advance("G", self.document, inputs) == advance, "same in, same out"
        if advance.document is not None:
            raw = self.core.encode(advance.document)
            self.document = self.core.decode(raw)
            assert self.core.encode(self.document) == raw, "what is stored keeps all of it"
        else:
            self.document = None
        self.last = advance
        return advance

    def event(
        self,
        name: str,
        time: int,
        page: str | None = "P",
        *,
        key: str | None = None,
        visit: str = "V",
    ) -> Advance:
        body = {"eventName": name, "visitID": visit, "data": {}, "agents": {"chat": 1}}
        if page is not None:
            body["pageID"] = page
        return self.apply(self.input("event", time, body, key, visit))

    def connect(self, time: int, page: str | None = "P", name: str = "c") -> Advance:
        return self.apply(self.input("connected", time, {"page": page, "connection": name}))

    def disconnect(self, time: int, page: str | None = "P", name: str = "c") -> Advance:
        return self.apply(self.input("disconnected", time, {"page": page, "connection": name}))

    def acknowledge(self, time: int, offset: int, page: str | None = "P") -> Advance:
        return self.apply(self.input("acknowledged", time, {"page": page, "offset": offset}))

    def push(self, time: int, *pages: str | None) -> Advance:
        wires = [{"page": page, "channel": "c", "data": {"n": n}} for n, page in enumerate(pages)]
        return self.apply(self.input("pushed", time, {"notifications": wires}))

    def wake(self, time: int) -> Advance:
        return self.apply(self.core.woken(time))

    def waiting(self, page: str | None = "P", offset: int = 0) -> list[Message]:
        assert self.document is not None
        return outbox_after(self.document, "V", page, offset)

    def reasons(self) -> list[tuple[str, str | None]]:
        """Strategy and reason of the decisions of the last advance."""
        assert self.last is not None
        return [
            (one["strategy"], one["reason"]) for line in self.last.decisions for one in line or ()
        ]
