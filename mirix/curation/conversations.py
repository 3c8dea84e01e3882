"""Conversations as people know them: a name, how long it went, what was said. They are rows of `message`; there is no
other chat state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mirix.db.pool import Database
from mirix.db.statements import statements
from mirix.errors import NotFoundError
from mirix.ingest.evidence import query
from mirix.memory.message import Message
from mirix.memory.record import one_line
from mirix.memory.store import Connection

OPENING_CHARS = 80
_CONVERSATION = statements("conversation")


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """What a list shows of a conversation."""

    name: str  # default where the caller named none
    messages: int
    first_at: datetime  # aware; of its earliest message
    last_at: datetime
    opening: str  # the first words said in it, on one line


async def list_conversations(database: Database, user_id: int) -> list[Conversation]:
    """Conversations that hold messages, the one spoken in last first."""
    async with database.transaction(user_id) as conn:
        rows = await (await conn.execute(_CONVERSATION["list_conversations"], {"user_id": user_id})).fetchall()
    return [
        Conversation(
            name=row["name"],
            messages=row["messages"],
            first_at=row["first_at"],
            last_at=row["last_at"],
            opening=one_line(row["opening"], OPENING_CHARS),
        )
        for row in rows
    ]


async def last_messages(database: Database, user_id: int, name: str, limit: int) -> list[Message]:
    """The last messages of a conversation, oldest first. Raises NotFoundError."""
    async with database.transaction(user_id) as conn:
        parameters = {"user_id": user_id, "conversation_id": await find_conversation(conn, user_id, name)}
        rows = await (await conn.execute(query("last_before"), parameters | {"limit": limit})).fetchall()
    return [Message(**row) for row in reversed(rows)]


async def find_conversation(conn: Connection, user_id: int, name: str) -> UUID:
    """The id of a conversation. Raises NotFoundError."""
    row = await (await conn.execute(_CONVERSATION["find_conversation"], {"user_id": user_id, "name": name})).fetchone()
    if row is None:
        raise NotFoundError(f"there is no conversation {name!r}: see `mirix conversation list`")
    return UUID(str(row["id"]))
