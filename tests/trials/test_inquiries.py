"""The commands ``why`` and ``new`` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from trials.recordings import entered, write
from trials.test_trial_commands import Capture, run

from engine.language import compile_book
from engine.language.source import Source
from engine.trials.inquiries import starter
from engine.trials.scenarios import run_scenarios

BOOK = """
category Products is url "/products/**"
message Invite is gpe.appendContent { url: "/frontend/resources/invite.html" }

strategy "Third page"
  limit 1 per visit
  on 3 times PageEntered in Products, within 10 min
    send Invite

strategy "Never comes up"
  on SignOut
    send Invite
"""


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def book(tmp_path: Path) -> str:
    path = tmp_path / "pages.strategy"
    path.write_text(BOOK, encoding="utf-8")
    return str(path)


@pytest.fixture
def events(tmp_path: Path) -> str:
    seconds = (0, 300, 614)
    pages = [entered(n, page=f"p{n}", url=f"https://shop.example/products/{n}") for n in seconds]
    return write(tmp_path / "events.jsonl", [*pages, entered(1, "v2")])


def test_why_tells_the_visit_as_a_story(capsys: Capture, book: str, events: str) -> None:
    code, out, err = run(capsys, "why", book, events, "--visit", "v1", "--strategy", "Third page")
    assert (code, err) == (0, "")
    first, *_ = out.splitlines()
    # Without exits in the recording, the page before is left when the next one begins.
    assert first == "Visit v1: 5 events from 1970-01-01 00:00:00 UTC"
    assert (
        '  silent   "Third page" pages.strategy:7: needed 3 PageEntered in Products within 10 min, '
        "saw 2; the third came 14 s too late\n"
    ) in out


def test_why_passes_over_rules_that_wait_for_other_events(
    capsys: Capture, book: str, events: str
) -> None:
    _, out, _ = run(capsys, "why", book, events, "--visit", "v1")
    assert "Never comes up" not in out
    assert "  silent   1 other rule waits for other events\n" in out


def test_why_gives_one_object_an_event(capsys: Capture, book: str, events: str) -> None:
    code, out, _ = run(capsys, "why", book, events, "--visit", "v1", "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [moment["event"] for moment in found] == [
        "PageEntered",
        *["PageExited", "PageEntered"] * 2,
    ]
    assert found[-1]["rules"][1] == {
        "strategy": "Third page",
        "rule": 0,
        "file": "pages.strategy",
        "line": 7,
        "status": "silent",
        "reason": None,
        "why": "needed 3 PageEntered in Products within 10 min, saw 2; "
        "the third came 14 s too late",
        "condition": "within 10 min",
        "seen": 614_000,
        "change": {"what": "PageEntered earlier by", "needed": 14_001},
        "sends": [],
    }


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--visit", "v9"], "The recording has no visit v9. Some of its visits: v1, v2."),
        (
            ["--visit", "v1", "--strategy", "Thrid page"],
            'The book has no strategy "Thrid page". Did you mean `Third page`?',
        ),
    ],
)
def test_why_says_what_is_not_there(
    capsys: Capture, book: str, events: str, options: list[str], sentence: str
) -> None:
    assert run(capsys, "why", book, events, *options) == (2, "", f"overture: {sentence}\n")


# ---------------------------------------------------------------- new


def test_a_new_book_passes_check_and_test(capsys: Capture, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "book"
    code, out, _ = run(capsys, "new", folder)
    assert code == 0
    assert f"overture check {folder}\n" in out
    code, out, _ = run(capsys, "check", folder)
    assert (code, out.splitlines()[0]) == (0, "No mistakes: 1 strategy and 4 scenarios in 1 file.")
    assert run(capsys, "test", folder)[0] == 0


def test_new_leaves_a_folder_that_holds_something(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x", encoding="utf-8")
    code, _, err = run(capsys, "new", tmp_path)
    assert code == 2
    assert err == f"overture: The folder {tmp_path} is not empty; name a new or an empty one.\n"
    code, _, err = run(capsys, "new", tmp_path / "mine")
    assert (code, "is a file" in err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_starter_compiles_and_its_scenarios_hold() -> None:
    compiled = compile_book([Source(name="starter.strategy", text=starter())])
    assert compiled.diagnostics == ()
    assert compiled.book is not None
    assert all(story.passed for story in run_scenarios(compiled.book))
    fired = {
        found.strategy
        for s in run_scenarios(compiled.book)
        for line in s.lines
        for found in line.happened
    }
    assert fired == set(compiled.book.strategies)
