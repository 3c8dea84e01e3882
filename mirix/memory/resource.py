"""Resource memory: documents that were handed over, kept verbatim but for sealed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mirix.memory.record import MemoryKind, Record


@dataclass(frozen=True, kw_only=True)
class ResourceRecord(Record):
    memory_kind: ClassVar[MemoryKind] = MemoryKind.RESOURCE
    title: str
    resource_type: str = "document"  # letter, mail, article, notes, recipe, code, chat …
    mime: str = "text/plain"
    uri: str | None = None
    content: str  # the text, verbatim

    def index_text(self) -> str:
        return "\n".join([self.title, super().index_text(), self.content])

    def embedding_text(self) -> str:
        return "\n".join([self.title, super().embedding_text(), self.content])

    def attributes(self) -> dict[str, str]:
        return {"title": self.title, "resource_type": self.resource_type}

    def body(self) -> str:
        return f"{super().body()}\n{self.content}"

    def told(self) -> str:
        return self.content if self.content.startswith(self.summary.rstrip(" .。!！…")) else self.body()
