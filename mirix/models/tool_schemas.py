"""Tool schemas in the few words that every provider takes.

Servers refuse requests over schema keywords: Gemini and Kimi know a part of JSON schema only, llama.cpp makes a grammar
of it and refuses a `maxLength` beyond 2,000, some refuse `$ref` or `anyOf`. None of this is needed to say what a tool
wants: whatever a call holds is validated when it comes. Pure: schemas in, schemas out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KEPT = ("type", "description", "enum", "required")


def plain_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool in OpenAI's form with a plain schema of its arguments. Raises ValueError for a schema without an end."""
    function = tool["function"]
    parameters = plain_schema(function.get("parameters") or {})
    # Its description is the tool's own, said once more.
    parameters = {"type": "object", "properties": {}} | {k: v for k, v in parameters.items() if k != "description"}
    kept = {key: function[key] for key in ("name", "description") if key in function}
    return {"type": "function", "function": kept | {"parameters": parameters}}


def plain_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same without references, alternatives to null, limits, formats, defaults and titles."""
    return _plain(schema, schema.get("$defs") or schema.get("definitions") or {}, depth=0)


def _plain(schema: Mapping[str, Any], definitions: Mapping[str, Any], *, depth: int) -> dict[str, Any]:
    if depth > 30:
        raise ValueError("the schema of a tool refers to itself")
    schema = _resolved(schema, definitions)
    plain = {key: schema[key] for key in _KEPT if key in schema}
    if "const" in schema:
        plain["enum"] = [schema["const"]]
    if isinstance(plain.get("type"), list):
        plain["type"] = next((name for name in plain["type"] if name != "null"), "string")
    if "properties" in schema:
        each = schema["properties"]
        plain["properties"] = {name: _plain(each[name], definitions, depth=depth + 1) for name in each}
    if isinstance(schema.get("items"), Mapping):
        plain["items"] = _plain(schema["items"], definitions, depth=depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        kinds = [_plain(part, definitions, depth=depth + 1) for part in schema.get(key, ())]
        plain = _one_of([kind for kind in kinds if kind.get("type") != "null"]) | plain
    return plain


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition in place of a reference to it, without its description: that one is for readers of code."""
    if "$ref" not in schema:
        return schema
    definition = definitions[schema["$ref"].rsplit("/", 1)[-1]]
    return {key: value for key, value in definition.items() if key != "description"} | {
        key: value for key, value in schema.items() if key != "$ref"
    }


def _one_of(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """One schema for several: words to choose from are joined, and of other kinds the first stands for all."""
    if len(kinds) > 1 and all("enum" in kind for kind in kinds):
        words = dict.fromkeys(word for kind in kinds for word in kind["enum"])
        return {"type": kinds[0].get("type", "string"), "enum": list(words)}
    return kinds[0] if kinds else {}
