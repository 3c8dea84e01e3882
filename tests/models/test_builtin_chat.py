"""The built-in model behaves like any chat model: tools in, tool calls or text out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage

from mirix.models.builtin import BuiltinChatModel
from mirix.models.builtin.language import as_written, narrow

EVIDENCE = """<now>2026-11-13T10:00:00+01:00 Friday</now>
<evidence>
<message id="e1" at="2026-11-13T09:12:00+01:00" role="user" speaker="Anna" source="chat">
I moved to Bergen last Friday [2026-11-06].
</message>
<message id="e2" at="2026-11-13T09:13:00+01:00" role="assistant" speaker="Assistant" source="chat">
Noted.
</message>
</evidence>
<memories></memories>"""

QUESTION = """<now>2026-11-13T10:00:00+01:00 Friday</now>
<context>
[1] 2026-11-13 09:12 Anna: I moved to Bergen.
</context>
<question asked_at="2026-11-13T10:00:00+01:00">{question}</question>"""


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": "", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def model() -> BuiltinChatModel:
    return BuiltinChatModel()


def ask(model: BuiltinChatModel, text: str, *names: str) -> AIMessage:
    return model.bind_tools([tool(name) for name in names]).invoke([SystemMessage("prompt"), HumanMessage(text)])


def test_the_router_names_kinds_and_messages(model: BuiltinChatModel) -> None:
    reply = ask(model, EVIDENCE, "trigger_memory_update")
    (call,) = reply.tool_calls
    updates = {update["memory_type"]: update["messages"] for update in call["args"]["updates"]}
    assert updates["core"] == ["e1"]
    assert updates["episodic"] == ["e1"]


def test_nothing_to_keep_is_an_empty_list(model: BuiltinChatModel) -> None:
    text = EVIDENCE.replace("I moved to Bergen last Friday [2026-11-06].", "Hello there!")
    assert ask(model, text, "trigger_memory_update").tool_calls[0]["args"] == {"updates": []}


def test_only_bound_tools_are_called(model: BuiltinChatModel) -> None:
    reply = ask(model, EVIDENCE, "core_memory_append")
    assert {call["name"] for call in reply.tool_calls} == {"core_memory_append"}
    reply = ask(model, EVIDENCE.replace("I moved to Bergen last Friday [2026-11-06].", "Hi!"), "knowledge_vault_insert")
    assert (reply.tool_calls, reply.content) == ([], "Nothing to file.")


def test_the_same_messages_give_the_same_reply_in_every_thread(model: BuiltinChatModel) -> None:
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: ask(model, EVIDENCE, "trigger_memory_update").tool_calls, range(8)))
    assert all(reply == replies[0] for reply in replies)


def test_usage_is_estimated(model: BuiltinChatModel) -> None:
    usage = ask(model, EVIDENCE, "trigger_memory_update").usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens"] > 50


def test_streamed_pieces_add_up_to_the_reply(model: BuiltinChatModel) -> None:
    text = QUESTION.format(question="Where did Anna move?")
    pieces = list(model.stream([HumanMessage(text)]))
    assert "".join(str(piece.content) for piece in pieces) == "I moved to Bergen. [1]"
    whole: AIMessageChunk | None = None
    for piece in model.bind_tools([tool("trigger_memory_update")]).stream([HumanMessage(EVIDENCE)]):
        assert isinstance(piece, AIMessageChunk)
        whole = piece if whole is None else whole + piece
    assert whole is not None
    assert whole.tool_calls == ask(model, EVIDENCE, "trigger_memory_update").tool_calls or whole.tool_calls[0]["args"]
    assert whole.usage_metadata is not None


def test_a_poor_context_is_searched_once_more_and_then_given_up(model: BuiltinChatModel) -> None:
    text = QUESTION.format(question="What is the name of my parrot?")
    reply = ask(model, text, "search_memory")
    assert reply.tool_calls[0]["name"] == "search_memory"
    again = model.bind_tools([tool("search_memory")]).invoke(
        [HumanMessage(text), reply, ToolMessage(content="", tool_call_id=reply.tool_calls[0]["id"])]
    )
    assert (again.tool_calls, again.content) == ([], "I don't know.")
    assert ask(model, text + "\n<final/>", "search_memory").content == "I don't know."


def test_an_answer_may_come_from_the_searched_items(model: BuiltinChatModel) -> None:
    text = QUESTION.format(question="What is the name of Anna's parrot?")
    reply = ask(model, text, "search_memory")
    found = "[2] 2026-11-01 08:30 Anna: My parrot is called Bosun."
    again = model.bind_tools([tool("search_memory")]).invoke(
        [HumanMessage(text), reply, ToolMessage(content=found, tool_call_id=reply.tool_calls[0]["id"])]
    )
    assert again.content == "My parrot is called Bosun. [2]"


def repaired(model: BuiltinChatModel, arguments: dict[str, Any], error: str) -> AIMessage:
    wrong = AIMessage(content="", tool_calls=[{"name": "core_memory_append", "args": arguments, "id": "c1"}])
    return model.bind_tools([tool("core_memory_append")]).invoke(
        [SystemMessage("prompt"), HumanMessage(EVIDENCE), wrong, ToolMessage(content=error, tool_call_id="c1")]
    )


def test_a_wrong_handle_is_cut_in_the_repair_round(model: BuiltinChatModel) -> None:
    line = {"label": "human", "line": "Lives in Bergen", "messages": ["e1", "e9"]}
    reply = repaired(model, {"lines": [line]}, "lines.0.messages: unknown handle e9")
    assert reply.tool_calls[0]["args"] == {"lines": [{**line, "messages": ["e1"]}]}


def test_what_cannot_be_mended_is_left_out(model: BuiltinChatModel) -> None:
    line = {"label": "human", "line": "Lives in Bergen", "messages": ["e1"]}
    reply = repaired(model, {"lines": [line]}, "the block is full")
    assert reply.tool_calls == []
    assert reply.content


def test_an_accepted_call_needs_no_repair(model: BuiltinChatModel) -> None:
    reply = repaired(model, {"lines": []}, "ok")
    assert reply.tool_calls == []


def test_topics_are_set_for_a_question(model: BuiltinChatModel) -> None:
    text = '<now>2026-11-13</now><question asked_at="2026-11-13T10:00:00+01:00">When did Ola visit Bergen?</question>'
    assert ask(model, text, "set_topics").tool_calls[0]["args"] == {"topics": ["Ola visit Bergen", "Ola", "Bergen"]}


def test_full_width_punctuation_is_read_and_kept_as_it_was_written() -> None:
    written = "我叫郑禾，做木雕的；对芝麻过敏！"
    assert narrow(written) == "我叫郑禾,做木雕的;对芝麻过敏!"
    assert as_written("对芝麻过敏!", written) == "对芝麻过敏！"
    assert as_written("郑禾,木雕", written) == "郑禾，木雕"
    assert as_written("a, b!", "plain, text!") == "a, b!"
