"""The arms of a search: lexical, dense, temporal over messages and all six memories, links from what they found.

Every arm is one statement put together from the pieces in `db/queries/retrieval.sql`; the lexical and the dense one are
asked for all probes of a search at once, so that what they have in common is counted and read once. What a question
gives (terms, vector, times) is worked out before, outside any transaction.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cache
from typing import Any, LiteralString
from uuid import UUID

from pgvector import HalfVector
from psycopg import AsyncRawCursor, sql
from psycopg.rows import dict_row
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
from mirix.retrieval.fusion import Arm
from mirix.text.dates import TimeRange

_QUERIES = statements("retrieval")

# With these 0.620 of LoCoMo's evidence turns stand in the first ten, with Lucene's b of 0.75 0.604: turns differ much
# in length and little in how much they say.
K1 = 1.2
B = 0.4
MESSAGE_CANDIDATES = 200  # candidates of an arm
# The same, of each memory: with 50 a life log's recall and answers are the same to the last digit, and a search among
# 100,000 memories takes a fifth longer, for ranking looks at every candidate.
RECORD_CANDIDATES = 20
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

    @property
    def searched_kinds(self) -> tuple[MemoryKind, ...]:
        return tuple(kind for kind in MemoryKind if self.kinds is None or kind in self.kinds)

    @property
    def searches_messages(self) -> bool:
        return self.messages and not self.tags

    @property
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
    shares: tuple[float, ...] = ()  # of each term: how much of its weight counts, 0 to 1; empty: all of it


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one arm found for one probe."""

    arm: Arm
    rows: list[dict[str, Any]]


def parameters(user_id: int, filters: Filters, probe: Probe, embedding_model: str | None) -> dict[str, Any]:
    """The parameters that every statement of a search takes."""
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
        "probes": [1] * len(probe.terms[:MAX_TERMS]),
        "terms": list(probe.terms[:MAX_TERMS]),
        "shares": list(probe.shares[:MAX_TERMS]) or [1.0] * min(len(probe.terms), MAX_TERMS),
        "vectors": [] if probe.vector is None else [HalfVector(probe.vector)],
        "dimensions": None if probe.vector is None else len(probe.vector),
        "embedding_model": embedding_model,
        "times": TimestamptzMultirange(TimestamptzRange(each.start, each.end) for each in probe.times),
        "k1": K1,
        "b": B,
        "messages": MESSAGE_CANDIDATES,
        "records": RECORD_CANDIDATES,
    }


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


async def run_arms(conn: Connection, filters: Filters, asked: Sequence[tuple[Arm, Mapping[str, Any]]]) -> list[Found]:
    """Run arms in one pipeline flush; what they found, in the same order."""
    kinds, with_messages = filters.searched_kinds, filters.searches_messages
    found = [Found(arm=arm, rows=[]) for arm, _ in asked]
    if not kinds and not with_messages:
        return found
    runs = _runs(asked)
    indexes = await _indexes(conn, filters, [asked[places[0]][1] for arm, places in runs if arm is Arm.DENSE])
    async with conn.pipeline():
        cursors = []
        for arm, places in runs:
            # The plan of the lexical arm is known better than the planner can know it.
            await conn.execute(_QUERIES["index_only"], {"planner": "off" if arm is Arm.LEXICAL else "on"})
            used = indexes if arm is Arm.DENSE else frozenset()
            text, names = _numbered(arm, kinds, with_messages, used)
            values = _together([asked[place][1] for place in places])
            cursor = AsyncRawCursor(conn, row_factory=dict_row)
            cursors.append(await cursor.execute(text, [values[name] for name in names]))
        for (_, places), cursor in zip(runs, cursors, strict=True):
            for row in await cursor.fetchall():
                found[places[row.pop("probe") - 1]].rows.append(row)
    return found


def _runs(asked: Sequence[tuple[Arm, Mapping[str, Any]]]) -> list[tuple[Arm, list[int]]]:
    """Which places of `asked` are one statement: all of the lexical arm, all of the dense one."""
    runs: list[tuple[Arm, list[int]]] = []
    for place, (arm, _) in enumerate(asked):
        run = next((places for each, places in runs if each is arm and arm is not Arm.TEMPORAL), None)
        if run is None:
            runs.append((arm, [place]))
        else:
            run.append(place)
    return runs


def _together(asked: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The parameters of one statement for several probes, which differ in their terms and vectors alone."""
    return {
        **asked[0],
        "probes": [number for number, values in enumerate(asked, 1) for _ in values["terms"]],
        "terms": [term for values in asked for term in values["terms"]],
        "shares": [share for values in asked for share in values["shares"]],
        "vectors": [vector for values in asked for vector in values["vectors"]],
    }


async def _indexes(conn: Connection, filters: Filters, dense: Sequence[Mapping[str, Any]]) -> frozenset[near.NearIndex]:
    """The vector indexes that the dense arm can use. None where anything is filtered: an index that has to be walked
    past most of what it gives misses more than it saves."""
    if not dense or not filters.are_none or dense[0]["embedding_model"] is None:
        return frozenset()
    values = dense[0]
    return await near.present(conn, values["user_id"], values["embedding_model"], values["dimensions"])


@cache
def _numbered(
    arm: Arm, kinds: tuple[MemoryKind, ...], with_messages: bool, indexes: frozenset[near.NearIndex]
) -> tuple[LiteralString, tuple[str, ...]]:
    """A statement with $1, $2 … instead of names, and the names: psycopg takes a long one apart at each call, which
    costs a millisecond."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return "%" if found[1] is None else f"${names.setdefault(found[1], len(names) + 1)}"

    named = statement(arm, kinds, with_messages, indexes).as_string()
    return re.sub(r"%(?:%|\((\w+)\)s)", number, named), tuple(names)


def scores_by_arm(found: Iterable[Found]) -> dict[Arm, dict[UUID, float]]:
    """Raw scores by arm and id; the best one where several probes found the same."""
    arms: dict[Arm, dict[UUID, float]] = {}

    def add(arm: Arm, key: UUID, score: float) -> None:
        scores = arms.setdefault(arm, {})
        scores[key] = max(scores.get(key, score), score)

    for each in found:
        for row in each.rows:
            if each.arm is Arm.LEXICAL:
                add(Arm.LEXICAL, row["id"], row["score"] / row["bound"] if row["bound"] else 0.0)
            else:
                add(each.arm, row["id"], row["score"])
            if each.arm is Arm.DENSE:
                add(Arm.WINDOW, row["id"], row["window_score"])
    return arms


def query(name: str) -> sql.SQL:
    """A statement of the read path that needs no putting together."""
    return _QUERIES[name]


def found_ids(found: Iterable[Found], *, are_messages: bool) -> Collection[UUID]:
    return {row["id"] for each in found for row in each.rows if (row["kind"] == MESSAGE_NUMBER) == are_messages}
