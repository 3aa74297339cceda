"""A minute of benchmarks: they run, and nothing is slower than it may be by far."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from reference import Reference
from serving import eventually

from benchmarks import (
    compiling,
    deciding,
    hosts,
    million,
    pauses,
    reloading,
    serving,
    throughput,
)
from benchmarks.peers import command, mixed, report, workload
from benchmarks.peers.cell import Cell, compared, record, running
from benchmarks.peers.engines import Task
from benchmarks.peers.figures import Figures, bars
from benchmarks.peers.floors import Floor
from benchmarks.peers.ours import Overture, compiled, event_of
from engine.runtime.plan import plan
from engine.runtime.stream import Stream
from engine.vocabulary.operators import COMPARISONS
from engine.vocabulary.words import WORDS


def test_deciding() -> None:
    assert deciding.steps_per_second(visitors=200)["us/event"] < 500


def test_compiling() -> None:
    assert compiling.cold(rules=200)["book s"] < 2
    assert compiling.kept(rules=200)["book s"] < 2
    assert compiling.one_edit(rules=500, edits=3)["median ms"] < 200
    assert compiling.memory(rules=200)["kB of plan/rule"] < 20
    assert compiling.start()["seconds"] < 5


@pytest.mark.data
def test_replay() -> None:
    if not deciding.DATA.is_dir():
        pytest.skip("the recorded visits are not beside the repository")
    assert deciding.replay_speed("nasa_http_1995")["events/s"] > 200


def test_frames_arrive() -> None:
    figures = serving.time_to_the_page(rate=50, seconds=3, visits=10)
    assert figures["frame p50 ms"] < 500


def test_an_edit_is_live() -> None:
    assert serving.time_to_live(edits=3)["median ms"] < 2_000


def test_memory() -> None:
    assert serving.memory_of_visits(500)["kB/visit"] < 200


def test_beside_a_bare_endpoint() -> None:
    figures = throughput.beside_bare(batch=5, clients=8, seconds=0.5, rounds=1)
    assert figures["ratio"] > 0.05


def test_submits_while_the_journal_is_trimmed() -> None:
    figures = hosts.submits(32, seconds=4, trimming=True)
    assert figures["p50 ms"] < 10_000
    assert figures["MB of journal"] < 10, "8 MB are kept"


def test_a_store_of_many_visitors() -> None:
    rested = million.at_rest(5_000)
    assert rested["bytes of document"] < 1_000
    assert rested["bytes of file/visitor"] < 1_000
    assert rested["seconds to the first event"] < 20


@pytest.mark.parametrize("state", ["left", "silent", "at rest"])
def test_an_idle_visitor_takes_less_than_a_kilobyte(state: str, tmp_path: Path) -> None:
    assert million.written(tmp_path / "store.db", 3_000, state)["bytes of file/visitor"] < 900


@pytest.mark.parametrize("name", ["w1", "w1p", "w2"])
def test_the_engine_fires_what_the_floor_fires(name: str, tmp_path: Path) -> None:
    task = Task(
        workload=name, rules=workload.rules(name, 100), count=100, form="event", folder=tmp_path
    )
    lines = [workload.line(event) for event in workload.events(4_000, visits=50)]
    told = []
    for engine in (Floor(task), Overture(task)):
        told.append(engine.told([engine.ready(line) for line in lines]))
    assert told[0] == told[1]
    assert sum(map(len, told[0])) > 50, "or the comparison says nothing"


def test_the_mixed_book_fires_what_the_reference_fires() -> None:
    book = compiled(mixed.text(10))
    stream, reference = Stream(plan(book)), defaultdict(lambda: Reference(book))
    decisions = 0
    for raw in mixed.events(700, visits=20):
        event = event_of(raw)
        wanted = reference[event.visitor].take(event)
        found = stream.feed(workload.line(raw))
        ours = (found.batches, found.decisions, found.breaches) if found else ((), (), ())
        assert ours == wanted, event
        decisions += len(wanted[1])
    assert decisions > 350, "about one for an event"


def test_the_mixed_book_says_everything() -> None:
    text = mixed.text(10)
    wanted = [w.phrase for w in WORDS if w.where in ("behaviour", "condition", "action", "group")]
    assert not [phrase for phrase in [*wanted, *COMPARISONS] if phrase not in text]


def test_peers_from_end_to_end(tmp_path: Path) -> None:
    asked = command.Plan(
        workloads=("w1", "w3"), rules=(10,), peers=(), rounds=2, seconds=0.05, events=2_000
    )
    figures = command.measured(asked, lambda _doing: None)
    ours = figures.cell("overture", "w1", 10, "line")
    assert ours is not None
    assert ours["fired"] == ours["expected"] > 0
    assert len(ours["us"]) == 2
    mix = figures.cell("overture", "w3", 10, "line", growth=True)
    assert mix is not None
    assert min(mix["us"]) > 0
    path = tmp_path / "figures.json"
    path.write_text(figures.to_json(), "utf-8")
    assert report.full(Figures.read(path)) == report.full(figures)
    assert not any(bar.holds for bar in bars(figures) if "10,000" in bar.what), "not measured"


def test_other_answers_are_found(tmp_path: Path) -> None:
    few, many = (
        Cell(
            engine="overture",
            form="event",
            workload="w1",
            rules=rules,
            folder=tmp_path,
            events=2_000,
            telling=2_000,
        )
        for rules in (10, 100)
    )
    record(few)
    assert compared(few, running(few))["wrong"] is None
    assert compared(few, running(many))["wrong"]


def test_a_book_is_edited_under_traffic() -> None:
    """The figures are a busy machine's; that nothing was lost is checked inside."""
    figures = reloading.reload_under_traffic(rate=200, seconds=5, edits=10, rules=200)
    assert figures["swaps"] >= 1
    assert figures["edited p99 ms"] < 3_000
    assert figures["edited longest own pause ms"] <= figures["edited longest pause ms"]


def test_a_pause_is_a_time_in_which_nobody_is_answered() -> None:
    answered = [(0.0, 1.0), (0.5, 5.0), (0.6, 5.1), (4.0, 5.2), (9.0, 9.5)]
    found = [(0.0, 1.0), (1.0, 5.0), (5.0, 5.1), (5.1, 5.2), (9.0, 9.5)]
    assert pauses.pauses(answered) == found


def test_what_others_held_up_is_no_pause_of_ours() -> None:
    stalls = [(1.0, 2.0), (1.5, 2.5), (2.9, 4.0)]
    looks = [
        pauses.Look(at=float(at), waited=0.0, loop=0.0, threads=0.0, children=0.0)
        for at in range(10)
    ]
    judge = pauses.Pauses(stalls, looks)
    assert judge.own((0.0, 3.0)) == pytest.approx(3.0 - 1.5 - 0.1)
    assert judge.own((5.0, 6.0)) == 1.0
    assert judge.own((1.0, 2.5)) == 0.0


def test_a_wait_for_a_core_is_ours_as_far_as_we_had_the_cores() -> None:
    looks = [
        pauses.Look(at=0.0, waited=0.0, loop=0.0, threads=0.0, children=0.0),
        pauses.Look(at=1.0, waited=0.8, loop=0.1, threads=0.1, children=0.1),
    ]
    shared = 0.8 - 0.2 / pauses.CORES
    assert pauses.Pauses([], looks).own((0.0, 1.0)) == pytest.approx(1.0 - shared)


def test_the_twin_says_when_it_was_held_up(tmp_path: Path) -> None:
    with pauses.Twin(tmp_path) as twin, pauses.Threads(twin.process) as threads:
        eventually(lambda: len(threads.looks) > 3)
    assert all(begun < ended for begun, ended in twin.stalls)
    assert threads.looks[-1].loop > 0


def test_the_pages_show_the_figures() -> None:
    kept = Figures.read(report.FIGURES) if report.FIGURES.is_file() else None
    for page, block in report.pages(kept).items():
        text = page.read_text("utf-8")
        assert report.written(text, block) == text, (
            "python -m tests.benchmarks peers --from .. --write"
        )
