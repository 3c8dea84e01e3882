"""Messages a second that are stored with their vectors, and what the embedder alone could do with the same texts."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

from mirix.evaluation.speed import BATCH, week
from mirix.memory.windows import Turn, texts_to_embed
from mirix.models.embed import Embedder
from mirix.system import AsyncMirix

_QUESTIONS = 30


@dataclass(frozen=True, kw_only=True)
class Rates:
    messages: int
    messages_per_s: float  # stored, embedding included; no manager reads them
    embedder: str | None
    embedder_messages_per_s: float | None  # both vectors of each message, nothing else
    share_of_embedder: float | None
    question_embedding_ms: float | None  # median; comes on top of a search

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


async def measure_rates(memory: AsyncMirix, messages: int) -> Rates:
    """By turns of the demo, told again and again in batches of ten."""
    told = week()
    turns = [
        told[place % len(told)] | {"text": f"{place}: {told[place % len(told)]['text']}"} for place in range(messages)
    ]
    batches = [turns[start : start + BATCH] for start in range(0, len(turns), BATCH)]
    await memory.add(told[:BATCH], user_id="warm", infer=False)
    began = time.perf_counter()
    for batch in batches:
        await memory.add(batch, user_id="told", infer=False)
    stored = len(turns) / (time.perf_counter() - began)
    embedder = memory.parts.indexer.embedder
    if embedder is None:
        return Rates(
            messages=len(turns),
            messages_per_s=stored,
            embedder=None,
            embedder_messages_per_s=None,
            share_of_embedder=None,
            question_embedding_ms=None,
        )
    limit = len(turns) / await asyncio.to_thread(_seconds, embedder, batches)
    return Rates(
        messages=len(turns),
        messages_per_s=stored,
        embedder=embedder.name,
        embedder_messages_per_s=limit,
        share_of_embedder=stored / limit,
        question_embedding_ms=await asyncio.to_thread(_question_ms, embedder, [turn["text"] for turn in told]),
    )


def _seconds(embedder: Embedder, batches: list[list[dict[str, Any]]]) -> float:
    """What the embedder takes for the vectors of messages and their windows, batch by batch."""
    began = time.perf_counter()
    for batch in batches:
        texts = texts_to_embed([Turn(speaker=turn["name"], text=turn["text"]) for turn in batch])
        embedder.embed([text for each in texts for text in each])
    return time.perf_counter() - began


def _question_ms(embedder: Embedder, texts: list[str]) -> float:
    taken = []
    for text in texts[:_QUESTIONS]:
        started = time.perf_counter()
        embedder.embed([text])
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)
