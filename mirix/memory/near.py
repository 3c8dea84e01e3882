"""Vector indexes of the users who have much to search, made when a table has earned them.

An exact scan of one user's rows is always right, knows every filter, and takes about a millisecond for a thousand rows.
Above INDEX_FROM rows of one user in one table the dense arm walks an HNSW index instead, of that user and embedder
alone: one over everybody's rows finds 0.85 to 0.89 of what an exact scan finds, as most of what it comes across is
somebody else's. A search that is filtered in any way stays exact.

    make_indexes  as the owner of the tables, by jobs/upkeep.py: hourly in the worker, and at `mirix reembed`
    present       which of them a search may use

The name of an index tells the table, the user and a digest of embedder and width; its condition says the same.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row

from mirix.db.statements import statements
from mirix.memory.record import MemoryKind
from mirix.memory.store import Connection

logger = logging.getLogger(__name__)
Owner = Connection  # with the rights of an owner, not those of the application
_NEAR = statements("near")

# Rows of one user in one table. Measured with `mirix bench` at 384 numbers a vector, time on the CPU: an exact scan
# takes about 1 ms for a thousand rows, HNSW 2 to 4 ms whatever the number; an index costs 1.1 kB a row.
INDEX_FROM = 2_000
INDEXES = 50  # of one table: the planner looks at each of them at every query, so only for the biggest users
_LOCK = 7_234_011_903  # any number: one process at a time makes indexes
_BUILD_MEMORY = "512MB"  # beyond it a build takes many times as long


@dataclass(frozen=True, kw_only=True)
class NearIndex:
    """The vector index of one user's rows in one table."""

    kind: MemoryKind | None  # None: messages
    user_id: int
    model: str  # embedder
    dimensions: int

    @property
    def table(self) -> str:
        return self.kind.table if self.kind else "message"

    @cached_property
    def name(self) -> str:
        digest = blake2b(f"{self.model} {self.dimensions}".encode(), digest_size=4).hexdigest()
        return f"near_{self.table}_{self.user_id}_{digest}"

    def condition(self, alias: str) -> sql.Composed:
        """That a row is in the index, in literals."""
        return _NEAR["condition"].format(
            alias=sql.Identifier(alias),
            user_id=sql.Literal(self.user_id),
            model=sql.Literal(self.model),
            dimensions=sql.Literal(self.dimensions),
        )

    def vector(self, alias: str) -> sql.Composed:
        """What is indexed of a row."""
        name = "vector" if self.kind else "message_vector"
        return _NEAR[name].format(alias=sql.Identifier(alias), dimensions=sql.Literal(self.dimensions))


async def present(conn: Connection, user_id: int, model: str, dimensions: int) -> frozenset[NearIndex]:
    """The indexes of a user that can be used."""
    indexes = [
        NearIndex(kind=kind, user_id=user_id, model=model, dimensions=dimensions) for kind in (None, *MemoryKind)
    ]
    rows = await (await conn.execute(_NEAR["present"], {"names": [index.name for index in indexes]})).fetchall()
    there = {row["relname"] for row in rows}
    return frozenset(index for index in indexes if index.name in there)


async def make_indexes(conninfo: str, *, index_from: int = INDEX_FROM) -> list[str]:
    """Make the indexes that tables have earned, and drop those that nobody needs any more; the names of the new ones.

    Takes some 0.3 ms a row; nobody waits for it meanwhile. Does nothing while another process is at it, or where the
    role of `conninfo` does not own the tables.
    """
    made: list[str] = []
    async with await AsyncConnection.connect(conninfo, autocommit=True, row_factory=dict_row) as conn:
        got = await (await conn.execute("SELECT pg_try_advisory_lock(%s) AS got", [_LOCK])).fetchone()
        if got and got["got"]:
            await conn.execute("SELECT set_config('maintenance_work_mem', %s, false)", [_BUILD_MEMORY])
            try:
                await _make(conn, index_from, made)
            except psycopg.errors.InsufficientPrivilege:
                logger.info("vector indexes are left to the owner", extra={"action": "indexes_left"})
    if made:
        logger.info("vector indexes made", extra={"action": "indexes_made", "indexes": len(made)})
    return made


async def _make(conn: Owner, index_from: int, made: list[str]) -> None:
    tables = (None, *MemoryKind)
    kept = {index.name for kind in tables for index in await _earned(conn, kind, index_from // 2)}
    rows = await (await conn.execute(_NEAR["all_present"])).fetchall()
    there = {row["name"] for row in rows if row["is_valid"] and row["name"] in kept}
    for name in {row["name"] for row in rows} - there:
        await conn.execute(_NEAR["drop"].format(name=sql.Identifier(name)))
    for kind in tables:
        for index in await _earned(conn, kind, index_from):
            if index.name not in there:
                await conn.execute(_statement(index))
                made.append(index.name)


async def _earned(conn: Owner, kind: MemoryKind | None, least: int) -> list[NearIndex]:
    table = sql.Identifier(kind.table if kind else "message")
    condition = sql.SQL("true" if kind else "t.standing <> 'hidden'")
    statement = _NEAR["big"].format(table=table, condition=condition)
    rows = await (await conn.execute(statement, {"least": least, "most": INDEXES})).fetchall()
    return [
        NearIndex(kind=kind, user_id=row["user_id"], model=row["model"], dimensions=row["dimensions"]) for row in rows
    ]


def _statement(index: NearIndex) -> sql.Composed:
    return _NEAR["make"].format(
        name=sql.Identifier(index.name),
        table=sql.Identifier(index.table),
        vector=index.vector(index.table),
        operators=sql.SQL("halfvec_cosine_ops" if index.kind else "halfvec_ip_ops"),
        condition=index.condition(index.table),
    )
