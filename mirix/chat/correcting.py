"""Corrects memories as the user tells it in a conversation: "that is wrong, it is …".

    what the last exchange was about ─> which words are wrong: one model call (agents/correction_agent.md)
        ├─> code replaces them in that memory and in those on the same messages: one operation, undo takes it back
        └─> not clear: nothing is replaced, and what the user said is kept as a new statement by whoever called

The model only points at words. Memories of one trust are shown at a time, so that what stood on a screen never has a
say in what the user told; an answer that names words that are not there changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mirix.chat.deed import Correction
from mirix.chat.hearing import render_conversation, render_turn, tool_schema
from mirix.chat.rows import Recent
from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.definitions import AgentDefinition
from mirix.errors import SealError
from mirix.managers.prompt import render_memories
from mirix.memory import store
from mirix.memory.changes import sources_of
from mirix.memory.editing import Editor
from mirix.memory.envelope import Keyring
from mirix.memory.knowledge_vault import VaultRecord, open_value
from mirix.memory.record import Record
from mirix.models.chat import call_model
from mirix.models.usage import Usage
from mirix.retrieval.topics import render_now
from mirix.text.dates import find_mentions
from mirix.text.secrets import find_references

AGENT = "correction_agent"
TOOL = "correct_memory"
CANDIDATES = 12
_TEXTS = ("summary", "details", "keywords", "name", "title", "steps", "actor", "outcome")
_DOCUMENT = statements("document")


class CorrectMemory(BaseModel):
    """Replace wrong words in a memory."""

    model_config = ConfigDict(extra="forbid")

    memory: str = Field(description="Its id as shown, e.g. m1.")
    wrong: str = Field(min_length=1, description="The wrong words, exactly as they stand in it.")
    right: str = Field(min_length=1, description="The words that stand there instead.")


@dataclass(frozen=True, kw_only=True)
class Corrector:
    database: Database
    keyring: Keyring
    editor: Editor
    definition: AgentDefinition
    model: BaseChatModel
    deadline_s: float | None

    async def find(self, user: User, turn: str, recent: Recent, at: datetime) -> tuple[list[_Change], Usage]:
        """What has to change for a turn (sealed) to hold; nothing where it is not clear. Raises ModelError."""
        candidates = await self._candidates(user, recent)
        usage = Usage()
        by_trust = sorted(
            (record for record in candidates if not isinstance(record, VaultRecord)), key=lambda record: -record.trust
        )
        for _, group in groupby(by_trust, key=lambda record: record.trust):
            shown = list(group)
            found, cost = await self._ask(user, turn, recent, at, shown)
            usage = usage + cost
            if found is not None:
                below = [record for record in candidates if record.trust <= shown[0].trust]
                changes = [self._change(record, found, user) for record in below]
                return [change for change in changes if change is not None], usage
        return [], usage

    async def apply(self, user: User, changes: Sequence[_Change], said_in: Sequence[UUID]) -> list[Correction]:
        """Write the changes in one operation; the messages that tell them speak for the memories from now on.

        Raises ConflictError when a memory was changed meanwhile.
        """
        pairs = [(change.record, change.values) for change in changes]
        news = await self.editor.correct(user.user_id, pairs, sources=said_in)
        return [
            Correction(kind=new.memory_kind, id=new.id, before=change.record.body(), after=new.body())
            for change, new in zip(changes, news, strict=True)
        ]

    async def _candidates(self, user: User, recent: Recent) -> list[Record]:
        """The memories that the last exchange was about, and those on the same messages; core memory first."""
        cited = recent.last_cited if recent.answers_last or not recent.last_turn else []
        async with self.database.transaction(user.user_id) as conn:
            messages = [*(cited or (row.id for row in recent.last_turn))]
            for record_id in cited:
                messages += await sources_of(conn, user.user_id, record_id)
            parameters = {"user_id": user.user_id, "source_ids": messages}
            rows = await (await conn.execute(_DOCUMENT["memories_on"], parameters)).fetchall()
            ids = [*cited, *(row["record_id"] for row in rows)]
            places = [
                await (
                    await conn.execute(_DOCUMENT["shelf_of"], {"user_id": user.user_id, "record_id": one})
                ).fetchone()
                for one in dict.fromkeys(ids)
            ]
            known = [
                one
                for one, place in zip(dict.fromkeys(ids), places, strict=True)
                if place is not None and store.kind_of_shelf(place["shelf"]) is not None
            ]
            records = [await store.get(conn, user.user_id, one) for one in known[:CANDIDATES]]
        return sorted((r for r in records if r.status == "active"), key=lambda record: record.memory_kind.number)

    def _change(self, record: Record, found: CorrectMemory, user: User) -> _Change | None:
        if not isinstance(record, VaultRecord):
            return _change(record, found, user)
        # What the vault keeps of the same words is corrected with them, and never shown to a model.
        with suppress(SealError):
            old = open_value(record, self.keyring)
            new = replaced(old, found.wrong, found.right)
            return _Change(record=record, values={"value": new}) if new != old else None
        return None

    async def _ask(
        self, user: User, turn: str, recent: Recent, at: datetime, shown: Sequence[Record]
    ) -> tuple[CorrectMemory | None, Usage]:
        handles = {f"m{number}": record for number, record in enumerate(shown, 1)}
        parts = [
            render_now(at),
            render_conversation(recent.shown, with_recalled=False),
            render_memories(handles, ZoneInfo(user.timezone)),
            render_turn(turn, at, user.timezone),
        ]
        messages = [SystemMessage(self.definition.prompt), HumanMessage("\n".join(parts))]
        schema = tool_schema(TOOL, CorrectMemory)
        reply = await call_model(self.model, messages, [schema], parallel=False, deadline_s=self.deadline_s)
        if len(reply.calls) != 1 or reply.calls[0].error is not None:
            return None, Usage.of(reply)
        try:
            found = CorrectMemory.model_validate(dict(reply.calls[0].arguments))
        except ValidationError:
            return None, Usage.of(reply)
        record = handles.get(found.memory)
        is_usable = record is not None and _change(record, found, user) is not None and not find_references(found.right)
        return (found if is_usable else None), Usage.of(reply)


@dataclass(frozen=True, kw_only=True)
class _Change:
    record: Record
    values: Mapping[str, Any]  # new values by column


def _change(record: Record, found: CorrectMemory, user: User) -> _Change | None:
    """The memory with the wrong words replaced wherever they stand; None where they do not."""
    values: dict[str, Any] = {}
    for name in _TEXTS:
        old = getattr(record, name, None)
        if isinstance(old, str):
            new: Any = replaced(old, found.wrong, found.right)
        elif isinstance(old, list):
            new = [replaced(each, found.wrong, found.right) for each in old]
        else:
            continue
        if new != old:
            values[name] = new
    if not values.keys() & {"summary", "details", "steps"}:
        return None
    if record.occurred_at is not None:
        values |= _moved(record, found, user)
    return _Change(record=record, values=values)


def replaced(text: str, wrong: str, right: str) -> str:
    """The text with some words replaced; of a spaced script only whole words."""
    head = r"(?<!\w)" if wrong[0].isascii() and wrong[0].isalnum() else ""
    tail = r"(?!\w)" if wrong[-1].isascii() and wrong[-1].isalnum() else ""
    return re.sub(head + re.escape(wrong) + tail, lambda _: right, text)


def _moved(record: Record, found: CorrectMemory, user: User) -> dict[str, Any]:
    """When an event took place, if the words that were wrong told it."""
    assert record.occurred_at is not None
    anchor = record.valid_from.astimezone(ZoneInfo(user.timezone))
    wrong, right = (find_mentions(text, anchor, user.timezone) for text in (found.wrong, found.right))
    if len(wrong) != 1 or len(right) != 1 or not wrong[0].range.start <= record.occurred_at < wrong[0].range.end:
        return {}
    until = right[0].range.end if record.occurred_until is not None else None
    return {"occurred_at": right[0].range.start, "occurred_until": until}
