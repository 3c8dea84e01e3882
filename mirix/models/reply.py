"""What a chat model answered, in one shape whichever model it was. Pure: a LangChain message in, a ModelReply out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages import ToolCall as LangChainToolCall

from mirix.models.text_calls import as_object, find_text_calls
from mirix.text.chunks import count_tokens

TOKENS_PER_IMAGE = 800  # for estimates only: about what a screenful costs with the common tile-based pricing

_THOUGHTS = re.compile(r"\A\s*(?:<think(?:ing)?>)?.*?</think(?:ing)?>\s*", re.DOTALL)
_ILLEGAL_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_LENGTH_REASONS = frozenset({"length", "max_tokens", "MAX_TOKENS", "model_length", "model_context_window_exceeded"})
# A filter held the answer back: OpenAI and kin, Anthropic, GLM, Gemini.
_FILTER_REASONS = frozenset(
    {"content_filter", "refusal", "sensitive", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII"}
)
_FAILED_REASONS = frozenset({"insufficient_system_resource", "network_error", "error"})  # DeepSeek, GLM, gateways
# Where reasoning stands when it stands beside the text: servers that separate it wrongly put the calls there as well.
REASONING_FIELDS = ("reasoning_content", "reasoning")
# What a server that thinks wants back with its tool calls; `openai_chat.py` carries it.
GIVEN_BACK = (*REASONING_FIELDS, "reasoning_details", "call_extras")
_THOUGHT_BLOCKS = frozenset({"thinking", "redacted_thinking", "reasoning"})


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    name: str  # as the model wrote it
    arguments: Mapping[str, Any]  # empty where they could not be read
    id: str  # unique within the reply; what a ToolMessage answers to
    error: str | None = None  # why the call cannot be carried out, in words for the model


@dataclass(frozen=True, kw_only=True)
class ModelReply:
    text: str  # what is meant for the reader: no reasoning, no tool calls; may be empty
    calls: tuple[ToolCall, ...]  # in the model's order, failed ones included
    input_tokens: int
    output_tokens: int
    cached_tokens: int  # the part of input_tokens that the server had cached
    is_usage_estimated: bool  # the server counted nothing: the figures are ours
    ms: float  # from the call to the whole answer, retries included
    finish_reason: str | None  # the server's word: "stop", "tool_calls", "length" …; of a blocked prompt the reason
    message: AIMessage  # the answer as it can be sent back to the model: its calls are those above, under the same ids

    @property
    def is_empty(self) -> bool:
        """Neither text nor call: not the same as having nothing to say."""
        return not self.text and not self.calls

    @property
    def is_cut_off(self) -> bool:
        """The answer hit the length limit."""
        return self.finish_reason in _LENGTH_REASONS

    @property
    def is_held_back(self) -> bool:
        """A filter of the server took the answer away."""
        return self.is_empty and self.finish_reason in _FILTER_REASONS

    @property
    def has_failed(self) -> bool:
        """The server gave up on its own answer."""
        return self.finish_reason in _FAILED_REASONS


def read_reply(
    message: AIMessage, *, sent: Sequence[BaseMessage], tools: Mapping[str, Mapping[str, Any]], ms: float
) -> ModelReply:
    """Normalise one answer. `sent` is what was asked, `tools` the bound ones: name -> JSON schema of the arguments."""
    finish_reason = _finish_reason(message)
    text = visible_text(message)
    calls = [_checked(call, tools) for call in _made_calls(message)]
    if tools and not calls:
        written, text = find_text_calls(text, tools)
        if not written and not text:
            written, _ = find_text_calls(_reasoning(message), tools)
        made = [ToolCall(name=call.name, arguments=call.arguments, id="") for call in written]
        calls = [_checked(call, tools) for call in made]
    if finish_reason in _LENGTH_REASONS and calls:
        # LangChain completes a streamed call that breaks off by guessing: even readable arguments may lack a part.
        calls[-1] = _failed(
            calls[-1], "the answer was cut off at the length limit: make the call again, with less in it"
        )
    calls = _with_ids(calls)
    usage = message.usage_metadata
    details = usage.get("input_token_details", {}) if usage else {}
    return ModelReply(
        text=text,
        calls=tuple(calls),
        input_tokens=usage["input_tokens"] if usage else _estimate_input(sent, tools),
        output_tokens=usage["output_tokens"] if usage else _estimate_output(text, calls),
        cached_tokens=details.get("cache_read") or 0,
        is_usage_estimated=usage is None,
        ms=ms,
        finish_reason=finish_reason,
        message=_message(message, text, calls),
    )


def _finish_reason(message: AIMessage) -> str | None:
    metadata = message.response_metadata
    blocked = (metadata.get("prompt_feedback") or {}).get("block_reason")
    reasons = (blocked and "SAFETY", *(metadata.get(key) for key in ("finish_reason", "stop_reason", "done_reason")))
    return next((str(reason) for reason in reasons if reason), None)


def visible_text(message: AIMessage) -> str:
    """Text blocks only: reasoning comes in blocks or fields of its own, or in tags at the start of the text."""
    text = message.text or str(message.additional_kwargs.get("refusal") or "")
    return without_thoughts(text).strip()


def without_thoughts(text: str) -> str:
    return _THOUGHTS.sub("", text, count=1) if "</think" in text else text


def _reasoning(message: AIMessage) -> str:
    return next(
        (str(message.additional_kwargs[key]) for key in REASONING_FIELDS if key in message.additional_kwargs), ""
    )


def _made_calls(message: AIMessage) -> list[ToolCall]:
    calls = [ToolCall(name=call["name"], arguments=call["args"], id=call["id"] or "") for call in message.tool_calls]
    for broken in message.invalid_tool_calls:
        arguments = as_object(broken["args"])
        error = (
            None
            if arguments is not None
            else f"the arguments are not a JSON object: {broken['error'] or ''}".rstrip(": ")
        )
        calls.append(ToolCall(name=broken["name"] or "", arguments=arguments or {}, id=broken["id"] or "", error=error))
    return calls


def _checked(call: ToolCall, tools: Mapping[str, Any]) -> ToolCall:
    if call.error is None and call.name not in tools:
        return _failed(call, f"there is no tool {call.name!r} here; there are: {', '.join(tools) or 'none'}")
    return replace(call, arguments=fitted(dict(call.arguments), tools[call.name])) if call.error is None else call


def fitted(value: Any, schema: Mapping[str, Any]) -> Any:
    """Arguments with what is packed wrongly unpacked: JSON in a string where a list or an object is wanted, a single
    item where a list is. Whatever does not fit then is left as it is, to be told."""
    kind = schema.get("type")
    if kind in ("array", "object") and isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        with suppress(json.JSONDecodeError, RecursionError):
            value = json.loads(value, strict=False)
    if kind == "array":
        items = schema.get("items") or {}
        if _is_of(value, items.get("type")):
            value = [value]
        return [fitted(item, items) for item in value] if isinstance(value, list) else value
    if isinstance(value, dict):
        parts = schema.get("properties") or {}
        return {key: fitted(part, parts.get(key) or {}) for key, part in value.items()}
    return value


def _is_of(value: Any, kind: object) -> bool:
    return (kind == "object" and isinstance(value, dict)) or (kind == "string" and isinstance(value, str))


def _failed(call: ToolCall, error: str) -> ToolCall:
    return replace(call, error=error)


def _with_ids(calls: Sequence[ToolCall]) -> list[ToolCall]:
    """Some servers give no ids, or the same one twice."""
    taken: set[str] = set()
    result = []
    for number, call in enumerate(calls, start=1):
        identity = call.id if call.id and call.id not in taken else f"call_{number}"
        taken.add(identity)
        result.append(replace(call, id=identity))
    return result


def _message(message: AIMessage, text: str, calls: Sequence[ToolCall]) -> AIMessage:
    """The answer to be sent back. Left alone where it can go back: providers sign what they want back."""
    as_made = [(call["name"], call["id"]) for call in message.tool_calls]
    if not message.invalid_tool_calls and as_made == [(_legal(call.name), call.id) for call in calls]:
        return message
    # Unreadable arguments go back as none, and a name is made legal: servers refuse a history that they cannot parse.
    legal = [
        LangChainToolCall(name=_legal(call.name), args=dict(call.arguments), id=call.id, type="tool_call")
        for call in calls
    ]
    blocks = [] if isinstance(message.content, str) else message.content
    thoughts = [block for block in blocks if isinstance(block, dict) and block.get("type") in _THOUGHT_BLOCKS]
    said: list[str | dict[Any, Any]] = [{"type": "text", "text": text}] if text else []
    return AIMessage(
        content=[*thoughts, *said] if thoughts else text,
        additional_kwargs={
            key: message.additional_kwargs[key] for key in GIVEN_BACK if key in message.additional_kwargs
        },
        tool_calls=legal,
        response_metadata=message.response_metadata,
        usage_metadata=message.usage_metadata,
        id=message.id,
    )


def joined(replies: Sequence[ModelReply]) -> ModelReply:
    """Several answers to one question as one: the text of the first that says anything, all calls, the costs summed."""
    if len(replies) == 1:
        return replies[0]
    first = next((reply for reply in replies if not reply.is_empty), replies[0])
    calls = _with_ids([call for reply in replies for call in reply.calls])
    return replace(
        first,
        calls=tuple(calls),
        input_tokens=sum(reply.input_tokens for reply in replies),
        output_tokens=sum(reply.output_tokens for reply in replies),
        cached_tokens=sum(reply.cached_tokens for reply in replies),
        is_usage_estimated=any(reply.is_usage_estimated for reply in replies),
        ms=sum(reply.ms for reply in replies),
        message=_message(first.message, first.text, calls),
    )


def _legal(name: str) -> str:
    return _ILLEGAL_IN_NAMES.sub("_", name)[:64] or "unknown"


def _estimate_input(sent: Sequence[BaseMessage], tools: Mapping[str, Any]) -> int:
    tokens = count_tokens(json.dumps(tools, ensure_ascii=False)) if tools else 0
    for message in sent:
        blocks = [] if isinstance(message.content, str) else message.content
        images = sum(1 for block in blocks if isinstance(block, dict) and "image" in str(block.get("type")))
        tokens += count_tokens(message.text) + TOKENS_PER_IMAGE * images
        if isinstance(message, AIMessage) and message.tool_calls:
            tokens += count_tokens(json.dumps([call["args"] for call in message.tool_calls], ensure_ascii=False))
    return tokens


def _estimate_output(text: str, calls: Sequence[ToolCall]) -> int:
    arguments = "".join(call.name + json.dumps(dict(call.arguments), ensure_ascii=False) for call in calls)
    return count_tokens(text) + count_tokens(arguments)
