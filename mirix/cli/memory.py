"""`mirix memory`: look at what is remembered, correct it, take changes back, forget it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from mirix.cli.arguments import ALL_STATUSES, find_id, parse_assignments, parse_time, short_id
from mirix.cli.command import Invocation, command
from mirix.cli.forget import Yes, ask_first, find_any_id, named, tell_forgotten
from mirix.memory.record import MemoryKind

if TYPE_CHECKING:
    from mirix.memory.record import Record

Id = Annotated[str, typer.Argument(metavar="ID", help="The id of a memory, or its beginning or end.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Look at memories, correct them, take changes back, forget them.")
    command(group, "list", scoped=True)(list_memories)
    command(group, "show")(show_memory)
    command(group, "edit")(edit)
    command(group, "delete")(delete)
    command(group, "history")(history)
    command(group, "undo")(undo)
    command(group, "forget")(forget)
    app.add_typer(group, name="memory")


def list_memories(
    call: Invocation,
    kind: Annotated[list[MemoryKind] | None, typer.Option(help="Only this type of memory; may be repeated.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only with this tag; may be repeated.")] = None,
    as_of: Annotated[str | None, typer.Option(help="What held at that time: 2026-11-06, or 'last Friday'.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Superseded and deleted ones too.")] = False,
    tree: Annotated[bool, typer.Option("--tree", help="As a tree, along their places.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many of each type at most.")] = 100,
) -> None:
    """List memories, a table or a tree per type."""
    from mirix.cli import documents, show

    with call.open() as memory:
        zone = memory.status().timezone
        records = memory.get_all(
            kinds=kind,
            tags=tag,
            as_of=parse_time(as_of, zone, bound="last") if as_of else None,
            statuses=ALL_STATUSES if everything else ("active",),
            limit=limit,
            agent_id=call.agent,
            run_id=call.run,
        )
    call.document({"results": [documents.memory_document(record) for record in records]})
    call.show((show.memory_tree if tree else show.memory_tables)(records, ZoneInfo(zone)))
    if any(count == limit for count in Counter(record.memory_kind for record in records).values()):
        call.note(f"at most {limit} of each type, the newest: --limit shows more")


def show_memory(call: Invocation, memory_id: Id) -> None:
    """Show one memory whole, with the messages it rests on."""
    from mirix.cli import documents, show

    with call.open() as memory:
        zone = memory.status().timezone
        found = find_id(memory, memory_id)
        record, sources = memory.get(found), memory.sources(found)
    rests_on = [documents.message_document(message) for message in sources]
    call.document({**documents.memory_document(record), "sources": rests_on})
    call.show(show.memory_card(record, sources, ZoneInfo(zone)))


def edit(
    call: Invocation,
    memory_id: Id,
    assignments: Annotated[
        list[str], typer.Option("--set", metavar="FIELD=VALUE", help="A field to correct; JSON where it parses.")
    ],
) -> None:
    """Correct a memory in place. What said the same from the same messages goes with it; undo brings all back."""
    from mirix.cli import documents

    changes = parse_assignments(assignments)
    with call.open() as memory:
        record = memory.update(find_id(memory, memory_id), **changes)
    call.document(documents.memory_document(record))
    call.show(f"Corrected {short_id(record.id)}: {record.summary}")


def delete(call: Invocation, memory_id: Id) -> None:
    """Archive a memory, with others that say the same from the same messages. Undo brings them back."""
    with call.open() as memory:
        records = memory.delete(find_id(memory, memory_id))
    _results(call, records, "Deleted")


def history(call: Invocation, memory_id: Id) -> None:
    """Show every change of a memory, oldest first."""
    from mirix.cli import documents, show

    with call.open() as memory:
        zone = memory.status().timezone
        entries = memory.history(find_id(memory, memory_id))
    call.document({"results": [documents.history_document(entry) for entry in entries]})
    call.show(show.history_list(entries, ZoneInfo(zone)))


def undo(call: Invocation, memory_id: Id) -> None:
    """Take the newest change of a memory back, with all that changed in the same operation."""
    with call.open() as memory:
        records = memory.undo(find_id(memory, memory_id))
    _results(call, records, "Undone")


def forget(
    call: Invocation,
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of memories or messages, or parts of them.")],
    yes: Yes = False,
) -> None:
    """Take memories or messages out for good, with all that says the same. It cannot be undone; delete can."""
    with call.open() as memory:
        found = [find_any_id(memory, one) for one in ids]
        ask_first(f"Forget {named(memory, found)} for good?", yes=yes)
        forgotten = memory.forget(*found)
    tell_forgotten(call, forgotten)


def _results(call: Invocation, records: list[Record], words: str) -> None:
    from mirix.cli import documents

    call.document({"results": [documents.memory_document(record) for record in records]})
    for record in records:
        call.show(f"{words} {short_id(record.id)} ({record.memory_kind}, now {record.status}): {record.summary}")
