"""Chat models: the one place where one is called.

    call_model ─> plain tools ─> the provider's client ─> reply.py ─> ModelReply
                     ^                │ refused: without what it names, once (refusals.py)
                     └────────────────┘ failed: our exceptions (failures.py)

Every agent goes through `call_model`: it binds the tools, keeps the deadline, gives one shape to whatever comes back
and turns foreign errors into ours. Retries with backoff and `Retry-After` are the client's own (`max_retries`); the
deadline bounds them all. Which model a setting names is told in `providers.py`.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.messages.content import create_image_block
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from mirix.errors import ModelReplyError, ModelUnavailable
from mirix.models.failures import failure, label, may_show_key, status_of, words
from mirix.models.providers import OPENAI_URL, close_chat_model, make_chat_model
from mirix.models.refusals import Request
from mirix.models.reply import ModelReply, ToolCall, joined, read_reply
from mirix.models.streaming import Teller, streamed
from mirix.models.tool_schemas import plain_tool

__all__ = ["ModelReply", "ToolCall", "call_model", "close_chat_model", "image_block", "make_chat_model"]

logger = logging.getLogger(__name__)

MOST_CALLS = 12  # of a model that makes one at a time


def image_block(data: bytes, *, mime_type: str) -> dict[str, Any]:
    """A picture as part of a message's content, in the form that every provider package understands."""
    return {**create_image_block(base64=base64.b64encode(data).decode("ascii"), mime_type=mime_type)}


async def call_model(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    tools: Sequence[Mapping[str, Any] | BaseTool | type] = (),
    *,
    tool_choice: str | None = None,
    parallel: bool | None = None,
    again_if_empty: bool = False,
    deadline_s: float | None = 120.0,
    on_text: Callable[[str], None] | None = None,
) -> ModelReply:
    """Ask a model once and return its answer in one shape.

    `tools` are OpenAI tool schemas or LangChain tools; `tool_choice` is a tool's name, "any" or "auto" (None: the
    server's default). `parallel=False` asks for at most one call; `parallel=True` for as many as are needed, one after
    another where a server takes no more at a time (None: the server's default). With `again_if_empty` an answer without
    text and call is asked for once more. `deadline_s` bounds everything, retries included. With `on_text` the answer is
    streamed: each piece of text is handed over as it comes, without thoughts.

    A call that cannot be carried out (unknown tool, unreadable arguments) is returned with its `error` set: it is for
    the model to mend. Raises ModelUnavailable (the call may be repeated), ModelError (it may not; the message tells
    what to check) or ModelReplyError (the answer is no chat reply).
    """
    schemas = [plain_tool(dict(tool) if isinstance(tool, Mapping) else convert_to_openai_tool(tool)) for tool in tools]
    asked = _Asked(model=model, schemas=schemas, on_text=on_text)
    request = Request(
        messages=messages, options=_options(model, schemas, tool_choice, parallel), is_streamed=on_text is not None
    )
    try:
        async with asyncio.timeout(deadline_s):
            reply = await _reply(asked, request)
            if again_if_empty and reply.is_empty:
                reply = joined([reply, await _reply(asked, request)])
            if parallel and "parallel" in _given_up(model):
                reply = await _with_further_calls(asked, request, reply)
    except Exception as error:
        if _is_ours(model) and not isinstance(error, TimeoutError):
            raise  # our own models ask no server: what they raise is a mistake to be seen, or was scripted
        fields = {"action": "model_failed", "model": label(model), "error": type(error).__name__}
        logger.warning("model call failed", extra=fields)
        # The server's own words stay in the chain, unless they may repeat the key.
        raise failure(error, model) from (None if may_show_key(error, model) else error)
    _log(reply, model)
    return reply


@dataclass(frozen=True, kw_only=True)
class _Asked:
    model: BaseChatModel
    schemas: Sequence[dict[str, Any]]
    on_text: Callable[[str], None] | None

    @property
    def parameters(self) -> dict[str, Mapping[str, Any]]:
        return {schema["function"]["name"]: schema["function"]["parameters"] for schema in self.schemas}


def _options(
    model: BaseChatModel, schemas: Sequence[Mapping[str, Any]], tool_choice: str | None, parallel: bool | None
) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if schemas and tool_choice is not None:
        options["tool_choice"] = tool_choice
    # Only OpenAI's protocol has a word for it. Some servers that speak it make one call unless they are asked for more.
    url = getattr(model, "openai_api_base", None)
    if schemas and parallel is not None and hasattr(model, "openai_api_base") and not (parallel and url == OPENAI_URL):
        options["parallel_tool_calls"] = parallel
    return options


def _given_up(model: BaseChatModel) -> set[str]:
    """What the server of this model has refused so far; kept with the model, whose class has no field for it."""
    found: set[str] = vars(model).setdefault("_mirix_given_up", set())
    return found


async def _reply(asked: _Asked, request: Request) -> ModelReply:
    """One answer, to the request as the server takes it."""
    given_up = _given_up(asked.model)
    started = time.monotonic()
    while True:
        sent = request.without(given_up)
        bound = asked.model.bind_tools(asked.schemas, **sent.options) if asked.schemas else asked.model
        teller = Teller(asked.on_text, has_tools=bool(asked.schemas)) if asked.on_text else None
        message: BaseMessage
        try:
            message = await (streamed(bound, sent.messages, teller.hear) if teller else bound.ainvoke(sent.messages))
            break
        except Exception as error:
            part = sent.refused_part(words(error), given_up) if (status_of(error) or 0) >= 400 else None
            if part is None:
                raise
            given_up.add(part)
            fields = {"action": "model_refusal_heeded", "model": label(asked.model), "part": part}
            logger.info("the model's server refuses a part of requests, which is left out now", extra=fields)
    if not isinstance(message, AIMessage):
        raise ModelReplyError(f"{label(asked.model)} answered with a {type(message).__name__} instead of an AIMessage")
    reply = read_reply(message, sent=sent.messages, tools=asked.parameters, ms=(time.monotonic() - started) * 1000)
    if reply.has_failed:
        raise ModelUnavailable(f"{label(asked.model)} gave its answer up ({reply.finish_reason}): try again later")
    if reply.is_held_back:
        raise ModelReplyError(f"a content filter of {label(asked.model)} held its answer back ({reply.finish_reason})")
    if teller is not None and not reply.calls:
        teller.end(reply.text)
    return reply


async def _with_further_calls(asked: _Asked, request: Request, first: ModelReply) -> ModelReply:
    """For a server that takes one call a message: each is said to be done, until the model makes no new one."""
    replies, messages = [first], list(request.messages)
    while len(replies[-1].calls) == 1 and replies[-1].calls[0].error is None and len(replies) < MOST_CALLS:
        [call] = replies[-1].calls
        messages += [replies[-1].message, ToolMessage("ok", tool_call_id=call.id)]
        further = await _reply(asked, replace(request, messages=messages))
        made = [(each.name, each.arguments) for reply in replies for each in reply.calls]
        is_new = any((each.name, each.arguments) not in made for each in further.calls)
        replies.append(further if is_new else replace(further, calls=()))
    return joined(replies)


def _is_ours(model: BaseChatModel) -> bool:
    return model._llm_type.startswith("mirix-")


def _log(reply: ModelReply, model: BaseChatModel) -> None:
    fields = {
        "action": "model_called",
        "model": label(model),
        "calls": len(reply.calls),
        "failed_calls": sum(call.error is not None for call in reply.calls),
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
        "duration_ms": round(reply.ms),
    }
    logger.debug("model called", extra=fields)
