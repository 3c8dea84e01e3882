"""The meta memory manager: which of the six memories does a batch concern, and which messages concern each?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import ValidationError

from mirix.errors import ModelReplyError, OperationError
from mirix.managers.manager import Task, ask
from mirix.managers.prompt import human_message
from mirix.managers.tools import TRIGGER_NAME, TriggerMemoryUpdate, trigger_schema
from mirix.memory.record import MemoryKind
from mirix.models.reply import ModelReply
from mirix.models.usage import Usage

Routes = Mapping[MemoryKind, Sequence[str]]  # handles of the messages that concern each memory


async def route(task: Task, allowed: Sequence[MemoryKind]) -> tuple[Routes, Usage]:
    """One model call, and one more where the first cannot be used.

    Raises ModelReplyError when the second cannot be used either.
    """
    messages: list[BaseMessage] = [SystemMessage(task.definition.prompt), human_message(task.now, task.shown)]
    reply = await ask(task, task.step, messages, [trigger_schema()])
    usage = Usage.of(reply)
    try:
        return read_routes(reply, task, allowed), usage
    except OperationError as error:
        problem = str(error)
    results = [ToolMessage(f"error: {problem}", tool_call_id=call.id, status="error") for call in reply.calls]
    told: list[BaseMessage] = [*results] or [
        HumanMessage(f"{problem}. Call {TRIGGER_NAME}, with an empty list if nothing is worth keeping.")
    ]
    reply = await ask(task, f"{task.step}:repair", [*messages, reply.message, *told], [trigger_schema()])
    usage = usage + Usage.of(reply)
    try:
        return read_routes(reply, task, allowed), usage
    except OperationError as error:
        raise ModelReplyError(f"the meta memory manager's reply cannot be used: {error}") from None


def read_routes(reply: ModelReply, task: Task, allowed: Sequence[MemoryKind]) -> Routes:
    """What a reply says. Plain words without a call mean that nothing is worth keeping.

    Raises OperationError, in words for the model.
    """
    if reply.is_empty:
        raise OperationError("the reply was empty")
    routes: dict[MemoryKind, list[str]] = {}
    for call in reply.calls:
        if call.error:
            raise OperationError(call.error)
        try:
            arguments = TriggerMemoryUpdate.model_validate(dict(call.arguments))
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]]
            raise OperationError("; ".join(problems)) from None
        for update in arguments.updates:
            unknown = [handle for handle in update.messages if handle not in task.shown.evidence]
            if unknown:
                raise OperationError(
                    f"no message {unknown[0]!r} was shown; there are: {', '.join(task.shown.evidence)}"
                )
            if update.memory_type in allowed:
                routes.setdefault(update.memory_type, []).extend(update.messages)
    return routes
