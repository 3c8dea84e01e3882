"""A notebook to write test memories into, straight through the store: no model, no ingest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pgvector import HalfVector
from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.memory import store
from mirix.memory.changes import Changes
from mirix.memory.indexing import Indexer
from mirix.memory.message import Message
from mirix.memory.record import Record, new_id
from mirix.retrieval.active import Retriever
from mirix.text.analyser import analyse
from mirix.text.dates import find_mentions

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_EVIDENCE = statements("evidence")


class Notebook:
    """Writes messages and memories of one user."""

    def __init__(self, database: Database, indexer: Indexer, user: User) -> None:
        self.database = database
        self.indexer = indexer
        self.user = user
        self._conversations: dict[str, tuple[UUID, UUID]] = {}
        self._clock = START

    async def say(self, text: str, *, conversation: str = "chat", embed: bool = True, **given: Any) -> Message:
        """A message, a minute after the one before unless `at` is given."""
        conversation_id, batch_id = await self._conversation(conversation)
        self._clock += timedelta(minutes=1)
        defaults: dict[str, Any] = {"speaker": "Anna", "at": self._clock, "timezone": "Europe/Oslo"}
        message = Message(
            user_id=self.user.user_id,
            conversation_id=conversation_id,
            batch_id=batch_id,
            text=text,
            **(defaults | given),
        )
        [vector] = await self.indexer.vectors([text]) if embed else [None]
        mentions = find_mentions(text, message.at, message.timezone)
        values = {name: getattr(message, name) for name in Message.__dataclass_fields__} | {
            "mentioned": TimestamptzMultirange(TimestamptzRange(m.range.start, m.range.end) for m in mentions),
            "embedding": None if vector is None else HalfVector(vector),
            "embedding_model": None if vector is None or not self.indexer.embedder else self.indexer.embedder.name,
        }
        async with self.database.transaction(self.user.user_id) as conn:
            await conn.execute(_EVIDENCE["insert_message"], values)
            shelf = store.shelf_number(None, message.standing)
            await store.insert_document(conn, self.user.user_id, message.id, shelf, analyse(text))
        if message.standing != "current":
            async with self.database.transaction(self.user.user_id) as conn:
                await store.set_message_standing(conn, self.user.user_id, message.id, message.standing)
        return message

    async def keep(self, record_type: type[Record], *sources: Message, **given: Any) -> Record:
        """A memory that rests on messages."""
        record = record_type(user_id=self.user.user_id, **({"valid_from": START} | given))
        [derived] = await self.indexer.derive([record])
        async with self.database.transaction(self.user.user_id) as conn:
            changes = Changes(conn=conn, user_id=self.user.user_id, actor="test")
            return await changes.insert(record, derived, sources=[source.id for source in sources])

    async def supersede(self, old: Record, *sources: Message, **given: Any) -> Record:
        """The world changed: a memory like `old` but for what is given."""
        new = replace(old, id=new_id(), embedding_model=None, **given)
        [derived] = await self.indexer.derive([new])
        async with self.database.transaction(self.user.user_id) as conn:
            changes = Changes(conn=conn, user_id=self.user.user_id, actor="test")
            ids = [source.id for source in sources]
            return await changes.supersede(old, new, derived, sources=ids)

    async def delete(self, record: Record) -> None:
        async with self.database.transaction(self.user.user_id) as conn:
            await Changes(conn=conn, user_id=self.user.user_id, actor="user").delete(record)

    async def run(self, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        async with self.database.transaction(self.user.user_id) as conn:
            cursor = await conn.execute(statement.encode(), {"user_id": self.user.user_id} | values)
            return await cursor.fetchall() if cursor.description else []

    async def _conversation(self, name: str) -> tuple[UUID, UUID]:
        if name not in self._conversations:
            conversation_id, batch_id = new_id(), new_id()
            values = {"id": conversation_id, "name": name, "batch": batch_id, "key": name.encode()}
            await self.run(
                "INSERT INTO conversation (user_id, id, name) VALUES (%(user_id)s, %(id)s, %(name)s)", values
            )
            await self.run(
                "INSERT INTO batch (user_id, id, idempotency_key, conversation_id, state, trust)"
                " VALUES (%(user_id)s, %(batch)s, %(key)s, %(id)s, 'applied', 3)",
                values,
            )
            self._conversations[name] = (conversation_id, batch_id)
        return self._conversations[name]


@pytest.fixture
def notebook(database: Database, indexer: Indexer, user: User) -> Notebook:
    return Notebook(database, indexer, user)


@pytest.fixture
def retriever(database: Database, indexer: Indexer) -> Retriever:
    return Retriever(database, indexer)
