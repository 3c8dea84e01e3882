"""From what the arms found to hits: candidates, one order, the rows themselves. Flushes 2 to 4 of a search (active.py).

Decisions are made by pure code: fusion.py (scores and order), beside.py (which turns beside a hit belong to it),
latest.py (which of several values of one thing holds). Here is what they need to know of the database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from mirix.memory import store
from mirix.memory.kinds import RECORDS
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind
from mirix.memory.store import Connection
from mirix.retrieval import arms, fusion
from mirix.retrieval.arms import Found
from mirix.retrieval.asked import Asked, Merge, Wanted
from mirix.retrieval.beside import ANCHORS, REACH, Beside, belonging, insert
from mirix.retrieval.bridges import Bridge
from mirix.retrieval.fusion import Arm, Candidate
from mirix.retrieval.hits import Hit, without_copies
from mirix.retrieval.latest import TOLD, Latest, Told, replaced_by
from mirix.text.names import names_in

LINKS_FROM = 10  # the best memories of a search are followed one hop
SPARE = 10  # rows read beyond those wanted, since copies are left out


# ---- flushes 2 and 3: candidates ----


@dataclass(kw_only=True)
class _Known:
    """What the database says of the candidates."""

    messages: dict[UUID, dict[str, Any]]
    records: dict[UUID, dict[str, Any]]
    sources: dict[UUID, list[dict[str, Any]]]
    links: dict[UUID, set[UUID]]
    replaced_by: dict[UUID, list[UUID]]
    made: dict[UUID, Candidate] = field(default_factory=dict)  # of what is known; made once


async def rank(conn: Connection, asked: Asked, found: Sequence[Sequence[Found]], wanted: Wanted) -> list[Hit]:
    known = await _describe(conn, asked, [each for one in found for each in one])
    by_probe = [arms.scores_by_arm(one) for one in found]
    candidates = _candidates(asked, known)
    scores = _fused(asked, candidates, by_probe)
    linked = _linked(known, candidates, scores[0])
    newer = {key for replacing in known.replaced_by.values() for key in replacing} | linked.keys()
    if newer - known.records.keys():
        await _describe_records(conn, asked, newer - known.records.keys(), known)
        candidates = _candidates(asked, known)
    if linked:
        by_probe[0] = {**by_probe[0], Arm.LINKS: linked}
    if newer:
        scores = _fused(asked, candidates, by_probe)
    combined = fusion.combine(scores[0], scores[1:])
    if wanted.merge is Merge.IN_TURN:
        candidates = await _only_latest(conn, asked, wanted.slots, candidates, scores)
        best = fusion.in_turn(candidates, scores, limit=wanted.limit + SPARE)
    else:
        ordered = fusion.order(candidates, combined)
        near = await _beside(conn, asked, known, candidates, ordered, combined)
        candidates = _candidates(asked, known)
        best = [pair for pair in insert(ordered, near) if pair[0] in candidates][: wanted.limit + SPARE]
    explained = fusion.ranks(arms.scores_by_arm(each for one in found for each in one)) if wanted.explain else {}
    hits = await _read(conn, asked, [(candidates[key], score) for key, score in best], known, combined)
    return [replace(hit, arms=explained.get(hit.id, {})) for hit in without_copies(hits, wanted.limit)]


def _fused(
    asked: Asked, candidates: Mapping[UUID, Candidate], by_probe: Sequence[Mapping[Arm, fusion.Scores]]
) -> list[dict[UUID, float]]:
    return [fusion.fuse(candidates, scores, now=asked.asked_at, asks_when=asked.asks_when) for scores in by_probe]


async def _describe(conn: Connection, asked: Asked, found: Sequence[Found]) -> _Known:
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


async def _describe_records(conn: Connection, asked: Asked, ids: Collection[UUID], known: _Known) -> None:
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


def _candidates(asked: Asked, known: _Known) -> dict[UUID, Candidate]:
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
            told=fusion.told(row["length"]),
            is_question=row["is_question"],
            names_time=row["names_time"],
            at=row["at"],
            is_outdated=bool(known.replaced_by.get(key)) if asked.filters.as_of else row["standing"] == "outdated",
            replaced_by=tuple(known.replaced_by.get(key, ())),
        )
        for key, row in known.messages.items()
        if key not in known.made
    }
    for key, row in known.records.items():
        if key in known.made:
            continue
        sources = known.sources.get(key, [])
        ended = row["valid_to"] is not None and row["valid_to"] <= asked.asked_at
        found[key] = Candidate(
            id=key,
            is_message=False,
            is_named=any(_is_named(asked, source) for source in sources)
            or (not sources and asked.is_first_person)
            or bool(names_in(row["summary"], asked.named)),
            names_time=row["occurred_at"] is not None,
            at=row["occurred_at"] or row["valid_from"],
            importance=row["importance"],
            utility=row["utility"],
            is_pinned=row["pinned"],
            is_outdated=not asked.filters.as_of and (row["status"] == "superseded" or ended),
            replaced_by=tuple(known.replaced_by.get(key, ())) if not asked.filters.as_of else (),
            sources=tuple(source["source_id"] for source in sources),
        )
    known.made |= found
    return dict(known.made)


def _is_named(asked: Asked, row: Mapping[str, Any]) -> bool:
    return row["speaker"] in asked.named or (asked.is_first_person and row["role"] == "user")


async def _only_latest(
    conn: Connection,
    asked: Asked,
    slots: Mapping[str, Bridge],
    candidates: Mapping[UUID, Candidate],
    scores: Sequence[Mapping[UUID, float]],
) -> dict[UUID, Candidate]:
    """The candidates with the earlier values of a slot marked as outdated."""
    told: dict[tuple[str, Latest], set[UUID]] = {}  # by slot: the messages that the best of its probes rest on
    for probe, ranking in zip(asked.probes, scores, strict=True):
        if probe.text in slots:
            best = sorted((key for key in ranking if candidates[key].is_message), key=lambda key: -ranking[key])
            slot = slots[probe.text]
            if slot.latest:
                told.setdefault((slot.slot, slot.latest), set()).update(best[:TOLD])
    ids = {key for keys in told.values() for key in keys}
    if not ids:
        return dict(candidates)
    rows = await (await conn.execute(arms.messages(), asked.parameters(ids=ids))).fetchall()
    messages = {row["id"]: Told(id=row["id"], at=row["at"], text=row["text"]) for row in rows}
    replaced: dict[UUID, UUID] = {}
    for (_, keeps), keys in told.items():
        replaced |= replaced_by([messages[key] for key in keys if key in messages], keeps)
    changed = {}
    for key, candidate in candidates.items():
        newer = [replaced[source] for source in candidate.sources or (key,) if source in replaced]
        if newer and len(newer) == len(candidate.sources or (key,)):
            changed[key] = replace(candidate, is_outdated=True, replaced_by=(*candidate.replaced_by, newer[-1]))
    return {**candidates, **changed}


async def _beside(
    conn: Connection,
    asked: Asked,
    known: _Known,
    candidates: Mapping[UUID, Candidate],
    ordered: Sequence[tuple[UUID, float]],
    scores: Mapping[UUID, float],
) -> dict[UUID, list[UUID]]:
    """By hit: the turns beside it that belong to the answer; they are known then."""
    if not asked.filters.searches_messages:
        return {}
    anchors: dict[UUID, UUID] = {}  # messages, each with the first hit that rests on it
    for key, _ in ordered:
        if len(anchors) >= ANCHORS:
            break
        best = sorted(candidates[key].sources, key=lambda source: -scores.get(source, 0.0))
        for message in [key] if candidates[key].is_message else best[:1]:
            anchors.setdefault(message, key)
    rows = await (await conn.execute(arms.beside(), asked.parameters(ids=anchors) | {"reach": REACH})).fetchall()
    found = belonging(asked.probes[0].text, (Beside(**row) for row in rows))
    missing = {key for keys in found.values() for key in keys} - known.messages.keys()
    if missing:
        described = await conn.execute(arms.query("describe_messages"), asked.parameters(ids=missing))
        known.messages |= {row["id"]: row for row in await described.fetchall()}
    return {anchors[message]: keys for message, keys in found.items()}


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
    asked: Asked,
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
