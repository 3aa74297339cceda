"""What a recording is made of: which lines count, their order, whose they are, what ends a page."""

from __future__ import annotations

import gzip
import json
from io import BufferedReader, BytesIO
from pathlib import Path

import pytest
from trials.recordings import entered, event, recorded, write

from engine.trials.recording import BadRecording, Recording, moments, read
from engine.vocabulary.events import Event


def names(recording: Recording, *, derive: bool | None = None) -> list[str]:
    derive_exits = not recording.has_exits if derive is None else derive
    return [
        f"{found.name} {found.page} {found.time // 1000}"
        for track in recording.tracks
        for _, found in moments(track, derive_exits=derive_exits, agents={})
    ]


def only_line(path: Path, text: str | bytes) -> Recording:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read([str(path)])


def test_every_field_of_the_wire_arrives(tmp_path: Path) -> None:
    line = event(
        "AddToCart",
        1,
        globalVisitID="g",
        eventID="e",
        title="T",
        languageCode="en-GB",
        category="c",
        data={"price": 3},
    )
    recording = recorded(tmp_path, line)
    found = [
        moment for _, moment in moments(recording.tracks[0], derive_exits=True, agents={"chat": 2})
    ]
    assert found == [
        Event(
            name="AddToCart",
            time=1000,
            visitor="g",
            visit="v1",
            page="p1",
            id="e",
            url="https://shop.example/p1",
            title="T",
            language="en-GB",
            category="c",
            data={"price": 3},
            agents={"chat": 2},
        )
    ]


def test_lines_without_visit_are_counted_and_left_out(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path, entered(1), entered(2, None), entered(3, ""), {"eventName": "X", "timestamp": 4}
    )
    assert (recording.events, recording.homeless, recording.visits) == (4, 3, 1)
    assert names(recording) == ["PageEntered p1 1"]


def test_order_is_by_time_and_ties_by_place(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path, entered(2, page="late"), entered(1, page="a"), entered(1, page="b")
    )
    assert names(recording, derive=False) == [
        "PageEntered a 1",
        "PageEntered b 1",
        "PageEntered late 2",
    ]


def test_ties_across_files_are_in_order_of_the_arguments(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", [entered(1, page="one")])
    two = write(tmp_path / "two.jsonl", [entered(1, page="two")])
    assert names(read([two, one]), derive=False) == ["PageEntered two 1", "PageEntered one 1"]


def test_a_visit_belongs_to_the_visitor_of_its_first_event_in_time(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path,
        event("A", 3, "v1", globalVisitID="late"),
        event("A", 1, "v1", globalVisitID="first"),
        event("A", 2, "v1"),
        event("A", 4, "v2", globalVisitID="first"),
    )
    assert [(track.visitor, len(track.lines)) for track in recording.tracks] == [("first", 4)]
    assert recording.tracks[0].horizon == {"v1": 3000, "v2": 4000}


def test_a_visit_without_visitor_is_its_own_and_meets_nobody_of_that_name(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path,
        event("A", 1, "same"),
        event("A", 2, "other", globalVisitID="same"),
        event("A", 3, "same", globalVisitID="too late"),
    )
    assert [(track.visitor, set(track.horizon)) for track in recording.tracks] == [
        ("same", {"same"}),
        ("same", {"other"}),
    ]


# ---------------------------------------------------------------- derived exits


def test_a_page_ends_when_the_next_one_of_its_visit_begins_and_before_it(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path, entered(1), event("Search", 2), entered(5, page="p2"), entered(3, "v2", "q1")
    )
    assert names(recording) == [
        "PageEntered p1 1",
        "Search p1 2",
        "PageExited p1 5",
        "PageEntered p2 5",
        "PageEntered q1 3",
    ]


def test_a_derived_exit_is_about_the_page_as_it_was_entered(tmp_path: Path) -> None:
    first = entered(1, title="One", category="c", languageCode="de", data={"x": 1})
    recording = recorded(tmp_path, first, entered(2, page="p2", title="Two"))
    _, leaving, _ = (
        found for _, found in moments(recording.tracks[0], derive_exits=True, agents={})
    )
    assert (leaving.url, leaving.title, leaving.category) == ("https://shop.example/p1", "One", "c")
    assert (leaving.language, dict(leaving.data)) == ("de", {})


def test_the_same_page_entered_again_ends_nothing(tmp_path: Path) -> None:
    recording = recorded(tmp_path, entered(1), entered(2), entered(3, page="p2"))
    assert names(recording) == [
        "PageEntered p1 1",
        "PageEntered p1 2",
        "PageExited p1 3",
        "PageEntered p2 3",
    ]


def test_a_page_without_id_ends_too(tmp_path: Path) -> None:
    recording = recorded(tmp_path, entered(1, page=None), entered(2, page=None))
    assert names(recording) == ["PageEntered None 1", "PageExited None 2", "PageEntered None 2"]


def test_a_recording_with_an_exit_gets_none(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path, entered(1), entered(2, page="p2"), event("PageExited", 9, "elsewhere")
    )
    assert recording.has_exits
    assert names(recording) == ["PageEntered p1 1", "PageEntered p2 2", "PageExited p1 9"]


# ---------------------------------------------------------------- files and streams


def test_gzip_is_known_by_its_bytes_and_not_by_the_name(tmp_path: Path) -> None:
    line = json.dumps(entered(1)).encode() + b"\n"
    odd = tmp_path / "events.txt"
    odd.write_bytes(gzip.compress(line) + gzip.compress(line))
    plain = tmp_path / "events.gz"
    plain.write_bytes(line)
    assert read([str(odd), str(plain)]).events == 3


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input(pack: type) -> None:
    stream = BufferedReader(BytesIO(pack(json.dumps(entered(1)).encode())))  # type: ignore[arg-type]
    assert read(["-"], standard_input=stream).visits == 1
    assert not stream.closed


def test_blank_lines_line_ends_and_a_byte_order_mark_mean_nothing(tmp_path: Path) -> None:
    line = json.dumps(entered(1))
    text = b"\xef\xbb\xbf" + f"{line}\r\n\r\n  \n{line}".encode()
    assert only_line(tmp_path / "e.jsonl", text).events == 2


def test_an_empty_recording_is_no_mistake(tmp_path: Path) -> None:
    recording = only_line(tmp_path / "e.jsonl", "")
    assert (recording.events, recording.visits, recording.tracks) == (0, 0, ())


# ---------------------------------------------------------------- what is wrong

GOOD = json.dumps(entered(1))
BAD = [
    ("{", "this is not JSON"),
    ("eventName,visitID", "this is not JSON"),
    ('{"eventName": "A", "timestamp": NaN}', "this is not JSON"),
    ("[1, 2]", "this is JSON but no object"),
    ("7", "this is JSON but no object"),
    ('{"timestamp": 1}', "eventName is missing or is not text"),
    ('{"eventName": "", "timestamp": 1}', "eventName is missing or is not text"),
    ('{"eventName": 3, "timestamp": 1}', "eventName is missing or is not text"),
    ('{"eventName": "A"}', "timestamp is missing or is not a whole number"),
    ('{"eventName": "A", "timestamp": "1"}', "timestamp is missing or is not a whole number"),
    ('{"eventName": "A", "timestamp": true}', "timestamp is missing or is not a whole number"),
    ('{"eventName": "A", "timestamp": 1.5}', "timestamp is missing or is not a whole number"),
    ('{"eventName": "A", "timestamp": 1e999}', "timestamp is missing or is not a whole number"),
    ('{"eventName": "A", "timestamp": 1, "visitID": 7}', "visitID is not text"),
    ('{"eventName": "A", "timestamp": 1, "url": {}}', "url is not text"),
    ('{"eventName": "A", "timestamp": 1, "data": [1]}', "data is not an object"),
    ('{"eventName": "A", "timestamp": 1, "data": ' + "[" * 9999 + "]" * 9999 + "}", "too deeply"),
    ('{"eventName": "A", "timestamp": ' + "9" * 5000 + "}", "this is not JSON"),
    (b'{"eventName": "\xff"}', "this is not text in UTF-8"),
]


@pytest.mark.parametrize(("line", "complaint"), BAD)
def test_a_line_that_is_no_event(tmp_path: Path, line: str | bytes, complaint: str) -> None:
    path = tmp_path / "e.jsonl"
    bad = line if isinstance(line, bytes) else line.encode()
    path.write_bytes(GOOD.encode() + b"\n\n" + bad + b"\n" + GOOD.encode() + b"\n")
    with pytest.raises(BadRecording) as found:
        read([str(path)])
    sentence = str(found.value)
    assert sentence.startswith(f"{path}, line 3: ")
    assert complaint in sentence
    assert "--skip-bad" in sentence
    recording = read([str(path)], skip_bad=True)
    assert (recording.events, recording.bad) == (2, 1)
    assert complaint in (recording.first_bad or "")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing.jsonl")
    with pytest.raises(BadRecording, match="there is no such file"):
        read([missing])
    with pytest.raises(BadRecording, match="this is a folder"):
        read([str(tmp_path)])
    packed = gzip.compress(GOOD.encode() + b"\n")
    for name, content in (("cut", packed[:-9]), ("spoilt", packed[:20] + b"??" + packed[22:])):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(BadRecording, match="damaged or cut off after line"):
            read([str(path)], skip_bad=True)
