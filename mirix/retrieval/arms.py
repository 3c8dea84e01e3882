"""The arms of a search: lexical, dense, temporal over messages and all six memories, links from what they found.

Every arm is one statement put together from the pieces in `db/queries/retrieval.sql`; the lexical and the dense one are
asked for all probes of a search at once, so that what they have in common is counted and read once. What a question
gives (terms, vector, times) is worked out before, outside any transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
from psycopg import AsyncRawCursor, sql
from psycopg.rows import Row, dict_row, tuple_row
from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from mirix.db.statements import statements
from mirix.errors import InputError
from mirix.memory import near, store
from mirix.memory.indexing import Vector
from mirix.memory.kinds import RECORDS
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind
from mirix.memory.store import MESSAGE_NUMBER, Connection
from mirix.retrieval.coverage import Held
from mirix.retrieval.fusion import Arm, Key
from mirix.text.dates import TimeRange

_QUERIES = statements("retrieval")

# With these 0.620 of LoCoMo's evidence turns stand in the first ten, with Lucene's b of 0.75 0.604: turns differ much
# in length and little in how much they say.
K1 = 1.2
B = 0.4
MESSAGE_CANDIDATES = 150  # candidates of an arm: with 200 LoCoMo's recall is 0.1 points higher
NARROW = 30  # the same for what is searched beside the question
# The same, of each memory: with 50 a life log's recall and answers are the same to the last digit, and a search among
# 100,000 memories takes a fifth longer, for ranking looks at every candidate.
RECORD_CANDIDATES = 20
NARROW_RECORDS = 8
# How far an HNSW index is walked, for each candidate wanted: among 100,000 rows it then finds 0.97 of what an exact
# scan does, and 0.99 of the ten best (mirix/evaluation/bench).
EF_SEARCH = 1.5
MOST_EF_SEARCH = 1_000  # that pgvector takes
MAX_TERMS = 300  # of a query; more come only from whole documents handed in as one


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What may be found. None or empty (but for `kinds`): no restriction."""

    kinds: frozenset[MemoryKind] | None = None  # which memories; empty: none
    messages: bool = True  # raw evidence as well
    since: datetime | None = None  # aware; happened or said at or after
    until: datetime | None = None  # aware; exclusive
    tags: tuple[str, ...] = ()  # all of them; messages have no tags and are left out
    source_kinds: frozenset[str] = frozenset()  # chat, screen, file, web, tool, user
    application: str | None = None  # the program on the screen it was seen in
    as_of: datetime | None = None  # what held in the world at that time, by what was said until then
    include_superseded: bool = False  # past values too
    agent_id: str | None = None  # this agent's and what is shared
    run_id: str | None = None

    def __post_init__(self) -> None:
        for name in ("since", "until", "as_of"):
            value = getattr(self, name)
            if value is not None and value.tzinfo is None:
                raise InputError(f"{name} needs a time zone: {value.isoformat()}")

    @cached_property
    def searched_kinds(self) -> tuple[MemoryKind, ...]:
        return tuple(kind for kind in MemoryKind if self.kinds is None or kind in self.kinds)

    @property
    def searches_messages(self) -> bool:
        return self.messages and not self.tags

    @cached_property
    def are_none(self) -> bool:
        """Everything that holds may be found."""
        return replace(self, kinds=None, messages=True) == Filters()

    @property
    def sees_past(self) -> bool:
        return self.include_superseded or self.as_of is not None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One thing to search for, ready for the arms."""

    text: str
    terms: tuple[int, ...]
    vector: Vector | None  # None: no embedder, or one that does not read the language
    times: tuple[TimeRange, ...]  # that the text names
    shares: tuple[float, ...] = ()  # of each term: times its weight it counts; empty: once


# What each arm tells of what it found. A search reads some 600 rows: as tuples, for a dict of each costs as much again.
_COLUMNS: dict[Arm, tuple[str, ...]] = {
    Arm.LEXICAL: ("probe", "kind", "id", "score", "bound", "held", "is_embedded", "weights"),
    Arm.DENSE: ("probe", "kind", "id", "score", "window_score"),
    Arm.TEMPORAL: ("probe", "kind", "id", "score"),
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one arm found for one probe."""

    arm: Arm
    columns: Mapping[str, Sequence[Any]]  # by name, all of one length; empty: nothing found

    @classmethod
    def of(cls, arm: Arm, rows: Sequence[tuple[Any, ...]]) -> Found:
        return cls(arm=arm, columns=dict(zip(_COLUMNS[arm], zip(*rows, strict=True), strict=True)) if rows else {})

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The same in rows, for who does not read them all."""
        return [dict(zip(self.columns, row, strict=True)) for row in zip(*self.columns.values(), strict=True)]


def parameters(
    user_id: int,
    filters: Filters,
    probe: Probe,
    embedding_model: str | None,
    *,
    is_beside: bool = False,
    is_naming: bool = True,
    sizes: Mapping[int, tuple[int, int]] | None = None,
) -> dict[str, Any]:
    """The parameters that every statement of a search takes. `is_beside`: of a probe searched beside the question;
    `is_naming`: somebody who speaks in the memory is named; `sizes`: documents and terms of each shelf, counted if not
    given."""
    states = (0, 1) if filters.sees_past else (0,)
    shelves = [3 * kind.number + state for kind in filters.searched_kinds for state in states]
    if filters.searches_messages:
        shelves += [3 * MESSAGE_NUMBER, 3 * MESSAGE_NUMBER + 1]
    return {
        "user_id": user_id,
        "agent_id": filters.agent_id,
        "run_id": filters.run_id,
        "as_of": filters.as_of,
        "since": filters.since,
        "until": filters.until,
        "tags": list(filters.tags) if filters.tags else None,
        "source_kinds": sorted(filters.source_kinds) or None,
        "application": filters.application,
        "statuses": ["active", "superseded"] if filters.sees_past else ["active"],
        "shelves": shelves,
        "documents": [None if sizes is None else sizes.get(shelf, (0, 0))[0] for shelf in shelves],
        "lengths": [None if sizes is None else sizes.get(shelf, (0, 0))[1] for shelf in shelves],
        "probes": [1] * len(probe.terms[:MAX_TERMS]),
        "terms": list(probe.terms[:MAX_TERMS]),
        "shares": list(probe.shares[:MAX_TERMS]) or [1.0] * min(len(probe.terms), MAX_TERMS),
        "vectors": [] if probe.vector is None else [_written_out(probe.vector)],
        "dimensions": None if probe.vector is None else len(probe.vector),
        "embedding_model": embedding_model,
        "is_naming": is_naming,
        "times": TimestamptzMultirange(TimestamptzRange(each.start, each.end) for each in probe.times),
        "k1": K1,
        "b": B,
        "messages": [NARROW if is_beside else MESSAGE_CANDIDATES],
        "records": [NARROW_RECORDS if is_beside else RECORD_CANDIDATES],
    }


def _written_out(vector: Vector) -> str:
    """As the server reads it, with the digits that half a float holds: all of them would take twice as long, and a
    whole number is written in a fifth of the time of a fraction."""
    return f"[{'e-5,'.join(map(str, np.rint(vector.astype(float) * 1e5).astype(int).tolist()))}e-5]"


def wanted(probe: Probe) -> tuple[Arm, ...]:
    """The arms that can do something with a probe, the most useful first."""
    can = {Arm.LEXICAL: bool(probe.terms), Arm.DENSE: probe.vector is not None, Arm.TEMPORAL: bool(probe.times)}
    return tuple(arm for arm, is_able in can.items() if is_able)


@cache
def statement(
    arm: Arm, kinds: tuple[MemoryKind, ...], with_messages: bool, indexes: frozenset[near.NearIndex] = frozenset()
) -> sql.SQL:
    """The statement of an arm over some memories and, if asked, the messages; `indexes`: for the dense arm to use."""
    by_kind = {index.kind: index for index in indexes}
    tables = (*kinds, *([None] if with_messages else []))
    union = _union(
        _indexed(by_kind[kind]) if kind in by_kind else _piece(f"{arm}_{_of(kind)}", kind) for kind in tables
    )
    return _written(union if arm is Arm.TEMPORAL else _QUERIES[arm].format(hits=union))


@cache
def describe_records(kinds: tuple[MemoryKind, ...]) -> sql.SQL:
    return _written(_union(_piece("describe_records", kind) for kind in kinds))


@cache
def replacements() -> sql.SQL:
    union = sql.SQL(" UNION ALL ").join(
        [_QUERIES["all_records"].format(table=sql.Identifier(kind.table)) for kind in MemoryKind]
    )
    return _written(_QUERIES["replacements"].format(records=union))


@cache
def messages() -> sql.SQL:
    """The statement that reads whole messages."""
    listed = sql.SQL(", ").join(sql.Identifier("m", column.name) for column in fields(Message))
    return _written(_QUERIES["messages"].format(columns=listed, filter=_QUERIES["message_filter"]))


@cache
def overview() -> sql.SQL:
    """The statement that looks a memory over: who speaks in it, and what stands on its shelves."""
    pieces = {name: _QUERIES[name] for name in ("speakers", "shelves")}
    return _written(_QUERIES["overview"].format(**pieces))


@cache
def beside() -> sql.SQL:
    """The statement that reads the turns beside some messages."""
    return _written(_QUERIES["beside"].format(filter=_QUERIES["message_filter"]))


@cache
def records(kind: MemoryKind) -> sql.SQL:
    """The statement that reads whole memories of a kind."""
    return _written(store.query("get_records", RECORDS[kind]))


@cache
def core_lines() -> sql.SQL:
    return _written(_QUERIES["core_lines"].format(filter=_QUERIES["record_filter"]))


def _written(composed: sql.Composed) -> sql.SQL:
    """Put together once: doing it at each call costs as much as the query itself."""
    return sql.SQL(composed.as_string())


def _of(kind: MemoryKind | None) -> str:
    return "records" if kind else "messages"


def _union(pieces: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL("\nUNION ALL\n").join(sql.SQL("({})").format(piece) for piece in pieces)


def _piece(name: str, kind: MemoryKind | None, **more: sql.Composable) -> sql.Composed:
    number = sql.Literal(kind.number if kind else MESSAGE_NUMBER)
    return _QUERIES[name].format(
        kind=number,
        table=sql.Identifier(kind.table if kind else "message"),
        filter=_QUERIES["record_filter" if kind else "message_filter"],
        scored=_QUERIES["scored"].format(kind=number),
        **more,
    )


def _indexed(index: near.NearIndex) -> sql.Composed:
    alias = "r" if index.kind else "m"
    parts = {"condition": index.condition(alias), "vector": index.vector(alias)}
    return _piece(f"near_{_of(index.kind)}", index.kind, **parts)


async def run_arms(
    conn: Connection,
    filters: Filters,
    asked: Sequence[tuple[Arm, Mapping[str, Any]]],
    indexes: frozenset[near.NearIndex] | None = None,
) -> list[Found]:
    """Run arms, in one flush if the connection is in a pipeline; what they found, in the same order.

    `indexes`: those that are there, if known.
    """
    kinds, with_messages = filters.searched_kinds, filters.searches_messages
    found = [Found(arm=arm, columns={}) for arm, _ in asked]
    if not kinds and not with_messages:
        return found
    runs = _runs(asked)
    if indexes is None:
        dense = next((values for arm, values in asked if arm is Arm.DENSE), None)
        indexes = await near_indexes(conn, filters, dense) if dense else frozenset()
    planned: tuple[str, int] | None = None
    cursors = []
    for arm, places in runs:
        values = _together([asked[place][1] for place in places])
        plan = _plan(arm, values, indexes)
        if plan != planned:
            await set_planner(conn, *plan)
            planned = plan
        cursors.append(await _start(conn, filters, arm, values, indexes))
    if planned is not None and planned[0] == "off":
        await set_planner(conn, "on")
    for (arm, places), cursor in zip(runs, cursors, strict=True):
        rows = await cursor.fetchall()
        for number, place in enumerate(places, 1):
            own = rows if len(places) == 1 else [row for row in rows if row[0] == number]
            found[place] = Found.of(arm, own)
    return found


async def run_arm(
    conn: Connection, filters: Filters, arm: Arm, values: Mapping[str, Any], indexes: frozenset[near.NearIndex] | None
) -> Found:
    """Run one arm for one probe, without a pipeline: the server may cancel it."""
    if not filters.searched_kinds and not filters.searches_messages:
        return Found(arm=arm, columns={})
    if indexes is None:
        indexes = await near_indexes(conn, filters, values)
    values = _together([values])
    await set_planner(conn, *_plan(arm, values, indexes))
    rows = await (await _start(conn, filters, arm, values, indexes)).fetchall()
    await set_planner(conn, "on")
    return Found.of(arm, rows)


async def _start(
    conn: Connection, filters: Filters, arm: Arm, values: Mapping[str, Any], indexes: frozenset[near.NearIndex]
) -> AsyncRawCursor[tuple[Any, ...]]:
    used = indexes if arm is Arm.DENSE else frozenset()
    written = statement(arm, filters.searched_kinds, filters.searches_messages, used)
    return await _execute(AsyncRawCursor(conn, row_factory=tuple_row), written, values)


def _plan(arm: Arm, values: Mapping[str, Any], indexes: frozenset[near.NearIndex]) -> tuple[Literal["on", "off"], int]:
    """What `set_planner` takes for an arm. The plan of the lexical one is known better than the planner can know it."""
    is_walked = arm is Arm.DENSE and bool(indexes)
    return "off" if arm is Arm.LEXICAL else "on", max(values["messages"]) if is_walked else MESSAGE_CANDIDATES


async def set_planner(conn: Connection, planner: Literal["on", "off"], width: int = MESSAGE_CANDIDATES) -> None:
    """How what follows in the transaction is planned: by the planner, or as the lexical arm is. `width`: candidates
    that an index has to give."""
    walked = str(min(int(EF_SEARCH * width), MOST_EF_SEARCH))
    await execute(conn, _QUERIES["index_only"], {"planner": planner, "ef_search": walked})


def _runs(asked: Sequence[tuple[Arm, Mapping[str, Any]]]) -> list[tuple[Arm, list[int]]]:
    """Which places of `asked` are one statement: all of the lexical arm; of the dense one all that go as wide.

    The lexical one is the first, so that those with one plan follow each other and it is the plan of what comes after.
    """
    runs: dict[tuple[Arm, int], list[int]] = {}
    for place, (arm, values) in enumerate(asked):
        own = {Arm.LEXICAL: 0, Arm.DENSE: values["messages"][0]}.get(arm, -place)
        runs.setdefault((arm, own), []).append(place)
    listed = [(arm, places) for (arm, _), places in runs.items()]
    return sorted(listed, key=lambda run: run[0] is not Arm.LEXICAL)


def _together(asked: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The parameters of one statement for several probes, which differ in their terms, vectors and width alone."""
    joined = ("terms", "shares", "vectors", "messages", "records")
    return {
        **asked[0],
        "probes": [number for number, values in enumerate(asked, 1) for _ in values["terms"]],
        **{name: [each for values in asked for each in values[name]] for name in joined},
    }


async def near_indexes(conn: Connection, filters: Filters, values: Mapping[str, Any]) -> frozenset[near.NearIndex]:
    """The vector indexes that the dense arm can use. None where anything is filtered: an index that has to be walked
    past most of what it gives misses more than it saves."""
    if not filters.are_none or values["embedding_model"] is None or values["dimensions"] is None:
        return frozenset()
    return await near.present(conn, values["user_id"], values["embedding_model"], values["dimensions"])


async def execute(conn: Connection, written: sql.SQL, values: Mapping[str, Any]) -> AsyncRawCursor[dict[str, Any]]:
    """Run a statement of the read path with those of the values that it names."""
    return await _execute(AsyncRawCursor(conn, row_factory=dict_row), written, values)


async def _execute(cursor: AsyncRawCursor[Row], written: sql.SQL, values: Mapping[str, Any]) -> AsyncRawCursor[Row]:
    text, names = _numbered(written.as_string())
    return await cursor.execute(text, [values[name] for name in names], binary=True)


@cache
def _numbered(named: str) -> tuple[bytes, tuple[str, ...]]:
    """A statement with $1, $2 … instead of names, and the names: psycopg takes a long one apart at each call, which
    costs a millisecond."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return "%" if found[1] is None else f"${names.setdefault(found[1], len(names) + 1)}"

    return re.sub(r"%(?:%|\((\w+)\)s)", number, named).encode(), tuple(names)


def scores_by_arm(found: Iterable[Found]) -> dict[Arm, dict[Key, float]]:
    """Raw scores by arm and id; the best one where several probes found the same."""
    arms: dict[Arm, dict[Key, float]] = {}

    def add(arm: Arm, keys: Sequence[Key], scores: Sequence[float]) -> None:
        best = arms.setdefault(arm, {})
        for key, score in zip(keys, scores, strict=True):
            if key not in best or score > best[key]:
                best[key] = score

    for each in found:
        if not each.columns:
            continue
        scores = each.columns["score"]
        if each.arm is Arm.LEXICAL:
            bounds = each.columns["bound"]
            scores = [score / bound if bound else 0.0 for score, bound in zip(scores, bounds, strict=True)]
        add(each.arm, each.columns["id"], scores)
        if each.arm is Arm.DENSE:
            add(Arm.WINDOW, each.columns["id"], each.columns["window_score"])
    return arms


def held(found: Iterable[Found]) -> Held:
    """Which terms of a probe what was found holds."""
    weights: tuple[float, ...] = ()
    terms: dict[Key, int] = {}
    for each in found:
        if each.arm is Arm.LEXICAL and each.columns:
            weights = weights or tuple(map(float, each.columns["weights"][0].split()))
            terms.update(zip(each.columns["id"], each.columns["held"], strict=True))
    return Held(weights=weights, terms=terms)


def may_lack_vectors(found: Sequence[Sequence[Found]]) -> bool:
    """Whether something found by its words has no vector of the embedder, or nothing was found by meaning."""
    listed = [each for one in found for each in one if each.columns]
    if any(each.arm is Arm.LEXICAL and not all(each.columns["is_embedded"]) for each in listed):
        return True
    return not any(each.arm is Arm.DENSE for each in listed)


def query(name: str) -> sql.SQL:
    """A statement of the read path that needs no putting together."""
    return _QUERIES[name]


def found_ids(found: Iterable[Found], *, are_messages: bool) -> set[Key]:
    return {
        key
        for each in found
        if each.columns
        for key, kind in zip(each.columns["id"], each.columns["kind"], strict=True)
        if (kind == MESSAGE_NUMBER) == are_messages
    }
