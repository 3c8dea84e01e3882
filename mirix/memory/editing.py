"""What users do to their memories by hand: look, correct, delete, undo. Each call is one transaction.

What the user deletes or corrects stays so: other memories that say the same from the same messages (twins, as when one
sentence became a core line and an event) go with it, in the same operation, and undo brings them all back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from mirix.db.pool import Database
from mirix.db.statements import statements
from mirix.errors import ConflictError, InputError
from mirix.memory import store
from mirix.memory.changes import Changes, history_of, plan_undo, sources_of, undo
from mirix.memory.envelope import Keyring
from mirix.memory.indexing import Indexer
from mirix.memory.knowledge_vault import VaultRecord, reseal
from mirix.memory.record import DERIVED, Record, adapter, columns
from mirix.memory.store import Connection
from mirix.text.analyser import analyse

# Columns that change only through a verb of their own.
_GUARDED = DERIVED | {"status", "superseded_by", "trust", "source_kind"}
_SEALED = frozenset({"ciphertext", "nonce", "wrapped_key", "format_version", "key_id", "value_version", "reference"})
TWIN_SHARE = 0.8  # of the terms of a memory that another has to hold to be its twin
TWIN_LENGTH = 3  # and it may be no more than so many times as long: a document that quotes the fact stays
_DOCUMENT = statements("document")


class Editor:
    def __init__(self, database: Database, indexer: Indexer, keyring: Keyring) -> None:
        self._database = database
        self._indexer = indexer
        self._keyring = keyring

    async def update(
        self, user_id: int, record_id: UUID, changes: Mapping[str, Any], *, version: int | None = None
    ) -> Record:
        """Correct a memory in place. `value` gives a vault entry another value.

        Raises NotFoundError, InputError for a column that is not there or may not be set, and ConflictError when
        `version` is given and is no longer the present one.
        """
        async with self._database.transaction(user_id) as conn:
            old = await store.get(conn, user_id, record_id)
        if version is not None and version != old.version:
            raise ConflictError(f"memory {record_id} is at version {old.version}, not {version}: read it again")
        [saved] = await self.correct(user_id, [(old, changes)])
        return saved

    async def correct(
        self, user_id: int, corrections: Sequence[tuple[Record, Mapping[str, Any]]], *, sources: Iterable[UUID] = ()
    ) -> list[Record]:
        """Correct memories, as they were read, in one operation; `sources` are messages that say what is right.

        Raises InputError like `update`, and ConflictError when one of them was changed since it was read.
        """
        said_in = list(sources)
        pairs = [(old, self._changed(old, changes)) for old, changes in corrections]
        derived = await self._indexer.derive([new for _, new in pairs])
        async with self._database.transaction(user_id) as conn:
            operation = Changes(conn=conn, user_id=user_id, actor="user", reason="corrected by the user")
            twins = {
                twin.id: twin for old, new in pairs if new.body() != old.body() for twin in await _twins(conn, old)
            }
            saved = [
                await operation.update(old, new, each, sources=said_in)
                for (old, new), each in zip(pairs, derived, strict=True)
            ]
            for twin_id in twins.keys() - {old.id for old, _ in pairs}:
                await operation.delete(twins[twin_id])
            return saved

    async def delete(self, user_id: int, record_id: UUID, *, reason: str = "deleted by the user") -> list[Record]:
        """Archive a memory and its twins; returns all that went. Raises NotFoundError."""
        async with self._database.transaction(user_id) as conn:
            record = await store.get(conn, user_id, record_id, lock=True)
            operation = Changes(conn=conn, user_id=user_id, actor="user", reason=reason)
            twins = await _twins(conn, record)
            return [await operation.delete(one) for one in [record, *twins]]

    async def undo(self, user_id: int, record_id: UUID) -> list[Record]:
        """Take back the newest change of a memory, with all that changed in the same operation.

        Raises NotFoundError when there is nothing to take back, ConflictError when something newer rests on it.
        """
        async with self._database.transaction(user_id) as conn:
            plan = await plan_undo(conn, user_id, record_id)
        targets = [target if target.index_text() != current.index_text() else None for current, target in plan.rows]
        derived = iter(await self._indexer.derive(target for target in targets if target is not None))
        async with self._database.transaction(user_id) as conn:
            operation = Changes(conn=conn, user_id=user_id, actor="user", reason=f"undo of {plan.operation}")
            return await undo(operation, plan, [None if target is None else next(derived) for target in targets])

    async def history(self, user_id: int, record_id: UUID) -> list[dict[str, Any]]:
        """All changes of a memory, oldest first. Raises NotFoundError."""
        async with self._database.transaction(user_id) as conn:
            return await history_of(conn, user_id, record_id)

    async def sources(self, user_id: int, record_id: UUID) -> list[UUID]:
        """The messages that a memory rests on, oldest first."""
        async with self._database.transaction(user_id) as conn:
            return await sources_of(conn, user_id, record_id)

    def _changed(self, old: Record, changes: Mapping[str, Any]) -> Record:
        values = dict(changes)
        value = values.pop("value", None)
        allowed = [name for name in columns(type(old)) if name not in _GUARDED | _SEALED]
        unknown = [name for name in values if name not in allowed]
        if unknown or (value is not None and not isinstance(old, VaultRecord)):
            wrong = unknown[0] if unknown else "value"
            raise InputError(f"{wrong!r} of a {old.memory_kind} memory cannot be set; these can: {', '.join(allowed)}")
        if not changes:
            raise InputError("there is nothing to change: name at least one field")
        try:
            new = adapter(type(old)).validate_python({name: getattr(old, name) for name in columns(type(old))} | values)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise InputError(f"memory {old.id} cannot be changed so: {problems}") from None
        if value is not None and isinstance(new, VaultRecord):
            return reseal(new, self._keyring, str(value))
        return new


async def _twins(conn: Connection, record: Record) -> list[Record]:
    """Other active memories that say the same from the same messages."""
    sources = await sources_of(conn, record.user_id, record.id)
    cursor = await conn.execute(_DOCUMENT["memories_on"], {"user_id": record.user_id, "source_ids": sources})
    ids = {row["record_id"] for row in await cursor.fetchall() if row["shelf"] % 3 == 0} - {record.id}
    others = [await store.get(conn, record.user_id, other) for other in sorted(ids)]
    return [other for other in others if other.memory_kind is not record.memory_kind and is_twin(record, other)]


def is_twin(record: Record, other: Record) -> bool:
    """Whether the other memory says what this one says, and little more."""
    mine, theirs = analyse(record.index_text()), analyse(other.index_text())
    shared = len(set(mine.terms) & set(theirs.terms))
    return shared >= TWIN_SHARE * len(mine.terms) and theirs.length <= TWIN_LENGTH * max(mine.length, 1)
