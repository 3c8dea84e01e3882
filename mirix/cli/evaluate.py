"""`mirix evaluate`: measures a model and its settings on files of one's own, in a memory that is thrown away."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mirix.cli.command import Invocation, command
from mirix.cli.evaluate_answers import judge
from mirix.cli.evaluate_conversations import DATASETS, on
from mirix.cli.evaluate_run import loop, own_settings, progress_bars, run_evaluation, run_facts, show_report
from mirix.cli.evaluate_screens import screens
from mirix.cli.evaluate_screenshots import screenshotvqa
from mirix.cli.evaluate_stream import stream

if TYPE_CHECKING:
    from mirix.evaluation.speed import Speed

File = Annotated[Path, typer.Argument(help="The items: JSON lines, or one JSON list.", show_default=False)]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first ones.", show_default=False)]
Items = Annotated[bool, typer.Option("--items", help="With --json: what came of each item as well.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="evaluate",
        no_args_is_help=True,
        help="Measure routing, dates, answers and recall on your own files, in a memory that is thrown away.",
    )
    command(group, "routing", models=True)(routing)
    command(group, "dates")(dates)
    command(group, "lifelog", models=True)(lifelog)
    command(group, "active", models=True)(active)
    for name, dataset in DATASETS.items():
        command(group, name, models=True)(on(dataset))
    command(group, "judge", models=True)(judge)
    command(group, "stream", models=True)(stream)
    command(group, "screens", models=True)(screens)
    command(group, "screenshotvqa", models=True)(screenshotvqa)
    command(group, "speed", models=True)(speed)
    app.add_typer(group)


def routing(call: Invocation, file: File, limit: Limit = None, items: Items = False) -> None:
    """Does an input reach the memories it belongs to, and no others?"""
    from mirix.evaluation.routing import RoutingItem, evaluate_routing
    from mirix.evaluation.runner import read_items

    inputs = read_items(file, RoutingItem, limit=limit)
    run_evaluation(call, items, lambda memory, progress: evaluate_routing(memory, inputs, progress=progress))


def dates(call: Invocation, file: File, limit: Limit = None, items: Items = False) -> None:
    """Is a time expression resolved to the interval it means?"""
    from mirix.evaluation.dates import DateItem, evaluate_dates
    from mirix.evaluation.runner import read_items

    show_report(call, evaluate_dates(read_items(file, DateItem, limit=limit)), with_items=items)


def lifelog(
    call: Invocation,
    file: File,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Questions of each person.")] = None,
    items: Items = False,
) -> None:
    """Tell somebody's messages in order, then ask: evidence recall and answers, beside plain BM25."""
    from mirix.evaluation.lifelog import Person, evaluate_lifelog
    from mirix.evaluation.runner import read_items

    people = read_items(file, Person)
    run_evaluation(
        call, items, lambda memory, progress: evaluate_lifelog(memory, people, limit=limit, progress=progress)
    )


def active(
    call: Invocation,
    file: File,
    lifelog_file: Annotated[Path, typer.Argument(metavar="LIFELOG", help="The people whose turns they are.")],
    limit: Limit = None,
    items: Items = False,
) -> None:
    """Is the memory that a turn needs found unasked, and nothing put in where none is needed?"""
    from mirix.evaluation.active import ActiveTurn, evaluate_active
    from mirix.evaluation.lifelog import Person
    from mirix.evaluation.runner import read_items

    turns = read_items(file, ActiveTurn, limit=limit)
    people = read_items(lifelog_file, Person)
    run_evaluation(call, items, lambda memory, progress: evaluate_active(memory, turns, people, progress=progress))


def speed(call: Invocation) -> None:
    """What does it cost: start of the database, messages a second, model calls and tokens, disk?"""
    from mirix.evaluation.speed import measure_speed

    settings = own_settings(call)

    async def measured() -> Speed:
        with progress_bars(call) as progress:
            return await measure_speed(settings, progress)

    started = time.monotonic()
    with loop() as asyncio_runner:
        report = asyncio_runner.run(measured())
    report = replace(report, facts=run_facts(call, settings, started))
    call.document(report.to_json())
    for table in report.tables():
        call.show(table, "")
