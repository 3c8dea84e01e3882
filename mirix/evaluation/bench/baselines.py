"""The same vectors and questions by others, in the same run: plain pgvector, and LangGraph's store if it is there.

    pgvector             one table of all users, HNSW, the user as a filter behind it: the usual way
    pgvector, iterative  the same, walking on until enough rows of the user are found
    langgraph            PostgresStore, a namespace for each user

They only find vectors: no words, no times, nothing is ranked or read. Each is asked for the ten nearest.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from mirix.db.statements import statements
from mirix.evaluation.bench.recall import DEPTH
from mirix.evaluation.bench.world import Floats, Question

_BENCH = statements("bench")


@dataclass(frozen=True, kw_only=True)
class Baseline:
    name: str
    ms: list[float]  # of each question
    recall: list[float]  # of the ten nearest of the user, for each question
    build_s: float  # table and index
    size_mb: float


def run_baselines(
    conninfo: str, questions: Sequence[Question], vectors: Floats, tell: Callable[[str], None]
) -> list[Baseline]:
    """All that can be run here; `tell` is told what cannot, and why."""
    if importlib.util.find_spec("langgraph.store.postgres") is None:
        tell("left out: LangGraph's PostgresStore, as langgraph-checkpoint-postgres is not installed")
    with psycopg.connect(conninfo, autocommit=True) as conn:
        register_vector(conn)
        conn.prepare_threshold = None  # a plan that is kept would be that of the exact scan
        began = time.monotonic()
        for name in ("plain_memory", "plain_table", "plain_index", "plain_analyse"):
            conn.execute(_BENCH[name])
        build_s = time.monotonic() - began
        size = conn.execute(_BENCH["plain_size"]).fetchone()
        assert size is not None
        asked = [{"user_id": q.user, "vector": HalfVector(v)} for q, v in zip(questions, vectors, strict=True)]
        conn.execute(_BENCH["plain_exactly"])
        exact = [_ids(conn, values) for values in asked]
        found = []
        for name, scan in (("pgvector", "off"), ("pgvector, iterative", "relaxed_order")):
            conn.execute(_BENCH["plain_by_index"], {"scan": scan})
            for values in asked[:DEPTH]:
                _ids(conn, values)
            ms, recall = [], []
            for values, wanted in zip(asked, exact, strict=True):
                started = time.perf_counter()
                ids = _ids(conn, values)
                ms.append((time.perf_counter() - started) * 1000)
                recall.append(len(set(ids) & set(wanted)) / len(wanted))
            found.append(Baseline(name=name, ms=ms, recall=recall, build_s=build_s, size_mb=size[0] / 1e6))
        return found


def _ids(conn: psycopg.Connection, values: dict[str, object]) -> list[int]:
    return [row[0] for row in conn.execute(_BENCH["plain_nearest"], values).fetchall()]
