"""Forgets for good: memories, messages, conversations, users. Nothing of it can be undone.

    ids ─> reach    what goes and what stays, in another form                (reach.py, telling.py)
        ─> vectors  of what stays, outside any transaction
        ─> [ lock the open batches, look again, take out, rewrite, audit ]   one transaction
        ─> pictures are deleted once that is committed

When something changed between the first look and the second, all begins anew. Locks are taken in the order in which
everybody takes them: batches, conversations, memories, messages. A batch that is being worked on starts again under
another id, so that whoever read what is forgotten now finds it gone when they come to write. The audit keeps ids and
numbers, never a word of the content.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from pgvector import HalfVector
from psycopg import sql
from psycopg.types.json import Jsonb

from mirix.curation.conversations import find_conversation
from mirix.curation.reach import Reach, check_ids, find_reach
from mirix.curation.telling import GAP, is_still_told, words
from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.errors import ConflictError, InputError, SealError
from mirix.ingest.frames import FrameFiles
from mirix.memory import store
from mirix.memory.changes import judge_messages
from mirix.memory.envelope import Keyring
from mirix.memory.indexing import Derived, Indexer, Vector
from mirix.memory.message import Message, times_mentioned
from mirix.memory.record import MemoryKind, Record, new_id
from mirix.memory.reveal import entries_by_reference, write_audit
from mirix.memory.store import Connection
from mirix.memory.windows import EmbeddedTexts, Turn, texts_to_embed
from mirix.text.analyser import analyse
from mirix.text.secrets import find_references

logger = logging.getLogger(__name__)

ATTEMPTS = 5
_FORGET = statements("forget")
_REDACTION = statements("redaction")
_EVIDENCE = statements("evidence")
_DOCUMENT = statements("document")
_HISTORY = statements("history")
_CONVERSATION = statements("conversation")


class Trace(NamedTuple):
    """A memory as it is told of: enough to know it by."""

    kind: MemoryKind
    id: UUID
    summary: str


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What went, and what stayed although it rested on something that went."""

    memories: tuple[Trace, ...] = ()  # of any status
    messages: int = 0
    pictures: int = 0
    redacted: int = 0  # messages that stayed, without the sentences that told the forgotten fact
    kept: tuple[Trace, ...] = ()  # memories that rested on a forgotten message and on others

    @property
    def numbers(self) -> str:
        """For the audit."""
        return f"memories {len(self.memories)}, messages {self.messages}, pictures {self.pictures}, cut {self.redacted}"


Wanted = Callable[[Connection], Awaitable[tuple[set[UUID], set[UUID]]]]  # ids of memories, ids of messages


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is written beside what the reach tells."""

    reach: Reach
    runs: Mapping[UUID, list[tuple[UUID, str, str]]]  # by conversation: its messages in order, id, speaker and text
    windows: Mapping[UUID, Vector | None]  # of messages whose neighbours changed
    vectors: Mapping[UUID, Vector | None]  # of redacted messages
    model: str | None  # that made the vectors
    terms: Mapping[UUID, list[str]]  # words that redacted messages are found by beside their text
    derived: Mapping[UUID, Derived]  # of memories that change


class Forgetter:
    def __init__(self, database: Database, indexer: Indexer, keyring: Keyring, frames: FrameFiles) -> None:
        self._database = database
        self._indexer = indexer
        self._keyring = keyring
        self._frames = frames

    async def forget(self, user_id: int, ids: Sequence[UUID]) -> Forgotten:
        """Memories and messages by id. Raises InputError, NotFoundError, ConflictError."""
        if not ids:
            raise InputError("there is nothing to forget: name at least one memory or message")
        return await self._forget(user_id, lambda conn: check_ids(conn, user_id, ids), ids)

    async def forget_conversation(self, user_id: int, name: str) -> Forgotten:
        """All messages of a conversation. Raises NotFoundError, ConflictError."""
        async with self._database.transaction(user_id) as conn:
            conversation_id = await find_conversation(conn, user_id, name)

        async def wanted(conn: Connection) -> tuple[set[UUID], set[UUID]]:
            parameters = {"user_id": user_id, "conversation_id": conversation_id}
            rows = await (await conn.execute(_CONVERSATION["message_ids"], parameters)).fetchall()
            return set(), {row["id"] for row in rows}

        return await self._forget(user_id, wanted, [conversation_id], conversation_id)

    async def forget_user(self, user: User) -> Forgotten:
        """Everything of a user, the name included. What stays is their number and how much it was."""
        parameters: dict[str, Any] = {"user_id": user.user_id}
        traces: list[Trace] = []
        async with self._database.transaction(user.user_id) as conn:
            await conn.execute(_FORGET["lock_open_batches"], parameters)
            for kind in MemoryKind:
                query = _FORGET["all_records"].format(table=sql.Identifier(kind.table))
                rows = await (await conn.execute(query, parameters)).fetchall()
                traces += [Trace(kind, row["id"], row["summary"]) for row in rows]
            evidence = await (await conn.execute(_FORGET["evidence_of"], parameters)).fetchone()
            assert evidence is not None
            shown = evidence["shown"]
            numbers = {"memories": len(traces), "messages": evidence["messages"], "pictures": len(shown)}
            await conn.execute(_FORGET["forget_user"], numbers)
        await self._delete_pictures(user.user_id, shown)
        forgotten = Forgotten(memories=tuple(traces), messages=evidence["messages"], pictures=len(shown))
        logger.info("user forgotten", extra={"action": "user_forgotten", "numbers": forgotten.numbers})
        return forgotten

    async def _forget(
        self, user_id: int, wanted: Wanted, asked: Sequence[UUID], conversation_id: UUID | None = None
    ) -> Forgotten:
        for attempt in range(1, ATTEMPTS + 1):
            plan = await self._plan(user_id, wanted, conversation_id)
            try:
                async with self._database.transaction(user_id) as conn:
                    writer = _Writer(conn=conn, user_id=user_id, plan=plan, frames=self._frames)
                    await writer.lock()
                    if await self._look(conn, user_id, wanted, conversation_id) != (plan.reach, plan.runs):
                        raise ConflictError("what is to be forgotten keeps changing: try again when nothing is added")
                    forgotten = await writer.write(asked)
            except ConflictError:
                if attempt == ATTEMPTS:
                    raise
            else:
                break
        await self._delete_pictures(user_id, [message.id for message in plan.reach.messages])
        logger.info("forgotten", extra={"action": "forgotten", "numbers": forgotten.numbers})
        return forgotten

    async def _delete_pictures(self, user_id: int, message_ids: Collection[UUID]) -> None:
        def delete() -> None:
            for message_id in message_ids:
                self._frames.delete(user_id, message_id)

        await asyncio.to_thread(delete)

    async def _look(
        self, conn: Connection, user_id: int, wanted: Wanted, conversation_id: UUID | None
    ) -> tuple[Reach, dict[UUID, list[tuple[UUID, str, str]]]]:
        reach = await find_reach(conn, self._keyring, user_id, *await wanted(conn))
        around = {message.conversation_id for message in [*reach.messages, *(new for _, new in reach.redacted)]}
        if conversation_id:
            around.add(conversation_id)
        parameters = {"user_id": user_id, "conversation_ids": sorted(around)}
        runs: dict[UUID, list[tuple[UUID, str, str]]] = {one: [] for one in sorted(around)}
        for row in await (await conn.execute(_REDACTION["conversations_with"], parameters)).fetchall():
            runs[row["conversation_id"]].append((row["id"], row["speaker"], row["text"]))
        return reach, runs

    async def _plan(self, user_id: int, wanted: Wanted, conversation_id: UUID | None) -> _Plan:
        async with self._database.transaction(user_id) as conn:
            reach, runs = await self._look(conn, user_id, wanted, conversation_id)
            references = {one for _, new in reach.redacted for one in find_references(new.text)}
            entries = await entries_by_reference(conn, user_id, sorted(references))
        redacted = [new for _, new in reach.redacted]
        texts = _texts_to_embed(runs.values(), {m.id for m in reach.messages}, {m.id: m.text for m in redacted})
        anew = [*(texts[message.id].alone for message in redacted), *(one.window for one in texts.values())]
        made = await self._indexer.try_vectors(anew)
        vectors = made or [None] * len(anew)
        changed = [new for _, new in reach.changed]
        derived = await self._indexer.derive(changed)
        named = {m.id: [entries[one] for one in find_references(m.text) if one in entries] for m in redacted}
        return _Plan(
            reach=reach,
            runs=runs,
            vectors=dict(zip((message.id for message in redacted), vectors, strict=False)),
            windows=dict(zip(texts, vectors[len(redacted) :], strict=True)),
            model=self._indexer.embedder.name if self._indexer.embedder and made is not None else None,
            terms={one: [word for e in found for word in (e.summary, *e.keywords)] for one, found in named.items()},
            derived={record.id: one for record, one in zip(changed, derived, strict=True)},
        )


def _texts_to_embed(
    runs: Collection[Sequence[tuple[UUID, str, str]]], gone: Collection[UUID], rewritten: Mapping[UUID, str]
) -> dict[UUID, EmbeddedTexts]:
    """What is embedded now of all messages that lose a neighbour, or whose own or neighbour's text changes."""
    found: dict[UUID, EmbeddedTexts] = {}
    for run in runs:
        pairs = [(before[0], after[0]) for before, after in pairwise(run)]
        beside = {one for pair in pairs if any(x in gone or x in rewritten for x in pair) for one in pair}
        left = [one for one in run if one[0] not in gone]
        for place, (message_id, _, _) in enumerate(left):
            if message_id in beside or message_id in rewritten:
                first = max(place - 1, 0)
                near = [Turn(speaker, rewritten.get(one, text)) for one, speaker, text in left[first : place + 2]]
                found[message_id] = texts_to_embed(near)[place - first]
    return found


@dataclass(frozen=True, kw_only=True)
class _Writer:
    """Takes out and rewrites, inside one transaction."""

    conn: Connection
    user_id: int
    plan: _Plan
    frames: FrameFiles

    async def lock(self) -> None:
        """Hold all that is going to change."""
        reach = self.plan.reach
        await self._run("lock_open_batches")
        await self._run("lock_conversations", ids=sorted(self.plan.runs))
        records = [*reach.records, *reach.kept, *reach.near, *(old for old, _ in reach.released)]
        for kind in MemoryKind:
            ids = [record.id for record in records if record.memory_kind is kind]
            await self._run("lock_records", kind, ids=ids)

    async def write(self, asked: Sequence[UUID]) -> Forgotten:
        reach = self.plan.reach
        lost = [message.id for message in reach.messages]
        pictures = len(await self._rows("frames_of", ids=lost))
        batches = await self._rows("batches_telling", gone=self._gone, batch_ids=self._batch_ids)
        await self._clean_history()
        await self._clean_proposals()
        current = await self._save_records()
        for kind in MemoryKind:
            ids = [record.id for record in reach.records if record.memory_kind is kind]
            await self._run("delete_records", kind, ids=ids)
        await self._run("delete_history", ids=self._gone)
        await self._run("delete_documents", ids=[*self._gone, *lost])
        await self._run("delete_messages", ids=lost)
        for _, message in reach.redacted:
            await self._rewrite(message)
        await self._redact_frames()
        for message_id, window in self.plan.windows.items():
            vector = None if window is None else HalfVector(window)
            parameters = {"id": message_id, "window_embedding": vector, "embedding_model": self.plan.model}
            await self.conn.execute(_EVIDENCE["set_window"], parameters | {"user_id": self.user_id})
        await self._judge()
        await self._clean_batches(batches, current)
        await self._run("delete_empty_conversations", ids=sorted(self.plan.runs))
        forgotten = Forgotten(
            memories=_traces(reach.records),
            messages=len(lost),
            pictures=pictures,
            redacted=len(reach.redacted),
            kept=_traces(reach.kept),
        )
        for one in asked:
            note = forgotten.numbers
            await write_audit(self.conn, self.user_id, actor="user", action="forget", record_id=one, note=note)
        return forgotten

    @property
    def _gone(self) -> list[UUID]:
        return [record.id for record in self.plan.reach.records]

    @property
    def _batch_ids(self) -> list[UUID]:
        messages = [*self.plan.reach.messages, *(old for old, _ in self.plan.reach.redacted)]
        return sorted({message.batch_id for message in messages})

    async def _clean_history(self) -> None:
        """Changes of what stays that tell what goes, go; a memory that loses all of them begins with its present."""
        reach = self.plan.reach
        gone = {str(one) for one in self._gone}
        stays = {record.id: record for record in [*reach.kept, *reach.near, *(old for old, _ in reach.released)]}
        rows = await self._rows("history_around", ids=list(stays), gone=self._gone)
        rows = [row for row in rows if row["record_id"] in stays]
        telling = [row for row in rows if self._tells(stays[row["record_id"]], row, gone)]
        await self._run("delete_changes", seqs=[row["seq"] for row in telling])
        await self._run("redact_reasons", seqs=[row["seq"] for row in rows if row["reason"]])
        bare = {row["record_id"] for row in telling} - {row["record_id"] for row in rows if row not in telling}
        current = {old.id: new for old, new in [*reach.released, *reach.changed]}
        for record_id in sorted(bare):
            await self._begin_history(current.get(record_id, stays[record_id]))

    async def _begin_history(self, record: Record) -> None:
        row = {
            "user_id": self.user_id,
            "operation_id": new_id(),
            "record_id": record.id,
            "kind": record.memory_kind.value,
            "operation": "insert",
            "before": None,
            "after": Jsonb(record.authored()),
            "actor": "user",
            "reason": "what came before is forgotten",
            "batch_id": None,
        }
        await self.conn.execute(_HISTORY["insert_history"], row)

    def _tells(self, record: Record, row: Mapping[str, Any], gone: Collection[str]) -> bool:
        """Whether a change of a memory names what took its place and goes, or holds words that go."""
        reach = self.plan.reach
        for values in (row["before"], row["after"]):
            if values is None:
                continue
            if values.get("superseded_by") in gone:
                return True
            then = record.restored(values)
            lost = [message.text for message in reach.messages]
            if record.id in reach.resting and not is_still_told(then.index_text(), lost, reach.resting[record.id]):
                return True
            if reach.forgettable.cut_record(then) != then:
                return True
        return False

    async def _clean_proposals(self) -> None:
        """Operations that name what goes, and those on what stays that tell it."""
        reach = self.plan.reach
        await self._run("delete_proposals", ids=[*self._gone, *(message.id for message in reach.messages)])
        for row in await self._rows("proposals_on", ids=[old.id for old, _ in reach.redacted]):
            texts = _strings([row["operation"], row["reason"]])
            if any(reach.forgettable.cut(text, [words(text)]) != text for text in texts):
                await self._run("delete_proposal", id=row["id"])

    async def _save_records(self) -> dict[UUID, Record]:
        """Write what stays in another form; returns all that stays, as it is now."""
        reach = self.plan.reach
        current = {record.id: record for record in [*reach.kept, *reach.near]}
        for old, new in reach.released:
            current[old.id] = await store.save(self.conn, new)
        for old, new in reach.changed:
            now = current[old.id]
            places = {name: getattr(now, name) for name in ("version", "status", "superseded_by", "valid_to")}
            current[old.id] = await store.save(self.conn, replace(new, **places), self.plan.derived[old.id])
        return current

    async def _rewrite(self, message: Message) -> None:
        vector = self.plan.vectors[message.id]
        await self._run(
            "rewrite_message",
            id=message.id,
            text=message.text,
            title=message.title,
            mentioned=times_mentioned([message]),
            embedding=None if vector is None else HalfVector(vector),
            embedding_model=self.plan.model,
        )
        extra = [*self.plan.terms[message.id], message.application or "", message.title or ""]
        analysis = analyse(message.text, extra=[text for text in extra if text])
        await store.reindex(self.conn, self.user_id, message.id, store.shelf_number(None, message.standing), analysis)

    async def _redact_frames(self) -> None:
        """Lines of pictures that stay, and the pixels they stand in."""
        pairs = {old.id: (old.text, new.text) for old, new in self.plan.reach.redacted}
        for row in await self._rows("frames_of", ids=list(pairs)):
            before, after = pairs[row["message_id"]]
            told = [line for line in row["lines"] if self._is_told(line["text"].strip(), before, after)]
            lines = [line | {"text": GAP} if line in told else line for line in row["lines"]]
            parameters = {"user_id": self.user_id, "message_id": row["message_id"], "lines": Jsonb(lines)}
            await self.conn.execute(_REDACTION["redact_frame"], parameters)
            try:
                await self.frames.paint_over(self.user_id, row["message_id"], [line["box"] for line in told])
            except SealError:  # nobody can open it any more: it goes
                self.frames.delete(self.user_id, row["message_id"])

    def _is_told(self, line: str, before: str, after: str) -> bool:
        """Whether a line of a picture stood in a sentence that goes: sentences run over lines."""
        return line not in after and (line in before or self.plan.reach.forgettable.is_told(line))

    async def _judge(self) -> None:
        """What the messages that lost a memory are worth now; vault entries rest on the messages that name them."""
        reach = self.plan.reach
        for entry, ids in reach.named.items():
            parameters = {"user_id": self.user_id, "record_id": entry, "source_ids": list(ids)}
            await self.conn.execute(_DOCUMENT["insert_sources"], parameters)
        for message_id in reach.judged:
            await store.set_message_standing(self.conn, self.user_id, message_id, "current")
        resting = {row["record_id"] for row in await self._rows("edges_of_messages", ids=list(reach.judged))}
        touched = resting | {old.id for old, _ in reach.released} | {record.id for record in reach.kept}
        await judge_messages(self.conn, self.user_id, sorted(touched))

    async def _clean_batches(self, batches: Sequence[Mapping[str, Any]], current: Mapping[UUID, Record]) -> None:
        """Copies of what went; keys of what was added; work that is under way."""
        summaries = {str(one): record.summary for one, record in current.items()}
        gone = {str(one) for one in self._gone}
        await self._run("drop_keys", batch_ids=sorted({message.batch_id for message in self.plan.reach.messages}))
        await self._run("delete_empty_batches", batch_ids=self._batch_ids)
        for row in batches:
            changes = [
                change | {"summary": summaries.get(change["id"], change["summary"])}
                for change in row["changes"]
                if change["id"] not in gone
            ]
            await self._run("clean_batch", id=row["id"], changes=Jsonb(changes))
        for row in await self._rows("running_batches"):
            await self._run("restart_batch", id=row["id"], new_id=new_id())

    async def _run(self, name: str, kind: MemoryKind | None = None, **parameters: Any) -> None:
        query = _FORGET[name].format(table=sql.Identifier(kind.table)) if kind else _FORGET[name]
        await self.conn.execute(query, {"user_id": self.user_id} | parameters)

    async def _rows(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        return await (await self.conn.execute(_FORGET[name], {"user_id": self.user_id} | parameters)).fetchall()


def _traces(records: Sequence[Record]) -> tuple[Trace, ...]:
    return tuple(Trace(record.memory_kind, record.id, record.summary) for record in records)


def _strings(value: Any) -> Iterator[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
