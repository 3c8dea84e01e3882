"""Vector indexes of big users: made for them alone, used where nothing is filtered, and gone when nobody needs them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from mirix.db.pool import Database, User
from mirix.memory import near
from mirix.memory.indexing import Indexer
from mirix.memory.near import NearIndex, make_indexes
from mirix.memory.record import MemoryKind
from mirix.memory.semantic import SemanticRecord
from mirix.retrieval import arms
from mirix.retrieval.arms import Filters, Probe
from mirix.retrieval.fusion import Arm
from tests.retrieval.conftest import Notebook

ENOUGH = 12
WORDS = (
    *("kiln", "glaze", "harbour", "ferry", "lantern", "orchid"),
    *("violin", "bakery", "rhubarb", "compass", "paddle", "willow"),
)


@pytest.fixture(autouse=True)
async def without_indexes(owner_url: str) -> AsyncIterator[None]:
    """What a test makes is gone after it."""
    yield
    await make_indexes(owner_url, index_from=1_000_000)


async def fill(notebook: Notebook) -> None:
    for place, word in enumerate(WORDS):
        await notebook.say(f"the {word} and the {WORDS[place - 1]}")
        await notebook.keep(
            SemanticRecord, name=word, kind="concept", summary=f"a {word} beside the {WORDS[place - 3]}"
        )


async def used(notebook: Notebook) -> frozenset[NearIndex]:
    embedder = notebook.indexer.embedder
    assert embedder is not None
    async with notebook.database.transaction(notebook.user.user_id) as conn:
        return await near.present(conn, notebook.user.user_id, embedder.name, embedder.dimensions)


async def dense(notebook: Notebook, filters: Filters) -> list[tuple[int, str, float]]:
    embedder = notebook.indexer.embedder
    assert embedder is not None
    probe = Probe(text="", terms=(), vector=embedder.embed(["a violin at the harbour"])[0], times=())
    values = arms.parameters(notebook.user.user_id, filters, probe, embedder.name)
    async with notebook.database.transaction(notebook.user.user_id) as conn:
        [found] = await arms.run_arms(conn, filters, [(Arm.DENSE, values)])
    return [(row["kind"], str(row["id"]), round(row["score"], 6)) for row in found.rows]


async def test_only_who_has_much_gets_an_index(
    database: Database, indexer: Indexer, notebook: Notebook, owner_url: str
) -> None:
    small = Notebook(database, indexer, await database.ensure_user("boris", "UTC"))
    await fill(notebook)
    await small.say("the kiln")
    assert len(await make_indexes(owner_url, index_from=ENOUGH)) == 2
    assert {index.kind for index in await used(notebook)} == {None, MemoryKind.SEMANTIC}
    assert await used(small) == frozenset()
    assert await make_indexes(owner_url, index_from=ENOUGH) == []  # they are there


async def test_an_index_finds_what_an_exact_scan_finds(notebook: Notebook, owner_url: str) -> None:
    await fill(notebook)
    exact = await dense(notebook, Filters())
    await make_indexes(owner_url, index_from=ENOUGH)
    assert sorted(await dense(notebook, Filters())) == sorted(exact)
    assert len(exact) == 2 * len(WORDS)


async def test_the_planner_takes_the_index(notebook: Notebook, owner_url: str) -> None:
    await fill(notebook)
    await make_indexes(owner_url, index_from=ENOUGH)
    [index] = [index for index in await used(notebook) if index.kind is None]
    embedder = notebook.indexer.embedder
    assert embedder is not None
    probe = Probe(text="", terms=(), vector=embedder.embed(["violin"])[0], times=())
    values = arms.parameters(notebook.user.user_id, Filters(), probe, embedder.name)
    text = "EXPLAIN " + arms.statement(Arm.DENSE, (), True, frozenset([index])).as_string()
    async with notebook.database.transaction(notebook.user.user_id) as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        await conn.execute("SET LOCAL enable_sort = off")
        plan = [row["QUERY PLAN"] for row in await (await conn.execute(text.encode(), values)).fetchall()]
    assert any(f"Index Scan using {index.name}" in line for line in plan), plan


async def test_a_filtered_search_stays_exact(notebook: Notebook, owner_url: str) -> None:
    await fill(notebook)
    await make_indexes(owner_url, index_from=ENOUGH)
    tagged = await notebook.keep(SemanticRecord, name="x", kind="concept", summary="nothing near", tags=["rare"])
    assert [found for _, found, _ in await dense(notebook, Filters(tags=("rare",)))] == [str(tagged.id)]
    assert Filters(kinds=frozenset({MemoryKind.SEMANTIC}), messages=False).are_none
    assert not Filters(agent_id="coder").are_none


async def test_an_index_that_nobody_needs_is_dropped(
    notebook: Notebook, user: User, owner_url: str, database: Database
) -> None:
    await fill(notebook)
    await make_indexes(owner_url, index_from=ENOUGH)
    with psycopg.connect(owner_url, autocommit=True) as conn:
        conn.execute("DELETE FROM app_user WHERE user_id = %s", [user.user_id])
    await make_indexes(owner_url, index_from=ENOUGH)
    assert await used(notebook) == frozenset()
