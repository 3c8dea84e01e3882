"""What a server may refuse of a request, and how the request is made without it.

No table of providers: a server that refuses something says so in its error, and what it names is given up. What was
given up is remembered with the model, so that it costs one refused request. Nothing here gives up content.

    parallel_tool_calls   the option, or several calls in one message: they are asked for, and told, one by one
    tool_choice           models that think, and some servers, choose for themselves
    system role           some templates know none: the prompt goes in front of the first message
    stream_options        a stream without counted tokens
    reasoning             some servers want what they thought back, others refuse it
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from mirix.models.reply import GIVEN_BACK, REASONING_FIELDS

_NAMED_IN_ERRORS: Mapping[str, re.Pattern[str]] = {
    "parallel": re.compile(r"(?i)parallel.?tool|parallel function|single tool.?call|one tool.?call"),
    "tool_choice": re.compile(r"(?i)tool_choice|forces tool use|functionCallingConfig|function_calling_config"),
    "system": re.compile(r"(?i)system role|system message|role.{0,40}system|developer instruction|system instruction"),
    "stream_options": re.compile(r"(?i)stream_options|include_usage"),
    "reasoning missing": re.compile(r"(?is)reasoning.{0,80}(?:missing|passed back)|missing.{0,20}reasoning"),
    "reasoning": re.compile(r"(?i)reasoning|thinking"),
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of a model, in LangChain's words."""

    messages: Sequence[BaseMessage]
    options: Mapping[str, Any]  # bound beside the tools: tool_choice, parallel_tool_calls
    is_streamed: bool = False

    def without(self, given_up: set[str]) -> Request:
        """The same request, as a server that refused these takes it."""
        messages, options = list(self.messages), dict(self.options)
        if "parallel" in given_up:
            options.pop("parallel_tool_calls", None)
            messages = one_call_each(messages)
        if "tool_choice" in given_up:
            options.pop("tool_choice", None)
        if "stream_options" in given_up and self.is_streamed:
            options["stream_usage"] = False
        if "system" in given_up:
            messages = _without_system(messages)
        if "reasoning missing" in given_up:
            messages = [_with_reasoning(message) for message in messages]
        elif "reasoning" in given_up:
            messages = [_without_reasoning(message) for message in messages]
        return Request(messages=messages, options=options, is_streamed=self.is_streamed)

    def refused_part(self, said: str, given_up: set[str]) -> str | None:
        """What of this request an error names, if it was sent and can be given up."""
        calls = [message.tool_calls for message in self.messages if isinstance(message, AIMessage)]
        sent = {
            "parallel": "parallel_tool_calls" in self.options or any(len(each) > 1 for each in calls),
            "tool_choice": "tool_choice" in self.options,
            "system": any(isinstance(message, SystemMessage) for message in self.messages),
            "stream_options": self.is_streamed,
            "reasoning missing": any(map(_lacks_reasoning, self.messages)),
            "reasoning": any(map(_reasoning_of, self.messages)),
        }
        parts = (part for part, pattern in _NAMED_IN_ERRORS.items() if pattern.search(said))
        return next((part for part in parts if sent[part] and part not in given_up), None)


def one_call_each(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Every message with several calls as several messages, each followed by the result of its own call."""
    results = {message.tool_call_id: message for message in messages if isinstance(message, ToolMessage)}
    single: list[BaseMessage] = []
    told: set[str] = set()
    for message in messages:
        if isinstance(message, AIMessage) and len(message.tool_calls) > 1:
            for number, call in enumerate(message.tool_calls):
                update = {"tool_calls": [call], "content": message.content if number == 0 else ""}
                single.append(message.model_copy(update=update))
                result = results.get(call["id"] or "")
                if result is not None:
                    single.append(result)
                    told.add(result.tool_call_id)
        elif not (isinstance(message, ToolMessage) and message.tool_call_id in told):
            single.append(message)
    return single


def _without_system(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    prompts = [message.text for message in messages if isinstance(message, SystemMessage)]
    rest = [message for message in messages if not isinstance(message, SystemMessage)]
    prompt = "\n\n".join(prompts)
    first = next((number for number, message in enumerate(rest) if isinstance(message, HumanMessage)), None)
    if first is None:
        return [HumanMessage(prompt), *rest]
    said = rest[first].content
    told = f"{prompt}\n\n{said}" if isinstance(said, str) else [{"type": "text", "text": prompt}, *said]
    rest[first] = HumanMessage(told)
    return rest


def _reasoning_of(message: BaseMessage) -> bool:
    return any(message.additional_kwargs.get(key) for key in GIVEN_BACK)


def _lacks_reasoning(message: BaseMessage) -> bool:
    return isinstance(message, AIMessage) and bool(message.tool_calls) and not _reasoning_of(message)


def _with_reasoning(message: BaseMessage) -> BaseMessage:
    """A mark where the thoughts are lost, as after a restart: their field must not be empty."""
    if not _lacks_reasoning(message):
        return message
    return message.model_copy(update={"additional_kwargs": {**message.additional_kwargs, REASONING_FIELDS[0]: "…"}})


def _without_reasoning(message: BaseMessage) -> BaseMessage:
    kept = {key: value for key, value in message.additional_kwargs.items() if key not in GIVEN_BACK}
    return message.model_copy(update={"additional_kwargs": kept})
