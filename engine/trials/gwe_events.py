"""Genesys events become events of the language, with captures and where their fields come from.

What is data is carried over: CSS selectors, clicks, submits, keys, timers with the focus, and
values that jQuery reads from the page. What is code, or means what nobody can know from outside, is
noted and stays in the book as a comment: a capture without its condition would be another one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from engine.language.render import duration
from engine.language.selectors import fault
from engine.trials.gwe import Comment, Element, Model
from engine.trials.gwe_names import Namer, identifier, quoted, remark
from engine.vocabulary.events import SYSTEM_EVENTS

_LONGEST: Final = 24 * 3_600_000
"""Milliseconds: a timer of a page that takes longer is a slip of the pen."""
_TEXT: Final = r"(?:'([^'\\]*)'|\"([^\"\\]*)\")"
_JQUERY: Final = re.compile(
    rf"(?:\$|jQuery)\(\s*{_TEXT}\s*\)\s*\.\s*(text|val|attr)\(\s*(?:{_TEXT})?\s*\)\s*;?"
)
_VARIABLE: Final = re.compile(
    r"(?:window\.)?([A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)\s*;?", re.ASCII
)
_OF_THE_BROWSER: Final = frozenset(
    {"document", "event", "this", "location", "navigator", "screen", "history", "window", "true",
     "false", "null", "undefined", "NaN", "top", "parent", "self", "name"}
)  # fmt: skip
_FOCUS: Final = re.compile(r"document\s*\.\s*hasFocus\(\s*\)(?:\s*===?\s*true)?\s*;?")
_KEY: Final = re.compile(
    r"event\.(?:(?:which|keyCode)\s*===?\s*(\d+)|key\s*===?\s*['\"](\w+)['\"])\s*;?"
)
_KEYS: Final = {"13": "Enter", "27": "Escape", "9": "Tab"}
_KEY_ACTIONS: Final = frozenset({"keypress", "keydown", "keyup"})
_PLAIN_ACTIONS: Final = {"click": "click", "submit": "submit"}

What = Literal["left out", "renamed", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something a person should know: ``left out`` is not in the book, the rest is."""

    line: int
    what: What
    text: str


@dataclass(slots=True, kw_only=True)
class _Event:
    """One event of the book while it is written: lines of it by what they are."""

    name: str
    original: str
    fields: dict[str, str] = field(default_factory=dict)
    captures: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


class EventWriter:
    """Writes the text of a model; ``notes`` then says what a person should know, in order."""

    def __init__(self, model: Model, file: str) -> None:
        self.notes: list[Note] = []
        self._file = remark(file)
        self._model = model
        self._names = Namer(SYSTEM_EVENTS)
        self._events: dict[str, _Event] = {}
        self._blocks: list[_Event | str] = []
        self._said: set[str] = set()

    def text(self) -> str:
        """The strategy file."""
        for child in self._model.children:
            if isinstance(child, Comment):
                self._blocks.append(self._commented(child))
            else:
                self._event(child)
        odd = [f"{oddity.text}." for oddity in self._model.oddities]
        for oddity, text in zip(self._model.oddities, odd, strict=True):
            self._note(oddity.line, "left out", text)
            self._blocks.append(self._comment(oddity.line, text))
        self.notes.sort(key=lambda note: note.line)
        blocks = [b if isinstance(b, str) else self._block(b) for b in self._blocks]
        return "\n\n".join([f"# Events from {self._file}.", *blocks]) + "\n"

    # ------------------------------------------------- writing

    def _block(self, event: _Event) -> str:
        described = f" {quoted(event.original)}" if event.original != event.name else ""
        lines = [f"event {event.name}{described}", *event.fields.values(), *event.captures]
        return "\n".join([*lines, *event.comments])

    def _commented(self, comment: Comment) -> str:
        """A comment of the file, line by line; what it comments out stays so."""
        lines = [remark(line) for line in comment.text.splitlines()]
        kept = [line for line in lines if line]
        return "\n".join(f"# {line}" for line in [f"({self._file} line {comment.line})", *kept])

    def _comment(self, line: int, text: str) -> str:
        return f"# Left out ({self._file} line {line}): {remark(text)}"

    def _note(self, line: int, what: What, text: str) -> None:
        self.notes.append(Note(line=line, what=what, text=remark(text)))

    def _left_out(self, event: _Event, line: int, text: str) -> None:
        self._note(line, "left out", f"{event.original}: {text}")
        event.comments.append(f"  {self._comment(line, text)}")

    def _changed(self, line: int, text: str) -> None:
        """Say what is a little different, once for the whole file."""
        if text not in self._said:
            self._said.add(text)
            self._note(line, "changed", text)

    # ------------------------------------------------- reading

    def _event(self, element: Element) -> None:
        original = element.value("name")
        if not original or original in SYSTEM_EVENTS:
            text = f"the event `{original}`, which is built in" if original else "a nameless event"
            self._note(element.line, "left out", f"{text}.")
            self._blocks.append(self._comment(element.line, f"{text}."))
            return
        event = self._known(original, element.line)
        triggers = element.of("trigger")
        for val in [*element.of("val"), *(v for t in triggers for v in t.of("val"))]:
            self._field(event, val)
        comments = [c for c in element.children if isinstance(c, Comment)]
        event.comments += [f"  # {remark(comment.text)}" for comment in comments]
        condition = element.value("condition")
        if condition and condition.rstrip(";") != "true":
            text = f"its captures, for their condition is code: {condition}"
            self._left_out(event, element.line, text)
            return
        for trigger in triggers:
            self._trigger(event, trigger, element.value("postcondition"))

    def _known(self, original: str, line: int) -> _Event:
        """The event of a name; several elements of one name are one event."""
        if original not in self._events:
            name = self._names.name(original)
            self._events[original] = event = _Event(name=name, original=original)
            self._blocks.append(event)
            if name != original:
                text = f"`{original}` is no name here: it is `{name}`, for the page as well."
                self._note(line, "renamed", text)
        return self._events[original]

    def _field(self, event: _Event, val: Element) -> None:
        word, value = val.value("name"), val.value("value")
        if not word or not all(word.split(".")):
            self._left_out(event, val.line, f"a value without a proper name: {value}")
            return
        path = ".".join(identifier(part, free=True) for part in word.split("."))
        source = self._source(event, val, word, value)
        if source is None:
            return
        line = f"  {path} text {source}"
        known = event.fields.setdefault(path, line)
        if known != line:
            text = f"`{word}` from another place, for a field has one source: {value}"
            self._left_out(event, val.line, text)
        elif path != word:
            self._note(val.line, "renamed", f"The value `{word}` is the field `{path}`.")

    def _source(self, event: _Event, val: Element, word: str, value: str) -> str | None:
        match = _JQUERY.fullmatch(value)
        if match:
            return self._from_page(event, val, word, match)
        variable = _VARIABLE.fullmatch(value)
        if variable and variable.group(1).split(".")[0] not in _OF_THE_BROWSER:
            self._changed(val.line, "Variables are taken as text; write `number` where they are.")
            return f"from variable {quoted(variable.group(1))}"
        self._left_out(event, val.line, f"`{word}`, for its value is code: {value}")
        return None

    def _from_page(
        self, event: _Event, val: Element, word: str, match: re.Match[str]
    ) -> str | None:
        one, other, function, name, other_name = match.groups()
        selector, attribute = one or other or "", name or other_name or ""
        why = fault(selector)
        if why is None and (function == "attr") != bool(attribute.strip()):
            why = f"`.{function}({attribute})` is no reading of a value"
        if why is None and re.search(r"[\s\"'<>/=]", attribute):
            why = f"`{attribute}` is no attribute"
        if why is not None:
            self._left_out(event, val.line, f"`{word}`, for {why}: {match.group()}")
            return None
        self._changed(
            val.line,
            "Where several elements match, a field is taken from the one nearest to the capture.",
        )
        source = {"text": "text", "val": "value", "attr": f"attribute {quoted(attribute)}"}
        return f"from {source[function]} of {quoted(selector)}"

    # ------------------------------------------------- triggers

    def _trigger(self, event: _Event, trigger: Element, postcondition: str) -> None:
        action, element = trigger.value("action"), trigger.value("element")
        why = _odd_trigger(trigger) or ""
        line = None
        if not why:
            if action.startswith("timer:"):
                line, why = _timer(action, postcondition, element)
            elif action in _KEY_ACTIONS:
                line, why = _key(element, postcondition)
            else:
                line, why = _plain(action, element, postcondition)
        if line is None:
            label = trigger.value("name") or action or "without a name"
            text = f"the trigger `{label}` ({action} of {element or 'nothing'}): {why}"
            self._left_out(event, trigger.line, text)
            return
        if line not in event.captures:
            event.captures.append(line)
        if "timer" in line:
            self._changed(
                trigger.line,
                "A timer counts only the time with the focus; there it looked for the focus at "
                "the end.",
            )
        if trigger.value("count"):
            self._changed(
                trigger.line,
                'What count="1" means is not public: here every click, key and submit is sent, '
                "and a timer once a page.",
            )


def _odd_trigger(trigger: Element) -> str | None:
    """Why a trigger can be none here, whatever it waits for."""
    if trigger.value("url"):
        return f"it is bound to the page {trigger.value('url')}; ask for a category in the rule"
    if trigger.value("count") not in ("", "1"):
        return f'count="{trigger.value("count")}"; write `{trigger.value("count")} times` in a rule'
    if trigger.value("type") not in ("", "timeout"):
        return f'type="{trigger.value("type")}" is not known'
    return None


def _timer(action: str, postcondition: str, element: str) -> tuple[str | None, str]:
    digits = action.removeprefix("timer:").strip()
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits[:12]) <= _LONGEST):
        return None, "its time is no number of milliseconds up to a day"
    if element:
        return None, "a timer belongs to the page, not to an element"
    if not postcondition:
        return None, "it runs without the focus as well; here only time with the focus counts"
    if not _FOCUS.fullmatch(postcondition):
        return None, f"its postcondition is code: {postcondition}"
    return f"  capture on timer {duration(int(digits))} while focused", ""


def _key(element: str, postcondition: str) -> tuple[str | None, str]:
    why = _not_a_place(element)
    if why:
        return None, why
    match = _KEY.fullmatch(postcondition)
    key = match and (match.group(2) or _KEYS.get(match.group(1)))
    if not key:
        return None, "here a capture names its key, such as `event.which == 13` for Enter"
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]+|\w", key, re.ASCII):
        return None, f"`{key}` is no key"
    return f"  capture on key {quoted(key)} in {quoted(element)}", ""


def _plain(action: str, element: str, postcondition: str) -> tuple[str | None, str]:
    if action not in _PLAIN_ACTIONS:
        return None, f"there is no capture for `{action}`"
    if postcondition and postcondition.rstrip(";") != "true":
        return None, f"its postcondition is code: {postcondition}"
    why = _not_a_place(element)
    if why:
        return None, why
    return f"  capture on {_PLAIN_ACTIONS[action]} of {quoted(element)}", ""


def _not_a_place(element: str) -> str | None:
    if element in ("document", "window"):
        return f"`{element}` is no element; write `body` if that is meant"
    why = fault(element)
    return f"`{element}` is no CSS selector: {why}" if why else None
