"""Model servers that run on this machine: which models they have, and how Mirix is told to use them.

Only this machine is asked, and only which models there are; nothing of the memory is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from mirix.cli.findings import Finding, Level

# Where they listen unless they are told otherwise.
ADDRESSES: Mapping[str, str] = {
    "Ollama": "http://127.0.0.1:11434",
    "LM Studio": "http://127.0.0.1:1234",
    "llama.cpp": "http://127.0.0.1:8080",
    "vLLM": "http://127.0.0.1:8000",
}
_TIMEOUT_S = 0.5
_EMBEDS = re.compile(r"(?i)embed|bge-|minilm|\be5\b|gte-")
_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    name: str
    calls_tools: bool | None  # None: the server does not tell
    embeds: bool


def check_local_servers(chat_model: str, addresses: Mapping[str, str] = ADDRESSES) -> Finding:
    """The first server that has models, with the line that names them; a line only where nothing else is named."""
    for product, address in addresses.items():
        models = models_at(address)
        if models:
            command = _command(address, models) if chat_model == "builtin" else None
            words = f"{product} runs at {address} with {_listed(models)}"
            if all(model.calls_tools is False for model in models if not model.embeds):
                words += "; none of them calls tools, which filing memories needs: for example `ollama pull qwen3:8b`"
            elif product == "Ollama":
                words += "; it cuts off what is longer than its context without a word: start it with "
                words += "OLLAMA_CONTEXT_LENGTH=16384"
            return Finding(name="local models", level=Level.OK, words=words, command=command)
    looked = ", ".join(addresses)
    return Finding(name="local models", level=Level.OK, words=f"no server of them runs here ({looked})")


def models_at(address: str) -> list[LocalModel]:
    """The models that a server on this machine lists; none where none answers."""
    listed = _json(f"{address}/v1/models").get("data")
    each = [model.get("id") for model in listed if isinstance(model, dict)] if isinstance(listed, list) else []
    return [_model(address, name) for name in each if isinstance(name, str)]


def _model(address: str, name: str) -> LocalModel:
    told = _json(f"{address}/api/show", {"model": name}).get("capabilities")  # Ollama's own
    embeds = _EMBEDS.search(name) is not None
    if not isinstance(told, list):
        return LocalModel(name=name, calls_tools=None, embeds=embeds)
    return LocalModel(name=name, calls_tools="tools" in told, embeds="embedding" in told or embeds)


def _json(url: str, body: Mapping[str, str] | None = None) -> dict[str, Any]:
    data = json.dumps(body).encode() if body is not None else None
    request = Request(url, data=data, headers={"Content-Type": "application/json"})
    try:
        # Never through a proxy: it would be asked from another machine.
        with build_opener(ProxyHandler({})).open(request, timeout=_TIMEOUT_S) as response:
            answer = json.load(response)
    except (OSError, ValueError, HTTPException):
        return {}
    return answer if isinstance(answer, dict) else {}


def _listed(models: Sequence[LocalModel]) -> str:
    def told(model: LocalModel) -> str:
        if model.embeds:
            return f"{model.name} (embeds)"
        return {None: model.name, True: f"{model.name} (calls tools)", False: f"{model.name} (no tools)"}[
            model.calls_tools
        ]

    more = f" and {len(models) - _SHOWN} more" if len(models) > _SHOWN else ""
    return ", ".join(map(told, models[:_SHOWN])) + more


def _command(address: str, models: Sequence[LocalModel]) -> str | None:
    """What to type to use them; None where no model will do."""
    chat = next((model.name for model in models if not model.embeds and model.calls_tools is not False), None)
    embedding = next((model.name for model in models if model.embeds), None)
    if chat is None:
        return None
    named = {"CHAT_MODEL": f"openai:{chat}", "MODEL_BASE_URL": f"{address}/v1"}
    if embedding:
        named |= {"EMBEDDING_MODEL": f"openai:{embedding}", "EMBEDDING_BASE_URL": f"{address}/v1"}
    return "export " + " ".join(f"MIRIX_{name}={value}" for name, value in named.items())
