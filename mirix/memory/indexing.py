"""What is derived from a text: its terms, its vector, its keyed digest. Nothing here touches the database.

Vectors are made before a transaction is opened: a model call never runs inside one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirix.memory.record import Record
from mirix.models.embed import Embedder
from mirix.text.analyser import Analysis, analyse

logger = logging.getLogger(__name__)

Vector = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Derived:
    """What the index needs of one text."""

    analysis: Analysis
    vector: Vector | None  # (dim,) float32, unit length; None without an embedder that reads the language
    embedding_model: str | None
    content_hmac: bytes


class Indexer:
    """Derives; holds the embedder (None: lexical search only) and the keyed digest."""

    def __init__(self, embedder: Embedder | None, digest: Callable[[int, str], bytes]) -> None:
        self.embedder = embedder
        self._digest = digest

    def digest(self, user_id: int, text: str) -> bytes:
        return self._digest(user_id, text)

    async def vectors(self, texts: Sequence[str]) -> list[Vector | None]:
        """A vector for each text, in order; None where the embedder does not read the language or there is none."""
        found: list[Vector | None] = [None] * len(texts)
        embedder = self.embedder
        if embedder is None:
            return found
        covered = [index for index, text in enumerate(texts) if text.strip() and embedder.covers(text)]
        if covered:
            rows = await asyncio.to_thread(embedder.embed, [texts[index] for index in covered])
            for index, row in zip(covered, rows, strict=True):
                found[index] = row
        return found

    async def derive(self, records: Iterable[Record]) -> list[Derived]:
        """All that is derived of some records, in order. Raises ModelError when the embedder fails."""
        listed = list(records)
        vectors = await self.vectors([record.embedding_text() for record in listed])
        return [
            Derived(
                analysis=analyse(record.index_text()),
                vector=vector,
                embedding_model=self.embedder.name if self.embedder and vector is not None else None,
                content_hmac=record.content_hmac
                if (identity := record.identity()) is None
                else self.digest(record.user_id, f"{record.memory_kind}\n{identity}"),
            )
            for record, vector in zip(listed, vectors, strict=True)
        ]
