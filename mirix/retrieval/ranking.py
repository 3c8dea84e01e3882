"""From what the arms found to hits: candidates, one order, the rows themselves. Flushes 2 to 4 of a search (active.py).

Decisions are made by pure code: fusion.py (scores and order), coverage.py and forms.py (how much of the question a turn
holds, and how it is told), beside.py (which turns beside a hit belong to it), latest.py (which of several values of one
thing holds). Here is what they need to know of the database.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from mirix.memory import store
from mirix.memory.kinds import RECORDS
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind
from mirix.memory.store import Connection
from mirix.retrieval import arms, fusion
from mirix.retrieval.arms import Found
from mirix.retrieval.asked import Asked, Merge, Wanted
from mirix.retrieval.beside import ANCHORS, Beside, belonging, insert, reach
from mirix.retrieval.bridges import Bridge
from mirix.retrieval.coverage import covered
from mirix.retrieval.forms import Form, Manner, forms_asked
from mirix.retrieval.fusion import Arm, Candidate, Key
from mirix.retrieval.hits import Hit, without_copies
from mirix.retrieval.latest import TOLD, Latest, Told, replaced_by
from mirix.retrieval.passages import best_passages
from mirix.text.names import names_in

# Candidates that are looked at closely: with 100 LoCoMo's recall at 10 is 0.4 points lower, with 250 it is the same.
SHORTLIST = 150
OF_EACH = 15  # of these at least so many of each probe
READ = 100  # of the candidates, how they are told; those behind them come not near the first ten by that
BESIDE_OF = 20  # the best messages whose neighbours are looked at too where nothing is found by meaning
LINKS_FROM = 10  # the best memories of a search are followed one hop
SPARE = 10  # rows read beyond those wanted, since copies are left out


# ---- flushes 2 and 3: candidates ----


@dataclass(kw_only=True)
class _Known:
    """What the database says of the candidates."""

    messages: dict[Key, dict[str, Any]]
    records: dict[Key, dict[str, Any]]
    sources: dict[Key, dict[str, Any]]  # of the memories that rest on a message
    links: dict[Key, set[Key]]
    replaced_by: dict[Key, list[Key]]
    unread: frozenset[Key]  # candidates whose manner does not count
    made: dict[Key, Candidate] = field(default_factory=dict)  # of what is known; made once


async def rank(
    conn: Connection, asked: Asked, found: Sequence[Sequence[Found]], wanted: Wanted, *, share: float = 1.0
) -> list[Hit]:
    """The hits, best first. `share` (0 to 1): of the candidates, that there is time to look at closely."""
    by_probe = [fusion.scaled(arms.scores_by_arm(one)) for one in found]
    chosen = fusion.shortlist(
        by_probe, limit=max(int(share * SHORTLIST), min(SHORTLIST, wanted.limit + SPARE)), of_each=OF_EACH
    )
    known = await _describe(conn, asked, [each for one in found for each in one], chosen)
    linked = _linked(known, chosen)
    newer = {key for replacing in known.replaced_by.values() for key in replacing} | linked.keys()
    await _describe_records(conn, asked, newer - known.records.keys(), known)
    if linked:
        by_probe[0] |= fusion.scaled({Arm.LINKS: linked})
    if not any(Arm.DENSE in each for each in by_probe):
        await _describe_beside(conn, asked, known, chosen)
    candidates = _candidates(asked, known)
    screens = {key: row["text"] for key, row in known.messages.items() if row["is_screen"]}
    scores = [
        fusion.fuse(
            candidates,
            each,
            now=asked.asked_at,
            covered=covered(candidates, arms.held(one), best_passages(probe.text, screens) if screens else None),
            asks_when=asked.asks_when,
        )
        for probe, each, one in zip(asked.probes, by_probe, found, strict=True)
    ]
    combined = fusion.combine(scores[0], scores[1:])
    if wanted.merge is Merge.IN_TURN:
        candidates = await _only_latest(conn, asked, wanted.slots, candidates, scores)
        best = fusion.in_turn(candidates, scores, limit=wanted.limit + SPARE)
    else:
        ordered = fusion.order(candidates, combined)
        near = await _beside(conn, asked, known, candidates, ordered, combined)
        candidates = _candidates(asked, known)
        best = [pair for pair in insert(ordered, near) if pair[0] in candidates][: wanted.limit + SPARE]
    explained = _explained(found, linked) if wanted.explain else {}
    hits = await _read(conn, asked, [(candidates[key], score) for key, score in best], known, combined)
    kept = without_copies(hits, wanted.limit)
    return [replace(hit, arms=explained.get(str(hit.id), {})) for hit in kept] if explained else kept


def _explained(found: Sequence[Sequence[Found]], linked: Mapping[Key, float]) -> dict[Key, dict[Arm, fusion.ArmScore]]:
    everything = arms.scores_by_arm(each for one in found for each in one)
    return fusion.ranks({**everything, Arm.LINKS: linked})


async def _describe(conn: Connection, asked: Asked, found: Sequence[Found], chosen: Mapping[Key, float]) -> _Known:
    message_ids = arms.found_ids(found, are_messages=True) & chosen.keys()
    record_ids = arms.found_ids(found, are_messages=False) & chosen.keys()
    unread = frozenset(list(chosen)[READ:])
    known = _Known(messages={}, records={}, sources={}, links={}, replaced_by={}, unread=unread)
    described = await arms.execute(conn, arms.query("describe_messages"), asked.parameters(message_ids))
    if record_ids:
        linked = await arms.execute(conn, arms.query("links"), asked.parameters(record_ids))
        await _describe_records(conn, asked, record_ids, known)
        for row in await linked.fetchall():
            known.links.setdefault(row["from_id"], set()).add(row["to_id"])
    known.messages = {row["id"]: row for row in await described.fetchall()}
    past = {key for key, row in known.messages.items() if row["standing"] == "outdated"}
    past |= {key for key, row in known.records.items() if row["status"] == "superseded"}
    if past:
        replacing = await arms.execute(conn, arms.replacements(), asked.parameters(past))
        for row in await replacing.fetchall():
            known.replaced_by.setdefault(row["id"], []).append(row["replaced_by"])
    return known


async def _describe_beside(conn: Connection, asked: Asked, known: _Known, chosen: Mapping[Key, float]) -> None:
    """Add the turns beside the best messages to what is known: without vectors nothing else finds a turn that shares no
    word with the question. (Evidence recall at 10 of LoCoMo, lexical only: 0.74 without, 0.79 with.)"""
    if not (asked.filters.are_none and asked.filters.searches_messages):
        return
    best = sorted(known.messages.keys() & chosen.keys(), key=lambda key: (-chosen[key], key))[:BESIDE_OF]
    missing = {near for key in best for near in _beside_of(known.messages[key])} - known.messages.keys()
    rows = await _message_rows(conn, asked, missing)
    known.messages |= {key: row for key, row in rows.items() if row["standing"] == "current"}


async def _message_rows(conn: Connection, asked: Asked, ids: Collection[Key]) -> dict[Key, dict[str, Any]]:
    """What the database says of some messages, by id."""
    if not ids:
        return {}
    described = await arms.execute(conn, arms.query("describe_messages"), asked.parameters(ids))
    return {row["id"]: row for row in await described.fetchall()}


async def _describe_records(conn: Connection, asked: Asked, ids: Collection[Key], known: _Known) -> None:
    """Add memories, as far as they may be found, and their sources to what is known."""
    kinds = asked.filters.searched_kinds
    if not ids or not kinds:
        return
    values = asked.parameters(ids)
    described = await arms.execute(conn, arms.describe_records(kinds), values)
    sources = await arms.execute(conn, arms.query("sources"), values)
    known.records |= {row["id"]: row for row in await described.fetchall()}
    known.sources |= {row["record_id"]: row for row in await sources.fetchall()}


def _beside_of(row: Mapping[str, Any]) -> tuple[Key, ...]:
    """The messages right before and after one in its session."""
    return tuple(key for key in (row["before_id"], row["after_id"]) if key is not None)


def _candidates(asked: Asked, known: _Known) -> Mapping[Key, Candidate]:
    if new := [key for key in known.messages if key not in known.made]:
        forms = forms_asked(asked.probes[0].text)
        speakers = {row["speaker"] for row in known.messages.values()}
        people = {word for speaker in speakers for word in speaker.split()}
        for key in new:
            row = known.messages[key]
            manner = Manner(text="" if key in known.unread else row["text"])
            known.made[key] = _of_message(asked, row, manner, forms, people, known.replaced_by.get(key, ()))
    for key, row in known.records.items():
        if key not in known.made:
            known.made[key] = _of_record(asked, row, known.sources.get(key), known.replaced_by.get(key, ()))
    return known.made


def _of_record(
    asked: Asked, row: Mapping[str, Any], rests_on: Mapping[str, Any] | None, replaced_by: Sequence[Key]
) -> Candidate:
    sources = tuple(rests_on["source_ids"]) if rests_on else ()
    ended = row["valid_to"] is not None and row["valid_to"] <= asked.asked_at
    return Candidate(
        id=row["id"],
        is_message=False,
        is_named=(_is_named(asked, rests_on["speakers"], rests_on["roles"]) if rests_on else asked.is_first_person)
        or (bool(asked.named) and bool(names_in(row["summary"], asked.named))),
        names_time=row["occurred_at"] is not None,
        at=row["occurred_at"] or row["valid_from"],
        importance=row["importance"],
        utility=row["utility"],
        is_pinned=row["pinned"],
        is_outdated=not asked.filters.as_of and (row["status"] == "superseded" or ended),
        replaced_by=tuple(replaced_by) if not asked.filters.as_of else (),
        sources=sources,
    )


def _of_message(
    asked: Asked,
    row: Mapping[str, Any],
    manner: Manner,
    forms: Collection[Form],
    people: Collection[str],
    replaced_by: Sequence[Key],
) -> Candidate:
    return Candidate(
        id=row["id"],
        is_message=True,
        session=row["id"] if row["is_screen"] else row["session"],
        neighbours=() if row["is_screen"] else _beside_of(row),
        is_screen=row["is_screen"],
        is_named=_is_named(asked, (row["speaker"],), (row["role"],)),
        told=fusion.told(row["length"]),
        is_question=row["is_question"],
        is_first_person=manner.is_first_person,
        has_form=manner.has_form(forms, people),
        names_time=row["names_time"],
        at=row["at"],
        is_outdated=bool(replaced_by) if asked.filters.as_of else row["standing"] == "outdated",
        replaced_by=tuple(replaced_by),
    )


def _is_named(asked: Asked, speakers: Collection[str], roles: Collection[str]) -> bool:
    return not asked.named.isdisjoint(speakers) or (asked.is_first_person and "user" in roles)


async def _only_latest(
    conn: Connection,
    asked: Asked,
    slots: Mapping[str, Bridge],
    candidates: Mapping[Key, Candidate],
    scores: Sequence[Mapping[Key, float]],
) -> dict[Key, Candidate]:
    """The candidates with the earlier values of a slot marked as outdated."""
    told: dict[tuple[str, Latest], set[Key]] = {}  # by slot: the messages that the best of its probes rest on
    for probe, ranking in zip(asked.probes, scores, strict=True):
        if probe.text in slots:
            best = sorted((key for key in ranking if candidates[key].is_message), key=lambda key: -ranking[key])
            slot = slots[probe.text]
            if slot.latest:
                told.setdefault((slot.slot, slot.latest), set()).update(best[:TOLD])
    ids = {key for keys in told.values() for key in keys}
    if not ids:
        return dict(candidates)
    rows = await (await arms.execute(conn, arms.messages(), asked.parameters(ids))).fetchall()
    messages = {str(row["id"]): Told(id=str(row["id"]), at=row["at"], text=row["text"]) for row in rows}
    replaced: dict[Key, Key] = {}
    for (_, keeps), keys in told.items():
        replaced |= replaced_by([messages[key] for key in keys if key in messages], keeps)
    changed = {}
    for key, candidate in candidates.items():
        newer = [replaced[source] for source in candidate.sources or (key,) if source in replaced]
        if newer and len(newer) == len(candidate.sources or (key,)):
            changed[key] = candidate._replace(is_outdated=True, replaced_by=(*candidate.replaced_by, newer[-1]))
    return {**candidates, **changed}


async def _beside(
    conn: Connection,
    asked: Asked,
    known: _Known,
    candidates: Mapping[Key, Candidate],
    ordered: Sequence[tuple[Key, float]],
    scores: Mapping[Key, float],
) -> dict[Key, list[Key]]:
    """By hit: the turns beside it that belong to the answer; they are known then."""
    if not asked.filters.searches_messages:
        return {}
    anchors: dict[Key, Key] = {}  # messages, each with the first hit that rests on it
    for key, _ in ordered:
        if len(anchors) >= ANCHORS:
            break
        best = sorted(candidates[key].sources, key=lambda source: -scores.get(source, 0.0))
        for message in [key] if candidates[key].is_message else best[:1]:
            anchors.setdefault(message, key)
    question = asked.probes[0].text
    values = asked.parameters(anchors) | {"reach": reach(question)}
    rows = await (await arms.execute(conn, arms.beside(), values)).fetchall()
    found = belonging(question, [Beside(**row) for row in rows], best=next(iter(anchors), None))
    missing = {key for keys in found.values() for key in keys} - known.messages.keys()
    known.messages |= await _message_rows(conn, asked, missing)
    return {anchors[message]: keys for message, keys in found.items()}


def _linked(known: _Known, scores: Mapping[Key, float]) -> dict[Key, float]:
    """The memories one hop from the best ones, each with the score of the best that leads to it."""
    best = sorted((key for key in known.links if key in known.records), key=lambda key: -scores.get(key, 0.0))
    linked: dict[Key, float] = {}
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
    scores: Mapping[Key, float],
) -> list[Hit]:
    wanted = [candidate.id for candidate, _ in best if candidate.is_message]
    near = {other for candidate, _ in best for other in candidate.neighbours}
    ids_by_kind: dict[MemoryKind, list[Key]] = {}
    for candidate, _ in best:
        if not candidate.is_message:
            kind = store.kind_of_shelf(3 * known.records[candidate.id]["kind"])
            assert kind is not None
            ids_by_kind.setdefault(kind, []).append(candidate.id)
    messages = await arms.execute(conn, arms.messages(), asked.parameters({*wanted, *near}))
    cursors = [
        (kind, await arms.execute(conn, arms.records(kind), asked.parameters(ids))) for kind, ids in ids_by_kind.items()
    ]
    texts = {str(row["id"]): Message(**row) for row in await messages.fetchall()}
    records = {
        str(row["id"]): store.from_row(RECORDS[kind], row)
        for kind, cursor in cursors
        for row in await cursor.fetchall()
    }
    hits = []
    for candidate, score in best:
        key = candidate.id
        message, record = texts.get(key), records.get(key)
        sources = sorted(candidate.sources, key=lambda source: -scores.get(source, 0.0))
        hits.append(
            Hit(
                id=UUID(key),
                kind=record.memory_kind if record else None,
                record=record,
                message=message,
                score=score,
                source_ids=tuple(UUID(source) for source in sources) if record else (UUID(key),),
                neighbours=tuple(texts[other] for other in candidate.neighbours if other in texts),
                outdated=candidate.is_outdated,
                superseded_by=UUID(candidate.replaced_by[0]) if candidate.replaced_by else None,
                speaker=_speaker(known.sources[key]["speakers"]) if record and key in known.sources else "",
            )
        )
    return hits


def _speaker(speakers: Collection[str]) -> str:
    """Who said all of it: "I" in a memory means nobody where that is not told."""
    named = set(speakers)
    return named.pop() if len(named) == 1 else ""
