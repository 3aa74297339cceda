"""What one visitor can cost: the bytes of memory at the very most, and as a rule.

Strategies use bounded memory for each visitor; here is how much. The figure is the length of the
visitor's *document* as a host stores it, as JSON and before any compression. Counted are

* the memory of the rules: facts, open visits and pages, how far each pattern has come with the
  events that it keeps, what aggregates keep, silences that run, and the log of what was sent;
* what the host keeps beside it (``Beside``): the book's own messages that wait for a page, the ids
  that it knows again, the connected pages.

Not counted are the journal, which is history and not memory, what other systems push, and what an
earlier version of the book has left: its facts, and its sends in the log.

How it is counted. From what the book means, not from how memory is laid out: a position of a
pattern, an entry of an aggregate or a send has a frame (its names, numbers and brackets, rounded
up), and in it stand values of which only the size is known: an event, an id, a text. ``Limits`` has
these sizes, and how often each thing can be there. The same count is done twice:

* ``AT_MOST`` is what the door and the runtime let through: 50 visits of 100 pages, 1,000 sends and
  messages, 1,000 entries in a rolling window, events of 32 kB. Every event is one that nobody sends
  but to do harm, and all maxima are reached together. So no visitor is ever larger, and hardly
  one comes near: the figure is there to see what a stranger could make of a book.
* ``AS_A_RULE`` is a visitor who has met one strategy, the costliest of the book: one visit with one
  open page; each of its patterns standing at each of its positions, one entry in each of its
  aggregates, one message of it in the log, which has arrived; a value in each fact of the book.
  Events of 250 bytes, texts of 30, ids of 32.

A byte of an event can become six in the store: a host may write JSON in ASCII, where the letter of
one byte that is no printable one is written ``\\u007f``. Of longer letters each byte becomes
three at most, numbers such as ``1e15`` become four times as long. A message is JSON in JSON; what
is escaped twice was escaped when it arrived, and does not become more than six times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from engine.language import syntax
from engine.language.render import written
from engine.runtime.aggregates import aggregates_in
from engine.runtime.kept import WHERE, Reads, reads_of
from engine.runtime.sizes import (
    AS_A_RULE,
    AT_MOST,
    About,
    Limits,
    Sizes,
    about_of,
    text,
)
from engine.runtime.watchers import ends_in_silence
from engine.vocabulary.channels import CHANNELS
from engine.vocabulary.kinds import TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a host keeps beside the memory of the rules.

    ``messages`` that wait for a page at most, and the bytes of one without its text; ``usual`` and
    ``most`` are the bytes of the rest.
    """

    messages: int
    message: int
    usual: int
    most: int


NOTHING_BESIDE: Final = Beside(messages=0, message=0, usual=0, most=0)

Owner = Literal["rule", "guarantee", "fact", "book"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one part of the book adds: ``what`` is the rest of a sentence that begins with it.

    ``name`` is that of the strategy, guarantee or fact. What several rules share is the first's.
    """

    owner: Owner
    name: str
    what: str
    usual: int
    most: int
    span: syntax.Span

    def __str__(self) -> str:
        match self.owner:
            case "rule":
                return f'"{self.name}" {self.what}'
            case "guarantee":
                return f'the guarantee "{self.name}" {self.what}'
            case "fact":
                return f"`{self.name}` {self.what}"
        return self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The bytes of one visitor as a rule and at most, and the shares, the largest first.

    ``most`` is the sum of the shares; ``usual`` has those of one strategy only.
    """

    usual: int
    most: int
    shares: tuple[Share, ...]


def bound(
    book: syntax.Book,
    beside: Beside = NOTHING_BESIDE,
    *,
    usual: Limits = AS_A_RULE,
    most: Limits = AT_MOST,
) -> Bound:
    """Count a checked book. Pure; no visitor of whatever events is stored in more than ``most``.

    The limits are those of the door and the runtime unless a smaller world is asked for.
    """
    low = _Count(book, usual).parts(beside.usual, 0, beside.message)
    high = _Count(book, most).parts(beside.most, beside.messages, beside.message)
    shares = [
        Share(
            owner=part.owner,
            name=part.name,
            what=part.what,
            usual=less.bytes,
            most=part.bytes,
            span=part.span,
        )
        for less, part in zip(low, high, strict=True)
    ]
    shares.sort(key=lambda share: -share.most)
    return Bound(
        usual=_usual(shares),
        most=sum(share.most for share in shares),
        shares=tuple(share for share in shares if share.most),
    )


def _usual(shares: Sequence[Share]) -> int:
    """What every visitor costs, and one strategy or guarantee: the costliest."""
    whole: dict[tuple[str, str], int] = {}
    for share in shares:
        key = ("", "") if share.owner in ("book", "fact") else (share.owner, share.name)
        whole[key] = whole.get(key, 0) + share.usual
    return whole.pop(("", ""), 0) + max(whole.values(), default=0)


# ---------------------------------------------------------------- counting

# Frames: names, numbers, brackets and commas around the values of a record, rounded up.
_VISITOR: Final = 240
_VISIT: Final = 220
_PAGE: Final = 70
_SENT: Final = 340
_EVENT: Final = 260
_CHAIN: Final = 40
_STATE: Final = 40
_TIMER: Final = 60
_GATHERED: Final = 12
_REGISTER: Final = 60
_ENTRY: Final = 4
_WIRE: Final = 60
_NO_CHAIN: Final = 5
_TRUTH: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    owner: Owner
    name: str
    what: str
    bytes: int
    span: syntax.Span = syntax.NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sender:
    """A rule that sends: the bytes of its largest entry in the log, and of its messages."""

    strategy: str
    span: syntax.Span
    attached: bool
    sent: int
    messages: tuple[int, ...]


class _Count:
    """One count of one book under some limits."""

    def __init__(self, book: syntax.Book, limits: Limits) -> None:
        self._book = book
        self._limits = limits
        self._sizes = Sizes(book, limits)
        self._places = {
            "visitor": 1,
            "visit": limits.visits,
            "page": limits.visits * limits.pages,
        }

    def parts(self, beside: int, waiting: int, message: int) -> list[_Part]:
        """Everything that is remembered, in the order of the book."""
        found = [self._every_book(beside), *self._facts()]
        registers: set[object] = set()
        senders = []
        for name, strategy in self._book.strategies.items():
            for rule, reads in zip(strategy.rules, reads_of(self._book, strategy), strict=True):
                found.append(self._pattern(rule, reads, "rule", name))
                found += self._registers(name, rule, registers)
                if rule.sends:
                    senders.append(self._sender(strategy, rule))
        for name, guarantee in self._book.guarantees.items():
            reads = Reads(self._book, [guarantee])
            found.append(self._pattern(guarantee, reads, "guarantee", name))
        return [*found, *self._log(senders), *self._outbox(senders, waiting, message)]

    # ------------------------------------------------------------ what every book costs

    def _every_book(self, beside: int) -> _Part:
        limits = self._limits
        visit = _VISIT + limits.id + limits.pages * (_PAGE + limits.id)
        return _Part(
            owner="book",
            name="",
            what=f"{_counted(limits.visits, 'visit')} of {_counted(limits.pages - 1, 'open page')}",
            bytes=_VISITOR + limits.id + len(self._book.version) + limits.visits * visit + beside,
        )

    def _facts(self) -> Iterator[_Part]:
        sets: dict[tuple[str, str], list[syntax.Expr]] = {}
        for strategy in self._book.strategies.values():
            for rule in strategy.rules:
                for action in rule.sets:
                    sets.setdefault((action.scope, action.fact), []).append(action.value)
        for key, fact in self._book.facts.items():
            values = sets.get(key, [])
            size = self._fact(fact, values) if values or fact.sources else 0
            times = self._places[fact.scope]
            yield _Part(
                owner="fact",
                name=".".join(key),
                what=f"keeps a {fact.kind}{self._for_each(fact.scope)}",
                bytes=times * (text(fact.name) + 2 + size) if size else 0,
                span=fact.span,
            )

    def _fact(self, fact: syntax.Fact, values: Sequence[syntax.Expr]) -> int:
        plain = [value for value in values if isinstance(value, syntax.Constant)]
        if fact.kind == TEXT and not fact.sources and len(plain) == len(values):
            return max((text(value.value) for value in plain), default=0)
        return self._sizes.of_kind(fact.kind, made=True)

    # ------------------------------------------------------------ patterns

    def _pattern(
        self, rule: syntax.Rule | syntax.Guarantee, reads: Reads, owner: Owner, name: str
    ) -> _Part:
        pattern = rule.pattern
        size = self._positions(pattern, reads)
        if size:
            size += _STATE * len(pattern.parts)
            size += (_TIMER + 2 * self._limits.id) * _silences(pattern)
        keeps = "keeps events" if _keeps_events(pattern) else "is on its way"
        what = f"{keeps}{self._for_each(pattern.per)}"
        return _Part(
            owner=owner,
            name=name,
            what=what,
            bytes=size * self._places[pattern.per],
            span=rule.span,
        )

    def _positions(self, pattern: syntax.Pattern, reads: Reads) -> int:
        """The bytes of all chains of one place.

        A chain has the events that ``as`` has bound, and the last one where a silence follows: of
        each what the rule reads of it.
        """
        parts = list(_unrolled(pattern))
        size = named = chain = 0
        for k, part in enumerate(parts):
            last = k == len(parts) - 1
            size += _NO_CHAIN if len(parts) > 1 else 0
            if isinstance(part, syntax.Absent):
                # The one that waits, and the one that was held.
                size += chain * (1 if last else 2)
                continue
            if isinstance(part, syntax.AllOf):
                size += len(part.atoms) * (_GATHERED + _CHAIN + named)
            if isinstance(part, syntax.Atom) and part.alias is not None:
                named += text(part.alias) + 2
                named += self._sizes.kept(part, reads.bound(part.alias))
            chain = _CHAIN + named
            if not last and isinstance(parts[k + 1], syntax.Absent):
                kept = reads.event() if ends_in_silence(parts, k) else WHERE
                chain += self._sizes.kept(part, kept)
            size += 0 if last else chain
        return size

    # ------------------------------------------------------------ aggregates

    def _registers(self, name: str, rule: syntax.Rule, known: set[object]) -> Iterator[_Part]:
        messages = tuple(self._book.messages[send.message] for send in rule.sends if send.message)
        for node in aggregates_in((rule, messages)):
            reach = node.window.reach if node.window else "ever"
            place = reach if reach in ("visit", "page") else "visitor"
            keeps = _keeps(node, reach)
            key = (keeps, node.atom, node.field, place)
            if node.atom.what == "sent" or key in known:
                continue
            known.add(key)
            entries = self._limits.kept if keeps in ("times", "values") else 1
            size = _REGISTER + text(".".join(node.field)) + entries * self._entry(keeps, node)
            said = "" if entries == 1 else f"{entries:,} entries for "
            yield _Part(
                owner="rule",
                name=name,
                what=f"keeps {said}`{written(node)}`{self._for_each(place)}",
                bytes=size * self._places[place],
                span=rule.span,
            )

    def _entry(self, keeps: str, node: syntax.Aggregate) -> int:
        number = self._limits.number
        match keeps:
            case "count" | "last" | "times":
                return _ENTRY + number
            case "latest":
                return 16 + number + self._sizes.field((node.atom,), node.field)
            case "values":
                return _ENTRY + 2 * number
        return _ENTRY + self._limits.made + number

    # ------------------------------------------------------------ sends

    def _sender(self, strategy: syntax.Strategy, rule: syntax.Rule) -> _Sender:
        about = about_of(rule)
        attach = self._sizes.value(rule.attach, about) if rule.attach else 2
        messages = []
        answerable = False
        for send in rule.sends:
            given: dict[str, int] = {}
            data, channel = send.data, send.channel
            if send.message is not None:
                message = self._book.messages[send.message]
                sizes = [self._sizes.value(argument, about) for argument in send.arguments]
                given = dict(zip(message.parameters, sizes, strict=True))
                data, channel = message.data, message.channel
            inside = About(event=about.event, names=about.names, given=given)
            size = self._sizes.value(data, inside) + text(channel) + _WIRE + self._limits.id
            answerable = answerable or (channel in CHANNELS and CHANNELS[channel].answerable)
            messages.append(size + self._identity(strategy.name))
        frame = _SENT + 3 * self._limits.id + 2 * self._sizes.name + self._limits.outside
        return _Sender(
            strategy=strategy.name,
            span=rule.span,
            attached=answerable and rule.attach is not None,
            sent=frame + 2 * text(strategy.name) + (attach if answerable else 4),
            messages=tuple(messages),
        )

    def _identity(self, strategy: str) -> int:
        return self._limits.id + text(strategy) + 20

    def _log(self, senders: Sequence[_Sender]) -> Iterator[_Part]:
        """The log is full of the largest entries that there can be."""
        left, taken = self._limits.sends, dict.fromkeys(range(len(senders)), 0)
        strategies: set[str] = set()
        for place in sorted(taken, key=lambda place: -senders[place].sent):
            if senders[place].strategy not in strategies:
                strategies.add(senders[place].strategy)
                taken[place] = min(self._limits.each, left)
                left -= taken[place]
        for place, sender in enumerate(senders):
            messages = _counted(taken[place], "message")
            attaches = f"attaches data to {messages}"
            yield _Part(
                owner="rule",
                name=sender.strategy,
                what=attaches if sender.attached else f"leaves {messages} in the log",
                bytes=taken[place] * sender.sent,
                span=sender.span,
            )

    def _outbox(self, senders: Sequence[_Sender], waiting: int, frame: int) -> Iterator[_Part]:
        """Messages that wait: the largest as often as there is room, and what one moment adds."""
        every = [max(sender.messages, default=0) for sender in senders]
        largest = max(range(len(every)), key=lambda place: every[place], default=None)
        for place, sender in enumerate(senders):
            times = waiting if place == largest else 0
            added = sum(frame + size for size in sender.messages) if waiting else 0
            yield _Part(
                owner="rule",
                name=sender.strategy,
                what=f"may have {_counted(max(times, 1), 'message')} waiting for a page",
                bytes=times * (frame + every[place]) + added,
                span=sender.span,
            )

    def _for_each(self, place: str) -> str:
        match place:
            case "visit":
                return f" for each of {_counted(self._places['visit'], 'visit')}"
            case "page":
                return f" for each of {_counted(self._places['page'], 'page')}"
        return ""


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _keeps(node: syntax.Aggregate, reach: str) -> str:
    """What an aggregate must keep of its events; see aggregates.py."""
    if node.function == "latest":
        return "latest"
    if node.field:
        return "values" if reach == "last" else node.function
    if node.function == "since" or (node.function == "seen" and reach == "last"):
        return "last"
    return "times" if reach == "last" else "count"


def _unrolled(pattern: syntax.Pattern) -> Iterator[syntax.Part]:
    for part in pattern.parts:
        if isinstance(part, syntax.Times):
            yield from [part.atom] * part.count
        else:
            yield part


def _keeps_events(pattern: syntax.Pattern) -> bool:
    named = any(isinstance(part, syntax.Atom) and part.alias for part in pattern.parts)
    return named or any(isinstance(part, syntax.Absent) for part in pattern.parts)


def _silences(pattern: syntax.Pattern) -> int:
    return sum(isinstance(part, syntax.Absent) for part in pattern.parts)
