"""Mending tool calls that came back with an error: cut what the error names, else give the call up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mirix.models.builtin.filing import Operation
from mirix.models.builtin.prompt import Call, FailedCall

_OPTIONAL = frozenset({"occurred_until", "outcome", "keywords", "tree_path", "valid_from", "messages"})
_LIST_KEYS = ("items", "lines", "updates")


def mend_calls(failed: Sequence[FailedCall], call: Call) -> list[Operation]:
    """What is left of the failed calls once the faults their errors name are cut; a call that cannot be mended is
    dropped.
    """
    mended = []
    for fault in failed:
        arguments = _mended(fault, call)
        if arguments is not None and arguments != fault.arguments:
            mended.append(Operation(tool=fault.name, arguments=arguments))
    return mended


def _mended(fault: FailedCall, call: Call) -> dict[str, object] | None:
    known = {message.handle for message in call.messages}
    named = set(re.findall(r"[A-Za-z_]+", fault.error))
    memory = fault.arguments.get("memory")
    if isinstance(memory, str) and memory not in {entry.handle for entry in call.memories}:
        return None
    arguments: dict[str, object] = dict(fault.arguments)
    if re.search(r"valid_from|occurred", fault.error):
        arguments.pop("valid_from", None)
    for key in _LIST_KEYS:
        entries = arguments.get(key)
        if isinstance(entries, list):
            kept = [_mended_item(entry, named, known) for entry in _without_named_entries(entries, fault.error)]
            if not kept:
                return None
            arguments[key] = kept
    if isinstance(arguments.get("messages"), list):
        arguments = _mended_item(arguments, named & {"messages"}, known)
    return arguments


def _without_named_entries(entries: list[Any], error: str) -> list[Any]:
    """Drop the entries whose position the error names for something that cannot be cut (`items.2.value: …`)."""
    faulty = {
        int(position)
        for position, name in re.findall(r"(?:items|lines|updates)[.\[](\d+)\]?\.?(\w*)", error)
        if name not in _OPTIONAL
    }
    return [entry for position, entry in enumerate(entries) if position not in faulty]


def _mended_item(item: dict[str, Any], named: set[str], known: set[str]) -> dict[str, Any]:
    kept = {key: value for key, value in item.items() if key not in named or key not in _OPTIONAL or key == "messages"}
    handles = kept.get("messages")
    if isinstance(handles, list):
        kept["messages"] = [handle for handle in handles if handle in known]
        if not kept["messages"]:
            del kept["messages"]
    return kept
