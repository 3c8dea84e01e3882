"""What a bench measured, as a document for programs, tables for people and a plot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from mirix.errors import ConfigError

_PARTS = ("p50", "p95", "p99")
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def percentiles(ms: Sequence[float]) -> dict[str, float | int]:
    """p50, p95, p99 in ms, and of how many."""
    found: dict[str, float | int] = {"n": len(ms)}
    for part in _PARTS if len(ms) else ():
        found[part] = round(float(np.percentile(ms, int(part[1:]))), 2)
    return found


def grouped(buckets: Sequence[str], values: Sequence[float]) -> dict[str, list[float]]:
    """Values by the bucket of their question."""
    by: dict[str, list[float]] = {}
    for bucket, value in zip(buckets, values, strict=True):
        by.setdefault(bucket, []).append(value)
    return by


@dataclass(frozen=True, kw_only=True)
class BenchRun:
    """One size. All figures stand in `document`, under the names that `--json` prints."""

    document: Mapping[str, Any]

    def tables(self) -> Iterator[Table]:
        yield self._search()
        yield self._buckets()
        yield self._rest()

    def _title(self) -> str:
        return f"{self.document['rows']:,} rows, {self.document['users']:,} users"

    def _search(self) -> Table:
        table = _table(f"search, ms: {self._title()}", "", *_PARTS, "n", "searches/s", "recall@10")
        for each in self.document["search"]:
            clients = each["clients"]
            name = "mirix, 1 client" if clients == 1 else f"mirix, {clients} clients"
            recall = f"{self.document['recall']['recall@10']:.3f}"
            table.add_row(name, *_cells(each["ms"]), f"{each['per_second']:.1f}", recall)
        for each in self.document["baselines"]:
            table.add_row(each["name"], *_cells(each["ms"]), "", f"{each['recall@10']:.3f}")
        return table

    def _buckets(self) -> Table:
        table = _table("by rows of the user, 1 client", "", *_PARTS, "n", "recall@10", "recall", "pgvector, iterative")
        by = self.document["by_user_size"]
        for bucket, each in by.items():
            others = each["baselines"].get("pgvector, iterative")
            other = f"{others['recall@10']:.3f} in {others['ms']['p95']:.1f} ms" if others else ""
            recall = (f"{each['recall'][name]:.3f}" for name in ("recall@10", "recall"))
            table.add_row(bucket, *_cells(each["ms"]), *recall, other)
        return table

    def _rest(self) -> Table:
        table = _table("", "", "")
        table.show_header = False
        for name in ("load_s", "database_mb", "bytes_per_row", "client_mb", "server_mb"):
            table.add_row(name, _number(self.document[name]))
        for each in self.document["baselines"]:
            for name in ("build_s", "size_mb"):
                table.add_row(f"{each['name']}: {name}", _number(each[name]))
        for name, value in (self.document["ingest"] or {}).items():
            table.add_row(f"ingest: {name}", value if isinstance(value, str) else _number(value))
        for each in self.document["left_out"]:
            table.add_row(each, "")
        return table


@dataclass(frozen=True, kw_only=True)
class BenchReport:
    runs: Sequence[BenchRun]
    facts: Mapping[str, Any] = field(default_factory=dict)  # how it was run

    def to_json(self) -> dict[str, Any]:
        return {"evaluation": "bench", **self.facts, "runs": [run.document for run in self.runs]}

    def tables(self) -> Iterator[Table]:
        for run in self.runs:
            yield from run.tables()

    def plot(self, file: Path) -> None:
        """p95 and recall by how much the user has, a line for each size; SVG or PNG by its name. Raises ConfigError."""
        figure_type = require_matplotlib()
        figure = figure_type(figsize=(9, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for colour, run in zip(_COLOURS * len(self.runs), self.runs, strict=False):
            by = run.document["by_user_size"]
            name = f"mirix, {run.document['rows']:,} rows"
            left.plot(list(by), [each["ms"]["p50"] for each in by.values()], "o--", color=colour, alpha=0.5)
            left.plot(list(by), [each["ms"]["p95"] for each in by.values()], "o-", color=colour, label=f"{name}, p95")
            right.plot(list(by), [each["recall"]["recall@10"] for each in by.values()], "o-", color=colour, label=name)
            for style, other in zip((":", "-.", "--"), run.document["baselines"], strict=False):
                found = [each["baselines"][other["name"]] for each in by.values()]
                label = f"{other['name']}, {run.document['rows']:,} rows"
                right.plot(list(by), [each["recall@10"] for each in found], style, color=colour, label=label)
        left.set(ylabel="ms a search, all arms (dashed: p50)", xlabel="rows of the user", ylim=(0, None))
        right.set(ylabel="recall@10 against an exact scan", xlabel="rows of the user", ylim=(0, 1.02))
        for axes in (left, right):
            axes.grid(axis="y", alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(fontsize=7, frameon=False)
            axes.tick_params(axis="x", labelsize=7)
        is_png = file.suffix.lower() == ".png"
        figure.savefig(file, format="png" if is_png else "svg", metadata=None if is_png else {"Date": None}, dpi=150)


def require_matplotlib() -> Any:
    """The class of figures. To be asked before the work, not after. Raises ConfigError that names the extra."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("a plot needs matplotlib: install mirix-memory[evaluation], or leave --plot out") from None
    return Figure


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    return table


def _cells(ms: Mapping[str, float | int]) -> list[str]:
    return [f"{ms[part]:.1f}" if part in ms else "–" for part in _PARTS] + [str(ms["n"])]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3f}" if value < 10 else f"{value:,.0f}"
