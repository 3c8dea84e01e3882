"""`mirix forget-user`, and what all commands that forget have in common: asking first, and telling what went."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from mirix.cli.arguments import find_id, short_id
from mirix.cli.command import Invocation, command
from mirix.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from mirix.blocking import Mirix
    from mirix.curation.forgetting import Forgotten, Trace

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_ALL = 1_000_000  # messages of a conversation
_SHOWN = 20  # memories that are named one by one; of more the number is told


def register(app: typer.Typer) -> None:
    command(app, "forget-user")(forget_user)


def forget_user(
    call: Invocation,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The user; never taken from the settings.")],
    yes: Yes = False,
) -> None:
    """Take everything of a user out for good: memories, messages, pictures, the name. It cannot be undone."""
    if not yes and not _has_terminal():
        raise InputError(f"nobody is here to be asked: --yes forgets everything of {name!r}")
    with call.open() as memory:
        if not yes:
            told = memory.status(user_id=name)
            held = f"{count(sum(told.memories.values()), 'memory')} and {count(told.messages, 'message')}"
            ask_first(f"Forget the user {name!r} with {held} for good?", yes=False)
        forgotten = memory.forget_user(user_id=name)
    call.document(forgotten_document(forgotten))
    call.show(f"Forgotten for good: the user {name!r} ({_numbers(forgotten)}).")


def ask_first(question: str, *, yes: bool) -> None:
    """Go on only when somebody at a terminal says so; where there is none, what was typed counts."""
    if yes or not _has_terminal():
        return
    if not typer.confirm(f"{question} It cannot be undone.", err=True):
        raise typer.Exit(1)


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def find_any_id(memory: Mirix, text: str) -> UUID:
    """The id of a memory or message that `text` abbreviates. Raises InputError, NotFoundError."""
    try:
        return find_id(memory, text)
    except NotFoundError:
        wanted = text.strip().lower().replace("-", "").lstrip("…")
        ids = [m.id for one in memory.conversations() for m in memory.messages(one.name, limit=_ALL)]
        found = [one for one in ids if one.hex.startswith(wanted) or one.hex.endswith(wanted)]
        if len(found) > 1:
            raise InputError(f"{text!r} fits {len(found)} messages: give more of the id") from None
        if not found:
            raise NotFoundError(
                f"nothing has an id like {text!r}: see `mirix memory list --all` or `mirix conversation show`"
            ) from None
        return found[0]


def tell_forgotten(call: Invocation, forgotten: Forgotten) -> None:
    """What went, and what stayed although it rested on it."""
    call.document(forgotten_document(forgotten))
    call.show(f"Forgotten for good: {_numbers(forgotten)}.")
    _list(call, forgotten.memories)
    if forgotten.redacted:
        stay = "1 message stays" if forgotten.redacted == 1 else f"{forgotten.redacted} messages stay"
        call.show(f"{stay} without the sentences that told it: other memories rest on what is left.")
    if forgotten.kept:
        call.show("Kept, for other messages say the same:")
        _list(call, forgotten.kept)


def _list(call: Invocation, traces: Sequence[Trace]) -> None:
    from mirix.cli import show
    from mirix.memory.record import one_line

    if call.as_json or not traces:
        return
    table = show.grid("id", "type", "summary*")
    for trace in traces[:_SHOWN]:
        table.add_row(show.id_text(trace.id), show.kind_text(trace.kind), one_line(trace.summary, 160))
    call.show(table)
    if len(traces) > _SHOWN:
        call.show(f"and {len(traces) - _SHOWN} more")


def _numbers(forgotten: Forgotten) -> str:
    numbers = {"memory": len(forgotten.memories), "message": forgotten.messages, "picture": forgotten.pictures}
    return ", ".join(count(number, noun) for noun, number in numbers.items() if number) or "nothing"


def count(number: int, noun: str) -> str:
    """`1 memory`, `2 memories`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def forgotten_document(forgotten: Forgotten) -> dict[str, Any]:
    """What --json prints."""
    return {
        "memories": [_trace_document(trace) for trace in forgotten.memories],
        "messages": forgotten.messages,
        "pictures": forgotten.pictures,
        "redacted": forgotten.redacted,
        "kept": [_trace_document(trace) for trace in forgotten.kept],
    }


def _trace_document(trace: Trace) -> dict[str, str]:
    return {"id": str(trace.id), "memory_kind": trace.kind.value, "summary": trace.summary}


def named(memory: Mirix, ids: Sequence[UUID]) -> str:
    """What is about to be forgotten, in words."""
    if len(ids) > 1:
        return f"{len(ids)} memories and messages"
    try:
        return f"{short_id(ids[0])} ({memory.get(ids[0]).summary})"
    except NotFoundError:
        return f"message {short_id(ids[0])}"
