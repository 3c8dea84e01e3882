"""Works off the batches of a user, oldest first. The table `batch` alone is the truth about what is to be done.

A batch is leased, taken through the write graph and marked applied in the graph's one transaction. Whoever finds the
oldest batch leased by somebody else waits or leaves: batches of a user are never applied out of order. A failed attempt
puts the batch back with its error and the answers that were paid for; after the last one it is marked failed. An
attempt that ended because a model or the database was away, or because Mirix was closed, is no fault of the batch and
not counted. Beside the batches go the vectors that could not be made when the evidence came in (`reembed.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Any
from uuid import UUID

from psycopg import sql

from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.errors import DatabaseUnavailable, MirixError, ModelUnavailable
from mirix.ingest.evidence import Evidence
from mirix.ingest.frames import FrameFiles
from mirix.ingest.inputs import storable
from mirix.ingest.screens import only_news
from mirix.jobs.reembed import Reembedder
from mirix.managers.apply import Applied
from mirix.managers.graph import LEASE, BatchWork, LeaseLost, Outcome, WriteGraph
from mirix.memory.record import Scope
from mirix.models.usage import Usage

logger = logging.getLogger(__name__)
_BATCH = statements("batch")
_COLUMNS = sql.SQL(", ").join(
    map(sql.Identifier, ("id", "state", "trust", "attempt", "replies", "error", "conversation_id"))
)
POLL_S = 0.1  # while somebody else works on an older batch of the user
_AWAY = (ModelUnavailable, DatabaseUnavailable)  # the next batch would fail as well


class Drainer:
    def __init__(
        self,
        database: Database,
        evidence: Evidence,
        graph: WriteGraph,
        frames: FrameFiles,
        *,
        max_attempts: int,
        vision: bool,
        reembedder: Reembedder | None = None,
    ) -> None:
        self._database = database
        self._evidence = evidence
        self._graph = graph
        self._frames = frames
        self._max_attempts = max_attempts
        self._vision = vision
        self._reembedder = reembedder

    async def drain(self, user: User, awaited: Collection[UUID] = ()) -> dict[UUID, Outcome]:
        """Work until nothing is left to do, and until the `awaited` batches are done, by whomever.

        Returns what became of the awaited batches and of those that were worked off on the way. Raises what an awaited
        batch failed with, and ModelUnavailable or DatabaseUnavailable whichever batch it was; all of it stays stored,
        and is tried again later.
        """
        outcomes: dict[UUID, Outcome] = {}
        await self._make_vectors(user)
        while True:
            lease = await self._lease(user)
            if lease is None:
                outcomes |= await self._done_by_others(user, set(awaited) - outcomes.keys())
                if outcomes.keys() >= set(awaited):
                    return outcomes
                await asyncio.sleep(POLL_S)
                continue
            try:
                if lease["attempt"] > self._max_attempts:
                    raise MirixError("every attempt ended with the process that made it")
                outcome = await self._graph.run(await self._work(user, lease))
            except LeaseLost:
                continue  # somebody else has it: wait for them
            except BaseException as error:
                await self._release(user, lease, error)
                if lease["id"] in awaited or isinstance(error, _AWAY) or not isinstance(error, MirixError):
                    raise
            else:
                if not outcome.applied.was_applied:
                    outcomes[lease["id"]] = outcome
                await self._make_vectors(user)

    async def _make_vectors(self, user: User) -> None:
        """A portion of those that are still to come: of more messages and memories than a batch brings."""
        if self._reembedder is not None:
            await self._reembedder.catch_up(user)

    async def _lease(self, user: User) -> dict[str, Any] | None:
        query = _BATCH["lease_next"].format(columns=_COLUMNS)
        async with self._database.transaction(user.user_id) as conn:
            return await (await conn.execute(query, {"user_id": user.user_id, "lease": LEASE})).fetchone()

    async def _work(self, user: User, lease: dict[str, Any]) -> BatchWork:
        messages = only_news(await self._evidence.of_batch(user.user_id, lease["id"]))
        if not messages:
            raise LeaseLost(f"batch {lease['id']} was forgotten meanwhile")
        pictures = {}
        if self._vision:
            shown = [message for message in messages if message.mime.startswith("image/")]
            pictures = {m.id: await asyncio.to_thread(self._frames.read_bytes, user.user_id, m.id) for m in shown}
        first = messages[0]
        return BatchWork(
            id=lease["id"],
            attempt=lease["attempt"],
            user=user,
            scope=Scope(user_id=user.user_id, agent_id=first.agent_id, run_id=first.run_id),
            trust=lease["trust"],
            messages=tuple(messages),
            pictures=pictures,
            replies=dict(lease["replies"]),
        )

    async def _release(self, user: User, lease: dict[str, Any], error: BaseException) -> None:
        is_counted = isinstance(error, Exception) and not isinstance(error, _AWAY)
        given_up = is_counted and lease["attempt"] >= self._max_attempts
        parameters = {
            "user_id": user.user_id,
            "id": lease["id"],
            "attempt": lease["attempt"],
            "given_back": 0 if is_counted else 1,
            "state": "failed" if given_up else "pending",
            "error": storable(f"{type(error).__name__}: {error}"[:2000]),
        }
        logger.warning(
            "batch attempt failed",
            extra={"action": "batch_attempt_failed", "batch_id": str(lease["id"]), "attempt": lease["attempt"]},
        )
        async with self._database.transaction(user.user_id) as conn:
            await conn.execute(_BATCH["release_batch"], parameters)

    async def _done_by_others(self, user: User, ids: Collection[UUID]) -> dict[UUID, Outcome]:
        """Those of some batches that are applied, or were forgotten meanwhile. Raises MirixError when one is failed."""
        if not ids:
            return {}
        async with self._database.transaction(user.user_id) as conn:
            cursor = await conn.execute(_BATCH["outcomes_of"], {"user_id": user.user_id, "ids": list(ids)})
            rows = await cursor.fetchall()
        failed = next((row for row in rows if row["state"] == "failed"), None)
        if failed:
            raise MirixError(
                f"batch {failed['id']} failed: {failed['error']}. It is kept: `mirix status --retry` tries again"
            )
        done = {
            row["id"]: Outcome(applied=Applied.of(row), usage=Usage.from_json(row["usage"]))
            for row in rows
            if row["state"] == "applied"
        }
        forgotten = set(ids) - {row["id"] for row in rows}
        return done | dict.fromkeys(forgotten, Outcome(applied=Applied(was_applied=True), usage=Usage()))
