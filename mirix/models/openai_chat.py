"""LangChain's OpenAI chat model, tolerant of what compatible servers get wrong. Heavy: import it when it is needed.

`arguments` of a tool call is a string that holds a JSON object. Some servers send the object itself, JSON packed in a
string twice, or a list; LangChain then fails the whole answer instead of the one call. Streams do not pass here: their
pieces are put together elsewhere, and checked in `reply.py`.
"""

from __future__ import annotations

import json
from typing import Any

import openai
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI

from mirix.models.text_calls import as_object


class TolerantChatOpenAI(ChatOpenAI):
    def _create_chat_result(
        self, response: dict[str, Any] | openai.BaseModel, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        return super()._create_chat_result(_mended(response), generation_info)


def _mended(response: dict[str, Any] | openai.BaseModel) -> dict[str, Any] | openai.BaseModel:
    """The same answer if its tool calls are right. Anything else that is wrong is left for LangChain to find."""
    plain = response.model_dump(warnings=False) if isinstance(response, openai.BaseModel) else response
    wrong = [function for function in _functions(plain) if not _is_right(function.get("arguments"))]
    for function in wrong:
        given = function["arguments"]
        arguments = as_object(given)
        # What holds no object must not be valid JSON either, so that this call is marked and the others stand.
        function["arguments"] = f"no object: {given}" if arguments is None else json.dumps(arguments)
    return plain if wrong else response


def _functions(plain: Any) -> list[dict[str, Any]]:
    choices = plain.get("choices") if isinstance(plain, dict) else None
    messages = (
        [choice.get("message") for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    )
    calls = [call for message in messages if isinstance(message, dict) for call in message.get("tool_calls") or ()]
    return [call["function"] for call in calls if isinstance(call, dict) and isinstance(call.get("function"), dict)]


def _is_right(arguments: Any) -> bool:
    if not isinstance(arguments, str):
        return arguments is None
    try:
        return isinstance(json.loads(arguments, strict=False), dict)
    except json.JSONDecodeError:
        return True  # LangChain marks this one by itself
