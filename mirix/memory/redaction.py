"""Cuts a value out of what is stored already: a secret that nobody recognised when it came in.

    plan   (outside any transaction) what holds the value, how it reads without, and new vectors
    write  (in the caller's transaction) messages, postings, vectors, memories, history, stored answers, waiting
           operations, recognised lines; what the plan does not know is a conflict, and nothing is written

A value that could be nothing else (eight characters and more, not a mere word) is cut from all of the user's data; any
other only from the batch it was found in and from the memories that came of it, or a code like 2026 would take every
date with it. Where it stood stands its reference. Redaction is the one change that leaves no trace in the history.

`Uncut` is the way back: the value stands again wherever its reference does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

from pgvector import HalfVector
from psycopg import sql
from psycopg.types.json import Jsonb

from mirix.db.pool import Database
from mirix.db.statements import statements
from mirix.errors import ConflictError
from mirix.memory import store
from mirix.memory.indexing import Derived, Indexer, Vector
from mirix.memory.kinds import RECORDS
from mirix.memory.message import Message, times_mentioned
from mirix.memory.record import Record, columns
from mirix.memory.reveal import entries_by_reference
from mirix.memory.store import Connection
from mirix.memory.windows import EmbeddedTexts, Turn, texts_to_embed
from mirix.text.analyser import analyse
from mirix.text.secret_captions import value_parts
from mirix.text.secrets import find_references, reference_text

R = TypeVar("R", bound=Record)
_REDACTION = statements("redaction")
_EVIDENCE = statements("evidence")
# Columns of free text in any of the six tables; the others hold no words of the user's.
_FREE = frozenset(
    {"summary", "details", "keywords", "tags", "metadata", "tree_path", "label", "event_type", "actor", "outcome"}
    | {"name", "steps", "title", "resource_type", "uri", "content"}
)
DISTINCTIVE_CHARS = 8


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Values that have to go, and the references that stand in their places."""

    references: Mapping[str, str] = field(repr=False)  # by value
    terms: Mapping[str, Sequence[str]]  # words that a message should be found by, by reference

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.references, key=len, reverse=True)
        return re.compile("|".join(map(_whole, longest_first)))

    @cached_property
    def everywhere(self) -> Cut:
        """The values that may be cut wherever they stand."""
        sure = {v: r for v, r in self.references.items() if len(v) >= DISTINCTIVE_CHARS and not v.isalpha()}
        return Cut(references=sure, terms=self.terms)

    @property
    def needles(self) -> list[str]:
        """The values as JSON writes them inside a string."""
        return [json.dumps(value, ensure_ascii=False)[1:-1] for value in self.references]

    def text(self, text: str) -> str:
        if not self.references:
            return text
        return self._pattern.sub(lambda found: reference_text(self.references[found.group()]), text)

    def json(self, value: Any) -> Any:
        """A JSON value with every string cut."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.json(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(inner) for inner in value]
        return value

    def columns(self, authored: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Columns of a memory by name, with those of free text cut, and what is left of a value in them."""
        if authored is None:
            return None
        free = {name: value for name, value in authored.items() if name in _FREE}
        return {**authored, **self.whole(free)}

    def whole(self, value: Any) -> Any:
        """A JSON value with every string cut; where one held a value, keywords and names made of its parts go, too."""
        cut = self.json(value)
        return cut if cut == value else self._without_parts(cut)

    def _without_parts(self, value: Any) -> Any:
        if isinstance(value, str):
            words = re.findall(r"[^\W_]+", value.lower())
            is_part = bool(words) and all(word in self._parts for word in words)
            return reference_text(self._parts[words[0]]) if is_part else value
        if isinstance(value, Mapping):
            return {name: self._without_parts(inner) for name, inner in value.items()}
        return [self._without_parts(inner) for inner in value] if isinstance(value, list) else value

    @cached_property
    def _parts(self) -> Mapping[str, str]:
        """The references by the words of their values, but for short ones that tell nothing."""
        return {part: reference for value, reference in self.references.items() for part in value_parts([value])}

    def message(self, message: Message) -> Message:
        words = {name: getattr(message, name) for name in ("text", "title", "uri", "application")}
        return replace(message, **{name: self.json(given) for name, given in words.items()})

    def record(self, record: R) -> R:
        free = {name: getattr(record, name) for name in _FREE.intersection(columns(type(record)))}
        return replace(record, **self.whole(free))


@dataclass(frozen=True, kw_only=True)
class Uncut(Cut):
    """Values that come back to the places of their references, which could be nothing else."""

    @property
    def everywhere(self) -> Cut:
        return self

    @property
    def needles(self) -> list[str]:
        return [reference_text(reference) for reference in self.references.values()]

    @property
    def _parts(self) -> Mapping[str, str]:
        return {}

    def text(self, text: str) -> str:
        for value, reference in self.references.items():
            text = text.replace(reference_text(reference), value)
        return text


def _whole(value: str) -> str:
    """A pattern for the value where it is not a part of a longer run of letters and digits (of the Latin kind: Chinese
    has no spaces)."""
    before = "(?<![A-Za-z0-9])" if re.match("[A-Za-z0-9]", value) else ""
    after = "(?![A-Za-z0-9])" if re.search("[A-Za-z0-9]$", value) else ""
    return f"{before}{re.escape(value)}{after}"


@dataclass(frozen=True, kw_only=True)
class _NewMessage:
    message: Message
    terms: Sequence[str]  # words it is found by beside its text
    vector: Vector | None


@dataclass(frozen=True, kw_only=True)
class Redaction:
    """A planned redaction."""

    user_id: int
    batch_id: UUID | None  # where values are cut that are not sure enough for everywhere
    record_ids: frozenset[UUID] = frozenset()  # memories that these are cut from as well
    told: frozenset[UUID] = frozenset()  # batches whose managers were shown them: their answers and proposals
    cut: Cut
    messages: Mapping[UUID, _NewMessage]
    windows: Mapping[UUID, Vector | None]
    records: Mapping[UUID, tuple[Record, Derived]]  # as they were read, but for the cut

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "user_id": self.user_id,
            "batch_id": self.batch_id,
            "record_ids": list(self.record_ids),
            "told": list(self.told),
            "here": self.cut.needles,
            "everywhere": self.cut.everywhere.needles,
        }

    def cut_in(self, batch_id: UUID | None) -> Cut:
        return self.cut if batch_id is not None and batch_id == self.batch_id else self.cut.everywhere

    def cut_of(self, record_id: UUID) -> Cut:
        return self.cut if record_id in self.record_ids else self.cut.everywhere


async def plan_redaction(
    database: Database, indexer: Indexer, user_id: int, cut: Cut, *, batch_id: UUID | None
) -> Redaction:
    """Find what holds the values, and make its new vectors; without them where the embedder fails.

    Values that are not sure enough for everywhere are cut from the batch, from the memories that came of it, and from
    what managers answered where they changed these.
    """
    plan = Redaction(user_id=user_id, batch_id=batch_id, cut=cut, messages={}, windows={}, records={})
    async with database.transaction(user_id) as conn:
        mine = await (await conn.execute(_REDACTION["records_of_batch"], plan.parameters)).fetchall()
        plan = replace(plan, record_ids=frozenset(row["record_id"] for row in mine))
        rows = await (await conn.execute(_REDACTION["batches_of_records"], plan.parameters)).fetchall()
        told = {row["batch_id"] for row in rows} | ({batch_id} if batch_id else set())
        plan = replace(plan, told=frozenset(told))
        messages = [plan.cut_in(m.batch_id).message(m) for m in await _messages_with(conn, plan)]
        ids = {"user_id": user_id, "conversation_ids": list({m.conversation_id for m in messages})}
        around = await (await conn.execute(_REDACTION["conversations_with"], ids)).fetchall()
        entries = await entries_by_reference(conn, user_id, [ref for m in messages for ref in _references(m)])
        records = [plan.cut_of(record.id).record(record) for record in await _records_with(conn, plan)]
    terms = {ref: [entry.summary, *entry.keywords] for ref, entry in entries.items()} | dict(cut.terms)
    texts = {row["id"]: row["text"] for row in around} | {m.id: m.text for m in messages}
    windows = _texts_to_embed(around, texts, {m.id for m in messages})
    alone = {key: texts.alone for key, texts in windows.items()}
    anew = [*(alone.get(m.id, m.text) for m in messages), *(texts.window for texts in windows.values())]
    vectors = await indexer.try_vectors(anew) or [None] * len(anew)
    derived = await indexer.derive(records)
    return replace(
        plan,
        messages={
            m.id: _NewMessage(
                message=m, vector=vector, terms=[word for ref in _references(m) for word in terms.get(ref, ())]
            )
            for m, vector in zip(messages, vectors[: len(messages)], strict=True)
        },
        windows=dict(zip(windows, vectors[len(messages) :], strict=True)),
        records={record.id: (record, one) for record, one in zip(records, derived, strict=True)},
    )


def _references(message: Message) -> list[str]:
    return find_references("\n".join(text for text in (message.text, message.title, message.uri) if text))


def _texts_to_embed(
    around: Sequence[Mapping[str, Any]], texts: Mapping[UUID, str], changed: Collection[UUID]
) -> dict[UUID, EmbeddedTexts]:
    """What is embedded now of all whose window holds a changed message: itself and its two neighbours."""
    found: dict[UUID, EmbeddedTexts] = {}
    for _, rows in groupby(around, key=lambda row: row["conversation_id"]):
        run = list(rows)
        for index, row in enumerate(run):
            first = max(index - 1, 0)
            near = run[first : index + 2]
            if any(other["id"] in changed for other in near):
                turns = [Turn(speaker=other["speaker"], text=texts[other["id"]]) for other in near]
                found[row["id"]] = texts_to_embed(turns)[index - first]
    return found


async def write_redaction(conn: Connection, indexer: Indexer, plan: Redaction) -> list[tuple[UUID, list[list[int]]]]:
    """Cut the values from everything that is stored. Returns the pictures they are seen in: message and boxes.

    Raises ConflictError when something came or changed since the redaction was planned.
    """
    embedder = indexer.embedder.name if indexer.embedder else None
    for message in await _messages_with(conn, plan):
        if message.id not in plan.messages:
            raise ConflictError(f"message {message.id} came while a value was being cut: try again")
        await _write_message(conn, plan.messages[message.id], embedder)
    for message_id, window in plan.windows.items():
        vector = None if window is None else HalfVector(window)
        parameters = {"user_id": plan.user_id, "id": message_id, "window_embedding": vector}
        await conn.execute(_EVIDENCE["set_window"], parameters | {"embedding_model": embedder})
    for record in await _records_with(conn, plan):
        new, derived = plan.records.get(record.id, (None, None))
        if new is None or new.version != record.version:
            raise ConflictError(f"memory {record.id} changed while a value was being cut: try again")
        await store.save(conn, new, derived)
    for query, change, cut_row in (
        ("history_with", "redact_history", _cut_history),
        ("batches_with", "redact_batch", _cut_batch),
        ("proposals_with", "redact_proposal", _cut_proposal),
    ):
        for row in await (await conn.execute(_REDACTION[query], plan.parameters)).fetchall():
            values = {name: _as_json(value) for name, value in cut_row(plan, row).items()}
            await conn.execute(_REDACTION[change], {"user_id": plan.user_id} | row | values)
    return await _cut_frames(conn, plan)


async def _write_message(conn: Connection, new: _NewMessage, embedder: str | None) -> None:
    message, vector = new.message, new.vector
    parameters = {
        "user_id": message.user_id,
        "id": message.id,
        "text": message.text,
        "title": message.title,
        "uri": message.uri,
        "application": message.application,
        "mentioned": times_mentioned([message]),
        "embedding": None if vector is None else HalfVector(vector),
        "embedding_model": None if vector is None else embedder,
    }
    await conn.execute(_REDACTION["redact_message"], parameters)
    extra = [*new.terms, message.application or "", message.title or ""]
    analysis = analyse(message.text, extra=[text for text in extra if text])
    await store.reindex(conn, message.user_id, message.id, store.shelf_number(None, message.standing), analysis)


def _cut_history(plan: Redaction, row: Mapping[str, Any]) -> dict[str, Any]:
    cut = plan.cut if row["record_id"] in plan.record_ids else plan.cut_in(row["batch_id"])
    return {
        "before": cut.columns(row["before"]),
        "after": cut.columns(row["after"]),
        "reason": cut.json(row["reason"]),
    }


def _cut_batch(plan: Redaction, row: Mapping[str, Any]) -> dict[str, Any]:
    """Steps, tools and kinds keep their names, even where one of them is the value."""
    cut = plan.cut if row["id"] in plan.told else plan.cut.everywhere
    return {
        "replies": {step: _cut_reply(cut, reply) for step, reply in row["replies"].items()},
        "changes": [cut.columns(change) for change in row["changes"]],
        "problems": cut.json(row["problems"]),
        "error": cut.json(row["error"]),
    }


def _cut_reply(cut: Cut, reply: Mapping[str, Any]) -> Mapping[str, Any]:
    if "calls" not in reply:  # the handles that the answers name
        return reply
    calls = [
        call | {"arguments": cut.whole(call["arguments"]), "error": cut.json(call["error"])} for call in reply["calls"]
    ]
    return {**reply, "text": cut.json(reply["text"]), "calls": calls}


def _cut_proposal(plan: Redaction, row: Mapping[str, Any]) -> dict[str, Any]:
    operation = row["operation"]
    is_concerned = row["batch_id"] in plan.told or not plan.record_ids.isdisjoint(map(UUID, operation["targets"]))
    cut = plan.cut if is_concerned else plan.cut.everywhere
    records = [cut.columns(record) for record in operation["records"]]
    return {
        "operation": operation | {"records": records, "reason": cut.json(operation["reason"])},
        "reason": cut.json(row["reason"]),
    }


def _as_json(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) else value


async def _cut_frames(conn: Connection, plan: Redaction) -> list[tuple[UUID, list[list[int]]]]:
    seen = []
    for row in await (await conn.execute(_REDACTION["frames_with"], plan.parameters)).fetchall():
        lines = plan.cut_in(row["batch_id"]).json(row["lines"])
        boxes = [old["box"] for old, new in zip(row["lines"], lines, strict=True) if old["text"] != new["text"]]
        key = {"user_id": plan.user_id, "message_id": row["message_id"]}
        await conn.execute(_REDACTION["redact_frame"], key | {"lines": Jsonb(lines)})
        seen.append((row["message_id"], boxes))
    return seen


async def _messages_with(conn: Connection, plan: Redaction) -> list[Message]:
    names = sql.SQL(", ").join(map(sql.Identifier, Message.__dataclass_fields__))
    cursor = await conn.execute(_REDACTION["messages_with"].format(columns=names), plan.parameters)
    found = [Message(**row) for row in await cursor.fetchall()]
    return [message for message in found if plan.cut_in(message.batch_id).message(message) != message]


async def _records_with(conn: Connection, plan: Redaction) -> list[Record]:
    found: list[Record] = []
    for kind, record_type in RECORDS.items():
        names = columns(record_type)
        query = _REDACTION["records_with"].format(
            table=sql.Identifier(kind.table),
            columns=sql.SQL(", ").join(map(sql.Identifier, names)),
            texts=sql.SQL(", ").join(sql.Identifier(name) for name in names if name in _FREE),
        )
        rows = await (await conn.execute(query, plan.parameters)).fetchall()
        found += [store.from_row(record_type, row) for row in rows]
    return [record for record in found if plan.cut_of(record.id).record(record) != record]
