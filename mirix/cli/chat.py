"""`mirix chat`: a talk with the memory. Thin over the verb `chat`; here is only what a terminal needs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from mirix.cli.command import Invocation, command
from mirix.errors import MirixError, NotFoundError

if TYPE_CHECKING:
    from mirix.blocking import Mirix
    from mirix.memory.message import Message
    from mirix.results import ChatReply

RESUMED = 6  # turns shown of a conversation that goes on
LISTED = 10
_HELP = """Say what should be remembered, or ask. What is said about the memory itself is done:
  what do you know about me?   你知道我什么?       show it, or what is about somebody or something
  forget that                  忘掉这个             take out the last turn, or what the last answer rests on
  forget everything about …    忘掉关于……的一切    list it, and take it out after a yes
  don't remember this: …       别记这个:……        leave a turn out
  that is wrong, it is …       不对,应该是……      correct it
/conversations lists them, /memories lists what is remembered, /help shows this, /quit ends (or Ctrl-D)."""
_HINT = "Say what should be remembered, or ask. /help shows what can be said, /quit ends (or Ctrl-D)."


def register(app: typer.Typer) -> None:
    command(app, "chat", scoped=True, models=True)(chat)


def chat(
    call: Invocation,
    conversation: Annotated[
        str | None, typer.Option(help="The conversation to go on with or to begin (default: today's).")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Begin another conversation today.")] = False,
    reveal: Annotated[bool, typer.Option(help="Put vault values into answers; every reveal is recorded.")] = False,
) -> None:
    """Talk with the memory: each turn is remembered, and answered from memory. With --json one line a turn."""
    is_prompting = sys.stdin.isatty() and call.out.is_terminal
    with call.open(makes_user=True) as memory:
        talk = _Talk(call, memory, conversation=conversation, new=new, reveal=reveal)
        if is_prompting:
            with suppress(ImportError):  # line editing and history; Windows has its own
                import readline  # noqa: F401
            talk.resume()
            call.note(_HINT)
        while (line := _read(is_prompting)) is not None:
            if line.startswith("/"):
                talk.command(line.split()[0])
            elif line:
                try:
                    talk.turn(line)
                except MirixError as error:  # one turn failed; the talk goes on
                    call.warn(str(error))


def _read(is_prompting: bool) -> str | None:
    """The next line; None at the end."""
    try:
        line = input("> ") if is_prompting else sys.stdin.readline()
    except EOFError:
        return None
    if not is_prompting and not line:
        return None
    return None if line.strip() in ("/quit", "/exit", "/q") else line.strip()


class _Talk:
    """A conversation at the terminal."""

    def __init__(self, call: Invocation, memory: Mirix, *, conversation: str | None, new: bool, reveal: bool) -> None:
        self.call = call
        self.memory = memory
        self.zone = ZoneInfo(memory.status().timezone)
        self.name = conversation or self._todays(new)
        self.reveal = reveal

    def _todays(self, new: bool) -> str:
        """One conversation a day, so that "that" means something said today; and a further one when it is wanted."""
        name = f"chat {datetime.now(self.zone):%Y-%m-%d}"
        if not new:
            return name
        known = {one.name for one in self.memory.conversations()}
        further = (f"{name} ({number})" for number in range(2, len(known) + 3))
        return next(one for one in (name, *further) if one not in known)

    def resume(self) -> None:
        """The last turns of a conversation that goes on."""
        try:
            said = self.memory.messages(self.name, limit=RESUMED)
        except NotFoundError:
            self.call.note(f"A new conversation: {self.name}")
            return
        self.call.note(f"Going on with: {self.name} (--new begins another)")
        for message in said:
            self.call.show(Padding(_said(message), (0, 0, 0, 2)))
        self.call.show("")

    def command(self, name: str) -> None:
        commands: dict[str, Callable[[], None]] = {
            "/help": lambda: self.call.note(_HELP),
            "/conversations": self._conversations,
            "/memories": self._memories,
        }
        if name in commands:
            commands[name]()
        else:
            self.call.warn(f"there is no {name}: {_HINT}")

    def _conversations(self) -> None:
        from mirix.cli import show

        table = show.grid("name", "messages", "last", "opens with*", header=True)
        for one in self.memory.conversations()[:LISTED]:
            table.add_row(one.name, str(one.messages), show.moment(one.last_at, self.zone), one.opening)
        self.call.show(table if table.row_count else "No conversation yet.", "")

    def _memories(self) -> None:
        from mirix.cli import show

        records = self.memory.get_all(limit=LISTED, agent_id=self.call.agent, run_id=self.call.run)
        self.call.show(show.memory_tables(records, self.zone))
        self.call.note(f"at most {LISTED} of a type: `mirix memory list` shows all")

    def turn(self, line: str) -> None:
        reply = self._taken(line)
        self.call.document(self._document(line, reply), indent=None)
        if not self.call.as_json:
            self._show(reply)

    def _taken(self, line: str) -> ChatReply:
        """The reply; on a terminal it is shown while it is written, and gives way to the checked one at the end."""
        written = Text()
        is_streamed = self.call.out.is_terminal and not self.call.as_json
        live = Live(Text("thinking", style="dim"), console=self.call.out, transient=True) if is_streamed else None

        def on_text(piece: str) -> None:
            written.append(piece)
            if live:
                live.update(written)

        with live or self.call.working("thinking"):
            return self.memory.chat(
                line,
                conversation=self.name,
                agent_id=self.call.agent,
                run_id=self.call.run,
                reveal=self.reveal,
                on_text=on_text,
            )

    def _show(self, reply: ChatReply) -> None:
        from mirix.cli import show
        from mirix.cli.add import changes_with_records

        self.call.show(Text(reply.text))
        if reply.answer and reply.citations:
            cited = show.citation_list(reply.answer, self._sources(reply), self.zone)
            self.call.show("", Padding(cited, (0, 0, 0, 2)))
        if reply.added:
            changes = changes_with_records(self.memory, reply.added)
            if changes:
                self.call.show(Padding(show.change_list(changes), (0, 0, 0, 2)))
            if any(batch.state == "pending" for batch in reply.added.batches):
                self.call.warn("it is kept, but the memory managers could not read it yet; they try again")
            for problem in (problem for batch in reply.added.batches for problem in batch.problems):
                self.call.warn(problem)
        self.call.show("")

    def _sources(self, reply: ChatReply) -> dict[int, list[Message]]:
        """The messages behind each citation: a cited message is its own."""
        found: dict[int, list[Message]] = {}
        for citation in reply.citations:
            item = reply.answer.context.item(citation.n) if reply.answer else None
            if item is not None and item.hit.message is not None:
                found[citation.n] = [item.hit.message]
            else:
                found[citation.n] = self.memory.sources(citation.id)
        return found

    def _document(self, line: str, reply: ChatReply) -> dict[str, Any]:
        from mirix.cli import documents

        answer = reply.answer
        return {
            "said": line,
            "conversation": self.name,
            "reply": reply.text,
            "answer": documents.answer_document(line, answer, self._sources(reply)) if answer else None,
            "added": documents.add_document(reply.added) if reply.added else None,
            "done": documents.done_document(reply.done),
            "usage": documents.usage_document(reply.usage),
        }


def _said(message: Message) -> Text:
    """A turn of a conversation that goes on."""
    from mirix.memory.record import one_line

    who = "you" if message.role == "user" else "mirix" if message.role == "assistant" else message.speaker
    return Text.assemble((f"{who:>5}  ", "bold"), one_line(message.text, 300), style="dim")
