"""From an operation's item to a record: what the manager wrote, plus what follows from the evidence.

Shared columns are filled here once; what only one memory needs (a resource's verbatim content, a sealed value) is a
small function per kind in `_COMPLETE`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from mirix.errors import OperationError
from mirix.ingest.sealing import fresh_reference
from mirix.managers.tools import Operation
from mirix.memory.envelope import Keyring
from mirix.memory.kinds import RECORDS
from mirix.memory.knowledge_vault import VaultRecord, reseal, seal_columns, value_digest
from mirix.memory.message import Message
from mirix.memory.record import MemoryKind, Record, Scope, new_id
from mirix.text.secrets import find_references


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Makes the records of one batch."""

    scope: Scope
    keyring: Keyring
    entries: Mapping[str, VaultRecord] = field(default_factory=dict)  # vault entries that texts refer to, by reference

    @property
    def known_ids(self) -> frozenset[UUID]:
        """The ids of records that `new` may return although they are there already."""
        return frozenset(entry.id for entry in self.entries.values())

    def new(
        self, operation: Operation, item: Mapping[str, Any], sources: Sequence[Message], targets: Sequence[Record]
    ) -> Record:
        """A new record, or the vault entry that the item refers to. Raises OperationError when it cannot be made.

        What is merged goes on in the new record, so that is trusted no more than the least of them.
        """
        named = find_references(str(item.get("value", "")))
        if named and named[0] in self.entries:
            return self.entries[named[0]]
        if not sources:
            raise OperationError(f"{operation.kind} {operation.verb}: nothing was named that it rests on")
        first = min(sources, key=lambda message: message.at)
        merged = [target.trust for target in targets] if operation.verb == "merge" else []
        columns: dict[str, Any] = {
            "user_id": self.scope.user_id,
            "id": new_id(),
            "agent_id": self.scope.agent_id,
            "run_id": self.scope.run_id,
            "trust": min([*merged, *(message.trust for message in sources)]),
            "source_kind": first.source_kind,
            "valid_from": operation.valid_from or first.at,
        }
        values = columns | dict(item)
        complete = _COMPLETE.get(operation.kind)
        return RECORDS[operation.kind](**(complete(values, sources, self.keyring) if complete else values))

    def changed(self, old: Record, changes: Mapping[str, Any]) -> Record:
        """An existing record with some fields corrected. Raises OperationError for a value that is kept already."""
        values = dict(changes)
        value = values.pop("value", None)
        if value is not None and find_references(value):
            raise OperationError(f"the value is in the vault already, as {value}: supersede this entry with it instead")
        new = replace(old, **values)
        if new.occurred_at and new.occurred_until and new.occurred_until < new.occurred_at:
            new = replace(new, occurred_until=None)
        if value is not None and isinstance(new, VaultRecord):
            return reseal(new, self.keyring, value)
        return new


def _with_content(values: dict[str, Any], sources: Sequence[Message], keyring: Keyring) -> dict[str, Any]:
    """A resource keeps the text of its messages word for word."""
    first = sources[0]
    return values | {
        "content": "\n\n".join(message.text for message in sources),
        "mime": first.mime,
        "uri": first.uri,
    }


def _with_seal(values: dict[str, Any], sources: Sequence[Message], keyring: Keyring) -> dict[str, Any]:
    """A vault entry's value is sealed; it never stands in the row."""
    value = values.pop("value")
    if find_references(value):
        raise OperationError(f"{value} is no reference of this user")
    columns = seal_columns(keyring, value, user_id=values["user_id"], record_id=values["id"], version=1)
    digest = value_digest(keyring, values["user_id"], value)
    return {"reference": fresh_reference()} | values | columns | {"content_hmac": digest}


_COMPLETE: Mapping[MemoryKind, Callable[[dict[str, Any], Sequence[Message], Keyring], dict[str, Any]]] = {
    MemoryKind.RESOURCE: _with_content,
    MemoryKind.VAULT: _with_seal,
}
