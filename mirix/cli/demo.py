"""`mirix demo`: a week of an invented life goes in, six questions are answered.

It runs in a folder of its own below the data folder, on the embedded database, whatever database is named otherwise: it
never touches anybody's memories. The folder is emptied at the start, and at the end unless `--keep` is given.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import typer
from pydantic import BaseModel, ConfigDict
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import mirix
from mirix.cli.command import Invocation, command
from mirix.config import Settings
from mirix.memory.record import MemoryKind

if TYPE_CHECKING:
    from mirix.blocking import Mirix
    from mirix.memory.record import Record
    from mirix.results import AddResult

STORY = Path(mirix.__file__).parent / "demo"
ZONE = "America/Los_Angeles"
_USER = "default"
T = TypeVar("T", bound=BaseModel)


class Entry(BaseModel):
    """A line of week.jsonl: a chat turn, or a screenshot with the program it shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    at: datetime
    role: str = "user"
    speaker: str | None = None
    text: str | None = None
    image: str | None = None  # relative to the folder of the story
    application: str | None = None
    title: str | None = None


class Question(BaseModel):
    """A line of questions.jsonl."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    asked_at: datetime
    kind: str
    question: str
    expect: str  # regular expression, searched in the answer


@dataclass(kw_only=True)
class Tally:
    """What the demo did, for its last line and for --json."""

    batches: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    messages: int = 0
    adding_s: float = 0.0
    model_calls: int = 0

    @property
    def asked(self) -> int:
        return sum(1 for answer in self.answers if answer["passed"] is not None)

    @property
    def passed(self) -> int:
        return sum(1 for answer in self.answers if answer["passed"])


def register(app: typer.Typer) -> None:
    command(app, "demo", models=True)(demo)


def demo(
    call: Invocation,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the demo's memories to look around in.")] = False,
) -> None:
    """Put a week of an invented life in, look at what is remembered, and ask six questions."""
    begin = time.monotonic()
    settings = demo_settings(call.settings)
    week = read_story(STORY / "week.jsonl", Entry)
    questions = read_story(STORY / "questions.jsonl", Question)
    tally = Tally()
    with call.working("making room"):
        clear(settings)
    with call.open(settings) as memory:
        _add_week(call, memory, batches_of(week), tally)
        records = memory.get_all(limit=1_000)
        _show_memories(call, records)
        _ask_questions(call, memory, questions, tally)
    if not keep:
        with call.working("tidying up"):
            clear(settings)
    _sum_up(call, settings, tally, records, time.monotonic() - begin, keep=keep)
    if tally.passed < tally.asked:
        raise typer.Exit(1)


def demo_settings(settings: Settings) -> Settings:
    """The caller's settings, on an embedded database and with a key of the demo's own."""
    own = {"data_dir": settings.data_dir / "demo", "database_url": None, "database_admin_url": None}
    return settings.model_copy(update={**own, "keyring": "file", "user": _USER, "timezone": ZONE})


def clear(settings: Settings) -> None:
    """Empty the demo's folder. Its server may still run from an earlier demo, so its database is emptied and stays."""
    if (settings.data_dir / "postgres").exists():
        import psycopg

        from mirix.db.embedded import open_embedded

        with (
            open_embedded(settings.data_dir / "postgres", idle_timeout_s=settings.idle_timeout_s) as server,
            psycopg.connect(server.address.conninfo(), autocommit=True) as conn,
        ):
            conn.execute("DROP SCHEMA public CASCADE")
            conn.execute("CREATE SCHEMA public")
    shutil.rmtree(settings.data_dir / "frames", ignore_errors=True)
    (settings.data_dir / "vault.key").unlink(missing_ok=True)


def read_story(path: Path, shape: type[T]) -> list[T]:
    return [shape.model_validate(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line]


def batches_of(week: Iterable[Entry]) -> list[list[Entry]]:
    """The talk of a day together; a screenshot by itself, in its place."""
    groups: list[list[Entry]] = []
    for entry in week:
        last = groups[-1][-1] if groups else None
        joins = last is not None and not (last.image or entry.image) and last.at.date() == entry.at.date()
        groups[-1].append(entry) if joins else groups.append([entry])
    return groups


# ---- a week goes in ----


def _add_week(call: Invocation, memory: Mirix, groups: Sequence[Sequence[Entry]], tally: Tally) -> None:
    from mirix.cli import documents

    call.show(Text("A week of Nora's goes in", style="bold"), "")
    begin = time.monotonic()
    for group in groups:
        what = group[0].application or f"{len(group)} message{'s' if len(group) > 1 else ''}"
        with call.working(f"{group[0].at:%A}: {what}"):
            result = _add(memory, group)
        routes = _routes(result)
        tally.messages += len(group)
        tally.model_calls += result.usage.model_calls
        tally.batches.append({"at": group[0].at.isoformat(), "messages": len(group), **documents.add_document(result)})
        call.show(_batch_row(group, what, result, routes))
    tally.adding_s = time.monotonic() - begin


def _batch_row(group: Sequence[Entry], what: str, result: AddResult, routes: Mapping[MemoryKind, int]) -> Table:
    """`Mon 09 Nov 08:02  11 messages  1.3 s  core 6 · episodic 3 · vault 1`."""
    from mirix.cli import show

    # Most vault entries are sealed on the way in, before any manager is asked: what was written counts.
    sealed = sum(1 for change in result.changes if change.kind is MemoryKind.VAULT)
    shown = {**routes, MemoryKind.VAULT: sealed} if sealed else routes
    row = Table.grid(padding=(0, 2, 0, 0))
    for width in (18, 12, 6):
        row.add_column(width=width, no_wrap=True, justify="right" if width == 6 else "left")
    row.add_column()
    spent = Text(f"{result.usage.ms / 1000:.1f} s", style="dim")
    routed = show.routing(shown) if shown else Text("nothing to file", style="dim")
    row.add_row(f"  {group[0].at:%a %d %b %H:%M}", what, spent, routed)
    return row


def _add(memory: Mirix, group: Sequence[Entry]) -> AddResult:
    first = group[0]
    if first.image:
        return memory.add(
            image=STORY / first.image, at=first.at, timezone=ZONE, application=first.application, title=first.title
        )
    turns = [{"role": e.role, "name": e.speaker, "content": e.text, "at": e.at, "id": e.id} for e in group]
    return memory.add(turns, timezone=ZONE)


def _routes(result: AddResult) -> dict[MemoryKind, int]:
    return {kind: count for batch in result.batches for kind, count in batch.routes.items()}


def _show_memories(call: Invocation, records: Sequence[Record]) -> None:
    from mirix.cli import show

    call.show("", Text("What is remembered", style="bold"), "")
    call.show(Padding(show.memory_tables(records, ZoneInfo(ZONE)), (0, 0, 0, 2)))


# ---- six questions ----


def _ask_questions(call: Invocation, memory: Mirix, questions: Sequence[Question], tally: Tally) -> None:
    call.show(Text("Six questions, asked a week later", style="bold"), "")
    reads_pictures = memory.status().recogniser is not None
    for question in questions:
        if question.kind == "screen" and not reads_pictures:
            tally.answers.append({"id": question.id, "question": question.question, "passed": None})
            left_out = Text("left out: no text is read from pictures here, see `mirix doctor`", style="dim")
            call.show(Text(f"  – {question.question}"), Padding(left_out, (0, 0, 1, 4)))
            continue
        tally.answers.append(_ask(call, memory, question, tally))


def _ask(call: Invocation, memory: Mirix, question: Question, tally: Tally) -> dict[str, Any]:
    from mirix.cli import documents, show
    from mirix.cli.ask import answered

    answer, sources = answered(call, memory, question.question, asked_at=question.asked_at)
    tally.model_calls += answer.usage.model_calls
    passed = re.search(question.expect, answer.text) is not None
    mark = Text("  ✓ ", style="bold green") if passed else Text("  ✗ ", style="bold red")
    call.show(mark + Text(question.question, style="bold"), Padding(Text(answer.text), (0, 0, 0, 4)))
    document = {"id": question.id, "passed": passed, **documents.answer_document(question.question, answer, sources)}
    if question.kind == "vault":
        revealed = memory.ask(question.question, asked_at=question.asked_at, reveal=True)
        tally.model_calls += revealed.usage.model_calls
        document["revealed"] = revealed.text
        call.show(Padding(Text.assemble(("with --reveal: ", "dim"), revealed.text), (0, 0, 0, 4)))
    call.show(Padding(show.citation_list(answer, sources, ZoneInfo(ZONE)), (0, 0, 1, 4)))
    return document


def _sum_up(
    call: Invocation, settings: Settings, tally: Tally, records: Sequence[Record], seconds: float, *, keep: bool
) -> None:
    from mirix.cli import documents

    rate = tally.messages / tally.adding_s
    call.document(
        {
            "batches": tally.batches,
            "memories": [documents.memory_document(record) for record in records],
            "answers": tally.answers,
            "messages": tally.messages,
            "messages_per_s": round(rate, 2),
            "model_calls": tally.model_calls,
            "chat_model": settings.chat_model,
            "seconds": round(seconds, 1),
            "asked": tally.asked,
            "passed": tally.passed,
            "folder": str(settings.data_dir) if keep else None,
        }
    )
    where = ", all on this machine" if settings.chat_model == "builtin" else ""
    style = "bold green" if tally.passed == tally.asked else "bold red"
    call.show(Text(f"{tally.passed} of {tally.asked} answered as expected", style=style))
    call.show(
        f"{seconds:.0f} s in all · {tally.messages} messages at {rate:.1f} a second · {len(records)} memories · "
        f"{tally.model_calls} model calls{where}",
        "",
    )
    if keep:
        folder = shlex.quote(str(settings.data_dir))
        call.show(f"Look around:  export MIRIX_DATA_DIR={folder} MIRIX_KEYRING=file MIRIX_TIMEZONE={ZONE}")
        call.show('              mirix memory list --tree; mirix ask "When is my dentist appointment?"')
    else:
        call.show("Try next:     mirix demo --keep          look around in this memory afterwards")
        call.show('              mirix add "I moved to Bergen last Friday."; mirix ask "Where do I live?"')
