"""Active retrieval: finds what bears on a question in all six memories and the raw evidence. No chat model takes part.

    words ─┐  outside any transaction: terms, times, names cut, vector
           ▼
    flush 1  the arms, for every probe (the question and its topics)            collecting.py, arms.py
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
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from mirix.db.pool import Database, User
from mirix.memory.indexing import Indexer, Vector
from mirix.memory.lacking import count_lacking
from mirix.memory.record import MemoryKind, now
from mirix.memory.store import Connection
from mirix.retrieval import arms
from mirix.retrieval.arms import Filters, Probe
from mirix.retrieval.asked import Asked, Deadline, Merge, Wanted
from mirix.retrieval.bridges import Bridge, bridge, probes_of_the_table, times_named
from mirix.retrieval.collecting import Pace, collect, collect_in_time
from mirix.retrieval.fusion import Arm
from mirix.retrieval.hits import Hit, SearchResult
from mirix.retrieval.latest import Latest
from mirix.retrieval.need import needs_memory
from mirix.retrieval.overview import Overviews
from mirix.retrieval.ranking import rank
from mirix.retrieval.terms import term_shares, without_lead
from mirix.text.names import cut_names, names_in

__all__ = ["Filters", "Hit", "Retriever", "SearchResult"]

logger = logging.getLogger(__name__)

QUERY_CHARS = 8_000  # what is longer is cut: no question is
EMBEDDING_SHARE = 0.5  # of the time there is, that the embedding of a query may take
CORE_LINES = 20  # of the core memory, that are looked at for one that is known by its words
BRIDGES = 3  # probes of bridges.py beside a turn that asks nothing
# Beside a question. Recall at 10 with 3 and 1: Chinese life log .955, .980, English .974, .962, three long invented
# Chinese lives .738, .742, LoCoMo .839, .837; and each probe takes as long as the question itself.
QUESTION_BRIDGES = 1
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
        self._overviews = Overviews(database)
        self.pace = Pace()
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
        would come too late are left out and named in the result, as the dense one is when the embedder fails. The words
        of the query are searched for in any case, for up to 50 ms, and fewer candidates ranked: so much a search with a
        very short deadline may be late, 10 to 30 ms mostly. Raises DatabaseUnavailable.
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
        question = without_lead(question)
        bridged = bridge(question, moment, user.timezone)[:QUESTION_BRIDGES]
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
            too_late: tuple[Arm, ...] = ()
            if wanted.deadline.at is not None:
                found, too_late = await collect_in_time(conn, asked, wanted.deadline, self.pace)
            async with conn.pipeline():  # one for all: to enter and leave one costs as much as several statements
                if wanted.deadline.at is None:
                    found = await collect(conn, asked)
                started = time.monotonic()
                share = wanted.deadline.left_ms / max(1.0, self.pace.expected(user.user_id, "rank"))
                hits = await rank(conn, asked, found, wanted, share=min(1.0, share))
                self.pace.note(user.user_id, "rank", (time.monotonic() - started) * 1000)
            # To count all that a user has takes longer than a search: only where there is a sign of it.
            if wanted.deadline.at is None and user.user_id not in self._checked and arms.may_lack_vectors(found):
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
        values = arms.parameters(user.user_id, _core_scope(filters or Filters()), _NOTHING, None)
        async with self._database.transaction(user.user_id) as conn:
            rows = await (await conn.execute(arms.core_lines(), values)).fetchall()
        return [(row["label"], row["summary"]) for row in rows]

    async def core_line(self, user: User, line: str, filters: Filters | None = None) -> Hit | None:
        """A line of the core memory with what it rests on."""
        found = await self.search(user, line, filters=_core_scope(filters or Filters()), limit=CORE_LINES)
        return next((hit for hit in found.hits if hit.record is not None and hit.record.summary == line), None)

    async def _prepare(
        self, user: User, texts: Sequence[str], filters: Filters, asked_at: datetime, deadline: Deadline
    ) -> tuple[Asked, tuple[Arm, ...]]:
        """Work out all that the arms need; the vectors are left out when they would come too late."""
        embedder = self._indexer.embedder
        overview = await self._overviews.of(user.user_id, embedder)
        speakers = overview.speakers
        dropped: tuple[Arm, ...] = ()
        made = await self._vectors_in_time(user.user_id, [cut_names(text, speakers) for text in texts], deadline)
        if made is None and embedder is not None:
            dropped = (Arm.DENSE,)
        vectors = made or [None] * len(texts)
        asked = Asked(
            user=user,
            filters=filters,
            asked_at=asked_at,
            probes=tuple(
                _probe(text, vector, asked_at, user, speakers) for text, vector in zip(texts, vectors, strict=True)
            ),
            named=frozenset(name for text in texts[:1] for name in names_in(text, speakers)),
            is_first_person=_FIRST_PERSON.search(texts[0]) is not None,
            asks_when=_WHEN.search(texts[0]) is not None,
            embedding_model=embedder.name if embedder else None,
            overview=overview,
        )
        return asked, dropped

    async def _tell_of_other_vectors(self, conn: Connection, asked: Asked) -> None:
        """Once: that most of a user's memory is not searched by meaning, and what to do about it."""
        vector = next((probe.vector for probe in asked.probes if probe.vector is not None), None)
        if vector is None or asked.embedding_model is None:
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

    async def _vectors_in_time(
        self, user_id: int, texts: Sequence[str], deadline: Deadline
    ) -> list[Vector | None] | None:
        """The same; None too where it would take, or took, more than its share of the time."""
        left_s = deadline.left_s(EMBEDDING_SHARE)
        if left_s is None:
            return await self._vectors(texts)
        if left_s * 1000 <= self.pace.expected(user_id, "embed"):
            self.pace.fade(user_id, "embed")
            return None
        started, left_ms = time.monotonic(), deadline.left_ms
        try:
            async with asyncio.timeout(left_s):
                made = await self._vectors(texts)
        except TimeoutError:
            self.pace.note(user_id, "embed", left_ms)  # how much longer it takes is not known
            return None
        self.pace.note(user_id, "embed", (time.monotonic() - started) * 1000)
        return made

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


def _core_scope(filters: Filters) -> Filters:
    """What shows the core memory as an answer has it: whatever else is filtered."""
    kinds = frozenset({MemoryKind.CORE})
    return Filters(kinds=kinds, messages=False, agent_id=filters.agent_id, run_id=filters.run_id, as_of=filters.as_of)


_NOTHING = Probe(text="", terms=(), vector=None, times=())


def _probe(text: str, vector: Vector | None, asked_at: datetime, user: User, speakers: Sequence[str]) -> Probe:
    mentions = times_named(text, asked_at, user.timezone)
    shares = term_shares(text, apart_from=speakers)
    return Probe(
        text=text,
        terms=tuple(shares),
        shares=tuple(shares.values()),
        vector=vector,
        times=tuple(mention.range for mention in mentions),
    )


def core_blocks(lines: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Core lines by label, in order."""
    blocks: dict[str, list[str]] = {}
    for label, line in lines:
        blocks.setdefault(label, []).append(line)
    return blocks
