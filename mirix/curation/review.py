"""What waits for the user's word: operations that trust did not allow, and memories in quarantine.

    proposal (open) ─┬─ accept ─> the operation, in one transaction, as the user's own: trust 3, in history, with undo
                     └─ reject ─> nothing changes, and the same is not asked again
    quarantined     ─┬─ accept ─> active: found, and on the shelf of what counts
                     └─ reject ─> archived

A proposal is about the memories as they were when it was made: where one of them changed since, it cannot be accepted
any more. The same accepted twice is applied once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg import sql

from mirix.db.pool import Database
from mirix.db.statements import statements
from mirix.errors import ConflictError, NotFoundError
from mirix.ingest.evidence import query
from mirix.ingest.frames import FrameFiles
from mirix.ingest.sealing import known_values, not_harmless
from mirix.managers.apply import Prepared, check_unknown, perform
from mirix.managers.finds import Find, cut_of
from mirix.managers.proposals import ProposalState, Waiting, parse_proposal, with_digest
from mirix.managers.tools import Verb
from mirix.managers.trust import Verdict
from mirix.memory import store
from mirix.memory.changes import Change, Changes, sources_of
from mirix.memory.core import CoreRecord, check_room
from mirix.memory.envelope import Keyring
from mirix.memory.indexing import Indexer
from mirix.memory.kinds import RECORDS
from mirix.memory.knowledge_vault import VaultRecord, open_value
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind, Record, Scope, Trust
from mirix.memory.redaction import Cut, plan_redaction, write_redaction
from mirix.memory.reveal import entries_by_reference
from mirix.memory.store import Connection
from mirix.text.instructions import instruction_in
from mirix.text.secrets import reference_text

_REVIEW = statements("review")
_ALL = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ProposalEntry:
    """An operation that waits for the user, or waited."""

    id: UUID
    kind: MemoryKind
    operation: Verb
    state: ProposalState
    reason: str  # why it was not applied by itself
    wish: str | None  # why the manager wants it, where it said so
    targets: tuple[Record, ...]  # what it would change, as it is now; what is gone is left out
    records: tuple[Record, ...]  # what it would write; values of the vault stay sealed
    messages: tuple[Message, ...]  # what it rests on
    created_at: datetime
    obstacle: str | None  # why it cannot be accepted any more

    @property
    def before(self) -> tuple[str, ...]:
        """The memories that it would change, in one line each."""
        return tuple(record.summary for record in self.targets)

    @property
    def after(self) -> tuple[str, ...]:
        """What they would be, in one line each; empty where it would delete them."""
        return tuple(record.summary for record in self.records)


@dataclass(frozen=True, kw_only=True)
class QuarantinedEntry:
    """A memory that is kept apart until the user looks at it."""

    memory: Record
    reason: str
    words: str | None  # those that read like an order to the assistant
    messages: tuple[Message, ...]  # what it rests on


class Reviewer:
    def __init__(self, database: Database, indexer: Indexer, keyring: Keyring, frames: FrameFiles) -> None:
        self._database = database
        self._indexer = indexer
        self._keyring = keyring
        self._frames = frames

    # ---- proposals ----

    async def proposals(self, user_id: int, states: Sequence[ProposalState]) -> list[ProposalEntry]:
        """Operations in some states, oldest first."""
        parameters = {"user_id": user_id, "states": list(states)}
        async with self._database.transaction(user_id) as conn:
            rows = await (await conn.execute(_REVIEW["list_proposals"], parameters)).fetchall()
            return [await _entry(conn, user_id, parse_proposal(row, user_id)) for row in rows]

    async def accept(self, user_id: int, proposal_id: UUID) -> list[Change]:
        """Carry an operation out; returns what was written, nothing where that was done before.

        Raises NotFoundError, and ConflictError when what it is about changed since.
        """
        async with self._database.transaction(user_id) as conn:
            waiting = await _get(conn, user_id, proposal_id)
            if waiting.state == "accepted":
                return []
            targets = await _targets(conn, user_id, waiting, lock=False)
            item, cut = await self._prepared(conn, user_id, waiting, targets)
        item = replace(item, derived=tuple(await self._indexer.derive(item.records)))
        redaction = None
        if cut.references:
            redaction = await plan_redaction(self._database, self._indexer, user_id, cut, batch_id=waiting.batch_id)
        async with self._database.transaction(user_id) as conn:
            if await _decide(conn, user_id, proposal_id, "accepted") == "accepted":
                return []
            await check_unknown(conn, user_id, item.records)  # locks values first, as apply does
            await _targets(conn, user_id, waiting, lock=True)
            await not_harmless(conn, self._keyring, user_id, list(cut.references))
            changes = Changes(
                conn=conn,
                user_id=user_id,
                actor="user",
                batch_id=waiting.batch_id,
                reason=f"accepted by the user{f': {waiting.wish}' if waiting.wish else ''}",
                operation_id=waiting.id,
            )
            try:
                async with conn.transaction():
                    await perform(changes, item)
            except (psycopg.IntegrityError, psycopg.DataError) as error:
                raise ConflictError(f"the database refuses this proposal: {error.diag.message_primary}") from error
            if redaction:
                for message_id, boxes in await write_redaction(conn, self._indexer, redaction):
                    await self._frames.paint_over(user_id, message_id, boxes)
        return changes.done

    async def reject(self, user_id: int, proposal_id: UUID) -> None:
        """Never carry an operation out, nor ask the same again. Raises NotFoundError, ConflictError."""
        async with self._database.transaction(user_id) as conn:
            if await _decide(conn, user_id, proposal_id, "rejected") == "accepted":
                raise ConflictError(f"proposal {proposal_id} was accepted: `mirix memory undo` takes its change back")

    async def _prepared(
        self, conn: Connection, user_id: int, waiting: Waiting, targets: Sequence[Record]
    ) -> tuple[Prepared, Cut]:
        """The operation as the user's own word, and the secrets that have to be cut from what is stored when it is
        carried out. Raises ConflictError."""
        records = [with_digest(replace(record, trust=Trust.OWN), self._keyring) for record in waiting.records]
        if waiting.verb == "update":
            [new], [old] = records, targets
            whole = old.restored(new.authored())
            records = [replace(whole, content_hmac=new.content_hmac or whole.content_hmac)]
        known = [await _known(conn, user_id, entry_id) for entry_id in waiting.known_ids]
        if waiting.kind is MemoryKind.CORE:
            await _check_room(conn, user_id, targets, records)
        secrets = {open_value(r, self._keyring): r for r in _secrets(records, targets)}
        taken = await known_values(conn, self._keyring, user_id, list(secrets))
        for value, reference in taken.items():
            entry = (await entries_by_reference(conn, user_id, [reference]))[reference]
            if waiting.verb in ("update", "merge") or entry.id in waiting.target_ids:
                raise ConflictError(f"its value is in the vault already, as {reference_text(reference)}: reject it")
            records = [record for record in records if record is not secrets[value]]
            known.append(entry)
        cut = cut_of([_find(value, record) for value, record in secrets.items()], taken)
        item = Prepared(
            agent="user",
            operation=waiting.operation,
            verdict=Verdict(outcome="apply"),
            targets=tuple(targets),
            records=tuple(cut.record(record) for record in records),
            known=tuple(known),
            sources=waiting.source_ids,
        )
        return item, cut

    # ---- quarantine ----

    async def quarantined(self, user_id: int) -> list[QuarantinedEntry]:
        """Memories in quarantine, kind by kind, the newest first."""
        chosen = store.ListFilter(statuses=("quarantined",), limit=_ALL)
        async with self._database.transaction(user_id) as conn:
            kept = [await store.list_records(conn, Scope(user_id=user_id), kind, chosen) for kind in RECORDS.values()]
            return [await _quarantined(conn, record) for records in kept for record in records]

    async def admit(self, user_id: int, memory_id: UUID) -> Record:
        """Let a memory out of quarantine. Raises NotFoundError, ConflictError when it is not in there."""
        async with self._database.transaction(user_id) as conn:
            record = await store.get(conn, user_id, memory_id, lock=True)
            if record.status == "active":
                return record
            _check_quarantined(record)
            return await Changes(
                conn=conn, user_id=user_id, actor="user", reason="let out of quarantine by the user"
            ).admit(record)

    async def dismiss(self, user_id: int, memory_id: UUID) -> Record:
        """Archive a memory that is in quarantine. Raises NotFoundError, ConflictError when it is not in there."""
        async with self._database.transaction(user_id) as conn:
            record = await store.get(conn, user_id, memory_id, lock=True)
            if record.status == "archived":
                return record
            _check_quarantined(record)
            return await Changes(
                conn=conn, user_id=user_id, actor="user", reason="rejected in quarantine by the user"
            ).delete(record)


async def count_waiting(conn: Connection, user_id: int) -> tuple[int, int]:
    """How many operations wait for the user, and how many memories are in quarantine."""
    user = {"user_id": user_id}
    rows = [await (await conn.execute(_REVIEW["count_open"], user)).fetchone()]
    for kind in MemoryKind:
        query = _REVIEW["count_quarantined"].format(table=sql.Identifier(kind.table))
        rows.append(await (await conn.execute(query, user)).fetchone())
    proposals, *quarantined = (row["count"] for row in rows if row)
    return proposals, sum(quarantined)


# ---- proposals ----


async def _get(conn: Connection, user_id: int, proposal_id: UUID) -> Waiting:
    row = await (await conn.execute(_REVIEW["get_proposal"], {"user_id": user_id, "id": proposal_id})).fetchone()
    if row is None:
        raise NotFoundError(f"no proposal {proposal_id} of this user: see `mirix proposal list`")
    return parse_proposal(row, user_id)


async def _decide(conn: Connection, user_id: int, proposal_id: UUID, state: ProposalState) -> ProposalState:
    """Give a proposal another state, unless it was accepted before; the state it had."""
    key = {"user_id": user_id, "id": proposal_id}
    row = await (await conn.execute(_REVIEW["lock_proposal"], key)).fetchone()
    if row is None:
        raise NotFoundError(f"no proposal {proposal_id} of this user: see `mirix proposal list`")
    before: ProposalState = row["state"]
    if before != "accepted":
        await conn.execute(_REVIEW["set_state"], key | {"state": state})
    return before


async def _targets(conn: Connection, user_id: int, waiting: Waiting, *, lock: bool) -> list[Record]:
    """The memories that it would change, as they were when it was made. Raises ConflictError when one is no more so, or
    when all that it rests on was forgotten."""
    found = []
    for target_id in waiting.target_ids:
        try:
            found.append(await store.get(conn, user_id, target_id, lock=lock))
        except NotFoundError:
            raise ConflictError(f"memory {target_id}, which it would change, was forgotten: reject it") from None
        if found[-1].status != "active":
            raise ConflictError(f"memory {target_id}, which it would change, is {found[-1].status} by now: reject it")
    parameters = {"user_id": user_id, "record_ids": list(waiting.target_ids), "since": waiting.created_at}
    changed = await (await conn.execute(_REVIEW["changed_since"], parameters)).fetchone()
    if changed:
        raise ConflictError(
            f"memory {changed['record_id']} was changed since this was proposed ({changed['operation']}): reject it, "
            "or take that change back first (`mirix memory undo`)"
        )
    if waiting.source_ids and not await _messages(conn, user_id, waiting.source_ids):
        raise ConflictError("what it rests on was forgotten: reject it")
    return found


async def _entry(conn: Connection, user_id: int, waiting: Waiting) -> ProposalEntry:
    targets, obstacle = [], None
    for target_id in waiting.target_ids:
        with suppress(NotFoundError):
            targets.append(await store.get(conn, user_id, target_id))
    if waiting.state != "accepted":
        try:
            await _targets(conn, user_id, waiting, lock=False)
        except ConflictError as error:
            obstacle = str(error)
    return ProposalEntry(
        id=waiting.id,
        kind=waiting.kind,
        operation=waiting.verb,
        state=waiting.state,
        reason=waiting.reason,
        wish=waiting.wish,
        targets=tuple(targets),
        records=waiting.records,
        messages=tuple(await _messages(conn, user_id, waiting.source_ids)),
        created_at=waiting.created_at,
        obstacle=obstacle,
    )


async def _messages(conn: Connection, user_id: int, ids: Sequence[UUID]) -> list[Message]:
    rows = await (await conn.execute(query("messages_by_id"), {"user_id": user_id, "ids": list(ids)})).fetchall()
    return [Message(**row) for row in rows]


async def _known(conn: Connection, user_id: int, entry_id: UUID) -> Record:
    try:
        return await store.get(conn, user_id, entry_id)
    except NotFoundError:
        raise ConflictError(f"vault entry {entry_id}, which it names, was forgotten: reject it") from None


async def _check_room(conn: Connection, user_id: int, targets: Sequence[Record], records: Sequence[Record]) -> None:
    """Raises ConflictError when a block of core memory has no room for the lines."""
    lines = [record for record in records if isinstance(record, CoreRecord)]
    gone = {record.id for record in [*targets, *records]}
    for label in {line.label for line in lines}:
        scope = Scope(user_id=user_id, agent_id=lines[0].agent_id, run_id=lines[0].run_id)
        present = await store.list_records(conn, scope, CoreRecord, store.ListFilter(limit=_ALL))
        kept = [line.summary for line in present if line.label == label and line.id not in gone]
        try:
            check_room(label, kept, [line.summary for line in lines if line.label == label], rewrite=bool(targets))
        except ConflictError:
            raise ConflictError(
                f"core block {label!r} is full: shorten or delete lines of it first (`mirix memory list --kind core`)"
            ) from None


def _secrets(records: Sequence[Record], targets: Sequence[Record]) -> list[VaultRecord]:
    """The entries with a secret that is new to them."""
    values = {record.content_hmac for record in targets}
    entries = [record for record in records if isinstance(record, VaultRecord)]
    return [entry for entry in entries if entry.sensitivity == "high" and entry.content_hmac not in values]


def _find(value: str, entry: VaultRecord) -> Find:
    return Find(value=value, reference=entry.reference, terms=(entry.summary, *entry.keywords))


# ---- quarantine ----


async def _quarantined(conn: Connection, record: Record) -> QuarantinedEntry:
    key = {"user_id": record.user_id, "record_id": record.id}
    row = await (await conn.execute(_REVIEW["first_reason"], key)).fetchone()
    messages = await _messages(conn, record.user_id, await sources_of(conn, record.user_id, record.id))
    texts = [record.index_text(), *(message.text for message in messages)]
    return QuarantinedEntry(
        memory=record,
        reason=(row["reason"] if row else None) or "",
        words=next((words for text in texts if (words := instruction_in(text))), None),
        messages=tuple(messages),
    )


def _check_quarantined(record: Record) -> None:
    if record.status != "quarantined":
        raise ConflictError(f"memory {record.id} is not in quarantine, it is {record.status}")
