"""The document: what the outbox promises, moment by moment, under a real book."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hosts.booked import BOOK, HELLO, Bench, library_of
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.hosts.contract import Advance, Document, Input, Message
from engine.hosts.document import (
    ENTRIES,
    EXPIRY,
    WAITING,
    EngagementCore,
    invitation_of,
    outbox_after,
)
from engine.hosts.marks import SEEN


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_message_is_byte_for_byte_what_the_strategy_sent(bench: Bench) -> None:
    (message,) = bench.event("AddToCart", 1_000).messages
    assert message.payload == HELLO
    assert (message.visit, message.page, message.offset) == ("V", "P", 1)
    assert message.ids == ("V/Cart/1",)
    assert message.expires == 1_000 + EXPIRY
    assert bench.waiting() == [message]
    assert bench.waiting(offset=1) == bench.waiting("Q") == bench.waiting(None) == []


def test_what_leaves_together_for_one_page_stays_one_array(bench: Bench) -> None:
    (message,) = bench.event("Ask", 1_000).messages
    assert len(json.loads(message.payload)) == 2
    assert message.ids == ("V/Help/1", "V/Help/2")


def test_a_message_that_never_left_is_taken_back_after_30_seconds(bench: Bench) -> None:
    assert bench.event("AddToCart", 1_000).wake_at == 31_000
    bench.event("Pay", 2_000)
    bench.wake(30_999)
    assert len(bench.waiting()) == 2
    bench.wake(31_000)
    assert bench.reasons() == [("Cart", "expired")]
    assert [message.ids for message in bench.waiting()] == [("V/Patience/1",)]
    bench.event("AddToCart", 40_000)
    assert ("Cart", None) in bench.reasons(), "it does not count for the limit"


def test_a_message_that_left_counts_and_stays(bench: Bench) -> None:
    bench.connect(500)
    bench.event("AddToCart", 1_000)
    bench.event("Pay", 2_000)
    bench.event("AddToCart", 3_600_000)
    assert ("Cart", "limit") in bench.reasons()
    assert [message.offset for message in bench.waiting()] == [1, 2]


@pytest.mark.parametrize(("late", "left"), [(-1, True), (0, False)])
def test_connecting_in_time_is_in_time(bench: Bench, late: int, left: bool) -> None:
    bench.event("AddToCart", 1_000)
    bench.event("Pay", 1_000)
    bench.connect(31_000 + late)
    assert len(bench.waiting()) == 2 * left
    bench.wake(200_000)
    assert len(bench.waiting()) == 2 * left


def test_at_the_same_instant_expiry_goes_before_a_timer(bench: Bench) -> None:
    """The timer of "Patience" falls due in the very ms in which its first message is gone."""
    bench.event("AddToCart", 1_000)
    text = """
    event A "a"
    event B "b"
    message M is gpe.appendContent { url: "/x" }
    strategy "S"
      limit 1 per visit
      on A
        send M
      on A, then no B for 30 s
        send M
    """
    bench = Bench("\n".join(line[4:] for line in text.splitlines()))
    bench.event("A", 1_000)
    assert bench.reasons() == [("S", None)]
    advance = bench.wake(31_000)
    assert bench.reasons() == [("S", "expired"), ("S", None)]
    assert [message.ids for message in advance.messages] == [("V/S/2",)]


def test_timers_before_an_expiry_fire_before_it(bench: Bench) -> None:
    bench.event("AddToCart", 1_000)
    bench.event("Ask", 5_000)
    bench.wake(3_600_000)
    assert bench.reasons() == [
        ("Cart", "expired"),
        ("Patience", None),
        ("Help", "expired"),
        ("Help", "expired"),
    ]
    assert [message.ids for message in bench.waiting()] == [("V/Patience/1",)]
    assert bench.waiting()[0].expires == 3_600_000 + EXPIRY, "30 s from when it could leave"


def test_an_acknowledgement_trims_what_its_page_had(bench: Bench) -> None:
    bench.connect(0)
    bench.connect(0, "Q", "d")
    bench.push(10, "P", "Q")
    bench.push(20, "P")
    assert [m.offset for m in bench.waiting()] == [1, 3]
    bench.acknowledge(30, 2)
    assert [m.offset for m in bench.waiting()] == [3]
    assert [m.offset for m in bench.waiting("Q")] == [2]
    bench.acknowledge(40, 3)
    bench.acknowledge(50, 3, "Q")
    assert bench.document is not None
    assert bench.document["outbox"] == {}
    assert [m.offset for m in bench.push(60, "P").messages] == [4], "offsets never begin again"


def test_an_acknowledged_message_counts_though_nobody_noted_its_page(bench: Bench) -> None:
    bench.event("AddToCart", 1_000)
    bench.acknowledge(2_000, 1)
    bench.wake(100_000)
    assert ("Cart", "expired") not in bench.reasons()


def test_a_push_is_split_by_page_and_expires_without_a_decision(bench: Bench) -> None:
    messages = bench.push(1_000, "P", None, "P").messages
    assert [(m.page, m.offset) for m in messages] == [("P", 1), (None, 2)]
    assert json.loads(messages[0].payload) == [
        {"page": "P", "channel": "c", "data": {"n": 0}},
        {"page": "P", "channel": "c", "data": {"n": 2}},
    ]
    assert len({name for message in messages for name in message.ids}) == 3
    bench.wake(31_000)
    assert bench.reasons() == []
    assert bench.waiting() == []


def test_every_page_gets_a_message_for_every_page_once(bench: Bench) -> None:
    bench.event("PageEntered", 0, "A")
    bench.event("PageEntered", 0, "B")
    bench.connect(10, "A")
    bench.push(20, None)
    assert len(bench.waiting("A")) == len(bench.waiting("B")) == 1
    bench.acknowledge(30, 1, "A")
    assert len(bench.waiting("A")) == 0
    assert len(bench.waiting("B")) == 1, "it was open, and is only disconnected"
    assert len(bench.waiting("C")) == 0, "it came later"
    bench.acknowledge(40, 1, "B")
    assert len(bench.waiting("B")) == 0
    assert bench.document is not None
    assert bench.document["outbox"] == {}


def test_a_message_for_every_page_that_nobody_took_goes_to_the_next(bench: Bench) -> None:
    bench.event("PageEntered", 0, "A")
    bench.push(10, None)
    bench.event("PageExited", 20, "A")
    bench.event("PageEntered", 30, "B")
    assert len(bench.waiting("B")) == 1
    bench.connect(40, "B")
    bench.acknowledge(50, 1, "B")
    assert bench.waiting("B") == bench.waiting("A") == []


def test_what_left_for_a_page_goes_with_it(bench: Bench) -> None:
    bench.connect(0)
    bench.event("AddToCart", 10)
    bench.push(20, "Q")
    bench.event("PageExited", 30)
    assert bench.waiting() == []
    assert len(bench.waiting("Q")) == 1


def test_a_visit_keeps_no_more_than_its_limit(bench: Bench) -> None:
    bench.connect(0)
    bench.push(1, "Q")
    for n in range(ENTRIES + 20):
        bench.push(n, "P")
    assert len(bench.waiting()) == ENTRIES - 1, "what has left goes first"
    assert len(bench.waiting("Q")) == 1
    bench.disconnect(1_000)
    for n in range(ENTRIES):
        bench.push(n, "Q")
    assert len(bench.waiting("Q")) == ENTRIES


def test_a_message_of_a_strategy_that_is_crowded_out_is_taken_back(bench: Bench) -> None:
    bench.event("AddToCart", 0)
    for n in range(ENTRIES - 1):
        bench.push(n, "P")
    assert bench.reasons() == []
    bench.push(500, "P")
    assert bench.reasons() == [("Cart", "expired")]


def test_a_visitor_keeps_no_more_than_their_limit_over_all_visits() -> None:
    bench = Bench(BOOK.replace("limit 1 per visit", "limit 1 per visitor", 1))
    bench.event("AddToCart", 0, visit="first")
    wires = [{"page": None, "channel": "c", "data": {}} for _ in range(50)]
    pushes = [
        bench.input("pushed", n + 1, {"notifications": wires}, visit=f"V{n}")
        for n in range(WAITING // 50)
    ]
    bench.apply(*pushes)
    assert bench.reasons() == [("Cart", "expired")], "it never left, so it is taken back"
    assert bench.document is not None
    outbox = bench.document["outbox"]
    assert "first" not in outbox
    assert sum(len(entry["ids"]) for entries in outbox.values() for entry in entries) == WAITING
    bench.apply(bench.input("pushed", 500, {"notifications": wires[:1]}, visit="W"))
    outbox = bench.document["outbox"]
    assert "V0" not in outbox, "an entry goes as a whole"
    assert {"V1", "W"} <= outbox.keys()


def test_what_nobody_acknowledges_is_kept_for_a_day(bench: Bench) -> None:
    bench.connect(0)
    bench.push(0, "P")
    bench.wake(86_399_999)
    assert len(bench.waiting()) == 1
    bench.wake(86_400_000)
    assert bench.waiting() == []


def test_duplicates_are_recognised_within_their_visit(bench: Bench) -> None:
    assert bench.event("AddToCart", 1, key="e").decisions != (None,)
    assert bench.event("AddToCart", 2, key="e").decisions == (None,)
    assert bench.event("AddToCart", 3, key="e", visit="W").decisions != (None,)
    for n in range(SEEN - 2):
        bench.event("PageEntered", 4, key=f"{n}")
    assert bench.event("AddToCart", 5, key="e").decisions == (None,)
    bench.event("PageEntered", 6, key="one more")
    assert bench.event("AddToCart", 7, key="e").decisions != (None,)


def test_an_id_is_remembered_by_the_same_mark_in_every_version(bench: Bench) -> None:
    for key in ("a", "e0", "e22", "\xe9\ud800"):
        bench.event("AddToCart", 1, key=key)
    assert (bench.document or {})["seen"] == "JFoAfLUp2-vo4nPOtcaQys_7rwaU0vzT"


def test_connections_of_an_earlier_process_are_gone(bench: Bench) -> None:
    bench.connect(0)
    bench.event("AddToCart", 10)
    bench.epoch = 2
    bench.event("Pay", 20)
    assert bench.last is not None
    assert bench.last.wake_at == 20 + EXPIRY, "nobody is connected now"
    assert [m.offset for m in bench.waiting()] == [1, 2], "and what had left is still there"
    bench.wake(20 + EXPIRY)
    assert [m.offset for m in bench.waiting()] == [1]


def test_a_page_is_connected_until_its_last_connection_goes(bench: Bench) -> None:
    bench.connect(0, "P", "first")
    bench.connect(1, "P", "second")
    bench.disconnect(2, "P", "first")
    assert bench.push(3, "P").wake_at is None
    bench.disconnect(4, "P", "second")
    assert bench.push(5, "P").wake_at == 5 + EXPIRY


def test_time_never_goes_back(bench: Bench) -> None:
    bench.event("PageEntered", 100_000)
    (message,) = bench.event("AddToCart", 50_000).messages
    assert message.expires == 100_000 + EXPIRY


def test_the_invitation_of_a_page(bench: Bench) -> None:
    bench.event("AddToCart", 0)
    assert bench.document is not None
    assert invitation_of(bench.document, "V", "P") == {
        "id": "V/Cart/1",
        "strategy": "Cart",
        "group": None,
        "message": "Hello",
        "attach": {},
    }
    assert invitation_of(bench.document, "W", "P") is None


def test_an_unknown_kind_is_an_error(bench: Bench) -> None:
    with pytest.raises(ValueError, match="'sneezed'"):
        bench.apply(bench.input("sneezed", 0, {}))


PAGES = st.sampled_from(["A", "B"])
ANY_PAGE = st.sampled_from(["A", "B", None])
NAMES = st.sampled_from(["AddToCart", "Pay", "Ask", "PageEntered", "PageExited"])


def _happening(kind: str, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(kind), st.fixed_dictionaries(parts))


happenings = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 10_000, 29_999, 30_000, 90_000]),
        st.one_of(
            _happening("event", name=NAMES, page=PAGES, id=st.none() | st.sampled_from("xyz")),
            _happening("connected", page=PAGES, connection=st.sampled_from(["1", "2"])),
            _happening("disconnected", connection=st.sampled_from(["1", "2"])),
            _happening("acknowledged", page=PAGES, offset=st.integers(0, 12)),
            _happening("pushed", pages=st.lists(ANY_PAGE, min_size=1, max_size=3)),
            _happening("woken"),
        ),
    ),
    max_size=25,
)

_CORE = EngagementCore(library_of(), dict)


def _inputs(happened: list[tuple[int, tuple[str, dict[str, Any]]]]) -> list[Input]:
    version = _CORE.woken(0).version
    inputs, time = [], 1_000
    for gap, (kind, parts) in happened:
        time += gap
        body, name = dict(parts), None
        if kind == "event":
            name = body.pop("id")
            body = {"eventName": parts["name"], "pageID": parts["page"], "agents": {}}
        elif kind == "pushed":
            body = {
                "notifications": [{"page": p, "channel": "c", "data": {}} for p in parts["pages"]]
            }
        elif kind == "woken":
            body = {"agents": {}}
        elif kind == "disconnected":
            body["page"] = None
        visit = "" if kind == "woken" else "V"
        inputs.append(Input(kind=kind, visit=visit, time=time, version=version, id=name, body=body))
    return inputs


@given(happened=happenings)
def test_inputs_may_be_cut_into_batches_anywhere(
    happened: list[tuple[int, tuple[str, dict[str, Any]]]],
) -> None:
    inputs = _inputs(happened)
    whole = _CORE.advance("G", None, inputs)
    document, messages, decisions = None, [], []
    for one in inputs:
        advance = _CORE.advance("G", document, [one])
        document = advance.document and _CORE.decode(_CORE.encode(advance.document))
        messages += advance.messages
        decisions += advance.decisions
    assert not inputs or document == whole.document
    assert tuple(messages) == whole.messages
    assert tuple(decisions) == whole.decisions


@given(happened=happenings)
def test_no_message_is_lost(happened: list[tuple[int, tuple[str, dict[str, Any]]]]) -> None:
    """A message for one page waits until it was acknowledged, its page left, or it expired."""
    document, made = None, 0
    connected: dict[str, str] = {}
    due: dict[int, tuple[Message, bool]] = {}
    for one in _inputs(happened):
        if one.kind == "acknowledged":  # a page acknowledges only what it had
            one = replace(one, body={**one.body, "offset": min(one.body["offset"], made)})
        advance = _CORE.advance("G", document, [one])
        document = advance.document
        if advance.decisions[0] is not None:
            due = {o: (m, left) for o, (m, left) in due.items() if left or m.expires > one.time}
            _note(one, connected, due)
        due |= {m.offset: (m, False) for m in advance.messages if m.page is not None}
        due = {o: (m, left or m.page in connected.values()) for o, (m, left) in due.items()}
        assert [m.offset for m in advance.messages] == [
            made + place + 1 for place in range(len(advance.messages))
        ]
        made += len(advance.messages)
        waiting = [m for p in ("A", "B") for m in _waiting(document, p) if m.page == p]
        assert sorted(m.offset for m in waiting) == sorted(due)


def _waiting(document: Document | None, page: str) -> list[Message]:
    return outbox_after(document, "V", page) if document else []


def _note(one: Input, connected: dict[str, str], due: dict[int, tuple[Message, bool]]) -> None:
    """What an input means for connections, and for messages that are due already."""
    match one.kind:
        case "connected":
            connected[one.body["connection"]] = one.body["page"]
        case "disconnected":
            connected.pop(one.body["connection"], None)
        case "acknowledged":
            for offset, (message, _) in list(due.items()):
                if message.page == one.body["page"] and offset <= one.body["offset"]:
                    del due[offset]
        case "event" if one.body["eventName"] == "PageExited":
            for offset, (message, left) in list(due.items()):
                if left and message.page == one.body["pageID"]:
                    del due[offset]


# ------------------------------------------------ events that come together

_EXITS = (
    BOOK
    + """
strategy "Farewell"
  on PageExited
    send Note
"""
)


def _together(bench: Bench, *names: str, page: str | None = "P", keyed: bool = True) -> Advance:
    """Events at once; those with an id go in one go, those without each alone."""
    body: dict[str, Any] = {"agents": {}} if page is None else {"agents": {}, "pageID": page}
    return bench.apply(
        *(
            bench.input("event", 5_000, {"eventName": name, **body}, f"k{place}" if keyed else None)
            for place, name in enumerate(names)
        )
    )


@pytest.mark.parametrize("keyed", [True, False])
def test_each_event_has_its_own_decisions(bench: Bench, keyed: bool) -> None:
    bench.connect(500)
    bench.event("AddToCart", 1_000)
    bench.acknowledge(2_000, 1)
    assert bench.waiting() == []
    _together(bench, "AddToCart", "AddToCart", "PageEntered", "AddToCart", keyed=keyed)
    assert bench.last is not None
    assert [[one["strategy"] for one in line or ()] for line in bench.last.decisions] == [
        ["Cart"], ["Cart"], [], ["Cart"],
    ]  # fmt: skip


@pytest.mark.parametrize("keyed", [True, False])
def test_connections_of_an_earlier_epoch_are_gone_for_events_too(bench: Bench, keyed: bool) -> None:
    bench.connect(500)
    bench.epoch += 1
    _together(bench, "PageEntered", "AddToCart", keyed=keyed)
    assert bench.waiting()
    bench.wake(5_000 + EXPIRY)
    assert ("Cart", "expired") in bench.reasons(), "nobody was there to take it"


@pytest.mark.parametrize("keyed", [True, False])
def test_events_under_another_book_are_decided_by_it(bench: Bench, keyed: bool) -> None:
    bench.event("PageEntered", 1_000)
    old = bench.library.live
    bench.library.swap(library_of(BOOK.replace("on AddToCart", "on Pay")).live)
    bodies = [{"eventName": name, "agents": {}} for name in ("AddToCart", "AddToCart")]
    before = [
        replace(bench.input("event", 5_000, body, f"k{n}" if keyed else None), version=old.version)
        for n, body in enumerate(bodies)
    ]
    bench.apply(*before)
    assert ("Cart", None) in bench.reasons()


@pytest.mark.parametrize("keyed", [True, False])
def test_what_the_exit_of_a_page_sent_has_left_with_it(keyed: bool) -> None:
    """An exit that names no page leaves what was for all pages, its own messages too."""
    bench = Bench(_EXITS)
    bench.connect(500)
    advance = _together(bench, "PageExited", page=None, keyed=keyed)
    assert len(advance.messages) == 1
    assert bench.waiting() == bench.waiting(None) == []
