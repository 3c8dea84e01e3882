"""`mirix evaluate screenshotvqa`: what is remembered of a folder of screenshots, pixels and all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mirix.cli.command import Invocation
from mirix.cli.evaluate_run import run_evaluation


def screenshotvqa(
    call: Invocation,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="YYYYMMDD_HHMMSS.png and qa_pairs.json.")],
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first pictures.")] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", min=0.01, help="Take so many a second, as a recorder does; else as fast as it goes."),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--ocr-cache", help="File of recognised text, read and added to.")
    ] = None,
    compare: Annotated[
        bool, typer.Option(help="Run other products' change filters and OCR + BM25 over every shot.")
    ] = True,
    items: Annotated[bool, typer.Option("--items", help="With --json: what came of each item as well.")] = False,
) -> None:
    """Record a folder of screenshots as the desktop assistant does, then ask: recall, answers and the boxes they point
    at, beside OCR + BM25; storage and speed."""
    from mirix.evaluation.screenshots.day import read_day
    from mirix.evaluation.screenshots.run import Readers, evaluate_screenshotvqa

    day, readers = read_day(folder), Readers.installed(cache)
    report = run_evaluation(
        call,
        items,
        lambda memory, progress: evaluate_screenshotvqa(
            memory, day, readers, limit=limit, rate=rate, compare=compare, progress=progress
        ),
    )
    call.show(_facts_table(report.facts))


def _facts_table(facts: Mapping[str, Any]) -> Table:
    table = Table(title="cost", title_justify="left", box=None, pad_edge=False, show_header=False)
    for name in ("recorded", "megabytes", "managers", "search_ms", "ask_ms", "leaks"):
        for key, value in (facts.get(name) or {}).items():
            table.add_row(f"{name} {key}".replace("_", " "), _told(value))
    return table


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    return ("; ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
