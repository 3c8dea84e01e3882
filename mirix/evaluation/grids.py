"""Tables of a report, before they are shown: on the terminal, in Markdown, in HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from rich.table import Table

_HEAD_LETTERS = 14  # of a line above a column, on the terminal


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table whose first column names the row."""

    title: str
    columns: Sequence[str]  # without the first
    rows: Sequence[Sequence[str]]  # with the name first
    note: str = ""  # what has to be known to read it

    def table(self) -> Table:
        table = Table(title=self.title, title_justify="left", box=None, pad_edge=False)
        table.add_column("")
        for column in self.columns:
            table.add_column(fill(column, _HEAD_LETTERS), justify="right", overflow="fold")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        lines = [["", *self.columns], ["---", *("---:" for _ in self.columns)], *self.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def fraction(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def with_bounds(interval: Mapping[str, Any] | None) -> str:
    """0.612 (0.580–0.644)"""
    if not interval or interval.get("mean") is None:
        return "–"
    return f"{interval['mean']:.3f} ({interval['low']:.3f}–{interval['high']:.3f})"


def with_count(interval: Mapping[str, Any] | None) -> str:
    """0.612 (841)"""
    if not interval or interval.get("mean") is None:
        return "–"
    return f"{interval['mean']:.3f} ({interval['n']})"


def signed(interval: Mapping[str, Any] | None) -> str:
    """+0.020 (−0.010 to +0.050)"""
    if not interval or interval.get("mean") is None:
        return "–"
    return f"{_sign(interval['mean'])} ({_sign(interval['low'])} to {_sign(interval['high'])})"


def probability(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def _sign(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
