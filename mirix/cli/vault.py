"""`mirix vault`: captions of what is sealed, one value at a time when it is asked for, and sealing by hand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, cast
from zoneinfo import ZoneInfo

import typer

from mirix.cli.arguments import find_id
from mirix.cli.command import Invocation, command
from mirix.cli.forget import count, find_any_id
from mirix.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from uuid import UUID

    from mirix.blocking import Mirix
    from mirix.curation.late_sealing import SealingReport
    from mirix.memory.knowledge_vault import VaultEntryType, VaultSensitivity


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Sealed values: their captions, and one at a time in clear.")
    command(group, "list", scoped=True)(list_entries)
    command(group, "reveal")(reveal)
    command(group, "seal")(seal)
    command(group, "unseal")(unseal)
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


def seal(
    call: Invocation,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="The id of a message, or its beginning or end.")],
    value: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VALUE]...", help="What to seal; - reads it from standard input."),
    ] = None,
    caption: Annotated[str | None, typer.Option(help="What it is, without telling it.")] = None,
    entry_type: Annotated[
        str | None, typer.Option("--type", help="credential, api_key, contact_info, bookmark, account or other.")
    ] = None,
    sensitivity: Annotated[str, typer.Option(help="high; medium and low keep a copy and cut nothing.")] = "high",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Seal what was not taken for a secret: in the message, in memories, history, stored answers and pictures."""
    from mirix.text.secrets import reference_text

    with call.open() as memory:
        message_id = find_any_id(memory, message)
        values = _values(value) if value else _chosen(call, memory, message_id, yes=yes)
        report = memory.seal(
            message_id,
            values,
            caption=caption,
            entry_type=cast("VaultEntryType | None", entry_type),
            sensitivity=cast("VaultSensitivity", sensitivity),
        )
    call.document(_report_document(report))
    for entry in report.entries:
        call.show(f"Sealed as {reference_text(entry.reference)}: {entry.summary}")
    call.show(f"Cut from {_numbers(report.messages, report.memories, report.pictures)}.")
    if report.elsewhere:
        call.note(
            "what is so short or plain is not cut everywhere: it stands in "
            f"{count(report.elsewhere, 'further message')}; seal it there too where it means the same"
        )


def unseal(
    call: Invocation,
    entry: Annotated[str, typer.Argument(metavar="REF", help="A reference such as k7q2mn, or the id of an entry.")],
) -> None:
    """Undo a false alarm: the value stands in the clear again, and is not sealed again. The entry is gone."""
    from mirix.text.secrets import reference_text

    with call.open() as memory:
        try:
            report = memory.unseal(entry)
        except NotFoundError as unknown:
            try:
                entry_id = find_id(memory, entry)
            except (InputError, NotFoundError):
                raise unknown from None
            report = memory.unseal(entry_id)
    painted = [str(message_id) for message_id in report.painted]
    counts = {"messages": report.messages, "memories": report.memories}
    call.document({"reference": report.reference, **counts, "painted": painted})
    call.show(f"{reference_text(report.reference)} is no secret: back in {_numbers(report.messages, report.memories)}.")
    if report.painted:
        pictures = "1 picture" if len(report.painted) == 1 else f"{len(report.painted)} pictures"
        call.note(
            f"its place in {pictures} stays painted over: the pixels are gone; add the picture again to have them"
        )


def _values(given: list[str]) -> list[str]:
    """What was typed; for `-` the whole of standard input, which a terminal does not show."""
    if "-" not in given:
        return given
    is_watched = sys.stdin.isatty()
    read = str(typer.prompt("Value", hide_input=True, err=True)) if is_watched else sys.stdin.read()
    if not read.strip():
        raise InputError("standard input holds no value")
    return [read.strip() if value == "-" else value for value in given]


def _chosen(call: Invocation, memory: Mirix, message_id: UUID, *, yes: bool) -> list[str]:
    """Those of the values that could be secrets which the user confirms; without a terminal the only one."""
    found = memory.seal_candidates(message_id)
    is_watched = sys.stdin.isatty() and call.out.is_terminal
    if is_watched and found and not yes:
        chosen = [value for value in found if typer.confirm(f"Seal {value!r}?", err=True)]
        if not chosen:
            raise typer.Exit(1)
        return chosen
    if len(found) != 1:
        several = (
            f"{len(found)} values in this message could be secrets" if found else "nothing in it looks like a secret"
        )
        raise InputError(f"{several}: name the value, or write - and give it on standard input")
    return found


def _report_document(report: SealingReport) -> dict[str, Any]:
    return {
        "entries": [
            {"id": str(entry.id), "reference": entry.reference, "caption": entry.summary} for entry in report.entries
        ],
        "messages": report.messages,
        "memories": report.memories,
        "pictures": report.pictures,
        "elsewhere": report.elsewhere,
    }


def _numbers(messages: int, memories: int, pictures: int = 0) -> str:
    counted = {"message": messages, "memory": memories, "picture": pictures}
    return ", ".join(count(number, noun) for noun, number in counted.items() if number) or "nothing"
