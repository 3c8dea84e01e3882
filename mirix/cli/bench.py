"""`mirix bench`: how fast search is when there is much to search."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mirix.cli.command import Invocation, command
from mirix.errors import InputError

if TYPE_CHECKING:
    from mirix.evaluation.bench.report import BenchReport


def register(app: typer.Typer) -> None:
    command(app, "bench", models=True)(bench)


def bench(
    call: Invocation,
    rows: Annotated[str, typer.Option(help="Messages and memories together; several sizes: 10000,100000.")] = "10000",
    users: Annotated[int, typer.Option(min=1, help="Users, a few with much and many with little.")] = 1,
    clients: Annotated[str, typer.Option(help="Processes that search at once.")] = "1,2,4",
    questions: Annotated[int, typer.Option(min=1, help="Questions to search with.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows and questions.")] = 1,
    baselines: Annotated[bool, typer.Option(help="Measure plain pgvector and LangGraph's store beside it.")] = True,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the figures: an .svg or .png file.", show_default=False)
    ] = None,
) -> None:
    """Measure search on many invented rows, in a database that is thrown away: ms, recall, messages a second, size.

    100,000 rows take about two minutes and 1.5 GB of disk, a million a quarter of an hour and 12 GB.

    LangGraph's store, where it is installed, takes minutes more to be filled.
    """
    from mirix.cli.evaluate_run import loop, own_settings, progress_bars, run_facts
    from mirix.evaluation.bench.bench import BenchPlan, run_bench
    from mirix.evaluation.bench.report import require_matplotlib

    plan = BenchPlan(
        rows=_numbers("--rows", rows),
        users=users,
        clients=_numbers("--clients", clients),
        questions=questions,
        seed=seed,
        baselines=baselines,
    )
    if plot:
        if plot.suffix.lower() not in (".svg", ".png"):
            raise InputError(f"--plot draws .svg or .png, not {plot.name!r}")
        if not plot.parent.is_dir():
            raise InputError(f"--plot: there is no folder {plot.parent}")
        require_matplotlib()
    settings = own_settings(call)

    async def measured() -> BenchReport:
        with progress_bars(call) as progress:
            return await run_bench(settings, plan, progress)

    started = time.monotonic()
    with loop() as runner:
        report = runner.run(measured())
    report = replace(report, facts=run_facts(call, settings, started))
    call.document(report.to_json())
    for table in report.tables():
        call.show(table, "")
    if plot:
        report.plot(plot)
        call.note(f"drawn into {plot}")


def _numbers(option: str, words: str) -> list[int]:
    """The numbers of a list with commas. Raises InputError."""
    try:
        numbers = [int(word.replace("_", "")) for word in words.split(",")]
    except ValueError:
        raise InputError(f"{option} takes whole numbers with commas between them, not {words!r}") from None
    if min(numbers) < 1:
        raise InputError(f"{option} takes numbers from 1, not {min(numbers)}")
    return numbers
