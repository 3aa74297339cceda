"""Random books, drawn directly as trees: everything in them exists, fits, and is worth meeting.

Their words and conditions are in words.py; here are patterns, rules, strategies, guarantees and
the book itself.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from properties.words import (
    CHANNELS,
    DATES,
    EVENTS,
    FACTS,
    GROUP_NAMES,
    HOURS,
    MESSAGES,
    PRIORITIES,
    SECOND,
    SENT_NAMES,
    STAGES,
    STRATEGY_NAMES,
    ZONES,
    Pen,
    aggregate,
    atom,
    condition,
    nameless,
    number,
    number_of,
    text,
    text_of,
)

from engine.language.syntax import (
    Absent,
    Active,
    AllOf,
    And,
    AnyOf,
    Atom,
    Audience,
    Book,
    Category,
    Clock,
    Compare,
    Constant,
    Expr,
    Glob,
    Group,
    Guarantee,
    Known,
    Limit,
    Not,
    Or,
    Part,
    Path,
    Pattern,
    Record,
    Rule,
    SendAction,
    SetAction,
    Strategy,
    Times,
)
from engine.vocabulary.kinds import BOOLEAN

# ------------------------------------------------ patterns


def pattern(pen: Pen, *, guarantee: bool = False) -> Pattern:
    """Everything that may stand after `on`; `no` never first.

    `sent` is the last event only of a guarantee, and there mostly.
    """
    pen.names_bound = {}
    size = pen.pick((1, 1, 2) if pen.temper in ("guards", "crowd", "dated") else (1, 2, 2, 3))
    parts = [_part(pen, first=k == 0, last=k == size - 1, guarantee=guarantee) for k in range(size)]
    longest = max((part.duration for part in parts if isinstance(part, Absent)), default=0)
    # `within` is longer than every `no`, and pointless for a single event.
    longer = [duration for duration in pen.durations if duration > longest]
    alone = len(parts) == 1 and isinstance(parts[0], Atom)
    within = None if alone else pen.pick((None, None, *longer))
    return Pattern(parts=tuple(parts), within=within, per=pen.pick(("visit", "page", "visitor")))


def _part(pen: Pen, *, first: bool, last: bool, guarantee: bool) -> Part:
    options = ["atom", "atom", "times"] if first else ["atom", "no", "times"]
    options += ["all of", "any of", "as"] if pen.temper in ("all", "patterns") else []
    options += ["stays"] if last and not first else []
    options += ["sent", "sent", "sent"] if last and guarantee else []
    sent = guarantee or not last
    match pen.pick(options):
        case "sent":
            return Atom(what="sent", name=pen.pick(SENT_NAMES))
        case "times":
            return Times(count=pen.pick((2, 3)), atom=atom(pen, sent=sent))
        case "no":
            return Absent(atom=atom(pen), duration=pen.pick(pen.durations))
        case "stays":
            exit_ = Atom(what="event", name="PageExited")
            return Absent(atom=exit_, duration=pen.pick(pen.durations), same_page=True)
        case "all of":
            return AllOf(atoms=_several(pen, sent=sent))
        case "any of":
            return AnyOf(atoms=_several(pen, sent=sent))
        case "as":
            return _bound(pen, atom(pen, sent=sent))
    return atom(pen, sent=sent)


def _several(pen: Pen, *, sent: bool) -> tuple[Atom, ...]:
    """Atoms of `all of`, `any of`: they know no names, and bind none."""
    return tuple(nameless(pen, sent=sent) for _ in range(pen.pick((2, 2, 3))))


def _bound(pen: Pen, plain: Atom) -> Atom:
    """The atom with a name, which later conditions may use."""
    alias = ("first", "second", "third")[len(pen.names_bound)]
    pen.names_bound = {**pen.names_bound, alias: plain}
    return replace(plain, alias=alias)


def last_atom(told: Pattern) -> Atom:
    """The atom whose event is `event` of the rule: the last one that is not a `no`."""
    part = [part for part in told.parts if not isinstance(part, Absent)][-1]
    atoms = atoms_of(part)
    return atoms[0] if len(atoms) == 1 else Atom(what="any")


def atoms_of(part: Part) -> tuple[Atom, ...]:
    """The atoms of one part."""
    match part:
        case AllOf(atoms=atoms) | AnyOf(atoms=atoms):
            return atoms
        case Atom():
            return (part,)
    return (part.atom,)


# ------------------------------------------------ rules and strategies


def record(pen: Pen, about: Atom) -> Record:
    """Data of a message written in place: a constant, and perhaps a text of the event."""
    entries: list[tuple[str, Expr | Record]] = [("url", text_of("/frontend/resources/own.html"))]
    if pen.flag():
        entries.append(("container", text(pen, about, guard=True)))
    return Record(entries=tuple(entries))


def attachment(pen: Pen, about: Atom) -> Record:
    """What `attach` carries, with a nested record."""
    function = pen.pick(("seen", "count"))
    inner = Record(entries=(("seen", aggregate(pen, function)),))
    reason: Expr = text_of("hesitant")
    if pen.flag():
        reason = text(pen, about, guard=True)
    return Record(entries=(("reason", reason), ("more", inner)))


def set_fact(pen: Pen, about: Atom) -> SetAction:
    """`set`, with a value of the fact's kind."""
    free = pen.flag()
    match pen.pick(("stage", "score", "vip", "since")):
        case "since":
            return SetAction(scope="visitor", fact="since", value=Clock(what="now"))
        case "score":
            value = number(pen, about, guard=True) if free else number_of(2)
            return SetAction(scope="visitor", fact="score", value=value)
        case "vip":
            return SetAction(scope="visitor", fact="vip", value=Constant(value=free, kind=BOOLEAN))
    value = text(pen, about, guard=True) if free else text_of(pen.pick(STAGES))
    return SetAction(scope="visit", fact="stage", value=value)


GUARDS = {
    "all": ("none", "none", "when", "unless", "both"),
    "patterns": ("none",),
    "guards": ("when", "unless"),
    "crowd": ("none", "none", "none", "unless"),
    "dated": ("none", "when"),
}


def send(pen: Pen, about: Atom) -> SendAction:
    """A message of the book, to the page or to every page."""
    every_page = pen.pick((False, False, False, True))
    match pen.pick(("AskChat", "AskGms", "AskChat", "Offer", "Banner")):
        case "Offer":
            given = text(pen, about, guard=True)
            return SendAction(message="Offer", arguments=(given,), every_page=every_page)
        case "Banner":
            length = number(pen, about, guard=True, deep=False)
            return SendAction(message="Banner", arguments=(length,), every_page=every_page)
        case plain:
            return SendAction(message=plain, every_page=every_page)


def rule(pen: Pen, about: Pattern, table: str | None = None) -> Rule:
    """A rule that sends, sets, or both; perhaps as the row of a table."""
    pen.names_bound = {
        part.alias: part for part in about.parts if isinstance(part, Atom) and part.alias
    }
    last = last_atom(about)
    does = pen.pick(("send", "send", "send", "send", "set", "both", "two"))
    sends: list[SendAction] = []
    if does != "set":
        sends.append(send(pen, last))
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
        table=table,
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


ACTIVE = (
    *(None, None, None),
    Active(since=DATES[0], until=DATES[0]),
    Active(since=DATES[1]),
    Active(until=DATES[1]),
)
AUDIENCES = (
    *(None, None, None, None),
    Audience(percent=50, experiment="first"),
    Audience(percent=50, experiment="third"),
    Audience(percent=100, experiment="all"),
    Audience(percent=0, experiment="none"),
)


def strategy(pen: Pen, name: str) -> Strategy:
    """A strategy, in a group or free; its second rule may wait for the same as its first."""
    told = [rule(pen, pattern(pen))]
    match pen.pick(("one", "two", "equal", "table")):
        case "two":
            told.append(rule(pen, pattern(pen)))
        case "equal":
            told.append(rule(pen, told[0].pattern))
        case "table":
            rows = pen.pick((told[0].pattern, told[0].pattern, pattern(pen)))
            told += [rule(pen, about, f"Rows of {name}") for about in (told[0].pattern, rows)]
    free = pen.temper in ("patterns", "guards", "dated")
    crowd = ("Invitations", "Invitations", None)
    return Strategy(
        name=name,
        group=None if free else pen.pick(crowd if pen.temper == "crowd" else (None, *GROUP_NAMES)),
        priority=pen.pick(PRIORITIES),
        hours=pen.pick((*HOURS, None) if pen.temper == "dated" else (None, None, None, *HOURS)),
        active=pen.pick(ACTIVE),
        audience=pen.pick(AUDIENCES),
        valid_for=pen.pick((30_000, 30_000, 5 * SECOND)),
        limits=_bounded if any(map(_endless, told)) else () if free else limits(pen),
        rules=tuple(told),
    )


_bounded = (Limit(count=3, scope="visitor"),)


def _endless(told: Rule) -> bool:
    """Could the rule go on for ever by itself: does a silence after a send complete it?"""
    *before, last = told.pattern.parts
    atoms = [one for part in before for one in atoms_of(part)]
    return isinstance(last, Absent) and any(one.what == "sent" for one in atoms)


def guarantees(pen: Pen) -> dict[str, Guarantee]:
    """None, or one or two behaviours that must not be seen."""
    names = pen.pick(((), (), ("Never",), ("Never", "Nor this")))
    return {
        name: Guarantee(name=name, enforced=pen.flag(), pattern=pattern(pen, guarantee=True))
        for name in sorted(names)
    }


def _bare(*names: str) -> Path:
    return Path(parts=names)


_TITLE = Compare(operator="has", left=_bare("title"), right=text_of("Phone"))
_QUERY = Compare(operator="=", left=_bare("query", "utm"), right=text_of("red"))
_DEAR = Compare(operator=">=", left=_bare("event", "price"), right=number_of(100))
CATEGORIES: dict[str, tuple[Expr, ...]] = {
    "Checkout": (Glob(pattern="/checkout/**"), Glob(pattern="/checkout"), _QUERY),
    "Products": (
        Glob(pattern="/products/*"),
        Glob(pattern="shop.example/**"),
        Or(items=(Glob(pattern="/products/**"), _TITLE)),
        And(items=(Not(item=Glob(pattern="/checkout/**")), _TITLE)),
        Compare(operator="matches", left=_bare("url"), right=text_of("products/[a-z]+$")),
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
        zone=pen.pick(ZONES),
        hours=HOURS,
        channels=CHANNELS,
        guarantees=guarantees(pen),
    )
