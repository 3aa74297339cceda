"""What a person reads of a trial: tables, stories and a bar that moves, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, get_args

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from engine.language import syntax
from engine.language.source import Source, by_name
from engine.runtime.bound import Bound
from engine.runtime.outcome import Reason
from engine.trials.recording import Recording, Watch
from engine.trials.replay import Report
from engine.trials.scenarios import SETTING, Happening, Story, StoryLine

_REASONS: Final[tuple[str, ...]] = get_args(Reason)
_LARGEST: Final = 10
_UNITS: Final = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its word: ``1 visit``, ``24,026 visits``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def sized(number: int) -> str:
    """A number of bytes for a person: ``0.8 kB``, ``12 MB``, ``2.6 GB``."""
    unit, size = next((one for one in _UNITS if number >= one[1]), _UNITS[-1])
    amount = number / size
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:,.0f} {unit}"


# ---------------------------------------------------------------- memory


def cost(found: Bound) -> str:
    """What a visitor costs, in one line."""
    largest = found.shares[0]
    part = "most of it" if 2 * largest.most >= found.most else "the largest part"
    return (
        f"A visitor costs {sized(found.usual)} as a rule, and {sized(found.most)} at the very most "
        f"({part}: {largest})."
    )


def cost_to_json(found: Bound, sources: Sequence[Source]) -> dict[str, Any]:
    """The bytes of a visitor as ``overture check --json`` prints them, the largest shares first."""
    named = by_name(sources)
    return {
        "usual": found.usual,
        "most": found.most,
        "largest": [
            {
                "owner": share.owner,
                "name": share.name,
                "file": share.span.source or None,
                "line": named[share.span.source].place(share.span.start)[0]
                if share.span.source
                else None,
                "what": share.what,
                "usual": share.usual,
                "most": share.most,
            }
            for share in found.shares[:_LARGEST]
        ],
    }


# ---------------------------------------------------------------- replay


def show_replay(console: Console, report: Report) -> None:
    """The table of a replay: a line for each strategy, a column for each reason that occurred."""
    reasons = [
        reason
        for reason in _REASONS
        if any(reason in tally.refused for tally in report.strategies.values())
    ]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("strategy", overflow="fold")
    for title in ("sent", "visits", *reasons):
        table.add_column(title, justify="right", overflow="fold")
    for name, tally in report.strategies.items():
        refused = [tally.refused[reason] for reason in reasons]  # type: ignore[index]
        cells = [f"{number:,}" for number in (tally.sent, tally.visits, *refused)]
        table.add_row(Text(name), *cells)
    console.print(Text(f"{counted(report.events, 'event')}, {counted(report.visits, 'visit')}"))
    if reasons:
        console.print(Text("The columns after visits count refusals by reason.", style="dim"))
    console.print()
    console.print(table)
    if report.guarantees:
        console.print()
    for name, times in report.guarantees.items():
        said = f"broken {counted(times, 'time')}" if times else "kept"
        console.print(Text(f'guarantee "{name}": {said}'))


def left_out(recording: Recording) -> Iterator[str]:
    """One sentence for each kind of line that the replay leaves out."""
    if recording.homeless:
        yield f"Left out: {counted(recording.homeless, 'event')} without visitID."
    if recording.bad:
        yield f"Left out: {counted(recording.bad, 'bad line')}; the first: {recording.first_bad}"


@contextmanager
def bar(console: Console) -> Iterator[Watch | None]:
    """A bar on a terminal, nothing elsewhere. What it gives is told of the work as it goes."""
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def watch(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total or None)

        yield watch


# ---------------------------------------------------------------- scenarios


def show_stories(console: Console, stories: Sequence[Story], sources: Sequence[Source]) -> None:
    """One line for each scenario that passed, the whole story of each that did not, the sum."""
    texts = {source.name: source.text for source in sources}
    for story in stories:
        word, style = ("passed", "green") if story.passed else ("FAILED", "bold red")
        name = story.scenario.name
        console.print(Text.assemble((word, style), "  ", (name, "" if story.passed else "bold")))
        if not story.passed:
            console.print(_story_table(story, texts))
            console.print()
    failed = sum(not story.passed for story in stories)
    total = counted(len(stories), "scenario")
    console.print(Text(f"{total}: {len(stories) - failed:,} passed, {failed:,} failed."))


def _story_table(story: Story, texts: dict[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", overflow="fold", style="dim")
    table.add_column(ratio=3, overflow="fold")
    table.add_column(ratio=4, overflow="fold")
    for line in story.lines:
        clock = "" if isinstance(line.step, SETTING) else offset(line.time - story.began)
        notes = [_noted(found, line, story.began) for found in line.happened]
        if line.failure is not None:
            notes.append(Text(line.failure, style="bold red"))
        written = Text(spoken(line.step, texts), style="bold red" if line.failure else "")
        table.add_row(clock, written, Text("\n").join(notes))
    return table


def _noted(found: Happening, line: StoryLine, began: int) -> Text:
    when = f"at {offset(found.time - began)} " if found.time != line.time else ""
    return Text(f"{when}{found}", style="green" if found.reason is None else "yellow")


def spoken(step: syntax.Step, texts: dict[str, str]) -> str:
    """A line of a story as its author wrote it, on one line."""
    text = texts.get(step.span.source, "")[step.span.start : step.span.end]
    return " ".join(text.split()) or type(step).__name__


def offset(milliseconds: int) -> str:
    """A time since the story began: ``0:35``, ``1:02:03``, ``2 d 0:00:00``, ``0:00.250``."""
    seconds, rest = divmod(milliseconds, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    clock = f"{minutes}:{seconds:02}"
    if days or hours:
        clock = f"{hours}:{minutes:02}:{seconds:02}"
    fraction = f".{rest:03}" if rest else ""
    return (f"{days} d " if days else "") + clock + fraction


def stories_to_json(stories: Sequence[Story], sources: Sequence[Source]) -> dict[str, Any]:
    """The stories as the one object that ``overture test --json`` prints; times in ms."""
    texts = {source.name: source.text for source in sources}
    failed = sum(not story.passed for story in stories)
    return {
        "passed": len(stories) - failed,
        "failed": failed,
        "scenarios": [
            {
                "name": story.scenario.name,
                "passed": story.passed,
                "lines": [_line_to_json(line, texts) for line in story.lines],
            }
            for story in stories
        ],
    }


def _line_to_json(line: StoryLine, texts: dict[str, str]) -> dict[str, Any]:
    return {
        "text": spoken(line.step, texts),
        "time": line.time,
        "happened": [
            {
                "time": found.time,
                "strategy": found.strategy,
                "message": found.message,
                "url": found.url,
                "reason": found.reason,
            }
            for found in line.happened
        ],
        "failure": line.failure,
    }
