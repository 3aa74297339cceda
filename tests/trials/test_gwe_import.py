"""Genesys event files and categories become strategy files; what is code is left out, and said."""

import json
import re
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cli import main
from engine.language.captures import captures
from engine.language.compiler import compile_book
from engine.language.source import Source, read_folder
from engine.trials.gwe import UnreadableModel, read_model
from engine.trials.gwe_categories import categories_text
from engine.trials.gwe_events import EventWriter, Note
from engine.vocabulary.words import WORDS as WORDS_OF_THE_LANGUAGE

FOLDER = Path(__file__).parent / "gwe"


def written(raw: bytes | str) -> tuple[str, list[Note]]:
    writer = EventWriter(read_model(raw.encode() if isinstance(raw, str) else raw), "model.xml")
    return writer.text(), writer.notes


def events(text: str) -> dict[str, dict[str, object]]:
    """What a page is told of the text, by event."""
    compiled = compile_book([Source(name="events.strategy", text=text)])
    assert compiled.book is not None, compiled.diagnostics
    return {event["name"]: event for event in captures(compiled.book)["events"]}


def one(trigger: str, event: str = "", inside: str = "") -> tuple[str, list[Note]]:
    return written(
        f'<properties><events>\n<event name="E" {event}>\n<trigger name="T" {trigger}/>\n'
        f"{inside}</event></events></properties>"
    )


def test_the_default_file() -> None:
    text, notes = written((FOLDER / "default.xml").read_bytes())
    assert events(text)["Timeout30"]["captures"] == [{"on": "timer", "ms": 30_000}]
    assert 'event Timeout30 "Timeout-30"' in text
    assert "# <event id=" in text
    assert ("renamed", 5) in {(note.what, note.line) for note in notes}
    assert "left out" not in {note.what for note in notes}


def test_a_whole_shop() -> None:
    text, notes = written((FOLDER / "shop.xml").read_bytes())
    found = events(text)
    assert found["Search"] == {
        "name": "Search",
        "captures": [
            {"on": "click", "selector": "td#gobutton input"},
            {"on": "key", "selector": "input#search", "key": "Enter"},
        ],
        "fields": [
            {"path": "searchString", "kind": "text", "from": "value", "selector": "input#search"}
        ],
    }
    assert [field["path"] for field in found["AddToCart"]["fields"]] == ["price", "cart.total"]  # type: ignore[attr-defined]
    assert [capture["on"] for capture in found["AddToCart"]["captures"]] == ["click"]  # type: ignore[attr-defined]
    left_out = [note.line for note in notes if note.what == "left out"]
    assert left_out == [13, 17, 18, 19, 21, 25, 27, 31, 33]
    for line in left_out:
        assert f"line {line}): " in text


@pytest.mark.parametrize(
    ("trigger", "event"),
    [
        ('element="a" action="click"', 'condition="isOpen()"'),
        ('element="a" action="click"', 'postcondition="isOpen()"'),
        ('element="a" action="click"', 'postcondition="document.hasFocus()"'),
        ('element="a" action="click" url="/x"', ""),
        ('element="a" action="click" count="2"', ""),
        ('element="a" action="click" type="later"', ""),
        ('element="" action="click"', ""),
        ('element="window" action="click"', ""),
        ('element="a:visible" action="click"', ""),
        ('element="a" action="keypress"', ""),
        ('element="a" action="keyup"', 'postcondition="event.which == 99"'),
        ('element="a" action="mouseover"', ""),
        ('element="" action="timer:1000"', ""),
        ('element="" action="timer:0"', 'postcondition="document.hasFocus()"'),
        ('element="" action="timer:1e3"', 'postcondition="document.hasFocus()"'),
        ('element="" action="timer:99999999999999"', 'postcondition="document.hasFocus()"'),
        ('element="a" action="timer:1000"', 'postcondition="document.hasFocus()"'),
    ],
)
def test_what_is_no_capture(trigger: str, event: str) -> None:
    text, notes = one(trigger, event)
    assert events(text) == {}
    assert [note.what for note in notes] == ["left out"]
    assert f"(model.xml line {notes[0].line}): " in text


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("$('#a').text()", 'text of "#a"'),
        ("jQuery('#a').val();", 'value of "#a"'),
        ("$('a').attr('data-x')", 'attribute "data-x" of "a"'),
        ("dataLayer.cart.total", 'variable "dataLayer.cart.total"'),
        ("window.shop", 'variable "shop"'),
        ("$('#a').text().trim()", None),
        ("$(event.target).text()", None),
        ("$('#a').text('new')", None),
        ("$('#a').attr()", None),
        ("$('li:eq(0)').text()", None),
        ("document.title", None),
        ("'a word'", None),
        ("12", None),
        ("cart[0].x", None),
        ("", None),
    ],
)
def test_values(value: str, source: str | None) -> None:
    inside = f'<val name="x" value={quoteattr(value)}/>\n'
    text, notes = one('element="a" action="click"', inside=inside)
    events(text)
    assert (f"  x text from {source}\n" in text) == (source is not None)
    assert ("left out" in {note.what for note in notes}) == (source is None)


def test_one_field_has_one_source() -> None:
    values = ["$('#a').val()", "$('#b').val()"]
    inside = "".join(f'<val name="x" value="{value}"/>\n' for value in values)
    text, notes = one('element="a" action="click"', inside=inside)
    assert text.count("x text from") == 1
    assert [(note.what, note.line) for note in notes if note.what == "left out"] == [
        ("left out", 5)
    ]


def test_words_of_the_language_are_names_as_well() -> None:
    body = "".join(
        f'<event name="{word}"><val name="{word}" value="$(&quot;a&quot;).val()"/></event>'
        for word in sorted({word.phrase for word in WORDS_OF_THE_LANGUAGE} | {"list", "capture"})
    )
    text, notes = written(f"<properties><events>{body}</events></properties>")
    assert len(events(text)) == body.count("<event")
    assert "left out" not in {note.what for note in notes}


def test_names_stay_apart() -> None:
    names = ["Time-out", "Timeout", "TimeOut", "send", "30", "Zeit ändern", "-"]
    body = "".join(f'<event name="{name}"/>' for name in names)
    text, _ = written(f"<properties><events>{body}</events></properties>")
    found = re.findall(r"^event (\w+)", text, re.MULTILINE)
    assert found == [
        "TimeOut", "Timeout", "TimeOut_2", "send_", "Event30", "ZeitÄndern", "Unnamed",
    ]  # fmt: skip
    assert compile_book([Source(name="a.strategy", text=text)]).book is not None


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (b'<!DOCTYPE p [<!ENTITY a "b">]><properties/>', "document type"),
        (b'<!DOCTYPE p SYSTEM "file:///etc/passwd"><properties/>', "document type"),
        (b"<properties><events>", "no XML at line 1"),
        (b"<html/>", "begins with <html>"),
        (b"<properties/>", "no <events>"),
        (b"", "no XML"),
        (b"x" * 2_000_001, "larger"),
        (b'<properties><events a="' + b"x" * 10_001 + b'"/></properties>', "attribute"),
        (b"<properties>" + b"<events>" * 30, "too many"),
        (b'<?xml version="1.0" encoding="ebcdic-x"?><properties/>', "encoding"),
        (b"<properties>&outside;</properties>", "no XML"),
    ],
)
def test_hostile_files(raw: bytes, part: str) -> None:
    with pytest.raises(UnreadableModel, match=part):
        read_model(raw)


def test_categories() -> None:
    text, notes = categories_text((FOLDER / "categories.json").read_bytes(), "categories.json")
    book = compile_book([Source(name="categories.strategy", text=text)]).book
    assert book is not None
    assert list(book.categories) == ["ProductPage", "Sale", "Solutions"]
    assert [(note.what, note.line) for note in notes] == [
        ("renamed", 3), ("left out", 8), ("left out", 9),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "raw", [b"[]", b"{", b'{"categories": [{"name": ""}]}', b"\xff", b"[" * 9_999]
)
def test_files_that_are_no_categories(raw: bytes) -> None:
    with pytest.raises(UnreadableModel, match="shape"):
        categories_text(raw, "c.json")


WORDS = st.one_of(
    st.sampled_from(
        ["Search", "a-b", "send", "on", "text", "", "x.y", "30", "capture", "a:eq(0)", "#q",
         "click", "timer:1000", "keypress", "submit", "document.hasFocus()", "event.which==13",
         "true", "$('#a').val()", "$('a').attr('b')", "dataLayer.x", "1", "f(x)", "list",
         "from", "not"]
    ),
    st.text(max_size=20),
)  # fmt: skip


def _attributes(*names: str) -> st.SearchStrategy[str]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, WORDS)).map(
        lambda found: "".join(f" {name}={quoteattr(value)}" for name, value in found.items())
    )


VALS = _attributes("name", "value").map(lambda a: f"<val{a}/>")
TRIGGERS = _attributes("name", "element", "action", "url", "count").map(lambda a: f"<trigger{a}/>")
EVENTS = st.tuples(
    _attributes("name", "condition", "postcondition"), st.lists(VALS | TRIGGERS, max_size=4)
).map(lambda pair: f"<event{pair[0]}>{''.join(pair[1])}</event>")


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=4))
def test_whatever_it_says_the_book_is_good(found: list[str]) -> None:
    try:
        text, _ = written(f"<properties><events>{''.join(found)}</events></properties>")
    except UnreadableModel:
        return  # signs that XML does not take
    events(text)


@pytest.mark.parametrize("word", ["a²", "aª", "½", "½a", "a½"])
def test_signs_that_look_like_letters_make_a_good_book(word: str) -> None:
    text, _ = written(
        f'<properties><events><event name="{word}"><val name="{word}" value="{word}"/></event>'
        "</events></properties>"
    )
    events(text)


# ---------------------------------------------------------------- the command


def test_the_command_writes_a_good_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["import", "gwe", str(FOLDER / "shop.xml"), str(FOLDER / "categories.json")]
    assert main([*given, "-o", str(tmp_path / "book")]) == 1
    assert compile_book(read_folder(tmp_path / "book")).book is not None
    said = capsys.readouterr()
    assert said.out == ""
    assert "shop.xml:17: left out: AddToCart: the trigger `AddFirst`" in said.err
    assert main([*given, "-o", str(tmp_path / "book")]) == 2
    assert "is there already" in capsys.readouterr().err


def test_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "gwe", str(FOLDER / "default.xml"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["files"]) == ["events.strategy"]
    assert {note["what"] for note in found["notes"]} == {"renamed", "changed"}
    assert main(["import", "gwe", str(FOLDER / "default.xml")]) == 0
    assert capsys.readouterr().out == found["files"]["events.strategy"]


def test_the_command_says_what_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "gwe", str(tmp_path / "none.xml")]) == 2
    assert "none.xml is not there" in capsys.readouterr().err
    (tmp_path / "bad.xml").write_text("<properties>")
    assert main(["import", "gwe", str(tmp_path / "bad.xml")]) == 2
    assert "bad.xml is no XML at line 1" in capsys.readouterr().err
