"""Changes to memories: insert, update, supersede, merge, delete, undo. Each is one operation that can be taken back.

What the words mean. **update** corrects in place: the memory was wrong. **supersede** says that the world changed: the
old value keeps its place in the past, by the time since when the new one holds and not by when it arrived, so that an
old log imported late never wins. **merge** folds several into one. **delete** archives. Whatever happens, the messages
behind a memory are judged anew: one behind a superseded value is outdated; one behind a value that was deleted or
corrected is hidden, unless another active memory rests on it.

A `Changes` is one operation: its rows share an id in the history, and undo takes them back together. All of it runs
inside the caller's transaction; vectors are made before (`Derived`), never in here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from mirix.db.statements import statements
from mirix.errors import ConflictError, NotFoundError, OperationError
from mirix.memory import store
from mirix.memory.indexing import Derived
from mirix.memory.record import UNKNOWN_START, MemoryKind, Record, Trust, new_id
from mirix.memory.store import Connection

Operation = Literal["insert", "update", "supersede", "merge", "delete", "undo"]
_HISTORY = statements("history")
_DOCUMENT = statements("document")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One row that changed."""

    operation: Operation
    kind: MemoryKind
    id: UUID
    summary: str


@dataclass(kw_only=True)
class Changes:
    """One operation in the making. `actor` is user, ingest or the name of an agent."""

    conn: Connection
    user_id: int
    actor: str
    batch_id: UUID | None = None
    reason: str | None = None
    operation_id: UUID = field(default_factory=new_id)
    done: list[Change] = field(default_factory=list)

    async def insert(
        self, record: Record, derived: Derived, *, sources: Iterable[UUID] = (), operation: Operation = "insert"
    ) -> Record:
        """A new memory that rests on `sources` (message ids). One that says the same is kept and gains the sources."""
        equal = await store.find_equal(self.conn, record, derived) if record.status == "active" else None
        if equal:
            await self._add_sources(equal.id, sources)
            await self._judge_messages([equal.id])
            return equal
        await store.insert(self.conn, record, derived)
        await self._add_sources(record.id, sources)
        await self._write_history(operation, record, before=None, after=record)
        return record

    async def update(self, old: Record, new: Record, derived: Derived, *, sources: Iterable[UUID] = ()) -> Record:
        """Correct a memory in place. Its former messages no longer speak for it, the new ones do."""
        saved = await store.save(self.conn, replace(new, version=old.version), derived)
        if old.says() != new.says():
            await self.conn.execute(_DOCUMENT["set_stands"], self._of(old.id) | {"stands": False})
        await self._add_sources(old.id, sources)
        await self._write_history("update", saved, before=old, after=saved)
        await self._judge_messages([old.id])
        return saved

    async def supersede(self, old: Record, new: Record, derived: Derived, *, sources: Iterable[UUID] = ()) -> Record:
        """The world changed at `new.valid_from`: the later value is the current one, whichever arrived first.

        A value of which only the day it was told is known may have held for long: what is told after it and began
        before that day takes its place all the same ("I live in Leeds." "I moved to Bergen last Friday.").
        """
        if type(new) is not type(old):
            raise OperationError(f"a {old.memory_kind} memory cannot be superseded by a {new.memory_kind} memory")
        sources = list(sources)
        if new.valid_from < old.valid_from and await self._is_told_later(old, sources):
            since = UNKNOWN_START
        else:
            since = old.valid_from
        if new.valid_from < since:
            new = replace(new, status="superseded", valid_to=old.valid_from, superseded_by=old.id)
        await store.insert(self.conn, new, derived)
        await self._write_history("supersede", new, before=None, after=new)
        await self._add_sources(new.id, sources)
        if new.status == "superseded":
            await self._link(old.id, new.id, "supersedes")
            await self._judge_messages([new.id])
        else:
            await self.retire(old, new, since=since)
        return new

    async def _is_told_later(self, old: Record, sources: Sequence[UUID]) -> bool:
        """Whether all of these messages come after those of a memory whose start is only when it was told."""
        told = await self._told_at(await sources_of(self.conn, self.user_id, old.id))
        new = await self._told_at(sources)
        return bool(new) and old.valid_from in told and min(new) >= max(told)

    async def _told_at(self, message_ids: Sequence[UUID]) -> list[datetime]:
        parameters = {"user_id": self.user_id, "ids": list(message_ids)}
        return [row["at"] for row in await (await self.conn.execute(_DOCUMENT["told_at"], parameters)).fetchall()]

    async def retire(self, old: Record, new: Record, *, since: datetime | None = None) -> Record:
        """An existing memory takes the place of another from its `valid_from` on; that one held `since`."""
        start = since or old.valid_from
        end = max(new.valid_from, start)
        past = replace(old, status="superseded", valid_from=start, valid_to=end, superseded_by=new.id)
        saved = await store.save(self.conn, past)
        await self._write_history("supersede", saved, before=old, after=saved)
        await self._link(new.id, old.id, "supersedes")
        await self._judge_messages([old.id, new.id])
        return saved

    async def merge(
        self, olds: Sequence[Record], news: Sequence[tuple[Record, Derived]], *, sources: Iterable[UUID] = ()
    ) -> list[Record]:
        """Fold memories of a kind into new ones, which inherit all their messages and the earliest of their times."""
        if not olds or not news or any(type(old) is not type(new) for old in olds for new, _ in news):
            raise OperationError("merge folds memories of one kind into others of the same kind")
        earliest = [old.occurred_at for old in olds if old.occurred_at]
        inherited = [source for old in olds for source in await sources_of(self.conn, self.user_id, old.id)]
        made = []
        for new, derived in news:
            if earliest and new.occurred_at:
                new = replace(new, occurred_at=min([*earliest, new.occurred_at]))
            await store.insert(self.conn, new, derived)
            await self._add_sources(new.id, [*inherited, *sources])
            await self._write_history("merge", new, before=None, after=new)
            made.append(new)
        for old in olds:
            saved = await store.save(self.conn, replace(old, status="archived", superseded_by=made[0].id))
            await self._write_history("merge", saved, before=old, after=saved)
            await self._link(old.id, made[0].id, "merged_into")
        await self._judge_messages([record.id for record in [*made, *olds]])
        return made

    async def delete(self, old: Record) -> Record:
        """Archive a memory."""
        if old.status == "archived":
            raise NotFoundError(f"memory {old.id} is deleted already; `mirix memory undo` brings it back")
        saved = await store.save(self.conn, replace(old, status="archived"))
        await self._write_history("delete", saved, before=old, after=saved)
        await self._judge_messages([old.id])
        return saved

    async def admit(self, old: Record) -> Record:
        """Take a memory out of quarantine: from now on it counts like one that the user told."""
        saved = await store.save(self.conn, replace(old, status="active", trust=Trust.OWN))
        await self._write_history("update", saved, before=old, after=saved)
        await self._judge_messages([old.id])
        return saved

    async def _write_history(
        self, operation: Operation, record: Record, *, before: Record | None, after: Record
    ) -> None:
        await self.conn.execute(
            _HISTORY["insert_history"],
            {
                "user_id": self.user_id,
                "operation_id": self.operation_id,
                "record_id": record.id,
                "kind": record.memory_kind.value,
                "operation": operation,
                "before": Jsonb(before.authored()) if before else None,
                "after": Jsonb(after.authored()),
                "actor": self.actor,
                "reason": self.reason,
                "batch_id": self.batch_id,
            },
        )
        self.done.append(Change(operation=operation, kind=record.memory_kind, id=record.id, summary=record.summary))

    async def _add_sources(self, record_id: UUID, sources: Iterable[UUID]) -> None:
        ids = list(sources)
        if ids:
            await self.conn.execute(_DOCUMENT["insert_sources"], self._of(record_id) | {"source_ids": ids})

    async def _link(self, from_id: UUID, to_id: UUID, relation: str) -> None:
        parameters = {"user_id": self.user_id, "from_id": from_id, "to_id": to_id, "relation": relation}
        await self.conn.execute(_DOCUMENT["insert_link"], parameters)

    async def _judge_messages(self, record_ids: Iterable[UUID]) -> None:
        await judge_messages(self.conn, self.user_id, record_ids)

    def _of(self, record_id: UUID) -> dict[str, Any]:
        return {"user_id": self.user_id, "record_id": record_id}


async def judge_messages(conn: Connection, user_id: int, record_ids: Iterable[UUID]) -> None:
    """Work out anew what the messages behind some memories are worth."""
    cursor = await conn.execute(_DOCUMENT["standings"], {"user_id": user_id, "record_ids": list(record_ids)})
    for row in await cursor.fetchall():
        await store.set_message_standing(conn, user_id, row["record_id"], row["standing"])


async def sources_of(conn: Connection, user_id: int, record_id: UUID) -> list[UUID]:
    """The messages that a memory rests on, oldest first; not those that no longer speak for it."""
    cursor = await conn.execute(_DOCUMENT["sources_of"], {"user_id": user_id, "record_ids": [record_id]})
    return [row["source_id"] for row in await cursor.fetchall() if row["stands"]]


async def history_of(conn: Connection, user_id: int, record_id: UUID) -> list[dict[str, Any]]:
    """All changes of a memory, oldest first. Raises NotFoundError when there never was one."""
    rows = await (await conn.execute(_HISTORY["history_of"], {"user_id": user_id, "record_id": record_id})).fetchall()
    if not rows:
        raise NotFoundError(f"no memory {record_id} of this user: see `mirix memory list`")
    return rows


@dataclass(frozen=True, kw_only=True)
class UndoPlan:
    """What an undo will write: read first, derive vectors, then apply in the same or a later transaction."""

    operation_id: UUID
    operation: Operation
    rows: tuple[tuple[Record, Record], ...]  # (as it is, as it will be), newest change first


async def plan_undo(conn: Connection, user_id: int, record_id: UUID) -> UndoPlan:
    """Find the newest change of a memory that still stands, and what taking it back means.

    Raises NotFoundError when nothing is left to undo, ConflictError when a later change to one of the memories involved
    has to be taken back first.
    """
    last = await (
        await conn.execute(_HISTORY["last_operation"], {"user_id": user_id, "record_id": record_id})
    ).fetchone()
    if last is None:
        await history_of(conn, user_id, record_id)
        raise NotFoundError(f"nothing is left to undo on memory {record_id}")
    operation = {"user_id": user_id, "operation_id": last["operation_id"]}
    later = await (await conn.execute(_HISTORY["later_operations"], operation)).fetchone()
    if later:
        raise ConflictError(
            f"memory {later['record_id']} was changed later ({later['operation']}): undo that first, "
            f"`mirix memory undo {later['record_id']}`"
        )
    rows = await (await conn.execute(_HISTORY["rows_of_operation"], operation)).fetchall()
    pairs = []
    for row in rows:
        current = await store.get(conn, user_id, row["record_id"], lock=True)
        pairs.append((current, _before(current, row["before"])))
    return UndoPlan(operation_id=last["operation_id"], operation=rows[0]["operation"], rows=tuple(pairs))


def _before(current: Record, before: Mapping[str, Any] | None) -> Record:
    return current.restored(before) if before else replace(current, status="archived")


async def undo(changes: Changes, plan: UndoPlan, derived: Sequence[Derived | None]) -> list[Record]:
    """Take an operation back: what it made is archived, what it changed is as it was."""
    restored = []
    for (current, target), its_derived in zip(plan.rows, derived, strict=True):
        saved = await store.save(changes.conn, replace(target, version=current.version), its_derived)
        if plan.operation == "update":
            await changes.conn.execute(_DOCUMENT["set_stands"], changes._of(current.id) | {"stands": True})
        await changes._write_history("undo", saved, before=current, after=saved)
        restored.append(saved)
    ids = [record.id for record in restored]
    await changes.conn.execute(_DOCUMENT["delete_links_between"], {"user_id": changes.user_id, "record_ids": ids})
    marks = {"user_id": changes.user_id, "operation_id": plan.operation_id, "undone_by": changes.operation_id}
    await changes.conn.execute(_HISTORY["mark_undone"], marks)
    await judge_messages(changes.conn, changes.user_id, ids)
    return restored
