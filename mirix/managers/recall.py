"""What managers are shown of the memories that exist: the nearest of each type, found without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from mirix.db.pool import Database, User
from mirix.errors import NotFoundError
from mirix.memory import store
from mirix.memory.message import Message, times_mentioned
from mirix.memory.record import MemoryKind, Record, Scope
from mirix.retrieval.active import Filters, Retriever
from mirix.text.secrets import find_references

PER_KIND = 8
RELATED = 4  # of them, those that the evidence touches for sure
QUERY_CHARS = 2_000


class Recall:
    def __init__(self, database: Database, retriever: Retriever) -> None:
        self._database = database
        self._retriever = retriever

    async def nearest(
        self, user: User, scope: Scope, messages: Sequence[Message], kinds: Sequence[MemoryKind]
    ) -> dict[str, Record]:
        """Of each type the memories that the messages touch for sure and those nearest to them, as m1, m2, …"""
        text = "\n".join(message.text for message in messages)[:QUERY_CHARS]
        evidence = store.Evidence(
            text=text,
            references=find_references(text),
            uris=[message.uri for message in messages if message.uri],
            mentioned=times_mentioned(messages),
        )
        found: dict[UUID, Record] = {}
        async with self._database.transaction(user.user_id) as conn:
            for kind in kinds:
                found |= {r.id: r for r in await store.related(conn, scope, kind, evidence, RELATED)}
        # Core memory has been shown whole.
        for kind in set(kinds) - {MemoryKind.CORE}:
            filters = Filters(kinds=frozenset([kind]), messages=False, agent_id=scope.agent_id, run_id=scope.run_id)
            result = await self._retriever.search(user, text, filters=filters, limit=PER_KIND)
            found |= {hit.record.id: hit.record for hit in result.hits if hit.record is not None}
        order = sorted(found.values(), key=lambda record: record.memory_kind.number)
        return {f"m{number}": record for number, record in enumerate(order, 1)}

    def handles_json(self, memories: Mapping[str, Record]) -> dict[str, Any]:
        """Which memory and version each handle names, as it is kept with the batch."""
        return {handle: [str(record.id), record.version] for handle, record in memories.items()}

    async def restore(self, user: User, replies: Mapping[str, Any]) -> dict[str, Record] | None:
        """The memories under the handles that stored answers name; None when there are no such answers, or when a
        memory is gone or is no longer as it was shown."""
        handles = replies.get("recall")
        if handles is None or len(replies) == 1:
            return None
        found: dict[str, Record] = {}
        async with self._database.transaction(user.user_id) as conn:
            for handle, (record_id, version) in handles.items():
                try:
                    record = await store.get(conn, user.user_id, UUID(record_id))
                except NotFoundError:
                    return None
                if record.version != version:
                    return None
                found[handle] = record
        return found
