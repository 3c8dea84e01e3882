"""Seals values and files: a data key for each item, wrapped by the key of the database. Fails closed.

    value ──AES-256-GCM──> ciphertext        under a fresh 256-bit data key and a 96-bit random nonce
    data key ──AES-256-GCM──> wrapped_key    under a sub-key of the database's key (HKDF-SHA256)

Both bind format version, user, item and item version as associated data, so that a row moved to another user, item or
version does not open. The database's key is 32 random bytes in the system's keyring or in a file that only its owner can
read; it never enters the database.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mirix.errors import SealError

FORMAT_VERSION = 1
KEY_BYTES = 32
NONCE_BYTES = 12
_SERVICE = "mirix"


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A sealed value as it stands in its row."""

    ciphertext: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)  # nonce and the data key under the database's key
    format_version: int
    key_id: str  # short digest of the database's key


class Keyring:
    """Holds the key of the database; seals, opens and digests."""

    def __init__(self, key: bytes, *, place: str = "memory") -> None:
        if len(key) != KEY_BYTES:
            raise SealError(f"the key of the vault at {place} has {len(key)} bytes instead of {KEY_BYTES}: restore it")
        self.place = place  # where it is kept, for people
        self.key_id = hashlib.sha256(b"mirix key id\x00" + key).hexdigest()[:16]
        self._wrapping = AESGCM(_sub_key(key, b"wrap"))
        self._digest_key = _sub_key(key, b"digest")

    def __repr__(self) -> str:
        return f"Keyring(key_id={self.key_id!r}, place={self.place!r})"

    @classmethod
    def from_config(cls, path: Path, *, use_os_keyring: bool) -> Keyring:
        """The key from the system's keyring, or from `path`; made at first use. A file that is there always wins.

        Raises SealError when a key file can be read by others or is damaged.
        """
        if not path.exists() and use_os_keyring:
            key = _os_key(str(path.resolve()))
            if key is not None:
                return cls(key, place="the system's keyring")
        return cls(_file_key(path), place=str(path))

    def seal(self, value: str, *, user_id: int, item_id: UUID, version: int) -> Sealed:
        bound = _associated(user_id, item_id, version)
        data_key, nonce, wrap_nonce = (secrets.token_bytes(n) for n in (KEY_BYTES, NONCE_BYTES, NONCE_BYTES))
        return Sealed(
            ciphertext=AESGCM(data_key).encrypt(nonce, value.encode("utf-8"), bound),
            nonce=nonce,
            wrapped_key=wrap_nonce + self._wrapping.encrypt(wrap_nonce, data_key, bound),
            format_version=FORMAT_VERSION,
            key_id=self.key_id,
        )

    def open(self, sealed: Sealed, *, user_id: int, item_id: UUID, version: int) -> str:
        """The value in clear. Raises SealError for another key, and for anything that was changed or moved."""
        if sealed.format_version != FORMAT_VERSION:
            raise SealError(f"this value was sealed in format {sealed.format_version}: upgrade mirix-memory")
        if sealed.key_id != self.key_id:
            raise SealError(
                f"this value was sealed with key {sealed.key_id}, the key at {self.place} is {self.key_id}: "
                "restore the key that belongs to this database"
            )
        bound = _associated(user_id, item_id, version)
        try:
            wrapped = bytes(sealed.wrapped_key)
            data_key = self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound)
            return AESGCM(data_key).decrypt(bytes(sealed.nonce), bytes(sealed.ciphertext), bound).decode("utf-8")
        except (InvalidTag, ValueError) as error:
            raise SealError(f"the sealed value of {item_id} was changed or moved: it cannot be opened") from error

    def seal_bytes(self, data: bytes, *, user_id: int, item_id: UUID) -> bytes:
        """A file: format version, nonce, wrapped data key, nonce, ciphertext."""
        bound = _associated(user_id, item_id, 0)
        data_key, nonce, wrap_nonce = (secrets.token_bytes(n) for n in (KEY_BYTES, NONCE_BYTES, NONCE_BYTES))
        wrapped = self._wrapping.encrypt(wrap_nonce, data_key, bound)
        return bytes([FORMAT_VERSION]) + wrap_nonce + wrapped + nonce + AESGCM(data_key).encrypt(nonce, data, bound)

    def open_bytes(self, sealed: bytes, *, user_id: int, item_id: UUID) -> bytes:
        """A file in clear. Raises SealError for another key, and for anything that was changed or moved."""
        bound = _associated(user_id, item_id, 0)
        wrapped_end = 1 + NONCE_BYTES + KEY_BYTES + 16
        try:
            if sealed[:1] != bytes([FORMAT_VERSION]):
                raise ValueError("format")
            data_key = self._wrapping.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES : wrapped_end], bound)
            nonce = sealed[wrapped_end : wrapped_end + NONCE_BYTES]
            return AESGCM(data_key).decrypt(nonce, sealed[wrapped_end + NONCE_BYTES :], bound)
        except (InvalidTag, ValueError) as error:
            raise SealError(f"the sealed file of {item_id} was changed, or belongs to another key") from error

    def digest(self, user_id: int, text: str, purpose: str = "content") -> bytes:
        """32 bytes of HMAC-SHA256: equal for equal texts of one user, and of no use without the key."""
        message = f"{purpose}\x00{user_id}\x00".encode() + text.encode("utf-8", "surrogatepass")
        return hmac.new(self._digest_key, message, hashlib.sha256).digest()


def _associated(user_id: int, item_id: UUID, version: int) -> bytes:
    return f"{FORMAT_VERSION}|{user_id}|{item_id}|{version}".encode()


def _sub_key(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"mirix " + purpose).derive(key)


def _os_key(name: str) -> bytes | None:
    """The key under a name in the system's keyring, made at first use; None where there is no keyring."""
    import keyring
    from keyring.errors import KeyringError

    try:
        stored = keyring.get_password(_SERVICE, name)
        if stored is None:
            keyring.set_password(_SERVICE, name, secrets.token_hex(KEY_BYTES))
            stored = keyring.get_password(_SERVICE, name)
    except KeyringError:
        return None
    return bytes.fromhex(stored) if stored else None


def _file_key(path: Path) -> bytes:
    """The key in a file, made at first use: written whole under another name and then linked, so that two processes
    that make it at once agree on one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(part, path)
            except FileExistsError:
                pass  # another process was first: its key counts
        finally:
            part.unlink(missing_ok=True)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SealError(f"the key of the vault can be read by others: run chmod 600 '{path}'")
    return path.read_bytes()
