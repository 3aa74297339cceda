"""All wording of the language's messages: one code, one sentence, one way out.

``{..}`` is filled with what was found, in the author's own words. A message never names a part of
the program; it says what was read and what to write instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from engine.language.lints_codes import WARNINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A kind of mistake: its stable code, its sentence, and the usual way out."""

    code: str
    message: str
    hint: str


def _table(*rows: tuple[str, str, str]) -> dict[str, Code]:
    return {code: Code(code=code, message=message, hint=hint) for code, message, hint in rows}


CODES: Final = MappingProxyType(
    _table(
        # S: the text itself
        ("S001", "`{word}` does not begin a declaration.", "{hint}"),
        ("S002", "`{word}` cannot stand here.", "{hint}"),
        ("S003", "This {block} ends before it is complete.", "Next comes {expected}."),
        ("S004", "This text is not closed.", "{hint}"),
        ("S005", "`{word}` is not a sign of the language.", "{hint}"),
        ("S006", "`{word}` is written in one.", "Put a space: `{fixed}`."),
        ("S007", "`{word}` belongs to another language.", "Write `{fixed}`."),
        (
            "S008",
            "`{word}` is a word of the language and cannot be a name.",
            "Choose another name, for example `{fixed}`.",
        ),
        (
            "S009",
            "`{word}` begins in the first column, but it belongs to a declaration above it.",
            "Indent it by two spaces.",
        ),
        ("S010", "This `{word}` is not closed.", "Close it with `{fixed}`."),
        ("S012", "`{word}` is not a {what}.", "{hint}"),
        ("S013", "`{word}` is written a second time here.", "Keep one of them."),
        ("S014", "This block has more than {count} mistakes.", "Mend the ones above first."),
        ("S015", "This is nested too deeply.", "Keep at most {count} brackets within each other."),
        ("S016", "`{word}` is not how a time is written.", "Write `{fixed}`."),
        ("S017", "`{word}` has a decimal comma.", "Write `{fixed}`."),
        (
            "S028",
            "Texts stand in straight double quotes, not in `{word}`.",
            "Write `{fixed}`.",
        ),
        (
            "S023",
            "There is a sign here that cannot be seen ({number}).",
            "Delete it, or write the word again.",
        ),
        (
            "S032",
            "`{word}` has letters that only look like others.",
            "Write `{fixed}`.",
        ),
        (
            "S033",
            "`{word}` is a mark between two versions of the text.",
            "Keep the lines of one version, and take the marks away.",
        ),
        ("S024", "`{word}` has signs between its thousands.", "Write `{fixed}`."),
        ("S036", "`{word}` is an amount of money, but numbers stand alone.", "Write `{fixed}`."),
        ("S037", "`{word}` is not how a number is written.", "{hint}"),
        ("S025", "`{word}` is not how a date is written.", "Write `{fixed}`."),
        ("S026", "`{word}` is not how a time of day is written.", "Write `{fixed}`."),
        ("S027", "`{word}` is not how days are written.", "Write `{fixed}`."),
        ("S018", "This calculation is too long.", "Keep at most {count} signs in it."),
        (
            "S021",
            "A table begins with its name and its strategy.",
            'Write `table "name" for strategy "strategy"` on a line of its own.',
        ),
        (
            "S019",
            "There are {found} cells in a row, but {wanted} in the head.",
            "{hint}",
        ),
        ("S034", "`{word}` begins another column.", "Put a `|` before it, and between cells."),
        (
            "S035",
            "`{word}` does not say where its cells go.",
            "Write `?` there, for example `on PageEntered in ?`.",
        ),
        ("S029", "A table has no ruler below its head.", "Take this line away."),
        ("S030", "A line of a table begins and ends without `|`.", "Put it only between cells."),
        ("S031", "This table has no row.", "Write a line for each case, below the head."),
        (
            "S020",
            "`{word}` does not begin a column of a table.",
            "{hint}",
        ),
        (
            "S022",
            "This name is {why}.",
            "{hint}",
        ),
        # N: names
        ("N101", "No event is called `{word}`.", "{nearest}Declare it: `event {word}`."),
        (
            "N102",
            "No category is called `{word}`.",
            "{nearest}Declare it: `category {word} is ..`.",
        ),
        ("N103", "No group is called `{word}`.", "{nearest}Declare it: `group {word}`."),
        (
            "N104",
            "No message is called `{word}`.",
            '{nearest}Declare it: `message {word} is gpe.appendContent {{ url: ".." }}`.',
        ),
        (
            "N105",
            "No fact is called `{word}`.",
            "{nearest}Declare it: `fact {word} boolean = false`.",
        ),
        (
            "N106",
            "{event} has no field `{word}`.",
            "{nearest}Declare it in {declaration}, for example `{word} number`.",
        ),
        ("N107", "No channel is called `{word}`.", "{nearest}Known: {known}."),
        ("N108", "The channel `{channel}` has no field `{word}`.", "{nearest}Known: {known}."),
        ("N109", "The channel `{channel}` needs `{word}`.", "Add `{word}: ..` to the record."),
        (
            "N110",
            "There is already {what} called `{word}`.",
            "Give one of them another name; the other is in {where}.",
        ),
        (
            "N111",
            "No strategy, group or message is called `{word}`.",
            "{nearest}Name one that the book declares.",
        ),
        ("N112", "No strategy is called `{word}`.", "{nearest}Name one that the book declares."),
        ("N113", "`{word}` means nothing here.", "{nearest}{known}"),
        ("N114", "Nothing outside is called `{word}`.", "{known}"),
        ("N115", "`{word}` is not a reason for a refusal.", "{nearest}Known: {known}."),
        ("N116", "`{word}` is built in and cannot be declared.", "Choose another name."),
        ("N117", "No medium is called `{word}`.", "{nearest}Declare it: `medium {word}`."),
        ("N118", "No hours are called `{word}`.", "{nearest}Declare them: `hours {word} is ..`."),
        (
            "N119",
            "The message `{message}` takes {wanted}, but {found} given.",
            "{known}",
        ),
        (
            "N121",
            "`{word}` is built in; it counts by itself and cannot be set.",
            "Declare a fact of your own, such as `fact {scope}.my{name} number`.",
        ),
        (
            "N122",
            "No strategy has an audience called `{word}`.",
            "{nearest}Name one that stands in `audience .. of`.",
        ),
        ("N120", "The book has a time zone already.", "Keep one `zone`; the other is in {where}."),
        # T: kinds of value
        (
            "T201",
            "{left} and {right} cannot be compared: one is {left_kind}, the other {right_kind}.",
            "{hint}",
        ),
        (
            "T202",
            "`{operator}` needs {takes}, but {left} is {left_kind}.",
            "{hint}",
        ),
        (
            "T203",
            "{left} is {left_kind}, which is neither true nor false.",
            "{hint}",
        ),
        ("T204", "`{operator}` works on numbers, but {left} is {left_kind}.", "{hint}"),
        (
            "T205",
            "`{word}` is declared as {kind}, but the value is {left_kind}.",
            "{hint}",
        ),
        ("T206", "`{word}` is not a regular expression: {why}.", "Mend the pattern in the quotes."),
        (
            "T207",
            "The channel field `{word}` is {kind}, but the value is {left_kind}.",
            "{hint}",
        ),
        (
            "T209",
            "The message `{message}` needs {kind} for `{word}`, but the value is {left_kind}.",
            "{hint}",
        ),
        (
            "T208",
            "`{word}` is no time zone.",
            '{nearest}Write one like `"Europe/Madrid"`.',
        ),
        # P: what may stand where
        (
            "P301",
            "A pattern cannot begin with `no`.",
            "Say first what happens, then `, then no ..`.",
        ),
        (
            "P302",
            "`within {within}` can never hold: the silence alone takes {silence}.",
            "Make `within` longer than `for`.",
        ),
        ("P303", "A rule cannot end with `sent`.", "Put what happens after it: `, then ..`."),
        ("P304", "This stands after a clause that ends the pattern.", "Put `then` parts first."),
        ("P305", "This rule does nothing.", "Add `send ..` or `set ..`."),
        ("P306", "{what} must be at least {least}.", "Write a larger value."),
        (
            "P307",
            "{left} cannot be asked {place}.",
            "{hint}",
        ),
        ("P308", "`attach` travels with a message, but this rule sends none.", "Add `send ..`."),
        ("P309", "This strategy has no rule.", "Add `on ..` and what to do."),
        (
            "P310",
            "Only `url` takes a glob, so `{what}` needs a comparison.",
            "{nearest}Write `{what} = {text}` or `{what} has {text}`.",
        ),
        ("P314", "`as` names one event, so it cannot stand in {place}.", "Take `as {word}` away."),
        ("P313", "`{word}` names a second event of this rule.", "Choose another name after `as`."),
        (
            "P317",
            "This pattern waits for {found} events in a row.",
            "Let it wait for at most {most}.",
        ),
        ("P315", "`{since}` is after `{until}`, so this is never active.", "Swap the dates."),
        (
            "P316",
            "This rule can send for ever: a message begins it, and a silence completes it.",
            "Limit the strategy or its group per page, visit or visitor: `limit 3 per visit`.",
        ),
        ("P311", "`in` does not fit `sent`.", "Take the category away."),
        ("P312", "{what} must be at most {most}.", "Write a smaller value."),
        (
            "P330",
            "`{word}` is no CSS selector: {why}.",
            "Write one such as `button.buy` or `#search`.",
        ),
        ("P331", "`{word}` is no name of {what}.", "Write one such as {example}."),
        # L: lints, which are warnings
        *WARNINGS,
    )
)
"""Every code of the language by its name."""
