"""LangGraph's store as a memory: the example of an adapter.

Any `BaseStore` with an index is taken: `InMemoryStore`, as here, or a `PostgresStore` that the caller opened and set
up. One namespace a conversation, one item a turn.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from langgraph.store.base import BaseStore, PutOp
from langgraph.store.memory import InMemoryStore

from mirix.errors import ConfigError
from mirix.evaluation.corpus import Conversation, Question, turn_texts
from mirix.evaluation.systems import HITS, Entry, Ranked
from mirix.models.embed import Embedder


@dataclass(frozen=True, kw_only=True)
class LangGraphStore:
    store: BaseStore
    name: str = "langgraph store"

    async def ingest(self, conversation: Conversation) -> None:
        turns = list(conversation.turns)
        space = _namespace(conversation)
        rounds: list[list[PutOp]] = []  # InMemoryStore takes no text twice in one batch
        times: Counter[str] = Counter()
        for turn, text in zip(turns, turn_texts(turns), strict=True):
            if times[text] == len(rounds):
                rounds.append([])
            rounds[times[text]].append(PutOp(namespace=space, key=turn.id, value={"text": text}))
            times[text] += 1
        for each in rounds:
            await self.store.abatch(each)

    async def search(self, conversation: Conversation, question: Question) -> Ranked:
        begin = time.perf_counter()
        found = await self.store.asearch(_namespace(conversation), query=question.text, limit=HITS)
        ms = (time.perf_counter() - begin) * 1000
        return Ranked(entries=[Entry(ids=(item.key,), text=item.value["text"]) for item in found], ms=ms)


def make(embedder: Embedder | None) -> LangGraphStore:
    """In memory, with the embedder of the run. Raises ConfigError without one: the store ranks by nothing else."""
    if embedder is None:
        raise ConfigError("LangGraph's store searches by embeddings: run `mirix doctor --fix`, or leave it out")
    own = embedder

    def embed(texts: Sequence[str]) -> list[list[float]]:
        return [[float(value) for value in vector] for vector in own.embed(texts)]

    index = {"dims": own.dimensions, "embed": embed, "fields": ["text"]}
    return LangGraphStore(store=InMemoryStore(index=index))  # type: ignore[arg-type]


def _namespace(conversation: Conversation) -> tuple[str, ...]:
    return ("conversations", conversation.name.replace(".", "_"))  # labels may hold no dot
