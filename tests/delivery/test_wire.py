"""Whatever bytes arrive, the answer is values or one clear refusal."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.delivery import events, wire

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
NAMES = st.sampled_from([*wire.BrowserEvent.model_fields, "agents", "", "x"])
READERS = [wire.events, wire.notifications, wire.visit_request, wire.subscription]


def told(refusal: wire.Refusal) -> None:
    assert 400 <= refusal.status_code < 500
    assert refusal.sentence.endswith(".")
    assert "\n" not in refusal.sentence
    assert len(refusal.sentence) < 300


@example(raw=b'{"\\n": null}')
@given(raw=st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_values_or_a_refusal(raw: bytes) -> None:
    for read in READERS:
        try:
            read(raw)
        except wire.Refusal as refusal:
            told(refusal)


@given(body=st.lists(st.dictionaries(NAMES, VALUES), max_size=3))
def test_events_nearly_right_are_events_or_a_refusal(body: list[dict[str, Any]]) -> None:
    body = [{"eventName": "E", "visitID": "V"} | one for one in body]
    try:
        found = wire.events(json.dumps(body).encode())
    except wire.Refusal as refusal:
        told(refusal)
    else:
        assert len(found) == len(body)
        # What was taken can be stored and read again.
        for one in found:
            json.loads(json.dumps(one.model_dump(), allow_nan=False))


@pytest.mark.parametrize("depth", [1, wire.MAX_DEPTH, wire.MAX_DEPTH + 1, 199, 250, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_the_bound_of_nesting_is_exact(depth: int, opening: str, closing: str) -> None:
    inside = "" if opening == "[" else "1"
    raw = opening * depth + inside + closing * depth
    if depth <= wire.MAX_DEPTH:
        wire.decoded(raw)
        return
    with pytest.raises(wire.Refusal) as refused:
        wire.decoded(raw)
    assert refused.value.code == "too-deep"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"visitID": "V"}, "eventName is missing."),
        ({"eventName": "E", "visitID": "V", "data": 1}, "data must be an object."),
        ({"eventName": "E", "visitID": "V", "timestamp": "now"}, "timestamp must be a number."),
        ([{"eventName": "E"}], "In event 1, visitID is missing."),
        ([3], "Event 1 must be an object."),
        (3, "The body must be an array."),
        (
            {"eventName": "E", "visitID": "V 1"},
            "visitID must be an id: 1 to 64 letters, digits or any of . _ ~ -.",
        ),
        ([{"eventName": "E", "visitID": "V"}] * 201, "The body has more than 200 entries."),
    ],
)
def test_sentences(body: Any, sentence: str) -> None:
    with pytest.raises(wire.Refusal) as refused:
        wire.events(json.dumps(body).encode())
    assert refused.value.sentence == sentence


def _repeated(one: dict[str, Any], again: dict[str, Any]) -> str:
    """An object with some names twice."""
    return json.dumps(one)[:-1] + (", " if one and again else "") + json.dumps(again)[1:]


TEXTS = st.sampled_from(["V", "E", "a b", "x" * 64, "x" * 65, "y" * 129, "é", "\x7f", "\u2028", ""])
NUMBERS = st.sampled_from([0, -0.0, 1.5, 2**63 - 1, 2**63, -(2**63), 1e308, 10**400, True])
PLAIN = st.dictionaries(NAMES, TEXTS | NUMBERS | st.none(), max_size=4)
DATA = st.dictionaries(st.text(max_size=3), SCALARS | VALUES, max_size=3)
EVENTS = st.builds(
    lambda one, data, again: _repeated(
        {"eventName": "E", "visitID": "V"} | one | ({"data": data} if data else {}), again
    ),
    st.just({}) | PLAIN,
    DATA,
    st.just({}) | st.just({}) | PLAIN,
)


@given(
    raw=EVENTS
    | st.lists(EVENTS, max_size=3).map(lambda some: f"[{','.join(some)}]")
    | EVENTS.map(lambda one: f" {one} ")
    | EVENTS.map(lambda one: f"[{','.join([one] * 201)}]")
    | st.tuples(EVENTS, st.integers(0, 60)).map(lambda cut: cut[0][: -cut[1]])
)
@example(raw='{"eventName": "E", "visitID": "V", "data": {"a": "\\ud800"}}')
@example(raw='{"eventName": "E", "visitID": "V", "title": "%s"}' % ("x" * 33_000))
@settings(max_examples=400)
def test_the_short_way_in_is_the_long_one(raw: str) -> None:
    """``events.read`` gives what the models give, to the kind of each number, or refuses alike."""

    def outcome(read: Callable[[bytes], list[wire.Body]]) -> str:
        try:
            return repr([list(body.items()) for body in read(raw.encode())])
        except wire.Refusal as refusal:
            return f"{refusal.status_code} {refusal.code} {refusal.sentence}"

    long = outcome(lambda given: [wire.body(event) for event in wire.events(given)])
    assert outcome(events.read) == long


def test_what_trackers_send_goes_the_short_way() -> None:
    body = {"eventName": "E", "visitID": "V", "timestamp": 1, "data": {"price": 1.5, "text": "é"}}
    for raw in (json.dumps(body), json.dumps([body, body])):
        assert events._plain(raw.encode()) == events.read(raw.encode())


@pytest.mark.parametrize("field", ["eventName", "eventType", "eventID"])
@pytest.mark.parametrize("sign", [b"\x7f", b"\\u007f", b"\\u0000", b"\\n", b"\\u001f", b"\\t"])
def test_no_way_in_takes_a_word_with_a_sign_that_controls(field: str, sign: bytes) -> None:
    """However it is written: the short way looks at the bytes, and leaves it to the long one."""
    body = {"eventName": "E", "visitID": "V", field: "a@b"}
    raw = json.dumps(body).encode()
    assert events.read(raw)
    with pytest.raises(wire.Refusal):
        events.read(raw.replace(b"@", sign))
