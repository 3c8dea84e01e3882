"""Fills the throw-away database by COPY, as ingest would have left it: rows, documents, postings, sources, links.

As its owner and without foreign keys being checked, for these rows are made to fit. Postings are put together by the
server, and their index afterwards. What follows any bulk load follows here too: VACUUM (postings that were never
vacuumed take four times as long to search) and the vector indexes that big users have earned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from uuid import UUID

import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg import sql
from psycopg.types.json import Jsonb
from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from mirix.db.statements import statements
from mirix.evaluation.bench.world import BATCH_MESSAGES, MODEL, Batch, Row, World
from mirix.memory.record import MemoryKind
from mirix.memory.store import shelf_number
from mirix.text.analyser import ANALYSER_VERSION, Analysis, analyse

_BENCH = statements("bench")
_AT_ONCE = 500  # batches in one COPY
_CONVERSATION = 20  # batches
_MENTIONS = 7  # every so manieth message speaks of another time
Tell = Callable[[int, int], None]

_MESSAGE = (
    ("user_id", "int4"),
    ("id", "uuid"),
    ("conversation_id", "uuid"),
    ("batch_id", "uuid"),
    ("position", "int8"),
    ("role", "text"),
    ("speaker", "text"),
    ("source_kind", "text"),
    ("text", "text"),
    ("at", "timestamptz"),
    ("timezone", "text"),
    ("mentioned", "tstzmultirange"),
    ("trust", "int2"),
    ("standing", "text"),
    ("embedding", "halfvec"),
    ("window_embedding", "halfvec"),
    ("embedding_model", "text"),
)
_RECORD = (
    ("user_id", "int4"),
    ("id", "uuid"),
    ("summary", "text"),
    ("details", "text"),
    ("embedding", "halfvec"),
    ("embedding_model", "text"),
    ("occurred_at", "timestamptz"),
    ("valid_from", "timestamptz"),
    ("valid_to", "timestamptz"),
    ("superseded_by", "uuid"),
    ("status", "text"),
    ("trust", "int2"),
    ("source_kind", "text"),
    ("content_hmac", "bytea"),
)
# The columns of each memory that have no default.
_OWN: dict[MemoryKind, tuple[tuple[str, str], ...]] = {
    MemoryKind.CORE: (("label", "text"),),
    MemoryKind.EPISODIC: (),
    MemoryKind.SEMANTIC: (("name", "text"), ("kind", "text")),
    MemoryKind.PROCEDURAL: (("entry_type", "text"), ("steps", "jsonb")),
    MemoryKind.RESOURCE: (("title", "text"), ("content", "text")),
    MemoryKind.VAULT: (
        ("reference", "text"),
        ("entry_type", "text"),
        ("sensitivity", "text"),
        ("ciphertext", "bytea"),
        ("nonce", "bytea"),
        ("wrapped_key", "bytea"),
        ("format_version", "int2"),
        ("key_id", "text"),
        ("value_version", "int4"),
    ),
}
_DOCUMENT = (
    ("user_id", "int4"),
    ("doc", "int4"),
    ("shelf", "int2"),
    ("record_id", "uuid"),
    ("length", "int2"),
    ("terms", "int4[]"),
    ("analyser", "int2"),
)


@dataclass(frozen=True, kw_only=True)
class _Filed:
    """A batch with what the index needs of it."""

    batch: Batch
    conversation_id: UUID
    batch_id: UUID
    first: int  # number of its first document, and position of its first message
    analyses: Sequence[Analysis]


def load(conninfo: str, world: World, tell: Tell) -> None:
    """Write all rows of a world into an empty database, by its owner's connection string."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        register_vector(conn)
        for name in ("unchecked", "users", "frequencies"):
            conn.execute(_BENCH[name], {"users": len(world.sizes)} if name == "users" else None)
        rest = conn.execute(_BENCH["posting_key"]).fetchone()
        assert rest is not None
        conn.execute(_BENCH["drop_posting_key"])
        done = 0
        rows = _filed(world.batches())
        while filed := list(islice(rows, _AT_ONCE)):
            _copy_all(conn, filed)
            done += len(filed)
            tell(done, world.batch_count)
        for name in ("postings", "sequences"):
            conn.execute(_BENCH[name])
        conn.execute(sql.SQL("ALTER TABLE posting ADD CONSTRAINT posting_pkey {}").format(sql.SQL(rest[0])))
        conn.execute("VACUUM ANALYZE")


def _filed(batches: Iterable[Batch]) -> Iterator[_Filed]:
    first = 1
    for batch in batches:
        yield _Filed(
            batch=batch,
            conversation_id=_named(f"conversation {batch.user} {batch.number // _CONVERSATION}"),
            batch_id=_named(f"batch {batch.user} {batch.number}"),
            first=first,
            analyses=[analyse(row.text) for row in batch.rows],
        )
        first += len(batch.rows)


def _named(name: str) -> UUID:
    return UUID(bytes=hashlib.blake2b(name.encode(), digest_size=16).digest())


def _copy_all(conn: psycopg.Connection, filed: Sequence[_Filed]) -> None:
    opened = [each for each in filed if each.batch.number % _CONVERSATION == 0]
    _copy(conn, "conversation", (("user_id", "int4"), ("id", "uuid"), ("name", "text")), (
        (each.batch.user, each.conversation_id, f"chat {each.batch.number}") for each in opened
    ))  # fmt: skip
    columns = ("user_id", "int4"), ("id", "uuid"), ("idempotency_key", "bytea"), ("conversation_id", "uuid")
    _copy(conn, "batch", (*columns, ("state", "text"), ("trust", "int2")), (
        (each.batch.user, each.batch_id, each.batch_id.bytes, each.conversation_id, "applied", 3) for each in filed
    ))  # fmt: skip
    _copy(conn, "message", _MESSAGE, (row for each in filed for row in _messages(each)))
    for kind in MemoryKind:
        rows = (row for each in filed for row in _records(each, kind))
        _copy(conn, kind.table, (*_RECORD, *_OWN[kind]), rows)
    _copy(conn, "document", _DOCUMENT, (row for each in filed for row in _documents(each)))
    frequencies = (
        (each.first + place, list(each.analyses[place].frequencies))
        for each in filed
        for place in range(len(each.analyses))
    )
    _copy(conn, "bench_frequency", (("doc", "int4"), ("frequencies", "int2[]")), frequencies)
    pairs = ("user_id", "int4"), ("doc", "int4"), ("source_doc", "int4")
    _copy(conn, "memory_source", pairs, (
        (each.batch.user, each.first + row.place, each.first + source)
        for each in filed for row in each.batch.rows for source in row.sources
    ))  # fmt: skip
    links = ("user_id", "int4"), ("from_doc", "int4"), ("to_doc", "int4"), ("relation", "text")
    _copy(conn, "memory_link", links, (
        (each.batch.user, each.first + len(each.batch.rows) - 1, each.first + BATCH_MESSAGES, "related")
        for each in filed
    ))  # fmt: skip


def _messages(filed: _Filed) -> Iterator[tuple[object, ...]]:
    batch = filed.batch
    for row in batch.rows[:BATCH_MESSAGES]:
        yield (
            batch.user,
            row.id,
            filed.conversation_id,
            filed.batch_id,
            filed.first + row.place,
            ("user", "assistant")[row.place % 2],
            ("Anna", "Assistant")[row.place % 2],
            "chat",
            row.text,
            row.at,
            "UTC",
            _mentioned(row) if (filed.first + row.place) % _MENTIONS == 0 else TimestamptzMultirange(),
            3,
            "outdated" if row.is_outdated else "current",
            HalfVector(batch.vectors[row.place]),
            HalfVector(batch.windows[row.place]),
            MODEL,
        )


def _mentioned(row: Row) -> TimestamptzMultirange:
    """The day before."""
    midnight = row.at.replace(hour=0, minute=0, second=0, microsecond=0)
    return TimestamptzMultirange([TimestamptzRange(midnight - timedelta(days=1), midnight)])


def _records(filed: _Filed, kind: MemoryKind) -> Iterator[tuple[object, ...]]:
    batch = filed.batch
    for row in batch.rows:
        if row.kind is kind:
            yield (
                batch.user,
                row.id,
                row.text,
                "",
                HalfVector(batch.vectors[row.place]),
                MODEL,
                row.at if kind is MemoryKind.EPISODIC else None,
                row.at,
                row.at if row.is_outdated else None,
                None if row.superseded_by is None else batch.rows[row.superseded_by].id,
                "superseded" if row.is_outdated else "active",
                3,
                "chat",
                row.id.bytes,
                *_own(row, filed.first),
            )


def _own(row: Row, first: int) -> tuple[object, ...]:
    match row.kind:
        case MemoryKind.CORE:
            return ("human",)
        case MemoryKind.SEMANTIC:
            return row.text[:20], "concept"
        case MemoryKind.PROCEDURAL:
            return "guide", Jsonb([row.text])
        case MemoryKind.RESOURCE:
            return row.text[:20], row.text
        case MemoryKind.VAULT:
            return f"{first + row.place:012d}", "other", "low", bytes(32), bytes(12), bytes(48), 1, "bench", 1
    return ()


def _documents(filed: _Filed) -> Iterator[tuple[object, ...]]:
    for row, analysis in zip(filed.batch.rows, filed.analyses, strict=True):
        if row.kind is None:
            shelf = shelf_number(None, "outdated" if row.is_outdated else "current")
        else:
            shelf = shelf_number(row.kind, "superseded" if row.is_outdated else "active")
        doc = filed.first + row.place
        yield filed.batch.user, doc, shelf, row.id, analysis.length, list(analysis.terms), ANALYSER_VERSION


def _copy(
    conn: psycopg.Connection, table: str, columns: Sequence[tuple[str, str]], rows: Iterable[tuple[object, ...]]
) -> None:
    listed = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table), listed)
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([kind for _, kind in columns])
        for row in rows:
            copy.write_row(row)
