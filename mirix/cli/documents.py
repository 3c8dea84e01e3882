"""What `--json` prints: results as plain values. Keys are stable: new ones may come, none changes its meaning.

Times are ISO 8601 with offset. A memory's own kind is `memory_kind`, since semantic memories have a `kind` themselves.
Sealed values and what is derived are never in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mirix.memory.message import Message
from mirix.memory.record import Record, adapter

if TYPE_CHECKING:
    from mirix.chat.deed import Done
    from mirix.curation.forgetting import Trace
    from mirix.memory.changes import Change
    from mirix.models.usage import Usage
    from mirix.results import AddResult, HistoryEntry, MemoryStatus
    from mirix.retrieval.active import SearchResult
    from mirix.retrieval.answer import Answer
    from mirix.retrieval.hits import Hit
    from mirix.retrieval.places import FramePlace

Document = dict[str, Any]

_INTERNAL = frozenset({"user_id", "content_hmac", "embedding_model"})
_SEALED = frozenset({"ciphertext", "nonce", "wrapped_key", "format_version", "key_id", "value_version"})


def memory_document(record: Record) -> Document:
    values: Document = adapter(type(record)).dump_python(record, mode="json")
    kept = {name: value for name, value in values.items() if name not in _INTERNAL | _SEALED}
    return {"id": kept.pop("id"), "memory_kind": record.memory_kind.value, **kept}


def message_document(message: Message) -> Document:
    return {
        "id": str(message.id),
        "at": message.at.isoformat(),
        "timezone": message.timezone,
        "role": message.role,
        "speaker": message.speaker,
        "source_kind": message.source_kind,
        "application": message.application,
        "title": message.title,
        "uri": message.uri,
        "text": message.text,
        "trust": message.trust,
        "standing": message.standing,
    }


def change_document(change: Change) -> Document:
    return {
        "operation": change.operation,
        "memory_kind": change.kind.value,
        "id": str(change.id),
        "summary": change.summary,
    }


def usage_document(usage: Usage) -> Document:
    return {**usage.to_json(), "ms": round(usage.ms, 1)}


def add_document(result: AddResult) -> Document:
    return {
        "duplicate": result.is_duplicate,
        "batches": [
            {
                "id": str(batch.id),
                "state": batch.state,
                "new": batch.is_new,
                "message_ids": [str(message_id) for message_id in batch.message_ids],
                "routes": {kind.value: count for kind, count in batch.routes.items()},
                "changes": [change_document(change) for change in batch.changes],
                "problems": list(batch.problems),
                "proposals": batch.proposals,
            }
            for batch in result.batches
        ],
        "usage": usage_document(result.usage),
    }


def hit_document(hit: Hit) -> Document:
    return {
        "id": str(hit.id),
        "memory_kind": hit.kind.value if hit.kind else None,
        "score": round(hit.score, 4),
        "text": hit.text,
        "outdated": hit.outdated,
        "superseded_by": str(hit.superseded_by) if hit.superseded_by else None,
        "source_ids": [str(source) for source in hit.source_ids],
        "frame": frame_document(hit.frame),
        "memory": memory_document(hit.record) if hit.record else None,
        "message": message_document(hit.message) if hit.message else None,
        "arms": {arm.value: {"rank": score.rank, "score": score.score} for arm, score in hit.arms.items()},
    }


def frame_document(place: FramePlace | None) -> Document | None:
    """The picture behind something, and where the words stand on it: left, top, right, bottom in pixels."""
    if place is None:
        return None
    return {
        "message_id": str(place.message_id),
        "application": place.application,
        "title": place.title,
        "at": place.at.isoformat(),
        "width": place.width,
        "height": place.height,
        "boxes": [list(box) for box in place.boxes],
    }


def search_document(query: str, result: SearchResult) -> Document:
    return {
        "query": query,
        "results": [hit_document(hit) for hit in result.hits],
        "dropped_arms": [arm.value for arm in result.dropped_arms],
        "ms": round(result.ms, 1),
    }


def answer_document(question: str, answer: Answer, sources: Mapping[int, Sequence[Message]]) -> Document:
    return {
        "question": question,
        "answer": answer.text,
        "known": answer.known,
        "citations": [
            {
                "n": citation.n,
                "memory_kind": citation.kind.value if citation.kind else None,
                "id": str(citation.id),
                "quote": citation.quote,
                "outdated": citation.outdated,
                "frame": frame_document(citation.frame),
                "sources": [
                    {"id": str(source.id), "at": source.at.isoformat(), "speaker": source.speaker}
                    for source in sources.get(citation.n, ())
                ],
            }
            for citation in answer.citations
        ],
        "topics": list(answer.topics),
        "usage": usage_document(answer.usage),
    }


def done_document(done: Done) -> Document:
    forgotten = done.forgotten
    return {
        "action": done.action,
        "listed": [_trace(trace) for trace in done.listed],
        "messages": done.messages,
        "forgotten": None
        if forgotten is None
        else {
            "memories": [_trace(trace) for trace in forgotten.memories],
            "messages": forgotten.messages,
            "pictures": forgotten.pictures,
            "redacted": forgotten.redacted,
            "kept": [_trace(trace) for trace in forgotten.kept],
        },
        "corrections": [
            {"memory_kind": one.kind.value, "id": str(one.id), "before": one.before, "after": one.after}
            for one in done.corrections
        ],
    }


def _trace(trace: Trace) -> Document:
    return {"memory_kind": trace.kind.value, "id": str(trace.id), "summary": trace.summary}


def history_document(entry: HistoryEntry) -> Document:
    return {
        "operation": entry.operation,
        "actor": entry.actor,
        "at": entry.at.isoformat(),
        "reason": entry.reason,
        "operation_id": str(entry.operation_id),
        "undone": entry.is_undone,
        "before": _unsealed(entry.before),
        "after": _unsealed(entry.after),
    }


def status_document(status: MemoryStatus) -> Document:
    return {
        "user": status.user,
        "timezone": status.timezone,
        "messages": status.messages,
        "waiting": status.waiting,
        "failed": status.failed,
        "memories": {kind.value: count for kind, count in status.memories.items()},
        "proposals": status.proposals,
        "quarantined": status.quarantined,
        "chat_model": status.chat_model,
        "embedding_model": status.embedding_model,
        "lacking_vectors": status.lacking_vectors,
        "recogniser": status.recogniser,
        "database": status.database,
    }


def _unsealed(columns: Mapping[str, Any] | None) -> Document | None:
    return None if columns is None else {name: value for name, value in columns.items() if name not in _SEALED}
