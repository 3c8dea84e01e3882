from __future__ import annotations

import asyncio

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool

from mirix.errors import ModelUnavailable
from mirix.models.chat import call_model
from mirix.models.fake import ScriptedChatModel, ScriptedRequest, replies_by_tool

ASKED = [HumanMessage("What about the boat?")]


@tool
def note(text: str) -> str:
    """Take a note."""
    return text


@tool
def search(query: str) -> str:
    """Search."""
    return query


async def test_replies_come_in_order_and_requests_are_kept() -> None:
    model = ScriptedChatModel(
        script=["Yes.", {"tool_calls": [{"name": "note", "args": {"text": "船"}}]}, AIMessage("Done.")]
    )
    replies = [await call_model(model, ASKED, [note], tool_choice="any") for _ in range(3)]
    assert [reply.text for reply in replies] == ["Yes.", "", "Done."]
    assert replies[1].calls[0].arguments == {"text": "船"}
    assert [request.tools for request in model.requests] == [("note",)] * 3
    assert model.requests[0].text == "What about the boat?"
    assert model.requests[0].options == {"tool_choice": "any"}


async def test_asking_beyond_the_script_fails() -> None:
    model = ScriptedChatModel(script=["once"])
    await call_model(model, ASKED)
    with pytest.raises(AssertionError, match="1 replies"):
        await call_model(model, ASKED)


async def test_scripted_exception_is_raised() -> None:
    with pytest.raises(ModelUnavailable):
        await call_model(ScriptedChatModel(script=[ModelUnavailable("gone")]), ASKED)


async def test_callable_script_sees_the_request() -> None:
    def script(request: ScriptedRequest) -> str:
        return request.text[::-1]

    assert (await call_model(ScriptedChatModel(script=script), [HumanMessage("abc")])).text == "cba"


async def test_parallel_agents_get_their_own_replies() -> None:
    by_tool = {"note": ["first note", "second note"], "search": ["found"]}
    model = ScriptedChatModel(script=replies_by_tool(by_tool))
    replies = await asyncio.gather(*(call_model(model, ASKED, [each]) for each in (search, note, note)))
    assert replies[0].text == "found"
    assert {reply.text for reply in replies[1:]} == {"first note", "second note"}
    with pytest.raises(AssertionError, match="no reply is left"):
        await call_model(model, ASKED, [search])


async def test_text_and_calls_are_streamed() -> None:
    model = ScriptedChatModel(script=[{"content": "one\ntwo", "tool_calls": [{"name": "note", "args": {"text": "x"}}]}])
    pieces: list[str] = []
    reply = await call_model(model, ASKED, [note], on_text=pieces.append)
    assert pieces == ["one\n", "two"]
    assert reply.calls[0].arguments == {"text": "x"}
