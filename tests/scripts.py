"""Replies for scripted models, and a desk to try them at: a Mirix over the test database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
import pytest
from langchain_core.language_models import BaseChatModel
from psycopg.rows import dict_row

from mirix.config import Settings
from mirix.db.pool import User
from mirix.definitions import load_definitions
from mirix.ingest.inputs import Origin, from_text
from mirix.jobs.drain import Drainer
from mirix.managers.apply import Applier
from mirix.managers.graph import WriteGraph
from mirix.managers.recall import Recall
from mirix.memory.record import MemoryKind, Record, Scope
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest, replies_by_tool
from mirix.models.fake_server import ServerReply, ServerRequest
from mirix.system import AsyncMirix

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
NOTHING = "Nothing to file."
META = "trigger_memory_update"

OpenMirix: TypeAlias = Callable[..., Awaitable[AsyncMirix]]
Rows: TypeAlias = Callable[..., list[dict[str, Any]]]


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "args": arguments}


def says(*calls: Mapping[str, Any]) -> dict[str, Any]:
    return {"tool_calls": list(calls)}


def routed(**handles: Sequence[str]) -> dict[str, Any]:
    """The meta memory manager's answer: which messages concern which memory."""
    return says(call(META, updates=[{"memory_type": kind, "messages": list(each)} for kind, each in handles.items()]))


def append(line: str, label: str = "human", **more: Any) -> dict[str, Any]:
    return call("core_memory_append", lines=[{"label": label, "line": line, **more}])


def event(summary: str, **more: Any) -> dict[str, Any]:
    item = {"summary": summary, "details": summary, "occurred_at": "2026-06-01T12:00:00+02:00", **more}
    return call("episodic_memory_insert", items=[item])


def knowledge(name: str, summary: str, **more: Any) -> dict[str, Any]:
    return call("semantic_memory_insert", items=[semantic_item(name, summary, **more)])


def semantic_item(name: str, summary: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "person", "summary": summary, "details": summary, **more}


def procedure(summary: str, *steps: str) -> dict[str, Any]:
    return call("procedural_memory_insert", items=[{"entry_type": "guide", "summary": summary, "steps": list(steps)}])


def document(title: str, summary: str, **more: Any) -> dict[str, Any]:
    return call("resource_memory_insert", items=[{"title": title, "summary": summary, **more}])


def vault_item(caption: str, value: str, sensitivity: str = "medium", **more: Any) -> dict[str, Any]:
    return {"entry_type": "account", "caption": caption, "sensitivity": sensitivity, "value": value, **more}


def entry(caption: str, value: str, sensitivity: str = "medium", **more: Any) -> dict[str, Any]:
    return call("knowledge_vault_insert", items=[vault_item(caption, value, sensitivity, **more)])


FIRST_TOOL = {
    MemoryKind.CORE: "core_memory_append",
    MemoryKind.EPISODIC: "episodic_memory_insert",
    MemoryKind.SEMANTIC: "semantic_memory_insert",
    MemoryKind.PROCEDURAL: "procedural_memory_insert",
    MemoryKind.RESOURCE: "resource_memory_insert",
    MemoryKind.VAULT: "knowledge_vault_insert",
}


def scripted(meta: Sequence[Any] | Any = (), **managers: Sequence[Any] | Any) -> ScriptedChatModel:
    """A model that answers for the meta manager and for the managers named by kind; a single answer needs no list."""
    each: dict[str, Any] = {META: meta} | {FIRST_TOOL[MemoryKind(kind)]: answers for kind, answers in managers.items()}
    listed: dict[str, Any] = {
        tool: answers if isinstance(answers, list) else [answers] for tool, answers in each.items()
    }
    return ScriptedChatModel(script=replies_by_tool(listed))


def asked(model: ScriptedChatModel) -> list[str]:
    """Who was asked, in order: the first tool of each request."""
    return [request.tools[0] for request in model.requests]


# ---- the same over HTTP ----


def served(*calls: Mapping[str, Any], **spoiled: Any) -> ServerReply:
    return ServerReply(text=None, tool_calls=[(each["name"], each["args"]) for each in calls], **spoiled)


def served_routes(**handles: Sequence[str]) -> ServerReply:
    return served(*routed(**handles)["tool_calls"])


def server_script(replies: Mapping[str, Sequence[ServerReply]]) -> Callable[[ServerRequest], ServerReply]:
    """The next reply under the first offered tool that `replies` names."""
    queues = {tool: list(each) for tool, each in replies.items()}
    lock = threading.Lock()

    def script(request: ServerRequest) -> ServerReply:
        with lock:
            tool = next((tool for tool in request.tools if tool in queues), None)
            assert tool is not None and queues[tool], f"no reply is left for {request.tools[:1]}"
            return queues[tool].pop(0)

    return script


# ---- the desk ----


@pytest.fixture
async def open_mirix(settings: Settings, empty: None) -> AsyncIterator[OpenMirix]:
    """`await open_mirix(model, vision=True)`: an open Mirix over the empty test database, closed after the test."""
    opened: list[AsyncMirix] = []

    async def open_one(model: BaseChatModel | None = None, **changes: Any) -> AsyncMirix:
        chosen = settings.model_copy(update={"ocr": "none", "user": "anna"} | changes)
        memory = await AsyncMirix(chosen, model=model).open()
        opened.append(memory)
        return memory

    yield open_one
    await asyncio.gather(*(memory.close() for memory in opened))


@pytest.fixture
def rows(owner_url: str) -> Rows:
    """Run a statement as the owner of the database; what it returns."""

    def run(statement: str, *parameters: Any) -> list[dict[str, Any]]:
        with psycopg.connect(owner_url, autocommit=True, row_factory=dict_row) as conn:
            cursor = conn.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    return run


async def texts(memory: AsyncMirix, *kinds: str, **chosen: Any) -> list[str]:
    """The summaries of what is remembered."""
    found: list[Record] = await memory.get_all(kinds=kinds or None, **chosen)
    return sorted(record.summary for record in found)


async def store_texts(memory: AsyncMirix, *said: str, name: str = "anna") -> tuple[User, list[UUID]]:
    """Put each text in as a batch of its own, and wake nobody; the user and the ids of the batches."""
    user = await memory.parts.database.ensure_user(name, "Europe/Oslo")
    ids = []
    for text in said:
        incoming = from_text(text, Origin(timezone="Europe/Oslo"), NOON)
        [batch] = await memory.parts.evidence.store(user, Scope(user_id=user.user_id), incoming, conversation="chat")
        ids.append(batch.id)
    return user, ids


def drainer_with(
    memory: AsyncMirix, model: BaseChatModel, *, applier: Applier | None = None, max_attempts: int = 5
) -> Drainer:
    """A drainer like that of an open Mirix, with another model or applier."""
    parts = memory.parts
    definitions = load_definitions()
    graph = WriteGraph(
        database=parts.database,
        recall=Recall(parts.database, parts.retriever),
        applier=applier or Applier(parts.database, parts.indexer, parts.keyring, parts.frames),
        definitions=definitions,
        models=dict.fromkeys(definitions, model),
        single_call=False,
        deadline_s=20,
    )
    return Drainer(parts.database, parts.evidence, graph, parts.frames, max_attempts=max_attempts, vision=False)


def echo_script(request: ScriptedRequest) -> Reply:
    """Everything concerns semantic memory, and is filed under its own words."""
    said = [
        line for line in request.text.split("<evidence>")[-1].split("</evidence>")[0].splitlines() if line[:1] != "<"
    ]
    text = " ".join(said).strip()
    return routed(semantic=["e1"]) if META in request.tools else says(knowledge(text, text))


def stored_text(rows: Rows) -> str:
    """All rows of all tables as text."""
    names = rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
    tables = [name["relname"] for name in names]
    found = [rows(f"SELECT coalesce(string_agg(t::text, chr(10)), '') AS text FROM \"{name}\" AS t") for name in tables]  # noqa: S608
    return "\n".join(row["text"] for [row] in found)
