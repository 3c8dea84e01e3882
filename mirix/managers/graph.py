"""The write path as a LangGraph graph.

    recall ─> meta ─┬─> manager (core)       ─┬─> apply
                    ├─> manager (episodic)    │     └─ a memory changed meanwhile: recall and ask that manager once more
                    └─> … only those concerned┘

    recall    the nearest existing memories of each type, no model
    meta      one call: which types, and which messages concern each
    manager   one call each, in parallel (Send); a bad call goes back to the model once
    apply     one transaction (apply.py)

Every answer is stored with the batch before anything rests on it, together with the handles it names, so that a retry
after a crash replays it. In `single_call` mode one agent proposes for all types and there is no meta call.
"""

from __future__ import annotations

import operator
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send
from langsmith.run_helpers import tracing_context
from psycopg.types.json import Jsonb

from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.definitions import AgentDefinition
from mirix.errors import ConflictError, ModelReplyError
from mirix.managers.apply import Applied, Applier, VersionConflict
from mirix.managers.manager import Proposal, Task, propose
from mirix.managers.meta import route
from mirix.managers.prompt import Shown
from mirix.managers.recall import Recall
from mirix.managers.tools import tools_of
from mirix.managers.trust import allowed_kinds
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind, Record, Scope, now
from mirix.models.usage import Usage

_BATCH = statements("batch")
LEASE = timedelta(minutes=10)  # renewed with every answer; a batch whose worker died waits no longer than this
META = "meta_memory_manager"
SINGLE = "single_memory_manager"


class LeaseLost(ConflictError):
    """Somebody else took the batch over, because this process stood still for longer than its lease."""


class _State(TypedDict, total=False):
    batch: BatchWork
    memories: dict[str, Record]  # by handle
    shown: Shown
    kind: MemoryKind  # of one manager's branch
    handles: Sequence[str]  # of its messages
    proposals: Annotated[dict[str, Proposal], operator.or_]  # by agent
    usage: Annotated[Usage, operator.add]
    conflicts: int
    applied: Applied


@dataclass(frozen=True, kw_only=True)
class BatchWork:
    """A leased batch with what is known of it."""

    id: UUID
    attempt: int  # together with the id it names the lease
    user: User
    scope: Scope
    trust: int
    messages: tuple[Message, ...]
    pictures: Mapping[UUID, bytes]  # WebP by message, for models that see
    replies: dict[str, Any]  # answers of earlier attempts by step, and the handles they name

    @property
    def key(self) -> dict[str, Any]:
        """What names the lease in queries."""
        return {"user_id": self.user.user_id, "id": self.id, "attempt": self.attempt}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run of the graph did."""

    applied: Applied
    usage: Usage


@dataclass(frozen=True, kw_only=True)
class WriteGraph:
    """The compiled graph with what its nodes need."""

    database: Database
    recall: Recall
    applier: Applier
    definitions: Mapping[str, AgentDefinition]
    models: Mapping[str, BaseChatModel]  # by agent
    single_call: bool
    deadline_s: float

    async def run(self, batch: BatchWork) -> Outcome:
        """Take one batch all the way. Raises ModelError, DatabaseError, LeaseLost; the batch is then as it was.

        Nothing of it is traced to a service, whatever variables of other libraries say.
        """
        begin = time.monotonic()
        start: _State = {"batch": batch, "conflicts": 0, "usage": Usage(), "proposals": {}}
        with tracing_context(enabled=False):
            state = await self._compiled.ainvoke(start)
        spent = replace(state["usage"], ms=(time.monotonic() - begin) * 1000)
        return Outcome(applied=state["applied"], usage=spent)

    @cached_property
    def _compiled(self) -> Any:
        graph = StateGraph(_State)
        graph.add_node("recall", self._recall)
        graph.add_node("meta", self._meta, destinations=("manager", "single", "apply"))
        graph.add_node("manager", self._manager)
        graph.add_node("single", self._single)
        graph.add_node("apply", self._apply, destinations=("manager", END))
        graph.add_edge(START, "recall")
        graph.add_edge("recall", "meta")
        graph.add_edge("manager", "apply")
        graph.add_edge("single", "apply")
        return graph.compile()

    async def _recall(self, state: _State) -> _State:
        """Nearest memories; the handles of an earlier attempt where its answers are going to be replayed."""
        batch = state["batch"]
        kinds = allowed_kinds(batch.trust)
        memories = await self.recall.restore(batch.user, batch.replies)
        if memories is None:
            # Stored answers name handles of what has changed since; the meta manager's name messages only.
            await self._forget(batch, [step for step in batch.replies if not step.startswith(META)])
            memories = await self.recall.nearest(batch.user, batch.scope, batch.messages, kinds)
            await self._keep(batch, "recall", self.recall.handles_json(memories))
        evidence = {f"e{number}": message for number, message in enumerate(batch.messages, 1)}
        pictures = {h: batch.pictures[m.id] for h, m in evidence.items() if m.id in batch.pictures}
        return {"memories": memories, "shown": Shown(evidence=evidence, memories=memories, pictures=pictures)}

    async def _meta(self, state: _State) -> Command[str]:
        batch = state["batch"]
        if self.single_call:
            return Command(goto="single")
        task = self._task(batch, META, state["shown"])
        async with self._replayable(batch, META):
            routes, usage = await route(task, allowed_kinds(batch.trust))
        branches = [
            Send(
                "manager",
                {"batch": batch, "memories": state["memories"], "shown": state["shown"], "kind": k, "handles": h},
            )
            for k, h in routes.items()
        ]
        return Command(update={"usage": usage}, goto=branches or "apply")

    async def _manager(self, state: _State) -> _State:
        kind, batch = state["kind"], state["batch"]
        memories = {handle: record for handle, record in state["memories"].items() if record.memory_kind is kind}
        shown = state["shown"].narrowed(state["handles"], memories)
        async with self._replayable(batch, kind.agent):
            proposal = await propose(self._task(batch, kind.agent, shown))
        return {"proposals": {kind.agent: proposal}, "usage": proposal.usage}

    async def _single(self, state: _State) -> _State:
        """One agent for all memories that evidence of this trust may write; it sees no tools of the others."""
        batch = state["batch"]
        task = self._task(batch, SINGLE, state["shown"])
        allowed = tools_of(task.definition.tools, allowed_kinds(batch.trust))
        async with self._replayable(batch, SINGLE):
            proposal = await propose(replace(task, definition=replace(task.definition, tools=allowed)))
        return {"proposals": {SINGLE: proposal}, "usage": proposal.usage}

    async def _apply(self, state: _State) -> Command[str]:
        batch = state["batch"]
        proposals = list(state.get("proposals", {}).values())
        try:
            applied = await self.applier.apply(batch.id, batch.scope, batch.trust, proposals, state["usage"])
        except VersionConflict as conflict:
            if state["conflicts"] > 0:
                raise
            return await self._ask_again(state, conflict.agent)
        return Command(update={"applied": applied}, goto=END)

    async def _ask_again(self, state: _State, agent: str) -> Command[str]:
        """A memory changed since this manager was shown it: show it what is there now."""
        batch = state["batch"]
        await self._forget(batch, [agent, f"{agent}:repair", "recall"])
        memories = await self.recall.nearest(batch.user, batch.scope, batch.messages, allowed_kinds(batch.trust))
        shown = Shown(evidence=state["shown"].evidence, memories=memories, pictures=state["shown"].pictures)
        update = {"conflicts": state["conflicts"] + 1, "memories": memories, "shown": shown}
        if agent == SINGLE:
            return Command(update=update, goto="single")
        kind = next(kind for kind in MemoryKind if kind.agent == agent)
        handles = list(state["proposals"][agent].shown.evidence)
        branch = {"batch": batch, "memories": memories, "shown": shown, "kind": kind, "handles": handles}
        return Command(update=update, goto=[Send("manager", branch)])

    @asynccontextmanager
    async def _replayable(self, batch: BatchWork, agent: str) -> AsyncIterator[None]:
        """Answers that cannot be used are not replayed in the next attempt: the model is asked anew."""
        try:
            yield
        except ModelReplyError:
            await self._forget(batch, [agent, f"{agent}:repair"])
            raise

    def _task(self, batch: BatchWork, agent: str, shown: Shown) -> Task:
        async def keep(name: str, reply: Mapping[str, Any]) -> None:
            await self._keep(batch, name, reply)

        zone = ZoneInfo(batch.messages[-1].timezone)
        return Task(
            step=agent,
            definition=self.definitions[agent],
            model=self.models[agent],
            shown=shown,
            now=_present(batch, zone),
            zone=zone,
            replies=batch.replies,
            keep=keep,
            deadline_s=self.deadline_s,
        )

    async def _keep(self, batch: BatchWork, step: str, value: Mapping[str, Any]) -> None:
        batch.replies[step] = value
        kept = {"lease": LEASE, "reply": Jsonb({step: value})}
        async with self.database.transaction(batch.user.user_id) as conn:
            if not (await conn.execute(_BATCH["store_reply"], batch.key | kept)).rowcount:
                raise LeaseLost(f"batch {batch.id} was taken over by somebody else")

    async def _forget(self, batch: BatchWork, steps: Sequence[str]) -> None:
        for step in steps:
            batch.replies.pop(step, None)
        async with self.database.transaction(batch.user.user_id) as conn:
            await conn.execute(_BATCH["drop_replies"], batch.key | {"steps": list(steps)})


def _present(batch: BatchWork, zone: ZoneInfo) -> datetime:
    """The present as the managers are told: the time of the last message, which for old logs is long ago."""
    return min(max(message.at for message in batch.messages), now()).astimezone(zone)
