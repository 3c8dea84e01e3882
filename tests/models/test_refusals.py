"""Servers that refuse a part of a request: it is left out from then on, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from mirix.errors import ModelError
from mirix.models.chat import call_model, close_chat_model, image_block, make_chat_model
from mirix.models.fake_server import FakeOpenAI, ServerReply, ServerRequest
from mirix.models.refusals import one_call_each

NOTE = {
    "type": "function",
    "function": {"name": "take_note", "parameters": {"type": "object", "properties": {"text": {"type": "string"}}}},
}
ASKED: list[BaseMessage] = [SystemMessage("You take notes."), HumanMessage("Note: bread.")]


def made(*ids: str, **more: Any) -> AIMessage:
    return AIMessage(content="", tool_calls=[{"name": "take_note", "args": {}, "id": each} for each in ids], **more)


def result(identity: str) -> ToolMessage:
    return ToolMessage(f"ok {identity}", tool_call_id=identity)


TALK = [*ASKED, made("a", "b"), result("a"), result("b")]
THOUGHT = [*ASKED, made("a", additional_kwargs={"reasoning": "Bread, then."}), result("a")]


def roles(request: ServerRequest) -> list[str]:
    return [message["role"] for message in request.body["messages"]]


# what the server says, when it says so, and what is asked of it
REFUSALS: Mapping[str, tuple[str, Callable[[ServerRequest], bool], Mapping[str, Any]]] = {
    "a forced tool": (
        "deepseek-reasoner does not support this tool_choice",
        lambda request: "tool_choice" in request.body,
        {"tool_choice": "take_note"},
    ),
    "the option for parallel calls": (
        "Unsupported parameter: 'parallel_tool_calls' is not supported with this model.",
        lambda request: "parallel_tool_calls" in request.body,
        {"parallel": False},
    ),
    "several calls in a message": (
        "This model only supports single tool-calls at once!",
        lambda request: any(len(message.get("tool_calls", ())) > 1 for message in request.body["messages"]),
        {"messages": TALK},
    ),
    "a system prompt": ("System role not supported", lambda request: "system" in roles(request), {}),
    "counting the tokens of a stream": (
        "Unrecognized request argument supplied: stream_options",
        lambda request: "stream_options" in request.body,
        {"on_text": lambda _: None},
    ),
    "what was thought": (
        "'messages.2' : for 'role:assistant' the following must be satisfied: property 'reasoning' is unsupported",
        lambda request: any("reasoning" in message for message in request.body["messages"]),
        {"messages": THOUGHT},
    ),
    "a call without what was thought": (
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
        lambda request: not all(m.get("reasoning_content") for m in request.body["messages"] if m.get("tool_calls")),
        {"messages": TALK},
    ),
}


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("refused", REFUSALS)
async def test_what_a_server_refuses_is_left_out_from_then_on(refused: str, status: int) -> None:
    words, is_there, options = REFUSALS[refused]
    refusals = 0

    def script(request: ServerRequest) -> ServerReply:
        nonlocal refusals
        if is_there(request):
            refusals += 1
            return ServerReply(status=status, text=words)
        assert "You take notes." in request.text and "Note: bread." in request.text  # no content is given up
        return ServerReply(text="Noted.")

    with FakeOpenAI(script) as server:
        model = make_chat_model("openai:any", base_url=server.base_url, max_retries=0)
        given = {"messages": ASKED, **options}
        replies = [await call_model(model, given["messages"], [NOTE], **_without(given)) for _ in range(2)]
        await close_chat_model(model)
    assert [reply.text for reply in replies] == ["Noted.", "Noted."]
    assert refusals == 1
    assert len(server.requests) == 3


def _without(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key != "messages"}


@pytest.mark.parametrize("words", ["tool_choice is wrong", "Model overloaded: parallel_tool_calls", "nothing is right"])
async def test_a_refusal_that_names_nothing_of_the_request_is_an_error(words: str) -> None:
    with FakeOpenAI([ServerReply(status=400, text=words)]) as server:
        model = make_chat_model("openai:any", base_url=server.base_url, max_retries=0)
        with pytest.raises(ModelError, match=words):
            await call_model(model, ASKED, [NOTE])
        await close_chat_model(model)
    assert len(server.requests) == 1


async def test_a_server_that_goes_on_refusing_is_not_asked_for_ever() -> None:
    def refuse(_: ServerRequest) -> ServerReply:
        return ServerReply(status=400, text="tool_choice, parallel_tool_calls, system role")

    with FakeOpenAI(refuse) as server:
        model = make_chat_model("openai:any", base_url=server.base_url, max_retries=0)
        with pytest.raises(ModelError):
            await call_model(model, ASKED, [NOTE], tool_choice="take_note", parallel=False)
        await close_chat_model(model)
    assert len(server.requests) == 4


async def test_a_system_prompt_goes_in_front_of_a_picture() -> None:
    picture = HumanMessage([{"type": "text", "text": "What is this?"}, image_block(b"x", mime_type="image/png")])

    def script(request: ServerRequest) -> ServerReply:
        if "system" in roles(request):
            return ServerReply(status=400, text="System role not supported")
        return ServerReply(text=request.text + f" {len(request.images)}")

    with FakeOpenAI(script) as server:
        model = make_chat_model("openai:any", base_url=server.base_url, max_retries=0)
        reply = await call_model(model, [ASKED[0], picture])
        await close_chat_model(model)
    assert reply.text == "You take notes.\nWhat is this? 1"


async def test_calls_of_a_server_that_takes_one_at_a_time_are_gathered() -> None:
    def script(request: ServerRequest) -> ServerReply:
        if "parallel_tool_calls" in request.body:
            return ServerReply(status=400, text="parallel_tool_calls is not supported")
        heard = roles(request).count("tool")
        texts = ["bread", "milk", "milk"]  # a model that begins to repeat itself
        return ServerReply(text=None, tool_calls=[("take_note", {"text": texts[heard]})])

    with FakeOpenAI(script) as server:
        model = make_chat_model("openai:any", base_url=server.base_url, max_retries=0)
        reply = await call_model(model, ASKED, [NOTE], parallel=True)
        await close_chat_model(model)
    assert [call.arguments["text"] for call in reply.calls] == ["bread", "milk"]
    assert len({call.id for call in reply.calls}) == 2
    assert [call["id"] for call in reply.message.tool_calls] == [call.id for call in reply.calls]
    assert reply.input_tokens > 3 * 20


def test_each_call_is_followed_by_its_own_result() -> None:
    single = one_call_each([*TALK, HumanMessage("Thanks.")])
    assert [message.type for message in single] == ["system", "human", "ai", "tool", "ai", "tool", "human"]
    assert [each.tool_call_id for each in single if isinstance(each, ToolMessage)] == ["a", "b"]
    assert [each.tool_calls[0]["id"] for each in single if isinstance(each, AIMessage)] == ["a", "b"]
