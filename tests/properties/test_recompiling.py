"""A compiler with a memory says exactly what a new one says, whatever is edited before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.language.compiler import Compiler, compile_book
from engine.language.source import Source

FILES = {
    "words.strategy": """\
event AddToCart "A product"
  price number
  cart.total number
event Search
  words text
fact visitor.vip boolean = false from UserInfo
fact visit.stage text = "looking"
hours Office is Mon-Fri 09:00-18:00
category Checkout is url "/checkout/**"
group Invitations "All"
  limit 2 per visit
message Invite(address) is gpe.appendContent { url: address }
channel shop.banner { html: text, seconds: number }
medium video "With picture"
""",
    "one.strategy": """\
strategy "First one"
  group Invitations
  hours Office
  on AddToCart in Checkout where event.price > 10
    when latest(AddToCart.cart.total, this visit) > 5 and not visitor.vip
    send Invite("/a.html")
    set visit.stage = "asked"
strategy "Second one"
  on any event where event.words has "phone"
    when agents.ready("video") > 0
    send shop.banner { html: "x", seconds: 3 }
""",
    "two.strategy": """\
table "Rows" for strategy "First one"
  on PageEntered in ? | when visit.pages | send
  Checkout            | >= 3             | Invite("/t.html")
guarantee "Never twice" never (2 times sent Invitations, within 30 min)
guarantee "Never after" never (sent "Second one", then sent Invite)
scenario "A story"
  given visitor.vip = true
  enters "/checkout/basket"
  AddToCart { price: 12 }
  expect refused "First one" because when
  expect visit.stage = "looking"
""",
    "three.strategy": """\
strategy "Third"
  on all of (Search, AddToCart)
    when event.price is known and event in (Checkout)
    unless now in Office
    send Invite("/\\u0061.html")
""",
}
TOKENS = sorted({*re.findall(r'"[^"\n]*"|[\w.]+|\S', "\n".join(FILES.values())), "\n", "Search2"})
NAMES = sorted(FILES)

Edit = tuple[str, str, int, str]
edits = st.tuples(
    st.sampled_from(("token", "token", "line", "rename", "drop", "restore", "twice", "move")),
    st.sampled_from(NAMES),
    st.integers(0, 200),
    st.sampled_from(TOKENS),
)


def _applied(texts: dict[str, str], edit: Edit) -> dict[str, str]:
    what, name, place, word = edit
    text = texts.get(name, "")
    if what == "drop":
        return {other: kept for other, kept in texts.items() if other != name}
    if what == "restore":
        return texts | {name: FILES[name]}
    if what == "twice":
        return texts | {name: text + text}
    if what == "move":
        return texts | {name: "# moved\n" + text}
    if what == "line":
        lines = text.splitlines(keepends=True)
        return texts | {name: "".join(lines[: place % 20] + lines[place % 20 + 1 :])}
    found = list(re.finditer(r'"[^"\n]*"|[\w.]+|\S', text))
    if not found:
        return texts
    match = found[place % len(found)]
    if what == "rename":  # in this file alone: the others still use the old name
        return texts | {name: text.replace(match.group(), word)}
    return texts | {name: text[: match.start()] + word + text[match.end() :]}


def histories(several: list[Edit]) -> Iterator[list[Source]]:
    """The files at first, and after each edit."""
    texts = dict(FILES)
    yield [Source(name=name, text=text) for name, text in texts.items()]
    for edit in several:
        texts = _applied(texts, edit)
        yield [Source(name=name, text=text) for name, text in texts.items()]


@settings(max_examples=150, deadline=None)
@given(st.lists(edits, min_size=1, max_size=6))
@example([("drop", "words.strategy", 0, "is"), ("restore", "words.strategy", 0, "is")])
@example([("rename", "words.strategy", 6, "Search2"), ("restore", "words.strategy", 0, "is")])
@example([("line", "one.strategy", 0, "is"), ("restore", "one.strategy", 0, "is")])
def test_a_memory_changes_nothing(several: list[Edit]) -> None:
    compiler = Compiler()
    for sources in histories(several):
        remembered, fresh = compiler.compile(sources), compile_book(sources)
        assert remembered.diagnostics == fresh.diagnostics
        assert remembered.book == fresh.book


def test_the_first_book_is_good() -> None:
    sources = next(histories([]))
    assert compile_book(sources).diagnostics == ()


def test_what_did_not_change_is_not_read_again() -> None:
    compiler = Compiler()
    sources = next(histories([]))
    before, after = compiler.compile(sources).book, compiler.compile(sources).book
    assert before == after
    assert before is not None
    assert after is not None
    assert before.strategies["Third"] is after.strategies["Third"]
