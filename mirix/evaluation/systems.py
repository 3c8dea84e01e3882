"""What is compared: memory systems behind one small protocol, so that others run in the same harness.

A system from outside the package implements `MemorySystem` and is handed to `evaluate_retrieval`; LangGraph's store
(adapters/langgraph_store.py) is the example.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Protocol, runtime_checkable
from uuid import UUID

import numpy as np

from mirix.errors import ConfigError, MirixError
from mirix.evaluation.bm25 import PlainBM25
from mirix.evaluation.corpus import Conversation, Question, turn_texts
from mirix.ingest.inputs import Origin, from_messages
from mirix.memory.indexing import Vector
from mirix.memory.record import now
from mirix.models.embed import Embedder
from mirix.retrieval.context import render_hit
from mirix.retrieval.hits import Hit
from mirix.system import AsyncMirix
from mirix.text.chunks import count_tokens

HITS = 60  # asked for: hits that rest on the same messages leave room for further ones


class Ingest(StrEnum):
    EVIDENCE = "evidence"  # raw turns alone
    GRAPH = "graph"  # the managers read them as well


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that was found."""

    ids: tuple[str, ...]  # the turns it is or rests on
    text: str  # as a reader is given it

    @cached_property
    def tokens(self) -> int:
        """What it costs a reader, estimated."""
        return count_tokens(self.text)


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """What a system found for a question, best first."""

    entries: Sequence[Entry]
    ms: float  # of the search

    @property
    def ids(self) -> list[str]:
        """The turns, each once."""
        return list(dict.fromkeys(key for entry in self.entries for key in entry.ids))

    def within(self, max_tokens: int) -> tuple[set[str], int]:
        """The turns of the best entries that fit into a budget together, and what they cost."""
        found: set[str] = set()
        spent = 0
        for entry in self.entries:
            if spent + entry.tokens > max_tokens:
                break
            found.update(entry.ids)
            spent += entry.tokens
        return found, spent


@runtime_checkable
class MemorySystem(Protocol):
    """A memory that conversations are told to and that is searched afterwards."""

    @property
    def name(self) -> str: ...

    async def ingest(self, conversation: Conversation) -> None:
        """Take in all turns, in order. Conversations are kept apart."""

    async def search(self, conversation: Conversation, question: Question) -> Ranked:
        """Rank the turns of a conversation that was ingested."""


class SystemFailed(MirixError):
    """A memory system from outside the package failed. What the others found stands."""


@dataclass(kw_only=True)
class MirixSystem:
    """Mirix itself: `evidence` keeps raw turns only, `graph` has the managers read them as well."""

    memory: AsyncMirix
    mode: Ingest
    _ids: dict[UUID, str] = field(default_factory=dict, init=False)  # of stored messages: the turn's

    @property
    def name(self) -> str:
        return "mirix" if self.mode is Ingest.EVIDENCE else "mirix, write graph"

    def user(self, conversation: Conversation) -> str:
        """Whose memory a conversation is told to."""
        return f"{conversation.name} {self.mode.value}"

    def turns_of(self, hit: Hit) -> tuple[str, ...]:
        """The ids of the turns that a hit is or rests on."""
        return tuple(dict.fromkeys(self._ids[key] for key in hit.source_ids))

    async def ingest(self, conversation: Conversation) -> None:
        for session in conversation.sessions:
            turns = [
                {"id": turn.id, "role": turn.role, "name": turn.speaker, "content": turn.text, "at": turn.at}
                for turn in session
            ]
            added = await self.memory.add(
                turns,
                user_id=self.user(conversation),
                timezone=conversation.timezone,
                infer=self.mode is Ingest.GRAPH,
            )
            # A long turn is stored in parts; the parts carry its id.
            parts = from_messages(turns, Origin(timezone=conversation.timezone), now())
            self._ids |= {key: part.external_id or "" for key, part in zip(added.message_ids, parts, strict=True)}

    async def search(self, conversation: Conversation, question: Question) -> Ranked:
        found = await self.memory.search(
            question.text, user_id=self.user(conversation), limit=HITS, asked_at=question.asked_at
        )
        entries = [
            Entry(ids=self.turns_of(hit), text=render_hit(number, hit, conversation.timezone))
            for number, hit in enumerate(found.hits, 1)
        ]
        return Ranked(entries=entries, ms=found.ms)


@dataclass(kw_only=True)
class Bm25System:
    """Plain BM25 over the turns, with Mirix's analyser."""

    name: str = "bm25"
    _indices: dict[str, PlainBM25] = field(default_factory=dict, init=False)

    async def ingest(self, conversation: Conversation) -> None:
        self._indices[conversation.name] = PlainBM25(turn_texts(list(conversation.turns)))

    async def search(self, conversation: Conversation, question: Question) -> Ranked:
        begin = time.perf_counter()
        order = self._indices[conversation.name].rank(question.text)[:HITS]
        return _of_turns(conversation, order, (time.perf_counter() - begin) * 1000)


@dataclass(kw_only=True)
class VectorSystem:
    """Plain cosine over the turns, with Mirix's embedder."""

    embedder: Embedder
    name: str = "vector"
    _vectors: dict[str, Vector] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, memory: AsyncMirix) -> VectorSystem:
        """Raises ConfigError where the memory has no embedder."""
        embedder = memory.parts.indexer.embedder
        if embedder is None:
            raise ConfigError("there is no embedder here: run `mirix doctor --fix`, or leave the system `vector` out")
        return cls(embedder=embedder)

    async def ingest(self, conversation: Conversation) -> None:
        self._vectors[conversation.name] = self.embedder.embed(turn_texts(list(conversation.turns)))

    async def search(self, conversation: Conversation, question: Question) -> Ranked:
        begin = time.perf_counter()
        scores = self._vectors[conversation.name] @ self.embedder.embed([question.text])[0]
        order = np.argsort(-scores, kind="stable")[:HITS].tolist()
        return _of_turns(conversation, order, (time.perf_counter() - begin) * 1000)


def _of_turns(conversation: Conversation, order: Sequence[int], ms: float) -> Ranked:
    turns = list(conversation.turns)
    texts = turn_texts(turns)
    return Ranked(entries=[Entry(ids=(turns[number].id,), text=texts[number]) for number in order], ms=ms)
