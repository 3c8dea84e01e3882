"""The bench itself, at a tiny size: rows as they are meant, loaded as ingest would have left them, and all figures."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from mirix.cli import bench as bench_command
from mirix.config import Settings
from mirix.db.pool import Database, User
from mirix.errors import InputError
from mirix.evaluation.bench.baselines import Baseline, run_baselines
from mirix.evaluation.bench.bench import BenchPlan, run_bench
from mirix.evaluation.bench.client import GivenVectors
from mirix.evaluation.bench.load import load
from mirix.evaluation.bench.recall import bucket, dense_recall
from mirix.evaluation.bench.report import BenchReport, BenchRun, percentiles
from mirix.evaluation.bench.world import BATCH_MESSAGES, DAYS, MODEL, START, World, user_sizes
from mirix.evaluation.runner import silent
from mirix.memory.indexing import Indexer
from mirix.memory.lacking import count_lacking
from mirix.retrieval.active import Retriever
from mirix.retrieval.bridges import bridge


def tell(done: int, total: int) -> None:
    silent("loading", done, total)


def test_few_users_have_much_and_all_have_something() -> None:
    sizes = user_sizes(100_000, 100)
    assert sum(sizes) == pytest.approx(100_000, rel=0.01)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(2 * sizes[1], rel=0.05)
    assert sizes[-1] >= 10


def test_the_same_seed_makes_the_same_rows() -> None:
    first, again = (list(World(100, 3, 7).batches()) for _ in range(2))
    assert [batch.rows for batch in first] == [batch.rows for batch in again]
    assert np.array_equal(first[-1].vectors, again[-1].vectors)
    assert [batch.rows for batch in World(100, 3, 8).batches()] != [batch.rows for batch in first]


def test_rows_of_a_batch_are_near_each_other_and_far_from_others() -> None:
    one, other = list(World(40, 1, 7).batches())[:2]
    assert np.allclose(np.linalg.norm(one.vectors, axis=1), 1, atol=1e-5)
    within, across = one.vectors @ one.vectors.T, one.vectors @ other.vectors.T
    assert within.min() > 0.4
    assert across.mean() < within.mean() - 0.2


def test_half_of_the_questions_lead_to_further_probes_as_in_life() -> None:
    world = World(1_000, 2, 7)
    asked = [(batch.user, batch.rows[0].text, batch.vectors[0]) for batch in world.batches()]
    questions, vectors = world.questions(asked)
    bridged = [bool(bridge(each.text, START, "UTC")) for each in questions]
    assert 0.35 < np.mean(bridged) < 0.75
    about = np.stack([vector for _, _, vector in asked])
    assert np.allclose((vectors * about).sum(axis=1), 0.75, atol=0.12)


async def test_what_is_loaded_is_found_by_its_words_and_by_its_vector(database: Database, owner_url: str) -> None:
    world = World(60, 2, 7)
    load(owner_url, world, tell)
    batch = next(World(60, 2, 7).batches())
    user = User(user_id=batch.user, name=f"user {batch.user}", timezone="UTC")
    said = batch.rows[BATCH_MESSAGES - 1]
    known = {said.text: batch.vectors[said.place]}
    retriever = Retriever(database, Indexer(GivenVectors(known=known), lambda _user, text: text.encode()))
    found = await retriever.search(user, said.text, asked_at=START + timedelta(days=DAYS), explain=True)
    [hit] = [hit for hit in found.hits if hit.id == said.id]
    assert {arm.value for arm in hit.arms} >= {"lexical", "dense"}
    async with database.transaction(user.user_id) as conn:
        lacking = await count_lacking(conn, user.user_id, MODEL)
    assert (lacking.rows, lacking.total) == (0, world.sizes[user.user_id - 1])


async def test_an_exact_scan_recalls_everything(database: Database, owner_url: str) -> None:
    world = World(60, 2, 7)
    load(owner_url, world, tell)
    questions, vectors = world.questions([(1, "a b c d", np.ones(384, dtype=np.float32) / np.sqrt(384))])
    assert await dense_recall(database, questions, vectors) == [{"recall@10": 1.0, "recall": 1.0}]


@pytest.fixture
def bench_url(database: Database, owner_url: str) -> Iterator[str]:
    """A database to fill, that is rid of the tables of the baselines afterwards."""
    yield owner_url
    with psycopg.connect(owner_url, autocommit=True) as conn:
        conn.execute("DROP TABLE IF EXISTS plain")
        conn.execute("DROP SCHEMA IF EXISTS langgraph CASCADE")


async def _baselines(url: str, store_rows: int, told: list[str]) -> dict[str, Baseline]:
    world = World(90, 2, 7)
    load(url, world, tell)
    about = {batch.user: batch.vectors[0] for batch in world.batches()}
    questions, vectors = world.questions([(user, "a b c d", vector) for user, vector in about.items()])
    found = await asyncio.to_thread(run_baselines, url, questions, vectors, told.append, store_rows=store_rows)
    return {each.name: each for each in found}


def _counted(url: str, table: str) -> dict[str, int]:
    """Rows by user."""
    counts = {
        "plain": "SELECT 'users.' || user_id, count(*) FROM plain GROUP BY 1",
        "store": "SELECT prefix, count(*) FROM langgraph.store_vectors GROUP BY 1",
    }
    with psycopg.connect(url) as conn:
        return dict(conn.execute(counts[table]).fetchall())


async def test_the_store_of_langgraph_holds_the_same_vectors_and_finds_the_same(bench_url: str) -> None:
    told: list[str] = []
    found = await _baselines(bench_url, 1_000, told)
    store = found["langgraph"]
    assert store.recall == found["pgvector, iterative"].recall == [1.0, 1.0]
    assert len(store.ms) == 2 and min(store.ms) > 0 and store.build_s > 0 and store.size_mb > 0
    assert told == []
    assert _counted(bench_url, "store") == _counted(bench_url, "plain")


async def test_of_many_rows_the_store_gets_a_part_and_is_measured_on_that_part(bench_url: str) -> None:
    told: list[str] = []
    found = await _baselines(bench_url, 40, told)
    [line] = told
    assert line.startswith("langgraph: it holds ") and " rows only" in line
    assert found["langgraph"].recall == [1.0, 1.0]
    rows = sum(_counted(bench_url, "plain").values())
    assert sum(_counted(bench_url, "store").values()) == rows // 3 < 40 < rows // 2


@pytest.mark.slow
async def test_a_bench_tells_all_its_figures(settings: Settings, tmp_path: Path) -> None:
    plan = BenchPlan(rows=[300], users=3, clients=[1, 2], questions=6, ingest_messages=20)
    report = await run_bench(settings, plan)
    [run] = json.loads(json.dumps(report.to_json()))["runs"]
    assert (run["rows"], run["users"]) == (300, 3)
    assert [each["clients"] for each in run["search"]] == [1, 2]
    assert all(each["ms"]["n"] == 6 and each["ms"]["p99"] >= each["ms"]["p50"] > 0 for each in run["search"])
    assert all(each["per_second"] > 0 for each in run["search"])
    assert run["recall"]["recall@10"] == 1
    assert [each["name"] for each in run["baselines"]] == ["pgvector", "pgvector, iterative", "langgraph"]
    assert run["left_out"] == []
    assert run["ingest"]["messages_per_s"] > 0
    assert run["database_mb"] > 0
    assert list(run["by_user_size"]) == ["under 1,000"]
    console = Console(width=120, record=True, file=io.StringIO())
    for table in report.tables():
        console.print(table)
    shown = console.export_text()
    assert "mirix, 2 clients" in shown and "pgvector, iterative" in shown and "langgraph: build_s" in shown
    report.plot(tmp_path / "plot.svg")
    assert "recall@10" in (tmp_path / "plot.svg").read_text()
    report.plot(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_sizes_are_told_in_words() -> None:
    assert [bucket(rows) for rows in (10, 1_000, 100_000)] == ["under 1,000", "under 10,000", "100,000 and more"]


def test_percentiles_of_nothing_are_no_figures() -> None:
    assert percentiles([]) == {"n": 0}
    assert percentiles([1.0, 2.0, 3.0])["p50"] == 2.0
    assert BenchReport(runs=[BenchRun(document={})]).to_json()["runs"] == [{}]


def test_numbers_of_options_are_checked() -> None:
    from mirix.cli.bench import _numbers

    assert _numbers("--rows", "1_000,20") == [1000, 20]
    for wrong in ("many", "0", "1,,2"):
        with pytest.raises(InputError, match="--rows"):
            _numbers("--rows", wrong)


def test_a_plot_that_has_no_folder_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    app = typer.Typer()
    bench_command.register(app)
    done = CliRunner().invoke(app, ["--rows", "1000", "--plot", str(tmp_path / "nowhere" / "plot.svg")])
    assert done.exit_code == 3
    assert "there is no folder" in done.stderr
