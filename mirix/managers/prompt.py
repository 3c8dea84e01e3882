"""What a manager is shown, as text: evidence and memories under handles that are valid for one call only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from langchain_core.messages import HumanMessage

from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.message import Message
from mirix.memory.record import Record
from mirix.models.chat import image_block
from mirix.text.dates import annotate
from mirix.text.markup import attributes, neutralise
from mirix.text.secrets import find_references


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The evidence and memories of one call, by handle."""

    evidence: Mapping[str, Message]
    memories: Mapping[str, Record]
    context: Collection[str] = ()  # evidence handles that are there only to be understood
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # WebP by evidence handle, for models that see

    @property
    def references(self) -> frozenset[str]:
        """The vault references that stand in it."""
        texts = [text for m in self.evidence.values() for text in (m.text, m.title or "", m.uri or "")]
        texts += [record.index_text() for record in self.memories.values()]
        entries = [record.reference for record in self.memories.values() if isinstance(record, VaultRecord)]
        return frozenset(entries).union(*map(find_references, texts))

    def narrowed(self, handles: Sequence[str], memories: Mapping[str, Record]) -> Shown:
        """The named messages, each with the one before it as context, and other memories."""
        order = list(self.evidence)
        wanted = [handle for handle in order if handle in set(handles)]
        before = {order[order.index(handle) - 1] for handle in wanted if order.index(handle) > 0} - set(wanted)
        return Shown(
            evidence={handle: self.evidence[handle] for handle in order if handle in before or handle in set(wanted)},
            memories=memories,
            context=frozenset(before),
            pictures={handle: data for handle, data in self.pictures.items() if handle in set(wanted)},
        )


def human_message(now: datetime, shown: Shown) -> HumanMessage:
    """The one human message of a call."""
    text = "\n".join([render_now(now), render_evidence(shown), render_memories(shown.memories, now.tzinfo)])
    if not shown.pictures:
        return HumanMessage(content=text)
    pictures = [dict(image_block(data, mime_type="image/webp")) for data in shown.pictures.values()]
    return HumanMessage(content=[{"type": "text", "text": text}, *pictures])


def render_now(now: datetime) -> str:
    return f"<now>{now.isoformat(timespec='seconds')} {now:%A}</now>"


def render_evidence(shown: Shown) -> str:
    return "\n".join(["<evidence>", *(_message(handle, shown) for handle in shown.evidence), "</evidence>"])


def _message(handle: str, shown: Shown) -> str:
    message = shown.evidence[handle]
    local = message.local_at
    names = {
        "id": handle,
        "at": local.isoformat(timespec="seconds"),
        "role": message.role,
        "speaker": message.speaker,
        "source": message.source_kind,
        "app": message.application,
        "title": message.title,
        "context": "true" if handle in shown.context else None,
    }
    return f"<message {attributes(names)}>\n{neutralise(annotate(message.text, local, message.timezone))}\n</message>"


def render_memories(memories: Mapping[str, Record], zone: tzinfo | None) -> str:
    rows = [_memory(handle, record, zone) for handle, record in memories.items()]
    return "\n".join(["<memories>", *rows, "</memories>"])


def _memory(handle: str, record: Record, zone: tzinfo | None) -> str:
    when = (record.occurred_at or record.valid_from).astimezone(zone)
    names = {"id": handle, "type": record.memory_kind.value, "at": when.date().isoformat()} | record.attributes()
    return f"<memory {attributes(names)}>{neutralise(record.body())}</memory>"
