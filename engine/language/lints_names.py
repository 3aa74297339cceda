"""Lints of names and places: what nothing uses, what nothing sends, what no address fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from engine.language import syntax
from engine.language.diagnostics import did_you_mean
from engine.language.lints_conditions import nodes_in
from engine.language.lints_globs import first_page_only, trouble
from engine.language.lints_notes import Notes
from engine.language.render import text, written
from engine.language.spelling import Words

_YEAR: Final = 366
_PATH_HOLE: Final = re.compile(r"\{((?:event|visit|visitor)\.[\w.]+)\}")
_HOLE: Final = re.compile(r"\{(\w+)\}")
_ANSWERS: Final = (
    "InvitationShown", "InvitationAccepted", "InvitationRejected", "InvitationTimedOut",
    "InteractionStarted", "InteractionEnded",
)  # fmt: skip


def _begun(asked: str, pattern: str, plain: str) -> str:
    """What ``asked = "Lis*"`` was meant to ask."""
    if pattern.startswith("*"):
        return f"{asked} {'has' if pattern.endswith('*') else 'ends with'} {plain}"
    return f"{asked} starts with {plain}"


class Declarations:
    """Looks at what a book declares, and whether anything comes of it."""

    def __init__(self, book: syntax.Book, notes: Notes) -> None:
        self._book = book
        self._notes = notes
        self._words: dict[str, Words] = {}
        tables = (
            book.categories, book.messages, book.strategies, book.guarantees, book.facts,
            book.events, book.scenarios,
        )  # fmt: skip
        self._nodes = list(nodes_in(tuple(one for table in tables for one in table.values())))
        acting = (*book.strategies.values(), *book.guarantees.values())
        self._acting = list(nodes_in(acting))

    @property
    def parts(self) -> int:
        """How many parts the tree of the book has."""
        return len(self._nodes)

    def check(self) -> None:
        """Note everything about declarations."""
        for node in self._nodes:
            if isinstance(node, syntax.Glob):
                self._glob(node)
                self._dotted(node)
            elif isinstance(node, syntax.Compare) and node.operator == "=":
                self._star(node)
                self._joined(node)
        for scenario in self._book.scenarios.values():
            self._scenario(scenario)
        for message in self._book.messages.values():
            self._message(message)
        self._filled_in()
        self._hours()
        self._sent()
        self._quoted_names()
        if self._book.strategies:  # without one it is a piece of a book
            self._unused()
            self._facts()

    # ------------------------------------------------- places and times

    def _glob(self, node: syntax.Glob) -> None:
        found = trouble(node.pattern)
        if found is not None:
            why, way = found
            self._notes.add("L420", node.span, said=node.pattern, why=why, way=way)
        elif first_page_only(node.pattern):
            self._notes.add("L421", node.span, said=node.pattern)

    def _dotted(self, node: syntax.Glob) -> None:
        """``/cart/.*``, as in a regular expression."""
        if ".*" not in node.pattern or trouble(node.pattern) is not None:
            return
        glob = text(node.pattern.replace(".*", "**" if node.pattern.endswith(".*") else "*"))
        said = text(node.pattern)
        self._notes.add("L428", node.span, said=node.pattern, glob=glob, said_text=said)

    def _message(self, message: syntax.Message) -> None:
        """Note parameters that nothing uses, and those that stand within a text."""
        inside = list(nodes_in(message.data))
        used = {n.parts[0] for n in inside if isinstance(n, syntax.Path)}
        for node in inside:
            texts = str(node.value) if isinstance(node, syntax.Constant) else ""
            for name in _HOLE.findall(texts):
                if name in message.parameters:
                    used.add(name)
                    self._notes.add("L427", node.span, said=f"{{{name}}}", word=name)
        for name in message.parameters:
            if name not in used:
                self._notes.add("L433", message.span, message=message.name, word=name)

    def _filled_in(self) -> None:
        """Note ``"From {event.price}"`` in what is sent."""
        for node in self._acting:
            if not isinstance(node, syntax.SendAction):
                continue
            for inner in nodes_in((node.arguments, node.data)):
                said = str(inner.value) if isinstance(inner, syntax.Constant) else ""
                for hole in _PATH_HOLE.findall(said):
                    self._notes.add("L427", inner.span, said=f"{{{hole}}}", word=hole)

    def _star(self, node: syntax.Compare) -> None:
        """``url = "/cart/**"``: the glob was meant, but `=` is about each sign."""
        path, value = node.left, node.right
        if not (isinstance(path, syntax.Path) and isinstance(value, syntax.Constant)):
            return
        pattern = str(value.value)
        if path.parts[-1] == "url" and path.parts[0] in ("url", "event") and "*" in pattern:
            why = "`=` compares sign by sign, and an address has no `*`"
            way = f"Write `url {text(pattern)}` in a category, without `=`."
            self._notes.add("L420", value.span, said=pattern, why=why, way=way)
        elif pattern.count("*") == pattern.startswith("*") + pattern.endswith("*") > 0:
            asked, plain = written(path), pattern.strip("*")
            if plain.isalnum():
                way = _begun(asked, pattern, text(plain))
                self._notes.add("L434", node.span, said=pattern, way=way)

    def _joined(self, node: syntax.Compare) -> None:
        """``event.category = "Checkout"``: the categories of an event are joined by `;`."""
        path, value = node.left, node.right
        if not (isinstance(path, syntax.Path) and isinstance(value, syntax.Constant)):
            return
        if path.parts == ("event", "category") and value.value in self._book.categories:
            word = str(value.value)
            self._notes.add("L429", node.span, said=written(node), category=word)

    def _hours(self) -> None:
        for hours in self._book.hours.values():
            for opened in hours.open:
                if opened.start == opened.end != 0:
                    clock = f"{opened.start // 60:02}:{opened.start % 60:02}"
                    self._notes.add("L422", opened.span, clock=clock)
        for strategy in self._book.strategies.values():
            if strategy.hours is not None and strategy.active is not None:
                self._never_open(strategy.active, self._book.hours[strategy.hours])

    def _never_open(self, active: syntax.Active, hours: syntax.Hours) -> None:
        if active.since is None or active.until is None:
            return
        first, last = date.fromisoformat(active.since), date.fromisoformat(active.until)
        # Hours that pass midnight or are in another zone reach a day that has another date there.
        zone = hours.zone or self._book.zone
        over = zone != self._book.zone or any(o.end <= o.start for o in hours.open)
        first, days = first - timedelta(days=over), (last - first).days + 1 + 2 * over
        open_days = {day for opened in hours.open for day in opened.days}
        if days <= _YEAR and not any(
            day.weekday() in open_days and day.isoformat() not in hours.closed
            for day in (first + timedelta(days=n) for n in range(days))
        ):
            self._notes.add("L423", active.span, hours=hours.name)

    def _scenario(self, scenario: syntax.Scenario) -> None:
        expected = (
            syntax.ExpectSent, syntax.ExpectNothing, syntax.ExpectFact, syntax.ExpectRefused
        )  # fmt: skip
        if not any(isinstance(step, expected) for step in scenario.steps):
            self._notes.add("L424", scenario.span, word=scenario.name)

    # ------------------------------------------------- what is sent

    def _sent(self) -> None:
        """Note ``sent NAME`` of what nothing sends."""
        sending = {
            name
            for strategy in self._book.strategies.values()
            for rule in strategy.rules
            for send in rule.sends
            for name in (strategy.name, strategy.group, send.message)
        }
        for node in self._acting:
            if isinstance(node, syntax.Atom) and node.what == "sent" and node.name not in sending:
                self._notes.add("L425", node.span, word=node.name)

    def _quoted_names(self) -> None:
        """Note names in quotes, after ``event.group`` and its like, that nothing bears."""
        for node in self._acting:
            if isinstance(node, syntax.Atom) and (node.what == "sent" or node.name in _ANSWERS):
                for inner in nodes_in(node.where):
                    self._quoted(inner)

    def _quoted(self, node: Any) -> None:
        tables: dict[str, Mapping[str, object]] = {
            "group": self._book.groups,
            "strategy": self._book.strategies,
            "message": self._book.messages,
        }
        for path, value in _equals(node):
            if path.parts[0] != "event" or path.parts[-1] not in tables or len(path.parts) != 2:
                continue
            what, word = path.parts[1], str(value.value)
            if word not in tables[what]:
                near = self._near(word, what, tables[what])
                said = written(path)
                self._notes.add("L426", value.span, what=what, word=word, said=said, nearest=near)

    def _near(self, word: str, what: str, known: Mapping[str, object]) -> Callable[[], str]:
        words = self._words.setdefault(what, Words(lambda: known))
        return lambda: did_you_mean(words.nearest(word))

    # ------------------------------------------------- what is used

    def _unused(self) -> None:
        used = _Used(self._nodes, self._acting)
        book = self._book
        looked: tuple[tuple[str, Mapping[str, Any], set[str]], ...] = (
            ("category", book.categories, used.categories),
            ("group", book.groups, used.groups),
            ("message", book.messages, used.messages),
            ("hours", book.hours, used.hours),
            ("channel", book.channels, used.channels),
            ("medium", book.media, used.media),
        )
        for what, table, names in looked:
            for name, declaration in table.items():
                if name not in names:
                    self._notes.add("L430", declaration.span, what=what, word=name)
        for event in book.events.values():
            told = event.description or event.captures or used.any_event
            if event.name not in used.events and not told:
                self._notes.add("L430", event.span, what="event", word=event.name)

    def _facts(self) -> None:
        paths = {node.parts for node in self._nodes if isinstance(node, syntax.Path)}
        sets = {(n.scope, n.fact) for n in self._nodes if isinstance(n, syntax.SetAction)}
        for key, fact in self._book.facts.items():
            word = ".".join(key)
            fed = key in sets or bool(fact.sources)
            if key not in paths and not fed:
                self._notes.add("L430", fact.span, what="fact", word=word)
            elif key not in paths:
                self._notes.add("L431", fact.span, word=word)
            elif not fed:
                self._notes.add("L432", fact.span, word=word, value=_default(fact))


class _Used:
    """The names that anything in a book uses."""

    def __init__(self, nodes: list[Any], acting: list[Any]) -> None:
        self.any_event = any(isinstance(n, syntax.Atom) and n.what == "any" for n in acting)
        texts = {str(n.value) for n in nodes if isinstance(n, syntax.Constant)}
        self.categories = {name for node in nodes for name in _categories(node)}
        if any(isinstance(n, syntax.Path) and n.parts[-1] == "category" for n in nodes):
            # Whoever asks for the joined categories may mean any of them.
            self.categories |= {n.name for n in nodes if isinstance(n, syntax.Category)}
        sent = {n.name for n in acting if isinstance(n, syntax.Atom) and n.what == "sent"}
        sends = [n for n in nodes if isinstance(n, syntax.SendAction)]
        self.groups = sent | {n.group for n in acting if isinstance(n, syntax.Strategy) and n.group}
        self.messages = sent | {n.message for n in sends if n.message is not None}
        self.hours = {
            n.hours for n in nodes if isinstance(n, syntax.Strategy | syntax.InHours) and n.hours
        }
        self.channels = {n.channel for n in nodes if isinstance(n, syntax.Message)}
        self.channels |= {n.channel for n in sends}
        self.media = texts | {n.argument for n in nodes if isinstance(n, syntax.Outside)}
        self.events = {n.name for n in nodes if isinstance(n, syntax.Atom)}
        self.events |= {n.event for n in nodes if isinstance(n, syntax.Happens)}
        self.events |= {s for n in nodes if isinstance(n, syntax.Fact) for s in n.sources}
        self.events |= texts  # `event.eventName = "Order"`


def _categories(node: Any) -> tuple[str, ...]:
    return node.categories if isinstance(node, syntax.Atom | syntax.InCategories) else ()


def _equals(node: Any) -> Iterator[tuple[syntax.Path, syntax.Constant]]:
    match node:
        case syntax.Compare(
            operator="=" | "!=", left=syntax.Path() as path, right=syntax.Constant() as value
        ):
            yield path, value
        case syntax.Among(item=syntax.Path() as path, values=values):
            yield from ((path, value) for value in values if isinstance(value, syntax.Constant))
        case _:
            pass


def _default(fact: syntax.Fact) -> str:
    if fact.default is None:
        return "missing"
    return written(syntax.Constant(value=fact.default, kind=fact.kind))
