"""What a person and a machine read of an explained visit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from engine.language.source import Source
from engine.trials.lacks import clock
from engine.trials.report import counted, offset
from engine.trials.why import Explained, Verdict

_STYLES = {"fired": "green", "refused": "yellow", "silent": "dim"}


def show_why(
    console: Console,
    visit: str,
    moments: Sequence[Explained],
    sources: Mapping[str, Source],
    *,
    every: bool,
) -> None:
    """The visit as a story; ``every`` shows the rules that wait for other events too."""
    began = moments[0].time if moments else 0
    events = sum(not moment.timer for moment in moments)
    console.print(Text(f"Visit {visit}: {counted(events, 'event')} from {clock(began)}"))
    for moment in moments:
        console.print()
        console.print(_head(moment, began), soft_wrap=True)
        told = [verdict for verdict in moment.verdicts if verdict.touched or every]
        for verdict in told:
            console.print(_line(verdict, sources), soft_wrap=True)
        rest = len(moment.verdicts) - len(told)
        if rest:
            others = "other rule waits" if told else "rule waits"
            many = "other rules wait" if told else "rules wait"
            said = f"  silent   {counted(rest, others, many)} for other events"
            console.print(Text(said, style="dim"))


def _head(moment: Explained, began: int) -> Text:
    name = f"the clock, after {moment.event}" if moment.timer else moment.event
    where = f"  {moment.url}" if moment.url else ""
    return Text(f"{offset(moment.time - began)}  {name}{where}", style="bold")


def _line(verdict: Verdict, sources: Mapping[str, Source]) -> Text:
    name = f'"{verdict.strategy}" {_place(verdict, sources)}'
    reason = f" ({verdict.reason})" if verdict.reason else ""
    why = f": {verdict.sentence}" if verdict.sentence else ""
    sent = f": sent {', '.join(verdict.sends)}" if verdict.sends else ""
    text = Text.assemble(
        ("  " + verdict.status.ljust(9), _STYLES[verdict.status]), f"{name}{reason}{why}{sent}"
    )
    if verdict.condition and verdict.condition not in verdict.sentence:
        text.append(f"\n           {verdict.condition}", style="dim")
    return text


def _place(verdict: Verdict, sources: Mapping[str, Source]) -> str:
    source = sources.get(verdict.span.source)
    return f"{source.name}:{source.place(verdict.span.start)[0]}" if source else ""


def why_to_json(moment: Explained, sources: Mapping[str, Source]) -> dict[str, Any]:
    """One moment as the object that ``overture why --json`` prints on a line; times in ms."""
    return {
        "time": moment.time,
        "event": moment.event,
        "timer": moment.timer,
        "visit": moment.visit,
        "page": moment.page,
        "url": moment.url,
        "rules": [_verdict_to_json(verdict, sources) for verdict in moment.verdicts],
    }


def _verdict_to_json(verdict: Verdict, sources: Mapping[str, Source]) -> dict[str, Any]:
    source = sources.get(verdict.span.source)
    return {
        "strategy": verdict.strategy,
        "rule": verdict.rule,
        "file": verdict.span.source,
        "line": source.place(verdict.span.start)[0] if source else None,
        "status": verdict.status,
        "reason": verdict.reason,
        "why": verdict.sentence,
        "condition": verdict.condition or None,
        "seen": _plain(verdict.seen),
        "change": verdict.change,
        "sends": list(verdict.sends),
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it: what is endless has none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
