"""Opens vault entries. Every reveal is written to the audit first; nothing else gives a value out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg import sql

from mirix.db.statements import statements
from mirix.errors import NotFoundError
from mirix.memory import store
from mirix.memory.envelope import Keyring
from mirix.memory.knowledge_vault import VaultRecord, open_value
from mirix.memory.record import columns
from mirix.memory.store import Connection

_VAULT = statements("knowledge_vault")


async def entries_by_reference(conn: Connection, user_id: int, references: Sequence[str]) -> dict[str, VaultRecord]:
    """The user's entries by reference; unknown references are left out."""
    query = _VAULT["by_references"].format(columns=sql.SQL(", ").join(map(sql.Identifier, columns(VaultRecord))))
    cursor = await conn.execute(query, {"user_id": user_id, "references": list(references)})
    return {row["reference"]: VaultRecord(**row) for row in await cursor.fetchall()}


async def find_entry(conn: Connection, user_id: int, entry: str | UUID) -> VaultRecord:
    """An entry by reference or id. Raises NotFoundError."""
    if isinstance(entry, UUID):
        record = await store.get(conn, user_id, entry)
    else:
        found = (await entries_by_reference(conn, user_id, [entry])).get(entry)
        if found is None:
            raise NotFoundError(f"no vault entry {entry!r} of this user: see `mirix vault list`")
        record = found
    if not isinstance(record, VaultRecord):
        raise NotFoundError(f"memory {record.id} is {record.memory_kind}, not a vault entry: see `mirix vault list`")
    return record


async def reveal(conn: Connection, keyring: Keyring, user_id: int, entry: str | UUID, *, actor: str) -> str:
    """The value of an entry, by reference or id. Raises NotFoundError, SealError."""
    record = await find_entry(conn, user_id, entry)
    await write_audit(conn, user_id, actor=actor, action="reveal", record_id=record.id)
    return open_value(record, keyring)


async def reveal_all(
    conn: Connection, keyring: Keyring, user_id: int, references: Sequence[str], *, actor: str
) -> Mapping[str, str]:
    """The values of some references; those of nobody or of somebody else are left out."""
    entries = await entries_by_reference(conn, user_id, references)
    for record in entries.values():
        await write_audit(conn, user_id, actor=actor, action="reveal", record_id=record.id)
    return {reference: open_value(record, keyring) for reference, record in entries.items()}


async def write_audit(
    conn: Connection, user_id: int, *, actor: str, action: str, record_id: UUID | None = None, note: str | None = None
) -> None:
    parameters = {"user_id": user_id, "actor": actor, "action": action, "record_id": record_id, "note": note}
    await conn.execute(_VAULT["insert_audit"], parameters)
