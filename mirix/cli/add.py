"""`mirix add`: text, standard input, a picture or a file goes in, and what the managers made of it comes out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mirix.cli import transfer
from mirix.cli.arguments import parse_time
from mirix.cli.command import Invocation, command
from mirix.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from mirix.blocking import Mirix
    from mirix.memory.changes import Change
    from mirix.memory.record import Record
    from mirix.results import AddResult

SourceName = Literal["chat", "screen", "file", "web", "tool"]


def register(app: typer.Typer) -> None:
    command(app, "add", scoped=True, models=True)(add)


def add(
    call: Invocation,
    text: Annotated[
        list[str] | None, typer.Argument(help="What to remember, or a folder; - reads standard input.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="A picture, e.g. a screenshot.")] = None,
    file: Annotated[Path | None, typer.Option(help="A document: text, Markdown, HTML, PDF …")] = None,
    at: Annotated[str | None, typer.Option(help="When it was said or seen: ISO, or e.g. 'yesterday 9:00'.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Where: IANA name, e.g. Europe/Oslo.")] = None,
    speaker: Annotated[str | None, typer.Option(help="Who said it.")] = None,
    source: Annotated[SourceName | None, typer.Option(help="How it came in; decides how far it is trusted.")] = None,
    application: Annotated[str | None, typer.Option(help="The program it was seen in.")] = None,
    title: Annotated[str | None, typer.Option(help="The title of its window or document.")] = None,
    infer: Annotated[bool, typer.Option("--infer/--no-infer", help="Have memories made of it, not kept alone.")] = True,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the memory managers have read it.")] = True,
) -> None:
    """Remember a text, a picture, a file or all files of a folder, and show what changed."""
    if text and len(text) == 1 and _is_folder(text[0]):
        transfer.add_folder(call, Path(text[0]), wait=wait)
        return
    content = _content(text)
    with call.open(makes_user=True) as memory:
        zone = timezone or (_timezone(memory) if at else None)
        with call.working("reading the picture" if image else "remembering"):
            result = memory.add(
                content,
                image=image,
                file=file,
                at=parse_time(at, zone) if at and zone else None,
                timezone=timezone,
                speaker=speaker,
                source=source,
                application=application,
                title=title,
                infer=infer,
                wait=wait,
                agent_id=call.agent,
                run_id=call.run,
            )
        changed = changes_with_records(memory, result)
    _report(call, result, changed, infer=infer)


def _is_folder(text: str) -> bool:
    try:
        return text != "" and Path(text).is_dir()
    except OSError:
        return False  # longer than a path can be, as a sentence often is


def _content(text: list[str] | None) -> str | None:
    if text != ["-"]:
        return " ".join(text) if text else None
    if sys.stdin is None:
        raise InputError("there is no standard input to read")
    return sys.stdin.read()


def _timezone(memory: Mirix) -> str:
    """Where a time without an offset is meant: with the user, or here for one who is not known yet."""
    try:
        return memory.status().timezone
    except NotFoundError:
        return memory.parts.timezone


def changes_with_records(memory: Mirix, result: AddResult) -> list[tuple[Change, Record | None]]:
    """The changes with the memory as it is now, which tells more: what was sealed, replaced or put in quarantine."""
    return [(change, memory.get(change.id)) for change in result.changes]


def _report(call: Invocation, result: AddResult, changed: list[Any], *, infer: bool) -> None:
    from mirix.cli import documents, show

    call.document(documents.add_document(result))
    if call.as_json:
        return
    routes = {kind: count for batch in result.batches for kind, count in batch.routes.items()}
    if result.is_duplicate:
        call.show("Added before: nothing changed.")
    elif any(batch.state == "pending" for batch in result.batches):
        call.show("Kept. The memory managers read it with `mirix worker`, or before the next add.")
    elif not changed:
        no_manager = "saw anything to file" if infer else "was asked"
        call.show(f"Kept, and found by its words; no manager {no_manager}.")
    else:
        call.show(show.change_list(changed))
    for problem in (problem for batch in result.batches for problem in batch.problems):
        call.warn(problem)
    waiting = sum(batch.proposals for batch in result.batches)
    if waiting:
        waits = "1 change waits" if waiting == 1 else f"{waiting} changes wait"
        call.warn(f"{waits} for your word, for what they rest on is not trusted far enough: mirix proposal list")
    if result.usage.model_calls:
        calls = result.usage.model_calls
        spent = f"{calls} model call{'s' if calls > 1 else ''}, {result.usage.ms / 1000:.1f} s"
        call.note(f"{show.routing(routes).plain} · {spent}" if routes else spent)
