"""Plots of a report as SVG, from its document: nothing is computed here but where to draw.

matplotlib is in the extra `evaluation` and is imported when it is needed. Text stays text in the SVG; one colour means
the same arm in every plot of a report.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from mirix.errors import ConfigError
from mirix.evaluation.arms import Arm
from mirix.evaluation.datasets import category_names
from mirix.evaluation.retrieval import BUDGETS, DEPTHS, MAIN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart by colour-blind readers too; without its yellow, too light for lines.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#7a5195")
_BOUNDS = {Arm.ORACLE: "#8a8478", Arm.NONE: "#c3bcad"}  # grey: no competitors
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
_SPACE = 0.06  # of their cost, between arms that cost the same
_WIDTH, _HEIGHT = 5.2, 3.3  # inches; letters stay readable on a telephone
LABEL_LETTERS = 16  # of a line under a group of bars
_NAME_LETTERS = 24  # of the name of a system or an arm
_LETTER, _HANDLE = 0.075, 0.45  # inches of a legend: a letter at 8.5 points, what stands before and behind a name
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mirix",  # the same figures give the same file
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8478",
    "axes.labelcolor": "#4a463f",
    "xtick.color": "#4a463f",
    "ytick.color": "#4a463f",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#e6e1d6",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}


@dataclass(frozen=True, kw_only=True)
class Plot:
    title: str
    caption: str
    svg: str  # to be put into a page
    is_wide: bool = False


def require_matplotlib() -> None:
    """Raises ConfigError that names the extra. To be asked before hours of work, not after."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ConfigError(
            "a report needs matplotlib: run `pip install 'mirix-memory[evaluation]'`, or leave --out away"
        ) from None


def retrieval_plots(document: Mapping[str, Any]) -> list[Plot]:
    """Recall by depth, within a budget of tokens, and by category."""
    named: dict[str, Mapping[str, Any]] = {document["system"]: document, **document["baselines"]}
    colours = _colours(named)
    categories = category_names(document["evaluation"], document["by_category"])
    chance = document["controls"]["chance"]

    def by_depth(axes: Axes) -> None:
        for name, each in named.items():
            _line(axes, DEPTHS, [each[f"recall@{k}"] for k in DEPTHS], name, colours)
        for label, values, style in (("oracle", document["controls"]["oracle"], ":"), ("chance", chance, "--")):
            axes.plot(DEPTHS, [values[f"recall@{k}"] for k in DEPTHS], style, color="#8a8478", lw=1.2, label=label)
        _fractions(axes, "recall")
        axes.set_xticks(DEPTHS)
        axes.set_xlabel("distinct turns looked at (k)")

    def by_tokens(axes: Axes) -> None:
        for name, each in named.items():
            _line(axes, BUDGETS, list(each["recall_within_tokens"].values()), name, colours)
        _fractions(axes, "share of the evidence")
        axes.set_xscale("log")
        axes.set_xticks(BUDGETS, [f"{budget:,}" for budget in BUDGETS])
        axes.minorticks_off()
        axes.set_xlabel("tokens of context")

    def by_category(axes: Axes) -> None:
        values = {
            name: [each["by_category"][category][f"recall@{MAIN}"] for category in categories]
            for name, each in named.items()
        }
        counts = [document["by_category"][category]["n"] for category in categories]
        _bars(axes, values, _labels(categories, counts), colours)
        _fractions(axes, f"recall@{MAIN}")

    return [
        _plot("Recall by depth", "Evidence turns among the first k distinct turns.", by_depth),
        _plot("Recall by tokens of context", "Evidence in what fits into a budget, whole entries.", by_tokens),
        _plot(f"Recall@{MAIN} by category", "Against the baselines of the same run.", by_category, is_wide=True),
    ]


def answer_plots(document: Mapping[str, Any]) -> list[Plot]:
    """Tokens against accuracy, by category, and what each arm adds to the first."""
    arms: Mapping[str, Any] = document["arms"]
    if not arms:
        return []
    colours = _colours(arms)
    categories: Mapping[str, str] = document["category_names"]
    first = next(iter(arms))
    added = {pair["second"]: pair for pair in document["pairs"] if pair["first"] == first}

    def by_cost(axes: Axes) -> None:
        for name, tokens in _side_by_side({name: each["input_tokens"] for name, each in arms.items()}).items():
            correct = arms[name]["correct"]
            error = [[correct["mean"] - correct["low"]], [correct["high"] - correct["mean"]]]
            axes.errorbar(
                [tokens],
                [correct["mean"]],
                yerr=error,
                fmt=_mark(name, colours),
                color=colours[name],
                capsize=2.5,
                markersize=6.5,
                lw=1.2,
                label=_short(name),
            )
        _fractions(axes, "correct")
        axes.set_xlabel("tokens of the whole prompt, mean")
        _token_axis(axes)

    def by_category(axes: Axes) -> None:
        values = {
            name: [each["by_category"][category]["correct"]["mean"] or 0.0 for category in categories]
            for name, each in arms.items()
        }
        _bars(axes, values, _labels(categories, [arms[first]["by_category"][key]["n"] for key in categories]), colours)
        _fractions(axes, "correct")

    def gains(axes: Axes) -> None:
        values = {
            name: [pair["by_category"][key] for key in categories] for name, pair in added.items() if name != Arm.NONE
        }
        _differences(axes, values, _labels(categories, [each["n"] for each in next(iter(values.values()))]), colours)
        axes.set_ylabel(f"difference to {first}")

    plots = [
        _plot("Accuracy against tokens", "With 95 % intervals; arms of one cost side by side.", by_cost),
        _plot("Evidence and answers", "Share of the evidence in the context, share of correct answers.", _reach(arms)),
        _plot("Correct by category", "Every question of a category counts once.", by_category, is_wide=True),
    ]
    if added.keys() - {Arm.NONE}:
        caption = f"Difference to {first}, question by question, with its 95 % interval: above the line an arm adds."
        plots.append(_plot("What each arm adds", caption, gains, is_wide=True))
    return plots


def _reach(arms: Mapping[str, Any]) -> Any:
    """Two bars an arm: what the reader could know, and what it made of it."""
    names = [name for name in arms if name != Arm.NONE][::-1]  # bars go upwards

    def draw(axes: Axes) -> None:
        for shift, measure, colour in ((0.2, "evidence_in_context", "#c3bcad"), (-0.2, "correct", _COLOURS[0])):
            values = [arms[name][measure]["mean"] or 0.0 for name in names]
            places = [at + shift for at in range(len(names))]
            axes.barh(places, values, 0.37, color=colour, label=measure.replace("_", " "))
        axes.set_yticks(range(len(names)), [_short(name) for name in names])
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, 1.02)
        axes.grid(False, axis="y")
        axes.grid(True, axis="x")

    return draw


def _plot(title: str, caption: str, draw: Any, *, is_wide: bool = False) -> Plot:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH * 2 if is_wide else _WIDTH, _HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        _legend(figure, axes)
        return Plot(title=title, caption=caption, svg=_svg(figure, title), is_wide=is_wide)


def _svg(figure: Figure, title: str) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Title": title})
    text = file.getvalue()
    return text[text.index("<svg") :]


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(
            handles,
            labels,
            loc="outside upper left",
            ncols=legend_columns(labels, figure.get_figwidth()),
            handlelength=1.4,
        )


def legend_columns(labels: Sequence[str], width: float) -> int:
    """As many as there is room for in a figure of that width in inches, five at most."""

    def size(columns: int) -> float:
        return sum(_HANDLE + _LETTER * max(map(len, part)) for part in np.array_split(labels, columns))

    return next((number for number in range(min(len(labels), 5), 1, -1) if size(number) <= width), 1)


def _short(name: str) -> str:
    """A name that fits beside a plot; names of one kind often differ at the end."""
    return name if len(name) <= _NAME_LETTERS else f"{name[: _NAME_LETTERS - 9]}…{name[-8:]}"


def _colours(names: Mapping[str, Any]) -> dict[str, str]:
    others = [name for name in names if name not in _BOUNDS]
    cycled = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(others)}
    return {name: _BOUNDS[Arm(name)] if name in _BOUNDS else cycled[name] for name in names}


def _mark(name: str, colours: Mapping[str, str]) -> str:
    return _MARKS[list(colours).index(name) % len(_MARKS)]


def _side_by_side(tokens: Mapping[str, float | None]) -> dict[str, float]:
    """Places on a logarithmic axis: what costs nearly the same stands side by side and not on one spot."""
    known = {name: value for name, value in tokens.items() if value is not None}
    placed: dict[str, float] = {}
    last = 0.0
    for name in sorted(known, key=lambda name: known[name]):
        last = placed[name] = max(known[name], last * (1 + _SPACE))
    return {name: placed[name] for name in known}


def _token_axis(axes: Axes) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(True, axis="x")


def _labels(categories: Mapping[str, str], counts: Sequence[int]) -> list[str]:
    named = zip(categories.values(), counts, strict=True)
    return [f"{fill(name, LABEL_LETTERS)}\nn = {count:,}" for name, count in named]


def _line(axes: Axes, x: Sequence[float], y: Sequence[float], name: str, colours: Mapping[str, str]) -> None:
    axes.plot(x, y, marker=_mark(name, colours), color=colours[name], lw=1.6, markersize=4.5, label=_short(name))


def _fractions(axes: Axes, label: str) -> None:
    axes.set_ylim(0, 1.02)
    axes.set_ylabel(label)


def _bars(axes: Axes, values: Mapping[str, Sequence[float]], labels: Sequence[str], colours: Mapping[str, str]) -> None:
    """Groups of bars: one group a label, one bar a name."""
    width = 0.8 / len(values)
    for number, (name, each) in enumerate(values.items()):
        places = [at - 0.4 + width * (number + 0.5) for at in range(len(labels))]
        axes.bar(places, each, width * 0.92, color=colours[name], label=_short(name))
    axes.set_xticks(range(len(labels)), labels)
    axes.tick_params(axis="x", length=0)


def _differences(
    axes: Axes, values: Mapping[str, Sequence[Mapping[str, Any]]], labels: Sequence[str], colours: Mapping[str, str]
) -> None:
    """Points with their intervals around a line at 0."""
    step = 0.7 / len(values)
    for number, (name, each) in enumerate(values.items()):
        places = [at - 0.35 + step * (number + 0.5) for at in range(len(labels))]
        means = [one["mean"] for one in each]
        lows = [max(0.0, one["mean"] - one["low"]) for one in each]
        highs = [max(0.0, one["high"] - one["mean"]) for one in each]
        axes.errorbar(
            places,
            means,
            yerr=[lows, highs],
            fmt=_mark(name, colours),
            color=colours[name],
            label=_short(name),
            capsize=2.5,
            lw=1.2,
        )
    axes.axhline(0, color="#4a463f", lw=1)
    axes.set_xticks(range(len(labels)), labels)
    axes.tick_params(axis="x", length=0)
