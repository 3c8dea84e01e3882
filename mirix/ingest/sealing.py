"""Seals what must never be stored, embedded, logged or sent to a model: it is cut from the text before anything else.

A value that is known already stands under its old reference; a new one gets an entry in the knowledge vault, written in
the same transaction as the message it came in. Ingest may seal a value from any source, and never changes an entry. A
value that the user has unsealed was a false alarm, and stays as it is. What was read from a picture is looked through
more readily than what was typed, and for misread twins of the values of the vault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from mirix.db.statements import statements
from mirix.errors import SealError
from mirix.ingest.inputs import Incoming
from mirix.memory.envelope import Keyring, Sealed
from mirix.memory.knowledge_vault import VaultEntryType, VaultRecord, VaultSensitivity, seal_columns, value_digest
from mirix.memory.message import Message
from mirix.memory.record import new_id
from mirix.memory.store import Connection
from mirix.text.secret_twins import twin_of
from mirix.text.secrets import (
    SecretSpan,
    Sensitivity,
    escape_references,
    find_read_secrets,
    find_secrets,
    new_reference,
    seal_text,
    with_twins,
)

_VAULT = statements("knowledge_vault")
_SEALED = ("ciphertext", "nonce", "wrapped_key", "format_version", "key_id")


@dataclass(frozen=True, kw_only=True)
class SealedText:
    """A text without its secrets."""

    text: str  # with {{vault:…}} in the place of each
    terms: tuple[str, ...] = ()  # words it should be found by, e.g. password, 密码
    references: tuple[str, ...] = ()  # in order
    values: tuple[str, ...] = field(default=(), repr=False)  # what was cut, for painting over; never stored

    def with_others(self, *others: SealedText) -> SealedText:
        """This text, with what was cut from others that belong to it."""
        return replace(
            self,
            terms=self.terms + tuple(term for other in others for term in other.terms),
            references=self.references + tuple(reference for other in others for reference in other.references),
            values=self.values + tuple(value for other in others for value in other.values),
        )


@dataclass(kw_only=True)
class Sealer:
    """Seals texts of one user; new entries collect in `entries` until somebody writes them."""

    keyring: Keyring
    user_id: int
    entries: dict[str, VaultRecord] = field(default_factory=dict)  # by reference
    known: dict[bytes, str] = field(default_factory=dict)  # references of values that have one, by keyed digest
    harmless: frozenset[bytes] = frozenset()  # keyed digests of values that the user has unsealed
    values: dict[str, str] = field(default_factory=dict, repr=False)  # references of values that may be misread

    async def load(self, conn: Connection, texts: Sequence[str], *, read: bool = False) -> None:
        """Look up which of the values in some texts are in the vault already, and which values are no secrets.

        With `read`, for texts that were read from pictures, the values themselves are kept at hand for a while.
        """
        # A long text takes seconds to look through, and others are served meanwhile.
        digests = await asyncio.to_thread(
            lambda: [self._digest(span.value) for text in texts for span in _high(text, "")]
        )
        self.known |= await references_by_digest(conn, self.user_id, digests)
        self.harmless = await harmless_digests(conn, self.user_id)
        if read:
            cursor = await conn.execute(_VAULT["high_values"], {"user_id": self.user_id})
            rows = await cursor.fetchall()
            self.values |= await asyncio.to_thread(self._opened, rows)

    def _opened(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        values: dict[str, str] = {}
        for row in rows:
            sealed = Sealed(**{name: row[name] for name in _SEALED})
            with suppress(SealError):  # an entry that was tampered with is told of where it is opened
                value = self.keyring.open(sealed, user_id=self.user_id, item_id=row["id"], version=row["value_version"])
                values.setdefault(value, row["reference"])
        return values

    def _digest(self, value: str) -> bytes:
        return value_digest(self.keyring, self.user_id, value)

    def seal(self, text: str, *, before: str = "", like: Incoming | None = None) -> SealedText:
        """The text without its secrets. `like` tells where new entries come from; without it none are made, and an
        unknown value is cut all the same (a question)."""
        outside = escape_references(text)
        is_read = like is not None and len(like.lines) > 0 and text == like.text
        found = self._read(outside, before, like) if like and is_read else _high(outside, before)
        spans = [span for span in found if self._digest(span.value) not in self.harmless]
        if not spans:
            return SealedText(text=outside)
        references = [self._reference(span, like) for span in spans]
        by_span = dict(zip(((span.start, span.end) for span in spans), references, strict=True))
        return SealedText(
            text=seal_text(outside, spans, lambda span: by_span[span.start, span.end]),
            terms=tuple(term for span in spans for term in span.terms),
            references=tuple(references),
            values=tuple(span.value for span in spans),
        )

    def _read(self, text: str, before: str, like: Incoming) -> list[SecretSpan]:
        """The secrets in what was read from a picture, and misread twins of known values."""
        spans = find_read_secrets(text, [line.box for line in like.lines], before=before)
        return with_twins(text, spans, self.values)

    def _reference(self, span: SecretSpan, like: Incoming | None) -> str:
        digest = self._digest(span.value)
        if digest in self.known:
            return self.known[digest]
        if like and like.lines and (twin := twin_of(span.value, self.values)):
            return self.values[twin]
        reference = fresh_reference()
        if like is not None:
            self.known[digest] = reference
            self.values[span.value] = reference
            self.entries[reference] = self._entry(span, reference, digest, like)
        return reference

    def _entry(self, span: SecretSpan, reference: str, digest: bytes, like: Incoming) -> VaultRecord:
        return vault_entry(
            self.keyring,
            user_id=self.user_id,
            value=span.value,
            caption=span.caption,
            entry_type=span.entry_type,
            sensitivity=span.sensitivity.value,
            keywords=list(span.terms),
            reference=reference,
            content_hmac=digest,
            like=like,
        )


async def references_by_digest(conn: Connection, user_id: int, digests: Sequence[bytes]) -> dict[bytes, str]:
    """The references of values that are in the vault, by keyed digest."""
    if not digests:
        return {}
    cursor = await conn.execute(_VAULT["references_by_value"], {"user_id": user_id, "digests": list(digests)})
    return {bytes(row["content_hmac"]): row["reference"] for row in await cursor.fetchall()}


async def harmless_digests(conn: Connection, user_id: int) -> frozenset[bytes]:
    """Keyed digests of the values that the user has unsealed: as few as there are false alarms."""
    cursor = await conn.execute(_VAULT["harmless_values"], {"user_id": user_id})
    return frozenset(bytes(row["digest"]) for row in await cursor.fetchall())


async def not_harmless(conn: Connection, keyring: Keyring, user_id: int, values: Sequence[str]) -> None:
    """The user takes back that some values are no secrets."""
    digests = [value_digest(keyring, user_id, value) for value in values]
    await conn.execute(_VAULT["delete_harmless"], {"user_id": user_id, "digests": digests})


async def known_values(conn: Connection, keyring: Keyring, user_id: int, values: Sequence[str]) -> dict[str, str]:
    """The references of those values that are in the vault."""
    digests = {value_digest(keyring, user_id, value): value for value in values}
    found = await references_by_digest(conn, user_id, list(digests))
    return {digests[digest]: reference for digest, reference in found.items()}


async def lock_values(conn: Connection, user_id: int) -> None:
    """Until the end of the transaction nobody else seals new values of this user."""
    await conn.execute(_VAULT["lock_values"], {"user_id": user_id})


def fresh_reference() -> str:
    """A new reference; at 27 ** 6 of them a clash within one user is refused by the database, not looked for."""
    return new_reference(6)


def vault_entry(
    keyring: Keyring,
    *,
    user_id: int,
    value: str,
    caption: str,
    entry_type: str,
    sensitivity: Literal["low", "medium", "high"] | str,
    keywords: list[str],
    reference: str,
    content_hmac: bytes,
    like: Incoming | Message,
) -> VaultRecord:
    """A new entry with its value sealed. `like` tells where it came from."""
    record_id = new_id()
    columns = seal_columns(keyring, value, user_id=user_id, record_id=record_id, version=1)
    return VaultRecord(
        user_id=user_id,
        id=record_id,
        summary=caption,
        keywords=keywords,
        reference=reference,
        entry_type=cast(VaultEntryType, entry_type),
        sensitivity=cast(VaultSensitivity, sensitivity),
        content_hmac=content_hmac,
        trust=like.trust,
        source_kind=like.source_kind,
        valid_from=like.at,
        **columns,  # type: ignore[arg-type]
    )


def _high(text: str, before: str) -> list[SecretSpan]:
    return [span for span in find_secrets(text, before=before) if span.sensitivity is Sensitivity.HIGH]
