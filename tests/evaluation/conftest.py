"""A scripted model that files by key words and answers by rote, and a memory that has it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from mirix.config import Settings
from mirix.errors import ModelError
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.system import AsyncMirix

_MESSAGE = re.compile(r'<message id="(?P<handle>\w+)"[^>]*>\n(?P<text>.*?)\n</message>', re.DOTALL)
_ITEM = re.compile(r"^\[(?P<number>\d+)\] [^\n]*?: (?P<text>.*(?:\n  .*)*)", re.MULTILINE)
_QUESTION = re.compile(r"<question[^>]*>(?P<text>.*?)</question>", re.DOTALL)
BROKEN = "break the model"

# What a message with this word is filed as.
FILED_AS = {"gluten": "core", "harbour": "semantic", "猫": "semantic"}
# What a question is answered with: the first item that holds the word.
ANSWERED_BY = {"pilot": "harbour", "wifi": "vault:", "小猫": "猫"}


def script(request: ScriptedRequest) -> Reply:
    """One reply for each of the agents."""
    human = request.messages[-1].text
    question = _QUESTION.search(human)
    if BROKEN in (question["text"] if question else human):
        raise ModelError("the model is broken")
    if "trigger_memory_update" in request.tools:
        return _calls("trigger_memory_update", updates=_routes(human))
    if "core_memory_append" in request.tools:
        return _calls("core_memory_append", lines=[{"label": "human", "line": _said(human)}])
    if "semantic_memory_insert" in request.tools:
        item = {"name": "it", "kind": "concept", "summary": _said(human), "details": _said(human)}
        return _calls("semantic_memory_insert", items=[item])
    if "set_topics" in request.tools:
        return _calls("set_topics", topics=[])
    return _answer(human)


def _calls(name: str, **args: Any) -> Reply:
    return {"tool_calls": [{"name": name, "args": args}]}


def _routes(human: str) -> Sequence[Mapping[str, Any]]:
    return [
        {"memory_type": kind, "messages": [message["handle"]]}
        for message in _MESSAGE.finditer(human)
        for word, kind in FILED_AS.items()
        if word in message["text"]
    ]


def _said(human: str) -> str:
    messages = list(_MESSAGE.finditer(human))
    return messages[-1]["text"]


def _answer(human: str) -> str:
    found = _QUESTION.search(human)
    assert found
    for asked, word in ANSWERED_BY.items():
        for item in _ITEM.finditer(human):
            if asked in found["text"] and word in item["text"]:
                return f"{item['text']} [{item['number']}]"
    return "I don't know."


@pytest.fixture
def model() -> ScriptedChatModel:
    return ScriptedChatModel(script=script)


@pytest.fixture
async def memory(settings: Settings, empty: None, model: ScriptedChatModel) -> AsyncIterator[AsyncMirix]:
    async with AsyncMirix(settings, model=model) as opened:
        yield opened
