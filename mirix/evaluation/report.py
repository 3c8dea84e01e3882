"""What an evaluation found, as a document for programs and as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from mirix.evaluation.metrics import Share

Metrics = Mapping[str, Share]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The figures of one run: fractions from 0 to 1, with the counts behind them."""

    evaluation: str
    metrics: Metrics
    groups: Mapping[str, Mapping[str, Metrics]]  # by what, then by which
    baselines: Mapping[str, Report] = field(default_factory=dict)  # of the same run, by name
    facts: Mapping[str, Any] = field(default_factory=dict)  # how it was run
    items: Sequence[Mapping[str, Any]] = ()  # what came of each

    def to_json(self, *, with_items: bool = False) -> dict[str, Any]:
        document: dict[str, Any] = {"evaluation": self.evaluation, **self.facts}
        document |= {name: share.to_json() for name, share in self.metrics.items()}
        document |= {
            f"by_{what}": {which: {name: share.to_json() for name, share in each.items()} for which, each in by.items()}
            for what, by in self.groups.items()
        }
        if self.baselines:
            document["baselines"] = {name: each.to_json() for name, each in self.baselines.items()}
        if with_items:
            document["items"] = list(self.items)
        return document

    def tables(self) -> Iterator[Table]:
        """A table of all figures, then one for each way of grouping them, baselines under what they are for."""
        named = [("mirix", self), *self.baselines.items()]
        yield _table(
            self.evaluation,
            [name for name, _ in named],
            [(_words(figure), [each.metrics.get(figure) for _, each in named]) for figure in self.metrics],
        )
        for what, by in self.groups.items():
            rows = []
            for which, metrics in by.items():
                rows.append((which, metrics))
                own = ((name, each.groups.get(what, {}).get(which)) for name, each in self.baselines.items())
                rows += [(f"  {name}", found) for name, found in own if found]
            figures = list(dict.fromkeys(figure for _, metrics in rows for figure in metrics))
            yield _table(
                f"by {what}",
                [_words(figure) for figure in figures],
                [(name, [metrics.get(figure) for figure in figures]) for name, metrics in rows],
            )


def _table(title: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Share | None]]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    for name, shares in rows:
        table.add_row(name, *map(_cell, shares))
    return table


def _words(figure: str) -> str:
    """A name that is broken between words where a table is narrow."""
    return figure.replace("_", " ")


def _cell(share: Share | None) -> str:
    if share is None or share.value is None:
        return "–"
    return f"{share.value:.3f} ({share.n})"
