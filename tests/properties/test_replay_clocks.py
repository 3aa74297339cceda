"""A replay against a plain count, on random recordings of visits that run side by side."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BufferedReader, BytesIO

from hypothesis import given
from hypothesis import strategies as st
from trials.compiled import book

from engine.language.syntax import Book
from engine.trials.recording import read
from engine.trials.replay import replay

Seen = tuple[int, str, str, str | None, str | None]
"""Second, name, visit, page, visitor."""

BOOKS = {
    scope: book(
        f'strategy "S"\n  on PageEntered, then no any event for 30 s, per {scope}\n'
        '    send gpe.appendContent { url: "/frontend/resources/invite.html" }\n'
    )
    for scope in ("page", "visit", "visitor")
}

EVENTS = st.lists(
    st.tuples(
        st.integers(0, 24).map(lambda n: n * 10),
        st.sampled_from(["PageEntered", "PageEntered", "Search"]),
        st.sampled_from(["v1", "v2", "v3"]),
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from(["g", "h", None]),
    ),
    max_size=25,
)


def sent(live: Book, events: list[Seen]) -> int:
    lines = [
        json.dumps(
            {
                "eventName": name,
                "timestamp": second * 1000,
                "visitID": visit,
                "pageID": page,
                "globalVisitID": visitor,
            }
        )
        for second, name, visit, page, visitor in events
    ]
    stream = BufferedReader(BytesIO("\n".join(lines).encode()))  # type: ignore[arg-type]
    tally = replay(live, read(["-"], standard_input=stream)).strategies["S"]
    # Where a message goes is another matter: what counts here is that the rule was complete.
    return tally.sent + sum(tally.refused.values())


def quiet(
    events: list[Seen], key: Callable[[Seen], object], reach: Callable[[Seen], object]
) -> int:
    """How many pages were followed by 30 s without an event of the same key, and were reached."""
    ordered = sorted(events, key=lambda seen: seen[0])
    count = 0
    for place, seen in enumerate(ordered):
        if seen[1] != "PageEntered":
            continue
        after = ordered[place + 1 :]
        own = [one[0] for one in after if key(one) == key(seen)]
        end = max((one[0] for one in after if reach(one) == reach(seen)), default=0)
        deadline = seen[0] + 30
        if end >= deadline and not any(time < deadline for time in own):
            count += 1
    return count


def owners(events: list[Seen]) -> dict[str, str]:
    found: dict[str, str] = {}
    for _, _, visit, _, visitor in sorted(events, key=lambda seen: seen[0]):
        found.setdefault(visit, visitor or visit)
    return found


@given(EVENTS)
def test_quiet_times_of_a_visit(events: list[Seen]) -> None:
    expected = quiet(events, key=lambda seen: seen[2], reach=lambda seen: seen[2])
    assert sent(BOOKS["visit"], events) == expected


@given(EVENTS)
def test_quiet_times_of_a_visitor(events: list[Seen]) -> None:
    owner = owners(events)
    expected = quiet(events, key=lambda seen: owner[seen[2]], reach=lambda seen: owner[seen[2]])
    assert sent(BOOKS["visitor"], events) == expected


@given(EVENTS)
def test_quiet_times_of_a_page(events: list[Seen]) -> None:
    """With an exit somewhere none are derived, and pages stay open until their visit is silent."""
    exits: list[Seen] = [(0, "PageExited", "elsewhere", "z", None)]
    expected = quiet(events, key=lambda seen: seen[2:4], reach=lambda seen: seen[2])
    assert sent(BOOKS["page"], events + exits) == expected
