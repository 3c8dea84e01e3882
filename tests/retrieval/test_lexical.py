"""The lexical arm is BM25 to the letter: compared with an independent implementation on the same tokens."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import bm25s
import pytest

from mirix.db.pool import Database
from mirix.errors import InputError
from mirix.memory import store
from mirix.memory.indexing import Indexer
from mirix.memory.message import Message
from mirix.memory.record import Record
from mirix.memory.resource import ResourceRecord
from mirix.memory.semantic import SemanticRecord
from mirix.retrieval import arms
from mirix.retrieval.arms import Filters, Probe
from mirix.retrieval.fusion import Arm
from mirix.text.analyser import query_terms, tokens
from tests.retrieval.conftest import START, Notebook

TEXT = """
    kiln glaze harbour ferry lantern orchid violin bakery rhubarb compass paddle willow
    陶瓷釉料 港口 渡轮 灯笼 兰花 小提琴 面包 大黄 指南针
"""
WORDS = TEXT.split()
QUESTIONS = [
    "kiln and glaze",
    "the violin at the harbour",
    "谁带来了兰花和面包?",
    "ferry 渡轮 compass paddle",
    "nothing here",
]


def sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, weights=range(len(WORDS), 0, -1), k=chance.randint(1, 20)))


def reference(texts: Mapping[UUID, str], question: str) -> dict[UUID, float]:
    """Scores of one shelf by bm25s, documents without a shared token left out."""
    index = bm25s.BM25(method="lucene", k1=arms.K1, b=arms.B, dtype="float64")
    index.index([tokens(text) for text in texts.values()], show_progress=False)
    asked = [token for token in dict.fromkeys(tokens(question)) if token in index.vocab_dict]
    if not asked:
        return {}
    scores = index.get_scores(asked) * (arms.K1 + 1)
    return {key: float(score) for key, score in zip(texts, scores, strict=True) if score > 0}


async def search(notebook: Notebook, question: str, filters: Filters) -> dict[UUID, float]:
    probe = Probe(text=question, terms=tuple(query_terms(question)), vector=None, times=())
    values = arms.parameters(notebook.user.user_id, filters, probe, None) | {"messages": [1000], "records": [1000]}
    async with notebook.database.transaction(notebook.user.user_id) as conn:
        [found] = await arms.run_arms(conn, filters, [(Arm.LEXICAL, values)])
    return {UUID(row["id"]): row["score"] for row in found.rows}


async def fill(notebook: Notebook, chance: random.Random) -> tuple[list[Message], list[Record]]:
    messages = [await notebook.say(sentence(chance), embed=False) for _ in range(40)]
    records = [await notebook.keep(SemanticRecord, name=f"n{i}", summary=sentence(chance)) for i in range(15)]
    records += [
        await notebook.keep(ResourceRecord, title=f"t{i}", summary="s", content=sentence(chance)) for i in range(8)
    ]
    return messages, records


async def forget(notebook: Notebook, message: Message) -> None:
    named = {"id": message.id}
    await notebook.run("DELETE FROM document WHERE user_id = %(user_id)s AND record_id = %(id)s", named)
    await notebook.run("DELETE FROM message WHERE user_id = %(user_id)s AND id = %(id)s", named)


def expected(shelves: Sequence[Mapping[UUID, str]], question: str) -> dict[UUID, float]:
    return {key: score for shelf in shelves if shelf for key, score in reference(shelf, question).items()}


async def test_scores_equal_an_independent_bm25_on_every_shelf(database: Database, indexer: Indexer) -> None:
    notebooks = []
    for number, name in enumerate(("anna", "berit", "chen")):
        chance = random.Random(number)
        notebook = Notebook(database, indexer, await database.ensure_user(name, "UTC"))
        messages, records = await fill(notebook, chance)
        for gone in messages[:7]:
            await forget(notebook, gone)
        for message in messages[7:15]:
            async with database.transaction(notebook.user.user_id) as conn:
                await store.set_message_standing(conn, notebook.user.user_id, message.id, "outdated")
        await notebook.delete(records[0])
        later = await notebook.supersede(records[1], summary=sentence(chance), valid_from=START + timedelta(days=1))
        records = [*records[1:], later]
        notebooks.append((notebook, messages[7:], records))
    for notebook, messages, records in notebooks:
        shelves = [
            {m.id: m.text for m in messages[:8]},
            {m.id: m.text for m in messages[8:]},
            {r.id: r.index_text() for r in records[1:] if isinstance(r, SemanticRecord)},
            {r.id: r.index_text() for r in records if isinstance(r, ResourceRecord)},
        ]
        past = {records[0].id: records[0].index_text()}
        for question in QUESTIONS:
            now = await search(notebook, question, Filters())
            assert now == pytest.approx(expected(shelves, question), abs=1e-6)
            everything = await search(notebook, question, Filters(include_superseded=True))
            assert everything == pytest.approx(expected([*shelves, past], question), abs=1e-6)


async def test_filters_come_before_the_limit(notebook: Notebook) -> None:
    for _ in range(30):
        await notebook.say("kiln kiln kiln", embed=False)
    wanted = await notebook.say("a kiln among many other words", embed=False, application="Mail")
    probe = Probe(text="kiln", terms=tuple(query_terms("kiln")), vector=None, times=())
    filters = Filters(application="mail")
    values = arms.parameters(notebook.user.user_id, filters, probe, None) | {"messages": [5]}
    async with notebook.database.transaction(notebook.user.user_id) as conn:
        [found] = await arms.run_arms(conn, filters, [(Arm.LEXICAL, values)])
    assert [row["id"] for row in found.rows] == [str(wanted.id)]


async def test_a_document_with_every_word_reaches_the_bound(notebook: Notebook) -> None:
    await notebook.say("kiln glaze", embed=False)
    await notebook.say("kiln", embed=False)
    await notebook.say("harbour", embed=False)
    probe = Probe(text="kiln glaze", terms=tuple(query_terms("kiln glaze")), vector=None, times=())
    values = arms.parameters(notebook.user.user_id, Filters(), probe, None)
    async with notebook.database.transaction(notebook.user.user_id) as conn:
        found = await arms.run_arms(conn, Filters(), [(Arm.LEXICAL, values)])
    shares = sorted(arms.scores_by_arm(found)[Arm.LEXICAL].values(), reverse=True)
    assert 0.2 < shares[1] < 0.6
    assert shares[0] == pytest.approx(1, abs=0.2)


async def test_the_lexical_plan_reads_the_index_only(notebook: Notebook) -> None:
    await notebook.say("kiln glaze", embed=False)
    statement = arms.statement(Arm.LEXICAL, Filters().searched_kinds, True).as_string()
    probe = Probe(text="kiln", terms=tuple(query_terms("kiln")), vector=None, times=())
    values = arms.parameters(notebook.user.user_id, Filters(), probe, None)
    async with notebook.database.transaction(notebook.user.user_id) as conn:
        await conn.execute(arms.query("index_only"), {"planner": "off", "ef_search": "40"})
        await conn.execute("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")
        cursor = await conn.execute(("EXPLAIN " + statement).encode(), values, prepare=True)
        plan = "\n".join(row["QUERY PLAN"] for row in await cursor.fetchall())
    tables = len(Filters().searched_kinds) + 1
    assert plan.count("Index Only Scan using posting_pkey") == 1 + tables  # once to count, once for each to score
    assert "Seq Scan on posting" not in plan


def test_filters_need_aware_times() -> None:
    with pytest.raises(InputError, match="time zone"):
        replace(Filters(), as_of=START.replace(tzinfo=None))
