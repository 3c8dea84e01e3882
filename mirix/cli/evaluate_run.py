"""What all commands of `mirix evaluate` share: what is read, settings of their own, progress, how it was run."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mirix.cli.command import Invocation
from mirix.errors import InputError

if TYPE_CHECKING:
    from mirix.config import Settings
    from mirix.evaluation import runner
    from mirix.evaluation.controls import Audit
    from mirix.evaluation.corpus import Conversation
    from mirix.evaluation.report import Report
    from mirix.evaluation.systems import MemorySystem
    from mirix.system import AsyncMirix


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is evaluated, as the options say."""

    dataset: str
    file: Path
    limit: int | None
    questions: int | None
    systems: Sequence[str]
    out: Path | None
    audit: Path | None

    def read(self) -> tuple[list[Conversation], Audit | None]:
        """What is asked, and the audit, which is held against the whole file.

        Raises InputError and ConfigError, before anything is started or written.
        """
        from mirix.evaluation.adapters import load_factory
        from mirix.evaluation.controls import Audit
        from mirix.evaluation.datasets import READERS
        from mirix.evaluation.runs import spread

        for name in self.systems:
            load_factory(name)
        conversations = READERS[self.dataset](self.file)
        audit = Audit.read(self.audit) if self.audit else None
        if audit is not None:
            audit.check(conversations)
        asked = [
            replace(each, questions=tuple(spread(each.questions, self.questions)))
            for each in conversations[: self.limit]
        ]
        return asked, audit


def own_settings(call: Invocation) -> Settings:
    """The settings but for where the user's own memory is. Raises InputError for who names it."""
    from mirix.config import load_settings

    given = dict(call.overrides)
    if given.pop("data_dir") is not None or given.pop("user") is not None:
        raise InputError("an evaluation has a memory and users of its own: leave --data-dir and --user out")
    return load_settings(**given)


def loop() -> asyncio.Runner:
    # psycopg needs the selector loop on Windows.
    return asyncio.Runner(loop_factory=asyncio.SelectorEventLoop if sys.platform == "win32" else None)


def run_facts(call: Invocation, settings: Settings, started: float) -> dict[str, Any]:
    """How it was run, told to people as well."""
    facts = {
        "chat_model": settings.chat_model,
        "memory_model": settings.memory_model or settings.chat_model,
        "embedding_model": settings.embedding_model,
        "seconds": round(time.monotonic() - started, 1),
    }
    call.note(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items()))
    return facts


def run_evaluation(
    call: Invocation, with_items: bool, evaluate: Callable[[AsyncMirix, runner.Progress], Awaitable[Report]]
) -> Report:
    """Run an evaluation in a memory of its own and show what it found."""
    from mirix.evaluation.runner import throwaway_memory

    settings = own_settings(call)
    started = time.monotonic()

    async def measured() -> Report:
        with progress_bars(call) as progress:
            async with throwaway_memory(settings) as memory:
                return await evaluate(memory, progress)

    with loop() as asyncio_runner:
        report = asyncio_runner.run(measured())
    report = replace(report, facts={**run_facts(call, settings, started), **report.facts})
    show_report(call, report, with_items=with_items)
    return report


def show_report(call: Invocation, report: Report, *, with_items: bool) -> None:
    call.document(report.to_json(with_items=with_items))
    for table in report.tables():
        call.show(table, "")


@contextmanager
def progress_bars(call: Invocation) -> Iterator[runner.Progress]:
    """A bar for each stage, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=call.err) as bars:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show


def further_systems(names: Sequence[str], memory: AsyncMirix) -> list[MemorySystem]:
    from mirix.evaluation.adapters import load_factory

    return [load_factory(name)(memory.parts.indexer.embedder) for name in names]
