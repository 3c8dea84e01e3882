"""The built-in chat model: Mirix runs without a key, a server or weights.

It gets exactly the messages and tools a real model would get and answers with the same tool calls; what is asked of
it follows from the tools that are bound. It works by rules and by nearest examples, in English and Chinese: it
routes, files and quotes, it does not abstract. The same messages always give the same answer.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, PrivateAttr

from mirix.models.builtin.conversation import bare_question, hear_turn
from mirix.models.builtin.corrections import find_correction
from mirix.models.builtin.filing import Operation, file_batch, file_memory
from mirix.models.builtin.language import as_written
from mirix.models.builtin.nearest import NearestExamples, load_examples, plain_nearest
from mirix.models.builtin.prompt import Call, parse_call
from mirix.models.builtin.reading import answer_question, better_query
from mirix.models.builtin.repairing import mend_calls
from mirix.models.builtin.routing import route_messages
from mirix.models.builtin.topics import question_topics
from mirix.models.builtin.vectors import EmbedTexts
from mirix.text.chunks import count_tokens

# The tool that shows which manager is asked, and its kind.
_INSERT_TOOLS = {
    "core_memory_append": "core",
    "episodic_memory_insert": "episodic",
    "semantic_memory_insert": "semantic",
    "procedural_memory_insert": "procedural",
    "resource_memory_insert": "resource",
    "knowledge_vault_insert": "vault",
}
_PIECE = 24  # characters per streamed piece


class BuiltinChatModel(BaseChatModel):
    """A chat model by rules and nearest examples.

    `embed_texts`, when given, maps texts to unit vectors (n, dimensions) and sharpens the routing of English; without
    it n-grams do.
    Safe to use from several threads; the examples are read once, at the first call.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    embed_texts: EmbedTexts | None = None
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _loaded: NearestExamples | None = PrivateAttr(default=None)

    @property
    def _llm_type(self) -> str:
        return "mirix-builtin"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": "builtin"}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools in any form LangChain knows. `tool_choice` is accepted and changes nothing."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply = self._reply(messages, kwargs)
        return ChatResult(generations=[ChatGeneration(message=reply)], llm_output={"model_name": "builtin"})

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        reply = self._reply(messages, kwargs)
        text = str(reply.content)
        for start in range(0, len(text), _PIECE):
            piece = text[start : start + _PIECE]
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece, id=reply.id))
            if run_manager is not None:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content="",
                id=reply.id,
                tool_call_chunks=[
                    {
                        "name": call["name"],
                        "args": json.dumps(call["args"], ensure_ascii=False),
                        "id": call["id"],
                        "index": index,
                        "type": "tool_call_chunk",
                    }
                    for index, call in enumerate(reply.tool_calls)
                ],
                usage_metadata=reply.usage_metadata,
                chunk_position="last",
            )
        )

    def _reply(self, messages: list[BaseMessage], options: dict[str, Any]) -> AIMessage:
        tools = options.get("tools") or []
        names = {tool["function"]["name"] for tool in tools}
        call = parse_call(messages)
        text, operations = self._decide(call, names)
        text = as_written(text, call.written)
        operations = [replace(each, arguments=_as_written(each.arguments, call.written)) for each in operations]
        calls = [
            ToolCall(name=operation.tool, args=operation.arguments, id=_call_id(messages, index), type="tool_call")
            for index, operation in enumerate(operations)
            if operation.tool in names
        ]
        read = count_tokens("\n".join(str(message.content) for message in messages)) + count_tokens(json.dumps(tools))
        written = count_tokens(text) + sum(
            count_tokens(json.dumps(call["args"], ensure_ascii=False)) + 8 for call in calls
        )
        return AIMessage(
            content=text,
            tool_calls=calls,
            usage_metadata=UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written),
            response_metadata={"model_name": "builtin", "finish_reason": "tool_calls" if calls else "stop"},
        )

    def _decide(self, call: Call, tools: set[str]) -> tuple[str, list[Operation]]:
        """The text and the tool calls of the reply."""
        kinds = [kind for tool, kind in _INSERT_TOOLS.items() if tool in tools]
        if call.is_repair and call.failed:
            mended = mend_calls(call.failed, call)
            return ("" if mended else "Left out what could not be mended."), mended
        if kinds and call.is_repair:
            return "Nothing to mend.", []
        if "trigger_memory_update" in tools:
            return "", [_routing_call(call, self._nearest())]
        if "keep_out" in tools:
            return "", [hear_turn(call)]
        if "correct_memory" in tools:
            found = find_correction(call)
            return ("", [found]) if found else ("Not clear.", [])
        if "set_topics" in tools:
            return "", [Operation(tool="set_topics", arguments={"topics": question_topics(call.question)})]
        if len(kinds) > 1:
            return _filed(file_batch(call, self._nearest()))
        if kinds:
            return _filed(file_memory(kinds[0], call, self._nearest()))
        return self._answer(call, tools)

    def _answer(self, call: Call, tools: set[str]) -> tuple[str, list[Operation]]:
        call = replace(call, question=bare_question(call.question))
        answer = answer_question(call)
        if answer.is_known or call.is_final or call.searches or "search_memory" not in tools:
            return answer.text, []
        query = better_query(call)
        return ("", [Operation(tool="search_memory", arguments={"query": query})]) if query else (answer.text, [])

    def _nearest(self) -> NearestExamples:
        if self.embed_texts is None:
            return plain_nearest()
        with self._lock:
            if self._loaded is None:
                self._loaded = NearestExamples(load_examples(), self.embed_texts)
            return self._loaded


def _as_written(value: Any, written: str) -> Any:
    """Arguments with their punctuation as in the evidence."""
    if isinstance(value, str):
        return as_written(value, written)
    if isinstance(value, list):
        return [_as_written(each, written) for each in value]
    if isinstance(value, dict):
        return {key: _as_written(each, written) for key, each in value.items()}
    return value


def _filed(operations: list[Operation]) -> tuple[str, list[Operation]]:
    return ("" if operations else "Nothing to file."), operations


def _routing_call(call: Call, nearest: NearestExamples) -> Operation:
    named: dict[str, list[str]] = {}
    for routed in route_messages(call.messages, nearest):
        for kind in sorted(routed.kinds):
            named.setdefault(kind, []).append(routed.message.handle)
    updates = [{"memory_type": kind, "messages": handles} for kind, handles in named.items()]
    return Operation(tool="trigger_memory_update", arguments={"updates": updates})


def _call_id(messages: Sequence[BaseMessage], index: int) -> str:
    """The same messages give the same ids, so that a replay can be compared."""
    seed = "\n".join(str(message.content) for message in messages)
    return f"call_{uuid.uuid5(uuid.NAMESPACE_OID, seed).hex[:16]}_{index}"
