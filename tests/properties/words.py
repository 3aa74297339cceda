"""What random books are made of: a few names, constants, conditions, atoms and aggregates.

The vocabulary is small on purpose, so that rules, categories, limits and groups collide. Numbers
and durations come from short lists; `properties.visits` reads them back out of the book and aims
its gaps and values at their edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from engine.language.syntax import (
    Aggregate,
    Among,
    And,
    Arithmetic,
    Atom,
    Clock,
    Compare,
    Constant,
    EventDeclaration,
    Expr,
    Fact,
    FieldDeclaration,
    Hours,
    InCategories,
    InHours,
    Known,
    Message,
    Not,
    OpenHours,
    Or,
    Outside,
    OwnChannel,
    Path,
    Record,
    Window,
)
from engine.vocabulary.events import SYSTEM_EVENTS
from engine.vocabulary.kinds import BOOLEAN, DURATION, NUMBER, TEXT, TIME, Kind

T = TypeVar("T")


@cache
def _below(size: int) -> SearchStrategy[int]:
    return st.integers(0, size - 1)


def pick(draw: DrawFn, options: Sequence[T]) -> T:
    """One of the options; the first is the simplest. (Cheaper than building a strategy.)"""
    return options[draw(_below(len(options)))]


SECOND = 1000
HOUR = 3600 * SECOND
DURATIONS = (5 * SECOND, SECOND, 30 * SECOND, 24 * HOUR, 25 * HOUR)
NUMBERS = (2, 1, 0, 100)
TEXTS = ("Phone", "red", "Ph", "")
STAGES = ("hot", "cold")
PRIORITIES = (50, 80, 10)
STRATEGY_NAMES = ("Alpha", "Beta", "Gamma")
GROUP_NAMES = ("Invitations", "Teasers")
CATEGORY_NAMES = ("Checkout", "Products", "Rich")


def _declare(name: str, *fields: tuple[str, Kind]) -> EventDeclaration:
    return EventDeclaration(
        name=name,
        fields=tuple(FieldDeclaration(path=tuple(f.split(".")), kind=kind) for f, kind in fields),
    )


EVENTS = {
    "Cart": _declare("Cart", ("price", NUMBER), ("item", TEXT), ("gift", BOOLEAN)),
    "Search": _declare("Search", ("word", TEXT), ("shop.price", NUMBER)),
}
FACTS = {
    ("visit", "stage"): Fact(scope="visit", name="stage", kind=TEXT),
    ("visitor", "score"): Fact(scope="visitor", name="score", kind=NUMBER, default=0),
    ("visitor", "since"): Fact(scope="visitor", name="since", kind=TIME, default="2027-01-16"),
    ("visitor", "vip"): Fact(scope="visitor", name="vip", kind=BOOLEAN, sources=("UserInfo",)),
}


def text_of(raw: str) -> Constant:
    return Constant(value=raw, kind=TEXT)


def number_of(raw: float) -> Constant:
    return Constant(value=raw, kind=NUMBER)


def duration_of(raw: int) -> Constant:
    return Constant(value=raw, kind=DURATION)


def _opening(first: int, last: int, start: int, end: int) -> OpenHours:
    return OpenHours(days=tuple(range(first, last + 1)), start=start * 60, end=end * 60)


CLOSED = ("2027-01-15", "2027-01-18")
HOURS = {
    hours.name: hours
    for hours in (
        Hours(name="Night", open=(_opening(4, 5, 22, 3), _opening(6, 6, 9, 9)), closed=CLOSED[1:]),
        Hours(
            name="Office",
            open=(_opening(0, 4, 9, 10), _opening(4, 6, 2, 9)),
            zone="Europe/Madrid",
            closed=CLOSED,
        ),
        Hours(name="Usual", open=(_opening(0, 4, 8, 9), _opening(5, 6, 0, 24))),
    )
}
"""The stories begin on Friday 2027-01-15 at 08:00 UTC, which is 09:00 in Madrid."""

DATES = ("2027-01-15", "2027-01-16", "2027-03-28")
ZONES = ("UTC", "Europe/Madrid", "Asia/Kolkata")
CHANNELS = {
    "shop.banner": OwnChannel(name="shop.banner", fields=(("html", TEXT), ("seconds", NUMBER)))
}

_OFFER = Record(
    entries=(
        ("url", text_of("/frontend/resources/Offer.html")),
        ("container", Path(parts=("word",))),
        ("method", Path(parts=("event", "title"))),
    )
)
_BANNER = Record(entries=(("html", text_of("<b>")), ("seconds", Path(parts=("seconds",)))))
MESSAGES = {
    name: Message(
        name=name,
        channel="gpe.appendContent",
        data=Record(entries=(("url", text_of(f"/frontend/resources/{name}.html")),)),
    )
    for name in ("AskChat", "AskGms")
} | {
    "Banner": Message(name="Banner", parameters=("seconds",), channel="shop.banner", data=_BANNER),
    "Offer": Message(name="Offer", parameters=("word",), channel="gpe.appendContent", data=_OFFER),
}
EVENT_NAMES = (
    "PageEntered",
    "Cart",
    "PageExited",
    "Search",
    "InvitationRejected",
    "SignIn",
    "UserInfo",
)


class Pen:
    """Draws for one book, from a few durations, numbers and events chosen for it.

    The fewer words a book has, the more often its rules and its visits meet. For the same reason
    most books have a temper: they are about `patterns` (no guards, no groups), about `guards`
    (plain patterns, aggregates at their windows), about the `crowd` (plain rules that compete),
    `dated` (plain rules, hours and days), and only some about `all` of it.
    """

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw
        self.temper = self.pick(("all", "patterns", "guards", "crowd", "dated", "all"))
        self.durations = tuple({self.pick(DURATIONS): None, self.pick(DURATIONS): None})
        self.numbers = tuple({self.pick(NUMBERS): None, self.pick(NUMBERS): None})
        self.names = tuple({self.pick(EVENT_NAMES): None for _ in range(3)})
        rolling = [Window(reach="last", duration=duration) for duration in self.durations]
        fixed = (Window(reach="visit"), Window(reach="page"), Window(reach="ever"))
        self.windows = (*fixed, *rolling, *rolling)

        self.names_bound: dict[str, Atom] = {}
        """What `as` has bound in the pattern at hand."""

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; the first is the simplest."""
        return pick(self._draw, options)

    def flag(self) -> bool:
        """Yes or no."""
        return self._draw(st.booleans())


# ------------------------------------------------ what an atom's event can be asked


def fields(atom: Atom) -> list[tuple[tuple[str, ...], Kind]]:
    """The paths of `event` that make sense for what the atom waits for, with their kinds."""
    page = [(("event", "pageID"), TEXT)]
    if atom.what == "sent":
        return [(("event", name), TEXT) for name in ("strategy", "group", "message")] + page
    address = [
        (("event", *names), TEXT)
        for names in (("path",), ("query", "utm"), ("title",), ("host",), ("category",))
    ]
    if atom.what == "any":
        return [*address, *page, (("event", "eventName"), TEXT)]
    if atom.name in EVENTS:
        declared = [(("event", *field.path), field.kind) for field in EVENTS[atom.name].fields]
        return declared + address
    known = SYSTEM_EVENTS[atom.name].fields
    return [(("event", name), kind) for name, kind in known.items()] + address


def _of_kind(pen: Pen, atom: Atom, kind: Kind) -> list[Expr]:
    """Fields of the event, and of the events that `as` has bound."""
    own = [Path(parts=parts) for parts, found in fields(atom) if found == kind]
    bound = [
        Path(parts=(name, *parts[1:]))
        for name, about in pen.names_bound.items()
        for parts, found in fields(about)
        if found == kind
    ]
    return [*own, *bound, *bound]


# ------------------------------------------------ conditions


def number(pen: Pen, atom: Atom, *, guard: bool, deep: bool = True) -> Expr:
    """A number: of the event, from outside, and in guards of the visit or an aggregate."""
    options = ["agents", "pacing"]
    paths = _of_kind(pen, atom, NUMBER)
    options += ["field", "field"] if paths else []
    options += ["count", "count", "latest", "many", "pages", "score"] if guard else []
    options += ["arithmetic"] if deep else []
    match pen.pick(options):
        case "field":
            return pen.pick(paths)
        case "count":
            return aggregate(pen, "count")
        case "latest":
            return latest(pen, NUMBER)
        case "many":
            return of_many(pen)
        case "pacing":
            return Outside(name="pacing", argument="chat")
        case "pages":
            return Path(parts=("visit", "pages"))
        case "score":
            return Path(parts=("visitor", "score"))
        case "arithmetic":
            left = number(pen, atom, guard=guard, deep=False)
            right: Expr = number_of(pen.pick(pen.numbers))
            if pen.flag():
                right = number(pen, atom, guard=guard, deep=False)
            return Arithmetic(operator=pen.pick(("+", "-", "*", "/")), left=left, right=right)
    return Outside(name="agents.ready", argument="chat")


def text(pen: Pen, atom: Atom, *, guard: bool) -> Expr:
    """A text: of the event, and in guards a fact or the latest value of a field."""
    match pen.pick(("field", "field", *(["stage", "state", "latest"] if guard else []))):
        case "stage":
            return Path(parts=("visit", "stage"))
        case "state":
            return Path(parts=("visitor", "state"))
        case "latest":
            return latest(pen, TEXT)
    return pen.pick(_of_kind(pen, atom, TEXT))


def leaf(pen: Pen, atom: Atom, *, guard: bool) -> Expr:
    """One comparison, or a boolean alone."""
    booleans = _of_kind(pen, atom, BOOLEAN)
    options = ["number", "number", "text", "among", "known", "admits", "clock"]
    options += ["categories"] if atom.what != "sent" else []
    options += ["boolean"] if booleans else []
    options += ["seen", "vip", "since", "duration"] if guard else []
    match pen.pick(options):
        case "text":
            operator = pen.pick(("=", "has", "starts with", "ends with", "matches", "!="))
            right = text_of(pen.pick(TEXTS))
            return Compare(operator=operator, left=text(pen, atom, guard=guard), right=right)
        case "among":
            values = pen.pick(((text_of("Phone"), text_of("hot")), (text_of("red"),)))
            return Among(item=text(pen, atom, guard=guard), values=values)
        case "known":
            if pen.flag():
                item = text(pen, atom, guard=guard)
            else:
                item = number(pen, atom, guard=guard, deep=False)
            return Known(item=item, known=pen.flag())
        case "categories":
            return InCategories(categories=pen.pick((("Checkout",), ("Products", "Rich"))))
        case "boolean":
            return pen.pick(booleans)
        case "admits":
            return Outside(name="pacing admits", argument="chat")
        case "clock":
            return clock(pen, guard=guard)
        case "seen":
            return aggregate(pen, "seen")
        case "vip":
            return Path(parts=("visitor", "vip"))
        case "since" | "duration" as span:
            return Compare(
                operator=pen.pick(("<", ">=", ">", "<=", "=")),
                left=aggregate(pen, span) if span == "since" else Path(parts=("visit", span)),
                right=duration_of(pen.pick(pen.durations)),
            )
    return Compare(
        operator=pen.pick((">=", "=", "<", "!=", "<=", ">")),
        left=number(pen, atom, guard=guard),
        right=number_of(pen.pick(pen.numbers)),
    )


def clock(pen: Pen, *, guard: bool) -> Expr:
    """A condition over the time of the event."""
    now = Clock(what="now")
    match pen.pick(("hours", "weekday", "date", *(["since"] if guard else []))):
        case "weekday":
            day = text_of(pen.pick(("Fri", "Sat", "Sun")))
            return Compare(operator=pen.pick(("=", "!=")), left=Clock(what="weekday"), right=day)
        case "date":
            date = Constant(value=pen.pick(DATES), kind=TIME)
            return Compare(operator=pen.pick((">=", "<")), left=now, right=date)
        case "since":
            since = Path(parts=("visitor", "since"))
            return Compare(operator=pen.pick((">", "<=", "=")), left=now, right=since)
    return InHours(hours=pen.pick(tuple(HOURS)))


def measure(pen: Pen) -> Expr:
    """One aggregate against a constant that it can reach."""
    match pen.pick(("count", "seen", "since", "latest", "known", "state", "many")):
        case "seen":
            return aggregate(pen, "seen")
        case "since":
            left, right = aggregate(pen, "since"), duration_of(pen.pick(pen.durations))
            return Compare(operator=pen.pick((">=", "<", ">", "<=")), left=left, right=right)
        case "latest":
            left, right = latest(pen, NUMBER), number_of(pen.pick(pen.numbers))
            return Compare(operator=pen.pick((">=", "<", "=", "!=")), left=left, right=right)
        case "many":
            left, right = of_many(pen), number_of(pen.pick((*pen.numbers, 3)))
            return Compare(operator=pen.pick((">=", "<", "=", "!=")), left=left, right=right)
        case "known":
            return Known(item=latest(pen, pen.pick((TEXT, NUMBER))), known=pen.flag())
        case "state":
            word = pen.pick(("authenticated", "recognized", "anonymous"))
            return Compare(operator="=", left=Path(parts=("visitor", "state")), right=text_of(word))
    left, right = aggregate(pen, "count"), number_of(pen.pick((1, 2, 3)))
    return Compare(operator=pen.pick((">=", "=", "<")), left=left, right=right)


def condition(pen: Pen, atom: Atom, *, guard: bool) -> Expr:
    """A comparison, or a few of them joined; `and` never directly in `and`, nor `or` in `or`."""

    def one() -> Expr:
        return leaf(pen, atom, guard=guard)

    if guard and pen.temper == "guards":
        return measure(pen)
    if guard and pen.temper == "dated":
        return clock(pen, guard=True)
    match pen.pick(("leaf", "leaf", "not", "or", "and", "or-and")):
        case "not":
            return Not(item=one())
        case "and":
            return And(items=(one(), one()))
        case "or":
            return Or(items=(one(), one()))
        case "or-and":
            return Or(items=(And(items=(one(), Not(item=one()))), one()))
    return one()


# ------------------------------------------------ atoms and aggregates

SENT_NAMES = (*GROUP_NAMES[:1], *STRATEGY_NAMES[:1], "AskChat")
"""Names that `sent` may use: they are in every book."""


def atom(pen: Pen, *, sent: bool = True) -> Atom:
    """An atom; most are plain, so that visits hit them often."""
    match pen.pick(("event", "event", "event", "any", *(["sent"] if sent else []))):
        case "sent":
            plain = Atom(what="sent", name=pen.pick(SENT_NAMES))
        case "any":
            plain = Atom(what="any")
        case _:
            plain = Atom(what="event", name=pen.pick(pen.names))
    categories: tuple[str, ...] = ()
    if plain.what != "sent":
        options = ((), (), ("Checkout",), (), ("Checkout", "Products"), ("Rich",))
        categories = pen.pick(options)
    if pen.temper in ("crowd", "dated"):
        return plain
    where = pen.pick((False, False, False, True))
    return Atom(
        what=plain.what,
        name=plain.name,
        categories=categories,
        where=condition(pen, plain, guard=False) if where else None,
    )


def aggregate(pen: Pen, function: Literal["count", "seen", "since"]) -> Aggregate:
    """`count`, `seen` or `since` of an atom."""
    window = None if function == "since" else pen.pick(pen.windows)
    return Aggregate(function=function, atom=nameless(pen), window=window)


def nameless(pen: Pen, *, sent: bool = True) -> Atom:
    """An atom where no name of `as` is known."""
    known, pen.names_bound = pen.names_bound, {}
    plain = atom(pen, sent=sent)
    pen.names_bound = known
    return plain


LATEST: dict[Kind, tuple[tuple[str, tuple[str, ...]], ...]] = {
    NUMBER: (("Cart", ("price",)), ("Search", ("shop", "price"))),
    TEXT: (("Cart", ("item",)), ("Search", ("word",)), ("PageEntered", ("title",))),
}


def latest(pen: Pen, kind: Kind) -> Aggregate:
    """`latest(A.field, W)` of a field that has the kind."""
    name, path = pen.pick(LATEST[kind])
    about = Atom(what="event", name=name)
    return Aggregate(function="latest", atom=about, field=path, window=pen.pick(pen.windows))


def of_many(pen: Pen) -> Aggregate:
    """`sum`, `min`, `max` or `average` of a number."""
    name, path = pen.pick(LATEST[NUMBER])
    functions: tuple[Literal["sum", "min", "max", "average"], ...]
    functions = ("sum", "min", "max", "average")
    about = Atom(what="event", name=name)
    function = pen.pick(functions)
    return Aggregate(function=function, atom=about, field=path, window=pen.pick(pen.windows))
