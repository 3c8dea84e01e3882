"""Tables that are hash-partitioned by user: built from the same files, and each hot query reads one partition."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import timedelta
from importlib.resources import files
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from mirix.config import Settings
from mirix.db.embedded import EmbeddedServer
from mirix.db.pool import Database, User
from mirix.db.schema import MEMORY_SCHEMAS, migrations, script
from mirix.db.statements import statements
from mirix.ingest.evidence import query as evidence_query
from mirix.memory import store
from mirix.memory.episodic import EpisodicRecord
from mirix.memory.indexing import Indexer
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind, Record
from mirix.memory.semantic import SemanticRecord
from mirix.resources import schemas_dir
from mirix.retrieval import arms
from mirix.retrieval.active import Retriever
from mirix.retrieval.arms import Filters, Probe
from mirix.retrieval.fusion import Arm
from mirix.text.analyser import query_terms
from mirix.text.dates import Granularity, TimeRange
from tests.retrieval.conftest import START, Notebook

PARTITIONS = 4
WHOLE = ("memory_record", "app_user", "forgotten_user")  # the template, and what is looked up by name
_TABLE = re.compile(r"CREATE TABLE (\w+) \((.*?)\n\);", re.DOTALL)
_SCANS = """
SELECT relname, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) AS scans FROM pg_stat_user_tables
WHERE relname ~ '_p[0-9]$'
"""


def partitioned(text: str) -> str:
    """A file of tables with those that have a user cut into partitions; storage parameters go with the whole tables."""

    def cut(found: re.Match[str]) -> str:
        name, body = found.groups()
        if name in WHOLE or ("user_id" not in body and "memory_record" not in body):
            return found[0]
        parts = "".join(
            f"\nCREATE TABLE {name}_p{number} PARTITION OF {name}"
            f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number});"
            for number in range(PARTITIONS)
        )
        return f"{found[0].removesuffix(';')} PARTITION BY HASH (user_id);{parts}"

    return _TABLE.sub(cut, re.sub(r"^ALTER TABLE \w+ SET \(.*\n", "", text, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def partitioned_url(server: EmbeddedServer) -> Iterator[str]:
    """A database whose tables are partitioned."""
    base = server.address.conninfo()
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("CREATE DATABASE partitioned")
    url = make_conninfo(base, dbname="partitioned")
    with psycopg.connect(url) as conn:
        conn.execute("CREATE EXTENSION vector")
        conn.execute(script(partitioned(files("mirix.db").joinpath("system.sql").read_text())))
        for name in MEMORY_SCHEMAS:
            conn.execute(script(partitioned((schemas_dir() / f"{name}.sql").read_text())))
        conn.execute(script(files("mirix.db").joinpath("security.sql").read_text()))
        for number, name, _ in migrations():
            conn.execute("INSERT INTO schema_version (version, name) VALUES (%s, %s)", [number, name])
    yield url
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("DROP DATABASE partitioned WITH (FORCE)")


@pytest.fixture(scope="module")
async def partitions(partitioned_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    database = await Database.open(
        Settings(data_dir=tmp_path_factory.mktemp("data"), database_url=SecretStr(partitioned_url), keyring="file")
    )
    yield database
    await database.close()


async def told(notebook: Notebook) -> tuple[Message, Record]:
    """Something of everything."""
    said = await notebook.say("The kiln in Bergen broke on Friday")
    await notebook.say("It was mended a week later")
    await notebook.keep(EpisodicRecord, said, summary="The kiln broke", occurred_at=START, details="in Bergen")
    old = await notebook.keep(SemanticRecord, said, name="kiln", kind="concept", summary="The kiln is in Bergen")
    new = await notebook.supersede(old, said, summary="The kiln is in Oslo", valid_from=START + timedelta(days=9))
    return said, new


def relations(plan: Any) -> Iterator[str]:
    """The tables that a plan really read or wrote."""
    if isinstance(plan, Mapping):
        if "Relation Name" in plan and plan.get("Actual Loops", 1):
            yield plan["Relation Name"]
        for value in plan.values():
            yield from relations(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from relations(value)


async def read_by(database: Database, user: User, statement: sql.SQL | sql.Composed, values: Any) -> set[int]:
    """The partitions that a statement reads or writes, by number."""
    async with database.transaction(user.user_id) as conn:
        text = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement.as_string(conn)}"
        cursor = await conn.execute(text.encode(), values)
        [row] = await cursor.fetchall()
    return {int(name[-1]) for name in relations(row["QUERY PLAN"]) if re.search(r"_p\d$", name)}


def hot_queries(user: User, said: Message, record: Record) -> Iterable[tuple[str, sql.SQL | sql.Composed, Any]]:
    """What a search asks, and what ingest looks up and writes."""
    probe = Probe(
        text="kiln",
        terms=tuple(query_terms("kiln in Bergen")),
        vector=np.full(256, 1 / 16, dtype=np.float32),
        times=(TimeRange(start=START, end=START + timedelta(days=30), granularity=Granularity.MONTH),),
    )
    filters = Filters()
    values = arms.parameters(user.user_id, filters, probe, "hash") | {"ids": [said.id, record.id], "reach": 3}
    kinds = filters.searched_kinds
    for arm in (Arm.LEXICAL, Arm.DENSE, Arm.TEMPORAL):
        yield arm.value, arms.statement(arm, kinds, True), values
    for name in ("describe_messages", "sources", "links", "speakers"):
        yield name, arms.query(name), values
    yield "people", arms.query("people"), values | {"text": "who mends the kiln"}
    yield "describe_records", arms.describe_records(kinds), values
    yield "replacements", arms.replacements(), values
    yield "messages", arms.messages(), values
    yield "beside", arms.beside(), values
    yield "core_lines", arms.core_lines(), values
    for kind in MemoryKind:
        yield f"records of {kind}", arms.records(kind), values
    asked = values | {"conversation_id": said.conversation_id, "idempotency_key": b"x", "content_hmac": b"x"}
    asked |= {"record_id": record.id, "record_ids": [record.id], "source_ids": [said.id], "limit": 2}
    yield "find_equal", store.query("find_equal", SemanticRecord), asked
    yield "find_batch", statements("batch")["find_batch"], asked
    yield "last_said", evidence_query("last_said"), asked
    for name in ("shelf_of", "sources_of", "memories_on", "standings", "insert_sources"):
        yield name, statements("document")[name], asked


async def test_each_hot_query_reads_one_partition(partitions: Database, indexer: Indexer) -> None:
    seen = set()
    for name in ("anna", "boris", "chen"):
        user = await partitions.ensure_user(name, "UTC")
        said, record = await told(Notebook(partitions, indexer, user))
        read = {what: await read_by(partitions, user, *query) for what, *query in hot_queries(user, said, record)}
        [own] = read["messages"]
        assert {what: numbers for what, numbers in read.items() if numbers != {own}} == {}, name
        seen.add(own)
    assert len(seen) > 1


async def test_ingest_and_search_touch_no_partition_of_others(
    partitions: Database, partitioned_url: str, indexer: Indexer
) -> None:
    user = await partitions.ensure_user("dora", "UTC")

    async def touched() -> dict[str, int]:
        async with partitions.transaction(user.user_id) as own:
            await own.execute("SELECT pg_stat_force_next_flush()")
        with psycopg.connect(partitioned_url) as conn:
            return dict(conn.execute(_SCANS).fetchall())

    before = await touched()
    await told(Notebook(partitions, indexer, user))
    found = await Retriever(partitions, indexer).search(user, "Where is the kiln since March 2026?")
    after = await touched()
    numbers = {name[-1] for name in after if after[name] > before[name]}
    assert [hit.kind for hit in found.hits][:1] == [MemoryKind.SEMANTIC]
    assert len(numbers) == 1
