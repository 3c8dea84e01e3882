"""Stores evidence: messages with postings and vectors, the vault entries that were cut from them, and a batch of work.

    Incoming -> seal -> vectors (local embedder) -> one transaction: conversation, batch, messages, postings, entries

After that transaction nothing can be lost: the evidence is durable and found by its words at once. A batch holds one
trust level and closes at its border. The same again changes nothing: the key of a batch is a keyed digest of what was
added; a text without a time of its own counts as new once what it taught has been superseded. What repeats memory
itself (echoes.py) is a part of the batch, and no evidence.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

from pgvector import HalfVector
from psycopg import sql
from psycopg.errors import ForeignKeyViolation
from psycopg.types.json import Jsonb

from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.ingest.echoes import Echoes
from mirix.ingest.frames import Frame, FrameFiles
from mirix.ingest.inputs import Incoming
from mirix.ingest.sealing import SealedText, Sealer, lock_values, references_by_digest
from mirix.memory import store
from mirix.memory.changes import Change, Changes
from mirix.memory.envelope import Keyring
from mirix.memory.indexing import Indexer, Vector
from mirix.memory.message import Message, times_mentioned
from mirix.memory.record import Scope, new_id
from mirix.memory.store import Connection
from mirix.memory.windows import Turn, texts_to_embed
from mirix.text.analyser import analyse
from mirix.text.chunks import count_tokens
from mirix.text.secrets import escape_references, reference_text

BATCH_MESSAGES = 20
BATCH_TOKENS = 3_000
GATHERS_FOR = timedelta(minutes=5)  # screens of one program; the batch is handed on after it in any case
# An add of more is stored first and gets its vectors behind it: the local embedder takes about ten seconds for as much.
INLINE_CHARACTERS = 40_000
_EVIDENCE = statements("evidence")
_BATCH = statements("batch")
_COLUMNS = tuple(Message.__dataclass_fields__)
_State = Literal["gathering", "pending", "applied"]  # of a batch that is being stored


@dataclass(frozen=True, kw_only=True)
class StoredBatch:
    """A batch as it was handed over to the database."""

    id: UUID
    is_new: bool  # False: the same was added before, and nothing was written
    is_applied: bool  # the managers are done with it
    message_ids: tuple[UUID, ...]
    sealed: tuple[Change, ...]  # vault entries that were made


@dataclass(frozen=True, kw_only=True)
class SealedMessage:
    """A piece of evidence, ready to be written."""

    incoming: Incoming
    sealed: SealedText
    title: str | None  # sealed, too
    uri: str | None
    message_id: UUID = field(default_factory=new_id)
    vector: Vector | None = None
    embedding_model: str | None = None  # which embedder was asked for the vector; None: it is still to come
    frame: Frame | None = None

    @property
    def text(self) -> str:
        return self.sealed.text


class _SealedMeanwhile(Exception):
    """Somebody else sealed a value that was new a moment ago: it has to stand under their reference."""

    def __init__(self, known: dict[bytes, str]) -> None:
        super().__init__()
        self.known = known


def query(name: str) -> sql.Composed:
    """A query on messages with the columns of `Message`."""
    return _EVIDENCE[name].format(columns=sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)))


class Evidence:
    """Writes and reads raw evidence."""

    def __init__(self, database: Database, indexer: Indexer, keyring: Keyring, frames: FrameFiles) -> None:
        self._database = database
        self._indexer = indexer
        self._keyring = keyring
        self._frames = frames
        self.echoes = Echoes()

    def sealer(self, user_id: int) -> Sealer:
        return Sealer(keyring=self._keyring, user_id=user_id)

    async def store(
        self,
        user: User,
        scope: Scope,
        incoming: Sequence[Incoming],
        *,
        conversation: str,
        idempotency_key: str | None = None,
        infer: bool = True,
        gather: bool = False,
    ) -> list[StoredBatch]:
        """Seal and write; returns one entry for each batch, in order. Without `infer` no manager will read it.

        With `gather` it joins the batch that gathers screens of the same program, or begins one. The same
        `idempotency_key` again adds nothing, whatever comes with it. Raises DatabaseUnavailable; nothing of a batch is
        written then.
        """
        incoming = [self.echoes.heard(user.user_id, item) for item in incoming]
        known: dict[bytes, str] = {}
        stored: dict[int, StoredBatch] = {}
        is_long = sum(len(item.text) for item in incoming) > INLINE_CHARACTERS
        while True:
            async with self._database.transaction(user.user_id) as conn:
                conversation_id = await self._conversation(conn, user.user_id, conversation)
                before = await self._last_messages(conn, user.user_id, conversation_id, 2)
                sealer = self.sealer(user.user_id)
                await sealer.load(
                    conn,
                    [text for item in incoming for text in _texts(item)],
                    read=any(item.lines for item in incoming),
                )
            sealer.known |= known
            try:
                sealed = await asyncio.to_thread(self._seal_all, sealer, incoming, before)
                for number, group in enumerate(_batches(sealed)):
                    key = f"{idempotency_key}#{number}" if idempotency_key else content_key(scope, conversation, group)
                    if number not in stored:
                        state: _State = ("gathering" if gather else "pending") if infer else "applied"
                        stored[number] = await self._store_batch(
                            user, scope, conversation_id, group, before, key, sealer, state, vectors=not is_long
                        )
                    batch_id = stored[number].id
                    said = [_message(user, scope, conversation_id, batch_id, x) for x in _evidence(group)]
                    before = [*before, *said][-2:]
            except _SealedMeanwhile as meanwhile:
                known |= meanwhile.known
            except ForeignKeyViolation:
                continue  # the conversation was forgotten a moment ago: it is made again
            else:
                return list(stored.values())

    def _seal_all(self, sealer: Sealer, incoming: Sequence[Incoming], before: Sequence[Message]) -> list[SealedMessage]:
        previous = before[-1].text if before else ""
        done = []
        for item in incoming:
            if item.recalled is not None:
                text = _with_references(sealer.seal(item.text, before=previous), item.recalled.references)
                done.append(SealedMessage(incoming=item, sealed=text, title=None, uri=None))
                continue
            text = sealer.seal(item.text, before=previous, like=item)
            title = sealer.seal(item.title or "", like=item)
            uri = sealer.seal(item.uri or "", like=item)
            sealed = text.with_others(title, uri)
            frame = self._frames.prepare(item, sealed, sealer) if item.picture else None
            done.append(
                SealedMessage(
                    incoming=item,
                    sealed=sealed,
                    title=title.text or None,
                    uri=uri.text or None,
                    message_id=item.message_id or new_id(),
                    frame=frame,
                )
            )
            previous = item.text
        return done

    async def _store_batch(
        self,
        user: User,
        scope: Scope,
        conversation_id: UUID,
        group: Sequence[SealedMessage],
        before: Sequence[Message],
        key: str,
        sealer: Sealer,
        state: _State,
        *,
        vectors: bool,
    ) -> StoredBatch:
        digest = self._keyring.digest(user.user_id, key, "batch")
        state = state if _evidence(group) else "applied"
        embedded, windows = await self._embed(group, before) if vectors else (list(group), {})
        references = {reference for item in group for reference in item.sealed.references}
        entries = [sealer.entries[reference] for reference in references if reference in sealer.entries]
        entries_derived = await self._indexer.derive(entries, remote=False)
        async with self._pictures_of(user.user_id, group), self._database.transaction(user.user_id) as conn:
            batch_id, digest = await self._batch_for(conn, user.user_id, digest, conversation_id, group, state)
            if batch_id is None:
                return await self._stored_before(conn, user.user_id, digest)
            if entries:
                await lock_values(conn, user.user_id)
                known = await references_by_digest(conn, user.user_id, [entry.content_hmac for entry in entries])
                if known:
                    raise _SealedMeanwhile(known)
            for item in embedded:
                await self._insert_message(conn, _message(user, scope, conversation_id, batch_id, item), item)
            model = next((item.embedding_model for item in embedded if item.embedding_model), None)
            for message_id, window in windows.items():
                values = {"window_embedding": HalfVector(window), "embedding_model": model}
                await conn.execute(_EVIDENCE["set_window"], values | {"user_id": user.user_id, "id": message_id})
            changes = Changes(conn=conn, user_id=user.user_id, actor="ingest", batch_id=batch_id)
            for entry, derived in zip(entries, entries_derived, strict=True):
                sources = [x.message_id for x in group if entry.reference in x.sealed.references]
                scoped = replace(entry, agent_id=scope.agent_id, run_id=scope.run_id)
                await changes.insert(scoped, derived, sources=sources)
            if state == "pending" or self._lacks_vectors(embedded):
                await conn.execute(_BATCH["wake_worker"], {"user_id": user.user_id})
        for entry in entries:
            sealer.entries.pop(entry.reference, None)
        ids = tuple(item.message_id for item in embedded)
        applied = state == "applied"
        return StoredBatch(id=batch_id, is_new=True, is_applied=applied, message_ids=ids, sealed=tuple(changes.done))

    @asynccontextmanager
    async def _pictures_of(self, user_id: int, group: Sequence[SealedMessage]) -> AsyncIterator[None]:
        """The files of a batch that is not stored in the end go with it."""
        try:
            yield
        except BaseException:
            for item in group:
                if item.frame:
                    with suppress(OSError):  # what went wrong is told, not what came of it
                        self._frames.delete(user_id, item.message_id)
            raise

    async def _batch_for(
        self,
        conn: Connection,
        user_id: int,
        digest: bytes,
        conversation_id: UUID,
        group: Sequence[SealedMessage],
        state: _State,
    ) -> tuple[UUID | None, bytes]:
        """The id of the batch to write into (None when the same was added before), and the key it is stored under."""
        batch_id, key = new_id(), digest
        fixed = {
            "user_id": user_id,
            "id": batch_id,
            "conversation_id": conversation_id,
            "trust": group[0].incoming.trust,
            "state": state,
        }
        if state == "gathering":
            joined = await self._gathering(conn, fixed, group[0].incoming)
            if joined is not None:
                return joined, key
        for occurrence in range(1, 1000):
            parameters = fixed | {"idempotency_key": key}
            if await (await conn.execute(_BATCH["insert_batch"], parameters)).fetchone():
                return batch_id, key
            timed = all(item.incoming.has_time for item in group)
            overtaken = await (await conn.execute(_BATCH["is_overtaken"], parameters)).fetchone()
            if timed or not overtaken or not overtaken["overtaken"]:
                break
            key = self._keyring.digest(user_id, f"{digest.hex()}#{occurrence}", "batch")
        return None, key

    async def _gathering(self, conn: Connection, fixed: dict[str, Any], first: Incoming) -> UUID | None:
        """The batch that takes this screen; one that does not is handed to the managers."""
        limits = {"most": BATCH_MESSAGES, "longest": GATHERS_FOR, "at": first.at, "application": first.application}
        row = await (await conn.execute(_BATCH["gathering_batch"], fixed | limits)).fetchone()
        if row is not None:
            return UUID(str(row["id"]))
        if await (await conn.execute(_BATCH["end_gathering"], fixed)).fetchall():
            await conn.execute(_BATCH["wake_worker"], fixed)
        return None

    async def end_gathering(self, user_id: int) -> None:
        """Hand what gathers to the managers now: a recorder stops, or somebody wants to know."""
        async with self._database.transaction(user_id) as conn:
            if await (await conn.execute(_BATCH["end_gathering"], {"user_id": user_id})).fetchall():
                await conn.execute(_BATCH["wake_worker"], {"user_id": user_id})

    async def _stored_before(self, conn: Connection, user_id: int, digest: bytes) -> StoredBatch:
        parameters = {"user_id": user_id, "idempotency_key": digest}
        row = await (await conn.execute(_BATCH["find_batch"], parameters)).fetchone()
        assert row is not None
        messages = await self._of_batch(conn, user_id, row["id"])
        ids = tuple(message.id for message in messages)
        applied = row["state"] == "applied"
        return StoredBatch(id=row["id"], is_new=False, is_applied=applied, message_ids=ids, sealed=())

    async def _insert_message(self, conn: Connection, message: Message, item: SealedMessage) -> None:
        values: dict[str, Any] = {name: getattr(message, name) for name in _COLUMNS}
        values |= {
            "mentioned": times_mentioned([message]),
            "embedding": None if item.vector is None else HalfVector(item.vector),
            "embedding_model": item.embedding_model,
        }
        await conn.execute(_EVIDENCE["insert_message"], values)
        extra = [*item.sealed.terms, message.application or "", message.title or ""]
        shelf = store.shelf_number(None, message.standing)
        analysis = analyse(message.text, extra=[text for text in extra if text])
        await store.insert_document(conn, message.user_id, message.id, shelf, analysis)
        if item.frame:
            await self._frames.write(message.user_id, message.id, item.frame)
            row = {"user_id": message.user_id, "message_id": message.id, "file": self._frames.name(message.id)}
            await conn.execute(
                _EVIDENCE["insert_frame"], row | item.frame.columns() | {"lines": Jsonb(item.frame.lines)}
            )

    async def _embed(
        self, group: Sequence[SealedMessage], before: Sequence[Message]
    ) -> tuple[list[SealedMessage], dict[UUID, Vector]]:
        """Vectors of the messages, and of each with its two neighbours.

        None yet when the embedder is not local, or fails: they come when the evidence is safe (jobs/reembed.py).
        """
        said = _evidence(group)
        if not said:
            return list(group), {}
        run = [Turn(speaker=message.speaker, text=message.text) for message in before]
        run += [Turn(speaker=item.incoming.speaker, text=item.text) for item in said]
        ids = [message.id for message in before] + [item.message_id for item in said]
        texts = texts_to_embed(run)
        first = len(before)
        changed = max(first - 1, 0)  # the last message before has a new neighbour
        wanted = [*(each.alone for each in texts[first:]), *(each.window for each in texts[changed:])]
        vectors = await self._indexer.try_vectors(wanted, remote=False)
        if vectors is None or self._indexer.embedder is None:
            return list(group), {}
        own, around = vectors[: len(said)], vectors[len(said) :]
        found = {key: vector for key, vector in zip(ids[changed:], around, strict=True) if vector is not None}
        model = self._indexer.embedder.name
        by_id = {item.message_id: vector for item, vector in zip(said, own, strict=True)}
        return [
            replace(item, vector=by_id[item.message_id], embedding_model=model) if item.message_id in by_id else item
            for item in group
        ], found

    def _lacks_vectors(self, group: Sequence[SealedMessage]) -> bool:
        return self._indexer.embedder is not None and any(item.embedding_model is None for item in _evidence(group))

    async def _conversation(self, conn: Connection, user_id: int, name: str) -> UUID:
        parameters = {"user_id": user_id, "id": new_id(), "name": name}
        row = await (await conn.execute(_EVIDENCE["ensure_conversation"], parameters)).fetchone()
        assert row is not None
        return UUID(str(row["id"]))

    async def _last_messages(self, conn: Connection, user_id: int, conversation_id: UUID, limit: int) -> list[Message]:
        parameters = {"user_id": user_id, "conversation_id": conversation_id, "limit": limit}
        rows = await (await conn.execute(query("last_said"), parameters)).fetchall()
        return [Message(**row) for row in reversed(rows)]

    async def _of_batch(self, conn: Connection, user_id: int, batch_id: UUID) -> list[Message]:
        parameters = {"user_id": user_id, "batch_id": batch_id}
        return [Message(**row) for row in await (await conn.execute(query("messages_of_batch"), parameters)).fetchall()]

    async def of_batch(self, user_id: int, batch_id: UUID) -> list[Message]:
        """The messages of a batch, in order, without those that only repeat what is in memory."""
        async with self._database.transaction(user_id) as conn:
            return [message for message in await self._of_batch(conn, user_id, batch_id) if not message.cited]

    async def by_id(self, user_id: int, ids: Sequence[UUID]) -> list[Message]:
        """Some messages, in the order they were said; unknown ids are left out."""
        async with self._database.transaction(user_id) as conn:
            rows = await (
                await conn.execute(query("messages_by_id"), {"user_id": user_id, "ids": list(ids)})
            ).fetchall()
        return [Message(**row) for row in rows]


def _message(user: User, scope: Scope, conversation_id: UUID, batch_id: UUID, item: SealedMessage) -> Message:
    incoming = item.incoming
    return Message(
        user_id=user.user_id,
        id=item.message_id,
        conversation_id=conversation_id,
        batch_id=batch_id,
        agent_id=scope.agent_id,
        run_id=scope.run_id,
        role=incoming.role,
        speaker=incoming.speaker,
        source_kind=incoming.source_kind,
        application=incoming.application,
        title=item.title,
        uri=item.uri,
        mime=incoming.mime,
        text=item.text,
        at=incoming.at,
        timezone=incoming.timezone,
        trust=incoming.trust,
        external_id=incoming.external_id,
        standing="hidden" if incoming.recalled else "current",
        cited=list(incoming.recalled.cited) if incoming.recalled else [],
        asks=incoming.recalled is not None and incoming.recalled.asks,
    )


def _with_references(sealed: SealedText, allowed: Collection[str]) -> SealedText:
    """A recalled text with its own references, which sealing takes for look-alikes."""
    text = sealed.text
    for reference in allowed:
        text = text.replace(escape_references(reference_text(reference)), reference_text(reference))
    return replace(sealed, text=text)


def _evidence(group: Iterable[SealedMessage]) -> list[SealedMessage]:
    return [item for item in group if item.incoming.recalled is None]


def _texts(item: Incoming) -> list[str]:
    return [text for text in (item.text, item.title, item.uri) if text]


def _batches(items: Sequence[SealedMessage]) -> Iterator[list[SealedMessage]]:
    """Runs of one trust level, none longer than a batch may be."""
    for _, run in groupby(items, key=lambda item: item.incoming.trust):
        group: list[SealedMessage] = []
        tokens = 0
        for item in run:
            size = count_tokens(item.incoming.text)
            if group and (len(group) == BATCH_MESSAGES or tokens + size > BATCH_TOKENS):
                yield group
                group, tokens = [], 0
            group.append(item)
            tokens += size
        yield group


def content_key(scope: Scope, conversation: str, group: Sequence[SealedMessage]) -> str:
    """What makes a batch the same as another: who said what where, and when if that was told. It holds secrets as they
    came in (what is sealed has another reference each time), and only its keyed digest is kept."""
    parts = [f"{scope.agent_id}\x1f{scope.run_id}\x1f{conversation}"]
    for item in group:
        source = item.incoming
        at = source.at.isoformat() if source.has_time else ""
        picture = sha256(source.picture.image.tobytes()).hexdigest() if source.picture else ""
        parts.append("\x1f".join([source.role, source.speaker, at, source.title or "", source.text, picture]))
    return "\x1e".join(parts)
