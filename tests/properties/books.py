"""Random books, drawn directly as trees: everything in them exists, fits, and is worth meeting.

The vocabulary is small on purpose, so that rules, categories, limits and groups collide. Numbers
and durations come from short lists; `properties.visits` reads them back out of the book and aims
its gaps and values at their edges.
"""

from __future__ import annotations

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


@st.composite
def numbers(draw: DrawFn, atom: Atom, *, guard: bool, deep: bool = True) -> Expr:
    """A number: of the event, from outside, and in guards of the visit or an aggregate."""
    options: list[SearchStrategy[Expr]] = []
    if paths := _of_kind(atom, NUMBER):
        options.append(st.sampled_from(paths))
    options.append(st.just(Outside(name="agents.ready", argument="chat")))
    if guard:
        options.append(aggregates(("count",)))
        options.append(latest(NUMBER))
        options.append(
            st.sampled_from([Path(parts=("visit", "pages")), Path(parts=("visitor", "score"))])
        )
    if deep:
        side = st.one_of(
            numbers(atom, guard=guard, deep=False), st.sampled_from([_number(n) for n in NUMBERS])
        )
        operators = st.sampled_from(("+", "-", "*", "/"))
        options.append(st.builds(Arithmetic, operator=operators, left=side, right=side))
    return draw(st.one_of(options))


@st.composite
def texts(draw: DrawFn, atom: Atom, *, guard: bool) -> Expr:
    """A text: of the event, and in guards a fact or the latest value of a field."""
    options: list[SearchStrategy[Expr]] = [st.sampled_from(_of_kind(atom, TEXT))]
    if guard:
        options.append(
            st.sampled_from([Path(parts=("visit", "stage")), Path(parts=("visitor", "state"))])
        )
        options.append(latest(TEXT))
    return draw(st.one_of(options))


@st.composite
def leaves(draw: DrawFn, atom: Atom, *, guard: bool) -> Expr:
    """One comparison, or a boolean alone."""
    options: list[SearchStrategy[Expr]] = [
        st.builds(
            Compare,
            operator=st.sampled_from((">=", "=", "<", "!=", "<=", ">")),
            left=numbers(atom, guard=guard),
            right=st.sampled_from([_number(n) for n in NUMBERS]),
        ),
        st.builds(
            Compare,
            operator=st.sampled_from(("=", "has", "starts with", "ends with", "matches", "!=")),
            left=texts(atom, guard=guard),
            right=st.sampled_from([_text(t) for t in TEXTS]),
        ),
        st.builds(
            Among,
            item=texts(atom, guard=guard),
            values=st.sampled_from([(_text("Phone"), _text("hot")), (_text("red"),)]),
        ),
        st.builds(
            Known,
            item=st.one_of(texts(atom, guard=guard), numbers(atom, guard=guard, deep=False)),
            known=st.booleans(),
        ),
    ]
    if atom.what != "sent":
        options.append(
            st.builds(
                InCategories, categories=st.sampled_from((("Checkout",), ("Products", "Rich")))
            )
        )
    if booleans := _of_kind(atom, BOOLEAN):
        options.append(st.sampled_from(booleans))
    if guard:
        options.append(aggregates(("seen",)))
        options.append(st.just(Path(parts=("visitor", "vip"))))
        span = st.one_of(aggregates(("since",)), st.just(Path(parts=("visit", "duration"))))
        options.append(
            st.builds(
                Compare,
                operator=st.sampled_from(("<", ">=", ">", "<=", "=")),
                left=span,
                right=st.sampled_from([_duration(d) for d in DURATIONS]),
            )
        )
    return draw(st.one_of(options))


@st.composite
def conditions(draw: DrawFn, atom: Atom, *, guard: bool) -> Expr:
    """A comparison, or a few of them joined; `and` never directly in `and`, nor `or` in `or`."""
    leaf = leaves(atom, guard=guard)
    shape = draw(st.sampled_from(("leaf", "leaf", "not", "and", "or", "or-and")))
    match shape:
        case "not":
            return Not(item=draw(leaf))
        case "and":
            return And(items=(draw(leaf), draw(leaf)))
        case "or":
            return Or(items=(draw(leaf), draw(leaf)))
        case "or-and":
            return Or(items=(And(items=(draw(leaf), Not(item=draw(leaf)))), draw(leaf)))
    return draw(leaf)


# ------------------------------------------------ atoms and aggregates

SENT_NAMES = (*GROUP_NAMES[:1], *STRATEGY_NAMES[:1], "AskChat")
"""Names that `sent` may use: they are in every book."""


@st.composite
def atoms(draw: DrawFn, *, sent: bool = True) -> Atom:
    """An atom; most are plain, so that visits hit them often."""
    what = draw(st.sampled_from(("event", "event", "event", "any", *(["sent"] if sent else []))))
    if what == "sent":
        atom = Atom(what="sent", name=draw(st.sampled_from(SENT_NAMES)))
    elif what == "any":
        atom = Atom(what="any")
    else:
        atom = Atom(what="event", name=draw(st.sampled_from(EVENT_NAMES)))
    categories: tuple[str, ...] = ()
    if what != "sent":
        options = ((), (), ("Checkout",), ("Checkout", "Products"), ("Rich",))
        categories = draw(st.sampled_from(options))
    where = draw(st.one_of(st.none(), st.none(), conditions(atom, guard=False)))
    return Atom(what=atom.what, name=atom.name, categories=categories, where=where)


def windows() -> SearchStrategy[Window]:
    """Every window, rolling ones at the durations of the book."""
    fixed = [Window(reach="visit"), Window(reach="page"), Window(reach="ever")]
    return st.sampled_from([*fixed, *(Window(reach="last", duration=d) for d in DURATIONS)])


@st.composite
def aggregates(draw: DrawFn, functions: tuple[str, ...]) -> Aggregate:
    """`count`, `seen` or `since` of an atom."""
    function = draw(st.sampled_from(functions))
    window = None if function == "since" else draw(windows())
    return Aggregate(function=function, atom=draw(atoms()), window=window)  # type: ignore[arg-type]


@st.composite
def latest(draw: DrawFn, kind: Kind) -> Aggregate:
    """`latest(A.field, W)` of a field that has the kind."""
    by_kind: dict[Kind, tuple[tuple[str, tuple[str, ...]], ...]] = {
        NUMBER: (("Cart", ("price",)), ("Search", ("shop", "price"))),
        TEXT: (("Cart", ("item",)), ("Search", ("word",)), ("PageEntered", ("title",))),
    }
    name, path = draw(st.sampled_from(by_kind[kind]))
    atom = Atom(what="event", name=name)
    return Aggregate(function="latest", atom=atom, field=path, window=draw(windows()))


# ------------------------------------------------ patterns


@st.composite
def patterns(draw: DrawFn) -> Pattern:
    """Everything that may stand after `on`; `no` never first, `sent` never the last event."""
    size = draw(st.sampled_from((1, 2, 2, 3)))
    parts: list[Atom | Times | Absent] = []
    for index in range(size):
        last = index == size - 1
        options = ["atom", "atom", "times"] if index == 0 else ["atom", "no", "times"]
        if index > 0 and last:
            options.append("stays")
        match draw(st.sampled_from(options)):
            case "atom":
                parts.append(draw(atoms(sent=not last)))
            case "times":
                count = draw(st.sampled_from((2, 3)))
                parts.append(Times(count=count, atom=draw(atoms(sent=not last))))
            case "no":
                parts.append(Absent(atom=draw(atoms()), duration=draw(st.sampled_from(DURATIONS))))
            case "stays":
                atom = Atom(what="event", name="PageExited")
                duration = draw(st.sampled_from(DURATIONS))
                parts.append(Absent(atom=atom, duration=duration, same_page=True))
    return Pattern(
        parts=tuple(parts),
        within=draw(_within(parts)),
        per=draw(st.sampled_from(("visit", "page", "visitor"))),
    )


def _within(parts: list[Atom | Times | Absent]) -> SearchStrategy[int | None]:
    """`within` is longer than every `no`, and pointless for a single event."""
    if len(parts) == 1 and isinstance(parts[0], Atom):
        return st.none()
    longest = max((part.duration for part in parts if isinstance(part, Absent)), default=0)
    longer = [duration for duration in DURATIONS if duration > longest]
    return st.one_of(st.none(), st.sampled_from(longer)) if longer else st.none()


def last_atom(pattern: Pattern) -> Atom:
    """The atom whose event is `event` of the rule: the last one that is not a `no`."""
    part = [part for part in pattern.parts if not isinstance(part, Absent)][-1]
    return part.atom if isinstance(part, Times) else part


# ------------------------------------------------ rules and strategies


@st.composite
def records(draw: DrawFn, atom: Atom) -> Record:
    """Data of a message written in place: constants, fields of the event, a nested record."""
    entries: list[tuple[str, Expr | Record]] = [("url", _text("/frontend/resources/own.html"))]
    if draw(st.booleans()):
        entries.append(("container", draw(texts(atom, guard=True))))
    return Record(entries=tuple(entries))


@st.composite
def attachments(draw: DrawFn, atom: Atom) -> Record:
    """What `attach` carries."""
    inner = Record(entries=(("seen", draw(aggregates(("seen", "count")))),))
    reason: Expr = draw(st.one_of(st.just(_text("hesitant")), texts(atom, guard=True)))
    return Record(entries=(("reason", reason), ("more", inner)))


@st.composite
def sets(draw: DrawFn, atom: Atom) -> SetAction:
    """`set`, with a value of the fact's kind."""
    scope, name = draw(st.sampled_from(sorted(FACTS)))
    value: Expr
    match name:
        case "stage":
            value = draw(
                st.one_of(st.sampled_from([_text(s) for s in STAGES]), texts(atom, guard=True))
            )
        case "score":
            value = draw(st.one_of(st.just(_number(2)), numbers(atom, guard=True)))
        case _:
            value = draw(st.sampled_from([Constant(value=b, kind=BOOLEAN) for b in (True, False)]))
    return SetAction(scope=scope, fact=name, value=value)  # type: ignore[arg-type]


@st.composite
def rules(draw: DrawFn) -> Rule:
    """A rule that sends, sets, or both."""
    pattern = draw(patterns())
    atom = last_atom(pattern)
    does = draw(st.sampled_from(("send", "send", "send", "set", "both", "two")))
    sends: list[SendAction] = []
    if does != "set":
        sends.append(SendAction(message=draw(st.sampled_from(sorted(MESSAGES)))))
    if does == "two":
        data = draw(records(atom))
        sends.append(SendAction(message=None, channel="gpe.appendContent", data=data))
    guard = st.one_of(st.none(), conditions(atom, guard=True))
    return Rule(
        pattern=pattern,
        when=draw(guard),
        unless=draw(guard),
        sends=tuple(sends),
        attach=draw(st.one_of(st.none(), attachments(atom))) if sends else None,
        sets=(draw(sets(atom)),) if does in ("set", "both") else (),
    )


@st.composite
def limits(draw: DrawFn) -> Limit:
    """Every form of limit, with small counts."""
    scope = draw(st.sampled_from(("visit", "page", "visitor")))
    rolling = scope != "page" and draw(st.booleans())
    duration = draw(st.sampled_from(DURATIONS)) if rolling else None
    return Limit(count=draw(st.sampled_from((1, 2))), scope=scope, duration=duration)


def _some_limits() -> SearchStrategy[tuple[Limit, ...]]:
    return st.one_of(st.just(()), limits().map(lambda limit: (limit,)))


@st.composite
def strategies(draw: DrawFn, name: str) -> Strategy:
    """A strategy, in a group or free."""
    return Strategy(
        name=name,
        group=draw(st.sampled_from((None, *GROUP_NAMES))),
        priority=draw(st.sampled_from(PRIORITIES)),
        limits=draw(_some_limits()),
        rules=tuple(draw(st.lists(rules(), min_size=1, max_size=2))),
    )


@st.composite
def groups(draw: DrawFn, name: str) -> Group:
    """A group with or without rules of its own."""
    return Group(name=name, one_at_a_time=draw(st.booleans()), limits=draw(_some_limits()))


def categories() -> SearchStrategy[dict[str, Category]]:
    """Three categories by address, title, query or field."""

    def bare(*names: str) -> Path:
        return Path(parts=names)

    title = Compare(operator="has", left=bare("title"), right=_text("Phone"))
    query = Compare(operator="=", left=bare("query", "utm"), right=_text("red"))
    expensive = Compare(operator=">=", left=bare("event", "price"), right=_number(100))
    options: dict[str, tuple[Expr, ...]] = {
        "Checkout": (Glob(pattern="/checkout/**"), Glob(pattern="/checkout"), query),
        "Products": (
            Glob(pattern="/products/*"),
            Glob(pattern="shop.example/**"),
            Or(items=(Glob(pattern="/products/**"), title)),
            And(items=(Not(item=Glob(pattern="/checkout/**")), title)),
            Compare(operator="matches", left=bare("url"), right=_text("products/[a-z]+$")),
        ),
        "Rich": (expensive, Or(items=(expensive, Known(item=bare("title"), known=False)))),
    }
    return st.fixed_dictionaries(
        {
            name: st.sampled_from([Category(name=name, condition=c) for c in found])
            for name, found in options.items()
        }
    )


@st.composite
def books(draw: DrawFn) -> Book:
    """A whole book: resolved, sensible, and small."""
    names = STRATEGY_NAMES[: draw(st.sampled_from((1, 2, 3)))]
    return Book(
        version="",
        events=EVENTS,
        facts=FACTS,
        categories=draw(categories()),
        groups={name: draw(groups(name)) for name in GROUP_NAMES},
        messages=MESSAGES,
        strategies={name: draw(strategies(name)) for name in names},
        scenarios={},
    )
