"""Sealing by hand what no one took for a secret, and unsealing what was none.

    seal    value ─> entry in the vault; in messages, vectors, memories, history, stored answers, proposals and pictures
            its reference takes its place (memory/redaction.py)
    unseal  the way back; the entry goes for good, and a keyed digest of the value keeps ingest from sealing it again

A value that could be nothing else is cut wherever it stands; a short or plain one (a PIN, a word) only in the batch of
its message and in what came of that, and the result tells in how many other messages it stands. While the memory
managers are at work both wait: what they were shown would be written back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args
from uuid import UUID

from mirix.db.pool import Database
from mirix.db.statements import statements
from mirix.errors import ConflictError, InputError, NotFoundError
from mirix.ingest.evidence import query
from mirix.ingest.frames import FrameFiles
from mirix.ingest.inputs import storable
from mirix.ingest.sealing import fresh_reference, known_values, lock_values, not_harmless, vault_entry
from mirix.managers.apply import check_unknown
from mirix.memory import store
from mirix.memory.changes import Changes, history_of, judge_messages
from mirix.memory.envelope import Keyring
from mirix.memory.indexing import Indexer
from mirix.memory.knowledge_vault import VaultEntryType, VaultRecord, VaultSensitivity, open_value, value_digest
from mirix.memory.message import Message
from mirix.memory.record import Trust
from mirix.memory.redaction import Cut, Redaction, Uncut, plan_redaction, write_redaction
from mirix.memory.reveal import entries_by_reference, find_entry, write_audit
from mirix.memory.store import Connection
from mirix.text.secret_candidates import BY_HAND, describe, find_candidates
from mirix.text.secret_captions import betrays, value_parts
from mirix.text.secrets import find_references

_SEALING = statements("sealing")
_VAULT = statements("knowledge_vault")
_DOCUMENT = statements("document")
_NEVER = "0000"  # a reference for a trial cut
WAIT_S = 30.0  # for memory managers that are at work
_POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class SealingReport:
    """What a sealing by hand did."""

    entries: tuple[VaultRecord, ...]  # in the order of the values
    messages: int  # that a value was cut from
    memories: int
    pictures: int  # in which it was painted over
    elsewhere: int  # further messages in which a value stands that is too plain to be cut everywhere


@dataclass(frozen=True, kw_only=True)
class UnsealingReport:
    """What an unsealing did."""

    reference: str
    messages: int  # that the value is back in
    memories: int
    painted: tuple[UUID, ...]  # pictures (their messages) in which its place stays painted over: the pixels are gone


@dataclass(frozen=True, kw_only=True)
class EntryWish:
    """What the user says of the values they seal."""

    caption: str | None = None
    entry_type: str | None = None
    sensitivity: str = "high"


class LateSealer:
    def __init__(
        self, database: Database, indexer: Indexer, keyring: Keyring, frames: FrameFiles, *, wait_s: float = WAIT_S
    ) -> None:
        self._database = database
        self._wait_s = wait_s
        self._indexer = indexer
        self._keyring = keyring
        self._frames = frames

    async def candidates(self, user_id: int, message_id: UUID) -> list[str]:
        """What could be a secret in a message. Raises NotFoundError."""
        async with self._database.transaction(user_id) as conn:
            return _candidates(await _message(conn, user_id, message_id))

    async def seal(self, user_id: int, message_id: UUID, values: Sequence[str], wish: EntryWish) -> SealingReport:
        """Seal values of a message; without any the only one that could be a secret.

        Raises NotFoundError, InputError when the message does not hold a value or it is not clear which is meant,
        ConflictError when something came in between.
        """
        _check_wish(wish)
        await self._wait_for_managers(user_id)
        async with self._database.transaction(user_id) as conn:
            message = await _message(conn, user_id, message_id)
            chosen = await _checked(conn, message, values or _only(_candidates(message)))
            taken = await known_values(conn, self._keyring, user_id, chosen)
            known = await entries_by_reference(conn, user_id, list(taken.values()))
        if wish.caption and betrays(wish.caption, value_parts(chosen)):
            raise InputError("the caption tells the value: say what it is for instead")
        entries = {
            value: known.get(taken.get(value, "")) or self._entry(message, value, wish, chosen) for value in chosen
        }
        new = [entry for entry in entries.values() if entry.reference not in known]
        plan = None
        if wish.sensitivity == "high":
            terms = {entry.reference: (entry.summary, *entry.keywords) for entry in entries.values()}
            cut = Cut(references={value: entry.reference for value, entry in entries.items()}, terms=terms)
            plan = await plan_redaction(self._database, self._indexer, user_id, cut, batch_id=message.batch_id)
        derived = dict(zip(entries, await self._indexer.derive(entries.values()), strict=True))
        async with self._database.transaction(user_id) as conn:
            await _hold_batches(conn, user_id)
            await check_unknown(conn, user_id, new)
            seen = await write_redaction(conn, self._indexer, plan) if plan else []
            for value, entry in entries.items():
                changes = Changes(conn=conn, user_id=user_id, actor="user", reason="sealed by the user")
                if entry in new:
                    await changes.insert(entry, derived[value], sources={message.id, *(plan.messages if plan else ())})
                elif plan and entry.sensitivity != "high":
                    present = await find_entry(conn, user_id, entry.id)
                    cut_before = plan.records.get(entry.id, (present, derived[value]))[1]
                    await changes.update(present, replace(present, sensitivity="high"), cut_before)
                await write_audit(conn, user_id, actor="user", action="seal", record_id=entry.id)
            await not_harmless(conn, self._keyring, user_id, chosen)
            elsewhere = await _count_elsewhere(conn, plan) if plan else 0
            for picture, boxes in seen:
                await self._frames.paint_over(user_id, picture, boxes)
        return SealingReport(
            entries=tuple(entries.values()),
            messages=len(plan.messages) if plan else 0,
            memories=len(plan.records) if plan else 0,
            pictures=len(seen),
            elsewhere=elsewhere,
        )

    async def unseal(self, user_id: int, entry: str | UUID) -> UnsealingReport:
        """Put the value of an entry back where its reference stands, and take the entry out of the vault for good.

        Raises NotFoundError, SealError, and ConflictError when the entry had several values or something came in
        between.
        """
        await self._wait_for_managers(user_id)
        async with self._database.transaction(user_id) as conn:
            record = await find_entry(conn, user_id, entry)
            await _check_single_value(conn, record)
        value = open_value(record, self._keyring)
        cut = Uncut(references={value: record.reference}, terms={})
        plan = await plan_redaction(self._database, self._indexer, user_id, cut, batch_id=None)
        async with self._database.transaction(user_id) as conn:
            await _hold_batches(conn, user_id)
            await lock_values(conn, user_id)
            present = await store.get(conn, user_id, record.id, lock=True)
            if present.version != record.version:
                raise ConflictError(f"vault entry {record.reference} was changed just now: try again")
            seen = await write_redaction(conn, self._indexer, plan)
            await _remove(conn, record)
            digest = value_digest(self._keyring, user_id, value)
            await conn.execute(_VAULT["insert_harmless"], {"user_id": user_id, "digest": digest})
            await write_audit(conn, user_id, actor="user", action="unseal", record_id=record.id)
            ids = [*plan.messages, *(message_id for message_id, _ in seen)]
            rows = await conn.execute(_SEALING["pictures_of"], {"user_id": user_id, "message_ids": ids})
            painted = tuple(row["message_id"] for row in await rows.fetchall())
        self._frames.forget_hidden(user_id)
        return UnsealingReport(
            reference=record.reference, messages=len(plan.messages), memories=len(plan.records), painted=painted
        )

    def _entry(self, message: Message, value: str, wish: EntryWish, values: Sequence[str]) -> VaultRecord:
        caption, terms = describe(message.text, value, others=values)
        made = vault_entry(
            self._keyring,
            user_id=message.user_id,
            value=value,
            caption=wish.caption or caption,
            entry_type=wish.entry_type or BY_HAND.entry_type,
            sensitivity=wish.sensitivity,
            keywords=list(terms),
            reference=fresh_reference(),
            content_hmac=value_digest(self._keyring, message.user_id, value),
            like=message,
        )
        return replace(
            made,
            agent_id=message.agent_id,
            run_id=message.run_id,
            visibility=message.visibility,
            trust=Trust.OWN,
            source_kind="user",
        )

    async def _wait_for_managers(self, user_id: int) -> None:
        until = time.monotonic() + self._wait_s
        while True:
            try:
                async with self._database.transaction(user_id) as conn:
                    return await _hold_batches(conn, user_id)
            except ConflictError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(_POLL_S)


async def _hold_batches(conn: Connection, user_id: int) -> None:
    """Nobody begins on a batch until the end of the transaction. Raises ConflictError while somebody is at one."""
    rows = await (await conn.execute(_SEALING["open_batches"], {"user_id": user_id})).fetchall()
    if any(row["is_running"] for row in rows):
        raise ConflictError("the memory managers are at work: try again when they are done (`mirix status`)")


async def _message(conn: Connection, user_id: int, message_id: UUID) -> Message:
    row = await (await conn.execute(query("messages_by_id"), {"user_id": user_id, "ids": [message_id]})).fetchone()
    if row is None:
        raise NotFoundError(f"no message {message_id} of this user: see `mirix conversation show`")
    return Message(**row)


def _candidates(message: Message) -> list[str]:
    return find_candidates("\n".join(text for text in (message.title, message.text) if text))


def _only(candidates: Sequence[str]) -> list[str]:
    if len(candidates) != 1:
        found = f"{len(candidates)} values" if candidates else "nothing"
        raise InputError(f"{found} in this message could be a secret: name the value to seal")
    return list(candidates)


async def _checked(conn: Connection, message: Message, values: Sequence[str]) -> list[str]:
    """The values, each once. Raises InputError where one does not stand in the message, or could not stand as one."""
    rows = await conn.execute(_SEALING["lines_of"], {"user_id": message.user_id, "message_id": message.id})
    frame = await rows.fetchone()
    chosen = list(dict.fromkeys(storable(value.strip()) for value in values))
    for value in chosen:
        if len(value) < 2 or find_references(value):
            raise InputError("a value to seal has at least two characters, and no reference in it")
        trial = Cut(references={value: _NEVER}, terms={})
        lines = frame["lines"] if frame else []
        if trial.message(message) == message and trial.json(lines) == lines:
            raise InputError(
                f"message {message.id} does not hold this value as it is written here: whole, with the same letters"
            )
    return chosen


def _check_wish(wish: EntryWish) -> None:
    for name, given, allowed in (
        ("entry_type", wish.entry_type, get_args(VaultEntryType)),
        ("sensitivity", wish.sensitivity, get_args(VaultSensitivity)),
    ):
        if given is not None and given not in allowed:
            raise InputError(f"{name} is one of {', '.join(allowed)}, not {given!r}")
    if wish.caption is not None and not wish.caption.strip():
        raise InputError("the caption is empty")


async def _count_elsewhere(conn: Connection, plan: Redaction) -> int:
    values = list(plan.cut.references.keys() - plan.cut.everywhere.references.keys())
    if not values:
        return 0
    rows = await conn.execute(_SEALING["texts_with"], {"user_id": plan.user_id, "values": values})
    return sum(plan.cut.text(row["text"]) != row["text"] for row in await rows.fetchall())


async def _check_single_value(conn: Connection, record: VaultRecord) -> None:
    """Raises ConflictError for an entry that had another value: texts from before would get a wrong one."""
    standing = [
        row
        for row in await history_of(conn, record.user_id, record.id)
        if row["operation"] != "undo" and row["undone_by"] is None and row["after"]
    ]
    if len({row["after"]["value_version"] for row in standing}) > 1:
        raise ConflictError(
            f"the value of {record.reference} was corrected, and texts may mean the former one: undo the correction "
            "first (`mirix memory undo`)"
        )


async def _remove(conn: Connection, record: VaultRecord) -> None:
    """Take an entry out for good, and judge the messages it stood for anew."""
    key = {"user_id": record.user_id, "record_id": record.id}
    rows = await (await conn.execute(_DOCUMENT["sources_of"], key | {"record_ids": [record.id]})).fetchall()
    alone = await (await conn.execute(_SEALING["messages_alone_with"], key)).fetchall()
    for name in ("delete_history", "delete_document", "unlink_entry", "delete_entry"):
        await conn.execute(_SEALING[name], key)
    sources = {"user_id": record.user_id, "source_ids": [row["source_id"] for row in rows]}
    others = await (await conn.execute(_DOCUMENT["memories_on"], sources)).fetchall()
    await judge_messages(conn, record.user_id, {row["record_id"] for row in others})
    for row in alone if record.status != "active" else ():
        await store.set_message_standing(conn, record.user_id, row["record_id"], "current")
