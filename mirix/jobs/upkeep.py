"""What the tables need from time to time: VACUUM after bulk writes, and vector indexes for who has much to search.

Autovacuum does the first as well, but looks only once a minute, and an embedded server may stop before; postings that
were never vacuumed take four to six times as long to search. Done hourly by the worker, and at `mirix reembed`.
"""

from __future__ import annotations

import logging

import psycopg
from psycopg import AsyncConnection, sql

from mirix.db.statements import statements
from mirix.memory.near import make_indexes

logger = logging.getLogger(__name__)
_NEAR = statements("near")
# Rows since the last VACUUM: this many, and this share of the table. 12,000 in a vacuumed million change nothing.
_LEAST, _SHARE = 10_000, 0.1


async def keep_up(conninfo: str) -> list[str]:
    """Vacuum the tables that grew, and make the vector indexes that are due; the names of those.

    As the role of `conninfo`: what belongs to others is left to them. A server that cannot be reached is left alone.
    """
    try:
        async with await AsyncConnection.connect(conninfo, autocommit=True) as conn:
            rows = await (await conn.execute(_NEAR["grown"], {"least": _LEAST, "share": _SHARE})).fetchall()
            for (name,) in rows:
                await conn.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(name)))
        return await make_indexes(conninfo)
    except psycopg.OperationalError as error:
        logger.warning("no upkeep now: %s", error, extra={"action": "upkeep_failed"})
        return []
