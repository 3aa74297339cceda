"""Compiling a book: from texts to a checked book and a plan, cold and after one edit."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

from engine.cache import Cache
from engine.language.compiler import Compiler, compile_book
from engine.language.quiet import undisturbed
from engine.language.source import Source
from engine.runtime.plan import plan

ROOT = Path(__file__).parents[2]
RULES_IN_A_FILE = 10

SHARED = """\
event AddToCart "A product was put in the cart"
  price number
  cartTotal number
event Search
  words text
event Order
fact visitor.dislikesChat boolean = false
fact visit.stage text = "looking"
hours Office is Mon-Fri 09:00-18:00 in "Europe/Madrid" except 2026-12-25
category Checkout is url "/checkout/**"
category Products is url "/products/**" or title has "Phone"
group Invitations "Everything that interrupts a visitor"
  one at a time
  limit 2 per visit
  limit 1 in 30 min
message Invite(address) is gpe.appendContent { url: address }
"""

PATTERNS = (
    "PageEntered in Checkout, stays {n} s",
    "Search, then PageEntered in Products, then AddToCart, within {n} min",
    "all of (Search, AddToCart, SignIn), within {n} min",
    "{n} times PageEntered in Products, within 10 min",
    "AddToCart where event.price > {n}, then no PageEntered in Checkout for 2 min",
)
"""The rule templates that analysts know, in turn."""


def sources(rules: int) -> list[Source]:
    """A book of so many strategies of one rule, ten in a file, and a file that they share."""
    found = [Source(name="shared.strategy", text=SHARED)]
    for number in range(0, rules, RULES_IN_A_FILE):
        several = range(number, min(number + RULES_IN_A_FILE, rules))
        text = "\n".join(_strategy(n) for n in several)
        found.append(Source(name=f"file{number // RULES_IN_A_FILE:05}.strategy", text=text))
    return found


def _strategy(number: int) -> str:
    behaviour = PATTERNS[number % len(PATTERNS)].format(n=number % 50 + 5)
    return f"""\
strategy "Rule {number:05}"
  description "One of many, so that a book is as large as it gets."
  group Invitations
  priority {number % 100}
  hours Office
  on {behaviour}
    when latest(AddToCart.cartTotal, this visit) >= {number % 400 + 1}
      and count(PageEntered in Products, last 20 min) >= {number % 7 + 1}
      and not visitor.dislikesChat
    unless visit.stage = "bought {number}" or event.path ends with ".pdf"
    send Invite("/invite{number}.html")
    attach {{ reason: "rule {number}", stage: visit.stage }}
    set visit.stage = "invited {number}"
"""


def _edited(texts: Sequence[Source], place: int, round_: int) -> list[Source]:
    old = texts[place]
    text = old.text.replace("priority ", f"priority {round_}", 1)
    return [*texts[:place], Source(name=old.name, text=text), *texts[place + 1 :]]


def cold(rules: int = 1_000) -> dict[str, float]:
    """Seconds from the texts to a checked book, and to its plan, beside the size of the text."""
    return _loaded(sources(rules), None)


def kept(rules: int = 10_000) -> dict[str, float]:
    """The same with a cache: by the run that fills it, and by the next one."""
    texts = sources(rules)
    with tempfile.TemporaryDirectory() as folder:
        filling = _loaded(texts, Cache(Path(folder) / "cache"))
        found = _loaded(texts, Cache(Path(folder) / "cache"))
    return found | {"book s, filling it": filling["book s"]}


def _loaded(texts: Sequence[Source], cache: Cache | None) -> dict[str, float]:
    gc.collect()
    with undisturbed():  # as a server starts
        begun = time.perf_counter()
        compiled = compile_book(texts, cache)
        checked = time.perf_counter()
        assert compiled.book is not None, compiled.diagnostics[:3]
        rules = len(plan(compiled.book).rules)
        done = time.perf_counter()
    return {
        "rules": rules,
        "kB of text": sum(len(source.text) for source in texts) / 1024,
        "book s": checked - begun,
        "plan s": done - checked,
    }


def start() -> dict[str, float]:
    """Seconds of a new process from nothing to a checked book of two lines."""
    program = (
        "from engine.language.compiler import compile_book\n"
        "from engine.language.source import Source\n"
        "compile_book([Source(name='a.strategy', text='event A\\n')])\n"
    )
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
    return {"seconds": time.perf_counter() - begun}


def one_edit(rules: int = 1_000, edits: int = 9) -> dict[str, float]:
    """Milliseconds from one changed file of many to a checked book, and on to its plan."""
    texts = sources(rules)
    compiler = Compiler()
    book = compiler.compile(texts).book
    assert book is not None
    live = plan(book)
    times, planned = [], []
    gc.collect()
    gc.freeze()  # as in a server: what was there at the start is not looked through again
    try:
        for round_ in range(1, edits + 1):
            texts = _edited(texts, len(texts) * round_ // (edits + 1), round_)
            begun = time.perf_counter()
            compiled = compiler.compile(texts)
            times.append((time.perf_counter() - begun) * 1000)
            assert compiled.book is not None
            live = plan(compiled.book, before=live)
            planned.append((time.perf_counter() - begun) * 1000)
    finally:
        gc.unfreeze()
    middle = edits // 2
    return {
        "files": len(texts),
        "median ms": sorted(times)[middle],
        "worst ms": max(times),
        "median ms with plan": sorted(planned)[middle],
    }


def memory(rules: int = 1_000) -> dict[str, float]:
    """Kilobytes that a rule costs: its tree and its plan."""
    texts = sources(rules)
    compile_book(texts[:2])  # what the language itself costs, once
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        book = compile_book(texts).book
        assert book is not None
        tree = tracemalloc.get_traced_memory()[0]
        made = plan(book)
        planned = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(made.rules) == rules
    return {
        "kB of text/rule": sum(len(source.text) for source in texts) / 1024 / rules,
        "kB of tree/rule": (tree - before) / 1024 / rules,
        "kB of plan/rule": (planned - tree) / 1024 / rules,
    }
