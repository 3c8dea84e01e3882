"""`mirix vault`: captions of what is sealed, and one value at a time when it is asked for."""

from __future__ import annotations

import sys
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from mirix.cli.arguments import find_id
from mirix.cli.command import Invocation, command
from mirix.errors import NotFoundError


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Sealed values: their captions, and one at a time in clear.")
    command(group, "list", scoped=True)(list_entries)
    command(group, "reveal")(reveal)
    app.add_typer(group, name="vault")


def list_entries(
    call: Invocation,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 100,
) -> None:
    """List what is sealed: caption, reference, type, sensitivity. Never a value."""
    from mirix.cli import documents, show

    with call.open() as memory:
        zone = memory.status().timezone
        records = memory.get_all(kinds=["vault"], limit=limit, agent_id=call.agent, run_id=call.run)
    call.document({"results": [documents.memory_document(record) for record in records]})
    call.show(show.memory_tables(records, ZoneInfo(zone)) if records else "Nothing is sealed.")


def reveal(
    call: Invocation,
    entry: Annotated[str, typer.Argument(metavar="REF", help="A reference such as k7q2mn, or the id of an entry.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Print one sealed value and nothing else. Every reveal is recorded."""
    is_watched = sys.stdin.isatty() and call.out.is_terminal
    if is_watched and not yes and not typer.confirm(f"Show the value of {entry} on this screen?", err=True):
        raise typer.Exit(1)
    with call.open() as memory:
        try:
            value = memory.reveal(entry)
        except NotFoundError:
            # No reference: then the beginning or end of an id, as everywhere.
            value = memory.reveal(find_id(memory, entry))
    call.document({"reference": entry, "value": value})
    if not call.as_json:
        call.out.file.write(f"{value}\n")
