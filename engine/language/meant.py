"""What a name that means nothing where it stands was probably meant to be: the way out in words.

The names of the whole book are known here, so that `on Booking` can say that this is a category,
and `price > 5` that the event has such a field. Every answer is a sentence, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.language import syntax
from engine.language.names import BUILT_IN, Names
from engine.language.spelling import nearest
from engine.language.tree import SCOPES
from engine.vocabulary.events import SYSTEM_EVENTS

_ROOTS: Final = SCOPES | dict.fromkeys(("evt", "e", "this", "data"), "event")
_TRUTHS: Final = {"yes": "true", "no": "false", "true": "true", "false": "false"}
_EVENTS: Final = {
    "PageEntered": "pageview pageviewed pageviews pageloaded pageload pageopened pagevisited load "
    "enter entered visit visited pageenter pageopen open view navigate",
    "PageExited": "pageclosed pageleft pageexit leave left exit close unload pageleave",
    "SignIn": "login loggedin logon signedin signin userloggedin",
    "SignOut": "logout loggedout logoff signedout signout",
    "VisitStarted": "visitstart sessionstarted sessionstart start",
    "InvitationAccepted": "accepted accept",
    "InvitationRejected": "rejected reject declined closed dismissed",
}
_SAID: Final = {said: event for event, ways in _EVENTS.items() for said in ways.split()}
_FILLERS: Final = ("the", "a", "an", "and", "then", "later", "also", "now")
_HOW_OFTEN: Final = ("once", "twice", "thrice", "exactly", "only")
_WORDS_OF_STEPS: Final = ("else", "visitor", "expect", "given", "after", "leaves", "returns")
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS: Final = {
    day
    for short, rest in zip(
        _DAYS, ("day", "sday", "nesday", "rsday", "day", "urday", "day"), strict=True
    )
    for day in (short.lower(), short.lower() + rest)
}
_HOURS: Final = "Declare `hours`, and write `now in` their name."
_AGENTS: Final = 'Write `agents.ready("chat")`, which is a number.'
_CLOCKS: Final = {
    "today": "Write `now`, and compare it with a date.", "date": "Write `now`.",
    "hour": _HOURS, "time": _HOURS, "clock": _HOURS, "agents": _AGENTS, "agent": _AGENTS,
}  # fmt: skip
_WEEKEND: Final = 'Write `weekday in ("Sat", "Sun")`.'


class Meant:
    """Guesses by the names of one book."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def event(self, name: str, *, told: bool = False) -> str:
        """What stands for an event and is none; ``told``: as a step of a story."""
        if told and name in _FILLERS:
            return "Leave it out."
        if told and name.lower() in _HOW_OFTEN:
            return "Leave it out; `expect nothing else` says that no other message was sent."
        if told and SCOPES.get(name.lower()) == "visitor":
            return "Did you mean `visitor`?"
        if told and (step := nearest(name, _WORDS_OF_STEPS)):
            return f"Did you mean `{step}`?"
        if name in self._names.categories:
            return f"Write `PageEntered in {name}`."
        if self._names.is_sendable(name):
            return f"Put `sent` before it: `sent {name}`."
        known = _SAID.get(name.lower().replace("_", ""))
        return f"Did you mean `{known}`?" if known else ""

    def category(self, name: str) -> str:
        """What stands for a category and is none."""
        if name in self._names.hours:
            return f"These are hours; write `now in {name}` in a condition."
        if self._is_event(name):
            return "This is an event; behind `in` stands a category."
        return ""

    def message(self, name: str) -> str:
        """What is sent and is no message."""
        if name in self._names.groups or name in self._names.strategies:
            what = "group" if name in self._names.groups else "strategy"
            return f"This is a {what}; what is sent is a `message`."
        return ""

    def strategy(self, name: str) -> str:
        """What stands for a strategy and is none."""
        if name in self._names.messages or name in self._names.groups:
            what = "message" if name in self._names.messages else "group"
            return f"This is a {what}; name the strategy that sends."
        return ""

    def hours(self, name: str) -> str:
        """What stands for hours and is none."""
        return f"Write `event in ({name})`." if name in self._names.categories else ""

    # ------------------------------------------------- in conditions

    def word(self, word: str, event: syntax.Atom | None, *, in_category: bool) -> str:
        """A single word in a condition."""
        if word.lower() in _TRUTHS:
            return f"Write `{_TRUTHS[word.lower()]}`."
        if word.lower() in ("weekend", "weekends"):
            return _WEEKEND
        if word.lower() in _CLOCKS:
            return _CLOCKS[word.lower()]
        if in_category and word.startswith("utm_"):
            return f"Write `query.{word}`."
        if word[:3].capitalize() in _DAYS and word.lower() in _LONG_DAYS:
            return f'Write `"{word[:3].capitalize()}"`.'
        return self._of_the_book(word, in_category=in_category) or self._field(word, event)

    def _of_the_book(self, word: str, *, in_category: bool) -> str:
        if word in self._names.hours:
            return f"Write `now in {word}`."
        if word in self._names.categories:
            return "Repeat its condition here." if in_category else f"Write `event in ({word})`."
        if self._is_event(word):
            return f"Write `seen({word}, this visit)`."
        if self._names.is_sendable(word):
            return f"Write `seen(sent {word}, this visit)`."
        keys = (*self._names.facts, *BUILT_IN)
        facts = sorted(key for key in keys if key[1].lower() == word.lower())
        return f"Write `{'.'.join(facts[0])}`." if facts else ""

    def _field(self, word: str, event: syntax.Atom | None) -> str:
        plain = event is not None and event.what == "event" and self._names.has_event(event.name)
        paths = self._names.fields_of(event.name) if event and plain else self._names.all_fields()
        known = [path[0] for path in paths if len(path) == 1 and path[0].lower() == word.lower()]
        return f"Write `event.{known[0]}`." if known else ""

    def path(self, parts: tuple[str, ...], event: syntax.Atom | None) -> str:
        """Several words with dots in a condition, whose first means nothing."""
        root, rest = parts[0], parts[1:]
        if self._is_event(root):
            if event is not None and event.what == "event" and event.name == root:
                return f"Write `event.{'.'.join(rest)}`."
            return f"Write `latest({'.'.join(parts)}, this visit)`."
        meant = _ROOTS.get(root.lower()) or nearest(root, ("event", "visit", "visitor"))
        if meant is None:
            return ""
        if meant != "event" and (meant, *rest) not in self._names.facts:
            other = "visit" if meant == "visitor" else "visitor"
            meant = other if (other, *rest) in self._names.facts else meant
        return f"Did you mean `{'.'.join((meant, *rest))}`?"

    def fact(self, scope: str, name: str, built_in: Iterable[tuple[str, str]]) -> str:
        """A fact of that name in the other scope, or one of nearly that name."""
        keys = (*self._names.facts, *built_in)
        same = sorted(key for key in keys if key[1].lower() == name.lower())
        if same:
            return f"Did you mean `{'.'.join(same[0])}`?"
        near = self._names.nearest(
            name, f"fact of {scope}", lambda: (other for kind, other in keys if kind == scope)
        )
        return f"Did you mean `{scope}.{near}`?" if near else ""

    def _is_event(self, name: str) -> bool:
        return name in self._names.events or name in SYSTEM_EVENTS
