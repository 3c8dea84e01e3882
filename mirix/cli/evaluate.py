"""`mirix evaluate`: measures a model and its settings on files of one's own, in a memory that is thrown away."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mirix.cli.command import Invocation, command
from mirix.errors import InputError

if TYPE_CHECKING:
    from mirix.config import Settings
    from mirix.evaluation import runner
    from mirix.evaluation.report import Report
    from mirix.evaluation.speed import Speed
    from mirix.system import AsyncMirix

File = Annotated[Path, typer.Argument(help="The items: JSON lines, or one JSON list.", show_default=False)]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first ones.", show_default=False)]


class IngestMode(StrEnum):
    EVIDENCE = "evidence"
    GRAPH = "graph"


Ingests = Annotated[
    list[IngestMode] | None,
    typer.Option(help="evidence: turns alone; graph: read by the managers too. May be repeated; the first is shown."),
]
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
    command(group, "locomo", models=True)(locomo)
    command(group, "longmemeval", models=True)(longmemeval)
    command(group, "speed", models=True)(speed)
    app.add_typer(group)


def routing(call: Invocation, file: File, limit: Limit = None, items: Items = False) -> None:
    """Does an input reach the memories it belongs to, and no others?"""
    from mirix.evaluation.routing import RoutingItem, evaluate_routing
    from mirix.evaluation.runner import read_items

    inputs = read_items(file, RoutingItem, limit=limit)
    _run(call, items, lambda memory, progress: evaluate_routing(memory, inputs, progress=progress))


def dates(call: Invocation, file: File, limit: Limit = None, items: Items = False) -> None:
    """Is a time expression resolved to the interval it means?"""
    from mirix.evaluation.dates import DateItem, evaluate_dates
    from mirix.evaluation.runner import read_items

    _show(call, evaluate_dates(read_items(file, DateItem, limit=limit)), with_items=items)


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
    _run(call, items, lambda memory, progress: evaluate_lifelog(memory, people, limit=limit, progress=progress))


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
    _run(call, items, lambda memory, progress: evaluate_active(memory, turns, people, progress=progress))


def locomo(call: Invocation, file: File, ingest: Ingests = None, limit: Limit = None, items: Items = False) -> None:
    """Are the turns that answer LoCoMo's questions found, how early and at what cost, beside BM25 and vectors?"""
    _retrieval(call, "locomo", file, ingest or [IngestMode.EVIDENCE], limit, with_items=items)


def longmemeval(
    call: Invocation, file: File, ingest: Ingests = None, limit: Limit = None, items: Items = False
) -> None:
    """The same on LongMemEval, where each question has a history of its own."""
    _retrieval(call, "longmemeval", file, ingest or [IngestMode.EVIDENCE], limit, with_items=items)


def _retrieval(
    call: Invocation, dataset: str, file: Path, ingest: list[IngestMode], limit: int | None, *, with_items: bool
) -> None:
    from mirix.evaluation.datasets import READERS
    from mirix.evaluation.retrieval import RetrievalReport, evaluate_retrieval
    from mirix.evaluation.runner import throwaway_memory
    from mirix.evaluation.systems import Bm25System, Ingest, MemorySystem, MirixSystem, VectorSystem

    conversations = READERS[dataset](file)[:limit]
    settings = _own_settings(call)
    started = time.monotonic()

    async def measured() -> RetrievalReport:
        with _progress(call) as progress:
            async with throwaway_memory(settings) as memory:
                systems: list[MemorySystem] = [MirixSystem(memory=memory, mode=Ingest(mode.value)) for mode in ingest]
                systems.append(Bm25System())
                if memory.parts.indexer.embedder is not None:
                    systems.append(VectorSystem.of(memory))
                return await evaluate_retrieval(dataset, conversations, systems, progress=progress)

    with _loop() as loop:
        report = loop.run(measured())
    report = replace(report, facts=_facts(call, settings, started))
    call.document(report.to_json(with_items=with_items))
    for table in report.tables():
        call.show(table, "")


def speed(call: Invocation) -> None:
    """What does it cost: start of the database, messages a second, model calls and tokens, disk?"""
    from mirix.evaluation.speed import measure_speed

    settings = _own_settings(call)

    async def measured() -> Speed:
        with _progress(call) as progress:
            return await measure_speed(settings, progress)

    started = time.monotonic()
    with _loop() as loop:
        report = loop.run(measured())
    report = replace(report, facts=_facts(call, settings, started))
    call.document(report.to_json())
    for table in report.tables():
        call.show(table, "")


def _run(
    call: Invocation,
    with_items: bool,
    evaluate: Callable[[AsyncMirix, runner.Progress], Awaitable[Report]],
) -> None:
    from mirix.evaluation.runner import throwaway_memory

    settings = _own_settings(call)
    started = time.monotonic()

    async def measured() -> Report:
        with _progress(call) as progress:
            async with throwaway_memory(settings) as memory:
                return await evaluate(memory, progress)

    with _loop() as loop:
        report = loop.run(measured())
    facts = _facts(call, settings, started)
    _show(call, replace(report, facts={**facts, **report.facts}), with_items=with_items)


def _own_settings(call: Invocation) -> Settings:
    """The settings but for where the user's own memory is. Raises InputError for who names it."""
    from mirix.config import load_settings

    given = dict(call.overrides)
    if given.pop("data_dir") is not None or given.pop("user") is not None:
        raise InputError("an evaluation has a memory and users of its own: leave --data-dir and --user out")
    return load_settings(**given)


def _loop() -> asyncio.Runner:
    # psycopg needs the selector loop on Windows.
    return asyncio.Runner(loop_factory=asyncio.SelectorEventLoop if sys.platform == "win32" else None)


def _facts(call: Invocation, settings: Settings, started: float) -> dict[str, Any]:
    """How it was run, told to people as well."""
    facts = {
        "chat_model": settings.chat_model,
        "memory_model": settings.memory_model or settings.chat_model,
        "embedding_model": settings.embedding_model,
        "seconds": round(time.monotonic() - started, 1),
    }
    call.note(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items()))
    return facts


def _show(call: Invocation, report: Report, *, with_items: bool) -> None:
    call.document(report.to_json(with_items=with_items))
    for table in report.tables():
        call.show(table, "")


@contextmanager
def _progress(call: Invocation) -> Iterator[runner.Progress]:
    """A bar for each stage, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=call.err) as bars:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield show
