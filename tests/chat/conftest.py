"""A Mirix with the built-in model or a scripted one, to talk with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.results import ChatReply
from mirix.system import AsyncMirix
from tests.scripts import META, call, open_mirix, routed, rows, says

__all__ = ["open_mirix", "rows"]

START = datetime(2026, 11, 13, 9, tzinfo=UTC)
_MINUTES = count()


async def say(memory: AsyncMirix, turn: str, **chosen: Any) -> ChatReply:
    """A turn, a minute after the one before it."""
    return await memory.chat(turn, at=START + timedelta(minutes=next(_MINUTES)), **chosen)


async def talk(memory: AsyncMirix, *turns: str, **chosen: Any) -> ChatReply:
    """Some turns in order; the last reply."""
    replies = [await say(memory, turn, **chosen) for turn in turns]
    return replies[-1]


def heard(name: str, **arguments: Any) -> Reply:
    return says(call(name, **arguments))


def conversational(
    hears: Sequence[Reply], answers: Sequence[Reply] = (), corrects: Sequence[Reply] = (), writes: Any = None
) -> ScriptedChatModel:
    """A model that hears and answers as it is told; `writes` is the managers' script (default: nothing to file)."""
    queues = {"keep_out": list(hears), "search_memory": list(answers), "correct_memory": list(corrects)}
    managers: Callable[[ScriptedRequest], Reply] = writes or (
        lambda request: routed() if META in request.tools else "Nothing to file."
    )

    def script(request: ScriptedRequest) -> Reply:
        tool = next((tool for tool in queues if tool in request.tools), None)
        return queues[tool].pop(0) if tool else managers(request)

    return ScriptedChatModel(script=script)
