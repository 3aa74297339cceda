"""All wording of the lints: one code, one sentence with what a visitor would see, one way out."""

from __future__ import annotations

from typing import Final

WARNINGS: Final = (
    # L40: conditions
    ("L401", "`{said}` is never true: {seen}.", "{way}"),
    ("L402", "`{said}` is always true: {seen}.", "{way}"),
    (
        "L403",
        "Nothing is both {one} and {two}, so `{said}` is always true: {seen}.",
        "Write `and` instead of `or` to keep both out.",
    ),
    (
        "L404",
        "`{said}` is true for every value, and unknown only for a missing one: {seen}.",
        "Write `is known` if that is meant; otherwise mend it.",
    ),
    ("L405", "`{said}` is written twice here.", "Keep one of them."),
    (
        "L406",
        "Whenever `{one}` is true, so is `{other}` after `unless`: {seen}.",
        "Mend one of them.",
    ),
    (
        "L407",
        "What stands in `where`, `when` and `unless` of this rule never fits together: {seen}.",
        "Mend one of them.",
    ),
    # L41: strategies that meet
    (
        "L408",
        "This never gets a turn: whenever it would, {other} goes first. "
        "No visitor will ever get this.",
        "{way}",
    ),
    (
        "L409",
        "A row above this one holds whenever this one does: {seen}.",
        "Put the row with more conditions above the other.",
    ),
    (
        "L410",
        "{other} sets `{fact}` on the same behaviour too, to {one}, and has the same priority: "
        "the order of their names decides, and a visitor ends with {one}, not with {two}.",
        "Give the strategy that is to win a higher `priority`.",
    ),
    (
        "L411",
        "0% of the visitors are nobody: no visitor will ever get this.",
        "Write a larger share, or take the strategy away.",
    ),
    (
        "L412",
        "{other} has a higher priority and sets `{fact}` to {one} whenever this sets it to {two}: "
        "no visitor will ever have {two} from here.",
        "Give one of them another condition.",
    ),
    (
        "L413",
        "`{said}` decides nothing: `{other}` is always reached before, or with it.",
        "Take one of them away.",
    ),
    (
        "L414",
        "This rule sends {count} messages together, but `{other}` never lets as many through: "
        "no visitor will ever get any of them.",
        "Send one of them, or put them into rules of their own.",
    ),
    (
        "L415",
        "Nothing limits this invitation: a visitor may get it again and again, "
        "even who has just declined it.",
        "Add `limit 1 per visit` to the strategy, or put it into a group with a limit.",
    ),
    (
        "L416",
        "`within {within}` means nothing for a single event: every such event counts.",
        "Take it away, or say what else is to happen within that time.",
    ),
    (
        "L417",
        "The silences alone take {silence}, so `within {within}` can never hold: {seen}.",
        "Make `within` longer than the silences together.",
    ),
    # L42: places, times and stories
    ("L420", "`{said}` fits no page: {why}.", "{way}"),
    (
        "L421",
        "`{said}` fits only the first page of that site.",
        'Write "{said}/**" for all its pages, or "{said}/" if only the first is meant.',
    ),
    (
        "L422",
        "`{clock}-{clock}` is open for 24 hours, until {clock} of the next day.",
        "Write another end if visitors are not to be invited at night.",
    ),
    (
        "L423",
        "`{hours}` is closed on all of these days: no visitor will ever get this.",
        "Choose other days or other hours.",
    ),
    (
        "L424",
        "This scenario has no `expect`, so it holds whatever the visitor gets.",
        "End it with `expect sent ..` or `expect nothing`.",
    ),
    (
        "L425",
        "Nothing ever sends `{word}`, so this never happens to a visitor.",
        "Name what a strategy sends, or send it.",
    ),
    (
        "L426",
        "No {what} is called `{word}`, so `{said}` is never that.",
        "{nearest}Write the name as the book declares it.",
    ),
    # L43: what nothing uses
    (
        "L427",
        "`{said}` within a text is not filled in; the page gets it as it stands.",
        "Send `{word}` as a field of its own.",
    ),
    (
        "L428",
        "In `{said}` the dot before the star is taken as it stands.",
        "Write `url {glob}`, or `url matches {said_text}` for a regular expression.",
    ),
    (
        "L429",
        "`{said}` is only true of events that are in no other category.",
        "Write `event in ({category})`.",
    ),
    ("L430", "Nothing uses the {what} `{word}`.", "Use it, or take it away."),
    (
        "L431",
        "`{word}` is remembered, but no condition and no message ever asks for it.",
        "Ask for it, or take it away.",
    ),
    (
        "L433",
        "The message `{message}` makes no use of `{word}`.",
        "Put `{word}` into its record, or take it away, here and where it is sent.",
    ),
    (
        "L434",
        "`=` compares sign by sign, so only a text with a star is `{said}`.",
        "Write `{way}`.",
    ),
    (
        "L432",
        "Nothing ever sets `{word}`, so for every visitor it is {value}.",
        "Add `set {word} = ..` to a rule, or `from UserInfo` to the fact.",
    ),
    # L44: numbers
    (
        "L440",
        "`{word}` is read as {read}; in other countries it is {other}.",
        "Write `{other}` or `{mine}`.",
    ),
)
"""Code, sentence and way out of every lint."""
