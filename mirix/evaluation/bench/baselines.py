"""The same vectors and questions by others, in the same run: plain pgvector, and LangGraph's store if it is there.

    pgvector             one table of all users, HNSW, the user as a filter behind it: the usual way
    pgvector, iterative  the same, walking on until enough rows of the user are found
    langgraph            PostgresStore, a namespace for each user

They only find vectors: no words, no times, nothing is ranked or read. Each is asked for the ten nearest.

The store is set up, filled and searched by its own methods, in a schema of its own. It takes its rows one by one into
its index, so that of many rows it gets every second, third, … only, and is measured against an exact scan of those.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg
from langgraph.store.base import BaseStore, PutOp
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg.conninfo import make_conninfo

from mirix.db.statements import statements
from mirix.evaluation.bench.recall import DEPTH
from mirix.evaluation.bench.world import DIMENSIONS, Floats, Question

STORE_ROWS = 100_000  # more would take LangGraph's store the better part of an hour
_BATCH_ROWS = 500
_BENCH = statements("bench")


@dataclass(frozen=True, kw_only=True)
class Baseline:
    name: str
    ms: list[float]  # of each question
    recall: list[float]  # of the ten nearest of the user, for each question
    build_s: float  # table and index
    size_mb: float


def run_baselines(
    conninfo: str,
    questions: Sequence[Question],
    vectors: Floats,
    tell: Callable[[str], None],
    *,
    store_rows: int = STORE_ROWS,
) -> list[Baseline]:
    """All that can be run here; `tell` is told what cannot, and why. LangGraph's store gets `store_rows` at most."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        register_vector(conn)
        conn.prepare_threshold = None  # a plan that is kept would be that of the exact scan
        asked = [{"user_id": q.user, "vector": HalfVector(v)} for q, v in zip(questions, vectors, strict=True)]
        found = _plain(conn, asked)
        if importlib.util.find_spec("langgraph.store.postgres") is None:
            tell("left out: LangGraph's PostgresStore, as langgraph-checkpoint-postgres is not installed")
            return found
        return [*found, _langgraph(conn, conninfo, asked, store_rows, tell)]


def _plain(conn: psycopg.Connection, asked: Sequence[dict[str, object]]) -> list[Baseline]:
    began = time.monotonic()
    for name in ("plain_memory", "plain_table", "plain_index", "plain_analyse"):
        conn.execute(_BENCH[name])
    build_s = time.monotonic() - began
    size_mb = _number(conn, "plain_size") / 1e6
    exact = _exactly(conn, asked, 1)
    found = []
    for name, scan in (("pgvector", "off"), ("pgvector, iterative", "relaxed_order")):
        conn.execute(_BENCH["plain_by_index"], {"scan": scan})
        ms, recall = _measured(lambda place: _ids(conn, "plain_nearest", asked[place]), exact)
        found.append(Baseline(name=name, ms=ms, recall=recall, build_s=build_s, size_mb=size_mb))
    return found


@dataclass(kw_only=True)
class _Lookup:
    """An embedder that knows the vectors of some texts."""

    known: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        return [self.known[text] for text in texts]


def _langgraph(
    conn: psycopg.Connection,
    conninfo: str,
    asked: Sequence[dict[str, object]],
    most: int,
    tell: Callable[[str], None],
) -> Baseline:
    from langgraph.store.postgres import PostgresStore
    from langgraph.store.postgres.base import PostgresIndexConfig

    rows = _number(conn, "plain_rows")
    step = -(-rows // most)
    conn.execute(_BENCH["store_schema"])
    own = make_conninfo(conninfo, options="-c search_path=langgraph,public")
    lookup = _Lookup()
    index: PostgresIndexConfig = {"dims": DIMENSIONS, "embed": lookup, "fields": ["row"]}
    with PostgresStore.from_conn_string(own, index=index) as store:
        began = time.monotonic()
        store.setup()
        held = _fill(store, lookup, conn, step)
        conn.execute(_BENCH["store_analyse"])
        build_s = time.monotonic() - began
        if step > 1:
            tell(f"langgraph: it holds {held:,} of the {rows:,} rows only, as its inserts take too long for more")
        exact = _exactly(conn, asked, step)
        lookup.known = {f"question {place}": _listed(values["vector"]) for place, values in enumerate(asked)}

        def nearest(place: int) -> list[int]:
            items = store.search(_namespace(asked[place]["user_id"]), query=f"question {place}", limit=DEPTH)
            return [int(item.key) for item in items]

        ms, recall = _measured(nearest, exact)
    size_mb = _number(conn, "store_size") / 1e6
    return Baseline(name="langgraph", ms=ms, recall=recall, build_s=build_s, size_mb=size_mb)


def _fill(store: BaseStore, lookup: _Lookup, conn: psycopg.Connection, step: int) -> int:
    """Puts every `step`-th row in; returns how many."""
    held = 0
    with conn.transaction(), conn.cursor(name="rows") as cursor:
        cursor.execute(_BENCH["plain_every"], {"step": step})
        while rows := cursor.fetchmany(_BATCH_ROWS):
            lookup.known = {str(key): _listed(vector) for key, _, vector in rows}
            store.batch([PutOp(_namespace(user), str(key), {"row": str(key)}) for key, user, _ in rows])
            held += len(rows)
    return held


def _namespace(user: object) -> tuple[str, ...]:
    return ("users", str(user))


def _listed(vector: object) -> list[float]:
    assert isinstance(vector, HalfVector)
    return [float(value) for value in vector.to_list()]


def _measured(nearest: Callable[[int], list[int]], exact: Sequence[list[int]]) -> tuple[list[float], list[float]]:
    """ms and recall of each question, after the first few were asked once."""
    for place in range(min(DEPTH, len(exact))):
        nearest(place)
    ms, recall = [], []
    for place, wanted in enumerate(exact):
        started = time.perf_counter()
        ids = nearest(place)
        ms.append((time.perf_counter() - started) * 1000)
        recall.append(len(set(ids) & set(wanted)) / len(wanted) if wanted else 1.0)
    return ms, recall


def _exactly(conn: psycopg.Connection, asked: Sequence[dict[str, object]], step: int) -> list[list[int]]:
    conn.execute(_BENCH["plain_exactly"])
    return [_ids(conn, "plain_nearest_of", values | {"step": step}) for values in asked]


def _ids(conn: psycopg.Connection, name: str, values: dict[str, object]) -> list[int]:
    return [row[0] for row in conn.execute(_BENCH[name], values).fetchall()]


def _number(conn: psycopg.Connection, name: str) -> int:
    row = conn.execute(_BENCH[name]).fetchone()
    assert row is not None
    return int(row[0])
