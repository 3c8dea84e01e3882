"""Tool calls that a model wrote into its text instead of making them.

Small open models, and servers that do not know a model's own marks (`call_marks.py`), give tool calls as plain text:
bare JSON, JSON in a code fence, between tags. Pure: text in, calls and the remaining text out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mirix.models.call_marks import as_json

_MAY_HOLD_CALLS = re.compile(r"[{(]|<(?:tool_call|function=|[^<>]*invoke )")
_OPENING = re.compile(r"[{\[]")
_MAX_FAILURES = 500  # braces that open no JSON; a text with more is no call, and each try may read to its end
_NAME_KEYS = ("name", "tool", "tool_name", "function")
_ARGUMENT_KEYS = ("arguments", "args", "parameters", "input")
_DECODER = json.JSONDecoder(strict=False)  # real line breaks within strings are what models write


@dataclass(frozen=True, kw_only=True)
class TextCall:
    name: str  # of the tool; of none that is bound only where the text marks it plainly as a call
    arguments: dict[str, Any]


def find_text_calls(text: str, tools: Mapping[str, Mapping[str, Any]]) -> tuple[list[TextCall], str]:
    """The tool calls written in `text`, in order, and the text without them.

    `tools` maps the name of each bound tool to the JSON schema of its arguments. Where exactly one tool is bound, a
    bare object that fits its schema counts as its arguments. JSON that is no call stays in the text.
    """
    if not _MAY_HOLD_CALLS.search(text):
        return [], text
    plain, is_marked = as_json(text, tools)
    calls: list[TextCall] = []
    kept: list[str] = []
    position = 0
    for start, end, value in _json_values(plain):
        found = _calls_in(value, tools, accept_unknown=is_marked)
        if found:
            calls.extend(found)
            kept.append(plain[position:start])
            position = end
    if not calls:
        return [], text
    kept.append(plain[position:])
    return calls, "".join(kept).strip(" \t\r\n,;")


def _json_values(text: str) -> Iterator[tuple[int, int, Any]]:
    """(start, end, value) of the outermost JSON objects and lists, in order."""
    position = failures = 0
    while failures < _MAX_FAILURES and (match := _OPENING.search(text, position)) is not None:
        try:
            value, end = _DECODER.raw_decode(text, match.start())
        except (json.JSONDecodeError, RecursionError):
            position = match.start() + 1
            failures += 1
            continue
        yield match.start(), end, value
        position = end


def _calls_in(value: Any, tools: Mapping[str, Mapping[str, Any]], *, accept_unknown: bool) -> list[TextCall]:
    """The calls that a JSON value stands for; empty unless all of it is calls."""
    if isinstance(value, list):
        each = [_calls_in(item, tools, accept_unknown=accept_unknown) for item in value]
        return [call for calls in each for call in calls] if all(each) else []
    if not isinstance(value, dict):
        return []
    for wrapper in ("tool_calls", "function"):
        if isinstance(value.get(wrapper), list | dict):
            return _calls_in(value[wrapper], tools, accept_unknown=accept_unknown)
    name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
    arguments = next((as_object(value[key]) for key in _ARGUMENT_KEYS if key in value), None)
    if name is not None and arguments is not None and (name in tools or accept_unknown):
        return [TextCall(name=name, arguments=arguments)]
    if len(value) == 1:
        [(name, inner)] = value.items()
        if name in tools and isinstance(inner, dict):
            return [TextCall(name=name, arguments=inner)]
    if len(tools) == 1:
        [(name, schema)] = tools.items()
        if (
            value
            and value.keys() <= schema.get("properties", {}).keys()
            and value.keys() >= set(schema.get("required", ()))
        ):
            return [TextCall(name=name, arguments=value)]
    return []


def as_object(value: Any) -> dict[str, Any] | None:
    """Arguments as an object, unpacked from JSON inside a string (even twice); None if they are none."""
    for _ in range(3):
        if not isinstance(value, str):
            break
        try:
            value = _DECODER.decode(value.strip()) if value.strip() else {}
        except json.JSONDecodeError:
            return None
    return value if isinstance(value, dict) else None
