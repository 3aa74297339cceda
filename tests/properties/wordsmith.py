"""A book as text in the strategy language: the inverse of the parser, written by another hand.

It is careful and ugly where a formatter is kind: parentheses everywhere, one way to say a thing.
"""

from __future__ import annotations

import json

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
    Glob,
    Group,
    InCategories,
    Known,
    Limit,
    List,
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
    Strategy,
    Times,
    Window,
)


def render(book: Book) -> str:
    """The whole book as the text of one file (scenarios are left out)."""
    blocks = [
        *map(_event, book.events.values()),
        *map(_fact, book.facts.values()),
        *map(_category, book.categories.values()),
        *map(_group, book.groups.values()),
        *map(_message, book.messages.values()),
        *map(strategy, book.strategies.values()),
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
        words.append(f"= {_raw(fact.default)}")
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
    return f"message {message.name} is {message.channel} {_data(message.data)}"


def strategy(told: Strategy) -> str:
    """One strategy as its block."""
    lines = [f"strategy {text(told.name)}"]
    if told.description:
        lines.append(f"  description {text(told.description)}")
    if told.owner:
        lines.append(f"  owner {text(told.owner)}")
    if told.group is not None:
        lines.append(f"  group {told.group}")
    lines.append(f"  priority {_raw(told.priority)}")
    lines += [f"  {_limit(limit)}" for limit in told.limits]
    return "\n".join([*lines, *("\n" + _rule(rule) for rule in told.rules)])


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
    if action.message is not None:
        return action.message
    return f"{action.channel} {_data(action.data or Record(entries=()))}"


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
        case Atom():
            return _atom(part)


def _atom(atom: Atom) -> str:
    name = {"any": "any event", "sent": f"sent {_name(atom.name)}"}.get(atom.what, atom.name)
    if atom.categories:
        name += " in " + " or ".join(atom.categories)
    return name if atom.where is None else f"{name} where ({expression(atom.where)})"


def _name(name: str) -> str:
    return name if name.isidentifier() else text(name)


# ------------------------------------------------ conditions


def expression(tree: Expr) -> str:  # noqa: C901 - one line for each form
    """A condition or value, in parentheses wherever it is made of more than one word."""
    match tree:
        case Constant(value=raw):
            return duration(int(raw)) if tree.kind.word == "duration" else _raw(raw)
        case Path(parts=parts):
            return ".".join(parts)
        case Aggregate():
            return _aggregate(tree)
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
    plain = isinstance(tree, Constant | Path | Aggregate | Outside)
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
