"""A small world for memory tests: a user, messages to rest on, and records of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from mirix.db.pool import Database, User
from mirix.memory import store
from mirix.memory.changes import Changes
from mirix.memory.editing import Editor
from mirix.memory.envelope import Keyring
from mirix.memory.indexing import Derived, Indexer
from mirix.memory.message import Standing
from mirix.memory.record import MemoryKind, Record, new_id
from mirix.text.analyser import analyse
from tests.memory.samples import MAY, sample


@dataclass(kw_only=True)
class World:
    """What a memory test works with."""

    database: Database
    indexer: Indexer
    keyring: Keyring
    editor: Editor
    user: User

    def sample(self, kind: MemoryKind, **changes: Any) -> Record:
        return sample(kind, self.user.user_id, self.keyring, **changes)

    async def derive(self, record: Record) -> Derived:
        return (await self.indexer.derive([record]))[0]

    async def message(self, text: str = "said so", at: datetime = MAY) -> UUID:
        """A stored message with its document."""
        batch, conversation, message = new_id(), new_id(), new_id()
        async with self.database.transaction(self.user.user_id) as conn:
            user_id = self.user.user_id
            await conn.execute(
                "INSERT INTO conversation VALUES (%s, %s, %s)", [user_id, conversation, str(conversation)]
            )
            await conn.execute(
                "INSERT INTO batch (user_id, id, idempotency_key, conversation_id, trust) VALUES (%s, %s, %s, %s, 3)",
                [user_id, batch, batch.bytes, conversation],
            )
            await conn.execute(
                "INSERT INTO message (user_id, id, conversation_id, batch_id, role, speaker, source_kind, text, at,"
                " timezone, trust) VALUES (%s, %s, %s, %s, 'user', 'Anna', 'chat', %s, %s, 'UTC', 3)",
                [user_id, message, conversation, batch, text, at],
            )
            await store.insert_document(conn, user_id, message, store.shelf_number(None, "current"), analyse(text))
        return message

    async def standing(self, message: UUID) -> Standing:
        async with self.database.transaction(self.user.user_id) as conn:
            row = await (await conn.execute("SELECT standing FROM message WHERE id = %s", [message])).fetchone()
        assert row is not None
        found: Standing = row["standing"]
        return found

    async def insert(self, record: Record, *sources: UUID, actor: str = "test") -> Record:
        derived = await self.derive(record)
        async with self.database.transaction(self.user.user_id) as conn:
            return await self.changes(conn, actor).insert(record, derived, sources=sources)

    async def supersede(self, old: Record, new: Record, *sources: UUID) -> Record:
        derived = await self.derive(new)
        async with self.database.transaction(self.user.user_id) as conn:
            return await self.changes(conn).supersede(old, new, derived, sources=sources)

    async def merge(self, olds: list[Record], new: Record, *sources: UUID) -> Record:
        derived = await self.derive(new)
        async with self.database.transaction(self.user.user_id) as conn:
            return (await self.changes(conn).merge(olds, [(new, derived)], sources=sources))[0]

    async def get(self, record: Record) -> Record:
        async with self.database.transaction(self.user.user_id) as conn:
            return await store.get(conn, self.user.user_id, record.id)

    async def sources(self, record: Record) -> list[UUID]:
        return await self.editor.sources(self.user.user_id, record.id)

    def changes(self, conn: store.Connection, actor: str = "test") -> Changes:
        return Changes(conn=conn, user_id=self.user.user_id, actor=actor)


@pytest.fixture
def world(database: Database, indexer: Indexer, keyring: Keyring, user: User) -> World:
    editor = Editor(database, indexer, keyring)
    return World(database=database, indexer=indexer, keyring=keyring, editor=editor, user=user)
