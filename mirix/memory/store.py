"""Reads and writes the six memory tables: written once, driven by the record class.

The store keeps three things in step inside the caller's transaction: the row, its document with postings, and the shelf
the document stands on (kind x standing). It knows nothing of why something changes: that is `changes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pgvector import HalfVector
from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb
from psycopg.types.multirange import Multirange

from mirix.db.statements import statements
from mirix.errors import ConflictError, NotFoundError
from mirix.memory.indexing import Derived
from mirix.memory.kinds import RECORDS
from mirix.memory.message import Standing
from mirix.memory.record import MemoryKind, Record, Scope, Status, columns
from mirix.text.analyser import ANALYSER_VERSION, Analysis

Connection = AsyncConnection[dict[str, Any]]
R = TypeVar("R", bound=Record)

MESSAGE_NUMBER = 0  # of messages in document.shelf; the memories follow from 1
_STATES: dict[str, int] = {
    "active": 0,
    "current": 0,
    "superseded": 1,
    "outdated": 1,
    "archived": 2,
    "quarantined": 2,
    "hidden": 2,
}
# An update writes these by rules of its own, or never.
_KEPT = frozenset({"user_id", "id", "version", "created_at", "updated_at", "embedding_model", "content_hmac"})
_JSON_COLUMNS = frozenset({"metadata", "steps"})
_RECORD = statements("record")
_DOCUMENT = statements("document")


def shelf_number(kind: MemoryKind | None, standing: Status | Standing) -> int:
    """Where things of a kind (None: messages) and standing are filed; see `document.shelf`."""
    return 3 * (kind.number if kind else MESSAGE_NUMBER) + _STATES[standing]


def kind_of_shelf(shelf: int) -> MemoryKind | None:
    """The kind a shelf holds; None for messages."""
    number = shelf // 3
    return list(MemoryKind)[number - 1] if number else None


@dataclass(frozen=True, kw_only=True)
class ListFilter:
    """Which memories a list shows."""

    tags: Sequence[str] | None = None  # all of them
    as_of: datetime | None = None  # what held in the world at that time
    statuses: Sequence[Status] = ("active",)
    limit: int = 100
    offset: int = 0


def query(name: str, record_type: type[Record]) -> sql.Composed:
    """A shared query for the table of a record type."""
    names = columns(record_type)
    written = [name for name in names if name not in _KEPT]
    return _RECORD[name].format(
        table=sql.Identifier(record_type.memory_kind.table),
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        values=sql.SQL(", ").join(map(sql.Placeholder, names)),
        assignments=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder(n)) for n in written
        ),
    )


def from_row(record_type: type[R], row: dict[str, Any]) -> R:
    return record_type(**row)


async def get(conn: Connection, user_id: int, record_id: UUID, *, lock: bool = False) -> Record:
    """One memory by id, whatever its kind or status. Raises NotFoundError."""
    place = await (await conn.execute(_DOCUMENT["shelf_of"], {"user_id": user_id, "record_id": record_id})).fetchone()
    kind = kind_of_shelf(place["shelf"]) if place else None
    if kind is None:
        raise NotFoundError(f"no memory {record_id} of this user: see `mirix memory list`")
    name = "lock_record" if lock else "get_records"
    parameters = {"user_id": user_id, "id": record_id, "ids": [record_id]}
    row = await (await conn.execute(query(name, RECORDS[kind]), parameters)).fetchone()
    if row is None:
        raise NotFoundError(f"memory {record_id} is in the index but not in {kind.table}: run `mirix doctor`")
    return from_row(RECORDS[kind], row)


async def get_many(conn: Connection, user_id: int, record_type: type[R], ids: Iterable[UUID]) -> list[R]:
    """The memories of one kind by id, in no order; unknown ids are left out."""
    cursor = await conn.execute(query("get_records", record_type), {"user_id": user_id, "ids": list(ids)})
    return [from_row(record_type, row) for row in await cursor.fetchall()]


async def list_records(
    conn: Connection, scope: Scope, record_type: type[R], chosen: ListFilter | None = None
) -> list[R]:
    """The memories of one kind, newest change first."""
    chosen = chosen or ListFilter()
    parameters = {
        "user_id": scope.user_id,
        "agent_id": scope.agent_id,
        "run_id": scope.run_id,
        "tags": list(chosen.tags) if chosen.tags else None,
        "as_of": chosen.as_of,
        "statuses": ["active", "superseded"] if chosen.as_of else list(chosen.statuses),
        "limit": chosen.limit,
        "offset": chosen.offset,
    }
    cursor = await conn.execute(query("list_records", record_type), parameters)
    return [from_row(record_type, row) for row in await cursor.fetchall()]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What `related` looks at of some evidence."""

    text: str
    references: Sequence[str]  # of vault entries
    uris: Sequence[str]
    mentioned: Multirange[datetime]  # the times it speaks of


async def related(conn: Connection, scope: Scope, kind: MemoryKind, evidence: Evidence, limit: int) -> list[Record]:
    """The active memories of a kind that evidence touches for sure; what that means is told by the kind's own query."""
    record_type = RECORDS[kind]
    names = sql.SQL(", ").join(map(sql.Identifier, columns(record_type)))
    parameters = {
        "user_id": scope.user_id,
        "agent_id": scope.agent_id,
        "run_id": scope.run_id,
        "text": evidence.text,
        "references": list(evidence.references),
        "uris": list(evidence.uris),
        "mentioned": evidence.mentioned,
        "limit": limit,
    }
    cursor = await conn.execute(statements(kind.module)["related"].format(columns=names), parameters)
    return [from_row(record_type, row) for row in await cursor.fetchall()]


async def count(conn: Connection, user_id: int, record_type: type[Record]) -> int:
    """How many memories of a kind are active."""
    row = await (await conn.execute(query("count_records", record_type), {"user_id": user_id})).fetchone()
    return int(row["count"]) if row else 0


async def find_equal(conn: Connection, record: R, derived: Derived) -> R | None:
    """The oldest active memory of the same scope that says the same."""
    parameters = {
        "user_id": record.user_id,
        "content_hmac": derived.content_hmac,
        "agent_id": record.agent_id,
        "run_id": record.run_id,
    }
    row = await (await conn.execute(query("find_equal", type(record)), parameters)).fetchone()
    return from_row(type(record), row) if row else None


async def insert(conn: Connection, record: Record, derived: Derived) -> None:
    """A new row with its document and postings."""
    await conn.execute(query("insert_record", type(record)), _parameters(record, derived))
    await insert_document(
        conn, record.user_id, record.id, shelf_number(record.memory_kind, record.status), derived.analysis
    )


async def save(conn: Connection, record: R, derived: Derived | None = None) -> R:
    """Write a changed memory over the version it was read at; returns it as it now is.

    Without `derived` the text is as it was: its vector and postings stay, and only the shelf may change. Raises
    ConflictError when somebody changed the memory in between: read it again, and decide again.
    """
    row = await (await conn.execute(query("save_record", type(record)), _parameters(record, derived))).fetchone()
    if row is None:
        raise ConflictError(f"memory {record.id} changed since version {record.version} was read: read it again")
    shelf = shelf_number(record.memory_kind, record.status)
    if derived is None:
        await move_document(conn, record.user_id, record.id, shelf)
    else:
        await reindex(conn, record.user_id, record.id, shelf, derived.analysis)
    return from_row(type(record), row)


async def insert_document(conn: Connection, user_id: int, record_id: UUID, shelf: int, analysis: Analysis) -> int:
    """Put something on a shelf of the index; returns its document number."""
    cursor = await conn.execute(_DOCUMENT["insert_document"], _postings(user_id, record_id, shelf, analysis))
    row = await cursor.fetchone()
    assert row is not None
    return int(row["doc"])


async def reindex(conn: Connection, user_id: int, record_id: UUID, shelf: int, analysis: Analysis) -> None:
    """Replace the postings of something whose text changed."""
    parameters = _postings(user_id, record_id, shelf, analysis)
    await conn.execute(_DOCUMENT["delete_postings"], {"user_id": user_id, "record_id": record_id})
    await conn.execute(_DOCUMENT["reindex_document"], parameters)


async def move_document(conn: Connection, user_id: int, record_id: UUID, shelf: int) -> None:
    """Put something on another shelf of the index."""
    parameters = {"user_id": user_id, "record_id": record_id, "shelf": shelf}
    await conn.execute(_DOCUMENT["move_document"], parameters)


async def set_message_standing(conn: Connection, user_id: int, message_id: UUID, standing: Standing) -> None:
    """Say what a message is worth, on its row and in the index."""
    parameters = {"user_id": user_id, "record_id": message_id, "standing": standing}
    changed = await conn.execute(_DOCUMENT["set_standing"], parameters)
    if changed.rowcount:
        await move_document(conn, user_id, message_id, shelf_number(None, standing))


def _postings(user_id: int, record_id: UUID, shelf: int, analysis: Analysis) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "record_id": record_id,
        "shelf": shelf,
        "length": analysis.length,
        "terms": list(analysis.terms),
        "frequencies": list(analysis.frequencies),
        "analyser": ANALYSER_VERSION,
    }


def _parameters(record: Record, derived: Derived | None) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in columns(type(record))}
    for name in _JSON_COLUMNS & values.keys():
        values[name] = Jsonb(values[name])
    values |= {"keeps_text": derived is None, "embedding": None}
    if derived is not None:
        values |= {
            "embedding": None if derived.vector is None else HalfVector(derived.vector),
            "embedding_model": derived.embedding_model,
            "content_hmac": derived.content_hmac,
        }
    return values
