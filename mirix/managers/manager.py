"""One LangGraph subgraph for all six memory managers: ask, check, and once more where something was wrong.

    ask -> check ─┬─> done
                  └─> repair -> check -> done

What a manager may do comes from its definition (agents/*.md) and its tools; nothing in here knows which memory it is.
Checked operations are proposals: `apply.py` disposes.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.graph import END, START, StateGraph

from mirix.definitions import AgentDefinition
from mirix.errors import ConflictError, ModelReplyError, OperationError
from mirix.ingest.inputs import storable
from mirix.managers.prompt import Shown, human_message
from mirix.managers.tools import TOOLS, Operation, tool_schemas
from mirix.memory.core import CoreRecord, check_room
from mirix.memory.record import MemoryKind
from mirix.models.chat import call_model
from mirix.models.reply import ModelReply, ToolCall
from mirix.models.usage import Usage


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What one manager wants done, and what of it could not be taken."""

    agent: str
    shown: Shown
    operations: tuple[Operation, ...] = ()
    problems: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One manager's work on a batch."""

    step: str  # name under which its replies are kept
    definition: AgentDefinition
    model: BaseChatModel
    shown: Shown
    now: datetime
    zone: ZoneInfo
    replies: Mapping[str, Any]  # what was answered in an earlier attempt, by step
    keep: Callable[[str, Mapping[str, Any]], Awaitable[None]]  # stores an answer before anything rests on it
    deadline_s: float


class _State(TypedDict, total=False):
    task: Task
    messages: list[BaseMessage]
    reply: ModelReply
    round: int
    operations: list[Operation]
    problems: list[str]
    results: list[ToolMessage]
    usage: Usage


async def ask(task: Task, step: str, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]) -> ModelReply:
    """The stored answer of a step, or a new one that is stored first."""
    known = task.replies.get(step)
    if known is not None:
        return stored_reply(known)
    reply = await call_model(task.model, messages, tools, parallel=True, deadline_s=task.deadline_s)
    said = reply_json(reply)
    kept = storable(said)
    await task.keep(step, kept)
    return reply if kept == said else stored_reply(kept)


def reply_json(reply: ModelReply) -> dict[str, Any]:
    """An answer as it is kept with the batch."""
    calls = [{"name": c.name, "arguments": dict(c.arguments), "id": c.id, "error": c.error} for c in reply.calls]
    return {
        "text": reply.text,
        "calls": calls,
        "usage": Usage.of(reply).to_json(),
        "finish_reason": reply.finish_reason,
    }


def stored_reply(value: Mapping[str, Any]) -> ModelReply:
    """A kept answer; what it cost then is not paid again."""
    calls = tuple(ToolCall(**call) for call in value["calls"])
    made = [
        {"name": _legal_name(call.name), "args": dict(call.arguments), "id": call.id, "type": "tool_call"}
        for call in calls
    ]
    return ModelReply(
        text=value["text"],
        calls=calls,
        input_tokens=value["usage"]["input_tokens"],
        output_tokens=value["usage"]["output_tokens"],
        cached_tokens=0,
        is_usage_estimated=False,
        ms=value["usage"]["ms"],
        finish_reason=value["finish_reason"],
        message=AIMessage(content=value["text"], tool_calls=made),
    )


def _legal_name(name: str) -> str:
    """Servers refuse a history that names a tool in other letters."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) else "unknown"


async def _ask(state: _State) -> _State:
    task = state["task"]
    messages: list[BaseMessage] = [SystemMessage(task.definition.prompt), human_message(task.now, task.shown)]
    reply = await ask(task, task.step, messages, tool_schemas(task.definition.tools))
    return {
        "messages": messages,
        "reply": reply,
        "round": 0,
        "operations": [],
        "problems": [],
        "usage": Usage.of(reply),
    }


async def _repair(state: _State) -> _State:
    """Show the model what was wrong, once."""
    task = state["task"]
    messages: list[BaseMessage] = [*state["messages"], state["reply"].message, *state["results"]]
    if not state["results"]:
        messages.append(
            HumanMessage("The reply was empty. Call a tool, or answer in plain words that there is nothing to file.")
        )
    reply = await ask(task, f"{task.step}:repair", messages, tool_schemas(task.definition.tools))
    usage = state["usage"] + Usage.of(reply)
    return {"messages": messages, "reply": reply, "round": 1, "problems": [], "usage": usage}


async def _check(state: _State) -> _State:
    """Turn calls into operations; what cannot be taken is told in words, call by call."""
    task, reply = state["task"], state["reply"]
    operations, problems, results = list(state["operations"]), [], []
    for call in reply.calls:
        try:
            found = read_call(call, task, operations)
        except (OperationError, ConflictError) as error:
            problems.append(str(error))
            results.append(ToolMessage(f"error: {error}", tool_call_id=call.id, status="error"))
        else:
            operations.extend(found)
            results.append(ToolMessage("ok", tool_call_id=call.id))
    if reply.is_empty:
        problems.append("the reply was empty")
    return {"operations": operations, "problems": problems, "results": results}


def read_call(call: ToolCall, task: Task, before: Sequence[Operation]) -> list[Operation]:
    """The operations of one call that are not among those `before`: a model that repairs one call often repeats others.

    Raises OperationError or ConflictError in words for the model.
    """
    if call.error or call.name not in task.definition.tools:
        raise OperationError(call.error or f"there is no tool {call.name!r} here")
    found = TOOLS[call.name].read(call, task.zone)
    for operation in found:
        _check_handles(operation, task.shown)
    new = [operation for one in found if (operation := _without_context(one, task.shown)) not in before]
    for operation in new:
        _check_once(operation, before)
    _check_core_room(new, before, task.shown)
    return new


def _check_handles(operation: Operation, shown: Shown) -> None:
    for handle in operation.targets:
        record = shown.memories.get(handle)
        if record is None:
            known = ", ".join(shown.memories) or "none"
            raise OperationError(f"no memory {handle!r} was shown; there are: {known}")
        if record.memory_kind is not operation.kind:
            raise OperationError(f"memory {handle!r} is {record.memory_kind}, not {operation.kind}")
    for handle in operation.messages:
        if handle not in shown.evidence:
            raise OperationError(f"no message {handle!r} was shown; there are: {', '.join(shown.evidence)}")


def _check_once(operation: Operation, before: Sequence[Operation]) -> None:
    """Each change rests on what the manager was shown: a second one of the same memory would overwrite the first."""
    taken = {handle for other in before for handle in other.targets}
    for number, handle in enumerate(operation.targets):
        if handle in taken or handle in operation.targets[:number]:
            raise OperationError(f"memory {handle!r} is changed already: put all of its change into one call")


def _without_context(operation: Operation, shown: Shown) -> Operation:
    """Evidence that is only there to be understood supports nothing; with none named, all the rest does."""
    own = tuple(handle for handle in operation.messages if handle not in shown.context)
    return replace(operation, messages=own or tuple(h for h in shown.evidence if h not in shown.context))


def _check_core_room(new: Sequence[Operation], before: Sequence[Operation], shown: Shown) -> None:
    """The blocks of core memory hold what all operations together make of them."""
    lines = {handle: record for handle, record in shown.memories.items() if isinstance(record, CoreRecord)}
    together = [*before, *new]
    gone = {handle for operation in together for handle in operation.targets}
    added = [line for operation in together for line in _core_lines(operation, lines)]
    for label in {label for operation in new for label, _ in _core_lines(operation, lines)}:
        kept = [record.summary for handle, record in lines.items() if record.label == label and handle not in gone]
        mine = [text for its_label, text in added if its_label == label]
        check_room(label, kept, mine, rewrite=any(operation.targets for operation in new))


def _core_lines(operation: Operation, lines: Mapping[str, CoreRecord]) -> list[tuple[str, str]]:
    """(label, line) of each line that an operation puts into a block; none for the other memories."""
    if operation.kind is not MemoryKind.CORE:
        return []
    return [(item.get("label") or lines[operation.targets[0]].label, item["summary"]) for item in operation.items]


def _next(state: _State) -> str:
    return "repair" if state["problems"] and state["round"] == 0 else END


def manager_graph() -> Any:
    """The compiled subgraph."""
    graph = StateGraph(_State)
    graph.add_node("ask", _ask)
    graph.add_node("check", _check)
    graph.add_node("repair", _repair)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "check")
    graph.add_conditional_edges("check", _next, ["repair", END])
    graph.add_edge("repair", "check")
    return graph.compile()


_GRAPH = manager_graph()


async def propose(task: Task) -> Proposal:
    """Run one manager. Raises ModelError when the model fails, ModelReplyError when nothing it said can be used."""
    state = await _GRAPH.ainvoke({"task": task})
    if state["problems"] and not state["operations"] and state["reply"].is_empty:
        raise ModelReplyError(f"{task.definition.name} answered nothing, twice")
    return Proposal(
        agent=task.definition.name,
        shown=task.shown,
        operations=tuple(state["operations"]),
        problems=tuple(state["problems"]),
        usage=state["usage"],
    )
