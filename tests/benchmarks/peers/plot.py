"""The picture: cost of an event against the number of rules, both on logarithmic axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from .engines import Missing
from .figures import ALONE, Figures

_STYLES: Final = {
    # Colours of Okabe and Ito, which colour-blind people tell apart; marks do it in print.
    "overture": ("Overture", "#D55E00", "o", "-"),
    "floor": ("floor (by hand)", "#000000", "x", ":"),
    "drools": ("Drools, native", "#0072B2", "s", "-"),
    "clips": ("CLIPS", "#009E73", "^", "-"),
    "zen": ("GoRules ZEN", "#CC79A7", "D", "-"),
    "drools_jpy": ("Drools from Python", "#56B4E9", "v", "-"),
    "durable": ("durable_rules", "#E69F00", "P", "-"),
}
_PANELS: Final = (
    ("w1", "line", "W1 stateless: JSON line in, decision out"),
    ("w2", "event", "W2 stateful: ready event in"),
    ("w3", "line", "W3 mixed: JSON line in"),
)


def draw(figures: Figures, folder: Path) -> list[Path]:
    """Draw the picture as PNG and SVG. Raises Missing without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        raise Missing("matplotlib") from None
    matplotlib.use("Agg")
    # The same figures make the same bytes.
    matplotlib.rcParams["svg.hashsalt"] = "overture"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        1, 3, figsize=(13, 4.8), sharey=True, layout="constrained", width_ratios=(3, 3, 2)
    )
    for ax, (workload, form, title) in zip(axes, _PANELS, strict=True):
        _panel(ax, figures, workload, form, title)
    axes[0].set_ylabel("µs an event")
    drawn: dict[str, Any] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        drawn |= dict(zip(labels, handles, strict=True))
    figure.legend(
        [*drawn.values()], [*drawn], loc="outside lower center", ncols=len(drawn), frameon=False
    )
    paths = [folder / "figures.png", folder / "figures.svg"]
    for path in paths:
        metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        figure.savefig(path, dpi=110, metadata=metadata)
    pyplot.close(figure)
    return paths


def _panel(ax: Any, figures: Figures, workload: str, form: str, title: str) -> None:
    for engine, (label, colour, mark, line) in _STYLES.items():
        points = _points(figures, engine, workload, form)
        if not points:
            continue
        width = 2.4 if engine == "overture" else 1.4
        ax.plot(
            [rules for rules, _ in points],
            [cost for _, cost in points],
            label=label,
            color=colour,
            marker=mark,
            linestyle=line,
            linewidth=width,
            markersize=6,
        )
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_title(title, fontsize=11)
    ax.set_xlabel("rules")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.grid(which="major", color="#dddddd", linewidth=0.8)
    ax.spines[["top", "right"]].set_visible(False)


def _points(figures: Figures, engine: str, workload: str, form: str) -> list[tuple[int, float]]:
    found = []
    growth = workload in ALONE
    for rules in sorted({cell["rules"] for cell in figures.cells}):
        cost = figures.median(figures.cell(engine, workload, rules, form, growth=growth))
        if cost is not None:
            found.append((rules, cost))
    return found
