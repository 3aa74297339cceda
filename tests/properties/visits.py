"""Random visits that hit a given book: its own words, its constants plus and minus one, its
windows plus and minus a millisecond.

A story is a list of flat steps; a step is one tuple, harmless choices first, so that Hypothesis
shrinks to a story that a person can read. What refers to earlier sends (answers, expiries) is
resolved when the story is told, by `Teller`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from properties.books import pick
from reference_conditions import Entry, fits

from engine.language.syntax import Absent, Atom, Book, Constant, Limit, Pattern, Times, Window
from engine.runtime.outcome import Batch
from engine.vocabulary.events import Event, Expiry, Moment, Tick
from engine.vocabulary.kinds import NUMBER

START = 1_800_000_000_000
"""A round time to begin at, in milliseconds since 1970."""

DAY = 86_400_000

Data = tuple[tuple[str, Any], ...]


class Happening(NamedTuple):
    """One kind of event: fused name, address, title and data."""

    name: str
    url: str | None = None
    title: str | None = None
    data: Data = ()
    category: str | None = None


class Step(NamedTuple):
    """`gap` ms after the step before (or before it: late events), `what` happens.

    `what` is a Happening, or `tick`, `expire`, `expire all`. `place` is visit and page.
    `agents` are the free agents for chat; None: nothing is known of them.
    """

    gap: int
    what: Happening | str
    place: tuple[str, str | None] = ("V1", "P1")
    agents: int | None = 1


PLACES: tuple[tuple[str, str | None], ...] = (
    ("V1", "P1"),
    ("V1", "P2"),
    ("V2", "P1"),
    ("V1", None),
)
LOOKS: tuple[tuple[str | None, str | None], ...] = (
    ("/checkout/basket", None),
    ("https://shop.example/products/phone?utm=red", "Phone"),
    ("https://shop.example/checkout/", "Phone"),
    ("/", ""),
    (None, None),
)
LAST, FIRST = "<the last send>", "<the first send>"
"""In the data of an answer: replaced by the id of a send when the story is told."""

_ANSWERS: tuple[Data, ...] = (
    (),
    (("id", LAST),),
    (("id", FIRST),),
    (("group", "Invitations"),),
    (("strategy", "Beta"),),
    (("message", "AskGms"), ("id", 7)),
    (("id", LAST), ("strategy", "Beta")),
    (("id", "unknown"),),
)

# ------------------------------------------------ the book's own words


def nodes(tree: Any) -> Iterator[Any]:
    """Every node of a tree, whatever its kind, in the order written."""
    if dataclasses.is_dataclass(tree):
        yield tree
        for field in dataclasses.fields(tree):
            yield from nodes(getattr(tree, field.name))
    elif isinstance(tree, dict):
        yield from nodes(tuple(tree.values()))
    elif isinstance(tree, tuple):
        for item in tree:
            yield from nodes(item)


def windows(book: Book) -> list[int]:
    """Every duration that the book mentions, and those of the language (30 s, 24 h)."""
    found = {30_000: None, DAY: None}
    for node in nodes(tuple(book.strategies.values()) + tuple(book.groups.values())):
        match node:
            case Absent(duration=duration) | Window(duration=duration) if duration:
                found[duration] = None
            case Limit(duration=int() as duration) | Pattern(within=int() as duration):
                found[duration] = None
            case Constant(kind=kind, value=int() as duration) if kind.word == "duration":
                found[duration] = None
    return list(found)


def gaps(book: Book) -> list[int]:
    """Nothing, a little, the book's windows at -1, 0 and +1 ms; sometimes time goes back."""
    edges = [window + edge for window in windows(book) for edge in (0, -1, 1)]
    return [0, 1, 500, *edges, -1, -2000]


def values(book: Book) -> list[float]:
    """Every number that the book mentions, and its neighbours."""
    found: dict[float, None] = {}
    for node in nodes(book.strategies):
        if isinstance(node, Constant) and node.kind == NUMBER:
            found |= dict.fromkeys((node.value, node.value + 1, node.value - 1))  # type: ignore[operator]
    return list(found)[:6] or [1]


def happenings(book: Book) -> list[Happening]:
    """What can happen: the events of the language and of the book with all their looks."""
    prices: list[Any] = [100, *values(book), "dear", None]
    carts: list[Data] = [(("price", price), ("item", "red")) for price in prices]
    carts += [(), (("item", 3), ("gift", True)), (("item", "Phone"), ("gift", "yes"))]
    searches: list[Data] = [(("word", "red"), ("shop", {"price": price})) for price in prices]
    searches += [(("word", None), ("shop", 5)), (("shop.price", 2),)]
    persons: list[Data] = [(("vip", True),), (("vip", False),), (("vip", "yes"),), ()]
    found = [
        Happening(name, url, title)
        for name in ("PageEntered", "PageExited", "Noise", "VisitStarted")
        for url, title in LOOKS
    ]
    found.append(Happening("PageEntered", *LOOKS[1], category="Phone;red"))
    url, title = LOOKS[0]
    found += [Happening("Cart", url, title, data) for data in carts]
    found += [Happening("Cart", *look, carts[0]) for look in LOOKS]
    found += [Happening("Search", url, title, data) for data in searches]
    found += [Happening(name, url, title, d) for name in ("UserInfo", "SignIn") for d in persons]
    found += [Happening("SignOut", url, title)]
    found += [
        Happening(name, url, title, data)
        for name in ("InvitationRejected", "InvitationShown", "InvitationAccepted")
        for data in _ANSWERS
    ]
    return found


# ------------------------------------------------ stories


class Words:
    """What the steps of a story under one book draw from."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.rules = [rule for told in book.strategies.values() for rule in told.rules]
        self.gaps = gaps(book)
        self.happenings = happenings(book)
        self._fitting: dict[Atom, list[Happening]] = {}
        # What the book speaks of comes more often than what it does not.
        asked = [node.name for node in nodes(book.strategies) if isinstance(node, Atom)]
        known = list(dict.fromkeys(happening.name for happening in self.happenings))
        self.names = [*known, *(name for name in asked if name in known), *OTHERS]

    def fitting(self, atom: Atom) -> list[Happening]:
        """The happenings that the atom waits for; all of its name when none is seen to fit."""
        if atom not in self._fitting:
            found = [happening for happening in self.happenings if self._fits(atom, happening)]
            alike = [happening for happening in self.happenings if happening.name == atom.name]
            self._fitting[atom] = found or alike or self.happenings
        return self._fitting[atom]

    def _fits(self, atom: Atom, happening: Happening) -> bool:
        entry = Entry(place=0, time=0, event=event_of(happening, agents=1))
        return fits(atom, entry, self.book)


OTHERS = ("tick", "expire", "expire all")
AGENTS = (1, 0, None)


def single(draw: DrawFn, words: Words) -> list[Step]:
    """One step of any kind."""
    name = pick(draw, words.names)
    options = [happening for happening in words.happenings if happening.name == name]
    what = pick(draw, options) if options else name
    place, agents = pick(draw, PLACES), pick(draw, AGENTS)
    return [Step(gap=pick(draw, words.gaps), what=what, place=place, agents=agents)]


def fragment(draw: DrawFn, words: Words) -> list[Step]:
    """The events that complete one rule's pattern, with its own gaps between them."""
    place = pick(draw, PLACES)
    told: list[Step] = []
    for part in pick(draw, words.rules).pattern.parts:
        if isinstance(part, Absent):
            gap = part.duration + pick(draw, (0, -1, 1))
            told.append(Step(gap=gap, what="tick", place=place))
            continue
        atom = part.atom if isinstance(part, Times) else part
        if atom.what == "sent":
            continue
        for _ in range(part.count if isinstance(part, Times) else 1):
            gap = pick(draw, (1, 0, None))
            told.append(
                Step(
                    gap=pick(draw, words.gaps) if gap is None else gap,
                    what=pick(draw, words.fitting(atom)),
                    place=place,
                    agents=pick(draw, (1, 1, 1, 0)),
                )
            )
    return told


@st.composite
def pieces(draw: DrawFn, words: Words) -> list[Step]:
    """A fragment mostly, or a single step."""
    tell = pick(draw, (single, fragment, fragment))
    return tell(draw, words)


@st.composite
def stories(draw: DrawFn, book: Book, *, longest: int = 12) -> list[Step]:
    """A visit, or several of one visitor: single steps and whole fragments, glued."""
    size = pick(draw, (3, 6, longest))
    told = draw(st.lists(pieces(Words(book)), min_size=size // 2, max_size=size))
    return [step for piece in told for step in piece]


# ------------------------------------------------ telling


def event_of(
    happening: Happening,
    *,
    time: int = 0,
    place: tuple[str, str | None] = PLACES[0],
    agents: int | None = None,
    sent: Sequence[str] = (),
) -> Event:
    """The event of a happening; ids of sends in its data are those of `sent`."""
    ends = {LAST: sent[-1], FIRST: sent[0]} if sent else {}
    data = {key: ends.get(raw, raw) if isinstance(raw, str) else raw for key, raw in happening.data}
    return Event(
        name=happening.name,
        time=time,
        visitor="W",
        visit=place[0],
        page=place[1],
        url=happening.url,
        title=happening.title,
        category=happening.category,
        data=data,
        agents={} if agents is None else {"chat": agents},
    )


class Teller:
    """Turns steps into moments; knows the clock and, from `heard`, what has been sent."""

    def __init__(self) -> None:
        self.clock = START
        self.sent: list[str] = []

    def tell(self, step: Step) -> Moment:
        """The next moment. Time may go back by the gap; the engine must not."""
        self.clock += step.gap
        match step.what:
            case Happening() as happening:
                return event_of(
                    happening,
                    time=self.clock,
                    place=step.place,
                    agents=step.agents,
                    sent=self.sent,
                )
            case "expire":
                return Expiry(time=self.clock, sends=tuple(self.sent[-1:]))
            case "expire all":
                return Expiry(time=self.clock, sends=(*self.sent[-3:], "unknown"))
        return Tick(time=self.clock, agents={} if step.agents is None else {"chat": step.agents})

    def heard(self, batches: Sequence[Batch]) -> None:
        """Remember what was sent, so that later steps can answer it or let it expire."""
        self.sent += [send.id for batch in batches for send in batch.sends]
