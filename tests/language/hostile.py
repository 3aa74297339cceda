"""Texts of 100,000 characters, each of which could make reading, checking or linting grow.

Most are one mistake again and again, or one thing that is very long, wide or deep; some are good.
``YARDSTICK`` is work that takes as long on any machine as reading does there.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
GOOD: Final = "\n".join(
    path.read_text("utf-8") for path in sorted((ROOT / "strategies").glob("*.strategy"))
)
SIZE: Final = 100_000
DECLARED: Final = (
    'event A\n  price number\nmessage M is gpe.appendContent { url: "/x" }\n'
    "group G\n  limit 1 per visit\nfact visit.stage text\n"
)
STRATEGY: Final = 'strategy "S"\n  group G\n'
BOOK: Final = DECLARED + STRATEGY
RULE: Final = BOOK + "  on A\n    when visit.pages = 1"
SEND: Final = "\n    send M\n"
TABLE: Final = BOOK + '  on A\n    send M\ntable "t" for strategy "S"\n'


def yardstick() -> float:
    """Seconds of the processor for a hundredth of what a second was when this was written."""
    before = time.process_time()
    counts: dict[str, int] = {}
    for number in range(73_000):
        word = str(number % 977)
        counts[word] = counts.get(word, 0) + len(word)
    return time.process_time() - before


def again(piece: str, head: str = "", tail: str = "") -> str:
    """A piece again and again; ``#`` in it is a number that goes on."""
    if "#" not in piece:
        return head + piece * ((SIZE - len(head) - len(tail)) // len(piece)) + tail
    count = (SIZE - len(head) - len(tail)) // (len(piece) + 4 * piece.count("#"))
    return head + "".join(piece.replace("#", f"{n:05}") for n in range(count)) + tail


def both(first: str, then: str, head: str = "") -> str:
    """Two pieces, each again and again, one behind the other."""
    count = (SIZE - len(head)) // (len(first) + len(then) + 4 * (first + then).count("#"))
    pieces = (piece.replace("#", f"{n:05}") for piece in (first, then) for n in range(count))
    return head + "".join(pieces)


def _shuffled(letters: str, seed: int) -> str:
    return "".join(random.Random(seed).sample(letters, len(letters)))


def _letters(first: int) -> str:
    return "".join(map(chr, range(first, first + 10)))


def changed_books(seed: int, count: int) -> Iterator[str]:
    """The sample book again and again, with pieces deleted, doubled and copied elsewhere."""
    pick = random.Random(seed)
    for _ in range(count):
        text = (GOOD * (SIZE // len(GOOD) + 1))[:SIZE]
        for _ in range(pick.choice([3, 30, 300, 2_000])):
            begin = pick.randrange(len(text))
            end = min(len(text), begin + pick.choice([1, 1, 2, 5, 20, 100]))
            match pick.randrange(3):
                case 0:
                    text = text[:begin] + text[end:]
                case 1:
                    text = text[:end] + text[begin:]
                case _:
                    other = pick.randrange(len(text))
                    text = text[:begin] + text[other : other + end - begin] + text[end:]
        yield text[:SIZE]


_NAMES: Final = {
    "names nearly right": both(
        'category Cat# is url "/#"\n', 'strategy "S#"\n  on PageEntered in Cta#\n    send In#\n'
    ),
    "names of the same letters": "".join(
        f'category C{_shuffled("abcdefghij", n)} is url "/"\n' for n in range(1_700)
    )
    + "".join(
        f'strategy "{n}"\n  on PageEntered in D{_shuffled("abcdefghij", -n)}\n' for n in range(900)
    ),
    "names in thousands of letters": "".join(
        f'category {_letters(0x4E00 + 10 * n)} is url "/"\n' for n in range(1_500)
    )
    + "".join(
        f'strategy "{n}"\n  on PageEntered in {_letters(0x4E05 + 10 * n)}\n' for n in range(900)
    ),
    "long names": both(
        f'category {"a" * 90}# is url "/"\n', f'strategy "#"\n  on PageEntered in {"a" * 89}#\n'
    ),
    "facts nearly right": both("fact visit.f# number\n", "  on A\n    set visit.g# = 1\n"),
    "fields nearly right": again("  f# number\n", "event A\n")[:60_000].rpartition("\n")[0]
    + "\n"
    + again("  on A where event.g# = 1\n", BOOK)[:40_000],
    "fields of any event": both(
        "event E#\n  f# number\n", 'strategy "S#"\n  on any event where event.g# = 1\n'
    ),
    "facts from events": "".join(f"event E{n}\n" for n in range(900))
    + "".join(
        f"fact visit.f{n} number from " + ", ".join(f"E{k}" for k in range(90)) + "\n"
        for n in range(180)
    ),
    "a fact from thousands of events": again(", E#", "fact visit.f boolean from E", "\n"),
    "a channel of thousands of fields": again("a#: text, ", "channel shop.x { ", "a: text }\n")[
        :50_000
    ].rpartition(",")[0]
    + " }\n"
    + again("b#: 1, ", "message M is shop.x { ", "}\n")[:40_000],
    "channels nearly right": both(
        "channel shop.a# { a: text }\n", "message M# is shop.b# { a: 1 }\n"
    ),
    "one name again and again": again('category A is url "/a"\n'),
    "one key again and again": again("k: 1, ", "message A is gpe.appendContent { ", "}\n"),
    "events that nobody declares": again('  on Ev#\n    set visit.stage = "x"\n', BOOK),
    "strategies without rules": again('strategy "S#"\n'),
}
_BLOCKS: Final = {
    "broken blocks": again('strategy "S#"\n  on on on\n'),
    "blocks with several mistakes": again('strategy "S#"\n  whn x\n  snd M\n  on A wher\n'),
    "tiny broken blocks": again("event\n"),
    "misspelt clauses": again(
        'strategy "S#"\n  onn A\n    whenn visit.pages = 1\n    sendd M\n', DECLARED
    ),
    "open quotes": again('strategy "S#\n  on A\n'),
    "open triple quotes": again('strategy """S#\n  description """x\n'),
    "indented declarations": again('  strategy "S#"\n    on A\n      set visit.stage = "x"\n'),
    "words in the first column": again("foo# bar baz\n", STRATEGY),
    "remarks without a sign": again("This is remark # indeed.\n", STRATEGY),
    "a list of changes": again('+ strategy "a"\n- on A\n'),
    "bad zones": again('hours H# is Mon 09:00-10:00 in "Foo/Bar#"\n'),
    "large expressions": again('category C# is url matches "((a{1,30}){1,30})#"\n'),
    "good rules that meet": again(
        'strategy "S#"\n  on A where event.price > #\n    send M\n', DECLARED
    ),
}
_LONG: Final = {
    "a line without end": again("on A when x send M ", STRATEGY),
    "a title": f'strategy "{"a" * SIZE}"\n',
    "a text of lines": STRATEGY + '  description """' + "x\n" * 50_000,
    "a number": STRATEGY + "  priority " + "1" * SIZE,
    "thousands without end": again(" 000", STRATEGY + "  priority 1", "0\n"),
    "thousands with commas": again(",000", STRATEGY + "  priority 1", "x\n"),
    "a number of points": again("1.", STRATEGY + "  priority "),
    "blanks in a phrase": STRATEGY + "  one" + " " * SIZE + "at a time\n",
    "a condition": again(" and visit.pages = 3", RULE, SEND),
    "a condition of or": again(" or visit.pages = #", RULE, SEND),
    "a condition about texts": again(' and visit.stage has "a#"', RULE, SEND),
    "pairs joined": again(' or (visit.pages > # and visit.stage = "#")', RULE, SEND),
    "what is counted": again(" and count(A where event.price > #, last 3 min) > 1", RULE, SEND),
    "unless": again(" or visit.pages > #", RULE + "\n    unless visit.pages = 3", SEND),
    "a list": again(", 3", BOOK + "  on A\n    when visit.pages in (1", ")" + SEND),
    "a list of the wrong kind": again(
        ', "a"', BOOK + f"  on A\n    when {'1 + ' * 90}1 in (2", ")" + SEND
    ),
    "one of many events": again(", A", BOOK + "  on any of (A", ")" + SEND),
    "many events, and a slip": again(", A", BOOK + "  on any of (A", ") wher x" + SEND),
    "slips at the end": BOOK
    + "  on A\n    send M\n" * 5_000
    + "  on A\n    when visit.pages is at least 3\n    send M\n" * 18,
    "brackets": BOOK + "  on A\n    when " + "(" * 40_000 + "x" + ")" * 40_000,
    "brackets of sixty": again(
        f"  on A\n    when {'(' * 59}visit.pages = 1{')' * 59}\n    send M\n", BOOK
    ),
    "and within or": again(
        "  on A\n    when "
        + "(visit.pages > 1 and (visit.pages > 3 or " * 25
        + "visit.pages = 1"
        + "))" * 25
        + SEND,
        BOOK,
    ),
    "counts in counts": BOOK + "  on A when " + "count(A where " * 7_000,
    "stars of a glob": f'category C is url "/{"*a" * 24_000}" and url "/{"*b" * 24_000}"\n',
    "globs": again(' or url "/**/a#/**"', 'category C is url "/x"', "\n"),
    "an expression": f'category C is url matches "{"(a|b)*" * 14_000}"\n',
    "a selector": f'event A\n  x text from text of "{"a:not(" * 16_000}"\n',
    "blanks of a selector": f'event A\n  x text from text of "a{" " * SIZE}!b"\n',
    "a story": again("  B# { price: # }\n  after 1 s\n", DECLARED + 'scenario "x"\n'),
    "a story of mistakes": again("  A { prce#: # }\n  after 1 s\n", DECLARED + 'scenario "x"\n'),
    "hours": again("Mon 9-17, ", "hours H is Mon 09:00-10:00 except "),
    "a table of rules": again('  - | "C#" | M\n', TABLE + "  on A | when visit.stage | send\n"),
    "a table with outer bars": again(
        "  | C | 3 | M |\n", TABLE + "  | on A in ? | when visit.pages | send |\n"
    ),
    "a table in the first column": again("C | M\n", TABLE + "  on A in ? | send\n"),
    "a table of broken rows": again("  in in | when\n", TABLE + "  on A in ? | send\n"),
    "a wide table": TABLE
    + "  on A "
    + "| when visit.pages " * 2_500
    + "| send\n  - "
    + "| >= 3 " * 2_500
    + "| M\n",
}
_SIGNS: Final = (
    '"', "\u201c", "\u200b", "!", ";", ",", "|", "\uff08", "&quot;", "\u00bd ", ".5 ", "${{", "1:",
    "a\u0301 ", "a&b ", "\U0001f600",
)  # fmt: skip
_LINES: Final = (
    "", "# abc", "/*", "<!--", '"""abc', '  on A where event.x = "abc', "\ufeffon A", "  when x",
    "  on A, stays 30s", "  priority 1.000",
)  # fmt: skip
_WORDS: Final = (
    "on when unless send set and or not ( ) { } , : = > visit.pages A M 3 in where then no for\n"
)
_NOISE: Final = {
    **{f"only {sign!r}": again(sign, STRATEGY + "  on A when ") for sign in _SIGNS},
    **{f"only lines of {line!r}": again(line + "\n", STRATEGY) for line in _LINES},
    "json": again('{"eventName": "PageEntered", "data": {"a": [1, null]}}\n'),
    "prose": again("When a visitor enters the checkout and hesitates, invite him to a chat.\n"),
    "letters at random": "".join(map(chr, random.Random(7).choices(range(32, 127), k=SIZE))),
    "signs at random": "".join(map(chr, random.Random(6).choices(range(0xD000), k=SIZE))),
    "words at random": STRATEGY + " ".join(random.Random(9).choices(_WORDS.split(" "), k=25_000)),
    "a good book": (GOOD * (SIZE // len(GOOD) + 1))[:SIZE],
}

TEXTS: Final = {
    name: text[: SIZE + 100] for name, text in (_NAMES | _BLOCKS | _LONG | _NOISE).items()
}
"""Every hostile text by what it is."""
