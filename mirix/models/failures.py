"""What goes wrong at a model's server, as our exceptions. Clients raise hundreds of kinds; callers tell three apart.

    ModelUnavailable   the same request may succeed later: limits, overload, time, connection, an unpaid bill
    ModelError         it will not: key, name, size, something the server does not do; the message tells what to check
    ModelReplyError    it was answered with something that is no reply

Messages repeat what the server said, in brief and without anything like a key: it may repeat what it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from langchain_core import exceptions as foreign
from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from mirix.errors import ModelError, ModelReplyError, ModelUnavailable

KEY_LIKE = re.compile(r"(?i)\b(?:sk-|bearer\s+|api[_-]?key\W+)[^\s'\",]+")

_TRANSPORTS = frozenset({"httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "h11", "h2", "anyio"})
_REPEATABLE_STATUS = frozenset({402, 408, 409, 425, 429})
# What an error within an answer stands for: such an answer itself began with status 200.
_STATUS_OF_TYPES = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "invalid_request_error": 400,
}
_TOO_LONG = re.compile(
    r"(?i)context.{0,10}(?:length|window|size)|prompt is too long|too many (?:input )?tokens|token limit"
    r"|(?:input token count|input length).{0,60}(?:exceed|range|should be)|超长"
)
_FILTERED = re.compile(
    r"(?i)content.?(?:filter|management|policy|exists risk)|data_inspection_failed|inappropriate content|content_policy"
    r"|敏感|不安全"
)
_NO_TOOLS = re.compile(
    r"(?i)not support (?:tools|tool calls|function)|unsupported param: tools|tools? (?:use )?is not supported"
    r"|enable-auto-tool-choice|requires? --jinja|no endpoints found that support tool"
)


def failure(error: Exception, model: BaseChatModel) -> ModelError:
    """Our exception for whatever a model's client raised."""
    if isinstance(error, ModelError):
        return error
    name, status, said = label(model), status_of(error), words(error)
    told = f". It says: {brief(said, model)}" if said else ""
    if status in (401, 403):
        return ModelError(f"{name} refuses the API key ({status}): check MIRIX_MODEL_API_KEY")
    if status == 404:
        return ModelError(
            f"{name} is not there (404): check the name in MIRIX_CHAT_MODEL, and MIRIX_MODEL_BASE_URL, "
            f"which usually ends in /v1{told}"
        )
    if isinstance(error, foreign.ContextOverflowError) or (status and status < 500 and _TOO_LONG.search(said)):
        return ModelError(f"{name} was sent more than its context holds{told}")
    if isinstance(error, TimeoutError | foreign.ModelTimeoutError) or "Timeout" in type(error).__name__:
        return ModelUnavailable(f"{name} did not answer in time: try again, or raise MIRIX_MODEL_TIMEOUT_S")
    if status is not None and status >= 400 and _NO_TOOLS.search(said):
        return ModelError(
            f"{name} is served without tool calls, which filing memories needs: name another model, or start the "
            f"server with them (vLLM: --enable-auto-tool-choice --tool-call-parser …, llama.cpp: --jinja){told}"
        )
    if status is not None and (status in _REPEATABLE_STATUS or status >= 500):
        reason = {402: "wants to be paid", 429: "has been asked too often"}.get(status, "failed on its side")
        return ModelUnavailable(f"{name} {reason} ({status}): try again later{told}")
    if status is not None and status >= 400 and _FILTERED.search(said):
        return ModelError(f"a content filter of {name} refuses what it was sent ({status}){told}")
    if status is not None and status >= 400:
        return ModelError(
            f"{name} refuses the request ({status}): does it support tools, and pictures if any were sent{told or '?'}"
        )
    if isinstance(error, OSError | foreign.ModelConnectionError) or type(error).__module__.split(".")[0] in _TRANSPORTS:
        return ModelUnavailable(f"{name} cannot be reached: is the server running, and MIRIX_MODEL_BASE_URL right?")
    return ModelReplyError(
        f"{name} answered with something that is no chat reply ({type(error).__name__}): "
        f"does MIRIX_MODEL_BASE_URL lead to an OpenAI-compatible server?{told.removeprefix('.')}"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from: libraries wrap what their clients raise."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def status_of(error: BaseException) -> int | None:
    """The HTTP status, or the one that an error within an answer stands for; None where there is none."""
    for each in _causes(error):
        for value in (getattr(each, "status_code", None), getattr(each, "code", None)):
            if isinstance(value, int) and value >= 400:
                return value
        body = _body(each)
        kind = str(body.get("type") or "")
        if kind in _STATUS_OF_TYPES:
            return _STATUS_OF_TYPES[kind]
        if str(body.get("code") or "").isdigit() and 400 <= int(body["code"]) < 600:
            return int(body["code"])
    return None


def words(error: BaseException) -> str:
    """What the server said, empty if it said nothing."""
    for each in _causes(error):
        body = _body(each)
        said = body.get("message") or body.get("detail")
        if said:
            return f"{said} ({body['code']})" if isinstance(body.get("code"), str) else str(said)
    return ""


def _body(error: BaseException) -> dict[str, Any]:
    """The error object of an answer, wherever the client keeps it: OpenAI and Anthropic `body`, Google `details`."""
    given = getattr(error, "body", None) or getattr(error, "details", None)
    if given is None and isinstance(error, ValueError) and error.args:
        given = error.args[0]  # LangChain, for an answer with an error in it
    if isinstance(given, list) and given:
        given = given[0]
    if not isinstance(given, dict):
        return {}
    inner = given.get("error")
    return inner if isinstance(inner, dict) else given


def brief(said: str, model: BaseChatModel) -> str:
    text = KEY_LIKE.sub("…", " ".join(said.split()))
    for key in _keys(model):
        text = text.replace(key, "…")
    return text[:200]


def may_show_key(error: BaseException, model: BaseChatModel) -> bool:
    return status_of(error) in (401, 403) or any(key in str(each) for each in _causes(error) for key in _keys(model))


def _keys(model: BaseChatModel) -> list[str]:
    secrets = [value.get_secret_value() for value in vars(model).values() if isinstance(value, SecretStr)]
    return [secret for secret in secrets if secret and secret != "none"]


def label(model: BaseChatModel) -> str:
    """E.g. `the chat model gpt-4.1-mini at http://127.0.0.1:8000/v1`."""
    name = getattr(model, "model_name", None) or getattr(model, "model", None) or model._llm_type
    urls = ("openai_api_base", "azure_endpoint", "anthropic_api_url", "base_url")
    url = next((url for key in urls if isinstance(url := getattr(model, key, None), str) and url), None)
    return f"the chat model {name} at {url}" if url else f"the chat model {name}"
