"""Eleven providers, each with each oddity: what is added is remembered, and what is asked is answered, as ever.

The whole way is gone with the provider's own client over HTTP: the write graph (meta memory manager and managers) for
one text, then a streamed answer that searches once. Nothing in here leaves this machine.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from pydantic import SecretStr

from mirix.errors import ModelError, ModelReplyError, ModelUnavailable
from mirix.models.chat import call_model, close_chat_model, image_block, make_chat_model
from mirix.models.fake_server import FakeOpenAI, ServerReply, ServerRequest
from tests.models.anthropic_wire import AnthropicWire
from tests.models.gemini_wire import GeminiWire
from tests.models.openai_wire import AzureWire, BareErrorWire, OpenAIWire
from tests.models.profiles import (
    KEY,
    Asked,
    Oddity,
    Profile,
    ProviderServer,
    Refused,
    Said,
    dumps,
    in_anthropic_tags,
    in_coder_tags,
    in_deepseek_marks,
    in_dsml,
    in_fence,
    in_function_tags,
    in_glm_tags,
    in_hermes_tags,
    in_json,
    in_kimi_marks,
    in_mistral_marks,
    in_old_deepseek_marks,
    in_python,
    in_python_list,
)
from tests.scripts import META, OpenMirix, append, call, knowledge, open_mirix, routed, texts

__all__ = ["open_mirix"]

CHAT = "/chat/completions"
AZURE_PATH = f"/openai/deployments/memory{CHAT}?api-version=2024-10-21"
GEMINI_PATH = "/v1beta/models/gemini-3.5-flash:generateContent"
PROFILES = (
    Profile(
        name="OpenAI",
        wire=OpenAIWire(),
        setting="openai:gpt-4.1-mini",
        base="/v1",
        path=f"/v1{CHAT}",
        marks=in_fence,
        reasoning=None,
    ),
    Profile(
        name="Azure",
        wire=AzureWire(),
        setting="azure_openai:memory",
        base="",
        path=AZURE_PATH,
        marks=in_mistral_marks,
        reasoning=None,
        usage="none",
    ),
    Profile(
        name="Ollama",
        wire=OpenAIWire(),
        setting="openai:qwen3:8b",
        base="/v1",
        path=f"/v1{CHAT}",
        marks=in_json,
        reasoning="tags",
        empty="",
        packing="object",
        indexes=lambda number: 0,
    ),
    Profile(
        name="vLLM",
        wire=BareErrorWire(),
        setting="openai:Qwen/Qwen3-8B",
        base="/v1",
        path=f"/v1{CHAT}",
        marks=in_python_list,
        reasoning="reasoning",
        identity=lambda name, number: f"chatcmpl-tool-{name}-{number}",
    ),
    Profile(
        name="llama.cpp",
        wire=OpenAIWire(),
        setting="openai:default",
        base="/v1",
        path=f"/v1{CHAT}",
        marks=in_function_tags,
        empty="",
        calls_once_unless_asked=True,
        usage="reason",
        identity=lambda name, number: None,
    ),
    Profile(
        name="DeepSeek",
        wire=OpenAIWire(),
        setting="openai:deepseek-chat",
        base="",
        path=CHAT,
        marks=in_deepseek_marks,
        empty="",
        wants_reasoning_back="The `reasoning_content` in the thinking mode must be passed back to the API.",
        refuses_tool_choice="deepseek-reasoner does not support this tool_choice",
        usage="reason",
    ),
    Profile(
        name="Qwen",
        wire=OpenAIWire(),
        setting="openai:qwen-plus",
        base="/compatible-mode/v1",
        path=f"/compatible-mode/v1{CHAT}",
        marks=in_hermes_tags,
        empty="",
        packing="nested",
        calls_once_unless_asked=True,
        refuses_tool_choice="<400> InternalError.Algo.InvalidParameter: The tool_choice parameter does not support "
        "being set to required or object in thinking mode",
    ),
    Profile(
        name="Kimi",
        wire=OpenAIWire(),
        setting="openai:kimi-k2-thinking",
        base="/v1",
        path=f"/v1{CHAT}",
        marks=in_kimi_marks,
        empty="",
        wants_reasoning_back="thinking is enabled but reasoning_content is missing in assistant tool call message at "
        "index {}",
        refuses_tool_choice="tool_choice 'specified' is incompatible with thinking enabled",
        identity=lambda name, number: f"functions.{name}:{number}",
        usage="choice",
    ),
    Profile(
        name="GLM",
        wire=OpenAIWire(),
        setting="openai:glm-4.6",
        base="/api/paas/v4",
        path=f"/api/paas/v4{CHAT}",
        marks=in_glm_tags,
        empty="\n",
        packing="nested",
        identity=lambda name, number: "call_1",
        indexes=lambda number: None,
    ),
    Profile(
        name="Gemini",
        wire=GeminiWire(),
        setting="google_genai:gemini-3.5-flash",
        base="",
        path=GEMINI_PATH,
        marks=in_python,
        packing="nested",
    ),
    Profile(
        name="Anthropic",
        wire=AnthropicWire(),
        setting="anthropic:claude-haiku-4-5",
        base="",
        path="/v1/messages",
        marks=in_anthropic_tags,
        packing="nested",
        refuses_tool_choice="Thinking may not be enabled when tool_choice forces tool use.",
    ),
)
BY_NAME: Mapping[str, Profile] = {profile.name: profile for profile in PROFILES}
TEXT = "Oda repairs harpsichords in Tromsø. Pia plays them."
ODA, PIA = knowledge("Oda", "Repairs harpsichords in Tromsø"), knowledge("Pia", "Plays harpsichords")
LINE = "Knows Oda and Pia"
THOUGHTS = "The user tells of two people."


def means(asked: Asked) -> Said:
    """A careful model: routes to two memories, files two people in two calls, searches twice at once, and answers."""
    said = _means(asked)
    return Said(text=said.text, calls=said.calls, thoughts=THOUGHTS)


def _means(asked: Asked) -> Said:
    def calls(*made: Mapping[str, Any]) -> Said:
        return Said(calls=[(each["name"], each["args"]) for each in made])

    first = asked.tools[0] if asked.tools else ""
    if first == META:
        return calls(*routed(semantic=["e1"], core=["e1"])["tool_calls"]) if not asked.results else Said(text="Done.")
    if first == "semantic_memory_insert":
        return calls(*[ODA, PIA][len(asked.results) :]) if len(asked.results) < 2 else Said(text="Done.")
    if first == "core_memory_append":
        return calls(append(LINE)) if not asked.results else Said(text="Done.")
    if first == "set_topics":
        return calls(call("set_topics", topics=["harpsichords"]))
    if first == "search_memory" and not asked.results:
        return calls(*(call("search_memory", query=name, types=["semantic", "message"]) for name in ("Pia", "Oda")))
    number = re.findall(r'(?m)^\[(\d+)\] .* name="Oda"', asked.text.split("<context>")[-1])[0]
    return Said(text=f"Oda repairs harpsichords [{number}].")


def one_at_a_time(asked: Asked) -> Said:
    """A model that never makes two calls in a message, and goes on when it hears of the first."""
    said = means(asked)
    return Said(text=said.text, calls=said.calls[:1], thoughts=said.thoughts)


def all_in_one(asked: Asked) -> Said:
    """A model that puts all items in one call, where its protocol has no word for several calls."""
    said = means(asked)
    items = [item for _, arguments in said.calls for item in arguments.get("items", ())]
    return Said(calls=[(said.calls[0][0], {"items": items})]) if items else Said(text=said.text, calls=said.calls[:1])


@pytest.mark.parametrize("oddity", Oddity)
@pytest.mark.parametrize("provider", BY_NAME)
async def test_what_is_added_is_remembered_and_what_is_asked_is_answered(
    open_mirix: OpenMirix, monkeypatch: pytest.MonkeyPatch, provider: str, oddity: Oddity
) -> None:
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")  # Azure's own variable
    profile = BY_NAME[provider]
    script = means
    if oddity is Oddity.NO_PARALLEL_CALLS:
        script = one_at_a_time if isinstance(profile.wire, OpenAIWire) else all_in_one
    told: list[str] = []
    with ProviderServer(profile, script, oddity) as server:
        memory = await open_mirix(
            chat_model=profile.setting, model_base_url=server.root, model_api_key=SecretStr(KEY), model_timeout_s=10.0
        )
        added = await memory.add(TEXT)
        answer = await memory.ask("What does Oda do?", on_text=told.append)
    assert added.batches[0].problems == ()
    assert await texts(memory) == sorted([LINE, "Plays harpsichords", "Repairs harpsichords in Tromsø"])
    assert re.fullmatch(r"Oda repairs harpsichords \[\d+\]\.", answer.text)
    assert answer.known and [citation.quote for citation in answer.citations] == ["Repairs harpsichords in Tromsø"]
    # A model may say something before it searches; what it thinks, and its calls, are not told.
    assert "".join(told).removeprefix("I will do that.\n") == answer.text


MARKS = (
    in_json,
    in_fence,
    in_hermes_tags,
    in_mistral_marks,
    in_function_tags,
    in_coder_tags,
    in_deepseek_marks,
    in_old_deepseek_marks,
    in_dsml,
    in_anthropic_tags,
    in_kimi_marks,
    in_glm_tags,
    in_python,
    in_python_list,
)
NOTES = {
    "type": "function",
    "function": {
        "name": "take_notes",
        "parameters": {
            "type": "object",
            "properties": {
                "title": {"type": "string"},
                "pages": {"type": "integer"},
                "notes": {"type": "array", "items": {"type": "string"}},
            },
        },
    },
}


@pytest.mark.parametrize("marks", MARKS, ids=lambda marks: marks.__name__.removeprefix("in_"))
async def test_calls_in_every_known_mark_are_made(marks: Any) -> None:
    calls = [
        ("take_notes", {"title": "42", "pages": 3, "notes": ["面包 {rye}", 'a "quote" <b>']}),
        ("take_notes", {"title": "二", "pages": 4, "notes": []}),
    ]
    with FakeOpenAI([ServerReply(text=f"{marks(calls)}")]) as server:
        async with model_at(server.base_url) as model:
            reply = await call_model(model, [HumanMessage("Note it.")], [NOTES])
    assert [(each.name, dict(each.arguments), each.error) for each in reply.calls] == [(*each, None) for each in calls]
    assert reply.text in ("", "I will do that.")


@asynccontextmanager
async def model_at(url: str, setting: str = "openai:any", **options: Any) -> AsyncIterator[BaseChatModel]:
    given: dict[str, Any] = {"api_key": KEY, "max_retries": 0, "timeout_s": 5.0, **options}
    model = make_chat_model(setting, base_url=url, **given)
    try:
        yield model
    finally:
        await close_chat_model(model)


# ---- what fails, fails in our words

REFUSALS: Mapping[str, tuple[Refused, type[ModelError], str]] = {
    "wrong key": (Refused("bad key", status=401, kind="authentication_error"), ModelError, "MIRIX_MODEL_API_KEY"),
    "no such model": (Refused("no such model", status=404, kind="not_found_error"), ModelError, "MIRIX_CHAT_MODEL"),
    "too often": (Refused("slow down", status=429, kind="rate_limit_error"), ModelUnavailable, "too often.*slow down"),
    "broken": (Refused("oh", status=500, kind="api_error"), ModelUnavailable, r"\(500\)"),
    "overloaded": (Refused("Overloaded", status=529, kind="overloaded_error"), ModelUnavailable, r"\(529\)"),
    "too long": (Refused("This model's maximum context length is 4096 tokens"), ModelError, "more than its context"),
    "too long, Anthropic": (Refused("prompt is too long: 5 tokens > 4 maximum"), ModelError, "more than its context"),
    "too long, Gemini": (
        Refused("The input token count (5) exceeds the maximum number of tokens allowed (4)."),
        ModelError,
        "more than its context",
    ),
    "too long, GLM": (Refused("Prompt 超长"), ModelError, "more than its context"),
    "filtered": (Refused("The response was filtered due to content management policy."), ModelError, "content filter"),
    "no tools": (Refused("registry.ollama.ai/library/gemma3 does not support tools"), ModelError, "without tool calls"),
    "no tools, vLLM": (
        Refused('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        ModelError,
        "without tool calls",
    ),
    "no tools, llama.cpp": (Refused("tools param requires --jinja flag", status=500), ModelError, "without tool calls"),
    "unpaid": (Refused("Insufficient Balance", status=402), ModelUnavailable, "paid"),
}


@pytest.mark.parametrize("provider", BY_NAME)
async def test_refusals_are_told_in_our_words(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    profile, waiting = BY_NAME[provider], list(REFUSALS)

    def refuse(_: Asked) -> Said:
        raise REFUSALS[waiting[0]][0]

    with ProviderServer(profile, refuse) as server:
        async with model_at(server.root, profile.setting) as model:
            while waiting:
                _, kind, told = REFUSALS[waiting[0]]
                with pytest.raises(ModelError, match=told) as caught:
                    await call_model(model, [HumanMessage("hi")], [NOTES])
                assert type(caught.value) is kind, waiting[0]
                assert KEY not in str(caught.value)
                waiting.pop(0)


BROKEN: Mapping[str, tuple[ServerReply, type[ModelError]]] = {
    "a page": (ServerReply(body=b"<html>Gateway</html>", headers={"Content-Type": "text/html"}), ModelReplyError),
    "an error page": (
        ServerReply(status=502, body=b"<html>Bad</html>", headers={"Content-Type": "text/html"}),
        ModelUnavailable,
    ),
    "nothing in time": (ServerReply(hangs=True), ModelUnavailable),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("provider", ["OpenAI", "Azure", "Gemini", "Anthropic"])  # the clients
async def test_a_broken_server_is_told_from_a_wrong_answer(
    monkeypatch: pytest.MonkeyPatch, provider: str, broken: str
) -> None:
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    reply, kind = BROKEN[broken]
    with FixedServer(reply) as server:
        async with model_at(server.root(BY_NAME[provider]), BY_NAME[provider].setting) as model:
            with pytest.raises(ModelError) as caught:
                await call_model(model, [HumanMessage("hi")], deadline_s=0.4 if reply.hangs else 10)
    assert type(caught.value) is kind


class FixedServer(FakeOpenAI):
    """Answers everything with one thing."""

    def __init__(self, reply: ServerReply) -> None:
        self._reply = reply
        super().__init__()

    def root(self, profile: Profile) -> str:
        return self.base_url.removesuffix("/v1") + profile.base

    def answer(self, request: ServerRequest) -> ServerReply:
        return self._reply


OVERLOADED = '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
STREAMED = {"Content-Type": "text/event-stream"}


@pytest.mark.parametrize(
    ("provider", "reply"),
    [
        ("OpenAI", ServerReply(body=f"data: {OVERLOADED}\n\n".encode(), headers=STREAMED)),
        ("Anthropic", ServerReply(body=f"event: error\ndata: {OVERLOADED}\n\n".encode(), headers=STREAMED)),
        ("OpenAI", ServerReply(body=OVERLOADED.encode())),  # a gateway
    ],
)
async def test_an_error_within_an_answer_may_pass(provider: str, reply: ServerReply) -> None:
    on_text = (lambda _: None) if reply.headers else None
    with FixedServer(reply) as server:
        async with model_at(server.root(BY_NAME[provider]), BY_NAME[provider].setting) as model:
            with pytest.raises(ModelUnavailable, match="Overloaded"):
                await call_model(model, [HumanMessage("hi")], on_text=on_text)


@pytest.mark.parametrize("provider", ["OpenAI", "Azure", "Gemini", "Anthropic"])
async def test_a_stream_that_breaks_off_is_no_answer(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    profile = BY_NAME[provider]
    with ProviderServer(profile, lambda _: Said(text="Oda repairs harpsichords in her workshop.")) as server:
        async with model_at(server.root, profile.setting) as model:
            whole = await call_model(model, [HumanMessage("hi")], on_text=lambda _: None)
        [request] = server.requests
        body = profile.wire.write(Said(text=whole.text), request, profile, Oddity.NONE).body or b""
    cut = ServerReply(body=body, headers=STREAMED, cut_after=body.index(b"Oda") + 2)
    with FixedServer(cut) as broken:
        async with model_at(broken.root(profile), profile.setting) as model:
            with pytest.raises((ModelUnavailable, ModelReplyError)):
                await call_model(model, [HumanMessage("hi")], on_text=lambda _: None)


NOTHING = {"role": "assistant", "content": ""}
FILTERED: Mapping[str, dict[str, Any]] = {
    "OpenAI": {"choices": [{"index": 0, "message": NOTHING, "finish_reason": "content_filter"}]},
    "GLM": {"choices": [{"index": 0, "message": NOTHING, "finish_reason": "sensitive"}]},
    "Anthropic": {"id": "1", "type": "message", "role": "assistant", "model": "any", "content": []}
    | {"stop_reason": "refusal", "usage": {"input_tokens": 1, "output_tokens": 1}},
    "Gemini": {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
}


@pytest.mark.parametrize("provider", FILTERED)
async def test_an_answer_that_a_filter_held_back_is_told(provider: str) -> None:
    with FixedServer(ServerReply(body=dumps(FILTERED[provider]).encode())) as server:
        async with model_at(server.root(BY_NAME[provider]), BY_NAME[provider].setting) as model:
            with pytest.raises(ModelReplyError, match="content filter"):
                await call_model(model, [HumanMessage("hi")])


# ---- pictures

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.mark.parametrize("provider", BY_NAME)
async def test_a_picture_arrives_in_the_shape_of_the_provider(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    profile = BY_NAME[provider]
    question = HumanMessage([{"type": "text", "text": "What is this?"}, image_block(PIXEL, mime_type="image/png")])
    with ProviderServer(profile, lambda asked: Said(text=f"{len(asked.images)} picture")) as server:
        async with model_at(server.root, profile.setting) as model:
            reply = await call_model(model, [question])
        [asked] = server.asked
    assert reply.text == "1 picture"
    assert asked.images == (("image/png", PIXEL),) and "What is this?" in asked.text


# ---- keys


async def test_no_key_of_another_service_goes_to_a_server_named_by_url(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI", "ANTHROPIC", "GOOGLE"):
        monkeypatch.setenv(f"{name}_API_KEY", f"sk-{name.lower()}-of-somebody")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    for profile in PROFILES:
        with ProviderServer(profile, lambda _: Said(text="Hello.")) as server:
            async with model_at(server.root, profile.setting, api_key=None) as model:
                if profile.name == "Azure":
                    assert (await call_model(model, [HumanMessage("hi")])).text == "Hello."
                else:
                    with pytest.raises(ModelError):
                        await call_model(model, [HumanMessage("hi")])
        assert "of-somebody" not in str([request.headers for request in server.requests])
