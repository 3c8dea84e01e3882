"""Seals what is secret in an export under a passphrase: a key by Argon2id, each blob by AES-256-GCM.

A blob is base64 of nonce and ciphertext. It is bound to what it is and whose, so that a blob moved to another place in
the file does not open. The parameters stand in the file, so that a later Mirix may choose harder ones.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
from typing import Annotated, Literal
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, Field

from mirix.errors import InputError, SealError

Purpose = Literal["check", "value", "picture"]
NONCE_BYTES = 12
_CHECK = UUID(int=0)
_KNOWN = b"mirix"
# OpenSSL runs the lanes in threads of one pool, and two derivations at once wait for each other for ever.
_one_at_a_time = threading.Lock()


class Sealing(BaseModel):
    """How the key of an export is made from its passphrase. RFC 9106; the limits keep a hostile file from eating the
    machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kdf: Literal["argon2id"] = "argon2id"
    salt: Annotated[str, Field(description="base64 of 16 random bytes")]
    memory_kib: Annotated[int, Field(ge=8_192, le=1_048_576)] = 65_536
    iterations: Annotated[int, Field(ge=1, le=16)] = 3
    lanes: Annotated[int, Field(ge=1, le=16)] = 4
    check: Annotated[str, Field(description="a sealed constant: it tells a wrong passphrase at once")]


class ExportKey:
    """Seals and opens the blobs of one export."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, data: bytes, purpose: Purpose, item_id: UUID, version: int = 0) -> str:
        """A blob for one item and, for values, one version of it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return _encoded(nonce + self._cipher.encrypt(nonce, data, _bound(purpose, item_id, version)))

    def open(self, blob: str, purpose: Purpose, item_id: UUID, version: int = 0) -> bytes:
        """Raises SealError for what was changed or moved, or sealed under another passphrase."""
        try:
            data = base64.b64decode(blob, validate=True)
            return self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _bound(purpose, item_id, version))
        except (InvalidTag, ValueError) as error:
            raise SealError(f"the sealed {purpose} of {item_id} was changed or moved: it cannot be opened") from error


def new_sealing(passphrase: str) -> tuple[Sealing, ExportKey]:
    """A fresh key for a passphrase. Raises InputError for a blank one. Takes about 0.2 s and 64 MiB."""
    if not passphrase.strip():
        raise InputError("the passphrase is blank")
    draft = Sealing(salt=_encoded(secrets.token_bytes(16)), check="")
    key = _derive(draft, passphrase)
    return draft.model_copy(update={"check": key.seal(_KNOWN, "check", _CHECK)}), key


def open_sealing(sealing: Sealing, passphrase: str) -> ExportKey:
    """The key of an export. Raises SealError for a wrong passphrase."""
    key = _derive(sealing, passphrase)
    try:
        key.open(sealing.check, "check", _CHECK)
    except SealError:
        raise SealError("this passphrase does not open the export: nothing was changed") from None
    return key


def _derive(sealing: Sealing, passphrase: str) -> ExportKey:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    try:
        salt = base64.b64decode(sealing.salt, validate=True)
        kdf = Argon2id(
            salt=salt,
            length=32,
            iterations=sealing.iterations,
            lanes=sealing.lanes,
            memory_cost=sealing.memory_kib,
        )
    except (binascii.Error, ValueError) as error:
        raise SealError(f"the sealing of this export cannot be used: {error}") from error
    with _one_at_a_time:
        return ExportKey(kdf.derive(passphrase.encode("utf-8", "surrogatepass")))


def _bound(purpose: Purpose, item_id: UUID, version: int) -> bytes:
    return f"mirix-export|1|{purpose}|{item_id}|{version}".encode()


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
