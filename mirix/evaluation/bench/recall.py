"""How much of what an exact scan finds the dense arm finds, by how much the user has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mirix.db.pool import Database
from mirix.evaluation.bench.world import MODEL, Floats, Question
from mirix.retrieval import arms
from mirix.retrieval.arms import Filters, Probe
from mirix.retrieval.fusion import Arm, Key

DEPTH = 10
_BUCKETS = (1_000, 10_000, 100_000)  # rows of a user


def bucket(rows: int) -> str:
    """In words: how much a user has."""
    for bound in _BUCKETS:
        if rows < bound:
            return f"under {bound:,}"
    return f"{_BUCKETS[-1]:,} and more"


async def dense_recall(database: Database, questions: Sequence[Question], vectors: Floats) -> list[dict[str, float]]:
    """For each question: the share of the exact nearest of each table that is found, of the first ten (`recall@10`) and
    of all candidates of the arm (`recall`)."""
    filters = Filters()
    exact = arms.statement(Arm.DENSE, filters.searched_kinds, True)
    found = []
    for question, vector in zip(questions, vectors, strict=True):
        probe = Probe(text=question.text, terms=(), vector=vector, times=())
        values = arms.parameters(question.user, filters, probe, MODEL)
        async with database.transaction(question.user) as conn:
            [given] = await arms.run_arms(conn, filters, [(Arm.DENSE, values)])
            rows = await (await conn.execute(exact, values)).fetchall()
        near, wanted = _by_kind(given.rows), _by_kind(rows)
        found.append({"recall@10": _share(near, wanted, DEPTH), "recall": _share(near, wanted, None)})
    return found


def _by_kind(rows: Sequence[Mapping[str, object]]) -> dict[int, list[Key]]:
    """Ids by table, nearest first as the arm gives them."""
    listed: dict[int, list[Key]] = {}
    for row in rows:
        assert isinstance(row["kind"], int) and isinstance(row["id"], str)
        listed.setdefault(row["kind"], []).append(row["id"])
    return listed


def _share(near: Mapping[int, list[Key]], wanted: Mapping[int, list[Key]], depth: int | None) -> float:
    common = sum(len(set(near.get(kind, [])[:depth]) & set(ids[:depth])) for kind, ids in wanted.items())
    total = sum(len(ids[:depth]) for ids in wanted.values())
    return common / total if total else 1.0
