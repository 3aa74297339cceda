"""A book as text in the strategy language: the inverse of the parser, written by another hand.

It is careful and ugly where a formatter is kind: parentheses everywhere, one way to say a thing.
"""

from __future__ import annotations

import json

from engine.language.syntax import (
    Absent,
    Aggregate,
    AllOf,
    Among,
    And,
    AnyOf,
    Arithmetic,
    Atom,
    Book,
    Category,
    Clock,
    Compare,
    Constant,
    EventDeclaration,
    Expr,
    Fact,
    Glob,
    Group,
    Guarantee,
    Hours,
    InCategories,
    InHours,
    Known,
    Limit,
    List,
    Message,
    Not,
    Or,
    Outside,
    OwnChannel,
    Part,
    Path,
    Pattern,
    Record,
    Rule,
    SendAction,
    Strategy,
    Times,
    Window,
)
from engine.vocabulary.kinds import TIME


def render(book: Book) -> str:
    """The whole book as the text of one file (scenarios are left out)."""
    blocks = [
        f"zone {text(book.zone)}",
        *map(_hours, book.hours.values()),
        *map(_channel, book.channels.values()),
        *map(_event, book.events.values()),
        *map(_fact, book.facts.values()),
        *map(_category, book.categories.values()),
        *map(_group, book.groups.values()),
        *map(_message, book.messages.values()),
        *map(strategy, book.strategies.values()),
        *(_table(told, name) for told in book.strategies.values() for name in _tables(told)),
        *map(_guarantee, book.guarantees.values()),
    ]
    return "\n\n".join(blocks) + "\n"


def duration(milliseconds: int) -> str:
    """`90 s`: in the largest unit that gives a whole number."""
    units = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1))
    return next(f"{milliseconds // size} {u}" for u, size in units if milliseconds % size == 0)


def text(raw: str) -> str:
    """A text in quotes, escaped as in JSON."""
    return json.dumps(raw, ensure_ascii=False)


# ------------------------------------------------ declarations


def _event(event: EventDeclaration) -> str:
    head = f"event {event.name}" + (f" {text(event.description)}" if event.description else "")
    return "\n".join([head, *(f"  {'.'.join(f.path)} {f.kind}" for f in event.fields)])


def _fact(fact: Fact) -> str:
    words = [f"fact {fact.scope}.{fact.name} {fact.kind}"]
    if fact.default is not None:
        default = _raw(fact.default)
        words.append(f"= {fact.default if fact.kind == TIME else default}")
    if fact.sources:
        words.append("from " + ", ".join(fact.sources))
    return " ".join(words)


def _category(category: Category) -> str:
    return f"category {category.name} is {expression(category.condition)}"


def _group(group: Group) -> str:
    head = f"group {group.name}" + (f" {text(group.description)}" if group.description else "")
    lines = [head]
    if group.one_at_a_time:
        lines.append("  one at a time")
    return "\n".join([*lines, *(f"  {_limit(limit)}" for limit in group.limits)])


def _limit(limit: Limit) -> str:
    if limit.duration is None:
        return f"limit {limit.count} per {limit.scope}"
    per = "" if limit.scope == "visitor" else f" per {limit.scope}"
    return f"limit {limit.count} in {duration(limit.duration)}{per}"


def _message(message: Message) -> str:
    parameters = f"({', '.join(message.parameters)})" if message.parameters else ""
    return f"message {message.name}{parameters} is {message.channel} {_data(message.data)}"


def _channel(channel: OwnChannel) -> str:
    fields = ", ".join(f"{name}: {kind}" for name, kind in channel.fields)
    return f"channel {channel.name} {{ {fields} }}"


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _hours(hours: Hours) -> str:
    spans = []
    for opening in hours.open:
        first, last = DAYS[opening.days[0]], DAYS[opening.days[-1]]
        days = first if first == last else f"{first}-{last}"
        times = [f"{minute // 60:02}:{minute % 60:02}" for minute in (opening.start, opening.end)]
        spans.append(f"{days} {times[0]}-{times[1]}")
    words = [f"hours {hours.name} is {', '.join(spans)}"]
    if hours.zone is not None:
        words.append(f"in {text(hours.zone)}")
    if hours.closed:
        words.append(f"except {', '.join(hours.closed)}")
    return " ".join(words)


def _guarantee(told: Guarantee) -> str:
    enforced = " enforced" if told.enforced else ""
    return f"guarantee {text(told.name)}{enforced} never ({_pattern(told.pattern)})"


def _tables(told: Strategy) -> list[str]:
    return list(dict.fromkeys(rule.table for rule in told.rules if rule.table is not None))


def _table(told: Strategy, name: str) -> str:
    """Every row in full: a column for each clause that some row has."""
    rows = [dict(_cells(rule)) for rule in told.rules if rule.table == name]
    heads = sorted({head for row in rows for head in row}, key=_place)
    lines = [f"table {text(name)} for strategy {text(told.name)}"]
    lines.append("  " + " | ".join(head.split("#")[0] for head in heads))
    lines += ["  " + " | ".join(row.get(head, "-") for head in heads) for row in rows]
    return "\n".join(lines)


def _place(head: str) -> tuple[int, str]:
    return ("on", "when", "unless", "send", "attach", "set").index(
        head.split()[0].split("#")[0]
    ), head


def _cells(rule: Rule) -> list[tuple[str, str]]:
    cells = [("on ?", _pattern(rule.pattern))]
    cells += [("when ?", expression(rule.when))] if rule.when is not None else []
    cells += [("unless ?", expression(rule.unless))] if rule.unless is not None else []
    cells += [(f"send#{k}", _send(action)) for k, action in enumerate(rule.sends)]
    cells += [("attach", _data(rule.attach))] if rule.attach is not None else []
    return cells + [(f"set {s.scope}.{s.fact}", expression(s.value)) for s in rule.sets]


def strategy(told: Strategy) -> str:
    """One strategy as its block, without the rows of its tables."""
    lines = [f"strategy {text(told.name)}"]
    if told.description:
        lines.append(f"  description {text(told.description)}")
    if told.owner:
        lines.append(f"  owner {text(told.owner)}")
    if told.group is not None:
        lines.append(f"  group {told.group}")
    lines.append(f"  priority {_raw(told.priority)}")
    if told.hours is not None:
        lines.append(f"  hours {told.hours}")
    if told.active is not None:
        days = (("from", told.active.since), ("until", told.active.until))
        lines.append("  active " + " ".join(f"{word} {day}" for word, day in days if day))
    if told.audience is not None:
        share = f"{told.audience.percent:g}%"
        lines.append(f"  audience {share} of {text(told.audience.experiment)}")
    if told.valid_for != 30_000:
        lines.append(f"  valid for {duration(told.valid_for)}")
    lines += [f"  {_limit(limit)}" for limit in told.limits]
    rules = [rule for rule in told.rules if rule.table is None]
    return "\n".join([*lines, *("\n" + _rule(rule) for rule in rules)])


def _rule(rule: Rule) -> str:
    lines = [f"  on {_pattern(rule.pattern)}"]
    if rule.when is not None:
        lines.append(f"    when {expression(rule.when)}")
    if rule.unless is not None:
        lines.append(f"    unless {expression(rule.unless)}")
    lines += [f"    send {_send(action)}" for action in rule.sends]
    if rule.attach is not None:
        lines.append(f"    attach {_data(rule.attach)}")
    lines += [f"    set {s.scope}.{s.fact} = {expression(s.value)}" for s in rule.sets]
    return "\n".join(lines)


def _send(action: SendAction) -> str:
    to = " to every page" if action.every_page else ""
    if action.message is None:
        return f"{action.channel} {_data(action.data or Record(entries=()))}{to}"
    given = ", ".join(map(expression, action.arguments))
    return action.message + (f"({given})" if given else "") + to


# ------------------------------------------------ behaviour


def _pattern(pattern: Pattern) -> str:
    said = ""
    for part in pattern.parts:
        if isinstance(part, Absent) and part.same_page:
            said += f", stays {duration(part.duration)}"
        else:
            said += (", then " if said else "") + _part(part)
    if pattern.within is not None:
        said += f", within {duration(pattern.within)}"
    # `per visit` is the default.
    return said + ("" if pattern.per == "visit" else f", per {pattern.per}")


def _part(part: Part) -> str:
    match part:
        case Times(count=count, atom=atom):
            return f"{count} times {_atom(atom)}"
        case Absent(atom=atom, duration=length):
            return f"no {_atom(atom)} for {duration(length)}"
        case AllOf(atoms=atoms):
            return f"all of ({', '.join(map(_atom, atoms))})"
        case AnyOf(atoms=atoms):
            return f"any of ({', '.join(map(_atom, atoms))})"
        case Atom():
            return _atom(part)


def _atom(atom: Atom) -> str:
    name = {"any": "any event", "sent": f"sent {_name(atom.name)}"}.get(atom.what, atom.name)
    if atom.categories:
        name += " in " + " or ".join(atom.categories)
    where = "" if atom.where is None else f" where ({expression(atom.where)})"
    return name + where + (f" as {atom.alias}" if atom.alias else "")


def _name(name: str) -> str:
    return name if name.isidentifier() else text(name)


# ------------------------------------------------ conditions


def expression(tree: Expr) -> str:  # noqa: C901 - one line for each form
    """A condition or value, in parentheses wherever it is made of more than one word."""
    match tree:
        case Constant(value=str(raw), kind=kind) if kind == TIME:
            return raw
        case Clock(what=what):
            return what
        case InHours(hours=name):
            return f"now in {name}"
        case Constant(value=raw):
            return duration(int(raw)) if tree.kind.word == "duration" else _raw(raw)
        case Path(parts=parts):
            return ".".join(parts)
        case Aggregate():
            return _aggregate(tree)
        case Outside(name="pacing admits", argument=argument):
            return f"pacing admits {text(argument)}"
        case Outside(name=name, argument=argument):
            return f"{name}({text(argument)})"
        case Compare(operator=operator, left=left, right=right):
            return f"{_inner(left)} {operator} {_inner(right)}"
        case Among(item=item, values=values):
            return f"{_inner(item)} in ({', '.join(map(_inner, values))})"
        case InCategories(categories=names):
            return f"event in ({', '.join(names)})"
        case Known(item=item, known=known):
            return f"{_inner(item)} is {'known' if known else 'missing'}"
        case Glob(pattern=pattern):
            return f"url {text(pattern)}"
        case Arithmetic(operator=operator, left=left, right=right):
            return f"{_inner(left)} {operator} {_inner(right)}"
        case Not(item=item):
            return f"not ({expression(item)})"
        case And(items=items):
            return " and ".join(map(_inner, items))
        case Or(items=items):
            return " or ".join(map(_inner, items))


def _inner(tree: Expr) -> str:
    plain = isinstance(tree, Constant | Path | Aggregate | Clock)
    plain = plain or (isinstance(tree, Outside) and tree.name != "pacing admits")
    return expression(tree) if plain else f"({expression(tree)})"


def _aggregate(call: Aggregate) -> str:
    about = _atom(call.atom)
    if call.field:
        # `latest(A.field, W)`: the field follows the name of the event.
        about = _atom(call.atom).replace(
            call.atom.name, f"{call.atom.name}.{'.'.join(call.field)}", 1
        )
    window = f", {_window(call.window)}" if call.window is not None else ""
    return f"{call.function}({about}{window})"


def _window(window: Window) -> str:
    match window.reach:
        case "last":
            return f"last {duration(window.duration)}"
        case "ever":
            return "ever"
        case reach:
            return f"this {reach}"


def _raw(raw: object) -> str:
    return json.dumps(raw, ensure_ascii=False)


def _data(tree: Record | List | Expr) -> str:
    match tree:
        case Record(entries=entries):
            return "{ " + ", ".join(f"{key}: {_data(inner)}" for key, inner in entries) + " }"
        case List(items=items):
            return f"[{', '.join(map(_data, items))}]"
        case _:
            return expression(tree)
