"""An answer that comes in pieces: put together, and told to the reader as far as it is meant for them.

Servers number the pieces of tool calls differently from what LangChain expects, which then joins two calls to one. And
what a model thinks, or writes as a call, comes as text: it is held back until it is clear what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.runnables import Runnable

from mirix.errors import ModelReplyError, ModelUnavailable
from mirix.models.reply import without_thoughts

# From here on a text may hold calls; `[1]` is a citation, and `{{` begins a reference to the vault.
_MAY_BE_CALL = re.compile(r"<|`(?=`|$)|\{(?=\s*(?:\"|$))|\[(?=[A-Za-z_{]|$)")


class Teller:
    """Hands a streamed text on, without thoughts, and without calls where tools are bound."""

    def __init__(self, on_text: Callable[[str], None], *, has_tools: bool) -> None:
        self._on_text = on_text
        self._has_tools = has_tools
        self._heard = ""
        self._told = ""

    def hear(self, piece: str) -> None:
        self._heard += piece
        visible = self._visible()
        held = _MAY_BE_CALL.search(visible) if self._has_tools else None
        self._tell(visible[: held.start()] if held else visible)

    def end(self, text: str) -> None:
        """What was held back and turned out to be text."""
        self._tell(text)

    def _visible(self) -> str:
        begin = self._heard.lstrip()
        if begin.startswith("<think"):
            return without_thoughts(begin).lstrip() if "</think" in begin else ""
        return "" if "<think".startswith(begin[:6]) else begin

    def _tell(self, text: str) -> None:
        if len(text) > len(self._told) and text.startswith(self._told):
            self._on_text(text[len(self._told) :])
            self._told = text


async def streamed(
    bound: Runnable[LanguageModelInput, BaseMessage], messages: Sequence[BaseMessage], hear: Callable[[str], None]
) -> BaseMessage:
    """The whole message. Raises ModelReplyError where none came, ModelUnavailable where it broke off."""
    whole: AIMessageChunk | None = None
    numbers = CallNumbers()
    async for chunk in bound.astream(list(messages)):
        if not isinstance(chunk, AIMessageChunk):
            raise ModelReplyError(f"the model streamed a {type(chunk).__name__} instead of chunks of a message")
        if chunk.text:
            hear(chunk.text)
        if chunk.tool_call_chunks:
            chunk.tool_call_chunks = [numbers.renumbered(call) for call in chunk.tool_call_chunks]
        whole = chunk if whole is None else whole + chunk
    if whole is None:
        raise ModelReplyError("the model streamed nothing at all")
    metadata = whole.response_metadata
    if metadata.get("model_provider") == "openai" and not metadata.get("finish_reason"):
        # A connection that closes early looks like an end: only the missing reason tells.
        raise ModelUnavailable("the model's answer broke off in the middle: try again")
    return message_chunk_to_message(whole)


@dataclass
class _Call:
    number: int
    id: str | None
    name: str | None
    arguments: str = ""


class CallNumbers:
    """Gives each call of a stream a number of its own: some servers number all of them 0."""

    def __init__(self) -> None:
        self._count = 0
        self._present: dict[int | None, _Call] = {}  # by the server's number

    def renumbered(self, piece: ToolCallChunk) -> ToolCallChunk:
        index, identity, name = piece.get("index"), piece.get("id"), piece.get("name")
        if not isinstance(index, int | None):
            return piece  # blocks that are numbered in words are numbered well
        call = self._present.get(index)
        is_first = call is None or _is_next(call, identity, name)
        if call is None or is_first:
            call = self._present[index] = _Call(number=self._count, id=identity, name=name)
            self._count += 1
        call.arguments += piece.get("args") or ""
        # Said once: pieces are put together by joining what they say.
        told_name = name if is_first or not call.name else None
        told_id = identity if is_first or not call.id else None
        call.name, call.id = call.name or name, call.id or identity
        return {**piece, "index": call.number, "name": told_name, "id": told_id}


def _is_next(call: _Call, identity: str | None, name: str | None) -> bool:
    """Another call under the same number: it is named anew, and the one before is complete or has another id.

    (A server may repeat name and id with every piece, and one is known to make up an id for every piece.)
    """
    if not name or not call.name:
        return False
    return _is_whole(call.arguments) or (name != call.name and identity != call.id)


def _is_whole(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except json.JSONDecodeError:
        return False
