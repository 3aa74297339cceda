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


class Pen:
    """Draws for one book, from a few durations, numbers and events chosen for it.

    The fewer words a book has, the more often its rules and its visits meet. For the same reason
    most books have a temper: they are about `patterns` (no guards, no groups), about `guards`
    (plain patterns, aggregates at their windows), about the `crowd` (plain rules that compete),
    and only some about `all` of it.
    """

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw
        self.temper = self.pick(("all", "patterns", "guards", "crowd", "all"))
        self.durations = tuple({self.pick(DURATIONS): None, self.pick(DURATIONS): None})
        self.numbers = tuple({self.pick(NUMBERS): None, self.pick(NUMBERS): None})
        self.names = tuple({self.pick(EVENT_NAMES): None for _ in range(3)})
        rolling = [Window(reach="last", duration=duration) for duration in self.durations]
        fixed = (Window(reach="visit"), Window(reach="page"), Window(reach="ever"))
        self.windows = (*fixed, *rolling, *rolling)

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


def _of_kind(atom: Atom, kind: Kind) -> list[Expr]:
    return [Path(parts=parts) for parts, found in fields(atom) if found == kind]


# ------------------------------------------------ conditions


def number(pen: Pen, atom: Atom, *, guard: bool, deep: bool = True) -> Expr:
    """A number: of the event, from outside, and in guards of the visit or an aggregate."""
    options = ["agents"]
    paths = _of_kind(atom, NUMBER)
    options += ["field", "field"] if paths else []
    options += ["count", "count", "latest", "pages", "score"] if guard else []
    options += ["arithmetic"] if deep else []
    match pen.pick(options):
        case "field":
            return pen.pick(paths)
        case "count":
            return aggregate(pen, "count")
        case "latest":
            return latest(pen, NUMBER)
        case "pages":
            return Path(parts=("visit", "pages"))
        case "score":
            return Path(parts=("visitor", "score"))
        case "arithmetic":
            left = number(pen, atom, guard=guard, deep=False)
            right: Expr = _number(pen.pick(pen.numbers))
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
    return pen.pick(_of_kind(atom, TEXT))


def leaf(pen: Pen, atom: Atom, *, guard: bool) -> Expr:
    """One comparison, or a boolean alone."""
    booleans = _of_kind(atom, BOOLEAN)
    options = ["number", "number", "text", "among", "known"]
    options += ["categories"] if atom.what != "sent" else []
    options += ["boolean"] if booleans else []
    options += ["seen", "vip", "since", "duration"] if guard else []
    match pen.pick(options):
        case "text":
            operator = pen.pick(("=", "has", "starts with", "ends with", "matches", "!="))
            right = _text(pen.pick(TEXTS))
            return Compare(operator=operator, left=text(pen, atom, guard=guard), right=right)
        case "among":
            values = pen.pick(((_text("Phone"), _text("hot")), (_text("red"),)))
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
        case "seen":
            return aggregate(pen, "seen")
        case "vip":
            return Path(parts=("visitor", "vip"))
        case "since" | "duration" as span:
            return Compare(
                operator=pen.pick(("<", ">=", ">", "<=", "=")),
                left=aggregate(pen, span) if span == "since" else Path(parts=("visit", span)),
                right=_duration(pen.pick(pen.durations)),
            )
    return Compare(
        operator=pen.pick((">=", "=", "<", "!=", "<=", ">")),
        left=number(pen, atom, guard=guard),
        right=_number(pen.pick(pen.numbers)),
    )


def measure(pen: Pen) -> Expr:
    """One aggregate against a constant that it can reach."""
    match pen.pick(("count", "seen", "since", "latest", "known", "state")):
        case "seen":
            return aggregate(pen, "seen")
        case "since":
            left, right = aggregate(pen, "since"), _duration(pen.pick(pen.durations))
            return Compare(operator=pen.pick((">=", "<", ">", "<=")), left=left, right=right)
        case "latest":
            left, right = latest(pen, NUMBER), _number(pen.pick(pen.numbers))
            return Compare(operator=pen.pick((">=", "<", "=", "!=")), left=left, right=right)
        case "known":
            return Known(item=latest(pen, pen.pick((TEXT, NUMBER))), known=pen.flag())
        case "state":
            word = pen.pick(("authenticated", "recognized", "anonymous"))
            return Compare(operator="=", left=Path(parts=("visitor", "state")), right=_text(word))
    left, right = aggregate(pen, "count"), _number(pen.pick((1, 2, 3)))
    return Compare(operator=pen.pick((">=", "=", "<")), left=left, right=right)


def condition(pen: Pen, atom: Atom, *, guard: bool) -> Expr:
    """A comparison, or a few of them joined; `and` never directly in `and`, nor `or` in `or`."""

    def one() -> Expr:
        return leaf(pen, atom, guard=guard)

    if guard and pen.temper == "guards":
        return measure(pen)
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
    if pen.temper == "crowd":
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
    return Aggregate(function=function, atom=atom(pen), window=window)


LATEST: dict[Kind, tuple[tuple[str, tuple[str, ...]], ...]] = {
    NUMBER: (("Cart", ("price",)), ("Search", ("shop", "price"))),
    TEXT: (("Cart", ("item",)), ("Search", ("word",)), ("PageEntered", ("title",))),
}


def latest(pen: Pen, kind: Kind) -> Aggregate:
    """`latest(A.field, W)` of a field that has the kind."""
    name, path = pen.pick(LATEST[kind])
    about = Atom(what="event", name=name)
    return Aggregate(function="latest", atom=about, field=path, window=pen.pick(pen.windows))


# ------------------------------------------------ patterns


def pattern(pen: Pen) -> Pattern:
    """Everything that may stand after `on`; `no` never first, `sent` never the last event."""
    size = pen.pick((1, 1, 2) if pen.temper in ("guards", "crowd") else (1, 2, 2, 3))
    parts = [_part(pen, first=k == 0, last=k == size - 1) for k in range(size)]
    longest = max((part.duration for part in parts if isinstance(part, Absent)), default=0)
    # `within` is longer than every `no`, and pointless for a single event.
    longer = [duration for duration in pen.durations if duration > longest]
    alone = len(parts) == 1 and isinstance(parts[0], Atom)
    within = None if alone else pen.pick((None, None, *longer))
    return Pattern(parts=tuple(parts), within=within, per=pen.pick(("visit", "page", "visitor")))


def _part(pen: Pen, *, first: bool, last: bool) -> Part:
    options = ["atom", "atom", "times"] if first else ["atom", "no", "times"]
    options += ["stays"] if last and not first else []
    match pen.pick(options):
        case "times":
            return Times(count=pen.pick((2, 3)), atom=atom(pen, sent=not last))
        case "no":
            return Absent(atom=atom(pen), duration=pen.pick(pen.durations))
        case "stays":
            exit_ = Atom(what="event", name="PageExited")
            return Absent(atom=exit_, duration=pen.pick(pen.durations), same_page=True)
    return atom(pen, sent=not last)


def last_atom(told: Pattern) -> Atom:
    """The atom whose event is `event` of the rule: the last one that is not a `no`."""
    part = [part for part in told.parts if not isinstance(part, Absent)][-1]
    return part.atom if isinstance(part, Times) else part


# ------------------------------------------------ rules and strategies


def record(pen: Pen, about: Atom) -> Record:
    """Data of a message written in place: a constant, and perhaps a text of the event."""
    entries: list[tuple[str, Expr | Record]] = [("url", _text("/frontend/resources/own.html"))]
    if pen.flag():
        entries.append(("container", text(pen, about, guard=True)))
    return Record(entries=tuple(entries))


def attachment(pen: Pen, about: Atom) -> Record:
    """What `attach` carries, with a nested record."""
    function = pen.pick(("seen", "count"))
    inner = Record(entries=(("seen", aggregate(pen, function)),))
    reason: Expr = _text("hesitant")
    if pen.flag():
        reason = text(pen, about, guard=True)
    return Record(entries=(("reason", reason), ("more", inner)))


def set_fact(pen: Pen, about: Atom) -> SetAction:
    """`set`, with a value of the fact's kind."""
    free = pen.flag()
    match pen.pick(("stage", "score", "vip")):
        case "score":
            value = number(pen, about, guard=True) if free else _number(2)
            return SetAction(scope="visitor", fact="score", value=value)
        case "vip":
            return SetAction(scope="visitor", fact="vip", value=Constant(value=free, kind=BOOLEAN))
    value = text(pen, about, guard=True) if free else _text(pen.pick(STAGES))
    return SetAction(scope="visit", fact="stage", value=value)


GUARDS = {
    "all": ("none", "none", "when", "unless", "both"),
    "patterns": ("none",),
    "guards": ("when", "unless"),
    "crowd": ("none", "none", "none", "unless"),
}


def rule(pen: Pen, about: Pattern) -> Rule:
    """A rule that sends, sets, or both."""
    last = last_atom(about)
    does = pen.pick(("send", "send", "send", "send", "set", "both", "two"))
    sends: list[SendAction] = []
    if does != "set":
        sends.append(SendAction(message=pen.pick(tuple(MESSAGES))))
    if does == "two":
        data = record(pen, last)
        sends.append(SendAction(message=None, channel="gpe.appendContent", data=data))
    guards = pen.pick(GUARDS[pen.temper])
    attach = does != "set" and pen.flag()
    return Rule(
        pattern=about,
        when=condition(pen, last, guard=True) if guards in ("when", "both") else None,
        unless=condition(pen, last, guard=True) if guards in ("unless", "both") else None,
        sends=tuple(sends),
        attach=attachment(pen, last) if attach else None,
        sets=(set_fact(pen, last),) if does in ("set", "both") else (),
    )


def limits(pen: Pen) -> tuple[Limit, ...]:
    """No limit, or one of any form, with a small count."""
    match pen.pick(("none", "none", "scope", "rolling", "rolling per visit")):
        case "scope":
            scope = pen.pick(("visit", "page", "visitor"))
            return (Limit(count=pen.pick((1, 2)), scope=scope),)
        case "rolling":
            return (Limit(count=pen.pick((1, 2)), duration=pen.pick(pen.durations)),)
        case "rolling per visit":
            duration = pen.pick(pen.durations)
            return (Limit(count=pen.pick((1, 2)), scope="visit", duration=duration),)
    return ()


def strategy(pen: Pen, name: str) -> Strategy:
    """A strategy, in a group or free; its second rule may wait for the same as its first."""
    told = [rule(pen, pattern(pen))]
    match pen.pick(("one", "two", "equal")):
        case "two":
            told.append(rule(pen, pattern(pen)))
        case "equal":
            told.append(rule(pen, told[0].pattern))
    free = pen.temper in ("patterns", "guards")
    crowd = ("Invitations", "Invitations", None)
    return Strategy(
        name=name,
        group=None if free else pen.pick(crowd if pen.temper == "crowd" else (None, *GROUP_NAMES)),
        priority=pen.pick(PRIORITIES),
        limits=_bounded if any(map(_endless, told)) else () if free else limits(pen),
        rules=tuple(told),
    )


_bounded = (Limit(count=3, scope="visitor"),)


def _endless(told: Rule) -> bool:
    """Could the rule go on for ever by itself: does a silence after a send complete it?"""
    *before, last = told.pattern.parts
    atoms = [part if isinstance(part, Atom) else part.atom for part in before]
    return isinstance(last, Absent) and any(atom.what == "sent" for atom in atoms)


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
    pen = Pen(draw)
    names = STRATEGY_NAMES[: pen.pick((2, 3) if pen.temper == "crowd" else (1, 2, 1))]
    return Book(
        version="",
        events=EVENTS,
        facts=FACTS,
        categories={
            name: Category(name=name, condition=pen.pick(options))
            for name, options in CATEGORIES.items()
        },
        groups={
            name: Group(name=name, one_at_a_time=pen.flag(), limits=limits(pen))
            for name in GROUP_NAMES
        },
        messages=MESSAGES,
        strategies={name: strategy(pen, name) for name in names},
        scenarios={},
    )
