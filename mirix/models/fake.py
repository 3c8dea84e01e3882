"""A chat model that says what it is told to: for tests, ours and those of programs that use Mirix.

It takes part in the whole flow like any other model (tools are bound, messages arrive, replies are normalised), and
keeps what it was asked. Managers run in parallel, so a plain list of replies suits one agent; `replies_by_tool` gives
each agent its own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr, SkipValidation

# A text, a message, {"content": …, "tool_calls": [{"name": …, "args": …}]}, or an exception to be raised.
Reply: TypeAlias = str | AIMessage | Mapping[str, Any] | Exception


@dataclass(frozen=True, kw_only=True)
class ScriptedRequest:
    messages: tuple[BaseMessage, ...]
    tools: tuple[str, ...]  # names of the bound tools
    options: Mapping[str, Any]  # whatever else was bound, e.g. tool_choice

    @property
    def text(self) -> str:
        """All text of all messages."""
        return "\n".join(message.text for message in self.messages)


class ScriptedChatModel(BaseChatModel):
    """Gives the replies of `script` in order, or whatever `script` returns for a request.

    Raises AssertionError when it is asked more often than the list is long. May be called from several threads.
    """

    # Taken as it is: validation would copy the messages.
    script: SkipValidation[Sequence[Reply] | Callable[[ScriptedRequest], Reply]] = Field(default=(), exclude=True)
    _requests: list[ScriptedRequest] = PrivateAttr(default_factory=list)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @property
    def requests(self) -> tuple[ScriptedRequest, ...]:
        """Everything it was asked so far, in order of arrival."""
        return tuple(self._requests)

    @property
    def _llm_type(self) -> str:
        return "mirix-scripted"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        if tool_choice is not None:
            kwargs["tool_choice"] = tool_choice
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages, kwargs))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        message = self._next(messages, kwargs)
        for piece in message.text.splitlines(keepends=True):
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        calls = [
            tool_call_chunk(
                name=call["name"], args=json.dumps(call["args"], ensure_ascii=False), id=call["id"], index=index
            )
            for index, call in enumerate(message.tool_calls)
        ]
        yield ChatGenerationChunk(
            message=AIMessageChunk(content="", tool_call_chunks=calls, usage_metadata=message.usage_metadata)
        )

    def _next(self, messages: list[BaseMessage], options: dict[str, Any]) -> AIMessage:
        tools = tuple(tool["function"]["name"] for tool in options.pop("tools", ()))
        request = ScriptedRequest(messages=tuple(messages), tools=tools, options=options)
        with self._lock:
            number = len(self._requests)
            self._requests.append(request)
        if callable(self.script):
            return _as_message(self.script(request))
        if number >= len(self.script):
            raise AssertionError(f"the script has {len(self.script)} replies, but a further one was asked for: {tools}")
        return _as_message(self.script[number])


def replies_by_tool(replies: Mapping[str, Sequence[Reply]]) -> Callable[[ScriptedRequest], Reply]:
    """A script for several agents: the next reply under the first bound tool that `replies` names.

    Raises AssertionError for a call whose tools are not named, or whose replies are used up.
    """
    queues = {tool: list(each) for tool, each in replies.items()}
    lock = threading.Lock()

    def script(request: ScriptedRequest) -> Reply:
        with lock:
            tool = next((tool for tool in request.tools if tool in queues), None)
            if tool is None or not queues[tool]:
                raise AssertionError(
                    f"no reply is left for a call with the tools {', '.join(request.tools) or '(none)'}"
                )
            return queues[tool].pop(0)

    return script


def _as_message(reply: Reply) -> AIMessage:
    if isinstance(reply, Exception):
        raise reply
    if isinstance(reply, AIMessage):
        return reply
    if isinstance(reply, str):
        return AIMessage(content=reply)
    calls = [{"id": f"call_{number}", **call} for number, call in enumerate(reply.get("tool_calls", ()), start=1)]
    return AIMessage(content=reply.get("content", ""), tool_calls=calls)
