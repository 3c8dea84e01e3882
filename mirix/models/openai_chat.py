"""LangChain's OpenAI chat models, tolerant of what compatible servers get wrong. Heavy: import them when needed.

received   arguments of a call as an object, a list or JSON packed twice; calls of a stream without an index:
           LangChain then fails the whole answer, or loses the call, where it is given what OpenAI would have sent
kept       what a server wants back with its tool calls: the reasoning (DeepSeek, Kimi) or a signature (Gemini)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import openai
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import AzureChatOpenAI, ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI

from mirix.models.reply import GIVEN_BACK
from mirix.models.text_calls import as_object

CALL_EXTRAS = "call_extras"  # id of a call -> its field of this name
_EXTRA = "extra_content"


class _Tolerant(BaseChatOpenAI):
    def _create_chat_result(
        self, response: dict[str, Any] | openai.BaseModel, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        plain = response.model_dump(warnings=False) if isinstance(response, openai.BaseModel) else response
        messages = list(_messages(plain))
        is_mended = sum(_mend_call(call) for message in messages for call in _calls(message)) > 0
        result = super()._create_chat_result(plain if is_mended else response, generation_info)
        for generation, message in zip(result.generations, messages, strict=False):
            generation.message.additional_kwargs |= _kept(message)
        return result

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        choices = chunk.get("choices") or [{}]
        delta = choices[0].get("delta") if isinstance(choices[0], dict) else None
        for position, call in enumerate(_calls(delta)):
            if call.get("index") is None:
                call["index"] = position
        made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        if made is not None:
            made.message.additional_kwargs |= _kept(delta)
        return made

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
        sent = payload.get("messages", ())
        given: Sequence[BaseMessage] = self._convert_input(input_).to_messages()
        if len(sent) == len(given):
            for as_sent, message in zip(sent, given, strict=True):
                if isinstance(message, AIMessage) and message.tool_calls:
                    _give_back(as_sent, message.additional_kwargs)
        return payload


class TolerantChatOpenAI(_Tolerant, ChatOpenAI):
    pass


class TolerantAzureChatOpenAI(_Tolerant, AzureChatOpenAI):
    pass


def _messages(plain: Any) -> Iterator[Any]:
    choices = plain.get("choices") if isinstance(plain, dict) else None
    for choice in choices if isinstance(choices, list) else ():
        yield choice.get("message") if isinstance(choice, dict) else None


def _calls(message: Any) -> list[dict[str, Any]]:
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    return [call for call in calls or () if isinstance(call, dict) and isinstance(call.get("function"), dict)]


def _mend_call(call: dict[str, Any]) -> bool:
    """Put the arguments right; False where they are. Anything else that is wrong is left for LangChain to find."""
    function = call["function"]
    given = function.get("arguments")
    if _is_right(given):
        return False
    arguments = as_object(given or "")
    # What holds no object must not be valid JSON either, so that this call is marked and the others stand.
    function["arguments"] = f"no object: {given}" if arguments is None else json.dumps(arguments)
    return True


def _is_right(arguments: Any) -> bool:
    if not isinstance(arguments, str):
        return False
    try:
        return isinstance(json.loads(arguments, strict=False), dict)
    except json.JSONDecodeError:
        return bool(arguments.strip())  # LangChain marks this one by itself


def _kept(message: Any) -> dict[str, Any]:
    """What has to go back with the calls of this message, or of this piece of it."""
    if not isinstance(message, dict):
        return {}
    kept = {key: message[key] for key in GIVEN_BACK if key != CALL_EXTRAS and message.get(key)}
    extras = {call["id"]: call[_EXTRA] for call in _calls(message) if call.get("id") and call.get(_EXTRA)}
    return kept | ({CALL_EXTRAS: extras} if extras else {})


def _give_back(as_sent: dict[str, Any], kept: dict[str, Any]) -> None:
    as_sent.update({key: kept[key] for key in GIVEN_BACK if key != CALL_EXTRAS and key in kept})
    for call in as_sent.get("tool_calls", ()):
        extra = kept.get(CALL_EXTRAS, {}).get(call.get("id"))
        if extra:
            call[_EXTRA] = extra
