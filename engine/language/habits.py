"""What authors say instead of the language's own words: one table, from English and elsewhere.

Each line is what is meant and, between bars, how it is said; `*` stands for one value or name that
is kept. A line is only followed where the grammar takes what is meant, so a word may stand in
several lines: `for` means `, stays` behind a page, and `last` within the brackets of `count`.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import Final

from lark import Token

from engine.language.diagnostics import Findings
from engine.language.lexer import Lexer
from engine.language.source import Source

HABITS: Final = MappingProxyType(
    {
        # conditions
        ">": "is greater than|greater than|is bigger than|bigger than|is larger than|is more than"
        "|more than|is higher than|higher than|is above|above|is over|over|exceeds|exceed|gt",
        "<": "is less than|less than|is fewer than|fewer than|is smaller than|smaller than"
        "|is lower than|lower than|is below|below|is under|under|lt",
        ">=": "is greater than or equal to|greater than or equal to|is at least|at least"
        "|is no less than|no less than|gte|ge|atleast",
        "<=": "is less than or equal to|less than or equal to|is at most|at most|up to"
        "|is no more than|no more than|lte|le|atmost",
        "!=": "is not equal to|is not|are not|is different from|different from|not equal to"
        "|does not equal|differs from|is other than|isnt|ne|neq|not",
        "=": ":|is equal to|equal to|is the same as|the same as|equals|equal|is exactly|eq|is|are"
        "|to|as|default",
        "is missing": "is null|is none|is nil|is undefined|is empty|is not known|is not set"
        "|is unknown|is blank|is not there|is not present|does not exist|= null|not known",
        "is known": "is not null|is not none|is not nil|is not undefined|is not empty|is set"
        "|is not missing|is present|is there|is not blank|exists|is filled|!= null",
        "has": "contains|contain|containing|includes|include|like|ilike",
        "starts with": "begins with|begin with|start with|starting with|startswith|beginswith"
        "|begins|starts",
        "ends with": "end with|ending with|endswith|ends",
        "matches": "regex|regexp|matching|match|rlike",
        "and": "und|y|et|also|but|and also|as well as|,",
        "or": "oder|ou|or else",
        "not": "isn't",
        'agents.ready("chat") > 0': "an agent is ready|agents ready|an agent is free"
        "|agents are ready|agents available|an agent is available",
        "agents.ready(*)": "agents ready for *|agents available for *|agents free for *",
        'visitor.state = "authenticated"': "visitor is logged in|visitor is signed in|logged in"
        "|signed in|visitor is authenticated|the visitor is logged in",
        "now in *": "now is in *|* is open|* are open|inside *",
        "when now in *": "during *|only during *|in hours *|while * is open",
        "seen(*, this visit)": "visitor has *|the visitor has *|has *|seen * this visit"
        "|seen * in this visit|there was *|* happened|* has happened|had *",
        "not seen(*, this visit)": "never *|has not *|visitor has not *|visitor never *|not yet *"
        "|has no *|no *",
        # functions and windows
        "average": "avg|mean",
        "sum": "total",
        "latest": "first|newest|recent",
        "seen": "exists|happened|occurred",
        "last": "in the last|within the last|within last|during the last|the last|within|in|past"
        "|for|during",
        "this visit": "this session|visit|the visit|session|per visit|in this visit|current visit"
        "|during this visit|same visit",
        "this page": "page|the page|per page|on this page|current page|same page",
        "ever": "always|forever|all time|anytime|per visitor",
        "last 24 h": "today|last day",
        "last 7 d": "this week|last week",
        "last 30 d": "this month|last month",
        # behaviour
        "PageEntered in *": "the visitor enters *|visitor enters *|a visitor enters *|page *"
        "|enter *|enters *|entering *|the page *|visiting *|visitor visits *|visitor is on *"
        "|visitor opens *|open *|opening *",
        "PageExited in *": "the visitor leaves *|visitor leaves *|a visitor leaves *|leave *"
        "|leaves *|leaving *|exit *",
        ", then": "followed by|and then|after that|and afterwards|afterwards|next|then",
        ", then no": "without|but no|but not|and no|with no|and not|no|not followed by",
        "no": "not|without|never",
        "for": ", within|, for|, in|, during|within|during|in|in the next|for at least",
        ", stays": "stays longer than|stays more than|stays for at least|after|for|stays for"
        "|and stays|and stays for|staying|and waits|waits"
        "|and remains|during|stays at least|longer than|for at least|for more than",
        "stays": "stays for|stay for|remains|remains for|waits|waits for|stays at least"
        "|stays more than|stays longer than",
        ", within": "in|within the next|in under|all within|in less than|during",
        "within": "in|within the next|in under|all within|in less than|during",
        "per": "a|an|each|every|pro|por|/|in each|for each|by",
        "any event": "every event|any event|any|anything|everything|all events|an event",
        "all of": "each of",
        "any of": "one of|either of",
        "as": "called|named|alias|known as",
        ", last": "in the last|within the last|during the last|in last|within last",
        "where": "with|having|if|whose|when|that has|which has",
        "true": "yes|on|wahr",
        "false": "no|off|falsch",
        "1": "one|once|a|single",
        "2": "two|twice|double|a couple",
        "3": "three|thrice",
        "4": "four",
        "5": "five",
        "6": "six",
        "7": "seven",
        "8": "eight",
        "9": "nine",
        "10": "ten",
        "0": "no|zero",
        "1 times": "once",
        "2 times": "twice",
        "3 times": "thrice",
        "times": "time|x|of|times of",
        # rules
        "on": "bei|upon|whenever|once|on event|on the event|at|as soon as|trigger",
        "when": "if|wenn|falls|cuando|quand|only if|only when|provided|given that|condition",
        "unless": "except when|except if|except|but not when|but not if|if not|unless if"
        "|unless when|not when|not if",
        "send": "show|display|push|senden|enviar|envia|invite|invite with|present|open|trigger"
        "|offer|and|,",
        "set": "remember|let|assign|store|save|put|mark|define|update|and|,",
        "attach": "add|pass|attach data|and attach|with",
        "to page": "on this page|on the page|to this page|to the page|on page|at page|in page",
        "to every page": "to all pages|to all|everywhere|to every tab|to all tabs|on every page",
        # heads
        "owner": "author|by|created by|responsible|contact",
        "description": "desc|comment|note|notes|about|purpose",
        "priority": "prio|rank|weight|importance",
        "hours": "schedule|open|during|opening hours|only during|in hours|working hours",
        "group": "in group|groups|belongs to|part of",
        "audience": "share|experiment|for audience|split|percentage",
        "limit": "and|max|maximum|at most|cap|no more than|only|,",
        "from": "since|starting|starting from|beginning|after",
        "until": "to|till|through|thru|up to|and|ending",
        "active until": "valid until|expires|expires on|ends|ends on|until|inactive from"
        "|inactive after",
        "active from": "valid from|starts|starts on|begins|begins on|from",
        "in 1 d": "per day|a day|each day|every day|daily|and day",
        "in 1 h": "per hour|an hour|each hour|every hour|hourly",
        "in 7 d": "per week|a week|each week|every week|weekly",
        "in 30 d": "per month|a month|each month|every month|monthly",
        "in 1 min": "per minute|a minute|each minute|every minute",
        "in": "is one of|one of|is any of|any of|every|per|of|on|at|within|from|during|into|inside",
        "per visit": "per session|per visits|a visit|each visit|every visit|visit",
        "per page": "per pageview|a page|each page|every page|page",
        "per visitor": "per user|per customer|per client|per person|per guest|per shopper"
        "|a visitor|each visitor|every visitor|visitor|per visitors",
        "of": "in|for|from|on",
        # declarations
        "is": "means|are|equals|:|=|as|be|being|describes|contains",
        "text": "string|str|varchar|char|uuid|url|texts|words",
        "number": "float|int|integer|decimal|double|money|currency|long|real|numeric|price|amount"
        "|numbers|count",
        "boolean": "bool|flag|yesno|bit|booleans|true or false|yes or no",
        "time": "date|datetime|timestamp|times",
        "list of": "array of|lists of|set of|many|several",
        "list of text": "array|list|text list|strings",
        "enforced": "enforce|always enforced|strictly",
        "never": "not|must never|should never|may never|must not|may not|no",
        "Mon-Sun": "daily|every day|all days|always open|everyday|each day",
        "Mon-Fri": "weekdays|workdays|working days|business days|weekday|on weekdays",
        "Sat-Sun": "weekend|weekends|on weekends",
        "Mon-Sun 00:00-24:00": "24 / 7|always|around the clock|all day",
        ",": "and|;|&|-",
        "except": "closed on|closed|not on|but not on|without|excluding|excluded",
        "one at a time": "one invitation at a time|one message at a time|one by one|only one"
        "|1 at a time|one at once",
        "while focused": "when focused|if focused|focused|in focus|with focus|while active",
        # stories
        "enters": "visits|goes to|goes|browses|navigates to|navigates|loads|views|comes to|comes"
        "|lands on|opens|is on|arrives at|sees|reads",
        "leaves": "closes|exits|quits|goes away",
        "returns": "comes back",
        "after *": "+ *|* later|wait *|waits *|wait for *|visitor waits *|visitor waits for *"
        "|visitor stays *|visitor stays for *|sleep *|pause *|in *|stays *|then after *"
        "|and after *",
        "returns after *": "returns * later|comes back after *|comes back * later|returns in *",
        "expect sent": "should send|must send|should get|should see|should receive|must get"
        "|visitor gets|visitor receives|visitor sees",
        "expect": "should|assert|verify|check|ensure|then|expects|expected|must",
        "sent": "send|receives|gets|visitor receives|visitor gets|visitor sees|shown|sends|sees",
        "nothing": "nothing sent|sent nothing|nothing happens|no invitations|no message"
        "|no messages|none|no invitation",
        "nothing else": "nothing more|nothing further|no more|no other",
        "else": "more|further|other|besides",
        "refused": "rejected|blocked|denied|declined",
        "because": "because of|due to|by|reason|since|for",
        "given": "and|,|assume|suppose|with",
        "one-at-a-time": "one at a time",
        "lower-priority": "lower priority|priority",
        "page-gone": "page gone|page is gone|page closed",
        "given 0 agents ready for": "given no agent|given nobody ready for|given nobody for",
        "agents ready for": "agents available for|agents free for|agents online for|agents for"
        "|agents in|agents at|free agents for|agents ready in|agents ready at|available agents for",
        "start at": "on|begin at|starts at|start on|starting at|time is|it is|clock is|now is",
        "titled": "with title|with the title|title|called|named",
        "visitor": "user|customer|client|shopper|guest|person|she|he|they",
        "in a new tab": "in another tab|in a new window|in new window|in second tab",
    }
)  # fmt: skip

NOISE: Final = frozenset(
    (
        ",", ":", "a", "also", "an", "and", "any", "are", "at", "be", "behavior", "behaviour", "by",
        "do", "does", "during", "either", "event", "events", "for", "has", "if", "in", "is", "it",
        "just", "least", "message", "of", "on", "only", "or", "out", "please", "simply", "strategy",
        "that", "the", "their", "then", "there", "time", "times", "to", "up", "visitor", "was",
        "when", "will", "with", "Uhr", "uhr", "invitation", "invitations",
    )
)  # fmt: skip
"""Words that English would have where the language has none."""


_KEPT: Final = "Kept"


@cache
def _read(text: str) -> tuple[Token, ...]:
    if text in ("all of", "any of"):  # phrases only before a bracket
        return _read(f"{text} (")[:1]
    source = Source(name="", text=text)
    keyword = "hours" if text.startswith(("Mon", "Sat")) else ""  # days are words only there
    return tuple(Lexer(source, 0, len(text), Findings({"": text}), keyword).read())


@cache
def _by_first() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Ways of saying by their first word, the longest first."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for meant, ways in HABITS.items():
        for said in ways.split("|"):
            words = tuple(said.split())
            found.setdefault(words[0], []).append((words, meant))
    for ways_of_one in found.values():
        ways_of_one.sort(key=lambda way: -len(way[0]))
    return found


def habits(word: str) -> list[tuple[tuple[str, ...], str]]:
    """What an author may say who begins with this word: the words, and what is meant."""
    return [*_by_first().get(word, ()), *_by_first().get("*", ())]


def meant(text: str, kept: Token | None, at: Token) -> tuple[tuple[Token, ...], str]:
    """The tokens of what is meant, all at one place, and how it is written."""
    tokens = tuple(
        kept if token == _KEPT and kept is not None else at.update(token.type, str(token))
        for token in _read(text.replace("*", _KEPT))
    )
    return tokens, text.replace("*", str(kept)) if kept is not None else text
