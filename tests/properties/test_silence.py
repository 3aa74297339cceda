"""A book that compiles comes to an end by itself: nobody who does nothing is written to for ever.

Rules are drawn that sends and silences alone could keep going, with limits and guards that may or
may not end them. What the checker lets through is run through a day of silence: long before the
visit is over, the last message has gone out. What it does not let through goes on to the end.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from engine.language.compiler import Compiled, compile_book
from engine.language.source import Source
from engine.language.syntax import Book
from engine.runtime.plan import plan
from engine.runtime.step import next_timer, step
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event, Moment, Tick

MINUTE = 60_000
HOUR = 60 * MINUTE
ENDED = 16 * HOUR
"""By then everything that ends by itself has ended: all numbers here are small."""
OVER = 23 * HOUR
"""A little later the visit ends."""

DECLARED = """\
event A
event B
  price number
fact visit.n number = 0
fact visit.done boolean = false
fact visitor.stage text
group G
group Day
  limit 2 in 1 d
group Few
  limit 2 per visit
group Soon
  limit 2 in 10 min
message M is gpe.appendContent { url: "/m" }
message N is gpe.appendContent { url: "/n" }
strategy "Kick"
  group G
  on SignIn
    send M
    send N
    set visitor.stage = "kicked"
"""
NAMES = ("M", "M", "M", "N", "N", "G", '"S0"', '"S1"', '"Kick"')
LENGTHS = ("10 min", "15 min", "20 min")
WHERE = ("", "", "", "", ' where event.message = "M"', ' where event.message != "M"',
         ' where event.group = "G"', ' where not (event.strategy in ("Kick", "S0"))')  # fmt: skip
GUARDS = (
    "count(sent M, this visit) < 4", "count(sent N, ever) <= 3", "count(sent M, last 1 d) < 3",
    "count(sent M, last 30 min) < 2", 'seen(sent "S0", this visit)', "seen(sent N, last 15 min)",
    "seen(A, last 1 h)", "seen(A, this visit)", "count(B, last 30 min) >= 1", "since(A) < 1 h",
    "since(sent M) >= 5 min", "latest(B.price, last 1 h) > 1", "sum(B.price, last 1 h) = 0",
    "latest(B.price, this visit) > 1", "visit.duration < 2 h", "visit.pages < 3", "visit.n < 3",
    "visit.n >= 0", "visit.n != 2", "visit.done", 'visitor.stage = "kicked"',
    "visitor.stage is known", 'event.message = "M"',
)  # fmt: skip
SETS = (
    "visit.n = visit.n + 1", "visit.n = visit.n + 2", "visit.n = 0", "visit.done = true",
    "visit.done = false", 'visitor.stage = "told"', 'visitor.stage = "kicked"',
)  # fmt: skip


@st.composite
def _pattern(draw: DrawFn) -> str:
    def sent() -> str:
        return f"sent {draw(st.sampled_from(NAMES))}{draw(st.sampled_from(WHERE))}"

    quiet = draw(st.sampled_from(("A", "B", "SignIn", "SignOut", "sent N")))
    silence = f", then no {quiet} for {draw(st.sampled_from(LENGTHS))}"
    begin = draw(
        st.sampled_from(("one", "one", "one", "any", "all", "times", "two", "event", "quiet"))
    )
    told = {
        "any": f"any of (A, {sent()})",
        "all": f"all of ({sent()}, {sent()})",
        "times": f"2 times {sent()}",
        "two": f"{sent()}, then {sent()}",
        "event": f"A, then {sent()}",
        "quiet": f"{sent()}{silence}, then {sent()}",
    }.get(begin) or sent()
    return told + silence + draw(st.sampled_from(("", "", "", ", per page", ", per visitor")))


@st.composite
def _guard(draw: DrawFn) -> str:
    one = draw(st.sampled_from(GUARDS))
    other = draw(st.sampled_from(GUARDS))
    return draw(
        st.sampled_from((one, one, f"not ({one})", f"{one} and {other}", f"{one} or {other}"))
    )


@st.composite
def _strategy(draw: DrawFn, name: str) -> str:
    lines = [f'strategy "{name}"']
    if group := draw(st.sampled_from(("", "", "", "G", "G", "G", "Soon", "Day", "Few"))):
        lines.append(f"  group {group}")
    lines += draw(
        st.sampled_from(([], [], [], [], ["  limit 2 per visitor"], ["  limit 3 in 20 min"]))
    )
    for _ in range(draw(st.integers(1, 2))):
        lines.append(f"  on {draw(_pattern())}")
        for clause in ("when", "unless"):
            if draw(st.integers(0, 2)) == 0:
                lines.append(f"    {clause} {draw(_guard())}")
        sends = draw(st.sampled_from((["M"], ["M"], ["N"], ["M", "N"], [])))
        sets = draw(st.lists(st.sampled_from(SETS), min_size=not sends, max_size=2, unique=True))
        lines += [*(f"    send {send}" for send in sends), *(f"    set {each}" for each in sets)]
    return "\n".join(lines) + "\n"


@st.composite
def _going(draw: DrawFn) -> str:
    """A strategy that only its guard can end, and often another that may take back what it set."""
    scope = draw(st.sampled_from(("", "", ", per visitor")))
    guard = f"{draw(st.sampled_from(('when', 'when', 'unless')))} {draw(_guard())}"
    sets = draw(st.lists(st.sampled_from(SETS), max_size=1))
    lines = [
        'strategy "S0"',
        f"  on sent M, then no B for 10 min{scope}",
        *(f"    {clause}" for clause in (guard, "send M", *(f"set {each}" for each in sets))),
        'strategy "S1"',
        f"  on {draw(st.sampled_from(('A', 'sent M, then no B for 5 min')))}",
        f"    set {draw(st.sampled_from(SETS))}",
    ]
    return DECLARED + "\n".join(lines) + "\n"


@st.composite
def _books(draw: DrawFn) -> str:
    if draw(st.booleans()):
        return draw(_going())
    names = ("S0", "S1", "S2")[: draw(st.integers(2, 3))]
    return DECLARED + "".join(draw(_strategy(name)) for name in names)


@st.composite
def _stories(draw: DrawFn) -> list[Event]:
    """A few events, a sign in among them."""
    names = draw(st.lists(st.sampled_from(("A", "B", "SignIn", "PageEntered")), max_size=4))
    time, told = 0, []
    for name in ["PageEntered", *names, "SignIn"]:
        visit = draw(st.sampled_from(("V", "V", "W")))
        data = {"price": 3} if name == "B" else {}
        told.append(
            Event(name=name, time=time, visitor="X", visit=visit, page=f"P of {visit}", data=data)
        )
        time += draw(st.sampled_from((1, MINUTE, 12 * MINUTE)))
    return told


def compiled(text: str) -> Compiled:
    found = compile_book([Source(name="a", text=text)])
    assert {one.code for one in found.diagnostics} <= {"P316"}, found.diagnostics
    return found


def silent_sends(book: Book, story: list[Event]) -> Iterator[int]:
    """When something goes out behind the last event, counted from it."""
    made, visitor = plan(book), Visitor.new("X")
    moment: Moment
    for moment in story:
        visitor = step(made, visitor, moment).visitor
    last = story[-1].time
    while (due := next_timer(made, visitor)) is not None and due < last + OVER:
        outcome = step(made, visitor, Tick(time=due))
        visitor = outcome.visitor
        yield from (batch.time - last for batch in outcome.batches)


@given(_books(), _stories())
def test_what_compiles_ends_by_itself(text: str, story: list[Event]) -> None:
    book = compiled(text).book
    event("goes on" if book is None else "ends")
    if book is not None:
        assert max(silent_sends(book, story), default=0) < ENDED


EXAMPLES = (
    ("itself", "  on sent M, then no A for 10 min\n    send M\n", True),
    ("by one of two", "  on any of (A, sent M), then no A for 10 min\n    send M\n", True),
    ("another message", "  on sent M, then no A for 10 min\n    send N\n", False),
    ("an event too", "  on A, then sent M, then no A for 10 min\n    send M\n", False),
    ("both", "  on all of (A, sent M), then no A for 10 min\n    send M\n", False),
    ("a limit", "  limit 1 per visit\n  on sent M, then no A for 10 min\n    send M\n", False),
    ("a short limit", "  group Soon\n  on sent M, then no A for 10 min\n    send M\n", True),
    ("a limit of a day", "  group Day\n  on sent M, then no A for 10 min\n    send M\n", False),
    ("a day", "  on sent M, then no A for 1 d\n    send M\n", False),
    ("half days", "  on sent M, then no A for 12 h, then no B for 12 h\n    send M\n", False),
    ("a condition on the send",
     "  on sent G where event.message != \"N\", then no A for 10 min\n    send N\n", False),
)  # fmt: skip
GUARDED = (
    ("when count(sent M, this visit) < 4", "", False),
    ("when count(sent M, last 1 d) < 4", "", False),
    ("when count(sent M, last 5 min) < 4", "", True),
    ('unless seen(sent "S", this visit)', "", False),
    ("when seen(A, last 1 h)", "", False),
    ("when seen(SignIn, this visit)", "", True),
    ("when since(SignIn) < 1 h", "", False),
    ("when since(SignIn) < 2 d", "", True),
    ("unless since(SignIn) >= 1 h", "", False),
    ("when visit.duration < 1 h", "", False),
    ("when not visit.done", "set visit.done = true", False),
    ("unless visit.done", "set visit.done = true", False),
    ("when not visit.done", "set visit.done = false", True),
    ("when visit.n < 3", "set visit.n = visit.n + 1", False),
    ("when visit.n >= 0", "set visit.n = visit.n + 1", True),
    ('when visitor.stage = "kicked"', 'set visitor.stage = "told"', False),
)
ITSELF = 'strategy "S"\n  on sent M, then no A for 10 min\n    {guard}\n    send M\n    {action}\n'
OTHER = 'strategy "T"\n  on sent N, then no A for 10 min\n    send M\n'
TURNS = ITSELF.format(guard="when not visit.done", action="set visit.done = true")
CASES = [
    *(pytest.param(f'strategy "S"\n{told}', endless, id=name) for name, told, endless in EXAMPLES),
    *(
        pytest.param(ITSELF.format(guard=guard, action=action), endless, id=f"{guard} {action}")
        for guard, action, endless in GUARDED
    ),
    pytest.param(f'strategy "S"\n{EXAMPLES[2][1]}{OTHER}', True, id="two that feed each other"),
    pytest.param(
        f'strategy "S"\n  limit 1 per visit\n{EXAMPLES[2][1]}{OTHER}',
        False,
        id="two that feed each other, one with a limit",
    ),
    pytest.param(
        TURNS + 'strategy "T"\n  on sent M, then no B for 1 min\n    set visit.done = false\n',
        True,
        id="another takes back what is set",
    ),
]
STORY = [
    Event(name=name, time=time, visitor="X", visit="V", page="P")
    for time, name in enumerate(("PageEntered", "A", "SignIn"))
]


@pytest.mark.parametrize(("text", "endless"), CASES)
def test_what_is_refused_goes_on_and_what_is_not_ends(text: str, endless: bool) -> None:
    found = compiled(DECLARED + text)
    assert (found.book is None) == endless
    # A limit that is never reached changes nothing but that the book compiles.
    lines = (DECLARED + text).replace('strategy "S"\n', 'strategy "S"\n  limit 100000 per visit\n')
    lines = lines.replace('strategy "T"\n', 'strategy "T"\n  limit 100000 per visit\n')
    book = compiled(lines).book
    assert book is not None
    latest = max(silent_sends(book, STORY), default=0)
    assert (latest > OVER - HOUR) if endless else (latest < ENDED)
