"""`mirix chat`: a talk with the memory. What is said is remembered, what is asked is answered from memory."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from mirix.cli.add import changes_with_records
from mirix.cli.ask import answered, show_answer
from mirix.cli.command import Invocation, command
from mirix.cli.documents import add_document, answer_document
from mirix.errors import MirixError

if TYPE_CHECKING:
    from mirix.blocking import Mirix

CONVERSATION = "mirix chat"
_HELP = "Say what should be remembered, or ask. /quit ends (or Ctrl-D), /help shows this."
_QUESTION = re.compile(
    r"[?？]|[吗呢么]\s*[。!！]?\s*$|^\s*(?:who|whose|what|when|where|which|why|how|do|does|did|is|are|was|were|can|could"
    r"|tell me|remind me|谁|什么|哪|怎么|怎样|如何|为什么|几|多少)(?:\b|(?<=[一-鿿]))",
    re.IGNORECASE,
)


def register(app: typer.Typer) -> None:
    command(app, "chat", scoped=True, models=True)(chat)


def chat(call: Invocation) -> None:
    """Talk with the memory: each turn is remembered, and answered from memory. With --json one line a turn."""
    is_prompting = sys.stdin.isatty() and call.out.is_terminal
    with call.open() as memory:
        zone = ZoneInfo(memory.status().timezone)
        if is_prompting:
            with suppress(ImportError):  # line editing and history; Windows has its own
                import readline  # noqa: F401
            call.note(_HELP)
        while (line := _read(call, is_prompting)) is not None:
            if line == "/help":
                call.note(_HELP)
            elif line.startswith("/"):
                call.warn(f"there is no {line.split()[0]}: {_HELP}")
            elif line:
                try:
                    _turn(call, memory, line, zone)
                except MirixError as error:  # one turn failed; the talk goes on
                    call.warn(str(error))


def _read(call: Invocation, is_prompting: bool) -> str | None:
    """The next line; None at the end."""
    try:
        line = input("> ") if is_prompting else sys.stdin.readline()
    except EOFError:
        return None
    if not is_prompting and not line:
        return None
    return None if line.strip() in ("/quit", "/exit", "/q") else line.strip()


def _turn(call: Invocation, memory: Mirix, line: str, zone: ZoneInfo) -> None:
    """A question is answered from what was known before it, then kept; anything else is remembered first."""
    is_question = _QUESTION.search(line) is not None
    document: dict[str, object] = {"said": line, "answer": None}
    if is_question:
        document["answer"] = _answer(call, memory, line, zone)
    with call.working("remembering"):
        # With its time: what is said twice is two turns.
        result = memory.add(line, at=datetime.now(UTC), conversation=CONVERSATION, agent_id=call.agent, run_id=call.run)
    document["added"] = add_document(result)
    if result.changes and not call.as_json:
        from mirix.cli import show

        call.show(show.change_list(changes_with_records(memory, result)))
    elif not is_question and memory.status().chat_model == "builtin":
        call.show(Text("Kept, word for word; there was nothing to file in it.", style="dim"))
    if not is_question and memory.status().chat_model != "builtin":
        document["answer"] = _answer(call, memory, line, zone)  # the built-in model makes no conversation
    call.document(document, indent=None)
    call.show("")


def _answer(call: Invocation, memory: Mirix, line: str, zone: ZoneInfo) -> dict[str, object]:
    answer, sources = answered(call, memory, line)
    if not call.as_json:
        show_answer(call, answer, sources, zone)
    return answer_document(line, answer, sources)
