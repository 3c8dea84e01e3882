"""Cuts a value out of what is stored already: a secret that nobody recognised when it came in.

    plan   (outside any transaction) what holds the value, how it reads without, and new vectors
    write  (in the caller's transaction) messages, postings, vectors, memories, history, stored answers, waiting
           operations, recognised lines; what the plan does not know is a conflict, and nothing is written

A value that could be nothing else (eight characters and more, not a mere word) is cut from all of the user's data; any
other only from the batch it was found in, or a code like 2026 would take every date with it. Where it stood stands its
reference. Redaction is the one change that leaves no trace in the history.
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
from mirix.memory.message import Message
from mirix.memory.record import Record, columns
from mirix.memory.reveal import entries_by_reference
from mirix.memory.store import Connection
from mirix.text.analyser import analyse
from mirix.text.names import cut_names
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

    def message(self, message: Message) -> Message:
        title, uri = (self.text(given) if given else given for given in (message.title, message.uri))
        return replace(message, text=self.text(message.text), title=title, uri=uri)

    def record(self, record: R) -> R:
        free = _FREE.intersection(columns(type(record)))
        return replace(record, **{name: self.json(getattr(record, name)) for name in free})


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
    cut: Cut
    messages: Mapping[UUID, _NewMessage]
    windows: Mapping[UUID, Vector | None]
    records: Mapping[UUID, tuple[Record, Derived]]  # as they were read, but for the cut

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "user_id": self.user_id,
            "batch_id": self.batch_id,
            "here": self.cut.needles,
            "everywhere": self.cut.everywhere.needles,
        }

    def cut_in(self, batch_id: UUID | None) -> Cut:
        return self.cut if batch_id == self.batch_id else self.cut.everywhere


async def plan_redaction(
    database: Database, indexer: Indexer, user_id: int, cut: Cut, *, batch_id: UUID | None
) -> Redaction:
    """Find what holds the values, and make its new vectors. Raises ModelError when the embedder fails."""
    plan = Redaction(user_id=user_id, batch_id=batch_id, cut=cut, messages={}, windows={}, records={})
    async with database.transaction(user_id) as conn:
        messages = [plan.cut_in(m.batch_id).message(m) for m in await _messages_with(conn, plan)]
        ids = {"user_id": user_id, "conversation_ids": list({m.conversation_id for m in messages})}
        around = await (await conn.execute(_REDACTION["conversations_with"], ids)).fetchall()
        named = [reference for m in messages for reference in find_references(m.text)]
        entries = await entries_by_reference(conn, user_id, named)
        records = [cut.everywhere.record(record) for record in await _records_with(conn, plan)]
    terms = {ref: [entry.summary, *entry.keywords] for ref, entry in entries.items()} | dict(cut.terms)
    texts = {row["id"]: row["text"] for row in around} | {m.id: m.text for m in messages}
    windows = _windows(around, texts, {m.id for m in messages})
    vectors = await indexer.vectors([*(cut_names(m.text, {m.speaker}) for m in messages), *windows.values()])
    derived = await indexer.derive(records)
    return replace(
        plan,
        messages={
            m.id: _NewMessage(
                message=m, vector=vector, terms=[word for ref in find_references(m.text) for word in terms.get(ref, ())]
            )
            for m, vector in zip(messages, vectors[: len(messages)], strict=True)
        },
        windows=dict(zip(windows, vectors[len(messages) :], strict=True)),
        records={record.id: (record, one) for record, one in zip(records, derived, strict=True)},
    )


def _windows(
    around: Sequence[Mapping[str, Any]], texts: Mapping[UUID, str], changed: Collection[UUID]
) -> dict[UUID, str]:
    """The new texts of all windows that hold a changed message: its own and those of its two neighbours."""
    found: dict[UUID, str] = {}
    for _, rows in groupby(around, key=lambda row: row["conversation_id"]):
        run = list(rows)
        for index, row in enumerate(run):
            near = run[max(index - 1, 0) : index + 2]
            if any(other["id"] in changed for other in near):
                names = {other["speaker"] for other in near}
                found[row["id"]] = "\n".join(cut_names(texts[other["id"]], names) for other in near)
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
        await conn.execute(_EVIDENCE["set_window"], parameters)
    for record in await _records_with(conn, plan):
        new, derived = plan.records.get(record.id, (None, None))
        if new is None or new.version != record.version:
            raise ConflictError(f"memory {record.id} changed while a value was being cut: try again")
        await store.save(conn, new, derived)
    for query, change in (
        ("history_with", "redact_history"),
        ("batches_with", "redact_batch"),
        ("proposals_with", "redact_proposal"),
    ):
        for row in await (await conn.execute(_REDACTION[query], plan.parameters)).fetchall():
            await conn.execute(_REDACTION[change], {"user_id": plan.user_id} | _cut_row(plan, row))
    return await _cut_frames(conn, plan)


async def _write_message(conn: Connection, new: _NewMessage, embedder: str | None) -> None:
    message, vector = new.message, new.vector
    parameters = {
        "user_id": message.user_id,
        "id": message.id,
        "text": message.text,
        "title": message.title,
        "uri": message.uri,
        "embedding": None if vector is None else HalfVector(vector),
        "embedding_model": None if vector is None else embedder,
    }
    await conn.execute(_REDACTION["redact_message"], parameters)
    extra = [*new.terms, message.application or "", message.title or ""]
    analysis = analyse(message.text, extra=[text for text in extra if text])
    await store.reindex(conn, message.user_id, message.id, store.shelf_number(None, message.standing), analysis)


def _cut_row(plan: Redaction, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with all its texts and JSON values cut."""
    cut = plan.cut_in(row["batch_id"])
    values = {name: cut.json(value) for name, value in row.items()}
    return {name: Jsonb(value) if isinstance(value, dict | list) else value for name, value in values.items()}


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
    return [record for record in found if plan.cut.everywhere.record(record) != record]
