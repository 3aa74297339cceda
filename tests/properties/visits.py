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
from properties.books import atoms_of
from properties.words import pick
from reference_calendar import midnight
from reference_conditions import Entry, fits

from engine.language.syntax import (
    Absent,
    Active,
    Aggregate,
    AllOf,
    AnyOf,
    Atom,
    Book,
    Clock,
    Constant,
    EventDeclaration,
    Glob,
    Hours,
    Limit,
    Part,
    Pattern,
    Strategy,
    Times,
    Window,
)
from engine.runtime.outcome import Batch
from engine.vocabulary.events import Event, Expiry, Moment, Tick
from engine.vocabulary.kinds import NUMBER, TIME

START = 1_800_000_000_000
"""A round time to begin at, in milliseconds since 1970."""

DAY = 86_400_000

Data = tuple[tuple[str, Any], ...]


Place = tuple[str, str | None]
"""A visit and a page."""


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
    `agents` are the free agents for chat; None: nothing is known of them. With 1 pacing admits one
    more offer, with 0 it does not, just so.
    """

    gap: int
    what: Happening | str
    place: Place = ("V1", "P1")
    agents: int | None = 1


PLACES: tuple[Place, ...] = (
    ("V1", "P1"),
    ("V1", "P2"),
    ("V2", "P1"),
    ("V1", None),
)
Look = tuple[str | None, str | None]
"""An address and a title."""

LOOKS: tuple[Look, ...] = (
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
    """Every duration that the book mentions, and at the end those of the language: 30 s, 24 h."""
    found: list[int] = []
    parts = (book.strategies, book.groups, book.guarantees)
    for node in nodes(parts):
        match node:
            case Strategy(valid_for=duration):
                found.append(duration)
            case Absent(duration=duration) | Window(duration=duration) if duration:
                found.append(duration)
            case Limit(duration=int() as duration) | Pattern(within=int() as duration):
                found.append(duration)
            case Constant(kind=kind, value=int() as duration) if kind.word == "duration":
                found.append(duration)
    return [*dict.fromkeys(found), 30_000, DAY]


DST = ("2027-03-28", "2027-10-31")
"""Days of 23 and 25 hours in Madrid."""


def instants(book: Book) -> list[int]:
    """When the calendar changes something for the book: ms after the start of a story."""
    said = list(nodes((book.strategies, book.guarantees)))
    asked = {node.hours for node in said if hasattr(node, "hours")}
    found: list[int] = []
    for hours in (told for name, told in book.hours.items() if name in asked):
        found += _openings(hours, book)
    for node in said:
        match node:
            case Active(since=since, until=until):
                found += [midnight(day, book.zone) for day in (since, until) if day]
                found += [midnight(until, book.zone) + DAY] if until else []
            case Constant(kind=kind, value=str(day)) if kind == TIME:
                found.append(midnight(day, book.zone))
            case Clock(what="weekday"):
                found += [midnight(day, book.zone) for day in ("2027-01-16", "2027-01-17")]
    return [time - START for time in dict.fromkeys(found) if time >= START]


def _openings(hours: Hours, book: Book) -> list[int]:
    """Each opening and closing of some days, as if every day had 24 hours, and the next hour."""
    days = ("2027-01-15", "2027-01-16", "2027-01-18", *DST)
    midnights = [midnight(day, hours.zone or book.zone) for day in days]
    minutes = {minute for opening in hours.open for minute in (opening.start, opening.end)}
    return [
        day + (minute + more) * 60_000
        for day in midnights
        for minute in minutes
        for more in (0, 60)
    ]


def values(book: Book) -> list[float]:
    """Every number that the book mentions, and its neighbours."""
    found: dict[float, None] = {}
    for node in nodes(book.strategies):
        if isinstance(node, Constant) and node.kind == NUMBER:
            found |= dict.fromkeys((node.value, node.value + 1, node.value - 1))  # type: ignore[operator]
    return list(found)[:6] or [1]


def texts(book: Book) -> list[str]:
    """Every text that a rule compares with."""
    found = [node.value for node in nodes(book.strategies) if isinstance(node, Constant)]
    return [text for text in dict.fromkeys(found) if isinstance(text, str)][:4] or ["red"]


def looks(book: Book) -> list[Look]:
    """Addresses that the globs of the book mean, and some others; with and without title."""
    globs = [node.pattern for node in nodes(book.categories) if isinstance(node, Glob)]
    meant = [glob.replace("**", "a/b").replace("*", "a") for glob in globs]
    whole = [address if address.startswith("/") else f"https://{address}" for address in meant]
    return list(dict.fromkeys([*((address, None) for address in whole), *LOOKS]))


def _nested(path: tuple[str, ...], raw: Any) -> tuple[str, Any]:
    for name in reversed(path[1:]):
        raw = {name: raw}
    return path[0], raw


def data_of(event: EventDeclaration, book: Book) -> list[Data]:
    """Data of a declared event: the book's values at their edges, wrong kinds, and nothing."""
    numbers: list[Any] = [100, *values(book)]
    words: list[Any] = texts(book)
    found: list[Data] = []
    for k in range(max(len(numbers), len(words))):
        right = {"number": numbers[k % len(numbers)], "text": words[k % len(words)]}
        right["boolean"] = k % 2 == 0
        found.append(tuple(_nested(f.path, right.get(f.kind.word, 7)) for f in event.fields))
    wrong = tuple(_nested(f.path, 5 if f.kind.word == "text" else "dear") for f in event.fields)
    return [*found, wrong, (), tuple((".".join(f.path), 2) for f in event.fields)]


PERSONS: tuple[Data, ...] = ((("vip", True),), (("vip", False),), (("vip", "yes"),), ())


def happenings(book: Book) -> list[Happening]:
    """What can happen: the events of the language and of the book with all their looks."""
    seen = looks(book)
    found = [
        Happening(name, url, title)
        for name in ("PageEntered", "PageExited", "Noise", "VisitStarted")
        for url, title in seen
    ]
    url, title = seen[0]
    priced = (("price", 100),)
    found.append(Happening("PageEntered", *LOOKS[1], priced, category="Phone;red"))
    found += [Happening(name, url, title, priced) for name in ("PageExited", "Noise")]
    for event in book.events.values():
        told = data_of(event, book)
        found += [Happening(event.name, url, title, data) for data in told]
        found += [Happening(event.name, *look, told[0]) for look in seen]
    found += [Happening(name, url, title, d) for name in ("UserInfo", "SignIn") for d in PERSONS]
    found += [Happening("SignOut", url, title)]
    answers = ("InvitationRejected", "InvitationShown", "InvitationAccepted")
    return found + [Happening(name, url, title, data) for name in answers for data in _ANSWERS]


# ------------------------------------------------ stories


class Gap(NamedTuple):
    """A step is `window + edge` ms after the one `back` steps before it (0: the one before)."""

    back: int
    window: int
    edge: int


class Words:
    """What the steps of a story under one book draw from."""

    def __init__(self, book: Book) -> None:
        self.book = book
        rules = [rule for told in book.strategies.values() for rule in told.rules]
        guarded = [told.pattern for told in book.guarantees.values()]
        self.behaviours = [(rule.pattern, tuple(nodes(rule))) for rule in rules]
        self.behaviours += [(pattern, ()) for pattern in guarded]
        self.instants = instants(book)
        self.windows = windows(book)
        self.happenings = happenings(book)
        self._fitting: dict[Atom, list[Happening]] = {}
        # What the book speaks of comes more often than what it does not.
        asked = [
            node.name
            for node in nodes((book.strategies, book.guarantees))
            if isinstance(node, Atom)
        ]
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
EDGES = (0, -1, 1)

Told = tuple[int | Gap, Happening | str, Place, int | None]
"""A step whose gap is not yet counted out."""


def _gap(draw: DrawFn, words: Words) -> int | Gap:
    """Nothing, a little, back in time, or a window or date of the book at -1, 0 and +1 ms."""
    dated = ("date", "date") if words.instants else ()
    match pick(draw, ("little", "window", "window", "late", *dated)):
        case "date":
            return Gap(back=START, window=pick(draw, words.instants), edge=pick(draw, EDGES))
        case "window":
            back = pick(draw, (0, 0, 1, 2, 3))
            return Gap(back=back, window=pick(draw, words.windows), edge=pick(draw, EDGES))
        case "late":
            return pick(draw, (-1, -2000))
    return pick(draw, (1, 0, 500))


def single(draw: DrawFn, words: Words) -> list[Told]:
    """One step of any kind."""
    name = pick(draw, words.names)
    options = [happening for happening in words.happenings if happening.name == name]
    what = pick(draw, options) if options else name
    return [(_gap(draw, words), what, pick(draw, PLACES), pick(draw, AGENTS))]


def silence(draw: DrawFn, words: Words, part: Absent, place: Place) -> list[Told]:
    """Its time passes; perhaps what must not happen happens near its end, here or elsewhere."""
    if draw(st.booleans()):
        return [(part.duration + pick(draw, EDGES), "tick", place, pick(draw, (1, 0)))]
    what, there = pick(draw, words.fitting(part.atom)), pick(draw, (place, *PLACES))
    return [(part.duration + pick(draw, EDGES), what, there, 1), (2, "tick", place, 1)]


def _awaited(draw: DrawFn, part: Part) -> Sequence[Atom]:
    """The atoms that have to happen, in an order that completes the part."""
    atoms = atoms_of(part)
    match part:
        case Times(count=count):
            return atoms * count
        case AllOf():
            return pick(draw, (atoms, atoms[::-1]))
        case AnyOf():
            return (pick(draw, atoms),)
    return atoms


def completion(draw: DrawFn, words: Words, pattern: Pattern, place: Place) -> list[Told]:
    """The events that complete a pattern, with its own windows between them."""
    told: list[Told] = []
    for part in pattern.parts:
        if isinstance(part, Absent):
            told += silence(draw, words, part, place)
            continue
        for atom in _awaited(draw, part):
            if atom.what == "sent":
                continue
            gap = pick(draw, (1, 0, 1, None))
            what = pick(draw, words.fitting(atom))
            agents = pick(draw, (1, 1, 1, 0))
            told.append((_gap(draw, words) if gap is None else gap, what, place, agents))
    within = pattern.within
    if within is not None and len(told) > 1 and draw(st.booleans()):
        told[-1] = (Gap(len(told) - 2, within, pick(draw, EDGES)), *told[-1][1:])
    return told


def _delayed(draw: DrawFn, words: Words, told: list[Told]) -> list[Told]:
    """The same, but its last step is a window of the book after the step before the first."""
    window = pick(draw, words.windows)
    delay = Gap(back=max(0, len(told) - 1), window=window, edge=pick(draw, EDGES))
    return [*told[:-1], (delay, *told[-1][1:])] if told else []


BETWEEN = ("nothing", "InvitationShown", "InvitationRejected", "PageExited", "expire", "SignIn")


def fragment(draw: DrawFn, words: Words) -> list[Told]:
    """A rule completed; perhaps before it what its guards count, perhaps after it once more."""
    (pattern, said), place = pick(draw, words.behaviours), pick(draw, PLACES)
    told = completion(draw, words, pattern, place)
    counted = [
        node.atom for node in said if isinstance(node, Aggregate) and node.atom.what != "sent"
    ]
    if counted and draw(st.booleans()):
        what = pick(draw, words.fitting(pick(draw, counted)))
        told = [(1, what, place, 1), *_delayed(draw, words, told)]
    if draw(st.booleans()):
        name = pick(draw, BETWEEN)
        options = [happening for happening in words.happenings if happening.name == name]
        if name != "nothing":
            told.append((1, pick(draw, options) if options else name, place, 1))
        again = completion(draw, words, pattern, pick(draw, (place, place, *PLACES)))
        told += _delayed(draw, words, again)
    return told


@st.composite
def pieces(draw: DrawFn, words: Words) -> list[Told]:
    """A fragment mostly, or a single step."""
    tell = pick(draw, (single, fragment, fragment, fragment))
    return tell(draw, words)


@st.composite
def stories(draw: DrawFn, book: Book, *, longest: int = 8) -> list[Step]:
    """A visit, or several of one visitor: single steps and whole fragments, glued."""
    size = pick(draw, (3, 5, longest))
    told = draw(st.lists(pieces(Words(book)), min_size=size // 2, max_size=size))
    return counted_out([step for piece in told for step in piece])


def counted_out(told: Sequence[Told]) -> list[Step]:
    """Every gap in milliseconds after the step before."""
    steps: list[Step] = []
    times = [0]
    for gap, what, place, agents in told:
        if isinstance(gap, Gap):
            anchor = times[max(0, len(times) - 1 - gap.back)]
            gap = max(0, anchor + gap.window + gap.edge - times[-1])
        steps.append(Step(gap=gap, what=what, place=place, agents=agents))
        times.append(times[-1] + gap)
    return steps


# ------------------------------------------------ telling


def event_of(
    happening: Happening,
    *,
    time: int = 0,
    place: Place = PLACES[0],
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
        **outside(agents),
    )


def outside(agents: int | None) -> dict[str, Any]:
    """What came from outside with a moment."""
    if agents is None:
        return {}
    return {"agents": {"chat": agents}, "pacing": {"chat": 0.5}, "draw": 0.4 if agents else 0.5}


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
        return Tick(time=self.clock, **outside(step.agents))

    def heard(self, batches: Sequence[Batch]) -> None:
        """Remember what was sent, so that later steps can answer it or let it expire."""
        ids = (send.id for batch in batches for send in batch.sends)
        # What goes to every page has one id.
        self.sent += [known for known in dict.fromkeys(ids) if known not in self.sent]
