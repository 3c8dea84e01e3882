"""`mirix status` and `mirix worker`: how much is remembered, what waits, and a process that works it off."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from mirix.cli.command import Invocation, command

if TYPE_CHECKING:
    from mirix.results import MemoryStatus


def register(app: typer.Typer) -> None:
    command(app, "status")(status)
    command(app, "worker", models=True)(worker)


def status(
    call: Invocation,
    retry: Annotated[bool, typer.Option("--retry", help="Try failed batches again first.")] = False,
) -> None:
    """Show how much is remembered, what waits, and what serves it."""
    from mirix.cli import documents, show

    with call.open() as memory:
        if retry:
            with call.working("trying again"):
                applied = memory.retry_failed()
            call.note(f"{applied} batches applied")
        now = memory.status()
    call.document(documents.status_document(now))
    table = show.grid("name", "value*")
    memories = show.routing({kind: count for kind, count in now.memories.items() if count})
    waiting = (
        f"{now.waiting} {'batch waits' if now.waiting == 1 else 'batches wait'}" if now.waiting else "nothing waits"
    )
    failed = f", {now.failed} failed: try again with --retry" if now.failed else ""
    for name, value in {
        "user": f"{now.user}, {now.timezone}",
        "memories": memories if memories.plain else "none yet: mirix add TEXT",
        "messages": f"{now.messages}, {waiting}{failed}",
        **_waiting_for_you(now),
        "chat model": now.chat_model,
        "embedder": _embedder(now),
        "pictures": now.recogniser or "kept, but not read: see mirix doctor",
        "database": now.database,
    }.items():
        table.add_row(Text(name, style="dim"), value)
    call.show(table)


def _waiting_for_you(now: MemoryStatus) -> dict[str, str]:
    """What only the user can decide, where there is any."""
    words = []
    if now.proposals:
        words.append(f"{now.proposals} {'proposal' if now.proposals == 1 else 'proposals'}: mirix proposal list")
    if now.quarantined:
        words.append(f"{now.quarantined} in quarantine: mirix quarantine list")
    return {"for you": "\n".join(words)} if words else {}


def _embedder(now: MemoryStatus) -> str:
    if now.embedding_model is None:
        return "none, search is lexical only: see mirix doctor"
    if not now.lacking_vectors:
        return now.embedding_model
    return f"{now.embedding_model}, {now.lacking_vectors} messages and memories without its vectors: mirix reembed"


def worker(call: Invocation) -> None:
    """Work off what waits, of all users, until Ctrl-C. Any number may run, on any machine that reaches the database."""
    call.note("working; Ctrl-C ends it")
    with suppress(KeyboardInterrupt):  # the way a worker ends
        asyncio.run(_work(call))
    call.document({"stopped": True})
    call.note("stopped; what is left waits in the database")


async def _work(call: Invocation) -> None:
    from mirix.system import AsyncMirix

    async with AsyncMirix(call.settings) as memory:
        work = asyncio.create_task(memory.parts.worker.run())
        with suppress(NotImplementedError):  # Windows has no signal handlers on a loop
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        with suppress(asyncio.CancelledError):
            await work
