"""What the six memory managers of the built-in model file: tool calls from messages.

For every kind: choose the sentences that carry it, fill the fields, and look whether an existing memory is replaced
or corrected by it (`superseding.py`). Quotes stay quotes; nothing is reworded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from mirix.models.builtin.drafts import Draft, Drafter, make_draft, own_messages
from mirix.models.builtin.entries import references_of, replaced_entry
from mirix.models.builtin.events import draft_episodic
from mirix.models.builtin.facts import draft_core, draft_semantic
from mirix.models.builtin.fields import event_times, tidy
from mirix.models.builtin.language import plain
from mirix.models.builtin.nearest import NearestExamples
from mirix.models.builtin.procedures import draft_procedural, draft_resource
from mirix.models.builtin.prompt import Call, Memory, Message
from mirix.models.builtin.routing import kind_scores, route_messages
from mirix.models.builtin.signals import has
from mirix.models.builtin.superseding import Change, find_change, find_deletion
from mirix.models.builtin.values import ExactValue, exact_values, names_code, unnamed_codes

MEMORY_TOOLS: Final = {
    "core": "core_memory",
    "episodic": "episodic_memory",
    "semantic": "semantic_memory",
    "procedural": "procedural_memory",
    "resource": "resource_memory",
    "vault": "knowledge_vault",
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One tool call."""

    tool: str
    arguments: dict[str, object] = field(default_factory=dict)


def file_batch(call: Call, nearest: NearestExamples) -> list[Operation]:
    """All six kinds in one reply (`single_call`): routes first, then files."""
    operations: list[Operation] = []
    routed = route_messages(call.messages, nearest)
    for kind in MEMORY_TOOLS:
        handles = {entry.message.handle for entry in routed if kind in entry.kinds}
        if handles:
            messages = tuple(
                message if message.handle in handles else replace(message, is_context=True) for message in call.messages
            )
            memories = tuple(memory for memory in call.memories if memory.kind == kind)
            operations += file_memory(kind, replace(call, messages=messages, memories=memories), nearest)
    return operations


def file_memory(kind: str, call: Call, nearest: NearestExamples) -> list[Operation]:
    """The tool calls of one manager; none when there is nothing to file."""
    operations = _deletions(kind, call)
    if operations:
        return operations
    drafts = _DRAFTERS[kind](call.messages, nearest)
    if kind == "vault":
        return _file_entries(drafts, call)
    fresh: list[Draft] = []
    changed: set[str] = set()
    for draft in drafts:
        change = find_change(draft.statement, _identity(draft), _open_memories(call.memories, kind, changed))
        if change is None:
            fresh.append(draft)
            continue
        changed.add(change.memory.handle)
        operations += _changing(kind, change, draft)
    if fresh:
        operations.append(_insertion(kind, fresh))
    return operations


def _file_entries(drafts: Sequence[Draft], call: Call) -> list[Operation]:
    """Vault entries: values in the open are inserted or replace their older entry; a value that was sealed on the way
    in has its entry already, which may replace an older one.
    """
    operations: list[Operation] = []
    fresh: list[Draft] = []
    for draft in drafts:
        caption, sort = str(draft.item["caption"]), str(draft.item["entry_type"])
        old = replaced_entry(caption, sort, draft.message, call.memories, but=frozenset())
        if old is None or str(draft.item["value"]) in old.text:
            fresh.append(draft)
        else:
            operations += _changing("vault", Change(verb="supersede", memory=old), draft)
    for message in own_messages(call.messages):
        references = references_of(message.text)
        entries = [memory for memory in call.memories if any(each in memory.text for each in references)]
        mine = frozenset(entry.handle for entry in entries)
        for entry in entries:
            old = replaced_entry(entry.name, entry.entry_type, message, call.memories, but=mine)
            if old is not None and entry.entry_type and entry.sensitivity:
                reference = next(each for each in references if each in entry.text)
                item: dict[str, object] = {
                    "entry_type": entry.entry_type,
                    "caption": entry.name,
                    "sensitivity": entry.sensitivity,
                    "value": reference,
                }
                draft = make_draft(item, message.text, message)
                operations += _changing("vault", Change(verb="supersede", memory=old), draft)
    return operations + ([_insertion("vault", fresh)] if fresh else [])


def _identity(draft: Draft) -> str:
    return str(draft.item.get("name") or draft.item.get("caption") or draft.item.get("title") or "")


def _open_memories(memories: Sequence[Memory], kind: str, changed: set[str]) -> list[Memory]:
    return [memory for memory in memories if memory.kind in {kind, ""} and memory.handle not in changed]


def _insertion(kind: str, drafts: Sequence[Draft]) -> Operation:
    items = [{**draft.item, "messages": list(draft.handles)} for draft in drafts]
    if kind == "core":
        return Operation(tool="core_memory_append", arguments={"lines": items})
    return Operation(tool=f"{MEMORY_TOOLS[kind]}_insert", arguments={"items": items})


def _changing(kind: str, change: Change, draft: Draft) -> list[Operation]:
    tool = MEMORY_TOOLS[kind]
    if change.verb == "nothing":
        return []
    if kind == "core":
        arguments: dict[str, object] = {"memory": change.memory.handle, "line": draft.item["line"]}
        if change.verb == "update":
            return [Operation(tool="core_memory_update", arguments=arguments)]
        arguments["messages"] = list(draft.handles)
    elif change.verb == "update":
        return [
            Operation(
                tool=f"{tool}_update",
                arguments={"memory": change.memory.handle, "changes": draft.item, "messages": list(draft.handles)},
            )
        ]
    else:
        arguments = {"memory": change.memory.handle, "item": draft.item, "messages": list(draft.handles)}
    if draft.message.at is not None:
        # A fact holds from the day that is named; an appointment that moved is moved from when it was said.
        is_dated = kind in {"core", "semantic"} and has("state_change", draft.statement)
        start = event_times(draft.statement, draft.message.at)[0] if is_dated else ""
        arguments["valid_from"] = start or draft.message.at.isoformat()
    return [Operation(tool=f"{tool}_supersede", arguments=arguments)]


def _deletions(kind: str, call: Call) -> list[Operation]:
    found = []
    for message in own_messages(call.messages):
        memory = find_deletion(message.text, _open_memories(call.memories, kind, set()))
        if memory is not None:
            arguments: dict[str, object] = {"memory": memory.handle, "reason": tidy(plain(message.text))[:200]}
            found.append(Operation(tool=f"{MEMORY_TOOLS[kind]}_delete", arguments=arguments))
    return found


def _draft_vault(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    return [
        make_draft(
            {
                "entry_type": value.entry_type,
                "caption": value.caption,
                "sensitivity": value.sensitivity,
                "value": value.value,
            },
            f"{value.caption} {value.value}",
            message,
        )
        for message in own_messages(messages)
        for value in _values_of(message, nearest)
    ]


def _values_of(message: Message, nearest: NearestExamples) -> list[ExactValue]:
    """The exact values of a message; one that resembles those with a value may hold one in a form nobody knows."""
    found = exact_values(message.text)
    if found or references_of(message.text):
        return found
    is_likely = names_code(message.text) or kind_scores([message.text], nearest)[0]["vault"] > 0.0
    return unnamed_codes(message.text) if is_likely else found


_DRAFTERS: Final[dict[str, Drafter]] = {
    "core": draft_core,
    "episodic": draft_episodic,
    "semantic": draft_semantic,
    "procedural": draft_procedural,
    "resource": draft_resource,
    "vault": _draft_vault,
}
