"""A memory whose contents are made by hand: what was said, and which memories rest on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from mirix.config import Settings
from mirix.memory.changes import Changes
from mirix.memory.kinds import RECORDS
from mirix.memory.record import MemoryKind, Record, now
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.system import AsyncMirix
from tests.scripts import open_mirix, rows

__all__ = ["open_mirix", "rows"]

_OWN: dict[str, dict[str, Any]] = {
    "core": {"label": "human"},
    "episodic": {},
    "semantic": {"name": "note", "kind": "insight"},
    "procedural": {"entry_type": "guide", "steps": ["begin"]},
    "resource": {"title": "Paper", "content": "A paper."},
}


def nothing(request: ScriptedRequest) -> Reply:
    """A model that files nothing."""
    if "trigger_memory_update" in request.tools:
        return {"tool_calls": [{"name": "trigger_memory_update", "args": {"updates": []}}]}
    return "Nothing to file."


@dataclass(frozen=True, kw_only=True)
class World:
    """A user's memory."""

    memory: AsyncMirix
    user_id: int

    async def say(self, text: str, **where: Any) -> UUID:
        """A message that no manager made anything of."""
        return (await self.memory.add(text, **where)).message_ids[0]

    async def file(self, kind: str, summary: str, *sources: UUID, **values: Any) -> Record:
        record = self._record(kind, summary, values)
        (derived,) = await self.memory.parts.indexer.derive([record])
        async with self.memory.parts.database.transaction(self.user_id) as conn:
            changes = Changes(conn=conn, user_id=self.user_id, actor="user", reason=f"because of {summary}")
            return await changes.insert(record, derived, sources=sources)

    async def supersede(self, old: Record, summary: str, *sources: UUID) -> Record:
        new = self._record(old.memory_kind.value, summary, {})
        (derived,) = await self.memory.parts.indexer.derive([new])
        async with self.memory.parts.database.transaction(self.user_id) as conn:
            changes = Changes(conn=conn, user_id=self.user_id, actor="user")
            return await changes.supersede(await self.get(old.id), new, derived, sources=sources)

    async def merge(self, olds: Sequence[Record], summary: str) -> Record:
        new = self._record(olds[0].memory_kind.value, summary, {})
        (derived,) = await self.memory.parts.indexer.derive([new])
        async with self.memory.parts.database.transaction(self.user_id) as conn:
            changes = Changes(conn=conn, user_id=self.user_id, actor="user")
            (made,) = await changes.merge(olds, [(new, derived)])
            return made

    def _record(self, kind: str, summary: str, values: dict[str, Any]) -> Record:
        own = _OWN[kind] | ({"occurred_at": now()} if kind == "episodic" else {})
        return RECORDS[MemoryKind(kind)](user_id=self.user_id, summary=summary, **own | values)

    async def get(self, record_id: UUID) -> Record:
        return await self.memory.get(record_id)

    async def texts(self, conversation: str = "default") -> list[str]:
        return [message.text for message in await self.memory.messages(conversation)]

    async def summaries(self, *statuses: Any) -> list[str]:
        return [record.summary for record in await self.memory.get_all(statuses=statuses or ("active",))]


@dataclass(frozen=True)
class Scan:
    """Looks for words in all that is stored."""

    url: str
    frames: Path

    def __call__(self, *words: str) -> dict[str, list[str]]:
        """The tables, by the word that stands in one of their rows."""
        found: dict[str, list[str]] = {}
        for table, held in self.dump().items():
            for word in words:
                if any(word.casefold() in row.casefold() for row in held):
                    found.setdefault(word, []).append(table)
        return found

    def dump(self, user_id: int | None = None) -> dict[str, list[str]]:
        """Every row of every table (of one user, where there is one) as text, in no order."""
        with psycopg.connect(self.url) as conn:
            tables = conn.execute(
                "SELECT c.relname, EXISTS ("
                "SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'user_id')"
                " FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1"
            ).fetchall()
            return {
                table: [text for (text,) in conn.execute(*_rows(table, user_id if is_own else None)).fetchall()]
                for table, is_own in tables
                if is_own or user_id is None
            }

    @property
    def pictures(self) -> list[str]:
        return sorted(path.name for path in self.frames.rglob("*") if path.is_file())


def _rows(table: str, user_id: int | None) -> tuple[sql.Composed, list[int]]:
    query = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(table))
    if user_id is None:
        return query, []
    return query + sql.SQL(" WHERE user_id = %s ORDER BY 1"), [user_id]


@pytest.fixture
def scan(owner_url: str, tmp_path: Path) -> Scan:
    return Scan(owner_url, tmp_path / "frames")


@pytest.fixture
def anna(settings: Settings) -> Settings:
    """The settings of the user anna, with pictures kept without their text."""
    return settings.model_copy(update={"user": "anna", "ocr": "none"})


@pytest.fixture
async def world(anna: Settings, empty: None) -> AsyncIterator[World]:
    async with AsyncMirix(anna, model=ScriptedChatModel(script=nothing)) as memory:
        user = await memory.parts.database.ensure_user("anna", "Europe/Oslo")
        yield World(memory=memory, user_id=user.user_id)
