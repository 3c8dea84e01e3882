"""`mirix conversation`: what was talked about, what was said, and forgetting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from mirix.cli.command import Invocation, command
from mirix.cli.forget import Yes, ask_first, count, tell_forgotten

if TYPE_CHECKING:
    from mirix.curation.conversations import Conversation

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of a conversation: default where none was given.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="What was talked about: list it, read it, forget it.")
    command(group, "list")(list_conversations)
    command(group, "show")(show_conversation)
    command(group, "forget")(forget)
    app.add_typer(group, name="conversation")


def list_conversations(call: Invocation) -> None:
    """List conversations, the one spoken in last first."""
    from mirix.cli import show

    with call.open() as memory:
        zone = ZoneInfo(memory.status().timezone)
        found = memory.conversations()
    call.document({"results": [_document(one) for one in found]})
    if not found:
        call.show("Nothing was said yet.")
        return
    table = show.grid("name", "messages", "last", "opens with*", header=True)
    for one in found:
        table.add_row(one.name, str(one.messages), show.moment(one.last_at, zone), one.opening)
    call.show(table)


def show_conversation(
    call: Invocation,
    name: Name = "default",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many messages at most, the last ones.")] = 50,
) -> None:
    """Show the last messages of a conversation, oldest first."""
    from mirix.cli import documents, show

    with call.open() as memory:
        messages = memory.messages(name, limit=limit + 1)
    shown = messages[-limit:]
    call.document({"name": name, "results": [documents.message_document(message) for message in shown]})
    table = show.grid("id", "at", "speaker", "text*")
    for message in shown:
        at = show.moment(message.at, ZoneInfo(message.timezone))
        table.add_row(show.id_text(message.id), at, message.speaker, message.text)
    call.show(table)
    if len(messages) > limit:
        call.note(f"the last {limit}: --limit shows more")


def forget(call: Invocation, name: Name, yes: Yes = False) -> None:
    """Take a conversation out for good, with the memories that rest on it alone. It cannot be undone."""
    with call.open() as memory:
        held = {one.name: one.messages for one in memory.conversations()}
        if name in held:
            ask_first(f"Forget the conversation {name!r} ({count(held[name], 'message')}) for good?", yes=yes)
        forgotten = memory.forget_conversation(name)
    tell_forgotten(call, forgotten)


def _document(one: Conversation) -> dict[str, Any]:
    return {
        "name": one.name,
        "messages": one.messages,
        "first_at": one.first_at.isoformat(),
        "last_at": one.last_at.isoformat(),
        "opening": one.opening,
    }
