"""Semantic memory: time-free knowledge that is new: people, places, projects, words used in a special sense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from mirix.memory.record import MemoryKind, Record

SemanticKind = Literal["person", "place", "concept", "project", "preference", "insight"]


@dataclass(frozen=True, kw_only=True)
class SemanticRecord(Record):
    memory_kind: ClassVar[MemoryKind] = MemoryKind.SEMANTIC
    name: str  # what or whom it is about
    kind: SemanticKind = "concept"

    def index_text(self) -> str:
        return f"{self.name}\n{super().index_text()}"

    def embedding_text(self) -> str:
        return f"{self.name}: {super().embedding_text()}"

    def attributes(self) -> dict[str, str]:
        return {"name": self.name, "kind": self.kind}
