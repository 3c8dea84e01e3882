"""`mirix export` and `mirix import`: a life in and out; `add_folder` is what `mirix add FOLDER` does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mirix.cli.command import Invocation, command
from mirix.errors import InputError

if TYPE_CHECKING:
    from mirix.transfer.chats import ChatFormat
    from mirix.transfer.export import Exported
    from mirix.transfer.inbox import Brought
    from mirix.transfer.restore import Restored

_CHATS = ("chatgpt", "claude", "jsonl")
_NAME_CHARS = 30  # of what is being read, beside the bar
_Passphrase = Annotated[
    str | None,
    typer.Option(help="Seals or opens what is secret in it; asked for on a terminal.", show_default=False),
]
_PassphraseFile = Annotated[
    Path | None, typer.Option(help="A file whose first line is the passphrase; - reads standard input.")
]


def register(app: typer.Typer) -> None:
    command(app, "export")(export)
    command(app, "import", scoped=True, models=True)(import_)


def export(
    call: Invocation,
    file: Annotated[Path, typer.Argument(help="The JSON file to write.")],
    passphrase: _Passphrase = None,
    passphrase_file: _PassphraseFile = None,
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="Put pictures in it, sealed.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if there is one.")] = False,
) -> None:
    """Write everything that is remembered into one JSON file, secrets only sealed under a passphrase."""
    secret = _given(passphrase, passphrase_file) or _asked(
        "Passphrase for secrets and pictures (empty: leave them out)", confirm=True
    )
    with call.open() as memory, _bar(call, "sealing pictures") as tell:
        told = memory.export(
            file,
            passphrase=secret,
            pictures=pictures,
            overwrite=force,
            on_progress=lambda done, total: tell(done, total, ""),
        )
    call.document(_exported_document(told))
    call.show(f"{told.path}: {_counts(told)}.")
    if told.values_left_out:
        call.warn(f"without {_count(told.values_left_out, 'sealed value')}: give a passphrase (--passphrase-file)")
    if told.pictures_left_out:
        call.warn(f"without {_count(told.pictures_left_out, 'picture')}")


def import_(
    call: Invocation,
    what: Annotated[
        str, typer.Argument(metavar="[FORMAT]", help="chatgpt, claude or jsonl; left out for an export of Mirix.")
    ],
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="What to read.", show_default=False)] = None,
    passphrase: _Passphrase = None,
    passphrase_file: _PassphraseFile = None,
    secrets: Annotated[
        bool, typer.Option("--secrets/--no-secrets", help="Open the sealed values and pictures of an export.")
    ] = True,
    merge: Annotated[
        bool, typer.Option("--merge", help="Add to a user who has memories what is not there yet.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Have the memory managers read chats before it ends.")
    ] = True,
) -> None:
    """Read an export of Mirix, or chats: an export of ChatGPT or Claude (JSON or zip), or JSON Lines.

    A line of JSON Lines is {"role", "content", "name"?, "at"?, "conversation"?, "id"?}. The same again adds nothing.
    """
    if file is None:
        if what in _CHATS:
            raise InputError(f"name the file with the chats: mirix import {what} FILE")
        _import_export(call, Path(what), _given(passphrase, passphrase_file), secrets, merge)
        return
    if what not in _CHATS:
        raise InputError(
            f"unknown format {what!r}: there are {', '.join(_CHATS)}, or an export of Mirix without a name"
        )
    with call.open(makes_user=True) as memory, _bar(call, "reading chats") as tell:
        brought = memory.import_chats(
            file, cast("ChatFormat", what), agent_id=call.agent, run_id=call.run, wait=wait, on_progress=tell
        )
    _report(call, brought, "chat")


def add_folder(call: Invocation, folder: Path, *, wait: bool = True) -> None:
    """Add the documents and screenshots in a folder, with a bar, and tell at the end what could not be read."""
    with call.open(makes_user=True) as memory, _bar(call, "reading files") as tell:
        brought = memory.add_folder(folder, agent_id=call.agent, run_id=call.run, wait=wait, on_progress=tell)
    _report(call, brought, "file")


def _import_export(call: Invocation, file: Path, passphrase: str | None, secrets: bool, merge: bool) -> None:
    if secrets and passphrase is None and _is_sealed(file):
        passphrase = _asked(f"Passphrase of {file.name}", confirm=False)
    with call.open(makes_user=True) as memory, _bar(call, "importing") as tell:
        told = memory.restore(
            file,
            passphrase=passphrase,
            secrets=secrets,
            merge=merge,
            on_progress=lambda done, total: tell(done, total, ""),
        )
    call.document(_restored_document(told))
    call.show(f"Imported {_counts(told)}.")
    if told.skipped:
        call.note(f"{told.skipped} were there already")
    if told.waiting:
        call.note(f"{_count(told.waiting, 'batch')} not read by the memory managers yet: mirix worker, or the next add")
    if told.values_left_out:
        call.warn(
            f"{told.values_left_out} sealed values were left out: their captions are there, they cannot be opened"
        )


def _report(call: Invocation, brought: Brought, noun: Literal["chat", "file"]) -> None:
    call.document(_brought_document(brought))
    if brought.added:
        changes = _count(brought.changes, "change")
        call.show(f"{_count(brought.added, noun)} added: {_count(brought.messages, 'message')}, {changes} of memories.")
    elif not brought.problems:
        call.show("Added before: nothing changed.")
    if brought.added and brought.known:
        call.note(f"{_count(brought.known, noun)} there already")
    if brought.waiting:
        call.note("The memory managers read it with `mirix worker`, or before the next add.")
    for problem in brought.problems:
        call.warn(f"{problem.where}: {problem.reason}")


def _counts(told: Exported | Restored) -> str:
    numbers = {"memory": sum(told.memories.values()), "message": told.messages, "picture": told.pictures}
    return ", ".join(_count(number, noun) for noun, number in numbers.items())


def _count(number: int, noun: str) -> str:
    """`1 memory`, `2 batches`."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{number} {plural}"


# ---- what --json prints ----


def _exported_document(told: Exported) -> dict[str, Any]:
    return {
        "file": str(told.path),
        "bytes": told.bytes,
        "messages": told.messages,
        "memories": {kind.value: count for kind, count in told.memories.items()},
        "pictures": told.pictures,
        "pictures_left_out": told.pictures_left_out,
        "values_left_out": told.values_left_out,
    }


def _restored_document(told: Restored) -> dict[str, Any]:
    return {
        "conversations": told.conversations,
        "messages": told.messages,
        "memories": {kind.value: count for kind, count in told.memories.items()},
        "pictures": told.pictures,
        "waiting": told.waiting,
        "skipped": told.skipped,
        "values_left_out": told.values_left_out,
    }


def _brought_document(brought: Brought) -> dict[str, Any]:
    return {
        "added": brought.added,
        "known": brought.known,
        "messages": brought.messages,
        "changes": brought.changes,
        "waiting": brought.waiting,
        "problems": [{"where": problem.where, "reason": problem.reason} for problem in brought.problems],
    }


# ---- passphrase and progress ----


def _given(passphrase: str | None, file: Path | None) -> str | None:
    """The passphrase of the options. Raises InputError."""
    if file is None:
        return passphrase
    if passphrase is not None:
        raise InputError("give --passphrase or --passphrase-file, not both")
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the passphrase from {file}: {error}") from error
    line = text.split("\n")[0].removesuffix("\r")
    if not line.strip():
        raise InputError(f"the first line of {file} is blank: it should be the passphrase")
    return line


def _asked(words: str, *, confirm: bool) -> str | None:
    """What is typed on a terminal; None where there is none, or nothing is typed."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    typed: str = typer.prompt(words, hide_input=True, default="", show_default=False, err=True)
    if (
        typed
        and confirm
        and typer.prompt("Once more", hide_input=True, default="", show_default=False, err=True) != typed
    ):
        raise InputError("the two passphrases differ")
    return typed or None


def _is_sealed(file: Path) -> bool:
    """Whether a passphrase has to be asked for; the file itself is checked when it is read."""
    try:
        with file.open("rb") as opened:
            head = opened.read(4_096)
    except OSError:
        return False
    return b'"argon2id"' in head


@contextmanager
def _bar(call: Invocation, words: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on standard error, where that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=call.err, disable=not call.err.is_terminal, transient=True) as bars:
        task = bars.add_task(words, total=None)

        def tell(done: int, total: int, name: str) -> None:
            shown = f"{words}: {name[:_NAME_CHARS]}" if name else words
            bars.update(task, completed=done, total=total, description=shown.replace("[", "("))

        yield tell
