"""Writes everything of a user into one file: read in one statement, so that it is one moment of the memory.

    snapshot (one query) -> rows of the document -> values and pictures sealed under the passphrase -> file

The audit tells of every export before a value is opened. The file appears whole under its name or not at all, and only
its owner can read it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from psycopg import sql

from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.errors import InputError, SealError
from mirix.ingest.frames import FrameFiles
from mirix.memory.envelope import Keyring
from mirix.memory.kinds import RECORDS
from mirix.memory.record import MemoryKind, columns
from mirix.memory.reveal import write_audit
from mirix.memory.store import Connection
from mirix.transfer.batch_keys import KeyMaker
from mirix.transfer.document import (
    ENVELOPE,
    MEMORY_MODELS,
    NOT_MOVED,
    Batch,
    Conversation,
    Export,
    ExportedMessage,
    ExportedProposal,
    ExportedUser,
    Frame,
    HarmlessValue,
    HistoryRow,
    Link,
    Memories,
    Row,
    Source,
    Use,
    write_document,
)
from mirix.transfer.passphrase import ExportKey, Sealing, new_sealing
from mirix.transfer.resealing import Resealer

logger = logging.getLogger(__name__)
R = TypeVar("R", bound=Row)
Rows = Mapping[str, list[dict[str, Any]]]
Tell = Callable[[int, int], None]  # done, of how many

_TRANSFER = statements("transfer")
# part of the document: table, columns beside those of the model, what tells the order
_TABLES: Mapping[str, tuple[str, tuple[str, ...], str | None]] = {
    "conversations": ("conversation", (*Conversation.model_fields,), None),
    "batches": ("batch", (*(Batch.model_fields.keys() - {"key"}), "idempotency_key", "position"), "position"),
    "messages": ("message", (*ExportedMessage.model_fields, "position"), "position"),
    "frames": ("frame", (*(Frame.model_fields.keys() - {"picture"}),), None),
    "history": ("memory_history", (*HistoryRow.model_fields, "seq"), "seq"),
    "proposals": ("proposal", (*ExportedProposal.model_fields,), None),
    "harmless_values": ("harmless_value", (*HarmlessValue.model_fields,), None),
    **{
        kind.value: (kind.table, tuple(n for n in columns(RECORDS[kind]) if n not in NOT_MOVED - ENVELOPE), None)
        for kind in MemoryKind
    },
}


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export holds."""

    path: Path
    bytes: int
    messages: int
    memories: dict[MemoryKind, int]  # of every status
    values_left_out: int  # vault entries whose value is not in it
    pictures: int
    pictures_left_out: int


@dataclass(frozen=True, kw_only=True)
class Exporter:
    database: Database
    keyring: Keyring
    frames: FrameFiles

    async def write(
        self, user: User, path: Path, *, passphrase: str | None, pictures: bool, overwrite: bool, tell: Tell | None
    ) -> Exported:
        """Export to a file. Raises InputError when it cannot be written, SealError when a value cannot be opened."""
        _check_place(path, overwrite)
        export = await self.export(user, passphrase=passphrase, pictures=pictures, tell=tell)
        content = await asyncio.to_thread(write_document, export)
        await asyncio.to_thread(_write_file, path, content)
        return Exported(
            path=path,
            bytes=len(content),
            messages=len(export.messages),
            memories={kind: len(export.of_kind(kind)) for kind in MemoryKind},
            values_left_out=sum(row.value is None for row in export.of_kind(MemoryKind.VAULT)),  # type: ignore[attr-defined]
            pictures=sum(frame.picture is not None for frame in export.frames),
            pictures_left_out=sum(frame.picture is None for frame in export.frames),
        )

    async def export(self, user: User, *, passphrase: str | None, pictures: bool, tell: Tell | None) -> Export:
        """The document. Raises SealError."""
        sealing: Sealing | None = None
        key: ExportKey | None = None
        if passphrase is not None:
            sealing, key = await asyncio.to_thread(new_sealing, passphrase)
        async with self.database.transaction(user.user_id) as conn:
            note = "with values" if key else "without values"
            await write_audit(conn, user.user_id, actor="user", action="export", note=note)
            rows = await _snapshot(conn, user.user_id)
        resealer = Resealer(keyring=self.keyring, user_id=user.user_id, key=key)
        frames = [Frame.model_validate(row) for row in rows["frames"]]
        if key and pictures:
            frames = await self._with_pictures(user.user_id, frames, key, tell)
        return await asyncio.to_thread(_document, user, rows, frames, sealing, resealer)

    async def _with_pictures(self, user_id: int, frames: list[Frame], key: ExportKey, tell: Tell | None) -> list[Frame]:
        found = []
        for number, frame in enumerate(frames, 1):
            found.append(await asyncio.to_thread(self._with_picture, user_id, frame, key))
            if tell:
                tell(number, len(frames))
        return found

    def _with_picture(self, user_id: int, frame: Frame, key: ExportKey) -> Frame:
        try:
            webp = self.frames.read_bytes(user_id, frame.message_id)
        except SealError:
            # Gone, or never there: it had been left out of the export that this memory came from.
            logger.debug("picture left out", extra={"action": "picture_left_out", "message_id": str(frame.message_id)})
            return frame
        return frame.model_copy(update={"picture": key.seal(webp, "picture", frame.message_id)})


async def _snapshot(conn: Connection, user_id: int) -> Rows:
    """All rows by part of the document, in the order of the document."""
    parts = [
        _TRANSFER["rows"].format(
            part=sql.Literal(part),
            place=sql.Identifier("r", place) if place else sql.Literal(0),
            columns=sql.SQL(", ").join(map(sql.Identifier, names)),
            table=sql.Identifier(table),
        )
        for part, (table, names, place) in _TABLES.items()
    ]
    query = sql.SQL(" UNION ALL ").join([*parts, _TRANSFER["sources"], _TRANSFER["links"], _TRANSFER["uses"]])
    found: defaultdict[str, list[tuple[tuple[int, str], dict[str, Any]]]] = defaultdict(list)
    for each in await (await conn.execute(query, {"user_id": user_id})).fetchall():
        row = each["row"]
        if place := _TABLES.get(each["part"], (None, (), None))[2]:
            del row[place]
        named = ["id"] if "id" in row else [name for name in sorted(row) if name.endswith(("_id", "digest"))]
        ids = " ".join(str(row[name]) for name in named)
        found[each["part"]].append(((each["place"], ids), row))
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for part, placed in found.items():
        rows[part] = [row for _, row in sorted(placed, key=lambda item: item[0])]
    return rows


def _document(user: User, rows: Rows, frames: list[Frame], sealing: Sealing | None, resealer: Resealer) -> Export:
    values: dict[str, str] = {}
    vault = [_vault_row(row, resealer, values) for row in rows[MemoryKind.VAULT.value]]
    memories = {kind.value: rows[kind.value] for kind in MemoryKind} | {MemoryKind.VAULT.value: vault}
    messages = _parsed(ExportedMessage, rows["messages"])
    conversations = _parsed(Conversation, rows["conversations"])
    maker = KeyMaker(keyring=resealer.keyring, user_id=resealer.user_id, values=values)
    return Export(
        user=ExportedUser(name=user.name, timezone=user.timezone),
        sealing=sealing,
        conversations=conversations,
        batches=_batches(rows["batches"], messages, {c.id: c.name for c in conversations}, maker),
        messages=messages,
        frames=frames,
        memories=Memories(
            **{kind: _parsed(MEMORY_MODELS[MemoryKind(kind)], found) for kind, found in memories.items()}
        ),
        sources=_parsed(Source, rows["sources"]),
        links=_parsed(Link, rows["links"]),
        history=_parsed(HistoryRow, (_history_row(row, resealer) for row in rows["history"])),
        proposals=_parsed(ExportedProposal, (_proposal_row(row, resealer) for row in rows["proposals"])),
        uses=_parsed(Use, rows["uses"]),
        harmless_values=_parsed(
            HarmlessValue, (row | {"digest": _bytes(row["digest"]).hex()} for row in rows["harmless_values"])
        ),
    )


def _parsed(model: type[R], rows: Iterable[Mapping[str, Any]]) -> list[R]:
    return [model.model_validate(row) for row in rows]


def _batches(
    rows: list[dict[str, Any]], messages: list[ExportedMessage], names: Mapping[UUID, str], maker: KeyMaker
) -> list[Batch]:
    said: defaultdict[UUID, list[ExportedMessage]] = defaultdict(list)
    for message in messages:
        said[message.batch_id].append(message)
    found = []
    for row in rows:
        digest = _bytes(row.pop("idempotency_key"))
        if row["state"] in ("running", "gathering"):  # nobody does where it is read
            row |= {"state": "pending", "attempt": row["attempt"] - 1}
        key = maker.recognise(digest, names[UUID(row["conversation_id"])], said[UUID(row["id"])])
        found.append(Batch.model_validate(row | {"key": key}))
    return found


def _vault_row(row: dict[str, Any], resealer: Resealer, values: dict[str, str]) -> dict[str, Any]:
    item_id = UUID(row["id"])
    envelope = row | {name: _bytes(row[name]) for name in ("ciphertext", "nonce", "wrapped_key")}
    value = resealer.value(envelope, item_id)
    if value is not None:
        values[row["reference"]] = value
    kept = {name: inner for name, inner in row.items() if name not in ENVELOPE}
    return kept | {"value": resealer.blob(value, item_id, row["value_version"])}


def _history_row(row: dict[str, Any], resealer: Resealer) -> dict[str, Any]:
    if row["kind"] != MemoryKind.VAULT:
        return row
    item_id = UUID(row["record_id"])
    return row | {name: resealer.blob_in(row[name], item_id) for name in ("before", "after")}


def _proposal_row(row: dict[str, Any], resealer: Resealer) -> dict[str, Any]:
    if row["kind"] != MemoryKind.VAULT:
        return row
    records = [resealer.blob_in(record, UUID(record["id"])) for record in row["operation"].get("records", [])]
    return row | {"operation": row["operation"] | {"records": records}}


def _bytes(written: str) -> bytes:
    """A bytea as Postgres writes it into JSON: \\x and hexadecimal."""
    return bytes.fromhex(written.removeprefix("\\x"))


def _check_place(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file in it")
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no ordinary file: name another")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already: name another file, or say that it may be replaced (--force)")
    if not path.absolute().parent.is_dir():
        raise InputError(f"there is no folder {path.absolute().parent}")


def _write_file(path: Path, content: bytes) -> None:
    """Whole under its name or not at all; readable for its owner only."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink()
