"""Applies what managers proposed: ONE transaction for a batch, or nothing.

    proposals -> cut secrets -> build records -> vectors
              -> [ lock the batch, refuse if applied, trust gate, write, redact, mark applied ]

No tool writes by itself; whatever a model says passes the gate in `trust.py`. What may not be applied is kept: as a
proposal to the user, as a quarantined memory, or as a problem of the batch with its reason.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from mirix.db.pool import Database
from mirix.db.statements import statements
from mirix.errors import ConflictError, InputError, NotFoundError, OperationError
from mirix.ingest.frames import FrameFiles
from mirix.ingest.sealing import harmless_digests, known_values, lock_values, references_by_digest
from mirix.managers.building import Builder
from mirix.managers.finds import cut_of, find_values, without_finds, without_harmless, without_strange_references
from mirix.managers.manager import Proposal
from mirix.managers.prompt import Shown
from mirix.managers.proposals import ProposalState, asked_before, store_proposal
from mirix.managers.tools import Operation
from mirix.managers.trust import Verdict, judge
from mirix.memory import store
from mirix.memory.changes import Change, Changes
from mirix.memory.envelope import Keyring
from mirix.memory.indexing import Derived, Indexer
from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.record import MemoryKind, Record, Scope, new_id
from mirix.memory.redaction import Redaction, plan_redaction, write_redaction
from mirix.memory.reveal import entries_by_reference
from mirix.models.usage import Usage
from mirix.text.secrets import find_references

logger = logging.getLogger(__name__)
_BATCH = statements("batch")
_ASKED = {"open": "the same waits for the user already", "rejected": "the user has said no to the same before"}


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """An operation with everything that is needed to write it."""

    agent: str
    operation: Operation
    verdict: Verdict
    targets: tuple[Record, ...]
    records: tuple[Record, ...]  # new ones, or the changed one of an update
    derived: tuple[Derived, ...] = ()  # of the records, in order
    known: tuple[Record, ...] = ()  # what the items name is there already: a vault entry that was sealed at ingest
    sources: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class _Work:
    """A batch with all that is needed to write it."""

    operations: tuple[Prepared, ...]
    problems: tuple[str, ...]
    redaction: Redaction | None  # secrets that the managers found


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What became of a batch."""

    changes: tuple[Change, ...] = ()
    problems: tuple[str, ...] = ()
    proposals: int = 0
    routes: Mapping[MemoryKind, int] = field(default_factory=dict)  # operations that each memory's manager proposed
    was_applied: bool = False  # somebody else had applied it already: nothing was done

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Applied:
        """What is stored of an applied batch."""
        return cls(
            changes=tuple(
                Change(
                    operation=change["operation"],
                    kind=MemoryKind(change["kind"]),
                    id=UUID(change["id"]),
                    summary=change["summary"],
                )
                for change in row["changes"]
            ),
            problems=tuple(row["problems"]),
            proposals=row["proposals"],
            routes={MemoryKind(kind): count for kind, count in row["routes"].items()},
        )


class VersionConflict(ConflictError):
    """A memory changed since a manager was shown it: that manager has to be asked again."""

    def __init__(self, agent: str, cause: ConflictError) -> None:
        super().__init__(str(cause))
        self.agent = agent


class Applier:
    def __init__(self, database: Database, indexer: Indexer, keyring: Keyring, frames: FrameFiles) -> None:
        self._database = database
        self._indexer = indexer
        self._keyring = keyring
        self._frames = frames

    async def apply(
        self, batch_id: UUID, scope: Scope, trust: int, proposals: Sequence[Proposal], usage: Usage
    ) -> Applied:
        """Write all proposals of a batch and mark it applied. A batch that is applied already is left alone.

        Raises VersionConflict when a memory changed since it was shown, ConflictError when a secret was stored
        meanwhile that is being cut; nothing is written then.
        """
        work = await self._prepare(batch_id, scope, trust, proposals)
        problems = list(work.problems)
        async with self._database.transaction(scope.user_id) as conn:
            key = {"user_id": scope.user_id, "id": batch_id}
            batch = await (await conn.execute(_BATCH["lock_batch"], key)).fetchone()
            if batch is None or batch["state"] == "applied":
                return Applied(was_applied=True)
            if work.redaction:
                await check_unknown(conn, scope.user_id, [r for item in work.operations for r in item.records])
            done: list[Change] = []
            waiting = 0
            for item in work.operations:
                if item.verdict.outcome == "propose":
                    before = await self._propose(conn, scope, batch_id, item)
                    waiting += before is None
                    problems += [f"{item.agent}: {_ASKED[before]}"] if before else []
                elif item.verdict.outcome == "refuse":
                    problems.append(f"{item.agent}: {item.verdict.reason}")
                else:
                    try:
                        done += await self._write(conn, scope, batch_id, item)
                    except (psycopg.IntegrityError, psycopg.DataError) as error:
                        problems.append(f"{item.agent}: the database refuses it: {error.diag.message_primary}")
            if work.redaction:
                await self._redact(conn, scope.user_id, work.redaction)
            routes = Counter(operation.kind for proposal in proposals for operation in proposal.operations)
            outcome = {
                "changes": Jsonb([_change_json(change) for change in done]),
                "problems": Jsonb(problems),
                "routes": Jsonb(routes),
                "usage": Jsonb(usage.to_json()),
            }
            await conn.execute(_BATCH["finish_batch"], key | outcome)
        logger.info("batch applied", extra={"action": "batch_applied", "batch_id": str(batch_id), "changes": len(done)})
        return Applied(changes=tuple(done), problems=tuple(problems), proposals=waiting, routes=routes)

    async def _prepare(self, batch_id: UUID, scope: Scope, trust: int, proposals: Sequence[Proposal]) -> _Work:
        """Build the records and their vectors; an operation that cannot be built becomes a problem."""
        redaction = None
        proposals = list(map(without_strange_references, proposals))
        async with self._database.transaction(scope.user_id) as conn:
            harmless = await harmless_digests(conn, scope.user_id)
        proposals = [without_harmless(p, harmless, self._keyring, scope.user_id) for p in proposals]
        if finds := find_values(proposals, trust):
            async with self._database.transaction(scope.user_id) as conn:
                known = await known_values(conn, self._keyring, scope.user_id, [find.value for find in finds])
            cut = cut_of(finds, known)
            proposals = [without_finds(proposal, cut, known) for proposal in proposals]
            redaction = await plan_redaction(self._database, self._indexer, scope.user_id, cut, batch_id=batch_id)
        builder = Builder(scope=scope, keyring=self._keyring, entries=await self._entries(scope, proposals))
        problems = [f"{proposal.agent}: {problem}" for proposal in proposals for problem in proposal.problems]
        drafts: list[Prepared] = []
        for proposal in proposals:
            for operation in proposal.operations:
                try:
                    drafts.append(_draft(builder, proposal.agent, proposal.shown, operation, trust))
                except (OperationError, InputError) as error:
                    problems.append(f"{proposal.agent}: {error}")
        derived = iter(await self._indexer.derive(record for draft in drafts for record in draft.records))
        operations = tuple(replace(draft, derived=tuple(next(derived) for _ in draft.records)) for draft in drafts)
        return _Work(operations=operations, problems=tuple(problems), redaction=redaction)

    async def _entries(self, scope: Scope, proposals: Sequence[Proposal]) -> Mapping[str, VaultRecord]:
        """The vault entries that items refer to."""
        values = [
            str(item.get("value", "")) for p in proposals for operation in p.operations for item in operation.items
        ]
        references = [reference for value in values for reference in find_references(value)]
        if not references:
            return {}
        async with self._database.transaction(scope.user_id) as conn:
            return await entries_by_reference(conn, scope.user_id, references)

    async def _write(self, conn: store.Connection, scope: Scope, batch_id: UUID, item: Prepared) -> list[Change]:
        """Write one operation, whole or not at all; its rows can be undone together."""
        changes = Changes(
            conn=conn,
            user_id=scope.user_id,
            actor=item.agent,
            batch_id=batch_id,
            reason=item.operation.reason or item.verdict.reason or None,
        )
        try:
            async with conn.transaction():
                await perform(changes, item)
        except ConflictError as error:
            raise VersionConflict(item.agent, error) from error
        return changes.done

    async def _redact(self, conn: store.Connection, user_id: int, redaction: Redaction) -> None:
        for message_id, boxes in await write_redaction(conn, self._indexer, redaction):
            await self._frames.paint_over(user_id, message_id, boxes)

    async def _propose(
        self, conn: store.Connection, scope: Scope, batch_id: UUID, item: Prepared
    ) -> ProposalState | None:
        """Let an operation wait for the user, unless they were asked the same before: then what became of that.

        Raises VersionConflict when a memory changed since it was shown.
        """
        for target in item.targets:
            try:
                present = await store.get(conn, scope.user_id, target.id, lock=True)
            except NotFoundError as error:
                raise VersionConflict(item.agent, ConflictError(str(error))) from error
            if present.version != target.version:
                raise VersionConflict(item.agent, ConflictError(f"memory {target.id} changed since it was shown"))
        before = await asked_before(
            conn, self._keyring, scope.user_id, item.operation, targets=item.targets, records=item.records
        )
        if before is None:
            await store_proposal(
                conn,
                scope.user_id,
                batch_id,
                item.operation,
                targets=item.targets,
                records=item.records,
                known=item.known,
                sources=item.sources,
                reason=item.verdict.reason,
            )
        return before


def _draft(builder: Builder, agent: str, shown: Shown, operation: Operation, trust: int) -> Prepared:
    targets = tuple(shown.memories[handle] for handle in operation.targets)
    sources = [shown.evidence[handle] for handle in operation.messages]
    verdict = judge(operation, trust, targets, [message.text for message in sources])
    if operation.verb == "update":
        news = [builder.changed(targets[0], operation.items[0])]
    else:
        kept = targets[0].carried() if targets else {}
        news = [builder.new(operation, kept | dict(item), sources, targets) for item in operation.items]
    known = tuple(record for record in news if record.id in builder.known_ids)
    if verdict.outcome == "quarantine":
        news = [replace(record, id=new_id(), status="quarantined") for record in news]
    return Prepared(
        agent=agent,
        operation=operation,
        verdict=verdict,
        targets=targets,
        records=tuple(record for record in news if record not in known),
        known=known,
        sources=tuple(message.id for message in sources),
    )


async def check_unknown(conn: store.Connection, user_id: int, records: Sequence[Record]) -> None:
    """Raises ConflictError when a value that gets a new entry has one meanwhile: its reference is another.

    Until the end of the transaction nobody else seals a value.
    """
    new = [record for record in records if isinstance(record, VaultRecord)]
    await lock_values(conn, user_id)
    digests = [record.content_hmac for record in new if record.sensitivity == "high"]
    taken = await references_by_digest(conn, user_id, digests)
    if any(taken.get(record.content_hmac, record.reference) != record.reference for record in new):
        raise ConflictError("a value was sealed by somebody else at the same time: try again")


async def perform(changes: Changes, item: Prepared) -> None:
    """Write one operation. Raises ConflictError when a memory changed since it was read."""
    verb, sources = item.operation.verb, item.sources
    news = list(zip(item.records, item.derived, strict=True))
    if verb == "insert" or item.verdict.outcome == "quarantine":
        for record, derived in news:
            await changes.insert(record, derived, sources=sources)
    elif verb == "update":
        ((record, derived),) = news
        await changes.update(item.targets[0], record, derived, sources=sources)
    elif verb == "supersede" and item.known:
        await changes.retire(item.targets[0], item.known[0])
    elif verb == "supersede":
        ((record, derived),) = news
        await changes.supersede(item.targets[0], record, derived, sources=sources)
    elif verb == "merge":
        await changes.merge(item.targets, news, sources=sources)
    else:
        await changes.delete(item.targets[0])


def _change_json(change: Change) -> dict[str, str]:
    return {"operation": change.operation, "kind": change.kind.value, "id": str(change.id), "summary": change.summary}
