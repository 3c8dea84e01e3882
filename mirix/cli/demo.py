"""`mirix demo`: a week of an invented life goes in, six questions are answered, a page shows it, and a prompt waits.

It runs in a folder of its own below the data folder, on the embedded database, whatever database is named otherwise: it
never touches anybody's memories. The folder is emptied at the start, and at the end unless `--keep` is given.

    week.jsonl ─> add ─> six questions ─> demo.html (demo_page.py) ─> the prompt (demo_talk.py), on a terminal only

The page shows the invented week and nothing of what is typed at the prompt, for it stays when the memories go.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
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
from mirix.cli.demo_page import page_place, write_page
from mirix.cli.demo_talk import YOU, Talk, routed
from mirix.config import Settings

if TYPE_CHECKING:
    from mirix.blocking import Mirix
    from mirix.cli.page import Asked
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
    asked_of: list[Asked] = field(default_factory=list)  # the same, for the page
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
    prompt: Annotated[
        bool, typer.Option("--prompt/--no-prompt", help="Then try it yourself; on a terminal only.")
    ] = True,
    page: Annotated[
        Path | None, typer.Option(help="Where the page goes (default: demo.html here).", show_default=False)
    ] = None,
) -> None:
    """Put a week of an invented life in, see what is remembered, ask six questions, then try it yourself."""
    begin = time.monotonic()
    settings = demo_settings(call.settings)
    place = page_place(page, settings.data_dir)
    week = read_story(STORY / "week.jsonl", Entry)
    questions = read_story(STORY / "questions.jsonl", Question)
    tally = Tally()
    with call.working("making room"):
        clear(settings)
    with call.open(settings, makes_user=True) as memory:
        _add_week(call, memory, batches_of(week), tally)
        records = memory.get_all(limit=1_000)
        _show_memories(call, records)
        _ask_questions(call, memory, questions, tally)
        written = write_page(call, memory, tally.asked_of, ZoneInfo(ZONE), place)
        _sum_up(call, settings, tally, records, time.monotonic() - begin, keep=keep, page=written)
        is_talking = prompt and not call.as_json and call.out.is_terminal and sys.stdin is not None
        if is_talking and sys.stdin.isatty():
            _talk(call, memory, settings, questions[-1].asked_at, keep=keep)
    if not keep:
        with call.working("tidying up"):
            clear(settings)
    _say_what_next(call, settings, keep=keep)
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
        tally.messages += len(group)
        tally.model_calls += result.usage.model_calls
        tally.batches.append({"at": group[0].at.isoformat(), "messages": len(group), **documents.add_document(result)})
        call.show(_batch_row(group, what, result))
    tally.adding_s = time.monotonic() - begin


def _batch_row(group: Sequence[Entry], what: str, result: AddResult) -> Table:
    """`Mon 09 Nov 08:02  11 messages  1.3 s  core 6 · episodic 3 · vault 1`."""
    from mirix.cli import show

    routes = routed(result)
    row = Table.grid(padding=(0, 2, 0, 0))
    for width in (18, 12, 6):
        row.add_column(width=width, no_wrap=True, justify="right" if width == 6 else "left")
    row.add_column()
    spent = Text(f"{result.usage.ms / 1000:.1f} s", style="dim")
    filed = show.routing(routes) if routes else Text("nothing to file", style="dim")
    row.add_row(f"  {group[0].at:%a %d %b %H:%M}", what, spent, filed)
    return row


def _add(memory: Mirix, group: Sequence[Entry]) -> AddResult:
    first = group[0]
    if first.image:
        return memory.add(
            image=STORY / first.image, at=first.at, timezone=ZONE, application=first.application, title=first.title
        )
    turns = [{"role": e.role, "name": e.speaker, "content": e.text, "at": e.at, "id": e.id} for e in group]
    return memory.add(turns, timezone=ZONE)


def _show_memories(call: Invocation, records: Sequence[Record]) -> None:
    from mirix.cli import show

    call.show("", Text("What is remembered", style="bold"), "")
    call.show(Padding(show.memory_tables(records, ZoneInfo(ZONE)), (0, 0, 0, 2)))


# ---- six questions ----


def _ask_questions(call: Invocation, memory: Mirix, questions: Sequence[Question], tally: Tally) -> None:
    from mirix.cli.page import Asked

    call.show(Text("Six questions, asked a week later", style="bold"), "")
    reads_pictures = memory.status().recogniser is not None
    for question in questions:
        if question.kind == "screen" and not reads_pictures:
            tally.answers.append({"id": question.id, "question": question.question, "passed": None})
            tally.asked_of.append(Asked(question=question.question, at=question.asked_at, answer=None, passed=None))
            left_out = Text("left out: no text is read from pictures here, see `mirix doctor`", style="dim")
            call.show(Text(f"  – {question.question}"), Padding(left_out, (0, 0, 1, 4)))
            continue
        tally.answers.append(_ask(call, memory, question, tally))


def _ask(call: Invocation, memory: Mirix, question: Question, tally: Tally) -> dict[str, Any]:
    from mirix.cli import documents, show
    from mirix.cli.ask import answered
    from mirix.cli.page import Asked

    answer, sources = answered(call, memory, question.question, asked_at=question.asked_at)
    tally.model_calls += answer.usage.model_calls
    passed = re.search(question.expect, answer.text) is not None
    tally.asked_of.append(Asked(question=question.question, at=question.asked_at, answer=answer, passed=passed))
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


# ---- your turn, and the end ----


def _talk(call: Invocation, week: Mirix, settings: Settings, asked_at: datetime, *, keep: bool) -> None:
    own = settings.model_copy(update={"user": YOU, "timezone": call.settings.timezone, "ocr": "none"})
    with call.open(own, makes_user=True) as memory:
        zone = ZoneInfo(memory.status().timezone)
        Talk(call=call, own=memory, week=week, asked_at=asked_at, zone=zone, is_kept=keep).run()


def _sum_up(
    call: Invocation,
    settings: Settings,
    tally: Tally,
    records: Sequence[Record],
    seconds: float,
    *,
    keep: bool,
    page: Path | None,
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
            "page": str(page) if page else None,
        }
    )
    where = ", all on this machine" if settings.chat_model == "builtin" else ""
    style = "bold green" if tally.passed == tally.asked else "bold red"
    call.show(Text(f"{tally.passed} of {tally.asked} answered as expected", style=style))
    call.show(
        f"{seconds:.0f} s in all · {tally.messages} messages at {rate:.1f} a second · {len(records)} memories · "
        f"{tally.model_calls} model calls{where}"
    )
    if page:
        call.show(Text.assemble("See it all on one page: ", (page.as_uri(), f"underline link {page.as_uri()}")))


def _say_what_next(call: Invocation, settings: Settings, *, keep: bool) -> None:
    program = _program()
    call.show("")
    if keep:
        folder = shlex.quote(str(settings.data_dir))
        call.show(
            Text(f"Look around in the demo's memory, which is kept (yours, if you told it anything: -u {YOU}):"),
            f"  export MIRIX_DATA_DIR={folder} MIRIX_KEYRING=file MIRIX_TIMEZONE={ZONE}",
            f'  {program} memory list --tree; {program} ask "When is my dentist appointment?"',
        )
        return
    call.show(
        Text("The demo's memory is gone again. Begin one of your own:"),
        f'  {program} add "I moved to Bergen last Friday."',
        f'  {program} ask "Where do I live?"',
        f"  {program} chat          tell it things and ask, as just now",
        f"  {program} demo --keep   look around in this one afterwards",
    )


def _program() -> str:
    """How this program is called from here: after `make demo` it is on no PATH."""
    called = Path(sys.argv[0])
    if called.stem != "mirix" or shutil.which("mirix"):
        return "mirix"
    here = Path.cwd()
    return shlex.quote(str(called.relative_to(here) if called.is_relative_to(here) else called))
