"""Which chat model a setting names. A key in the environment alone selects nothing.

    builtin           on this machine, by rules
    openai:NAME       OpenAI, or by its URL any server that speaks its protocol: Ollama, vLLM, llama.cpp, DeepSeek …
    provider:NAME     a provider's own protocol through its LangChain package

A key meant for one server is never sent to another: where a URL is named, the key is the one named with it, or none.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr, ValidationError

from mirix.errors import ConfigError
from mirix.models.failures import KEY_LIKE

if TYPE_CHECKING:
    from mirix.models.embed import Embedder

OPENAI_URL = "https://api.openai.com/v1"
_NO_KEY = "none"  # clients want one, and would else take that of another service from the environment


@dataclass(frozen=True, kw_only=True)
class _Provider:
    """Where LangChain keeps the model of a provider, and what its constructor calls things."""

    module: str
    class_name: str
    url: str = "base_url"
    has_key: bool = True
    counts_first_try: bool = False  # among its retries


_PROVIDERS: Mapping[str, _Provider] = {
    "anthropic": _Provider(module="langchain_anthropic", class_name="ChatAnthropic"),
    "deepseek": _Provider(module="langchain_deepseek", class_name="ChatDeepSeek"),
    "google_genai": _Provider(
        module="langchain_google_genai", class_name="ChatGoogleGenerativeAI", counts_first_try=True
    ),
    "groq": _Provider(module="langchain_groq", class_name="ChatGroq"),
    "mistralai": _Provider(module="langchain_mistralai", class_name="ChatMistralAI"),
    "ollama": _Provider(module="langchain_ollama", class_name="ChatOllama", has_key=False),
    "xai": _Provider(module="langchain_xai", class_name="ChatXAI"),
}


def make_chat_model(
    setting: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    timeout_s: float = 120.0,
    max_retries: int = 2,
    embedder: Embedder | None = None,
) -> BaseChatModel:
    """The chat model a setting names: "builtin", "openai:NAME", "azure_openai:DEPLOYMENT" or "provider:NAME".

    `timeout_s` bounds one attempt; `max_retries` counts further attempts after an answer such as 429 or 500. `embedder`
    is for the built-in model. Raises ConfigError when the setting names nothing, or a package or key is missing.
    """
    provider, _, name = (part.strip() for part in setting.partition(":"))
    if provider == "builtin" and not name:
        from mirix.models.builtin import BuiltinChatModel

        return BuiltinChatModel(embed_texts=embedder.embed if embedder is not None else None)
    if not name or not provider.isidentifier() or provider == "builtin":
        raise ConfigError(f'unknown chat model {setting!r}: choose "builtin", "openai:NAME" or "provider:NAME"')
    options: dict[str, Any] = {"timeout": timeout_s, "max_retries": max_retries}
    if provider == "openai":
        return _make_openai(name, base_url=base_url, api_key=api_key, options=options)
    if provider == "azure_openai":
        return _make_azure(name, base_url=base_url, api_key=api_key, options=options)
    return _make_foreign(provider, name, base_url=base_url, api_key=api_key, options=options)


def _make_openai(name: str, *, base_url: str | None, api_key: str | None, options: dict[str, Any]) -> BaseChatModel:
    import openai

    from mirix.models.openai_chat import TolerantChatOpenAI

    key = api_key or (_NO_KEY if base_url else None)
    try:
        return TolerantChatOpenAI(
            model=name,
            base_url=base_url or OPENAI_URL,
            api_key=SecretStr(key) if key else None,
            stream_usage=True,
            # Only OpenAI itself has the other protocol, and a few of its models need it (None: as the model needs).
            use_responses_api=False if base_url else None,
            # One of its own: the cached default outlives the event loop that its connections belong to.
            http_async_client=openai.DefaultAsyncHttpxClient(timeout=options["timeout"]),
            **options,
        )
    except (openai.OpenAIError, ValueError) as error:
        raise ConfigError(
            f"the chat model openai:{name} needs a key: set MIRIX_MODEL_API_KEY or OPENAI_API_KEY"
        ) from error


def _make_azure(name: str, *, base_url: str | None, api_key: str | None, options: dict[str, Any]) -> BaseChatModel:
    """A deployment of Azure OpenAI by its own protocol: `base_url` is the endpoint of the resource."""
    import openai

    from mirix.models.openai_chat import TolerantAzureChatOpenAI

    endpoint: dict[str, Any] = {"azure_endpoint": base_url} if base_url else {}
    try:
        return TolerantAzureChatOpenAI(
            model=name,
            azure_deployment=name,
            # None: AZURE_OPENAI_API_KEY, but not OPENAI_API_KEY, which is meant for another service.
            api_key=SecretStr(api_key) if api_key else None,
            stream_usage=True,
            http_async_client=openai.DefaultAsyncHttpxClient(timeout=options["timeout"]),
            **endpoint,
            **options,
        )
    except (openai.OpenAIError, ValueError) as error:
        raise ConfigError(
            f"the chat model azure_openai:{name} needs the resource's URL in MIRIX_MODEL_BASE_URL, a key in "
            "MIRIX_MODEL_API_KEY or AZURE_OPENAI_API_KEY, and OPENAI_API_VERSION, e.g. 2024-10-21: " + _told(error)
        ) from None


def _make_foreign(
    provider: str, name: str, *, base_url: str | None, api_key: str | None, options: dict[str, Any]
) -> BaseChatModel:
    setting = f"{provider}:{name}"
    known = _PROVIDERS.get(provider)
    try:
        if known is not None and importlib.util.find_spec(known.module) is not None:
            model = getattr(importlib.import_module(known.module), known.class_name)(
                model=name, **_given(known, base_url, api_key, options)
            )
        elif known is None and importlib.util.find_spec("langchain") is not None:
            init_chat_model = importlib.import_module("langchain.chat_models").init_chat_model
            named = {key: value for key, value in {"base_url": base_url, "api_key": api_key}.items() if value}
            model = init_chat_model(name, model_provider=provider, **options, **named)
        else:
            package = known.module if known else f"langchain langchain_{provider}"
            raise ConfigError(
                f"the chat model {setting} needs another package: pip install {package.replace('_', '-')}"
            )
    except (ImportError, ValueError, TypeError) as error:
        raise ConfigError(f"the chat model {setting} cannot be set up: {_told(error)}") from None
    if not isinstance(model, BaseChatModel):
        raise ConfigError(f"the chat model {setting} is no LangChain chat model but a {type(model).__name__}")
    return model


def _given(known: _Provider, base_url: str | None, api_key: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(options)
    if known.counts_first_try:
        given["max_retries"] += 1
    if base_url:
        given[known.url] = base_url
    if known.has_key and (api_key or base_url):
        given["api_key"] = api_key or _NO_KEY
    return given


def _told(error: Exception) -> str:
    """What a constructor says, without what it was given: that may be a key."""
    if isinstance(error, ValidationError):
        return "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors(include_input=False)[:3])
    return KEY_LIKE.sub("…", str(error))


async def close_chat_model(model: BaseChatModel) -> None:
    """Close the connections of a model that `make_chat_model` made. To be called on the event loop that used it."""
    for holder in (getattr(model, "http_async_client", None), model):
        close = getattr(holder, "aclose", None)
        if close is not None:
            await close()
