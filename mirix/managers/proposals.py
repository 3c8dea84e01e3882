"""Operations that wait for the user, as rows of `proposal`: `apply.py` writes them, `curation/review.py` decides them.

A row holds the memories it would write as their authored columns (values of the vault stay sealed) and names those it
would change by id. The same is asked once only: not again while it waits, and not after the user has said no.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from psycopg.types.json import Jsonb

from mirix.db.statements import statements
from mirix.errors import SealError
from mirix.managers.tools import Operation, Verb
from mirix.memory.envelope import Keyring
from mirix.memory.kinds import RECORDS
from mirix.memory.knowledge_vault import VaultRecord, open_value, value_digest
from mirix.memory.record import MemoryKind, Record, adapter, new_id
from mirix.memory.store import Connection

ProposalState = Literal["open", "accepted", "rejected"]
_REVIEW = statements("review")


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A row of `proposal`."""

    id: UUID
    batch_id: UUID | None
    kind: MemoryKind
    verb: Verb
    target_ids: tuple[UUID, ...]
    records: tuple[Record, ...]  # what it would write; of an update the memory as it would be
    known_ids: tuple[UUID, ...]  # vault entries that are there already and would take the place of the target
    source_ids: tuple[UUID, ...]
    valid_from: datetime | None
    wish: str | None  # why the manager wants it
    reason: str  # why it was not applied by itself
    state: ProposalState
    created_at: datetime

    @property
    def operation(self) -> Operation:
        return Operation(verb=self.verb, kind=self.kind, valid_from=self.valid_from, reason=self.wish)


def parse_proposal(row: Mapping[str, Any], user_id: int) -> Waiting:
    """A row as it was read. What an item does not say of a memory is as it is by default."""
    operation = row["operation"]
    kind = MemoryKind(row["kind"])
    records = [adapter(RECORDS[kind]).validate_python({"user_id": user_id} | each) for each in operation["records"]]
    return Waiting(
        id=row["id"],
        batch_id=row["batch_id"],
        kind=kind,
        verb=cast(Verb, operation["verb"]),
        target_ids=tuple(map(UUID, operation["targets"])),
        records=tuple(records),
        known_ids=tuple(map(UUID, operation["known"])),
        source_ids=tuple(map(UUID, operation["sources"])),
        valid_from=datetime.fromisoformat(operation["valid_from"]) if operation["valid_from"] else None,
        wish=operation["reason"],
        reason=row["reason"],
        state=row["state"],
        created_at=row["created_at"],
    )


async def store_proposal(
    conn: Connection,
    user_id: int,
    batch_id: UUID,
    operation: Operation,
    *,
    targets: Sequence[Record],
    records: Sequence[Record],
    known: Sequence[Record],
    sources: Sequence[UUID],
    reason: str,
) -> UUID:
    """Let an operation wait for the user; its id."""
    proposal_id = new_id()
    content = {
        "verb": operation.verb,
        "targets": [str(record.id) for record in targets],
        "records": [record.authored() | {"id": str(record.id)} for record in records],
        "known": [str(record.id) for record in known],
        "sources": [str(source) for source in sources],
        "valid_from": operation.valid_from.isoformat() if operation.valid_from else None,
        "reason": operation.reason,
    }
    row = {"id": proposal_id, "batch_id": batch_id, "kind": operation.kind.value, "reason": reason}
    await conn.execute(_REVIEW["insert_proposal"], {"user_id": user_id} | row | {"operation": Jsonb(content)})
    return proposal_id


async def asked_before(
    conn: Connection,
    keyring: Keyring,
    user_id: int,
    operation: Operation,
    *,
    targets: Sequence[Record],
    records: Sequence[Record],
) -> ProposalState | None:
    """What became of the same, where it was asked already and is not done: open or rejected."""
    parameters = {"user_id": user_id, "kind": operation.kind.value, "verb": operation.verb}
    rows = await (await conn.execute(_REVIEW["proposals_like"], parameters)).fetchall()
    wanted = ({record.id for record in targets}, _says(operation.verb, records, keyring))
    for row in rows:
        other = parse_proposal(row, user_id)
        if (set(other.target_ids), _says(other.verb, other.records, keyring)) == wanted:
            return other.state
    return None


def _says(verb: Verb, records: Sequence[Record], keyring: Keyring) -> list[str]:
    """What memories say, whatever the case of letters and the stops between words; of a vault entry its value."""
    found = []
    for record in records:
        words = " ".join(re.findall(r"\w+", (record.identity() or record.summary).casefold()))
        if isinstance(record, VaultRecord):
            words = f"{sealed_digest(record, keyring).hex()} {words if verb == 'update' else ''}"
        found.append(words)
    return sorted(found)


def with_digest(record: Record, keyring: Keyring) -> Record:
    """A record that was read from a proposal, with the digest that its row carries."""
    return replace(record, content_hmac=sealed_digest(record, keyring)) if isinstance(record, VaultRecord) else record


def sealed_digest(record: VaultRecord, keyring: Keyring) -> bytes:
    """The keyed digest of a sealed value; that of the entry alone where its value was left out of an import."""
    try:
        return value_digest(keyring, record.user_id, open_value(record, keyring))
    except SealError:
        return keyring.digest(record.user_id, f"left out {record.id}", "vault")
