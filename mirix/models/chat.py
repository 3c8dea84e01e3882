"""Chat models: which one a setting names, and the one place where a model is called.

Every agent goes through `call_model`: it binds the tools, keeps the deadline, gives one shape to whatever comes back
(`reply.py`) and turns foreign errors into ours. Retries with backoff and `Retry-After` are the client's own
(`max_retries`); the deadline bounds them all.

A model is used only when it is named: a key in the environment alone selects nothing, and a key meant for one server
is never sent to another.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import importlib.util
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core import exceptions as foreign
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.messages.content import create_image_block
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import SecretStr

from mirix.errors import ConfigError, ModelError, ModelReplyError, ModelUnavailable
from mirix.models.reply import ModelReply, ToolCall, read_reply

if TYPE_CHECKING:
    from mirix.models.embed import Embedder

__all__ = ["ModelReply", "ToolCall", "call_model", "close_chat_model", "image_block", "make_chat_model"]

logger = logging.getLogger(__name__)

OPENAI_URL = "https://api.openai.com/v1"

# Where LangChain keeps the models of providers that users ask for; any other goes through `langchain` itself.
_PROVIDERS: Mapping[str, tuple[str, str]] = {
    "anthropic": ("langchain_anthropic", "ChatAnthropic"),
    "deepseek": ("langchain_deepseek", "ChatDeepSeek"),
    "google_genai": ("langchain_google_genai", "ChatGoogleGenerativeAI"),
    "groq": ("langchain_groq", "ChatGroq"),
    "mistralai": ("langchain_mistralai", "ChatMistralAI"),
    "ollama": ("langchain_ollama", "ChatOllama"),
    "xai": ("langchain_xai", "ChatXAI"),
}
_TRANSPORTS = frozenset({"httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "h11"})
_REPEATABLE_STATUS = frozenset({408, 409, 425, 429})
_KEY_LIKE = re.compile(r"(?i)\b(?:sk-|bearer\s+|api[_-]?key\W+)[^\s'\",]+")


def make_chat_model(
    setting: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    timeout_s: float = 120.0,
    max_retries: int = 2,
    embedder: Embedder | None = None,
) -> BaseChatModel:
    """The chat model a setting names: "builtin", "openai:NAME" (or any server that speaks its protocol, by `base_url`),
    or "provider:NAME".

    `timeout_s` bounds one attempt; `max_retries` counts further attempts after an answer such as 429 or 500. `embedder`
    is for the built-in model. Raises ConfigError when the setting names nothing, or a package or key is missing.
    """
    provider, _, name = (part.strip() for part in setting.partition(":"))
    if provider == "builtin" and not name:
        from mirix.models.builtin import BuiltinChatModel

        return BuiltinChatModel(embed_texts=embedder.embed if embedder is not None else None)
    if not name or not provider.isidentifier() or provider == "builtin":
        raise ConfigError(f'unknown chat model {setting!r}: choose "builtin", "openai:NAME" or "provider:NAME"')
    if provider == "openai":
        return _make_openai(name, base_url=base_url, api_key=api_key, timeout_s=timeout_s, max_retries=max_retries)
    given: dict[str, Any] = {"timeout": timeout_s, "max_retries": max_retries}
    given |= {key: value for key, value in {"base_url": base_url, "api_key": api_key}.items() if value}
    return _make_foreign(provider, name, given)


def _make_openai(
    name: str, *, base_url: str | None, api_key: str | None, timeout_s: float, max_retries: int
) -> BaseChatModel:
    import openai

    from mirix.models.openai_chat import TolerantChatOpenAI

    # A server named by URL gets the key that was named with it or none: never the one of another service that the
    # client would find in the environment.
    key = api_key or ("none" if base_url else None)
    try:
        return TolerantChatOpenAI(
            model=name,
            base_url=base_url or OPENAI_URL,
            api_key=SecretStr(key) if key else None,
            timeout=timeout_s,
            max_retries=max_retries,
            stream_usage=True,
            # Only OpenAI itself has the other protocol, and a few of its models need it (None: as the model needs).
            use_responses_api=False if base_url else None,
            # One of its own: the cached default outlives the event loop that its connections belong to.
            http_async_client=openai.DefaultAsyncHttpxClient(timeout=timeout_s),
        )
    except (openai.OpenAIError, ValueError) as error:
        raise ConfigError(
            f"the chat model openai:{name} needs a key: set MIRIX_MODEL_API_KEY or OPENAI_API_KEY"
        ) from error


def _make_foreign(provider: str, name: str, given: dict[str, Any]) -> BaseChatModel:
    module, class_name = _PROVIDERS.get(provider, (f"langchain_{provider}", ""))
    setting = f"{provider}:{name}"
    try:
        if importlib.util.find_spec("langchain") is not None:
            init_chat_model = importlib.import_module("langchain.chat_models").init_chat_model
            model = init_chat_model(name, model_provider=provider, **given)
        elif class_name and importlib.util.find_spec(module) is not None:
            model = getattr(importlib.import_module(module), class_name)(model=name, **given)
        else:
            package = module.replace("_", "-")
            wanted = package if class_name else f"langchain and {package}"
            raise ConfigError(f"the chat model {setting} needs another package: pip install {wanted}")
    except (ImportError, ValueError, TypeError) as error:
        raise ConfigError(f"the chat model {setting} cannot be set up: {_KEY_LIKE.sub('…', str(error))}") from None
    if not isinstance(model, BaseChatModel):
        raise ConfigError(f"the chat model {setting} is no LangChain chat model but a {type(model).__name__}")
    return model


async def close_chat_model(model: BaseChatModel) -> None:
    """Close the connections of a model that `make_chat_model` made. To be called on the event loop that used it."""
    client = getattr(model, "http_async_client", None)
    if client is not None:
        await client.aclose()


def image_block(data: bytes, *, mime_type: str) -> dict[str, Any]:
    """A picture as part of a message's content, in the form that every provider package understands."""
    return {**create_image_block(base64=base64.b64encode(data).decode("ascii"), mime_type=mime_type)}


async def call_model(
    model: BaseChatModel,
    messages: Sequence[BaseMessage],
    tools: Sequence[Mapping[str, Any] | BaseTool | type] = (),
    *,
    tool_choice: str | None = None,
    parallel: bool = True,
    deadline_s: float | None = 120.0,
    on_text: Callable[[str], None] | None = None,
) -> ModelReply:
    """Ask a model once and return its answer in one shape.

    `tools` are OpenAI tool schemas or LangChain tools; `tool_choice` is a tool's name, "any" or "auto" (None: the
    server's default). `parallel=False` asks for at most one call. `deadline_s` bounds everything, retries included.
    With `on_text` the answer is streamed, and each piece of text is handed over as it comes.

    A call that cannot be carried out (unknown tool, unreadable arguments) is returned with its `error` set: it is for
    the model to mend. Raises ModelUnavailable (the call may be repeated), ModelError (it may not; the message tells
    what to check) or ModelReplyError (the answer is no chat reply).
    """
    schemas = [dict(tool) if isinstance(tool, Mapping) else convert_to_openai_tool(tool) for tool in tools]
    options: dict[str, Any] = {} if tool_choice is None else {"tool_choice": tool_choice}
    if not parallel:
        options["parallel_tool_calls"] = False
    bound = model.bind_tools(schemas, **options) if schemas else model
    started = time.monotonic()
    message: BaseMessage
    try:
        async with asyncio.timeout(deadline_s):
            if on_text is None:
                message = await bound.ainvoke(list(messages))
            else:
                message = await _streamed(bound, messages, on_text)
    except Exception as error:
        if _is_ours(model) and not isinstance(error, TimeoutError):
            raise  # our own models ask no server: what they raise is a mistake to be seen, or was scripted
        failure = _failure(error, model)
        fields = {"action": "model_failed", "model": _label(model), "error": type(error).__name__}
        logger.warning("model call failed", extra=fields)
        # The server's own words stay in the chain, unless they may repeat the key.
        raise failure from (None if _may_show_key(error, model) else error)
    ms = (time.monotonic() - started) * 1000
    if not isinstance(message, AIMessage):
        raise ModelReplyError(f"{_label(model)} answered with a {type(message).__name__} instead of an AIMessage")
    parameters = {schema["function"]["name"]: schema["function"].get("parameters", {}) for schema in schemas}
    reply = read_reply(message, sent=messages, tools=parameters, ms=ms)
    _log(reply, model)
    return reply


async def _streamed(
    bound: Runnable[LanguageModelInput, AIMessage], messages: Sequence[BaseMessage], on_text: Callable[[str], None]
) -> BaseMessage:
    whole: AIMessageChunk | None = None
    async for chunk in bound.astream(list(messages)):
        if not isinstance(chunk, AIMessageChunk):
            raise ModelReplyError(f"the model streamed a {type(chunk).__name__} instead of chunks of a message")
        if chunk.text:
            on_text(chunk.text)
        whole = chunk if whole is None else whole + chunk
    if whole is None:
        raise ModelReplyError("the model streamed nothing at all")
    metadata = whole.response_metadata
    if metadata.get("model_provider") == "openai" and not metadata.get("finish_reason"):
        # A connection that closes early looks like an end: only the missing reason tells.
        raise ModelUnavailable("the model's answer broke off in the middle: try again")
    return message_chunk_to_message(whole)


def _is_ours(model: BaseChatModel) -> bool:
    return model._llm_type.startswith("mirix-")


def _failure(error: Exception, model: BaseChatModel) -> ModelError:
    """Our exception for whatever a model's client raised."""
    if isinstance(error, ModelError):
        return error
    label, status = _label(model), _status(error)
    if status in (401, 403):
        return ModelError(f"{label} refuses the API key ({status}): check MIRIX_MODEL_API_KEY")
    if status == 404:
        return ModelError(
            f"{label} is not there (404): check the name in MIRIX_CHAT_MODEL, and MIRIX_MODEL_BASE_URL, "
            "which usually ends in /v1"
        )
    if isinstance(error, foreign.ContextOverflowError):
        return ModelError(f"{label} was sent more than its context holds")
    if isinstance(error, TimeoutError | foreign.ModelTimeoutError):
        return ModelUnavailable(f"{label} did not answer in time: try again, or raise MIRIX_MODEL_TIMEOUT_S")
    if status is not None and (status in _REPEATABLE_STATUS or status >= 500):
        reason = "has been asked too often" if status == 429 else "failed on its side"
        return ModelUnavailable(f"{label} {reason} ({status}): try again later")
    if status is not None and status >= 400:
        return ModelError(
            f"{label} refuses the request ({status}): does it support tools, and pictures if any were sent? "
            f"It says: {_detail(error, model)}"
        )
    if isinstance(error, OSError | foreign.ModelConnectionError) or type(error).__module__.split(".")[0] in _TRANSPORTS:
        return ModelUnavailable(f"{label} cannot be reached: is the server running, and MIRIX_MODEL_BASE_URL right?")
    return ModelReplyError(
        f"{label} answered with something that is no chat reply ({type(error).__name__}): "
        "does MIRIX_MODEL_BASE_URL lead to an OpenAI-compatible server?"
    )


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _detail(error: Exception, model: BaseChatModel) -> str:
    """The server's own words, without anything like a key, in brief: it may repeat what it was sent."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    text = _KEY_LIKE.sub("…", str(said or type(error).__name__))
    key = _key(model)
    return (text.replace(key, "…") if key else text)[:200]


def _may_show_key(error: Exception, model: BaseChatModel) -> bool:
    key = _key(model)
    return _status(error) in (401, 403) or (key is not None and key in str(error))


def _key(model: BaseChatModel) -> str | None:
    secret = getattr(model, "openai_api_key", None) or getattr(model, "api_key", None)
    return secret.get_secret_value() if isinstance(secret, SecretStr) else None


def _label(model: BaseChatModel) -> str:
    """E.g. `the chat model gpt-4.1-mini at http://127.0.0.1:8000/v1`."""
    name = getattr(model, "model_name", None) or getattr(model, "model", None) or model._llm_type
    url = getattr(model, "openai_api_base", None) or getattr(model, "base_url", None)
    return f"the chat model {name} at {url}" if isinstance(url, str) else f"the chat model {name}"


def _log(reply: ModelReply, model: BaseChatModel) -> None:
    fields = {
        "action": "model_called",
        "model": _label(model),
        "calls": len(reply.calls),
        "failed_calls": sum(call.error is not None for call in reply.calls),
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
        "duration_ms": round(reply.ms),
    }
    logger.debug("model called", extra=fields)
