"""One invented record of each kind, for suites that run over all six."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mirix.memory.envelope import Keyring
from mirix.memory.kinds import RECORDS
from mirix.memory.knowledge_vault import VaultRecord, seal_columns, value_digest
from mirix.memory.record import MemoryKind, Record, new_id
from mirix.text.secrets import new_reference

MAY = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)

# (columns of a sample, another summary for it)
SAMPLES: dict[MemoryKind, tuple[dict[str, Any], str]] = {
    MemoryKind.CORE: (
        {"label": "human", "summary": "Lives above a bakery in Tromsø"},
        "Lives above a chapel in Tromsø",
    ),
    MemoryKind.EPISODIC: (
        {"summary": "Ferry to Hurtigruten pier", "details": "Took the night ferry with Oda.", "occurred_at": MAY},
        "Bus to the pier",
    ),
    MemoryKind.SEMANTIC: (
        {
            "name": "Oda Lie",
            "kind": "person",
            "summary": "Repairs harpsichords",
            "details": "Oda repairs harpsichords.",
        },
        "Tunes harpsichords",
    ),
    MemoryKind.PROCEDURAL: (
        {"entry_type": "guide", "summary": "Wax the skis", "steps": ["scrape", "iron in wax", "brush"]},
        "Wax the long skis",
    ),
    MemoryKind.RESOURCE: (
        {"title": "House rules", "summary": "Rules of the house", "content": "No trumpets after ten.\nShoes off."},
        "Rules of the new house",
    ),
    MemoryKind.VAULT: ({"summary": "garage code", "keywords": ["code", "密码"]}, "code of the garage"),
}


def sample(kind: MemoryKind, user_id: int, keyring: Keyring, **changes: Any) -> Record:
    """A fresh record of a kind."""
    values: dict[str, Any] = {"user_id": user_id, "id": new_id(), "valid_from": MAY} | SAMPLES[kind][0]
    if kind is MemoryKind.VAULT:
        secret = changes.pop("value", "4711-tern")
        values |= seal_columns(keyring, secret, user_id=user_id, record_id=values["id"], version=1)
        values |= {"reference": new_reference(6), "content_hmac": value_digest(keyring, user_id, secret)}
    return RECORDS[kind](**(values | changes))


def other_value(record: Record) -> str:
    return SAMPLES[record.memory_kind][1]


def is_vault(record: Record) -> bool:
    return isinstance(record, VaultRecord)
