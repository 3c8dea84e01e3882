"""What a search has to know of a user's memory as a whole, before it looks for anything.

Counting a shelf takes 0.1 ms for a thousand of its documents, and what is counted changes little in a big memory: there
it is looked up once a minute. A small one is counted each time.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from mirix.db.pool import Database
from mirix.memory import near
from mirix.models.embed import Embedder
from mirix.retrieval import arms

BIG = 5_000  # documents; from here on a new one changes no score by more than a fiftieth of a percent
FRESH_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Overview:
    speakers: tuple[str, ...]  # who speaks in the messages
    shelves: Mapping[int, tuple[int, int]]  # by shelf: how many documents, and their terms together
    indexes: frozenset[near.NearIndex] | None  # vector indexes of the user's rows; None: not looked for

    @property
    def documents(self) -> int:
        return sum(count for count, _ in self.shelves.values())


class Overviews:
    """Looks memories over, and keeps what it saw of the big ones."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[int, tuple[float, Overview]] = {}  # by user: until when, what

    async def of(self, user_id: int, embedder: Embedder | None) -> Overview:
        until, kept = self._kept.get(user_id, (0.0, None))
        if kept is not None and time.monotonic() < until:
            return kept
        seen = await self._look(user_id, embedder)
        if seen.documents >= BIG:
            self._kept[user_id] = (time.monotonic() + FRESH_S, seen)
        else:
            self._kept.pop(user_id, None)
        return seen

    async def _look(self, user_id: int, embedder: Embedder | None) -> Overview:
        async with self._database.transaction(user_id) as conn:
            [row] = await (await arms.execute(conn, arms.overview(), {"user_id": user_id})).fetchall()
            shelves = {shelf: (documents, terms) for shelf, documents, terms in row["shelves"]}
            indexes: frozenset[near.NearIndex] | None = None
            if sum(documents for documents, _ in shelves.values()) < near.INDEX_FROM // 2:
                indexes = frozenset()  # nothing has earned one
            elif embedder is not None and embedder.is_local:
                # One that is far away has to be asked how wide its vectors are.
                indexes = await near.present(conn, user_id, embedder.name, embedder.dimensions)
            return Overview(speakers=tuple(row["speakers"]), shelves=shelves, indexes=indexes)
