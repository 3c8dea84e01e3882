"""`mirix reembed`: vectors for what came in without an embedder, or with another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mirix.cli.command import Invocation, command

if TYPE_CHECKING:
    from mirix.jobs.reembed import Reembedded


def register(app: typer.Typer) -> None:
    command(app, "reembed", models=True)(reembed)


def reembed(call: Invocation) -> None:
    """Make the vectors that are missing or of another embedder, so that search by meaning sees everything.

    May be interrupted at any time: it goes on from there. What is searched meanwhile is found as before.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=call.err, disable=not call.err.is_terminal, transient=True)
    with call.open() as memory, bars:
        task = bars.add_task("making vectors", total=None)
        told = memory.reembed(on_progress=lambda done, total: bars.update(task, completed=done, total=total))
    call.document(_document(told))
    if told.messages or told.memories:
        call.show(f"{_things(told)} embedded by {told.model}.")
    else:
        call.show(f"Nothing to do: {told.model} has been asked about everything.")
    if told.skipped:
        call.note(f"{told.skipped} in a language that {told.model} does not read: they are found by their words")
    if told.left:
        call.warn(f"{told.left} were being changed by others: run `mirix reembed` again")


def _things(told: Reembedded) -> str:
    messages = "1 message" if told.messages == 1 else f"{told.messages} messages"
    memories = "1 memory" if told.memories == 1 else f"{told.memories} memories"
    counted = ((told.messages, messages), (told.memories, memories))
    return " and ".join(words for number, words in counted if number)


def _document(told: Reembedded) -> dict[str, Any]:
    return {
        "model": told.model,
        "messages": told.messages,
        "windows": told.windows,
        "memories": told.memories,
        "skipped": told.skipped,
        "left": told.left,
    }
