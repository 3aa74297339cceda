"""Random books, drawn directly as trees: everything in them exists, fits, and is worth meeting.

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
    Absent,
    Aggregate,
    Among,
    And,
    Arithmetic,
    Atom,
    Book,
    Category,
    Compare,
    Constant,
    EventDeclaration,
    Expr,
    Fact,
    FieldDeclaration,
    Glob,
    Group,
    InCategories,
    Known,
    Limit,
    Message,
    Not,
    Or,
    Outside,
    Part,
    Path,
    Pattern,
    Record,
    Rule,
    SendAction,
    SetAction,
    Strategy,
    Times,
    Window,
)
from engine.vocabulary.events import SYSTEM_EVENTS
from engine.vocabulary.kinds import BOOLEAN, DURATION, NUMBER, TEXT, Kind

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
    ("visitor", "vip"): Fact(scope="visitor", name="vip", kind=BOOLEAN, sources=("UserInfo",)),
}


def _text(raw: str) -> Constant:
    return Constant(value=raw, kind=TEXT)


def _number(raw: float) -> Constant:
    return Constant(value=raw, kind=NUMBER)


def _duration(raw: int) -> Constant:
    return Constant(value=raw, kind=DURATION)


MESSAGES = {
    name: Message(
        name=name,
        channel="gpe.appendContent",
        data=Record(entries=(("url", _text(f"/frontend/resources/{name}.html")),)),
    )
    for name in ("AskChat", "AskGms")
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


def _of_kind(atom: Atom, kind: Kind) -> list[Expr]:
    return [Path(parts=parts) for parts, found in fields(atom) if found == kind]


# ------------------------------------------------ conditions


def number(draw: DrawFn, atom: Atom, *, guard: bool, deep: bool = True) -> Expr:
    """A number: of the event, from outside, and in guards of the visit or an aggregate."""
    options = ["agents"]
    paths = _of_kind(atom, NUMBER)
    options += ["field", "field"] if paths else []
    options += ["count", "count", "latest", "pages", "score"] if guard else []
    options += ["arithmetic"] if deep else []
    match pick(draw, options):
        case "field":
            return pick(draw, paths)
        case "count":
            return aggregate(draw, "count")
        case "latest":
            return latest(draw, NUMBER)
        case "pages":
            return Path(parts=("visit", "pages"))
        case "score":
            return Path(parts=("visitor", "score"))
        case "arithmetic":
            left = number(draw, atom, guard=guard, deep=False)
            right: Expr = _number(pick(draw, NUMBERS))
            if draw(st.booleans()):
                right = number(draw, atom, guard=guard, deep=False)
            return Arithmetic(operator=pick(draw, ("+", "-", "*", "/")), left=left, right=right)
    return Outside(name="agents.ready", argument="chat")


def text(draw: DrawFn, atom: Atom, *, guard: bool) -> Expr:
    """A text: of the event, and in guards a fact or the latest value of a field."""
    match pick(draw, ("field", "field", *(["stage", "state", "latest"] if guard else []))):
        case "stage":
            return Path(parts=("visit", "stage"))
        case "state":
            return Path(parts=("visitor", "state"))
        case "latest":
            return latest(draw, TEXT)
    return pick(draw, _of_kind(atom, TEXT))


def leaf(draw: DrawFn, atom: Atom, *, guard: bool) -> Expr:
    """One comparison, or a boolean alone."""
    booleans = _of_kind(atom, BOOLEAN)
    options = ["number", "number", "text", "among", "known"]
    options += ["categories"] if atom.what != "sent" else []
    options += ["boolean"] if booleans else []
    options += ["seen", "vip", "since", "duration"] if guard else []
    match pick(draw, options):
        case "text":
            operator = pick(draw, ("=", "has", "starts with", "ends with", "matches", "!="))
            right = _text(pick(draw, TEXTS))
            return Compare(operator=operator, left=text(draw, atom, guard=guard), right=right)
        case "among":
            values = pick(draw, ((_text("Phone"), _text("hot")), (_text("red"),)))
            return Among(item=text(draw, atom, guard=guard), values=values)
        case "known":
            if draw(st.booleans()):
                item = text(draw, atom, guard=guard)
            else:
                item = number(draw, atom, guard=guard, deep=False)
            return Known(item=item, known=draw(st.booleans()))
        case "categories":
            return InCategories(categories=pick(draw, (("Checkout",), ("Products", "Rich"))))
        case "boolean":
            return pick(draw, booleans)
        case "seen":
            return aggregate(draw, "seen")
        case "vip":
            return Path(parts=("visitor", "vip"))
        case "since" | "duration" as span:
            return Compare(
                operator=pick(draw, ("<", ">=", ">", "<=", "=")),
                left=aggregate(draw, span) if span == "since" else Path(parts=("visit", span)),
                right=_duration(pick(draw, DURATIONS)),
            )
    return Compare(
        operator=pick(draw, (">=", "=", "<", "!=", "<=", ">")),
        left=number(draw, atom, guard=guard),
        right=_number(pick(draw, NUMBERS)),
    )


def condition(draw: DrawFn, atom: Atom, *, guard: bool) -> Expr:
    """A comparison, or a few of them joined; `and` never directly in `and`, nor `or` in `or`."""

    def one() -> Expr:
        return leaf(draw, atom, guard=guard)

    match pick(draw, ("leaf", "leaf", "not", "or", "and", "or-and")):
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


def atom(draw: DrawFn, *, sent: bool = True) -> Atom:
    """An atom; most are plain, so that visits hit them often."""
    match pick(draw, ("event", "event", "event", "any", *(["sent"] if sent else []))):
        case "sent":
            plain = Atom(what="sent", name=pick(draw, SENT_NAMES))
        case "any":
            plain = Atom(what="any")
        case _:
            plain = Atom(what="event", name=pick(draw, EVENT_NAMES))
    categories: tuple[str, ...] = ()
    if plain.what != "sent":
        options = ((), (), ("Checkout",), (), ("Checkout", "Products"), ("Rich",))
        categories = pick(draw, options)
    where = pick(draw, (False, False, False, True))
    return Atom(
        what=plain.what,
        name=plain.name,
        categories=categories,
        where=condition(draw, plain, guard=False) if where else None,
    )


WINDOWS = (
    Window(reach="visit"),
    Window(reach="page"),
    Window(reach="ever"),
    *(Window(reach="last", duration=duration) for duration in DURATIONS),
)


def aggregate(draw: DrawFn, function: Literal["count", "seen", "since"]) -> Aggregate:
    """`count`, `seen` or `since` of an atom."""
    window = None if function == "since" else pick(draw, WINDOWS)
    return Aggregate(function=function, atom=atom(draw), window=window)


LATEST: dict[Kind, tuple[tuple[str, tuple[str, ...]], ...]] = {
    NUMBER: (("Cart", ("price",)), ("Search", ("shop", "price"))),
    TEXT: (("Cart", ("item",)), ("Search", ("word",)), ("PageEntered", ("title",))),
}


def latest(draw: DrawFn, kind: Kind) -> Aggregate:
    """`latest(A.field, W)` of a field that has the kind."""
    name, path = pick(draw, LATEST[kind])
    about = Atom(what="event", name=name)
    return Aggregate(function="latest", atom=about, field=path, window=pick(draw, WINDOWS))


# ------------------------------------------------ patterns


def pattern(draw: DrawFn) -> Pattern:
    """Everything that may stand after `on`; `no` never first, `sent` never the last event."""
    size = pick(draw, (1, 2, 2, 3))
    parts = [_part(draw, first=k == 0, last=k == size - 1) for k in range(size)]
    longest = max((part.duration for part in parts if isinstance(part, Absent)), default=0)
    # `within` is longer than every `no`, and pointless for a single event.
    longer = [duration for duration in DURATIONS if duration > longest]
    alone = len(parts) == 1 and isinstance(parts[0], Atom)
    within = None if alone else pick(draw, (None, None, *longer))
    return Pattern(parts=tuple(parts), within=within, per=pick(draw, ("visit", "page", "visitor")))


def _part(draw: DrawFn, *, first: bool, last: bool) -> Part:
    options = ["atom", "atom", "times"] if first else ["atom", "no", "times"]
    options += ["stays"] if last and not first else []
    match pick(draw, options):
        case "times":
            return Times(count=pick(draw, (2, 3)), atom=atom(draw, sent=not last))
        case "no":
            return Absent(atom=atom(draw), duration=pick(draw, DURATIONS))
        case "stays":
            exit_ = Atom(what="event", name="PageExited")
            return Absent(atom=exit_, duration=pick(draw, DURATIONS), same_page=True)
    return atom(draw, sent=not last)


def last_atom(told: Pattern) -> Atom:
    """The atom whose event is `event` of the rule: the last one that is not a `no`."""
    part = [part for part in told.parts if not isinstance(part, Absent)][-1]
    return part.atom if isinstance(part, Times) else part


# ------------------------------------------------ rules and strategies


def record(draw: DrawFn, about: Atom) -> Record:
    """Data of a message written in place: a constant, and perhaps a text of the event."""
    entries: list[tuple[str, Expr | Record]] = [("url", _text("/frontend/resources/own.html"))]
    if draw(st.booleans()):
        entries.append(("container", text(draw, about, guard=True)))
    return Record(entries=tuple(entries))


def attachment(draw: DrawFn, about: Atom) -> Record:
    """What `attach` carries, with a nested record."""
    function = pick(draw, ("seen", "count"))
    inner = Record(entries=(("seen", aggregate(draw, function)),))
    reason: Expr = _text("hesitant")
    if draw(st.booleans()):
        reason = text(draw, about, guard=True)
    return Record(entries=(("reason", reason), ("more", inner)))


def set_fact(draw: DrawFn, about: Atom) -> SetAction:
    """`set`, with a value of the fact's kind."""
    free = draw(st.booleans())
    match pick(draw, ("stage", "score", "vip")):
        case "score":
            value = number(draw, about, guard=True) if free else _number(2)
            return SetAction(scope="visitor", fact="score", value=value)
        case "vip":
            return SetAction(scope="visitor", fact="vip", value=Constant(value=free, kind=BOOLEAN))
    value = text(draw, about, guard=True) if free else _text(pick(draw, STAGES))
    return SetAction(scope="visit", fact="stage", value=value)


def rule(draw: DrawFn, about: Pattern) -> Rule:
    """A rule that sends, sets, or both."""
    last = last_atom(about)
    does = pick(draw, ("send", "send", "send", "send", "set", "both", "two"))
    sends: list[SendAction] = []
    if does != "set":
        sends.append(SendAction(message=pick(draw, tuple(MESSAGES))))
    if does == "two":
        data = record(draw, last)
        sends.append(SendAction(message=None, channel="gpe.appendContent", data=data))
    guards = pick(draw, ("none", "none", "when", "unless", "both"))
    attach = does != "set" and draw(st.booleans())
    return Rule(
        pattern=about,
        when=condition(draw, last, guard=True) if guards in ("when", "both") else None,
        unless=condition(draw, last, guard=True) if guards in ("unless", "both") else None,
        sends=tuple(sends),
        attach=attachment(draw, last) if attach else None,
        sets=(set_fact(draw, last),) if does in ("set", "both") else (),
    )


def limits(draw: DrawFn) -> tuple[Limit, ...]:
    """No limit, or one of any form, with a small count."""
    match pick(draw, ("none", "none", "scope", "rolling", "rolling per visit")):
        case "scope":
            scope = pick(draw, ("visit", "page", "visitor"))
            return (Limit(count=pick(draw, (1, 2)), scope=scope),)
        case "rolling":
            return (Limit(count=pick(draw, (1, 2)), duration=pick(draw, DURATIONS)),)
        case "rolling per visit":
            duration = pick(draw, DURATIONS)
            return (Limit(count=pick(draw, (1, 2)), scope="visit", duration=duration),)
    return ()


def strategy(draw: DrawFn, name: str) -> Strategy:
    """A strategy, in a group or free; its second rule may wait for the same as its first."""
    told = [rule(draw, pattern(draw))]
    match pick(draw, ("one", "two", "equal")):
        case "two":
            told.append(rule(draw, pattern(draw)))
        case "equal":
            told.append(rule(draw, told[0].pattern))
    return Strategy(
        name=name,
        group=pick(draw, (None, *GROUP_NAMES)),
        priority=pick(draw, PRIORITIES),
        limits=limits(draw),
        rules=tuple(told),
    )


def _bare(*names: str) -> Path:
    return Path(parts=names)


_TITLE = Compare(operator="has", left=_bare("title"), right=_text("Phone"))
_QUERY = Compare(operator="=", left=_bare("query", "utm"), right=_text("red"))
_DEAR = Compare(operator=">=", left=_bare("event", "price"), right=_number(100))
CATEGORIES: dict[str, tuple[Expr, ...]] = {
    "Checkout": (Glob(pattern="/checkout/**"), Glob(pattern="/checkout"), _QUERY),
    "Products": (
        Glob(pattern="/products/*"),
        Glob(pattern="shop.example/**"),
        Or(items=(Glob(pattern="/products/**"), _TITLE)),
        And(items=(Not(item=Glob(pattern="/checkout/**")), _TITLE)),
        Compare(operator="matches", left=_bare("url"), right=_text("products/[a-z]+$")),
    ),
    "Rich": (_DEAR, Or(items=(_DEAR, Known(item=_bare("title"), known=False)))),
}
"""The categories of every book, each with the conditions that it may have."""


@st.composite
def books(draw: DrawFn) -> Book:
    """A whole book: resolved, sensible, and small."""
    names = STRATEGY_NAMES[: pick(draw, (1, 2, 3))]
    return Book(
        version="",
        events=EVENTS,
        facts=FACTS,
        categories={
            name: Category(name=name, condition=pick(draw, options))
            for name, options in CATEGORIES.items()
        },
        groups={
            name: Group(name=name, one_at_a_time=draw(st.booleans()), limits=limits(draw))
            for name in GROUP_NAMES
        },
        messages=MESSAGES,
        strategies={name: strategy(draw, name) for name in names},
        scenarios={},
    )
