"""One process that searches: `python -m mirix.evaluation.bench.client FOLDER PART PARTS`, started by clients.py.

It opens the database of the folder as any program would, searches a little to warm up, says so, and begins when it is
told to: lines on standard input and output. The vectors of the questions are given: a search holds no embedding.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path

import numpy as np

from mirix.config import Settings
from mirix.db.pool import Database, User
from mirix.evaluation.bench.world import DAYS, DIMENSIONS, MODEL, START, Floats
from mirix.memory.indexing import Indexer, Vector
from mirix.retrieval.active import Retriever

QUESTIONS, VECTORS = "questions.json", "questions.npy"
_WARM = 12  # searches: psycopg prepares what is sent for the fifth time


@dataclass(frozen=True, kw_only=True)
class Client:
    """What one client has to tell, in JSON."""

    ms: list[float]  # of each of its searches, in order
    seconds: float  # from the first to the last
    hits: int
    peak_mb: float | None  # of resident memory


@dataclass(kw_only=True)
class GivenVectors:
    """An embedder that knows its texts; any other gets a direction of its own, always the same."""

    known: Mapping[str, Vector]
    name: str = MODEL
    dimensions: int = DIMENSIONS
    languages: frozenset[str] | None = None
    is_local: bool = True
    _made: dict[str, Vector] = field(default_factory=dict, init=False)

    def covers(self, text: str) -> bool:
        return True

    def embed(self, texts: Sequence[str]) -> Floats:
        return np.stack([self.known[text] if text in self.known else self._direction(text) for text in texts])

    def _direction(self, text: str) -> Vector:
        if text not in self._made:
            seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
            drawn = np.random.default_rng(seed).standard_normal(DIMENSIONS, dtype=np.float32)
            self._made[text] = drawn / np.linalg.norm(drawn)
        return self._made[text]


def peak_mb() -> float | None:
    """The most resident memory this process had; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


async def _main(folder: Path, part: int, parts: int) -> None:
    questions: list[tuple[int, str]] = [(user, text) for user, text in json.loads((folder / QUESTIONS).read_text())]
    vectors = np.load(folder / VECTORS)
    embedder = GivenVectors(known={text: vector for (_, text), vector in zip(questions, vectors, strict=True)})
    database = await Database.open(
        Settings(data_dir=folder, database_url=None, database_admin_url=None, keyring="file")
    )
    try:
        retriever = Retriever(database, Indexer(embedder, lambda _user, text: text.encode()))
        own = questions[part::parts]
        await _search(retriever, own[:_WARM])
        print("ready", flush=True)  # noqa: T201  the parent listens
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps(asdict(await _search(retriever, own))), flush=True)  # noqa: T201
    finally:
        await database.close()


async def _search(retriever: Retriever, questions: Sequence[tuple[int, str]]) -> Client:
    asked_at = START + timedelta(days=DAYS)
    ms: list[float] = []
    hits = 0
    begin = time.perf_counter()
    for key, text in questions:
        user = User(user_id=key, name=f"user {key}", timezone="UTC")
        started = time.perf_counter()
        hits += len((await retriever.search(user, text, asked_at=asked_at)).hits)
        ms.append((time.perf_counter() - started) * 1000)
    return Client(ms=ms, seconds=time.perf_counter() - begin, hits=hits, peak_mb=peak_mb())


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
