"""What the six memory managers of the built-in model file: tool calls from messages.

For every kind: choose the sentences that carry it, fill the fields, and look whether an existing memory is replaced
or corrected by it (`superseding.py`). Quotes stay quotes; nothing is reworded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from mirix.models.builtin.documents import document_title, document_type
from mirix.models.builtin.fields import (
    actor_of,
    event_times,
    event_type,
    is_for_assistant,
    keywords_of,
    semantic_kind,
    semantic_name,
    tidy,
)
from mirix.models.builtin.language import VAULT_REFERENCE, plain, split_sentences
from mirix.models.builtin.nearest import NearestExamples
from mirix.models.builtin.prompt import Call, Memory, Message
from mirix.models.builtin.routing import kind_scores, route_messages
from mirix.models.builtin.signals import has
from mirix.models.builtin.steps import entry_type, split_steps
from mirix.models.builtin.superseding import Change, find_change
from mirix.models.builtin.values import exact_values

MEMORY_TOOLS: Final = {
    "core": "core_memory",
    "episodic": "episodic_memory",
    "semantic": "semantic_memory",
    "procedural": "procedural_memory",
    "resource": "resource_memory",
    "vault": "knowledge_vault",
}
_SUMMARY_LIMIT = 240  # characters of a one-line summary
_DETAILS_LIMIT = 1200
_STEP_LIMIT = 800


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One tool call."""

    tool: str
    arguments: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One record to be, with the statement it rests on."""

    item: dict[str, object]  # arguments of the tool, without messages
    statement: str  # the sentences that carry it
    message: Message
    handles: tuple[str, ...]  # evidence


Drafter = Callable[[Sequence[Message], NearestExamples], list[Draft]]


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
    from mirix.models.builtin.superseding import find_deletion

    found = []
    for message in _own(call.messages):
        memory = find_deletion(message.text, _open_memories(call.memories, kind, set()))
        if memory is not None:
            arguments: dict[str, object] = {"memory": memory.handle, "reason": tidy(plain(message.text))[:200]}
            found.append(Operation(tool=f"{MEMORY_TOOLS[kind]}_delete", arguments=arguments))
    return found


def _own(messages: Sequence[Message]) -> list[Message]:
    """The messages that may be filed from."""
    return [message for message in messages if not message.is_context and message.role != "assistant"]


def _carrying(kind: str, text: str, nearest: NearestExamples, floor: float) -> list[str]:
    """The sentences of a text that carry a kind; the best one when none is sure."""
    sentences = [sentence for sentence in split_sentences(text) if len(plain(sentence).strip()) > 3]
    if len(sentences) <= 1:
        return sentences
    scored = [
        (scores[kind], sentence) for scores, sentence in zip(kind_scores(sentences, nearest), sentences, strict=True)
    ]
    best = max(score for score, _ in scored)
    return [sentence for score, sentence in scored if score >= floor or score == best]


def _draft_core(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    drafts = []
    for message in _own(messages):
        carrying = _carrying("core", message.text, nearest, 0.05)
        for sentence in split_sentences(message.text):
            if sentence not in carrying and not _is_plain_fact(sentence):
                continue
            line = tidy(sentence)
            label = "persona" if is_for_assistant(line) else "human"
            if line and not VAULT_REFERENCE.fullmatch(line):
                drafts.append(_draft({"label": label, "line": line[:_SUMMARY_LIMIT]}, sentence, message))
    return drafts


def _is_plain_fact(sentence: str) -> bool:
    """A lasting statement on the user by its form, however short."""
    told = any(has(sign, sentence) for sign in ("i_am", "my_name_is", "works", "home", "health"))
    return told and has("first_subject", tidy(sentence)) and not has("hypothetical", sentence) and "?" not in sentence


def _draft_episodic(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    drafts = []
    for message in _own(messages):
        carrying = _carrying("episodic", message.text, nearest, 0.0)
        dated: list[list[str]] = []
        for sentence in carrying:
            # A second date opens a second event; what has no date belongs to the event before it.
            if not dated or (event_times(sentence, None)[0] and any(event_times(old, None)[0] for old in dated[-1])):
                dated.append([])
            dated[-1].append(sentence)
        for group in dated:
            statement = " ".join(group)
            start, end = event_times(statement, message.at)
            item: dict[str, object] = {
                "summary": tidy(statement)[:_SUMMARY_LIMIT],
                "details": (tidy(message.text) if len(dated) == 1 else tidy(statement))[:_DETAILS_LIMIT],
                "event_type": event_type(statement),
                "actor": actor_of(statement, message),
                "occurred_at": start or (message.at.isoformat() if message.at else ""),
                "keywords": keywords_of(statement),
            }
            if end:
                item["occurred_until"] = end
            drafts.append(_draft(item, statement, message))
    return drafts


def _draft_semantic(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    drafts: list[Draft] = []
    for message in _own(messages):
        last = ""
        for sentence in _carrying("semantic", message.text, nearest, 0.05):
            name = semantic_name(sentence) or last or semantic_name(message.text) or tidy(sentence)[:40]
            if drafts and name == last and drafts[-1].message is message:
                joined = f"{drafts[-1].statement} {sentence}"
                item = {**drafts[-1].item, "details": tidy(joined)[:_DETAILS_LIMIT], "keywords": keywords_of(joined)}
                drafts[-1] = _draft(item, joined, message)
                continue
            last = name
            item = {
                "name": name,
                "kind": semantic_kind(sentence, name),
                "summary": tidy(sentence)[:_SUMMARY_LIMIT],
                "details": tidy(sentence)[:_DETAILS_LIMIT],
                "keywords": keywords_of(sentence),
            }
            drafts.append(_draft(item, sentence, message))
    return drafts


def _draft_procedural(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    own = _own(messages)
    if not own:
        return []
    # One procedure is often told over several turns; what is far from the last turn is another one.
    text = "\n".join(message.text for message in own)
    steps = split_steps(text)
    first = tidy(split_sentences(own[0].text)[0]) if own[0].text.strip() else ""
    item: dict[str, object] = {
        "entry_type": entry_type(text),
        "summary": first[:_SUMMARY_LIMIT],
        "steps": [step[:_STEP_LIMIT] for step in steps] or [tidy(text)[:_STEP_LIMIT]],
        "keywords": keywords_of(text),
    }
    handles = tuple(message.handle for message in own)
    return [Draft(item=item, statement=text, message=own[-1], handles=handles)]


def _draft_resource(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    drafts = []
    for message in _own(messages):
        title = message.title or document_title(message.text)
        item: dict[str, object] = {
            "title": title[:120],
            "resource_type": document_type(message.text, message.title),
            "summary": tidy(" ".join(split_sentences(message.text)[:3]))[:_SUMMARY_LIMIT],
            "keywords": keywords_of(message.text),
        }
        drafts.append(_draft(item, message.text, message))
    return drafts


def _draft_vault(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    return [
        _draft(
            {
                "entry_type": value.entry_type,
                "caption": value.caption,
                "sensitivity": value.sensitivity,
                "value": value.value,
            },
            f"{value.caption} {value.value}",
            message,
        )
        for message in _own(messages)
        for value in exact_values(message.text)
    ]


def _draft(item: dict[str, object], statement: str, message: Message) -> Draft:
    return Draft(item=item, statement=statement, message=message, handles=(message.handle,))


_DRAFTERS: Final[dict[str, Drafter]] = {
    "core": _draft_core,
    "episodic": _draft_episodic,
    "semantic": _draft_semantic,
    "procedural": _draft_procedural,
    "resource": _draft_resource,
    "vault": _draft_vault,
}
