"""What the verbs of Mirix return: plain values with the cost of making them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from mirix.chat.deed import Done
from mirix.ingest.evidence import StoredBatch
from mirix.managers.graph import Outcome
from mirix.memory.changes import Change
from mirix.memory.record import MemoryKind
from mirix.models.usage import Usage
from mirix.retrieval.answer import Answer, Citation


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """One batch of an add."""

    id: UUID
    state: str  # pending or applied
    is_new: bool  # False: the same was added before, and nothing changed
    message_ids: tuple[UUID, ...]
    routes: dict[MemoryKind, int]  # operations proposed by each memory's manager
    changes: tuple[Change, ...]  # what was written, vault entries sealed at ingest first
    problems: tuple[str, ...]  # what was proposed but refused, with the reason
    proposals: int  # operations that wait for the user

    @classmethod
    def of(cls, batch: StoredBatch, outcome: Outcome | None, *, waited: bool) -> Self:
        applied = outcome.applied if outcome else None
        return cls(
            id=batch.id,
            state="applied" if waited or batch.is_applied else "pending",
            is_new=batch.is_new,
            message_ids=batch.message_ids,
            routes=dict(applied.routes) if applied else {},
            changes=batch.sealed + (applied.changes if applied else ()),
            problems=applied.problems if applied else (),
            proposals=applied.proposals if applied else 0,
        )


@dataclass(frozen=True, kw_only=True)
class AddResult:
    """What an add did. With wait=False its batches are pending: durable, and found by their words already."""

    batches: tuple[BatchResult, ...]
    usage: Usage

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(change for batch in self.batches for change in batch.changes)

    @property
    def message_ids(self) -> tuple[UUID, ...]:
        return tuple(message_id for batch in self.batches for message_id in batch.message_ids)

    @property
    def is_duplicate(self) -> bool:
        """Everything had been added before; nothing changed."""
        return not any(batch.is_new for batch in self.batches)


@dataclass(frozen=True, kw_only=True)
class ChatReply:
    """What a turn of a conversation came to."""

    text: str
    citations: tuple[Citation, ...]  # what the numbers in the text stand for
    answer: Answer | None  # where the turn was answered from memory
    added: AddResult | None  # what was kept as evidence, and what came of it; None: the turn was not
    done: Done  # what was done to the memory because the turn said so
    usage: Usage


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One change of a memory."""

    operation: str  # insert, update, supersede, merge, delete or undo
    actor: str  # user, ingest or the agent that proposed it
    at: datetime
    before: dict[str, Any] | None  # authored columns; None for a new memory
    after: dict[str, Any] | None
    reason: str | None
    operation_id: UUID  # rows that changed together share it
    is_undone: bool


@dataclass(frozen=True, kw_only=True)
class MemoryStatus:
    """The state of a user's memory and of what serves it."""

    user: str
    timezone: str
    messages: int
    waiting: int  # batches that are not applied yet
    failed: int  # batches without an attempt left
    memories: dict[MemoryKind, int]  # active ones
    proposals: int  # operations that wait for the user
    quarantined: int  # memories that wait for the user
    chat_model: str
    embedding_model: str | None  # None: search is lexical only
    lacking_vectors: int  # messages and memories of any status that this embedder has not been asked about
    recogniser: str | None  # None: pictures are kept without their text
    database: str  # embedded, or the host
