"""`mirix ask` and `mirix search`: what the memory knows, with the messages it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from mirix.cli.arguments import parse_time
from mirix.cli.command import Invocation, command
from mirix.memory.record import MemoryKind

if TYPE_CHECKING:
    from datetime import datetime

    from mirix.blocking import Mirix
    from mirix.memory.message import Message
    from mirix.retrieval.answer import Answer, Citation

Open = Annotated[
    bool, typer.Option("--open", help="Show the screenshots it rests on in the browser, with the words in yellow.")
]
AsOf = Annotated[str | None, typer.Option(help="What held at that time: 2026-11-06, or e.g. 'last Friday'.")]


def register(app: typer.Typer) -> None:
    command(app, "ask", scoped=True, models=True)(ask)
    command(app, "search", scoped=True)(search)


def ask(
    call: Invocation,
    question: Annotated[list[str], typer.Argument(help="The question.")],
    as_of: AsOf = None,
    reveal: Annotated[bool, typer.Option(help="Put vault values into the answer; every reveal is recorded.")] = False,
    open_page: Open = False,
) -> None:
    """Answer a question from memory, with citations."""
    from mirix.cli import documents, frame_page

    words = " ".join(question)
    with call.open() as memory:
        zone = memory.status().timezone
        at = parse_time(as_of, zone, bound="last") if as_of else None
        answer, sources = answered(call, memory, words, as_of=at, reveal=reveal)
        call.document(documents.answer_document(words, answer, sources))
        show_answer(call, answer, sources, ZoneInfo(zone))
        if open_page:
            entries = frame_page.cited_entries(answer, sources, ZoneInfo(zone))
            frame_page.show_page(call, memory, words, answer.text, entries, ZoneInfo(zone))


def answered(
    call: Invocation,
    memory: Mirix,
    question: str,
    *,
    as_of: datetime | None = None,
    asked_at: datetime | None = None,
    reveal: bool = False,
) -> tuple[Answer, dict[int, Sequence[Message]]]:
    """The answer, and the messages behind each citation. On a terminal it is shown while it is written."""
    written = Text()
    is_streamed = call.out.is_terminal and not call.as_json
    # What is streamed is neither revealed nor checked for citations yet: it gives way to the answer at the end.
    live = Live(Text("thinking", style="dim"), console=call.out, transient=True) if is_streamed else None

    def on_text(piece: str) -> None:
        written.append(piece)
        if live:
            live.update(written)

    with live or call.working("thinking"):
        answer = memory.ask(
            question,
            as_of=as_of,
            asked_at=asked_at,
            reveal=reveal,
            on_text=on_text,
            agent_id=call.agent,
            run_id=call.run,
        )
    return answer, {citation.n: _sources(memory, answer, citation) for citation in answer.citations}


def _sources(memory: Mirix, answer: Answer, citation: Citation) -> Sequence[Message]:
    """The messages behind a citation: a cited message is its own."""
    item = answer.context.item(citation.n)
    if item is not None and item.hit.message is not None:
        return [item.hit.message]
    return memory.sources(citation.id)


def show_answer(call: Invocation, answer: Answer, sources: dict[int, Sequence[Message]], zone: ZoneInfo) -> None:
    """The answer, and under it what its numbers stand for."""
    from mirix.cli import show

    call.show(Text(answer.text))
    if answer.citations:
        call.show("", Padding(show.citation_list(answer, sources, zone), (0, 0, 0, 2)))


def search(
    call: Invocation,
    query: Annotated[list[str], typer.Argument(help="What to look for, in any words.")],
    kind: Annotated[list[MemoryKind] | None, typer.Option(help="Only this type of memory; may be repeated.")] = None,
    messages: Annotated[
        bool | None,
        typer.Option(help="Messages beside memories (default: unless a kind is named).", show_default=False),
    ] = None,
    since: Annotated[str | None, typer.Option(help="Not before: 2026-11-01, or e.g. 'last week'.")] = None,
    until: Annotated[str | None, typer.Option(help="Not after: a day counts to its end.")] = None,
    as_of: AsOf = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only with this tag; may be repeated.")] = None,
    outdated: Annotated[bool, typer.Option("--outdated", help="Superseded memories too.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="How many at most.")] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="Rank and score in each arm of the search.")] = False,
    open_page: Open = False,
) -> None:
    """Find memories and messages. No model is called."""
    from mirix.cli import documents, frame_page, show

    words = " ".join(query)
    with call.open() as memory:
        zone = memory.status().timezone
        result = memory.search(
            words,
            kinds=kind,
            messages=not kind if messages is None else messages,
            since=parse_time(since, zone) if since else None,
            until=parse_time(until, zone, bound="end") if until else None,
            as_of=parse_time(as_of, zone, bound="last") if as_of else None,
            tags=tag,
            include_superseded=outdated,
            limit=limit,
            explain=explain,
            agent_id=call.agent,
            run_id=call.run,
        )
        call.document(documents.search_document(words, result))
        call.show(show.hit_list(result.hits, ZoneInfo(zone), explain=explain))
        call.note(f"{len(result.hits)} found in {result.ms:.0f} ms")
        if open_page:
            entries = frame_page.found_entries(result.hits, ZoneInfo(zone))
            frame_page.show_page(call, memory, words, None, entries, ZoneInfo(zone))
