"""The commands ``check``, ``test`` and ``replay`` as a person types them."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from trials.recordings import entered, event, write

from engine.cli import main

BOOK = """
message Invite is gpe.appendContent { url: "/frontend/resources/invite.html" }

strategy "Third page"
  limit 1 per visit
  on 3 times PageEntered
    send Invite

strategy "Never comes up"
  on SignOut
    send Invite

scenario "The third page"
  visitor enters "/a"
  visitor enters "/b"
  expect nothing
  after 5 s enters "/c"
  expect sent Invite to page "/c"
"""

FAILING = """
scenario "Too early"
  visitor enters "/a"
  after 90 s enters "/b"
  expect sent Invite
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    book = tmp_path / "book"
    book.mkdir()
    (book / "pages.strategy").write_text(BOOK, encoding="utf-8")
    return book


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def events(tmp_path: Path) -> str:
    pages = [entered(n, page=f"p{n}") for n in range(7)]
    return write(tmp_path / "events.jsonl", [*pages, entered(1, "v2"), entered(1, None)])


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


Capture = pytest.CaptureFixture[str]

# ---------------------------------------------------------------- replay


def test_replay_prints_one_object(capsys: Capture, folder: Path, events: str) -> None:
    code, out, err = run(capsys, "replay", folder, events, "--json")
    assert code == 0
    assert json.loads(out) == {
        "events": 9,
        "visits": 2,
        "strategies": {
            "Never comes up": {"sent": 0, "visits": 0, "refused": {}},
            "Third page": {"sent": 1, "visits": 1, "refused": {"limit": 1}},
        },
        "visitHours": 24,
    }
    assert out.count("\n") == 1
    assert err == "Left out: 1 event without visitID.\n"


def test_replay_prints_a_table(capsys: Capture, folder: Path, events: str) -> None:
    code, out, _ = run(capsys, "replay", folder / "pages.strategy", events)
    assert code == 0
    assert "9 events, 2 visits" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["strategy", "sent", "visits", "limit"] in rows
    assert ["Third", "page", "1", "1", "1"] in rows
    assert ["Never", "comes", "up", "0", "0", "0"] in rows
    assert "\x1b" not in out


def test_a_table_is_as_narrow_as_the_terminal(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, folder: Path, events: str
) -> None:
    monkeypatch.setenv("COLUMNS", "36")
    _, out, _ = run(capsys, "replay", folder, events)
    assert max(map(len, out.splitlines())) <= 36


def test_replay_reads_standard_input(folder: Path, events: str) -> None:
    for packed in (Path(events).read_bytes(), gzip.compress(Path(events).read_bytes())):
        command = [sys.executable, "-m", "engine.cli", "replay", str(folder), "-", "--json"]
        done = subprocess.run(command, input=packed, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["events"] == 9


def test_standard_input_is_named_once(capsys: Capture, folder: Path) -> None:
    code, _, err = run(capsys, "replay", folder, "-", "-")
    assert (code, err) == (2, "overture: Standard input (-) can be read only once; name it once.\n")


def test_decisions_are_written(capsys: Capture, tmp_path: Path, folder: Path, events: str) -> None:
    file = tmp_path / "decisions.jsonl"
    assert run(capsys, "replay", folder, events, "--decisions", file)[0] == 0
    lines: list[dict[str, Any]] = list(map(json.loads, file.read_text().splitlines()))
    assert [(line["time"], line["page"], line["reason"]) for line in lines] == [
        (2000, "p2", None),
        (5000, "p5", "limit"),
    ]
    first = file.read_bytes()
    assert run(capsys, "replay", folder, events, "--decisions", file)[0] == 0
    assert file.read_bytes() == first


def test_odd_characters_of_ids_survive(capsys: Capture, tmp_path: Path, folder: Path) -> None:
    pages = [entered(n, visit="\ud800\n\u2028", page=f"p{n}") for n in range(3)]
    file = tmp_path / "decisions.jsonl"
    odd = write(tmp_path / "odd.jsonl", pages)
    assert run(capsys, "replay", folder, odd, "--decisions", file)[0] == 0
    [line] = file.read_bytes().removesuffix(b"\n").split(b"\n")
    assert json.loads(line)["visit"] == "\ud800\n\u2028"


def test_decisions_that_cannot_be_written(capsys: Capture, folder: Path, events: str) -> None:
    code, out, err = run(capsys, "replay", folder, events, "--decisions", folder)
    assert (code, out) == (2, "")
    assert "cannot be written" in err


def test_bad_lines_stop_or_are_counted(
    capsys: Capture, tmp_path: Path, folder: Path, events: str
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text(Path(events).read_text() + "{oops}\n", encoding="utf-8")
    code, out, err = run(capsys, "replay", folder, bad, "--json")
    assert (code, out) == (2, "")
    assert f"{bad}, line 10: this is not JSON" in err
    code, out, err = run(capsys, "replay", folder, bad, "--json", "--skip-bad")
    assert (code, json.loads(out)["events"]) == (0, 9)
    assert f"Left out: 1 bad line; the first: {bad}, line 10: this is not JSON" in err


def test_a_recording_that_is_not_there(capsys: Capture, tmp_path: Path, folder: Path) -> None:
    code, _, err = run(capsys, "replay", folder, tmp_path / "no.jsonl")
    assert (code, err) == (2, f"overture: {tmp_path / 'no.jsonl'}: there is no such file.\n")


def test_the_hours_that_end_a_visit(
    capsys: Capture, tmp_path: Path, folder: Path, events: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are part of the version that each decision names, so who says them sees it there."""

    def version(*flags: str) -> str:
        file = tmp_path / "decisions.jsonl"
        assert run(capsys, "replay", folder, events, "--decisions", file, *flags)[0] == 0
        named = {json.loads(line)["version"] for line in file.read_text("utf-8").splitlines()}
        (found,) = named
        return str(found)

    usual = version()
    assert version("--visit-hours", "2") == f"{usual}-7200000"
    monkeypatch.setenv("OVERTURE_VISIT_HOURS", "0.5")
    assert version() == f"{usual}-1800000"
    assert version("--visit-hours", "24") == usual
    code, _, err = run(capsys, "replay", folder, events, "--visit-hours", "soon")
    assert code == 2
    assert "is not a number of hours from 0.01 to 8760" in err


def test_agents_on_the_command_line(capsys: Capture, tmp_path: Path, events: str) -> None:
    book = tmp_path / "one.strategy"
    book.write_text(
        'strategy "S"\n  on PageEntered when agents.ready("chat") >= 3\n'
        '    send gpe.appendContent { url: "/frontend/resources/invite.html" }\n',
        encoding="utf-8",
    )
    for flags, sent in (((), 0), (("--agents", "chat=3"), 8), (("--agents", "chat=2"), 0)):
        _, out, _ = run(capsys, "replay", book, events, "--json", *flags)
        assert json.loads(out)["strategies"]["S"]["sent"] == sent
    for wrong in ("chat", "=3", "chat=-1", "chat=many"):
        code, _, err = run(capsys, "replay", book, events, "--agents", wrong)
        assert code == 2
        assert "is not like chat=3" in err


def test_exits_in_one_file_count_for_all(capsys: Capture, tmp_path: Path, events: str) -> None:
    book = tmp_path / "one.strategy"
    book.write_text(
        'strategy "S"\n  on PageEntered, stays 2 s, per page\n'
        '    send gpe.appendContent { url: "/frontend/resources/invite.html" }\n',
        encoding="utf-8",
    )
    exits = write(tmp_path / "exits.jsonl", [event("PageExited", 1, "v9")])
    for files, sent in (((events,), 0), ((events, exits), 5)):
        _, out, _ = run(capsys, "replay", book, *files, "--json")
        assert json.loads(out)["strategies"]["S"]["sent"] == sent


# ---------------------------------------------------------------- check


def test_check_of_a_good_book(capsys: Capture, folder: Path) -> None:
    code, out, err = run(capsys, "check", folder)
    assert (code, err) == (0, "")
    assert "No mistakes: 2 strategies and 1 scenario in 1 file.\n" in out
    code, out, _ = run(capsys, "check", folder, "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["problems"]) == (0, True, [])
    assert found["version"]


def test_check_says_what_a_visitor_costs(capsys: Capture, tmp_path: Path) -> None:
    book = tmp_path / "one.strategy"
    book.write_text(
        'fact visit.seen boolean\n\nstrategy "S"\n  on PageEntered, stays 30 s, per page\n'
        "    set visit.seen = true\n",
        encoding="utf-8",
    )
    _, out, _ = run(capsys, "check", book)
    last = out.splitlines()[-1]
    said = r"A visitor costs (\d\.\d) kB as a rule, and (\d\.\d) MB at the very most \(most of it: "
    figures = re.match(said, last)
    assert figures, last
    assert last.endswith('"S" keeps events for each of 5,050 pages).')
    _, out, _ = run(capsys, "check", book, "--json")
    memory = json.loads(out)["memory"]
    assert memory["most"] == sum(share["most"] for share in memory["largest"])
    assert memory["usual"] == pytest.approx(float(figures[1]) * 1_000, abs=51)
    assert memory["most"] == pytest.approx(float(figures[2]) * 1_000_000, rel=0.05)
    first = memory["largest"][0]
    assert (first["owner"], first["name"]) == ("rule", "S")
    assert (first["file"], first["line"]) == ("one.strategy", 4)
    assert first["most"] > memory["most"] / 2


def test_check_of_a_bad_book_counts_nothing(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "bad.strategy").write_text('strategy "S"\n  on Nothing\n', encoding="utf-8")
    _, out, _ = run(capsys, "check", tmp_path)
    assert "costs" not in out
    _, out, _ = run(capsys, "check", tmp_path, "--json")
    assert json.loads(out)["memory"] is None


def test_check_shows_every_mistake(capsys: Capture, folder: Path) -> None:
    (folder / "wrong.strategy").write_text(
        'strategy "A"\n  on PageEnterd\n    send Invite\n\n'
        'strategy "B"\n  on PageEntered\n    send Invit\n',
        encoding="utf-8",
    )
    code, out, _ = run(capsys, "check", folder, "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["version"]) == (1, False, None)
    places = [(problem["file"], problem["line"]) for problem in found["problems"]]
    assert places == [("wrong.strategy", 2), ("wrong.strategy", 7)]
    assert {"code", "file", "line", "column", "message", "hint"} <= set(found["problems"][0])
    code, out, _ = run(capsys, "check", folder)
    assert code == 1
    assert "PageEnterd" in out
    assert "2 mistakes." in out


MANY = """strategy "Help"
  limit 1 per visit
  on PageEntered
    send Invite
  on PageEntered in Shop
    set visit.stage = 3
"""


def test_check_says_how_many_mistakes_it_does_not_show(capsys: Capture, tmp_path: Path) -> None:
    unknown = "".join(f'category C{n} is url "/a"\n' * 2 for n in range(2_000))
    (tmp_path / "a.strategy").write_text(unknown + MANY, encoding="utf-8")
    code, out, _ = run(capsys, "check", tmp_path)
    assert code == 1
    # The rare ones are all there, wherever they stand.
    assert all(out.count(f"{rare} ") == 1 for rare in ("N102", "N104", "N105"))
    assert out.endswith("And 1,803 more of N110.\n\n2,003 mistakes.\n")
    code, out, _ = run(capsys, "check", tmp_path, "--json")
    said = json.loads(out)
    assert said["totals"] == {"problems": 2_003, "warnings": 0}
    assert len(said["problems"]) == 200


def test_check_shows_of_a_long_line_what_is_around_the_mistake(
    capsys: Capture, tmp_path: Path
) -> None:
    long = " and visit.pages > 1" * 500
    book = f'strategy "A"\n  on PageEntered\n    when now > now{long} and visit.pagse > 1{long}\n'
    (tmp_path / "a.strategy").write_text(
        book + "    set visit.x = 1\nfact visit.x number\n", "utf-8"
    )
    _, out, _ = run(capsys, "check", tmp_path)
    line, mark = out.splitlines()[2:4]
    at = mark.index("^")
    assert line[at : at + mark.count("^")] == "visit.pagse"
    assert len(line) < 220


def test_check_shows_warnings_after_the_mistakes(capsys: Capture, folder: Path) -> None:
    (folder / "odd.strategy").write_text(
        'strategy "Odd"\n  limit 1 per visit\n  on PageEntered\n    when visit.pages >= 1\n'
        '    send gpe.appendContent { url: "/a" }\n',
        encoding="utf-8",
    )
    code, out, _ = run(capsys, "check", folder)
    assert code == 0
    assert "L402 (warning) `visit.pages >= 1` is always true" in out
    assert "\n2 warnings.\nNo mistakes: " in out
    code, out, _ = run(capsys, "check", folder, "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["problems"]) == (0, True, [])
    codes = [(one["code"], one["severity"]) for one in found["warnings"]]
    assert codes == [("L402", "warning"), ("L415", "warning")]
    assert run(capsys, "check", folder, "--strict")[0] == 1


@pytest.mark.parametrize("command", ["check", "test", "replay"])
def test_no_book(capsys: Capture, tmp_path: Path, command: str) -> None:
    more = ("events.jsonl",) if command == "replay" else ()
    code, out, err = run(capsys, command, tmp_path / "nowhere", *more)
    assert (code, out) == (2, "")
    assert err.startswith("overture: There is no folder or file")
    (tmp_path / "empty").mkdir()
    code, out, err = run(capsys, command, tmp_path / "empty", *more)
    assert (code, out) == (2, "")
    assert "holds no file" in err


@pytest.mark.parametrize("command", ["test", "replay"])
def test_a_book_with_a_mistake(capsys: Capture, folder: Path, events: str, command: str) -> None:
    (folder / "wrong.strategy").write_text('strategy "A"\n  on PageEnterd\n    send Invite\n')
    more = (events,) if command == "replay" else ()
    code, out, err = run(capsys, command, folder, *more)
    assert (code, out) == (1, "")
    assert "PageEnterd" in err


# ---------------------------------------------------------------- test


def test_scenarios_end_visits_as_the_server_does(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silence of two hours is never over where a visit ends after one."""
    book = tmp_path / "one.strategy"
    book.write_text(
        'strategy "S"\n  on PageEntered, then no SignIn for 2 h\n'
        '    send gpe.appendContent { url: "/x.html" }\n'
        'scenario "Two hours"\n  visitor enters "/a"\n  after 2 h\n  expect sent "S"\n',
        encoding="utf-8",
    )
    code, out, _ = run(capsys, "test", book)
    assert (code, "Visits end after 24 h without an event." in out) == (0, True)
    code, out, _ = run(capsys, "test", book, "--visit-hours", "1")
    assert (code, "Visits end after 1 h without an event." in out) == (1, True)
    monkeypatch.setenv("OVERTURE_VISIT_HOURS", "0.5")
    code, out, _ = run(capsys, "test", book, "--json")
    found = json.loads(out)
    assert (code, found["visitHours"], found["failed"]) == (1, 0.5, 1)


def test_scenarios_that_hold(capsys: Capture, folder: Path) -> None:
    code, out, _ = run(capsys, "test", folder)
    assert (code, out) == (
        0,
        "passed  The third page\n1 scenario: 1 passed, 0 failed.\n"
        "Visits end after 24 h without an event.\n"
        "Tried: 1 of 2 rules, 1 of 2 boundaries.\n",
    )


def test_coverage_lists_what_was_not_tried(capsys: Capture, folder: Path) -> None:
    _, out, _ = run(capsys, "test", folder, "--coverage")
    assert out.splitlines()[-2:] == [
        "  pages.strategy:5  no story is refused by `limit 1 per visit` alone: "
        "let one more be asked for after 1",
        '  pages.strategy:10  a rule of "Never comes up" never fired',
    ]
    _, out, _ = run(capsys, "test", folder, "--json")
    coverage = json.loads(out)["coverage"]
    assert (coverage["rules"], coverage["boundaries"]) == ([1, 2], [1, 2])
    places = [(gap["file"], gap["line"]) for gap in coverage["gaps"]]
    assert places == [("pages.strategy", 5), ("pages.strategy", 10)]


def test_a_failure_shows_the_story_with_what_happened(capsys: Capture, folder: Path) -> None:
    (folder / "failing.strategy").write_text(FAILING, encoding="utf-8")
    code, out, _ = run(capsys, "test", folder)
    assert code == 1
    assert "passed  The third page" in out
    assert "FAILED  Too early" in out
    assert "2 scenarios: 1 passed, 1 failed." in out
    clocks = [line.split()[0] for line in out.splitlines() if line.strip()[:2] in ("0:", "1:")]
    assert clocks == ["0:00", "1:30", "1:30", "1:30"]
    assert "Expected Invite; nothing was sent" in " ".join(out.split())


def test_stories_as_one_object(capsys: Capture, folder: Path) -> None:
    (folder / "failing.strategy").write_text(FAILING, encoding="utf-8")
    code, out, _ = run(capsys, "test", folder, "--json")
    found = json.loads(out)
    assert (code, found["passed"], found["failed"]) == (1, 1, 1)
    early = found["scenarios"][1]
    assert (early["name"], early["passed"]) == ("Too early", False)
    assert early["lines"][0] == {
        "text": 'visitor enters "/a"',
        "time": 1767225600000,
        "happened": [],
        "failure": None,
    }
    assert early["lines"][-1]["failure"].startswith("Expected Invite")
    held = found["scenarios"][0]["lines"][-2]
    assert held["happened"] == [
        {
            "time": 1767225605000,
            "strategy": "Third page",
            "message": "Invite",
            "url": "/c",
            "reason": None,
        }
    ]


def test_a_book_without_scenarios(capsys: Capture, tmp_path: Path) -> None:
    book = tmp_path / "one.strategy"
    book.write_text(BOOK.split("scenario")[0], encoding="utf-8")
    code, out, _ = run(capsys, "test", book)
    assert code == 0
    assert "no scenario" in out
