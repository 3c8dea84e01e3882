"""Knowledge vault: exact values, sealed. The summary is the caption and all that is ever searched, embedded or shown;
the value leaves only by `reveal`, which is audited.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal
from uuid import UUID

from mirix.memory.envelope import Keyring, Sealed
from mirix.memory.record import MemoryKind, Record

VaultEntryType = Literal["credential", "api_key", "contact_info", "bookmark", "account", "other"]
VaultSensitivity = Literal["low", "medium", "high"]


@dataclass(frozen=True, kw_only=True)
class VaultRecord(Record):
    memory_kind: ClassVar[MemoryKind] = MemoryKind.VAULT
    reference: str  # texts name it {{vault:<reference>}}
    entry_type: VaultEntryType = "credential"
    sensitivity: VaultSensitivity = "high"
    ciphertext: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)
    format_version: int
    key_id: str
    value_version: int = 1  # bound into the seal

    def body(self) -> str:
        return f"{super().body()}: {{{{vault:{self.reference}}}}}"

    def says(self) -> str:
        # Messages name a value of high sensitivity by its reference, and hold any other word for word.
        return self.body() if self.sensitivity == "high" else f"{self.body()} {self.content_hmac.hex()}"

    def identity(self) -> None:
        return None  # content_hmac is the digest of the value, set where it is sealed

    def attributes(self) -> dict[str, str]:
        return {"caption": self.summary, "entry_type": self.entry_type, "sensitivity": self.sensitivity}


def seal_columns(keyring: Keyring, value: str, *, user_id: int, record_id: UUID, version: int) -> dict[str, object]:
    """The columns that hold a value, sealed for this user, row and version."""
    sealed = keyring.seal(value, user_id=user_id, item_id=record_id, version=version)
    return {
        "ciphertext": sealed.ciphertext,
        "nonce": sealed.nonce,
        "wrapped_key": sealed.wrapped_key,
        "format_version": sealed.format_version,
        "key_id": sealed.key_id,
        "value_version": version,
    }


def value_digest(keyring: Keyring, user_id: int, value: str) -> bytes:
    """Keyed digest of a value: the same value of the same user is one entry."""
    return keyring.digest(user_id, value, "vault")


def reseal(record: VaultRecord, keyring: Keyring, value: str) -> VaultRecord:
    """The record with another value."""
    columns = seal_columns(keyring, value, user_id=record.user_id, record_id=record.id, version=record.version + 1)
    return replace(record, **columns, content_hmac=value_digest(keyring, record.user_id, value))  # type: ignore[arg-type]


def open_value(record: VaultRecord, keyring: Keyring) -> str:
    """The value in clear. Raises SealError when the row was tampered with, or the key is another."""
    sealed = Sealed(
        ciphertext=record.ciphertext,
        nonce=record.nonce,
        wrapped_key=record.wrapped_key,
        format_version=record.format_version,
        key_id=record.key_id,
    )
    return keyring.open(sealed, user_id=record.user_id, item_id=record.id, version=record.value_version)
