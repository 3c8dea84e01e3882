"""Schemas in the words that every provider takes, and arguments that were packed wrongly."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from mirix.managers.tools import TOOLS, tool_schemas, trigger_schema
from mirix.models.reply import fitted
from mirix.models.tool_schemas import plain_schema, plain_tool
from mirix.retrieval.answer import SEARCH_SCHEMA
from mirix.retrieval.topics import SCHEMA as TOPICS_SCHEMA
from tests.models.profiles import check_schemas


class _Part(BaseModel):
    """Words for readers of code."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=20_000, pattern="^x")
    kind: Literal["a", "b"] | Literal["c"] | None = Field(default=None, description="which")


class _Whole(BaseModel):
    parts: list[_Part] = Field(min_length=1, description="all of them")
    first: _Part = Field(description="the first")
    size: int | None = None


def test_a_schema_keeps_what_says_what_is_wanted() -> None:
    part = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "kind": {"type": "string", "enum": ["a", "b", "c"], "description": "which"},
        },
        "required": ["name"],
    }
    assert plain_schema(_Whole.model_json_schema()) == {
        "type": "object",
        "properties": {
            "parts": {"type": "array", "items": part, "description": "all of them"},
            "first": {**part, "description": "the first"},
            "size": {"type": "integer"},
        },
        "required": ["parts", "first"],
    }


def test_every_tool_of_ours_is_said_in_plain_words() -> None:
    for tool in (*tool_schemas(list(TOOLS)), trigger_schema(), SEARCH_SCHEMA, TOPICS_SCHEMA):
        plain = plain_tool(tool)["function"]
        check_schemas(plain["parameters"])
        given = tool["function"]["parameters"]
        assert plain["parameters"]["properties"].keys() == given["properties"].keys()
        assert plain["parameters"].get("required") == given.get("required")


def test_a_schema_without_an_end_is_refused() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    with pytest.raises(ValueError, match="refers to itself"):
        plain_schema({"$defs": {"Node": node}, "$ref": "#/$defs/Node"})


ITEMS = {"type": "array", "items": {"type": "object", "properties": {"messages": {"type": "array"}}}}
ITEMS["items"]["properties"]["messages"] = {"type": "array", "items": {"type": "string"}}  # type: ignore[index]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ('[{"messages": ["e1"]}]', [{"messages": ["e1"]}]),
        (['{"messages": "[\\"e1\\"]"}'], [{"messages": ["e1"]}]),
        ({"messages": "e1"}, [{"messages": ["e1"]}]),
        ([{"messages": ["[e1]"]}], [{"messages": ["[e1]"]}]),  # text is left alone
        ("Oda", "Oda"),
        ("[not json", "[not json"),
        (7, 7),
    ],
)
def test_what_is_packed_wrongly_is_unpacked_and_the_rest_left_to_be_told(given: Any, wanted: Any) -> None:
    assert fitted({"items": given}, {"type": "object", "properties": {"items": ITEMS}}) == {"items": wanted}
