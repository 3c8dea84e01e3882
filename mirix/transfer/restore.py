"""Reads an export into a user: whole, in one transaction, or not at all.

    file -> checked document -> what is there already -> vectors (before any transaction) -> one transaction

Ids stay as they are. Values are sealed anew: a seal is bound to database, user and entry. Vectors, terms and keyed
digests are made anew. Into a user who has anything already only what has no row there yet is added (`merge`), and what
is there wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from pgvector import HalfVector
from psycopg.types.json import Jsonb

from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.errors import ConflictError, InputError, MirixError, SealError
from mirix.ingest.frames import Frame as StoredFrame
from mirix.ingest.frames import FrameFiles
from mirix.memory import store
from mirix.memory.envelope import Keyring
from mirix.memory.indexing import Derived, Indexer, Vector
from mirix.memory.kinds import RECORDS
from mirix.memory.knowledge_vault import value_digest
from mirix.memory.message import Message, times_mentioned
from mirix.memory.record import MemoryKind, Record
from mirix.memory.store import Connection
from mirix.memory.windows import EmbeddedTexts, Turn, texts_to_embed
from mirix.text.analyser import Analysis, analyse
from mirix.text.secrets import find_references
from mirix.transfer.batch_keys import KeyMaker
from mirix.transfer.document import Export, ExportedMessage, ExportedProposal, Frame, read_document
from mirix.transfer.export import Tell
from mirix.transfer.passphrase import ExportKey, open_sealing
from mirix.transfer.resealing import Resealer

_TRANSFER = statements("transfer")
_EVIDENCE = statements("evidence")
_DOCUMENT = statements("document")
_BATCH = statements("batch")
MAX_FILE_BYTES = 4_000_000_000
EMBEDDED_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What an import brought."""

    conversations: int
    messages: int
    memories: dict[MemoryKind, int]  # of every status
    pictures: int
    waiting: int  # batches that the managers have not read yet
    skipped: int  # messages and memories that were there already
    values_left_out: int  # vault entries that came without their value


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What a user has already."""

    conversations: Mapping[str, UUID]  # by name
    ids: frozenset[UUID]  # of conversations, batches, messages, memories, operations and proposals


@dataclass(frozen=True, kw_only=True)
class _Words:
    """What is derived of a message."""

    message: Message
    analysis: Analysis
    mentioned: Any
    vector: Vector | None
    window: Vector | None


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """All that will be written."""

    export: Export
    resealer: Resealer
    known: _Known
    conversation_ids: Mapping[UUID, UUID]  # as in the file -> as they will be
    words: Sequence[_Words]
    records: Sequence[tuple[Record, Derived]]
    values: Mapping[str, str]  # of the vault, by reference
    pictures: Mapping[UUID, bytes] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Restorer:
    database: Database
    keyring: Keyring
    indexer: Indexer
    frames: FrameFiles

    async def read(
        self, user: User, path: Path, *, passphrase: str | None, secrets: bool, merge: bool, tell: Tell | None
    ) -> Restored:
        """Import a file. Without `secrets` values and pictures stay out, and no passphrase is needed.

        Raises InputError for what is no export, SealError for a wrong or missing passphrase, ConflictError for a user
        who has memories already (unless `merge`); nothing is written then.
        """
        export = await asyncio.to_thread(lambda: read_document(_content(path), path.name))
        key: ExportKey | None = None
        if export.sealing and secrets:
            if passphrase is None:
                raise SealError(
                    f"{path.name} holds sealed values: give its passphrase, or leave them out (--no-secrets)"
                )
            key = await asyncio.to_thread(open_sealing, export.sealing, passphrase)
        return await self.restore(user, export, key=key, merge=merge, tell=tell)

    async def restore(
        self, user: User, export: Export, *, key: ExportKey | None, merge: bool, tell: Tell | None
    ) -> Restored:
        """Import a document; see `read`."""
        async with self.database.transaction(user.user_id) as conn:
            known = await _known(conn, user.user_id)
            await _check_empty(conn, user, merge)
        resealer = Resealer(keyring=self.keyring, user_id=user.user_id, key=key)
        plan = await self._plan(user, export, resealer, known, tell)
        written: list[UUID] = []
        try:
            async with self.database.transaction(user.user_id) as conn:
                await conn.execute(_TRANSFER["lock_user"], {"user_id": user.user_id})
                if await _known(conn, user.user_id) != known:
                    raise ConflictError("something was added while the export was being read: import it again")
                await _check_empty(conn, user, merge)
                await self._write(conn, user, plan, written)
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            await self._drop_pictures(user.user_id, written)
            raise InputError(
                f"the export cannot be stored: {error.diag.message_primary}; nothing was changed"
            ) from error
        except OSError as error:
            await self._drop_pictures(user.user_id, written)
            raise MirixError(f"the pictures cannot be kept: {error.strerror or error}; nothing was changed") from error
        except BaseException:
            await self._drop_pictures(user.user_id, written)
            raise
        return _restored(plan, written)

    async def _drop_pictures(self, user_id: int, written: Iterable[UUID]) -> None:
        for message_id in written:
            await asyncio.to_thread(self.frames.delete, user_id, message_id)

    async def _plan(self, user: User, export: Export, resealer: Resealer, known: _Known, tell: Tell | None) -> _Plan:
        records, values = await asyncio.to_thread(_records, export, resealer, known)
        messages = [row for row in export.messages if row.id not in known.ids]
        new = {row.id for row in messages}
        frames = [frame for frame in export.frames if frame.message_id in new]
        pictures = await asyncio.to_thread(_pictures, frames, resealer.key)
        total = 2 * len(messages) + len(records)
        progress = _Progress(tell, total)
        names = {row.id: known.conversations.get(row.name, row.id) for row in export.conversations}
        terms = {
            record.reference: [record.summary, *record.keywords] for record in records if hasattr(record, "reference")
        }
        prepared = await asyncio.to_thread(_prepare, user, messages, names, terms)
        vectors = await self._message_vectors([message for message, _, _ in prepared], progress)
        derived: list[Derived] = []
        for part in _slices(records):
            derived += await self.indexer.derive(part)
            progress.step(len(part))
        return _Plan(
            export=export,
            resealer=resealer,
            known=known,
            conversation_ids=names,
            words=[
                _Words(message=message, analysis=analysis, mentioned=mentioned, vector=own, window=window)
                for (message, analysis, mentioned), (own, window) in zip(prepared, vectors, strict=True)
            ],
            records=list(zip(records, derived, strict=True)),
            values=values,
            pictures=pictures,
        )

    async def _message_vectors(
        self, messages: Sequence[Message], progress: _Progress
    ) -> list[tuple[Vector | None, Vector | None]]:
        """Own vector and that of the window; none where the embedder is not local, as when evidence comes in."""
        if self.indexer.embedder is None or not self.indexer.embedder.is_local:
            return [(None, None)] * len(messages)
        own, windows = _texts(messages)
        vectors: list[Vector | None] = []
        for part in _slices([*own, *windows]):
            vectors += await self.indexer.vectors(part)
            progress.step(len(part))
        return list(zip(vectors[: len(own)], vectors[len(own) :], strict=True))

    async def _write(self, conn: Connection, user: User, plan: _Plan, written: list[UUID]) -> None:
        export, known = plan.export, plan.known
        of_user = {"user_id": user.user_id}
        if not known.ids:
            await conn.execute(_TRANSFER["set_timezone"], of_user | {"timezone": export.user.timezone})
        for row in export.conversations:
            if row.name not in known.conversations and row.id not in known.ids:
                await conn.execute(_TRANSFER["insert_conversation"], of_user | row.model_dump())
        await _write_batches(conn, user, plan)
        embedder = self.indexer.embedder
        model = embedder.name if embedder and embedder.is_local else None
        for words in plan.words:
            await _write_message(conn, words, model)
        await self._write_frames(conn, user, plan, written)
        for record, derived in plan.records:
            await store.insert(conn, record, derived)
        await _write_rest(conn, user, plan)
        if any(row.state == "pending" for row in export.batches):
            await conn.execute(_BATCH["wake_worker"], of_user)

    async def _write_frames(self, conn: Connection, user: User, plan: _Plan, written: list[UUID]) -> None:
        new = {words.message.id for words in plan.words}
        for frame in plan.export.frames:
            if frame.message_id not in new:
                continue
            row = frame.model_dump(exclude={"picture"}) | {"user_id": user.user_id, "lines": Jsonb(frame.lines)}
            await conn.execute(_EVIDENCE["insert_frame"], row | {"file": self.frames.name(frame.message_id)})
            if webp := plan.pictures.get(frame.message_id):
                written.append(frame.message_id)
                stored = StoredFrame(
                    webp=webp,
                    width=frame.width,
                    height=frame.height,
                    lines=list(frame.lines),
                    recogniser=frame.recogniser,
                    monitor=frame.monitor,
                )
                await self.frames.write(user.user_id, frame.message_id, stored)


@dataclass
class _Progress:
    tell: Tell | None
    total: int
    done: int = 0

    def step(self, count: int) -> None:
        self.done += count
        if self.tell:
            self.tell(self.done, self.total)


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"cannot read {path}: it is a folder")
        if path.exists() and not path.is_file():
            raise InputError(f"cannot read {path}: it is no file with content")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path} is larger than {MAX_FILE_BYTES // 10**9} GB: export without pictures")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


async def _known(conn: Connection, user_id: int) -> _Known:
    rows = await (await conn.execute(_TRANSFER["known_ids"], {"user_id": user_id})).fetchall()
    names = {row["name"]: row["id"] for row in rows if row["what"] == "conversation"}
    return _Known(conversations=names, ids=frozenset(row["id"] for row in rows))


async def _check_empty(conn: Connection, user: User, merge: bool) -> None:
    row = await (await conn.execute(_TRANSFER["has_rows"], {"user_id": user.user_id})).fetchone()
    if row and row["found"] and not merge:
        raise ConflictError(
            f"user {user.name!r} has memories already: import into another user (--user NAME), or add what is not "
            "there yet (--merge)"
        )


def _records(export: Export, resealer: Resealer, known: _Known) -> tuple[list[Record], dict[str, str]]:
    """The memories that are new here, sealed anew, and all values by reference. Raises InputError, SealError."""
    found: list[Record] = []
    values: dict[str, str] = {}
    for kind in MemoryKind:
        for row in export.of_kind(kind):
            columns = dict(row)
            if kind is MemoryKind.VAULT:
                columns = _vault_columns(columns, resealer, values)
            if columns["id"] in known.ids:
                continue
            try:
                found.append(RECORDS[kind](user_id=resealer.user_id, **columns))
            except InputError as error:
                raise InputError(f"memory {columns['id']} cannot be taken: {error}") from None
    return found, values


def _vault_columns(columns: dict[str, Any], resealer: Resealer, values: dict[str, str]) -> dict[str, Any]:
    keyring, user_id, item_id = resealer.keyring, resealer.user_id, columns["id"]
    value = resealer.opened(columns.pop("value"), item_id, columns["value_version"])
    if value is None:
        digest = keyring.digest(user_id, f"left out {item_id}", "vault")
    else:
        values[columns["reference"]] = value
        digest = value_digest(keyring, user_id, value)
    envelope = resealer.envelope(value, item_id, columns["value_version"])
    return columns | envelope | {"content_hmac": digest}


def _pictures(frames: Iterable[Frame], key: ExportKey | None) -> dict[UUID, bytes]:
    if key is None:
        return {}
    return {
        frame.message_id: key.open(frame.picture, "picture", frame.message_id)
        for frame in frames
        if frame.picture is not None
    }


def _prepare(
    user: User, rows: Sequence[ExportedMessage], names: Mapping[UUID, UUID], terms: Mapping[str, Sequence[str]]
) -> list[tuple[Message, Analysis, Any]]:
    """Messages with their terms and the times they speak of: that takes a while, and no database."""
    found = []
    for row in rows:
        columns = dict(row) | {"conversation_id": names[row.conversation_id]}
        message = Message(user_id=user.user_id, **columns)
        sealed = [
            term for text in (row.text, row.title or "") for ref in find_references(text) for term in terms.get(ref, ())
        ]
        extra = [*sealed, row.application or "", row.title or ""]
        found.append((message, analyse(row.text, extra=[text for text in extra if text]), times_mentioned([message])))
    return found


def _texts(messages: Sequence[Message]) -> tuple[list[str], list[str]]:
    """What is embedded of each message alone, and of each with its two neighbours."""
    found: dict[UUID, EmbeddedTexts] = {}

    def run_of(index: int) -> tuple[UUID, bool]:  # what is hidden is nobody's neighbour
        return messages[index].conversation_id, messages[index].standing == "hidden"

    for _, group in groupby(sorted(range(len(messages)), key=run_of), key=run_of):
        run = [messages[index] for index in group]
        texts = texts_to_embed([Turn(speaker=message.speaker, text=message.text) for message in run])
        found |= {message.id: each for message, each in zip(run, texts, strict=True)}
    return [found[message.id].alone for message in messages], [found[message.id].window for message in messages]


async def _write_batches(conn: Connection, user: User, plan: _Plan) -> None:
    maker = KeyMaker(keyring=plan.resealer.keyring, user_id=user.user_id, values=plan.values)
    names = {row.id: row.name for row in plan.export.conversations}
    said: dict[UUID, list[ExportedMessage]] = {}
    for message in plan.export.messages:
        said.setdefault(message.batch_id, []).append(message)
    for row in plan.export.batches:
        if row.id in plan.known.ids:
            continue
        key = maker.remake(row.key, names[row.conversation_id], said.get(row.id, []))
        taken = {"user_id": user.user_id, "idempotency_key": key}
        found = await (await conn.execute(_TRANSFER["has_key"], taken)).fetchone() if key else None
        if key is None or (found and found["found"]):  # the same was added here, too: both stay
            key = plan.resealer.keyring.digest(user.user_id, f"imported {row.id}", "batch")
        columns = row.model_dump(exclude={"key"}) | {
            "user_id": user.user_id,
            "conversation_id": plan.conversation_ids[row.conversation_id],
            "idempotency_key": key,
        }
        columns |= {name: Jsonb(columns[name]) for name in ("replies", "changes", "problems", "routes", "usage")}
        await conn.execute(_TRANSFER["insert_batch"], columns)


async def _write_message(conn: Connection, words: _Words, model: str | None) -> None:
    message = words.message
    columns = {name: getattr(message, name) for name in Message.__dataclass_fields__} | {
        "mentioned": words.mentioned,
        "embedding": None if words.vector is None else HalfVector(words.vector),
        "window_embedding": None if words.vector is None or words.window is None else HalfVector(words.window),
        "embedding_model": model,
    }
    await conn.execute(_TRANSFER["insert_message"], columns)
    shelf = store.shelf_number(None, message.standing)
    await store.insert_document(conn, message.user_id, message.id, shelf, words.analysis)


async def _write_rest(conn: Connection, user: User, plan: _Plan) -> None:
    """What connects messages and memories, and what became of them."""
    export, resealer, known = plan.export, plan.resealer, plan.known.ids
    of_user = {"user_id": user.user_id}
    for source in export.sources:
        await conn.execute(_TRANSFER["insert_source"], of_user | source.model_dump())
    for link in export.links:
        await conn.execute(_DOCUMENT["insert_link"], of_user | link.model_dump())
    for change in export.history:
        if change.operation_id in known or change.record_id in known:
            continue  # what is there has a history of its own
        columns = change.model_dump() | {"kind": change.kind.value}
        for name in ("before", "after"):
            authored = resealer.envelope_in(columns[name], change.record_id)
            columns[name] = None if authored is None else Jsonb(authored)
        await conn.execute(_TRANSFER["insert_history"], of_user | columns)
    for proposal in export.proposals:
        if proposal.id in known:
            continue
        operation = _operation(proposal, resealer)
        columns = proposal.model_dump() | {"kind": proposal.kind.value, "operation": Jsonb(operation)}
        await conn.execute(_TRANSFER["insert_proposal"], of_user | columns)
    for use in export.uses:
        await conn.execute(_TRANSFER["insert_use"], of_user | use.model_dump())
    for harmless in export.harmless_values:
        columns = {"digest": bytes.fromhex(harmless.digest), "created_at": harmless.created_at}
        await conn.execute(_TRANSFER["insert_harmless"], of_user | columns)


def _operation(proposal: ExportedProposal, resealer: Resealer) -> dict[str, Any]:
    """The operation of a proposal, with values sealed for this database."""
    operation: dict[str, Any] = dict(proposal.operation)
    if "records" in operation:
        try:
            operation["records"] = [resealer.envelope_in(one, UUID(one["id"])) for one in operation["records"]]
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise InputError(f"proposal {proposal.id} does not hold an operation: {error}") from error
    return operation


def _restored(plan: _Plan, written: Sequence[UUID]) -> Restored:
    kinds = [record.memory_kind for record, _ in plan.records]
    memories = sum(len(plan.export.of_kind(kind)) for kind in MemoryKind)
    entries = [record for record, _ in plan.records if record.memory_kind is MemoryKind.VAULT]
    return Restored(
        conversations=sum(row.name not in plan.known.conversations for row in plan.export.conversations),
        messages=len(plan.words),
        memories={kind: kinds.count(kind) for kind in MemoryKind},
        pictures=len(written),
        waiting=sum(row.state == "pending" and row.id not in plan.known.ids for row in plan.export.batches),
        skipped=len(plan.export.messages) - len(plan.words) + memories - len(plan.records),
        values_left_out=sum(entry.reference not in plan.values for entry in entries),  # type: ignore[attr-defined]
    )


def _slices(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + EMBEDDED_AT_ONCE] for start in range(0, len(items), EMBEDDED_AT_ONCE))
