"""Seals values and files: a data key for each item, wrapped by the key of the database. Fails closed.

    value ──AES-256-GCM──> ciphertext        under a fresh 256-bit data key and a 96-bit random nonce
    data key ──AES-256-GCM──> wrapped_key    under a sub-key of the database's key (HKDF-SHA256)

Both bind format version, user, item and item version as associated data, so that a row moved to another user, item or
version does not open. The database's key is 32 random bytes; it never enters the database. A key file that only its
owner can read either holds it or names the entry of the system's keyring that does. The file is made once and never
written again, so that processes that start at once agree on one key, and a keyring that is locked one day is an error
and not a second key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mirix.errors import SealError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

FORMAT_VERSION = 1
KEY_BYTES = 32
NONCE_BYTES = 12
_SERVICE = "mirix"
# A key file with this beginning names an entry of the system's keyring; any other is the key itself.
_NAMED = b"the key of this vault is in the system's keyring, service mirix, name "


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
    def from_config(
        cls, path: Path, *, use_os_keyring: bool, required: bool = False, backend: KeyringBackend | None = None
    ) -> Keyring:
        """The key that the file `path` holds or names; made at first use.

        A new key goes into the system's keyring if `use_os_keyring` and there is one (`backend` stands in for it), else
        into the file; `required` forbids the latter.

        Raises SealError when the file can be read by others or is damaged, or when the keyring cannot be reached.
        """
        if not path.exists():
            _make_key(path, _backend(backend) if use_os_keyring else None, required=use_os_keyring and required)
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SealError(f"the key of the vault can be read by others: run chmod 600 '{path}'")
        content = path.read_bytes()
        if not content.startswith(_NAMED):
            return cls(content, place=str(path))
        key = _stored(_backend(backend), content.removeprefix(_NAMED).decode("ascii", "replace").strip())
        if key is None:
            raise SealError(
                f"the key of the vault is in the system's keyring, which does not give it out: unlock the keyring "
                f"in which '{path}' was made"
            )
        return cls(key, place="the system's keyring")

    def seal(self, value: str, *, user_id: int, item_id: UUID, version: int) -> Sealed:
        """Seal a value for one user, item and version of it (from 1; 0 stands for files)."""
        bound = _associated(user_id, item_id, version)
        data_key, nonce, wrap_nonce = (secrets.token_bytes(n) for n in (KEY_BYTES, NONCE_BYTES, NONCE_BYTES))
        return Sealed(
            ciphertext=AESGCM(data_key).encrypt(nonce, value.encode("utf-8", "surrogatepass"), bound),
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
            return (
                AESGCM(data_key)
                .decrypt(bytes(sealed.nonce), bytes(sealed.ciphertext), bound)
                .decode("utf-8", "surrogatepass")
            )
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


def _backend(given: KeyringBackend | None) -> KeyringBackend:
    if given is not None:
        return given
    import keyring

    return keyring.get_keyring()


def _stored(backend: KeyringBackend, name: str) -> bytes | None:
    """The key under a name of the system's keyring; None where it is not, or the keyring is locked or missing."""
    from keyring.errors import KeyringError

    try:
        stored = backend.get_password(_SERVICE, name)
    except KeyringError:
        return None
    try:
        return bytes.fromhex(stored) if stored else None
    except ValueError:
        return None


def _make_key(path: Path, backend: KeyringBackend | None, *, required: bool) -> None:
    key = secrets.token_bytes(KEY_BYTES)
    name = secrets.token_hex(8)
    if backend is not None and _store(backend, name, key):
        if not _make_once(path, _NAMED + name.encode() + b"\n"):
            _forget(backend, name)
    elif required:
        raise SealError("there is no keyring of the system to keep the key of the vault in: set MIRIX_KEYRING=file")
    else:
        _make_once(path, key)


def _store(backend: KeyringBackend, name: str, key: bytes) -> bool:
    """Whether the key is safe in the keyring now: some keyrings take everything and keep nothing."""
    from keyring.errors import KeyringError

    try:
        backend.set_password(_SERVICE, name, key.hex())
    except KeyringError:
        return False
    return _stored(backend, name) == key


def _forget(backend: KeyringBackend, name: str) -> None:
    from keyring.errors import KeyringError

    with suppress(KeyringError):
        backend.delete_password(_SERVICE, name)


def _make_once(path: Path, content: bytes) -> bool:
    """Make a file that only its owner can read; False if it is there already. It appears whole, under its name, once:
    written under another name, made durable, then linked."""
    part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        is_first = _link(part, path)
    except OSError as error:
        raise SealError(
            f"cannot keep the key of the vault at '{path}' ({error.strerror}): put MIRIX_DATA_DIR on another disk"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()
    if os.name == "posix":
        _sync_folder(path.parent)
    return is_first


def _link(part: Path, path: Path) -> bool:
    """Give the file its name; False if another process was first."""
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Values may be sealed, and committed, right away: the name of the key file must outlive a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
