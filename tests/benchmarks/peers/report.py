"""The tables: what was measured as Markdown, for the terminal and, between marks, for READMEs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from .figures import ALONE, GROWTH, Figures

ROOT: Final = Path(__file__).parents[3]
FOLDER: Final = Path(__file__).parents[1]
FIGURES: Final = Path(__file__).parent / "figures.json"
BEGIN: Final = "<!-- peers: begin; written by `python -m tests.benchmarks peers --write` -->"
END: Final = "<!-- peers: end -->"

LABELS: Final = {
    "overture": "**Overture**",
    "floor": "*floor: written by hand in Python*",
    "drools": "Drools, native",
    "clips": "CLIPS, from Python",
    "zen": "GoRules ZEN, from Python",
    "drools_jpy": "Drools, from Python (drools_jpy)",
    "durable": "durable_rules, from Python",
}
WORKLOADS: Final = {
    "w1": "W1, stateless: event, category and a threshold",
    "w1p": "W1 by address: the category is what the URL says",
    "w2": "W2, stateful: three times in ten minutes; one, then another in five",
    "w3": "W3, mixed: every operator, behaviour and aggregate",
}
_PACKAGES: Final = {
    "drools": "Drools",
    "clips": "clipspy",
    "zen": "zen-engine",
    "drools_jpy": "drools_jpy",
    "durable": "durable_rules",
}
_FORMS: Final = {"line": "JSON line in", "event": "ready event in"}


def full(figures: Figures) -> str:
    """All tables, with where and how they were measured."""
    parts = [_about(figures)]
    for workload, meaning in WORKLOADS.items():
        tables = [
            f"{_FORMS[form]}:\n\n{table}"
            for form in _FORMS
            if (table := "\n".join(_table(figures, workload, form)))
        ]
        if tables:
            parts += [f"### {meaning}", *tables]
    growth = [line for workload in WORKLOADS for line in _growth(figures, workload)]
    return "\n\n".join([*parts, *growth]) + "\n"


def short(figures: Figures) -> str:
    """The figures that matter most, for the first page."""
    wanted = (("w1", 1_000, "line"), ("w1", 10_000, "line"), ("w2", 1_000, "event"))
    heads = ("W1, 1,000 rules", "W1, 10,000 rules", "W2, 1,000 rules")
    lines = [
        f"| µs an event (times ours) | {' | '.join(heads)} |",
        f"|---|{'---:|' * len(heads)}",
    ]
    for engine, label in LABELS.items():
        cells = [_figure(figures, engine, *one) for one in wanted]
        if any(cells):
            lines.append(f"| {label} | {' | '.join(cell or '-' for cell in cells)} |")
    return "\n".join([*lines, "", _about(figures)]) + "\n"


def _about(figures: Figures) -> str:
    about = figures.about
    machine = ", ".join(
        value if name in ("processor", "system") else f"{name} {value}"
        for name, value in about["machine"].items()
    )
    peers = sorted(
        {
            part
            for cell in figures.cells
            if "version" in cell and cell["engine"] in _PACKAGES
            # The second part, if any, is what reads its JSON.
            for part in f"{_PACKAGES[cell['engine']]} {cell['version']}".split(", ")
        }
    )
    clock = "; processor time" if about["clock"] == "cpu" else ""
    return (
        f"Measured on {about['date']}: {', '.join([machine, *peers])}. Medians of "
        f"{about['rounds']} rounds of {about['seconds']:g} s, the engines of a column by turns; "
        f"ratios are within a round{clock}."
    )


def _table(figures: Figures, workload: str, form: str) -> Iterator[str]:
    cells = [
        cell
        for cell in figures.cells
        if (cell["workload"], cell["form"]) == (workload, form)
        and (cell["group"] == GROWTH) == (workload in ALONE)
    ]
    counts = sorted({cell["rules"] for cell in cells})
    if not cells:
        return
    heads = [f"{count:,} rules" if count > 1 else "1 rule" for count in counts]
    fires = workload == "w2"
    yield f"| µs an event (times ours) | {' | '.join(heads)} |{' fires |' if fires else ''}"
    yield f"|---|{'---:|' * (len(heads) + fires)}"
    for engine, label in LABELS.items():
        row = [_figure(figures, engine, workload, count, form) for count in counts]
        if any(row):
            line = f"| {label} | {' | '.join(cell or '-' for cell in row)} |"
            yield line + (f" {_fires(cells, engine)} |" if fires else "")


def _figure(figures: Figures, engine: str, workload: str, rules: int, form: str) -> str:
    cell = figures.cell(engine, workload, rules, form, growth=workload in ALONE)
    if cell is None:
        return ""
    if "missing" in cell:
        return "not installed"
    found = figures.median(cell)
    if found is None:
        return "fails"
    ours = figures.cell("overture", workload, rules, form)
    ratio = figures.ratio(cell, ours) if engine != "overture" else None
    return _rounded(found) + (f" ({_rounded(ratio)}x)" if ratio else "")


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _fires(cells: list[Mapping[str, Any]], engine: str) -> str:
    """What an engine fires, as a share of what the rules mean: from the least to the most."""
    shares = [
        cell["fired"] / cell["expected"]
        for cell in cells
        if cell["engine"] == engine and cell.get("expected")
    ]
    if not shares:
        return "-"
    least, most = min(shares), max(shares)
    if least == most == 1:
        return "exact"
    return f"{least:.2f}..{most:.2f}" if f"{least:.2f}" != f"{most:.2f}" else f"{least:.2f}"


def absent(figures: Figures) -> Iterator[str]:
    """A sentence for each engine that could not be measured, and why."""
    said = set()
    for cell in figures.cells:
        label = LABELS[cell["engine"]].strip("*")
        if "missing" in cell:
            said.add(f"{label}: {cell['missing']} is not installed.")
        elif "failed" in cell:
            where = f"{cell['workload'].upper()}, {cell['rules']:,} rules"
            said.add(f"{label}, {where}: fails ({cell['failed']}).")
    yield from sorted(said)


def _growth(figures: Figures, workload: str) -> Iterator[str]:
    few, many = (
        figures.cell("overture", workload, count, "line", growth=True) for count in (10, 10_000)
    )
    ratio = figures.ratio(many, few)
    if ratio:
        yield (
            f"Growth of {workload.upper()} from 10 to 10,000 rules, line in: "
            f"{figures.median(few):.3g} to {figures.median(many):.3g} µs, {ratio:.2f}x."
        )


def written(text: str, block: str) -> str:
    """A page with the block between its marks. Raises ValueError for a page without them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN}")
    return f"{before}{begin}\n{block}{end}{after}"


_SEEN: Final = "![Cost of an event by number of rules](%speers/figures.png)\n\n"
_MORE: Final = (
    "\nHow this was measured, and the rest of it: "
    "[`tests/benchmarks/README.md`](tests/benchmarks/README.md).\n"
)


def pages(figures: Figures | None) -> dict[Path, str]:
    """The pages that show figures, and what stands between their marks; nothing without any."""
    first, own = ROOT / "README.md", FOLDER / "README.md"
    if figures is None:
        return {first: "", own: ""}
    heading = "## How fast it decides\n\n"
    return {
        first: f"\n{heading}{_SEEN % 'tests/benchmarks/'}{short(figures)}{_MORE}\n",
        own: f"\n## What came of it\n\n{_SEEN % ''}{full(figures)}\n",
    }
