"""Gives vectors of the present embedder to what has none, or has those of another. Vectors are derived: neither version
nor history tells of it, and the old ones serve until they are replaced.

    catch_up   a portion of what no embedder was asked about yet: it came in while a remote one was not asked, or while
               one failed or was not installed. Done by itself, beside the batches of a user (drain.py). Vectors of
               another embedder are left alone: two programs with two embedders would take them from each other.
    run        everything, `mirix reembed`

Work is done in small portions, each in three steps: read, ask the embedder outside any transaction, write what has not
changed meanwhile. An interruption loses a portion at most, and a row that somebody changes at the same moment keeps
what they wrote. A text that the embedder does not read, or refuses, is marked as asked about, and not tried again until
the embedder is another one.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby
from typing import Any, NamedTuple
from uuid import UUID

from pgvector import HalfVector
from psycopg import sql

from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.errors import ConfigError, ModelError, ModelUnavailable
from mirix.memory import store
from mirix.memory.indexing import Indexer, Vector
from mirix.memory.kinds import RECORDS
from mirix.memory.record import MemoryKind, Record
from mirix.memory.store import MESSAGE_NUMBER, Connection
from mirix.memory.windows import Turn, texts_to_embed
from mirix.models.embed import Embedder

logger = logging.getLogger(__name__)

# What is embedded at once, no less than a batch brings: a second or two of the default embedder.
PORTION = 24  # rows
PORTION_CHARACTERS = 20_000
_REEMBED = statements("reembed")
Tell = Callable[[int, int], None]  # how many rows are done, of how many


@dataclass(frozen=True, kw_only=True)
class Reembedded:
    """What a reembedding did."""

    model: str  # the embedder
    messages: int  # that got a vector
    windows: int  # of them and of those beside them: vectors of a message with its two neighbours
    memories: int  # that got a vector
    skipped: int  # messages and memories without one, because the embedder does not read them; now or before
    left: int  # that others kept changing meanwhile: run it again


@dataclass(kw_only=True)
class _Done:
    messages: int = 0
    windows: int = 0
    memories: int = 0
    rows: int = 0  # that are settled now, with a vector or without


class _Row(NamedTuple):
    kind: MemoryKind | None  # None: a message
    id: UUID


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """A row with its new vectors, and what tells whether it is still the row that was read."""

    id: UUID
    guard: str | int  # digest of a message and its neighbours, or the version of a memory
    vector: Vector | None
    window: Vector | None = None
    is_wanted: bool = True  # False: only the window of a neighbour, which holds a wanted text


class Reembedder:
    def __init__(self, database: Database, indexer: Indexer) -> None:
        self._database = database
        self._indexer = indexer

    async def catch_up(self, user: User) -> int:
        """Settle a portion of what no embedder was asked about yet, the newest first; how many rows that were.

        An embedder that fails is logged, and left alone for a while.
        """
        embedder = self._indexer.embedder
        if embedder is None or self._indexer.is_paused:
            return 0
        rows = await self._find(user, embedder, None, limit=PORTION)
        done = _Done()
        try:
            for _, of_one_kind in groupby(rows, key=lambda row: row.kind):
                await self._embed(user, embedder, list(of_one_kind), done)
        except (ModelError, ConfigError) as error:
            self._indexer.pause(error)
        return done.rows

    async def run(self, user: User, *, tell: Tell | None = None) -> Reembedded:
        """Everything of a user that has no vector of the present embedder, the newest first.

        Raises ConfigError without an embedder, ModelError when it fails: what is done stays done, and the same call
        goes on from there.
        """
        embedder = self._indexer.embedder
        if embedder is None:
            raise ConfigError(
                "there is no embedder to make vectors with: name one with MIRIX_EMBEDDING_MODEL, or install the "
                "default one with `mirix doctor --fix`"
            )
        done = _Done()
        try:
            left = await self._run(user, embedder, done, tell)
        except ModelUnavailable as error:
            told = str(error).rstrip(".")
            raise ModelUnavailable(f"{told}; {done.rows} are done, `mirix reembed` goes on from there") from error
        logger.info("reembedded", extra={"action": "reembedded", "user_id": user.user_id, "rows": done.rows})
        return Reembedded(
            model=embedder.name,
            messages=done.messages,
            windows=done.windows,
            memories=done.memories,
            skipped=await self._unread(user, embedder),
            left=left,
        )

    async def _run(self, user: User, embedder: Embedder, done: _Done, tell: Tell | None) -> int:
        """Portion after portion; how many rows are left because others kept changing them."""
        dimensions = await asyncio.to_thread(lambda: embedder.dimensions)
        rows = await self._find(user, embedder, dimensions)
        total, in_vain = len(rows), 0
        while rows and in_vain < 2:
            before = done.rows
            for _, of_one_kind in groupby(rows, key=lambda row: row.kind):
                rest = list(of_one_kind)
                while rest:
                    rest = await self._embed(user, embedder, rest[:PORTION], done) + rest[PORTION:]
                    if tell:
                        tell(min(done.rows, total), total)
            in_vain = in_vain + 1 if done.rows == before else 0
            rows = await self._find(user, embedder, dimensions)  # what others were changing, or what came in meanwhile
        return len(rows)

    async def _find(
        self, user: User, embedder: Embedder, dimensions: int | None, *, limit: int | None = None
    ) -> list[_Row]:
        """Rows to be embedded; without `dimensions` only those that no embedder was asked about."""
        values = {"user_id": user.user_id, "model": embedder.name, "dimensions": dimensions, "limit": limit}
        statement = _all_tables("lacking", "is_new" if dimensions is None else "is_other")
        async with self._database.transaction(user.user_id) as conn:
            rows = await (await conn.execute(statement, values)).fetchall()
        return [_Row(store.kind_of_shelf(3 * row["kind"]), row["id"]) for row in rows]

    async def _unread(self, user: User, embedder: Embedder) -> int:
        async with self._database.transaction(user.user_id) as conn:
            values = {"user_id": user.user_id, "model": embedder.name}
            rows = await (await conn.execute(_all_tables("unread"), values)).fetchall()
        return sum(row["rows"] for row in rows)

    async def _embed(self, user: User, embedder: Embedder, rows: Sequence[_Row], done: _Done) -> list[_Row]:
        """Settle the first rows, all of one kind, as many as make a portion; returns those that are left."""
        kind, ids = rows[0].kind, [row.id for row in rows]
        if kind is None:
            plans, left = await self._plan_messages(user, embedder, ids)
        else:
            plans, left = await self._plan_records(user, RECORDS[kind], ids)
        table = sql.Identifier(kind.table if kind else "message")
        async with self._database.transaction(user.user_id) as conn:
            held = {"user_id": user.user_id, "ids": [plan.id for plan in plans]}
            locked = await (await conn.execute(_REEMBED["lock_rows"].format(table=table), held)).fetchall()
            ours = {row["id"] for row in locked}
            written = [plan for plan in plans if plan.id in ours and await _write(conn, user, embedder, kind, plan)]
        wanted = [plan for plan in written if plan.is_wanted]
        with_vector = sum(plan.vector is not None for plan in wanted)
        done.rows += len(wanted)
        done.windows += sum(plan.window is not None for plan in written)
        if kind is None:
            done.messages += with_vector
        else:
            done.memories += with_vector
        return [row for row in rows if row.id in left]

    async def _plan_messages(
        self, user: User, embedder: Embedder, ids: Sequence[UUID]
    ) -> tuple[list[_Plan], set[UUID]]:
        """New vectors of messages, and of the neighbours whose windows hold them and are of this embedder; and the
        messages that were too much for a portion."""
        statement = _REEMBED["messages_to_embed"].format(seen=_REEMBED["seen"])
        values = {"user_id": user.user_id, "model": embedder.name}
        async with self._database.transaction(user.user_id) as conn:
            found = await (await conn.execute(statement, values | {"ids": list(ids)})).fetchall()
            rows = found[: _fitting(row["text"] for row in found)]
            beside = {row[name] for row in rows for name in ("before_id", "after_id")} - {None, *ids}
            near = await (await conn.execute(statement, values | {"ids": list(beside)})).fetchall() if beside else []
        rows += [row for row in near if row["is_current"]]
        texts = [_texts_of(row) for row in rows]
        vectors = await self._vectors([text for pair in texts for text in pair])
        plans = [
            _Plan(
                id=row["id"],
                guard=row["seen"],
                vector=own,
                window=None if own is None else window,
                is_wanted=row["id"] in ids,
            )
            for row, own, window in zip(rows, vectors[::2], vectors[1::2], strict=True)
        ]
        kept = [plan for plan in plans if plan.is_wanted or plan.vector is not None]
        return kept, {row["id"] for row in found} - {row["id"] for row in rows}

    async def _plan_records(
        self, user: User, record_type: type[Record], ids: Sequence[UUID]
    ) -> tuple[list[_Plan], set[UUID]]:
        async with self._database.transaction(user.user_id) as conn:
            found = await store.get_many(conn, user.user_id, record_type, ids)
        records = found[: _fitting(record.embedding_text() for record in found)]
        vectors = await self._vectors([record.embedding_text() for record in records])
        plans = [
            _Plan(id=record.id, guard=record.version, vector=vector)
            for record, vector in zip(records, vectors, strict=True)
        ]
        return plans, {record.id for record in found[len(records) :]}

    async def _vectors(self, texts: Sequence[str]) -> list[Vector | None]:
        """Like Indexer.vectors, but a single text that the embedder refuses does not hold up the others."""
        try:
            return await self._indexer.vectors(texts)
        except ModelUnavailable:
            raise
        except ModelError as error:
            await self._indexer.vectors(["Is it there?"])  # raises where it is not about the texts
            logger.warning("the embedder refuses some texts: %s", error, extra={"action": "embedder_refused"})
        return [await self._vector(text) for text in texts]

    async def _vector(self, text: str) -> Vector | None:
        try:
            return (await self._indexer.vectors([text]))[0]
        except ModelUnavailable:
            raise
        except ModelError:
            return None


async def _write(conn: Connection, user: User, embedder: Embedder, kind: MemoryKind | None, plan: _Plan) -> bool:
    values: dict[str, Any] = {
        "user_id": user.user_id,
        "id": plan.id,
        "model": embedder.name,
        "embedding": None if plan.vector is None else HalfVector(plan.vector),
        "window_embedding": None if plan.window is None else HalfVector(plan.window),
    }
    if kind is None:
        statement = _REEMBED["write_message"].format(seen=_REEMBED["seen"])
    else:
        statement = _REEMBED["write_record"].format(table=sql.Identifier(kind.table))
    cursor = await conn.execute(statement, values | {"seen": plan.guard, "version": plan.guard})
    return cursor.rowcount > 0


def _texts_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """What is embedded of a message: its text alone, and with its neighbours."""
    turns = {
        name: Turn(speaker=row[f"{name}speaker"], text=row[f"{name}text"])
        for name in ("before_", "", "after_")
        if name == "" or row[f"{name}id"] is not None
    }
    texts = texts_to_embed(list(turns.values()), others=row["speakers"])
    return texts[list(turns).index("")]


def _fitting(texts: Iterable[str]) -> int:
    """How many of the first texts make a portion, one at least."""
    sums = list(accumulate(map(len, texts)))
    return max(1, bisect_right(sums, PORTION_CHARACTERS))


@cache
def _all_tables(what: str, condition: str = "is_new") -> sql.SQL:
    """A statement over messages and the six memories."""
    chosen = _REEMBED[condition]
    pieces = [_REEMBED[f"{what}_messages"].format(kind=sql.Literal(MESSAGE_NUMBER), condition=chosen)]
    pieces += [
        _REEMBED[f"{what}_records"].format(
            kind=sql.Literal(kind.number), table=sql.Identifier(kind.table), condition=chosen
        )
        for kind in MemoryKind
    ]
    return sql.SQL(sql.SQL("\nUNION ALL\n").join(pieces).as_string())
