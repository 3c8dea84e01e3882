"""Values of the vault on their way between two keys: the database's envelope here, the export's blob there.

The columns of an envelope stand in vault rows, in the history of these rows and in operations that wait for the user.
In an export one field stands for all of them: `value` of an entry, `sealed_value` in JSON columns. The version that a
value was sealed at (`value_version`) moves with it, and is bound into both seals.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from mirix.errors import InputError
from mirix.memory.envelope import FORMAT_VERSION, Keyring, Sealed
from mirix.transfer.document import ENVELOPE
from mirix.transfer.passphrase import ExportKey

LEFT_OUT = "none: its value was left out of an export"  # key_id of an entry that came without its value
_BYTES = ("ciphertext", "nonce", "wrapped_key")
SEALED_VALUE = "sealed_value"


@dataclass(frozen=True, kw_only=True)
class Resealer:
    """Carries values over. `key` is that of the export; None: values are left out."""

    keyring: Keyring
    user_id: int
    key: ExportKey | None

    # ---- out of the database ----

    def value(self, columns: Mapping[str, Any], item_id: UUID) -> str | None:
        """The value of an envelope in clear; None where there is none, or none is asked for. Raises SealError."""
        if self.key is None or columns["key_id"] == LEFT_OUT:
            return None
        sealed = Sealed(**{name: columns[name] for name in ENVELOPE})
        return self.keyring.open(sealed, user_id=self.user_id, item_id=item_id, version=columns["value_version"])

    def blob(self, value: str | None, item_id: UUID, version: int) -> str | None:
        if self.key is None or value is None:
            return None
        return self.key.seal(value.encode("utf-8", "surrogatepass"), "value", item_id, version)

    def blob_in(self, authored: Mapping[str, Any] | None, item_id: UUID) -> dict[str, Any] | None:
        """Authored columns as an export has them."""
        if authored is None or not authored.keys() >= ENVELOPE:
            return None if authored is None else dict(authored)
        envelope = dict(authored) | {name: base64.urlsafe_b64decode(authored[name]) for name in _BYTES}
        kept = {name: value for name, value in authored.items() if name not in ENVELOPE}
        return kept | {SEALED_VALUE: self.blob(self.value(envelope, item_id), item_id, authored["value_version"])}

    # ---- into the database ----

    def opened(self, blob: str | None, item_id: UUID, version: int) -> str | None:
        """The value of a blob in clear. Raises SealError."""
        if self.key is None or blob is None:
            return None
        return self.key.open(blob, "value", item_id, version).decode("utf-8", "surrogatepass")

    def envelope(self, value: str | None, item_id: UUID, version: int) -> dict[str, Any]:
        """The columns that hold a value here; those of an entry that nobody can open where it was left out."""
        if value is None:
            nothing = Sealed(ciphertext=b"", nonce=b"", wrapped_key=b"", format_version=FORMAT_VERSION, key_id=LEFT_OUT)
            return asdict(nothing)
        return asdict(self.keyring.seal(value, user_id=self.user_id, item_id=item_id, version=version))

    def envelope_in(self, authored: Mapping[str, Any] | None, item_id: UUID) -> dict[str, Any] | None:
        """Authored columns of an export as history keeps them. Raises InputError, SealError."""
        if authored is None or SEALED_VALUE not in authored:
            return None if authored is None else dict(authored)
        kept = dict(authored)
        blob, version = kept.pop(SEALED_VALUE), kept.get("value_version")
        if not isinstance(version, int) or not isinstance(blob, str | None):
            raise InputError(f"the history of {item_id} has a sealed value without its version")
        columns = self.envelope(self.opened(blob, item_id, version), item_id, version)
        return kept | {
            name: base64.urlsafe_b64encode(value).decode("ascii") if isinstance(value, bytes) else value
            for name, value in columns.items()
        }
