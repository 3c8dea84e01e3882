"""Streams: what the reader is told, and which pieces belong to which call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from mirix.models.streaming import CallNumbers, Teller


def told(pieces: Sequence[str], whole: str = "", *, has_tools: bool = True) -> list[str]:
    heard: list[str] = []
    teller = Teller(heard.append, has_tools=has_tools)
    for piece in pieces:
        teller.hear(piece)
    if whole:
        teller.end(whole)
    return heard


def test_text_is_told_as_it_comes_with_citations_and_references() -> None:
    pieces = ["In ", "Bergen [1", "]. The code", " is {{vault:k7q2}}.", "\n"]
    assert "".join(told(pieces)) == "In Bergen [1]. The code is {{vault:k7q2}}.\n"
    assert len(told(pieces)) == 5


@pytest.mark.parametrize("has_tools", [True, False])
def test_thoughts_are_not_told(has_tools: bool) -> None:
    pieces = ["<th", "ink>\nHm, ", "{maybe}</th", "ink>\n\nIn ", "Bergen."]
    assert told(pieces, has_tools=has_tools) == ["In ", "Bergen."]


@pytest.mark.parametrize(
    "call",
    [
        '{"name": "search", "arguments": {}}',
        "<tool_call>\n{}\n</tool_call>",
        "```json\n{}\n```",
        "[TOOL_CALLS][{}]",
        "[search(query='x')]",
        "<|tool_calls_section_begin|>",
    ],
)
def test_what_may_be_a_call_is_held_back(call: str) -> None:
    assert "".join(told(["I will look. ", *call])) == "I will look. "


def test_what_was_held_back_and_is_text_is_told_at_the_end() -> None:
    text = "Write `x` as <b>x</b>, or {\n  so\n}."
    assert "".join(told(list(text), text)) == text


def test_without_tools_nothing_is_held_back() -> None:
    assert told(["Use <b>", " and {", '"a"}.'], has_tools=False) == ["Use <b>", " and {", '"a"}.']


# pieces as (index, id, name, arguments)
BREAD, MILK = '{"text": "bread"}', '{"text": "milk"}'
Piece: TypeAlias = tuple[int | None, str | None, str | None, str]
WHOLE: Mapping[str, Sequence[Piece]] = {
    "numbered": [(0, "a", "note", ""), (0, None, None, BREAD), (1, "b", "note", ""), (1, None, None, MILK)],
    "interleaved": [(0, "a", "note", ""), (1, "b", "note", ""), (0, None, None, BREAD), (1, None, None, MILK)],
    "all numbered 0": [(0, "a", "note", BREAD), (0, "b", "note", MILK)],
    "all numbered 0, in pieces": [(0, "a", "note", BREAD[:5]), (0, None, None, BREAD[5:]), (0, "b", "note", MILK)],
    "without numbers": [(None, "a", "note", BREAD), (None, "b", "note", MILK)],
    "without ids": [(0, None, "note", BREAD), (0, None, "note", MILK)],
    "named in every piece": [
        (0, "a", "note", ""),
        (0, "a", "note", BREAD),
        (1, "b", "note", ""),
        (1, "b", "note", MILK),
    ],
    "an id for every piece": [(0, "a", "note", BREAD[:5]), (0, "x", "note", BREAD[5:]), (1, "b", "note", MILK)],
}


@pytest.mark.parametrize("way", WHOLE)
def test_pieces_of_calls_come_together(way: str) -> None:
    numbers = CallNumbers()
    whole = AIMessageChunk(content="")
    for index, identity, name, arguments in WHOLE[way]:
        piece = tool_call_chunk(name=name, args=arguments, id=identity, index=index)
        whole += AIMessageChunk(content="", tool_call_chunks=[numbers.renumbered(piece)])
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [
        ("note", json.loads(BREAD)),
        ("note", json.loads(MILK)),
    ]
    assert not whole.invalid_tool_calls
