"""Every way a model answers, driven through the real OpenAI client and a real connection."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from mirix.errors import ConfigError, ModelError, ModelReplyError, ModelUnavailable
from mirix.models.chat import ModelReply, call_model, close_chat_model, image_block, make_chat_model
from mirix.models.fake_server import FakeOpenAI, ServerReply, ServerRequest

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
KEY = "sk-invented-0123456789"
NOTE: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "take_note",
        "description": "Take a note.",
        "parameters": {
            "type": "object",
            "properties": {"text": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
            "required": ["text"],
        },
    },
}
DROP: dict[str, Any] = {
    "type": "function",
    "function": {"name": "drop_note", "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}}},
}
ASKED: Sequence[BaseMessage] = (SystemMessage("You take notes."), HumanMessage("Note: 牛奶 and bread."))


@asynccontextmanager
async def model_at(server: FakeOpenAI, **options: Any) -> AsyncIterator[BaseChatModel]:
    settings: dict[str, Any] = {"base_url": server.base_url, "max_retries": 0, "timeout_s": 5.0, **options}
    model = make_chat_model("openai:any-model", **settings)
    try:
        yield model
    finally:
        await close_chat_model(model)


async def ask(reply: ServerReply, tools: Sequence[Mapping[str, Any]] = (), **options: Any) -> ModelReply:
    """One reply of the server, as call_model gives it back."""
    with FakeOpenAI([reply]) as server:
        async with model_at(server) as model:
            return await call_model(model, ASKED, tools, **options)


# ---- good answers


async def test_text_answer_comes_with_its_usage() -> None:
    reply = await ask(ServerReply(text="  Noted: 牛奶.\n"))
    assert reply.text == "Noted: 牛奶."
    assert reply.calls == ()
    assert reply.input_tokens > 0
    assert not reply.is_usage_estimated
    assert reply.finish_reason == "stop"
    assert reply.ms > 0


async def test_several_tool_calls_keep_their_order_and_arguments() -> None:
    calls: list[tuple[str, Any]] = [("take_note", {"text": "牛奶", "tags": ["buy"]}), ("drop_note", {"number": 3})]
    reply = await ask(ServerReply(text=None, tool_calls=calls), [NOTE, DROP])
    assert [(call.name, call.arguments, call.error) for call in reply.calls] == [(*call, None) for call in calls]


async def test_tools_and_messages_reach_the_server_as_they_are() -> None:
    with FakeOpenAI([ServerReply()]) as server:
        async with model_at(server) as model:
            await call_model(model, ASKED, [NOTE], tool_choice="take_note", parallel=False)
    body = server.requests[0].body
    assert body["tools"] == [NOTE]
    assert body["tool_choice"]["function"]["name"] == "take_note"
    assert body["parallel_tool_calls"] is False
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["model"] == "any-model"


async def test_nothing_about_tool_choice_is_sent_unless_asked_for() -> None:
    with FakeOpenAI([ServerReply()]) as server:
        async with model_at(server) as model:
            await call_model(model, ASKED, [NOTE])
    assert not {"tool_choice", "parallel_tool_calls"} & server.requests[0].body.keys()


async def test_picture_arrives_byte_for_byte() -> None:
    message = HumanMessage([{"type": "text", "text": "What is this?"}, image_block(PIXEL, mime_type="image/png")])
    with FakeOpenAI([ServerReply(text="A dot.", has_usage=False)]) as server:
        async with model_at(server) as model:
            reply = await call_model(model, [message])
    assert server.requests[0].images == (("image/png", PIXEL),)
    assert server.requests[0].text == "What is this?"
    assert reply.input_tokens > 500  # a picture counts in estimates too


async def test_missing_usage_is_estimated_and_flagged() -> None:
    reply = await ask(ServerReply(text=None, tool_calls=[("take_note", {"text": "牛奶"})], has_usage=False), [NOTE])
    assert reply.is_usage_estimated
    assert reply.input_tokens > 20
    assert reply.output_tokens > 3


async def test_cached_tokens_are_counted() -> None:
    usage = {
        "prompt_tokens": 90,
        "completion_tokens": 2,
        "total_tokens": 92,
        "prompt_tokens_details": {"cached_tokens": 64},
    }
    message = {"role": "assistant", "content": "ok"}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage}
    body["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
    reply = await ask(ServerReply(body=json.dumps(body).encode()))
    assert (reply.input_tokens, reply.output_tokens, reply.cached_tokens) == (90, 2, 64)


async def test_streamed_text_is_handed_over_piece_by_piece() -> None:
    pieces: list[str] = []
    reply = await ask(ServerReply(text="牛奶 and bread."), on_text=pieces.append)
    assert len(pieces) == 2
    assert "".join(pieces) == reply.text == "牛奶 and bread."
    assert reply.input_tokens > 0
    assert not reply.is_usage_estimated


async def test_streamed_tool_calls_are_put_together() -> None:
    calls: list[tuple[str, Any]] = [("take_note", {"text": "bread"}), ("drop_note", {"number": 1})]
    reply = await ask(ServerReply(tool_calls=calls), [NOTE, DROP], on_text=lambda _: None)
    assert [(call.name, call.arguments) for call in reply.calls] == calls


# ---- answers that need mending


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "take_note", "arguments": {"text": "bread {fresh}"}}',
        'I will note it.\n```json\n{"name": "take_note", "arguments": {"text": "bread {fresh}"}}\n```',
        '<tool_call>\n{"name": "take_note", "arguments": {"text": "bread {fresh}"}}\n</tool_call>',
        '[TOOL_CALLS][{"name": "take_note", "arguments": {"text": "bread {fresh}"}}]',
        '<|python_tag|>{"name": "take_note", "parameters": {"text": "bread {fresh}"}}',
        '<function=take_note>{"text": "bread {fresh}"}</function>',
        '{"tool_calls": [{"function": {"name": "take_note", "arguments": "{\\"text\\": \\"bread {fresh}\\"}"}}]}',
        '{"take_note": {"text": "bread {fresh}"}}',
        '<think>{"name": "drop_note"} is wrong.</think>{"tool": "take_note", "args": {"text": "bread {fresh}"}}',
    ],
)
async def test_tool_call_written_as_text_is_made(text: str) -> None:
    reply = await ask(ServerReply(text=text), [NOTE, DROP])
    assert [(call.name, call.arguments, call.error) for call in reply.calls] == [
        ("take_note", {"text": "bread {fresh}"}, None)
    ]
    assert "{" not in reply.text
    assert reply.message.tool_calls[0]["id"] == reply.calls[0].id


async def test_several_calls_written_as_lines_are_all_made() -> None:
    lines = [
        json.dumps({"name": "take_note", "arguments": {"text": text}}, ensure_ascii=False) for text in ("面包", "milk")
    ]
    reply = await ask(ServerReply(text="\n".join(lines)), [NOTE, DROP])
    assert [call.arguments["text"] for call in reply.calls] == ["面包", "milk"]
    assert len({call.id for call in reply.calls}) == 2


async def test_bare_arguments_count_as_a_call_of_the_only_tool() -> None:
    reply = await ask(ServerReply(text='{"text": "bread"}'), [NOTE])
    assert [(call.name, call.arguments) for call in reply.calls] == [("take_note", {"text": "bread"})]


@pytest.mark.parametrize(
    ("text", "tools"),
    [
        ('The file says {"name": "server", "arguments": {"port": 1}}.', [NOTE]),  # no such tool, nothing marks a call
        ('{"name": "take_note", "arguments": {"text": "x"}}', []),  # no tools were offered
        ('{"size": 3}', [NOTE]),  # does not fit the only tool
        ("Use {braces} and [brackets] with care.", [NOTE]),
    ],
)
async def test_json_that_is_no_call_stays_text(text: str, tools: Sequence[Mapping[str, Any]]) -> None:
    reply = await ask(ServerReply(text=text), tools)
    assert reply.calls == ()
    assert reply.text == text


async def test_text_full_of_braces_is_read_quickly() -> None:
    reply = await ask(ServerReply(text="[{" * 50_000), [NOTE], deadline_s=5)
    assert reply.calls == ()


@pytest.mark.parametrize("streamed", [False, True])
async def test_arguments_packed_in_a_string_twice_are_unpacked(streamed: bool) -> None:
    packed = ServerReply(tool_calls=[("take_note", json.dumps(json.dumps({"text": "面包"})))])
    reply = await ask(packed, [NOTE], on_text=(lambda _: None) if streamed else None)
    assert [(call.arguments, call.error) for call in reply.calls] == [({"text": "面包"}, None)]


async def test_arguments_sent_as_an_object_are_taken() -> None:
    function = {"name": "take_note", "arguments": {"text": "bread"}}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "a", "type": "function", "function": function}],
    }
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    reply = await ask(ServerReply(body=json.dumps(body).encode()), [NOTE])
    assert [(call.arguments, call.id) for call in reply.calls] == [({"text": "bread"}, "a")]


@pytest.mark.parametrize("streamed", [False, True])
async def test_arguments_that_are_no_object_spoil_only_their_own_call(streamed: bool) -> None:
    calls: list[tuple[str, Any]] = [("take_note", '["bread"]'), ("take_note", {"text": "ok"})]
    reply = await ask(ServerReply(tool_calls=calls), [NOTE], on_text=(lambda _: None) if streamed else None)
    assert sorted(call.error is None for call in reply.calls) == [False, True]
    assert [dict(call.arguments) for call in reply.calls if call.error is None] == [{"text": "ok"}]


@pytest.mark.parametrize("content", [[{"type": "text", "text": "Bre"}, {"type": "text", "text": "ad."}], "Bread."])
async def test_content_in_parts_is_text(content: Any) -> None:
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}]}
    assert (await ask(ServerReply(body=json.dumps(body).encode()))).text == "Bread."


@pytest.mark.parametrize("arguments", [None, "", " "])
async def test_a_call_without_arguments_is_a_call(arguments: str | None) -> None:
    function = {"name": "drop_note", "arguments": arguments}
    message = {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": function}]}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    reply = await ask(ServerReply(body=json.dumps(body).encode()), [DROP])
    assert [(call.name, call.arguments, call.error) for call in reply.calls] == [("drop_note", {}, None)]
    assert reply.calls[0].id


async def test_a_call_that_stands_only_in_the_reasoning_is_made() -> None:
    thought = 'I will note it.\n<tool_call>{"name": "take_note", "arguments": {"text": "bread"}}</tool_call>'
    reply = await ask(ServerReply(text=None, extra={"reasoning_content": thought}), [NOTE, DROP])
    assert [(call.name, call.arguments) for call in reply.calls] == [("take_note", {"text": "bread"})]
    assert reply.text == ""


async def test_no_limit_of_length_is_sent_by_either_name() -> None:
    with FakeOpenAI([ServerReply()]) as server:
        async with model_at(server) as model:
            await call_model(model, ASKED)
    assert not {"max_tokens", "max_completion_tokens"} & server.requests[0].body.keys()


async def test_an_empty_answer_is_asked_for_again_where_that_is_wanted() -> None:
    with FakeOpenAI([ServerReply(text=""), ServerReply(text="Bread.")]) as server:
        async with model_at(server) as model:
            reply = await call_model(model, ASKED, again_if_empty=True)
    assert reply.text == "Bread."
    assert reply.input_tokens == 2 * (len(server.requests[0].raw) // 4)


async def test_refusal_is_the_text_of_the_answer() -> None:
    reply = await ask(ServerReply(text=None, extra={"refusal": "I cannot help with that."}))
    assert reply.text == "I cannot help with that."


async def test_unreadable_arguments_become_an_error_for_the_model() -> None:
    reply = await ask(ServerReply(tool_calls=[("take_note", '{"text": "bre'), ("take_note", {"text": "ok"})]), [NOTE])
    by_error = {call.error is None: call for call in reply.calls}
    assert by_error[True].arguments == {"text": "ok"}
    assert "JSON" in str(by_error[False].error)
    assert len({call.id for call in reply.calls}) == 2


async def test_unknown_tool_becomes_an_error_that_names_the_tools() -> None:
    reply = await ask(ServerReply(tool_calls=[("make_note", {"text": "bread"})]), [NOTE, DROP])
    assert reply.calls[0].error == "there is no tool 'make_note' here; there are: take_note, drop_note"


async def test_failed_calls_can_be_sent_back_with_their_errors() -> None:
    script = [
        ServerReply(tool_calls=[("take_note", '{"text": "bre')]),
        ServerReply(tool_calls=[("take_note", {"text": "ok"})]),
    ]
    with FakeOpenAI(script) as server:
        async with model_at(server) as model:
            first = await call_model(model, ASKED, [NOTE])
            errors = [ToolMessage(str(call.error), tool_call_id=call.id) for call in first.calls]
            second = await call_model(model, [*ASKED, first.message, *errors], [NOTE])
    assert second.calls[0].arguments == {"text": "ok"}
    sent = server.requests[1].body["messages"]
    assert sent[2]["tool_calls"][0]["id"] == sent[3]["tool_call_id"]
    json.loads(sent[2]["tool_calls"][0]["function"]["arguments"])  # servers refuse a history they cannot parse


@pytest.mark.parametrize("streamed", [False, True])
async def test_call_cut_off_at_the_length_limit_is_an_error(streamed: bool) -> None:
    cut = ServerReply(tool_calls=[("take_note", '{"text": "half a sen')], finish_reason="length")
    reply = await ask(cut, [NOTE], on_text=(lambda _: None) if streamed else None)
    assert reply.is_cut_off
    assert "cut off" in str(reply.calls[0].error)


@pytest.mark.parametrize("text", ["", None])
async def test_empty_answer_is_told_apart(text: str | None) -> None:
    reply = await ask(ServerReply(text=text), [NOTE])
    assert reply.is_empty


async def test_reasoning_is_not_part_of_the_text() -> None:
    in_field = await ask(ServerReply(text="Bread.", extra={"reasoning_content": "hm", "reasoning": "hm"}))
    in_tags = await ask(ServerReply(text="<think>The user {wants} bread.</think>\n\nBread."))
    without_start = await ask(ServerReply(text="The user wants bread.</think>Bread."))
    assert [reply.text for reply in (in_field, in_tags, without_start)] == ["Bread."] * 3


# ---- failures


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_busy_server_is_asked_again(status: int) -> None:
    script = [ServerReply(status=status, headers={"Retry-After-Ms": "5"}), ServerReply(text="Now.")]
    with FakeOpenAI(script) as server:
        async with model_at(server, max_retries=1) as model:
            reply = await call_model(model, ASKED)
    assert reply.text == "Now."
    assert len(server.requests) == 2


async def test_retry_after_is_waited_for_at_least_so_long() -> None:
    script = [ServerReply(status=429, headers={"Retry-After": "0.3"}), ServerReply(text="Now.")]
    with FakeOpenAI(script) as server:
        async with model_at(server, max_retries=1) as model:
            reply = await call_model(model, ASKED)
    assert reply.ms >= 300


@pytest.mark.parametrize("status", [408, 429, 500, 502])
async def test_server_that_stays_busy_is_unavailable(status: int) -> None:
    with pytest.raises(ModelUnavailable, match=str(status)):
        await ask(ServerReply(status=status, text="not now"))


async def test_deadline_bounds_all_retries_together() -> None:
    def busy(_: ServerRequest) -> ServerReply:
        return ServerReply(status=429, headers={"Retry-After": "30"})

    with FakeOpenAI(busy) as server:
        async with model_at(server, max_retries=5) as model:
            with pytest.raises(ModelUnavailable, match="in time"):
                await call_model(model, ASKED, deadline_s=0.2)


@pytest.mark.parametrize("options", [{"timeout_s": 0.1}, {}])
async def test_server_that_never_answers_is_unavailable(options: dict[str, Any]) -> None:
    with FakeOpenAI([ServerReply(hangs=True)]) as server:
        async with model_at(server, **options) as model:
            with pytest.raises(ModelUnavailable, match="in time"):
                await call_model(model, ASKED, deadline_s=None if options else 0.1)


async def test_server_that_is_not_there_is_unavailable() -> None:
    with FakeOpenAI() as server:
        pass
    async with model_at(server) as model:
        with pytest.raises(ModelUnavailable, match="is the server running"):
            await call_model(model, ASKED)


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b"<html>It works!</html>",
        b"null",
        b'{"choices": null}',
        b'{"choices": []}',
        b'{"object": "list"}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": "none"}',
    ],
)
async def test_answer_that_is_no_chat_reply_is_a_reply_error(body: bytes) -> None:
    with pytest.raises(ModelReplyError, match="OpenAI-compatible"):
        await ask(ServerReply(body=body))


async def test_plain_answer_that_breaks_off_is_unavailable() -> None:
    with pytest.raises(ModelUnavailable):
        await ask(ServerReply(text="Bread. " * 50, cut_after=60))


@pytest.mark.parametrize("events", [0, 1, 2, 3])
async def test_stream_that_breaks_off_is_unavailable(events: int) -> None:
    calls: list[tuple[str, Any]] = [("take_note", {"text": "bread"})]
    with pytest.raises((ModelUnavailable, ModelReplyError)):
        await ask(ServerReply(text="Well", tool_calls=calls, cut_after=events), [NOTE], on_text=lambda _: None)


async def test_stream_of_garbage_is_a_reply_error() -> None:
    garbage = ServerReply(body=b"data: {broken\n\ndata: [DONE]\n\n", headers={"Content-Type": "text/event-stream"})
    with pytest.raises(ModelReplyError):
        await ask(garbage, on_text=lambda _: None)


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "MIRIX_MODEL_API_KEY"),
        (403, "MIRIX_MODEL_API_KEY"),
        (404, "MIRIX_CHAT_MODEL"),
        (400, "support tools"),
        (422, "refuses"),
    ],
)
async def test_refusal_tells_what_to_check_and_is_not_repeated(status: int, hint: str) -> None:
    with FakeOpenAI([ServerReply(status=status, text="no")]) as server:
        async with model_at(server, max_retries=3) as model:
            with pytest.raises(ModelError, match=hint) as caught:
                await call_model(model, ASKED)
    assert not isinstance(caught.value, ModelUnavailable | ModelReplyError)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_no_error_or_log_line_shows_the_key(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="mirix")
    with FakeOpenAI([ServerReply(status=status, text=f"Incorrect API key provided: {KEY}")]) as server:
        async with model_at(server, api_key=KEY) as model:
            with pytest.raises(ModelError) as caught:
                await call_model(model, ASKED)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in "".join(_shown(caught.value))
    assert KEY not in "".join(str(vars(record)) for record in caplog.records if record.name.startswith("mirix"))


def _shown(error: BaseException | None) -> list[str]:
    """What a traceback would print of an exception and its causes."""
    texts = []
    while error is not None:
        texts.append(f"{error} {error!r}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return texts


# ---- which model


async def test_key_of_another_service_is_never_sent_to_a_named_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with FakeOpenAI([ServerReply()]) as server:
        async with model_at(server) as model:
            await call_model(model, ASKED)
    assert KEY not in str(server.requests[0].headers)


def test_key_in_the_environment_selects_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert make_chat_model("builtin")._llm_type == "mirix-builtin"


def test_openai_without_any_key_is_a_config_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="MIRIX_MODEL_API_KEY"):
        make_chat_model("openai:gpt-4.1-mini")


@pytest.mark.parametrize("setting", ["", "gpt-4.1-mini", "openai:", "builtin:large", ":x"])
def test_unknown_setting_tells_the_choices(setting: str) -> None:
    with pytest.raises(ConfigError, match="builtin"):
        make_chat_model(setting)


@pytest.mark.parametrize(
    ("setting", "package"),
    [("groq:some-model", "langchain-groq"), ("nowhere:some-model", "langchain langchain-nowhere")],
)
def test_missing_provider_package_is_named(setting: str, package: str) -> None:
    with pytest.raises(ConfigError, match=f"pip install {package}"):
        make_chat_model(setting)


async def test_provider_package_is_used_when_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "langchain_ollama.py").write_text(
        "from langchain_core.language_models.fake_chat_models import GenericFakeChatModel\n"
        "from langchain_core.messages import AIMessage\n"
        "class ChatOllama(GenericFakeChatModel):\n"
        "    model: str = ''\n"
        "    base_url: str = ''\n"
        "    def __init__(self, **given):\n"
        "        super().__init__(messages=iter([AIMessage('Bread.')]), **given)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    model = make_chat_model("ollama:small", base_url="http://127.0.0.1:1")
    reply = await call_model(model, ASKED)
    assert reply.text == "Bread."
    assert reply.is_usage_estimated


async def test_mistakes_of_models_in_this_process_are_not_disguised() -> None:
    from mirix.models.fake import ScriptedChatModel

    with pytest.raises(ZeroDivisionError):
        await call_model(ScriptedChatModel(script=[ZeroDivisionError()]), ASKED)


def test_reply_message_is_left_alone_when_nothing_was_mended() -> None:
    from mirix.models.reply import read_reply

    calls = [{"name": "take_note", "args": {"text": "x"}, "id": "a"}]
    message = AIMessage(content=[{"type": "text", "text": "ok"}], tool_calls=calls)
    reply = read_reply(message, sent=ASKED, tools={"take_note": {}}, ms=1.0)
    assert reply.message is message
