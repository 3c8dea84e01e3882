"""How much of a memory the present embedder has not been asked about: what search by meaning does not see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from psycopg import sql

from mirix.db.statements import statements
from mirix.memory.record import MemoryKind
from mirix.memory.store import MESSAGE_NUMBER, Connection

_REEMBED = statements("reembed")


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """Counts rows of any status, but for hidden messages."""

    messages: int  # without a vector of the present embedder
    memories: int  # the same
    total: int  # of messages and memories, with and without
    embedders: tuple[str, ...]  # that made the vectors they have instead

    @property
    def rows(self) -> int:
        return self.messages + self.memories

    @property
    def is_most(self) -> bool:
        return 2 * self.rows > self.total


async def count_lacking(conn: Connection, user_id: int, model: str, *, dimensions: int | None = None) -> Lacking:
    """What lacks a vector of an embedder. With `dimensions` a sample tells whether its vectors had another width."""
    rows = await (await conn.execute(_counts(), {"user_id": user_id})).fetchall()
    return _lacking(rows, model, dimensions)


def _lacking(rows: Iterable[dict[str, Any]], model: str, dimensions: int | None) -> Lacking:
    counted = list(rows)

    def is_other(row: dict[str, Any]) -> bool:
        return row["embedding_model"] != model or (bool(row["width"]) and row["width"] != (dimensions or row["width"]))

    others = [row for row in counted if is_other(row)]
    return Lacking(
        messages=sum(row["rows"] for row in others if row["kind"] == MESSAGE_NUMBER),
        memories=sum(row["rows"] for row in others if row["kind"] != MESSAGE_NUMBER),
        total=sum(row["rows"] for row in counted),
        embedders=tuple(sorted({row["embedding_model"] for row in others if row["width"]})),
    )


@cache
def _counts() -> sql.SQL:
    pieces = [_REEMBED["count_messages"].format(kind=sql.Literal(MESSAGE_NUMBER))]
    pieces += [
        _REEMBED["count_records"].format(kind=sql.Literal(kind.number), table=sql.Identifier(kind.table))
        for kind in MemoryKind
    ]
    return sql.SQL(sql.SQL(" UNION ALL ").join(pieces).as_string())
