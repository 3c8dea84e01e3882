"""What is derived of a text: its terms, its vector, its keyed digest. Nothing here touches the database.

Vectors are made before a transaction is opened: a model call never runs inside one. An embedder that fails never stops
what is being stored or searched: without its vector a text is found by its words, and gets the vector later
(`mirix/jobs/reembed.py`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirix.errors import ConfigError, ModelError
from mirix.memory.record import Record
from mirix.models.embed import Embedder
from mirix.text.analyser import Analysis, analyse

logger = logging.getLogger(__name__)

Vector = NDArray[np.float32]
# An embedder that failed is left alone for so long: one that hangs takes its whole time limit at each call.
PAUSE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Derived:
    """What the index needs of one text."""

    analysis: Analysis
    vector: Vector | None  # (dim,) float32, unit length; None without an embedder that reads the language
    embedding_model: str | None  # which embedder was asked; None: its vector is still to come
    content_hmac: bytes


class Indexer:
    """Derives; holds the embedder (None: lexical search only) and the keyed digest."""

    def __init__(self, embedder: Embedder | None, digest: Callable[[int, str], bytes]) -> None:
        self.embedder = embedder
        self._digest = digest
        self._paused_until = 0.0  # of time.monotonic()

    def digest(self, user_id: int, text: str) -> bytes:
        return self._digest(user_id, text)

    async def vectors(self, texts: Sequence[str]) -> list[Vector | None]:
        """A vector for each text, in order; None where the embedder does not read the language or there is none.

        Raises ModelError, and ConfigError when a local model is not installed properly.
        """
        found: list[Vector | None] = [None] * len(texts)
        embedder = self.embedder
        if embedder is None:
            return found
        covered = [index for index, text in enumerate(texts) if text.strip() and embedder.covers(text)]
        if covered:
            rows = await asyncio.to_thread(embedder.embed, [texts[index] for index in covered])
            for index, row in zip(covered, rows, strict=True):
                found[index] = row
            self._paused_until = 0.0
        return found

    async def try_vectors(self, texts: Sequence[str], *, remote: bool = True) -> list[Vector | None] | None:
        """Like `vectors`, but None when the embedder cannot be asked now, which is told once.

        Without `remote` an embedder that is not on this machine is not asked.
        """
        if self.embedder is None or self.is_paused or not (remote or self.embedder.is_local):
            return None
        try:
            return await self.vectors(texts)
        except (ModelError, ConfigError) as error:
            self.pause(error)
            return None

    @property
    def is_paused(self) -> bool:
        """The embedder failed a moment ago."""
        return time.monotonic() < self._paused_until

    def pause(self, error: Exception) -> None:
        """Leave the embedder alone for a while, and say why."""
        self._paused_until = time.monotonic() + PAUSE_S
        logger.warning(
            "no vectors for now, search goes by words: %s. What comes in meanwhile gets its vectors with a later add, "
            "or with `mirix reembed`",
            str(error).rstrip("."),
            extra={"action": "embedder_failed"},
        )

    async def derive(self, records: Iterable[Record], *, remote: bool = True) -> list[Derived]:
        """All that is derived of some records, in order; their vectors may have to come later (`try_vectors`)."""
        listed = list(records)
        vectors = await self.try_vectors([record.embedding_text() for record in listed], remote=remote)
        model = self.embedder.name if self.embedder and vectors is not None else None
        return [
            Derived(
                analysis=analyse(record.index_text()),
                vector=vector,
                embedding_model=model,
                content_hmac=record.content_hmac
                if (identity := record.identity()) is None
                else self.digest(record.user_id, f"{record.memory_kind}\n{identity}"),
            )
            for record, vector in zip(listed, vectors or [None] * len(listed), strict=True)
        ]
