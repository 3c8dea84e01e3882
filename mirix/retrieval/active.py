"""Active retrieval: finds what bears on a question in all six memories and the raw evidence. No chat model takes part.

    words ─┐  outside any transaction: terms, times, names cut, vector
           ▼
    flush 1  the arms, for every probe (the question and its topics)            arms.py
    flush 2  what ranking needs to know of the candidates, their sources, links
    flush 3  (only where needed) linked memories, and what replaced outdated ones
           ▼  one order                                                         fusion.py
    flush 4  the rows themselves, with the messages beside them                 hits.py

All flushes share one transaction, so a result never mixes two states of the memory. A search writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from mirix.db.pool import Database, User
from mirix.memory import store
from mirix.memory.indexing import Indexer, Vector
from mirix.memory.kinds import RECORDS
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind, now
from mirix.memory.store import Connection
from mirix.retrieval import arms, fusion
from mirix.retrieval.arms import Filters, Found, Probe
from mirix.retrieval.fusion import Arm, Candidate
from mirix.retrieval.hits import Hit, SearchResult, without_copies
from mirix.text.analyser import query_terms
from mirix.text.dates import find_mentions
from mirix.text.names import cut_names, names_in

__all__ = ["Filters", "Hit", "Retriever", "SearchResult"]

logger = logging.getLogger(__name__)

QUERY_CHARS = 8_000  # what is longer is cut: no question is
LINKS_FROM = 10  # the best memories of a search are followed one hop
SPARE = 10  # rows read beyond those wanted, since copies are left out
_FIRST_PERSON = re.compile(r"\b(?:I|(?i:me|my|mine|myself|we|us|our|ours))\b|我|咱|俺")


@dataclass(frozen=True, kw_only=True)
class _Deadline:
    """A moment by which a search has to be done; None: take your time."""

    at: float | None  # of time.monotonic()

    @classmethod
    def after(cls, ms: int | None) -> _Deadline:
        return cls(at=None if ms is None else time.monotonic() + ms / 1000)

    def left_s(self, share: float = 1.0) -> float | None:
        """Seconds left, or a share of them; never negative."""
        return None if self.at is None else max(0.0, self.at - time.monotonic()) * share


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A search in the making."""

    user: User
    filters: Filters
    asked_at: datetime
    probes: tuple[Probe, ...]  # the question first
    named: frozenset[str]  # speakers that the question names
    is_first_person: bool
    embedding_model: str | None

    def parameters(self, probe: Probe | None = None, *, ids: Collection[UUID] = ()) -> dict[str, Any]:
        values = arms.parameters(self.user.user_id, self.filters, probe or self.probes[0], self.embedding_model)
        return values | {"ids": list(ids)}


class Retriever:
    """Searches. One for all users; holds the pool and what makes vectors."""

    def __init__(self, database: Database, indexer: Indexer) -> None:
        self._database = database
        self._indexer = indexer

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
        would come too late are left out and named in the result. Raises DatabaseUnavailable, and the embedder's
        ModelError.
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
        started = time.monotonic()
        deadline = _Deadline.after(deadline_ms)
        texts = list(dict.fromkeys(text[:QUERY_CHARS] for text in (question, *topics) if text.strip()))
        if not texts or limit < 1:
            return SearchResult(hits=(), ms=_ms_since(started))
        asked, dropped = await self._prepare(user, texts, filters or Filters(), asked_at or now(), deadline)
        async with self._database.transaction(user.user_id) as conn:
            found, too_late = await _collect(conn, asked, deadline)
            hits = await _rank(conn, asked, found, limit=limit, explain=explain)
        dropped_arms = tuple(arm for arm in Arm if arm in {*dropped, *too_late})
        result = SearchResult(hits=tuple(hits), ms=_ms_since(started), dropped_arms=dropped_arms)
        fields = {"action": "searched", "user_id": user.user_id, "probes": len(texts), "hits": len(hits)}
        logger.debug("searched", extra=fields | {"duration_ms": round(result.ms), "dropped": list(dropped_arms)})
        return result

    async def core_lines(self, user: User, filters: Filters | None = None) -> list[tuple[str, str]]:
        """The core memory: (label, line), block by block in order."""
        chosen = filters or Filters()
        scope = Filters(agent_id=chosen.agent_id, run_id=chosen.run_id, as_of=chosen.as_of)
        values = arms.parameters(user.user_id, scope, _NOTHING, None)
        async with self._database.transaction(user.user_id) as conn:
            rows = await (await conn.execute(arms.core_lines(), values)).fetchall()
        return [(row["label"], row["summary"]) for row in rows]

    async def _prepare(
        self, user: User, texts: Sequence[str], filters: Filters, asked_at: datetime, deadline: _Deadline
    ) -> tuple[_Asked, tuple[Arm, ...]]:
        """Work out all that the arms need; the vectors are left out when they would come too late."""
        async with self._database.transaction(user.user_id) as conn:
            rows = await (await conn.execute(arms.query("speakers"), {"user_id": user.user_id})).fetchall()
        speakers = [row["speaker"] for row in rows]
        dropped: tuple[Arm, ...] = ()
        vectors: list[Vector | None] = [None] * len(texts)
        try:
            async with asyncio.timeout(deadline.left_s(0.5)):
                vectors = await self._indexer.vectors([cut_names(text, speakers) for text in texts])
        except TimeoutError:
            dropped = (Arm.DENSE,)
        embedder = self._indexer.embedder
        asked = _Asked(
            user=user,
            filters=filters,
            asked_at=asked_at,
            probes=tuple(_probe(text, vector, asked_at, user) for text, vector in zip(texts, vectors, strict=True)),
            named=frozenset(name for text in texts[:1] for name in names_in(text, speakers)),
            is_first_person=_FIRST_PERSON.search(texts[0]) is not None,
            embedding_model=embedder.name if embedder else None,
        )
        return asked, dropped


_NOTHING = Probe(text="", terms=(), vector=None, times=())


def _probe(text: str, vector: Vector | None, asked_at: datetime, user: User) -> Probe:
    mentions = find_mentions(text, asked_at, user.timezone)
    return Probe(
        text=text, terms=tuple(query_terms(text)), vector=vector, times=tuple(mention.range for mention in mentions)
    )


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000


# ---- flush 1: the arms ----


async def _collect(conn: Connection, asked: _Asked, deadline: _Deadline) -> tuple[list[list[Found]], tuple[Arm, ...]]:
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
    conn: Connection, filters: Filters, arm: Arm, values: Mapping[str, Any], deadline: _Deadline
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


# ---- flushes 2 and 3: candidates ----


@dataclass(kw_only=True)
class _Known:
    """What the database says of the candidates."""

    messages: dict[UUID, dict[str, Any]]
    records: dict[UUID, dict[str, Any]]
    sources: dict[UUID, list[dict[str, Any]]]
    links: dict[UUID, set[UUID]]
    replaced_by: dict[UUID, list[UUID]]


async def _rank(
    conn: Connection, asked: _Asked, found: Sequence[Sequence[Found]], *, limit: int, explain: bool
) -> list[Hit]:
    known = await _describe(conn, asked, [each for one in found for each in one])
    by_probe = [arms.scores_by_arm(one) for one in found]
    candidates = _candidates(asked, known)
    scores = _fused(asked, candidates, by_probe)
    linked = _linked(known, candidates, scores)
    newer = {key for replacing in known.replaced_by.values() for key in replacing} | linked.keys()
    if newer - known.records.keys():
        await _describe_records(conn, asked, newer - known.records.keys(), known)
        candidates = _candidates(asked, known)
    if linked:
        by_probe[0] = {**by_probe[0], Arm.LINKS: linked}
    if newer:
        scores = _fused(asked, candidates, by_probe)
    best = fusion.order(candidates, scores)[: limit + SPARE]
    explained = fusion.ranks(arms.scores_by_arm(each for one in found for each in one)) if explain else {}
    hits = await _read(conn, asked, [(candidates[key], score) for key, score in best], known, scores)
    return [replace(hit, arms=explained.get(hit.id, {})) for hit in without_copies(hits, limit)]


def _fused(
    asked: _Asked, candidates: Mapping[UUID, Candidate], by_probe: Sequence[Mapping[Arm, fusion.Scores]]
) -> dict[UUID, float]:
    question, *topics = [fusion.fuse(candidates, scores, now=asked.asked_at) for scores in by_probe]
    return fusion.combine(question, topics)


async def _describe(conn: Connection, asked: _Asked, found: Sequence[Found]) -> _Known:
    message_ids = arms.found_ids(found, are_messages=True)
    record_ids = arms.found_ids(found, are_messages=False)
    known = _Known(messages={}, records={}, sources={}, links={}, replaced_by={})
    async with conn.pipeline():
        await conn.execute(arms.query("index_only"), {"planner": "on"})
        described = await conn.execute(arms.query("describe_messages"), asked.parameters(ids=message_ids))
        await _describe_records(conn, asked, record_ids, known)
        linked = await conn.execute(arms.query("links"), asked.parameters(ids=record_ids))
        known.messages = {row["id"]: row for row in await described.fetchall()}
        for row in await linked.fetchall():
            known.links.setdefault(row["from_id"], set()).add(row["to_id"])
    past = {key for key, row in known.messages.items() if row["standing"] == "outdated"}
    past |= {key for key, row in known.records.items() if row["status"] == "superseded"}
    if past:
        replacing = await conn.execute(arms.replacements(), asked.parameters(ids=past))
        for row in await replacing.fetchall():
            known.replaced_by.setdefault(row["id"], []).append(row["replaced_by"])
    return known


async def _describe_records(conn: Connection, asked: _Asked, ids: Collection[UUID], known: _Known) -> None:
    """Add memories, as far as they may be found, and their sources to what is known."""
    kinds = asked.filters.searched_kinds
    if not ids or not kinds:
        return
    values = asked.parameters(ids=ids)
    described = await conn.execute(arms.describe_records(kinds), values)
    sources = await conn.execute(arms.query("sources"), values)
    known.records |= {row["id"]: row for row in await described.fetchall()}
    for row in await sources.fetchall():
        known.sources.setdefault(row["record_id"], []).append(row)


def _candidates(asked: _Asked, known: _Known) -> dict[UUID, Candidate]:
    sessions = {key: (row["conversation_id"], row["day"]) for key, row in known.messages.items()}
    found = {
        key: Candidate(
            id=key,
            is_message=True,
            session=sessions[key],
            neighbours=tuple(
                near for near in (row["before_id"], row["after_id"]) if near and sessions.get(near) == sessions[key]
            ),
            is_named=_is_named(asked, row),
            at=row["at"],
            is_outdated=bool(known.replaced_by.get(key)) if asked.filters.as_of else row["standing"] == "outdated",
            replaced_by=tuple(known.replaced_by.get(key, ())),
        )
        for key, row in known.messages.items()
    }
    for key, row in known.records.items():
        sources = known.sources.get(key, [])
        ended = row["valid_to"] is not None and row["valid_to"] <= asked.asked_at
        found[key] = Candidate(
            id=key,
            is_message=False,
            is_named=any(_is_named(asked, source) for source in sources)
            or (not sources and asked.is_first_person)
            or bool(names_in(row["summary"], asked.named)),
            at=row["occurred_at"] or row["valid_from"],
            importance=row["importance"],
            utility=row["utility"],
            is_pinned=row["pinned"],
            is_outdated=not asked.filters.as_of and (row["status"] == "superseded" or ended),
            replaced_by=tuple(known.replaced_by.get(key, ())) if not asked.filters.as_of else (),
            sources=tuple(source["source_id"] for source in sources),
        )
    return found


def _is_named(asked: _Asked, row: Mapping[str, Any]) -> bool:
    return row["speaker"] in asked.named or (asked.is_first_person and row["role"] == "user")


def _linked(known: _Known, candidates: Mapping[UUID, Candidate], scores: Mapping[UUID, float]) -> dict[UUID, float]:
    """The memories one hop from the best ones, each with the score of the best that leads to it."""
    best = sorted((key for key in known.links if key in candidates), key=lambda key: -scores.get(key, 0.0))
    linked: dict[UUID, float] = {}
    for key in best[:LINKS_FROM]:
        for other in known.links[key]:
            linked[other] = max(linked.get(other, 0.0), scores.get(key, 0.0))
    return linked


# ---- flush 4: rows ----


async def _read(
    conn: Connection,
    asked: _Asked,
    best: Sequence[tuple[Candidate, float]],
    known: _Known,
    scores: Mapping[UUID, float],
) -> list[Hit]:
    wanted = [candidate.id for candidate, _ in best if candidate.is_message]
    beside = {key: {known.messages[key]["before_id"], known.messages[key]["after_id"]} - {None} for key in wanted}
    near = {other for others in beside.values() for other in others}
    ids_by_kind: dict[MemoryKind, list[UUID]] = {}
    for candidate, _ in best:
        if not candidate.is_message:
            kind = store.kind_of_shelf(3 * known.records[candidate.id]["kind"])
            assert kind is not None
            ids_by_kind.setdefault(kind, []).append(candidate.id)
    async with conn.pipeline():
        messages = await conn.execute(arms.messages(), asked.parameters(ids={*wanted, *near}))
        cursors = [
            (kind, await conn.execute(arms.records(kind), asked.parameters(ids=ids)))
            for kind, ids in ids_by_kind.items()
        ]
        texts = {row["id"]: Message(**row) for row in await messages.fetchall()}
        records = {
            row["id"]: store.from_row(RECORDS[kind], row) for kind, cursor in cursors for row in await cursor.fetchall()
        }
    hits = []
    for candidate, score in best:
        key = candidate.id
        message, record = texts.get(key), records.get(key)
        sources = sorted(candidate.sources, key=lambda source: -scores.get(source, 0.0))
        hits.append(
            Hit(
                id=key,
                kind=record.memory_kind if record else None,
                record=record,
                message=message,
                score=score,
                source_ids=tuple(sources) if record else (key,),
                neighbours=_neighbours(message, [texts[other] for other in beside.get(key, ()) if other in texts]),
                outdated=candidate.is_outdated,
                superseded_by=next(iter(candidate.replaced_by), None),
            )
        )
    return hits


def _neighbours(message: Message | None, near: Iterable[Message]) -> tuple[Message, ...]:
    """Those of the same day, in order."""
    if message is None:
        return ()
    same_day = [other for other in near if _day(other) == _day(message)]
    return tuple(sorted(same_day, key=lambda other: other.position))


def _day(message: Message) -> tuple[int, int, int]:
    local = message.at.astimezone(ZoneInfo(message.timezone))
    return local.year, local.month, local.day


def core_blocks(lines: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Core lines by label, in order."""
    blocks: dict[str, list[str]] = {}
    for label, line in lines:
        blocks.setdefault(label, []).append(line)
    return blocks
