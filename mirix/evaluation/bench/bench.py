"""Runs a bench: fills a throw-away database, searches it in every way, and puts the figures together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from pgvector.psycopg import register_vector

from mirix.config import Settings
from mirix.db.statements import statements
from mirix.evaluation.bench.baselines import Baseline, run_baselines
from mirix.evaluation.bench.clients import Searched, search_by, write_questions
from mirix.evaluation.bench.load import load
from mirix.evaluation.bench.rates import measure_rates
from mirix.evaluation.bench.recall import bucket, dense_recall
from mirix.evaluation.bench.report import BenchReport, BenchRun, grouped, percentiles
from mirix.evaluation.bench.world import DAYS, START, Floats, Question, World
from mirix.evaluation.runner import Progress, silent, throwaway_memory
from mirix.jobs.upkeep import keep_up

_BENCH = statements("bench")
_LEAST = 30  # questions of each bucket


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """What is to be measured."""

    rows: Sequence[int]  # messages and memories together; one run each
    users: int
    clients: Sequence[int] = (1, 2, 4)
    questions: int = 200
    seed: int = 1
    baselines: bool = True
    ingest_messages: int = 200  # 0: not measured


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """The questions of a run. The first are those of people as they come, who ask the more the more they have; behind
    them more of the users of whom there were too few."""

    questions: Sequence[Question]
    vectors: Floats
    buckets: Sequence[str]
    common: int  # how many are the first


async def run_bench(settings: Settings, plan: BenchPlan, progress: Progress = silent) -> BenchReport:
    """One run for each number of rows, each in a database of its own. Raises ConfigError, DatabaseError."""
    return BenchReport(runs=[await _run(settings, plan, rows, progress) for rows in plan.rows])


async def _run(settings: Settings, plan: BenchPlan, rows: int, progress: Progress) -> BenchRun:
    world = World(rows, min(plan.users, max(1, rows // 10)), plan.seed)
    async with throwaway_memory(settings) as memory:
        conninfo, folder = memory.parts.database.conninfo, Path(memory.parts.settings.data_dir)
        began = time.monotonic()
        what = f"loading {rows:,} rows"
        await asyncio.to_thread(load, conninfo, world, lambda done, total: progress(what, done, total))
        await keep_up(conninfo)
        load_s = time.monotonic() - began
        size = await asyncio.to_thread(_database_bytes, conninfo)
        asked = await asyncio.to_thread(_ask, conninfo, world, plan)
        write_questions(folder, asked.questions, asked.vectors)
        searched: list[Searched] = []
        for number in plan.clients:
            progress("searching", len(searched), len(plan.clients))
            searched.append(await search_by(folder, conninfo, number))
        progress("searching", len(searched), len(plan.clients))
        recall = await dense_recall(memory.parts.database, asked.questions, asked.vectors)
        left_out: list[str] = []
        baselines = (
            await asyncio.to_thread(run_baselines, conninfo, asked.questions, asked.vectors, left_out.append)
            if plan.baselines
            else []
        )
        ingest = await measure_rates(memory, plan.ingest_messages) if plan.ingest_messages else None
    return BenchRun(
        document={
            "rows": sum(world.sizes),
            "users": len(world.sizes),
            "seed": plan.seed,
            "load_s": round(load_s, 1),
            "database_mb": round(size / 1e6, 1),
            "bytes_per_row": round(size / sum(world.sizes)),
            "client_mb": max((each.client_mb for each in searched if each.client_mb), default=None),
            "server_mb": max((each.server_mb for each in searched if each.server_mb), default=None),
            "search": [_search_document(each, asked) for each in searched],
            "recall": _means(recall[: asked.common]),
            "by_user_size": _by_user_size(asked, searched[0], recall, baselines),
            "baselines": [_baseline_document(each, asked) for each in baselines],
            "ingest": ingest.to_json() if ingest else None,
            "left_out": left_out,
        }
    )


def _database_bytes(conninfo: str) -> int:
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute("CHECKPOINT")
        row = conn.execute(_BENCH["database_size"]).fetchone()
        assert row is not None
        return int(row[0])


def _ask(conninfo: str, world: World, plan: BenchPlan) -> _Asked:
    """Questions on messages of random users at random times."""
    random = np.random.default_rng(plan.seed + 2)
    sizes = np.array(world.sizes)
    users = list(random.choice(len(sizes), plan.questions, p=sizes / sizes.sum()))
    names = [bucket(size) for size in world.sizes]
    for name in sorted(set(names)):
        there = [user for user, each in enumerate(names) if each == name]
        lacking = _LEAST - sum(names[user] == name for user in users)
        users += list(random.choice(there, max(0, lacking)))
    found = []
    with psycopg.connect(conninfo, autocommit=True) as conn:
        register_vector(conn)
        for user in users:
            at = START + timedelta(days=DAYS * float(random.random()))
            values = {"user_id": int(user) + 1, "at": at}
            row = conn.execute(_BENCH["message_after"], values).fetchone()
            row = row or conn.execute(_BENCH["message_after"], values | {"at": START}).fetchone()
            assert row is not None
            found.append((int(user) + 1, row[0], row[1].to_numpy().astype(np.float32)))
    questions, vectors = world.questions(found)
    return _Asked(questions=questions, vectors=vectors, buckets=[names[user] for user in users], common=plan.questions)


def _search_document(searched: Searched, asked: _Asked) -> dict[str, Any]:
    return {
        "clients": searched.clients,
        "ms": percentiles(searched.ms[: asked.common]),
        "per_second": round(searched.per_second, 2),
        "client_mb": searched.client_mb,
        "server_mb": searched.server_mb,
    }


def _baseline_document(baseline: Baseline, asked: _Asked) -> dict[str, Any]:
    return {
        "name": baseline.name,
        "ms": percentiles(baseline.ms[: asked.common]),
        "recall@10": _mean(baseline.recall[: asked.common]),
        "build_s": round(baseline.build_s, 1),
        "size_mb": round(baseline.size_mb, 1),
    }


def _by_user_size(
    asked: _Asked, searched: Searched, recall: Sequence[dict[str, float]], baselines: Sequence[Baseline]
) -> dict[str, Any]:
    ms = grouped(asked.buckets, searched.ms)
    names = [name for _, name in sorted((_first_number(name), name) for name in ms)]
    places = {name: [place for place, each in enumerate(asked.buckets) if each == name] for name in names}
    return {
        name: {
            "ms": percentiles(ms[name]),
            "recall": _means([recall[place] for place in places[name]]),
            "baselines": {
                each.name: {
                    "ms": percentiles([each.ms[place] for place in places[name]]),
                    "recall@10": _mean([each.recall[place] for place in places[name]]),
                }
                for each in baselines
            },
        }
        for name in names
    }


def _first_number(name: str) -> tuple[int, bool]:
    number = next(word for word in name.split() if word[0].isdigit())
    return int(number.replace(",", "")), name.startswith(number)


def _means(each: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: _mean([one[name] for one in each]) for name in (each[0] if each else ())}


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4) if len(values) else 1.0
