"""Active retrieval: finds what bears on a question in all six memories and the raw evidence. No chat model takes part.

    words ─┐  outside any transaction: terms, times, names cut, vector
           ▼
    flush 1  the arms, for every probe (the question and its topics)            arms.py
    flush 2  what ranking needs to know of the candidates, their sources, links ranking.py
    flush 3  (only where needed) linked memories, and what replaced outdated ones
           ▼  one order                                                         fusion.py, beside.py, latest.py
    flush 4  the rows themselves, with the messages beside them                 hits.py

A question is searched together with its topics (topics.py) and with what its subject leads to (bridges.py). A turn that
asks nothing of the memory is first told by its form whether it needs anything (need.py).

All flushes share one transaction, so a result never mixes two states of the memory. A search writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg

from mirix.db.pool import Database, User
from mirix.memory.indexing import Indexer, Vector
from mirix.memory.lacking import count_lacking
from mirix.memory.record import now
from mirix.memory.store import Connection
from mirix.retrieval import arms
from mirix.retrieval.arms import Filters, Found, Probe
from mirix.retrieval.asked import Asked, Deadline, Merge, Wanted
from mirix.retrieval.bridges import Bridge, bridge, probes_of_the_table
from mirix.retrieval.fusion import Arm
from mirix.retrieval.hits import Hit, SearchResult
from mirix.retrieval.latest import Latest
from mirix.retrieval.need import needs_memory
from mirix.retrieval.ranking import rank
from mirix.retrieval.terms import term_shares
from mirix.text.dates import find_mentions
from mirix.text.names import cut_names, names_in

__all__ = ["Filters", "Hit", "Retriever", "SearchResult"]

logger = logging.getLogger(__name__)

QUERY_CHARS = 8_000  # what is longer is cut: no question is
BRIDGES = 3  # probes beside the question: with two or four a life log's evidence recall at 10 is half a point lower
_WHEN = re.compile(
    r"\b(?:when|(?:what|which) (?:day|date|week|month|year|time)|how long ago|since when)\b"
    r"|什么时候|何时|几号|几月|哪[一]?[天年月日]|多久以前",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:I|(?i:me|my|mine|myself|we|us|our|ours))\b|我|咱|俺")


class Retriever:
    """Searches. One for all users; holds the pool and what makes vectors."""

    def __init__(self, database: Database, indexer: Indexer) -> None:
        self._database = database
        self._indexer = indexer
        self._bridged: dict[str, Vector | None] = {}  # of the probes of bridges.py, which are few and always the same
        self._checked: set[int] = set()  # users whose vectors were looked at for being of another embedder

    async def search(
        self,
        user: User,
        query: str,
        *,
        filters: Filters | None = None,
        limit: int = 10,
        explain: bool = False,
        deadline_ms: int | None = None,
        asked_at: datetime | None = None,
    ) -> SearchResult:
        """The `limit` best memories and messages for a query. No model call but the embedding of the query.

        `asked_at` (aware; default now) is what "last Friday" in the query counts from. With `deadline_ms` arms that
        would come too late are left out and named in the result, as the dense one is when the embedder fails. Raises
        DatabaseUnavailable.
        """
        return await self.retrieve(
            user,
            query,
            (),
            filters=filters,
            limit=limit,
            explain=explain,
            deadline_ms=deadline_ms,
            asked_at=asked_at,
        )

    async def retrieve(
        self,
        user: User,
        question: str,
        topics: Sequence[str],
        *,
        filters: Filters | None = None,
        limit: int = 10,
        explain: bool = False,
        deadline_ms: int | None = None,
        asked_at: datetime | None = None,
    ) -> SearchResult:
        """Like `search`, for a question together with the topics made from it, in the same flushes."""
        moment = asked_at or now()
        bridged = bridge(question, moment, user.timezone)[:BRIDGES]
        wanted = Wanted(limit=limit, explain=explain, deadline=Deadline.after(deadline_ms))
        texts = (question, *topics, *(each.text for each in bridged))
        return await self._find(user, texts, filters or Filters(), moment, wanted)

    async def recall(
        self,
        user: User,
        turn: str,
        *,
        filters: Filters | None = None,
        limit: int = 5,
        explain: bool = False,
        deadline_ms: int | None = None,
        asked_at: datetime | None = None,
    ) -> SearchResult:
        """What a turn that asks nothing of the memory needs from it: at most `limit` hits, none where none is needed.

        The form of the turn tells whether anything personal is needed (need.py), its subject what else to look for
        than its own words (bridges.py). Each hit rests on a message that none before it rests on. Something outdated
        comes only behind what took its place, and is marked.
        """
        wanted = Wanted(limit=limit, explain=explain, deadline=Deadline.after(deadline_ms), merge=Merge.IN_TURN)
        moment = asked_at or now()
        if not needs_memory(turn, await self._people(user, turn)):
            return SearchResult(hits=(), ms=wanted.ms)
        bridged = bridge(turn, moment, user.timezone)[:BRIDGES]
        slots = [Bridge(text=turn[:QUERY_CHARS], slot="turn", latest=Latest.CHANGE), *bridged]
        wanted = replace(wanted, slots={each.text: each for each in slots if each.latest})
        return await self._find(user, (turn, *(each.text for each in bridged)), filters or Filters(), moment, wanted)

    async def _find(
        self, user: User, texts: Sequence[str], filters: Filters, asked_at: datetime, wanted: Wanted
    ) -> SearchResult:
        texts = list(dict.fromkeys(text[:QUERY_CHARS] for text in texts if text.strip()))
        if not texts or wanted.limit < 1:
            return SearchResult(hits=(), ms=wanted.ms)
        asked, dropped = await self._prepare(user, texts, filters, asked_at, wanted.deadline)
        async with self._database.transaction(user.user_id) as conn:
            found, too_late = await collect(conn, asked, wanted.deadline)
            hits = await rank(conn, asked, found, wanted)
            if wanted.deadline.at is None:
                await self._tell_of_other_vectors(conn, asked)
        dropped_arms = tuple(arm for arm in Arm if arm in {*dropped, *too_late})
        result = SearchResult(hits=tuple(hits), ms=wanted.ms, dropped_arms=dropped_arms)
        fields = {"action": "searched", "user_id": user.user_id, "probes": len(texts), "hits": len(hits)}
        logger.debug("searched", extra=fields | {"duration_ms": round(result.ms), "dropped": list(dropped_arms)})
        return result

    async def _people(self, user: User, turn: str) -> list[str]:
        """The names of people the memory knows that stand in a turn."""
        async with self._database.transaction(user.user_id) as conn:
            values = {"user_id": user.user_id, "text": turn[:QUERY_CHARS]}
            rows = await (await conn.execute(arms.query("people"), values)).fetchall()
        return [row["name"] for row in rows]

    async def core_lines(self, user: User, filters: Filters | None = None) -> list[tuple[str, str]]:
        """The core memory: (label, line), block by block in order."""
        chosen = filters or Filters()
        scope = Filters(agent_id=chosen.agent_id, run_id=chosen.run_id, as_of=chosen.as_of)
        values = arms.parameters(user.user_id, scope, _NOTHING, None)
        async with self._database.transaction(user.user_id) as conn:
            rows = await (await conn.execute(arms.core_lines(), values)).fetchall()
        return [(row["label"], row["summary"]) for row in rows]

    async def _prepare(
        self, user: User, texts: Sequence[str], filters: Filters, asked_at: datetime, deadline: Deadline
    ) -> tuple[Asked, tuple[Arm, ...]]:
        """Work out all that the arms need; the vectors are left out when they would come too late."""
        async with self._database.transaction(user.user_id) as conn:
            rows = await (await conn.execute(arms.query("speakers"), {"user_id": user.user_id})).fetchall()
        speakers = [row["speaker"] for row in rows]
        dropped: tuple[Arm, ...] = ()
        made: list[Vector | None] | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline.left_s(0.5)):
                made = await self._vectors([cut_names(text, speakers) for text in texts])
        embedder = self._indexer.embedder
        if made is None and embedder is not None:
            dropped = (Arm.DENSE,)
        vectors = made or [None] * len(texts)
        asked = Asked(
            user=user,
            filters=filters,
            asked_at=asked_at,
            probes=tuple(_probe(text, vector, asked_at, user) for text, vector in zip(texts, vectors, strict=True)),
            named=frozenset(name for text in texts[:1] for name in names_in(text, speakers)),
            is_first_person=_FIRST_PERSON.search(texts[0]) is not None,
            asks_when=_WHEN.search(texts[0]) is not None,
            embedding_model=embedder.name if embedder else None,
        )
        return asked, dropped

    async def _tell_of_other_vectors(self, conn: Connection, asked: Asked) -> None:
        """Once: that most of a user's memory is not searched by meaning, and what to do about it."""
        vector = next((probe.vector for probe in asked.probes if probe.vector is not None), None)
        if vector is None or asked.embedding_model is None or asked.user.user_id in self._checked:
            return
        self._checked.add(asked.user.user_id)
        lacking = await count_lacking(conn, asked.user.user_id, asked.embedding_model, dimensions=len(vector))
        if lacking.is_most:
            logger.warning(
                "%d of %d messages and memories are found by their words only, for they %s: run `mirix reembed`",
                lacking.rows,
                lacking.total,
                f"were embedded by {' and '.join(lacking.embedders)}, not by {asked.embedding_model} as it is now"
                if lacking.embedders
                else f"have no vectors of {asked.embedding_model} yet",
                extra={"action": "vectors_lacking", "user_id": asked.user.user_id},
            )

    async def _vectors(self, texts: Sequence[str]) -> list[Vector | None] | None:
        """A vector for each text; those of the table's probes are made once. None when the embedder fails."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._bridged]
        vectors = await self._indexer.try_vectors(missing)
        if vectors is None:
            return None
        made = dict(zip(missing, vectors, strict=True))
        self._bridged |= {text: vector for text, vector in made.items() if text in probes_of_the_table()}
        known = {**self._bridged, **made}
        return [known[text] for text in texts]


_NOTHING = Probe(text="", terms=(), vector=None, times=())


def _probe(text: str, vector: Vector | None, asked_at: datetime, user: User) -> Probe:
    mentions = find_mentions(text, asked_at, user.timezone)
    shares = term_shares(text)
    return Probe(
        text=text,
        terms=tuple(shares),
        shares=tuple(shares.values()),
        vector=vector,
        times=tuple(mention.range for mention in mentions),
    )


# ---- flush 1: the arms ----


async def collect(conn: Connection, asked: Asked, deadline: Deadline) -> tuple[list[list[Found]], tuple[Arm, ...]]:
    """What the arms found, for each probe; and the arms that were too late for one of them."""
    jobs = [
        (index, arm, asked.parameters(probe)) for index, probe in enumerate(asked.probes) for arm in arms.wanted(probe)
    ]
    found: list[list[Found]] = [[] for _ in asked.probes]
    late: list[Arm] = []
    if deadline.at is None:
        everything = await arms.run_arms(conn, asked.filters, [(arm, values) for _, arm, values in jobs])
        for (index, _, _), each in zip(jobs, everything, strict=True):
            found[index].append(each)
        return found, ()
    for index, arm, values in jobs:
        in_time = await _run_in_time(conn, asked.filters, arm, values, deadline)
        if in_time is None:
            late.append(arm)
        else:
            found[index].append(in_time)
    await conn.execute("SELECT set_config('statement_timeout', '0', true)")
    return found, tuple(late)


async def _run_in_time(
    conn: Connection, filters: Filters, arm: Arm, values: Mapping[str, Any], deadline: Deadline
) -> Found | None:
    """One arm, cancelled by the server when half of the time that is left has passed; None then."""
    left_ms = int((deadline.left_s(0.5) or 0.0) * 1000)
    if left_ms < 1:
        return None
    try:
        async with conn.transaction():  # a savepoint: what is cancelled leaves the rest usable
            await conn.execute("SELECT set_config('statement_timeout', %s, true)", [str(left_ms)])
            [found] = await arms.run_arms(conn, filters, [(arm, values)])
            return found
    except psycopg.errors.QueryCanceled:
        return None


def core_blocks(lines: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Core lines by label, in order."""
    blocks: dict[str, list[str]] = {}
    for label, line in lines:
        blocks.setdefault(label, []).append(line)
    return blocks
